"""`drift export`: events into one Parquet file, from files or a workspace, with names or hashes of them."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cli import console
from cli.query_source import failure_of, open_workspace
from core.errors import EXIT_DONE, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta
    from pathlib import Path

    from notebooks.exporting import Exported
    from notebooks.pseudonyms import Pseudonyms

_SUFFIXES: Final = (".parquet", ".pq")


class ExportError(InputError):
    """An export that cannot be made as it is asked for. The message says what to give."""

    code = "bad_export"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to export: `last` back from now (of files: from their last event), None for everything that files have."""

    out: Path
    last: timedelta | None
    data: Path | None
    workspace: str | None
    hash_names: bool = False
    key_file: Path | None = None


def export(wanted: Wanted, *, json: bool) -> int:
    """Write the file, and say what is in it."""
    _check(wanted)
    key = _key(wanted) if wanted.hash_names else None
    try:
        with _bar() as tell:
            done = _of_files(wanted, key, tell) if wanted.data else _of_workspace(wanted, key, tell)
    except OSError as error:
        raise ExportError(f"{wanted.out} cannot be written: {_why(error)}") from error
    if json:
        console.show_json(_summary(wanted, done))
    else:
        _show(wanted, done)
    return EXIT_DONE


def _check(wanted: Wanted) -> None:
    if wanted.out.suffix.lower() not in _SUFFIXES:
        raise ExportError(f"{wanted.out}: the name must end in .parquet")
    if not wanted.out.absolute().parent.is_dir():
        raise ExportError(f"{wanted.out}: there is no folder {wanted.out.absolute().parent}; make it first")
    if wanted.out.is_dir():
        raise ExportError(f"{wanted.out} is a folder")
    if wanted.key_file and not wanted.hash_names:
        raise ExportError("--salt-file is for --hash-names: give both, or neither")
    if wanted.data and wanted.out.exists() and wanted.data.exists() and wanted.out.samefile(wanted.data):
        raise ExportError(f"{wanted.out} is what is exported; name another file")


def _key(wanted: Wanted) -> bytes:
    """Read the key, or make one: for good in the file that is named, otherwise for this export alone."""
    from notebooks.pseudonyms import KEY_BYTES

    if wanted.key_file is None:
        return secrets.token_bytes(KEY_BYTES)
    try:
        if not wanted.key_file.exists():
            descriptor = os.open(wanted.key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(secrets.token_bytes(KEY_BYTES))
        key = wanted.key_file.read_bytes()
    except OSError as error:
        raise ExportError(f"--salt-file {wanted.key_file}: {_why(error)}") from error
    if len(key) < KEY_BYTES // 2:
        raise ExportError(f"--salt-file {wanted.key_file} has {len(key)} bytes; it needs {KEY_BYTES // 2} or more")
    return key


def _why(error: OSError) -> str:
    # Arrow's errors have a text of their own, which names a file that is not there any more.
    return os.strerror(error.errno) if error.errno else str(error)


def _hasher(key: bytes | None) -> Callable[[Iterator[str]], Pseudonyms] | None:
    from notebooks.pseudonyms import Pseudonyms

    return None if key is None else lambda names: Pseudonyms(key, names)


def _of_files(wanted: Wanted, key: bytes | None, tell: Callable[[str], None]) -> Exported:
    from notebooks import exporting

    return exporting.export(
        str(wanted.data), wanted.out, wanted.last, hasher=_hasher(key), source=str(wanted.data),
        tell=lambda rows: tell(f"writing, {rows:,} events"),
    )  # fmt: skip


def _of_workspace(wanted: Wanted, key: bytes | None, tell: Callable[[str], None]) -> Exported:
    """Fetch into a folder beside the file, which a second try goes on from, and write the file from it."""
    from kql.engine import QueryError
    from kql.workspace_engine import WorkspaceEngine
    from notebooks import exporting, fetching
    from notebooks.chunk_store import ChunkStore

    now = datetime.now(UTC)
    span = (now - (wanted.last or fetching.DEFAULT_SPAN), now)
    folder = wanted.out.with_name(f".{wanted.out.name}.{wanted.workspace}.fetched")
    store = ChunkStore(folder)
    with open_workspace(wanted.workspace) as workspace:
        try:
            missing = fetching.fetch(
                WorkspaceEngine(workspace), store, *span, now=now,
                progress=lambda at: tell(f"fetching, {at.share:.0%}, {at.rows:,} events"),
            )  # fmt: skip
        except QueryError as error:
            raise failure_of(error, fetching.QUERY) from error
    if missing:
        raise fetching.IncompleteHistoryError(missing)
    done = exporting.export(
        store.files_between(*span), wanted.out, span, now=_EVER, hasher=_hasher(key),
        source=f"workspace:{wanted.workspace}", tell=lambda rows: tell(f"writing, {rows:,} events"),
    )  # fmt: skip
    shutil.rmtree(folder, ignore_errors=True)
    return done


_EVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""What was fetched is there, whenever it became visible."""


@contextmanager
def _bar() -> Iterator[Callable[[str], None]]:
    """Show how far it is on a terminal; a pipe gets nothing."""
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    with Bar(*columns, console=console.stderr(), transient=True, disable=not console.stderr().is_terminal) as bar:
        task = bar.add_task("opening")
        yield lambda text: bar.update(task, description=text)


def _summary(wanted: Wanted, done: Exported) -> dict[str, object]:
    return {
        "out": str(wanted.out),
        "rows": done.rows,
        "start": done.start.isoformat() if done.start else None,
        "end": done.end.isoformat() if done.end else None,
        "names": "hashed" if wanted.hash_names else "plain",
    }


def _show(wanted: Wanted, done: Exported) -> None:
    console.show(f"{wanted.out}: {done.rows:,} events")
    if done.start and done.end:
        console.show(f"  {done.start:%Y-%m-%d %H:%M} to {done.end:%Y-%m-%d %H:%M} UTC")
    if wanted.hash_names and wanted.key_file:
        console.show(f"  names are hashed with the key in {wanted.key_file}: keep it, and keep it to yourself")
    elif wanted.hash_names:
        console.show("  names are hashed with a key that nobody has: no other export can be joined to this one")
