"""Lines that are sent as they are made, and an end to making them when the browser has gone."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from anyio import to_thread
from starlette.responses import StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator

    from starlette.types import Receive, Scope, Send

    from workbooks.asking import Asking

    Begun = Callable[[Asking], None]

_END = object()


class Streamed(StreamingResponse):
    """A response whose lines a thread makes.

    `lines(begun)` gives them; it calls `begun` with what it asks, which is closed when nobody reads any more: the
    queries that nobody else waits for then end, and so does the thread.
    """

    def __init__(self, lines: Callable[[Begun], Generator[str]]) -> None:
        self._lock = threading.Lock()
        self._asking: Asking | None = None
        self._is_over = False
        self._lines = lines(self._begun)
        super().__init__(self._sent(), media_type="application/x-ndjson")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the lines, until all are sent or the browser has gone."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()

    def _begun(self, asking: Asking) -> None:
        with self._lock:
            self._asking = asking
            is_over = self._is_over
        if is_over:
            asking.close()

    async def _sent(self) -> AsyncIterator[str]:
        while True:
            # A thread that waits for an answer cannot be cancelled: it is left, and told to end.
            line = await to_thread.run_sync(self._next, abandon_on_cancel=True)
            if line is _END:
                return
            yield str(line)

    def _next(self) -> object:
        line = next(self._lines, _END)
        if self._is_over:
            self._lines.close()
        return line

    def _leave(self) -> None:
        with self._lock:
            self._is_over = True
            asking = self._asking
        if asking is not None:
            asking.close()
        # Where a thread is still in it, that one closes it.
        with suppress(ValueError):
            self._lines.close()
