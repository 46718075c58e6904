"""One table of situations, asked of every DNS server that plays them: what the probe says must be the same of all.

The servers: BIND with views by source address, BIND and Unbound as forwarders, Knot and NSD, the local Azure, and a
custom server in front of it.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from core.names import parse_address
from core.probe_settings import ProbeSettings, ResolverAddress
from core.records import ZoneRef
from local_azure import dns as resolvers
from local_azure.dns.faults import DnsFault
from local_azure.fleet import Fleet
from local_azure.peers.authoritative import Knot, Nsd
from local_azure.peers.azure import Azure, AzureForwarder
from local_azure.peers.bind import Bind, BindForwarder
from local_azure.peers.process import Endpoint, find_program
from local_azure.peers.situations import FORWARD, SITUATIONS, Situation, Vantage
from local_azure.peers.unbound import Unbound
from local_azure.server import LocalAzure
from probe.look import Looks, look_at_all
from probe.resolvers import ResolverSet
from probe.target import Target
from probe.verdict import Verdict

PEERS: dict[str, Any] = {
    "bind": Bind,
    "bind_forwarder": BindForwarder,
    "unbound": Unbound,
    "knot": Knot,
    "nsd": Nsd,
    "azure": Azure,
    "azure_forwarder": AzureForwarder,
}
PACKAGES = {"named": "bind9", "unbound": "unbound", "knotd": "knot", "nsd": "nsd"}
PATIENT = ProbeSettings(timeout_seconds=2.0, attempts=2, deadline_seconds=20.0)
IMPATIENT = ProbeSettings(timeout_seconds=0.2, attempts=1, deadline_seconds=5.0)
ONE_LOOK = ProbeSettings(timeout_seconds=0.6, attempts=2, deadline_seconds=5.0, confirm_seconds=0)


class Peer(Protocol):
    def endpoint(self, vantage: Vantage) -> Endpoint: ...


class Peers:
    """Starts each server when the first test wants it, and stops all in the end."""

    def __init__(self, require_tool: Callable[..., Path], stack: ExitStack) -> None:
        self._require_tool, self._stack = require_tool, stack
        self._running: dict[str, Peer] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._running:
            program = PEERS[name].program
            if program and find_program(program) is None:
                self._require_tool(program, f"apt-get install {PACKAGES[program]}")
            self._running[name] = self._start(name)
        return self._running[name]

    def rules_of_azure(self) -> list[DnsFault]:
        """Give the local Azure's rules, to change in place."""
        world = self._fleet.azure.world
        return resolvers.of(world).faults.rules

    def _start(self, name: str) -> Any:
        if name == "azure":
            azure = self._stack.enter_context(LocalAzure.start(seed=3, parts=("local_azure.dns",)))
            fleet = self._fleet = Fleet(azure)
            self._stack.callback(fleet.session.close)
            return Azure(fleet).lay_out()
        if name == "azure_forwarder":
            upstream = self["azure"]
            return AzureForwarder(self._fleet, upstream).lay_out()
        needs = (self["bind"],) if name in ("bind_forwarder", "unbound") else ()
        return self._stack.enter_context(PEERS[name](*needs))


@pytest.fixture(scope="module")
def peers(require_tool: Callable[..., Path]) -> Iterator[Peers]:
    with ExitStack() as stack:
        yield Peers(require_tool, stack)


def target_of(situation: Situation) -> Target:
    zone = ZoneRef("", "", FORWARD)
    return Target(situation.fqdn, parse_address(situation.ip), zone, ZoneRef("", "", situation.reverse_zone))


async def no_sleep(_seconds: float) -> None:
    """Wait for nothing: no server here forgets or learns anything between two looks."""


def look(endpoint: Endpoint, situations: list[Situation], settings: ProbeSettings) -> list[Looks]:
    """Ask one server as the probe does: all at once, and for what is wrong a second time."""
    servers = ResolverSet((ResolverAddress(endpoint.host, endpoint.port),))
    targets = [target_of(situation) for situation in situations]
    (found,) = asyncio.run(look_at_all(targets, [servers], settings, no_sleep))
    return found


def says(looks: Looks) -> list[dict[str, Any]]:
    return [finding.answer.to_json() for finding in looks.first.findings]


def marks_of(name: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.tools] if PEERS[name].program else []


PLAYED = [
    pytest.param(name, situation, id=f"{name}-{situation}", marks=marks_of(name))
    for name in PEERS
    for situation in SITUATIONS
    if situation.vantage in PEERS[name].vantages
]


@pytest.mark.parametrize(("name", "situation"), PLAYED)
def test_the_verdict_is_the_same_of_every_server(peers: Peers, name: str, situation: Situation) -> None:
    settings = IMPATIENT if situation.vantage is Vantage.SILENT else PATIENT
    (found,) = look(peers[name].endpoint(situation.vantage), [situation], settings)
    assert found.verdict == situation.verdict, says(found)
    assert (found.second is None) is (situation.verdict == "ok")
    answers = [finding.answer for finding in found.first.findings]
    if situation.by_tcp:
        assert answers[1].transport == "tcp"
    if name.endswith("forwarder"):
        assert not any(answer.authoritative for answer in answers)


@pytest.mark.parametrize("name", [pytest.param(name, marks=marks_of(name)) for name in PEERS])
def test_targets_asked_for_all_at_once_are_not_mixed_up(peers: Peers, name: str) -> None:
    situations = [situation for situation in SITUATIONS if situation.vantage is Vantage.LINKED] * 5
    found = look(peers[name].endpoint(Vantage.LINKED), situations, PATIENT)
    assert [looks.verdict for looks in found] == [situation.verdict for situation in situations]


@pytest.mark.parametrize(
    ("faults", "verdict"),
    [
        pytest.param([DnsFault("wrong_id")], "timeout", id="another id"),
        pytest.param([DnsFault("wrong_question")], "timeout", id="another question"),
        pytest.param([DnsFault("wrong_source")], "timeout", id="from another port"),
        pytest.param([DnsFault("wrong_id", followed=True)], "ok", id="another id, then the right answer"),
        pytest.param([DnsFault("wrong_question", followed=True)], "ok", id="another question, then the right answer"),
        pytest.param([DnsFault("wrong_source", followed=True)], "ok", id="from another port, then the right answer"),
        pytest.param([DnsFault("malformed")], "malformed", id="cut short"),
        pytest.param([DnsFault("malformed", type="PTR")], "malformed", id="PTR cut short"),
        pytest.param([DnsFault("rcode", rcode="YXDOMAIN")], "bad_rcode", id="an rcode out of place"),
        pytest.param([DnsFault("rcode", rcode="NXDOMAIN", type="PTR")], "reverse_zone_unlinked", id="NXDOMAIN, no SOA"),
        pytest.param([DnsFault("lame", type="PTR")], "lame", id="lame for PTR"),
        pytest.param([DnsFault("truncate")], "ok", id="by TCP alone"),
        pytest.param([DnsFault("truncate"), DnsFault("drop", transport="tcp")], "truncated", id="cut, and no TCP"),
        pytest.param([DnsFault("slow", seconds=0.05)], "ok", id="slow"),
        pytest.param([DnsFault("slow", seconds=5)], "timeout", id="too slow"),
        pytest.param([DnsFault("drop", times=2)], "ok", id="both first datagrams lost"),
    ],
)
def test_a_resolver_that_misbehaves_is_told_from_one_that_knows_nothing(
    peers: Peers, faults: list[DnsFault], verdict: str
) -> None:
    endpoint, web = peers["azure"].endpoint(Vantage.LINKED), SITUATIONS[0]
    rules = peers.rules_of_azure()
    before = list(rules)
    rules[:0] = [replace(fault, vnet="vnet-linked") for fault in faults]
    waits_in_vain = verdict in ("timeout", "truncated")
    try:
        (found,) = look(endpoint, [web], replace(ONE_LOOK, timeout_seconds=0.15) if waits_in_vain else ONE_LOOK)
    finally:
        rules[:] = before
    assert found.verdict == verdict, says(found)


@pytest.mark.tools
def test_bind_tells_vantages_apart_by_the_clients_address(peers: Peers) -> None:
    import dns.message  # noqa: PLC0415 - this test alone chooses its source address, which the probe has no need to
    import dns.query  # noqa: PLC0415

    def owner(vantage: Vantage) -> str:
        at = peers["bind"].endpoint_by_source(vantage)
        query = dns.message.make_query("5.2.0.10.in-addr.arpa", "PTR")
        return str(dns.query.udp(query, at.host, 2, at.port, source=at.source).authority[0].name).lower()

    owners = [owner(vantage) for vantage in (Vantage.LINKED, Vantage.UNLINKED, Vantage.SHADOWED)]
    assert owners == ["0.10.in-addr.arpa.", "10.in-addr.arpa.", "2.0.10.in-addr.arpa."]


def test_every_situation_is_played_by_the_local_azure_and_by_a_real_server() -> None:
    in_azure = set(Azure.vantages)
    real = {vantage for name, peer in PEERS.items() if not name.startswith("azure") for vantage in peer.vantages}
    assert real == set(Vantage)
    assert in_azure == set(Vantage) - {Vantage.DEFAULTS}, "Unbound's own habit"


def test_the_table_holds_every_verdict_that_a_server_can_cause() -> None:
    from_elsewhere = {
        *(
            Verdict.FORWARD_ZONE_SHADOWED,
            Verdict.REVERSE_ZONE_MISSING,
        ),  # told from zones' names alone
        *(Verdict.MALFORMED, Verdict.TRUNCATED, Verdict.BAD_RCODE, Verdict.NOT_ASKED, Verdict.FLAPPING),
    }
    assert {situation.verdict for situation in SITUATIONS} == {
        str(verdict) for verdict in set(Verdict) - from_elsewhere
    }
