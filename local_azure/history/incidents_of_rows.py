"""Incidents of the rows' way: uploads refused, rows hours late, a host that sends after days, clocks that are off."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from core.events import Component
from local_azure.history.windows import Incident, during, moment, seen_by_probe

if TYPE_CHECKING:
    from local_azure.history.play import Play

_BUFFERED: Final = timedelta(days=2, hours=14)
"""Longer than Azure keeps the time that a row says it was made."""


def plan(play: Play) -> None:
    """Put them on the clock."""
    _refused(play, moment(play, 0.39), seen_by_probe(play, 2))
    _late(play, moment(play, 0.24), seen_by_probe(play, 4))
    _buffered(play, moment(play, 0.03), seen_by_probe(play, 8))
    for part, component, seconds in ((0.0, Component.TRACKER, -0.6), (0.5, Component.RECONCILER, 1.4)):
        skew = timedelta(seconds=seconds)
        play.at(moment(play, part), lambda _, c=component, s=skew: play.skews.update({c.value: s}))  # type: ignore[misc]
    host = play.probing.posts[-1].vantage.host
    at, length = moment(play, 0.3), (play.shape.end - play.shape.start) * 0.3
    wrong = timedelta(seconds=-95)
    during(
        play, Incident("clock_skew", at, at + length, host),
        lambda _: play.skews.update({host: wrong}), lambda _: play.skews.pop(host, None),
    )  # fmt: skip


def _refused(play: Play, at: datetime, length: timedelta) -> None:
    """Let uploads be refused: the rows become log lines."""

    def begin(_: datetime) -> None:
        play.arrivals.refused = True

    def end(_: datetime) -> None:
        play.arrivals.refused = False

    during(play, Incident("ingestion_outage", at, at + length), begin, end)
    for minutes in range(1, int(length.total_seconds() / 60), 10):
        play.at(at + timedelta(minutes=minutes), play.runtime.refused)


def _late(play: Play, at: datetime, length: timedelta) -> None:
    """Let the pipeline take rows hours after they were sent."""

    def delay(_: str) -> timedelta:
        return timedelta(minutes=play.rng.randint(40, 380))

    _delayed(play, Incident("ingestion_late", at, at + length), delay)


def _buffered(play: Play, at: datetime, length: timedelta) -> None:
    """Let one host send its rows days later; Azure replaces their TimeGenerated."""
    host = play.probing.posts[2].vantage.host
    _delayed(play, Incident("rows_buffered", at, at + length, host), lambda app: _BUFFERED * (app == host))


def _delayed(play: Play, incident: Incident, delay: object) -> None:
    def begin(_: datetime) -> None:
        play.arrivals.delay = delay  # type: ignore[assignment]

    def end(_: datetime) -> None:
        play.arrivals.delay = None

    during(play, incident, begin, end)
