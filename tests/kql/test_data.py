import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import duckdb
import pandas as pd
import pytest

from core import events
from core.errors import TryAgainError
from kql import tables
from kql.data import DataError, open_data
from kql.duckdb_engine import DuckDbEngine, connect
from kql.engine import QueryError

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
COLUMNS = "TimeGenerated, EventId, Component, ArmCalls, LagMs, DriftKinds, Details, Fqdn, NewIp"


def rows():
    for number, event_id in enumerate(("a", "b", "c", "a")):
        stamp = (NOW - timedelta(hours=4 - number)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        yield {
            "TimeGenerated": stamp,
            "EventTime": stamp,
            "EventId": event_id,
            "Component": "tracker",
            "EventType": "drift_detected",
            "ArmCalls": 3 if number % 2 else None,
            "DriftKinds": ["ptr_stale"],
            "Details": {"n": number},
            "Fqdn": f"{event_id}.corp.internal",
        }


EXPECTED = [
    (NOW - timedelta(hours=4 - number), event_id, "tracker", calls, None, ["ptr_stale"], {"n": number}, name, "")
    for number, event_id, calls, name in (
        (3, "a", 3, "a.corp.internal"),
        (1, "b", 3, "b.corp.internal"),
        (2, "c", None, "c.corp.internal"),
    )
]


def write_database(folder):
    with connect(folder / "logs.duckdb") as connection:
        stored = [
            {**row, "TimeGenerated": row["TimeGenerated"][:-1], "EventTime": row["EventTime"][:-1]} for row in rows()
        ]
        tables.append(connection, tables.EVENTS, stored, received=NOW - timedelta(minutes=1))
    return folder / "logs.duckdb"


def write_parquet(folder, name="history.parquet", **changes):
    frame = pd.DataFrame([*rows()])
    frame["TimeGenerated"] = pd.to_datetime(frame["TimeGenerated"])
    frame["Details"] = [json.dumps(value) for value in frame["Details"]]
    frame = frame.assign(**{column: value for column, value in changes.items() if value is not None})
    frame = frame.drop(columns=[column for column, value in changes.items() if value is None])
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(path)
    return path


def write_database_parquet(folder):
    with duckdb.connect(str(write_database(folder))) as connection:
        connection.table("storage.events").to_parquet(str(folder / "copy.parquet"))
    return folder / "copy.parquet"


def write_lines(folder):
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps({k: v for k, v in row.items() if v is not None}) + "\n" for row in rows()))
    return path


WRITERS = [write_database, write_parquet, write_database_parquet, write_lines]


def answer(path, kql, **options):
    connection = open_data(path)
    try:
        return DuckDbEngine(connection).query(kql, **{"now": NOW, **options})
    finally:
        connection.close()


@pytest.mark.parametrize("write", WRITERS)
def test_every_kind_of_file_gives_the_same_rows_each_fact_once(write, tmp_path):
    result = answer(write(tmp_path), f"AciDnsEvents() | sort by EventId asc | project {COLUMNS}")
    assert [*result.rows] == EXPECTED
    types = ["datetime", "string", "string", "int", "long", "dynamic", "dynamic", "string", "string"]
    assert [column.type for column in result.columns] == types


@pytest.mark.parametrize("write", WRITERS)
def test_a_time_span_chooses_rows_of_every_kind_of_file(write, tmp_path):
    path = write(tmp_path)
    assert answer(path, "AciDnsEvents_CL | count", timespan=timedelta(hours=2, minutes=30)).rows == ((2,),)
    assert answer(path, "AciDnsEvents_CL | count").rows == ((4,),)


@pytest.mark.parametrize("write", WRITERS)
def test_every_table_that_no_file_is_for_is_there_and_empty(write, tmp_path):
    path = write(tmp_path)
    for table in tables.TABLES[1:]:
        assert answer(path, f"{table.name} | count").rows == ((0,),), table.name


def test_a_row_that_was_received_later_than_now_is_not_seen(tmp_path):
    path = write_database_parquet(tmp_path)
    assert answer(path, "AciDnsEvents_CL | count", now=NOW - timedelta(hours=1)).rows == ((0,),)


def test_several_files_of_a_folder_are_one_table_and_their_rows_are_told_apart(tmp_path):
    write_parquet(tmp_path, "one/a.parquet")
    write_parquet(tmp_path, "two/b.parquet", Fqdn=None)
    assert answer(tmp_path, "AciDnsEvents_CL | summarize count(), countif(Fqdn == '')").rows == ((8, 4),)
    assert answer(tmp_path, "AciDnsEvents | count").rows == ((3,),)
    assert answer(str(tmp_path / "*" / "a.parquet"), "AciDnsEvents_CL | count").rows == ((4,),)
    assert answer([*tmp_path.glob("*/*.parquet")], "AciDnsEvents_CL | count").rows == ((8,),)


@pytest.mark.parametrize("name", ["AppTraces.parquet", "AppTraces-2026-03.parquet", "AppTraces/part-1.parquet"])
def test_a_file_named_after_a_table_holds_its_rows(name, tmp_path):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    row = {**next(rows()), "EventId": "lost"}
    line = {"TimeGenerated": pd.Timestamp(NOW), "Message": events.FALLBACK_MARKER + json.dumps(row)}
    pd.DataFrame([line]).to_parquet(path)
    write_parquet(tmp_path)
    assert answer(tmp_path, "AppTraces | project Type, Message").rows == (("AppTraces", line["Message"]),)
    assert answer(tmp_path, "AciDnsEvents | where EventId == 'lost' | count").rows == ((1,),)


def test_times_of_another_zone_and_times_as_text_are_utc(tmp_path):
    zoned = pd.to_datetime([row["TimeGenerated"] for row in rows()]).tz_convert("Asia/Tokyo")
    text = [moment.isoformat() for moment in zoned]
    first = "AciDnsEvents_CL | summarize min(TimeGenerated), min(EventTime)"
    path = write_parquet(tmp_path, TimeGenerated=zoned, EventTime=text)
    assert answer(path, first).rows == ((NOW - timedelta(hours=4),) * 2,)


def test_text_that_is_no_json_is_a_dynamic_value_too(tmp_path):
    path = write_parquet(tmp_path, Details=["cut {", "", "[1]", None])
    found = answer(path, "AciDnsEvents_CL | sort by TimeGenerated asc | project Details").values("Details")
    assert found == ["cut {", None, [1], None]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"EventId": None}, "no column EventId, which rows of AciDnsEvents_CL must have"),
        ({"EventId": None, "eventid": "x"}, r"has a column eventid; AciDnsEvents_CL has EventId \(case matters\)"),
        ({"TimeGenerated": 5.0}, "column TimeGenerated is DOUBLE; it must hold a time"),
        ({"EventTime": "yesterday"}, "column EventTime holds 'yesterday', which does not read as its type"),
        ({"ArmCalls": "many"}, "column ArmCalls holds 'many'"),
        ({"DurationMs": True}, "column DurationMs is BOOLEAN; it must hold long"),
        ({"Fqdn": [["a"]] * 4}, r"column Fqdn is VARCHAR\[\]; it must hold string"),
    ],
)
def test_columns_that_do_not_fit_are_named(changes, complaint, tmp_path):
    path = write_parquet(tmp_path, **changes)
    with pytest.raises(DataError, match=complaint) as caught:
        open_data(path)
    assert str(path) in str(caught.value)


def test_lines_that_are_not_events_are_refused(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"TimeGenerated": "2026-03-01T00:00:00Z"}\n')
    with pytest.raises(DataError, match=r"x\.jsonl: 1 of its lines have no value for one of TimeGenerated, EventId"):
        open_data(path)
    path.write_text('{"TimeGenerated": \n')
    with pytest.raises(DataError, match=r"x\.jsonl: not JSON lines of AciDnsEvents_CL: "):
        open_data(path)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("none.duckdb", None, "there is no such file; give a DuckDB file"),
        ("*.parquet", None, "there is no such file"),
        ("text.parquet", b"hello, world", "is not Parquet, though it is named so"),
        ("short.duckdb", b"", "is not DuckDB, though it is named so"),
        ("notes.txt", b"hello, world", "is not a DuckDB file"),
        ("cut.parquet", b"PAR1xxxx", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_told_with_what_can(name, content, complaint, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=complaint):
        open_data(tmp_path / name)


def test_a_database_of_another_program_is_told(tmp_path):
    with duckdb.connect(str(tmp_path / "x.duckdb")) as other:
        other.execute("CREATE TABLE t (a INT)")
    with pytest.raises(DataError, match=r"a database without the table storage\.events: none of ours"):
        open_data(tmp_path / "x.duckdb")


def test_a_folder_must_say_what_is_meant(tmp_path):
    with pytest.raises(DataError, match="nothing in this folder can be read"):
        open_data(tmp_path)
    write_parquet(tmp_path)
    write_database(tmp_path)
    with pytest.raises(DataError, match="has a database and Parquet; name the one that is meant"):
        open_data(tmp_path)
    with pytest.raises(DataError, match="cannot be read together"):
        open_data([tmp_path / "history.parquet", tmp_path / "logs.duckdb"])
    with pytest.raises(DataError, match="no file is named"):
        open_data([])


def test_an_older_database_lacks_tables_and_columns_and_is_read_all_the_same(tmp_path):
    path = write_database(tmp_path)
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"DROP TABLE {tables.TRACES.storage}")
        connection.execute(f"ALTER TABLE {tables.EVENTS.storage} DROP COLUMN NewIp")
    result = answer(path, f"AciDnsEvents() | sort by EventId asc | project {COLUMNS}")
    assert [*result.rows] == EXPECTED


def test_several_readers_share_a_database_and_none_writes_it(tmp_path, project_root):
    path = write_database(tmp_path)
    before = path.read_bytes()
    path.chmod(0o444)
    first, second = open_data(path), open_data(path)
    code = f"from kql.data import open_data; print(open_data({str(path)!r}).execute('SELECT 1').fetchone())"
    third = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=project_root)
    assert third.stdout == "(1,)\n"
    with pytest.raises(duckdb.Error):
        first.execute("INSERT INTO source.storage.events BY NAME SELECT 'x' AS EventId, now() AS _IngestedAt")
    first.close()
    second.close()
    assert path.read_bytes() == before


def test_a_database_that_another_program_writes_is_to_be_tried_again(tmp_path):
    path = write_database(tmp_path)
    code = f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print('open', flush=True); sys.stdin.read()"
    writer = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert writer.stdout.readline() == b"open\n"
        with pytest.raises(TryAgainError, match="is in use by a running local Azure"):
            open_data(path)
    finally:
        writer.communicate()


@pytest.mark.parametrize("write", [write_database, write_parquet, write_lines])
def test_a_query_reaches_no_other_file(write, tmp_path):
    other = tmp_path / "secret.csv"
    other.write_text("a,b\n1,2\n")
    connection = open_data(write(tmp_path))
    with pytest.raises(duckdb.PermissionException):
        connection.read_csv(str(other))
    for setting in ("enable_external_access = true", f"allowed_paths = ['{other}']"):
        with pytest.raises(duckdb.Error):
            connection.execute(f"SET {setting}")
    with pytest.raises(QueryError):
        DuckDbEngine(connection).query(f"['{other}'] | take 1")
    connection.close()


@pytest.mark.parametrize("write", WRITERS)
def test_a_path_with_quotes_and_brackets_is_only_a_path(write, tmp_path):
    folder = tmp_path / "o'hara; DROP [1] *"
    folder.mkdir()
    assert answer(write(folder), "AciDnsEvents_CL | count").rows == ((4,),)
