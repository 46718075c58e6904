"""Mutants of the rules that ship: change an operator, a threshold or a window, and one of its unit tests fails."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from alerts import cases, corpus, run_cases
from alerts.durations import to_iso
from alerts.evaluate import Evaluation, judge, replay
from alerts.lint_settings import RANGES, WINDOWS
from alerts.model import FailingPeriods, Operator, Rule, TimeAggregation
from alerts.state import State
from kql.duckdb_engine import DuckDbEngine, connect
from kql.engine import ResultTable

pytestmark = pytest.mark.timeout(300)
"""A mutant runs a whole file of tests, two days of evaluations among them; a busy machine takes its time."""
RULES = corpus.read_rules()
WHOLE_FROM_ONE = {"Names"}
"""Measures that are counts of a row's own: there is no row with none."""
WHOLE = {"Events", "ThrottledRuns", "Changes", "Growth", "StillFailing"}
STEP = {"Ratio": 0.1}
"""By how much a threshold is changed, where 1 would be too coarse to mean anything."""
AS_GOOD = {
    ("slo-burn-fast", "looks back PT3H"): "the function has windows of its own; looking further back adds nothing",
    ("slo-burn-medium", "looks back P2D"): "the same",
}
"""Mutants that are no worse, with the reason."""
IN_THE_QUERY = [
    ("heartbeat-missing", "(10m, 1h, 5m, 4)", "(20m, 1h, 5m, 4)"),
    ("heartbeat-missing", "(10m, 1h, 5m, 4)", "(5m, 1h, 5m, 4)"),
    ("heartbeat-missing", "(10m, 1h, 5m, 4)", "(10m, 2h, 5m, 4)"),
    ("heartbeat-missing", "(10m, 1h, 5m, 4)", "(10m, 30m, 5m, 4)"),
    ("heartbeat-missing", "(10m, 1h, 5m, 4)", "(10m, 1h, 10m, 4)"),
    ("heartbeat-missing", "(10m, 1h, 5m, 4)", "(10m, 1h, 4m, 4)"),
    ("heartbeat-missing", "(10m, 1h, 5m, 4)", "(10m, 1h, 5m, 5)"),
    ("heartbeat-missing", "(10m, 1h, 5m, 4)", "(10m, 1h, 5m, 3)"),
    ("heartbeat-missing", "| where Overdue\n", ""),
    ("slo-burn-fast", "(5m, 0.99)", "(10m, 0.99)"),
    ("slo-burn-fast", "(5m, 0.99)", "(5m, 0.98)"),
    ("slo-burn-fast", "1h/5m", "6h/30m"),
    ("slo-burn-fast", "LongBad >= 5", "LongBad >= 4"),
    ("slo-burn-fast", "LongBad >= 5", "LongBad >= 6"),
    ("slo-burn-medium", "6h/30m", "1h/5m"),
    ("slo-burn-medium", "LongBad >= 10", "LongBad >= 9"),
    ("slo-burn-medium", "LongBad >= 10", "LongBad >= 11"),
    ("slo-burn-slow", "1d/2h", "6h/30m"),
    ("slo-burn-slow", "LongBad >= 30", "LongBad >= 29"),
    ("slo-burn-slow", "LongBad >= 30", "LongBad >= 31"),
    ("ingestion-broken", "CanaryGapMinutes >= 8", "CanaryGapMinutes >= 9"),
    ("ingestion-broken", "CanaryGapMinutes >= 8", "CanaryGapMinutes >= 7"),
    ("ingestion-late", "ago(30m)", "ago(20m)"),
    ("ingestion-late", "ago(30m)", "ago(1h)"),
    ("ingestion-late", "LagMinutes, 50", "LagMinutes, 95"),
    ("deliveries-exhausted", "(30, 1d)", "(31, 1d)"),
    ("deliveries-exhausted", "(30, 1d)", "(29, 1d)"),
    ("deliveries-exhausted", "(30, 1d)", "(30, 23h)"),
    ("deliveries-exhausted", "(30, 1d)", "(30, 25h)"),
    ("deliveries-exhausted", " and isnull(RepairedAt)", ""),
    ("name-conflict", "| where IsOpen\n", ""),
    ("permission-denied", 'Component == "reconciler" and ', ""),
    ("configuration-error", ', "reverse_zone_missing"', ""),
    ("observer-failing", " and IsOpen", ""),
    ("probe-failing", '"zone_link", ', ""),
    ("drift-not-repaired", ' or Kinds contains_cs "a_mismatch"', ""),
]


@dataclass
class Recorded:
    """A unit test, and what its rule's query answered at each evaluation."""

    case: cases.Case
    answers: list[tuple[datetime, ResultTable]]


def shipped_tests(name: str) -> cases.CaseFile:
    return run_cases.read_file(corpus.TESTS / f"{name}.yaml")[0]


def record(rule: Rule) -> list[Recorded]:
    """Run a rule's tests once: whether its mutants in words alone pass them needs no further query."""
    found = []
    file = shipped_tests(rule.name)
    with connect() as connection:
        engine = DuckDbEngine(connection)
        for case in file.cases:
            run_cases.fill(connection, case)
            first, last = cases.first_instant(case, rule, file.now), max(check.at for check in case.checks)
            moments = run_cases.grid(rule, first, last, through=file.now + case.phase)
            done = replay(rule, corpus.query_text(rule), engine, moments)
            found.append(Recorded(case, [(each.at, each.table) for each in done if each.table is not None]))
    return found


def passes(rule: Rule, test: Recorded) -> bool:
    """Tell whether a rule with these answers does what the test says."""
    state, known = State(), {}
    for at, table in test.answers:
        done: Evaluation = judge(rule, table, at, state)
        state, known = done.state, run_cases.listed(rule, known, done)
        for check in test.case.checks:
            if check.at == at and not run_cases.same(check.expected, tuple(known.values())):
                return False
    return True


def survives(rule: Rule) -> bool:
    """Tell whether a rule passes all tests, asked anew; the tests at the end of a file are those of windows."""
    file = shipped_tests(rule.name)
    with connect() as connection:
        engine = DuckDbEngine(connection)
        for case in reversed(file.cases):
            run_cases.fill(connection, case)
            if run_cases.check_case(file.file, file.now, case, rule, engine).mismatches:
                return False
    return True


def domain(rule: Rule) -> list[float]:
    """Give numbers that the rule may meet around its threshold."""
    if rule.time_aggregation is TimeAggregation.COUNT or rule.metric_measure_column in WHOLE_FROM_ONE:
        return [float(number) for number in range(1, 20)]
    if rule.metric_measure_column in WHOLE:
        return [float(number) for number in range(20)]
    if rule.metric_measure_column == "Ratio":  # of three counts and 0.01: a float that is never exactly the threshold
        return [number / 20 + 0.01 for number in range(40)]
    return [number / 2 for number in range(1000)]


def differs(rule: Rule, mutant: Rule) -> bool:
    return any(
        rule.operator.holds(value, rule.threshold) is not mutant.operator.holds(value, mutant.threshold)
        for value in domain(rule)
    )


def condition_mutants(rule: Rule) -> Iterator[tuple[str, Rule]]:
    step = STEP.get(rule.metric_measure_column, 1.0)
    for operator in Operator:
        yield f"{operator} {rule.threshold:g}", replace(rule, operator=operator)
    for threshold in (rule.threshold - step, rule.threshold + step):
        yield f"{rule.operator} {threshold:g}", replace(rule, threshold=threshold)


def neighbours(value: timedelta, allowed: tuple[timedelta, ...]) -> list[timedelta]:
    pairs = list(pairwise(allowed))
    return [one for one, other in pairs if other == value] + [other for one, other in pairs if one == value]


def window_mutants(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """Change what the rule looks at. With an override, and so without bins, windowSize means nothing."""
    if rule.override_query_time_range:
        for span in neighbours(rule.override_query_time_range, RANGES):
            yield f"looks back {to_iso(span)}", replace(rule, override_query_time_range=span)
        return
    for span in neighbours(rule.window_size, WINDOWS):
        yield f"bins of {to_iso(span)}", replace(rule, window_size=span)
    least, most = rule.failing_periods.minimum, rule.failing_periods.of
    if most == 1:
        return
    for minimum, of in ((least - 1, most), (least + 1, most), (least, most - 1), (least, most + 1)):
        if 1 <= minimum <= of:
            yield f"{minimum} of {of}", replace(rule, failing_periods=FailingPeriods(minimum, of))


@pytest.mark.parametrize("name", RULES)
def test_a_changed_operator_or_threshold_fails_a_unit_test(name):
    rule = RULES[name]
    recorded = record(rule)
    assert [test.case.name for test in recorded if not passes(rule, test)] == []
    mutants = [(words, mutant) for words, mutant in condition_mutants(rule) if differs(rule, mutant)]
    assert len(mutants) >= 3
    survivors = [words for words, mutant in mutants if all(passes(mutant, test) for test in recorded)]
    assert survivors == []


@pytest.mark.parametrize("name", RULES)
def test_a_changed_window_fails_a_unit_test(name):
    mutants = [(words, mutant) for words, mutant in window_mutants(RULES[name]) if (name, words) not in AS_GOOD]
    assert mutants
    assert [words for words, mutant in mutants if survives(mutant)] == []


@pytest.mark.parametrize(("name", "before", "after"), IN_THE_QUERY)
def test_a_changed_query_fails_a_unit_test(name, before, after):
    rule = RULES[name]
    assert before in rule.kql
    assert not survives(replace(rule, kql=rule.kql.replace(before, after)))


@pytest.mark.parametrize("name", RULES)
def test_a_test_shows_that_each_dimension_splits(name):
    """Among the alerts expected by a rule's tests every dimension has two values, or its column is constant."""
    rule = RULES[name]
    expected = [one for case in shipped_tests(name).cases for check in case.checks for one in check.expected]
    single = [dim.name for dim in rule.dimensions if len({one.dimensions[dim.name] for one in expected}) < 2]
    assert set(single) <= {"ResourceGroup"}
