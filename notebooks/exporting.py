"""Writes events into one Parquet file that says what it is: schema, version, range; with names, or hashes of them."""

from __future__ import annotations

import json
import os
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from core import events
from kql.data import open_data
from kql.engine import bounds
from notebooks import loading
from notebooks.chunk_store import SCHEMA
from notebooks.source import last_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from kql.data import Paths
    from kql.engine import Timespan
    from notebooks.pseudonyms import Pseudonyms

FORMAT: Final = "1"
_LABELS: Final = ("SubscriptionId", "ResourceGroup", "ContainerGroup")
_IDS: Final = ("ContainerGroupId", "Vantage")
_DNS: Final = ("Fqdn", "ForwardZone", "ReverseZone", "PtrName", "PtrTarget")
_ADDRESSES: Final = ("OldIp", "NewIp", "LiveIp", "Resolver")
_OPAQUE: Final = ("EventId", "SourceEventId", "CorrelationId")
_TEXTS: Final = ("ErrorMessage",)
_DYNAMIC: Final = tuple(column.name for column in events.COLUMNS if column.type == "dynamic")
_AS_THEY_ARE: Final = ("Component", "EventType", "Severity", "Verdict", "Rcode", "ErrorCode", "ToolVersion")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. `start` and `end` are the range that was asked for, or that of the events without one."""

    rows: int
    start: datetime | None
    end: datetime | None


def export(  # noqa: PLR0913 - each is a choice of its own
    paths: Paths,
    out: Path,
    timespan: Timespan | None,
    *,
    now: datetime | None = None,
    hasher: Callable[[Iterator[str]], Pseudonyms] | None = None,
    source: str = "",
    tell: Callable[[int], None] | None = None,
) -> Exported:
    """Write the events of files, each fact once, to `out`: whole, or not at all.

    `hasher` makes the replacement of names from all names that there are; None leaves them. `source` is noted in the
    file, unless names are hashed. The file's metadata: see `metadata_of`. Raises DataError, and OSError when it
    cannot be written.
    """
    columns = [column.name for column in events.COLUMNS]
    with closing(open_data(paths)) as connection:
        moment = now or last_instant(connection)
        names = hasher(_names(connection)) if hasher else None
        span = bounds(timespan, moment)
        with _replaced(out) as unfinished, pq.ParquetWriter(unfinished, SCHEMA, compression="zstd") as writer:
            rows, first, last = 0, None, None
            for batch in loading.batches(connection, timespan, columns, moment):
                stored = hashed(batch, names) if names else batch
                writer.write_table(pa.Table.from_batches([stored]).cast(SCHEMA))
                rows += batch.num_rows
                first, last = _widened(first, last, batch.column("TimeGenerated").to_pylist())
                if tell:
                    tell(rows)
            done = Exported(rows, *(span or (first, last)))
            writer.add_key_value_metadata(metadata_of(done, names, source))
    return done


def metadata_of(done: Exported, names: Pseudonyms | None, source: str) -> dict[str, str]:
    """Give what the file says of itself, by key; `drift.schema` is a JSON list of name, type and meaning."""
    schema = [{"name": each.name, "type": each.type, "description": each.description} for each in events.COLUMNS]
    found = {
        "drift.format": FORMAT,
        "drift.table": events.TABLE,
        "drift.schema": json.dumps(schema),
        "drift.tool_version": events.TOOL_VERSION,
        "drift.rows": str(done.rows),
        "drift.names": "hashed" if names else "plain",
        "drift.start": done.start.isoformat() if done.start else "",
        "drift.end": done.end.isoformat() if done.end else "",
    }
    return found | ({"drift.key_fingerprint": names.fingerprint} if names else {"drift.source": source})


def hashed(batch: pa.RecordBatch, names: Pseudonyms) -> pa.RecordBatch:
    """Give a batch with its names replaced. A column of which it is not known whether it has names is a KeyError."""
    change: dict[str, Callable[[str], str]] = {
        **dict.fromkeys(_LABELS, names.label), **dict.fromkeys(_IDS, names.resource_id),
        **dict.fromkeys(_DNS, names.name),
        **dict.fromkeys(_ADDRESSES, names.address), **dict.fromkeys(_OPAQUE, names.identifier),
        **dict.fromkeys(_TEXTS, names.text), **dict.fromkeys(_DYNAMIC, lambda text: _json(text, names)),
    }  # fmt: skip
    arrays = []
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        if pa.types.is_string(array.type) and name not in _AS_THEY_ARE:
            array = _mapped(array, change[name])  # noqa: PLW2901 - the same column, changed
        arrays.append(array)
    return pa.record_batch(arrays, names=batch.schema.names)


def _mapped(array: pa.Array, change: Callable[[str], str]) -> pa.Array:
    encoded = array.dictionary_encode()
    values = pa.array([change(text) if text else text for text in encoded.dictionary.to_pylist()], pa.string())
    return values.take(encoded.indices)


def _json(text: str, names: Pseudonyms) -> str:
    return json.dumps(names.value(json.loads(text)), ensure_ascii=False)


def _names(connection: DuckDBPyConnection) -> Iterator[str]:
    """Give every name that the columns have, and the parts of those that are composed."""
    for column in (*_LABELS, *_IDS, *_DNS):
        query = f'SELECT DISTINCT "{column}" FROM storage.events WHERE "{column}" <> \'\''  # noqa: S608 - names of ours
        for (value,) in connection.execute(query).fetchall():
            yield value
            yield from _parts(column, value)


def _parts(column: str, value: str) -> Sequence[str]:
    if column in _IDS:
        # Types and the words between are no names; names stand at every second place.
        return value.split("/")[2::2]
    return [value.partition(".")[0]] if column == "Fqdn" else []


def _widened(first: Any, last: Any, times: list[Any]) -> tuple[Any, Any]:
    known = [time for time in (first, last, *times) if time]
    return (min(known), max(known)) if known else (None, None)


@contextmanager
def _replaced(path: Path) -> Iterator[Path]:
    """Give a path beside the wanted one, and put it in its place when all went well."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
