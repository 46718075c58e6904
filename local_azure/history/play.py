"""The clock of a history, and everything that its parts share: what is due is done, in order of time."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core.live import LiveGroup, LiveState
from local_azure.history.arrival import Arrivals
from local_azure.history.layout import Layout, Place, plan
from local_azure.history.probing import Probing
from local_azure.history.rooms import Invocation, Rooms
from local_azure.history.runtime import Runtime
from local_azure.history.seeded import new_id, stream
from local_azure.history.trouble import Troubles
from local_azure.history.truth import Change, Truth
from local_azure.history.watch import Watch
from local_azure.history.world import World

if TYPE_CHECKING:
    import random

    from core.events import Component, Event
    from core.names import Address
    from local_azure.history.shape import Shape

Action = Callable[[datetime], object]


@dataclass
class Play:
    """One history while it is being made."""

    shape: Shape
    seed: int
    layout: Layout
    world: World
    troubles: Troubles
    rooms: Rooms
    watch: Watch
    truth: Truth
    arrivals: Arrivals
    runtime: Runtime
    rng: random.Random
    skews: dict[str, timedelta] = field(default_factory=dict)
    """How far the clock of a component, or of a probe's host, is off."""
    down: dict[str, int] = field(default_factory=dict)
    """Apps that do not answer: `reconcile`, `track`, or a probe's host; how many incidents keep each down."""
    lost: set[str] = field(default_factory=set)
    """Groups, by key, whose events get lost on the way."""
    probing: Probing = field(init=False)
    _due: list[tuple[datetime, int, Action]] = field(default_factory=list)
    _order: itertools.count[int] = field(default_factory=itertools.count)

    @staticmethod
    def of(shape: Shape, seed: int) -> Play:
        """Set the stage."""
        layout = plan(shape, seed)
        world = World.of(layout)
        troubles = Troubles(stream(seed, "troubles"))
        rooms = Rooms(world, layout.settings, troubles, stream(seed, "rooms"))
        truth = Truth()
        watch = Watch(world, layout, truth)
        return Play(
            shape, seed, layout, world, troubles, rooms, watch, truth, Arrivals(stream(seed, "arrivals")),
            Runtime(stream(seed, "runtime")), stream(seed, "play"),
        )  # fmt: skip

    def __post_init__(self) -> None:
        self.probing = Probing(self)

    def at(self, time: datetime, action: Action) -> None:
        """Do something at a time; what is due after the end is not done."""
        if self.shape.start <= time < self.shape.end:
            heapq.heappush(self._due, (time, next(self._order), action))

    def run_until(self, until: datetime) -> None:
        """Do what is due before `until`."""
        while self._due and self._due[0][0] < until:
            time, _, action = heapq.heappop(self._due)
            action(time)

    def emit(self, events: list[Event], at: datetime, app: str) -> None:
        """Send the events of a run on their way to the table; `app` is which one sends them."""
        for event in events:
            self.arrivals.take(event.to_row(), at, app)

    def invocation(self, at: datetime, component: Component | str, attempt: int = 1) -> Invocation:
        """Make a run of a component, or of a probe's host."""
        return Invocation(at, new_id(self.rng), attempt, self.skews.get(str(component), timedelta()))

    def set_live(self, place: Place, state: LiveState, address: Address | None, detail: str = "") -> None:
        """Let a group be in a state; its former address is free again."""
        before = self.world.group(place.id)
        if state is LiveState.ABSENT:
            self.world.live.pop(place.key, None)
        else:
            self.world.live[place.key] = LiveGroup(place.id, state, address, detail)
        if before.address is not None and before.address != address:
            self.world.release(before.address)
        self.watch.moved(place, before.address, address)

    def note(self, at: datetime, kind: str, place: Place, old: object = None, new: object = None) -> None:
        """Write into the truth what was done to a group, and what DNS is worth after it."""
        self.truth.changes.append(Change(at, kind, place.key, str(old or ""), str(new or "")))
        self.watch.look(place, at, kind)
        self.runtime.container(place, kind, at)

    def seconds(self, median: float, spread: float = 0.6) -> timedelta:
        """Draw a time around a median, long-tailed; milliseconds."""
        return timedelta(milliseconds=round(1000 * median * self.rng.lognormvariate(0, spread)))
