"""What a time range is as text: in KQL, for people, and in an address."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from workbooks.model import TimeRange

_MINUTE: Final = 60_000
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_MAX_MS: Final = 100 * 366 * _DAY
_GRAINS: Final = (
    (30 * _MINUTE, _MINUTE),
    (4 * _HOUR, 5 * _MINUTE),
    (12 * _HOUR, 15 * _MINUTE),
    (_DAY, 30 * _MINUTE),
    (3 * _DAY, _HOUR),
    (7 * _DAY, 6 * _HOUR),
    (14 * _DAY, 12 * _HOUR),
)
"""(up to this duration, one point for so much time); longer ranges have one for each day."""
_UNITS: Final = ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "m"), (1000, "s"), (1, "ms"))
_DURATION: Final = re.compile(r"(\d{1,15})(d|h|m|s|ms)?")


def bounds(time: TimeRange, now: datetime) -> tuple[datetime, datetime]:
    """Give the first and last instant."""
    end = time.end or now
    try:
        return time.start or end - timedelta(milliseconds=time.duration_ms), end
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC), end


def is_relative(time: TimeRange) -> bool:
    """Say whether the range moves with the clock."""
    return time.start is None and time.end is None


def duration_ms(time: TimeRange) -> int:
    """Give the length in milliseconds."""
    if time.start and time.end:
        return max(0, round((time.end - time.start).total_seconds() * 1000))
    return time.duration_ms


def kql_duration(milliseconds: int) -> str:
    """Write a duration as a KQL literal, in the largest unit that it is a multiple of."""
    for size, unit in _UNITS:
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return "0s"


def kql_instant(instant: datetime) -> str:
    """Write an instant as a KQL literal."""
    return f"datetime({iso(instant)})"


def iso(instant: datetime) -> str:
    """Write an instant in ISO 8601, in UTC, with milliseconds."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_duration(milliseconds: int) -> str:
    """Write a duration in ISO 8601."""
    days, rest = divmod(milliseconds, _DAY)
    hours, rest = divmod(rest, _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    amounts = ((f"{hours}", "H"), (f"{minutes}", "M"), (f"{rest / 1000:g}", "S"))
    clock = "".join(f"{amount}{unit}" for amount, unit in amounts if amount != "0")
    if not days and not clock:
        return "PT0S"
    return "P" + (f"{days}D" if days else "") + (f"T{clock}" if clock else "")


def grain(time: TimeRange) -> str:
    """Choose a bin for a chart over this range, as a KQL literal: some 30 to 60 points."""
    return kql_duration(grain_ms(duration_ms(time)))


def grain_ms(length: float) -> int:
    """Give the bin for a range of this length; both in milliseconds."""
    return next((size for limit, size in _GRAINS if length <= limit), _DAY)


def label(time: TimeRange, now: datetime) -> str:
    """Say the range as a person does: "Last 24 hours"."""
    if not is_relative(time):
        start, end = bounds(time, now)
        return f"{start.astimezone(UTC):%Y-%m-%d %H:%M} to {end.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if time.duration_ms == 0:
        return "Set in query"
    for size, unit in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"), (1000, "second")):
        count, rest = divmod(time.duration_ms, size)
        # The portal says 24 and 48 hours rather than 1 and 2 days.
        if rest == 0 and count and not (unit == "day" and count <= 2):  # noqa: PLR2004 - see above
            return f"Last {unit}" if count == 1 else f"Last {count} {unit}s"
    return f"Last {time.duration_ms} milliseconds"


def kql_filter(time: TimeRange, now: datetime) -> str:
    """Write the range as what follows a column in a `where`: `> ago(1d)`."""
    if is_relative(time):
        return f"> ago({kql_duration(time.duration_ms)})"
    start, end = bounds(time, now)
    return f"between ({kql_instant(start)} .. {kql_instant(end)})"


def to_text(time: TimeRange) -> str:
    """Write a range for an address: `1d`, or `2026-01-01T00:00:00.000Z/2026-01-02T00:00:00.000Z`."""
    if is_relative(time):
        return kql_duration(time.duration_ms)
    start, end = bounds(time, datetime.now(UTC) if time.end is None else time.end)
    return f"{iso(start)}/{iso(end)}"


def from_text(text: str) -> TimeRange | None:
    """Read what `to_text` writes (milliseconds without a unit count as well); None when it is something else."""
    duration = _DURATION.fullmatch(text.strip())
    if duration:
        size = next((size for size, unit in _UNITS if unit == (duration[2] or "ms")), 1)
        milliseconds = int(duration[1]) * size
        return TimeRange(milliseconds) if 0 < milliseconds <= _MAX_MS else None
    first, slash, last = text.strip().partition("/")
    try:
        start, end = datetime.fromisoformat(first), datetime.fromisoformat(last)
        if not slash or not start.tzinfo or not end.tzinfo or start >= end:
            return None
        return TimeRange(round((end - start).total_seconds() * 1000), start.astimezone(UTC), end.astimezone(UTC))
    except (ValueError, OverflowError):
        return None
