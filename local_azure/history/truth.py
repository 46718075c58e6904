"""What really happened: the answers with which queries, notebooks and alert rules can be compared."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """Something done to a container group, its records or its networks, at true time."""

    at: datetime
    kind: str
    group: str
    old_ip: str = ""
    new_ip: str = ""


@dataclass(slots=True)
class Wrong:
    """A time in which DNS was not right for a group: from the change that made it so until somebody repaired it.

    `until` is None while it lasts. `kinds` are those of the moment at which it began, and all that came later.
    """

    group: str
    since: datetime
    cause: str
    kinds: tuple[str, ...]
    until: datetime | None = None
    repaired_by: str = ""


@dataclass(slots=True)
class Incident:
    """A time in which something was out of order that is no single group's matter. `scope` names whom it concerned."""

    kind: str
    since: datetime
    until: datetime
    scope: str = ""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A delivery that Event Grid gave up."""

    at: datetime
    room: str
    event_id: str
    group: str
    attempts: int
    reason: str


@dataclass
class Truth:
    """Everything that was noted, in the order of time."""

    changes: list[Change] = field(default_factory=list)
    wrongs: list[Wrong] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)

    def to_json(self) -> dict[str, list[dict[str, Any]]]:
        """Give it as JSON values; times are ISO 8601 text."""
        return {
            name: [{key: _plain(value) for key, value in asdict(each).items()} for each in getattr(self, name)]
            for name in ("changes", "wrongs", "incidents", "dead_letters")
        }


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
