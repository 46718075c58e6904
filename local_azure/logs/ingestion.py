"""The Logs Ingestion API: POST /dataCollectionRules/{immutable id}/streams/{stream}.

204 means accepted, not stored. As recorded and reported of the real one, a body that is gzipped twice and JSON that is
no array are answered with 204 and lead to no row. Where Azure's own message is known it is used; codes that are only
inferred: InvalidStream, MissingApiVersion, the two about the body.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
import zlib
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local_azure.faults import AbortConnection, Fault
from local_azure.logs.gate import RefusalError, Window, answer_of, bearer, fault_of, is_for
from local_azure.logs.store import STREAMS, Stream

if TYPE_CHECKING:
    from starlette.requests import Request

    from local_azure.world import World

OPERATION: Final = "ingestion"
AUDIENCES: Final = ("https://monitor.azure.com",)
WRITE: Final = "Microsoft.Insights/Telemetry/Write"
"""The data action of the role Monitoring Metrics Publisher."""
MAX_BYTES: Final = 1024 * 1024
"""Limit of one call, for what is sent and for what it unpacks to."""
REQUESTS_PER_MINUTE: Final = 12_000
BYTES_PER_MINUTE: Final = 2 * 1024**3
_GZIP: Final = b"\x1f\x8b"
_API_VERSIONS: Final = ("2023-01-01", "2021-11-01-preview")


def routes(world: World) -> list[Route]:
    """Give the ingestion endpoint of one world."""
    endpoint = Ingestion(world)
    return [Route("/dataCollectionRules/{rule}/streams/{stream}", endpoint.upload, methods=["POST"])]


class Ingestion:
    """The endpoint of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._requests = Window(REQUESTS_PER_MINUTE, 60.0)
        self._bytes = Window(BYTES_PER_MINUTE, 60.0)

    async def upload(self, request: Request) -> Response:
        """Take an upload: 204, or an error with its code in the body and in x-ms-error-code."""
        detail = {"name": request.path_params["rule"], "stream": request.path_params["stream"]}
        fault = await fault_of(self._world, request, OPERATION, detail)
        headers = {"Server": "Microsoft-HTTPAPI/2.0", "x-ms-request-id": str(uuid.uuid4())}
        if client_request_id := request.headers.get("x-ms-client-request-id"):
            headers["x-ms-client-request-id"] = client_request_id
        try:
            await self._take(request, fault)
        except RefusalError as refusal:
            return _error(refusal, headers)
        if fault is not None and fault.kind == "lost_response":
            raise AbortConnection
        return Response(status_code=204, headers=headers)

    async def _take(self, request: Request, fault: Fault | None) -> None:
        stream, raw = await self._checked(request, fault)
        rows = parse(unpack(raw, request.headers.get("content-encoding", "")))
        store = self._world.logs
        store.counts["uploads"] += 1
        if rows is None or (fault is not None and fault.kind == "drop"):
            store.counts["uploads_lost"] += 1
            return
        delay = store.latency_seconds * self._world.settings.time_scale
        await asyncio.to_thread(store.upload, stream, rows, received=self._world.now(), delay_seconds=delay)

    async def _checked(self, request: Request, fault: Fault | None) -> tuple[Stream, bytes]:
        """Go through everything that can be refused before the body is looked into."""
        rule, stream = request.path_params["rule"], request.path_params["stream"]
        claims = bearer(request)
        if claims is None or not is_for(claims, AUDIENCES):
            raise RefusalError(
                401, "AuthenticationTokenInvalid", "The authentication token is missing or not valid here."
            )
        refusal = answer_of(fault, _usual_errors(rule)) if fault is not None else None
        if refusal is not None:
            raise refusal
        if request.query_params.get("api-version") not in _API_VERSIONS:
            raise RefusalError(400, "MissingApiVersion", f"api-version must be one of {', '.join(_API_VERSIONS)}.")
        raw = await request.body()
        if len(raw) > MAX_BYTES:
            raise _too_large(len(raw))
        self._throttle(len(raw))
        if rule.lower() != self._world.settings.dcr_immutable_id.lower():
            raise RefusalError(404, "NotFound", f"Data collection rule with immutable Id '{rule}' not found.")
        if not self._world.authorize(claims, WRITE, f"/dataCollectionRules/{rule}"):
            raise RefusalError(403, "OperationFailed", _no_access(rule))
        if stream not in STREAMS:
            raise RefusalError(
                404, "InvalidStream", f"Stream '{stream}' is not declared in data collection rule '{rule}'."
            )
        return STREAMS[stream], raw

    def _throttle(self, size: int) -> None:
        if not self._world.settings.throttling:
            return
        now = time.monotonic()
        for window, amount in ((self._requests, 1), (self._bytes, size)):
            wait = window.take(now, amount)
            if wait is not None:
                raise RefusalError(
                    429,
                    "TooManyRequests",
                    "The limit of the data collection rule is reached.",
                    retry_after_seconds=wait,
                )


def unpack(raw: bytes, encoding: str) -> bytes:
    """Undo the content encoding, never to more than the limit. Raises RefusalError."""
    if encoding.lower() in ("", "identity"):
        return raw
    if encoding.lower() != "gzip":
        raise RefusalError(
            415, "UnsupportedContentEncoding", f"Content-Encoding '{encoding}' is not supported; use gzip."
        )
    unpacker = zlib.decompressobj(wbits=31)
    try:
        text = unpacker.decompress(raw, MAX_BYTES + 1)
    except zlib.error as error:
        raise RefusalError(400, "InvalidRequestContent", f"The content is not gzip: {error}") from error
    if len(text) > MAX_BYTES:
        raise _too_large(len(text))
    if not unpacker.eof:
        raise RefusalError(400, "InvalidRequestContent", "The gzip content ends too early.")
    return text


def parse(text: bytes) -> list[Any] | None:
    """Read the rows. None when Azure would accept the upload and store nothing. Raises RefusalError."""
    if text.startswith(_GZIP):
        return None
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise RefusalError(400, "InvalidRequestContent", f"The content is not valid JSON: {error}") from error
    return value if isinstance(value, list) else None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _usual_errors(rule: str) -> dict[int, tuple[str, str]]:
    return {
        403: ("OperationFailed", _no_access(rule)),
        413: ("ContentLengthLimitExceeded", f"Maximum allowed content length: {MAX_BYTES} bytes (1 MB)."),
        429: ("TooManyRequests", "The limit of the data collection rule is reached."),
    }


def _no_access(rule: str) -> str:
    return (
        "The authentication token provided does not have access to ingest data for the data collection rule with "
        f"immutable Id '{rule}'."
    )


def _too_large(size: int) -> RefusalError:
    message = f"Maximum allowed content length: {MAX_BYTES} bytes (1 MB). Provided content length: {size} bytes."
    return RefusalError(413, "ContentLengthLimitExceeded", message)


def _error(refusal: RefusalError, headers: dict[str, str]) -> Response:
    headers = {**headers, **refusal.headers, "x-ms-error-code": refusal.code}
    body = {"error": {"code": refusal.code, "message": refusal.message}}
    return JSONResponse(body, refusal.status, headers)
