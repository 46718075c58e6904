"""The container: its file passes hadolint, and what it copies is enough to probe without writing anything."""

import json
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from local_azure.fleet import Fleet
from local_azure.server import LocalAzure

# Runs a module as `python -m` does, and fails if anything is opened for writing, made, moved or removed anywhere.
READ_ONLY = """
import os, runpy, sys
def watch(event, args):
    writes = event == "open" and ((isinstance(args[1], str) and set(args[1]) & set("wax+"))
                                  or args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    if (writes and args[0] != os.devnull) or event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link"):
        os.write(2, f"WRITES {event} {args}\\n".encode())
        os._exit(99)
sys.addaudithook(watch)
if "SHOW_MODULES" in os.environ:
    import atexit
    atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr))
sys.argv = ["cli", *sys.argv[1:]]
runpy.run_module("cli", run_name="__main__", alter_sys=True)
"""


AZURE = ("azure.core", "azure.identity", "azure.functions", "azure.mgmt.containerinstance", "azure.mgmt.privatedns",
         "azure.monitor.ingestion", "azure.monitor.query")  # fmt: skip


def top(module: str) -> str:
    """Give the package that a module is found by; a virtual environment's own start-up hook is none."""
    name = module.partition(".")[0]
    return "" if name in {"azure", "_distutils_hack", "distutils-precedence"} else name


@pytest.fixture
def lines(project_root: Path) -> list[str]:
    """Give the Containerfile's instructions, one a line."""
    text = (project_root / "container" / "Containerfile").read_text(encoding="utf-8")
    kept = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    return [" ".join(line.split()) for line in kept.replace("\\\n", " ").splitlines() if line.strip()]


def copied(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Give what is copied from the project, and to where."""
    for line in lines:
        if line.startswith("COPY ") and "--from" not in line:
            *sources, target = line.split()[1:]
            for source in sources:
                yield source, target


@pytest.fixture
def image(project_root: Path, lines: list[str], tmp_path: Path) -> Path:
    """Lay out the image's /app, unwritable, as the Containerfile does; the packages are the virtual environment's."""
    for source, target in copied(lines):
        if not target.startswith("/app/"):
            continue
        here, there = project_root / source, tmp_path / target.lstrip("/")
        if source.endswith("/"):
            shutil.copytree(here, there, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            there.mkdir(parents=True, exist_ok=True)
            shutil.copy(here, there)
    for path in [*tmp_path.rglob("*"), tmp_path]:
        path.chmod(path.stat().st_mode & 0o555)
    yield tmp_path / "app"
    for path in [tmp_path, *tmp_path.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)


@pytest.fixture
def run(image: Path, lines: list[str]):
    """Give `run(*arguments, **environment)`: the entry point with the image's environment, any write being fatal."""
    (variables,) = [line.removeprefix("ENV ") for line in lines if line.startswith("ENV ")]
    settings = dict(pair.split("=", 1) for pair in variables.split())
    settings["PYTHONPATH"] = settings["PYTHONPATH"].replace("/app/packages", sysconfig.get_path("purelib"))
    settings["PYTHONPATH"] = settings["PYTHONPATH"].replace("/app:", f"{image}:")
    (entry,) = [json.loads(line.removeprefix("ENTRYPOINT ")) for line in lines if line.startswith("ENTRYPOINT ")]
    assert entry[:3] == ["python", "-m", "cli"]

    def call(*arguments: str, instead: list[str] | None = None, **environment: str):
        return subprocess.run(
            [sys.executable, "-c", READ_ONLY, *(instead or entry[3:]), *arguments],
            env={"PATH": "/usr/bin:/bin", **settings, **environment}, cwd=image, capture_output=True, text=True,
            check=False, timeout=50,
        )  # fmt: skip

    return call


@pytest.fixture
def pins(project_root: Path):
    """Give `pins(file)`: version by package."""

    def read(name: str) -> dict[str, str]:
        text = (project_root / name).read_text(encoding="utf-8")
        return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))

    return read


@pytest.fixture(scope="module")
def net():
    with LocalAzure.start(provisioning_seconds=0.0) as azure:
        fleet = Fleet(azure)
        vnet = fleet.vnet("vnet-one", "10.1.0.0/24")
        fleet.zone("aci.corp.internal", vnet)
        fleet.zone("1.10.in-addr.arpa")
        ip = fleet.create("rg-one", "web", vnet)
        fleet.put_record("aci.corp.internal", "A", "web", ip)
        resolver = next(iter(fleet.control("GET", "dns")["resolvers"].values())).replace(":", "#")
        entry = {"forward_zone": "aci.corp.internal", "reverse_zones": ["1.10.in-addr.arpa"],
                 "zones_resource_group": "rg-dns"}  # fmt: skip
        here = {"PROBE_RESOLVERS": resolver, "PROBE_VANTAGE": vnet, "PROBE_CONFIRM_SECONDS": "0",
                "DNS_ZONE_MAP": json.dumps({"rg-one": entry})}  # fmt: skip
        yield ip, here, azure.environment()


@pytest.mark.tools
def test_hadolint_finds_nothing(project_root, require_tool):
    hadolint = require_tool(".venv/bin/hadolint", "run make setup")
    done = subprocess.run(
        [hadolint, "--no-color", "--failure-threshold", "style", "container/Containerfile"],
        cwd=project_root, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")


def test_it_runs_as_a_numeric_user_that_is_not_root(lines):
    last_stage = lines[max(index for index, line in enumerate(lines) if line.startswith("FROM ")) :]
    (user,) = [line.split()[1] for line in last_stage if line.startswith("USER ")]
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)  # a name cannot be checked by runAsNonRoot


def test_everything_that_it_copies_exists_and_reaches_the_builder(project_root, lines):
    allowed = (project_root / "container" / "Containerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    for source, _ in copied(lines):
        assert (project_root / source).exists(), source
        assert any(source.startswith(line[1:]) for line in allowed if line.startswith("!")), source


def test_no_secret_is_built_in_and_packages_are_hashed(lines):
    text = "\n".join(lines)
    assert re.search(r"(?i)(secret|password|token|_key)\s*=", text) is None
    assert not any(line.startswith("ADD ") for line in lines)
    assert "--require-hashes --only-binary :all:" in text


def test_it_probes_given_targets_with_nothing_but_what_it_copies(run, net):
    ip, here, _ = net
    done = run("--json", **here, PROBE_TARGETS=f"web.aci.corp.internal {ip}")
    assert (done.returncode, done.stderr) == (1, "")
    assert [result["verdict"] for result in json.loads(done.stdout)["results"]] == ["reverse_zone_unlinked"]


def test_given_targets_open_nothing_of_azure(run, net):
    ip, here, azure = net
    table = {name: value for name, value in azure.items() if not name.startswith("LOGS_")}
    done = run(**here, **table, PROBE_TARGETS=f"web.aci.corp.internal {ip}", SHOW_MODULES="1")
    assert done.returncode == 1
    assert [name for name in done.stderr.split() if name.partition(".")[0] in {"azure", "requests", "cloud"}] == []


def test_with_an_identity_and_its_pinned_packages_it_finds_targets_and_records_rows(run, net, pins):
    _, here, azure = net
    done = run("--json", **here, **azure, SHOW_MODULES="1")
    owners = packages_distributions()
    owners |= {name: [name.replace(".", "-")] for name in AZURE}  # `azure` itself is everybody's
    loaded = {owner for name in done.stderr.split() for owner in owners.get(name if name in AZURE else top(name), ())}
    shipped = set(pins("requirements-probe.txt"))
    assert done.returncode == 1
    assert {name.lower().replace("_", "-") for name in loaded} <= shipped
    assert {"azure-identity", "azure-mgmt-privatedns", "azure-monitor-ingestion", "dnspython", "rich"} <= loaded
    (result,) = json.loads(done.stdout)["results"]
    assert (result["verdict"], result["cross_check"]["hop"]) == ("reverse_zone_unlinked", "link")


def test_the_link_audit_is_in_it_too(run, net):
    _, here, azure = net
    done = run("--json", **here, **azure, PROBE_VNETS=here["PROBE_VANTAGE"], instead=["links"])
    assert (done.returncode, json.loads(done.stdout)["states"]) == (1, {"linked": 1, "not_linked": 1})


def test_bad_settings_are_one_message(run):
    done = run(DNS_ZONE_MAP="{")
    assert (done.returncode, "DNS_ZONE_MAP" in done.stderr, "Traceback" in done.stderr) == (78, True, False)


def test_its_pins_are_those_of_the_tests(project_root, pins):
    tested, shipped = pins("requirements-dev.txt"), pins("requirements-probe.txt")
    assert {name: tested.get(name) for name in shipped} == shipped
    wanted = {line for line in (project_root / "requirements-probe.in").read_text().split("\n")
              if line and not line.startswith("#")}  # fmt: skip
    assert wanted <= set(shipped)
    assert "azure-functions" not in shipped
