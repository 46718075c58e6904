"""`drift events`: rows from a workspace or a file, as a table or JSON, narrowed; and what is refused."""

from datetime import UTC, datetime, timedelta

import pytest

from cli.events import Asked
from core.events import Component, Event, EventType
from kql import tables
from kql.duckdb_engine import DuckDbEngine, connect

ROWS = [
    (EventType.RECONCILE_UPDATED, "web", {"OldIp": "10.1.0.4", "NewIp": "10.1.0.5"}, 1),
    (EventType.DRIFT_DETECTED, "web", {"DriftKinds": ["a_mismatch"], "OldIp": "10.1.0.9", "LiveIp": "10.1.0.5"}, 2),
    (EventType.RECONCILE_FAILED, "api", {"ErrorCode": "name_conflict", "ErrorMessage": "'api' is taken"}, 3),
    (EventType.RECONCILE_DELETED, "old", {"OldIp": "10.1.0.8"}, 60 * 26),
]


@pytest.fixture
def data(tmp_path):
    """Give a local Azure's data folder with four events, the last one from yesterday."""
    now = datetime.now(UTC)
    events = [
        Event(
            Component.RECONCILER,
            kind,
            now - timedelta(minutes=minutes),
            str(minutes),
            {
                "ResourceGroup": "rg-one",
                "ContainerGroup": name,
                "Fqdn": f"{name}.corp.internal",
                "DurationMs": 1200,
                **more,
            },
        )
        for kind, name, more, minutes in ROWS
    ]
    connection = connect(tmp_path / "logs.duckdb")
    rows = [event.to_row() for event in events]
    tables.append(connection, tables.EVENTS, rows, received=now - timedelta(days=2))
    connection.close()
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "types"),
    [
        ([], ["reconcile_updated", "drift_detected", "reconcile_failed"]),
        (["--last", "7d"], ["reconcile_updated", "drift_detected", "reconcile_failed", "reconcile_deleted"]),
        (["--last", "90s"], ["reconcile_updated"]),
        (["--group", "WEB"], ["reconcile_updated", "drift_detected"]),
        (["--type", "reconcile_failed"], ["reconcile_failed"]),
        (["--limit", "2"], ["reconcile_updated", "drift_detected"]),
        (["--group", "nobody"], []),
    ],
)
def test_rows_come_newest_first_and_narrowed(drift, data, arguments, types):
    done = drift("events", "--data", str(data), "--json", *arguments)
    assert (done.code, [row["EventType"] for row in done.json()]) == (0, types)


def test_a_person_reads_what_each_row_is_about(drift, data):
    done = drift("events", "--data", str(data / "logs.duckdb"))
    lines = [" ".join(line.split()) for line in done.out.splitlines() if "rg-one/" in line]
    assert [line.partition("rg-one/")[2] for line in lines] == [
        "web web.corp.internal: 10.1.0.4 → 10.1.0.5 1.2 s",
        "web a_mismatch: web.corp.internal is 10.1.0.9 in DNS, 10.1.0.5 in truth 1.2 s",
        "api name_conflict: 'api' is taken 1.2 s",
    ]


def test_no_rows_is_an_answer(drift, data):
    done = drift("events", "--data", str(data), "--last", "1s")
    assert (done.code, done.out.startswith("no events since ")) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--last", "yesterday"], 2, "no time to look back"),
        (["--last", "0h"], 2, "no time to look back"),
        (["--last", "9999d"], 2, "at most 730d"),
        (["--type", "nonsense"], 2, "nonsense"),
        (["--limit", "0"], 2, "--limit"),
        (["--group", 'x" | project 1'], 64, "not the name of a container group"),
        (["--data", "/nowhere"], 64, "/nowhere: there is no such file"),
        ([], 78, "LOGS_WORKSPACE_ID"),
    ],
)
def test_what_cannot_be_asked_is_refused(drift, data, arguments, code, says):
    where = [] if code == 78 or "--data" in arguments else ["--data", str(data)]
    done = drift("events", *where, *arguments)
    assert (done.code, done.out) == (code, "")
    assert says in " ".join(done.err.replace("│", " ").split())


def test_a_file_that_is_no_database_is_bad_input(drift, tmp_path):
    (tmp_path / "x.duckdb").write_bytes(b"not a database" * 1000)
    done = drift("events", "--data", str(tmp_path))
    assert (done.code, "is not DuckDB, though it is named so" in done.err) == (64, True)


def test_a_database_that_another_process_writes_is_busy(drift, drift_process, data):
    connection = connect(data / "logs.duckdb")
    done = drift_process("events", "--data", str(data))
    connection.close()
    assert (done.code, "in use by a running local Azure" in done.err) == (75, True)


def test_a_workspace_that_is_down_asks_to_try_again(drift, spoke):
    environment = {**spoke.environment, "LOGS_QUERY_ENDPOINT": "https://127.0.0.1:9"}
    done = drift("events", **environment)
    assert (done.code, "Traceback" in done.err) == (75, False)


@pytest.mark.parametrize("asked", [Asked(), Asked(type=EventType.CANARY, group="web-1", limit=3)])
def test_the_query_runs_on_the_local_engine(asked):
    assert len(DuckDbEngine(connect()).query(asked.kql(), timespan=asked.timespan)) == 0
