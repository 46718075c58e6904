import json
import os
import threading
import time
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from core import events
from kql import catalog, tables
from kql.duckdb_engine import DuckDbEngine, connect
from kql.engine import QueryError, Stop

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def row(event_id, minutes_ago=0.0, **values):
    stamp = (NOW - timedelta(minutes=minutes_ago)).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return {"TimeGenerated": stamp, "EventTime": stamp, "EventId": event_id, "EventType": "no_change", **values}


def line(event_id, minutes_ago=0.0, **values):
    fact = row(event_id, minutes_ago, **values)
    return {
        "TimeGenerated": fact["TimeGenerated"],
        "Message": events.FALLBACK_MARKER + json.dumps(fact),
        "SeverityLevel": 3,
    }


@pytest.fixture
def connection():
    with connect() as connection:
        yield connection


@pytest.fixture
def engine(connection):
    return DuckDbEngine(connection)


def put(connection, *rows, table=tables.EVENTS, received=NOW, visible=None):
    tables.append(connection, table, rows, received=received, visible=visible)


def answer(engine, kql, **options):
    return [tuple(row) for row in engine.query(kql, **{"now": NOW, **options}).rows]


def test_the_event_table_has_the_columns_of_the_schema_and_the_standard_ones(engine):
    result = engine.query("AciDnsEvents_CL | take 0")
    assert [c.name for c in result.columns] == [*(c.name for c in events.COLUMNS), "_TimeReceived", "Type"]
    wire = {"boolean": "bool"}
    assert [c.type for c in result.columns][: len(events.COLUMNS)] == [wire.get(c.type, c.type) for c in events.COLUMNS]


def test_values_come_back_as_pythons_types_in_utc(connection, engine):
    put(connection, row("a", ArmCalls=3, DurationMs=12, DriftKinds=["a_mismatch"], Details={"k": [1, None]}))
    columns = "TimeGenerated, ArmCalls, DurationMs, DriftKinds, Details, Fqdn, LagMs, Changes"
    found = answer(engine, f"AciDnsEvents_CL | project {columns}")
    assert found == [(NOW, 3, 12, ["a_mismatch"], {"k": [1, None]}, "", None, None)]


def test_every_type_of_log_analytics_is_named_as_it_names_it(engine):
    result = engine.query(
        "print a=datetime(2015-12-31T23:59:59.9), b=false, c=guid(74be27de-1e4e-49d9-b579-fe0b331d3642), d=int(1), "
        "e=long(2), f=real(1.5), g='s', h=10s, i=bool(null), j=dynamic({'a':1})"
    )
    types = ["datetime", "bool", "guid", "int", "long", "real", "string", "timespan", "bool", "dynamic"]
    assert [c.type for c in result.columns] == types
    assert list(result) == [
        {
            "a": datetime(2015, 12, 31, 23, 59, 59, 900000, tzinfo=UTC),
            "b": False,
            "c": "74be27de-1e4e-49d9-b579-fe0b331d3642",
            "d": 1,
            "e": 2,
            "f": 1.5,
            "g": "s",
            "h": timedelta(seconds=10),
            "i": None,
            "j": {"a": 1},
        }
    ]
    assert result.values("e") == [2]
    with pytest.raises(KeyError, match="no column 'zz'"):
        result.values("zz")


@pytest.mark.parametrize("name", ["AciDnsEvents()", "AciDnsEvents"])
def test_a_fact_that_came_twice_is_one_row_by_function_and_by_name(connection, engine, name):
    put(connection, row("a", 5, Attempt=1), row("a", 1, Attempt=2), row("b", 3))
    assert answer(engine, f"{name} | project EventId, Attempt | sort by EventId asc") == [("a", 2), ("b", None)]
    assert answer(engine, "AciDnsEvents_CL | count") == [(3,)]


DUPLICATES = {
    "nothing": ([], []),
    "no duplicates": ([row("a", 1), row("b", 2)], []),
    "the same row three times": ([row("a", 1, NewIp="10.0.0.4")] * 3, []),
    "an older and a newer row": ([row("a", 9, Attempt=1), row("a", 2, Attempt=2), row("a", 5, Attempt=3)], []),
    "only a log line": (
        [],
        [line("a", 1, ArmCalls=4, DurationMs=2**40, DriftKinds=["ptr_stale"], Details={"é": [1.5]})],
    ),
    "a log line from before the time span": ([row("a", 1)], [line("b", 30)]),
    "a row and its log line": ([row("a", 1, Fqdn="x")], [line("a", 1, Fqdn="x")]),
    "a log line newer than the row": ([row("a", 8, Fqdn="old")], [line("a", 1, Fqdn="new")]),
    "a row newer than the log line": ([row("a", 1, Fqdn="new")], [line("a", 8, Fqdn="old")]),
    "foreign and broken log lines": (
        [row("a", 1)],
        [
            {"TimeGenerated": row("x")["TimeGenerated"], "Message": message}
            for message in (
                "AciDnsEventFallback {not json",
                "acidnseventfallback " + json.dumps(row("lower")),
                "said " + events.FALLBACK_MARKER + json.dumps(row("inside")),
                "x" * len(events.FALLBACK_MARKER) + json.dumps(row("quotes", ErrorMessage=events.FALLBACK_MARKER)),
                events.FALLBACK_MARKER + '{"EventId": "no time"}',
                events.FALLBACK_MARKER + '{"TimeGenerated": "2026-03-01T11:00:00Z"}',
                events.FALLBACK_MARKER + "[1]",
                events.FALLBACK_MARKER,
                "",
            )
        ],
    ),
    "odd values in a log line": (
        [],
        [line("a", 1, ArmCalls="7", DurationMs=None, Fqdn=5, DriftKinds="x", Changes=None, Details={"a": {"b": "'"}})],
    ),
}


@pytest.mark.parametrize("case", DUPLICATES)
@pytest.mark.parametrize("timespan", [None, timedelta(minutes=6)])
def test_the_view_and_the_shipped_function_give_the_same_rows(connection, case, timespan):
    rows, lines = DUPLICATES[case]
    put(connection, *rows)
    put(connection, *lines, table=tables.TRACES)
    query = "AciDnsEvents() | sort by EventId asc"
    by_view = DuckDbEngine(connection).query(query, now=NOW, timespan=timespan)
    by_function = DuckDbEngine(connection, shipped_function=True).query(query, now=NOW, timespan=timespan)
    assert by_view == by_function


def test_the_shipped_function_gives_the_schemas_columns_in_order(connection):
    result = DuckDbEngine(connection, shipped_function=True).query("AciDnsEvents()")
    assert [c.name for c in result.columns] == [column.name for column in events.COLUMNS]


def test_the_shipped_function_reads_the_marker_of_the_schema():
    body = catalog.functions()[events.FUNCTION].body
    assert f'startswith_cs "{events.FALLBACK_MARKER}"' in body
    assert f"substring(Message, {len(events.FALLBACK_MARKER)})" in body


@pytest.mark.parametrize(
    ("timespan", "expected"),
    [
        (None, ["now", "1h", "3d"]),
        (timedelta(hours=1), ["now", "1h"]),
        (timedelta(minutes=59), ["now"]),
        ((NOW - timedelta(days=4), NOW - timedelta(hours=1)), ["1h", "3d"]),
        ((NOW + timedelta(hours=1), NOW + timedelta(hours=2)), []),
    ],
)
def test_a_timespan_bounds_the_rows_by_time_generated(connection, engine, timespan, expected):
    put(connection, row("now"), row("1h", 60), row("3d", 3 * 24 * 60))
    found = engine.query("AciDnsEvents() | sort by TimeGenerated desc", timespan=timespan, now=NOW)
    assert found.values("EventId") == expected


def test_now_and_ago_are_frozen(connection, engine):
    put(connection, row("a", 30), row("b", 90))
    assert answer(engine, "AciDnsEvents() | where TimeGenerated > ago(1h) | project EventId, now()") == [("a", NOW)]


def test_a_row_is_unseen_until_it_is_ingested(connection, engine):
    put(connection, row("late"), visible=NOW + timedelta(minutes=5))
    counted = [answer(engine, "AciDnsEvents() | count", now=NOW + timedelta(minutes=m)) for m in (0, 4, 5)]
    assert counted == [[(0,)], [(0,)], [(1,)]]


ERRORS = [
    ("Heartbeats | count", ("semantic", "SEM0100", 1, 0), "'Heartbeats'"),
    ("AciDnsEvents_CL\n| where  Foo == 1", ("semantic", "SEM0100", 2, 9), "'where' operator: Failed to resolve"),
    ("AciDnsEvents_CL | summarize count() by Foo", ("semantic", "SEM0100", 1, 39), "'summarize' operator"),
    ("AciDnsEvents_CL | project 'Foo', Foo", ("semantic", "SEM0100", 1, 33), "'project' operator"),
    ("AciDnsEvents_CL | join (Nope) on EventId", ("semantic", "SEM0100", 1, 24), "'Nope'"),
    ("acidnsevents_cl | count", ("semantic", "SEM0100", 1, 0), "did you mean AciDnsEvents_CL"),
    ("AciDnsEvents_CL | where eventid == ''", ("semantic", "SEM0100", 1, 24), "did you mean EventId"),
    ("connection | count", ("semantic", "SEM0100", 1, 0), "'connection'"),
    ("['/etc/passwd'] | count", ("semantic", "SEM0100", None, None), "'/etc/passwd'"),
    ("this won't work", ("syntax", "SYN0001", 1, 8), "could not parse"),
    ("AciDnsEvents_CL | wher x", ("syntax", "SYN0002", 1, 16), "at '|' on line [1,16]"),
    ("AciDnsEvents_CL\n| where EventId ==", ("syntax", "SYN0002", 2, 18), "on line [2,18]"),
    ("", ("syntax", "SYN0002", 1, 0), "on line [1,0]"),
    (".show tables", ("syntax", "SYN0002", 1, 0), "management command"),
    (".drop table AciDnsEvents_CL", ("syntax", "SYN0002", 1, 0), "management command"),
    ("AciDnsEvents_CL | evaluate bag_unpack(Details)", ("unsupported", "", 1, 18), "local engine"),
    ("AciDnsEvents_CL\n| serialize n = 1", ("unsupported", "", 2, 2), "serialize"),
    ("AciDnsEvents_CL | serialized", ("syntax", "SYN0002", 1, 16), "at '|'"),
    ("AciDnsEvents_CL | extend x = series_stats(Details)", ("unsupported", "", None, None), "series_stats()"),
    ("AciDnsEvents_CL | extend x = ArmCalls + 'a'", ("unsupported", "", None, None), "DuckDB"),
    ("externaldata(a:string)['https://example.com/x']", ("unsupported", "", 1, 0), "local engine"),
]


@pytest.mark.parametrize(("kql", "expected", "says"), ERRORS, ids=[e[0][:40] for e in ERRORS])
def test_a_query_that_cannot_be_answered_says_what_and_where(engine, kql, expected, says):
    with pytest.raises(QueryError) as caught:
        engine.query(kql)
    error = caught.value
    assert (error.kind, error.code, error.line, error.column) == expected
    assert says in error.message


def test_names_that_a_query_defines_itself_may_differ_in_case_from_a_column(engine):
    assert answer(engine, "print fqdn = 'x' | project fqdn") == [("x",)]
    assert answer(engine, "datatable(verdict:string)['ok'] | where verdict == 'ok'") == [("ok",)]


def test_a_result_above_the_limit_is_cut_and_says_so(engine):
    whole = engine.query("range n from 1 to 5 step 1", max_rows=5)
    cut = engine.query("range n from 1 to 6 step 1", max_rows=5)
    asked = engine.query("set truncationmaxrecords=1; datatable (s: string) ['a', 'b']")
    assert (len(whole), whole.truncated_at) == (5, None)
    assert (len(cut), cut.truncated_at) == (5, 5)
    assert (asked.rows, asked.truncated_at) == ((("a",),), 1)


def test_the_limit_is_that_of_log_analytics(engine):
    result = engine.query("range n from 1 to 500001 step 1")
    assert (len(result), result.truncated_at) == (500_000, 500_000)


def test_a_query_that_takes_too_long_is_interrupted(engine):
    side = "range a from 1 to 200000 step 1 | extend k = 1"  # joined with itself: 40,000 million pairs
    began = time.monotonic()
    with pytest.raises(QueryError) as caught:
        engine.query(f"{side} | join kind=inner ({side}) on k | summarize sum(a * a1) by a % 7", timeout_seconds=0.1)
    assert caught.value.kind == "timeout"
    assert time.monotonic() - began < 5
    assert answer(engine, "print 1") == [(1,)]


@pytest.mark.parametrize("delay", [0.0, 0.2])
def test_a_query_that_nobody_waits_for_is_stopped_from_another_thread(engine, delay):
    side = "range a from 1 to 200000 step 1 | extend k = 1"
    stop, began = Stop(), time.monotonic()
    stopper = threading.Timer(delay, stop.set) if delay else None
    if stopper:
        stopper.start()
    else:
        stop.set()
    with pytest.raises(QueryError, match="stopped"):
        engine.query(f"{side} | join kind=inner ({side}) on k | summarize sum(a * a1) by a % 7", stop=stop)
    assert time.monotonic() - began < 5
    assert answer(engine, "print 1") == [(1,)]


def test_a_table_name_is_never_a_python_variable(connection):
    frame = connection.sql("SELECT 1")
    with pytest.raises(duckdb.CatalogException, match="frame does not exist"):
        connection.execute("SELECT * FROM frame")
    assert frame.fetchall() == [(1,)]


def test_rows_in_a_file_are_there_when_it_is_opened_again(tmp_path):
    with connect(tmp_path / "logs.duckdb") as connection:
        put(connection, row("a"))
    with connect(tmp_path / "logs.duckdb") as connection:
        assert answer(DuckDbEngine(connection), "AciDnsEvents() | project EventId") == [("a",)]


def test_the_machines_time_zone_has_no_say(connection, engine, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        put(connection, row("a"))
        assert answer(engine, "AciDnsEvents() | project TimeGenerated, bin(TimeGenerated, 1d)") == [
            (NOW, NOW.replace(hour=0))
        ]
    finally:
        monkeypatch.undo()
        os.environ.setdefault("TZ", "UTC")
        time.tzset()


def test_a_thousand_rows_are_stored_and_asked_for_well_below_100_ms_each(connection, engine):
    rows = [row(f"e{n}", n / 60, ArmCalls=3, Details={"n": n}) for n in range(1000)]
    engine.query("AciDnsEvents() | count", now=NOW)  # the parser's tables are built once

    def best(act):
        times = []
        for _ in range(3):
            began = time.process_time()
            act()
            times.append(time.process_time() - began)
        return min(times)

    assert best(lambda: put(connection, *rows)) < 0.1
    assert best(lambda: engine.query("AciDnsEvents() | summarize count() by bin(TimeGenerated, 5m)", now=NOW)) < 0.1


def test_open_failures_leave_out_a_group_that_was_repaired_since(connection, engine):
    group = {"Component": "reconciler", "ContainerGroupId": "/subscriptions/s/A"}
    put(connection, row("a", 9, Severity="Error", **group), row("b", 1, Severity="Information", **group))
    put(connection, row("c", 5, Severity="Warning", Component="tracker", ContainerGroupId="/subscriptions/s/B"))
    assert engine.query(catalog.query("open-failures"), now=NOW).values("ContainerGroupId") == ["/subscriptions/s/B"]
