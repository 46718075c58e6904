"""Bicep's functions: how many arguments they take, and what type they give.

Names and signatures: https://learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-functions
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from infra.check.values import Type

MANY: Final = 99
"""As many arguments as one likes."""
SIGNATURES: Final[dict[str, tuple[int, int, Type]]] = {
    "any": (1, 1, "any"),
    "array": (1, 1, "array"),
    "base64": (1, 1, "string"),
    "base64ToJson": (1, 1, "any"),
    "base64ToString": (1, 1, "string"),
    "bool": (1, 1, "bool"),
    "cidrHost": (2, 2, "string"),
    "cidrSubnet": (3, 3, "string"),
    "coalesce": (1, MANY, "any"),
    "concat": (1, MANY, "any"),
    "contains": (2, 2, "bool"),
    "dateTimeAdd": (2, 3, "string"),
    "deployment": (0, 0, "object"),
    "empty": (1, 1, "bool"),
    "endsWith": (2, 2, "bool"),
    "environment": (0, 0, "object"),
    "extensionResourceId": (3, MANY, "string"),
    "filter": (2, 2, "array"),
    "first": (1, 1, "any"),
    "flatten": (1, 1, "array"),
    "format": (1, MANY, "string"),
    "guid": (1, MANY, "string"),
    "indexOf": (2, 2, "int"),
    "int": (1, 1, "int"),
    "intersection": (2, MANY, "any"),
    "items": (1, 1, "array"),
    "join": (2, 2, "string"),
    "json": (1, 1, "any"),
    "last": (1, 1, "any"),
    "lastIndexOf": (2, 2, "int"),
    "length": (1, 1, "int"),
    "list": (2, 3, "object"),
    "listKeys": (2, 2, "object"),
    "loadFileAsBase64": (1, 1, "string"),
    "loadJsonContent": (1, 3, "any"),
    "loadTextContent": (1, 2, "string"),
    "loadYamlContent": (1, 3, "any"),
    "managementGroup": (0, 1, "object"),
    "map": (2, 2, "array"),
    "mapValues": (2, 2, "object"),
    "max": (1, MANY, "int"),
    "min": (1, MANY, "int"),
    "newGuid": (0, 0, "string"),
    "objectKeys": (1, 1, "array"),
    "padLeft": (2, 3, "string"),
    "parseCidr": (1, 1, "object"),
    "pickZones": (3, 5, "array"),
    "range": (2, 2, "array"),
    "readEnvironmentVariable": (1, 2, "string"),
    "reduce": (3, 3, "any"),
    "reference": (1, 3, "object"),
    "replace": (3, 3, "string"),
    "resourceGroup": (0, 2, "object"),
    "resourceId": (2, MANY, "string"),
    "shallowMerge": (1, 1, "object"),
    "skip": (2, 2, "any"),
    "sort": (2, 2, "array"),
    "split": (2, 2, "array"),
    "startsWith": (2, 2, "bool"),
    "string": (1, 1, "string"),
    "subscription": (0, 1, "object"),
    "subscriptionResourceId": (2, MANY, "string"),
    "substring": (2, 3, "string"),
    "take": (2, 2, "any"),
    "tenant": (0, 0, "object"),
    "tenantResourceId": (2, MANY, "string"),
    "toLower": (1, 1, "string"),
    "toObject": (2, 3, "object"),
    "toUpper": (1, 1, "string"),
    "trim": (1, 1, "string"),
    "tryGet": (2, MANY, "any"),
    "union": (2, MANY, "any"),
    "uniqueString": (1, MANY, "string"),
    "uri": (2, 2, "string"),
    "uriComponent": (1, 1, "string"),
    "uriComponentToString": (1, 1, "string"),
    "utcNow": (0, 1, "string"),
}
DECORATORS: Final = frozenset(
    {"allowed", "batchSize", "description", "discriminator", "export", "maxLength", "maxValue", "metadata", "minLength"}
    | {"minValue", "sealed", "secure"}
)
SECRET_METHODS: Final = "list"  # noqa: S105 - the beginning of their names
"""A method of a resource that starts so reads its secrets: listKeys(), listCallbackUrl(), …"""
LOADS: Final = frozenset({"loadJsonContent", "loadTextContent", "loadYamlContent", "loadFileAsBase64"})
MEMBERS: Final[dict[str, frozenset[str]]] = {
    "subscription": frozenset({"id", "subscriptionId", "tenantId", "displayName", "name"}),
    "resourceGroup": frozenset({"id", "name", "location", "tags", "properties", "type", "managedBy"}),
    "tenant": frozenset({"tenantId", "country", "countryCode", "displayName"}),
    "deployment": frozenset({"name", "location", "properties"}),
    "environment": frozenset(
        {"name", "resourceManager", "authentication", "suffixes", "portal", "graph", "graphAudience", "gallery"}
        | {"activeDirectoryDataLake", "batch", "media", "sqlManagement", "vmImageAliasDoc"}
    ),
}
