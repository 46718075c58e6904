"""What the demo comes to, as a value: acts played, checks, rows by type, calls. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.demo.alarm import Alarms
from cli.demo.checks import Check
from cli.demo.facts import Facts
from cli.demo.told import Told


@dataclass(frozen=True, slots=True)
class Calls:
    """ARM requests that the toolkit sent: reads and writes that were answered, and those that were throttled."""

    reads: int = 0
    writes: int = 0
    throttled: int = 0

    def __add__(self, other: "Calls") -> "Calls":
        return Calls(self.reads + other.reads, self.writes + other.writes, self.throttled + other.throttled)

    def to_json(self) -> dict[str, int]:
        """Give it as JSON values."""
        return {"reads": self.reads, "writes": self.writes, "throttled": self.throttled}


@dataclass(frozen=True, slots=True)
class Played:
    """An act as it was played; `told` is None when it failed, and then `error` says at what."""

    name: str
    told: Told | None
    error: str
    calls: Calls
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        common = {"act": self.name, "ok": self.told is not None, "seconds": round(self.seconds, 3)}
        if self.told is None:
            return {**common, "error": self.error, "arm_calls": self.calls.to_json()}
        told = self.told
        return {
            **common,
            "did": told.did,
            "dns_before": told.before,
            "dns_after": told.after,
            "ptr_after": told.ptr_after,
            "drifted": told.drifted,
            "repaired_by": told.repaired_by or None,
            "repair_seconds": round(told.seconds, 3) if told.repaired_by else None,
            "note": told.note or None,
            "still_wrong": told.wrong or None,
            "arm_calls": self.calls.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """The whole demo. `acts` is how many there should have been."""

    played: tuple[Played, ...]
    checks: tuple[Check, ...]
    facts: Facts
    acts: int
    seconds: float
    alarms: Alarms = field(default_factory=Alarms)

    @property
    def ok(self) -> bool:
        """Tell whether every act was played and the final state is what it must be."""
        return not self.failed_checks and all(act.told for act in self.played) and len(self.played) == self.acts

    @property
    def failed_checks(self) -> list[Check]:
        """The checks that do not hold."""
        return [check for check in self.checks if not check.ok]

    @property
    def rows_by_type(self) -> Mapping[tuple[str, str], int]:
        """How many rows the event table has, by component and type."""
        return Counter((str(row["Component"]), str(row["EventType"])) for row in self.facts.rows)

    @property
    def calls(self) -> Calls:
        """All calls to ARM."""
        return sum((act.calls for act in self.played), Calls())

    def to_json(self) -> dict[str, Any]:
        """Give the report as JSON values."""
        return {
            "ok": self.ok,
            "seconds": round(self.seconds, 2),
            "acts": [act.to_json() for act in self.played],
            "still_wrong": [
                {"act": act.name, "what": act.told.drifted, "why": act.told.wrong}
                for act in self.played
                if act.told and act.told.wrong
            ],
            "events": [
                {"component": component, "type": kind, "rows": count}
                for (component, kind), count in sorted(self.rows_by_type.items())
            ],
            "alerts": self.alarms.to_json(),
            "arm_calls": self.calls.to_json(),
            "deliveries": dict(Counter(str(item["state"]) for item in self.facts.deliveries)),
            "checks": [check.to_json() for check in self.checks],
        }
