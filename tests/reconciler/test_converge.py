"""The worker's loop: read DNS, decide, read the group again, apply; begin again when somebody was faster."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from core.arm_id import ArmId, container_group_id
from core.errors import ContendedError, DeadlineError, NotReadyError, PreconditionFailedError, ThrottledError
from core.events import EventType
from core.live import LiveGroup, LiveState
from core.names import ReverseZone, parse_address
from core.records import RecordSet, ZoneRef, owner_mark
from core.zone_map import DnsConfig
from local_azure.in_memory import InMemoryDns, InMemoryGroups
from reconciler.converge import Converger, Progress
from reconciler.desired import Subject

WEB = container_group_id("sub", "rg", "web")
CONFIG = DnsConfig("rg", None, "corp.internal", (ReverseZone.parse("10.in-addr.arpa"),), "rg-dns")
FORWARD, REVERSE = ZoneRef("sub", "rg-dns", "corp.internal"), ZoneRef("sub", "rg-dns", "10.in-addr.arpa")
Hook = Callable[[], None]


@dataclass
class World:
    """A group and its zones; `before` hangs a function before the nth call of a kind ("put A 1", "get group 2")."""

    groups: InMemoryGroups = field(default_factory=InMemoryGroups)
    dns: InMemoryDns = field(default_factory=lambda: InMemoryDns({"corp.internal", "10.in-addr.arpa"}))
    before: dict[str, Hook] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    seconds: float = 100.0

    def note(self, call: str) -> None:
        self.calls.append(call)
        hook = self.before.get(f"{call} {self.calls.count(call)}")
        if hook:
            hook()

    def at(self, last: int, group: ArmId = WEB) -> None:
        self.groups.run(group, parse_address(f"10.0.0.{last}"))

    def written(self, last: int, group: ArmId = WEB) -> None:
        address = parse_address(f"10.0.0.{last}")
        self.dns.put(RecordSet(FORWARD, "A", "web", 60, (str(address),), owner_mark(str(group), address)))
        self.dns.put(RecordSet(REVERSE, "PTR", f"{last}.0.0", 60, ("web.corp.internal",), owner_mark(str(group))))

    def records(self) -> dict[str, str]:
        return {f"{kind} {name}": ",".join(item.values) for (_, kind, name), item in self.dns.sets.items()}

    def converge(self, guess: LiveGroup | None = None, **limits: Any) -> tuple[EventType, Progress]:
        progress = Progress(Subject.of(guess or self.groups.get(WEB), CONFIG))
        ports = Ports(self)
        return Converger(ports.groups, ports.dns, lambda: self.seconds, **limits).converge(progress), progress


class Ports:
    """The world as a worker sees it, every call noted first."""

    def __init__(self, world: World) -> None:
        self.groups, self.dns = _Groups(world), _Dns(world)


class _Groups:
    def __init__(self, world: World) -> None:
        self.world = world

    def get(self, group: ArmId) -> LiveGroup:
        self.world.note("get group")
        return self.world.groups.get(group)

    def list(self, *_: Any) -> Any:
        raise AssertionError("the worker lists no groups")


class _Dns:
    def __init__(self, world: World) -> None:
        self.world = world

    def get(self, zone: ZoneRef, kind: Any, name: str) -> RecordSet | None:
        self.world.note(f"get {kind}")
        return self.world.dns.get(zone, kind, name)

    def list(self, zone: ZoneRef, kind: Any = None) -> Any:
        self.world.note("list")
        return self.world.dns.list(zone, kind)

    def put(self, record_set: RecordSet) -> RecordSet:
        self.world.note(f"put {record_set.type}")
        return self.world.dns.put(record_set)

    def delete(self, record_set: RecordSet) -> None:
        self.world.note(f"delete {record_set.type}")
        self.world.dns.delete(record_set)


@pytest.fixture
def world() -> World:
    return World()


RIGHT_5 = {"A web": "10.0.0.5", "PTR 5.0.0": "web.corp.internal"}


def test_the_calls_of_a_changed_address_in_their_order(world: World) -> None:
    world.written(4)
    world.at(5)
    outcome, _ = world.converge()
    assert outcome is EventType.RECONCILE_UPDATED
    assert world.calls == ["get A", "get PTR", "get PTR", "get group", "put PTR", "delete PTR", "put A"]
    assert world.records() == RIGHT_5


def test_an_unchanged_group_is_not_read_again(world: World) -> None:
    world.written(5)
    world.at(5)
    outcome, _ = world.converge()
    assert (outcome, world.calls) == (EventType.RECONCILE_NO_OP, ["get A", "get PTR"])


def test_a_hand_edit_does_not_hide_the_ptr_that_was_written_before_it(world: World) -> None:
    """The record set no longer names the old address; its mark still does."""
    world.written(4)
    _edit_a(world, "10.9.9.9")
    world.at(5)
    world.converge()
    assert world.records() == RIGHT_5


def test_a_delete_of_a_group_that_exists_again_is_an_update(world: World) -> None:
    world.written(4)
    world.at(5)
    outcome, _ = world.converge(guess=LiveGroup(WEB, LiveState.ABSENT))
    assert outcome is EventType.RECONCILE_UPDATED
    assert world.records() == RIGHT_5


def test_the_loser_of_a_race_takes_its_ptr_back(world: World) -> None:
    """A slow worker wrote the PTR of an address that is no longer live, and lost the address record to a faster one."""
    world.at(4)

    def faster_one() -> None:
        world.at(5)
        world.written(5)

    world.before["put A 1"] = faster_one
    outcome, progress = world.converge()
    assert outcome is EventType.RECONCILE_UPDATED
    assert progress.rounds == 3, "the write was lost, then the group was read anew, then only its own PTR was left"
    assert world.records() == RIGHT_5


def test_a_failure_after_the_ptr_takes_the_ptr_back(world: World) -> None:
    world.at(5)
    world.before["put A 1"] = _raise(ThrottledError("put A", "too many"))
    with pytest.raises(ThrottledError):
        world.converge()
    assert world.records() == {}


def test_a_ptr_whose_address_record_was_written_after_all_is_kept(world: World) -> None:
    """The answer to the write was lost, not the write."""
    world.at(5)

    def lost() -> None:
        world.dns.put(
            RecordSet(FORWARD, "A", "web", 60, ("10.0.0.5",), owner_mark(str(WEB), parse_address("10.0.0.5")))
        )
        raise ThrottledError("put A", "the answer was lost")

    world.before["put A 1"] = lost
    with pytest.raises(ThrottledError):
        world.converge()
    assert world.records() == RIGHT_5


def test_an_address_that_came_back_while_the_writes_were_slow_is_seen(world: World) -> None:
    """A second worker found DNS right and wrote nothing, so no etag tells; only a late read of the group does."""
    world.written(5)
    world.at(4)

    def slow() -> None:
        world.at(5)
        world.seconds -= 30

    world.before["put A 1"] = slow
    world.converge()
    assert world.records() == RIGHT_5


def test_quick_writes_cost_no_late_read(world: World) -> None:
    world.at(5)
    world.converge()
    assert world.calls.count("get group") == 1


def test_a_group_that_is_not_ready_when_read_again_is_deferred_with_nothing_written(world: World) -> None:
    world.written(4)
    world.at(5)
    world.before["get group 1"] = lambda: world.groups.states.update({WEB: LiveGroup(WEB, LiveState.NOT_READY)})
    with pytest.raises(NotReadyError):
        world.converge()
    assert world.records() == {"A web": "10.0.0.4", "PTR 4.0.0": "web.corp.internal"}


def test_endless_contention_ends_in_a_retry_not_in_a_loop(world: World) -> None:
    world.at(5)
    for number in range(1, 10):
        world.before[f"put PTR {number}"] = _raise(PreconditionFailedError("put PTR", "etag"))
    with pytest.raises(ContendedError, match="changed by others 5 times"):
        world.converge()


def test_the_deadline_ends_a_run_before_its_next_round(world: World) -> None:
    world.at(5)
    world.seconds = 0
    with pytest.raises(DeadlineError):
        world.converge()
    assert world.calls == []


def test_a_dry_run_plans_and_writes_nothing(world: World) -> None:
    world.written(4)
    world.at(5)
    outcome, progress = world.converge(dry_run=True)
    assert outcome is EventType.RECONCILE_NO_OP
    assert len(progress.plan.changes) == 3
    assert world.calls == ["get A", "get PTR", "get PTR"]


def _take_over(world: World) -> None:
    found = world.dns.sets["corp.internal", "A", "web"]
    other = container_group_id("sub", "rg-two", "web")
    mark = owner_mark(str(other), parse_address("10.0.0.9"))
    world.dns.put(RecordSet(FORWARD, "A", "web", 60, ("10.0.0.9",), mark, found.etag))


@pytest.mark.parametrize(
    ("claim", "edit", "scans"),
    [
        ("its record set is in place", lambda _: None, 0),
        ("its record set is missing", lambda world: world.dns.sets.pop(("corp.internal", "A", "web")), 1),
        ("its record set was edited by hand", lambda world: _edit_a(world, "10.9.9.9"), 1),
        ("its record set was taken over by another group", _take_over, 1),
    ],
)
def test_a_group_that_is_gone_is_searched_for_only_when(
    world: World, claim: str, edit: Callable[[World], object], scans: int
) -> None:
    world.written(4)
    edit(world)
    world.converge()
    assert world.calls.count("list") == scans, claim
    assert not any(name.startswith("PTR") for name in world.records())


def test_a_hand_deleted_a_is_not_searched_for_on_update(world: World) -> None:
    world.written(4)
    del world.dns.sets["corp.internal", "A", "web"]
    world.at(5)
    world.converge()
    assert "list" not in world.calls


def test_a_missing_reverse_zone_fails_after_the_address_record_is_right(world: World) -> None:
    world.dns.zones.discard("10.in-addr.arpa")
    world.at(5)
    with pytest.raises(Exception, match=r"'10\.in-addr\.arpa' was not found") as failed:
        world.converge()
    assert failed.value.code == "zone_missing"  # type: ignore[attr-defined]  # a ToolkitError
    assert world.records() == {"A web": "10.0.0.5"}


def test_an_address_outside_every_reverse_zone_fails_after_the_address_record_is_right(world: World) -> None:
    world.groups.run(WEB, parse_address("172.16.0.4"))
    with pytest.raises(Exception, match=r"no reverse zone .* contains 172\.16\.0\.4") as failed:
        world.converge()
    assert failed.value.code == "reverse_zone_missing"  # type: ignore[attr-defined]  # a ToolkitError
    assert world.records() == {"A web": "172.16.0.4"}


def _raise(error: Exception) -> Hook:
    def hook() -> None:
        raise error

    return hook


def _edit_a(world: World, value: str) -> None:
    found = world.dns.sets["corp.internal", "A", "web"]
    world.dns.put(RecordSet(FORWARD, "A", "web", 60, (value,), found.metadata, found.etag))
