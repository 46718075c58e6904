"""The workflows: their form, what they may do, and that what they run is there."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
FROM_OUTSIDE = re.compile(r"\$\{\{\s*(github\.event|github\.head_ref|inputs)\b")


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in read(path)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.dependabot", [ROOT / ".github/dependabot.yml"]),
    ],
    ids=["workflows", "dependabot"],
)
def test_the_form_is_github_s(schema: str, files: list[Path]) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_read_unless_a_job_says_more(path: Path) -> None:
    assert read(path)["permissions"] == {"contents": "read"}
    for job in read(path)["jobs"].values():
        assert set(job.get("permissions", {}).items()) <= {
            ("contents", "read"),
            ("contents", "write"),
            ("id-token", "write"),
            ("pull-requests", "write"),
        }
        assert job["timeout-minutes"] <= 60


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_to_a_commit(path: Path) -> None:
    assert [step["uses"] for step in steps(path) if "uses" in step and not PINNED.fullmatch(step["uses"])] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_nothing_that_somebody_else_wrote_is_put_into_a_script(path: Path) -> None:
    assert [step["run"] for step in steps(path) if FROM_OUTSIDE.search(step.get("run", ""))] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_there_is_no_secret_to_keep(path: Path) -> None:
    assert "secrets." not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_is_run_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|[\s=\"])\./?((?:infra|scripts|\.ci)/[\w./-]+)", text))
    named |= set(re.findall(r"[\s\"](infra/[\w./-]+\.(?:sh|bicep)|scripts/[\w.]+\.py)", text))
    assert [name for name in named if not (ROOT / name).is_file()] == []
    targets = set(re.findall(r"\bmake (\w[\w-]*)", text))
    made = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert [target for target in targets if not re.search(rf"^{target}:", made, re.MULTILINE)] == []


@pytest.mark.parametrize("name", ["what-if", "deploy"])
def test_every_environment_has_its_parameter_file(name: str) -> None:
    workflow = read(ROOT / f".github/workflows/{name}.yml")
    trigger = workflow[True]  # YAML reads the key `on` as a boolean
    named = (
        trigger["workflow_dispatch"]["inputs"]["environment"]["options"]
        if name == "deploy"
        else workflow["jobs"]["what-if"]["strategy"]["matrix"]["environment"]
    )
    for environment in named:
        assert (ROOT / f"infra/environments/{environment}.parameters.json").is_file()


def test_pre_commit_runs_what_make_setup_installs() -> None:
    config = read(ROOT / ".pre-commit-config.yaml")
    for hook in config["repos"][0]["hooks"]:
        program = hook["entry"].split()[0]
        assert program == ".venv/bin/drift" or (ROOT / program).is_file(), hook["id"]


def outputs(tmp_path: Path, text: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "outputs.json"
    file.write_text(text, encoding="utf-8")
    command = [sys.executable, str(ROOT / "scripts/infra_outputs.py"), str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)


def test_outputs_become_lines_in_capitals_with_lists_as_json(tmp_path: Path) -> None:
    given = {
        "writeR_APP_ID": {"type": "String", "value": "/subscriptions/x"},
        "EVENT_SOURCES": {"type": "Array", "value": [{"subscriptionId": "x"}]},
        "ZONE_MAP": {"type": "Object", "value": {"rg": {"forward_zone": "ü"}}},
    }
    done = outputs(tmp_path, json.dumps(given))
    assert done.stdout.splitlines() == [
        "WRITER_APP_ID=/subscriptions/x",
        'EVENT_SOURCES=[{"subscriptionId":"x"}]',
        'ZONE_MAP={"rg":{"forward_zone":"\\u00fc"}}',
    ]


@pytest.mark.parametrize("text", ["", "[]", '{"A": 1}', '{"A": {"value": "x\\nB=1"}}'])
def test_what_is_no_set_of_outputs_is_refused_and_nothing_printed(tmp_path: Path, text: str) -> None:
    done = outputs(tmp_path, text)
    assert (done.returncode, done.stdout) == (64, "")
    assert "infra_outputs: " in done.stderr
