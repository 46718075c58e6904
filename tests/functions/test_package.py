"""What azd would deploy: the zip unpacked elsewhere, its requirements in a bare Python 3.13, its functions invoked."""

import re
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra import package

SHIPPED_ROOMS = {"core", "cloud", "reconciler", "tracker", "probe"}
ROOT_FILES = {"function_app.py", "host.json", "requirements.txt"}
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)


@dataclass(frozen=True)
class Deployed:
    """The unpacked app, the interpreter with its requirements, and the worker's own libraries."""

    app: Path
    python: Path
    worker: Path


@pytest.fixture(scope="module")
def built(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> package.Package:
    return package.build(project_root, tmp_path_factory.mktemp("package") / "app.zip")


@pytest.fixture(scope="module")
def deployed(
    built: package.Package,
    project_root: Path,
    require_tool: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Deployed:
    """Install as the platform does: requirements.txt for the app, the worker's libraries beside it."""
    python = require_tool(".venv-functions/bin/python", "run make setup-functions; it needs Python 3.13").resolve()
    uv = [str(require_tool(".venv/bin/uv", "run make setup")), "--quiet"]
    room = tmp_path_factory.mktemp("deployed")
    app, bare, worker = room / "app", room / "bare", room / "worker"
    with zipfile.ZipFile(built.path) as archive:
        archive.extractall(app)
    run = lambda *command: subprocess.run([*uv, *command], check=True, cwd=room, timeout=170)  # noqa: E731 - local word
    run("venv", "--python", str(python), str(bare))
    hashed = ["--require-hashes", "--only-binary", ":all:", "--python", str(bare / "bin" / "python")]
    run("pip", "install", *hashed, "-r", str(app / "requirements.txt"))
    (room / "worker.txt").write_text(worker_requirements(project_root, app), encoding="utf-8")
    run("pip", "install", *hashed, "--no-deps", "--target", str(worker), "-r", "worker.txt")
    return Deployed(app, bare / "bin" / "python", worker)


def worker_requirements(project_root: Path, app: Path) -> str:
    """Give the pins of the worker's libraries that are not the app's, which the platform brings."""
    ours = set(PINNED.findall((app / "requirements.txt").read_text(encoding="utf-8")))
    pins = (project_root / "requirements-functions.txt").read_text(encoding="utf-8")
    blocks = re.split(r"^(?=[A-Za-z0-9._-]+==)", pins, flags=re.MULTILINE)
    kept = [block for block in blocks if (named := PINNED.match(block)) and named[1] not in ours]
    return "".join(kept)


def test_it_holds_the_rooms_that_run_and_nothing_else(built: package.Package) -> None:
    rooms = {name.split("/")[0] for name in built.names if "/" in name}
    assert rooms == SHIPPED_ROOMS
    assert {name for name in built.names if "/" not in name} == ROOT_FILES
    assert {Path(name).suffix for name in built.names} == {".py", ".sh", ".json", ".txt"}


def test_the_same_tree_gives_the_same_bytes(built: package.Package, project_root: Path, tmp_path: Path) -> None:
    assert package.build(project_root, tmp_path / "again.zip").digest == built.digest


def test_the_worker_can_be_executed_after_unpacking(built: package.Package) -> None:
    with zipfile.ZipFile(built.path) as archive:
        modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in archive.infolist()}
    assert (modes["reconciler/worker.sh"], modes["function_app.py"]) == (0o755, 0o644)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Give a small project that can be deployed."""
    for name in ("host.json", "function_app.py", "requirements.txt", ".venv/lib/x.py", "core/a.py", "core/b.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    (tmp_path / ".funcignore").write_text(".*\n*.pyc\n/docs/\n", encoding="utf-8")
    return tmp_path


def test_what_is_ignored_is_left_out_as_git_would(tree: Path) -> None:
    assert package.members(tree) == ["core/a.py", "function_app.py", "host.json", "requirements.txt"]


@pytest.mark.parametrize(
    ("secret", "what"),
    [
        ("-----BEGIN RSA PRIVATE KEY-----", "a private key"),
        ("DefaultEndpointsProtocol=https;AccountKey=" + "A" * 86 + "==", "a storage account key"),
        ("SharedAccessKey=" + "b" * 43 + "=", "a shared access key"),
        ("https://x.blob.core.windows.net/c?sv=2024-01-01&sig=" + "c" * 43, "a shared access signature"),
        ("InstrumentationKey=00000000-1111-2222-3333-444444444444", "an instrumentation key"),
        ("eyJ" + "d" * 30 + "." + "e" * 30 + ".f", "a bearer token"),
    ],
)
def test_a_file_with_a_secret_is_named_and_nothing_is_written(tree: Path, secret: str, what: str) -> None:
    (tree / "core" / "a.py").write_text(f'KEY = "{secret}"\n', encoding="utf-8")
    with pytest.raises(package.PackageError, match=rf"core/a\.py: holds {what}"):
        package.build(tree, tree / "build" / "app.zip")
    assert not (tree / "build").exists()


@pytest.mark.parametrize("name", package.REQUIRED)
def test_a_tree_without_what_the_platform_needs_is_refused(tree: Path, name: str) -> None:
    (tree / name).unlink()
    with pytest.raises(package.PackageError, match=re.escape(name)):
        package.members(tree)


def test_a_tree_without_the_ignore_file_is_refused(tree: Path) -> None:
    (tree / ".funcignore").unlink()
    with pytest.raises(package.PackageError, match=r"\.funcignore: not found"):
        package.members(tree)


def test_the_command_says_what_it_wrote_and_fails_without_a_traceback(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert package.main(["--root", str(tree), "--out", str(tree / "build" / "app.zip")]) == 0
    assert re.search(r"app\.zip: 4 files, \d+ kB, sha256 [0-9a-f]{64}", capsys.readouterr().out)
    (tree / "host.json").unlink()
    assert package.main(["--root", str(tree)]) == 1
    assert "leaves out host.json" in capsys.readouterr().err


@pytest.mark.tools
@pytest.mark.timeout(240)
def test_unpacked_elsewhere_it_is_indexed_and_every_function_does_its_work(  # noqa: PLR0917 - fixtures
    deployed: Deployed,
    drive_app: Callable[..., tuple[dict[str, Any], str]],
    lab: Any,
    zone_map: str,
    grid_event: Callable[..., dict[str, Any]],
    timer: Callable[..., dict[str, Any]],
    probe_settings: Callable[[], dict[str, str]],
    rows: Callable[[], list[dict[str, Any]]],
) -> None:
    network = lab.fleet.vnet("spoke", "10.0.1.0/24").rsplit("/", 1)[1]
    for zone in ("corp.internal", "10.in-addr.arpa"):
        lab.zone(zone, network)
    web = lab.group("web", "10.0.1.4")
    plan = [{"function": name, "event": grid_event(web, event_id=name)} for name in ("reconcile", "track")]
    timers = ("probe", "audit", "canary")
    plan += [{"function": name, "argument": "timer", "event": timer()} for name in timers]
    environment = {**lab.environment(zone_map), **probe_settings(), "AUDIT_SUBSCRIPTION_ID": lab.fleet.subscription}
    answer, log = drive_app(deployed.python, deployed.app, [deployed.worker], environment, *plan)
    assert set(answer["functions"]) == {"reconcile", "track", *timers}
    assert [found["status"] for found in answer["invocations"]] == ["Success"] * len(plan), log
    happened = {row["EventType"] for row in rows()}
    assert {"reconcile_updated", "no_change", "probe_ok", "probe_completed", "audit_completed", "canary"} <= happened


@pytest.mark.tools
@pytest.mark.timeout(240)
def test_its_size_and_its_cold_import_time_are_printed(
    deployed: Deployed, built: package.Package, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = "import time; t = time.perf_counter(); import function_app; print(time.perf_counter() - t)"
    command = [str(deployed.python), "-B", "-c", clock]
    ended = subprocess.run(command, cwd=deployed.app, env={}, capture_output=True, text=True, check=True, timeout=50)
    libraries = sum(file.stat().st_size for file in deployed.python.parent.parent.glob("lib/**/*") if file.is_file())
    with capsys.disabled():
        print(  # noqa: T201 - the figures are for whoever reads the run
            f"\nfunction app: {len(built.names)} files, {built.size / 1000:.0f} kB; its libraries "
            f"{libraries / 1e6:.0f} MB; import without bytecode {float(ended.stdout):.2f} s"
        )
    assert float(ended.stdout) > 0
