"""The acts of the demo. Each does something to Azure, waits for what must follow, and tells what it saw."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cli.demo import world
from cli.demo.azure import DemoError
from cli.demo.stage import Stage
from cli.demo.world import API, BATCH, CACHE, DNS_API, FIRST_GROUPS, QUEUE, SECOND_WEB, WEB, WORKER, Group
from cli.reconcile import event_for
from core.arm_id import parse_container_group
from core.events import DriftKind, EventType

HAND_WRITTEN: Final = "10.1.0.250"
RETRY_AFTER_SECONDS: Final = 1
THROTTLED: Final = 3
RESTARTS: Final = 3
"""An odd number: the lowest free address alternates, so that the last one differs from the first."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A row that the act must have left in the event table; for drift, with one of its kinds."""

    group: Group
    type: EventType
    kind: DriftKind | None = None
    error_code: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What an act has to tell. `seconds` is the time from the change in Azure (or the asking) until DNS was right.

    `before`, `after` and `ptr_after` are what a resolver said: the A record, and after it the address's own name.
    `drifted` and `repaired_by` are for the closing table; `wrong` says what is left wrong on purpose, and why.
    """

    did: str
    before: str
    after: str
    ptr_after: str
    seconds: float
    drifted: str
    repaired_by: str
    note: str = ""
    wrong: str = ""
    expected: tuple[Expected, ...] = ()


@dataclass(frozen=True, slots=True)
class Act:
    """One act: a name for the eye, and what happens."""

    name: str
    run: Callable[[Stage], Told]


def create(stage: Stage) -> Told:
    """Let container groups appear; nobody registers them in DNS but the toolkit."""
    before = stage.look(WEB.fqdn, "10.1.0.4").a
    with _clock() as clock:
        with ThreadPoolExecutor(len(FIRST_GROUPS)) as pool:
            list(pool.map(stage.azure.create, FIRST_GROUPS))
        addresses = {group: stage.address(group) for group in FIRST_GROUPS}
        clock.restart()
        for group, ip in addresses.items():
            stage.until_right(group, ip)
    count = len(FIRST_GROUPS)
    return Told(
        did=f"{count} container groups appear in two spokes",
        before=before.rcode,
        after=f"{count} names",
        ptr_after=f"{count} names",
        seconds=clock.seconds,
        drifted=f"{count} new groups had no name",
        repaired_by="their events",
        expected=tuple(Expected(group, EventType.RECONCILE_UPDATED) for group in FIRST_GROUPS),
    )


def restart(stage: Stage) -> Told:
    """Restart a group that comes back with another address; the old PTR must go."""
    old = stage.address(API)
    stage.azure.control("PATCH", "settings", {"new_ip_on_restart": True})
    with _clock() as clock:
        stage.azure.restart(API)
        new = stage.address(API)
        clock.restart()
        seen = stage.until_right(API, new, gone=[old])
    return Told(
        did="api is restarted and gets a new address",
        before=old,
        after=str(seen.a),
        ptr_after=str(seen.ptr),
        seconds=clock.seconds,
        drifted=f"api: {old} became {new}",
        repaired_by="its event",
        expected=(Expected(API, EventType.RECONCILE_UPDATED),),
    )


def edit_by_hand(stage: Stage) -> Told:
    """Type an address over the right one. The record's own event tells the tracker; a person repairs it."""
    right, since = stage.address(WEB), _now()
    stage.azure.do("PUT", f"{world.zone_id(world.FORWARD_ZONE)}/A/web", DNS_API, world.address_record(HAND_WRITTEN))
    wrong = stage.look(WEB.fqdn, right).a
    with _clock() as found:
        row = stage.until_row(WEB, EventType.DRIFT_DETECTED, since)
    with _clock() as clock:
        stage.drift("reconcile", WEB.id, "--apply", "--json")
        seen = stage.until_right(WEB, right)
    return Told(
        did=f"somebody sets web to {HAND_WRITTEN} by hand",
        before=str(wrong),
        after=str(seen.a),
        ptr_after=str(seen.ptr),
        seconds=clock.seconds,
        drifted=f"web: the A record said {wrong}, the group is at {right}",
        repaired_by="drift reconcile --apply",
        note=f"tracker: drift_detected ({_kinds(row)}) after {found.seconds:.1f} s",
        expected=(
            Expected(WEB, EventType.DRIFT_DETECTED, DriftKind.A_MISMATCH),
            Expected(WEB, EventType.RECONCILE_UPDATED),
        ),
    )


def delete(stage: Stage) -> Told:
    """Delete a group; both its records must go."""
    old = stage.address(BATCH)
    with _clock() as clock:
        stage.azure.delete(BATCH)
        seen = stage.until_gone(BATCH, old)
    return Told(
        did="batch is deleted",
        before=old,
        after=str(seen.a),
        ptr_after=str(seen.ptr),
        seconds=clock.seconds,
        drifted=f"batch: the name outlived the group at {old}",
        repaired_by="its event",
        expected=(Expected(BATCH, EventType.RECONCILE_DELETED),),
    )


def delete_and_recreate(stage: Stage) -> Told:
    """Delete a group and make it again; another takes its address meanwhile, and the deletion is heard of last."""
    old, since = stage.address(CACHE), _deliveries(stage)
    with _events(stage, {"kind": "delay", "subject": "*/cache", "eventType": "*DeleteSuccess", "seconds": 500}):
        stage.azure.delete(CACHE)
        with _clock() as clock:
            stage.azure.create(WORKER)
            stage.azure.create(CACHE)
            taken, new = stage.address(WORKER), stage.address(CACHE)
            if taken != old:
                raise DemoError(f"worker was to be given cache's old address {old}, and was given {taken}")
            clock.restart()
            stage.until_right(CACHE, new)
            stage.until_right(WORKER, taken)
        stage.settle()  # the late deletion event is answered now
    seen = stage.until_right(CACHE, new)
    stage.until_right(WORKER, taken)
    return Told(
        did="cache is recreated; worker takes its address",
        before=old,
        after=str(seen.a),
        ptr_after=str(seen.ptr),
        seconds=clock.seconds,
        drifted=f"cache: {old} became {new}; {old} is worker's now",
        repaired_by="their events",
        note=f"the deletion's event came {_place_of_deletion(since())}, and removed nothing",
        expected=(Expected(CACHE, EventType.RECONCILE_UPDATED), Expected(WORKER, EventType.RECONCILE_UPDATED)),
    )


def duplicates_and_disorder(stage: Stage) -> Told:
    """Deliver each event twice and the first one last: Event Grid promises at least once, and no order."""
    old, since = stage.address(QUEUE), _deliveries(stage)
    faults = (
        {"kind": "duplicate", "subject": "*/queue", "subscription": "reconcile"},
        {"kind": "reorder", "subject": "*/queue", "subscription": "reconcile", "times": 1, "seconds": 1000},
    )
    with _events(stage, *faults):
        passed = [_restarted(stage, QUEUE) for _ in range(RESTARTS)]
        new = passed[-1]
        with _clock() as clock:
            stage.until_right(QUEUE, new, gone={old, *passed} - {new})
        stage.settle()
    seen = stage.until_right(QUEUE, new, gone={old, *passed} - {new})
    count = len([item for item in since() if item["subscription"] == "reconcile"])
    return Told(
        did=f"queue: {RESTARTS} restarts, events doubled and swapped",
        before=old,
        after=str(seen.a),
        ptr_after=str(seen.ptr),
        seconds=clock.seconds,
        drifted=f"queue: {old} became {', '.join(passed)}",
        repaired_by="its events",
        note=f"{RESTARTS} events were delivered {count} times, the first one after a later one",
        expected=(Expected(QUEUE, EventType.RECONCILE_UPDATED),),
    )


def throttle(stage: Stage) -> Told:
    """Throttle in the middle of a repair; the worker waits as long as it is told."""
    old = stage.address(WEB)
    rule = {
        "kind": "throttle",
        "operation": "privateDns.recordSet.*",
        "times": THROTTLED,
        "retry_after": RETRY_AFTER_SECONDS,
    }
    stage.azure.control("POST", "faults", rule)
    try:
        with _clock() as clock:
            stage.azure.restart(WEB)
            new = stage.address(WEB)
            clock.restart()
            seen = stage.until_right(WEB, new, gone=[old])
        stage.settle()
        fired = sum(int(item["fired"]) for item in stage.azure.control("GET", "faults")["value"])
    finally:
        stage.azure.control("DELETE", "faults")
    return Told(
        did="web is restarted while Azure throttles us",
        before=old,
        after=str(seen.a),
        ptr_after=str(seen.ptr),
        seconds=clock.seconds,
        drifted=f"web: {old} became {new}",
        repaired_by="its event",
        note=f"{fired} answers were 429 with Retry-After: {RETRY_AFTER_SECONDS}; they were waited out",
        expected=(Expected(WEB, EventType.RECONCILE_UPDATED),),
    )


def platform_move(stage: Stage) -> Told:
    """Move a group and tell nobody, as the platform does. DNS stays wrong until somebody looks."""
    stage.settle()
    since, count = _now(), _deliveries(stage)
    moved = stage.azure.control("POST", f"groups{API.id}/move")
    old, new = moved["old_ip"], stage.address(API)
    time.sleep(0.3)  # long enough for an event to be delivered, if there were one
    stale = stage.look(API.fqdn, new).a
    if count() or stale.values != (old,):
        raise DemoError(f"a platform move was heard of: {len(count())} deliveries, api is {stale}")
    with _clock() as asked:
        _publish(stage, API, "track")
        row = stage.until_row(API, EventType.DRIFT_DETECTED, since)
    with _clock() as clock:
        _publish(stage, API, "reconcile")
        seen = stage.until_right(API, new, gone=[old])
    return Told(
        did="the platform moves api; there is no event",
        before=str(stale),
        after=str(seen.a),
        ptr_after=str(seen.ptr),
        seconds=clock.seconds,
        drifted=f"api: moved from {old} to {new} in silence",
        repaired_by="a published event",
        note=f"DNS stayed wrong until asked; tracker: {_kinds(row)} after {asked.seconds:.1f} s",
        expected=(
            Expected(API, EventType.DRIFT_DETECTED, DriftKind.A_MISMATCH),
            Expected(API, EventType.RECONCILE_UPDATED),
        ),
    )


def name_conflict(stage: Stage) -> Told:
    """Claim a name that is taken. The first group keeps it; the failure is loud, and stays."""
    first, since = stage.address(WEB), _now()
    with _clock() as clock:
        stage.azure.create(SECOND_WEB)
        second = stage.address(SECOND_WEB)
        row = stage.until_row(SECOND_WEB, EventType.RECONCILE_FAILED, since)
    stage.settle()
    seen = stage.until_right(WEB, first)
    return Told(
        did="a second web appears in the other spoke",
        before=first,
        after=str(seen.a),
        ptr_after=str(seen.ptr),
        seconds=clock.seconds,
        drifted=f"web in {SECOND_WEB.network.resource_group}, at {second}, has no name",
        repaired_by="",
        note=f"reconciler: reconcile_failed ({row['ErrorCode']}), tried {world.ATTEMPTS} times, then a dead letter",
        wrong=str(row["ErrorMessage"]),
        expected=(Expected(SECOND_WEB, EventType.RECONCILE_FAILED, error_code="name_conflict"),),
    )


ACTS: Final[tuple[Act, ...]] = (
    Act("creation", create),
    Act("restart", restart),
    Act("manual edit", edit_by_hand),
    Act("delete", delete),
    Act("recreate race", delete_and_recreate),
    Act("disorder", duplicates_and_disorder),
    Act("throttling", throttle),
    Act("platform move", platform_move),
    Act("name conflict", name_conflict),
)


class _Clock:
    """A stopwatch."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.restart()

    def restart(self) -> None:
        """Count from now."""
        self._began = time.monotonic()

    def stop(self) -> None:
        """Note the time."""
        self.seconds = time.monotonic() - self._began


@contextmanager
def _clock() -> Iterator[_Clock]:
    clock = _Clock()
    yield clock
    clock.stop()


@contextmanager
def _events(stage: Stage, *faults: dict[str, Any]) -> Iterator[None]:
    """Let Event Grid do this to deliveries for a while."""
    stage.azure.control("POST", "eventgrid", {"faults": list(faults)})
    try:
        yield
    finally:
        stage.azure.control("POST", "eventgrid", {"faults": []})


def _restarted(stage: Stage, group: Group) -> str:
    stage.azure.restart(group)
    return stage.address(group)


def _deliveries(stage: Stage) -> Callable[[], Sequence[dict[str, Any]]]:
    """Give a look at the deliveries that begin from now on."""

    def every() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = stage.azure.control("GET", "eventgrid/deliveries")["value"]
        return found

    last = max((int(item["number"]) for item in every()), default=0)
    return lambda: [item for item in every() if int(item["number"]) > last]


def _place_of_deletion(deliveries: Sequence[dict[str, Any]]) -> str:
    """Say where in the reconciler's deliveries the deletion's was: a busy machine may overtake the delay."""
    kinds = [
        item["eventType"]
        for item in sorted(deliveries, key=lambda item: str(item["attempts"][0]["startedAt"]))
        if item["subscription"] == "reconcile"
    ]
    return "last" if kinds[-1].endswith("DeleteSuccess") else "in between"


def _publish(stage: Stage, group: Group, subscription: str) -> None:
    """Publish "look at this group again" to one subscriber, as the audit will."""
    event = event_for(parse_container_group(group.id), _now())
    stage.azure.control("POST", "eventgrid/publish", {"events": [event], "subscriptions": subscription})


def _kinds(row: Any) -> str:
    kinds = row["DriftKinds"]
    return kinds.strip('[]"').replace('","', ", ") if isinstance(kinds, str) else ", ".join(kinds)


def _now() -> datetime:
    return datetime.now(UTC)
