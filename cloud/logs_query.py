"""Queries a Log Analytics workspace. Rows come back typed as the local engine types them (kql/engine.py)."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from cloud.errors import guard, translate
from core.endpoints import PUBLIC_QUERY
from core.errors import CloudError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

Timespan = timedelta | tuple[datetime, datetime]
_TIMESPAN = re.compile(r"(?P<sign>-?)(?:(?P<days>\d+)\.)?(?P<h>\d+):(?P<m>\d+):(?P<s>\d+(?:\.\d+)?)", re.ASCII)
_BAD_REQUEST: Final = 400
_GRACE_SECONDS: Final = 30
_PLACE = re.compile(r"line:position=(\d+):(\d+)", re.ASCII)


class QueryRejectedError(CloudError):
    """The workspace understood us and refuses the query: `line` (from 1) and `column` (from 0) say where, if known."""

    code = "query_rejected"

    def __init__(
        self, operation: str, message: str, *, azure_code: str = "", line: int | None = None, column: int | None = None
    ) -> None:
        where = "" if line is None else f" (line {line}, column {column})"
        super().__init__(operation, message + where, status=_BAD_REQUEST, azure_code=azure_code)
        self.reason = message
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class WorkspaceAnswer:
    """The first table of an answer.

    `columns` are (name, Log Analytics type). `rows` hold Python values: datetime in UTC, timedelta, Decimal, str also
    for guid, and for dynamic what its JSON says. `partial` says why the answer is not whole, or is None.
    """

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Any, ...], ...]
    partial: str | None = None


class WorkspaceQuery:
    """One workspace, by its workspace id (a GUID, not its resource id). Without an endpoint: the public cloud's."""

    def __init__(
        self,
        credential: "TokenCredential",
        endpoint: str | None,
        workspace_id: str,
        *,
        ca_bundle: str | None = None,
        server_timeout_seconds: int = 180,
    ) -> None:
        from azure.monitor.query import LogsQueryClient  # noqa: PLC0415 - only who queries pays for it

        from cloud.query_retries import QueryRetries  # noqa: PLC0415 - same

        tls: dict[str, Any] = {"connection_verify": ca_bundle} if ca_bundle else {}
        # A query is answered when it has run: the connection has to wait longer than the server may take.
        self._client = LogsQueryClient(
            credential,
            endpoint=endpoint or PUBLIC_QUERY,
            retry_policy=QueryRetries(),
            read_timeout=server_timeout_seconds + _GRACE_SECONDS,
            **tls,
        )
        self._workspace_id = workspace_id
        self._server_timeout_seconds = server_timeout_seconds

    def query(self, kql: str, *, timespan: Timespan | None = None) -> WorkspaceAnswer:
        """Answer a query over the rows in `timespan` (None: all). Raises QueryRejectedError, or another CloudError."""
        from azure.core.exceptions import HttpResponseError  # noqa: PLC0415 - loaded with the client
        from azure.monitor.query import LogsQueryPartialResult  # noqa: PLC0415 - same

        operation = f"workspace.query {self._workspace_id}"
        try:
            with guard(operation):
                result = self._client.query_workspace(
                    self._workspace_id, kql, timespan=timespan, server_timeout=self._server_timeout_seconds
                )
        except CloudError as error:
            if error.status == _BAD_REQUEST and isinstance(error.__cause__, HttpResponseError):
                raise _rejected(operation, error.__cause__) from error.__cause__
            raise
        if isinstance(result, LogsQueryPartialResult):
            return _answer(result.partial_data or [], _why_partial(result.partial_error))
        return _answer(result.tables, None)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _why_partial(error: Any) -> str:
    """Read the innermost detail: the error itself only says that there were some errors."""
    if error is None:
        return "the workspace does not say why"
    details = error.details if isinstance(error.details, list) else []
    inner = next((detail for detail in details if isinstance(detail, Mapping)), {})
    while isinstance(inner.get("innererror"), Mapping):
        inner = inner["innererror"]
    return f"{error.code}: {inner.get('message') or error.message}"


def _answer(tables: Iterable[Any], partial: str | None) -> WorkspaceAnswer:
    for table in tables:
        columns = tuple(zip(table.columns, table.columns_types, strict=True))
        kinds = [kind for _, kind in columns]
        rows = tuple(tuple(map(typed, kinds, row)) for row in table.rows)
        return WorkspaceAnswer(columns, rows, partial)
    return WorkspaceAnswer((), (), partial)


def typed(kind: str, value: Any) -> Any:
    """Turn a value as the wire has it into Python's; what does not read as its column's type stays as it is."""
    if value is None or (value == "None" and kind in _NULL_AS_TEXT):
        return None
    convert = _CONVERT.get(kind)
    if convert is None:
        return value
    try:
        return convert(value)
    except (ValueError, TypeError, ArithmeticError):
        return value


def _utc(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _timespan(value: Any) -> Any:
    found = _TIMESPAN.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return value
    length = timedelta(
        days=int(found["days"] or 0), hours=int(found["h"]), minutes=int(found["m"]), seconds=float(found["s"])
    )
    return -length if found["sign"] else length


_NULL_AS_TEXT: Final = frozenset({"timespan", "guid"})
"""The SDK hands out the text "None" for a null of these types."""
_CONVERT: Final[Mapping[str, Callable[[Any], Any]]] = {
    "datetime": _utc,
    "timespan": _timespan,
    "decimal": lambda value: Decimal(str(value)),
    "dynamic": lambda value: json.loads(value) if isinstance(value, str) else value,
    "bool": bool,
    "real": float,  # the wire has "NaN" and "Infinity" as text
}


def _rejected(operation: str, error: Any) -> CloudError:
    """Read the innermost error: the outer ones only say that something inside is wrong."""
    try:
        body = json.loads(error.response.text())["error"]
    except (ValueError, KeyError, TypeError, AttributeError):
        translated = translate(operation, error)
        return translated if isinstance(translated, CloudError) else CloudError(operation, str(translated))
    place: dict[str, Any] = {}
    while isinstance(body.get("innererror"), Mapping):
        body = body["innererror"]
        place = {**place, **{name: body[name] for name in ("line", "pos") if isinstance(body.get(name), int)}}
    message = str(body.get("message") or "no message")
    written = _PLACE.search(message)
    if "line" not in place and written:
        place = {"line": int(written[1]), "pos": int(written[2])}
    return QueryRejectedError(
        operation, message, azure_code=str(body.get("code") or ""), line=place.get("line"), column=place.get("pos")
    )
