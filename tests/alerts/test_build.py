"""The bodies that are deployed: against the models of azure-mgmt-monitor, complete, and the same each time."""

import json

import pytest
from azure.mgmt.monitor import models
from azure.mgmt.monitor._utils.serialization import Deserializer, Serializer

from alerts import build, parse
from alerts.durations import from_iso
from alerts.model import Operator, TimeAggregation
from kql.catalog import CatalogError

SETTINGS = {
    "kql": None,
    "query": "open-drifts",
    "overrideQueryTimeRange": "P1D",
    "dimensions": "[{name: ContainerGroup}, {name: ResourceGroup, operator: Exclude, values: [rg-old]}]",
    "timeAggregation": "Maximum",
    "metricMeasureColumn": "Age",
    "resourceIdColumn": "ContainerGroupId",
    "threshold": "1.5",
    "failingPeriods": "{minFailingPeriodsToAlert: 2, numberOfEvaluationPeriods: 3}",
    "customProperties": "{team: dns}",
    "enabled": "false",
    "skipQueryValidation": "true",
}
STATEFUL = {**SETTINGS, "ruleResolveConfiguration": "{autoResolved: true, timeToResolve: PT30M}"}
STATELESS = {**SETTINGS, "autoMitigate": "false", "muteActionsDuration": "PT6H"}


def through_the_sdk(body):
    """Read a body with the SDK's model and write it again: what the model does not know is gone afterwards."""
    kinds = {name: kind for name, kind in vars(models).items() if isinstance(kind, type)}
    read = Deserializer(kinds)("ScheduledQueryRuleResource", json.loads(json.dumps(body)))
    return Serializer(kinds).body(read, "ScheduledQueryRuleResource"), read


def put(body):
    """Give what is sent in a PUT: type, version and name are in its address. One name differs in the SDK's model.

    The specification of 2023-12-01 says ruleResolveConfiguration, azure-mgmt-monitor 7.0 resolveConfiguration.
    """
    sent = {name: value for name, value in body.items() if name not in {"type", "apiVersion", "name"}}
    properties = dict(sent["properties"])
    if "ruleResolveConfiguration" in properties:
        properties["resolveConfiguration"] = properties.pop("ruleResolveConfiguration")
    return {**sent, "properties": properties}


@pytest.mark.parametrize("settings", [{}, STATEFUL, STATELESS], ids=["least", "stateful", "stateless"])
def test_the_sdks_model_knows_every_property_and_type(rule_yaml, settings):
    sent = put(build.body(parse.rule(rule_yaml(**settings), "sample.yaml")))
    assert through_the_sdk(sent)[0] == sent


def test_a_property_that_there_is_not_would_be_seen(rule_yaml):
    sent = put(build.body(parse.rule(rule_yaml(), "sample.yaml")))
    sent["properties"]["windowsize"] = "PT5M"
    assert through_the_sdk(sent)[0] != sent


def test_our_words_are_azures(rule_yaml):
    assert {*TimeAggregation} == {kind.value for kind in models.TimeAggregation}
    assert {*Operator} == {kind.value for kind in models.ConditionOperator}
    _, read = through_the_sdk(put(build.body(parse.rule(rule_yaml(**STATEFUL), "sample.yaml"))))
    assert read.kind in {kind.value for kind in models.Kind}
    assert {one.operator for one in read.criteria.all_of[0].dimensions} <= {
        kind.value for kind in models.DimensionOperator
    }
    assert read.severity in {int(kind.value) for kind in models.AlertSeverity}


def test_a_body_says_what_the_rule_says(rule_yaml):
    body = build.body(parse.rule(rule_yaml(**STATEFUL), "sample.yaml"))
    properties = body["properties"]
    (condition,) = properties["criteria"]["allOf"]
    assert (body["type"], body["apiVersion"], body["kind"]) == (
        "Microsoft.Insights/scheduledQueryRules",
        "2023-12-01",
        "LogAlert",
    )
    assert (properties["scopes"], properties["actions"]["actionGroups"], body["location"]) == (
        ["__WORKSPACE_ID__"],
        ["page"],
        "__LOCATION__",
    )
    assert properties["actions"]["customProperties"] == {
        "owner": "dns-platform",
        "runbook": "docs/runbooks/sample.md",
        "team": "dns",
    }
    assert (properties["enabled"], properties["skipQueryValidation"], properties["severity"]) == (False, True, 1)
    assert from_iso(properties["overrideQueryTimeRange"]).days == 1
    assert properties["resolveConfiguration"] == {"autoResolved": True, "timeToResolve": "PT30M"}
    assert "AciDnsOpenDrifts" in condition["query"]
    assert (condition["threshold"], condition["metricMeasureColumn"]) == (1.5, "Age")
    assert condition["failingPeriods"] == {"numberOfEvaluationPeriods": 3, "minFailingPeriodsToAlert": 2}


def test_what_a_rule_does_not_set_is_not_sent(rule_yaml):
    body = build.body(parse.rule(rule_yaml(), "sample.yaml"))
    optional = {"overrideQueryTimeRange", "muteActionsDuration", "ruleResolveConfiguration"}
    assert optional.isdisjoint(body["properties"])
    assert {"metricMeasureColumn", "resourceIdColumn"}.isdisjoint(body["properties"]["criteria"]["allOf"][0])


def test_a_query_that_there_is_not_cannot_be_built(rule_yaml):
    with pytest.raises(CatalogError, match="no query 'nothing'"):
        build.body(parse.rule(rule_yaml(kql=None, query="nothing"), "sample.yaml"))


def test_files_are_the_same_each_time_and_differences_are_named(rule_yaml, tmp_path):
    rules = [parse.rule(rule_yaml(name=name), f"{name}.yaml") for name in ("b", "a")]
    wanted = build.files(rules)
    assert wanted == build.files(list(reversed(rules)))
    assert build.differences(wanted, tmp_path) == ["a.json is missing", "b.json is missing"]
    build.write(wanted, tmp_path)
    assert build.differences(wanted, tmp_path) == []
    (tmp_path / "a.json").write_text(wanted["a.json"].replace("PT5M", "PT1H"))
    (tmp_path / "old.json").write_text(wanted["b.json"])
    assert build.differences(wanted, tmp_path) == ["a.json differs", "old.json is of no rule"]


def test_writing_removes_bodies_of_rules_that_are_gone_and_nothing_else(rule_yaml, tmp_path):
    wanted = build.files([parse.rule(rule_yaml(), "sample.yaml")])
    (tmp_path / "old.json").write_text(wanted["sample.json"])
    (tmp_path / "package.json").write_text("{}")
    build.write(wanted, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["package.json", "sample.json"]
