"""What is done to container groups: deployments, restarts, stops, moves, deletions, and edits of records by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core.live import LiveState
from core.names import parse_address
from local_azure.history.delivery import (
    DELETED,
    RESTARTED,
    STARTED,
    STOPPED,
    WRITTEN,
    Cause,
    arm_event,
    group_event,
    send,
)  # fmt: skip

if TYPE_CHECKING:
    from core.records import RecordSet
    from local_azure.history.layout import Place
    from local_azure.history.play import Play

_UPDATING = "provisioning state Updating"


def create(play: Play, place: Place, at: datetime, *, early: bool = True) -> None:
    """Create a group: it is not ready for a while, and its event may come before it is."""
    play.set_live(place, LiveState.NOT_READY, None, "provisioning state Creating")
    play.note(at, "create", place)
    _ready_later(play, place, at, early=early)


def recreate(play: Play, place: Place, at: datetime) -> None:
    """Deploy a group anew: the old one is deleted, the new one gets another address."""
    old = play.world.group(place.id).address
    play.set_live(place, LiveState.NOT_READY, None, _UPDATING)
    play.note(at, "deploy", place, old)
    _ready_later(play, place, at, early=play.rng.random() < 0.35)  # noqa: PLR2004


def update(play: Play, place: Place, at: datetime) -> None:
    """Deploy a group in place: it keeps its address."""
    address = play.world.group(place.id).address
    play.note(at, "update", place, address, address)
    group_event(play, place, at)


def restart(play: Play, place: Place, at: datetime) -> None:
    """Restart a group; half of the time it comes back with another address."""
    live = play.world.group(place.id)
    if live.state is not LiveState.RUNNING:
        return
    if play.rng.random() < 0.5:  # noqa: PLR2004
        play.note(at, "restart", place, live.address, live.address)
        group_event(play, place, at, RESTARTED)
        return
    play.set_live(place, LiveState.NOT_READY, None, "provisioning state Pending")
    play.note(at, "restart", place, live.address)
    _ready_later(play, place, at, early=False, cause=RESTARTED)


def _ready_later(play: Play, place: Place, at: datetime, *, early: bool, cause: Cause = WRITTEN) -> None:
    if early:
        group_event(play, place, at + timedelta(seconds=1), cause)

    def ready(now: datetime) -> None:
        if play.world.group(place.id).state is not LiveState.NOT_READY:
            return  # stopped or deleted meanwhile
        address = play.world.take_address(place, play.rng)
        play.set_live(place, LiveState.RUNNING, address)
        play.note(now, "running", place, None, address)
        if not early:
            group_event(play, place, now, cause)

    play.at(at + play.seconds(35, 0.5), ready)


def stop(play: Play, place: Place, at: datetime) -> None:
    """Stop a group; its address may be given to another."""
    old = play.world.group(place.id).address
    play.set_live(place, LiveState.STOPPED, None, "the group is stopped; its address may be given to another")
    play.note(at, "stop", place, old)
    group_event(play, place, at, STOPPED)


def start(play: Play, place: Place, at: datetime) -> None:
    """Start a stopped group."""
    if play.world.group(place.id).state is LiveState.STOPPED:
        play.set_live(place, LiveState.NOT_READY, None, "provisioning state Pending")
        play.note(at, "start", place)
        _ready_later(play, place, at, early=False, cause=STARTED)


def delete(play: Play, place: Place, at: datetime) -> None:
    """Delete a group."""
    old = play.world.group(place.id).address
    play.set_live(place, LiveState.ABSENT, None)
    play.note(at, "delete", place, old)
    group_event(play, place, at, DELETED)


def move(play: Play, place: Place, at: datetime) -> None:
    """Let the platform move a group: another address, and no event."""
    live = play.world.group(place.id)
    if live.state is LiveState.RUNNING:
        address = play.world.take_address(place, play.rng)
        play.set_live(place, LiveState.RUNNING, address)
        play.note(at, "move", place, live.address, address)


def repair(play: Play, place: Place, at: datetime) -> None:
    """Let an operator save the group again: nothing changes but the event that says so."""
    if place.key in play.watch.dirty:
        group_event(play, place, at)


def _own_set(play: Play, place: Place, kind: str) -> RecordSet | None:
    placement, live = play.watch.placements[place.key], play.world.group(place.id)
    if kind == "A":
        return play.world.sets.get(placement.config.forward_zone, {}).get(("A", placement.record_name))
    at = placement.ptr_place(live.address) if live.address else None
    return play.world.sets.get(at.zone.name, {}).get(("PTR", at.name)) if at else None


def edit_address(play: Play, place: Place, at: datetime) -> None:
    """Let somebody change a group's address record in the portal; the owner mark stays."""
    found = _own_set(play, place, "A")
    if found is not None:
        wrong = str(parse_address(f"10.{place.spoke.number}.250.{play.rng.randint(4, 250)}"))
        play.world.write(replace(found, values=(wrong,), ttl=300))
        play.note(at, "edit_address", place, found.values[0], wrong)
        _record_event(play, found, at)


def edit_pointer(play: Play, place: Place, at: datetime) -> None:
    """Let somebody point a group's PTR at another name."""
    found = _own_set(play, place, "PTR")
    if found is not None:
        play.world.write(replace(found, values=(f"old-{place.id.name}.{place.spoke.forward_zone}",)))
        play.note(at, "edit_pointer", place)
        _record_event(play, found, at)


def delete_record(play: Play, place: Place, at: datetime, kind: str) -> None:
    """Let somebody delete a group's address record or its PTR."""
    found = _own_set(play, place, kind)
    if found is not None:
        del play.world.sets[found.zone.name][found.type, found.name]
        play.note(at, "delete_address" if kind == "A" else "delete_pointer", place)
        _record_event(play, found, at, deleted=True)


def _record_event(play: Play, found: RecordSet, at: datetime, *, deleted: bool = False) -> None:
    """Tell the tracker: it takes record set events, the reconciler does not."""
    zone = found.zone
    subject = (
        f"/subscriptions/{zone.subscription_id}/resourceGroups/{zone.resource_group}"
        f"/providers/Microsoft.Network/privateDnsZones/{zone.name}/{found.type}/{found.name}"
    )
    outcome, verb = ("DeleteSuccess", "delete") if deleted else ("WriteSuccess", "write")
    cause = Cause(outcome, f"Microsoft.Network/privateDnsZones/{found.type}/{verb}")
    send(play, arm_event(play, subject, at, cause), at, ("track",))
