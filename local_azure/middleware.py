"""The outermost layer: logs every request, and resets or silences connections when a fault says so."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Any

from local_azure.faults import AbortConnection, NeverAnswer
from local_azure.tokens import claims_of
from local_azure.world import RequestRecord, World

if TYPE_CHECKING:
    import asyncio

    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Front:
    """Wraps an application. `release()` ends the requests that are never answered, so that a server can stop."""

    def __init__(self, world: World, app: ASGIApp) -> None:
        self._world = world
        self._app = app
        self._silent: set[asyncio.Transport] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            return
        logged = False

        async def counted(message: Message) -> None:
            nonlocal logged
            if message["type"] == "http.response.start":
                # Before it is sent: who has the answer finds the request counted.
                logged = True
                self._log(scope, message["status"])
            await send(message)

        try:
            await self._app(scope, receive, counted)
        except AbortConnection:
            if not logged:
                logged = True
                self._log(scope, 0)
            await abort(_transport(send), receive)
        except NeverAnswer:
            logged = True
            self._log(scope, 0)
            await self._stay_silent(_transport(send), receive)
        finally:
            if not logged:
                self._log(scope, 0)

    def release(self) -> None:
        """End the requests that are kept without an answer."""
        for transport in list(self._silent):
            transport.abort()

    async def _stay_silent(self, transport: asyncio.Transport, receive: Receive) -> None:
        self._silent.add(transport)
        try:
            await _disconnected(receive)
        finally:
            self._silent.discard(transport)

    def _log(self, scope: Scope, status: int) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        claims = claims_of(headers.get(b"authorization", ""))
        path = scope["raw_path"].decode("latin-1")
        if path.startswith("/_local/"):
            return
        self._world.requests.append(
            RequestRecord(
                time=self._world.now(),
                method=scope["method"],
                path=path,
                operation=scope.get("operation") or f"other.{scope['method']}",
                status=status,
                user_agent=headers.get(b"user-agent", ""),
                client_request_id=headers.get(b"x-ms-client-request-id", ""),
                principal=str(claims.get("oid", "")),
            )
        )


def _transport(send: Any) -> asyncio.Transport:
    """Give the connection under an ASGI send: uvicorn's is a bound method of its request cycle, which knows it."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise RuntimeError("faults that reset a connection need uvicorn: its `send` no longer leads to the transport")
    return transport  # type: ignore[no-any-return]  # uvicorn's attribute is untyped from here


async def abort(transport: asyncio.Transport, receive: Receive) -> None:
    """Reset a connection: RST instead of FIN, nothing more is sent, no close_notify."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        # Closing with a zero linger time is what makes the kernel send RST.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await _disconnected(receive)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
