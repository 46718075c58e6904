"""Properties and items of values; those that a value cannot have are reported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from infra.check import signatures
from infra.check.values import (
    Arr,
    Entry,
    Known,
    ModuleValue,
    Obj,
    ResourceValue,
    Unknown,
    Value,
    alternatives,
    from_json,
    one_of,
    type_of,
)

if TYPE_CHECKING:
    from infra.check.scope import Scope

RESOURCE_MEMBERS: Final = frozenset(
    {"id", "name", "type", "apiVersion", "location", "tags", "properties", "identity", "sku", "kind", "zones", "etag"}
    | {"plan", "managedBy", "extendedLocation", "systemData", "eTag"}
)


def items_of(over: Value) -> tuple[tuple[Value, ...], bool]:
    """Give the items of an array, and whether they only say what its items may be."""
    found: list[Value] = []
    outcomes = alternatives(over)
    for outcome in outcomes:
        known = isinstance(outcome, Arr) and (outcome.items or not outcome.open)
        items = outcome.items if known and isinstance(outcome, Arr) else (Unknown(),)
        found += [item for item in items if len(outcomes) == 1 or item not in found]
    return tuple(found), len(outcomes) > 1 or not isinstance(over, Arr) or over.open


def member_of(target: Value, name: str, line: int, scope: Scope, *, safe: bool = False) -> Value:
    """Give a property of a value."""
    match target:
        case Obj():
            return _property(target, name, line, scope, safe=safe)
        case ResourceValue():
            if name not in RESOURCE_MEMBERS:
                scope.report(line, "unknown-property", f"the resource {target.symbol!a} has no {name!a}")
            return Unknown("string" if name in {"id", "name", "type"} else "any", f"{target.symbol}.{name}")
        case ModuleValue():
            return _outputs(target, name, line, scope)
        case Unknown():
            return Unknown("any", f"{target.origin}.{name}" if target.origin else "")
        case Known(None):
            return target
        case _:
            scope.report(line, "wrong-type", f"{described(type_of(target))} has no property {name!a}")
            return Unknown()


def _property(target: Obj, name: str, line: int, scope: Scope, *, safe: bool) -> Value:
    if name in target.entries:
        return target.entries[name].value
    if not target.open and not safe:
        known = ", ".join(sorted(target.entries)) or "none"
        scope.report(line, "unknown-property", f"{name!a} is not among the properties: {known}")
    return Unknown() if target.open else Known(None)


def _outputs(target: ModuleValue, name: str, line: int, scope: Scope) -> Value:
    if name not in {"outputs", "name"}:
        scope.report(line, "unknown-property", f"of the module {target.symbol!a} only 'outputs' can be read")
        return Unknown()
    return Obj({output: Entry(value, line) for output, value in target.outputs.items()})


def item_of(target: Value, index: Value, line: int, scope: Scope) -> Value:  # noqa: PLR0911 - one for each kind of value
    """Give an item of an array, or a property of an object by its computed name."""
    match target, index:
        case Arr(open=False), Known(int() as number) if not isinstance(number, bool):
            if number < len(target.items):
                return target.items[number]
            scope.report(line, "unknown-property", f"there is no item {number} among {len(target.items)}")
            return Unknown()
        case Arr(), _:
            return one_of(list(target.items)) if target.items else Unknown()
        case Obj(), Known(str() as key):
            return member_of(target, key, line, scope)
        case Obj(), _ if target.entries:
            return one_of([entry.value for entry in target.entries.values()])
        case Unknown(), _:
            return Unknown("any", target.origin)
        case _:
            return Unknown()


def of_scope_function(function: str) -> Value:
    """Give the value of subscription(), environment() and the like: an object whose property names are known."""
    names = signatures.MEMBERS.get(function)
    if names is None:
        return Unknown("object", f"{function}()")
    texts = names - {"tags", "properties", "suffixes", "authentication"}
    return Obj(
        {name: Entry(Unknown("string" if name in texts else "any", f"{function}().{name}"), 0) for name in names}
    )


def loaded(function: str, path: Value, line: int, scope: Scope) -> Value:
    """Read the file that a load function names; one that cannot be read is reported."""
    if not isinstance(path, Known) or not isinstance(path.value, str):
        scope.report(line, "missing-file", f"the path given to {function}() must be a constant")
        return Unknown()
    try:
        content = (scope.folder / path.value).read_text(encoding="utf-8-sig")
        return from_json(json.loads(content), line) if function == "loadJsonContent" else Known(content)
    except FileNotFoundError:
        scope.report(line, "missing-file", f"{path.value} does not exist")
    except (OSError, ValueError) as error:
        scope.report(line, "missing-file", f"{path.value} cannot be read: {error}")
    return Unknown()


def described(kind: str) -> str:
    """Give a type with its article."""
    return f"an {kind}" if kind[0] in "aeio" else f"a {kind}"
