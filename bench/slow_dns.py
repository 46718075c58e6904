"""Passes DNS messages on to a server and hands its answers back late: a resolver that is some milliseconds away.

python -m bench.slow_dns HOST PORT MILLISECONDS     prints its own port, and serves on 127.0.0.1 until stdin ends
"""

import asyncio
import socket
import struct
import sys
from typing import Final, cast

_HERE: Final = "127.0.0.1"
_ID = struct.Struct("!H")
_BUFFER_BYTES: Final = 4 << 20


class _Late(asyncio.DatagramProtocol):
    """The client's side. `upstream` is one connected socket; answers find their way back by ids of its own."""

    def __init__(self, upstream: socket.socket, seconds: float) -> None:
        self._upstream = upstream
        self._seconds = seconds
        self._asked: dict[int, tuple[bytes, tuple[str, int]]] = {}
        self._next = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to listen to the server, too."""
        self._client = cast("asyncio.DatagramTransport", transport)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._upstream, self._answers)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Send a question on."""
        self._next = (self._next + 1) & 0xFFFF
        self._asked[self._next] = (data[:2], addr)
        self._upstream.send(_ID.pack(self._next) + data[2:])

    def _answers(self) -> None:
        while True:
            try:
                data = self._upstream.recv(65535)
            except BlockingIOError:
                return
            (number,) = _ID.unpack_from(data)
            message_id, client = self._asked.pop(number)
            self._loop.call_later(self._seconds, self._client.sendto, message_id + data[2:], client)


async def serve(host: str, port: int, seconds: float) -> None:
    """Serve until stdin ends."""
    loop = asyncio.get_running_loop()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as upstream,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door,
    ):
        for each in (upstream, door):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            each.setblocking(False)
        upstream.connect((host, port))
        door.bind((_HERE, 0))
        transport, _ = await loop.create_datagram_endpoint(lambda: _Late(upstream, seconds), sock=door)
        print(door.getsockname()[1], flush=True)
        await loop.run_in_executor(None, sys.stdin.read)
        loop.remove_reader(upstream)
        transport.close()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]) / 1000))
