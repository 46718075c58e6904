"""The query API's `timespan`: an ISO 8601 duration or interval. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kql.engine import Timespan

# As .NET reads them: a year is 365 days, a month 30. The SDKs send everything as seconds (PT3600.0S).
_DAYS: Final = {"Y": 365, "M": 30, "W": 7, "D": 1}
_SECONDS: Final = {"H": 3600, "M": 60, "S": 1}
_DURATION: Final = re.compile(
    r"P(?=.)(?P<date>(?:\d+(?:\.\d+)?[YMWD])*)(?:T(?P<time>(?:\d+(?:\.\d+)?[HMS])+))?", re.IGNORECASE
)
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)([A-Z])")


def parse(text: str) -> Timespan:
    """Read `PT3600.0S`, `start/end`, `start/duration` or `duration/end`. Raises ValueError."""
    parts = [part.strip() for part in text.split("/")]
    if len(parts) == 1:
        return _duration(parts[0])
    if len(parts) != 2:  # noqa: PLR2004 - an interval has two ends
        raise ValueError(f"{text!r} is neither an ISO 8601 duration nor an interval")
    first, second = parts
    if first[:1] in "Pp":
        end = _instant(second)
        return end - _duration(first), end
    start = _instant(first)
    return start, start + _duration(second) if second[:1] in "Pp" else _instant(second)


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not an ISO 8601 duration such as PT1H or P1D")
    try:
        days = _sum(match["date"], _DAYS)
        return timedelta(days=days, seconds=_sum(match["time"], _SECONDS))
    except OverflowError:
        raise ValueError(f"{text!r} is longer than a time span can be") from None


def _sum(text: str | None, units: dict[str, int]) -> float:
    return sum(float(number) * units[unit] for number, unit in _PART.findall((text or "").upper()))


def _instant(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an ISO 8601 date and time") from None
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
