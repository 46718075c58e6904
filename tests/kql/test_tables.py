"""The tables that queries can name: typed, storable, and the same to DuckDB and to a parser."""

from datetime import UTC, datetime, timedelta

import pytest

from core import events
from kql import tables
from kql.standard_tables import STANDARD_TABLES

SAMPLES = {
    "datetime": "2026-03-01T11:59:00.0",
    "string": "é 'x'",
    "int": 2**31 - 1,
    "long": 2**40,
    "real": 0.5,
    "boolean": False,
    "dynamic": {"k": [1, None, "é"]},
}


@pytest.mark.parametrize("table", tables.TABLES, ids=lambda table: table.name)
def test_a_table_has_the_columns_and_types_that_the_parser_is_told(workspace, table):
    result = workspace.engine.query(f"{table.name} | take 0")
    assert [(column.name, column.type) for column in result.columns] == tables.typed_schema()[table.name]


@pytest.mark.parametrize("table", tables.TABLES, ids=lambda table: table.name)
def test_what_is_stored_in_a_table_comes_back(workspace, table):
    row = {name: SAMPLES[kind] for name, kind in table.columns if name != tables.RECEIVED}
    workspace.store(table, row)
    found = workspace.one(table.name)
    assert found["Type"] == table.name
    for name, kind in table.columns:
        if kind != "datetime":
            assert found[name] == SAMPLES[kind], name


@pytest.mark.parametrize("table", tables.TABLES, ids=lambda table: table.name)
def test_an_absent_string_is_empty_and_anything_else_null(workspace, table):
    workspace.store(table, {"TimeGenerated": SAMPLES["datetime"]})
    found = workspace.one(table.name)
    for name, kind in table.columns:
        if name not in {"TimeGenerated", tables.RECEIVED}:
            assert found[name] == ("" if kind == "string" else None), name


def test_the_typed_schema_knows_everything_that_a_query_can_name():
    typed = tables.typed_schema()
    assert {name: [column for column, _ in columns] for name, columns in typed.items()} == tables.schema()
    assert typed[events.FUNCTION] == [(c.name, tables.kql_type(c.type)) for c in events.COLUMNS]
    assert ("Success", "bool") in typed["AppRequests"]


def test_rows_of_a_standard_table_are_cut_by_the_time_range_and_by_the_time_of_asking(workspace):
    workspace.store(tables.REQUESTS, {"TimeGenerated": "2026-03-01T11:00:00", "Name": "reconcile"}, arrives=30)
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert len(workspace.ask("AppRequests", timespan=timedelta(minutes=60))) == 1
    assert workspace.ask("AppRequests", timespan=timedelta(minutes=59)) == []
    assert workspace.ask("AppRequests", now=noon - timedelta(minutes=31)) == []


def test_every_standard_table_has_a_storage_of_its_own():
    storages = [table.storage for table in tables.TABLES]
    assert len(set(storages)) == len(storages) == len(STANDARD_TABLES) + 1


@pytest.mark.parametrize(
    "query",
    [
        "AciDnsEvents_CL | count",
        "ContainerEvent | count",
        "ContainerEvent | summarize count() by Reason",
        "AciDnsEvents_CL | extend name = 1, source = 2, success = 3 | project name, source, success",
    ],
)
def test_a_column_of_one_table_does_not_forbid_a_word_in_queries_of_others(workspace, query):
    workspace.engine.query(query)
