"""Operators over values that are known, or known in part."""

from __future__ import annotations

import operator
from typing import Final

from infra.check.values import Arr, Known, Obj, Unknown, Value, alternatives, one_of

_COMPARISONS: Final = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_BOOLEAN: Final = frozenset({"==", "!=", "=~", "!~", "&&", "||"})


def operate(sign: str, values: list[Value]) -> Value:
    """Give the value of an operator's application."""
    if sign == "??":
        return _coalesced(values[0], values[1])
    if sign == "!":
        return Known(not values[0].value) if isinstance(values[0], Known) else Unknown("bool")
    if sign in {"==", "!="} and all(isinstance(each, Known) for each in values):
        return Known((values[0] == values[1]) is (sign == "=="))
    if sign in _COMPARISONS:
        return _compared(sign, values)
    return _logic(sign, values) if sign in _BOOLEAN else Unknown("int")


def _coalesced(left: Value, right: Value) -> Value:
    outcomes = alternatives(left)
    kept = [each for each in outcomes if each != Known(None)]
    sure = len(kept) == len(outcomes) and all(isinstance(each, Obj | Arr | Known) for each in kept)
    return one_of(kept if sure else [*kept, right])


def _compared(sign: str, values: list[Value]) -> Value:
    match values:
        case [Known(int() as left), Known(int() as right)]:
            return Known(_COMPARISONS[sign](left, right))
        case _:
            return Unknown("bool")


def _logic(sign: str, values: list[Value]) -> Value:
    """Decide `&&` and `||` where one side is enough."""
    sides = [each.value if isinstance(each, Known) and isinstance(each.value, bool) else None for each in values]
    if sign == "&&" and False in sides:
        return Known(value=False)
    if sign == "||" and True in sides:
        return Known(value=True)
    if sign in {"&&", "||"} and None not in sides:
        return Known(sign == "&&")
    return Unknown("bool")
