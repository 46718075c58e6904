"""What shipped functions answer is made once for a query, and kept for others of the same instant where rows stay."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import duckdb
import pytest

from kql import catalog, step_results, steps, translation, translation_store
from kql.data import open_data
from kql.duckdb_engine import DuckDbEngine, connect
from kql.engine import QueryError, Stop
from tests.kql import histories
from tests.kql.histories import NOW

GROUPS = "AciDnsGroups() | project ContainerGroup, State"
OF_GROUPS = ["AciDnsDriftEpisodes", "AciDnsGroups", "AciDnsObservations"]
"""The functions that AciDnsGroups needs, and itself."""
OF_ORPHANS = [*OF_GROUPS, "AciDnsOpenDrifts", "AciDnsOrphans"]
DAY = timedelta(days=1)


@pytest.fixture
def connection(tmp_path):
    """Open a file in which one group is in sync."""
    file = tmp_path / "events.jsonl"
    file.write_text(json.dumps(histories.event(1, 600, "no_change", LiveIp="10.1.0.4")), encoding="utf-8")
    with open_data(file) as connection:
        yield connection


@pytest.fixture
def engine(connection):
    return DuckDbEngine(connection, keeps=True)


def kept(connection):
    """Name the functions whose results lie in memory."""
    sql = "SELECT table_name FROM duckdb_tables() WHERE database_name = $1 ORDER BY table_name"
    return [name.rpartition("_")[0] for (name,) in connection.execute(sql, [step_results.DATABASE]).fetchall()]


@pytest.fixture
def made(monkeypatch):
    """Give the tables that steps fill from now on."""
    names = []
    real = step_results._fill

    def fill(cursor, step, result, *rest):
        if not result.is_made:
            names.append(step.function)
        return real(cursor, step, result, *rest)

    monkeypatch.setattr(step_results, "_fill", fill)
    return names


def test_each_step_comes_once_and_after_those_that_it_needs():
    with connect() as connection:
        engine = DuckDbEngine(connection)
        sql, _ = engine._stepped("AciDnsGroups() | join kind=leftouter (AciDnsOrphans()) on ContainerGroupId")
        names = [step.function for step in steps.before(sql, engine._stepped)]
    assert sorted(names) == OF_ORPHANS
    assert names.index("AciDnsObservations") < names.index("AciDnsDriftEpisodes") < names.index("AciDnsGroups")


def test_functions_with_parameters_and_the_events_themselves_are_no_steps():
    assert not {"AciDnsEvents", "AciDnsVerdicts"} & set(steps.stepped())
    assert not {name for name in steps.stepped() if catalog.functions()[name].parameters}


def test_an_engine_that_is_prepared_has_every_function_translated(monkeypatch):
    monkeypatch.setattr(translation_store, "default_root", lambda: None)
    translation.translator.cache_clear()
    with connect() as connection:
        engine = DuckDbEngine(connection)
        engine.prepare()
        before = engine._stepped.cache_info().misses
        for name in steps.stepped():
            engine._stepped(catalog.functions()[name].body)
        assert engine._stepped.cache_info().misses == before >= len(steps.stepped())
    translation.translator.cache_clear()


def test_what_is_asked_next_of_the_same_instant_makes_nothing_again(engine, made):
    answers = [engine.query(GROUPS, now=NOW, timespan=DAY).rows for _ in range(3)]
    assert answers == [(("web", "in_sync"),)] * 3
    engine.query("AciDnsOrphans()", now=NOW, timespan=DAY)
    assert sorted(made) == OF_ORPHANS


@pytest.mark.parametrize(
    ("now", "timespan"), [(NOW + timedelta(seconds=1), DAY), (NOW, timedelta(hours=1)), (NOW, None)]
)
def test_another_instant_or_range_makes_its_own(engine, made, now, timespan):
    engine.query(GROUPS, now=NOW, timespan=DAY)
    made.clear()
    assert engine.query(GROUPS, now=now, timespan=timespan).rows == (
        () if timespan == timedelta(hours=1) else (("web", "in_sync"),)
    )
    assert sorted(made) == OF_GROUPS


def test_an_engine_whose_rows_may_change_keeps_nothing(connection):
    engine = DuckDbEngine(connection)
    engine.query(GROUPS, now=NOW, timespan=DAY)
    assert kept(connection) == []


def test_no_more_windows_are_kept_than_it_says(engine, connection):
    for hours in range(1, step_results.MOST_WINDOWS + 4):
        engine.query("AciDnsObservations()", now=NOW, timespan=timedelta(hours=hours))
    assert kept(connection) == ["AciDnsObservations"] * step_results.MOST_WINDOWS


def test_what_is_being_read_is_not_dropped(engine, connection):
    window = ((NOW - DAY, NOW), NOW)
    with connection.cursor() as cursor:
        step = steps.Step("Mine", "_ResultOfMine", "SELECT 42 AS x", {})
        with engine._kept.lent(cursor, [step], lambda _: None, Stop(), window):
            for hours in range(1, step_results.MOST_WINDOWS + 4):
                engine.query("AciDnsObservations()", now=NOW, timespan=timedelta(hours=hours))
            assert cursor.execute('SELECT x FROM "_ResultOfMine"').fetchall() == [(42,)]
        engine.query("AciDnsObservations()", now=NOW, timespan=timedelta(hours=99))
    assert "Mine" not in kept(connection)


def test_many_readers_at_once_make_it_once(engine, connection):
    """A second one could not: the table would be there already."""
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: engine.query(GROUPS, now=NOW, timespan=DAY).rows, range(16)))
    assert found == [(("web", "in_sync"),)] * 16
    assert kept(connection) == OF_GROUPS


def test_who_is_stopped_while_another_makes_it_does_not_wait(engine):
    window, stop, began = ((NOW - DAY, NOW), NOW), Stop(), threading.Event()
    step = steps.Step("AciDnsObservations", "_ResultOfAciDnsObservations", "SELECT 1", {})
    place = engine._kept._place(engine._kept._taken(window), step)
    with place.lock, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(lambda: began.set() or engine.query(GROUPS, now=NOW, timespan=DAY, stop=stop))
        began.wait()
        stop.set()
        with pytest.raises(QueryError) as error:
            asked.result(timeout=20)
    assert error.value.kind == "timeout"


def test_what_one_could_not_make_the_next_makes(engine, connection, monkeypatch):
    window = ((NOW - DAY, NOW), NOW)
    broken = steps.Step("Mine", "_ResultOfMine", "SELECT 1/0::INT AS x, error('no')", {})
    sound = steps.Step("Mine", "_ResultOfMine", "SELECT 7 AS x", {})
    for step in (broken, sound):
        with connection.cursor() as cursor:
            try:
                with engine._kept.lent(cursor, [step], lambda _: None, Stop(), window):
                    rows = cursor.execute('SELECT x FROM "_ResultOfMine"').fetchall()
            except duckdb.Error:
                rows = None
    assert (rows, kept(connection)) == ([(7,)], ["Mine"])
