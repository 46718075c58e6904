"""What is out of order when a history ends, and stays so: whoever looks at its last hours finds something to do."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from core.events import Component
from core.live import LiveState
from local_azure.history import life
from local_azure.history.trouble import Fault
from local_azure.history.windows import Incident, during, residents, seen_by_audit, seen_by_probe

if TYPE_CHECKING:
    from datetime import datetime

    from local_azure.history.layout import Place
    from local_azure.history.play import Play


def plan(play: Play) -> None:
    """Put them on the clock."""
    since = play.shape.end - max(seen_by_audit(play, 7), seen_by_probe(play, 7))
    until = play.shape.end + timedelta(hours=12)
    _out_of_reach(play, since, until)
    twin = play.layout.places[1]
    _lasting(play, "name_conflict", twin, since, until, life.create)
    _unlinked(play, since + timedelta(minutes=40), until)


def _out_of_reach(play: Play, since: datetime, until: datetime) -> None:
    """Take the writer's role on two groups away; one is moved, one deleted, and neither is repaired."""
    moved, deleted = play.layout.places[0], residents(play)[-1]
    for place in (moved, deleted):
        fault = Fault("forbidden", component=Component.RECONCILER, where=str(place.id))
        incident = Incident("writer_forbidden", since, until, str(place.id))
        during(play, incident, partial(_begin, play, fault), partial(_end, play, fault))
    soon = since + timedelta(minutes=10)
    _lasting(play, "drift_not_repaired", moved, soon, until, life.move)
    _lasting(play, "orphan", deleted, soon, until, life.delete)


def _begin(play: Play, fault: Fault, _: datetime) -> None:
    play.troubles.begin(fault)


def _end(play: Play, fault: Fault, _: datetime) -> None:
    play.troubles.end(fault)


def _lasting(  # noqa: PLR0913, PLR0917 - what, whom, when, and how
    play: Play, name: str, place: Place, since: datetime, until: datetime, do: object
) -> None:
    def begin(now: datetime) -> None:
        is_there = play.world.group(place.id).state is LiveState.RUNNING
        if is_there or do is life.create:
            do(play, place, now)  # type: ignore[operator]

    during(play, Incident(name, since, until, place.key), begin, lambda _: None)


def _unlinked(play: Play, since: datetime, until: datetime) -> None:
    """Take the link of a reverse zone to its hub away."""
    spoke = play.layout.places[0].spoke
    hub = play.layout.hub_vnet(spoke.hub)

    def begin(_: datetime) -> None:
        play.world.links[spoke.reverse_zone].pop(hub.lower(), None)
        play.probing.bulk.zones_changed()

    during(
        play, Incident("reverse_zone_unlinked", since, until, f"{spoke.reverse_zone} in {hub}"), begin, lambda _: None
    )
