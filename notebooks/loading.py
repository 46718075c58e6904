"""Loads events from files: each fact once, as AciDnsEvents() says, in batches, so that ten million fit."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from core import events
from core.events import Component
from kql import tables
from kql.data import event_files, open_data
from kql.engine import bounds
from notebooks import frames, parquet
from notebooks.gathered import Gathered, Kept, kept
from notebooks.source import last_instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray

    from kql.data import Paths
    from kql.engine import Timespan

BATCH: Final = 50_000
"""Rows that are in both forms, DuckDB's and pandas', at a time, in each thread."""
THREADS: Final = 2
"""Threads that reduce batches. More would keep more of them in memory, and DuckDB has threads of its own."""


def load(
    paths: Paths,
    timespan: Timespan | None,
    columns: Sequence[str],
    now: datetime | None,
    components: Sequence[str] = (),
) -> pd.DataFrame:
    """Load the events of files that `timespan` covers at `now` (None: the last event's), of all components or some.

    `attrs` of the frame: `now`, and `start` and `end`, the range that was asked for (None without a time span).
    Raises DataError for files that cannot be read.
    """
    several = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    with closing(open_data(several)) as connection:
        moment = now or last_instant(connection)
        files = _plain_files(connection, several, columns)
        if files:
            span = bounds(timespan, moment)
            earlier = _earlier(connection, _seen(span, moment))
            # As of its last event all of a file is visible.
            found = parquet.gather(files, parquet.Wanted(columns, span, now, components, earlier))
        else:
            found = _gather(batches(connection, timespan, columns, moment, components), frames.kinds(columns))
    frame = found.frame()
    frame.attrs.update(attributes(timespan, moment))
    return frame


def _gather(batches: Iterator[pa.RecordBatch], kinds: dict[str, str]) -> Gathered:
    """Reduce batches in threads while DuckDB makes the next: hashing texts takes longest, and holds no lock."""
    found, waiting = Gathered(kinds), deque[Future[Kept]]()
    with ThreadPoolExecutor(THREADS) as pool:
        for batch in batches:
            waiting.append(pool.submit(kept, batch, kinds))
            if len(waiting) > THREADS:
                found.add(waiting.popleft().result())
        for each in waiting:
            found.add(each.result())
    return found


def attributes(timespan: Timespan | None, now: datetime) -> dict[str, Any]:
    """Give what a frame remembers of how it was loaded."""
    start, end = bounds(timespan, now) or (None, None)
    return {"now": now, "start": start, "end": end}


def batches(
    connection: DuckDBPyConnection,
    timespan: Timespan | None,
    columns: Sequence[str],
    now: datetime,
    components: Sequence[str] = (),
) -> Iterator[pa.RecordBatch]:
    """Give the facts in the order in which they are stored: dynamic values are JSON text, times have no zone."""
    start_end = bounds(timespan, now)
    shown = ", ".join(f'"{name}"' for name in columns)
    chosen = ", ".join(_selected(name) for name in dict.fromkeys([*columns, *(["Component"] if components else [])]))
    if _has_fallback_lines(connection):
        for statement in tables.view_statements(start_end, now, read_by=events.FUNCTION + tables.ONCE + "AppTraces"):
            connection.execute(statement)
        text = f'SELECT {chosen} FROM "{tables.ONCE}"'  # noqa: S608 - names of ours
    else:
        text = _straight(connection, chosen, start_end, now)
    if components:
        named = ", ".join(f"'{Component(name)}'" for name in components)
        text = f'SELECT {shown} FROM ({text}) WHERE "Component" IN ({named})'  # noqa: S608 - names of ours
    yield from connection.sql(text).to_arrow_reader(BATCH)


def _selected(name: str) -> str:
    kind = next(column.type for column in events.COLUMNS if column.name == name)
    return f'CAST("{name}" AS VARCHAR) AS "{name}"' if kind == "dynamic" else f'"{name}"'


def _has_fallback_lines(connection: DuckDBPyConnection) -> bool:
    query = f"SELECT 1 FROM {tables.TRACES.storage} WHERE starts_with(\"Message\", '{events.FALLBACK_MARKER}') LIMIT 1"  # noqa: S608 - same
    return connection.execute(query).fetchone() is not None


def _straight(
    connection: DuckDBPyConnection, chosen: str, start_end: tuple[datetime, datetime] | None, now: datetime
) -> str:
    """Say in SQL how to read the table alone: every row but those of which there is a later one.

    Naming the few that are left out takes a fifth of the memory of naming the millions that stay, as the view does.
    """
    seen = _seen(start_end, now)
    _earlier(connection, seen)
    return f"SELECT {chosen} FROM {tables.EVENTS.storage} WHERE {seen} AND rowid NOT IN (SELECT id FROM earlier)"  # noqa: S608 - names and instants of ours


def _seen(start_end: tuple[datetime, datetime] | None, now: datetime) -> str:
    seen = f"\"{tables.VISIBLE}\" <= TIMESTAMP '{_literal(now)}'"
    if start_end:
        first, last = map(_literal, start_end)
        seen += f" AND \"TimeGenerated\" BETWEEN TIMESTAMP '{first}' AND TIMESTAMP '{last}'"
    return seen


def _earlier(connection: DuckDBPyConnection, seen: str) -> NDArray[np.int64]:
    """Put the ids of rows of which there is a later one into the table `earlier`, and give them, smallest first."""
    doubtful = f'FROM {tables.EVENTS.storage} WHERE {seen} AND "{tables.REPEATS}"'
    connection.execute(f"""CREATE OR REPLACE TEMP TABLE told_twice AS
        SELECT hash("EventId") AS h {doubtful} GROUP BY h HAVING count(*) > 1""")
    connection.execute(f"""CREATE OR REPLACE TEMP TABLE earlier AS SELECT id FROM (
        SELECT rowid AS id, row_number() OVER (PARTITION BY "EventId" ORDER BY "TimeGenerated" DESC, rowid) AS place
        {doubtful} AND hash("EventId") IN (SELECT h FROM told_twice)) WHERE place > 1""")  # noqa: S608 - names and instants of ours
    found: NDArray[np.int64] = connection.sql("SELECT id FROM earlier ORDER BY id").fetchnumpy()["id"]
    return found.astype("int64")


def _plain_files(connection: DuckDBPyConnection, paths: Paths, columns: Sequence[str]) -> list[Path]:
    """Give the Parquet files that can be read as they lie, without DuckDB; none where they cannot."""
    files = event_files(paths)
    return files if files and not _has_fallback_lines(connection) and parquet.is_plain(files, columns) else []


def _literal(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
