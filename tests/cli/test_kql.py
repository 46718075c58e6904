"""`drift kql`: list, show and run over files and a workspace, in every format; and what is refused."""

import csv
import io
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest

from core.events import Component, Event, EventType
from kql import catalog, tables
from kql.duckdb_engine import connect
from local_azure.faults import Fault, FaultRule

END = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TO = ["--to", "2026-03-01T12:00:00Z"]
TYPES = [EventType.NO_CHANGE, EventType.DRIFT_DETECTED, EventType.RECONCILE_FAILED]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Give a database with an event of each of three types an hour, the last at END - 1 h."""
    path = tmp_path_factory.mktemp("data") / "logs.duckdb"
    rows = [
        Event(
            Component.TRACKER,
            kind,
            END - timedelta(hours=hours),
            f"{hours}",
            {"ContainerGroup": f"web-{hours}", "DurationMs": 1500, "Details": {"said": "\x1b[31mred"}},
        ).to_row()
        for hours, kind in enumerate(TYPES, start=1)
    ]
    with connect(path) as connection:
        tables.append(connection, tables.EVENTS, rows, received=END - timedelta(days=1))
    return str(path)


@pytest.fixture
def ask(drift, data):
    """Give `ask(*arguments)`: a run over that database, as of END."""
    return lambda *arguments, **environment: drift("kql", "run", *arguments, "--data", data, *TO, **environment)


def typed(monkeypatch, text):
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_everything_that_ships_is_listed(drift):
    listed = drift("kql", "list", "--json").json()
    assert {(one["kind"], one["name"]) for one in listed} == {
        *(("query", name) for name in catalog.queries()),
        *(("function", name) for name in catalog.functions()),
    }
    shown = drift("kql", "list").out
    assert all(name in shown for name in [*catalog.queries(), *catalog.functions()])


@pytest.mark.parametrize("name", [*catalog.queries(), *catalog.functions()])
def test_every_query_and_function_can_be_shown(drift, name):
    shown = drift("kql", "show", name)
    entry = {**catalog.functions(), **catalog.queries()}[name]
    assert (shown.code, entry.body in shown.out) == (0, True)
    assert all(column in shown.out for column in entry.column_names)


def test_one_is_shown_for_a_program(drift):
    shown = drift("kql", "show", "AciDnsFlapping()", "--json").json()
    assert (shown["kind"], shown["name"]) == ("function", "AciDnsFlapping")
    assert {"name": "changes", "type": "long", "default": "3"} in shown["parameters"]
    assert {"name": "Changes", "type": "long"} in shown["columns"]


@pytest.mark.parametrize("command", ["show", "run"])
@pytest.mark.parametrize(("name", "meant"), [("flaping", "did you mean flapping"), ("AciDNSgroups", "AciDnsGroups")])
def test_a_misspelled_name_is_told_what_was_meant(drift, command, name, meant):
    done = drift("kql", command, name)
    assert (done.code, meant in done.err) == (64, True)


def test_a_query_and_a_function_run_by_name(ask):
    done = ask("event-counts", "--format", "json")
    assert [(row["EventType"], row["Events"]) for row in done.json()] == [
        (kind.value, 1) for kind in sorted(TYPES)
    ] or {row["EventType"] for row in done.json()} == {kind.value for kind in TYPES}
    done = ask("AciDnsEvents", "--format", "json")
    assert len(done.json()) == 3
    assert {row["TimeGenerated"] for row in done.json()} == {
        f"2026-03-01T{hour:02d}:00:00.000000Z" for hour in (9, 10, 11)
    }


def test_parameters_are_bound_by_type(ask):
    assert ask("flapping", "--param", "changes=1").code == 0
    done = ask("flapping", "--param", "changes=1; drop")
    assert (done.code, "is not a long" in done.err) == (64, True)
    done = ask("flapping", "--param", "chnges=1")
    assert (done.code, "no parameter 'chnges'; it has changes" in done.err) == (64, True)
    done = ask("flapping", "--param", "changes")
    assert (done.code, "must be NAME=VALUE" in done.err) == (64, True)


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [
        ([], 3),
        (["--last", "90m"], 1),
        (["--from", "2026-03-01T09:30:00"], 2),
        (["--from", "2026-03-01T12:00:00+02:00"], 2),
        (["--from", "2026-02-01"], 3),
    ],
)
def test_the_time_range_chooses_rows(ask, arguments, rows):
    assert len(ask("recent-events", "--format", "json", *arguments).json()) == rows


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["recent-events", "--last", "7d", "--from", "2026-03-01"], 2, "--last or --from, not both"),
        (["recent-events", "--from", "yesterday"], 2, "is no time; write 2026-03-01"),
        (["recent-events", "--from", "2026-04-01"], 64, "the time range is empty"),
        ([], 64, "give the name of a query or function"),
        (["recent-events", "--file", "x.kql"], 64, "give the name of a query or function"),
        (["--file", "/nowhere.kql"], 64, "/nowhere.kql: cannot be read"),
        (["recent-events", "--format", "parquet"], 64, "say where to with --out"),
        (["recent-events", "--out", "/nowhere/x"], 64, "there is no folder /nowhere"),
        (["recent-events", "--limit", "0"], 2, "--limit"),
        (["recent-events", "--format", "yaml"], 2, "yaml"),
    ],
)
def test_what_cannot_be_understood_is_refused(ask, arguments, code, says):
    done = ask(*arguments)
    assert (done.code, done.out) == (code, "")
    assert says in " ".join(done.err.replace("│", " ").split())


def test_without_a_workspace_or_files_nothing_can_be_asked(drift):
    done = drift("kql", "run", "recent-events")
    assert (done.code, "LOGS_WORKSPACE_ID" in done.err) == (78, True)


def test_kql_comes_from_stdin_or_a_file(ask, monkeypatch, tmp_path):
    typed(monkeypatch, "AciDnsEvents | summarize n = count()")
    assert ask("-", "--format", "json").json() == [{"n": 3}]
    typed(monkeypatch, " \n")
    assert ask("-").code == 64
    typed(monkeypatch, "print 1")
    assert ask("-", "--param", "a=1").code == 64
    file = tmp_path / "mine.kql"
    file.write_text("print a=1")
    assert ask("--file", str(file), "--format", "json").json() == [{"a": 1}]
    file.write_text("// mine: x\n// Parameters: n:long=2\n// Columns: a:long\n// Tables: none\nprint a=n")
    assert ask("--file", str(file), "--format", "json").json() == [{"a": 2}]
    assert ask("--file", str(file), "--format", "json", "--param", "n=5").json() == [{"a": 5}]


@pytest.mark.parametrize(
    ("kql", "says"),
    [
        ("AciDnsEvents\n| wher x == 1", ["did you mean where?", "line 2, column 1:\n  2 | | wher x == 1\n    | ^"]),
        ("AciDnsEvents\n| where EventTyp == 1",
         ["did you mean EventType", "  2 | | where EventTyp == 1\n    |         ^^^^^^^^"]),
        ("AciDnsEvent | take 1", ["did you mean AciDnsEvents", "  1 | AciDnsEvent | take 1\n    | ^^^^^^^^^^^"]),
        ("T | " + "where 1 == 1 | " * 40 + "where Zz == 1", ["^"]),
    ],
)  # fmt: skip
def test_a_fault_of_the_query_is_shown_in_its_line(ask, monkeypatch, kql, says):
    typed(monkeypatch, kql)
    done = ask("-")
    assert (done.code, done.out) == (64, "")
    assert all(text in done.err for text in says), done.err
    assert max(len(line) for line in done.err.splitlines()) < 400


def test_a_csv_has_plain_values(ask, monkeypatch):
    typed(monkeypatch, "print t=datetime(2026-01-02), d=1d+1h, b=true, n=int(null), j=dynamic({'a':[1]}), s='x,\"y'")
    rows = [*csv.reader(io.StringIO(ask("-", "--format", "csv").out))]
    assert rows == [
        ["t", "d", "b", "n", "j", "s"],
        ["2026-01-02T00:00:00.000000Z", "1.01:00:00", "true", "", '{"a": [1]}', 'x,"y'],
    ]


def test_parquet_keeps_the_types(ask, monkeypatch, tmp_path):
    typed(
        monkeypatch,
        "print t=datetime(2026-01-02), d=1h, b=true, i=int(3), l=long(4), r=1.5, j=dynamic([1]), s='x'",
    )
    out = tmp_path / "x.parquet"
    done = ask("-", "--format", "parquet", "--out", str(out))
    assert (done.code, done.out) == (0, "")
    (row,) = pq.read_table(out).to_pylist()
    assert row == {"t": datetime(2026, 1, 2, tzinfo=UTC), "d": timedelta(hours=1), "b": True, "i": 3, "l": 4,
                   "r": 1.5, "j": "[1]", "s": "x"}  # fmt: skip
    assert str(pq.read_schema(out).field("i").type) == "int32"


def test_json_has_no_numbers_that_json_has_not(ask, monkeypatch):
    typed(monkeypatch, "print a=real(nan), b=real(+inf), d=-90s")
    assert ask("-", "--format", "json").json() == [{"a": "nan", "b": "inf", "d": "-00:01:30"}]


@pytest.mark.parametrize("kind", ["table", "json", "csv", "parquet"])
def test_a_file_is_written_whole_or_not_at_all(ask, monkeypatch, tmp_path, kind):
    out = tmp_path / "answer"
    out.write_text("before")
    assert ask("recent-events", "--format", kind, "--out", str(out)).code == 0
    assert out.read_bytes() != b"before"
    out.write_text("before")
    typed(monkeypatch, "nonsense |")
    assert ask("-", "--format", kind, "--out", str(out)).code == 64
    assert (out.read_text(), [*tmp_path.iterdir()]) == ("before", [out])


def test_no_rows_are_told_with_the_range_and_the_newest_row(drift, data):
    done = drift("kql", "run", "recent-events", "--data", data)
    assert done.code == 0
    assert "no rows from " in done.err
    assert "is from 2026-03-01T11:00:00Z" in done.err


def test_what_is_cut_is_told(ask, monkeypatch):
    done = ask("recent-events", "--limit", "2", "--format", "json")
    assert (len(done.json()), "only the first 2 of 3 rows" in done.err) == (2, True)
    typed(monkeypatch, "set truncationmaxrecords=1; AciDnsEvents")
    done = ask("-", "--format", "json")
    assert (len(done.json()), "WARNING: the answer was cut at 1 rows" in done.err) == (1, True)


def test_into_a_pipe_a_row_is_one_line_and_nothing_steers_the_terminal(ask):
    lines = ask("AciDnsEvents").out.splitlines()
    assert len(lines) == 5
    assert "\x1b" not in "".join(lines)
    assert "\\x1b[31mred" in lines[-1] or "\\u001b[31mred" in lines[-1]


def test_many_columns_on_a_narrow_terminal_are_blocks(ask):
    done = ask("recent-events", COLUMNS="80")
    assert done.out.startswith("row 1\n  TimeGenerated ")
    assert max(len(line) for line in done.out.splitlines()) <= 80
    assert "row 1" not in ask("event-counts", COLUMNS="120").out


def test_a_workspace_answers_like_a_file_and_says_what_is_partial(drift, spoke):
    done = drift("kql", "run", "event-counts", "--format", "json", **spoke.environment)
    assert (done.code, "no rows from" in done.err) == (0, True)
    rule = FaultRule(Fault("partial", message="a node went away"), "query", times=1)
    spoke.azure.call(lambda: spoke.azure.world.faults.add(rule))
    done = drift("kql", "run", "event-counts", **spoke.environment)
    assert (done.code, "WARNING: the answer is not whole: PartialError: a node went away" in done.err) == (0, True)


def test_a_broken_query_at_a_workspace_is_shown_in_its_line_too(drift, spoke, monkeypatch):
    typed(monkeypatch, "AciDnsEvents\n| wher x == 1")
    done = drift("kql", "run", "-", **spoke.environment)
    assert (done.code, "  2 | | wher x == 1" in done.err) == (64, True)


def test_a_workspace_that_is_not_ours_is_forbidden_or_unknown(drift, spoke):
    environment = {**spoke.environment, "LOGS_WORKSPACE_ID": "74be27de-1e4e-49d9-b579-fe0b331d3642"}
    done = drift("kql", "run", "event-counts", **environment)
    assert (done.code, "Traceback" in done.err, done.out) == (1, False, "")


def test_an_error_is_json_where_json_was_asked_for(ask):
    assert ask("flaping", "--format", "json").json()["error"]["code"] == "unknown_name"


@pytest.fixture
def broken(tmp_path):
    folder = tmp_path / "queries"
    folder.mkdir()
    file = folder / "counts.kql"
    file.write_text("// counts: x\n// Parameters: none\n// Columns: n:long\n// Tables: none\nprint n=1\n| count\n")
    return file


def test_findings_are_lines_that_editors_read_and_end_with_1(drift, broken, monkeypatch):
    monkeypatch.chdir(broken.parent)
    done = drift("kql", "check", "counts.kql")
    assert done.code == 1
    assert "counts.kql:6:1: KQL008 ends with `count`" in done.out
    assert "1 file checked, " in done.err


def test_findings_are_json_for_a_program(drift, broken):
    found = drift("kql", "check", str(broken), "--format", "json").json()
    assert found["files"] == 1
    assert {"line": 6, "column": 1, "code": "KQL008"}.items() <= next(
        one for one in found["findings"] if one["code"] == "KQL008"
    ).items()


def test_without_the_parser_the_skip_is_said_and_required_it_fails(drift, broken, monkeypatch):
    broken.write_text("// counts: x\n// Parameters: none\n// Columns: n:long\n// Tables: none\nprint n=1\n")
    monkeypatch.setattr("kql.gate.parser.shutil.which", lambda _: None)
    done = drift("kql", "check", str(broken), REQUIRE_TOOLS="0")
    assert (done.code, "SKIPPED: Microsoft's KQL parser needs Node" in done.err) == (0, True)
    assert drift("kql", "check", str(broken), REQUIRE_TOOLS="1").code == 1
    assert drift("kql", "check", str(broken), "--require-parser").code == 1


def test_a_file_that_is_not_there_cannot_be_checked(drift):
    done = drift("kql", "check", "/nowhere.kql")
    assert (done.code, "there is no such file" in done.err) == (64, True)


def test_a_reader_that_leaves_is_no_error(data, project_root):
    command = (
        f"{sys.executable} -m cli kql run recent-events --data {data} --to 2026-03-01T12:00 --format csv | head -1"
    )
    done = subprocess.run(["/bin/sh", "-c", command], cwd=project_root, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("TimeGenerated,")
    assert "Traceback" not in done.stderr
    assert json.dumps(done.stderr) == '""'
