"""Translates KQL to DuckDB's SQL, each text once in a process, and what takes long once on a machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import duckdb_kql

from core import events
from kql import duckdb_errors, shipped_functions, translation_store
from kql.engine import Place, QueryError

TRANSLATIONS: Final = 256
"""Texts that are kept: translating one takes 20 to 300 ms, and an alert rule is asked thousands of times."""
WORTH_KEEPING: Final = 0.02
"""Seconds of processor time that a translation has to take to be kept for other processes."""
_RECIPE: Final = 1
"""Changes with what this module does beside the translator, so that what was kept before is not used."""
Translated = tuple[str, Mapping[str, Any]]
"""SQL, and the values of its parameters."""


@lru_cache(8)
def translator(
    definitions: tuple[tuple[str, str], ...], schema: tuple[tuple[str, tuple[str, ...]], ...]
) -> Callable[[str], Translated]:
    """Give what translates for these functions and tables. Engines of one process share it: many are short-lived.

    What is given raises QueryError for a text that cannot be translated.
    """
    functions = dict(definitions)
    columns = {table: list(names) for table, names in schema}
    identity = repr((duckdb_kql.__version__, _RECIPE, definitions, schema))
    store = translation_store.Store(translation_store.default_root(), identity)

    @lru_cache(TRANSLATIONS)
    def translate(text: str) -> Translated:
        if kept := store.read(text):
            return kept
        began = time.thread_time()
        sql, given = _translate(text, functions, columns)
        if time.thread_time() - began >= WORTH_KEEPING:
            store.write(text, sql, given)
        return sql, given

    return translate


def _translate(text: str, functions: Mapping[str, str], schema: dict[str, list[str]]) -> Translated:
    """Give the SQL and its parameters; the time is one of them, so the same SQL serves every instant."""
    if text.lstrip().startswith("."):
        token = text.split(maxsplit=1)[0]
        message = f"a management command ({token}) is not a query"
        raise QueryError("syntax", message, code="SYN0002", place=Place(1, 0, token))
    try:
        translated = duckdb_kql.to_sql(
            text,
            schema=schema,
            functions=shipped_functions.reached_by(text, functions),
            query_now=datetime(2000, 1, 1),  # noqa: DTZ001 - any instant makes it a parameter; DuckDB's has no zone
            allow_write=False,
        )
    except duckdb_kql.KqlError as error:
        raise duckdb_errors.from_translator(error, text, known=schema) from error
    except RecursionError as error:
        raise QueryError("unsupported", "the query is nested too deeply for the local engine") from error
    miscased = duckdb_errors.miscased(text, _names_within_reach(text, schema))
    if miscased:
        raise miscased
    return str(translated), translated.parameters


def _names_within_reach(text: str, schema: Mapping[str, list[str]]) -> set[str]:
    """Give the tables, and the columns of those that the text names; of ours always, for functions give them."""
    named = [columns for table, columns in schema.items() if table == events.TABLE or table in text]
    return {*schema, *(name for columns in named for name in columns)}
