"""azure.yaml and its hooks: what they need is there, and what they run is what is meant."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.check.parser import parse

ROOT = Path(__file__).resolve().parents[2]
HOOKS = ROOT / "infra/hooks"
AZD: dict[str, Any] = yaml.safe_load((ROOT / "azure.yaml").read_text(encoding="utf-8"))
MAIN = parse(Path("infra/main.bicep"), (ROOT / "infra/main.bicep").read_text(encoding="utf-8"))
EVENTS = parse(Path("infra/events.bicep"), (ROOT / "infra/events.bicep").read_text(encoding="utf-8"))
FROM_AZD = {"AZURE_ENV_NAME": "dev", "AZURE_SUBSCRIPTION_ID": "sub"}
FAKE_AZ = """#!/bin/sh
printf '%s\\037' "$@" >>"$AZ_LOG"
printf '\\n' >>"$AZ_LOG"
if [ -n "${AZ_FAILS:-}" ] && [ "$(wc -l <"$AZ_LOG")" -le "$AZ_FAILS" ]; then exit 1; fi
case "$*" in *"role assignment list"*) printf '/a/one\\n/a/two words\\n' ;; esac
"""

Run = Callable[..., tuple[subprocess.CompletedProcess[str], list[list[str]]]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Give `run(hook, **environment)`: run it with an az that only writes down its arguments."""
    az, log = tmp_path / "az", tmp_path / "log"
    az.write_text(FAKE_AZ, encoding="utf-8")
    az.chmod(0o755)

    def run_it(hook: str, **environment: str) -> tuple[subprocess.CompletedProcess[str], list[list[str]]]:
        sh = shutil.which("sh")
        assert sh
        variables = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "AZ_LOG": str(log), **environment}
        done = subprocess.run(
            [sh, str(HOOKS / hook)],
            env=variables,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        return done, [line.split("\037")[:-1] for line in lines]

    return run_it


def outputs() -> dict[str, str]:
    """Stand in for azd: an environment variable for each output of main.bicep."""
    values = {each.name: f"value of {each.name}" for each in MAIN.of("output")}
    return {**values, "ZONE_MAP": json.dumps({"rg": {"forward_zone": "it's a.b"}}), "EVENT_SOURCES": "[]", **FROM_AZD}


def test_every_file_that_azure_yaml_names_exists_and_is_executable() -> None:
    for hook in AZD["hooks"].values():
        for shell in ("posix", "windows"):
            assert (ROOT / hook[shell]["run"]).is_file()
        assert os.access(ROOT / hook["posix"]["run"], os.X_OK)
    assert (ROOT / AZD["infra"]["path"] / f"{AZD['infra']['module']}.bicep").is_file()


def test_every_service_has_an_app_with_its_tag() -> None:
    text = (ROOT / "infra/main.bicep").read_text(encoding="utf-8")
    for service in AZD["services"]:
        assert f"'azd-service-name': '{service}'" in text


def test_the_event_subscriptions_are_deployed_with_every_parameter(run: Run) -> None:
    done, calls = run("postdeploy.sh", **outputs())
    assert done.returncode == 0, done.stderr
    (call,) = calls
    given = dict(argument.split("=", 1) for argument in call[call.index("--parameters") + 1 :])
    assert given.keys() == {each.name for each in EVENTS.of("param")}
    assert json.loads(given["zoneMap"]) == {"rg": {"forward_zone": "it's a.b"}}
    assert Path(call[call.index("--template-file") + 1]).resolve() == ROOT / "infra/events.bicep"


def test_a_missing_output_ends_the_hook_before_anything_is_deployed(run: Run) -> None:
    environment = outputs()
    del environment["WRITER_APP_ID"]
    done, calls = run("postdeploy.sh", **environment)
    assert done.returncode != 0
    assert "WRITER_APP_ID" in done.stderr
    assert calls == []


def test_a_function_that_azure_does_not_know_yet_is_subscribed_a_little_later(run: Run) -> None:
    done, calls = run("postdeploy.sh", **outputs(), AZ_FAILS="2", ACIDNS_RETRY_SECONDS="0")
    assert done.returncode == 0, done.stderr
    assert len(calls) == 3
    assert len({tuple(call) for call in calls}) == 1


def test_what_fails_six_times_fails_the_hook_and_says_what_to_do(run: Run) -> None:
    done, calls = run("postdeploy.sh", **outputs(), AZ_FAILS="9", ACIDNS_RETRY_SECONDS="0")
    assert (done.returncode, len(calls)) == (1, 6)
    assert "run this hook again" in done.stderr


def test_role_assignments_of_both_identities_are_removed_one_by_one(run: Run) -> None:
    done, calls = run("predown.sh", **outputs())
    assert done.returncode == 0, done.stderr
    deleted = [call[-1] for call in calls if call[:3] == ["role", "assignment", "delete"]]
    assert deleted == ["/a/one", "/a/two words"] * 2


def test_without_identities_nothing_is_removed(run: Run) -> None:
    done, calls = run("predown.sh", AZURE_SUBSCRIPTION_ID="sub")
    assert (done.returncode, calls) == (0, [])


@pytest.mark.parametrize("hook", ["postdeploy", "predown"])
def test_both_shells_use_the_same_variables(hook: str) -> None:
    posix = (HOOKS / f"{hook}.sh").read_text(encoding="utf-8")
    windows = (HOOKS / f"{hook}.ps1").read_text(encoding="utf-8")
    names = {*FROM_AZD, *(each.name for each in MAIN.of("output"))}
    used = {name for name in names if f"${{{name}" in posix}
    assert used == {name for name in names if f"$env:{name}" in windows}
    assert used
