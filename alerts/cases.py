"""Reads a rule's unit tests out of YAML: rows, instants, and the alerts that there must be at each of them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from alerts.durations import from_short, instant, instants, to_short
from alerts.evaluate import aligned
from alerts.fields import Fields, did_you_mean
from alerts.measure import key_columns
from alerts.rows import Arrival, known_table, read_tables, unknown_table
from alerts.yaml_source import Path, load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alerts.model import Rule

NOW: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""What 0m stands for unless a file says otherwise: a Monday at noon, so that no test depends on when it is run."""
MAX_EVALUATIONS: Final = 20_000
"""Evaluations of one test; a minute's rule over two weeks."""


class AlertState(StrEnum):
    """What a test expects of a series at an instant."""

    FIRED = "fired"
    RESOLVED = "resolved"
    MUTED = "muted"


class Coverage(StrEnum):
    """What a test shows about its rule."""

    FIRES = "fires"
    BELOW = "below"
    RESOLVES = "resolves"
    LATE = "late"
    DUPLICATES = "duplicates"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Expected:
    """One alert that there must be. What is None is not compared."""

    dimensions: Mapping[str, str]
    state: AlertState
    value: float | None = None
    fired_at: datetime | None = None
    resolved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """The whole truth at one instant."""

    at: datetime
    expected: tuple[Expected, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Case:
    """One test: rows that arrive, and checks in order of time. `phase` moves the grid of evaluations off `now`."""

    name: str
    rule: str
    covers: tuple[Coverage, ...]
    arrivals: tuple[Arrival, ...]
    checks: tuple[Check, ...]
    phase: timedelta
    line: int


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One file of tests. `now` is what 0m stands for."""

    file: str
    now: datetime
    cases: tuple[Case, ...]


def rule_files(text: str, file: str) -> list[str]:
    """Give the paths of the rules that a test file is about, as they are written. Raises SourceError."""
    source = load(text, file)
    fields = Fields(source)
    found = []
    for path, item in fields.list_of("rule_files", required=True):
        if isinstance(item, str):
            found.append(item)
        else:
            source.complain(path, f"must be the path of a rule's file, not {item!r}")
    if fields.is_mapping and not found and not source.reasons:
        fields.complain("rule_files", "names no file")
    source.finish()
    return found


def read(text: str, file: str, rules: Mapping[str, Rule]) -> CaseFile:
    """Read a file of tests on these rules. Raises SourceError with every reason."""
    source = load(text, file)
    fields = Fields(source)
    fields.take("rule_files")
    now = fields.read("now", lambda value: instant(value, NOW), NOW)
    defaults = _defaults(fields)
    shared = _tables(fields, defaults, now)
    items = fields.list_of("tests", required=True)
    cases = [_case(Fields(source, path), rules, defaults, shared, now) for path, _ in items]
    if fields.is_mapping and "tests" in source.value and not items:
        fields.complain("tests", "has no test")
    fields.done()
    source.finish()
    return CaseFile(file, now, tuple(cases))


def _defaults(fields: Fields) -> Mapping[str, Mapping[str, Any]]:
    found = fields.typed("defaults", dict, {})
    for name, columns in found.items():
        path: Path = (*fields.path, "defaults", name)
        if known_table(name) is None:
            fields.source.complain(path, unknown_table(name))
        if not isinstance(columns, dict):
            fields.source.complain(path, "must be a mapping (column: value)")
    return {name: columns for name, columns in found.items() if isinstance(columns, dict)}


def _tables(fields: Fields, defaults: Mapping[str, Mapping[str, Any]], now: datetime) -> list[Arrival]:
    present = fields.take("tables") is not None
    return read_tables(fields.source, (*fields.path, "tables"), defaults, now) if present else []


def _case(
    fields: Fields,
    rules: Mapping[str, Rule],
    defaults: Mapping[str, Mapping[str, Any]],
    shared: list[Arrival],
    now: datetime,
) -> Case:
    name, rule = fields.text("name", required=True), fields.text("rule", required=True)
    if rule and rule not in rules:
        fields.complain("rule", f"no rule {rule!r} in rule_files{did_you_mean(rule, rules)}")
    covers = tuple(_coverage(fields, path, item) for path, item in fields.list_of("covers"))
    arrivals = (*shared, *_tables(fields, defaults, now))
    phase = fields.read("phase", from_short, timedelta())
    checks = sorted(_checks(fields, now), key=lambda check: check.at)
    fields.done()
    line = fields.source.line((*fields.path, "name"))
    case = Case(name, rule, covers, arrivals, tuple(checks), phase, line)
    if rule in rules:
        _on_grid(fields, case, rules[rule], now)
    return case


def _coverage(fields: Fields, path: Path, item: object) -> Coverage:
    if item not in set(Coverage):
        fields.source.complain(path, f"must be one of {', '.join(Coverage)}, not {item!r}")
        return Coverage.FIRES
    return Coverage(str(item))


def _checks(fields: Fields, now: datetime) -> list[Check]:
    if "evaluations" in fields:
        return [
            check
            for path, _ in fields.list_of("evaluations")
            for check in _checks_of(Fields(fields.source, path), "at", now, done=True)
        ]
    return _checks_of(fields, "eval_time", now, done=False)


def _checks_of(fields: Fields, key: str, now: datetime, *, done: bool) -> list[Check]:
    """Read one instant, or a series of them, and what is expected there."""
    none: list[datetime] = []
    moments = fields.read(key, lambda text: instants(text, now), none, required=True)
    items = fields.list_of("exp_alerts", required=True)
    expected = tuple(_expected(Fields(fields.source, path), now) for path, _ in items)
    if done:
        fields.done()
    return [Check(at, expected, fields.source.line((*fields.path, key))) for at in moments]


def _expected(fields: Fields, now: datetime) -> Expected:
    found = Expected(
        fields.texts("dimensions"),
        fields.choice("state", AlertState, AlertState.FIRED, required=True),
        fields.number("value") if "value" in fields else None,
        fields.read("fired_at", lambda text: instant(text, now), None),
        fields.read("resolved_at", lambda text: instant(text, now), None),
    )
    fields.done()
    return found


def _on_grid(fields: Fields, case: Case, rule: Rule, now: datetime) -> None:
    """Complain about the first check that the rule's evaluations or dimensions do not fit."""
    frequency = rule.evaluation_frequency
    names = set(key_columns(rule))
    for check in case.checks:
        place = f"{fields.source.file}:{check.line}"
        if (check.at - now - case.phase) % frequency:
            fields.source.reasons.append(
                f"{place}: {rule.name} is not evaluated at {to_short(check.at - now)}, but every {to_short(frequency)} "
                f"through {to_short(case.phase)} (phase moves that)"
            )
            return
        wrong = next((one for one in check.expected if set(one.dimensions) != names), None)
        if wrong is not None:
            fields.source.reasons.append(
                f"{place}: an expected alert needs exactly the dimensions {', '.join(sorted(names)) or '(none)'}, "
                f"not {', '.join(sorted(wrong.dimensions)) or '(none)'}"
            )
            return
    if case.checks and (case.checks[-1].at - first_instant(case, rule, now)) // frequency > MAX_EVALUATIONS:
        fields.complain("tables", f"its first row is over {MAX_EVALUATIONS:,} evaluations before its last instant")


def first_instant(case: Case, rule: Rule, now: datetime) -> datetime:
    """Give the instant of a test's first evaluation: the last one not after its first row or first check.

    For a rule that fires on silence the first one after the first row, or the first check if that is earlier: before
    its rows all is silent, and every test of it would begin with alerts that it is not about.
    """
    frequency, through = rule.evaluation_frequency, now + case.phase
    checks = [check.at for check in case.checks]
    rows = [arrival.time for arrival in case.arrivals]
    if rule.fires_on_silence and rows:
        return min([*checks, aligned(frequency, min(rows) + timedelta(microseconds=1), through)])
    earliest = min(checks + rows)
    after = aligned(frequency, earliest, through)
    return after if after == earliest else after - frequency
