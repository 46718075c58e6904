"""Rows that are known to be the only ones of their event are not compared; the facts are the same."""

from datetime import timedelta

import pytest

from core import events
from kql import tables
from kql.data import open_data
from kql.duckdb_engine import DuckDbEngine, connect
from local_azure.history.history import History
from local_azure.history.shape import DEFAULT_END, Shape
from local_azure.history.write import insert, write_parquet

LATER = DEFAULT_END + timedelta(days=4)
FACTS = "AciDnsEvents() | project EventId, TimeGenerated, EventTime, Component, EventType, ErrorCode, Details"


@pytest.fixture
def connection():
    connection = connect()
    for day in History(Shape.tiny()):
        for name, table in day.items():
            insert(connection, name, table)
    yield connection
    connection.close()


def facts(connection, **how):
    return sorted(map(repr, DuckDbEngine(connection, **how).query(FACTS, now=LATER).rows))


def marked(connection):
    return len(connection.sql("SELECT * FROM storage.events").filter(f"NOT {tables.REPEATS}"))


def one_known_row(connection):
    """Give a row's id, type and component, and a time just after its own: the later one stands for the fact."""
    rows = connection.sql("SELECT * FROM storage.events").filter(f"NOT {tables.REPEATS}").order("EventId").limit(1)
    return rows.project("EventId, EventType, Component, (TimeGenerated + INTERVAL 1 SECOND)::VARCHAR").fetchall()[0]


def test_a_history_knows_most_of_its_right_answers_to_be_told_once(connection):
    assert marked(connection) > 0


def test_the_view_and_the_shipped_function_give_the_same_facts_of_a_history(connection):
    assert facts(connection) == facts(connection, shipped_function=True)


def test_what_is_known_changes_no_fact(connection):
    before = facts(connection)
    connection.execute("UPDATE storage.events SET _MayRepeat = TRUE")
    assert facts(connection) == before


def test_a_row_that_comes_again_is_doubted_again(connection):
    event_id, kind, component, time = one_known_row(connection)
    before = len(facts(connection))
    again = {"EventId": event_id, "EventType": kind, "Component": component, "TimeGenerated": time}
    tables.append(connection, tables.EVENTS, [again], received=DEFAULT_END)
    assert len(facts(connection)) == before
    assert facts(connection) == facts(connection, shipped_function=True)


def test_a_row_that_comes_again_as_a_log_line_is_doubted_again(connection):
    event_id, kind, component, time = one_known_row(connection)
    before = len(facts(connection))
    line = f'{{"EventId": "{event_id}", "TimeGenerated": "{time}", "EventType": "{kind}", "Component": "{component}"}}'
    trace = {"TimeGenerated": time, "Message": events.FALLBACK_MARKER + line, "SeverityLevel": 1}
    tables.append(connection, tables.TRACES, [trace], received=DEFAULT_END)
    assert len(facts(connection)) == before
    assert facts(connection) == facts(connection, shipped_function=True)


def test_parquet_carries_what_is_known(tmp_path, connection):
    write_parquet(tmp_path / "history", Shape.tiny())
    opened = open_data(tmp_path / "history")
    assert marked(opened) == marked(connection)
    assert facts(opened) == facts(connection)
    opened.close()
