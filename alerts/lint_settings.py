"""Lints a rule's settings by themselves: what Azure rejects, what contradicts itself, what can never fire. Pure."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from alerts.durations import to_iso
from alerts.findings import Finding, error, note, warning
from alerts.model import MAX_RANGE, MAX_STATEFUL_FREQUENCY, Operator, Rule, TimeAggregation

if TYPE_CHECKING:
    from collections.abc import Iterator

_MINUTES: Final = tuple(timedelta(minutes=number) for number in (5, 10, 15, 30, 45))
_HOURS: Final = tuple(timedelta(hours=number) for number in (1, 2, 3, 4, 5, 6))
_DAY: Final = timedelta(days=1)
_ONE_MINUTE: Final = timedelta(minutes=1)
FREQUENCIES: Final = (_ONE_MINUTE, *_MINUTES, *_HOURS, _DAY)
WINDOWS: Final = (*FREQUENCIES, 2 * _DAY)
RANGES: Final = tuple(sorted((*_MINUTES, timedelta(minutes=20), *_HOURS, _DAY, 2 * _DAY)))
MUTES: Final = (*_MINUTES, *_HOURS, _DAY, 2 * _DAY)
"""What the API takes (azurerm's documentation of scheduledQueryRules lists them)."""
MAX_PERIODS: Final = 6
MAX_DIMENSIONS: Final = 6
MAX_DESCRIPTION: Final = 4_096
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)
_MAX_NAME: Final = 100
_NOBODY: Final = frozenset({"todo", "tbd", "none", "nobody", "unknown", "me", "n/a"})
_TICKET_FROM: Final = 3
_PAGE_UP_TO: Final = 1


def lint_settings(rule: Rule) -> Iterator[Finding]:
    """Give what is wrong with a rule's settings."""
    yield from _identity(rule)
    yield from _allowed(rule)
    yield from _reach(rule)
    yield from _state(rule)
    yield from _dimensions(rule)
    yield from _condition(rule)


def _identity(rule: Rule) -> Iterator[Finding]:
    if not _NAME.fullmatch(rule.name) or len(rule.name) > _MAX_NAME:
        yield error(rule, "name", "rule/name", "use lower-case letters, digits and single hyphens, at most 100")
    elif rule.file and PurePath(rule.file).stem != rule.name:
        yield error(rule, "name", "rule/name", f"the file must have the rule's name: {rule.name}.yaml")
    if rule.owner.lower() in _NOBODY:
        yield error(rule, "owner", "rule/owner", f"{rule.owner!r} is nobody: name the team that answers")
    if len(rule.description) > MAX_DESCRIPTION:
        text = f"{len(rule.description):,} characters; Azure takes {MAX_DESCRIPTION:,}"
        yield error(rule, "description", "rule/description", text)
    if rule.action_group == "page" and rule.severity >= _TICKET_FROM:
        yield warning(rule, "severity", "rule/severity", f"severity {rule.severity} does not wake anybody: use ticket")
    if rule.action_group == "ticket" and rule.severity <= _PAGE_UP_TO:
        yield warning(rule, "severity", "rule/severity", f"severity {rule.severity} cannot wait for a ticket: use page")


def _allowed(rule: Rule) -> Iterator[Finding]:
    for setting, span, options in (
        ("evaluationFrequency", rule.evaluation_frequency, FREQUENCIES),
        ("windowSize", rule.window_size, WINDOWS),
        ("overrideQueryTimeRange", rule.override_query_time_range, RANGES),
        ("muteActionsDuration", rule.mute_actions_duration, MUTES),
    ):
        if span is not None and span not in options:
            shown = ", ".join(to_iso(option) for option in options)
            yield error(rule, setting, "time/value", f"Azure does not take {to_iso(span)}, but {shown}")
    if rule.evaluation_frequency == _ONE_MINUTE and rule.window_size >= _DAY:
        text = f"a rule that is evaluated each minute has bins of at most PT6H, not {to_iso(rule.window_size)}"
        yield error(rule, "windowSize", "time/value", text)
    if rule.failing_periods.of > MAX_PERIODS:
        text = f"at most {MAX_PERIODS} evaluation periods, not {rule.failing_periods.of}"
        yield error(rule, "failingPeriods", "time/periods", text)


def _reach(rule: Rule) -> Iterator[Finding]:
    period = rule.window_size * rule.failing_periods.of
    override = rule.override_query_time_range
    if period > MAX_RANGE:
        text = f"windowSize times the evaluation periods is {to_iso(period)}; Azure looks back 48 hours at most"
        yield error(rule, "windowSize", "time/range", text)
    if override is not None and override > MAX_RANGE:
        text = f"{to_iso(override)} is cut to 48 hours, whatever the query says"
        yield error(rule, "overrideQueryTimeRange", "time/range", text)
    if override is not None and override < period:
        text = f"{to_iso(override)} is less than windowSize times the evaluation periods, {to_iso(period)}"
        yield error(rule, "overrideQueryTimeRange", "time/range", text)
    if rule.evaluation_frequency > period:
        text = f"looks at {to_iso(period)} every {to_iso(rule.evaluation_frequency)}: rows in between are never seen"
        yield error(rule, "evaluationFrequency", "time/frequency", text)


def _state(rule: Rule) -> Iterator[Finding]:
    mute, resolve = rule.mute_actions_duration, rule.resolve_configuration
    if rule.auto_mitigate and rule.evaluation_frequency > MAX_STATEFUL_FREQUENCY:
        text = f"a stateful rule is evaluated every 12 hours at least, not {to_iso(rule.evaluation_frequency)}"
        yield error(rule, "evaluationFrequency", "state/frequency", f"{text}: set autoMitigate: false")
    if mute is not None and rule.auto_mitigate:
        text = "a stateful rule cannot be muted, it fires once: set autoMitigate: false, or leave it out"
        yield error(rule, "muteActionsDuration", "state/mute", text)
    if mute is not None and mute < rule.evaluation_frequency:
        text = f"{to_iso(mute)} is over before the next evaluation, after {to_iso(rule.evaluation_frequency)}"
        yield error(rule, "muteActionsDuration", "state/mute", text)
    if resolve is not None and not rule.auto_mitigate:
        text = "a stateless rule has nothing to resolve: leave it out, or set autoMitigate: true"
        yield error(rule, "ruleResolveConfiguration", "state/resolve", text)
    stated = resolve.time_to_resolve if resolve else None
    if stated is not None and stated < rule.evaluation_frequency:
        text = f"timeToResolve {to_iso(stated)} is shorter than one evaluation, {to_iso(rule.evaluation_frequency)}"
        yield error(rule, "ruleResolveConfiguration", "state/resolve", text)
    if rule.resolves and stated is None and rule.evaluation_frequency == timedelta(minutes=15):
        text = "Azure's documentation gives 2 and 3 periods at 15 minutes; we take 3. timeToResolve would say which"
        yield note(rule, "evaluationFrequency", "state/boundary", text)


def _dimensions(rule: Rule) -> Iterator[Finding]:
    names = [dimension.name for dimension in rule.dimensions]
    if len(names) > MAX_DIMENSIONS:
        yield error(rule, "dimensions", "dimensions/count", f"at most {MAX_DIMENSIONS} dimensions, not {len(names)}")
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield error(rule, "dimensions", "dimensions/twice", f"{name} is split by twice")
    if rule.resource_id_column in names:
        text = f"{rule.resource_id_column} is resourceIdColumn already: its values split the result"
        yield error(rule, "dimensions", "dimensions/twice", text)


def _condition(rule: Rule) -> Iterator[Finding]:
    """Look for a Count that no series can have: one exists because it has a row, so it counts 1, 2, 3 and so on."""
    if rule.time_aggregation is not TimeAggregation.COUNT:
        return
    threshold = rule.threshold
    never = {
        Operator.LESS_THAN: threshold <= 1,
        Operator.LESS_THAN_OR_EQUAL: threshold < 1,
        Operator.EQUALS: threshold < 1 or threshold != int(threshold),
    }
    every = {Operator.GREATER_THAN: threshold < 0, Operator.GREATER_THAN_OR_EQUAL: threshold <= 0}
    shown = f"Count {rule.operator} {threshold:g}"
    if never.get(rule.operator):
        text = f"{shown} is never true: a series without rows is not evaluated, and one with rows counts 1 or more"
        yield error(rule, "threshold", "condition/never", f"{text}; to notice silence, let the query make the rows")
    if every.get(rule.operator):
        yield warning(rule, "threshold", "condition/always", f"{shown} is true for every series: write GreaterThan 0")
