"""Large queries, a stretch of time after the other: halved when one is still too large, in order, several at a time."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from kql.engine import Engine, QueryError, ResultTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Interval = tuple[datetime, datetime]
DAY: Final = timedelta(days=1)
SHORTEST: Final = timedelta(minutes=1)
"""A chunk is not halved below this: rows that are too many for one minute are another problem."""
TIME_COLUMN: Final = "TimeGenerated"


@dataclass(frozen=True, slots=True)
class Chunk:
    """The answer for the rows from `start` on, before `end`."""

    start: datetime
    end: datetime
    table: ResultTable


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it has come: the time answered and asked for, what was `done` before included, and the rows so far."""

    answered: timedelta
    asked: timedelta
    rows: int

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.answered / self.asked if self.asked else 1.0


def query_chunks(  # noqa: PLR0913 - each is a choice of its own
    engine: Engine,
    kql: str,
    start: datetime,
    end: datetime,
    *,
    chunk: timedelta = DAY,
    parallel: int = 4,
    time_column: str | None = TIME_COLUMN,
    done: Sequence[Interval] = (),
    progress: Callable[[Progress], None] | None = None,
) -> Iterator[Chunk]:
    """Answer a query over [start, end), chunk by chunk in the order of time; give each as soon as it is there.

    A chunk that is too large (a partial or cut answer) or too slow (a timeout) is asked again in halves, down to a
    minute; then, and for any other fault, QueryError is raised. What was given until then stays valid: give it back as
    `done`, intervals that are not asked again, to go on later.

    An engine's time span has both its ends, so a row exactly between two chunks would come twice: the result is cut at
    `time_column`, which it must have. With None it is not, for results that have no such column. Either way the query
    runs on each chunk by itself: sums over the whole, or duplicates in two chunks, are the caller's to put together.
    Raises ValueError for times without a zone and for a chunk or number of threads that is not positive.
    """
    if start.tzinfo is None or end.tzinfo is None:
        raise ValueError("start and end need a time zone")
    if chunk <= timedelta() or parallel < 1:
        raise ValueError("chunk and parallel must be positive")
    return _run(_Asking(engine, kql, time_column), _Plan(start, end, chunk, tuple(done)), parallel, progress)


@dataclass(frozen=True, slots=True)
class _Asking:
    engine: Engine
    kql: str
    time_column: str | None

    def fetch(self, start: datetime, end: datetime) -> list[Chunk]:
        """Answer one chunk, in halves where it must be."""
        try:
            table = self.engine.query(self._text(start, end), timespan=(start, end))
        except QueryError as error:
            if error.kind not in {"partial", "timeout"} or end - start < 2 * SHORTEST:
                raise
        else:
            if table.truncated_at is None and table.partial is None:
                return [Chunk(start, end, table)]
            if end - start < 2 * SHORTEST:
                why = table.partial or f"more than {table.truncated_at} rows"
                raise QueryError("partial", f"the rows from {start} to {end} are too many for one answer: {why}")
        middle = start + (end - start) / 2
        return [*self.fetch(start, middle), *self.fetch(middle, end)]

    def _text(self, start: datetime, end: datetime) -> str:
        if self.time_column is None:
            return self.kql
        column, first, last = f"['{self.time_column}']", _literal(start), _literal(end)
        return f"{self.kql.rstrip().rstrip(';')}\n| where {column} >= {first} and {column} < {last}"


@dataclass(frozen=True, slots=True)
class _Plan:
    start: datetime
    end: datetime
    chunk: timedelta
    done: tuple[Interval, ...]

    def chunks(self) -> Iterator[Interval]:
        """Give what is left to ask, in order and in pieces no longer than a chunk."""
        for start, end in self._gaps():
            at = start
            while at < end:
                upto = min(at + self.chunk, end)
                yield at, upto
                at = upto

    def _gaps(self) -> Iterator[Interval]:
        at = self.start
        for start, end in sorted(self.done):
            if at < min(start, self.end):
                yield at, min(start, self.end)
            at = max(at, end)
        if at < self.end:
            yield at, self.end

    def left(self) -> timedelta:
        return sum((end - start for start, end in self._gaps()), timedelta())


def _run(asking: _Asking, plan: _Plan, parallel: int, progress: Callable[[Progress], None] | None) -> Iterator[Chunk]:
    asked = max(plan.end - plan.start, timedelta())
    answered, rows = asked - plan.left(), 0
    waiting: deque[Future[list[Chunk]]] = deque()
    todo = plan.chunks()
    pool = ThreadPoolExecutor(parallel, thread_name_prefix="query-chunk")
    try:
        while True:
            # Only a few are ahead of the reader, for their rows are held until they are wanted.
            while len(waiting) < parallel and (interval := next(todo, None)):
                waiting.append(pool.submit(asking.fetch, *interval))
            if not waiting:
                return
            for chunk in waiting.popleft().result():
                answered, rows = answered + (chunk.end - chunk.start), rows + len(chunk.table)
                if progress:
                    progress(Progress(answered, asked, rows))
                yield chunk
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _literal(moment: datetime) -> str:
    return f"datetime({moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z)"
