"""Random histories of a small fleet, played against the real plan and converge code with in-memory ports.

One history: container groups are created, moved and deleted; every change queues an event; events are duplicated and
reordered; several workers run at once, interleaved call by call; calls are throttled, answers are lost after the write
was made, workers crash between any two calls. At the end the events that are left are delivered until nothing changes.

What must hold then: every live group's address and PTR records are right, unless another live group holds its name or
address; nothing that is not ours was touched; nothing of ours is left over. One kind of leftover is known and counted:
a worker crashed between its PTR write and its address write, and the address changed before the next delivery.
"""

import ipaddress
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from core.arm_id import ArmId, container_group_id
from core.errors import ThrottledError, ToolkitError, UnavailableError
from core.live import LiveState
from core.names import ReverseZone, parse_address, relative_name, reverse_name
from core.records import RecordSet, ZoneRef, owner_mark
from core.zone_map import DnsConfig
from local_azure.in_memory import InMemoryDns, InMemoryGroups, Key
from reconciler.converge import Converger, Progress
from reconciler.desired import Subject

SUBSCRIPTION: Final = "00000000-0000-0000-0000-000000000001"
FORWARD: Final = "aci.corp.internal"
REVERSE: Final = ReverseZone.parse("0.10.in-addr.arpa")
POOL: Final = [f"10.0.0.{last}" for last in range(4, 9)]
FOREIGN_ADDRESS: Final = "10.0.0.8"
"""In the pool, and held by a group of another network that shares the reverse zone."""


class Crash(BaseException):
    """kill -9: nothing of the worker runs any more, no handler and no clean-up."""


@dataclass
class Report:
    """How a history ended. `problems` are broken promises; `crash_orphans` the known leftovers."""

    seed: int
    problems: list[str] = field(default_factory=list)
    crash_orphans: int = 0
    crashes: int = 0
    runs: int = 0
    lost_preconditions: int = 0


@dataclass
class Baton:
    """Lets one thread run at a time; who is next is the history's choice."""

    rng: random.Random
    waiting: dict[int, threading.Event] = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)

    def pause(self, me: int) -> None:
        """Give the turn to anybody, this worker included, and wait for it to come back."""
        chosen = self.rng.choice(sorted(self.waiting))
        if chosen != me:
            mine = self.waiting[me]
            mine.clear()
            self.waiting[chosen].set()
            mine.wait()

    def leave(self, me: int) -> None:
        """End this worker's part."""
        del self.waiting[me]
        if self.waiting:
            self.waiting[self.rng.choice(sorted(self.waiting))].set()
        else:
            self.done.set()


@dataclass
class Gate:
    """Stands before and after every call of one worker: interleaving and faults happen here."""

    rng: random.Random
    pause: Callable[[], None]
    trouble: float

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Make a call of the worker's."""
        self.pause()
        dice = self.rng.random()
        if dice < self.trouble:
            raise ThrottledError("in memory", "too many requests")
        if dice < self.trouble * 1.5:
            raise Crash
        answer = function(*args)
        if dice > 1 - self.trouble:
            raise UnavailableError("in memory", "the answer was lost")
        if dice > 1 - self.trouble * 1.5:
            raise Crash
        return answer


@dataclass
class GatedDns:
    """The zones as one worker sees them."""

    gate: Gate
    dns: InMemoryDns

    def get(self, *args: Any) -> Any:
        """Read."""
        return self.gate.call(self.dns.get, *args)

    def list(self, *args: Any) -> Any:
        """Scan."""
        return self.gate.call(self.dns.list, *args)

    def put(self, *args: Any) -> Any:
        """Write."""
        return self.gate.call(self.dns.put, *args)

    def delete(self, *args: Any) -> None:
        """Delete."""
        self.gate.call(self.dns.delete, *args)


@dataclass
class GatedGroups:
    """The container groups as one worker sees them."""

    gate: Gate
    groups: InMemoryGroups

    def get(self, group: ArmId) -> Any:
        """Read."""
        return self.gate.call(self.groups.get, group)

    def list(self, *args: Any) -> Any:
        """List."""
        return self.gate.call(self.groups.list, *args)


class History:
    """One history; `play` runs it and reports."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
        self.report = Report(seed)
        self.groups = InMemoryGroups()
        self.dns = InMemoryDns({FORWARD, REVERSE.name})
        self.ids = [container_group_id(SUBSCRIPTION, group, name) for group, name in
                    (("rg-a", "web"), ("rg-a", "api"), ("rg-b", "web"))]  # fmt: skip
        self.pending: list[ArmId] = []
        self.written_by_crashed: set[str] = set()
        self.foreign = self._foreign()

    def config(self, group: ArmId) -> DnsConfig:
        """Give the zone map's entry for a group."""
        return DnsConfig(group.resource_group, None, FORWARD, (REVERSE,), "rg-dns")

    def _foreign(self) -> dict[Any, RecordSet]:
        stranger = container_group_id(SUBSCRIPTION, "rg-elsewhere", "stranger")
        self.groups.run(stranger, parse_address(FOREIGN_ADDRESS))
        forward = ZoneRef(SUBSCRIPTION, "rg-dns", FORWARD)
        reverse = ZoneRef(SUBSCRIPTION, "rg-dns", REVERSE.name)
        name = relative_name(reverse_name(parse_address(FOREIGN_ADDRESS)), REVERSE.name)
        for record_set in (
            RecordSet(forward, "A", "vm1", 3600, ("10.0.9.9",)),
            RecordSet(reverse, "PTR", "9.9", 3600, ("vm1." + FORWARD,)),
            RecordSet(reverse, "PTR", name, 60, ("stranger.elsewhere.internal",), owner_mark(str(stranger))),
        ):
            self.dns.put(record_set)
        return dict(self.dns.sets)

    def play(self) -> Report:
        """Run the history to its end and check what must hold."""
        for _ in range(self.rng.randint(2, 6)):
            for _ in range(self.rng.randint(1, 2)):
                self._change()
            if self.rng.random() < 0.15:  # noqa: PLR2004
                self._hand_edit()
            self._burst()
        self._drain()
        self._check()
        return self.report

    def _change(self) -> None:
        group = self.rng.choice(self.ids)
        taken = {live.address for live in self.groups.states.values()}
        free = [text for text in POOL if parse_address(text) not in taken] + [FOREIGN_ADDRESS]
        if group in self.groups.states and self.rng.random() < 0.35:  # noqa: PLR2004
            self.groups.remove(group)
        else:
            self.groups.run(group, ipaddress.ip_address(self.rng.choice(free)))
        self.pending += [group] * self.rng.choice([1, 1, 2, 3])

    def _hand_edit(self) -> None:
        """Let somebody change a record set by hand; the tracker would see it, so an event follows."""
        group = self.rng.choice(self.ids)
        record_set = self.dns.sets.get((FORWARD, "A", group.name))
        live = self.groups.get(group)
        if record_set is None or not record_set.is_owned_by(str(group)) or live.address is None:
            return
        if self.rng.random() < 0.5:  # noqa: PLR2004
            self.dns.put(replace(record_set, values=("10.0.77.77",), ttl=5))
        else:
            place = Subject.of(live, self.config(group)).placement.ptr_place(live.address)
            ptr = self.dns.sets.get((REVERSE.name, "PTR", place.name)) if place else None
            if ptr is not None and ptr.is_owned_by(str(group)):
                self.dns.delete(ptr)
        self.pending.append(group)

    def _burst(self) -> None:
        """Deliver some events to workers that run at once; while they run, the world may change again."""
        self.rng.shuffle(self.pending)
        if self.rng.random() < 0.5:  # noqa: PLR2004
            self.pending.sort(key=str)  # events of one group meet
        count = min(len(self.pending), self.rng.randint(1, 4))
        batch, self.pending = self.pending[:count], self.pending[count:]
        baton = Baton(self.rng)
        trouble = self.rng.choice([0.0, 0.0, 0.02, 0.06])
        threads = []
        for number, group in enumerate(batch):
            baton.waiting[number] = threading.Event()
            threads.append(threading.Thread(target=self._worker, args=(number, group, baton, trouble), daemon=True))
        for thread in threads:
            thread.start()
        if batch:
            baton.waiting[self.rng.choice(sorted(baton.waiting))].set()
            baton.done.wait()
        for thread in threads:
            thread.join()

    def _worker(self, number: int, group: ArmId, baton: Baton, trouble: float) -> None:
        baton.waiting[number].wait()

        def pause() -> None:
            if self.rng.random() < 0.06:  # noqa: PLR2004
                self._change()
            baton.pause(number)

        try:
            if not self._run(group, Gate(self.rng, pause, trouble)):
                self.pending.append(group)
        finally:
            baton.leave(number)

    def _run(self, group: ArmId, gate: Gate) -> bool:
        """Run one delivery; False when it must be delivered again."""
        self.report.runs += 1
        progress = Progress(Subject.of(self.groups.get(group), self.config(group)))
        converger = Converger(GatedGroups(gate, self.groups), GatedDns(gate, self.dns), lambda: 1.0, verify_after=0.0)
        try:
            converger.converge(progress)
        except Crash:
            self.report.crashes += 1
            self.written_by_crashed |= {item.fqdn for item in progress.wrote_ptrs.values()}
            return False
        except ToolkitError:
            # A clean-up that was itself throttled is like a crash: best effort is what is promised.
            self.written_by_crashed |= {item.fqdn for item in progress.left_behind}
            return False
        finally:
            self.report.lost_preconditions += max(progress.rounds - 1, 0)
        return True

    def _drain(self) -> None:
        """Deliver what is left, without trouble, until a whole round changes nothing."""
        calm = Gate(self.rng, lambda: None, 0.0)
        before: object = None
        while self.pending and before != dict(self.dns.sets):
            before = dict(self.dns.sets)
            batch, self.pending = self.pending, []
            self.pending = [group for group in batch if not self._run(group, calm)]

    def _check(self) -> None:
        problems = self.report.problems
        for key, record_set in self.foreign.items():
            if self.dns.sets.get(key) != record_set:
                problems.append(f"foreign {record_set.fqdn} was touched: {self.dns.sets.get(key)}")
        expected = dict.fromkeys(self.foreign)
        for group in self.ids:
            live = self.groups.get(group)
            if live.state is LiveState.RUNNING:
                expected |= self._check_live(group, Subject.of(live, self.config(group)))
        for key, record_set in self.dns.sets.items():
            if key in expected:
                continue
            if record_set.fqdn in self.written_by_crashed and record_set.type == "PTR":
                self.report.crash_orphans += 1
            else:
                problems.append(f"left over: {record_set}")

    def _check_live(self, group: ArmId, subject: Subject) -> dict[Any, None]:
        """Check a live group's records, and give their keys."""
        address = subject.group.address
        assert address is not None  # noqa: S101 - a running group has one
        place = subject.placement.ptr_place(address)
        assert place is not None  # noqa: S101 - the pool is within the zone
        forward: Key = (FORWARD, "A", subject.placement.record_name)
        reverse: Key = (REVERSE.name, "PTR", place.name)
        found, ptr = self.dns.sets.get(forward), self.dns.sets.get(reverse)
        a_right = found is not None and found.values == (str(address),) and found.is_owned_by(str(group))
        ptr_right = ptr is not None and ptr.values == (subject.fqdn,) and ptr.is_owned_by(str(group))
        if self._is_taken(found, group):
            # The loser may have kept the PTR of its own address; its deletion scans for it.
            return {forward: None, reverse: None} if ptr and ptr.is_owned_by(str(group)) else {forward: None}
        if a_right and (ptr_right or (str(address) == FOREIGN_ADDRESS and ptr == self.foreign[reverse])):
            return {forward: None, reverse: None}
        self.report.problems.append(f"{group.resource_group}/{group.name} at {address}: A {found}, PTR {ptr}")
        return {forward: None, reverse: None}

    def _is_taken(self, found: RecordSet | None, group: ArmId) -> bool:
        """Tell whether another group that is alive holds the name: the one reason for a live group not to be in DNS."""
        if found is None or found.owner is None or found.is_owned_by(str(group)):
            return False
        return self.groups.get(ArmId.parse(found.owner)).state is LiveState.RUNNING
