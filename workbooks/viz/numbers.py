"""Numbers, durations and times as the portal writes them: a value, its unit, and the limits of Intl.NumberFormat."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING, Any, Final

from workbooks.model import DateFormat, NumberFormat

if TYPE_CHECKING:
    from collections.abc import Mapping

THIN: Final = "\u202f"
"""Between a number and its unit; narrow, and never broken across lines."""
EMPTY: Final = ""
_WIDE: Final = Context(prec=450)
"""Wide enough for every digit of the largest number, and the most after its point."""
_MOST_FRACTION, _MOST_WHOLE = 100, 21
"""The limits of Intl.NumberFormat."""


@dataclass(frozen=True, slots=True)
class _Scale:
    """A unit that grows: each step's symbol, and how many of the step before make one of it."""

    steps: tuple[tuple[str, float], ...]


_BYTES = _Scale((("B", 1), ("KiB", 1024), ("MiB", 1024), ("GiB", 1024), ("TiB", 1024), ("PiB", 1024)))
_BYTES_DECIMAL = _Scale((("B", 1), ("kB", 1000), ("MB", 1000), ("GB", 1000), ("TB", 1000), ("PB", 1000)))
_COUNT = _Scale((("", 1), ("K", 1000), ("M", 1000), ("B", 1000), ("T", 1000)))
_BITS = _Scale((("b", 1), ("Kb", 1000), ("Mb", 1000), ("Gb", 1000), ("Tb", 1000)))
_TIME = (("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("min", 60.0), ("h", 3600.0), ("d", 86400.0))

_SCALED: Final[Mapping[int, tuple[_Scale, float, str]]] = {
    2: (_BYTES, 1, ""),
    3: (_BYTES, 1024, ""),
    4: (_BYTES, 1024**2, ""),
    5: (_BYTES, 1024**3, ""),
    6: (_BYTES, 1024**4, ""),
    11: (_BITS, 1, "/s"),
    12: (_BYTES, 1, "/s"),
    17: (_COUNT, 1, ""),
    36: (_BYTES_DECIMAL, 1, ""),
}
"""Unit number -> (scale, factor of the value to its first step, what follows the symbol)."""
_SECONDS: Final[Mapping[int, float]] = {20: 1e-9, 22: 1e-6, 23: 1e-3, 24: 1.0, 25: 60.0, 26: 3600.0, 27: 86400.0}
"""Unit number of a duration -> seconds of one."""
_WORDS: Final[Mapping[int, str]] = {1: "%", 31: "/s", 32: "/min"}
KNOWN_UNITS: Final = frozenset({0, *_SCALED, *_SECONDS, *_WORDS})

_PATTERNS: Final[Mapping[str, str]] = {
    "shortDatePattern": "%Y-%m-%d",
    "longDatePattern": "%A, %d %B %Y",
    "shortTimePattern": "%H:%M",
    "longTimePattern": "%H:%M:%S",
    "fullDateTimePattern": "%A, %d %B %Y, %H:%M:%S",
    "sortableDateTimePattern": "%Y-%m-%dT%H:%M:%S",
    "universalSortableDateTimePattern": "%Y-%m-%d %H:%M:%SZ",
    "monthDayPattern": "%d %B",
    "yearMonthPattern": "%B %Y",
}
KNOWN_DATES: Final = frozenset(_PATTERNS)


def number(value: Any) -> float | None:
    """Give a cell's number: numbers, durations (milliseconds) and texts that are one; None for what is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, timedelta):
        return value.total_seconds() * 1000
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def format_number(value: Any, how: NumberFormat | None = None) -> tuple[str, str]:
    """Give a number as (digits, unit symbol); the unit scales as the portal's does. Not a number: its text, no unit."""
    how = how or NumberFormat()
    found = number(value)
    if found is None:
        return (how.empty_text if value in (None, "") else str(value)), ""
    if how.unit in _SECONDS:
        return _duration(found * _SECONDS[how.unit], how)
    if how.unit in _SCALED:
        return _scaled(found, how)
    if how.unit == 1 or how.style == "percent":
        shown = found * 100 if how.style == "percent" and how.unit != 1 else found
        return digits(shown, how), "%"
    suffix = how.currency if how.style == "currency" else _WORDS.get(how.unit, "")
    return digits(found, how), suffix


def with_unit(parts: tuple[str, str]) -> str:
    """Give a number and its unit as one text."""
    figure, unit = parts
    if not unit:
        return figure
    return f"{figure}{unit}" if unit in {"%", "K", "M", "B", "T"} else f"{figure}{THIN}{unit}"


def digits(value: float, how: NumberFormat) -> str:
    """Give the digits of a number: grouped by thousands, at most 2 decimals unless the format says otherwise."""
    if not math.isfinite(value):
        return str(value)  # in its unit it is more than a number can be
    exact = Decimal(repr(value))
    if how.maximum_significant_digits:
        exact = Context(_within(how.maximum_significant_digits, 1, _MOST_WHOLE), ROUND_HALF_UP).plus(exact)
    lowest = _within(how.minimum_fraction_digits, 0, _MOST_FRACTION)
    highest = max(2, lowest)
    if how.maximum_fraction_digits is not None:
        highest = _within(how.maximum_fraction_digits, 0, _MOST_FRACTION)
    if how.maximum_significant_digits is None or how.maximum_fraction_digits is not None:
        exact = exact.quantize(Decimal(1).scaleb(-max(highest, lowest)), ROUND_HALF_UP, _WIDE)
    whole, _, fraction = f"{exact:f}".lstrip("-").partition(".")
    fraction = fraction.rstrip("0").ljust(lowest, "0")
    whole = whole.rjust(_within(how.minimum_integer_digits, 1, _MOST_WHOLE), "0")
    grouped = f"{int(whole):,}".rjust(len(whole), "0") if how.use_grouping and whole[0] != "0" else whole
    sign = "-" if exact < 0 and (int(whole) or fraction.strip("0")) else ""
    return f"{sign}{grouped}.{fraction}" if fraction else f"{sign}{grouped}"


def _within(asked: int | None, lowest: int, highest: int) -> int:
    return min(max(asked or 0, lowest), highest)


def _scaled(value: float, how: NumberFormat) -> tuple[str, str]:
    scale, factor, suffix = _SCALED[how.unit]
    size, symbol = value * factor, scale.steps[0][0]
    for name, step in scale.steps[1:]:
        if abs(size) < step:
            break
        size, symbol = size / step, name
    return digits(size, how), f"{symbol}{suffix}"


def best_unit(unit: int, highest: float) -> tuple[float, str] | None:
    """Give the unit that suits durations up to `highest` of a unit number: what they are multiplied by, and its symbol.

    None for what is no duration.
    """
    if unit not in _SECONDS:
        return None
    name, scale = _time_unit(highest * _SECONDS[unit]) if highest else _own_unit(unit)
    return _SECONDS[unit] / scale, name


def _own_unit(unit: int) -> tuple[str, float]:
    return next(((name, scale) for name, scale in _TIME if scale == _SECONDS[unit]), ("s", 1.0))


def _time_unit(seconds: float) -> tuple[str, float]:
    return next((step for step in reversed(_TIME) if abs(seconds) >= step[1] * (1 - 1e-9)), _TIME[0])


def _duration(seconds: float, how: NumberFormat) -> tuple[str, str]:
    if seconds == 0:
        return "0", _own_unit(how.unit)[0]
    name, scale = _time_unit(seconds)
    return digits(seconds / scale, how), name


def duration_text(value: timedelta) -> str:
    """Give a length of time by its two largest units: 3 d 4 h, 12 min 5 s, 480 ms."""
    seconds = abs(value.total_seconds())
    sign = "-" if value < timedelta(0) else ""
    if seconds < 1:
        return f"{sign}{round(seconds * 1000)}{THIN}ms"
    parts: list[str] = []
    left = round(seconds)
    for name, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count}{THIN}{name}" if count else "")
    return sign + " ".join(part for part in parts[:2] if part)


def format_time(value: Any, how: DateFormat | None = None, local: tzinfo = UTC) -> str:
    """Give a time by the portal's pattern, in UTC or in `local`; UTC is always said. Not a time: its text."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return str(value)
    if not isinstance(value, datetime):
        return EMPTY if value is None else str(value)
    zone = UTC if how and how.utc else local
    moment = (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(zone)
    pattern = _PATTERNS.get(how.name if how else "", "%Y-%m-%d %H:%M:%S")
    unsaid = zone is not UTC or pattern.endswith("Z") or "%H" not in pattern
    written: str = moment.strftime(pattern)
    return written if unsaid else f"{written} UTC"
