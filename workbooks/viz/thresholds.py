"""Which row of a thresholds grid holds for a value, and what it says."""

from __future__ import annotations

import operator
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from workbooks.viz.numbers import number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from workbooks.model import Threshold

_PLACE: Final = re.compile(r"""\[\s*["']([^"'\]]+)["']\s*\]|\{[01]\}""")
_NOTHING: Final[Mapping[str, str]] = {}
_MAX_PATTERN: Final = 500
OPERATORS: Final = frozenset(
    {"==", "!=", ">", ">=", "<", "<=", "contains", "!contains", "startswith", "endswith", "regex", "is empty",
     "isempty", "is not empty", "isnotempty", "default"}
)  # fmt: skip


def choose(thresholds: Sequence[Threshold], value: Any) -> Threshold | None:
    """Give the first threshold that holds for the value, or None."""
    return next((one for one in thresholds if holds(one.operator, value, one.value)), None)


def holds(comparison: str, value: Any, against: str) -> bool:
    """Tell whether `value comparison against` holds. Numbers compare as numbers, all else as text without case."""
    name = comparison.strip().lower()
    if name == "default":
        return True
    if name in {"is empty", "isempty"}:
        return value in (None, "", [], {})
    if name in {"is not empty", "isnotempty"}:
        return value not in (None, "", [], {})
    left, right = number(value), number(against)
    if left is not None and right is not None and name in _NUMERIC:
        return _NUMERIC[name](left, right)
    return _texts(name, as_text(value), against)


def as_text(value: Any) -> str:
    """Give a cell as the text that it is compared as."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds" if value.microsecond else "seconds").replace("+00:00", "Z")
    return str(value)


_NUMERIC: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def _texts(name: str, value: str, against: str) -> bool:
    left, right = value.casefold(), against.casefold()
    plain = {
        "==": left == right,
        "!=": left != right,
        "contains": right in left,
        "!contains": right not in left,
        "startswith": left.startswith(right),
        "endswith": left.endswith(right),
    }
    if name in plain:
        return plain[name]
    return name == "regex" and _matches(against, value)


def _matches(pattern: str, value: str) -> bool:
    try:
        return len(pattern) <= _MAX_PATTERN and re.search(pattern, value[:_MAX_PATTERN]) is not None
    except re.error:
        return False


def said(threshold: Threshold, shown: str, unit: str, row: Mapping[str, Any]) -> str:
    """Give a threshold's text: `{0}` is the value, `{1}` its unit, `["column"]` another cell of the row."""
    # In one pass: what a cell says is put in, and not looked at again.
    filled = with_cells(threshold.text, row, as_text, {"{0}": shown, "{1}": unit})
    return filled.strip()


def with_cells(
    template: str,
    row: Mapping[str, Any],
    write: Callable[[Any], str] = as_text,
    also: Mapping[str, str] = _NOTHING,
) -> str:
    """Put cells of the row into a text where it says `["column"]`, and the texts of `also` where it says their keys."""
    return _PLACE.sub(
        lambda found: write(row.get(found[1], "")) if found[1] else also.get(found[0], found[0]), template
    )
