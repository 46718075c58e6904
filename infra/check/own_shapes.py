"""Shapes of the few resource types that no installed library has a model of, after the pages of resource_types.json."""

from __future__ import annotations

from typing import Final

from infra.check.shapes import Field, Shape

_STRING: Final = Shape("string")
_TAGS: Final = Shape("map", of=_STRING)


def _object(name: str, properties: dict[str, Shape], required: frozenset[str] = frozenset()) -> Shape:
    return Shape("object", name, {key: Field(shape, key in required) for key, shape in properties.items()})


_RETENTION: Final = _object("RetentionPolicy", {"enabled": Shape("bool"), "days": Shape("int")})
_LOG: Final = _object(
    "LogSettings",
    {"category": _STRING, "categoryGroup": _STRING, "enabled": Shape("bool"), "retentionPolicy": _RETENTION},
    frozenset({"enabled"}),
)
_METRIC: Final = _object(
    "MetricSettings",
    {"category": _STRING, "enabled": Shape("bool"), "timeGrain": _STRING, "retentionPolicy": _RETENTION},
    frozenset({"enabled"}),
)
_DIAGNOSTICS: Final = _object(
    "DiagnosticSettings",
    {
        "workspaceId": _STRING,
        "storageAccountId": _STRING,
        "eventHubAuthorizationRuleId": _STRING,
        "eventHubName": _STRING,
        "marketplacePartnerId": _STRING,
        "serviceBusRuleId": _STRING,
        "logAnalyticsDestinationType": Shape("enum", values=("Dedicated", "AzureDiagnostics")),
        "logs": Shape("array", of=_LOG),
        "metrics": Shape("array", of=_METRIC),
    },
)
_LINKED: Final = _object("Linked", {"linkedResourceId": _STRING}, frozenset({"linkedResourceId"}))
SHAPES: Final[dict[str, Shape]] = {
    "diagnostic_settings": _object("DiagnosticSettings", {"properties": _DIAGNOSTICS}, frozenset({"properties"})),
    "resource_group": _object(
        "ResourceGroup", {"location": _STRING, "managedBy": _STRING, "tags": _TAGS}, frozenset({"location"})
    ),
    "scoped_resource": _object("ScopedResource", {"properties": _LINKED}, frozenset({"properties"})),
    "user_assigned_identity": _object("Identity", {"location": _STRING, "tags": _TAGS}, frozenset({"location"})),
    # Only ever referred to as existing.
    "reference": Shape("any"),
}
