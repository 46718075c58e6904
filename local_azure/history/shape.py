"""How big a history is: how long, how many container groups, how often what is scheduled runs. Values only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

DEFAULT_END: Final = datetime(2026, 11, 22, tzinfo=UTC)
"""A Sunday midnight: a fixed instant, so that a history is the same wherever and whenever it is made."""
DEFAULT_GROUPS: Final = 24
MIN_GROUPS: Final = 6
MIN_EVENTS: Final = 300
MAX_DAYS: Final = 730
_GROUPS_PER_SPOKE: Final = 40
_MAX_SPOKES: Final = 40
_VANTAGES_PER_GROUP: Final = 2
"""Each group is asked for in its own spoke, and in the hub."""
_EVENTS_PER_GROUP: Final = 10_000
_AUDIT_MINUTES_PER_GROUP: Final = 0.6
"""Large fleets are audited less often: ten hours apart for 1,000 groups. (The audit's own code runs each time.)"""
_PROBED: Final = 1.04
"""Probes of all groups, for each row wanted: some groups are stopped or gone, some rows are no probe's. Measured."""
_MINUTES_PER_DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of a history.

    `end` is exclusive. `probe_minutes`, `audit_minutes` and `canary_minutes` are the pauses between two runs. `deploys`
    is how often a container group is deployed in an ordinary week.
    """

    days: float = 90
    groups: int = DEFAULT_GROUPS
    end: datetime = DEFAULT_END
    probe_minutes: int = 60
    audit_minutes: int = 360
    canary_minutes: int = 60
    deploys: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.days <= MAX_DAYS:
            raise ValueError(f"a history is 1 to {MAX_DAYS} days long, not {self.days:g}")
        if self.groups < MIN_GROUPS:
            raise ValueError(f"a history needs {MIN_GROUPS} container groups or more, not {self.groups}")
        if self.end.tzinfo is None:
            raise ValueError("the end of a history needs a time zone")

    @property
    def start(self) -> datetime:
        """The first instant."""
        return self.end - timedelta(days=self.days)

    @property
    def spokes(self) -> int:
        """How many spoke networks there are; at least four, for each has a peculiarity."""
        return min(max(4, round(self.groups / _GROUPS_PER_SPOKE)), _MAX_SPOKES)

    @staticmethod
    def tiny(end: datetime = DEFAULT_END) -> Shape:
        """Give the smallest history: some hundred rows in three days, every type of event among them."""
        return Shape(days=3, groups=MIN_GROUPS, end=end, probe_minutes=720, audit_minutes=720, canary_minutes=360)

    @staticmethod
    def of_groups(groups: int, days: float = 90, end: datetime = DEFAULT_END) -> Shape:
        """Give the history of so many container groups, probed every hour."""
        return Shape(days=days, groups=groups, end=end)

    def as_deployed(self) -> Shape:
        """Give it with the pauses of the deployment's own schedules."""
        return replace(self, probe_minutes=10, audit_minutes=60, canary_minutes=5)

    @staticmethod
    def of_events(events: int, days: float = 90, end: datetime = DEFAULT_END) -> Shape:
        """Give a history of about so many rows: more rows come from more groups, and from asking more often."""
        if events < MIN_EVENTS:
            raise ValueError(f"a history in which everything occurs has {MIN_EVENTS} events or more, not {events}")
        groups = max(MIN_GROUPS, round(events / _EVENTS_PER_GROUP * 90 / max(days, 9)))
        minutes = days * _MINUTES_PER_DAY
        shape = Shape(days=days, groups=groups, end=end)
        probe = max(1, round(minutes * groups * _VANTAGES_PER_GROUP / (events * _PROBED)))
        rare = max(5, round(minutes / (events * 0.01)))
        return replace(
            shape,
            probe_minutes=min(probe, 720),
            audit_minutes=min(max(60, rare * 3, round(groups * _AUDIT_MINUTES_PER_GROUP)), 720),
            canary_minutes=min(rare, 360),
        )
