"""The rooms, run in the simulated world: what is delivered to them, when, and what they emit."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from core.events import Component, Event
from core.run_context import RunContext
from local_azure.history.world import Counter, Dns, Groups, World
from reconciler import run as reconciler
from reconciler.contract import Contract
from reconciler.converge import Converger, Progress
from reconciler.desired import Subject
from reconciler.process import WorkerExit
from reconciler.worker import result_of
from tracker import run as tracker

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from core.settings import Settings
    from local_azure.history.trouble import Troubles

_WORKER_START_MS: Final = 180
"""What starting the worker takes beside its calls, as docs/benchmarks.md has it measured."""


@dataclass
class Outbox:
    """Keeps what one run emits (core.run_context.Sink)."""

    events: list[Event] = field(default_factory=list)

    def emit(self, events: Sequence[Event]) -> None:
        """Keep them."""
        self.events.extend(events)


@dataclass(frozen=True, slots=True)
class Invocation:
    """One run: when it begins (true time), how far its machine's clock is off, its id and attempt."""

    at: datetime
    id: str
    attempt: int = 1
    skew: timedelta = timedelta()


@dataclass
class Clock:
    """A machine's clock: each request, and each wait, has taken its time when it is looked at again."""

    begin: datetime
    counter: Counter
    ms_per_call: float
    more_ms: float = 0.0

    def __call__(self) -> datetime:
        """Look at it."""
        spent = self.counter.calls * self.ms_per_call + self.counter.waited_ms + self.more_ms
        return self.begin + timedelta(milliseconds=round(spent))


@dataclass
class Rooms:
    """Runs the reconciler and the tracker."""

    world: World
    settings: Settings
    troubles: Troubles
    rng: random.Random

    def reconcile(self, raw: Mapping[str, Any], run: Invocation) -> tuple[list[Event], bool]:
        """Deliver one event to the reconciler; gives its events, and whether the invocation succeeded."""
        outbox, clock, context = self.context(Component.RECONCILER, run)
        worker = _Worker(self, clock)
        return self._run(outbox, lambda: reconciler.reconcile(raw, context, worker))

    def track(self, raw: Mapping[str, Any], run: Invocation) -> tuple[list[Event], bool]:
        """Deliver one event to the tracker; gives its events, and whether the invocation succeeded."""
        outbox, _, context = self.context(Component.TRACKER, run)
        return self._run(outbox, lambda: tracker.track(raw, context))

    def context(self, component: Component, run: Invocation) -> tuple[Outbox, Clock, RunContext]:
        """Give a run its surroundings."""
        outbox, counter = Outbox(), Counter()
        clock = Clock(run.at + run.skew, counter, self.rng.lognormvariate(3.4, 0.35))
        trouble = self.troubles.of(component, counter)
        context = RunContext(
            settings=self.settings,
            calls=counter,
            container_groups=Groups(self.world, counter, trouble),
            private_dns=Dns(self.world, counter, trouble),
            sink=outbox,
            arm_token=lambda: self.troubles.token(component),
            now=clock,
            invocation_id=run.id,
            attempt=run.attempt,
        )
        return outbox, clock, context

    @staticmethod
    def _run(outbox: Outbox, room: Callable[[], object]) -> tuple[list[Event], bool]:
        try:
            room()
        except Exception:  # noqa: BLE001 - whatever it was, the room has reported it, and the invocation failed
            return outbox.events, False
        return outbox.events, True


@dataclass
class _Worker:
    """Stands in for the worker's process: the real converge code over the simulated zones."""

    rooms: Rooms
    clock: Clock

    def __call__(
        self,
        environment: Mapping[str, str],
        _token: str,
        deadline: float,
        _log_line: Callable[[str, str], None],
        _ca_bundle: str | None,
    ) -> WorkerExit:
        """Run (reconciler.run.RunWorker)."""
        ended = self.rooms.troubles.worker(Component.RECONCILER, deadline) or self._work(environment)
        self.clock.more_ms += ended.duration_ms
        return ended

    def _work(self, environment: Mapping[str, str]) -> WorkerExit:
        troubles, rng, world = self.rooms.troubles, self.rooms.rng, self.rooms.world
        contract, counter = Contract.from_environment(environment), Counter()
        trouble = troubles.of(Component.RECONCILER, counter)
        late = troubles.met("worker_deadline", Component.RECONCILER)
        converger = Converger(
            Groups(world, counter, trouble),
            Dns(world, counter, trouble),
            lambda: 0.0 if late else contract.deadline_seconds,
            contract.attempts,
        )
        per_call = rng.lognormvariate(3.5, 0.3)

        def spent() -> int:
            return round(counter.calls * per_call + counter.waited_ms)

        progress = Progress(Subject.of(contract.live, contract.config))
        result, code = result_of(converger, progress, counter, spent)
        duration = spent() + _WORKER_START_MS + rng.randint(0, 60)
        return WorkerExit(code, timed_out=False, result=result, last_error_line="", duration_ms=duration)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the rooms' log lines off: they are about a fleet that is not there."""
    logger = logging.getLogger("aci_dns")
    before, hook = logger.level, sys.excepthook
    logger.setLevel(logging.CRITICAL + 1)
    sys.excepthook = lambda *_: None  # the worker shows a defect's stack trace with it, and goes on
    try:
        yield
    finally:
        logger.setLevel(before)
        sys.excepthook = hook
