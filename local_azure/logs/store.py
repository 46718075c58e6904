"""The workspace's rows: what ingestion stores and queries read."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import duckdb

from core import events
from kql import tables
from kql.duckdb_engine import DuckDbEngine, connect
from local_azure.logs.conform import conform

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from core.events import ColumnType

FILE: Final = "logs.duckdb"


class LogStoreError(RuntimeError):
    """The rows cannot be opened or are not open."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of the data collection rule: what it declares, and the table that its rows go to."""

    columns: tuple[tuple[str, ColumnType], ...]
    table: tables.Table


STREAMS: Final[Mapping[str, Stream]] = {
    events.STREAM: Stream(tuple((column.name, column.type) for column in events.COLUMNS), tables.EVENTS),
}


@dataclass
class LogStore:
    """The tables, and how late their rows become visible.

    `latency_seconds` is Azure's time from the accepted upload to the row that a query finds (up to 15 minutes there,
    0 here); the ingestion endpoint scales it like every other duration of Azure.
    """

    directory: Path | None = None
    latency_seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    _connection: DuckDBPyConnection | None = None
    _engine: DuckDbEngine | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self) -> None:
        """Open the rows. Raises LogStoreError when the file cannot be used."""
        path = self.directory / FILE if self.directory else None
        try:
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = connect(path)
        except (duckdb.Error, OSError) as error:
            raise LogStoreError(f"cannot open the log rows in {path}: {error}") from error

    def close(self) -> None:
        """Close the rows. Safe to call twice."""
        if self._connection is not None:
            self._connection.close()
            self._connection = self._engine = None

    def clear(self) -> None:
        """Forget every row and count; the settings go back to what they were."""
        self.counts.clear()
        self.latency_seconds = 0.0
        if self._connection is not None:
            with self._cursor() as cursor:
                tables.clear(cursor)

    @property
    def engine(self) -> DuckDbEngine:
        """The engine that queries run on, made when the first one comes: parsing the shipped functions takes 0.2 s."""
        with self._lock:
            if self._engine is None:
                self._engine = DuckDbEngine(self._opened())
            return self._engine

    def upload(
        self, stream: Stream, rows: Iterable[Any], *, received: datetime | None = None, delay_seconds: float = 0.0
    ) -> int:
        """Store what a stream accepts of uploaded rows; they are seen `delay_seconds` after they were received.

        Returns the number of rows stored; what is not an object is dropped.
        """
        moment = received or datetime.now(UTC)
        uploaded = list(rows)
        kept = [conform(row, stream.columns, moment) for row in uploaded if isinstance(row, Mapping)]
        stored = self._append(stream.table, kept, moment, delay_seconds)
        with self._lock:  # uploads run in threads
            self.counts["rows_stored"] += stored
            self.counts["rows_dropped"] += len(uploaded) - stored
        return stored

    def add_traces(self, lines: Iterable[Mapping[str, Any]], *, received: datetime | None = None) -> int:
        """Store log lines as Application Insights would: rows with `Message` and what else AppTraces has."""
        moment = received or datetime.now(UTC)
        columns = [(name, kind) for name, kind in tables.TRACES.columns if name != tables.RECEIVED]
        return self._append(tables.TRACES, [conform(line, columns, moment) for line in lines], moment, 0.0)

    def _append(self, table: tables.Table, rows: list[dict[str, Any]], received: datetime, delay: float) -> int:
        with self._cursor() as cursor:
            visible = received + timedelta(seconds=delay)
            return tables.append(cursor, table, rows, received=received, visible=visible)

    def _cursor(self) -> DuckDBPyConnection:
        # A cursor is a connection of its own, so uploads and queries in several threads do not meet.
        return self._opened().cursor()

    def _opened(self) -> DuckDBPyConnection:
        if self._connection is None:
            raise LogStoreError("the log rows are not open: the local Azure has not started, or has stopped")
        return self._connection
