"""An ordinary day of the fleet: who is deployed when, who rests, what people do, and the platform."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from core.live import LiveState
from local_azure.history import life
from local_azure.history.delivery import BOTH, GROUPS, WRITTEN, arm_event, group_event, send

if TYPE_CHECKING:
    from local_azure.history.layout import Place
    from local_azure.history.play import Play

_WEIGHTS: Final = (1.0, 1.0, 1.0, 2.6, 0.35, 0.03, 0.03)
"""Deployments by weekday, Monday first: Thursday is the day of the big ones, on Friday only the brave deploy."""
_RESTARTS: Final = 0.012
_MOVES: Final = 0.006
_EDITS: Final = 0.004
_RETIRED: Final = 0.0012
"""Each day, for each group."""
_FRIDAY, _MONDAY = 4, 0


def is_guest(place: Place, play: Play) -> bool:
    """Tell whether a group is not there in ordinary times: an incident brings it."""
    return place in play.layout.places[1:4]


def begin(play: Play) -> None:
    """Let the fleet be there when the history begins: every group is created in the first minutes."""
    residents = [place for place in play.layout.places if not is_guest(place, play)]
    for number, place in enumerate(residents):
        at = play.shape.start + timedelta(seconds=2 + number * min(1.0, 600 / len(residents)))
        play.at(at, lambda now, place=place: life.create(play, place, now, early=False))  # type: ignore[misc]


def plan_day(play: Play, midnight: datetime) -> None:
    """Put a day's ordinary doings on the clock."""
    factor = play.shape.deploys * _WEIGHTS[midnight.weekday()] / sum(_WEIGHTS)
    for place in play.layout.places:
        if is_guest(place, play):
            continue
        rng = play.rng
        if rng.random() < factor:
            _at(play, place, _morning(play, midnight), _deploy)
        if rng.random() < _RESTARTS:
            _at(play, place, _any_time(play, midnight), _restart)
        if rng.random() < _MOVES:
            _at(play, place, _any_time(play, midnight), _move)
        if rng.random() < _EDITS:
            _at(play, place, _morning(play, midnight) + timedelta(hours=3), _edit)
        if rng.random() < _RETIRED:
            _at(play, place, _morning(play, midnight) + timedelta(hours=2), _retire)
        _weekend(play, place, midnight)
    _strangers(play, midnight)


def _at(play: Play, place: Place, at: datetime, do: object) -> None:
    play.at(at, lambda now: do(play, place, now))  # type: ignore[operator]


def _morning(play: Play, midnight: datetime) -> datetime:
    hours = min(max(play.rng.gauss(9.6, 0.9), 7), 14)
    return midnight + timedelta(milliseconds=round(hours * 3_600_000))


def _any_time(play: Play, midnight: datetime) -> datetime:
    return midnight + timedelta(milliseconds=play.rng.randrange(86_400_000))


def _is_up(play: Play, place: Place) -> bool:
    return play.world.group(place.id).state is LiveState.RUNNING


def _deploy(play: Play, place: Place, at: datetime) -> None:
    if _is_up(play, place):
        (life.recreate if play.rng.random() < 0.65 else life.update)(play, place, at)  # noqa: PLR2004


def _restart(play: Play, place: Place, at: datetime) -> None:
    if _is_up(play, place):
        life.restart(play, place, at)


def _move(play: Play, place: Place, at: datetime) -> None:
    life.move(play, place, at)
    by_hand(play, place, at)


def _edit(play: Play, place: Place, at: datetime) -> None:
    if not _is_up(play, place):
        return
    dice = play.rng.random()
    if dice < 0.35:  # noqa: PLR2004
        life.edit_address(play, place, at)
    elif dice < 0.55:  # noqa: PLR2004
        life.edit_pointer(play, place, at)
    elif dice < 0.85:  # noqa: PLR2004
        life.delete_record(play, place, at, "PTR")
    else:
        life.delete_record(play, place, at, "A")
    by_hand(play, place, at)


def by_hand(play: Play, place: Place, at: datetime) -> None:
    """Let somebody notice and repair it, some hours later, unless the audit's repair was faster."""
    due = at + play.seconds(4 * 3600, 0.9)
    play.at(due, lambda now: life.repair(play, place, now))


def _retire(play: Play, place: Place, at: datetime) -> None:
    """Delete a group; its name comes back some days later."""
    if _is_up(play, place):
        life.delete(play, place, at)
        back = at + play.seconds(4 * 86_400, 0.8)
        play.at(back, lambda now: _come_back(play, place, now))


def _come_back(play: Play, place: Place, at: datetime) -> None:
    if play.world.group(place.id).state is LiveState.ABSENT:
        life.create(play, place, at)


def _weekend(play: Play, place: Place, midnight: datetime) -> None:
    """Stop batch groups, and the one whose records are kept, on Friday evening, and start them on Monday."""
    rests = place.id.resource_group.endswith("-batch") or place is play.layout.places[4]
    if rests and midnight.weekday() == _FRIDAY and play.rng.random() < 0.4:  # noqa: PLR2004
        evening = midnight + timedelta(hours=18, seconds=play.rng.randrange(7200))
        _at(play, place, evening, _rest)
    if rests and midnight.weekday() == _MONDAY:
        morning = midnight + timedelta(hours=5, seconds=play.rng.randrange(3600))
        _at(play, place, morning, life.start)


def _rest(play: Play, place: Place, at: datetime) -> None:
    if _is_up(play, place):
        life.stop(play, place, at)


def _strangers(play: Play, midnight: datetime) -> None:
    """Let events come that are none of ours: a group nobody configured, other resources, and nonsense."""
    if play.rng.random() < 0.5:  # noqa: PLR2004
        place = play.layout.stray[0]
        play.at(_morning(play, midnight), lambda now: group_event(play, place, now))
    if play.rng.random() < 0.3:  # noqa: PLR2004
        play.at(_any_time(play, midnight), lambda now: foreign(play, now))


def foreign(play: Play, at: datetime) -> None:
    """Send an event of another resource, or one whose subject is none."""
    place = play.rng.choice(play.layout.places)
    bad = str(place.id).replace(place.id.name, "not_a_name!")
    other = str(place.id).replace(GROUPS, "Microsoft.Compute/virtualMachines")
    subject = play.rng.choice([bad, other])
    send(play, arm_event(play, subject, at, WRITTEN), at, BOTH)
