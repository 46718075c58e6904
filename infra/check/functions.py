"""What Bicep's functions give for values that are known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from infra.check.signatures import SIGNATURES
from infra.check.values import Arr, Entry, Known, Obj, Unknown, Value, alternatives, from_json, one_of, type_of

if TYPE_CHECKING:
    from collections.abc import Callable


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


def _json(arguments: list[Value]) -> Value | None:
    match arguments[0]:
        case Known(str() as text):
            try:
                return from_json(json.loads(text))
            except ValueError:
                return None
        case _:
            return None


def _contains(arguments: list[Value]) -> Value | None:
    match arguments:
        case [Known(str() as text), Known(str() as part)]:
            return Known(part in text)
        case [Obj(open=False) as found, Known(str() as key)]:
            return Known(key in found.entries)
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
    """Keep the last segment of an id: of a role definition it is what matters."""
    return one_of([each if isinstance(each, Known) else Unknown("string") for each in alternatives(arguments[-1])])


_RULES: Final[dict[str, Callable[[list[Value]], Value | None]]] = {
    "concat": _concat,
    "contains": _contains,
    "empty": _empty,
    "first": _ends(last=False),
    "flatten": _flatten,
    "items": _items,
    "json": _json,
    "last": _ends(last=True),
    "length": _length,
    "split": _split,
    "string": _text,
    "subscriptionResourceId": _last_segment,
    "toLower": _lower,
    "union": _union,
}
