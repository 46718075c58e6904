"""Compares a resource's body with the model of its type and api-version."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from infra.check.own_shapes import SHAPES
from infra.check.shapes import Shape, shape_of
from infra.check.values import Arr, Known, Obj, Value, alternatives, type_of

if TYPE_CHECKING:
    from infra.check.nodes import Declaration
    from infra.check.scope import Report

_TABLE: Final = Path(__file__).with_name("resource_types.json")
OF_BICEP: Final = frozenset({"name", "parent", "scope", "dependsOn"})
"""Properties of a resource that are the language's, or of which the models say only that Azure gives them back."""
# Values that Azure takes and the models do not name; their enumerations are open.
# https://learn.microsoft.com/azure/azure-monitor/data-collection/data-collection-rule-structure#kind
_ALSO: Final = {"Microsoft.Insights/dataCollectionRules.kind": ("Direct",)}
_FITS: Final = {"string": "string", "int": "int", "number": "int", "bool": "bool", "enum": "string", "array": "array"}


@dataclass(frozen=True, slots=True)
class Version:
    """What is known of one api-version of a type."""

    shape: Shape
    required: tuple[str, ...]


@cache
def known_types() -> dict[str, dict[str, Any]]:
    """Give the table of resource types, by type in lower case."""
    table: dict[str, Any] = json.loads(_TABLE.read_text(encoding="utf-8"))
    return {name.lower(): {"type": name, "versions": versions} for name, versions in table.items() if name != "comment"}


@cache
def version_of(resource_type: str, api_version: str) -> Version:
    """Find the model; raises LookupError, whose message is a finding's code and text."""
    entry = known_types().get(resource_type.lower())
    if entry is None:
        raise LookupError("unknown-type", f"{resource_type} is not in infra/check/resource_types.json")
    described = entry["versions"].get(api_version)
    if described is None:
        known = ", ".join(entry["versions"])
        raise LookupError(
            "unknown-api-version", f"{resource_type} has no known version {api_version!a}; known: {known}"
        )
    if "shape" in described:
        return Version(SHAPES[described["shape"]], tuple(described.get("required", ())))
    try:
        shape = shape_of(*described["model"].split(":"))
    except LookupError as error:
        raise LookupError("unmodelled-api-version", f"{resource_type}@{api_version}: {error}") from error
    return Version(shape, tuple(described.get("required", ())))


def check_body(declared: Declaration, body: Value, report: Report) -> None:
    """Report everything in a resource's body that its model does not allow."""
    try:
        version = version_of(declared.resource_type, declared.api_version)
    except LookupError as error:
        report(declared.line, *error.args)
        return
    if declared.existing:
        return
    for outcome in alternatives(body):
        if not isinstance(outcome, Obj):
            continue
        _check_object(outcome, version.shape, declared.resource_type, declared.line, report, top=True)
        for path in (*version.required, "name"):
            _require(outcome, path, declared, report)


def _require(body: Obj, path: str, declared: Declaration, report: Report) -> None:
    found: Value = body
    for name in path.split("."):
        if not isinstance(found, Obj) or found.open:
            return
        if name not in found.entries:
            report(declared.line, "missing-property", f"{declared.resource_type}: {path} is required")
            return
        found = found.entries[name].value


def _check(value: Value, shape: Shape, where: str, line: int, report: Report) -> None:
    for outcome in alternatives(value):
        kind = type_of(outcome)
        if shape.kind == "any" or kind in {"any", "null"}:
            continue
        if isinstance(outcome, Obj) and shape.kind == "object":
            _check_object(outcome, shape, where, line, report)
        elif isinstance(outcome, Obj) and shape.kind == "map" and shape.of is not None:
            for key, entry in outcome.entries.items():
                _check(entry.value, shape.of, f"{where}.{key}", entry.line, report)
        elif isinstance(outcome, Arr) and shape.kind == "array" and shape.of is not None:
            for item in outcome.items:
                _check(item, shape.of, f"{where}[]", _line_of(item, line), report)
        else:
            _check_scalar(outcome, shape, where, line, report)


def _check_scalar(value: Value, shape: Shape, where: str, line: int, report: Report) -> None:
    wanted = _FITS.get(shape.kind, "object")
    if type_of(value) != wanted:
        report(line, "wrong-type", f"{where}: {wanted} is needed, not {type_of(value)}")
    elif (
        shape.kind == "enum"
        and isinstance(value, Known)
        and not _is_among(value.value, (*shape.values, *_ALSO.get(where, ())))
    ):
        report(line, "not-allowed-value", f"{where}: {value.value!a} is not one of {', '.join(shape.values)}")


def _is_among(value: object, allowed: tuple[str, ...]) -> bool:
    """Azure compares enumerations without case."""
    return str(value).lower() in {each.lower() for each in allowed}


def _check_object(  # noqa: PLR0913 - a place has two parts
    body: Obj, shape: Shape, where: str, line: int, report: Report, *, top: bool = False
) -> None:
    shape = _subtype(body, shape, where, report)
    if shape.kind == "any":
        return
    for key, entry in body.entries.items():
        if top and key in OF_BICEP:
            continue
        field = shape.properties.get(key)
        if field is None:
            hint = difflib.get_close_matches(key, shape.properties, 1, 0.6)
            meant = f"; is {hint[0]!a} meant?" if hint else ""
            report(entry.line or line, "unknown-property", f"{where} has no property {key!a}{meant}")
        elif field.read_only and type_of(entry.value) != "null":
            report(entry.line or line, "read-only-property", f"{where}.{key} is set by Azure alone")
        else:
            _check(entry.value, field.shape, f"{where}.{key}", entry.line or line, report)
    if body.open:
        return
    for key, field in shape.properties.items():
        if field.required and key not in body.entries and not (top and key in OF_BICEP):
            report(line, "missing-property", f"{where}: {key} is required")


def _subtype(body: Obj, shape: Shape, where: str, report: Report) -> Shape:
    """Choose among subtypes by the discriminator's value."""
    if not shape.subtypes:
        return shape
    entry = body.entries.get(shape.discriminator)
    if entry is None:
        if not body.open:
            report(_line_of(body, 1), "missing-property", f"{where}: {shape.discriminator} is required")
        return Shape("any")
    if not isinstance(entry.value, Known):
        return Shape("any")
    found = shape.subtypes.get(str(entry.value.value))
    if found is None:
        known = ", ".join(shape.subtypes)
        name = f"{where}.{shape.discriminator}"
        report(entry.line, "not-allowed-value", f"{name}: {entry.value.value!a} is not one of {known}")
        return Shape("any")
    return found


def _line_of(value: Value, otherwise: int) -> int:
    if isinstance(value, Obj):
        return next((entry.line for entry in value.entries.values() if entry.line), otherwise)
    return otherwise
