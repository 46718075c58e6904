"""How events look in pandas: the type of each column, and how rows of files and answers of queries become them. Pure.

`datetime` is datetime64[us, UTC], `int` Int32, `long` Int64 (null is <NA>), EventId a str, every other `string` a
category (empty where there is none, never null), `dynamic` a category of JSON text (empty where there is none): a
fleet's events repeat the same few thousand texts, and ten million of them fit in two gigabytes.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from core import events
from notebooks import gathered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kql.engine import ResultTable

COLUMNS: Final = tuple(column.name for column in events.COLUMNS)
LEAN: Final = (
    "TimeGenerated", "EventTime", "EventId", "Component", "EventType", "Severity", "SourceEventId", "ContainerGroupId",
    "ContainerGroup", "ResourceGroup", "Fqdn", "ForwardZone", "ReverseZone", "OldIp", "NewIp", "LiveIp", "DriftKinds",
    "Verdict", "Vantage", "ArmCalls", "DurationMs", "LagMs", "ErrorCode",
)  # fmt: skip
"""What most figures need: a third of the memory of all columns."""
_TYPES: Final = {column.name: column.type for column in events.COLUMNS}
_KUSTO: Final = {
    "datetime": "datetime64[us, UTC]", "timespan": "timedelta64[us]", "long": "Int64", "int": "Int32", "real":
    "float64", "bool": "boolean", "string": "str", "guid": "str", "dynamic": "object", "decimal": "object",
}  # fmt: skip


def checked(columns: Iterable[str] | None) -> list[str]:
    """Give the columns in the table's order, all without a choice; EventId and the times are always there.

    Raises ValueError for one that the table does not have.
    """
    wanted = set(COLUMNS if columns is None else columns)
    unknown = wanted - set(COLUMNS)
    if unknown:
        raise ValueError(f"the event table has no column {', '.join(sorted(unknown))}; it has {', '.join(COLUMNS)}")
    return [name for name in COLUMNS if name in wanted or name in {"TimeGenerated", "EventTime", "EventId"}]


def empty(columns: Iterable[str] | None = None) -> pd.DataFrame:
    """Give a frame of events that has no rows."""
    return gathered.Gathered(kinds(checked(columns))).frame()


def kinds(columns: Iterable[str]) -> dict[str, str]:
    """Give how each column is kept: `id` (a text of its own in each row), `text`, or its type."""
    texts = {"string": "text", "dynamic": "text"}
    return {name: "id" if name == "EventId" else texts.get(_TYPES[name], _TYPES[name]) for name in columns}


def is_dynamic(name: str) -> bool:
    """Tell whether a column's values are JSON."""
    return _TYPES[name] == "dynamic" if name in _TYPES else False


def of_result(table: ResultTable) -> pd.DataFrame:
    """Give a query's answer as a frame, typed; `attrs["partial"]` says why it is not whole, or None."""
    data = {
        column.name: pd.Series([row[index] for row in table.rows], dtype=_KUSTO[column.type])
        for index, column in enumerate(table.columns)
    }
    frame = pd.DataFrame(data, columns=[column.name for column in table.columns])
    cut = f"cut at {table.truncated_at} rows" if table.truncated_at is not None else None
    frame.attrs["partial"] = table.partial or cut
    return frame


@cache
def _parsed(text: str) -> Any:
    return json.loads(text) if text else None


def parsed(column: pd.Series[Any]) -> pd.Series[Any]:
    """Give a dynamic column's values as Python's (None where there is none); each different text is read once."""
    return column.astype("object").map(_parsed)


def time_of(frame: pd.DataFrame) -> pd.Series[Any]:
    """When each event happened: EventTime, which is never rewritten, or TimeGenerated where there is none."""
    return frame["EventTime"].fillna(frame["TimeGenerated"])
