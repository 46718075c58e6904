"""A rule's file: what is read, and that everything wrong with one is said at once, with its line."""

from datetime import timedelta
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import parse
from alerts.model import Dimension, DimensionOperator, FailingPeriods, Operator, ResolveConfiguration, TimeAggregation
from alerts.yaml_source import SourceError, load

FULL = """\
name: sample
displayName: A sample
description: >
  Two lines
  of text.
severity: 2
actionGroup: ticket
owner: dns-platform
runbook: sample.md
query: open-drifts
parameters: {last: 1d, top: 5, exact: true}
evaluationFrequency: PT15M
windowSize: PT30M
overrideQueryTimeRange: PT6H
dimensions:
  - name: Zone
  - {name: Group, operator: Exclude, values: [a, 1]}
timeAggregation: Maximum
metricMeasureColumn: Age
resourceIdColumn: Id
operator: GreaterThanOrEqual
threshold: 1.5
failingPeriods: {minFailingPeriodsToAlert: 2, numberOfEvaluationPeriods: 3}
autoMitigate: true
ruleResolveConfiguration: {autoResolved: true, timeToResolve: PT1H}
customProperties: {team: dns}
enabled: false
firesOnSilence: true
skipQueryValidation: true
"""


def reasons(text):
    with pytest.raises(SourceError) as error:
        parse.rule(text, "sample.yaml")
    return list(error.value.reasons)


def test_every_setting_is_read():
    rule = parse.rule(FULL, "alerts/rules/sample.yaml")
    assert (rule.name, rule.description, rule.severity, rule.action_group) == (
        "sample",
        "Two lines of text.",
        2,
        "ticket",
    )
    assert (rule.query, rule.kql, dict(rule.parameters)) == (
        "open-drifts",
        "",
        {"last": "1d", "top": "5", "exact": "true"},
    )
    assert (rule.evaluation_frequency, rule.window_size) == (timedelta(minutes=15), timedelta(minutes=30))
    assert rule.override_query_time_range == timedelta(hours=6)
    assert rule.dimensions == (Dimension("Zone"), Dimension("Group", DimensionOperator.EXCLUDE, ("a", "1")))
    assert (rule.time_aggregation, rule.metric_measure_column) == (TimeAggregation.MAXIMUM, "Age")
    assert (rule.operator, rule.threshold) == (Operator.GREATER_THAN_OR_EQUAL, 1.5)
    assert (rule.failing_periods, rule.resource_id_column) == (FailingPeriods(2, 3), "Id")
    assert rule.resolve_configuration == ResolveConfiguration(True, timedelta(hours=1))
    assert (rule.enabled, rule.fires_on_silence, rule.skip_query_validation) == (False, True, True)
    assert rule.place("threshold") == "alerts/rules/sample.yaml:22"


def test_what_is_not_set_has_azures_defaults(rule_yaml):
    rule = parse.rule(rule_yaml(), "sample.yaml")
    assert (rule.failing_periods, rule.auto_mitigate, rule.enabled, rule.dimensions) == (
        FailingPeriods(),
        True,
        True,
        (),
    )
    assert rule.query_time_range == timedelta(minutes=5)


def test_everything_that_is_wrong_is_said_at_once():
    text = dedent("""\
        name: 3
        displayName: ""
        severity: 9
        windowSize: 5m
        windowSise: PT5M
        failingPeriods: {minFailingPeriodsToAlert: 3}
        dimensions: [{name: a, operator: Foo}, x]
        query: one
        kql: two
        threshold: true
        operator: Above
        timeAggregation: Count
        metricMeasureColumn: Age
        autoMitigate: "yes"
        """)
    assert reasons(text) == [
        "sample.yaml:1: evaluationFrequency: is missing",
        "sample.yaml:4: windowSize: '5m' is not a duration such as PT5M, PT1H or P1D (ISO 8601)",
        "sample.yaml:1: needs exactly one of query (a name of kql/queries) and kql (the text itself)",
        "sample.yaml:1: name: must be text, not 3",
        "sample.yaml:2: displayName: is empty",
        "sample.yaml:1: description: is missing",
        "sample.yaml:3: severity: must be 0 (worst) to 4, not 9",
        "sample.yaml:1: owner: is missing",
        "sample.yaml:1: runbook: is missing",
        "sample.yaml:1: actionGroup: is missing",
        f"sample.yaml:11: operator: must be one of {', '.join(Operator)}, not 'Above'",
        "sample.yaml:10: threshold: must be a number, not True",
        "sample.yaml:7: dimensions.0.operator: must be one of Include, Exclude, not 'Foo'",
        "sample.yaml:7: dimensions.1: must be a mapping (setting: value)",
        "sample.yaml:6: failingPeriods: minFailingPeriodsToAlert must be 1 to numberOfEvaluationPeriods, not 3 of 1",
        "sample.yaml:14: autoMitigate: must be true or false, not 'yes'",
        "sample.yaml:13: metricMeasureColumn: must be left out with timeAggregation Count, which counts rows",
        "sample.yaml:5: windowSise: is not known; did you mean 'windowSize'?",
    ]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"actionGroup": "pager"}, "actionGroup: must be one of page, ticket, not 'pager'"),
        ({"windowSize": "PT0S"}, "windowSize: must be longer than nothing"),
        ({"timeAggregation": "Average"}, "timeAggregation: Average needs metricMeasureColumn"),
        ({"threshold": "1e999"}, "threshold: must be a finite number"),
        ({"severity": "true"}, "severity: must be a whole number, not True"),
        ({"dimensions": "[{name: a, operator: Exclude}]"}, "Exclude needs the values that are not to be looked at"),
        ({"customProperties": "{a: [1]}"}, "customProperties.a: must be text, not [1]"),
        ({"muteActionsDuration": "soon"}, "muteActionsDuration: 'soon' is not a duration"),
        ({"ruleResolveConfiguration": "{after: PT1H}"}, "ruleResolveConfiguration.after: is not known"),
        ({"failingPeriods": "2"}, "failingPeriods: must be a mapping (setting: value)"),
        ({"kql": None}, "needs exactly one of query"),
    ],
)
def test_a_wrong_setting_is_named(rule_yaml, settings, message):
    assert message in "\n".join(reasons(rule_yaml(**settings)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", "sample.yaml:2: a: is written twice"),
        ("a: [1\n", "sample.yaml:2: not YAML: "),
        ("a: &x [*x]\n", "sample.yaml:1: not YAML: too large, or nested too deeply"),
        ("", "sample.yaml:1: must be a mapping (setting: value)"),
        ("- a\n", "sample.yaml:1: must be a mapping (setting: value)"),
        ("a: !!python/object:os.system {}\n", "is not known"),
    ],
)
def test_what_is_no_rule_at_all_is_refused(text, message):
    assert message in "\n".join(reasons(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("no", "no"),
        ("2026-03-01", "2026-03-01"),
        ("12:30", "12:30"),
        ("-5m", "-5m"),
        ("0m", "0m"),
        ("true", True),
        ("7", 7),
        ("-1.5e3", -1500.0),
        ("~", None),
        ("'7'", "7"),
    ],
)
def test_nothing_is_silently_something_else(text, value):
    assert load(f"a: {text}", "x").value == {"a": value}


def test_aliases_and_merges_mean_what_yaml_says():
    text = "base: &base {a: 1, b: 2}\nfirst: {<<: *base, b: 3}\nsecond: *base\n"
    assert load(text, "x").value == {"base": {"a": 1, "b": 2}, "first": {"a": 1, "b": 3}, "second": {"a": 1, "b": 2}}


def faults_of(text):
    try:
        parse.rule(text, "x.yaml")
    except SourceError as error:
        return error.reasons
    return ()


@given(st.text(max_size=200))
def test_no_text_makes_the_reader_fail_otherwise(text):
    assert all(reason.startswith("x.yaml:") for reason in faults_of(text))
