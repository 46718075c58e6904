"""Fetches a workspace's events into a chunk store: a day at a time, several at once, going on where it ended before."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

from core import events
from core.errors import ThrottledError, ToolkitError, UnavailableError
from kql.chunks import DAY, Progress
from kql.engine import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kql.chunks import Chunk, Interval
    from notebooks.chunk_store import ChunkStore

QUERY: Final = f"{events.FUNCTION}()"
DEFAULT_SPAN: Final = timedelta(days=90)
"""How far back a workspace is asked when nothing is said."""
_SMALLER: Final = timedelta(hours=1)
"""When a day cannot be had, its hours are asked one by one: so only those that really fail are missing."""
_ENOUGH_MISSED: Final = 6
"""After so many pieces that could not be had, the rest is not asked any more: each took dozens of requests."""
_ENOUGH: Final = 3
"""A service that refuses so often although every request was repeated is not asked any more."""


class ChunkedEngine(Protocol):
    """What answers: kql.workspace_engine.WorkspaceEngine."""

    def query_chunks(  # noqa: PLR0913 - the engine's own signature
        self,
        kql: str,
        start: datetime,
        end: datetime,
        *,
        chunk: timedelta = ...,
        parallel: int = ...,
        time_column: str | None = ...,
        done: Sequence[Interval] = ...,
        progress: Callable[[Progress], None] | None = ...,
    ) -> Iterator[Chunk]:
        """Answer a query, a stretch of time after the other."""
        ...


@dataclass(frozen=True, slots=True)
class Missing:
    """A stretch of time whose events could not be had, and why."""

    start: datetime
    end: datetime
    why: str

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC: {self.why}"


class IncompleteHistoryError(ToolkitError):
    """Some of the events could not be had. What came is kept, and `missing` names what did not."""

    code = "incomplete_history"

    def __init__(self, missing: Sequence[Missing]) -> None:
        named = "\n".join(f"  {each}" for each in missing[:10])
        more = f"\n  and {len(missing) - 10} more" if len(missing) > 10 else ""  # noqa: PLR2004 - as many as named
        super().__init__(
            f"the workspace did not give the events of\n{named}{more}\n"
            "What it gave is kept: run it again to go on from there."
        )
        self.missing = tuple(missing)


@dataclass(slots=True)
class _Run:
    engine: ChunkedEngine
    store: ChunkStore
    now: datetime
    parallel: int
    progress: Callable[[Progress], None] | None
    whole: Interval
    rows: int = 0
    refused: int = 0
    missed: list[str] = field(default_factory=list)

    def ask(self, start: datetime, end: datetime, chunk: timedelta, known: list[Interval]) -> Iterator[Missing]:
        """Fetch what is not `known` (which grows); give what could not be had, piece by piece."""
        while True:
            if len(self.missed) >= _ENOUGH_MISSED:
                yield from (Missing(*gap, f"not asked any more: {self.missed[-1]}") for gap in _gaps(known, start, end))
                return
            found = self.engine.query_chunks(
                QUERY, start, end, chunk=chunk, parallel=self.parallel, time_column=None, done=tuple(known)
            )
            try:
                for each in found:
                    self.store.keep(each.start, each.end, each.table, datetime.now(UTC))
                    known.append((each.start, each.end))
                    self.rows += len(each.table)
                    self._tell(known)
            except QueryError as error:
                failed = _first_gap(known, start, end, chunk)
                if not self._goes_on(error):
                    raise
                if chunk > _SMALLER and error.kind != "service":
                    yield from self.ask(*failed, _SMALLER, known)
                else:
                    self.missed.append(str(error))
                    yield Missing(*failed, str(error))
                known.append(failed)
            else:
                return

    def _goes_on(self, error: QueryError) -> bool:
        """Tell whether it is a fault of the moment or of the amount, which leaves the other stretches untouched."""
        if error.kind in {"partial", "timeout"}:
            return True
        self.refused += 1
        return self.refused < _ENOUGH and isinstance(error.__cause__, ThrottledError | UnavailableError)

    def _tell(self, known: list[Interval]) -> None:
        if self.progress:
            start, end = self.whole
            self.progress(Progress(_covered(known, start, end), end - start, self.rows))


def fetch(  # noqa: PLR0913 - each is a choice of its own
    engine: ChunkedEngine,
    store: ChunkStore,
    start: datetime,
    end: datetime,
    *,
    now: datetime,
    chunk: timedelta = DAY,
    parallel: int = 4,
    progress: Callable[[Progress], None] | None = None,
) -> list[Missing]:
    """Bring the store up to date for [start, end); give what could not be had.

    Stretches that the store has already are not asked again (see Kept.is_good). Those begin at midnight UTC, so that
    tomorrow's load finds today's. One that times out, comes in part or is throttled for too long is asked in smaller
    pieces before it counts as missing. A service that goes on refusing, and any other fault (no permission, say)
    raises QueryError.
    """
    first = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    run = _Run(engine, store, now, parallel, progress, (first, end))
    return list(run.ask(first, end, chunk, store.done(now)))


def _first_gap(known: list[Interval], start: datetime, end: datetime, chunk: timedelta) -> Interval:
    """Give the first stretch that is not known: chunks come in order, so that is the one that failed."""
    at, upto = next(_gaps(known, start, end), (start, end))
    return at, min(at + chunk, upto)


def _gaps(known: list[Interval], start: datetime, end: datetime) -> Iterator[Interval]:
    """Give the stretches between start and end that are not known, in order."""
    at = start
    for first, last in sorted(known):
        if at < min(first, end):
            yield at, min(first, end)
        at = max(at, last)
    if at < end:
        yield at, end


def _covered(known: list[Interval], start: datetime, end: datetime) -> timedelta:
    at, found = start, timedelta()
    for first, last in sorted(known):
        low, high = max(first, at), min(last, end)
        if high > low:
            found += high - low
            at = high
    return found
