"""Runs the unit tests of rules: rows into a database in memory, evaluations one after the other, then compare."""

from __future__ import annotations

import math
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from alerts import cases, corpus
from alerts.cases import AlertState, Case, CaseFile, Check, Expected
from alerts.evaluate import Evaluation, grid, replay
from alerts.side_by_side import SideBySide, can_move, fill, places
from alerts.state import Change
from alerts.yaml_source import SourceError
from kql.duckdb_engine import DuckDbEngine, connect, plan_plainly

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from alerts.measure import Key
    from alerts.model import Rule
    from kql.engine import Engine, ResultTable

THREADS: Final = 2
"""Files that are run at a time: DuckDB plans on one core, and there are at least two."""
FEW_ROWS: Final = 500
"""Up to so many rows in a test the plan of a query costs more than the query, and is made without optimizations."""
_CLOSE: Final = 1e-9
"""How far, relatively, a value may be from the expected one: sums of real numbers are not exact."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One instant at which the alerts are not what they must be, and what the query had answered there."""

    at: datetime
    line: int
    expected: tuple[Expected, ...]
    got: tuple[Expected, ...]
    table: ResultTable | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What one test came to; it passed when nothing mismatches."""

    file: str
    case: Case
    now: datetime
    evaluations: int
    mismatches: tuple[Mismatch, ...]


def run_files(paths: Sequence[Path], rules: Sequence[str] = ()) -> Iterator[CaseResult]:
    """Run the tests of these files, or of them those of these rules, a few files at a time; results in their order.

    Raises SourceError with the reasons of all files, and RuleError for a file that cannot be read.
    """
    read = _read_all(paths)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="alert-tests") as pool:
        for results in pool.map(lambda one: list(_run_file(one[0], one[1], rules)), read):
            yield from results


def _run_file(file: CaseFile, by_name: Mapping[str, Rule], rules: Sequence[str]) -> Iterator[CaseResult]:
    chosen = [case for case in file.cases if not rules or case.rule in rules]
    if not chosen:
        return
    results: dict[int, CaseResult] = {}
    for name in dict.fromkeys(case.rule for case in chosen):
        own = [case for case in chosen if case.rule == name]
        results |= {result.case.line: result for result in run_rule(file, own, by_name[name])}
    yield from (results[case.line] for case in chosen)


def run_rule(file: CaseFile, own: Sequence[Case], rule: Rule) -> Iterator[CaseResult]:
    """Run tests of one rule in one database: side by side, but for those that cannot be moved."""
    together = [case for case in own if can_move(case)]
    connection = connect_for(own)
    try:
        engine = DuckDbEngine(connection)
        for group in (together, *([case] for case in own if case not in together)):
            found = places([(case, moments_of(case, rule, file.now)) for case in group])
            fill(connection, found)
            all_of_them = SideBySide(engine, found)
            for place in found:
                yield check_case(file.file, file.now, place.case, rule, all_of_them.of(place))
    finally:
        connection.close()


def connect_for(own: Sequence[Case]) -> DuckDBPyConnection:
    """Open a database in memory that these tests can be run in."""
    connection = connect()
    if sum(len(case.arrivals) for case in own) <= FEW_ROWS:
        plan_plainly(connection)
    return connection


def _read_all(paths: Sequence[Path]) -> list[tuple[CaseFile, dict[str, Rule]]]:
    """Read every file before the first test is run, so that a slip in the last one is said at once."""
    reasons: list[str] = []
    found = []
    for path in paths:
        try:
            found.append(read_file(path))
        except SourceError as error:
            reasons += [reason for reason in error.reasons if reason not in reasons]
    if reasons:
        raise SourceError(reasons)
    return found


def read_file(path: Path) -> tuple[CaseFile, dict[str, Rule]]:
    """Read a file of tests and the rules that it is about, by name. Raises SourceError and RuleError."""
    text, file = corpus.read_text(path), corpus.shown(path)
    rules = [corpus.read_rule(path.parent / written) for written in cases.rule_files(text, file)]
    by_name = {rule.name: rule for rule in rules}
    return cases.read(text, file, by_name), by_name


def check_case(file: str, now: datetime, case: Case, rule: Rule, engine: Engine) -> CaseResult:
    """Run one test on an engine that has its rows; a rule that asks at other instants than its own needs no other."""
    checks: dict[datetime, list[Check]] = defaultdict(list)
    for check in case.checks:
        checks[check.at].append(check)
    moments = moments_of(case, rule, now)
    known: dict[Key, Expected] = {}
    mismatches = []
    for done in replay(rule, corpus.query_text(rule), engine, moments):
        known = listed(rule, known, done)
        for check in checks.get(done.at, []):
            got = tuple(known.values())
            if done.error or not same(check.expected, got):
                mismatches.append(Mismatch(done.at, check.line, check.expected, got, done.table, done.error))
    return CaseResult(file, case, now, len(moments), tuple(mismatches))


def moments_of(case: Case, rule: Rule, now: datetime) -> list[datetime]:
    """Give the instants at which a test has its rule evaluated."""
    if not case.checks:
        return []
    last = max(check.at for check in case.checks)
    return grid(rule, cases.first_instant(case, rule, now), last, through=now + case.phase)


def listed(rule: Rule, before: Mapping[Key, Expected], done: Evaluation) -> dict[Key, Expected]:
    """Give the alerts that there are after an evaluation, as the portal lists them: fired ones, and resolved ones.

    A stateless rule's list is what happened at this evaluation.
    """
    found = dict(before) if rule.auto_mitigate else {}
    for one in done.transitions:
        if one.change is Change.RESOLVED:
            found[one.key] = Expected(one.dimensions, AlertState.RESOLVED, None, one.fired_at, one.at)
        elif one.change is Change.MUTED:
            found[one.key] = Expected(one.dimensions, AlertState.MUTED, one.value)
        elif one.change is Change.FIRED:
            found[one.key] = Expected(one.dimensions, AlertState.FIRED, one.value, one.at)
    for key, alert in done.state.alerts.items():
        found[key] = Expected(alert.dimensions, AlertState.FIRED, alert.value, alert.fired_at)
    return found


def same(expected: tuple[Expected, ...], got: tuple[Expected, ...]) -> bool:
    """Tell whether these are the expected alerts, in any order."""
    if len(expected) != len(got):
        return False
    by_dimensions = {frozenset(one.dimensions.items()): one for one in got}
    found = [by_dimensions.get(frozenset(one.dimensions.items())) for one in expected]
    distinct = {frozenset(one.dimensions.items()) for one in expected}
    return len(distinct) == len(expected) and all(
        other is not None and agrees(one, other) for one, other in zip(expected, found, strict=True)
    )


def agrees(expected: Expected, got: Expected) -> bool:
    """Tell whether one alert is as expected, in everything that the expectation says."""
    return (
        expected.state is got.state
        and _close(expected.value, got.value)
        and expected.fired_at in {None, got.fired_at}
        and expected.resolved_at in {None, got.resolved_at}
    )


def _close(expected: float | None, got: float | None) -> bool:
    return expected is None or (got is not None and math.isclose(expected, got, rel_tol=_CLOSE, abs_tol=_CLOSE))
