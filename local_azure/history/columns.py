"""Rows as Arrow tables, in the layout in which kql/tables.py stores them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from kql import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from local_azure.history.arrival import Arrived

_TYPES: Final[Mapping[str, pa.DataType]] = {
    "datetime": pa.timestamp("us"),
    "string": pa.string(),
    "int": pa.int32(),
    "long": pa.int64(),
    "real": pa.float64(),
    "boolean": pa.bool_(),
    "dynamic": pa.string(),
}


def schema_of(table: tables.Table) -> pa.Schema:
    """Give the Arrow schema of a table's storage; `dynamic` is JSON text."""
    return pa.schema([pa.field(name, _TYPES[kind]) for name, kind in _kinds(table)])


def _kinds(table: tables.Table) -> tuple[tuple[str, str], ...]:
    mark = ((tables.REPEATS, "boolean"),) if table is tables.EVENTS else ()
    return (*table.columns, (tables.VISIBLE, "datetime"), *mark)


SCHEMA: Final = schema_of(tables.EVENTS)


def storage_table(rows: Sequence[Mapping[str, Any]], table: tables.Table = tables.EVENTS) -> pa.Table:
    """Make a table of rows as they are uploaded; an absent string is empty, anything else absent is null.

    Nothing is known of rows with the same EventId (tables.REPEATS).
    """
    told = [{tables.REPEATS: True, **row} for row in rows] if table is tables.EVENTS else rows
    columns = [
        pa.array([_value(row.get(name), kind) for row in told], type=_TYPES[kind]) for name, kind in _kinds(table)
    ]
    return pa.table(columns, schema=schema_of(table))


def arrived_table(arrived: Iterable[Arrived], table: tables.Table = tables.EVENTS) -> pa.Table:
    """Make a table of rows that arrived, with the times of their arrival."""
    rows = [{**each.row, tables.RECEIVED: each.received, tables.VISIBLE: each.visible} for each in arrived]
    return storage_table(rows, table)


def _value(value: Any, kind: str) -> Any:
    if value is None:
        return "" if kind == "string" else None
    if kind == "datetime":
        time = datetime.fromisoformat(value) if isinstance(value, str) else value
        return time.astimezone(UTC).replace(tzinfo=None)
    if kind == "dynamic":
        return json.dumps(value, ensure_ascii=False)
    return value
