"""Values as Kusto literals: what a person typed, or a Python value, becomes text that can be nothing but one literal.

Whatever the value is, it cannot end the literal and begin another expression: numbers, times and booleans are read and
written again, and a string has every character escaped that could end it.
"""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, get_args

ScalarType = Literal["string", "long", "int", "real", "bool", "datetime", "timespan"]
Value = str | int | float | bool | datetime | timedelta
SCALAR_TYPES: Final[tuple[ScalarType, ...]] = get_args(ScalarType)

_SHORT_TIMESPAN: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(d|h|m|s|ms)")
_LONG_TIMESPAN: Final = re.compile(r"(?:(\d{1,6})\.)?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?")
_INTEGER: Final = re.compile(r"[+-]?\d{1,19}")
_REAL: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")
_BITS: Final = {"int": 32, "long": 64}
_ESCAPES: Final = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_EXAMPLES: Final[dict[ScalarType, str]] = {
    "string": "text without control characters",
    "long": "a whole number, for example 10",
    "int": "a whole number, for example 10",
    "real": "a number, for example 0.99",
    "bool": "true or false",
    "datetime": "an ISO 8601 time, for example 2026-03-01T12:00:00Z",
    "timespan": "a duration, for example 90s, 30m, 1h, 7d or 1.12:00:00",
}


def literal(kind: ScalarType, value: Value) -> str:
    """Write a value as a literal of the type. Text is read as that type. Raises ValueError with what is expected."""
    try:
        return _WRITERS[kind](value)
    except (ValueError, OverflowError, TypeError):
        raise ValueError(f"{str(value)[:80]!a} is not a {kind}: give {_EXAMPLES[kind]}") from None


def _string(value: Value) -> str:
    if not isinstance(value, str):
        raise TypeError
    return "'" + "".join(_escaped(character) for character in value) + "'"


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if unicodedata.category(character) in {"Cc", "Cs"}:
        raise ValueError  # a control character or half a surrogate pair: no two engines read those alike
    return character


def _whole(value: Value, kind: Literal["int", "long"]) -> str:
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value.strip()):
            raise ValueError
        value = int(value)
    limit = 1 << (_BITS[kind] - 1)
    # The type's least value is Kusto's null.
    if isinstance(value, bool) or not isinstance(value, int) or not -limit < value < limit:
        raise ValueError
    return f"{kind}({value})"


def _real(value: Value) -> str:
    if isinstance(value, str) and not _REAL.fullmatch(value.strip()):
        raise ValueError
    if not isinstance(value, str | int | float) or isinstance(value, bool) or not math.isfinite(float(value)):
        raise ValueError
    return f"real({float(value)!r})"


def _bool(value: Value) -> str:
    text = str(value).strip().lower()
    if text not in {"true", "false"}:
        raise ValueError
    return text


def _datetime(value: Value) -> str:
    time = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
    if not isinstance(time, datetime):
        raise TypeError
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return f"datetime({time.strftime('%Y-%m-%dT%H:%M:%S.%f')}Z)"


def _timespan(value: Value) -> str:
    span = _read_timespan(value.strip()) if isinstance(value, str) else value
    if not isinstance(span, timedelta):
        raise TypeError
    if span < timedelta(0):
        raise ValueError
    hours, rest = divmod(span.seconds, 3600)
    return f"time({span.days}.{hours:02}:{rest // 60:02}:{rest % 60:02}.{span.microseconds:06})"


def _read_timespan(text: str) -> timedelta:
    short = _SHORT_TIMESPAN.fullmatch(text)
    if short:
        unit = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds"}[short.group(2)]
        return timedelta(**{unit: float(short.group(1))})
    long = _LONG_TIMESPAN.fullmatch(text)
    if long is None:
        raise ValueError
    days, hours, minutes, seconds, fraction = long.groups(default="0")
    if int(hours) > 23 or int(minutes) > 59 or int(seconds) > 59:  # noqa: PLR2004 - a clock's own numbers
        raise ValueError
    parts = {"days": int(days), "hours": int(hours), "minutes": int(minutes), "seconds": int(seconds)}
    return timedelta(**parts, microseconds=int(fraction.ljust(6, "0")))


_WRITERS: Final = {
    "string": _string,
    "long": lambda value: _whole(value, "long"),
    "int": lambda value: _whole(value, "int"),
    "real": _real,
    "bool": _bool,
    "datetime": _datetime,
    "timespan": _timespan,
}
