"""Reads events from Parquet files of our own layout: texts stay the numbers that they are in the file.

The general way, through DuckDB, writes each text out and hashes it again: four times the processor time. What this
takes is what it would give; files that need more than reading (other types, missing columns) go the general way.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kql import tables
from kql.data import FILE_ROWS
from notebooks import frames
from notebooks.gathered import ORDER, Gathered, kept

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray

BATCH: Final = 150_000
"""Rows that are read at once, when a file has them in smaller groups."""
_TIMES: Final = (tables.VISIBLE, tables.RECEIVED)
_TYPES: Final = {"int": pa.int32(), "long": pa.int64()}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows: of a time (from, to), visible at `now` (None: all are), of some components, and without some ids."""

    columns: Sequence[str]
    span: tuple[datetime, datetime] | None = None
    now: datetime | None = None
    components: Sequence[str] = ()
    without: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))


def is_plain(files: Sequence[Path], columns: Sequence[str]) -> bool:
    """Tell whether every file has every column as we would write it, and can be read as it lies."""
    kinds = frames.kinds({*columns, "Component"})
    return all(_fits(pq.read_schema(file), kinds) for file in files)


def _fits(schema: pa.Schema, kinds: dict[str, str]) -> bool:
    known = {name: schema.field(name).type for name in schema.names}
    times = [name for name in _TIMES if name in known]
    return (
        len(known) == len(schema.names)
        and all(name in known and _is(known[name], kind) for name, kind in kinds.items())
        and all(_is(known[name], "datetime") for name in times)
    )


def _is(found: pa.DataType, kind: str) -> bool:
    if kind == "datetime":
        return bool(pa.types.is_timestamp(found)) and found.tz in {None, "UTC"}
    return found == _TYPES[kind] if kind in _TYPES else found == pa.string() or _is_json(found)


def _is_json(found: pa.DataType) -> bool:
    return isinstance(found, pa.BaseExtensionType) and found.extension_name == "arrow.json"


def gather(files: Sequence[Path], wanted: Wanted) -> Gathered:
    """Give the rows of the files that are wanted; see `is_plain`."""
    kinds = frames.kinds(wanted.columns)
    found = Gathered(kinds)
    texts = [name for name, kind in frames.kinds({*wanted.columns, "Component"}).items() if kind == "text"]
    for number, file in enumerate(files):
        with pq.ParquetFile(file, read_dictionary=texts, memory_map=True) as source:
            for groups, at in _runs(source, wanted):
                found.add(kept(_read(source, groups, number * FILE_ROWS + at, wanted), kinds))
    return found


def _runs(source: pq.ParquetFile, wanted: Wanted) -> Iterator[tuple[list[int], int]]:
    """Give row groups that are read at once, one after the other in the file, and the place of their first row."""
    run: list[int] = []
    at = rows = 0
    for group in range(source.num_row_groups):
        size = source.metadata.row_group(group).num_rows
        outside = _is_outside(source, group, wanted)
        if run and (outside or rows + size > BATCH):
            yield run, at - rows
            run, rows = [], 0
        if not outside:
            run.append(group)
            rows += size
        at += size
    if run:
        yield run, at - rows


def _is_outside(source: pq.ParquetFile, group: int, wanted: Wanted) -> bool:
    """Tell by the file's own statistics that no row of a group lies in the wanted time."""
    if not source.metadata.row_group(group).num_rows:
        return True
    if wanted.span is None:
        return False
    place = source.schema_arrow.get_field_index(ORDER)
    told = source.metadata.row_group(group).column(place).statistics
    if told is None or not told.has_min_max:
        return False
    first, last = (np.datetime64(_bare(each), "us") for each in (told.min, told.max))
    start, end = map(_instant, wanted.span)
    return bool(last < start or first > end)


def _read(source: pq.ParquetFile, groups: list[int], at: int, wanted: Wanted) -> pa.RecordBatch:
    names = dict.fromkeys([*wanted.columns, *(["Component"] if wanted.components else [])])
    times = [name for name in _TIMES if wanted.now is not None and name in source.schema_arrow.names][:1]
    # One thread: several fault in one another's memory, and take longer together than one alone.
    table = source.read_row_groups(groups, columns=[*names, *times], use_threads=False)
    batch = pa.record_batch([_plain(table.column(name), name) for name in table.column_names], table.column_names)
    inside = _inside(batch, at, times, wanted)
    chosen = batch.select(list(wanted.columns))
    return chosen if inside.all() else _without_unused(chosen.filter(pa.array(inside)))


def _plain(column: pa.ChunkedArray, name: str) -> pa.Array:
    array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    array = array.storage if isinstance(array, pa.ExtensionArray) else array
    if not frames.is_dynamic(name):
        return array
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    values = encoded.dictionary.to_pylist()
    told = [_json(value) for value in values]
    same = told == values
    return encoded if same else pa.DictionaryArray.from_arrays(encoded.indices, pa.array(told, pa.string()))


def _json(text: str) -> str:
    """Give a dynamic value as JSON: in Kusto text that is no JSON is a value too, that text. Empty is none."""
    try:
        json.loads(text)
    except ValueError:
        return json.dumps(text, ensure_ascii=False) if text else ""
    return text


def _inside(batch: pa.RecordBatch, at: int, times: Sequence[str], wanted: Wanted) -> NDArray[np.bool_]:
    inside = np.ones(batch.num_rows, dtype=bool)
    happened = _instants(batch.column(ORDER))
    if wanted.span is not None:
        start, end = map(_instant, wanted.span)
        inside &= (happened >= start) & (happened <= end)
    if wanted.now is not None:
        visible = _instants(batch.column(times[0])) if times else happened
        inside &= np.where(np.isnat(visible), happened, visible) <= _instant(wanted.now)
    if wanted.components:
        inside &= np.asarray(pc.is_in(batch.column("Component"), pa.array(wanted.components, pa.string())))
    first, last = np.searchsorted(wanted.without, [at, at + batch.num_rows])
    inside[wanted.without[first:last] - at] = False
    return inside


def _without_unused(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Leave out of the dictionaries the values of rows that are gone."""
    columns = [_used(column) if pa.types.is_dictionary(column.type) else column for column in batch.columns]
    return pa.record_batch(columns, batch.schema.names)


def _used(column: pa.DictionaryArray) -> pa.DictionaryArray:
    size = len(column.dictionary)
    numbers = column.indices.fill_null(size).to_numpy()
    used = np.bincount(numbers, minlength=size + 1)[:size] > 0
    if used.all():
        return column
    places = pa.array(np.append(np.cumsum(used) - 1, 0)[numbers], pa.int32(), mask=numbers == size)
    return pa.DictionaryArray.from_arrays(places, column.dictionary.filter(pa.array(used)))


def _instants(column: pa.Array) -> Any:
    return column.to_numpy(zero_copy_only=False).astype("datetime64[us]")


def _instant(moment: datetime) -> np.datetime64:
    return np.datetime64(_bare(moment), "us")


def _bare(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
