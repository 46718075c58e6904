"""Reads a rule's YAML file into a Rule, or says everything that is wrong with it at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from alerts.durations import from_iso
from alerts.fields import Fields
from alerts.model import (
    ACTION_GROUPS,
    Dimension,
    DimensionOperator,
    FailingPeriods,
    Operator,
    ResolveConfiguration,
    Rule,
    TimeAggregation,
)
from alerts.yaml_source import Source, load

if TYPE_CHECKING:
    from alerts.yaml_source import Path

_UNKNOWN: Final = timedelta(minutes=5)
"""Stands for a length of time that could not be read, until `finish` says so."""
_LEAST_SEVERE: Final = 4


def rule(text: str, file: str) -> Rule:
    """Read one rule. `file` names it in messages. Raises SourceError with every reason."""
    source = load(text, file)
    found = _rule(source)
    source.finish()
    return found


def _rule(source: Source) -> Rule:
    fields = Fields(source)
    frequency = fields.read("evaluationFrequency", _span, _UNKNOWN, required=True)
    window = fields.read("windowSize", _span, _UNKNOWN, required=True)
    query, kql = fields.text("query"), fields.text("kql")
    if fields.is_mapping and bool(query) == bool(kql):
        fields.complain("", "needs exactly one of query (a name of kql/queries) and kql (the text itself)")
    found = Rule(
        name=fields.text("name", required=True),
        display_name=fields.text("displayName", required=True),
        description=" ".join(fields.text("description", required=True).split()),
        severity=_severity(fields),
        owner=fields.text("owner", required=True),
        runbook=fields.text("runbook", required=True),
        action_group=_action_group(fields),
        evaluation_frequency=frequency,
        window_size=window,
        operator=fields.choice("operator", Operator, Operator.GREATER_THAN, required=True),
        threshold=fields.number("threshold", required=True),
        query=query,
        kql=kql,
        parameters=fields.texts("parameters"),
        time_aggregation=fields.choice("timeAggregation", TimeAggregation, TimeAggregation.COUNT, required=True),
        metric_measure_column=fields.text("metricMeasureColumn"),
        resource_id_column=fields.text("resourceIdColumn"),
        dimensions=_dimensions(fields),
        failing_periods=_failing_periods(fields),
        override_query_time_range=fields.read("overrideQueryTimeRange", _span, None),
        auto_mitigate=fields.typed("autoMitigate", bool, True),
        mute_actions_duration=fields.read("muteActionsDuration", _span, None),
        resolve_configuration=_resolve(fields),
        custom_properties=fields.texts("customProperties"),
        enabled=fields.typed("enabled", bool, True),
        fires_on_silence=fields.typed("firesOnSilence", bool, False),
        skip_query_validation=fields.typed("skipQueryValidation", bool, False),
        file=source.file,
        lines={str(path[0]) if path else "": line for path, line in source.lines.items() if len(path) <= 1},
    )
    _measure(fields, found)
    fields.done()
    return found


def _span(text: str) -> timedelta:
    span = from_iso(text)
    if span <= timedelta():
        raise ValueError("must be longer than nothing")
    return span


def _severity(fields: Fields) -> int:
    severity = fields.typed("severity", int, _LEAST_SEVERE, required=True)
    if not 0 <= severity <= _LEAST_SEVERE:
        fields.complain("severity", f"must be 0 (worst) to 4, not {severity}")
    return severity


def _action_group(fields: Fields) -> str:
    group = fields.text("actionGroup", required=True)
    if group and group not in ACTION_GROUPS:
        fields.complain("actionGroup", f"must be one of {', '.join(ACTION_GROUPS)}, not {group!r}")
    return group


def _measure(fields: Fields, rule: Rule) -> None:
    counts = rule.time_aggregation is TimeAggregation.COUNT
    if counts and rule.metric_measure_column:
        fields.complain("metricMeasureColumn", "must be left out with timeAggregation Count, which counts rows")
    if not counts and not rule.metric_measure_column:
        fields.complain("timeAggregation", f"{rule.time_aggregation} needs metricMeasureColumn")


def _dimensions(fields: Fields) -> tuple[Dimension, ...]:
    return tuple(_dimension(Fields(fields.source, path)) for path, _ in fields.list_of("dimensions"))


def _dimension(fields: Fields) -> Dimension:
    name = fields.text("name", required=True)
    operator = fields.choice("operator", DimensionOperator, DimensionOperator.INCLUDE)
    values = tuple(_value(fields, path, item) for path, item in fields.list_of("values")) or ("*",)
    if operator is DimensionOperator.EXCLUDE and "*" in values:
        fields.complain("values", "Exclude needs the values that are not to be looked at")
    fields.done()
    return Dimension(name, operator, values)


def _value(fields: Fields, path: Path, item: object) -> str:
    if isinstance(item, dict | list) or item is None:
        fields.source.complain(path, f"must be text, not {item!r}")
    return str(item)


def _failing_periods(fields: Fields) -> FailingPeriods:
    if "failingPeriods" not in fields:
        fields.take("failingPeriods")
        return FailingPeriods()
    fields.take("failingPeriods")
    inner = Fields(fields.source, (*fields.path, "failingPeriods"))
    minimum = inner.typed("minFailingPeriodsToAlert", int, 1)
    of = inner.typed("numberOfEvaluationPeriods", int, 1)
    inner.done()
    if not 1 <= minimum <= of:
        inner.complain("", f"minFailingPeriodsToAlert must be 1 to numberOfEvaluationPeriods, not {minimum} of {of}")
    return FailingPeriods(minimum, of)


def _resolve(fields: Fields) -> ResolveConfiguration | None:
    present = "ruleResolveConfiguration" in fields
    fields.take("ruleResolveConfiguration")
    if not present:
        return None
    inner = Fields(fields.source, (*fields.path, "ruleResolveConfiguration"))
    found = ResolveConfiguration(inner.typed("autoResolved", bool, True), inner.read("timeToResolve", _span, None))
    inner.done()
    return found
