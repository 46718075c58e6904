"""Lengths of time as rules and tests write them: ISO 8601 as ARM does, and `-5m` as a person does."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_ISO: Final = re.compile(
    r"P(?:(?P<days>\d{1,4})D)?(?:T(?:(?P<hours>\d{1,4})H)?(?:(?P<minutes>\d{1,5})M)?(?:(?P<seconds>\d{1,6})S)?)?",
    re.ASCII,
)
_SHORT: Final = re.compile(r"(?P<sign>[+-]?)(?P<parts>(?:\d{1,6}(?:ms|[smhd]))+)", re.ASCII)
_PART: Final = re.compile(r"(\d+)(ms|[smhd])", re.ASCII)
_UNITS: Final = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SERIES: Final = re.compile(r"every\s+(\S+)\s+from\s+(\S+)\s+to\s+(\S+)", re.ASCII)


def from_iso(text: str) -> timedelta:
    """Read an ISO 8601 duration of days, hours, minutes and seconds (PT5M, P1D). Raises ValueError."""
    found = _ISO.fullmatch(text)
    parts = {unit: int(number) for unit, number in found.groupdict().items() if number} if found else {}
    if not parts or text.endswith("T"):
        raise ValueError(f"{text!r} is not a duration such as PT5M, PT1H or P1D (ISO 8601)")
    return timedelta(**parts)


def to_iso(span: timedelta) -> str:
    """Write a duration as ARM does: P1D, PT1H30M."""
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    time = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if number)
    return (
        "P" + (f"{days}D" if days else "") + (f"T{time}" if time or not days else "") + ("" if time or days else "0S")
    )


def from_short(text: str) -> timedelta:
    """Read a signed length of time such as -5m, 1h30m, 90s or 0m. Raises ValueError."""
    found = _SHORT.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not a length of time such as -5m, 1h30m, 90s or 0m")
    parts = [timedelta(**{_UNITS[unit]: int(number)}) for number, unit in _PART.findall(found["parts"])]
    return sum(parts, timedelta()) * (-1 if found["sign"] == "-" else 1)


def to_short(span: timedelta) -> str:
    """Write a signed length of time as a test does: -5m, 1h30m, 0m."""
    sign, rest = ("-" if span < timedelta() else ""), abs(span)
    shown = []
    for unit in ("d", "h", "m", "s", "ms"):
        number, rest = divmod(rest, timedelta(**{_UNITS[unit]: 1}))
        if number:
            shown.append(f"{number}{unit}")
    return sign + "".join(shown) if shown else "0m"


def instant(text: str, zero: datetime) -> datetime:
    """Read an instant: relative to `zero` (-5m), or a full ISO 8601 time with its zone. Raises ValueError."""
    if "T" in text or "-" in text[1:]:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError(f"{text!r} needs a time zone, for example a Z at its end")
        return moment.astimezone(UTC)
    return zero + from_short(text)


def instants(text: str, zero: datetime) -> list[datetime]:
    """Read one instant, or a series of them: `every 5m from -2h to 0m`, both ends included. Raises ValueError."""
    found = _SERIES.fullmatch(text.strip())
    if not found:
        return [instant(text.strip(), zero)]
    step, first, last = from_short(found[1]), instant(found[2], zero), instant(found[3], zero)
    if step <= timedelta() or last < first:
        raise ValueError(f"{text!r} must go forwards: every 5m from -2h to 0m")
    return [first + step * number for number in range((last - first) // step + 1)]
