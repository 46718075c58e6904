"""Makes what a query's steps answer: for one query, or kept for those that ask after it at the same instant."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import duckdb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from duckdb import DuckDBPyConnection

    from kql.engine import Stop
    from kql.steps import Step

    Values = Callable[[Mapping[str, Any]], dict[str, Any] | None]
    """Gives the values of a statement's parameters."""
    Window = tuple[tuple[datetime, datetime] | None, datetime]
    """The first and last TimeGenerated that may be seen, and the time that it is."""

DATABASE: Final = "kept"
"""Where kept results lie: a database in memory, attached by who opens a connection whose rows never change."""
MOST_WINDOWS: Final = 4
"""Windows whose results are kept: what a page and the one before it show, and two more readers."""
_LOOK_SECONDS: Final = 0.1


def attach(connection: DuckDBPyConnection) -> None:
    """Make room for results that are kept; before the connection is locked down."""
    connection.execute(f"ATTACH ':memory:' AS {DATABASE}")


def make(cursor: DuckDBPyConnection, steps: list[Step], values: Values, stop: Stop) -> None:
    """Make the results for one query; they are gone with its cursor."""
    for step in steps:
        check(stop)
        cursor.execute(f'CREATE TEMP TABLE "{step.table}" AS {step.sql}', values(step.given))


@dataclass(slots=True)
class _Result:
    """One function's rows in one window: whoever needs them first makes them, and others wait meanwhile."""

    table: str
    is_made: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(slots=True)
class _Shelf:
    """What is kept of one window, by function, and how many queries read it now."""

    results: dict[str, _Result] = field(default_factory=dict)
    users: int = 0


class Kept:
    """Results that several queries read. Only for rows that do not change while the connection is open; thread-safe."""

    def __init__(self, connection: DuckDBPyConnection) -> None:
        self._connection = connection
        self._shelves: OrderedDict[Window, _Shelf] = OrderedDict()
        self._lock = threading.Lock()
        self._made = 0

    @contextmanager
    def lent(
        self, cursor: DuckDBPyConnection, steps: list[Step], values: Values, stop: Stop, window: Window
    ) -> Iterator[None]:
        """Let a cursor see the results of these steps, made now or before."""
        shelf = self._taken(window)
        try:
            for step in steps:
                result = self._place(shelf, step)
                _fill(cursor, step, result, values, stop)
                cursor.execute(f'CREATE TEMP VIEW "{step.table}" AS SELECT * FROM {result.table}')  # noqa: S608 - ours
            yield
        finally:
            with self._lock:
                shelf.users -= 1

    def _taken(self, window: Window) -> _Shelf:
        with self._lock:
            shelf = self._shelves.setdefault(window, _Shelf())
            shelf.users += 1
            self._shelves.move_to_end(window)
            idle = [key for key, each in self._shelves.items() if not each.users]
            gone = [self._shelves.pop(key) for key in idle[: max(0, len(self._shelves) - MOST_WINDOWS)]]
        for result in (result for each in gone for result in each.results.values()):
            with self._connection.cursor() as cursor:
                cursor.execute(f"DROP TABLE IF EXISTS {result.table}")
        return shelf

    def _place(self, shelf: _Shelf, step: Step) -> _Result:
        with self._lock:
            if step.function not in shelf.results:
                self._made += 1
                shelf.results[step.function] = _Result(f'{DATABASE}.main."{step.function}_{self._made}"')
            return shelf.results[step.function]


def _fill(cursor: DuckDBPyConnection, step: Step, result: _Result, values: Values, stop: Stop) -> None:
    while not result.lock.acquire(timeout=_LOOK_SECONDS):
        check(stop)
    try:
        check(stop)
        if not result.is_made:
            cursor.execute(f"CREATE TABLE {result.table} AS {step.sql}", values(step.given))
            result.is_made = True
    finally:
        result.lock.release()


def check(stop: Stop) -> None:
    """Raise duckdb.InterruptException when the end was said."""
    # An interrupt before a statement runs is lost on DuckDB: whether the end was said is asked before each.
    if stop.is_set:
        raise duckdb.InterruptException("stopped")
