"""What becomes of one uploaded row: the data collection rule's stream declaration is applied to it. Pure.

Documented by Microsoft: properties that the stream does not declare are dropped; a value above 64 KB is cut; a
TimeGenerated more than 2 days old or more than a day ahead is replaced by the time at which the row was received.
Inferred, for neither documentation nor a recording shows it: a value that can be read as the declared type is taken in
Kusto's manner (the text "5" is the int 5, the number 5 is the string "5"), any other becomes null; a missing
TimeGenerated is the time of receipt; a dynamic value above 64 KB becomes text and is cut.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from core.events import ColumnType

FIELD_BYTES: Final = 64 * 1024
OLDEST: Final = timedelta(days=2)
NEWEST: Final = timedelta(days=1)


_NUMBER: Final = re.compile(r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?", re.IGNORECASE | re.ASCII)


def conform(row: Mapping[str, Any], columns: Sequence[tuple[str, ColumnType]], received: datetime) -> dict[str, Any]:
    """Give the row as the table gets it: declared columns only, values of their types, datetimes as UTC text."""
    conformed: dict[str, Any] = {}
    for name, kind in columns:
        value = row.get(name)
        if value is not None:
            value = _READERS[kind](value)
        if value is not None:
            conformed[name] = value
    conformed["TimeGenerated"] = _stamp(_generated(conformed.get("TimeGenerated"), received))
    return conformed


def _generated(stamp: str | None, received: datetime) -> datetime:
    if stamp is None:
        return received
    time = datetime.fromisoformat(stamp).replace(tzinfo=UTC)
    return time if received - OLDEST <= time <= received + NEWEST else received


def _text(value: Any) -> str:
    if isinstance(value, str):
        return _cut(value)
    return _cut(json.dumps(value, separators=(",", ":"), ensure_ascii=False))


def _cut(text: str) -> str:
    # 64 KB is counted in UTF-8 and no character is torn. The quick test spares most strings the encoding.
    if len(text) * 4 <= FIELD_BYTES:
        return text
    encoded = text.encode("utf-8", "replace")
    return text if len(encoded) <= FIELD_BYTES else encoded[:FIELD_BYTES].decode("utf-8", "ignore")


def _integer(bits: int) -> Callable[[Any], int | None]:
    def read(value: Any) -> int | None:
        number = _number(value)
        if number is None or number != int(number) or not -(2**bits) <= number < 2**bits:
            return None
        return int(number)

    return read


def _number(value: Any) -> int | float | None:
    """Read a finite number, from text too; integers stay exact."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value.strip()):
            return None
        try:
            return int(value)
        except ValueError:
            value = float(value)
    if isinstance(value, int):
        return value
    return value if isinstance(value, float) and math.isfinite(value) else None


def _real(value: Any) -> float | None:
    number = _number(value)
    try:
        return None if number is None else float(number)
    except OverflowError:
        return None


def _boolean(value: Any) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return value if isinstance(value, bool) else None


def _datetime(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
        return _stamp(time if time.tzinfo else time.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def _dynamic(value: Any) -> Any:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return value if len(text) * 4 <= FIELD_BYTES or len(text.encode("utf-8", "replace")) <= FIELD_BYTES else _cut(text)


_READERS: Final[Mapping[ColumnType, Callable[[Any], Any]]] = {
    "string": _text,
    "int": _integer(31),
    "long": _integer(63),
    "real": _real,
    "boolean": _boolean,
    "datetime": _datetime,
    "dynamic": _dynamic,
}
