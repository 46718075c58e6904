"""A copy of the deployment files in which a test can break something."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.check.findings import Finding
from infra.check.run import check

ROOT = Path(__file__).resolve().parents[2]
_NOT_BICEP = shutil.ignore_patterns("__pycache__", "*.py")


@pytest.fixture(scope="session")
def _pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    for name in ("infra", "workbooks"):
        shutil.copytree(ROOT / name, folder / name, ignore=_NOT_BICEP)
    shutil.copy(ROOT / "function_app.py", folder)
    return folder


@pytest.fixture
def project(_pristine: Path) -> Iterator[Path]:
    """Give the copy; what a test changes in a file is undone after it."""
    before = {path: path.read_bytes() for path in _pristine.rglob("*") if path.is_file()}
    yield _pristine
    for path in _pristine.rglob("*"):
        if path.is_file() and path not in before:
            path.unlink()
    for path, content in before.items():
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)


@pytest.fixture
def broken(project: Path) -> Callable[[str, str, str], list[Finding]]:
    """Give `broken(file, old, new)`: put `new` in the place of the first `old`, and give what the checks find then."""

    def break_it(file: str, old: str, new: str) -> list[Finding]:
        path = project / "infra" / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} has no {old!r} any more: the defect has to be seeded elsewhere"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return check(project)

    return break_it


@pytest.fixture
def checked(tmp_path: Path) -> Callable[..., list[Finding]]:
    """Give `checked(main, **modules)`: what is found in a small template, `main` in infra/main.bicep."""

    def check_it(main: str, **modules: str) -> list[Finding]:
        folder = tmp_path / "infra"
        folder.mkdir(exist_ok=True)
        (folder / "main.bicep").write_text(main, encoding="utf-8")
        for name, text in modules.items():
            (folder / f"{name}.bicep").write_text(text, encoding="utf-8")
        return check(tmp_path)

    return check_it
