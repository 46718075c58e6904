"""What runs by the clock beside the probes: the fleet's audit, with its repairs, and the canaries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from core.audit_settings import Repair
from core.canary import canary
from core.events import Component
from local_azure.history.delivery import send
from tracker.audit import AuditOptions, audit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local_azure.history.play import Play

APPS: Final = (("reconcile", Component.RECONCILER, "func-writer"), ("track", Component.TRACKER, "func-observer"))
REPAIR_FROM: Final = 0.4
"""The part of a history after which the audit's findings are published for repair; before, people repair them."""


@dataclass
class Topic:
    """The custom topic to which the audit publishes (core.run_context.Publishes)."""

    play: Play
    at: datetime

    def publish(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Deliver them to the reconciler."""
        for raw in events:
            place = self.play.watch.places.get(str(raw["subject"]).lower())
            send(self.play, dict(raw), self.at, ("reconcile",), place)


def plan(play: Play) -> None:
    """Put the first runs on the clock."""
    pause = timedelta(minutes=play.shape.audit_minutes)
    play.at(play.shape.start + pause * 0.75, lambda now: _audit(play, now))
    for app, component, name in APPS:
        first = play.shape.start + timedelta(seconds=40 if app == "track" else 10)
        play.at(first, lambda now, a=app, c=component, n=name: _canary(play, a, c, n, now))  # type: ignore[misc]


def _audit(play: Play, now: datetime) -> None:
    play.at(now + timedelta(minutes=play.shape.audit_minutes), lambda at: _audit(play, at))
    if play.down.get("track"):
        return
    run = play.invocation(now, Component.TRACKER)
    outbox, _, context = play.rooms.context(Component.AUDIT, run)
    part = (now - play.shape.start) / (play.shape.end - play.shape.start)
    repair = Repair.PUBLISH if part >= REPAIR_FROM else Repair.OFF
    context = replace(context, topic=Topic(play, now + timedelta(seconds=2)))
    ok = True
    try:
        audit(context, AuditOptions(repair=repair))
    except Exception:  # noqa: BLE001 - whatever it was, the audit has reported it, and the invocation failed
        ok = False
    ended = max((event.time - run.skew for event in outbox.events), default=now)
    play.emit(outbox.events, ended, "audit")
    play.runtime.request("audit", run.id, (now, ended), ok=ok)


def _canary(play: Play, app: str, component: Component, name: str, now: datetime) -> None:
    play.at(now + timedelta(minutes=play.shape.canary_minutes), lambda at: _canary(play, app, component, name, at))
    if play.down.get(app):
        return
    run = play.invocation(now, component)
    row = canary(component, now + run.skew, run.id, {"app": name, "region": "West Europe"}, past_due=False)
    play.emit([row], now, app)
    play.runtime.request("canary", run.id, (now, now + timedelta(milliseconds=12)), ok=True, role=name)
