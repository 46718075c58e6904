"""The resolvers' sockets: UDP and TCP on one loopback address per virtual network, answered by `answer.respond`.

On Linux every address of 127.0.0.0/8 can be bound without root, so each virtual network gets its own, derived from its
id, and all of them share one port where it is free. Elsewhere (macOS) they share 127.0.0.1 and differ in the port.
"""

import asyncio
import contextlib
import hashlib
import logging
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast
from weakref import WeakKeyDictionary

import dns.exception
import dns.flags
import dns.message
import dns.rcode

from local_azure.dns.answer import EDNS_PAYLOAD, Platform, View, respond

if TYPE_CHECKING:
    from local_azure.world import World

log = logging.getLogger(__name__)

Answer = Callable[[dns.message.Message], dns.message.Message | None]
"""Query in, response out; None sends nothing, and the client waits until its own timeout."""

HEADER_BYTES: Final = 12
PLAIN_UDP_BYTES: Final = 512
"""The most that a client without EDNS takes by UDP (RFC 1035)."""
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

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)  # asyncio's own is no subclass of it on 3.11

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        out = reply(data, self._answer, udp=True)
        if out is not None and self._transport is not None:
            self._transport.sendto(out, addr)


class DnsServer:
    """One resolver: an address, a port, UDP and TCP."""

    def __init__(self, answer: Answer, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._answer = answer
        self._idle_seconds = idle_seconds
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()
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
                self._udp, _ = await loop.create_datagram_endpoint(lambda: _Udp(self._answer), (host, bound))
            except OSError:
                tcp.close()  # the port is free for TCP and taken for UDP: take another
                if left == 0:
                    raise
                continue
            self._tcp, self.host, self.port = tcp, host, bound
            return

    async def stop(self) -> None:
        """Close the sockets and every open connection."""
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
        for writer in list(self._connections):
            writer.transport.abort()
        await asyncio.sleep(0)  # the transports close themselves on the loop's next turn

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One TCP connection: as many queries as the client sends, pipelined or not, answered in order."""
        self._connections.add(writer)
        try:
            while True:
                async with asyncio.timeout(self._idle_seconds):
                    size = struct.unpack("!H", await reader.readexactly(2))[0]
                    wire = await reader.readexactly(size)
                out = reply(wire, self._answer, udp=False)
                if out is None and len(wire) < HEADER_BYTES:
                    return  # not DNS: nothing after it can be trusted to be aligned
                if out is not None:
                    writer.write(struct.pack("!H", len(out)) + out)
                    await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._connections.discard(writer)
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()


class Resolvers:
    """The DNS servers of one World, one for each of its virtual networks."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._servers: dict[str, DnsServer] = {}
        self._port = 0
        self._busy = asyncio.Lock()
        self._wanted: set[asyncio.Task[None]] = set()
        self._stopped = False
        self.platform = Platform()

    def changed(self) -> None:
        """Bring the servers in line soon: the set of virtual networks may have changed."""
        task = asyncio.get_running_loop().create_task(self.sync())
        self._wanted.add(task)
        task.add_done_callback(self._wanted.discard)

    async def sync(self) -> None:
        """One running server for each virtual network, none for others."""
        async with self._busy:
            if self._stopped:
                return
            vnets = self._world.vnets
            for gone in self._servers.keys() - vnets.keys():
                self._world.dns_addresses.pop(gone, None)
                await self._servers.pop(gone).stop()
            for vnet_id in vnets.keys() - self._servers.keys():
                server = await self._listen(vnet_id)
                self._servers[vnet_id] = server
                self._world.dns_addresses[vnet_id] = server.address

    async def stop(self) -> None:
        """Stop all servers."""
        self._stopped = True  # syncs on their way end by themselves: cancelled, they would leave sockets behind
        async with self._busy:
            for server in self._servers.values():
                await server.stop()
            self._servers.clear()
            self._world.dns_addresses.clear()
        await asyncio.gather(*self._wanted)

    async def _listen(self, vnet_id: str) -> DnsServer:
        server = DnsServer(lambda query: self._answer(vnet_id, query))
        taken = {held.host for held in self._servers.values()}
        hosts = [host for host in loopback_candidates(vnet_id) if host not in taken]
        for host, port in [(hosts[0], self._port), (hosts[0], 0), (hosts[1], 0), ("127.0.0.1", 0)]:
            with contextlib.suppress(OSError):
                await server.start(host, port)
                self._port = self._port or server.port
                return server
        raise OSError(
            f"no loopback address can be bound for the resolver of {vnet_id}; tried {hosts[:2]} and 127.0.0.1"
        )

    def _answer(self, vnet_id: str, query: dns.message.Message) -> dns.message.Message | None:
        return respond(View.of(self._world.zones_linked_to(vnet_id), self.platform), query)


def loopback_candidates(vnet_id: str) -> list[str]:
    """Give loopback addresses for a virtual network, the same each time, away from the services on 127.0.0.x."""
    digests = (hashlib.sha256(f"{vnet_id.lower()}#{salt}".encode()).digest() for salt in range(8))
    return [f"127.{64 + digest[0] % 64}.{digest[1]}.{1 + digest[2] % 254}" for digest in digests]


_running: "WeakKeyDictionary[World, Resolvers]" = WeakKeyDictionary()


async def start(world: "World") -> None:
    """Start a resolver for each virtual network, now and whenever one appears."""
    resolvers = _running.setdefault(world, Resolvers(world))
    world.on_vnets_changed.append(resolvers.changed)
    await resolvers.sync()


async def stop(world: "World") -> None:
    """Stop the world's resolvers."""
    resolvers = _running.pop(world, None)
    if resolvers is not None:
        world.on_vnets_changed.remove(resolvers.changed)
        await resolvers.stop()


async def sync(world: "World") -> None:
    """Bring the resolvers in line with `world.vnets` now; afterwards `world.dns_addresses` is complete."""
    await _running[world].sync()
