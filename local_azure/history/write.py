"""Writes a history into files: a DuckDB database of kql/tables.py's layout, or Parquet. A day at a time."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from kql import tables
from local_azure.history.columns import SCHEMA, schema_of
from local_azure.history.history import DEFAULT_SEED, History

if TYPE_CHECKING:
    from pathlib import Path

    from local_azure.history.shape import Shape
    from local_azure.history.truth import Truth

ROWS_PER_GROUP: Final = 122_880
"""Rows of a Parquet row group: DuckDB's own, so that a day at a time is skipped or read."""
_STORAGE: Final = {table.name: table for table in tables.TABLES}
Progress = Callable[[float, int], None]
"""Takes the part that is done (0 to 1) and the rows written so far."""


def write_duckdb(
    path: Path, shape: Shape, seed: int = DEFAULT_SEED, progress: Progress | None = None
) -> tuple[Counter[str], Truth]:
    """Write a history into a new DuckDB file; gives the rows by table, and the truth.

    The file is there when it is whole, and not before; one that is there already is replaced then.
    """
    with _replaced(path) as unfinished:
        connection = duckdb.connect(str(unfinished))
        try:
            tables.create(connection)
            connection.execute("BEGIN")  # one transaction: a commit for each day and table takes longer than the rows
            found = _each_day(shape, seed, progress, lambda name, rows: insert(connection, name, rows))
            connection.execute("COMMIT")
            connection.execute("CHECKPOINT")
        finally:
            connection.close()
    return found


def write_parquet(
    path: Path, shape: Shape, seed: int = DEFAULT_SEED, progress: Progress | None = None
) -> tuple[Counter[str], Truth]:
    """Write a history as Parquet; gives the rows by table, and the truth.

    A path that ends in `.parquet` becomes one file, with the rows of the event table alone. Any other becomes a folder
    with one file for each table, the fallback log lines (AppTraces.parquet) among them.
    """
    one_file = path.suffix == ".parquet"
    with _replaced(path) as unfinished:
        if not one_file:
            unfinished.mkdir()
        writers: dict[str, pq.ParquetWriter] = {}

        def write(name: str, rows: pa.Table) -> None:
            if one_file and name != tables.EVENTS.name:
                return
            if name not in writers:
                file = unfinished if one_file else unfinished / f"{name}.parquet"
                writers[name] = pq.ParquetWriter(file, schema_of(_STORAGE[name]), compression="zstd")
            writers[name].write_table(rows, row_group_size=ROWS_PER_GROUP)

        try:
            write(tables.EVENTS.name, SCHEMA.empty_table())
            found = _each_day(shape, seed, progress, write)
        finally:
            for writer in writers.values():
                writer.close()
    return found


def write_truth(path: Path, truth: Truth) -> None:
    """Write what really happened as one JSON document."""
    with _replaced(path) as unfinished:
        unfinished.write_text(json.dumps(truth.to_json(), indent=1), encoding="utf-8")


def _each_day(
    shape: Shape, seed: int, progress: Progress | None, write: Callable[[str, pa.Table], None]
) -> tuple[Counter[str], Truth]:
    history, rows = History(shape, seed), Counter[str]()
    for number, day in enumerate(history):
        for name, table in day.items():
            write(name, table)
            rows[name] += table.num_rows
        if progress:
            progress(min((number + 1) / (shape.days + 1), 1.0), rows[tables.EVENTS.name])
    return rows, history.truth


def insert(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    """Store rows of the table of that name in an open database of kql/tables.py's layout."""
    connection.register("_day", rows)
    connection.execute(f"INSERT INTO {_STORAGE[name].storage} SELECT * FROM _day")  # noqa: S608 - a name of ours
    connection.unregister("_day")


@contextmanager
def _replaced(path: Path) -> Iterator[Path]:
    """Give a path beside the wanted one to write to, and put it in its place when all went well."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    _remove(unfinished)
    try:
        yield unfinished
        if path.is_dir():
            shutil.rmtree(path)
        unfinished.replace(path)
    finally:
        _remove(unfinished)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
