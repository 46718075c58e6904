"""Runs KQL on DuckDB: translate, show the query the rows that it may see, execute, type the answer.

The translator (duckdb-kql) refuses what it does not know instead of approximating it, and so does this engine: such a
query raises QueryError of kind `unsupported`, though a workspace would answer it.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

import duckdb
from duckdb_kql.types import kusto_type

from core import events
from kql import catalog, duckdb_errors, many_moments, step_results, steps, tables, translation
from kql.engine import KqlType, QueryError, ResultColumn, ResultTable, Stop, Timespan, bounds
from kql.many_moments import NOW as _NOW

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from kql.many_moments import Moment
    from kql.step_results import Window
    from kql.steps import Step

MAX_ROWS: Final = 500_000
"""Log Analytics cuts a result here and says so."""
MEMORY: Final = "4GB"
"""What one database may use: a careless query fails instead of taking the machine with it."""
NOT_WORTH_IT: Final = "projection_pullup"
"""The optimizer whose passes over the queries that ship take a quarter of their planning, and make none faster."""
_TRUNCATION: Final = re.compile(r"\bset\s+truncationmaxrecords\s*=\s*(\d+)\s*;", re.IGNORECASE)


def connect(path: Path | None = None) -> DuckDBPyConnection:
    """Open a database, in memory or in a file, whose queries can reach nothing but its tables."""
    connection = duckdb.connect(str(path) if path else ":memory:")
    lock_down(connection)
    tables.create(connection)
    return connection


def lock_down(connection: DuckDBPyConnection) -> None:
    """Leave a database nothing but what it has open already: queries reach its tables, in UTC, within MEMORY."""
    connection.execute("SET TimeZone = 'UTC'")
    # A table name that is a Python variable or a file's path must be an unknown table, not that variable or file.
    connection.execute("SET enable_external_access = false")
    connection.execute(f"SET memory_limit = '{MEMORY}'")
    connection.execute(f"SET disabled_optimizers = '{NOT_WORTH_IT}'")


def plan_plainly(connection: DuckDBPyConnection) -> None:
    """Leave out every optimization of every query, for a database of no or a few rows.

    There, planning a query is all that it costs (0.6 s for the largest function), and half of that are optimizations.
    The answers are the same.
    """
    names = connection.execute("SELECT string_agg(name, ',') FROM duckdb_optimizers()").fetchone()
    connection.execute("SET disabled_optimizers = $1", names)


class DuckDbEngine:
    """The engine of this machine. Safe to use from several threads: each query has a cursor of its own.

    `connection` is one made by `connect`. `shipped_function` runs kql/functions/AciDnsEvents.kql as it is deployed,
    in place of the view that says the same for a fraction of the time and memory, and writes every function into the
    query, where steps (kql/steps.py) are answered before it; tests compare the two. `keeps` keeps what steps answer for
    later queries as of the same instant: for `open_data`'s connections, whose rows do not change.
    """

    def __init__(self, connection: DuckDBPyConnection, *, shipped_function: bool = False, keeps: bool = False) -> None:
        self._connection = connection
        shipped = {name: entry.definition for name, entry in catalog.functions().items()}
        once = {} if shipped_function else {events.FUNCTION: f"function {events.FUNCTION}() {{ {tables.ONCE} }}"}
        self._whole = _translator(shipped | once, {})
        self._stepped = (
            self._whole if shipped_function else _translator(shipped | once | steps.definitions(), steps.schema())
        )
        self._kept = step_results.Kept(connection) if keeps else None

    def prepare(self) -> None:
        """Translate the shipped functions now: what is asked first need not wait for it."""
        for name in steps.stepped():
            self._stepped(catalog.functions()[name].body)

    def query(  # noqa: PLR0913 - each is a choice of its own
        self,
        kql: str,
        *,
        timespan: Timespan | None = None,
        now: datetime | None = None,
        timeout_seconds: float | None = None,
        max_rows: int = MAX_ROWS,
        stop: Stop | None = None,
    ) -> ResultTable:
        """Answer a query. Rows that are ingested after `now` are not seen. Raises QueryError.

        A result of more than `max_rows` rows is cut; `set truncationmaxrecords=N;` in the query lowers the limit.
        `stop` ends the query from another thread: it then raises QueryError of kind `timeout`.
        """
        moment = (now or datetime.now(UTC)).astimezone(UTC)
        text, limit = _take_truncation(kql, max_rows)
        sql, given = self._stepped(text)
        first = steps.before(sql, self._stepped)
        window = (bounds(timespan, moment), moment)
        stop = stop or Stop()
        with self._cursor() as cursor, _deadline(stop, timeout_seconds) as expired, stop.interrupts(cursor.interrupt):
            try:
                for statement in tables.view_statements(*window, read_by=steps.reads(sql, first)):
                    cursor.execute(statement)
                with self._answered(cursor, first, window, stop):
                    step_results.check(stop)
                    cursor.execute(sql, _values(given, moment))
                    return _result(cursor, limit)
            except duckdb.Error as error:
                if stop.is_set or isinstance(error, duckdb.InterruptException):
                    raise _ended(expired(), timeout_seconds) from error
                raise duckdb_errors.from_duckdb(error, text) from error

    def query_each(self, kql: str, moments: Sequence[Moment]) -> Iterator[ResultTable]:
        """Answer a query as it would be answered at each of these moments, in order, many moments in one go.

        The rows of an answer are in no certain order. Raises QueryError; a query that cannot be asked for many moments
        at once is of kind `unsupported`, and `query` may still answer it.
        """
        text, limit = _take_truncation(kql, MAX_ROWS)
        sql, _ = self._whole(text)
        with self._cursor() as cursor:
            try:
                for batch in many_moments.batches(cursor, sql, moments):
                    cursor.execute(many_moments.asked(sql, batch))
                    yield from many_moments.apart(_result(cursor, limit * len(batch)), len(batch))
            except duckdb.Error as error:
                raise duckdb_errors.from_duckdb(error, text) from error

    @contextmanager
    def _answered(self, cursor: DuckDBPyConnection, first: list[Step], window: Window, stop: Stop) -> Iterator[None]:
        """Let the cursor see what the steps before a query answer."""

        def values(given: Mapping[str, Any]) -> dict[str, Any] | None:
            return _values(given, window[1])

        if self._kept is None:
            step_results.make(cursor, first, values, stop)
            yield
        else:
            with self._kept.lent(cursor, first, values, stop, window):
                yield

    @contextmanager
    def _cursor(self) -> Iterator[DuckDBPyConnection]:
        cursor = self._connection.cursor()
        try:
            yield cursor
        finally:
            cursor.close()


def _translator(
    definitions: Mapping[str, str], results: Mapping[str, list[str]]
) -> Callable[[str], translation.Translated]:
    known = {**tables.schema(), **results}
    return translation.translator(
        tuple(definitions.items()), tuple((table, tuple(columns)) for table, columns in known.items())
    )


def _values(given: Mapping[str, Any], moment: datetime) -> dict[str, Any] | None:
    """Give the values of a translated text's parameters, of which now() may be one."""
    return {name: moment.replace(tzinfo=None) if name == _NOW else value for name, value in given.items()} or None


def _take_truncation(kql: str, max_rows: int) -> tuple[str, int]:
    """Take the one `set` option that the engine itself honours out of the query, keeping every position in it."""
    limit = max_rows

    def blank(match: re.Match[str]) -> str:
        nonlocal limit
        limit = min(limit, int(match.group(1)))
        return re.sub(r"[^\n]", " ", match.group(0))

    return _TRUNCATION.sub(blank, kql), limit


@contextmanager
def _deadline(stop: Stop, seconds: float | None) -> Iterator[Callable[[], bool]]:
    """Say `stop` after `seconds`; yields a function that tells whether that happened."""
    if seconds is None:
        yield lambda: False
        return
    fired = threading.Event()

    def expire() -> None:
        fired.set()
        stop.set()

    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        yield fired.is_set
    finally:
        timer.cancel()
        timer.join()


def _ended(expired: bool, seconds: float | None) -> QueryError:
    return QueryError("timeout", f"the query did not finish within {seconds:g} s" if expired and seconds else "stopped")


def _result(cursor: DuckDBPyConnection, limit: int) -> ResultTable:
    described = cursor.description or []
    columns = tuple(ResultColumn(name, cast("KqlType", kusto_type(kind))) for name, kind, *_ in described)
    rows = cursor.fetchmany(limit + 1)
    convert = [_CONVERTERS.get(column.type, _unchanged) for column in columns]
    nulls = ["" if column.type == "string" else None for column in columns]  # an outer join makes null strings
    typed = tuple(
        tuple(null if value is None else change(value) for change, null, value in zip(convert, nulls, row, strict=True))
        for row in rows[:limit]
    )
    return ResultTable(columns, typed, truncated_at=limit if len(rows) > limit else None)


def _unchanged(value: Any) -> Any:
    return value


def _utc(value: datetime | date) -> datetime:
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _from_dynamic(value: Any) -> Any:
    """JSON columns come as text, lists and structs as Python's own; both are plain JSON values afterwards."""
    if isinstance(value, str):
        return json.loads(value)
    if isinstance(value, Mapping):
        return {str(key): _inside_dynamic(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_inside_dynamic(item) for item in value]
    return _inside_dynamic(value)


def _inside_dynamic(value: Any) -> Any:
    if isinstance(value, Mapping | list):
        return _from_dynamic(value)
    if isinstance(value, datetime):
        return _utc(value).isoformat().replace("+00:00", "Z")
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


_CONVERTERS: Final[Mapping[KqlType, Callable[[Any], Any]]] = {
    "datetime": _utc,
    "dynamic": _from_dynamic,
    "guid": lambda value: str(value) if isinstance(value, UUID) else value,
    "string": lambda value: value if isinstance(value, str) else str(value),
}
