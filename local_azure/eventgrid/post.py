"""One HTTP request to an endpoint on this machine, and to no other."""

import asyncio
import contextlib
import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import h11

MAX_ANSWER_BYTES: Final = 64 * 1024
"""What is kept of an answer; Event Grid reads no more than it needs for the handshake."""


@dataclass(frozen=True)
class HttpAnswer:
    """Status, headers (lower-case names) and the start of the body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class NotLocalError(ConnectionError):
    """The URL leads off this machine; the local Azure sends nothing there."""


def is_local(url: str) -> bool:
    """Whether a URL's host is this machine's loopback."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def request(method: str, url: str, headers: Mapping[str, str], body: bytes, timeout: float) -> HttpAnswer:  # noqa: ASYNC109 - one bound for connect, send and receive together
    """Send a request and read the answer. Raises TimeoutError, NotLocalError, and OSError for all that breaks."""
    if not is_local(url):
        raise NotLocalError(f"{urlsplit(url).hostname} is not on this machine")
    parts = urlsplit(url)
    tls = ssl.create_default_context() if parts.scheme == "https" else None
    port = parts.port or (443 if tls else 80)
    async with asyncio.timeout(timeout):
        reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=tls)
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            sent = {"host": parts.netloc, **headers, "content-length": str(len(body)), "connection": "close"}
            return await _exchange(
                reader, writer, h11.Request(method=method, target=target, headers=[*sent.items()]), body
            )
        except h11.ProtocolError as error:  # its answer, or a URL of ours that no request can carry
            raise ConnectionError(f"no HTTP exchange with the endpoint: {error}") from error
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: h11.Request, body: bytes
) -> HttpAnswer:
    """Write the request, read events until the end of the answer."""
    connection = h11.Connection(h11.CLIENT)
    for part in (head, h11.Data(data=body), h11.EndOfMessage()):
        writer.write(connection.send(part) or b"")
    await writer.drain()
    status, found = 0, b""
    headers: dict[str, str] = {}
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Response):
            status = event.status_code
            headers = {name.decode(): value.decode("latin-1") for name, value in event.headers}
        elif isinstance(event, h11.Data):
            found = (found + event.data)[:MAX_ANSWER_BYTES]
        elif isinstance(event, h11.EndOfMessage):
            return HttpAnswer(status, headers, found)
        elif isinstance(event, h11.ConnectionClosed):
            raise ConnectionResetError("the endpoint closed the connection without an answer")
