"""A port for each vantage, behind which a server is asked from the vantage's own address: what a NAT gateway does.

Servers that tell their clients apart by source address listen on one address; a client that cannot choose its source
asks here. Every byte passes as it is, by UDP and TCP.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Final, Self, cast

from local_azure.dns.server import RECEIVE_BYTES
from local_azure.peers.process import Endpoint
from local_azure.peers.situations import Vantage

_HERE: Final = "127.0.0.1"
_CHUNK: Final = 65_536
_BIND_TRIES: Final = 16


class Gateway:
    """Runs in a thread of its own. `routes` are what is asked for each vantage, and from where."""

    def __init__(self, routes: Mapping[Vantage, Endpoint]) -> None:
        self._routes = dict(routes)
        self._ports: dict[Vantage, int] = {}
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dns-gateway", daemon=True)

    def endpoint(self, vantage: Vantage) -> Endpoint:
        """Give where a client of this vantage asks."""
        return Endpoint(_HERE, self._ports[vantage])

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()
            self._ready.set()

    async def _serve(self) -> None:
        doors = [_Door(route) for route in self._routes.values()]
        try:
            for vantage, door in zip(self._routes, doors, strict=True):
                self._ports[vantage] = await door.open()
            self._ready.set()
            await self._stop.wait()
        finally:
            for door in doors:
                await door.close()
            await asyncio.sleep(0)  # the transports close themselves on the loop's next turn


class _Door(asyncio.DatagramProtocol):
    """One port, UDP and TCP."""

    def __init__(self, route: Endpoint) -> None:
        self._route = route
        self._stack = ExitStack()
        self._sockets: dict[tuple[str, int], socket.socket] = {}
        self._streams: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport

    async def open(self) -> int:
        loop = asyncio.get_running_loop()
        for left in reversed(range(_BIND_TRIES)):
            tcp = await asyncio.start_server(self._stream, _HERE, 0)
            port: int = tcp.sockets[0].getsockname()[1]
            try:
                await loop.create_datagram_endpoint(lambda: self, (_HERE, port))
            except OSError:
                tcp.close()  # the port is free for TCP and taken for UDP: take another
                if left == 0:
                    raise
                continue
            self._stack.callback(tcp.close)
            break
        return port

    async def close(self) -> None:
        for stream in self._streams:
            stream.cancel()
        await asyncio.gather(*self._streams, return_exceptions=True)
        for upstream in self._sockets.values():
            asyncio.get_running_loop().remove_reader(upstream)
            upstream.close()
        self._stack.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)
        _make_room(self._transport.get_extra_info("socket"))
        self._stack.callback(transport.close)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        upstream = self._sockets.get(addr) or self._connect(addr)
        with contextlib.suppress(OSError):  # lost, as on any way
            upstream.send(data)

    def _connect(self, client: tuple[str, int]) -> socket.socket:
        """Open a socket that stands for this client."""
        upstream = self._sockets[client] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        upstream.setblocking(False)
        _make_room(upstream)
        upstream.bind((self._route.source or "", 0))
        upstream.connect((self._route.host, self._route.port))

        def answer() -> None:
            with contextlib.suppress(OSError):
                self._transport.sendto(upstream.recv(_CHUNK), client)

        asyncio.get_running_loop().add_reader(upstream, answer)
        return upstream

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._streams.add(task)
        task.add_done_callback(self._streams.discard)
        source = (self._route.source, 0) if self._route.source else None
        writers = [writer]
        try:
            far, out = await asyncio.open_connection(self._route.host, self._route.port, local_addr=source)
            writers.append(out)
            await asyncio.gather(_pump(reader, out), _pump(far, writer))
        except (OSError, asyncio.CancelledError):
            for each in writers:
                each.transport.abort()
        for each in writers:
            each.close()


def _make_room(near: socket.socket) -> None:
    """Let bursts wait to be read instead of being lost; the system may grant less."""
    near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass everything on, and then the end."""
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
