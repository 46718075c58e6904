"""What the query API puts on the wire: tables, statistics, render information, errors. Pure."""

from __future__ import annotations

import json
import math
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kql.engine import KqlType, QueryError, ResultTable

Json = dict[str, Any]
_RENDER: Final = re.compile(r"\|\s*render\s+(\w+)(?:\s+(?:with\s*)?\(([^)]*)\))?", re.IGNORECASE)
_PROPERTY: Final = re.compile(r"(\w+)\s*=\s*(\"[^\"]*\"|'[^']*'|[^,]+)")
_RENDER_KEYS: Final = (
    *("title", "accumulate", "isQuerySorted", "kind", "annotation", "by", "legend", "xColumn", "yColumns"),
    *("series", "xTitle", "yTitle", "xAxis", "yAxis", "anomalyColumns", "ymin", "ymax", "xmin", "xmax"),
)


def tables(result: ResultTable) -> Json:
    """Give the answer's body: one table, and PartialError when the result was cut."""
    columns = [{"name": column.name, "type": column.type} for column in result.columns]
    writers = [_WRITERS.get(column.type, _plain) for column in result.columns]
    rows = [
        [None if value is None else write(value) for write, value in zip(writers, row, strict=True)]
        for row in result.rows
    ]
    body: Json = {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]}
    if result.truncated_at is not None:
        body["error"] = partial_error(
            f"Query result set has exceeded the internal record count limit {result.truncated_at} "
            "(E_QUERY_RESULT_SET_TOO_LARGE; see https://aka.ms/kustoquerylimits)"
        )
    return body


def partial_error(message: str) -> Json:
    """Give the error that stands beside the tables of an answer that is not whole (HTTP 200)."""
    inner = {"code": "-2133196797", "message": message, "severity": 2, "severityName": "Error"}
    detail = {"code": "EngineError", "message": "Something went wrong processing your query on the server."}
    return {
        "code": "PartialError",
        "message": "There were some errors when processing your query.",
        "details": [{**detail, "innererror": inner}],
    }


def error(code: str, message: str, correlation_id: str, inner: Json | None = None) -> Json:
    """Give the body of a refusal."""
    stated: Json = {"message": message, "code": code, "correlationId": correlation_id}
    return {"error": {**stated, "innererror": inner} if inner else stated}


def refusal(problem: QueryError, correlation_id: str) -> tuple[int, Json]:
    """Status and body for a query that cannot be answered."""
    if problem.kind == "timeout":
        return 504, error("GatewayTimeout", f"Gateway timeout: {problem.message}.", correlation_id)
    if problem.kind == "service":
        return 500, error("InternalServerError", problem.message, correlation_id)
    inner = {"syntax": _syntax, "semantic": _semantic, "unsupported": _unsupported}[problem.kind](problem)
    return 400, error("BadArgumentError", "The request had some invalid properties", correlation_id, inner)


def _place(problem: QueryError) -> Json:
    if problem.place is None:
        return {}
    return {"line": problem.place.line, "pos": problem.place.column, "token": problem.place.token}


def _syntax(problem: QueryError) -> Json:
    if problem.code == "SYN0001":
        where = f" [line:position={problem.line}:{problem.column}]"
        text = f"Request is invalid and cannot be processed: Syntax error: SYN0001: {problem.message}{where}"
        return {"code": "SyntaxError", "message": text}
    inner = {"code": problem.code, "message": problem.message, **_place(problem)}
    return {"code": "SyntaxError", "message": "A recognition error occurred in the query.", "innererror": inner}


def _semantic(problem: QueryError) -> Json:
    inner = {"code": problem.code, "message": problem.message}
    return {"code": "SemanticError", "message": "A semantic error occurred.", "innererror": inner}


def _unsupported(problem: QueryError) -> Json:
    text = "The local Azure cannot run this query; a real workspace may. This is a limit of the local engine."
    inner = {"code": "LocalEngineUnsupported", "message": problem.message, **_place(problem)}
    return {"code": "LocalEngineUnsupported", "message": text, "innererror": inner}


def render(kql: str) -> Json:
    """Tell what the query's last `render` asks for; a table when there is none."""
    found = list(_RENDER.finditer(kql))
    shown: Json = {"visualization": "table", **dict.fromkeys(_RENDER_KEYS)}
    shown.update({"accumulate": False, "isQuerySorted": False})
    if found:
        shown["visualization"] = found[-1].group(1).lower()
        names = {name.lower(): name for name in _RENDER_KEYS}
        for name, value in _PROPERTY.findall(found[-1].group(2) or ""):
            if name.lower() in names:
                shown[names[name.lower()]] = value.strip().strip("\"'")
    return shown


def statistics(seconds: float, result: ResultTable) -> Json:
    """Query statistics: the time is real, resource numbers that DuckDB does not tell are zero."""
    hits = {"hits": 0, "misses": 0, "total": 0}
    cpu = {"user": "00:00:00", "kernel": "00:00:00", "total cpu": _timespan(timedelta(seconds=seconds))}
    return {
        "query": {
            "executionTime": round(seconds, 7),
            "resourceUsage": {
                "cache": {"memory": hits, "disk": hits},
                "cpu": cpu,
                "memory": {"peak_per_node": 0},
            },
            "datasetStatistics": [{"table_row_count": len(result), "table_size": 0}],
        }
    }


def _plain(value: Any) -> Any:
    return value


def _datetime(value: datetime) -> str:
    text = value.replace(tzinfo=None).isoformat(timespec="microseconds")
    return f"{text.rstrip('0').rstrip('.')}Z"


def _timespan(value: timedelta) -> str:
    sign = "-" if value < timedelta() else ""
    rest = abs(value)
    minutes, seconds = divmod(rest.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days = f"{rest.days}." if rest.days else ""
    ticks = f".{rest.microseconds:06d}0" if rest.microseconds else ""
    return f"{sign}{days}{hours:02d}:{minutes:02d}:{seconds:02d}{ticks}"


def _real(value: float) -> Any:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _dynamic(value: Any) -> Any:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


_WRITERS: Final[Mapping[KqlType, Callable[[Any], Any]]] = {
    "datetime": _datetime,
    "timespan": _timespan,
    "real": _real,
    "decimal": str,
    "dynamic": _dynamic,
}
