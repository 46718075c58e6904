"""Publishing to a custom topic: POST /eventgrid/{topic}/api/events, as https://NAME.REGION.eventgrid.azure.net/api/events.

Custom topics are not resources here. What is published to any name goes to the event subscriptions whose source the
event's subject lies in; filters count. Errors have Azure's envelope; their messages are not recorded ones.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local_azure.faults import AbortConnection
from local_azure.http_faults import play
from local_azure.tokens import claims_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from local_azure.eventgrid.broker import EventGrid
    from local_azure.world import World

OPERATION: Final = "eventGrid.publish"
AUDIENCE: Final = "https://eventgrid.azure.net"
API_VERSION: Final = "2018-01-01"
SEND: Final = "Microsoft.EventGrid/events/send/action"
"""The data action of the role EventGrid Data Sender."""
MAX_BYTES: Final = 1024 * 1024
_NEEDED: Final = ("id", "subject", "eventType", "eventTime", "dataVersion")


class _RefusalError(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.answer = JSONResponse({"error": {"code": code, "message": message}}, status)


def routes(world: World, grid: EventGrid) -> list[Route]:
    """Give the endpoint of one world."""

    async def publish(request: Request) -> Response:
        name = request.path_params["topic"]
        request.scope["operation"] = OPERATION
        fault = world.faults.match(OPERATION, {"name": name})
        if fault is not None:
            await play(fault, {"name": name})
            if fault.status is not None:
                headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
                return JSONResponse({"error": {"code": fault.code, "message": fault.message}}, fault.status, headers)
        try:
            _must_be_allowed(world, request, name)
            events = _events(await request.body())
        except _RefusalError as refusal:
            return refusal.answer
        for event in events:
            grid.publish(event)
        if fault is not None and fault.kind == "lost_response":
            raise AbortConnection
        return Response(status_code=200)

    return [Route("/eventgrid/{topic}/api/events", publish, methods=["POST"])]


def _must_be_allowed(world: World, request: Request, name: str) -> None:
    authorization = request.headers.get("authorization", "")
    scheme, _, token = authorization.partition(" ")
    claims = claims_of(authorization) if scheme.lower() == "bearer" and token.strip() else None
    audience = str((claims or {}).get("aud", AUDIENCE)).rstrip("/")
    if claims is None or audience != AUDIENCE:
        raise _RefusalError(401, "Unauthorized", f"A token for {AUDIENCE} is needed.")
    if not world.authorize(claims, SEND, f"/eventgrid/{name}"):
        raise _RefusalError(403, "Forbidden", f"The principal may not perform '{SEND}' on topic '{name}'.")
    if request.query_params.get("api-version") != API_VERSION:
        raise _RefusalError(400, "BadRequest", f"api-version must be {API_VERSION}.")


def _events(raw: bytes) -> list[dict[str, Any]]:
    if len(raw) > MAX_BYTES:
        raise _RefusalError(413, "PayloadTooLarge", f"{len(raw)} bytes; at most {MAX_BYTES} are taken.")
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise _RefusalError(400, "BadRequest", f"The body is no JSON: {error}") from error
    if not isinstance(body, list) or not all(isinstance(event, dict) for event in body):
        raise _RefusalError(400, "BadRequest", "An array of events is needed.")
    for event in body:
        missing = [name for name in _NEEDED if not isinstance(event.get(name), str) or not event[name]]
        if missing:
            raise _RefusalError(400, "BadRequest", f"An event lacks {', '.join(missing)}.")
    return body
