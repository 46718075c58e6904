"""Where a dashboard's rows come from, and up to when: the instant that "the last 24 hours" ends at."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from kql.engine import QueryError, Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbooks.answers import Ask
    from workbooks.asking import Answers

STALE: Final = timedelta(minutes=30)
"""Files whose newest row is older than this are a history: relative times end at its end."""
LOOK_SECONDS: Final = 1.0
"""So often at most it is looked whether the files have changed."""
_GRAIN: Final = 15
"""Seconds that the instant is rounded down to, so that what is asked twice is answered once."""
_NEWEST: Final = "AciDnsEvents_CL | summarize Newest = max(TimeGenerated)"


def now() -> datetime:
    """Give the time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Source:
    """Rows to ask. `name` is for people, `ends` where the rows end (None where they go on), `close` lets go of them.

    `resources` are the ids that pickers offer.
    """

    name: str
    answers: Answers
    ends: datetime | None = None
    clock: Callable[[], datetime] = now
    close: Callable[[], None] = lambda: None
    resources: tuple[str, ...] = ()

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


def end_of(ask: Ask, at: datetime) -> datetime | None:
    """Look where a history in files ends; None for rows that go on at that time, and for no rows.

    A workspace is never a history: there, silence is something to see.
    """
    try:
        found = ask(_NEWEST, None, at, Stop())
    except QueryError:
        return None
    newest = found.rows[0][0] if found.rows else None
    if not isinstance(newest, datetime) or at - newest < STALE:
        return None
    # The last rows are in: a minute later than the newest, on the minute.
    return newest.replace(second=0, microsecond=0) + timedelta(minutes=1)


class Feed:
    """A source that is opened again when what it was opened from has changed. Safe in threads.

    `stamp` gives a value that differs after a change. A page keeps the source that it began with.
    """

    def __init__(
        self, opening: Callable[[], Source], stamp: Callable[[], object] = lambda: None, look: float = LOOK_SECONDS
    ) -> None:
        self._opening, self._stamp, self._look = opening, stamp, look
        self._lock = threading.Lock()
        self._seen = stamp()
        self._source = opening()
        self._users: dict[int, int] = {}
        self._is_closed = False
        self._looked = time.monotonic()
        self.trouble = ""

    @contextmanager
    def use(self) -> Iterator[Source]:
        """Give the source as it is now, and keep it open meanwhile."""
        with self._lock:
            if time.monotonic() - self._looked >= self._look:
                self._looked = time.monotonic()
                self._renew()
            source = self._source
            self._users[id(source)] = self._users.get(id(source), 0) + 1
        try:
            yield source
        finally:
            with self._lock:
                users = self._users[id(source)] = self._users[id(source)] - 1
                is_idle = not users and (source is not self._source or self._is_closed)
            if is_idle:
                self._let_go(source)

    def close(self) -> None:
        """Let go of the source when the last page that uses it has ended."""
        with self._lock:
            self._is_closed = True
            is_idle = not self._users.get(id(self._source))
        if is_idle:
            self._let_go(self._source)

    def _renew(self) -> None:
        stamp = self._stamp()
        if stamp == self._seen:
            return
        try:
            renewed = self._opening()
        except Exception as error:  # noqa: BLE001 - while a file is being written it cannot be read; the rows before it can
            self.trouble = f"the data has changed and cannot be read now: {error}"
            return
        old, self._source, self._seen, self.trouble = self._source, renewed, stamp, ""
        if not self._users.get(id(old)):
            self._let_go(old)

    def _let_go(self, source: Source) -> None:
        self._users.pop(id(source), None)
        source.answers.close()
        source.close()
