"""Whether an item is shown: all of its conditions hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbooks.substitute_format import formatted

if TYPE_CHECKING:
    from workbooks.model import Condition
    from workbooks.substitute import Scope


def holds(condition: Condition, scope: Scope) -> bool:
    """Say whether a condition holds; one without a value asks only whether the parameter is set.

    | comparison    | value | holds while                                  |
    |---------------|-------|----------------------------------------------|
    | isEqualTo     | given | the parameter has that value                 |
    | isNotEqualTo  | given | it has another one, or none                  |
    | isEqualTo     | none  | it has none, or an empty one                 |
    | isNotEqualTo  | none  | it has one                                   |
    """
    value = scope.get(condition.parameter.strip("{}"))
    if condition.value is None:
        return (value is None or value.is_empty) == condition.equal
    if value is None:
        return not condition.equal
    texts = {value.plain, formatted(value, "", scope.now, kql=True)}
    return (condition.value in texts) == condition.equal


def is_visible(conditions: tuple[Condition, ...], scope: Scope) -> bool:
    """Say whether all conditions hold."""
    return all(holds(condition, scope) for condition in conditions)
