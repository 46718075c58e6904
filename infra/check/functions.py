"""Bicep's functions: how many arguments they take, what they give, and what some of them are of known values.

Names and signatures: https://learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-functions
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from infra.check.values import Arr, Entry, Known, Obj, Type, Unknown, Value, alternatives, one_of, type_of

Signature = tuple[int, int, Type]
_MANY: Final = 99
SIGNATURES: Final[dict[str, Signature]] = {
    "any": (1, 1, "any"),
    "array": (1, 1, "array"),
    "base64": (1, 1, "string"),
    "base64ToJson": (1, 1, "any"),
    "base64ToString": (1, 1, "string"),
    "bool": (1, 1, "bool"),
    "cidrHost": (2, 2, "string"),
    "cidrSubnet": (3, 3, "string"),
    "coalesce": (1, _MANY, "any"),
    "concat": (1, _MANY, "any"),
    "contains": (2, 2, "bool"),
    "dateTimeAdd": (2, 3, "string"),
    "deployment": (0, 0, "object"),
    "empty": (1, 1, "bool"),
    "endsWith": (2, 2, "bool"),
    "environment": (0, 0, "object"),
    "extensionResourceId": (3, _MANY, "string"),
    "filter": (2, 2, "array"),
    "first": (1, 1, "any"),
    "flatten": (1, 1, "array"),
    "format": (1, _MANY, "string"),
    "guid": (1, _MANY, "string"),
    "indexOf": (2, 2, "int"),
    "int": (1, 1, "int"),
    "intersection": (2, _MANY, "any"),
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
    "max": (1, _MANY, "int"),
    "min": (1, _MANY, "int"),
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
    "resourceId": (2, _MANY, "string"),
    "shallowMerge": (1, 1, "object"),
    "skip": (2, 2, "any"),
    "sort": (2, 2, "array"),
    "split": (2, 2, "array"),
    "startsWith": (2, 2, "bool"),
    "string": (1, 1, "string"),
    "subscription": (0, 1, "object"),
    "subscriptionResourceId": (2, _MANY, "string"),
    "substring": (2, 3, "string"),
    "take": (2, 2, "any"),
    "tenant": (0, 0, "object"),
    "tenantResourceId": (2, _MANY, "string"),
    "toLower": (1, 1, "string"),
    "toObject": (2, 3, "object"),
    "toUpper": (1, 1, "string"),
    "trim": (1, 1, "string"),
    "tryGet": (2, _MANY, "any"),
    "union": (2, _MANY, "any"),
    "uniqueString": (1, _MANY, "string"),
    "uri": (2, 2, "string"),
    "uriComponent": (1, 1, "string"),
    "uriComponentToString": (1, 1, "string"),
    "utcNow": (0, 1, "string"),
}
DECORATORS: Final = frozenset(
    {"allowed", "batchSize", "description", "discriminator", "export", "maxLength", "maxValue", "metadata", "minLength"}
    | {"minValue", "sealed", "secure"}
)
SECRET_METHODS: Final = ("list",)
"""A method of a resource that starts so reads its secrets: listKeys(), listCallbackUrl(), …"""
SCOPE_FUNCTIONS: Final = ("subscription", "resourceGroup", "tenant", "managementGroup")
_MEMBERS: Final[dict[str, frozenset[str]]] = {
    "subscription": frozenset({"id", "subscriptionId", "tenantId", "displayName", "name"}),
    "resourceGroup": frozenset({"id", "name", "location", "tags", "properties", "type", "managedBy"}),
    "tenant": frozenset({"tenantId", "country", "countryCode", "displayName"}),
    "deployment": frozenset({"name", "location", "properties"}),
    "environment": frozenset(
        {"name", "resourceManager", "authentication", "suffixes", "portal", "graph", "graphAudience", "gallery", "batch"}
        | {"activeDirectoryDataLake", "media", "sqlManagement", "vmImageAliasDoc"}
    ),
}


def members(function: str) -> frozenset[str] | None:
    """Name the properties that a scope function's value has; None when they are not known."""
    return _MEMBERS.get(function)


def apply(function: str, arguments: list[Value]) -> Value:
    """Give the value of a call with values whose alternatives are taken one by one, else what type it has."""
    known = _RULES.get(function)
    if known is not None and all(not isinstance(each, Unknown) or each.type != "any" for each in arguments[:1]):
        found = known(arguments)
        if found is not None:
            return found
    return Unknown(SIGNATURES[function][2], f"{function}()")


def _union(arguments: list[Value]) -> Value | None:
    if all(type_of(each) in {"object", "any"} for each in arguments):
        return _merged(arguments)
    return _concat(arguments)


def _merged(arguments: list[Value]) -> Value:
    """Merge objects; where one is a choice, every outcome is merged."""
    found: list[Value] = [Obj()]
    for argument in arguments:
        found = [_merge(left, right) for left in found for right in alternatives(argument)]
    return one_of(found)


def _merge(left: Value, right: Value) -> Value:
    if not isinstance(left, Obj):
        return left
    if not isinstance(right, Obj):
        return Obj(left.entries, open=True)
    entries = dict(left.entries)
    for key, entry in right.entries.items():
        before = entries.get(key)
        both = before is not None and isinstance(before.value, Obj) and isinstance(entry.value, Obj)
        entries[key] = Entry(_merge(before.value, entry.value), entry.line) if both and before else entry
    return Obj(entries, open=left.open or right.open)


def _concat(arguments: list[Value]) -> Value | None:
    if any(type_of(each) not in {"array", "any"} for each in arguments):
        return None
    items: list[Value] = []
    unsure = False
    for argument in arguments:
        outcomes = alternatives(argument)
        unsure = unsure or len(outcomes) > 1
        for outcome in outcomes:
            unsure = unsure or not isinstance(outcome, Arr) or outcome.open
            items += [each for each in (outcome.items if isinstance(outcome, Arr) else ()) if each not in items]
    return Arr(tuple(items), open=unsure)


def _items(arguments: list[Value]) -> Value | None:
    if not isinstance(arguments[0], Obj):
        return Arr((_pair(Unknown("string"), Unknown()),), open=True)
    pairs = [_pair(Known(key), entry.value) for key, entry in arguments[0].entries.items()]
    if arguments[0].open:
        pairs.append(_pair(Unknown("string"), Unknown()))
    return Arr(tuple(pairs), open=arguments[0].open)


def _pair(key: Value, value: Value) -> Value:
    return Obj({"key": Entry(key, 0), "value": Entry(value, 0)})


def _flatten(arguments: list[Value]) -> Value | None:
    if not isinstance(arguments[0], Arr):
        return None
    inner = _concat(list(arguments[0].items)) if arguments[0].items else Arr()
    return Arr(inner.items, open=inner.open or arguments[0].open) if isinstance(inner, Arr) else None


def _empty(arguments: list[Value]) -> Value | None:
    match arguments[0]:
        case Known(str() as text):
            return Known(not text)
        case Known(None):
            return Known(value=True)
        case Arr(open=False) as found:
            return Known(not found.items)
        case Obj(open=False) as found:
            return Known(not found.entries)
        case _:
            return None


def _ends(last: bool) -> Callable[[list[Value]], Value | None]:
    def rule(arguments: list[Value]) -> Value | None:
        found = arguments[0]
        if isinstance(found, Arr) and found.items:
            return one_of(list(found.items)) if found.open else found.items[-1 if last else 0]
        return None

    return rule


def _split(arguments: list[Value]) -> Value | None:
    match arguments:
        case [Known(str() as text), Known(str() as separator)] if separator:
            return Arr(tuple(Known(part) for part in text.split(separator)))
        case _:
            return Arr((Unknown("string", "split()"),), open=True)


def _text(arguments: list[Value]) -> Value | None:
    match arguments[0]:
        case Known(str() | int() as value) if not isinstance(value, bool):
            return Known(str(value))
        case _:
            return None


def _lower(arguments: list[Value]) -> Value | None:
    match arguments[0]:
        case Known(str() as text):
            return Known(text.lower())
        case _:
            return None


def _length(arguments: list[Value]) -> Value | None:
    match arguments[0]:
        case Arr(open=False) as found:
            return Known(len(found.items))
        case Known(str() as text):
            return Known(len(text))
        case _:
            return None


def _last_segment(arguments: list[Value]) -> Value | None:
    """A role definition's id: its last segment is what matters, so that is what is kept."""
    return one_of([each if isinstance(each, Known) else Unknown("string") for each in alternatives(arguments[-1])])


_RULES: Final[dict[str, Callable[[list[Value]], Value | None]]] = {
    "concat": _concat,
    "empty": _empty,
    "first": _ends(last=False),
    "flatten": _flatten,
    "items": _items,
    "last": _ends(last=True),
    "length": _length,
    "split": _split,
    "string": _text,
    "subscriptionResourceId": _last_segment,
    "toLower": _lower,
    "union": _union,
}
