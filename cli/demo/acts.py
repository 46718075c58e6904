"""The acts of the demo, in their order; and those in which container groups come, change and go.

Each does something to Azure, waits for what must follow, and tells what it saw.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from cli.demo import probing, trouble
from cli.demo.azure import DemoError
from cli.demo.stage import Stage
from cli.demo.told import Act, Clock, Expected, Told
from cli.demo.world import API, BATCH, CACHE, FIRST_GROUPS, WEB, WORKER
from core.events import EventType


def create(stage: Stage) -> Told:
    """Let container groups appear; nobody registers them in DNS but the toolkit."""
    before = stage.look(WEB.fqdn, "10.1.0.4").a
    with Clock() as clock:
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
    with Clock() as clock:
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


def delete(stage: Stage) -> Told:
    """Delete a group; both its records must go."""
    old = stage.address(BATCH)
    with Clock() as clock:
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
    old, since = stage.address(CACHE), stage.deliveries()
    with stage.faults({"kind": "delay", "subject": "*/cache", "eventType": "*DeleteSuccess", "seconds": 500}):
        stage.azure.delete(CACHE)
        with Clock() as clock:
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


def _place_of_deletion(deliveries: Sequence[dict[str, Any]]) -> str:
    """Say where in the reconciler's deliveries the deletion's was: a busy machine may overtake the delay."""
    kinds = [
        item["eventType"]
        for item in sorted(deliveries, key=lambda item: str(item["attempts"][0]["startedAt"]))
        if item["subscription"] == "reconcile"
    ]
    return "last" if kinds[-1].endswith("DeleteSuccess") else "in between"


ACTS: Final[tuple[Act, ...]] = (
    Act("creation", create),
    Act("restart", restart),
    Act("manual edit", trouble.edit_by_hand),
    Act("delete", delete),
    Act("recreate race", delete_and_recreate),
    Act("disorder", trouble.duplicates_and_disorder),
    Act("throttling", trouble.throttle),
    Act("platform move", trouble.platform_move),
    Act("unlinked zone", probing.unlink),
    Act("deleted PTR", probing.delete_ptr),
    Act("audit", trouble.audited),
    Act("name conflict", trouble.name_conflict),
)
