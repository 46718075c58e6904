"""Runs KQL in a Log Analytics workspace; its answers have the types that the local engine's have."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, cast

from cloud.logs_query import QueryRejectedError
from core.errors import CloudError
from kql import chunks
from kql.engine import KqlType, Place, QueryError, ResultColumn, ResultTable, Timespan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from cloud.logs_query import WorkspaceAnswer

PARALLEL: Final = 4
"""Log Analytics runs 5 queries of one user at a time; the others wait in a queue."""
_SYNTAX: Final = re.compile(r"SYN\d|SyntaxError")
_TIMED_OUT: Final = frozenset({408, 504})
_TOKEN: Final = re.compile(r"\w+|\S")


class Workspace(Protocol):
    """What answers: cloud.logs_query.WorkspaceQuery."""

    def query(self, kql: str, *, timespan: Timespan | None = None) -> WorkspaceAnswer:
        """Answer a query, or raise a CloudError."""
        ...


class WorkspaceEngine:
    """The engine of a workspace. Safe to use from several threads.

    `on_partial`: what to do with an answer that the workspace gives only in part (more than 500,000 rows or 100 MB, or
    a node that failed). `raise` raises QueryError of kind `partial`; `mark` returns the rows with `partial` set.
    """

    def __init__(self, workspace: Workspace, *, on_partial: Literal["raise", "mark"] = "raise") -> None:
        self._workspace = workspace
        self._on_partial = on_partial

    def query(self, kql: str, *, timespan: Timespan | None = None, now: datetime | None = None) -> ResultTable:
        """Answer a query over the rows in `timespan` (None: all). Raises QueryError.

        A workspace's now() is the real time and cannot be another one, so `now` is refused. Rewriting the query would
        not reach into the workspace's functions, nor choose the rows that had been ingested by then.
        """
        if now is not None:
            raise QueryError(
                "unsupported", "a workspace's now() is the real time: it cannot be asked as of another one"
            )
        try:
            answer = self._workspace.query(kql, timespan=timespan)
        except CloudError as error:
            raise _query_error(error, kql) from error
        if answer.partial and self._on_partial == "raise":
            raise QueryError("partial", f"the workspace answered only in part: {answer.partial}")
        return _table(answer)

    def query_many(
        self, queries: Sequence[tuple[str, Timespan | None]], *, parallel: int = PARALLEL
    ) -> list[ResultTable | QueryError]:
        """Answer several queries at a time: for each its table, or the error that it would have raised, in order.

        Each is a request of its own. The API's `$batch` does the same in one, but Azure has deprecated it.
        """

        def one(asked: tuple[str, Timespan | None]) -> ResultTable | QueryError:
            try:
                return self.query(asked[0], timespan=asked[1])
            except QueryError as error:
                return error

        with ThreadPoolExecutor(parallel, thread_name_prefix="workspace-query") as pool:
            return list(pool.map(one, queries))

    def query_chunks(  # noqa: PLR0913 - each is a choice of its own
        self,
        kql: str,
        start: datetime,
        end: datetime,
        *,
        chunk: timedelta = chunks.DAY,
        parallel: int = PARALLEL,
        time_column: str | None = chunks.TIME_COLUMN,
        done: Sequence[chunks.Interval] = (),
        progress: Callable[[chunks.Progress], None] | None = None,
    ) -> Iterator[chunks.Chunk]:
        """Answer a query that is too large for one answer, a stretch of time after the other: see kql.chunks."""
        engine = WorkspaceEngine(self._workspace)  # a chunk that came in part is asked again in smaller ones
        return chunks.query_chunks(
            engine,
            kql,
            start,
            end,
            chunk=chunk,
            parallel=parallel,
            time_column=time_column,
            done=done,
            progress=progress,
        )


def _table(answer: WorkspaceAnswer) -> ResultTable:
    columns = tuple(ResultColumn(name, cast("KqlType", kind)) for name, kind in answer.columns)
    texts = [index for index, column in enumerate(columns) if column.type == "string"]
    rows = answer.rows
    if any(row[index] is None for row in rows for index in texts):
        rows = tuple(_without_null_texts(row, texts) for row in rows)
    return ResultTable(columns, rows, partial=answer.partial)


def _without_null_texts(row: tuple[Any, ...], texts: list[int]) -> tuple[Any, ...]:
    values = list(row)
    for index in texts:
        values[index] = values[index] or ""
    return tuple(values)


def _query_error(error: CloudError, kql: str) -> QueryError:
    if isinstance(error, QueryRejectedError):
        kind: Literal["unsupported", "syntax", "semantic"] = "semantic"
        if error.azure_code == "LocalEngineUnsupported":
            kind = "unsupported"
        elif _SYNTAX.match(error.azure_code) or "SYN0" in error.reason:
            kind = "syntax"
        return QueryError(kind, error.reason, code=error.azure_code, place=_place(error, kql))
    if error.status in _TIMED_OUT:
        return QueryError("timeout", str(error), code=error.azure_code)
    return QueryError("service", str(error), code=error.azure_code)


def _place(error: QueryRejectedError, kql: str) -> Place | None:
    if error.line is None or error.column is None:
        return None
    lines: Mapping[int, str] = dict(enumerate(kql.splitlines(), start=1))
    found = _TOKEN.match(lines.get(error.line, ""), error.column)
    return Place(error.line, error.column, found.group(0) if found else "")
