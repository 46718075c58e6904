"""Lints all rules: each by itself, with its query, runbook and unit tests, and all of them together. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from alerts.build import MAX_PROPERTIES, properties_size
from alerts.cases import Coverage
from alerts.findings import Finding, Level, error
from alerts.lint_query import Answer, lint_query
from alerts.lint_settings import lint_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from alerts.model import Rule

HEADINGS: Final = ("What it means", "What to look at", "What to run", "How to know it is over")
"""The second-level headings that a runbook must have, each with something below it."""
MAX_ONE_MINUTE_RULES: Final = 100
MAX_RULES: Final = 1_000
_HEADING: Final = re.compile(r"^(#{1,2})\s+(.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about the rules, by name: the query's answer, the runbook's text, what the unit tests cover."""

    answers: Mapping[str, Answer]
    runbooks: Mapping[str, str | None]
    covered: Mapping[str, frozenset[Coverage]]


def lint(rules: Sequence[Rule], facts: Facts) -> list[Finding]:
    """Give everything that lint finds, in order of place."""
    found = [finding for rule in rules for finding in lint_rule(rule, facts)]
    found += [*_together(rules, facts)]
    return sorted(found, key=_order)


def lint_rule(rule: Rule, facts: Facts) -> Iterator[Finding]:
    """Give what is wrong with one rule."""
    answer = facts.answers[rule.name]
    yield from lint_settings(rule)
    yield from lint_query(rule, answer)
    yield from lint_runbook(rule, facts.runbooks.get(rule.name))
    yield from lint_coverage(rule, facts.covered.get(rule.name))
    if not answer.text_error and properties_size(rule) > MAX_PROPERTIES:
        text = f"its properties are {properties_size(rule):,} bytes; Azure takes {MAX_PROPERTIES:,}"
        yield error(rule, "", "rule/size", text)


def lint_runbook(rule: Rule, text: str | None) -> Iterator[Finding]:
    """Give what is wrong with a rule's runbook."""
    if text is None:
        yield error(rule, "runbook", "runbook/missing", f"there is no docs/runbooks/{rule.runbook}")
        return
    sections = _sections(text)
    for heading in HEADINGS:
        if heading not in sections:
            yield error(rule, "runbook", "runbook/heading", f"docs/runbooks/{rule.runbook} lacks '## {heading}'")
        elif not sections[heading]:
            yield error(rule, "runbook", "runbook/heading", f"docs/runbooks/{rule.runbook}: '## {heading}' is empty")


def lint_coverage(rule: Rule, covered: frozenset[Coverage] | None) -> Iterator[Finding]:
    """Say what a rule's unit tests do not show."""
    if covered is None:
        yield error(rule, "name", "tests/missing", f"no file of alerts/tests tests {rule.name}")
        return
    needed = [kind for kind in Coverage if kind is not Coverage.RESOLVES or rule.resolves]
    lacking = [kind for kind in needed if kind not in covered]
    if lacking:
        text = f"no unit test covers {', '.join(lacking)} (covers: [...] of a test says what it shows)"
        yield error(rule, "name", "tests/coverage", text)


def unreadable(reasons: Sequence[str], code: str) -> list[Finding]:
    """Make findings of what is wrong with YAML files: `file:line: message`."""
    found = []
    for reason in reasons:
        place, _, message = reason.partition(": ")
        found.append(Finding(code, Level.ERROR, place, "", message))
    return found


def _together(rules: Sequence[Rule], facts: Facts) -> Iterator[Finding]:
    seen: dict[object, Rule] = {}
    for rule in rules:
        key = _condition(rule, facts)
        first = seen.setdefault(key, rule)
        if first is not rule:
            text = f"asks the same, in the same way, as {first.name} ({first.place()}): both would fire"
            yield error(rule, "name", "rule/duplicate", text)
    fast = [rule for rule in rules if rule.evaluation_frequency == timedelta(minutes=1)]
    for rule in fast[MAX_ONE_MINUTE_RULES:]:
        text = f"a subscription has {MAX_ONE_MINUTE_RULES} rules that are evaluated each minute, this is one more"
        yield error(rule, "evaluationFrequency", "rule/limit", text)
    for rule in rules[MAX_RULES:]:
        yield error(rule, "name", "rule/limit", f"a workspace has {MAX_RULES:,} alert rules, this is one more")


def _condition(rule: Rule, facts: Facts) -> object:
    dimensions = frozenset((one.name, one.operator, frozenset(one.values)) for one in rule.dimensions)
    text = " ".join((facts.answers[rule.name].text or rule.name).split())
    measure = (rule.time_aggregation, rule.metric_measure_column, rule.resource_id_column)
    return (text, rule.query_time_range, dimensions, measure, rule.operator, rule.threshold, rule.failing_periods)


def _sections(text: str) -> dict[str, str]:
    marks = list(_HEADING.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    return {mark[2]: text[mark.end() : end].strip() for mark, end in zip(marks, ends, strict=False) if mark[1] == "##"}


def _order(finding: Finding) -> tuple[str, int, str]:
    file, _, line = finding.place.rpartition(":")
    return (file, int(line) if line.isdigit() else 0, finding.code)
