"""The tables that queries see, as DuckDB holds them: the event table, Azure's own tables, and the deduplicated view.

Rows are stored under the schema `storage` with the time at which they become visible. A query never reads `storage`:
for each one the engine makes temporary views under the tables' Log Analytics names, which hold only the rows that the
query may see at its time (see `view_statements`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from core import events
from kql.standard_tables import STANDARD_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from duckdb import DuckDBPyConnection

    from kql.engine import KqlType

TRACES_TABLE: Final = "AppTraces"
RECEIVED: Final = "_TimeReceived"
"""Standard column: when the ingestion pipeline took the row."""
VISIBLE: Final = "_IngestedAt"
"""When queries begin to see the row (Kusto's ingestion_time()); not a column that a query can name."""

REPEATS: Final = "_MayRepeat"
"""Stored beside each event: false where it is known that no other row, and no log line, has its EventId.

Whoever writes millions of rows knows which were sent twice. Only the others have to be compared with one another then,
which is what takes time: see `_deduplicated`. Not a column that a query can name.
"""

ONCE: Final = "_AciDnsEventsOnce"
"""The deduplicated view; the function AciDnsEvents() reads it, for a function cannot read a table of its own name."""

_TYPE_COLUMN: Final[tuple[str, KqlType]] = ("Type", "string")
"""Standard column: the table's name."""

SQL_TYPES: Final[Mapping[events.ColumnType, str]] = {
    "datetime": "TIMESTAMP",  # always UTC; without a zone DuckDB needs no time zone data to hand it out
    "string": "VARCHAR",
    "int": "INTEGER",
    "long": "BIGINT",
    "real": "DOUBLE",
    "boolean": "BOOLEAN",
    "dynamic": "JSON",
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its name in the workspace, where DuckDB keeps it, and its columns (name, stream type)."""

    name: str
    storage: str
    columns: tuple[tuple[str, events.ColumnType], ...]

    @property
    def names(self) -> list[str]:
        """The columns that a query sees, in order."""
        return [*(name for name, _ in self.columns), "Type"]


EVENTS: Final = Table(
    events.TABLE,
    "storage.events",
    (*((column.name, column.type) for column in events.COLUMNS), (RECEIVED, "datetime")),
)
_STANDARD: Final = {
    name: Table(
        name, f"storage.{'traces' if name == TRACES_TABLE else name.lower()}", (*columns, (RECEIVED, "datetime"))
    )
    for name, columns in STANDARD_TABLES.items()
}
TRACES: Final = _STANDARD[TRACES_TABLE]
REQUESTS: Final = _STANDARD["AppRequests"]
EXCEPTIONS: Final = _STANDARD["AppExceptions"]
RULE_ERRORS: Final = _STANDARD["DCRLogErrors"]
TABLES: Final = (EVENTS, *_STANDARD.values())


def schema() -> dict[str, list[str]]:
    """Give the columns of everything that a query can name, by table."""
    tables = {table.name: table.names for table in TABLES}
    columns = [column.name for column in events.COLUMNS]
    return {**tables, events.FUNCTION: columns, ONCE: columns}


def typed_schema() -> dict[str, list[tuple[str, KqlType]]]:
    """Give the columns (name, KQL type) of everything that a query can name, by table: what a parser needs to know."""
    tables = {table.name: [*((name, kql_type(kind)) for name, kind in table.columns), _TYPE_COLUMN] for table in TABLES}
    columns = [(column.name, kql_type(column.type)) for column in events.COLUMNS]
    return {**tables, events.FUNCTION: columns, ONCE: columns}


def kql_type(kind: events.ColumnType) -> KqlType:
    """Name a stream declaration's type as KQL does."""
    return "bool" if kind == "boolean" else kind


def create(connection: DuckDBPyConnection) -> None:
    """Make the tables that are not there yet.

    A string is never null, for Kusto has no null string: an absent one is empty.
    """
    connection.execute("CREATE SCHEMA IF NOT EXISTS storage")
    for table in TABLES:
        columns = [f"{_quoted(name)} {SQL_TYPES[kind]}{_constraint(kind)}" for name, kind in table.columns]
        columns.append(f"{_quoted(VISIBLE)} TIMESTAMP NOT NULL")
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table.storage} ({', '.join(columns)})")
    # By itself, for a table that is there since before the column was.
    marked = f"ADD COLUMN IF NOT EXISTS {_quoted(REPEATS)} BOOLEAN DEFAULT TRUE"
    connection.execute(f"ALTER TABLE {EVENTS.storage} {marked}")


def clear(connection: DuckDBPyConnection) -> None:
    """Delete every row."""
    for table in TABLES:
        connection.execute(f"DELETE FROM {table.storage}")  # noqa: S608 - names of ours


def append(
    connection: DuckDBPyConnection,
    table: Table,
    rows: Iterable[Mapping[str, Any]],
    *,
    received: datetime,
    visible: datetime | None = None,
) -> int:
    """Store rows whose values already have their columns' types (JSON values; datetimes as ISO 8601 text in UTC).

    They are seen by queries from `visible` on, by default from `received` on. Returns how many were stored.
    """
    return append_each(connection, table, ((row, received, visible or received) for row in rows))


def append_each(
    connection: DuckDBPyConnection, table: Table, rows: Iterable[tuple[Mapping[str, Any], datetime, datetime]]
) -> int:
    """Store rows as `append` does, each with its own times: (row, received, visible)."""
    batch = [{**row, RECEIVED: _literal(received), VISIBLE: _literal(visible)} for row, received, visible in rows]
    if not batch:
        return 0
    # One JSON document and one statement: 1,000 rows take some 10 ms, row by row they would take a second.
    shape = {name: "JSON" if kind == "dynamic" else SQL_TYPES[kind] for name, kind in _stored_columns(table)}
    values = ", ".join(
        (f"coalesce(r.{_quoted(name)}, '')" if kind == "string" else f"r.{_quoted(name)}") + f" AS {_quoted(name)}"
        for name, kind in _stored_columns(table)
    )
    connection.execute(
        f"INSERT INTO {table.storage} BY NAME SELECT {values} FROM (SELECT unnest(from_json($1, $2)) AS r)",  # noqa: S608 - ours
        [_document(batch), json.dumps([shape])],
    )
    ids = [event_id for row in batch if (event_id := _event_id_of(table, row))]
    if ids:
        _doubt(connection, ids)
    return len(batch)


def _event_id_of(table: Table, row: Mapping[str, Any]) -> str:
    """Give the id of the event that a row, or a log line, tells of; empty when it tells of none."""
    if table is EVENTS:
        return _storable(str(row.get("EventId") or ""))
    message = str(row.get("Message") or "") if table is TRACES else ""
    if not message.startswith(events.FALLBACK_MARKER):
        return ""
    try:
        return _storable(str(json.loads(message.removeprefix(events.FALLBACK_MARKER)).get("EventId") or ""))
    except (ValueError, AttributeError):
        return ""


def _doubt(connection: DuckDBPyConnection, ids: list[str]) -> None:
    """Take back that rows are the only ones of their event: another has come. Where none is marked, nothing is read."""
    connection.execute(
        f"UPDATE {EVENTS.storage} SET {_quoted(REPEATS)} = TRUE "  # noqa: S608 - names of ours
        f'WHERE NOT {_quoted(REPEATS)} AND "EventId" IN (SELECT unnest($1))',
        [ids],
    )


def _document(batch: list[dict[str, Any]]) -> str:
    return _storable(json.dumps(batch, ensure_ascii=False))


def _storable(text: str) -> str:
    # JSON may escape half of a surrogate pair; DuckDB refuses the whole text for it, so it becomes a question mark.
    return text.encode("utf-8", "replace").decode()


def view_statements(bounds: tuple[datetime, datetime] | None, now: datetime, *, read_by: str = "") -> list[str]:
    """Give the SQL that makes the temporary views for one query: what is visible at `now`, within `bounds`.

    `read_by` is the query's SQL: a view that it does not name is left out, for DuckDB takes 2 ms to make one.
    """
    seen = f"{_quoted(VISIBLE)} <= TIMESTAMP '{_literal(now)}'"
    if bounds is not None:
        start, end = bounds
        seen += f" AND \"TimeGenerated\" BETWEEN TIMESTAMP '{_literal(start)}' AND TIMESTAMP '{_literal(end)}'"
    return [f"CREATE TEMP VIEW {_quoted(name)} AS {select}" for name, select in selects(seen, read_by=read_by)]


def selects(seen: str, *, read_by: str = "") -> list[tuple[str, str]]:
    """Give what a query's names stand for, (name, SQL): the rows for which `seen`, a condition in SQL, holds.

    Each may read those before it. `read_by` as above.
    """
    named = read_by.casefold()
    found = [
        (table.name, _table_select(table, seen)) for table in TABLES if not named or table.name.casefold() in named
    ]
    if not named or ONCE.casefold() in named or _quoted(events.FUNCTION).casefold() in named:
        found += [(ONCE, _deduplicated(seen)), (events.FUNCTION, f"SELECT * FROM {_quoted(ONCE)}")]  # noqa: S608 - ours
    return found


def _table_select(table: Table, seen: str) -> str:
    columns = ", ".join(_quoted(name) for name, _ in table.columns)
    return f"SELECT {columns}, '{table.name}' AS \"Type\" FROM {table.storage} WHERE {seen}"  # noqa: S608 - names of ours


def _deduplicated(seen: str) -> str:
    """Say in SQL what kql/functions/AciDnsEvents.kql says in KQL; a test holds the two together.

    Choosing row ids and joining back reads two columns to deduplicate; `arg_max(TimeGenerated, *)` as it is translated
    aggregates every column: 3 s and 0.9 GB against 85 s and 13 GB for 10 million rows. Rows that are known to be the
    only ones of their event (REPEATS) are not compared at all.
    """
    stored = ", ".join(_quoted(column.name) for column in events.COLUMNS)
    parsed = ", ".join(f"{_from_line(column)} AS {_quoted(column.name)}" for column in events.COLUMNS)
    repeats = _quoted(REPEATS)
    # Row ids of the table count up from 0, those of log lines down from -1, so one number names a row of either.
    return f"""WITH lines AS MATERIALIZED (
  SELECT -1 - rowid AS id, TRY_CAST(substr("Message", {len(events.FALLBACK_MARKER) + 1}) AS JSON) AS line
  FROM {TRACES.storage} WHERE starts_with("Message", '{events.FALLBACK_MARKER}') AND {seen}
), parsed AS (SELECT id, {parsed} FROM lines
), fallback AS (SELECT * FROM parsed WHERE "EventId" <> '' AND "TimeGenerated" IS NOT NULL
), winners AS (
  SELECT arg_max(id, "TimeGenerated") AS id FROM (
    SELECT rowid AS id, "EventId", "TimeGenerated" FROM {EVENTS.storage} WHERE {repeats} AND {seen}
    UNION ALL SELECT id, "EventId", "TimeGenerated" FROM fallback) GROUP BY "EventId")
SELECT {stored} FROM {EVENTS.storage} WHERE NOT {repeats} AND {seen}
UNION ALL SELECT {stored} FROM {EVENTS.storage} WHERE {repeats} AND rowid IN (SELECT id FROM winners) AND {seen}
UNION ALL SELECT {stored} FROM fallback WHERE id IN (SELECT id FROM winners)"""  # noqa: S608 - names and instants of ours


def _from_line(column: events.Column) -> str:
    if column.type == "dynamic":
        return f"json_extract(line, '$.{column.name}')"
    text = f"line->>'$.{column.name}'"
    if column.type == "string":
        return f"coalesce({text}, '')"
    return f"TRY_CAST({text} AS {SQL_TYPES[column.type]})"


def _stored_columns(table: Table) -> tuple[tuple[str, events.ColumnType], ...]:
    return (*table.columns, (VISIBLE, "datetime"))


def _constraint(kind: events.ColumnType) -> str:
    return " NOT NULL DEFAULT ''" if kind == "string" else ""


def _quoted(name: str) -> str:
    return f'"{name}"'


def _literal(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
