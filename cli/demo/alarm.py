"""Which alert rules the demo's rows set off: the shipped rules, evaluated as Azure does, on a clock that runs ahead.

The demo takes half a minute and an alert needs many. So that rules see a drift that nobody repairs, the clock runs
ahead at the instants that the acts have marked: once the trouble is known, and before it is repaired. Rows after such
an instant are later by that much; nothing else about them changes. While the clock runs ahead no heartbeat can come, so
the rules about silence are left out of that, and are evaluated at the end, when all is silent.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cli.demo.checks import Check
from cli.demo.told import Due

if TYPE_CHECKING:
    from alerts.backtest import Backtest
    from alerts.model import Rule

AHEAD: Final = timedelta(minutes=25)
"""How far the clock runs ahead: longer than the slowest of the expected rules needs."""
AFTERWARDS: Final = timedelta(minutes=45)
"""How long the rules look on after the last row: what is repaired has resolved by then."""
SILENCE: Final = timedelta(hours=5)
"""How long the silence lasts: longer than the rarest heartbeat may be missing."""
_TIMES: Final = ("TimeGenerated", "EventTime")
MAY_FIRE: Final = frozenset({"flapping"})
"""queue changes its address four times; how many of them are seen, and so whether it flaps, is a matter of timing."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alert that fired, `after` the first row by the clock that runs ahead; `lasted` None: it is still fired."""

    rule: str
    severity: int
    tells: str
    dimensions: Mapping[str, str]
    after: timedelta
    lasted: timedelta | None

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values, durations in minutes."""
        lasted = None if self.lasted is None else round(self.lasted / timedelta(minutes=1), 1)
        return {
            "rule": self.rule, "severity": self.severity, "tells": self.tells, "dimensions": dict(self.dimensions),
            "fired_after_minutes": round(self.after / timedelta(minutes=1), 1), "resolved_after_minutes": lasted,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alarms:
    """What the rules did: alerts while there was trouble, alerts when all fell silent, the rules that kept quiet."""

    fired: tuple[Alarm, ...] = ()
    silent: tuple[Alarm, ...] = ()
    quiet: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give them as JSON values."""
        return {
            "fired": [alarm.to_json() for alarm in self.fired],
            "fired_on_silence": [alarm.to_json() for alarm in self.silent],
            "quiet_rules": list(self.quiet),
        }


def run_ahead(rows: Iterable[Mapping[str, Any]], waits: Sequence[datetime]) -> Iterator[dict[str, Any]]:
    """Give the rows by the clock that runs ahead at these instants. Pure."""
    for row in rows:
        yield {**row, **{name: _later(row[name], waits) for name in _TIMES}}


def _later(text: str, waits: Sequence[datetime]) -> str:
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return (moment + AHEAD * sum(wait <= moment for wait in waits)).isoformat()


def alarms_of(rows: Sequence[Mapping[str, Any]], waits: Sequence[datetime]) -> Alarms:
    """Evaluate every shipped rule on the rows."""
    from alerts import backtest, corpus
    from kql import tables
    from kql.duckdb_engine import DuckDbEngine, connect

    if not rows:
        return Alarms()
    rules = list(corpus.read_rules().values())
    with closing(connect()) as connection:
        ahead = sorted(run_ahead(rows, waits), key=lambda row: str(row["EventTime"]))
        for row in ahead:
            known = {
                name: value for name, value in row.items() if name in tables.EVENTS.names and value not in (None, "")
            }
            tables.append(connection, tables.EVENTS, [known], received=datetime.fromisoformat(row["EventTime"]))
        engine = DuckDbEngine(connection)
        first, last = (datetime.fromisoformat(row["EventTime"]) for row in (ahead[0], ahead[-1]))
        loud = backtest.run([rule for rule in rules if not rule.fires_on_silence], engine, first, last + AFTERWARDS)
        silent = backtest.run([rule for rule in rules if rule.fires_on_silence], engine, last, last + SILENCE)
    fired, unheard = _told(loud, first), _told(silent, last)
    told = {alarm.rule for alarm in (*fired, *unheard)}
    return Alarms(fired, unheard, tuple(sorted(rule.name for rule in rules if rule.name not in told)))


def _told(found: Iterable["Backtest"], start: datetime) -> tuple[Alarm, ...]:
    alarms = [_alarm(one.rule, episode, start) for one in found for episode in one.episodes]
    return tuple(sorted(alarms, key=lambda alarm: (alarm.after, alarm.rule)))


def _alarm(rule: "Rule", episode: Any, start: datetime) -> Alarm:
    lasted = episode.resolved_at - episode.fired_at if episode.resolved_at else None
    after = episode.fired_at - start
    return Alarm(rule.name, rule.severity, rule.action_group, dict(episode.dimensions), after, lasted)


def judge_alarms(alarms: Alarms, due: Sequence[Due], heartbeats: Iterable[str]) -> list[Check]:
    """Check that the alerts that must fire did, and no other; that they resolved; that silence is heard. Pure.

    `heartbeats` are the components that sent one: each must be missed when it stops.
    """
    waiting = list(alarms.fired)
    checks = []
    for wanted in due:
        found = next((alarm for alarm in waiting if _is(alarm, wanted)), None)
        if found is not None:
            waiting.remove(found)
        expected = "fired and resolved" if wanted.resolves else "fired, and still is"
        checks.append(Check(f"alert {wanted}", _outcome(found) == expected, expected, _outcome(found)))
    waiting = [alarm for alarm in waiting if alarm.rule not in MAY_FIRE]
    others = "; ".join(f"{alarm.rule} {dict(alarm.dimensions)}" for alarm in waiting)
    checks.append(Check("no other alert fired", not waiting, "nothing", others or "nothing"))
    missed = {alarm.dimensions.get("Component", "") for alarm in alarms.silent}
    checks += [
        Check(f"alert heartbeat-missing ({name})", name in missed, "fired, when all fell silent",
              "fired, when all fell silent" if name in missed else "it did not fire")
        for name in heartbeats
    ]  # fmt: skip
    return checks


def _is(alarm: Alarm, wanted: Due) -> bool:
    return alarm.rule == wanted.rule and all(
        alarm.dimensions.get(name, "").lower() == value.lower() for name, value in wanted.dimensions.items()
    )


def _outcome(alarm: Alarm | None) -> str:
    if alarm is None:
        return "it did not fire"
    return "fired, and still is" if alarm.lasted is None else "fired and resolved"
