"""Where queries are answered: a Log Analytics workspace, or rows in files on this machine."""

import os
import re
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cli.session import credential_for, read_query_settings
from core.arm_id import GUID
from core.errors import CloudError, ConfigurationError, InputError, Reason, ToolkitError, TryAgainError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud.logs_query import WorkspaceQuery
    from kql.duckdb_engine import DuckDbEngine
    from kql.engine import QueryError
    from kql.workspace_engine import WorkspaceEngine

_OPERATOR: Final = re.compile(r"\|?\s*([a-z][a-z-]*)")
_OPERATORS: Final = (
    *("where", "project", "project-away", "project-rename", "extend", "summarize", "distinct", "count", "sort", "take"),
    *("top", "join", "union", "lookup", "parse", "parse-where", "mv-expand", "render", "limit", "order", "getschema"),
)
_WIDTH: Final = 100
_BEFORE: Final = 60
"""How much of a long line is shown, and how much of that stands before the fault."""


@contextmanager
def open_engine(workspace: str | None, data: Path | None) -> "Iterator[WorkspaceEngine | DuckDbEngine]":
    """Open the engine that is asked for; files go first. A workspace's partial answers are given, marked as such.

    Raises ConfigurationError when neither is known, DataError for files that cannot be read.
    """
    if data is not None:
        from kql.data import open_data
        from kql.duckdb_engine import DuckDbEngine

        with open_data(data) as connection:
            yield DuckDbEngine(connection, keeps=True)
        return
    from kql.workspace_engine import WorkspaceEngine

    with open_workspace(workspace) as query:
        yield WorkspaceEngine(query, on_partial="mark")


@contextmanager
def open_workspace(workspace: str | None) -> "Iterator[WorkspaceQuery]":
    """Open a workspace by its id, as whom `credential_for` says."""
    if not workspace:
        reason = Reason("LOGS_WORKSPACE_ID", "is not set, and neither --workspace nor --data is given")
        raise ConfigurationError("which event table to ask is not known:", [reason])
    if not re.fullmatch(GUID, workspace):
        raise BadRequestError(f"{workspace[:80]!a} is no workspace: give its id, a GUID; the portal says Workspace ID")
    from cloud.logs_query import WorkspaceQuery

    settings = read_query_settings()
    query = WorkspaceQuery(
        credential_for(os.environ.get("AZURE_CLIENT_ID") or None),
        settings.endpoint,
        workspace,
        ca_bundle=settings.ca_bundle,
    )
    try:
        yield query
    finally:
        query.close()


class BadRequestError(InputError):
    """What was asked cannot be understood; the message says what to give."""

    code = "bad_request"


class BadQueryError(InputError):
    """A query that no engine could answer, or not this one; the message shows the place."""

    code = "bad_query"


class SlowQueryError(TryAgainError):
    """A query that took longer than it was given."""

    code = "query_timeout"


class FailedQueryError(ToolkitError):
    """A query that the engine itself could not answer."""

    code = "query_failed"


def failure_of(error: "QueryError", kql: str) -> ToolkitError:
    """Give the error that a command ends with; a fault of the query is shown in its line, with a caret."""
    if isinstance(error.__cause__, CloudError) and error.kind == "service":
        return error.__cause__
    kinds = {"timeout": SlowQueryError, "partial": FailedQueryError, "service": FailedQueryError}
    kind = kinds.get(error.kind)
    if kind is not None:
        return kind(error.message)
    return BadQueryError(f"{error.message}{_meant(error, kql)}{_shown(error, kql)}")


def _shown(error: "QueryError", kql: str) -> str:
    lines = kql.splitlines()
    if error.place is None or not 0 < error.place.line <= len(lines):
        return ""
    line = lines[error.place.line - 1].replace("\t", " ")
    start = max(0, min(error.place.column - _BEFORE, len(line) - _WIDTH))
    number = str(error.place.line)
    caret = "^" * max(1, min(len(error.place.token), _WIDTH))
    margin = " " * (len(number) + 1)
    return (
        f"\n  line {number}, column {error.place.column + 1}:"
        f"\n  {number} | {line[start : start + _WIDTH]}"
        f"\n  {margin}| {' ' * (error.place.column - start)}{caret}"
    )


def _meant(error: "QueryError", kql: str) -> str:
    """Say which operator, table, function or column may have been meant."""
    from kql import catalog, tables

    if error.place is None or "did you mean" in error.message:
        return ""
    if error.kind == "syntax":
        rest = "\n".join(kql.splitlines()[error.place.line - 1 :])[error.place.column :]
        written = _OPERATOR.match(rest)
        near = get_close_matches(written.group(1), _OPERATORS, n=2) if written else []
    else:
        columns = {name for columns in tables.schema().values() for name in columns}
        known = {*tables.schema(), *catalog.functions(), *columns} - {tables.ONCE}
        near = get_close_matches(error.place.token, known, n=2, cutoff=0.7)
    return f" (did you mean {' or '.join(near)}?)" if near and error.place.token not in near else ""
