"""What a KQL engine is: a query goes in, a typed table or an error that says where comes out. Pure words, no engine."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol

KqlType = Literal["bool", "datetime", "decimal", "dynamic", "guid", "int", "long", "real", "string", "timespan"]
"""A column's type as Log Analytics names it."""

Timespan = timedelta | tuple[datetime, datetime]
"""The rows a query may see, by TimeGenerated: the last so much, or from one time to another, both included."""


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """One column of a result."""

    name: str
    type: KqlType


@dataclass(frozen=True, slots=True)
class ResultTable:
    """The answer to a query.

    Values are Python's: datetime in UTC, timedelta, Decimal, str (also for guid), and for `dynamic` what its JSON says.
    A null is None, but a string is never null, as in Kusto: it is empty. `truncated_at` is the row limit that cut the
    result, or None when it is whole; `partial` says why a workspace could answer only in part.
    """

    columns: tuple[ResultColumn, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated_at: int | None = None
    partial: str | None = None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Walk the rows, each as a dictionary by column name."""
        names = [column.name for column in self.columns]
        return (dict(zip(names, row, strict=True)) for row in self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def values(self, column: str) -> list[Any]:
        """Give one column's values, in row order. Raises KeyError when there is no such column."""
        for index, candidate in enumerate(self.columns):
            if candidate.name == column:
                return [row[index] for row in self.rows]
        raise KeyError(f"no column {column!r}; the result has {', '.join(c.name for c in self.columns)}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a query: `line` counts from 1 and `column` from 0, as Log Analytics does; `token` is the text there."""

    line: int
    column: int
    token: str = ""


class QueryError(Exception):
    """A query that cannot be answered.

    `kind`: `syntax` and `semantic` are faults of the query and fail in a workspace too; `unsupported` is valid KQL that
    this engine cannot run; `timeout` took too long; `partial` was answered only in part (too many rows or bytes, say);
    `service` is the engine's own failure (not reachable, refused).
    `code` is Kusto's code for it (SYN0002, SEM0100) where it has one; `place` is None when it is not known.
    """

    def __init__(
        self,
        kind: Literal["syntax", "semantic", "unsupported", "timeout", "partial", "service"],
        message: str,
        *,
        code: str = "",
        place: Place | None = None,
    ) -> None:
        super().__init__(f"{message} (line {place.line}, column {place.column})" if place else message)
        self.kind = kind
        self.message = message
        self.code = code
        self.place = place

    @property
    def line(self) -> int | None:
        """The line at fault, from 1, or None."""
        return self.place.line if self.place else None

    @property
    def column(self) -> int | None:
        """The column at fault, from 0, or None."""
        return self.place.column if self.place else None


class Stop:
    """Ends a query that nobody waits for any more. Any thread may say so, before the query runs or while it does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._interrupts: set[Callable[[], None]] = set()
        self._is_set = False

    @property
    def is_set(self) -> bool:
        """Whether the end was said."""
        return self._is_set

    def set(self) -> None:
        """Say it; what runs is interrupted."""
        with self._lock:
            self._is_set = True
            for interrupt in self._interrupts:
                interrupt()

    @contextmanager
    def interrupts(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Call `interrupt` when the end is said while this is open, or was said before."""
        with self._lock:
            self._interrupts.add(interrupt)
            if self._is_set:
                interrupt()
        try:
            yield
        finally:
            with self._lock:
                self._interrupts.discard(interrupt)


class Engine(Protocol):
    """Runs KQL."""

    def query(self, kql: str, *, timespan: Timespan | None = None, now: datetime | None = None) -> ResultTable:
        """Answer a query over the rows whose TimeGenerated lies in `timespan` (None: all rows).

        `now` freezes now() and ago(), where the engine can; None means the real time. Raises QueryError.
        """
        ...


def bounds(timespan: Timespan | None, now: datetime) -> tuple[datetime, datetime] | None:
    """Give the first and last instant that a timespan covers when it is `now`."""
    if timespan is None:
        return None
    if isinstance(timespan, timedelta):
        return now - timespan, now
    start, end = timespan
    return start.astimezone(UTC), end.astimezone(UTC)
