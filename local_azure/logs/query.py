"""The Log Analytics query API: one query by POST or GET, and a batch of them.

Codes and messages are those recorded or documented (see docs/local-azure-logs.md for what is inferred). A query that
only the local engine cannot run is refused with code LocalEngineUnsupported: it may be right for a workspace.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response
from starlette.routing import Route

from kql.engine import QueryError, ResultTable, Timespan
from local_azure.faults import AbortConnection, Fault
from local_azure.logs import timespan, wire
from local_azure.logs.gate import RefusalError, Window, answer_of, bearer, fault_of, is_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from local_azure.world import World

OPERATION: Final = "query"
AUDIENCES: Final = ("https://api.loganalytics.io", "https://api.loganalytics.azure.com")
READ: Final = "Microsoft.OperationalInsights/workspaces/query/read"
DEFAULT_WAIT_SECONDS: Final = 180.0
LONGEST_WAIT_SECONDS: Final = 600.0
REQUESTS_PER_WINDOW: Final = 200
WINDOW_SECONDS: Final = 30.0
_PREFERENCE: Final = re.compile(r"([\w.-]+)\s*=\s*\"?([\w.]+)\"?")
_USUAL_ERRORS: Final = {
    429: ("ThrottledError", "Rate limit is exceeded"),
    500: ("InternalServerError", "The service could not answer the query"),
    504: ("GatewayTimeout", "Gateway timeout"),
}
_EXPOSED: Final = "Retry-After,Age,WWW-Authenticate,x-resource-identities,x-ms-status-location"


@dataclass(frozen=True, slots=True)
class Asked:
    """One query as it was asked."""

    workspace: str
    query: str
    timespan: Timespan | None
    wait_seconds: float = DEFAULT_WAIT_SECONDS
    statistics: bool = False
    render: bool = False


def routes(world: World) -> list[Route]:
    """Give the query endpoints of one world."""
    endpoint = Queries(world)
    return [
        Route("/v1/workspaces/{workspace}/query", endpoint.one, methods=["GET", "POST"]),
        Route("/v1/$batch", endpoint.batch, methods=["POST"]),
    ]


class Queries:
    """The endpoints of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._window = Window(REQUESTS_PER_WINDOW, WINDOW_SECONDS)

    async def one(self, request: Request) -> Response:
        """Answer one query."""
        workspace = request.path_params["workspace"]
        fault = await fault_of(self._world, request, OPERATION, {"name": workspace})
        correlation_id = str(uuid.uuid4())
        try:
            claims = self._admit(request, fault)
            sent = dict(request.query_params) if request.method == "GET" else _object(await request.body())
            asked = read(workspace, sent, request.headers.get("prefer", ""))
            status, body = await self._answer(asked, claims, fault, correlation_id)
        except RefusalError as refusal:
            return _refused(refusal, correlation_id)
        if fault is not None and fault.kind == "lost_response":
            raise AbortConnection
        return _json(status, body)

    async def batch(self, request: Request) -> Response:
        """Answer many; each has a status of its own, and the first comes last, as it was recorded."""
        fault = await fault_of(self._world, request, OPERATION, {"name": "$batch"})
        correlation_id = str(uuid.uuid4())
        try:
            claims = self._admit(request, fault)
            items = _object(await request.body()).get("requests")
            if not isinstance(items, list) or not all(isinstance(item, dict) and "id" in item for item in items):
                raise _bad("'requests' must be an array of objects, each with an id")
            answers = await asyncio.gather(*(self._item(item, claims, fault) for item in items))
        except RefusalError as refusal:
            return _refused(refusal, correlation_id)
        if fault is not None and fault.kind == "lost_response":
            raise AbortConnection
        return _json(200, {"responses": [*answers[1:], *answers[:1]]})

    async def _item(self, item: Mapping[str, Any], claims: Mapping[str, Any], fault: Fault | None) -> wire.Json:
        correlation_id = str(uuid.uuid4())
        try:
            sent, headers = item.get("body"), item.get("headers")
            prefer = str(headers.get("Prefer") or headers.get("prefer") or "") if isinstance(headers, dict) else ""
            asked = read(str(item.get("workspace", "")), sent if isinstance(sent, dict) else {}, prefer)
            status, body = await self._answer(asked, claims, fault, correlation_id)
        except RefusalError as refusal:
            body = wire.error(refusal.code, refusal.message, correlation_id, refusal.inner)
            status = refusal.status
        return {"id": item["id"], "status": status, "body": body}

    def _admit(self, request: Request, fault: Fault | None) -> Mapping[str, Any]:
        claims = bearer(request)
        if claims is None:
            text = "Authentication failed. The 'Authorization' header is missing."
            raise RefusalError(401, "AuthenticationFailed", text)
        own = f"{request.url.scheme}://{request.headers.get('host', '')}"
        if not is_for(claims, (*AUDIENCES, own)):
            allowed = ",".join(f"'{name}'" for name in AUDIENCES)
            text = (
                f"The access token has been obtained from wrong audience or resource '{claims.get('aud')}'. "
                f"It should exactly match (including forward slash) with one of the allowed audiences {allowed}."
            )
            raise RefusalError(403, "InvalidAuthenticationTokenAudience", text)
        refusal = answer_of(fault, _USUAL_ERRORS) if fault is not None else None
        if refusal is not None:
            raise refusal
        wait = self._window.take(time.monotonic()) if self._world.settings.throttling else None
        if wait is not None:
            raise RefusalError(429, *_USUAL_ERRORS[429], retry_after_seconds=wait)
        return claims

    async def _answer(
        self, asked: Asked, claims: Mapping[str, Any], fault: Fault | None, correlation_id: str
    ) -> tuple[int, wire.Json]:
        if asked.workspace.lower() != self._world.settings.workspace_id.lower():
            raise RefusalError(404, "WorkspaceNotFoundError", f"The workspace '{asked.workspace}' could not be found.")
        if not self._world.authorize(claims, READ, f"/workspaces/{asked.workspace}"):
            text = "The provided credentials have insufficient access to perform the requested operation"
            raise RefusalError(403, "InsufficientAccessError", text)
        began = time.perf_counter()
        try:
            result = await asyncio.to_thread(self._run, asked)
            body = await asyncio.to_thread(wire.tables, result)
        except QueryError as problem:
            return wire.refusal(problem, correlation_id)
        if asked.render:
            body["render"] = wire.render(asked.query)
        if asked.statistics:
            body["statistics"] = wire.statistics(time.perf_counter() - began, result)
        if fault is not None and fault.kind == "partial":
            body["error"] = wire.partial_error(fault.message or "The query was aborted on one of the nodes.")
        return 200, body

    def _run(self, asked: Asked) -> ResultTable:
        engine = self._world.logs.engine
        answer: ResultTable = engine.query(
            asked.query, timespan=asked.timespan, now=self._world.now(), timeout_seconds=asked.wait_seconds
        )
        return answer


def read(workspace: str, sent: Mapping[str, Any], prefer: str) -> Asked:
    """Read a request's body (or GET parameters) and its Prefer header. Raises RefusalError."""
    query = sent.get("query")
    if not isinstance(query, str):
        raise _bad("'query' is required and must be a string")
    others = sent.get("workspaces") or []
    if not isinstance(others, list) or any(str(other).lower() != workspace.lower() for other in others):
        raise _bad("'workspaces' names others than the one workspace that the local Azure has")
    try:
        span = timespan.parse(str(sent["timespan"])) if sent.get("timespan") else None
    except (ValueError, OverflowError) as error:
        raise _bad(f"'timespan': {error}") from error
    preferences = {name.lower(): value.lower() for name, value in _PREFERENCE.findall(prefer)}
    wait = preferences.get("wait", "")
    seconds = float(wait) if wait.isdigit() and int(wait) else DEFAULT_WAIT_SECONDS
    return Asked(
        workspace,
        query,
        span,
        wait_seconds=min(seconds, LONGEST_WAIT_SECONDS),
        statistics=preferences.get("include-statistics") == "true",
        render=preferences.get("include-render") == "true",
    )


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _bad(f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise _bad("the body must be an object")
    return value


def _bad(reason: str) -> RefusalError:
    inner = {"code": "InvalidProperty", "message": reason}
    return RefusalError(400, "BadArgumentError", "The request had some invalid properties", inner=inner)


def _refused(refusal: RefusalError, correlation_id: str) -> Response:
    body = wire.error(refusal.code, refusal.message, correlation_id, refusal.inner)
    challenge = {"WWW-Authenticate": 'Bearer realm="local"'} if refusal.status == 401 else {}  # noqa: PLR2004 - HTTP
    return _json(refusal.status, body, {**challenge, **refusal.headers})


def _json(status: int, body: wire.Json, headers: Mapping[str, str] | None = None) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    shown = {"Access-Control-Expose-Headers": _EXPOSED, "Via": "1.1 local-azure", **(headers or {})}
    return Response(text, status, shown, media_type="application/json; charset=utf-8")
