"""Asking: real sockets on loopback, and name servers that do what servers and networks do."""

import asyncio
import resource
import socket
import struct
import sys
import time

import dns.message
import pytest

from core.probe_settings import ResolverAddress
from probe.answer import Answer, Failure, Question
from probe.resolve import Asker, Patience, socket_limit
from probe.resolvers import ResolverSet, resolver_sets, system_servers

WEB = Question("web.corp.internal", "A")
RIGHT = [("web.corp.internal.", "A", "10.1.0.4")]
QUICK = Patience(concurrency=50, timeout_seconds=0.15, attempts=2, deadline_seconds=5)


def ask(*servers, question=WEB, patience=QUICK, seconds=None) -> Answer:
    return ask_all([question], *servers, patience=patience, seconds=seconds)[0]


def ask_all(questions, *servers, patience=QUICK, seconds=None) -> tuple[Answer, ...]:
    async def run():
        ends = asyncio.get_running_loop().time() + (patience.deadline_seconds if seconds is None else seconds)
        return await Asker(ResolverSet(tuple(servers)), patience, ends).ask_all(questions)

    return asyncio.run(run())


@pytest.fixture
def right(make_response):
    """Give the handler of a server that answers everything rightly."""
    return lambda query, _: make_response(query, answer=RIGHT)


def test_an_answer_carries_who_gave_it_and_what_it_took(nameserver, right):
    server = nameserver(right)
    found = ask(server.address)
    assert (found.values, found.resolver, found.transport) == (("10.1.0.4",), f"127.0.0.1#{server.port}", "udp")
    assert (found.attempts, found.ignored, found.failure) == (1, 0, None)
    assert 0 < found.duration_ms < 1000


def test_ipv6_transport(nameserver, right):
    try:
        server = nameserver(right, "::1")
    except OSError:
        pytest.skip("no IPv6 loopback")
    assert ask(server.address).values == ("10.1.0.4",)


def test_a_lost_message_is_sent_again_and_counted(nameserver, right):
    server = nameserver(lambda query, transport: None if server.queries["udp"] == 1 else right(query, transport))
    found = ask(server.address)
    assert (found.values, found.attempts) == (("10.1.0.4",), 2)


def test_silence_is_a_timeout_after_every_attempt(nameserver):
    server = nameserver(lambda *_: None)
    began = time.monotonic()
    found = ask(server.address)
    assert (found.failure, found.attempts, server.queries["udp"]) == (Failure.TIMEOUT, 2, 2)
    assert 0.3 <= time.monotonic() - began < 2


def test_an_answer_slower_than_the_timeout_is_not_taken_for_the_next_attempts(nameserver, right):
    server = nameserver(lambda query, transport: [(0.25, right(query, transport).to_wire())])
    found = ask(server.address)
    assert found.failure is Failure.TIMEOUT


def test_a_closed_port_is_unreachable_at_once(closed_port):
    began = time.monotonic()
    found = ask(closed_port)
    assert (found.failure, found.detail) == (Failure.UNREACHABLE, "Connection refused")
    assert time.monotonic() - began < 0.3


def test_no_way_to_the_server_is_unreachable_and_says_why():
    found = ask(ResolverAddress("255.255.255.255"))
    assert found.failure is Failure.UNREACHABLE
    assert found.detail


def other_id(wire: bytes) -> bytes:
    return struct.pack("!H", struct.unpack("!H", wire[:2])[0] ^ 1) + wire[2:]


FOREIGN = {
    "another id": other_id,
    "another question": lambda wire: wire.replace(b"\3web", b"\3wob"),
    "the query itself": lambda wire: wire[:2] + b"\1" + wire[3:],
    "a short message": lambda wire: wire[:8],
}


@pytest.mark.parametrize("send", FOREIGN.values(), ids=FOREIGN)
def test_what_answers_something_else_is_ignored_and_the_true_answer_awaited(send, nameserver, right):
    def handler(query, transport):
        wire = right(query, transport).to_wire()
        return [(0, send(wire)), (0.02, wire)]

    found = ask(nameserver(handler).address)
    assert (found.values, found.ignored, found.attempts) == (("10.1.0.4",), 1, 1)


@pytest.mark.parametrize("send", FOREIGN.values(), ids=FOREIGN)
def test_what_answers_something_else_alone_is_a_timeout_that_counts_it(send, nameserver, right):
    found = ask(nameserver(lambda query, transport: [(0, send(right(query, transport).to_wire()))]).address)
    assert (found.failure, found.ignored) == (Failure.TIMEOUT, 2)


def test_an_answer_from_another_address_is_never_seen(nameserver, right):
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as forger,
    ):
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(5)
        forger.bind(("127.0.0.1", 0))

        async def run():
            loop = asyncio.get_running_loop()
            address = ResolverAddress(*listener.getsockname())
            patience = Patience(1, 0.2, 1, 5)
            asking = loop.create_task(Asker(ResolverSet((address,)), patience, loop.time() + 5).ask(WEB))
            wire, client = await loop.run_in_executor(None, listener.recvfrom, 4096)
            forger.sendto(right(dns.message.from_wire(wire), "udp").to_wire(), client)
            return await asking

        assert asyncio.run(run()).failure is Failure.TIMEOUT


def test_a_broken_message_is_asked_for_again_and_then_malformed(nameserver, right):
    server = nameserver(lambda query, transport: [(0, right(query, transport).to_wire()[:-3])])
    found = ask(server.address)
    assert (found.failure, found.attempts) == (Failure.MALFORMED, 2)


def test_a_cut_answer_is_asked_for_by_tcp(nameserver, right, make_response):
    def handler(query, transport):
        return right(query, transport) if transport == "tcp" else make_response(query, flags="QR TC RA")

    server = nameserver(handler)
    found = ask(server.address)
    assert (found.values, found.transport, found.attempts) == (("10.1.0.4",), "tcp", 2)
    assert server.queries == {"udp": 1, "tcp": 1}


def test_tcp_ignores_what_answers_something_else(nameserver, right, make_response):
    def handler(query, transport):
        wire = right(query, transport).to_wire()
        return [(0, other_id(wire)), (0, wire)] if transport == "tcp" else make_response(query, flags="QR TC RA")

    found = ask(nameserver(handler).address)
    assert (found.values, found.ignored) == (("10.1.0.4",), 1)


@pytest.mark.parametrize("by_tcp", ["silence", "TC again", "rubbish"])
def test_a_cut_answer_without_tcp_is_no_answer(by_tcp, nameserver, make_response):
    def handler(query, transport):
        if transport == "udp" or by_tcp == "TC again":
            return make_response(query, answer=RIGHT, flags="QR TC RA")
        return None if by_tcp == "silence" else [(0, make_response(query, answer=RIGHT).to_wire()[:-1])]

    found = ask(nameserver(handler).address)
    assert found.failure is (Failure.MALFORMED if by_tcp == "rubbish" else Failure.TRUNCATED)
    assert found.values == () or found.failure is not None


def test_a_closed_tcp_port_is_named(make_response):
    """UDP alone: a plain socket answers with TC, and nobody listens by TCP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(5)

        def serve():
            for _ in range(2):
                wire, client = udp.recvfrom(4096)
                udp.sendto(make_response(dns.message.from_wire(wire), flags="QR TC RA").to_wire(), client)

        async def run():
            loop = asyncio.get_running_loop()
            serving = loop.run_in_executor(None, serve)
            address = ResolverSet((ResolverAddress(*udp.getsockname()),))
            found = await Asker(address, QUICK, loop.time() + 5).ask(WEB)
            await serving
            return found

        found = asyncio.run(run())
    assert found.failure is Failure.TRUNCATED
    assert "refused" in found.detail.lower() or "connect" in found.detail.lower()


def test_a_server_that_knows_no_edns_is_asked_without(nameserver, right, make_response):
    def handler(query, transport):
        return make_response(query, "FORMERR") if query.edns >= 0 else right(query, transport)

    found = ask(nameserver(handler).address)
    assert (found.values, found.attempts) == (("10.1.0.4",), 2)


def test_a_server_that_calls_everything_malformed_is_told_so(nameserver, make_response):
    found = ask(nameserver(lambda query, _: make_response(query, "FORMERR")).address)
    assert (found.failure, found.rcode) == (None, "FORMERR")


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED", "NXDOMAIN"])
def test_a_servers_word_is_taken_at_once_when_it_is_the_only_one(rcode, nameserver, make_response):
    server = nameserver(lambda query, _: make_response(query, rcode))
    found = ask(server.address)
    assert (found.rcode, found.attempts) == (rcode, 1)


def test_the_next_server_of_a_set_is_asked_when_one_is_silent_or_fails(nameserver, right, make_response, closed_port):
    good = nameserver(right)
    for bad in (
        closed_port,
        nameserver(lambda *_: None).address,
        nameserver(lambda query, _: make_response(query, "SERVFAIL")).address,
        nameserver(lambda query, _: make_response(query, "REFUSED")).address,
    ):
        found = ask(bad, good.address)
        assert (found.values, found.resolver) == (("10.1.0.4",), str(good.address))


def test_nxdomain_is_not_asked_for_elsewhere(nameserver, right, make_response):
    """A stub resolver believes the first server that answers, so a second one that knows better helps nobody."""
    second = nameserver(right)
    found = ask(nameserver(lambda query, _: make_response(query, "NXDOMAIN")).address, second.address)
    assert (found.rcode, second.queries["udp"]) == ("NXDOMAIN", 0)


def test_a_servers_word_counts_more_than_the_silence_of_others(nameserver, make_response, closed_port):
    server = nameserver(lambda query, _: make_response(query, "SERVFAIL"))
    assert ask(server.address, closed_port).rcode == "SERVFAIL"
    assert ask(closed_port, server.address).rcode == "SERVFAIL"


def test_many_questions_are_in_flight_at_once_and_answers_keep_their_places(nameserver, make_response):
    def handler(query, _):
        number = int(query.question[0].name.labels[0][1:])
        answer = [(query.question[0].name.to_text(), "A", f"10.1.{number // 250}.{number % 250}")]
        return [(0.02, make_response(query, answer=answer).to_wire())]

    questions = [Question(f"n{i}.corp.internal", "A") for i in range(400)]
    began = time.monotonic()
    found = ask_all(questions, nameserver(handler).address, patience=Patience(200, 2, 3, 30))
    assert [answer.values[0] for answer in found] == [f"10.1.{i // 250}.{i % 250}" for i in range(400)]
    assert time.monotonic() - began < 400 * 0.02 / 4


def test_no_more_are_in_flight_than_allowed(nameserver, right):
    flying, most = set(), 0

    def handler(query, transport):
        nonlocal most
        flying.add(query.id)
        most = max(most, len(flying))
        server._loop.call_later(0.01, flying.discard, query.id)
        return [(0.012, right(query, transport).to_wire())]

    server = nameserver(handler)
    ask_all([WEB] * 60, server.address, patience=Patience(5, 2, 1, 30))
    assert 2 <= most <= 5


def test_the_deadline_ends_everything_and_names_what_was_not_asked(nameserver):
    server = nameserver(lambda *_: None)
    began = time.monotonic()
    found = ask_all([WEB] * 20, server.address, patience=Patience(4, 0.2, 5, 0.5))
    assert time.monotonic() - began < 1.5
    failures = [answer.failure for answer in found]
    assert failures[0] is Failure.TIMEOUT
    assert failures[-1] is Failure.NOT_ASKED
    assert found[-1].detail == "the run's deadline was over"


@pytest.mark.parametrize(("soft", "sockets"), [(1024, 512), (1, 1), (resource.RLIM_INFINITY, sys.maxsize)])
def test_no_more_sockets_are_used_than_the_process_can_spare(soft, sockets, monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, soft))
    assert socket_limit() == sockets


def test_nothing_to_ask_takes_no_socket(closed_port):
    assert ask_all([], closed_port) == ()


def test_a_name_that_cannot_be_asked_for_is_not_asked(closed_port):
    found = ask(closed_port, question=Question("a" * 70, "A"))
    assert (found.failure, found.attempts) == (Failure.NOT_ASKED, 0)


def test_no_search_list_completes_a_name(nameserver, make_response, monkeypatch):
    monkeypatch.setenv("LOCALDOMAIN", "corp.internal")
    seen = []

    def handler(query, _):
        seen.append(query.question[0].name.to_text())
        return make_response(query, "NXDOMAIN")

    ask(nameserver(handler).address, question=Question("web", "A"))
    assert seen == ["web."]


def test_ids_and_ports_differ_from_query_to_query():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(1)
        ask_all([WEB] * 30, ResolverAddress(*listener.getsockname()), patience=Patience(30, 0.05, 1, 5))
        seen = [listener.recvfrom(4096) for _ in range(30)]
    assert len({wire[:2] for wire, _ in seen}) > 25
    assert len({port for _, (_, port) in seen}) == 30


@pytest.mark.parametrize(
    ("text", "servers"),
    [
        ("nameserver 168.63.129.16\nsearch corp.internal\noptions ndots:5\n", ["168.63.129.16"]),
        ("# nameserver 1.1.1.1\n;x\nnameserver\t10.0.0.4 \nnameserver fd00::1\n", ["10.0.0.4", "fd00::1"]),
        ("nameserver 1.0.0.1\nnameserver 1.0.0.2\nnameserver 1.0.0.3\nnameserver 1.0.0.4\n",
         ["1.0.0.1", "1.0.0.2", "1.0.0.3"]),
        ("nameserver dns.corp.internal\nnameserver 10.0.0.4\n", ["10.0.0.4"]),
        ("nameserver fe80::1%eth0\n", ["fe80::1%eth0"]),
        ("", ["127.0.0.1"]),
    ],
)  # fmt: skip
def test_of_resolv_conf_the_name_servers_count(text, servers):
    assert [str(server) for server in system_servers(text)] == servers


def test_given_servers_are_sets_of_their_own_and_the_systems_are_one():
    conf = {"/etc/resolv.conf": "nameserver 10.0.0.4\nnameserver 10.0.0.5\n"}.__getitem__
    found = resolver_sets(["system", "10.0.0.6", "10.0.0.7#5353", "10.0.0.6"], conf)
    assert [str(each) for each in found] == ["10.0.0.4,10.0.0.5", "10.0.0.6", "10.0.0.7#5353"]


def test_a_machine_without_resolv_conf_asks_itself():
    def missing(path):
        raise FileNotFoundError(path)

    assert [str(each) for each in resolver_sets(["system"], missing)] == ["127.0.0.1"]
