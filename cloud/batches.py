"""Rows cut to what one upload may be: pure, measured on the very bytes that are sent.

The SDK's own splitting forgets the separators and lets one large row pass unsplit, and the service refuses both (413).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

MAX_UPLOAD_BYTES: Final = 1_000_000
"""What the service takes in one call, before compression; read as decimal to be on the safe side."""
TARGET_BYTES: Final = 900_000
MAX_FIELD_BYTES: Final = 65_536
"""Azure cuts a longer field by itself, and silently."""
_SMALLEST_FIELD_BYTES: Final = 64
_SEPARATOR: Final = len(", ")
_BRACKETS: Final = len("[]")

Row = Mapping[str, Any]


def encoded_size(row: Row) -> int:
    """Give a row's size in a JSON array as the SDK writes it: ASCII, so bytes are characters."""
    return len(json.dumps(row))


def split(rows: Sequence[Row], target_bytes: int = TARGET_BYTES) -> Iterator[list[Row]]:
    """Cut into arrays of at most `target_bytes`, in order. A row larger than that comes alone: `fit` it first."""
    batch: list[Row] = []
    size = _BRACKETS
    for row in rows:
        more = encoded_size(row) + (_SEPARATOR if batch else 0)
        if batch and size + more > target_bytes:
            yield batch
            batch, size = [], _BRACKETS
            more -= _SEPARATOR
        batch.append(row)
        size += more
    if batch:
        yield batch


def fit(row: Row, limit_bytes: int = TARGET_BYTES) -> dict[str, Any]:
    """Cut the fields that are too long, then the longest ones until the row fits; each cut field says how much is gone.

    Values that are not JSON's (a datetime, say) become text. Raises ValueError when no cutting makes it fit.
    """
    whole: dict[str, Any] = json.loads(json.dumps(row, default=str))
    field_bytes = MAX_FIELD_BYTES
    fitted = {name: _cut(value, field_bytes) for name, value in whole.items()}
    while encoded_size(fitted) + _BRACKETS > limit_bytes:
        field_bytes //= 2
        if field_bytes < _SMALLEST_FIELD_BYTES:
            raise ValueError(f"a row of {len(fitted)} fields does not fit into {limit_bytes} bytes")
        fitted = {name: _cut(value, field_bytes) for name, value in whole.items()}
    return fitted


def _cut(value: Any, limit_bytes: int) -> Any:
    """Cut text; an array or object that is too long becomes an object that holds the beginning of its JSON text."""
    if isinstance(value, str):
        return _cut_text(value, limit_bytes)
    if isinstance(value, dict | list):
        text = json.dumps(value)
        if len(text) > limit_bytes:
            # Quotes of JSON within JSON are escaped: half the limit leaves room for that.
            return {"truncated": _cut_text(text, limit_bytes // 2)}
    return value


def _cut_text(text: str, limit_bytes: int) -> str:
    raw = text.encode("utf-8", "replace")
    if len(raw) <= limit_bytes:
        return text
    mark = f"…[{len(raw)} bytes, truncated]"
    room = max(0, limit_bytes - len(mark.encode()))
    return raw[:room].decode("utf-8", "ignore") + mark
