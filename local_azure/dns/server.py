"""One resolver's sockets: UDP and TCP on one address and port, and what goes wrong there on purpose."""

import asyncio
import contextlib
import logging
import socket
import struct
from collections.abc import Callable
from typing import Final, Literal, cast

import dns.exception
import dns.flags
import dns.message
import dns.rcode

from local_azure.dns.answer import EDNS_PAYLOAD
from local_azure.dns.faults import Datagram, DnsFault, spoil

log = logging.getLogger(__name__)

Answer = Callable[[dns.message.Message], dns.message.Message | None]
"""Query in, response out; None sends nothing, and the client waits until its own timeout."""

Transport = Literal["udp", "tcp"]
FindFault = Callable[[dns.message.Message, Transport], DnsFault | None]
"""Query and transport in, what is to go wrong with the answer out."""

HEADER_BYTES: Final = 12
PLAIN_UDP_BYTES: Final = 512
"""The most that a client without EDNS takes by UDP (RFC 1035)."""
RECEIVE_BYTES: Final = 4 * 1024 * 1024
"""Room for the datagrams that wait to be read."""
IDLE_SECONDS: Final = 10.0
"""A TCP connection without a query for so long is closed (RFC 7766 asks for "a few seconds")."""
_BIND_TRIES: Final = 16


def reply(wire: bytes, answer: Answer, *, udp: bool) -> bytes | None:
    """Give the bytes that answer one message; None when nothing is to be sent.

    What can't be parsed gets FORMERR if its header can be read, and silence if not. A response is never answered: two
    servers would talk to each other for ever.
    """
    if len(wire) < HEADER_BYTES or wire[2] & 0x80:
        return None
    if wire[2] & 0x78:  # an opcode other than QUERY; its sections mean something else
        return _header_only(wire, dns.rcode.NOTIMP)
    try:
        query = dns.message.from_wire(wire)
    except dns.exception.DNSException:
        return _header_only(wire, dns.rcode.FORMERR)
    try:
        response = answer(query)
        return None if response is None else _encode(query, response, udp=udp)
    except Exception:
        # A record that can't be encoded must not silence the resolver for the whole network.
        log.exception("can't answer %s", query.question)
        return _header_only(wire, dns.rcode.SERVFAIL)


def _encode(query: dns.message.Message, response: dns.message.Message, *, udp: bool) -> bytes:
    """Encode the response; by UDP cut to what the client takes, with TC set."""
    if not udp:
        return response.to_wire(max_size=65535)
    offered = max(query.payload, PLAIN_UDP_BYTES) if query.edns >= 0 else PLAIN_UDP_BYTES
    return response.to_wire(max_size=min(offered, EDNS_PAYLOAD), prefer_truncation=True)


def _header_only(wire: bytes, rcode: dns.rcode.Rcode) -> bytes:
    """Make a response without question from the query's id, opcode and RD bit alone."""
    flags = dns.flags.QR | dns.flags.RA | (struct.unpack("!H", wire[2:4])[0] & 0x7900) | rcode
    return wire[:2] + struct.pack("!HHHHH", flags, 0, 0, 0, 0)


class _Udp(asyncio.DatagramProtocol):
    """One UDP socket."""

    def __init__(self, server: "DnsServer") -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)  # asyncio's own is no subclass of it on 3.11
        # Hundreds of queries come at once from a probe; what does not fit is lost. The system may grant less.
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        sent, seconds = self._server.outcome(data, "udp")
        if seconds > 0:
            self._server.later(seconds, lambda: self._send(sent, addr))
        else:
            self._send(sent, addr)

    def _send(self, sent: list[Datagram], addr: tuple[str, int]) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        for datagram in sent:
            if datagram.other_port:
                self._server.send_from_elsewhere(datagram.wire, addr)
            else:
                self._transport.sendto(datagram.wire, addr)


class DnsServer:
    """One resolver: an address, a port, UDP and TCP. `find_fault` says what goes wrong with which query."""

    def __init__(
        self, answer: Answer, *, idle_seconds: float = IDLE_SECONDS, find_fault: FindFault | None = None
    ) -> None:
        self._answer = answer
        self._find_fault = find_fault
        self._idle_seconds = idle_seconds
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._connections: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}
        self._delayed: set[asyncio.TimerHandle] = set()
        self.host, self.port = "", 0

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"{self.host}:{self.port}"

    async def start(self, host: str, port: int = 0) -> None:
        """Listen on UDP and TCP, one port for both. OSError when the address or the wanted port can't be had."""
        for left in reversed(range(_BIND_TRIES if port == 0 else 1)):
            tcp = await asyncio.start_server(self._serve, host, port)
            bound = tcp.sockets[0].getsockname()[1]
            try:
                loop = asyncio.get_running_loop()
                self._udp, _ = await loop.create_datagram_endpoint(lambda: _Udp(self), (host, bound))
            except OSError:
                tcp.close()  # the port is free for TCP and taken for UDP: take another
                if left == 0:
                    raise
                continue
            self._tcp, self.host, self.port = tcp, host, bound
            return

    async def stop(self) -> None:
        """Close the sockets and every open connection."""
        for handle in self._delayed:
            handle.cancel()
        self._delayed.clear()
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
        serving = [task for task in self._connections.values() if task is not None]
        for writer, task in list(self._connections.items()):
            writer.transport.abort()
            if task is not None:
                task.cancel()  # it may be waiting to give a slow answer
        await asyncio.gather(*serving, return_exceptions=True)
        await asyncio.sleep(0)  # the transports close themselves on the loop's next turn

    def outcome(self, wire: bytes, transport: Transport) -> tuple[list[Datagram], float]:
        """Say what is sent for one message, and after how many seconds."""
        faults: list[DnsFault] = []

        def answer(query: dns.message.Message) -> dns.message.Message | None:
            fault = self._find_fault(query, transport) if self._find_fault else None
            faults.extend([fault] if fault else [])
            return self._answer(query)

        out = reply(wire, answer, udp=transport == "udp")
        if out is None or not faults:
            return [] if out is None else [Datagram(out)], 0.0
        return spoil(faults[0], out), faults[0].seconds if faults[0].kind == "slow" else 0.0

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Run `action` after `seconds`, unless the server has stopped by then."""

        def run() -> None:
            self._delayed.discard(handle)
            action()

        handle = asyncio.get_running_loop().call_later(seconds, run)
        self._delayed.add(handle)

    def send_from_elsewhere(self, wire: bytes, addr: tuple[str, int]) -> None:
        """Send a datagram from another port of this address."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as other:
            other.bind((self.host, 0))
            other.sendto(wire, addr)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One TCP connection: as many queries as the client sends, pipelined or not, answered in order."""
        self._connections[writer] = asyncio.current_task()
        try:
            while await self._serve_one(reader, writer):
                pass
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._connections.pop(writer, None)
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One query of a connection; False when the connection is of no more use."""
        async with asyncio.timeout(self._idle_seconds):
            size = struct.unpack("!H", await reader.readexactly(2))[0]
            wire = await reader.readexactly(size)
        sent, seconds = self.outcome(wire, "tcp")
        if not sent and len(wire) < HEADER_BYTES:
            return False  # not DNS: nothing after it can be trusted to be aligned
        await asyncio.sleep(seconds)
        for datagram in sent:
            writer.write(struct.pack("!H", len(datagram.wire)) + datagram.wire)
        async with asyncio.timeout(self._idle_seconds):
            await writer.drain()
        return True
