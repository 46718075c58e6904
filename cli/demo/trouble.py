"""The acts in which something goes wrong: people, Event Grid, throttling, the platform, and a name that is taken."""

import time
from datetime import UTC, datetime
from typing import Final

from cli.demo import world
from cli.demo.azure import DemoError
from cli.demo.stage import Stage, is_about
from cli.demo.told import Clock, Due, Expected, Told, kinds_of, unrepaired
from cli.demo.world import API, DNS_API, QUEUE, SECOND_WEB, WEB, Group
from core.events import Component, DriftKind, EventType

HAND_WRITTEN: Final = "10.1.0.250"
RETRY_AFTER_SECONDS: Final = 1
THROTTLED: Final = 3
RESTARTS: Final = 3
"""An odd number: the lowest free address alternates, so that the last one differs from the first."""


def edit_by_hand(stage: Stage) -> Told:
    """Type an address over the right one. The record's own event tells the tracker; a person repairs it."""
    right, since = stage.address(WEB), datetime.now(UTC)
    stage.azure.do("PUT", f"{world.zone_id(world.FORWARD_ZONE)}/A/web", DNS_API, world.address_record(HAND_WRITTEN))
    wrong = stage.look(WEB.fqdn, right).a
    with Clock() as found:
        row = stage.until_row(WEB, EventType.DRIFT_DETECTED, since)
    stage.wait_for_nobody()
    with Clock() as clock:
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
        note=f"tracker: drift_detected ({kinds_of(row)}) after {found.seconds:.1f} s",
        expected=(
            Expected(WEB, EventType.DRIFT_DETECTED, DriftKind.A_MISMATCH),
            Expected(WEB, EventType.RECONCILE_UPDATED),
        ),
        due=(unrepaired(WEB),),
    )


def duplicates_and_disorder(stage: Stage) -> Told:
    """Deliver each event twice and the first one last: Event Grid promises at least once, and no order."""
    old, since = stage.address(QUEUE), stage.deliveries()
    faults = (
        {"kind": "duplicate", "subject": "*/queue", "subscription": "reconcile"},
        {"kind": "reorder", "subject": "*/queue", "subscription": "reconcile", "times": 1, "seconds": 1000},
    )
    with stage.faults(*faults):
        passed = [_restarted(stage, QUEUE) for _ in range(RESTARTS)]
        new = passed[-1]
        with Clock() as clock:
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
        with Clock() as clock:
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
    since, count = datetime.now(UTC), stage.deliveries()
    moved = stage.azure.control("POST", f"groups{API.id}/move")
    old, new = moved["old_ip"], stage.address(API)
    time.sleep(0.3)  # long enough for an event to be delivered, if there were one
    stale = stage.look(API.fqdn, new).a
    if count() or stale.values != (old,):
        raise DemoError(f"a platform move was heard of: {len(count())} deliveries, api is {stale}")
    with Clock() as asked:
        stage.publish(API, "track")
        row = stage.until_row(API, EventType.DRIFT_DETECTED, since)
    stage.wait_for_nobody()
    with Clock() as clock:
        stage.publish(API, "reconcile")
        seen = stage.until_right(API, new, gone=[old])
    return Told(
        did="the platform moves api; there is no event",
        before=str(stale),
        after=str(seen.a),
        ptr_after=str(seen.ptr),
        seconds=clock.seconds,
        drifted=f"api: moved from {old} to {new} in silence",
        repaired_by="a published event",
        note=f"DNS stayed wrong until asked; tracker: {kinds_of(row)} after {asked.seconds:.1f} s",
        expected=(
            Expected(API, EventType.DRIFT_DETECTED, DriftKind.A_MISMATCH),
            Expected(API, EventType.RECONCILE_UPDATED),
        ),
        due=(unrepaired(API),),
    )


def audited(stage: Stage) -> Told:
    """Move a group and tell nobody. The audit, run by its timer, finds it and has the reconciler look."""
    stage.settle()
    since = datetime.now(UTC)
    moved = stage.azure.control("POST", f"groups{QUEUE.id}/move")
    old, new = moved["old_ip"], stage.address(QUEUE)
    stale = stage.look(QUEUE.fqdn, new).a
    with Clock() as clock:
        stage.run_function("audit")
        seen = stage.until_right(QUEUE, new, gone=[old])
    stage.until_row(QUEUE, EventType.DRIFT_DETECTED, since)
    found = [row for row in stage.rows(since) if row["Component"] == Component.AUDIT.value]
    rows = [row for row in found if is_about(row, QUEUE.id, EventType.DRIFT_DETECTED)]
    stage.run_function("canary")
    return Told(
        did="the platform moves queue; an audit is due",
        before=str(stale),
        after=str(seen.a),
        ptr_after=str(seen.ptr),
        seconds=clock.seconds,
        drifted=f"queue: moved from {old} to {new} in silence",
        repaired_by="the audit (REPAIR=publish)",
        note=f"audit: {', '.join(map(kinds_of, rows))}; it published the group, and the reconciler answered",
        expected=(
            Expected(QUEUE, EventType.DRIFT_DETECTED, DriftKind.A_MISMATCH),
            Expected(QUEUE, EventType.RECONCILE_UPDATED),
        ),
    )


def name_conflict(stage: Stage) -> Told:
    """Claim a name that is taken. The first group keeps it; the failure is loud, and stays."""
    first, since = stage.address(WEB), datetime.now(UTC)
    with Clock() as clock:
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
        due=(Due("name-conflict", {"ContainerGroup": "web", "Owner": WEB.id}, resolves=False),),
    )


def _restarted(stage: Stage, group: Group) -> str:
    stage.azure.restart(group)
    return stage.address(group)
