"""docs/edge-cases.md names every edge case that is known, and the tests that there are."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def page(project_root: Path) -> str:
    return (project_root / "docs" / "edge-cases.md").read_text(encoding="utf-8")


def cases(text: str) -> list[str]:
    """Give the first cells of a table's rows, header and ruler left out."""
    cells = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")]
    return [cell for cell in cells if cell != "Case" and set(cell) != {"-"}]


def test_the_page_names_the_tests_that_there_are(page: str) -> None:
    defined = {
        name
        for path in HERE.glob("test_*.py")
        if path != Path(__file__)
        for name in re.findall(r"^def (test_edge_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    table = page.partition("| Case |")[2]
    assert set(re.findall(r"test_edge_\w+", table)) == defined
    assert all("`test_edge_" in line for line in page.splitlines() if line.startswith("|") and cases(line))


def test_the_page_names_every_case_of_the_reference(page: str, project_root: Path) -> None:
    reference = project_root.parent / "shared" / "reference" / "peers-and-edge-cases.md"
    if not reference.exists():
        pytest.skip("the reference is not here")
    section = reference.read_text(encoding="utf-8").partition("## 5.")[2].partition("## 6.")[0]
    assert cases(page) == cases(section)
