"""Lines that are sent as they are made, and an end to making them when the browser has gone."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from anyio import to_thread
from starlette.responses import StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator

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
        super().__init__(self._sent(lines(self._begun)), media_type="application/x-ndjson")

    def _begun(self, asking: Asking) -> None:
        with self._lock:
            self._asking = asking
            is_over = self._is_over
        if is_over:
            asking.close()

    async def _sent(self, lines: Generator[str]) -> AsyncIterator[str]:
        try:
            while True:
                # A thread that waits for an answer cannot be cancelled: it is left, and told to end.
                line = await to_thread.run_sync(next, lines, _END, abandon_on_cancel=True)
                if line is _END:
                    return
                yield str(line)
        finally:
            self._leave()
            # Where a thread is still in it, it is closed when that one leaves it.
            with suppress(ValueError):
                lines.close()

    def _leave(self) -> None:
        with self._lock:
            self._is_over = True
            asking = self._asking
        if asking is not None:
            asking.close()
