"""Break a copy of what ships, and the command whose business it is ends with 1 and says where."""

import shutil
import subprocess
import sys

import pytest

KEPT = ("flapping", "reconcile-failed")
"""The rules of the copy: two are as good as all of them, and sooner checked."""
COLUMN, FUNCTION = "core/events.py", "kql/functions/AciDnsEvents.kql"


@pytest.fixture
def copy(tmp_path, project_root):
    """Give the folder of a copy of the rooms that the commands need, with two rules, their tests and runbooks."""
    for room in ("alerts", "cli", "core", "kql"):
        shutil.copytree(project_root / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(project_root / "docs" / "runbooks", tmp_path / "docs" / "runbooks")
    (tmp_path / "node_modules").symlink_to(project_root / "node_modules")
    for folder in ("rules", "tests"):
        for path in (tmp_path / "alerts" / folder).glob("*.yaml"):
            if path.stem not in KEPT:
                path.unlink()
    return tmp_path


@pytest.fixture
def drift(copy):
    """Give `drift(*words)`: exit code and output of the copy's own command."""

    def run(*words):
        command = [sys.executable, "-m", "cli", *words]
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False, timeout=50)
        return done.returncode, done.stdout + done.stderr

    return run


def change(path, before, after):
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def line_of(path, text):
    return path.read_text().split(text, maxsplit=1)[0].count("\n") + 1


def drop_lines(path, begin):
    lines = path.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.lstrip().startswith(begin)]
    assert len(kept) < len(lines)
    path.write_text("".join(kept))


@pytest.mark.tools
@pytest.mark.usefixtures("require_parser")
def test_kql_check_tells_where_a_column_was_read_that_is_gone(copy, drift):
    drop_lines(copy / COLUMN, 'Column("ErrorCode"')
    drop_lines(copy / FUNCTION, "ErrorCode")
    code, out = drift("kql", "check", "kql/functions/AciDnsFailures.kql")
    line = line_of(copy / "kql/functions/AciDnsFailures.kql", "| project EventTime, Component, EventType, Severity")
    assert code == 1
    assert f"kql/functions/AciDnsFailures.kql:{line}:" in out
    assert "'ErrorCode'" in out


@pytest.mark.tools
@pytest.mark.usefixtures("require_parser")
def test_kql_check_tells_where_an_operator_is_misspelt(copy, drift):
    path = copy / "kql/queries/failures.kql"
    line = line_of(path, "| sort by")
    change(path, "| sort by", "| srot by")
    code, out = drift("kql", "check", "kql/queries/failures.kql")
    assert code == 1
    assert f"kql/queries/failures.kql:{line}:" in out


@pytest.mark.tools
@pytest.mark.usefixtures("require_parser")
def test_alerts_check_tells_of_a_misspelt_operator_a_dropped_runbook_and_dropped_tests(copy, drift):
    assert drift("alerts", "check")[0] == 0
    change(copy / "alerts/rules/reconcile-failed.yaml", "| summarize LastGood", "| sumarize LastGood")
    (copy / "docs/runbooks/flapping.md").unlink()
    (copy / "alerts/tests/flapping.yaml").unlink()
    code, out = drift("alerts", "check")
    told = [line.split(": ")[:3] for line in out.splitlines() if ": error: " in line]
    assert code == 1
    assert sorted({(place.split(":")[0], what) for place, _, what in told}) == [
        ("alerts/rules/flapping.yaml", "runbook/missing"),
        ("alerts/rules/flapping.yaml", "tests/missing"),
        ("alerts/rules/reconcile-failed.yaml", "query/invalid"),
    ]


def test_alerts_test_tells_of_a_comparison_that_was_flipped(copy, drift):
    assert drift("alerts", "test")[0] == 0
    change(copy / "alerts/rules/flapping.yaml", "operator: GreaterThanOrEqual", "operator: LessThanOrEqual")
    code, out = drift("alerts", "test")
    assert code == 1
    assert "FAIL alerts/tests/flapping.yaml:" in out
    assert "FAIL alerts/tests/reconcile-failed.yaml:" not in out
