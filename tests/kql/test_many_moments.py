"""Asking at many moments in one go gives what asking at each of them gives, for every query that ships.

The one writes functions into the query, the other answers them before it (kql/steps.py), so this holds these equal too.
"""

from collections import Counter
from datetime import timedelta

import pytest

from kql import catalog, many_moments
from kql.data import open_data
from kql.duckdb_engine import DuckDbEngine, connect
from kql.engine import QueryError
from local_azure.history.shape import DEFAULT_END, Shape
from local_azure.history.write import write_duckdb

SHIPPED = list(catalog.queries().values())  # they call the functions
MOMENTS = [
    (at, (at - back, at - timedelta(microseconds=1)))
    for at, back in (
        (DEFAULT_END - timedelta(days=2, minutes=7), timedelta(hours=1)),
        (DEFAULT_END - timedelta(days=1), timedelta(hours=48)),
        (DEFAULT_END + timedelta(days=9), timedelta(hours=1)),  # nothing is seen
    )
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    path = tmp_path_factory.mktemp("history") / "few.duckdb"
    write_duckdb(path, Shape(days=3, groups=8, probe_minutes=240))
    connection = open_data(path)
    yield DuckDbEngine(connection, keeps=True)
    connection.close()


def rows(table):
    return Counter(repr(row) for row in table.rows)


@pytest.mark.parametrize("entry", SHIPPED, ids=lambda entry: entry.name)
def test_every_shipped_query_answers_as_one_by_one(engine, entry):
    text = catalog.bind(entry, {})
    together = list(engine.query_each(text, MOMENTS))
    one_by_one = [engine.query(text, timespan=span, now=now) for now, span in MOMENTS]
    assert [table.columns for table in together] == [table.columns for table in one_by_one]
    assert [rows(table) for table in together] == [rows(table) for table in one_by_one]


def test_moments_that_see_many_rows_are_asked_in_several_batches(engine, monkeypatch):
    text = "AciDnsEvents_CL | count"
    whole = [table.rows for table in engine.query_each(text, MOMENTS)]
    monkeypatch.setattr(many_moments, "ROWS_AT_ONCE", 1)
    assert [table.rows for table in engine.query_each(text, MOMENTS)] == whole


def test_no_moment_is_no_answer(engine):
    assert list(engine.query_each("AciDnsEvents()", [])) == []


@pytest.mark.parametrize(("text", "kind"), [("Nowhere", "semantic"), ("AciDnsEvents() | fork (count)", "unsupported")])
def test_what_cannot_be_asked_raises_as_elsewhere(text, kind):
    with pytest.raises(QueryError) as error:
        list(DuckDbEngine(connect()).query_each(text, MOMENTS))
    assert error.value.kind == kind
