"""Parquet of our own layout is read as it lies, and gives what the way through DuckDB gives."""

from datetime import UTC, datetime, timedelta

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kql.data import open_data
from notebooks import frames, history, loading, parquet

NOW = datetime(2026, 10, 1, 3, tzinfo=UTC)
PLACES = ("TimeGenerated", "EventId")


@pytest.fixture(scope="module")
def stored(season, tmp_path_factory):
    """Give the season's rows as they are stored, repeats among them, in small row groups."""
    path = tmp_path_factory.mktemp("parquet") / "season.parquet"
    with duckdb.connect(str(season.path), read_only=True) as connection:
        texts = ", ".join(f'CAST("{name}" AS VARCHAR) AS "{name}"' for name in ("DriftKinds", "Changes", "Details"))
        rows = connection.sql(f"SELECT * REPLACE ({texts}) FROM storage.events").to_arrow_table()  # noqa: S608 - ours
    pq.write_table(rows, path, row_group_size=1500)
    return path


@pytest.fixture
def the_other_way(monkeypatch):
    """Give `load` that goes through DuckDB, whatever the files are."""

    def load(*arguments):
        with monkeypatch.context() as patch:
            patch.setattr(loading, "_plain_files", lambda *_: [])
            return loading.load(*arguments)

    return load


def is_plain(path, columns=frames.COLUMNS):
    with open_data(path) as connection:
        return bool(loading._plain_files(connection, [path], columns))


def assert_same(found, expected):
    """Rows of one time may stand in any order; what a category column has beside its rows is its own affair."""
    mine, theirs = (frame.sort_values(list(PLACES), ignore_index=True) for frame in (found, expected))
    pd.testing.assert_frame_equal(mine, theirs, check_categorical=False)
    for name in found.select_dtypes("category"):
        assert set(found[name].cat.categories) == set(expected[name].cat.categories), name
        assert found[name].cat.codes.dtype == expected[name].cat.codes.dtype, name


@pytest.mark.parametrize("components", [(), ("tracker", "audit")])
@pytest.mark.parametrize("now", [None, NOW])
@pytest.mark.parametrize("span", [None, timedelta(days=3, hours=5), (NOW - timedelta(days=30), NOW)])
def test_both_ways_give_the_same_rows(span, now, components, stored, the_other_way):
    columns = frames.checked(frames.LEAN if components else None)
    found = loading.load(stored, span, columns, now, components)
    assert_same(found, the_other_way(stored, span, columns, now, components))
    assert 0 < len(found) == found["EventId"].nunique()


def test_of_rows_that_are_stored_twice_the_later_is_given_once(stored):
    rows = pq.read_table(stored, columns=list(PLACES)).to_pandas()
    found = history.load_events(stored).set_index("EventId")["TimeGenerated"].dt.tz_localize(None)
    assert len(found) == rows["EventId"].nunique() < len(rows)
    latest = rows.groupby("EventId")["TimeGenerated"].max()
    assert (found.sort_index().to_numpy() == latest.sort_index().to_numpy()).all()


def test_row_groups_that_lie_outside_the_time_are_not_read(stored, monkeypatch):
    read, real = [], parquet._read

    def spy(source, groups, at, wanted):
        read.extend(groups)
        return real(source, groups, at, wanted)

    monkeypatch.setattr(parquet, "_read", spy)
    history.load_events(stored, "2d")
    assert 0 < len(read) < pq.ParquetFile(stored).num_row_groups / 2


def test_an_export_is_read_as_it_lies_and_a_folder_of_overlapping_exports_gives_each_fact_once(
    season, events, tmp_path
):
    from notebooks import exporting  # noqa: PLC0415 - here alone

    middle = events["TimeGenerated"].iloc[len(events) // 2].to_pydatetime()
    for number, span in enumerate([(middle - timedelta(days=60), middle), (middle - timedelta(days=2), middle)]):
        exporting.export(season.path, tmp_path / f"{number}.parquet", span)
    found = history.load_events(tmp_path)
    expected = events[events["TimeGenerated"].between(middle - timedelta(days=60), middle)]
    assert sorted(found["EventId"]) == sorted(expected["EventId"])
    assert all(is_plain(path) for path in tmp_path.iterdir())


def changed(table, name, kind):
    return table.set_column(table.schema.get_field_index(name), name, table[name].cast(kind))


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.drop_columns("Resolver"),
        lambda rows: changed(rows, "DurationMs", pa.float64()),
        lambda rows: changed(rows, "EventTime", pa.string()),
        lambda rows: changed(rows, "Fqdn", pa.large_string()),
    ],
    ids=["a missing column", "a number of another type", "a time as text", "another kind of text"],
)
def test_files_that_need_more_than_reading_go_the_general_way(change, stored, tmp_path):
    path = tmp_path / "other.parquet"
    pq.write_table(change(pq.read_table(stored).slice(0, 500)), path)
    assert is_plain(stored)
    assert not is_plain(path)
    assert len(history.load_events(path)) > 0


@pytest.mark.parametrize(
    ("text", "expected"), [('{"a": 1}', '{"a": 1}'), ("plain words", '"plain words"'), ("", ""), (None, "")]
)
def test_text_that_is_no_json_is_a_value_too(text, expected, stored, tmp_path, the_other_way):
    path, rows = tmp_path / "one.parquet", pq.read_table(stored).slice(0, 3)
    details = pa.array([text, '["b"]', text], pa.string())
    pq.write_table(rows.set_column(rows.schema.get_field_index("Details"), "Details", details), path)
    found = history.load_events(path)
    assert is_plain(path)
    assert set(found["Details"]) == {expected, '["b"]'}
    assert_same(found, the_other_way(path, None, list(frames.COLUMNS), None))
