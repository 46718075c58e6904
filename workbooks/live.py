"""Runs a workbook: works out its state, asks what is needed side by side, gives each item as soon as it is drawn."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from workbooks.answers import Answer, Problem, answer
from workbooks.fragments import Fragment, Page, fragment, items_of
from workbooks.resolve import Inputs, resolve
from workbooks.resolve_scope import declarations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from kql.engine import Engine, ResultTable
    from workbooks.model import Workbook
    from workbooks.resolve import Request, State

WORKERS: Final = 4
MOST_KEPT: Final = 500
MOST_ROUNDS: Final = 20
"""Parameters that wait for parameters: no workbook has more steps than this."""
Key = tuple["Request", "datetime"]


class Answers:
    """Asks an engine, several requests at a time; an answer is kept for who asks the same of the same instant.

    `kept_seconds` is how long; requests that are under way are shared as well.
    """

    def __init__(self, engine: Engine, *, workers: int = WORKERS, kept_seconds: float = 300.0) -> None:
        self._engine = engine
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="workbook")
        self._kept: OrderedDict[Key, tuple[float, Future[Answer]]] = OrderedDict()
        self._lock = threading.Lock()
        self._kept_seconds = kept_seconds

    def ask(self, request: Request, now: datetime) -> Future[Answer]:
        """Give the answer to be."""
        key = (request, now)
        with self._lock:
            found = self._kept.get(key)
            if found and time.monotonic() - found[0] < self._kept_seconds and not found[1].cancelled():
                self._kept.move_to_end(key)
                return found[1]
            future = self._pool.submit(self._answer, request, now)
            self._kept[key] = (time.monotonic(), future)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return future

    def _answer(self, request: Request, now: datetime) -> Answer:
        try:
            return answer(request, self._engine, now)
        except Exception as error:  # noqa: BLE001 - one item's failure is that item's; the page goes on
            return Problem(f"{type(error).__name__}: {error}")

    def clear(self) -> None:
        """Forget what is kept: the data has changed."""
        with self._lock:
            self._kept.clear()

    def close(self) -> None:
        """Start nothing more, and wait for what runs."""
        self._pool.shutdown(wait=True, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class View:
    """What a reader looks at: a workbook, what was chosen (by declaration key), the instant, and the resources."""

    workbook: Workbook
    now: datetime
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    resources: tuple[str, ...] = ()


def settle(view: View, answers: Answers, stopped: Callable[[], bool] = lambda: False) -> State:
    """Work out the state, asking what parameters need until nothing is needed; a stop leaves it unfinished."""
    known = declarations(view.workbook)
    found: dict[Request, ResultTable | str] = {}
    state = resolve(view.workbook, Inputs(view.now, view.chosen, found, view.resources), known)
    for _ in range(MOST_ROUNDS):
        if not state.needed or stopped():
            break
        asked = {request: answers.ask(request, view.now) for request in state.needed}
        found.update({request: _for_state(future.result()) for request, future in asked.items()})
        state = resolve(view.workbook, Inputs(view.now, view.chosen, found, view.resources), known)
    return state


def _for_state(given: Answer) -> ResultTable | str:
    return str(given) if isinstance(given, Problem) else given


def draw(
    page: Page, answers: Answers, now: datetime, stopped: Callable[[], bool] = lambda: False
) -> Iterator[Fragment]:
    """Give every item of a settled page: what asks nothing at once, the others as their answers come."""
    waiting: dict[Future[Answer], list[str]] = {}
    for item in items_of(page.state.workbook):
        state = page.state.items[item.path]
        if state.request is None or not state.visible:
            yield fragment(page, state)
        else:
            waiting.setdefault(answers.ask(state.request, now), []).append(item.path)
    for future in as_completed(waiting):
        if stopped():
            return
        for path in waiting[future]:
            yield _safely(page, path, future)


def _safely(page: Page, path: str, future: Future[Answer]) -> Fragment:
    """Draw an item; what its drawing fails of is shown in its place."""
    state = page.state.items[path]
    try:
        return fragment(page, state, future.result())
    except Exception as error:  # noqa: BLE001 - a fault in one drawing must not take the page down
        return fragment(page, state, Problem(f"this could not be drawn: {type(error).__name__}: {error}"))


__all__ = ["Answers", "View", "draw", "settle"]
