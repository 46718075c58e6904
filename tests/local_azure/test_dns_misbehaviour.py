"""What a resolver can be told to do wrong: the rules, the bytes, and the sockets."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from local_azure import dns as resolvers
from local_azure.dns.faults import Asked, DnsFault, DnsFaultError, DnsFaults, parse_faults, spoil
from local_azure.world import PrivateZone, RecordSet, VirtualNetwork, VirtualNetworkLink, World

HUB = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/hub"
QUERY = dns.message.make_query("web.corp.internal", "A")


def right_answer() -> bytes:
    response = dns.message.make_response(QUERY, recursion_available=True)
    response.flags |= dns.flags.AA
    response.answer.append(dns.rrset.from_text("web.corp.internal.", 10, "IN", "A", "10.0.0.4"))
    return response.to_wire()


def shape(wire: bytes) -> tuple[str, str, int, bool]:
    """Give response code, flags, number of answers, and whether it answers QUERY."""
    message = dns.message.from_wire(wire)
    flags = dns.flags.to_text(message.flags)
    answers = QUERY.id == message.id and QUERY.question == message.question
    return dns.rcode.to_text(message.rcode()), flags, len(message.answer), answers


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param(DnsFault("drop"), [], id="drop"),
        pytest.param(DnsFault("slow"), [("NOERROR", "QR AA RD RA", 1, True)], id="slow"),
        pytest.param(DnsFault("rcode"), [("SERVFAIL", "QR RD RA", 0, True)], id="SERVFAIL unless said otherwise"),
        pytest.param(DnsFault("rcode", rcode="REFUSED"), [("REFUSED", "QR RD RA", 0, True)], id="REFUSED"),
        pytest.param(DnsFault("truncate"), [("NOERROR", "QR TC RD RA", 0, True)], id="truncate"),
        pytest.param(DnsFault("lame"), [("NOERROR", "QR RD", 0, True)], id="lame"),
        pytest.param(DnsFault("wrong_id"), [("NOERROR", "QR AA RD RA", 1, False)], id="wrong id"),
        pytest.param(DnsFault("wrong_question"), [("NOERROR", "QR AA RD RA", 1, False)], id="wrong question"),
        pytest.param(
            DnsFault("wrong_id", followed=True),
            [("NOERROR", "QR AA RD RA", 1, False), ("NOERROR", "QR AA RD RA", 1, True)],
            id="wrong id, then the right one",
        ),
    ],
)
def test_a_fault_makes_of_the_right_answer_what_its_name_says(fault: DnsFault, expected: list[Any]) -> None:
    assert [shape(sent.wire) for sent in spoil(fault, right_answer())] == expected


def test_a_malformed_answer_has_the_right_header_and_does_not_parse() -> None:
    [sent] = spoil(DnsFault("malformed"), right_answer())
    assert sent.wire[:12] == right_answer()[:12]
    with pytest.raises(dns.exception.DNSException):
        dns.message.from_wire(sent.wire)


ASKED = Asked(HUB.lower(), "4.0.0.10.in-addr.arpa", "PTR", "udp")


@pytest.mark.parametrize(
    ("rule", "struck"),
    [
        pytest.param(DnsFault("drop"), True, id="everything"),
        pytest.param(DnsFault("drop", vnet="HUB"), True, id="network by name"),
        pytest.param(DnsFault("drop", vnet=HUB.upper()), True, id="network by id"),
        pytest.param(DnsFault("drop", vnet="spoke"), False, id="another network"),
        pytest.param(DnsFault("drop", name="*.10.IN-ADDR.arpa"), True, id="name"),
        pytest.param(DnsFault("drop", name="*.corp.internal"), False, id="another name"),
        pytest.param(DnsFault("drop", type="A"), False, id="another type"),
        pytest.param(DnsFault("drop", transport="tcp"), False, id="another transport"),
        pytest.param(DnsFault("drop", times=0), False, id="no times"),
        pytest.param(DnsFault("drop", skip=1), False, id="not the first"),
    ],
)
def test_a_rule_strikes_what_its_globs_match(rule: DnsFault, struck: bool) -> None:
    faults = DnsFaults()
    faults.add(rule)
    assert (faults.match(ASKED) is rule) is struck


def test_a_rule_strikes_so_many_times_after_so_many() -> None:
    faults = DnsFaults()
    faults.add(DnsFault("drop", skip=2, times=3))
    assert [faults.match(ASKED) is not None for _ in range(8)] == [False] * 2 + [True] * 3 + [False] * 3


def test_chance_repeats_with_the_seed() -> None:
    def draw(seed: int) -> list[bool]:
        faults = DnsFaults(seed)
        faults.add(DnsFault("drop", probability=0.5))
        return [faults.match(ASKED) is not None for _ in range(64)]

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)
    assert 16 < sum(draw(1)) < 48


def test_what_only_udp_knows_does_not_strike_tcp() -> None:
    faults = DnsFaults()
    faults.add(DnsFault("truncate"))
    faults.add(DnsFault("wrong_source"))
    assert faults.match(Asked(HUB, "web.corp.internal", "A", "tcp")) is None


def test_rules_that_cannot_be_are_refused_with_every_reason() -> None:
    with pytest.raises(DnsFaultError) as failure:
        parse_faults(
            [
                {"kind": "explode", "vnet": 1, "when": "now"},
                "drop",
                {"kind": "rcode", "rcode": "OOPS", "probability": 2, "seconds": -1},
                {"kind": "drop", "times": 1.5, "skip": None, "followed": "yes"},
            ]
        )
    assert [reason.split(":")[0] for reason in failure.value.reasons] == [
        "faults[0].when",
        "faults[0].kind",
        "faults[0].vnet",
        "faults[1]",
        "faults[2].rcode",
        "faults[2].probability",
        "faults[2].seconds",
        "faults[3].followed",
        "faults[3].skip",
        "faults[3].times",
    ]


def in_world(test: Callable[[World, str, int], Awaitable[None]], *rules: DnsFault) -> None:
    """Run a test against the hub's resolver; hub sees corp.internal with web at 10.0.0.4."""

    async def main() -> None:
        world = World()
        world.vnets[HUB.lower()] = VirtualNetwork(HUB, "hub", "westeurope", ["10.0.0.0/16"])
        web = RecordSet("A", "web", 60, {"aRecords": [{"ipv4Address": "10.0.0.4"}]}, "e")
        corp = PrivateZone("/zones/corp.internal", "corp.internal", "e")
        corp.record_sets["A", "web"] = web
        corp.links["hub"] = VirtualNetworkLink("hub", "e", HUB)
        world.zones[corp.id] = corp
        await resolvers.start(world)
        for rule in rules:
            resolvers.of(world).faults.add(rule)
        try:
            host, port = world.dns_addresses[HUB.lower()].split(":")
            await test(world, host, int(port))
        finally:
            await resolvers.stop(world)

    asyncio.run(main())


def test_a_slow_answer_comes_late_and_holds_up_no_other() -> None:
    async def test(_world: World, host: str, port: int) -> None:
        began = time.monotonic()

        async def ask(name: str) -> float:
            await dns.asyncquery.udp(dns.message.make_query(name, "A"), host, timeout=5, port=port)
            return time.monotonic() - began

        slow, fast = await asyncio.gather(ask("web.corp.internal"), ask("other.corp.internal"))
        assert fast < 0.3 <= slow

    in_world(test, DnsFault("slow", name="web.*", seconds=0.3))


def test_a_slow_answer_that_is_still_waiting_does_not_hold_up_the_stop() -> None:
    async def test(_world: World, host: str, port: int) -> None:
        with pytest.raises(dns.exception.Timeout):
            await dns.asyncquery.udp(QUERY, host, timeout=0.05, port=port)

    in_world(test, DnsFault("slow", seconds=3600))


def test_a_slow_answer_by_tcp_does_not_hold_up_the_stop_either() -> None:
    async def test(_world: World, host: str, port: int) -> None:
        with pytest.raises(dns.exception.Timeout):
            await dns.asyncquery.tcp(QUERY, host, timeout=0.05, port=port)
        wire = QUERY.to_wire()
        client.connect((host, port))
        client.sendall(len(wire).to_bytes(2, "big") + wire)
        await asyncio.sleep(0.05)  # the query is being answered when the resolvers stop

    began = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
        in_world(test, DnsFault("slow", seconds=3600))
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("kind", ["drop", "wrong_id", "wrong_question", "wrong_source"])
def test_a_client_that_checks_what_it_gets_waits_in_vain(kind: Any) -> None:
    async def test(_world: World, host: str, port: int) -> None:
        with pytest.raises(dns.exception.Timeout):
            await dns.asyncquery.udp(QUERY, host, timeout=0.2, port=port, ignore_unexpected=True, ignore_errors=True)

    in_world(test, DnsFault(kind))


@pytest.mark.parametrize("kind", ["wrong_id", "wrong_question", "wrong_source"])
def test_behind_a_forged_answer_the_right_one_comes_if_wanted(kind: Any) -> None:
    async def test(_world: World, host: str, port: int) -> None:
        answer = await dns.asyncquery.udp(QUERY, host, timeout=2, port=port, ignore_unexpected=True, ignore_errors=True)
        assert [rdata.address for rdata in answer.answer[0]] == ["10.0.0.4"]

    in_world(test, DnsFault(kind, followed=True))


def test_a_truncated_answer_is_whole_by_tcp() -> None:
    async def test(_world: World, host: str, port: int) -> None:
        answer, by_tcp = await dns.asyncquery.udp_with_fallback(QUERY, host, timeout=2, port=port)
        assert (by_tcp, len(answer.answer)) == (True, 1)

    in_world(test, DnsFault("truncate"))


def test_tcp_misbehaves_too_when_told() -> None:
    async def test(_world: World, host: str, port: int) -> None:
        answer = await dns.asyncquery.tcp(QUERY, host, timeout=2, port=port)
        assert answer.rcode() == dns.rcode.REFUSED
        by_udp = await dns.asyncquery.udp(QUERY, host, timeout=2, port=port)
        assert by_udp.rcode() == dns.rcode.NOERROR
        with pytest.raises(dns.exception.Timeout):
            await dns.asyncquery.tcp(dns.message.make_query("gone.corp.internal", "A"), host, timeout=0.2, port=port)

    in_world(
        test,
        DnsFault("rcode", rcode="REFUSED", transport="tcp", name="web.*"),
        DnsFault("drop", transport="tcp"),
    )
