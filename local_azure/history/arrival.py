"""The way of a row into the table: how late it comes, how often, and by which road when the upload is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cloud.sink import fallback_line
from local_azure.logs.conform import OLDEST

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

ROLE_OF: Final = {"reconcile": "func-writer", "track": "func-observer", "audit": "func-observer"}
_LEVELS: Final = {"Information": 1, "Warning": 2, "Error": 3}
_SENT_TWICE: Final = 0.004
"""Of all rows: the answer to an upload was lost, and it was sent again."""
_BOTH_ROADS: Final = 0.08
"""Of the refused ones: the table took the row although the answer said no."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One row and when it is taken in (true time), and when queries begin to see it."""

    received: datetime
    visible: datetime
    row: dict[str, Any]


@dataclass
class Arrivals:
    """Rows on their way. `refused` and `delay` are set while an incident lasts; `delay` gives an app's rows a wait."""

    rng: random.Random
    refused: bool = False
    delay: Callable[[str], timedelta] | None = None
    events: list[Arrived] = field(default_factory=list)
    traces: list[Arrived] = field(default_factory=list)

    def take(self, row: dict[str, Any], at: datetime, app: str) -> None:
        """Send a row that was made at a true time by an app."""
        if self.refused:
            self._fall_back(row, at, app)
            if self.rng.random() >= _BOTH_ROADS:
                return
        self._land(row, at + self._lag(app))
        if self.rng.random() < _SENT_TWICE:
            self._land(row, at + self._lag(app) + timedelta(seconds=self.rng.randint(10, 600)))

    def take_line(self, row: dict[str, Any], at: datetime, app: str) -> None:
        """Write a row as a log line: there is no table to send it to."""
        self._fall_back(row, at, app)

    def line(self, message: str, level: int, at: datetime, app: str, operation: str = "") -> None:
        """Write any log line."""
        row = {
            "TimeGenerated": stamp(at),
            "Message": message,
            "SeverityLevel": level,
            "OperationId": operation,
            "AppRoleName": ROLE_OF.get(app, app),
        }
        received = at + timedelta(seconds=self.rng.uniform(1, 20))
        self.traces.append(Arrived(received, received + self._visible(), row))

    def due(self, until: datetime) -> tuple[list[Arrived], list[Arrived]]:
        """Give the rows and lines taken in before `until`, in the order in which they were."""
        found = [self._due(rows, until) for rows in (self.events, self.traces)]
        return found[0], found[1]

    @staticmethod
    def _due(rows: list[Arrived], until: datetime) -> list[Arrived]:
        ready = [each for each in rows if each.received < until]
        rows[:] = [each for each in rows if each.received >= until]
        return sorted(ready, key=lambda each: each.received)

    def _fall_back(self, row: dict[str, Any], at: datetime, app: str) -> None:
        self.line(fallback_line(row), _LEVELS[row["Severity"]], at, app, str(row.get("CorrelationId", "")))

    def _land(self, row: dict[str, Any], received: datetime) -> None:
        received = received.replace(microsecond=received.microsecond // 1000 * 1000)
        made = datetime.fromisoformat(row["TimeGenerated"])
        if not received - OLDEST <= made <= received + timedelta(days=1):
            row = {**row, "TimeGenerated": stamp(received)}
        self.events.append(Arrived(received, received + self._visible(), row))

    def _lag(self, app: str) -> timedelta:
        wait = timedelta(milliseconds=round(self.rng.lognormvariate(6.2, 0.7)))
        return wait + (self.delay(app) if self.delay else timedelta())

    def _visible(self) -> timedelta:
        return timedelta(milliseconds=round(1000 * self.rng.lognormvariate(2.3, 0.8)))


def stamp(time: datetime) -> str:
    """Write a time as a row has it: ISO 8601, UTC, milliseconds."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
