"""Answers a workbook's requests: KQL by an engine, literal JSON here, all else with a word why there is no answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from kql.engine import Place, QueryError, ResultColumn, ResultTable
from workbooks import substitute_time
from workbooks.model import QueryType

if TYPE_CHECKING:
    from collections.abc import Callable

    from kql.duckdb_engine import DuckDbEngine
    from kql.engine import KqlType, Stop, Timespan
    from kql.workspace_engine import WorkspaceEngine
    from workbooks.resolve import Request

    Ask = Callable[[str, Timespan | None, datetime, Stop], ResultTable]
    """Answers KQL over a timespan as of an instant, until it is stopped. Raises QueryError."""

TIMEOUT_SECONDS: Final = 60.0
MOST_ROWS: Final = 50_000
"""Of one answer; no visualization shows more than 10,000, and a download says where it was cut."""

_ELSEWHERE: Final = {
    QueryType.RESOURCE_GRAPH: "Azure Resource Graph",
    QueryType.PARAMETERS: "parameters as data",
    QueryType.ALERTS: "alerts",
    QueryType.HEALTH: "resource health",
    QueryType.CUSTOM_PROVIDER: "a custom resource provider",
    QueryType.MERGE: "merged results",
    QueryType.DATA_EXPLORER: "Azure Data Explorer",
    QueryType.CUSTOM_ENDPOINT: "a custom endpoint",
    QueryType.RESOURCE_MANAGER: "Azure Resource Manager",
    QueryType.CHANGES: "change analysis",
    QueryType.GRAPH_API: "Microsoft Graph",
    QueryType.PROMETHEUS: "Prometheus",
    QueryType.SAMPLE: "sample data",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request has no answer. `unsupported` is nobody's fault: only the portal can answer it.

    `place` and `query` are set where the query itself is at fault.
    """

    message: str
    unsupported: bool = False
    place: Place | None = None
    query: str = ""

    def __str__(self) -> str:
        return self.message


Answer = ResultTable | Problem


def over_files(engine: DuckDbEngine, timeout_seconds: float = TIMEOUT_SECONDS) -> Ask:
    """Ask rows on this machine."""

    def ask(kql: str, timespan: Timespan | None, now: datetime, stop: Stop) -> ResultTable:
        return engine.query(
            kql, timespan=timespan, now=now, stop=stop, timeout_seconds=timeout_seconds, max_rows=MOST_ROWS
        )

    return ask


def over_workspace(engine: WorkspaceEngine) -> Ask:
    """Ask a workspace, whose now() is the real time; what was sent to it cannot be stopped."""

    def ask(kql: str, timespan: Timespan | None, _now: datetime, _stop: Stop) -> ResultTable:
        return engine.query(kql, timespan=timespan)

    return ask


def answered_here(kind: QueryType) -> bool:
    """Tell whether requests of this kind can be answered outside the portal."""
    return kind in {QueryType.LOGS, QueryType.JSON}


def elsewhere(kind: QueryType) -> str:
    """Name who would have to answer a request of this kind."""
    return _ELSEWHERE.get(kind, "a data source that is not known")


def answer(request: Request, ask: Ask, now: datetime, stop: Stop) -> Answer:
    """Answer one request; never raises what a query can cause."""
    if request.query_type is QueryType.JSON:
        return from_json(request.query)
    if request.query_type is not QueryType.LOGS:
        return Problem(f"{elsewhere(request.query_type)} is queried in the portal alone", unsupported=True)
    timespan = substitute_time.bounds(request.time, now) if request.time else None
    try:
        return ask(request.query, timespan, now, stop)
    except QueryError as error:
        return Problem(f"{error.kind}: {error.message}", error.kind == "unsupported", error.place, request.query)


def from_json(text: str) -> Answer:
    """Read the rows of a JSON query: `{"version": "1.0.0", "content": "[…]"}`, whose content is text or a value."""
    try:
        given = json.loads(text)
        content = given.get("content") if isinstance(given, dict) and "content" in given else given
        rows = json.loads(content) if isinstance(content, str) else content
    except ValueError as error:
        return Problem(f"the JSON data cannot be read: {error}")
    if isinstance(given, dict) and given.get("transformers"):
        return Problem("JSON data with transformers is read in the portal alone", unsupported=True)
    members = rows if isinstance(rows, list) else [rows]
    table = [row if isinstance(row, dict) else {"value": row} for row in members]
    names = list(dict.fromkeys(name for row in table for name in row))
    columns = tuple(ResultColumn(name, _type_of([row.get(name) for row in table])) for name in names)
    return ResultTable(columns, tuple(tuple(_cell(row.get(name)) for name in names) for row in table))


def _type_of(values: list[Any]) -> KqlType:
    present = [value for value in values if value is not None]
    if present and all(isinstance(value, bool) for value in present):
        return "bool"
    if present and all(isinstance(value, int | float) and not isinstance(value, bool) for value in present):
        return "long" if all(isinstance(value, int) for value in present) else "real"
    if present and all(isinstance(value, str) and _is_time(value) for value in present):
        return "datetime"
    return "dynamic" if any(isinstance(value, list | dict) for value in present) else "string"


def _is_time(text: str) -> bool:
    try:
        return "T" in text and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _cell(value: Any) -> Any:
    return datetime.fromisoformat(value) if isinstance(value, str) and _is_time(value) else value
