"""Operators over values that are known, or known in part."""

from __future__ import annotations

from typing import Final

from infra.check.values import Arr, Known, Obj, Unknown, Value, alternatives, one_of

_BOOLEAN: Final = frozenset({"==", "!=", "=~", "!~", "<", "<=", ">", ">=", "&&", "||"})


def operate(operator: str, values: list[Value]) -> Value:
    """Give the value of an operator's application."""
    if operator == "??":
        return _coalesced(values[0], values[1])
    if operator == "!":
        return Known(not values[0].value) if isinstance(values[0], Known) else Unknown("bool")
    if operator in {"==", "!="} and all(isinstance(each, Known) for each in values):
        return Known((values[0] == values[1]) is (operator == "=="))
    return _logic(operator, values) if operator in _BOOLEAN else Unknown("int")


def _coalesced(left: Value, right: Value) -> Value:
    outcomes = alternatives(left)
    kept = [each for each in outcomes if each != Known(None)]
    sure = len(kept) == len(outcomes) and all(isinstance(each, Obj | Arr | Known) for each in kept)
    return one_of(kept if sure else [*kept, right])


def _logic(operator: str, values: list[Value]) -> Value:
    """Decide `&&` and `||` where one side is enough."""
    sides = [each.value if isinstance(each, Known) and isinstance(each.value, bool) else None for each in values]
    if operator == "&&" and False in sides:
        return Known(value=False)
    if operator == "||" and True in sides:
        return Known(value=True)
    if operator in {"&&", "||"} and None not in sides:
        return Known(operator == "&&")
    return Unknown("bool")
