"""Incidents of container groups and their records: conflicts, orphans, edits, flapping, and a fleet that is moved."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from core.live import LiveState
from core.names import parse_address
from core.records import RecordSet, owner_mark
from local_azure.history import life
from local_azure.history.calendar import foreign
from local_azure.history.delivery import group_event
from local_azure.history.windows import (
    Incident,
    during,
    moment,
    residents,
    running,
    seen_by_audit,
    seen_by_probe,
)

if TYPE_CHECKING:
    from local_azure.history.layout import Place
    from local_azure.history.play import Play

_FLAPS = 9
_MOVED = 0.45


def plan(play: Play) -> None:
    """Put them on the clock."""
    day = max(timedelta(days=1), seen_by_audit(play, 1), seen_by_probe(play, 1))
    _guest(play, "name_conflict", play.layout.places[1], moment(play, 0.6), day)
    _guest(play, "reverse_zone_forgotten", play.layout.places[2], moment(play, 0.3), day)
    _not_owned(play, moment(play, 0.56), day)
    _edits(play)
    _orphan(play, moment(play, 0.14), seen_by_audit(play, 20))
    _left_pointer(play, moment(play, 0.21), seen_by_audit(play, 9))
    _flapping(play, moment(play, 0.9))
    _moved(play, moment(play, 0.72))
    for part in (0.06, 0.44, 0.83):
        play.at(moment(play, part), partial(foreign, play))
        play.at(moment(play, part), lambda now: group_event(play, play.layout.stray[0], now))


def _guest(play: Play, name: str, place: Place, at: datetime, length: timedelta) -> None:
    """Let a group that cannot be made right be there for a while."""
    during(
        play, Incident(name, at, at + length, place.key),
        lambda now: life.create(play, place, now), lambda now: life.delete(play, place, now),
    )  # fmt: skip


def _not_owned(play: Play, at: datetime, length: timedelta) -> None:
    """Let a hand-made record be in the way of a group under strict ownership, until somebody deletes it."""
    place = play.layout.places[3]
    placement = play.watch.placements[place.key]
    by_hand = RecordSet(placement.forward_zone, "A", placement.record_name, 3600, ("10.18.77.7",))

    def begin(now: datetime) -> None:
        play.world.write(by_hand)
        life.create(play, place, now)

    def end(now: datetime) -> None:
        play.world.sets[by_hand.zone.name].pop(("A", by_hand.name), None)
        play.note(now, "delete_address", place)
        group_event(play, place, now)

    during(play, Incident("not_owned", at, at + length, place.key), begin, end)
    play.at(at + length * 2, lambda now: life.delete(play, place, now))


def _edits(play: Play) -> None:
    """Let people edit records by hand while nothing but people repairs it, each edit for a probe to see."""
    edits = (
        ("address", life.edit_address),
        ("pointer", life.edit_pointer),
        ("address_deleted", lambda play, place, at: life.delete_record(play, place, at, "A")),
        ("pointer_deleted", lambda play, place, at: life.delete_record(play, place, at, "PTR")),
    )
    for number, (name, edit) in enumerate(edits):
        at = moment(play, 0.04 + 0.08 * number)
        place = play.layout.places[0] if number % 2 else residents(play)[0]
        length = max(seen_by_probe(play, 3), seen_by_audit(play, 3))
        during(
            play, Incident(f"edit_{name}", at, at + length, place.key),
            partial(_if_running, play, place, edit), partial(life.repair, play, place),
        )  # fmt: skip


def _if_running(play: Play, place: Place, do: object, now: datetime) -> None:
    if play.world.group(place.id).state is LiveState.RUNNING:
        do(play, place, now)  # type: ignore[operator]


def _orphan(play: Play, at: datetime, length: timedelta) -> None:
    """Delete a group whose events get lost; its records stay until somebody finds them."""
    place = residents(play)[-1]

    def begin(now: datetime) -> None:
        play.lost.add(place.key)
        life.delete(play, place, now)

    def end(now: datetime) -> None:
        play.lost.discard(place.key)
        life.create(play, place, now)

    during(play, Incident("orphan", at, at + length, place.key), begin, end)


def _left_pointer(play: Play, at: datetime, length: timedelta) -> None:
    """Leave a PTR that no address record names: a worker was killed between its two writes."""
    place = play.layout.places[0]
    placement = play.watch.placements[place.key]
    address = parse_address(f"10.{place.spoke.number}.{place.subnet}.254")
    where = placement.ptr_place(address)
    if where is None:
        return
    left = RecordSet(where.zone, "PTR", where.name, 60, (placement.fqdn,), owner_mark(str(place.id)))

    def begin(now: datetime) -> None:
        play.world.write(left)
        play.watch.suspects[place.key] = {address}
        play.note(now, "left_pointer", place)

    def end(now: datetime) -> None:
        play.world.sets[where.zone.name].pop(("PTR", where.name), None)
        play.watch.suspects.pop(place.key, None)
        play.note(now, "delete_pointer", place)

    during(play, Incident("left_pointer", at, at + length, place.key), begin, end)


def _flapping(play: Play, at: datetime) -> None:
    """Let a group fail and be replaced again and again."""
    place = residents(play)[0]
    length = timedelta(minutes=10 * _FLAPS)
    during(play, Incident("flapping", at, at + length, place.key), lambda _: None, lambda _: None)
    for number in range(_FLAPS):
        when = at + timedelta(minutes=10 * number, seconds=play.rng.randint(0, 90))
        play.at(when, partial(_if_running, play, place, life.recreate))


def _moved(play: Play, at: datetime) -> None:
    """Let the platform move nearly half of the fleet: too much for the audit's brakes, so people repair it."""

    def begin(now: datetime) -> None:
        there = running(play, [*residents(play), play.layout.places[0]])
        for place in play.rng.sample(there, min(len(there), max(2, round(_MOVED * len(there))))):
            play.at(now + timedelta(seconds=play.rng.randint(0, 1800)), partial(life.move, play, place))

    def end(now: datetime) -> None:
        for key in sorted(play.watch.dirty):
            soon = now + timedelta(seconds=play.rng.randint(0, 1200))
            play.at(soon, partial(life.repair, play, play.watch.places[key]))

    during(play, Incident("platform_maintenance", at, at + seen_by_audit(play, 3)), begin, end)
