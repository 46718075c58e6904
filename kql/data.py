"""Opens rows that lie in files for the DuckDB engine: a database of our layout, Parquet, or JSON lines. Reads only.

Parquet and databases are not loaded: the engine reads them where they lie, so their size costs no memory and several
programs can read one database at a time. JSON lines have no order to address rows by, and are loaded.
"""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from core.errors import TryAgainError
from kql import data_columns, step_results, tables
from kql.data_columns import DataError
from kql.duckdb_engine import lock_down

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["FILE_ROWS", "DataError", "Paths", "event_files", "open_data"]

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
FILE_ROWS: Final = 2**40
"""More rows than a file has; with 2^23 files no row of two has the same number."""
_DATABASE: Final = "DuckDB"
_PARQUET: Final = "Parquet"
_LINES: Final = "JSON lines"
_SUFFIXES: Final = {
    **dict.fromkeys((".duckdb", ".ddb", ".db"), _DATABASE),
    **dict.fromkeys((".parquet", ".pq"), _PARQUET),
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), _LINES),
}
_WHAT: Final = (
    "a DuckDB file (.duckdb), Parquet (.parquet) or JSON lines (.jsonl), a folder of one of them, or a pattern"
)


def open_data(paths: Paths) -> DuckDBPyConnection:
    """Open files for DuckDbEngine: one file, a folder, a pattern (`history/*.parquet`), or several of them.

    A folder is searched, with its folders, for one kind of file. A Parquet or JSON file holds the rows of the table
    that it or its folder is named after (`AppTraces.parquet`, `AppTraces-2026-03.parquet`, `AppTraces/part-1.parquet`),
    and of the event table otherwise. Optional columns may be missing; a table with no file is empty.

    Nothing but these files can be reached by a query afterwards, and they are never written. Close the connection when
    done. Raises DataError for what cannot be read, TryAgainError while another program writes the database.
    """
    files = _files(paths)
    kinds = {_kind(file) for file in files}
    if len(kinds) > 1:
        raise DataError(f"{_shown(files)}: {' and '.join(sorted(kinds))} cannot be read together; name one kind")
    connection = duckdb.connect(":memory:", config={"temp_directory": _scratch()})
    try:
        tables.create(connection)
        _OPENERS[kinds.pop()](connection, files)
        step_results.attach(connection)
        lock_down(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def event_files(paths: Paths) -> list[Path]:
    """Give the Parquet files in which `open_data` finds the events, in its order: none where it reads other kinds.

    A row's `rowid` there is the file's place in this list times 2^40, plus the row's place in the file.
    """
    files = _files(paths)
    if {_kind(file) for file in files} != {_PARQUET}:
        return []
    return data_columns.by_table(files).get(tables.EVENTS, [])


def _scratch() -> str:
    # DuckDB makes it when a query needs more than its memory, and removes it at the end; its default is below the
    # current folder, which is a user's own.
    return str(Path(tempfile.gettempdir()) / f"drift-duckdb-{os.getpid()}")


def _files(paths: Paths) -> list[Path]:
    several = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if not several:
        raise DataError(f"no file is named; give {_WHAT}")
    return list(dict.fromkeys(file.resolve() for path in several for file in _expanded(os.fspath(path))))


def _expanded(path: str) -> list[Path]:
    found = Path(path)
    if found.is_dir():
        return _inside(found)
    if found.exists():
        return [found]
    # A pattern may begin anywhere, which Path.glob does not take.
    matching = sorted(map(Path, glob.glob(path, recursive=True))) if glob.has_magic(path) else []  # noqa: PTH207
    files = [file for file in matching if file.is_file()]
    if not files:
        raise DataError(f"{path}: there is no such file; give {_WHAT}")
    return files


def _inside(folder: Path) -> list[Path]:
    by_kind: dict[str, list[Path]] = {}
    for file in sorted(folder.rglob("*")):
        hidden = any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)
        if file.suffix.lower() in _SUFFIXES and file.is_file() and not hidden:
            by_kind.setdefault(_SUFFIXES[file.suffix.lower()], []).append(file)
    # A local Azure's folder has JSON of its own beside the database, and so may a folder of Parquet.
    for kind in (_DATABASE, _PARQUET, _LINES):
        if by_kind.get(kind):
            break
    else:
        raise DataError(f"{folder}: nothing in this folder can be read; give {_WHAT}")
    if _DATABASE in by_kind and _PARQUET in by_kind:
        raise DataError(f"{folder}: has a database and Parquet; name the one that is meant")
    return by_kind[kind]


def _kind(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            start = stream.read(12)
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror or error}") from error
    if start[8:] == b"DUCK":
        return _DATABASE
    if start.startswith(b"PAR1"):
        return _PARQUET
    named = _SUFFIXES.get(file.suffix.lower())
    if named == _LINES or start.lstrip().startswith(b"{"):
        return _LINES
    whole = f"is not {named}, though it is named so" if named else f"is not {_WHAT}"
    raise DataError(f"{file}: {whole}; the file may be cut short or of another program")


def _open_database(connection: DuckDBPyConnection, files: list[Path]) -> None:
    if len(files) > 1:
        raise DataError(f"{_shown(files)}: only one database can be read at a time; name it")
    try:
        connection.execute(f"ATTACH {_text(str(files[0]))} AS source (READ_ONLY)")
    except duckdb.Error as error:
        if "lock" in str(error).lower():
            raise TryAgainError(
                f"{files[0]} is in use by a running local Azure: ask that one (--workspace), or stop it first"
            ) from error
        raise DataError(f"{files[0]}: cannot be opened as a DuckDB database: {_first_line(error)}") from error
    here = {name for (name,) in connection.execute(_STORED).fetchall()}
    if tables.EVENTS.storage not in here:
        raise DataError(f"{files[0]}: is a database without the table {tables.EVENTS.storage}: none of ours")
    for table in tables.TABLES:
        if table.storage in here:
            _read_in_place(connection, table, f"source.{table.storage}", "rowid", str(files[0]))


def _open_parquet(connection: DuckDBPyConnection, files: list[Path]) -> None:
    allowed = ", ".join(_text(str(file)) for file in files)
    connection.execute(f"SET allowed_paths = [{allowed}]")
    for table, own in data_columns.by_table(files).items():
        names = ", ".join(_text(str(file)) for file in own)
        relation = f"read_parquet([{names}], union_by_name = true, file_row_number = true)"
        _read_in_place(connection, table, relation, f"file_index * {FILE_ROWS} + file_row_number", _shown(own))


def _open_lines(connection: DuckDBPyConnection, files: list[Path]) -> None:
    for table, own in data_columns.by_table(files).items():
        written = data_columns.written(table)
        names = ", ".join(_text(str(file)) for file in own)
        declared = ", ".join(f"{_text(name)}: {_text(kind)}" for name, kind in written.items())
        relation = f"read_json([{names}], format = 'newline_delimited', columns = {{{declared}}})"
        selected = data_columns.selected(table, written, _shown(own))
        needed = data_columns.required(table)
        try:
            connection.execute(f"INSERT INTO {table.storage} BY NAME SELECT {selected} FROM {relation}")  # noqa: S608 - ours
            empty = " OR ".join(f"coalesce(\"{name}\"::VARCHAR, '') = ''" for name in needed)
            found = connection.execute(f"SELECT count(*) FROM {table.storage} WHERE {empty}").fetchone()  # noqa: S608 - same
        except duckdb.Error as error:
            raise DataError(f"{_shown(own)}: not JSON lines of {table.name}: {_first_line(error)}") from error
        if found and found[0]:
            raise DataError(f"{_shown(own)}: {found[0]} of its lines have no value for one of {', '.join(needed)}")


def _read_in_place(connection: DuckDBPyConnection, table: tables.Table, relation: str, rowid: str, where: str) -> None:
    """Let the table's storage be a view of rows that lie elsewhere; `rowid` numbers them."""
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()  # noqa: S608 - ours
    except duckdb.Error as error:
        raise DataError(f"{where}: cannot be read: {_first_line(error)}") from error
    found = {str(name): str(kind) for name, kind, *_ in described}
    selected = data_columns.selected(table, found, where)
    for name, test in data_columns.doubtful(table, found):
        row = connection.execute(f'SELECT "{name}" FROM {relation} WHERE {test} LIMIT 1').fetchone()  # noqa: S608 - ours
        if row:
            raise DataError(f"{where}: column {name} holds {row[0]!a}, which does not read as its type")
    connection.execute(f"DROP TABLE {table.storage}")
    connection.execute(f"CREATE VIEW {table.storage} AS SELECT {rowid} AS rowid, {selected} FROM {relation}")  # noqa: S608 - same


_OPENERS: Final = {_DATABASE: _open_database, _PARQUET: _open_parquet, _LINES: _open_lines}
_STORED: Final = "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = 'source'"


def _shown(files: list[Path]) -> str:
    return str(files[0]) if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
