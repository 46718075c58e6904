"""The rows that a backtest needs, from a workspace into a database in memory, with the time at which each had come."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from alerts import corpus, kql_text
from alerts.model import MAX_RANGE
from kql import catalog, tables
from kql.engine import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from duckdb import DuckDBPyConnection

    from alerts.model import Rule
    from kql.chunks import Chunk


class ChunkEngine(Protocol):
    """What answers large queries: kql.workspace_engine.WorkspaceEngine."""

    def query_chunks(self, kql: str, start: datetime, end: datetime) -> Iterator[Chunk]:
        """Give the answer, a stretch of time after the other."""
        ...


def tables_of(rules: Sequence[Rule]) -> list[tables.Table]:
    """Give the tables that the rules read in the end, those of the functions that they call included."""
    functions = {name: entry.body for name, entry in catalog.functions().items()}
    words: frozenset[str] = frozenset()
    for rule in rules:
        text = corpus.query_text(rule)
        words |= kql_text.words(text)
        for name in kql_text.reached(text, functions):
            words |= kql_text.words(functions[name])
    return [table for table in tables.TABLES if table.name in words]


def load(  # noqa: PLR0913, PLR0917 - from where, what of it, and where to
    engine: ChunkEngine,
    wanted: Sequence[tables.Table],
    start: datetime,
    end: datetime,
    connection: DuckDBPyConnection,
    missing: Callable[[str], None],
) -> int:
    """Copy the rows of these tables that evaluations from `start` to `end` may see; gives how many there are.

    A row is seen from its _TimeReceived on. A table that the workspace does not have is told to `missing`, and stays
    empty. Raises QueryError for any other fault.
    """
    count = 0
    for table in wanted:
        columns = [name for name, _ in table.columns]
        text = f"{table.name}\n| project {', '.join(columns)}"
        try:
            for chunk in engine.query_chunks(text, start - MAX_RANGE, end):
                count += tables.append_each(connection, table, (_arrived(row) for row in chunk.table))
        except QueryError as error:
            if error.kind != "semantic":
                raise
            missing(f"{table.name}: {error.message}")
    return count


def _arrived(row: dict[str, Any]) -> tuple[dict[str, Any], datetime, datetime]:
    received = row.get(tables.RECEIVED) or row["TimeGenerated"]
    return {name: _wire(value) for name, value in row.items()}, received, received


def _wire(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return value
