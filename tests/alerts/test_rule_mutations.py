"""Mutants of every rule that ships, its query included: one of its unit tests must fail, or a setting is not needed.

A mutant is run by the runner of the unit tests itself. What a change leaves alone is not asked again: thresholds,
operators, periods and dimensions are judged on the answers that the rule's own query gave.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pytest

from alerts import corpus
from alerts.cases import NOW
from alerts.durations import to_iso
from alerts.model import MAX_RANGE, FailingPeriods, Operator, Rule, TimeAggregation
from alerts.run_cases import check_case, connect_for, moments_of, read_file
from alerts.side_by_side import SideBySide, can_move, fill, places
from kql.duckdb_engine import DuckDbEngine

RULES = corpus.read_rules()

_ONE_ROW = "a series has one row, so its largest and smallest value are the same"
_FROM_ONE = "the measure counts, and a row is there from one on"
_EXISTS = "a series exists because it has a row: it counts 1 or more"
_OWN_WINDOWS = "the function has windows of its own, none of which is longer"
_NEVER_EXACT = "a ratio of rates in floating point is not the threshold to the last bit"
EQUIVALENT = {
    **{(rule, "timeAggregation Minimum"): _ONE_ROW for rule in (
        "audit-findings-growing", "audit-incomplete", "configuration-error", "drift-not-repaired", "flapping",
        "ingestion-late", "observer-failing", "orphaned-records", "reconcile-failed", "resource-group-unaudited",
        "slo-burn-fast", "slo-burn-medium", "slo-burn-slow", "zone-links-incomplete",
    )},
    **{(rule, "timeAggregation Maximum"): _ONE_ROW for rule in (
        "forward-zone-unlinked", "permission-denied", "reverse-zone-unlinked",
    )},
    **{(rule, "threshold 0.875"): _FROM_ONE for rule in (
        "configuration-error", "forward-zone-unlinked", "permission-denied", "reverse-zone-unlinked",
    )},
    **{(rule, mutant): _EXISTS for rule in ("deliveries-exhausted", "heartbeat-missing")
       for mutant in ("threshold -1", "operator GreaterThanOrEqual")},
    **{(rule, "operator GreaterThan"): _NEVER_EXACT for rule in ("slo-burn-fast", "slo-burn-medium", "slo-burn-slow")},
    ("slo-burn-fast", "overrideQueryTimeRange PT4H"): _OWN_WINDOWS,
    ("slo-burn-medium", "overrideQueryTimeRange PT12H"): _OWN_WINDOWS,
    ("slo-burn-medium", "overrideQueryTimeRange P2D"): _OWN_WINDOWS,
    ("heartbeat-missing", "dimensions without Heartbeat"): "each component has one heartbeat",
    ("orphaned-records", "dimensions without RecordType"): "no name has records of both types: PTRs are in other zones",
    ("flapping", "line 1: argument 1: 2, not 1"): "the threshold leaves out those that change less",
    ("flapping", "line 1: argument 1: 0, not 1"): "a group that never changes has no row",
    ("audit-findings-growing", 'where 1: without EventType in ("drift_detected", "first_seen")'):
        "each run has one row more then, its own heartbeat",
    ("resource-group-unaudited", "without where 1: | where isnotnull(MinutesUnaudited)"): "a null is no value",
    ("audit-incomplete", "without where 2: | where not(IsWhole)"): "a last run that is whole lasts 0 minutes",
    ("reconcile-failed", 'without where 3: | where EventType == "reconcile_failed"'): "later than the last good",
}  # fmt: skip
"""Mutants that do the same as the rule itself, and why: {(rule, mutant): reason}."""

_OPPOSITE = {
    Operator.GREATER_THAN: Operator.LESS_THAN_OR_EQUAL,
    Operator.GREATER_THAN_OR_EQUAL: Operator.LESS_THAN,
    Operator.LESS_THAN: Operator.GREATER_THAN_OR_EQUAL,
    Operator.LESS_THAN_OR_EQUAL: Operator.GREATER_THAN,
}
_EDGE = {
    Operator.GREATER_THAN: Operator.GREATER_THAN_OR_EQUAL,
    Operator.GREATER_THAN_OR_EQUAL: Operator.GREATER_THAN,
    Operator.LESS_THAN: Operator.LESS_THAN_OR_EQUAL,
    Operator.LESS_THAN_OR_EQUAL: Operator.LESS_THAN,
}
_COMPARISON = re.compile(r'(?P<operator>==|!=|>=|<=|>|<)\s*(?P<value>\d+(?:\.\d+)?|"[^"]*")')
_WORD = re.compile(r'\b(?:contains_cs|contains|has|startswith)\s+"(?P<value>[^"]*)"')
_LIST = re.compile(r"\bin\s*\((?P<items>[^()]*)\)")
_CALL = re.compile(r"\bAciDns\w+\((?P<arguments>[^()]+)\)")
_NUMBER = re.compile(r"(?:\bago\(|\bpercentile\(\w+, )(?P<value>\d+[a-z]*)\)")
_JOINED = re.compile(r"\s+(?:and|or)\s+(?![^()]*\))")
_WHERE = re.compile(r"^ *\| where .*(?:\n +(?:or|and) .*)*\n", re.MULTILINE)
FEW = 100
"""Up to so many evaluations a test is among the first to be asked."""
_TURNED = {"==": "!=", "!=": "==", ">=": ">", "<=": "<", ">": ">=", "<": "<="}


@dataclass(frozen=True)
class Mutant:
    """A rule with one change; `dropped` is the dimension that it no longer splits by."""

    name: str
    rule: Rule
    dropped: str = ""


def mutants_of(rule: Rule, *, binned: bool) -> Iterator[Mutant]:
    for name, changes in (*thresholds(rule), *operators(rule), *spans(rule, binned=binned), *periods(rule)):
        yield Mutant(name, replace(rule, **changes))
    for one in rule.dimensions:
        rest = tuple(other for other in rule.dimensions if other is not one)
        yield Mutant(f"dimensions without {one.name}", replace(rule, dimensions=rest), one.name)
    assert rule.kql, "a rule that names a query of kql/queries needs mutants of its own"
    for name, text in texts(rule.kql):
        yield Mutant(name, replace(rule, kql=text))


def thresholds(rule: Rule):
    step = 1 if rule.threshold == 0 or rule.threshold >= 5 else rule.threshold / 8
    for value in (rule.threshold - step, rule.threshold + step):
        yield f"threshold {value:g}", {"threshold": value}


def operators(rule: Rule):
    for one in (_OPPOSITE[rule.operator], _EDGE[rule.operator], Operator.EQUALS):
        yield f"operator {one}", {"operator": one}
    other = {TimeAggregation.MAXIMUM: TimeAggregation.MINIMUM, TimeAggregation.TOTAL: TimeAggregation.MAXIMUM}
    if rule.time_aggregation in other:
        yield f"timeAggregation {other[rule.time_aggregation]}", {"time_aggregation": other[rule.time_aggregation]}


def spans(rule: Rule, *, binned: bool):
    """Change what it looks at: without TimeGenerated in the answer the query's range alone, which is one bin."""
    if binned or rule.override_query_time_range is None:
        for value in (rule.window_size / 3, rule.window_size * 2):
            yield f"windowSize {to_iso(value)}", {"window_size": value}
    if rule.override_query_time_range is not None:
        for value in (rule.override_query_time_range / 2, rule.override_query_time_range * 2):
            if value <= MAX_RANGE:
                yield f"overrideQueryTimeRange {to_iso(value)}", {"override_query_time_range": value}
    if rule.resolve_configuration is not None:
        yield "no ruleResolveConfiguration", {"resolve_configuration": None}
    yield "autoMitigate false", {"auto_mitigate": False}


def periods(rule: Rule):
    now = rule.failing_periods
    if now.of > 1:
        for minimum, of in ((now.minimum - 1, now.of), (now.minimum + 1, now.of), (now.minimum, now.of - 1),
                            (now.minimum, now.of + 1)):  # fmt: skip
            if 1 <= minimum <= of:
                yield f"failingPeriods {minimum} of {of}", {"failing_periods": FailingPeriods(minimum, of)}


def texts(kql: str) -> Iterator[tuple[str, str]]:
    """Change one comparison, one listed value, one argument; leave one `where` out."""
    for found in _COMPARISON.finditer(kql):
        before = kql[: found.start()].rsplit(None, 1)[-1]
        if not found["value"].startswith('"'):
            yield from _each(kql, found, "operator", [_TURNED[found["operator"]]], before)
        yield from _each(kql, found, "value", _others(found["value"]), f"{before} {found['operator']}")
    for found in _WORD.finditer(kql):
        yield from _each(kql, found, "value", ["no such thing"], found[0].split()[0])
    for found in _LIST.finditer(kql):
        items = [item.strip() for item in found["items"].split(",")]
        for item in items:
            rest = ", ".join(other for other in items if other != item)
            yield (
                f"line {kql.count(chr(10), 0, found.start()) + 1}: without {item}",
                kql[: found.start("items")] + rest + kql[found.end("items") :],
            )
    for found in _CALL.finditer(kql):
        values = [value.strip() for value in found["arguments"].split(",")]
        for index, value in enumerate(values):
            changed = [", ".join([*values[:index], other, *values[index + 1 :]]) for other in _others(value)]
            yield from _each(kql, found, "arguments", changed, f"argument {index + 1}:")
    for found in _NUMBER.finditer(kql):
        number, unit = re.fullmatch(r"(\d+)(\D*)", found["value"]).groups()
        yield from _each(kql, found, "value", [f"{int(number) // 2}{unit}", f"{int(number) * 19 // 10}{unit}"], "given")
    for number, found in enumerate(_WHERE.finditer(kql), 1):
        yield f"without where {number}: {found[0].strip()}", kql[: found.start()] + kql[found.end() :]
        for part, text in _parts_left_out(found[0]):
            yield f"where {number}: without {part}", kql[: found.start()] + text + kql[found.end() :]


def _parts_left_out(where: str) -> Iterator[tuple[str, str]]:
    """Leave out one of what is joined by `and` or `or`, with the word before it (the first: after it)."""
    begin = where.index("| where ") + len("| where ")
    joints = [found.span() for found in _JOINED.finditer(where)]
    starts, ends = [begin, *(end for _, end in joints)], [*(start for start, _ in joints), len(where.rstrip())]
    for index, (start, end) in enumerate(zip(starts, ends, strict=True) if joints else ()):
        cut = (start, starts[1]) if index == 0 else (joints[index - 1][0], end)
        yield where[start:end], where[: cut[0]] + where[cut[1] :]


def _each(kql: str, found: re.Match[str], group: str, values: Sequence[str], about: str) -> Iterator[tuple[str, str]]:
    start, end = found.span(group)
    for value in values:
        line = kql.count("\n", 0, start) + 1
        yield f"line {line}: {about} {value}, not {found[group]}", kql[:start] + value + kql[end:]


def _others(value: str) -> list[str]:
    if value.startswith('"'):
        return ['"no such thing"']
    number, unit = re.fullmatch(r"([\d.]+)([a-z]*)", value).groups()
    if "." in number:
        return [f"{float(number) * 0.9:.4g}{unit}"]
    if unit:
        return [f"{int(number) * 2}{unit}"]
    return [f"{int(number) + 1}{unit}", *([f"{int(number) - 1}{unit}"] if int(number) else [])]


def without(case, dimension: str):
    """Expect the same alerts without one dimension; two that differ in it alone are then one too many, which fails."""
    if not dimension:
        return case
    checks = tuple(
        replace(
            check,
            expected=tuple(
                replace(one, dimensions={name: value for name, value in one.dimensions.items() if name != dimension})
                for one in check.expected
            ),
        )
        for check in case.checks
    )
    return replace(case, checks=checks)


def groups_of(name: str):
    """Give the tests of a rule, of all files, in groups that are run side by side; those of few evaluations first."""
    files = [read_file(path)[0] for path in corpus.case_files()]
    found = [(file, case) for file in files for case in file.cases if case.rule == name]
    short = [one for one in found if can_move(one[1]) and len(moments_of(one[1], RULES[name], one[0].now)) <= FEW]
    long = [one for one in found if can_move(one[1]) and one not in short]
    return [short, long, *([one] for one in found if not can_move(one[1]))]


def can_differ(mutant: Mutant, rule: Rule, case) -> bool:
    """Tell whether a mutant may differ from the rule in a test: not by its range where both see the whole test."""
    if replace(mutant.rule, override_query_time_range=rule.override_query_time_range) != rule or mutant.rule == rule:
        return True
    lengths = [case.checks[-1].at - row.time for row in case.arrivals]
    return any(length >= min(mutant.rule.query_time_range, rule.query_time_range) for length in lengths)


def living(name: str) -> list[Mutant]:
    """Run a rule's tests with each of its mutants; give those that pass all of them. The rule itself must."""
    rule, groups = RULES[name], groups_of(name)
    with connect_for([case for group in groups for _, case in group]) as connection:
        engine = DuckDbEngine(connection)
        columns = {column.name for column in engine.query(rule.kql, now=NOW).columns}
        mutants = list(mutants_of(rule, binned="TimeGenerated" in columns))
        known = {mutant.name for mutant in mutants}
        assert len(known) == len(mutants)
        assert {mutant for one, mutant in EQUIVALENT if one == name} - known == set()
        alive = [mutant for mutant in mutants if (name, mutant.name) not in EQUIVALENT]
        for group in groups:
            found = places([(case, moments_of(case, rule, file.now)) for file, case in group])
            fill(connection, found)
            together = SideBySide(engine, found)
            for (file, case), place in zip(group, found, strict=True):
                ask = together.of(place)
                own = check_case(file.file, file.now, case, rule, ask)
                assert (case.name, own.mismatches) == (case.name, ()), "drift alerts test shows the difference"
                alive = [mutant for mutant in alive if not kills(file, case, mutant, rule, ask)]
    return alive


def kills(file, case, mutant: Mutant, rule: Rule, ask) -> bool:
    if not can_differ(mutant, rule, case):
        return False
    return bool(check_case(file.file, file.now, without(case, mutant.dropped), mutant.rule, ask).mismatches)


@pytest.mark.timeout(180)  # the largest queries take some 0.3 s of planning, and each mutant of a query is planned anew
@pytest.mark.parametrize("name", RULES)
def test_every_mutant_of_a_rule_fails_one_of_its_unit_tests(name):
    assert [mutant.name for mutant in living(name)] == []
