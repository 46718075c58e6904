"""A process translates a text once for all engines that know the same tables and functions, and only for these."""

from datetime import UTC, datetime

import duckdb_kql
import pytest

from core import events
from kql import translation, translation_store
from kql.duckdb_engine import DuckDbEngine, connect

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def translated(monkeypatch):
    """Give the texts that the translator is given from now on."""
    texts = []
    to_sql = duckdb_kql.to_sql
    monkeypatch.setattr(duckdb_kql, "to_sql", lambda text, **options: texts.append(text) or to_sql(text, **options))
    monkeypatch.setattr(translation_store, "default_root", lambda: None)
    translation.translator.cache_clear()
    yield texts
    translation.translator.cache_clear()


def ask(text, **options):
    with connect() as connection:
        return DuckDbEngine(connection, **options).query(text, now=NOW).rows


def test_engines_of_one_process_translate_a_text_once(translated):
    assert [ask("AciDnsEvents() | count") for _ in range(3)] == [((0,),)] * 3
    assert translated == ["AciDnsEvents() | count"]


def test_an_engine_with_other_functions_translates_for_itself(translated):
    ask("AciDnsEvents() | count")
    ask("AciDnsEvents() | count", shipped_function=True)
    assert len(translated) == 2


def test_an_engine_with_other_columns_translates_for_itself(translated, monkeypatch):
    ask("AciDnsEvents() | count")
    monkeypatch.setattr(events, "COLUMNS", tuple(column for column in events.COLUMNS if column.name != "Verdict"))
    ask("AciDnsEvents() | count")
    assert len(translated) == 2


def test_the_time_of_an_earlier_question_is_not_kept(translated):
    with connect() as connection:
        engine = DuckDbEngine(connection)
        later = datetime(2027, 1, 1, tzinfo=UTC)
        assert [engine.query("print now()", now=now).rows for now in (NOW, later)] == [((NOW,),), ((later,),)]
    assert translated == ["print now()"]
