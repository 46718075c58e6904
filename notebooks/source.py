"""Where the events are: files of this machine, or a Log Analytics workspace."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.arm_id import GUID
from core.errors import ConfigurationError, InputError, Reason
from kql import tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from duckdb import DuckDBPyConnection

    from cloud.logs_query import WorkspaceQuery
    from kql.engine import Timespan

DEMO: Final = Path(".local-azure/demo/logs.duckdb")
"""What the demo leaves, below the project's folder."""
ROOT: Final = Path(__file__).resolve().parent.parent
_GUID: Final = re.compile(rf"(?:workspace:)?({GUID})", re.IGNORECASE)
_LAST: Final = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_HOW: Final = (
    "name a file (.duckdb, .parquet, .jsonl), a folder, `demo`, or `workspace:<its id>`; "
    "`drift sample-history --out history.duckdb` makes a history to try"
)


class HistoryError(InputError):
    """A history that cannot be read, or a question about it that makes no sense. The message says what to do."""

    code = "bad_history"


@dataclass(frozen=True, slots=True)
class Files:
    """Rows in files: whatever kql.data.open_data takes."""

    path: str

    def __str__(self) -> str:
        return self.path


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace by its id (a GUID). Without an endpoint: the public cloud's."""

    id: str
    endpoint: str | None = None
    ca_bundle: str | None = None

    def __str__(self) -> str:
        return f"workspace:{self.id}"


Source = Files | Workspace


def resolve(source: str | os.PathLike[str] | Source | None, environment: Mapping[str, str] = os.environ) -> Source:
    """Say what a source's name means.

    A path; `demo`; `workspace:<id>` or the id alone. Nothing (None or empty): DRIFT_DATA, then LOGS_WORKSPACE_ID,
    then what the demo left. Raises HistoryError when there is nothing.
    """
    if isinstance(source, Files | Workspace):
        return source
    name = os.fspath(source) if source is not None else ""
    name = name or environment.get("DRIFT_DATA") or environment.get("LOGS_WORKSPACE_ID") or "demo"
    guid = _GUID.fullmatch(name)
    if guid:
        endpoint, bundle = environment.get("LOGS_QUERY_ENDPOINT"), environment.get("REQUESTS_CA_BUNDLE")
        return Workspace(guid[1].lower(), endpoint or None, bundle or None)
    if name.lower().startswith("workspace:"):
        raise HistoryError(f"{name[:80]!a}: the id of a workspace is a GUID; the portal shows it as Workspace ID")
    if name == "demo":
        demo = Path.cwd() / DEMO if (Path.cwd() / DEMO).exists() else ROOT / DEMO
        if not demo.exists():
            raise HistoryError(f"no source is named, and the demo has left no {DEMO} (`make demo`): {_HOW}")
        return Files(str(demo))
    return Files(name)


def as_timespan(span: Timespan | str | None) -> Timespan | None:
    """Read a time span: a timedelta, (start, end) in any zone, text such as `90d` or `12h`, or None for everything."""
    if span is None or span == "":
        return None
    if isinstance(span, str):
        found = _LAST.fullmatch(span.strip().lower())
        if not found:
            raise HistoryError(f"{span[:40]!a} is no time span; write 90d, 12h, 30m, or give (start, end)")
        span = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if isinstance(span, timedelta):
        if span <= timedelta():
            raise HistoryError("a time span must be longer than nothing")
        return span
    start, end = (_utc(each) for each in span)
    if end <= start:
        raise HistoryError(f"the time span ends ({end}) before it begins ({start})")
    return start, end


def _utc(moment: datetime | str) -> datetime:
    try:
        known = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    except ValueError as error:
        raise HistoryError(f"{moment!a} is no instant; write 2026-11-22T06:00:00Z") from error
    return known.astimezone(UTC) if known.tzinfo else known.replace(tzinfo=UTC)


def last_instant(connection: DuckDBPyConnection) -> datetime:
    """Give the instant as of which a file is read: that of its last event, or the real time when it has none."""
    latest = f'max(greatest("TimeGenerated", "{tables.VISIBLE}"))'
    row = connection.execute(f"SELECT {latest} FROM {tables.EVENTS.storage}").fetchone()  # noqa: S608 - names of ours
    return row[0].replace(tzinfo=UTC) if row and row[0] else datetime.now(UTC)


@contextmanager
def open_workspace(source: Workspace) -> Iterator[WorkspaceQuery]:
    """Open a workspace: as the managed identity where there is one, otherwise as who is signed in (`az login`)."""
    from cloud import credentials  # noqa: PLC0415 - the SDKs cost a quarter of a second, and files need none
    from cloud.logs_query import WorkspaceQuery  # noqa: PLC0415 - same

    client_id = os.environ.get("AZURE_CLIENT_ID") or None
    managed = bool(os.environ.get("IDENTITY_ENDPOINT"))
    credential = credentials.managed_identity(client_id) if managed else credentials.developer()
    if source.ca_bundle and not Path(source.ca_bundle).is_file():
        raise ConfigurationError("the workspace cannot be asked:", [Reason("REQUESTS_CA_BUNDLE", "is no file")])
    query = WorkspaceQuery(credential, source.endpoint, source.id, ca_bundle=source.ca_bundle)
    try:
        yield query
    finally:
        query.close()
