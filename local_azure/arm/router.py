"""ARM's front door: authentication, api-versions, rate limits, faults, and the way to who answers."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from local_azure import tokens
from local_azure.arm import rates, resource_groups
from local_azure.arm.call import ArmError, Call, Reply, gateway_error, invalid_content
from local_azure.arm.events import action_name, emit
from local_azure.arm.paths import ArmPath, parse
from local_azure.arm.routes import ROUTES, Route
from local_azure.faults import AbortConnection, Fault
from local_azure.http_faults import fault_error, play

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from local_azure.world import World

_DATED = re.compile(r"^20(1[4-9]|2[0-9])-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(-preview)?$")
_WRITES = ("PUT", "PATCH", "POST", "DELETE")
# Failures that a provider reports about a write; what the front door refuses is no event.
_PROVIDER_FAILURES = (400, 409, 412, 500, 503)
MAX_BODY = 4 << 20


class ArmApp:
    """The ASGI application for everything under management.azure.com."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = await _read(receive)
        call = _call(self._world, scope, body[:MAX_BODY])
        try:
            if len(body) > MAX_BODY:
                raise _too_large()
            reply = await self._answer(call, scope, body)
        except ArmError as error:
            reply = error.reply()
        headers = {
            "x-ms-request-id": call.correlation_id,
            "x-ms-correlation-request-id": call.correlation_id,
            "x-ms-routing-request-id": f"LOCAL:{call.correlation_id}",
            "Cache-Control": "no-cache",
            **reply.headers,
        }
        await _send(send, reply, headers)

    async def _answer(self, call: Call, scope: Scope, body: bytes) -> Reply:
        route = ROUTES.get(call.path.key, {}).get(call.method)
        scope["operation"] = route.operation if route else f"arm.{call.method}"
        _authenticate(call)
        fault = self._world.faults.match(scope["operation"], _detail(call))
        if fault:
            await play(fault, _detail(call))
            if fault.status is not None:
                raise fault_error(fault, wrapped=not _is_dns(call.path))
        if fault and fault.kind == "fail_operation":
            call = _with_fault(call, fault)
        reply = self._handle(call, route, body)
        if fault and fault.kind == "lost_response":
            raise AbortConnection
        return reply

    def _handle(self, call: Call, route: Route | None, raw: bytes) -> Reply:
        check_version(call)
        limits = rates.meter(call, enforce=self._world.settings.throttling) if call.path.subscription else {}
        if route is None:
            raise _no_route(call)
        if not self._world.authorize(call.claims, action_name(call), call.path.id):
            raise _forbidden(call)
        if raw and call.body is None:
            raise invalid_content("The request content was invalid and could not be deserialized: it is not JSON.")
        if call.path.resource_group and call.path.provider:
            resource_groups.ensure(self._world, call.path.scope)
        try:
            reply = route.handler(call)
        except ArmError as error:
            if call.method in _WRITES and error.status in _PROVIDER_FAILURES:
                emit(call, "Failure")
            if "x-ms-failure-cause" not in error.headers:
                error.headers.update(limits)
            raise
        if reply.emits and call.method in _WRITES and reply.status < HTTPStatus.BAD_REQUEST:
            emit(call, "Success")
        reply.headers.update(limits)
        return reply


async def _read(receive: Receive) -> bytes:
    """Read a body; of one that is too large only so much that this can be told."""
    chunks: list[bytes] = []
    size = 0
    while size <= MAX_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if not message.get("more_body"):
            break
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


def _call(world: World, scope: Scope, body: bytes) -> Call:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    text = scope["query_string"].decode("latin-1")
    query = {key.lower(): value for key, value in parse_qsl(text, keep_blank_values=True)}
    base = f"{scope['scheme']}://{headers.get('host', 'localhost')}"
    raw = scope["raw_path"].decode("latin-1")
    return Call(
        world=world,
        method=scope["method"],
        path=parse(raw),
        query=query,
        headers=headers,
        body=_json(body),
        base=base,
        url=f"{base}{raw}" + (f"?{text}" if text else ""),
        claims=tokens.claims_of(headers.get("authorization", "")),
        correlation_id=headers.get("x-ms-correlation-request-id") or world.new_uuid(),
        client_request_id=headers.get("x-ms-client-request-id", ""),
    )


def _with_fault(call: Call, fault: Fault) -> Call:
    return Call(**{**call.__dict__, "operation_fault": fault})


async def _send(send: Send, reply: Reply, headers: dict[str, str]) -> None:
    body = reply.encoded()
    wire = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    if reply.status != HTTPStatus.NO_CONTENT:
        wire.append((b"Content-Length", str(len(body)).encode()))
    if body:
        wire.append((b"Content-Type", b"application/json; charset=utf-8"))
    await send({"type": "http.response.start", "status": reply.status, "headers": wire})
    await send({"type": "http.response.body", "body": body})


def _detail(call: Call) -> dict[str, str]:
    """Give what the `where` of a fault rule can ask of a request."""
    path = call.path
    is_zone = path.types[:1] == ("privateDnsZones",) and path.names
    return {
        "type": path.types[-1] if path.types else "",
        "name": path.name,
        "zone": path.names[0] if is_zone else "",
        "resource_group": path.resource_group,
        "subscription": path.subscription,
        "method": call.method,
        "path": path.raw,
        "user_agent": call.headers.get("user-agent", ""),
    }


def _is_dns(path: ArmPath) -> bool:
    return path.types[:1] == ("privateDnsZones",)


def _authenticate(call: Call) -> None:
    """Any bearer will do; none will not."""
    if call.headers.get("authorization", "").lower().startswith("bearer "):
        return
    text = "The authentication failed because of missing 'Authorization' header."
    raise ArmError(
        401,
        "AuthenticationFailed",
        "Authentication failed. The 'Authorization' header is missing.",
        headers={
            "x-ms-failure-cause": "gateway",
            "WWW-Authenticate": f'Bearer authorization_uri="{call.base}/{call.world.settings.tenant_id}", '
            f'error="invalid_token", error_description="{text}"',
        },
    )


def check_version(call: Call) -> None:
    """Check that there is an api-version and that Azure knows it. Raises ArmError 400."""
    version, path = call.api_version, call.path
    if not version:
        raise gateway_error(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if not _DATED.match(version.lower()):
        raise gateway_error(400, "InvalidApiVersionParameter", f"The api-version '{version}' is invalid.")
    known = resource_groups.DNS_VERSIONS
    if _is_dns(path) and version not in known:
        raise gateway_error(
            400,
            "NoRegisteredProviderFound",
            f"No registered resource provider found for location 'global' and API version '{version}' for type "
            f"'{'/'.join(path.types)}'. The supported api-versions are '{', '.join(known)}'. "
            "The supported locations are 'global'.",
        )


def _too_large() -> ArmError:
    return gateway_error(
        413, "RequestContentTooLarge", f"The request content size exceeds the maximum size of {MAX_BODY >> 20} MB."
    )


def _no_route(call: Call) -> ArmError:
    path = call.path
    if path.key in ROUTES:
        return gateway_error(
            405, "MethodNotAllowed", f"The requested resource does not support http method '{call.method}'."
        )
    if path.provider:
        return gateway_error(
            404,
            "InvalidResourceType",
            f"The resource type '{'/'.join(path.types)}' could not be found in the namespace '{path.provider}' for api "
            f"version '{call.api_version}'.",
        )
    return gateway_error(404, "NotFound", f"No HTTP resource was found that matches the request URI '{call.url}'.")


def _forbidden(call: Call) -> ArmError:
    client, oid = call.claims.get("appid", ""), call.claims.get("oid", "")
    return gateway_error(
        403,
        "AuthorizationFailed",
        f"The client '{client}' with object id '{oid}' does not have authorization to perform action "
        f"'{action_name(call)}' over scope '{call.path.id}' or the scope is invalid. If access was recently granted, "
        "please refresh your credentials.",
    )
