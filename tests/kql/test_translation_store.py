"""Translations are kept between processes: for who owns them, whole or not at all, and never in the way."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb_kql
import pytest

from kql import catalog, translation, translation_store
from kql.duckdb_engine import DuckDbEngine, connect
from kql.translation_store import Store

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SQL = ("SELECT 1", {"kqlnow": None})


def files(root):
    return [path for path in root.rglob("*") if path.is_file()]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Let caches lie in an empty folder, and give it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    translation.translator.cache_clear()
    yield tmp_path
    translation.translator.cache_clear()


@pytest.fixture
def translated(monkeypatch):
    """Give the texts that the translator is given from now on."""
    texts = []
    to_sql = duckdb_kql.to_sql
    monkeypatch.setattr(duckdb_kql, "to_sql", lambda text, **options: texts.append(text) or to_sql(text, **options))
    return texts


def ask(text, now=NOW):
    """Ask as a process does that has translated nothing yet."""
    translation.translator.cache_clear()
    with connect() as connection:
        return DuckDbEngine(connection).query(text, now=now).rows


def test_another_process_need_not_translate_what_took_long(home, translated, monkeypatch):
    monkeypatch.setattr(translation, "WORTH_KEEPING", 0)
    answers = [ask(catalog.query("flapping")) for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(files(home)) >= 2
    assert sorted(set(translated)) == sorted(translated)


def test_what_is_translated_at_once_is_not_kept(home):
    ask("print 1")  # the first text loads the translator
    before = len(files(home))
    ask("print 2")
    assert len(files(home)) == before


def test_the_time_is_that_of_each_question(home, monkeypatch):
    monkeypatch.setattr(translation, "WORTH_KEEPING", 0)
    later = NOW + timedelta(days=400)
    assert [ask("print now()", now) for now in (NOW, later)] == [((NOW,),), ((later,),)]
    assert len(files(home)) == 1


def test_another_release_of_the_translator_or_of_the_functions_uses_its_own(home, translated, monkeypatch):
    monkeypatch.setattr(translation, "WORTH_KEEPING", 0)
    ask("print 1")
    monkeypatch.setattr(duckdb_kql, "__version__", "999")
    ask("print 1")
    assert translated == ["print 1"] * 2
    assert len({path.parent for path in files(home)}) == 2


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"sql": "SELECT 1"}', '{"sql": "SELECT 1", "given": 7}', "\x00\xff"]
)
def test_what_is_damaged_is_translated_anew(tmp_path, content):
    store = Store(tmp_path, "a")
    store.write("text", *SQL)
    (file,) = files(tmp_path)
    file.write_text(content, encoding="latin-1")
    assert store.read("text") is None
    store.write("text", *SQL)
    assert store.read("text") == SQL


def test_only_what_nobody_else_can_write_is_read(tmp_path):
    store = Store(tmp_path, "a")
    store.write("text", *SQL)
    (file,) = files(tmp_path)
    assert store.read("text") == SQL
    file.parent.chmod(0o777)
    assert (store.read("text"), Store(tmp_path, "a").read("text")) == (None, None)


@pytest.mark.parametrize("root", [None, Path("/dev/null/nowhere")])
def test_where_there_is_no_place_nothing_is_kept(root):
    store = Store(root, "a")
    store.write("text", *SQL)
    assert store.read("text") is None


def test_a_value_of_a_query_is_not_kept(tmp_path):
    Store(tmp_path, "a").write("text", "SELECT $secret", {"secret": "x"})
    assert files(tmp_path) == []


def test_a_folder_does_not_grow_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(translation_store, "MOST_TEXTS", 3)
    store = Store(tmp_path, "a")
    for number in range(9):
        store.write(f"text {number}", *SQL)
    assert len(files(tmp_path)) == 3


def test_the_oldest_folders_go(tmp_path):
    for number in range(6):
        Store(tmp_path, f"release {number}").write("text", *SQL)
        for path in tmp_path.iterdir():
            os.utime(path, (path.stat().st_mtime - 60,) * 2)
    assert len(list(tmp_path.iterdir())) == translation_store.MOST_FOLDERS
    assert Store(tmp_path, "release 5").read("text") == SQL
    assert Store(tmp_path, "release 0").read("text") is None


def test_many_that_write_at_once_leave_one_whole_file(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: Store(tmp_path, "a").write("text", *SQL), range(64)))
    assert len(files(tmp_path)) == 1
    assert Store(tmp_path, "a").read("text") == SQL


@pytest.mark.parametrize(
    ("value", "expected"),
    [("/caches", Path("/caches/drift/kql")), ("relative", ".cache/drift/kql"), ("", ".cache/drift/kql")],
)
def test_caches_lie_where_the_standard_says(monkeypatch, tmp_path, value, expected):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    wanted = tmp_path / expected if isinstance(expected, str) else expected
    assert translation_store.default_root() == wanted
