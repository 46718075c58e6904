"""Loading: the same facts as AciDnsEvents(), typed, from every kind of file, for the asked time and columns."""

import shutil
import warnings
from datetime import UTC, datetime, timedelta

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from core import events as schema
from kql.data import DataError, open_data
from kql.duckdb_engine import DuckDbEngine
from local_azure.history.shape import Shape
from local_azure.history.write import write_parquet
from notebooks import frames, gathered, history, loading, source

GUID = "0a1b2c3d-0000-4000-8000-00000000abcd"


def shipped(path, now, **options):
    with open_data(path) as connection:
        return list(DuckDbEngine(connection).query("AciDnsEvents()", now=now, **options))


def test_the_facts_are_those_of_the_shipped_function(season, events):
    rows = shipped(season.path, events.attrs["now"])
    assert sorted(events["EventId"]) == sorted(row["EventId"] for row in rows)
    wanted = {row["EventId"]: row for row in rows}
    for row in events.sample(300, random_state=1).to_dict("records"):
        for name in schema.COLUMN_NAMES:
            value, expected = row[name], wanted[row["EventId"]][name]
            if name in {"DriftKinds", "Changes", "Details"}:
                value = history.parsed(pd.Series([value])).iloc[0]
            assert (None if value is pd.NA or value is pd.NaT else value) == expected, name


@pytest.mark.parametrize("with_fallback", [True, False])
def test_the_way_around_the_view_gives_what_the_view_gives(with_fallback, tmp_path):
    # The event table alone is read straight through; with fallback lines the deduplicated view is asked.
    target = tmp_path / "days"
    write_parquet(target, Shape.tiny())
    if not with_fallback:
        (target / "AppTraces.parquet").unlink()
    found = history.load_events(target)
    again = pd.concat([found, found]).drop_duplicates("EventId")
    rows = shipped(target, found.attrs["now"])
    assert sorted(zip(found["EventId"], found["TimeGenerated"], strict=True)) == sorted(
        (row["EventId"], row["TimeGenerated"]) for row in rows
    )
    assert len(again) == len(found)


def test_columns_have_their_types(events):
    assert str(events["TimeGenerated"].dtype) == "datetime64[us, UTC]"
    assert str(events["DurationMs"].dtype) == "Int64"
    assert str(events["ArmCalls"].dtype) == "Int32"
    assert str(events["EventId"].dtype) == "str"
    assert str(events["Fqdn"].dtype) == "category"
    assert list(events.columns) == [column.name for column in schema.COLUMNS]
    assert events["TimeGenerated"].is_monotonic_increasing


def test_an_empty_history_has_the_same_types(nothing, events):
    found = history.load_events(nothing, "90d")
    assert len(found) == 0
    assert [str(kind) for kind in found.dtypes] == [str(kind) for kind in events.dtypes]


def test_chosen_columns_come_with_the_times_and_the_id(days):
    found = history.load_events(days.path, columns=["Verdict"])
    assert list(found.columns) == ["TimeGenerated", "EventTime", "EventId", "Verdict"]
    with pytest.raises(ValueError, match="no column Nonsense"):
        history.load_events(days.path, columns=["Nonsense"])


@pytest.mark.parametrize("span", ["24h", timedelta(days=1), "1d"])
def test_a_time_span_goes_back_from_the_last_event_of_a_file(span, season, events):
    found = history.load_events(season.path, span)
    last = events.attrs["now"]
    assert found.attrs["now"] == last
    assert found["TimeGenerated"].min() >= last - timedelta(days=1)
    rows = shipped(season.path, last, timespan=timedelta(days=1))
    assert sorted(found["EventId"]) == sorted(row["EventId"] for row in rows)


def test_a_range_is_taken_as_it_is(season):
    start, end = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 9, 3)  # noqa: DTZ001 - UTC is meant without a zone
    found = history.load_events(season.path, (start, end))
    assert start <= found["TimeGenerated"].min()
    assert found["TimeGenerated"].max() <= end.replace(tzinfo=UTC)


def test_a_file_is_read_as_it_was_at_a_moment(season):
    now = datetime(2026, 10, 1, tzinfo=UTC)
    found = history.load_events(season.path, now=now)
    assert found["TimeGenerated"].max() <= now
    assert sorted(found["EventId"]) == sorted(row["EventId"] for row in shipped(season.path, now))


@pytest.mark.parametrize(
    ("span", "message"),
    [
        ("soon", "is no time span; write 90d"),
        (timedelta(0), "longer than nothing"),
        (("2026-09-02", "2026-09-01"), "ends .* before it begins"),
        (("yesterday", "today"), "is no instant"),
    ],
)
def test_a_time_span_that_makes_no_sense_is_said(span, message, days):
    with pytest.raises(history.HistoryError, match=message):
        history.load_events(days.path, span)


def test_a_file_that_is_not_there_or_not_ours_is_said(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        history.load_events(tmp_path / "none.parquet")
    other = tmp_path / "other.duckdb"
    duckdb.connect(str(other)).close()
    with pytest.raises(DataError, match="none of ours"):
        history.load_events(other)


@pytest.mark.parametrize(
    ("name", "environment", "expected"),
    [
        ("history.duckdb", {}, source.Files("history.duckdb")),
        (None, {"DRIFT_DATA": "h.parquet", "LOGS_WORKSPACE_ID": GUID}, source.Files("h.parquet")),
        ("", {"LOGS_WORKSPACE_ID": GUID}, source.Workspace(GUID)),
        (f"workspace:{GUID.upper()}", {}, source.Workspace(GUID)),
        (
            GUID,
            {"LOGS_QUERY_ENDPOINT": "https://x", "REQUESTS_CA_BUNDLE": "ca"},
            source.Workspace(GUID, "https://x", "ca"),
        ),
    ],
)
def test_a_source_is_known_by_its_name(name, environment, expected):
    assert source.resolve(name, environment) == expected


def test_without_any_source_the_demo_is_meant_and_its_absence_explained(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(source, "ROOT", tmp_path)
    with pytest.raises(history.HistoryError, match=r"make demo.*sample-history"):
        source.resolve(None, {})
    rows = tmp_path / ".local-azure" / "demo" / "logs.duckdb"
    rows.parent.mkdir(parents=True)
    rows.touch()
    assert source.resolve("demo", {}) == source.Files(str(rows))


def test_a_workspace_that_is_no_guid_is_refused():
    with pytest.raises(history.HistoryError, match="is a GUID"):
        source.resolve("workspace:mine", {})


def test_a_query_answers_as_the_engine_does_typed(season, events):
    found = history.query("slo", source=season.path, bucket="7d")
    assert str(found["TimeGenerated"].dtype) == "datetime64[us, UTC]"
    assert str(found["Total"].dtype) == "Int64"
    assert str(found["Sli"].dtype) == "float64"
    assert (found["Good"] + found["Bad"] == found["Total"]).all()
    assert len(history.query("AciDnsEvents", source=season.path, timespan="1d")) > 0


@pytest.mark.parametrize(("name", "values"), [("nonsense", {}), ("slo", {"nonsense": 1}), ("slo", {"within": "soon"})])
def test_a_query_or_parameter_that_does_not_exist_is_said(name, values, season):
    with pytest.raises(history.HistoryError, match=name):
        history.query(name, source=season.path, **values)


def test_an_answer_that_is_cut_warns(season, monkeypatch):
    monkeypatch.setitem(DuckDbEngine.query.__kwdefaults__, "max_rows", 3)
    with pytest.warns(UserWarning, match="not whole: cut at 3 rows"):
        found = history.query("event-counts", source=season.path)
    assert len(found) == 3


def test_loading_prints_and_warns_nothing(days, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history.load_events(days.path)
    assert capsys.readouterr() == ("", "")


def buffers_of(part):
    """Give where the memory lies of what is kept of a column."""
    parts = part if isinstance(part, tuple) else (part,)
    arrays = [each.buffers() if isinstance(each, pa.Array) else [pa.py_buffer(each)] for each in parts]
    return {buffer.address for each in arrays for buffer in each if buffer and buffer.size}


def test_what_is_kept_of_a_batch_does_not_keep_the_batch(days):
    # A column of DuckDB's batch keeps all of its texts alive; ten million events would not fit.
    columns = list(frames.COLUMNS)
    with open_data(days.path) as connection:
        batch = next(loading.batches(connection, None, columns, datetime(2027, 1, 1, tzinfo=UTC)))
    kept = gathered.kept(batch, frames.kinds(columns))
    of_batch = {buffer.address for column in batch.columns for buffer in column.buffers() if buffer}
    assert list(kept) == columns
    assert set().union(*map(buffers_of, kept.values())).isdisjoint(of_batch)


def gather(batches):
    """Give the frame of batches, each a list of (second, id, component, duration)."""
    kinds = {"TimeGenerated": "datetime", "EventId": "id", "Component": "text", "DurationMs": "long"}
    types = {"TimeGenerated": pa.timestamp("us"), "EventId": pa.string(), "Component": pa.string()}
    types = pa.schema({**types, "DurationMs": pa.int64()})
    found = gathered.Gathered(kinds)
    for rows in batches:
        columns = list(zip(*rows, strict=True)) or [[]] * len(types)
        arrays = [pa.array(column, kind) for column, kind in zip(columns, types.types, strict=True)]
        found.add(gathered.kept(pa.record_batch(arrays, schema=types), kinds))
    return found.frame()


@pytest.mark.parametrize("number", [2, 300, 40_000])
def test_texts_of_several_batches_have_one_numbering_that_is_as_small_as_can_be(number):
    rows = [(place, f"e{place}", f"c{place}", place) for place in range(number)]
    found = gather([rows[: number // 3], [], rows[number // 3 :][::-1]])
    assert found["Component"].astype("str").tolist() == [f"c{place}" for place in range(number)]
    assert str(found["Component"].cat.codes.dtype) == {2: "int8", 300: "int16", 40_000: "int32"}[number]
    assert found["Component"].cat.categories.is_unique


def test_rows_of_several_batches_are_in_order_of_time_and_those_of_one_time_as_they_came():
    late = [(5, "e1", "a", 1), (1, "e2", None, None), (5, "e3", "b", 3)]
    found = gather([late, [(5, "e4", "a", 4), (0, "e5", "b", None)]])
    assert found["EventId"].tolist() == ["e5", "e2", "e1", "e3", "e4"]
    assert found["Component"].astype("str").tolist() == ["b", "", "a", "b", "a"]
    assert found["DurationMs"].isna().tolist() == [True, True, False, False, False]
    assert found["DurationMs"].dropna().tolist() == [1, 3, 4]


def test_files_are_never_written(season, tmp_path):
    copy = tmp_path / "copy.duckdb"
    shutil.copy(season.path, copy)
    before = copy.read_bytes()
    history.load_events(copy, "7d")
    history.query("event-counts", source=copy)
    assert copy.read_bytes() == before
