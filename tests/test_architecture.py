"""The rules that the whole tree keeps: who imports what, what is pinned, what is deployed."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pathspec import GitIgnoreSpec

ROOT = Path(__file__).resolve().parent.parent
SHIPPED_ROOMS = ["core", "cloud", "reconciler", "tracker", "probe"]
ALL_ROOMS = [*SHIPPED_ROOMS, "kql", "alerts", "workbooks", "notebooks", "local_azure", "cli", "bench", "scripts"]
DEPLOYED = {*SHIPPED_ROOMS, "function_app.py", "host.json", "requirements.txt"}


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_from(name: str, package: str) -> bool:
    return f"{name}.".startswith(f"{package}.")


def test_no_installed_distribution_has_one_of_our_root_names() -> None:
    """The app's folder is last on the worker's path: a dependency with a top-level `tracker` would win silently."""
    ours = {*ALL_ROOMS, "function_app", "infra"}
    assert ours & set(importlib.metadata.packages_distributions()) == set()


def test_there_is_no_folder_of_ours_that_hides_the_azure_namespace() -> None:
    assert not (ROOT / "azure").exists()


def test_function_app_imports_only_the_standard_library_azure_functions_and_our_rooms() -> None:
    for name in imports_of(ROOT / "function_app.py"):
        root = name.partition(".")[0]
        assert root in sys.stdlib_module_names or root in SHIPPED_ROOMS or is_from(name, "azure.functions"), name


@pytest.mark.parametrize("room", [room for room in ALL_ROOMS if room != "cloud"])
def test_only_cloud_imports_azure(room: str) -> None:
    """The stand-in's function host may use azure.functions, whose converters it must share with the real one."""
    for path in sorted((ROOT / room).rglob("*.py")):
        for name in imports_of(path):
            allowed = room == "local_azure" and is_from(name, "azure.functions")
            assert allowed or not is_from(name, "azure"), f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("room", SHIPPED_ROOMS)
def test_shipped_rooms_import_only_shipped_rooms(room: str) -> None:
    others = set(ALL_ROOMS) - set(SHIPPED_ROOMS)
    for path in sorted((ROOT / room).rglob("*.py")):
        for name in imports_of(path):
            assert name.partition(".")[0] not in others, f"{path.relative_to(ROOT)} imports {name}"


def test_tests_have_no_package_that_hides_a_room() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_nothing_is_left_to_be_done_later() -> None:
    marks = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
    suffixes = {".py", ".sh", ".md", ".kql", ".yaml", ".yml", ".json", ".toml", ".bicep"}
    folders = [*ALL_ROOMS, "infra", "tests", "docs"]
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in suffixes]
    files += [path for path in ROOT.iterdir() if path.suffix in suffixes]
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files
        if "node_modules" not in path.parts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert found == []


def pins(name: str) -> dict[str, list[Requirement]]:
    """Read a compiled requirements file: name → its pins (several where they differ by Python version)."""
    text = (ROOT / name).read_text(encoding="utf-8")
    lines = [
        line for line in text.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith((" ", "#"))
    ]
    found: dict[str, list[Requirement]] = {}
    for line in lines:
        spec, *hashes = line.split(" --hash=")
        assert hashes, f"{name}: not hashed: {spec}"
        requirement = Requirement(spec)
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def dependencies(*extras: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    texts = list(project["dependencies"])
    for extra in extras:
        texts += project["optional-dependencies"][extra]
    return [Requirement(text) for text in texts]


REQUIREMENTS = sorted(path.name for path in ROOT.glob("requirements*.txt"))


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_pins_carry_no_address_and_are_exact(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert re.search(r"://|^\s*-{1,2}(?:i|e|f|index|extra|find)\b", text, re.MULTILINE) is None
    for requirements in pins(name).values():
        for requirement in requirements:
            assert [spec.operator for spec in requirement.specifier] == ["=="]


@pytest.mark.parametrize(
    ("name", "extras"),
    [("requirements.txt", ()), ("requirements-dev.txt", ("local", "dev")), ("requirements-functions.txt", ())],
)
def test_every_dependency_of_the_project_is_pinned_within_its_range(name: str, extras: tuple[str, ...]) -> None:
    pinned = pins(name)
    for wanted in dependencies(*extras):
        found = pinned.get(canonicalize_name(wanted.name), [])
        assert found, f"{name} has no {wanted.name}: run make pins"
        for pin in found:
            version = next(iter(pin.specifier)).version
            assert wanted.specifier.contains(version), f"{name} has {pin}, {wanted} is wanted: run make pins"


@pytest.mark.parametrize("name", ["requirements-dev.txt", "requirements-functions.txt"])
def test_what_is_tested_is_what_is_deployed(name: str) -> None:
    tested = pins(name)
    for package, deployed in pins("requirements.txt").items():
        versions = {str(pin.specifier) for pin in deployed}
        assert {str(pin.specifier) for pin in tested.get(package, [])} <= versions, package


def test_the_deployed_pins_hold_nothing_that_only_a_desk_needs() -> None:
    local_only = {canonicalize_name(r.name) for r in dependencies("local", "dev")} - {
        canonicalize_name(r.name) for r in dependencies()
    }
    assert local_only & set(pins("requirements.txt")) <= {"requests"}, "requests comes with azure-core"


def funcignore() -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines((ROOT / ".funcignore").read_text(encoding="utf-8").splitlines())


def test_only_the_shipped_rooms_and_the_host_files_are_deployed() -> None:
    spec = funcignore()
    kept = {path.name for path in ROOT.iterdir() if not spec.match_file(path.name + "/" * path.is_dir())}
    assert kept <= DEPLOYED
    assert {"core", "cloud", "reconciler", "tracker", "function_app.py", "host.json", "requirements.txt"} <= kept


@pytest.mark.parametrize(
    "path",
    [
        ".git/config", ".github/x.yml", ".venv/bin/python", ".venv-functions/x", "app_env/x", "core/__pycache__/x.pyc",
        "local.settings.json", "local.settings.sample.json", "tests/test_architecture.py", "kql/tables.py",
        "requirements-dev.txt", "README.md", "infra/main.bicep", "azure.yaml", "Makefile", "pyproject.toml",
    ],
)  # fmt: skip
def test_is_not_deployed(path: str) -> None:
    assert funcignore().match_file(path)


def test_every_source_file_of_a_shipped_room_is_deployed() -> None:
    spec = funcignore()
    files = [path for room in SHIPPED_ROOMS for path in (ROOT / room).rglob("*") if path.suffix in {".py", ".sh"}]
    assert files
    assert [path for path in files if spec.match_file(str(path.relative_to(ROOT)))] == []
