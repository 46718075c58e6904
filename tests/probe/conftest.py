"""Fixtures for the probe's tests: targets, answers read from real bytes, and a name server that misbehaves on order."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any, Self

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from core.names import ReverseZone, parse_address
from core.probe_settings import ResolverAddress
from core.records import ZoneRef
from probe.answer import Answer, Question
from probe.target import Target
from probe.wire import question_wire, read_answer

ID = 4711
AZURE_SOA = "azureprivatedns.net. azureprivatedns-host.microsoft.com. 1 3600 300 2419200 10"

Reply = list[tuple[float, bytes]]
Handler = Callable[[dns.message.Message, str], Reply | dns.message.Message | None]


def soa(owner: str, rdata: str = AZURE_SOA, ttl: int = 10) -> dns.rrset.RRset:
    return dns.rrset.from_text(owner, ttl, "IN", "SOA", rdata)


@pytest.fixture(scope="session")
def make_response() -> Callable[..., dns.message.Message]:
    """Give `make(question, rcode, answer=[(name, type, value…)], soa=…, flags=…)`: a response as a server builds it."""

    def make(
        question: Question | dns.message.Message,
        rcode: str = "NOERROR",
        *,
        answer: Any = (),
        authority: Any = (),
        flags: str = "QR RD RA",
    ) -> dns.message.Message:
        query = (
            dns.message.make_query(question.name + ".", question.type, id=ID, use_edns=0)
            if isinstance(question, Question)
            else question
        )
        response = dns.message.make_response(query)
        response.flags = dns.flags.from_text(flags)
        response.set_rcode(dns.rcode.from_text(rcode))
        response.answer = [dns.rrset.from_text(name, 60, "IN", kind, *values) for name, kind, *values in answer]
        for item in authority:
            if item[0] == "NS":
                response.authority.append(dns.rrset.from_text(item[1], 60, "IN", "NS", *item[2:]))
            else:
                response.authority.append(soa(*item))
        return response

    return make


@pytest.fixture(scope="session")
def make_answer(make_response: Any) -> Callable[..., Answer]:
    """Give the answer that the wire reader makes of such a response's bytes."""

    def make(question: Question, rcode: str = "NOERROR", **more: Any) -> Answer:
        found = read_answer(make_response(question, rcode, **more).to_wire(), ID, question, question_wire(question))
        assert isinstance(found, Answer), found
        return found

    return make


@pytest.fixture(scope="session")
def make_target() -> Callable[..., Target]:
    """Give targets whose zones are in rg-dns of subscription sub-1, as the zone map says them."""

    def make(
        fqdn: str = "web.corp.internal",
        address: str = "10.1.0.4",
        forward: str = "corp.internal",
        reverse: str | None = "1.10.in-addr.arpa",
        **more: Any,
    ) -> Target:
        zone = ZoneRef("sub-1", "rg-dns", ReverseZone.parse(reverse).name) if reverse else None
        return Target(fqdn, parse_address(address), ZoneRef("sub-1", "rg-dns", forward), zone, **more)

    return make


class Nameserver:
    """A name server on 127.0.0.1, UDP and TCP on one port, that does to each query what its handler says.

    A handler gives a message, None for silence, or (seconds, bytes) pairs to be sent one after the other. `queries`
    counts by transport.
    """

    def __init__(self, handler: Handler, host: str = "127.0.0.1") -> None:
        self.handler = handler
        self.queries = {"udp": 0, "tcp": 0}
        self._host = host
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._connections: set[asyncio.StreamWriter] = set()
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(5)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    @property
    def address(self) -> ResolverAddress:
        return ResolverAddress(self._host, self.port)

    async def _start(self) -> None:
        for _ in range(20):
            self._tcp = await asyncio.start_server(self._serve, self._host, 0)
            self.port = self._tcp.sockets[0].getsockname()[1]
            try:
                self._udp, _ = await self._loop.create_datagram_endpoint(
                    lambda: _Udp(self._replies), (self._host, self.port)
                )
            except OSError:  # the port is taken for UDP
                self._tcp.close()
                continue
            return
        raise OSError("no port is free for both UDP and TCP")

    async def _stop(self) -> None:
        self._udp.close()
        self._tcp.close()
        for writer in self._connections:
            writer.transport.abort()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)

    def _replies(self, data: bytes, transport: str) -> Reply:
        self.queries[transport] += 1
        made = self.handler(dns.message.from_wire(data), transport)
        if made is None:
            return []
        return [(0.0, made.to_wire())] if isinstance(made, dns.message.Message) else made

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while True:
                size = struct.unpack("!H", await reader.readexactly(2))[0]
                for delay, wire in self._replies(await reader.readexactly(size), "tcp"):
                    await asyncio.sleep(delay)
                    writer.write(struct.pack("!H", len(wire)) + wire)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            self._connections.discard(writer)


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, replies: Callable[[bytes, str], Reply]) -> None:
        self._replies = replies

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        for delay, wire in self._replies(data, "udp"):
            asyncio.get_running_loop().call_later(delay, self._send, wire, addr)

    def _send(self, wire: bytes, addr: Any) -> None:
        if not self._transport.is_closing():
            self._transport.sendto(wire, addr)


@pytest.fixture
def nameserver() -> Iterator[Callable[..., Nameserver]]:
    """Give `nameserver(handler, host="127.0.0.1")`: a running server; all are stopped at the end."""
    with contextlib.ExitStack() as stack:
        yield lambda handler, host="127.0.0.1": stack.enter_context(Nameserver(handler, host))


@pytest.fixture
def closed_port() -> ResolverAddress:
    """Give an address where nobody listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return ResolverAddress("127.0.0.1", probe.getsockname()[1])
