"""Runs a workbook: works out its state, asks what is needed side by side, gives each item as soon as it is known."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from workbooks.answers import Answer, Problem
from workbooks.asking import Asking, answer_of
from workbooks.fragments import Fragment, Page, failed, fragment
from workbooks.layout import Layout, loaded, pending_names
from workbooks.model import ParametersItem
from workbooks.resolve import Inputs, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from datetime import datetime

    from kql.engine import ResultTable
    from workbooks.model import Item
    from workbooks.resolve import Request, State

GRACE_SECONDS: Final = 0.2
"""So long parameters' answers are waited for before anything is drawn: most come at once, so nothing is drawn twice."""
LOOK_SECONDS: Final = 1.0
"""So often it is looked whether anybody still waits, for a workspace's answer cannot be interrupted."""
MOST_ANSWERS: Final = 1000
"""Of parameters, in one page: a workbook whose answers always lead to further questions ends here."""


@dataclass(frozen=True, slots=True)
class View:
    """What a reader looks at: a workbook, the instant, what was chosen (by declaration key) and opened, the resources.

    `opened` are ids of places: the groups that were unfolded or loaded by a click.
    """

    layout: Layout
    now: datetime
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    resources: tuple[str, ...] = ()
    opened: frozenset[str] = frozenset()


class _Parameters:
    """The answers that parameters need: asked until none is outstanding."""

    def __init__(self, view: View, asking: Asking) -> None:
        self._view, self._asking = view, asking
        self._found: dict[Request, ResultTable | str] = {}
        self._drawn = {item.path for item in loaded(view.layout, view.opened)}
        self.state = self._resolved()

    def outstanding(self) -> list[Future[Answer]]:
        """Give the answers that are waited for; the state holds those that have come."""
        while True:
            asked = {request: self._asking.ask(request) for request in self._needed()}
            done = {request: future for request, future in asked.items() if future.done()}
            if not done or len(self._found) > MOST_ANSWERS:
                return [] if len(self._found) > MOST_ANSWERS else list(asked.values())
            for request, future in done.items():
                given = answer_of(future)
                self._found[request] = str(given) if isinstance(given, Problem) else given
            self.state = self._resolved()

    def _needed(self) -> list[Request]:
        """Give what is outstanding; nothing is asked inside a group that is not loaded."""
        asked = (each for each in self.state.parameters.values() if each.declaration.owner.path in self._drawn)
        return list(dict.fromkeys(each.request for each in asked if each.request is not None))

    def _resolved(self) -> State:
        view = self._view
        inputs = Inputs(view.now, view.chosen, self._found, view.resources)
        return resolve(view.layout.workbook, inputs, view.layout.declared)


def settle(view: View, asking: Asking) -> State:
    """Work out the state, asking what parameters need until nothing is outstanding; closing `asking` ends it."""
    parameters = _Parameters(view, asking)
    while (waiting := parameters.outstanding()) and not asking.is_closed:
        wait(waiting, LOOK_SECONDS, FIRST_COMPLETED)
    return parameters.state


def run(view: View, asking: Asking, page_of: Callable[[State], Page]) -> Generator[Fragment]:
    """Give every item of the page that is loaded, each once, as soon as all that it depends on is known.

    Parameters that still wait for what they offer are given before that too, as `partial`. Closing `asking` ends it.
    """
    parameters = _Parameters(view, asking)
    todo = {item.path: item for item in loaded(view.layout, view.opened)}
    if first := parameters.outstanding():
        wait(first, GRACE_SECONDS)
    shown: set[str] = set()
    while todo and not asking.is_closed:
        waiting = parameters.outstanding()
        page = page_of(parameters.state)
        pending = pending_names(parameters.state, view.layout) if waiting else frozenset()
        # All is asked before anything is drawn: an engine can work meanwhile.
        known = [path for path in todo if not view.layout.names[path] & pending]
        asked = {path: _asked(page, todo[path], asking) for path in known}
        for path, item in list(todo.items()):
            future = asked.get(path)
            if path in asked and (future is None or future.done()):
                yield _safely(page, todo.pop(path), future)
            elif path not in asked and isinstance(item, ParametersItem) and path not in shown:
                shown.add(path)
                yield _safely(page, item, None, partial=True)
        waiting += [future for path in known if path in todo and (future := asked[path]) is not None]
        if waiting:
            wait(waiting, LOOK_SECONDS, FIRST_COMPLETED)


def _asked(page: Page, item: Item, asking: Asking) -> Future[Answer] | None:
    state = page.state.items[item.path]
    return asking.ask(state.request) if state.request is not None and state.visible else None


def _safely(page: Page, item: Item, future: Future[Answer] | None, *, partial: bool = False) -> Fragment:
    """Draw an item; what its drawing fails of is shown in its place."""
    state = page.state.items[item.path]
    try:
        return fragment(page, state, answer_of(future) if future else None, partial=partial)
    except Exception as error:  # noqa: BLE001 - a fault in one drawing must not take the page down
        return failed(state, f"this could not be drawn: {type(error).__name__}: {error}")
