"""Event Grid in a history: an event goes to both rooms, sometimes twice, and again until it is answered or given up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from core.delivery import parse_time
from core.events import Component, Event, EventType
from local_azure.eventgrid.schedule import Attempt, GiveUp, Reaction, Retry, RetryPolicy, decide
from local_azure.history.seeded import new_id
from local_azure.history.truth import DeadLetter

if TYPE_CHECKING:
    from local_azure.history.layout import Place
    from local_azure.history.play import Play

GROUPS: Final = "Microsoft.ContainerInstance/containerGroups"
BOTH: Final = ("reconcile", "track")


@dataclass(frozen=True, slots=True)
class Cause:
    """What an event reports: the end of its type (WriteSuccess), and the operation."""

    outcome: str
    operation: str


WRITTEN: Final = Cause("WriteSuccess", f"{GROUPS}/write")
RESTARTED: Final = Cause("ActionSuccess", f"{GROUPS}/restart/action")
STARTED: Final = Cause("ActionSuccess", f"{GROUPS}/start/action")
STOPPED: Final = Cause("ActionSuccess", f"{GROUPS}/stop/action")
DELETED: Final = Cause("DeleteSuccess", f"{GROUPS}/delete")

_COMPONENTS: Final = {"reconcile": Component.RECONCILER, "track": Component.TRACKER}
_FAILURES: Final = {"reconcile": EventType.RECONCILE_FAILED, "track": EventType.TRACK_FAILED}
_TWICE: Final = 0.02
"""Of all deliveries: Event Grid promises at least once."""
_POLICY: Final = RetryPolicy()


def arm_event(play: Play, subject: str, at: datetime, cause: Cause) -> dict[str, Any]:
    """Make an event as Azure Resource Manager sends it."""
    return {
        "id": new_id(play.rng),
        "subject": subject,
        "eventType": f"Microsoft.Resources.Resource{cause.outcome}",
        "eventTime": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "data": {"operationName": cause.operation, "correlationId": new_id(play.rng)},
        "dataVersion": "2",
    }


def group_event(play: Play, place: Place, at: datetime, cause: Cause = WRITTEN, rooms: tuple[str, ...] = BOTH) -> None:
    """Let it be known that something happened to a group, unless its events get lost."""
    if place.key not in play.lost:
        send(play, arm_event(play, str(place.id), at, cause), at, rooms, place)


@dataclass(frozen=True, slots=True)
class _Mail:
    """An event on its way to a room."""

    room: str
    raw: dict[str, Any]
    place: Place | None

    @property
    def published(self) -> datetime | None:
        return parse_time(self.raw.get("eventTime"))


def send(play: Play, raw: dict[str, Any], at: datetime, rooms: tuple[str, ...], place: Place | None = None) -> None:
    """Send an event to the rooms."""
    for room in rooms:
        mail = _Mail(room, raw, place)
        first = at + play.seconds(1.6, 0.8)
        play.at(first, partial(_deliver, play, mail, 1))
        if play.rng.random() < _TWICE:
            play.at(first + play.seconds(20, 1), partial(_deliver, play, mail, 1))


def _deliver(play: Play, mail: _Mail, number: int, now: datetime) -> None:
    """Make one attempt. Its row says attempt 1: the app has no retry policy of its own, and Event Grid does not say."""
    room, component = mail.room, _COMPONENTS[mail.room]
    run = play.invocation(now, component)
    ended, ok = now, False
    if play.down.get(room):
        _again(play, mail, number, now)
        return
    if play.troubles.met("app", component):
        _unusable(play, mail, run.id, now)
    else:
        events, ok = (play.rooms.reconcile if room == "reconcile" else play.rooms.track)(mail.raw, run)
        ended = max((event.time - run.skew for event in events), default=now)
        play.emit(events, ended, room)
    play.runtime.request(room, run.id, (now, ended), ok=ok)
    if mail.place is not None and room == "reconcile":
        play.watch.look(mail.place, ended, mail.raw["id"])
    if not ok:
        _again(play, mail, number, ended)


def _again(play: Play, mail: _Mail, number: int, ended: datetime) -> None:
    age = (ended - (mail.published or ended)).total_seconds()
    decision = decide("AzureFunction", _POLICY, Attempt(number, age, Reaction(status=500)), play.rng)
    if isinstance(decision, Retry):
        due = ended + timedelta(milliseconds=round(1000 * decision.wait_seconds))
        play.at(due, partial(_deliver, play, mail, number + 1))
    elif isinstance(decision, GiveUp):
        key = mail.place.key if mail.place else ""
        letter = DeadLetter(ended, mail.room, mail.raw["id"], key, number, decision.reason)
        play.truth.dead_letters.append(letter)


def _unusable(play: Play, mail: _Mail, invocation: str, now: datetime) -> None:
    """Write what the app writes when its settings cannot be used: a log line, for where to upload is unknown."""
    values = {
        "SourceEventId": mail.raw["id"],
        "CorrelationId": invocation,
        "ErrorCode": "bad_configuration",
        "ErrorMessage": "the settings cannot be used:\n  DNS_ZONE_MAP: not JSON: Expecting ',' delimiter",
    }
    event = Event(_COMPONENTS[mail.room], _FAILURES[mail.room], now, invocation, values)
    play.arrivals.take_line(event.to_row(), now, mail.room)
