"""Keeps what a workspace answered: a Parquet file for each stretch of time, so that a load goes on where it ended."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from core import events

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kql.chunks import Interval
    from kql.engine import ResultTable

SETTLED: Final = timedelta(days=2)
"""Azure keeps the TimeGenerated of rows that arrive up to two days late: a stretch fetched after that is final."""
RESUMABLE: Final = timedelta(hours=1)
"""What was fetched this lately is not fetched again although it is not final: a load that was broken off goes on."""
FETCHED: Final = b"drift.fetched_at"
_STAMP: Final = "%Y%m%dT%H%M%S.%fZ"
_ARROW: Final = {"datetime": pa.timestamp("us"), "int": pa.int32(), "long": pa.int64()}
SCHEMA: Final = pa.schema([(column.name, _ARROW.get(column.type, pa.string())) for column in events.COLUMNS])
"""Rows as they are stored: times in UTC without a zone, dynamic values as JSON text."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One file: the rows from `start` on, before `end`, as they were at `fetched`."""

    path: Path
    start: datetime
    end: datetime
    fetched: datetime

    def is_good(self, now: datetime) -> bool:
        """Tell whether it need not be asked again."""
        return self.fetched - self.end >= SETTLED or now - self.fetched <= RESUMABLE


@dataclass(frozen=True, slots=True)
class ChunkStore:
    """A folder of them. It is made when the first is kept, for this user alone."""

    folder: Path

    def kept(self) -> list[Kept]:
        """Give what is there, in the order of time; what cannot be read (half a file, another's) does not count."""
        found = [_read(path) for path in sorted(self.folder.glob("*.parquet"))] if self.folder.is_dir() else []
        return sorted((each for each in found if each), key=lambda each: each.start)

    def keep(self, start: datetime, end: datetime, table: ResultTable, fetched: datetime) -> None:
        """Write one, atomically, in place of all that it overlaps."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / f"{_stamp(start)}_{_stamp(end)}.parquet"
        unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
        rows = rows_of(table).replace_schema_metadata({FETCHED: fetched.astimezone(UTC).isoformat().encode()})
        try:
            pq.write_table(rows, unfinished, compression="zstd")
            self._remove_between(start, end, but=path)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)

    def files_between(self, start: datetime, end: datetime) -> list[Path]:
        """Give the files that have rows of a range."""
        return [each.path for each in self.kept() if each.start < end and each.end > start]

    def done(self, now: datetime) -> list[Interval]:
        """Give the stretches that need not be asked again."""
        return [(each.start, each.end) for each in self.kept() if each.is_good(now)]

    def clear(self) -> None:
        """Forget everything."""
        for each in self.kept():
            each.path.unlink(missing_ok=True)

    def _remove_between(self, start: datetime, end: datetime, *, but: Path) -> None:
        for each in self.kept():
            if each.start < end and each.end > start and each.path != but:
                each.path.unlink(missing_ok=True)


def rows_of(table: ResultTable) -> pa.Table:
    """Give an answer's events as stored rows; a column that the answer does not have is null, or empty text."""
    places = {column.name: index for index, column in enumerate(table.columns)}
    return pa.table([_column(field, places, table) for field in SCHEMA], schema=SCHEMA)


_DYNAMIC: Final = frozenset(column.name for column in events.COLUMNS if column.type == "dynamic")


def _column(field: pa.Field, places: dict[str, int], table: ResultTable) -> pa.Array:
    if field.name not in places:
        values: Iterator[Any] = ("" if field.type == pa.string() else None for _ in table.rows)
        return pa.array(list(values), field.type)
    index = places[field.name]
    if field.name in _DYNAMIC:
        return pa.array([None if row[index] is None else _json(row[index]) for row in table.rows], pa.string())
    if pa.types.is_timestamp(field.type):
        return pa.array(
            [row[index] and row[index].astimezone(UTC).replace(tzinfo=None) for row in table.rows], field.type
        )
    return pa.array([row[index] for row in table.rows], field.type)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(_STAMP)


def _read(path: Path) -> Kept | None:
    try:
        first, last = (datetime.strptime(text, _STAMP).replace(tzinfo=UTC) for text in path.stem.split("_"))
        metadata = pq.read_schema(path).metadata or {}
        return Kept(path, first, last, datetime.fromisoformat(metadata[FETCHED].decode()))
    except (OSError, ValueError, KeyError, pa.ArrowInvalid):
        return None
