"""When an incident is, whom it may concern, and that it is noted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core.live import LiveState
from local_azure.history.truth import Incident

if TYPE_CHECKING:
    from local_azure.history.layout import Place
    from local_azure.history.play import Play

Doing = Callable[[datetime], object]
_THURSDAY = 3


def moment(play: Play, part: float) -> datetime:
    """Give the instant at a part of the history (0 to 1)."""
    return play.shape.start + timedelta(seconds=round((play.shape.end - play.shape.start).total_seconds() * part))


def big_day(play: Play, part: float) -> datetime:
    """Give half past nine on the Thursday before that, where the history is long enough to have one there."""
    at = moment(play, part)
    thursday = at - timedelta(days=(at.weekday() - _THURSDAY) % 7)
    morning = thursday.replace(hour=9, minute=30, second=0, microsecond=0)
    return morning if morning > play.shape.start + timedelta(days=1) else at


def seen_by_probe(play: Play, hours: float) -> timedelta:
    """Give a time of so many hours, or as long as a probe surely falls into it."""
    return max(timedelta(hours=hours), timedelta(minutes=play.shape.probe_minutes * 1.2))


def seen_by_audit(play: Play, hours: float) -> timedelta:
    """Give a time of so many hours, or as long as an audit surely falls into it."""
    return max(timedelta(hours=hours), timedelta(minutes=play.shape.audit_minutes * 1.2))


def during(play: Play, incident: Incident, begin: Doing, end: Doing) -> None:
    """Let something be out of order during an incident; one that begins after the history's end never is."""
    if incident.since < play.shape.end:
        play.truth.incidents.append(incident)
        play.at(incident.since, begin)
        play.at(incident.until, end)


def residents(play: Play) -> list[Place]:
    """Give the groups that are always there, the first spokes' first: not the peculiar ones."""
    return list(play.layout.places[5:])


def running(play: Play, places: list[Place]) -> list[Place]:
    """Give those of the groups that are running now."""
    return [place for place in places if play.world.group(place.id).state is LiveState.RUNNING]


__all__ = ["Incident", "big_day", "during", "moment", "residents", "running", "seen_by_audit", "seen_by_probe"]
