"""The resolvers over real sockets."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

import dns.asyncquery
import dns.flags
import dns.message
import dns.rcode
import pytest

from local_azure import dns as resolvers
from local_azure.dns.answer import View, respond
from local_azure.dns.resolvers import loopback_candidates
from local_azure.dns.server import DnsServer, reply
from local_azure.world import PrivateZone, RecordSet, VirtualNetwork, VirtualNetworkLink, World

HUB = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/hub"
SPOKE = HUB.replace("hub", "spoke")


def vnet(vnet_id: str) -> VirtualNetwork:
    return VirtualNetwork(vnet_id, vnet_id.rsplit("/", 1)[-1], "westeurope", ["10.0.0.0/16"])


def zone(*addresses: str) -> PrivateZone:
    held = RecordSet("A", "web", 60, {"aRecords": [{"ipv4Address": address} for address in addresses]}, "e")
    return PrivateZone("/zones/corp.internal", "corp.internal", "e", record_sets={("A", "web"): held})


MANY = View.of([zone(*(f"10.0.{n // 250}.{n % 250}" for n in range(100)))])


def run(test: Callable[[DnsServer], Awaitable[None]], *, idle_seconds: float = 5) -> None:
    async def main() -> None:
        server = DnsServer(lambda query: respond(MANY, query), idle_seconds=idle_seconds)
        await server.start("127.0.0.1")
        try:
            await test(server)
        finally:
            await server.stop()

    asyncio.run(main())


def framed(message: dns.message.Message) -> bytes:
    wire = message.to_wire()
    return struct.pack("!H", len(wire)) + wire


async def read_message(reader: asyncio.StreamReader) -> dns.message.Message:
    size = struct.unpack("!H", await reader.readexactly(2))[0]
    return dns.message.from_wire(await reader.readexactly(size))


@pytest.mark.parametrize(
    ("edns_payload", "truncated"),
    [pytest.param(None, True, id="no EDNS"), pytest.param(700, True, id="small"), pytest.param(4096, True, id="large")],
)
def test_an_answer_larger_than_the_client_takes_is_truncated(edns_payload: int | None, truncated: bool) -> None:
    query = dns.message.make_query("web.corp.internal", "A", payload=edns_payload)
    wire = reply(query.to_wire(), lambda asked: respond(MANY, asked), udp=True)
    assert wire is not None
    assert len(wire) <= min(edns_payload or 512, 1232)
    assert bool(dns.message.from_wire(wire).flags & dns.flags.TC) is truncated


def test_udp_falls_back_to_tcp_on_the_same_port() -> None:
    async def test(server: DnsServer) -> None:
        query = dns.message.make_query("web.corp.internal", "A")
        answer, by_tcp = await dns.asyncquery.udp_with_fallback(query, server.host, timeout=5, port=server.port)
        assert by_tcp
        assert len(answer.answer[0]) == 100

    run(test)


def test_tcp_answers_pipelined_queries_in_order_even_when_they_arrive_in_pieces() -> None:
    async def test(server: DnsServer) -> None:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        queries = [dns.message.make_query(f"{n}.corp.internal", "A") for n in range(5)]
        stream = b"".join(map(framed, queries))
        for at in range(0, len(stream), 7):
            writer.write(stream[at : at + 7])
            await writer.drain()
        assert [(await read_message(reader)).id for _ in queries] == [query.id for query in queries]
        writer.close()
        await writer.wait_closed()

    run(test)


@pytest.mark.parametrize("sent", [b"", b"\x00", b"\x00\x20abc"], ids=["nothing", "half a length", "half a message"])
def test_an_idle_tcp_connection_is_closed(sent: bytes) -> None:
    async def test(server: DnsServer) -> None:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(sent)
        assert await asyncio.wait_for(reader.read(), 2) == b""
        writer.close()
        await writer.wait_closed()

    run(test, idle_seconds=0.05)


QUERY = dns.message.make_query("web.corp.internal", "A").to_wire()


@pytest.mark.parametrize(
    ("wire", "rcode"),
    [
        pytest.param(b"", None, id="empty"),
        pytest.param(QUERY[:11], None, id="less than a header"),
        pytest.param(QUERY[:2] + b"\x80" + QUERY[3:], None, id="a response"),
        pytest.param(QUERY[:-3], dns.rcode.FORMERR, id="cut short"),
        pytest.param(QUERY + b"junk", dns.rcode.FORMERR, id="with a tail"),
        pytest.param(QUERY[:12] + b"\xc0\x0c\x00\x01\x00\x01", dns.rcode.FORMERR, id="a pointer to itself"),
        pytest.param(QUERY[:4] + b"\xff\xff" + QUERY[6:], dns.rcode.FORMERR, id="more questions promised than sent"),
        pytest.param(QUERY[:2] + b"\x28" + QUERY[3:], dns.rcode.NOTIMP, id="a dynamic update"),
        pytest.param(QUERY[:2] + b"\x48" + QUERY[3:], dns.rcode.NOTIMP, id="an opcode that nobody has defined"),
    ],
)
def test_a_malformed_message_gets_an_error_or_silence(wire: bytes, rcode: dns.rcode.Rcode | None) -> None:
    out = reply(wire, lambda asked: respond(MANY, asked), udp=True)
    assert (None if out is None else out[3] & 0x0F) == rcode
    assert out is None or out[:2] == wire[:2]


def test_an_answer_that_cannot_be_made_is_servfail() -> None:
    broken = View.of(
        [
            PrivateZone(
                "/z", "z.internal", "e", record_sets={("A", "x"): RecordSet("A", "x", 1, {"aRecords": [{}]}, "e")}
            )
        ]
    )
    out = reply(dns.message.make_query("x.z.internal", "A").to_wire(), lambda asked: respond(broken, asked), udp=True)
    assert out is not None
    assert out[3] & 0x0F == dns.rcode.SERVFAIL


def test_the_server_outlives_garbage() -> None:
    async def test(server: DnsServer) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for junk in (b"", b"\x00" * 5, bytes(range(256)), b"\xff" * 1000):
                client.sendto(junk, (server.host, server.port))
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"\x00\x03abc")
        assert await asyncio.wait_for(reader.read(), 2) == b""
        writer.close()
        await writer.wait_closed()
        answer = await dns.asyncquery.tcp(
            dns.message.make_query("web.corp.internal", "A"), server.host, timeout=5, port=server.port
        )
        assert answer.rcode() == dns.rcode.NOERROR

    run(test)


def in_world(test: Callable[[World], Awaitable[None]]) -> None:
    async def main() -> None:
        world = World()
        world.vnets[HUB.lower()] = vnet(HUB)
        await resolvers.start(world)
        try:
            await test(world)
        finally:
            await resolvers.stop(world)
        assert world.dns_addresses == {}

    asyncio.run(main())


async def lookup(world: World, vnet_id: str, name: str) -> dns.message.Message:
    host, port = world.dns_addresses[vnet_id.lower()].split(":")
    return await dns.asyncquery.udp(dns.message.make_query(name, "A"), host, timeout=5, port=int(port))


def test_each_virtual_network_sees_the_zones_linked_to_it_and_nothing_else() -> None:
    async def test(world: World) -> None:
        world.vnets[SPOKE.lower()] = vnet(SPOKE)
        corp = zone("10.0.0.4")
        corp.links["hub"] = VirtualNetworkLink("hub", "e", HUB.upper())
        corp.links["spoke"] = VirtualNetworkLink("spoke", "e", SPOKE, state="InProgress")
        world.zones[corp.id] = corp
        await resolvers.sync(world)
        assert (await lookup(world, HUB, "web.corp.internal")).rcode() == dns.rcode.NOERROR
        assert (await lookup(world, SPOKE, "web.corp.internal")).rcode() == dns.rcode.NXDOMAIN
        corp.links["spoke"].state = "Completed"
        assert (await lookup(world, SPOKE, "web.corp.internal")).rcode() == dns.rcode.NOERROR

    in_world(test)


def test_a_resolver_comes_and_goes_with_its_virtual_network() -> None:
    async def test(world: World) -> None:
        hub = world.dns_addresses[HUB.lower()]
        world.vnets[SPOKE.lower()] = vnet(SPOKE)
        world.vnets_changed()
        await resolvers.sync(world)
        assert world.dns_addresses.keys() == {HUB.lower(), SPOKE.lower()}
        assert world.dns_addresses[HUB.lower()] == hub
        del world.vnets[HUB.lower()]
        world.vnets_changed()
        await resolvers.sync(world)
        assert world.dns_addresses.keys() == {SPOKE.lower()}

    in_world(test)


def test_a_virtual_network_keeps_its_loopback_address_from_run_to_run() -> None:
    assert loopback_candidates(HUB) == loopback_candidates(HUB.upper())
    assert loopback_candidates(HUB)[0] != loopback_candidates(SPOKE)[0]
    assert all(address.startswith("127.") and not address.startswith("127.0.") for address in loopback_candidates(HUB))
