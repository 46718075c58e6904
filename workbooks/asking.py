"""Asks for a page: several requests at a time, one answer for who asks the same, an end to what nobody waits for."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from kql.engine import Stop
from workbooks.answers import Answer, Problem, answer

if TYPE_CHECKING:
    from datetime import datetime

    from workbooks.answers import Ask
    from workbooks.resolve import Request

WORKERS: Final = 4
MOST_KEPT: Final = 500
MOST_CELLS: Final = 4_000_000
"""Values in all kept answers together: some hundreds of megabytes."""
KEPT_SECONDS: Final = 300.0
Key = tuple["Request", "datetime"]


@dataclass(slots=True)
class _Run:
    """A request that is answered, or was: `waiting` counts who wants it."""

    future: Future[Answer]
    stop: Stop
    began: float
    waiting: int = 0


class Answers:
    """The answers of one source. An answer is kept for who asks the same of the same instant; safe in threads.

    A request that is under way is shared. One that nobody waits for any more is taken from the queue, or interrupted.
    """

    def __init__(self, ask: Ask, *, workers: int = WORKERS, kept_seconds: float = KEPT_SECONDS) -> None:
        self._ask = ask
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="workbook")
        self._runs: OrderedDict[Key, _Run] = OrderedDict()
        self._lock = threading.Lock()
        self._kept_seconds = kept_seconds

    def begin(self, request: Request, now: datetime) -> Future[Answer]:
        """Give the answer to be; `leave` must be called once for each call."""
        key = (request, now)
        with self._lock:
            run = self._runs.get(key)
            if run is None or not self._is_good(run):
                stop = Stop()
                run = _Run(self._pool.submit(self._answer, request, now, stop), stop, time.monotonic())
                self._runs[key] = run
            run.waiting += 1
            self._runs.move_to_end(key)
            self._drop_old()
            return run.future

    def leave(self, request: Request, now: datetime, future: Future[Answer]) -> None:
        """Wait for this no longer; what nobody waits for, and is not answered yet, ends."""
        with self._lock:
            run = self._runs.get((request, now))
            if run is None or run.future is not future:
                return
            run.waiting -= 1
            if run.waiting or run.future.done():
                return
            del self._runs[request, now]
        run.future.cancel()
        run.stop.set()

    def close(self) -> None:
        """End everything, and wait until it has ended."""
        with self._lock:
            runs = list(self._runs.values())
            self._runs.clear()
        for run in runs:
            run.future.cancel()
            run.stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _is_good(self, run: _Run) -> bool:
        """Say whether a run may be shared: under way, or answered lately. What failed is asked anew."""
        if not run.future.done():
            return True
        if run.future.cancelled() or isinstance(run.future.result(), Problem):
            return False
        return time.monotonic() - run.began < self._kept_seconds

    def _drop_old(self) -> None:
        idle = [key for key, run in self._runs.items() if not run.waiting and run.future.done()]
        cells = sum(_cells(run.future) for run in self._runs.values())
        for key in idle:
            if len(self._runs) <= MOST_KEPT and cells <= MOST_CELLS:
                return
            cells -= _cells(self._runs.pop(key).future)

    def _answer(self, request: Request, now: datetime, stop: Stop) -> Answer:
        try:
            return answer(request, self._ask, now, stop)
        except Exception as error:  # noqa: BLE001 - one item's failure is that item's; the page goes on
            return Problem(f"{type(error).__name__}: {error}")


def _cells(future: Future[Answer]) -> int:
    if not future.done() or future.cancelled():
        return 0
    found = future.result()
    return 0 if isinstance(found, Problem) else len(found.rows) * len(found.columns)


class Asking:
    """What one page asks. Closing it (any thread may) ends what no other page waits for; then nothing is asked."""

    def __init__(self, answers: Answers, now: datetime) -> None:
        self._answers = answers
        self._now = now
        self._lock = threading.Lock()
        self._asked: dict[Request, Future[Answer]] = {}
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_closed(self) -> bool:
        """Whether nobody looks any more."""
        return self._is_closed

    def ask(self, request: Request) -> Future[Answer]:
        """Give the answer to be; the same one for the same request."""
        with self._lock:
            if self._is_closed:
                ended: Future[Answer] = Future()
                ended.cancel()
                return ended
            if request not in self._asked:
                self._asked[request] = self._answers.begin(request, self._now)
            return self._asked[request]

    def drop(self, request: Request) -> None:
        """Wait for a request no longer."""
        with self._lock:
            future = self._asked.pop(request, None)
        if future is not None:
            self._answers.leave(request, self._now, future)

    def close(self) -> None:
        """Wait for nothing any more."""
        with self._lock:
            self._is_closed = True
            asked, self._asked = self._asked, {}
        for request, future in asked.items():
            self._answers.leave(request, self._now, future)


def answer_of(future: Future[Answer]) -> Answer:
    """Give an answer that is there; one that was ended is a problem like any other."""
    try:
        return future.result()
    except CancelledError:
        return Problem("stopped")
