"""`drift alerts`: shown, checked, tested, replayed and built at the shell; what is refused, and with which code."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts import corpus
from core.events import Component, Event, EventType
from kql import tables
from kql.duckdb_engine import connect

NAME = "sample-failed"
SAMPLE = Path(__file__).parent / "alert_rules"


@pytest.fixture
def folder(tmp_path):
    """Give a copy of a rule, its tests and its runbook, to break."""
    shutil.copytree(SAMPLE, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def options(folder):
    return [f"--{name}={folder / name}" for name in ("rules", "tests", "runbooks")]


def change(path, before, after):
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_the_shipped_rules_are_listed_the_most_severe_first(drift):
    done = drift("alerts", "list", "--json")
    found = done.json()
    assert (done.code, {rule["name"] for rule in found}) == (0, set(corpus.read_rules()))
    assert [rule["severity"] for rule in found] == sorted(rule["severity"] for rule in found)
    assert f" {found[0]['name']} " in drift("alerts", "list").out


def test_a_rule_is_shown_with_what_follows_from_its_settings(drift):
    done = drift("alerts", "show", NAME, "--rules", str(SAMPLE / "rules"))
    assert done.code == 0
    text = " ".join(done.out.split())
    assert "fires when Count of rows GreaterThan 0" in text
    assert "then stateful: fires once, resolves after 15m without the condition" in text
    assert '| where EventType == "reconcile_failed"' in done.out
    assert drift("alerts", "show", NAME, "--rules", str(SAMPLE / "rules"), "--json").json()["resolvesAfter"] == "PT15M"


def test_a_description_is_shown_in_lines_and_each_reason_begins_one(drift):
    lines = drift("alerts", "show", "name-conflict").out.splitlines()
    assert lines[0] == "DNS: two container groups want the same name or address record"
    told = lines[1 : lines.index("")]
    assert max(map(len, told)) <= 100
    assert [line.split(":")[0] for line in told if line.startswith("Why ")] == ["Why 30 minutes", "Why a ticket"]


def test_unit_tests_pass_in_one_line(drift):
    done = drift("alerts", "test", str(SAMPLE / "tests" / f"{NAME}.yaml"))
    assert (done.code, done.out.count("\n")) == (0, 1)
    assert done.out.startswith("8 tests passed, 0 failed: 1 rule, ")


def test_a_failed_unit_test_is_shown_as_a_diff(drift, folder):
    change(folder / "rules" / f"{NAME}.yaml", "threshold: 0", "threshold: 1")
    done = drift("alerts", "test", str(folder / "tests"))
    assert (done.code, "    + (no alert)" in done.out, " failed: 1 rule" in done.out) == (1, True, True)
    found = drift("alerts", "test", str(folder / "tests"), "--json").json()
    assert {test["passed"] for test in found} == {True, False}


def test_only_the_tests_of_a_rule_are_run(drift, folder):
    done = drift("alerts", "test", str(folder / "tests"), "--rule", "other")
    assert (done.code, "no unit test of other" in done.err) == (64, True)


def test_lint_is_clean_without_a_parser_and_says_that_it_was_not_asked(drift, options):
    done = drift("alerts", "check", *options, PATH="/nowhere")
    assert (done.code, done.out) == (0, "1 rule checked: 0 errors, 0 warnings, 0 notes\n")
    assert "not checked with Microsoft's parser" in done.err


def test_where_the_parser_is_required_its_absence_is_a_failure(drift, options):
    done = drift("alerts", "check", *options, "--require-parser", PATH="/nowhere")
    assert (done.code, "Node 18 or newer" in done.err) == (1, True)


@pytest.mark.parametrize(
    ("file", "before", "after", "code"),
    [
        (f"rules/{NAME}.yaml", "severity: 1", "severity: 9", "rule/yaml"),
        (f"rules/{NAME}.yaml", "name: ResourceGroup", "name: Zone", "columns/missing"),
        (f"rules/{NAME}.yaml", "| summarize", "| sumarize", "query/invalid"),
        (f"rules/{NAME}.yaml", "owner: dns-platform", "owner: todo", "rule/owner"),
        (f"tests/{NAME}.yaml", "covers: [late]", "covers: [fires]", "tests/coverage"),
        (f"tests/{NAME}.yaml", "at: -25m", "at: -24m", "tests/yaml"),
        (f"runbooks/{NAME}.md", "## What to run", "## Commands", "runbook/heading"),
    ],
)
def test_a_defect_makes_check_fail_with_its_code(drift, tmp_path, options, file, before, after, code):  # noqa: PLR0917
    change(tmp_path / file, before, after)
    done = drift("alerts", "check", *options, "--json", PATH="/nowhere")
    found = {one["code"] for one in done.json() if one["level"] != "note"}
    assert (done.code, code in found) == (1, True)


def test_a_dropped_runbook_makes_check_fail(drift, folder, options):
    (folder / "runbooks" / f"{NAME}.md").unlink()
    done = drift("alerts", "check", *options, PATH="/nowhere")
    assert (done.code, "runbook/missing: there is no docs/runbooks/sample-failed.md" in done.out) == (1, True)


def test_bodies_are_built_and_compared(drift, folder):
    out = [f"--rules={folder / 'rules'}", f"--out={folder / 'out'}"]
    missing = drift("alerts", "build", "--check", *out)
    assert (missing.code, f"{NAME}.json is missing" in missing.out, (folder / "out").exists()) == (1, True, False)
    assert drift("alerts", "build", *out).code == 0
    assert json.loads((folder / "out" / f"{NAME}.json").read_text())["name"] == NAME
    assert drift("alerts", "build", "--check", *out).code == 0
    change(folder / "rules" / f"{NAME}.yaml", "severity: 1", "severity: 0")
    differs = drift("alerts", "build", "--check", *out)
    assert (differs.code, f"{NAME}.json differs" in differs.out) == (1, True)


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """Give a database in which one group failed for two hours, and another one fails at the end."""
    path = tmp_path_factory.mktemp("history") / "events.duckdb"
    end = datetime(2026, 3, 2, 12, tzinfo=UTC)
    facts = [
        (EventType.RECONCILE_FAILED, "web", 600),
        (EventType.RECONCILE_UPDATED, "web", 480),
        (EventType.RECONCILE_FAILED, "api", 0),
    ]
    rows = []
    for kind, name, minutes in facts:
        time = end - timedelta(minutes=minutes)
        values = {"ContainerGroup": name, "ResourceGroup": "rg", "ContainerGroupId": f"/x/{name}"}
        rows.append((Event(Component.RECONCILER, kind, time, str(minutes), values).to_row(), time, time))
    connection = connect(path)
    tables.append_each(connection, tables.EVENTS, rows)
    connection.close()
    return path


def replay(drift, history, *more):
    rules = ["--rules", str(SAMPLE / "rules"), "--rule", NAME]
    return drift("alerts", "backtest", "--data", str(history), "--last", "12h", *rules, *more)


def test_a_rule_is_replayed_up_to_the_newest_row(drift, history):
    (found,) = replay(drift, history, "--format", "json").json()
    shown = [(one["dimensions"]["ContainerGroup"], one["firedAt"], one["resolvedAt"]) for one in found["alerts"]]
    assert shown == [
        ("web", "2026-03-02T02:01:00.000Z", "2026-03-02T04:11:00.000Z"),
        ("api", "2026-03-02T12:01:00.000Z", None),
    ]
    assert (found["fired"], found["open"], found["longestSeconds"], found["evaluations"]) == (2, 1, 7800, 145)


def test_a_replay_is_a_table_or_lines_of_csv(drift, history):
    table = replay(drift, history)
    assert (table.code, "1 rule, 145 evaluations in " in table.out, "2h10m" in table.out) == (0, True, True)
    lines = replay(drift, history, "--format", "csv").out.splitlines()
    assert lines[0] == "rule,severity,fired_at,resolved_at,seconds,value,dimensions"
    assert lines[1].startswith(f"{NAME},1,2026-03-02T02:01:00.000Z,2026-03-02T04:11:00.000Z,7800.0,1,ResourceGroup=rg;")


def test_a_replay_ends_where_it_is_told(drift, history):
    (found,) = replay(drift, history, "--format", "json", "--end", "2026-03-02T03:00:00Z").json()
    assert (found["end"], found["fired"], found["open"]) == ("2026-03-02T03:00:00.000Z", 1, 1)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["show", "nothing"], 64, "no alert rule 'nothing'; there are "),
        (["show", "reconcile-faild"], 64, "did you mean 'reconcile-failed'?"),
        (["test", "/nowhere.yaml"], 64, "/nowhere.yaml cannot be read: No such file"),
        (["check", "--rules", "/nowhere"], 64, "no rule (*.yaml) in /nowhere"),
        (["backtest", "--data", "/nowhere"], 64, "/nowhere"),
        (["backtest"], 78, "LOGS_WORKSPACE_ID"),
        (["backtest", "--last", "ever"], 2, "--last"),
        (["backtest", "--format", "xml"], 2, "is not table, json or csv"),
        (["backtest", "--end", "soon"], 2, "is not an ISO 8601 time"),
    ],
)
def test_what_cannot_be_done_is_refused(drift, arguments, code, says):
    done = drift("alerts", *arguments)
    assert (done.code, done.out) == (code, "")
    assert says in " ".join(done.err.replace("│", " ").split())


def test_history_without_an_event_is_refused(drift, tmp_path):
    connect(tmp_path / "empty.duckdb").close()
    done = drift("alerts", "backtest", "--data", str(tmp_path / "empty.duckdb"))
    assert (done.code, "there is no history to replay" in done.err) == (64, True)


def test_a_workspaces_rows_are_replayed_on_this_machine(drift, spoke):
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    values = {"ContainerGroup": "web", "ResourceGroup": "rg", "ContainerGroupId": "/x/web"}
    failed = Event(Component.RECONCILER, EventType.RECONCILE_FAILED, now - timedelta(minutes=41), "1", values).to_row()
    with spoke.azure.world.logs._cursor() as cursor:
        received = now - timedelta(minutes=29)
        tables.append(cursor, tables.EVENTS, [failed], received=received)
    options = ["--rules", str(SAMPLE / "rules"), "--last", "2h", "--end", now.isoformat(), "--format", "json"]
    done = drift("alerts", "backtest", *options, **spoke.environment)
    assert (done.code, "1 row of AciDnsEvents_CL, AppTraces read" in done.err) == (0, True)
    (found,) = done.json()
    (alert,) = found["alerts"]
    # It happened 41 minutes ago and could be seen 29 minutes ago: what was late is late here too.
    assert alert["firedAt"] == (now - timedelta(minutes=25)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
