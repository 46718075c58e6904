"""How the columns of a file become those of a table: which must be there, which may be missing, what converts. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from core import events
from core.errors import InputError
from kql import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


class DataError(InputError):
    """Files that cannot be read as rows of our tables. The message says which, what is wrong, and what is wanted."""

    code = "bad_data"


_REQUIRED: Final = {events.TABLE: ("TimeGenerated", "EventId", "EventType", "Component")}
_ALWAYS: Final = ("TimeGenerated",)
_TIMES: Final = re.compile(r"TIMESTAMP(_S|_MS|_NS)?|DATE")
_ZONED: Final = "TIMESTAMP WITH TIME ZONE"
_NUMBERS: Final = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL\(.*\)")
_NESTED: Final = re.compile(r"STRUCT\(|MAP\(|.*\]$|UNION\(|BLOB", re.DOTALL)


def by_table(files: Iterable[Path]) -> dict[tables.Table, list[Path]]:
    """Group files by the table whose rows they hold: the one that the file or one of its folders is named after."""
    found: dict[tables.Table, list[Path]] = {}
    for file in files:
        found.setdefault(_table_of(file), []).append(file)
    return found


def _table_of(file: Path) -> tables.Table:
    for name in (file.name, *reversed(file.parts[:-1])):
        for table in tables.TABLES:
            if re.match(rf"{re.escape(table.name)}(?![A-Za-z0-9_])", name):
                return table
    return tables.EVENTS


def required(table: tables.Table) -> tuple[str, ...]:
    """Give the columns without which the rows mean nothing."""
    return _REQUIRED.get(table.name, _ALWAYS)


def written(table: tables.Table) -> dict[str, str]:
    """Give the columns and DuckDB types with which JSON lines are read."""
    types = {"datetime": _ZONED, "dynamic": "JSON", "boolean": "BOOLEAN", "real": "DOUBLE", "string": "VARCHAR"}
    return {name: types.get(kind, "BIGINT") for name, kind in table.columns}


def selected(table: tables.Table, found: Mapping[str, str], where: str) -> str:
    """Give the SELECT list that makes stored rows of a file's columns (name -> DuckDB type).

    Raises DataError when a column is missing that must be there, is spelled in another case, or does not convert.
    """
    required_columns = required(table)
    missing = [name for name in required_columns if name not in found]
    folded = {name.casefold(): name for name in found}
    for name, _ in table.columns:
        other = folded.get(name.casefold())
        if other is not None and name not in found:
            raise DataError(f"{where}: has a column {other}; {table.name} has {name} (case matters)")
    if missing:
        raise DataError(f"{where}: no column {', '.join(missing)}, which rows of {table.name} must have")
    columns = [f'{_stored(name, kind, found, where)} AS "{name}"' for name, kind in table.columns]
    if table is tables.EVENTS:
        known = f'coalesce("{tables.REPEATS}", TRUE)' if found.get(tables.REPEATS) == "BOOLEAN" else "TRUE"
        columns.append(f'{known} AS "{tables.REPEATS}"')
    return ", ".join([*columns, f'{_visible(found, where)} AS "{tables.VISIBLE}"'])


def doubtful(table: tables.Table, found: Mapping[str, str]) -> list[tuple[str, str]]:
    """Give (column, SQL condition that finds a value which does not convert): text that must be a time or a number."""
    targets = {"datetime": "TIMESTAMPTZ", "int": "INTEGER", "long": "BIGINT", "real": "DOUBLE", "boolean": "BOOLEAN"}
    return [
        (name, f'"{name}" IS NOT NULL AND TRY_CAST("{name}" AS {targets[kind]}) IS NULL')
        for name, kind in table.columns
        if kind in targets and found.get(name) == "VARCHAR"
    ]


def _visible(found: Mapping[str, str], where: str) -> str:
    """Rows of a file are seen from when they were received, or from their own time where it does not say."""
    for name in (tables.VISIBLE, tables.RECEIVED):
        if name in found:
            return (
                f"coalesce({_time(name, found[name], where)}, {_time('TimeGenerated', found['TimeGenerated'], where)})"
            )
    return _time("TimeGenerated", found["TimeGenerated"], where)


def _stored(name: str, kind: events.ColumnType, found: Mapping[str, str], where: str) -> str:
    if name not in found:
        if name == tables.RECEIVED:
            return _visible(found, where)
        return "''" if kind == "string" else f"CAST(NULL AS {tables.SQL_TYPES[kind]})"
    source = found[name]
    if kind == "datetime":
        return _time(name, source, where)
    if kind == "dynamic":
        return _dynamic(name, source)
    nested = bool(_NESTED.match(source))
    fits = {
        "string": not nested,
        "boolean": source in {"BOOLEAN", "VARCHAR"},
    }.get(kind, source == "VARCHAR" or bool(_NUMBERS.fullmatch(source)))
    if not fits:
        raise DataError(f"{where}: column {name} is {source}; it must hold {kind}")
    sql = f'CAST("{name}" AS {tables.SQL_TYPES[kind]})' if source != tables.SQL_TYPES[kind] else f'"{name}"'
    return f"coalesce({sql}, '')" if kind == "string" else sql


def _time(name: str, source: str, where: str) -> str:
    if source == "TIMESTAMP":
        return f'"{name}"'  # as it is, so that a time range skips what lies outside it
    if source == _ZONED:
        return f'make_timestamp(epoch_us("{name}"))'
    if source == "VARCHAR":
        return f'make_timestamp(epoch_us(CAST("{name}" AS TIMESTAMPTZ)))'
    if _TIMES.fullmatch(source):
        return f'CAST("{name}" AS TIMESTAMP)'
    raise DataError(f"{where}: column {name} is {source}; it must hold a time")


def _dynamic(name: str, source: str) -> str:
    if source == "JSON":
        return f'"{name}"'
    if source == "VARCHAR":
        # In Kusto text that is no JSON is a dynamic value too: that text.
        return f"""CASE WHEN json_valid("{name}") THEN "{name}"::JSON ELSE to_json(nullif("{name}", '')) END"""
    return f'to_json("{name}")'
