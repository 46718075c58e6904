"""Incidents of Azure and of our own apps: requests that are refused, workers that die, apps that are down."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from core.events import Component
from local_azure.history import life
from local_azure.history.trouble import Fault
from local_azure.history.windows import Incident, big_day, during, moment, residents, running, seen_by_audit

if TYPE_CHECKING:
    from local_azure.history.play import Play

_SHORT: Final = (
    ("identity_down", Fault("identity")),
    ("writer_forbidden", Fault("forbidden", component=Component.RECONCILER, where="record_set.")),
    ("observer_forbidden", Fault("forbidden", component=Component.TRACKER, where="record_set.")),
    ("contention", Fault("precondition", component=Component.RECONCILER, where="record_set.put")),
    ("conflict", Fault("conflict", component=Component.RECONCILER, where="record_set.")),
    ("subscription_gone", Fault("not_found", where="container_group.get")),
    ("bad_request", Fault("cloud_error", where="record_set.get")),
    ("defect", Fault("defect", where="record_set.get")),
    ("worker_killed", Fault("worker_killed")),
    ("worker_failed", Fault("worker_failed")),
    ("worker_slow", Fault("deadline")),
    ("worker_late", Fault("worker_deadline")),
    ("bad_configuration", Fault("app")),
)
"""Each lasts minutes, and some deployments fall into it."""
_MINUTES: Final = 12


def plan(play: Play) -> None:
    """Put them on the clock."""
    for number, (name, fault) in enumerate(_SHORT):
        at = moment(play, 0.08 + 0.86 * number / len(_SHORT))
        _fault(play, name, fault, at, timedelta(minutes=_MINUTES), busy=0.1)
    storm = big_day(play, 0.47)
    _fault(play, "throttling_storm", Fault("throttled", 0.35), storm, timedelta(minutes=50), busy=0.6)
    _fault(play, "arm_outage", Fault("unavailable", 0.95), big_day(play, 0.79), timedelta(minutes=40), busy=0.25)
    rg = play.layout.places[0].id.resource_group
    blind = Fault("forbidden", component=Component.AUDIT, where=f"container_groups.list {rg}")
    _fault(play, "audit_forbidden", blind, moment(play, 0.26), seen_by_audit(play, 6))
    slow = Fault("throttled", component=Component.AUDIT, where="record_sets.list")
    _fault(play, "audit_throttled", slow, moment(play, 0.86), seen_by_audit(play, 2))
    _dead_letters(play, moment(play, 0.52))
    _hidden(play, moment(play, 0.97))
    _down(play, "writer_down", "reconcile", moment(play, 0.35), timedelta(minutes=45))
    _down(play, "observer_down", "track", moment(play, 0.66), seen_by_audit(play, 2))


def _fault(  # noqa: PLR0913 - one for each part of an incident
    play: Play, name: str, fault: Fault, at: datetime, length: timedelta, *, busy: float = 0.0
) -> None:
    """Let a fault last; a part of the fleet is deployed while it does."""
    during(
        play, Incident(name, at, at + length, fault.where),
        lambda _: play.troubles.begin(fault), lambda _: play.troubles.end(fault),
    )  # fmt: skip
    if busy:
        play.at(at + timedelta(seconds=20), lambda now: deploy_some(play, now, busy, length))


def deploy_some(play: Play, now: datetime, part: float, length: timedelta) -> None:
    """Deploy a part of the fleet, and some of it only in place, within the first half of a time."""
    there = running(play, residents(play))
    count = min(max(3, round(part * len(there))), len(there))
    for number, place in enumerate(play.rng.sample(there, count)):
        at = now + timedelta(seconds=play.rng.random() * length.total_seconds() / 2)
        play.at(at, partial(life.recreate if number % 3 else life.update, play, place))


def _dead_letters(play: Play, at: datetime) -> None:
    """Refuse everything about one group for longer than Event Grid tries; it is deployed at the beginning."""
    place = residents(play)[0]
    fault = Fault("forbidden", component=Component.RECONCILER, where=str(place.id))
    _fault(play, "dead_letter", fault, at, timedelta(hours=26))
    play.at(at + timedelta(minutes=1), lambda now: life.recreate(play, place, now))
    play.at(at + timedelta(hours=27), lambda now: life.repair(play, place, now))


def _hidden(play: Play, at: datetime) -> None:
    """Let one audit be told that there are no container groups."""

    def hide(_: datetime) -> None:
        play.world.hidden = True

    def show(_: datetime) -> None:
        play.world.hidden = False

    during(play, Incident("groups_hidden", at, at + seen_by_audit(play, 0.1)), hide, show)


def _down(play: Play, name: str, app: str, at: datetime, length: timedelta) -> None:
    """Let an app not answer at all; what is due meanwhile comes later."""
    during(play, Incident(name, at, at + length, app), partial(take_down, play, app), partial(put_up, play, app))
    play.at(at + timedelta(seconds=20), lambda now: deploy_some(play, now, 0.15, length))


def take_down(play: Play, app: str, _: datetime) -> None:
    """Let an app, or a probe's host, be down."""
    play.down[app] = play.down.get(app, 0) + 1


def put_up(play: Play, app: str, _: datetime) -> None:
    """Let it be up again, unless something else keeps it down."""
    play.down[app] -= 1
