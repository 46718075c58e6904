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
import pyarrow as pa
import pyarrow.compute as pc

from core import events

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kql.engine import ResultTable

COLUMNS: Final = tuple(column.name for column in events.COLUMNS)
LEAN: Final = (
    "TimeGenerated", "EventTime", "EventId", "Component", "EventType", "Severity", "SourceEventId", "ContainerGroupId",
    "ContainerGroup", "ResourceGroup", "Fqdn", "ForwardZone", "ReverseZone", "OldIp", "NewIp", "LiveIp", "DriftKinds",
    "Verdict", "Vantage", "ArmCalls", "DurationMs", "LagMs", "ErrorCode",
)  # fmt: skip
"""What most figures need: a third of the memory of all columns."""
_TYPES: Final = {column.name: column.type for column in events.COLUMNS}
_ARROW: Final = {
    "datetime": pa.timestamp("us"), "int": pa.int32(), "long": pa.int64(), "real": pa.float64(), "boolean": pa.bool_(),
}  # fmt: skip
_NUMBERS: Final = {pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype()}
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


def encoded(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Give a batch of stored rows in its lasting form: texts as dictionaries, and copied from where they came from.

    (A batch's columns share one owner: a single number that is kept would keep all of its texts.)
    """
    arrays = [_lasting(name, array) for name, array in zip(batch.schema.names, batch.columns, strict=True)]
    return pa.record_batch(arrays, names=batch.schema.names)


def _lasting(name: str, array: pa.Array) -> pa.Array:
    if name == "EventId" or not pa.types.is_string(array.type):
        return pa.concat_arrays([array, array.slice(0, 0)])
    return pc.dictionary_encode(array.fill_null("") if array.null_count else array)


def schema_of(columns: Sequence[str]) -> pa.Schema:
    """Give the Arrow schema of encoded rows."""
    text = pa.dictionary(pa.int32(), pa.string())
    kinds = {name: pa.string() if name == "EventId" else _ARROW.get(_TYPES[name], text) for name in columns}
    return pa.schema(list(kinds.items()))


def of_batches(batches: Sequence[pa.RecordBatch], columns: Sequence[str]) -> pd.DataFrame:
    """Give encoded batches as one frame, ordered by TimeGenerated. The batches are used up."""
    table = pa.Table.from_batches(batches, schema_of(columns)).unify_dictionaries()
    frame: pd.DataFrame = table.to_pandas(types_mapper=_NUMBERS.get, self_destruct=True, split_blocks=True)
    del table
    for name in columns:
        if _TYPES[name] == "datetime":
            frame[name] = frame[name].astype("datetime64[us]").dt.tz_localize("UTC")
    if not frame["TimeGenerated"].is_monotonic_increasing:
        frame = frame.sort_values("TimeGenerated", kind="stable", ignore_index=True)
    return frame


def empty(columns: Iterable[str] | None = None) -> pd.DataFrame:
    """Give a frame of events that has no rows."""
    return of_batches([], checked(columns))


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
