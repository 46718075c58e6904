"""The ARM bodies of the rules, one JSON file each, as infra/ deploys them. Pure but for the last step, which writes.

What only the deployment knows is a word in its place: scope, location, and the action group by its logical name.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from alerts import corpus
from alerts.durations import to_iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from alerts.model import Rule

TYPE: Final = "Microsoft.Insights/scheduledQueryRules"
API_VERSION: Final = "2023-12-01"
WORKSPACE: Final = "__WORKSPACE_ID__"
LOCATION: Final = "__LOCATION__"
MAX_PROPERTIES: Final = 64 * 1024
"""Azure's limit for all data in a rule's properties, bytes."""


def body(rule: Rule) -> dict[str, Any]:
    """Give a rule's resource: what is PUT, and its type, api-version and name. Raises CatalogError without a query."""
    return {
        "type": TYPE,
        "apiVersion": API_VERSION,
        "name": rule.name,
        "location": LOCATION,
        "kind": "LogAlert",
        "tags": {"owner": rule.owner, "runbook": rule.runbook},
        "properties": _properties(rule),
    }


def _properties(rule: Rule) -> dict[str, Any]:
    found: dict[str, Any] = {
        "displayName": rule.display_name,
        "description": rule.description,
        "severity": rule.severity,
        "enabled": rule.enabled,
        "scopes": [WORKSPACE],
        "evaluationFrequency": to_iso(rule.evaluation_frequency),
        "windowSize": to_iso(rule.window_size),
        "criteria": {"allOf": [_condition(rule)]},
        "autoMitigate": rule.auto_mitigate,
        "skipQueryValidation": rule.skip_query_validation,
        "checkWorkspaceAlertsStorageConfigured": False,
        "actions": {
            "actionGroups": [rule.action_group],
            "customProperties": {
                "owner": rule.owner,
                "runbook": f"docs/runbooks/{rule.runbook}",
                **rule.custom_properties,
            },
        },
    }
    if rule.override_query_time_range is not None:
        found["overrideQueryTimeRange"] = to_iso(rule.override_query_time_range)
    if rule.mute_actions_duration is not None:
        found["muteActionsDuration"] = to_iso(rule.mute_actions_duration)
    if rule.resolve_configuration is not None:
        found["resolveConfiguration"] = {"autoResolved": rule.resolve_configuration.auto_resolved}
        if rule.resolve_configuration.time_to_resolve is not None:
            resolved = to_iso(rule.resolve_configuration.time_to_resolve)
            found["resolveConfiguration"]["timeToResolve"] = resolved
    return found


def _condition(rule: Rule) -> dict[str, Any]:
    found: dict[str, Any] = {
        "query": corpus.query_text(rule),
        "timeAggregation": rule.time_aggregation.value,
        "dimensions": [
            {"name": dimension.name, "operator": dimension.operator.value, "values": list(dimension.values)}
            for dimension in rule.dimensions
        ],
        "operator": rule.operator.value,
        "threshold": rule.threshold,
        "failingPeriods": {
            "numberOfEvaluationPeriods": rule.failing_periods.of,
            "minFailingPeriodsToAlert": rule.failing_periods.minimum,
        },
    }
    if rule.metric_measure_column:
        found["metricMeasureColumn"] = rule.metric_measure_column
    if rule.resource_id_column:
        found["resourceIdColumn"] = rule.resource_id_column
    return found


def properties_size(rule: Rule) -> int:
    """Give the size of a rule's properties, bytes."""
    return len(json.dumps(_properties(rule), ensure_ascii=False, separators=(",", ":")).encode())


def files(rules: Iterable[Rule]) -> dict[str, str]:
    """Give the files, one for each rule: name -> text."""
    return {f"{rule.name}.json": json.dumps(body(rule), indent=2, ensure_ascii=False) + "\n" for rule in rules}


def differences(wanted: Mapping[str, str], folder: Path) -> list[str]:
    """Name the files of a folder that are not as they must be: missing, different, or of no rule."""
    there = {path.name: text for path, text in _bodies(folder)}
    wrong = [f"{name} is missing" for name in wanted.keys() - there.keys()]
    wrong += [f"{name} is of no rule" for name in there.keys() - wanted.keys()]
    wrong += [f"{name} differs" for name in wanted.keys() & there.keys() if wanted[name] != there[name]]
    return sorted(wrong)


def write(wanted: Mapping[str, str], folder: Path) -> None:
    """Make these the rules' bodies in a folder, and remove those of rules that are gone. Other files are left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, _ in _bodies(folder):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def _bodies(folder: Path) -> list[tuple[Path, str]]:
    """Find the files that are bodies of rules, as they are: whatever else lies there is not ours."""
    found = [(path, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    return [(path, text) for path, text in found if f'"type": "{TYPE}"' in text]
