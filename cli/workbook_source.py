"""Where workbooks are answered from: files on this machine, opened again when they change, or a workspace."""

from __future__ import annotations

import glob
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cli.query_source import open_engine, open_workspace
from workbooks.answers import over_files, over_workspace
from workbooks.asking import Answers
from workbooks.dashboard.source import Feed, Source, end_of, now

if TYPE_CHECKING:
    from collections.abc import Iterator

Stamp = tuple[tuple[str, int, int], ...]


@contextmanager
def open_feed(data: Path | None, workspace: str | None, *, lasting: bool = False) -> Iterator[Feed]:
    """Open what is asked for; files go first. Raises what `open_engine` raises.

    `lasting` says that many pages will be asked for: what they need once is made before the first.
    """
    if data is not None:
        feed = Feed(lambda: _files(data, lasting=lasting), lambda: stamp(data))
    else:
        feed = Feed(lambda: _workspace(workspace))
    try:
        yield feed
    finally:
        feed.close()


def _files(data: Path, *, lasting: bool) -> Source:
    from kql.duckdb_engine import DuckDbEngine

    with ExitStack() as stack:
        engine = stack.enter_context(open_engine(None, data))
        assert isinstance(engine, DuckDbEngine)  # noqa: S101 - files are read by DuckDB
        if lasting:
            engine.prepare()
        ask = over_files(engine)
        ends, rows = end_of(ask, now()), (resource_of(data.name),)
        return Source(data.name, Answers(ask), ends, close=stack.pop_all().close, resources=rows)


def _workspace(workspace: str | None) -> Source:
    from kql.workspace_engine import WorkspaceEngine

    with ExitStack() as stack:
        engine = WorkspaceEngine(stack.enter_context(open_workspace(workspace)), on_partial="mark")
        answers, rows = Answers(over_workspace(engine)), (resource_of(str(workspace)),)
        return Source(f"workspace {workspace}", answers, close=stack.pop_all().close, resources=rows)


def resource_of(name: str) -> str:
    """Give the id that a workbook's workspace picker offers for the one place that is asked; nothing else knows it."""
    group = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/drift"
    return f"{group}/providers/Microsoft.OperationalInsights/workspaces/{name}"


def stamp(data: Path) -> Stamp:
    """Give what changes when the files do: their names, sizes and times of change."""
    paths = [data] if data.is_file() else sorted(data.rglob("*")) if data.is_dir() else map(Path, _matching(data))
    found = []
    for path in paths:
        try:
            about = path.stat()
        except OSError:
            continue
        found.append((str(path), about.st_size, about.st_mtime_ns))
    return tuple(found)


def _matching(pattern: Path) -> list[str]:
    # A pattern may begin anywhere, which Path.glob does not take.
    return sorted(glob.glob(str(pattern), recursive=True))  # noqa: PTH207
