"""A result as CSV that a spreadsheet cannot mistake for a formula."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from kql.engine import ResultTable

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def to_csv(table: ResultTable) -> str:
    """Give a result as CSV with a header: times in ISO 8601, durations in seconds, structures as JSON.

    A text that a spreadsheet would run as a formula begins with an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_safe(column.name) for column in table.columns])
    writer.writerows([_cell(value) for value in row] for row in table.rows)
    return out.getvalue()


def _cell(value: Any) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return value.total_seconds()
    return _safe(json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict) else str(value))


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
