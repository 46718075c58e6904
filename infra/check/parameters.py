"""Parameters: what they may be, and whether what is given to them fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from infra.check.nodes import Constant, Declaration, Document
from infra.check.values import Arr, Known, Obj, OneOf, Type, Unknown, Value, alternatives, type_of

if TYPE_CHECKING:
    from infra.check.scope import Scope

_BASE_TYPES: Final[dict[str, Type]] = {
    "string": "string",
    "int": "int",
    "bool": "bool",
    "object": "object",
    "array": "array",
}


def parameter_value(declared: Declaration) -> Value:
    """Give what a parameter may be: one of its allowed values, or anything of its type."""
    allowed = allowed_values(declared)
    if allowed:
        return OneOf(tuple(Known(value) for value in allowed)) if len(allowed) > 1 else Known(allowed[0])
    kind = declared_type(declared)
    if kind == "object":
        return Obj(open=True)
    return Arr(open=True) if kind == "array" else Unknown(kind, f"the parameter {declared.name}")


def allowed_values(declared: Declaration) -> list[str | int | bool | None]:
    """List what `@allowed` lets through; empty without it."""
    decorator = declared.decorator("allowed")
    if decorator is None or not decorator.arguments:
        return []
    items = getattr(decorator.arguments[0], "items", ())
    return [item.value for item in items if isinstance(item, Constant)]


def declared_type(declared: Declaration) -> Type:
    """Give the type that a parameter or output is declared with."""
    written = declared.type.rstrip("?")
    return "array" if written.endswith("[]") else _BASE_TYPES.get(written, "any")


def fits(value: Value, declared: Declaration, scope: Scope, what: str, line: int) -> None:
    """Report a value that a parameter does not take."""
    wanted, allowed = declared_type(declared), allowed_values(declared)
    for outcome in alternatives(value):
        if type_of(outcome) not in {wanted, "any"} and wanted != "any" and outcome != Known(None):
            scope.report(line, "wrong-type", f"{what}: {wanted} is needed, not {type_of(outcome)}")
        elif allowed and isinstance(outcome, Known) and outcome.value not in allowed:
            known = ", ".join(repr(each) for each in allowed)
            scope.report(line, "not-allowed-value", f"{what}: {outcome.value!a} is not one of {known}")


def given_parameters(declared: Declaration, document: Document, given: Value, scope: Scope) -> dict[str, Value]:
    """Give what a module is given; unknown, missing and unfitting parameters are reported."""
    known = {each.name: each for each in document.of("param")}
    if not isinstance(given, Obj):
        return {}
    for name, entry in given.entries.items():
        if name not in known:
            listed = ", ".join(sorted(known))
            scope.report(entry.line, "unknown-parameter", f"{declared.type} has no parameter {name!a}; it has {listed}")
            continue
        fits(entry.value, known[name], scope, f"parameter {name!a} of {declared.type}", entry.line)
    for name, parameter in known.items():
        needed = parameter.value is None and not parameter.type.endswith("?")
        if needed and name not in given.entries and not given.open:
            scope.report(declared.line, "missing-parameter", f"{declared.type} needs the parameter {name!a}")
    return {name: entry.value for name, entry in given.entries.items()}
