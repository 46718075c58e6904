"""Where a dashboard's rows come from, and up to when: the instant that "the last 24 hours" ends at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from kql.engine import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kql.engine import Engine

STALE: Final = timedelta(minutes=30)
"""Data whose newest row is older than this is a history: relative times end at its end."""
_GRAIN: Final = 15
"""Seconds that the instant is rounded down to, so that what is asked twice is answered once."""
_NEWEST: Final = "AciDnsEvents_CL | summarize Newest = max(TimeGenerated)"


def now() -> datetime:
    """Give the time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Source:
    """An engine and its name for people. `ends` is where its data ends, None where it goes on."""

    name: str
    engine: Engine
    ends: datetime | None = None
    clock: Callable[[], datetime] = now

    def instant(self) -> datetime:
        """Give the instant that a page shows."""
        if self.ends is not None:
            return self.ends
        moment = self.clock()
        return moment.replace(second=moment.second - moment.second % _GRAIN, microsecond=0)

    @property
    def note(self) -> str:
        """Say what a reader must know about the time, or nothing."""
        if self.ends is None:
            return ""
        return f"history until {self.ends:%Y-%m-%d %H:%M} UTC: relative times end there"


def source_of(name: str, engine: Engine, clock: Callable[[], datetime] = now) -> Source:
    """Look whether an engine's data goes on, or is a history that ended. Raises QueryError."""
    try:
        found = engine.query(_NEWEST)
    except QueryError as error:
        if error.kind == "service":
            raise
        return Source(name, engine, clock=clock)
    newest = found.rows[0][0] if found.rows else None
    if not isinstance(newest, datetime) or clock() - newest < STALE:
        return Source(name, engine, clock=clock)
    # The last rows are in: a minute later than the newest, on the minute.
    return Source(name, engine, newest.replace(second=0, microsecond=0) + timedelta(minutes=1), clock)
