"""What dig makes of the resolvers' answers: header bits, sections, EDNS, truncation, TCP."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.tools

AZURE_SOA = "azureprivatedns.net. azureprivatedns-host.microsoft.com. 1 3600 300 2419200 10"
EDNS = "version: 0, flags:; udp: 1232"
MANY = 100
COMPLAINTS = ("WARNING", "mismatch", "bad packet", "malformed", "parse", "extra bytes", "Warning")


@dataclass(frozen=True)
class Dig:
    """One run of dig, taken apart. `flags` are the header's; sections hold lines with single blanks."""

    text: str
    status: str
    flags: tuple[str, ...]
    counts: tuple[int, int, int, int]
    edns: str
    answer: tuple[str, ...]
    authority: tuple[str, ...]
    transport: str

    @classmethod
    def of(cls, text: str) -> "Dig":
        status = re.search(r"->>HEADER<<- opcode: \w+, status: (\w+)", text)
        flags = re.search(r"^;; flags:([^;]*);", text, re.MULTILINE)
        counts = re.search(r"QUERY: (\d+), ANSWER: (\d+), AUTHORITY: (\d+), ADDITIONAL: (\d+)", text)
        edns = re.search(r"^; EDNS: (.*)$", text, re.MULTILINE)
        server = re.search(r"^;; SERVER: .*\((UDP|TCP)\)$", text, re.MULTILINE)
        return cls(
            text,
            status[1] if status else "",
            tuple(flags[1].split()) if flags else (),
            tuple(map(int, counts.groups())) if counts else (0, 0, 0, 0),  # type: ignore[arg-type]  # four groups
            edns[1] if edns else "",
            _section(text, "ANSWER"),
            _section(text, "AUTHORITY"),
            server[1] if server else "",
        )


def _section(text: str, name: str) -> tuple[str, ...]:
    found = re.search(rf"^;; {name} SECTION:\n((?:.+\n)*)", text, re.MULTILINE)
    return tuple(" ".join(line.split()) for line in found[1].splitlines()) if found else ()


@pytest.fixture
def dig(lab: Any, require_tool: Callable[..., Path]) -> Callable[..., Dig]:
    """Give dig against a network that sees corp.internal and 1.0.10.in-addr.arpa."""
    program = require_tool("dig", "apt-get install bind9-dnsutils")
    hub = lab.fleet.vnet("hub", "10.0.0.0/16")
    lab.fleet.zone("corp.internal", hub)
    lab.fleet.zone("1.0.10.in-addr.arpa", hub)
    lab.fleet.put_record("corp.internal", "A", "web", "10.0.1.4", ttl=60)
    lab.fleet.put_record("1.0.10.in-addr.arpa", "PTR", "4", "web.corp.internal", ttl=60)
    host, port = lab.azure.dns[hub.lower()].split(":")

    def run(*arguments: str) -> Dig:
        command = [str(program), "-r", f"@{host}", "-p", port, "+tries=1", "+time=3", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        assert not [word for word in COMPLAINTS if word in done.stdout + done.stderr], done.stdout
        return Dig.of(done.stdout)

    return run


def test_a_record_is_answered_with_authority_and_recursion_offered(dig: Callable[..., Dig]) -> None:
    found = dig("web.corp.internal")
    assert (found.status, found.flags) == ("NOERROR", ("qr", "aa", "rd", "ra"))
    assert found.answer == ("web.corp.internal. 60 IN A 10.0.1.4",)
    assert found.counts == (1, 1, 0, 1), "the OPT record alone is additional"
    assert (found.edns, found.transport) == (EDNS, "UDP")


def test_an_address_is_answered_with_its_name(dig: Callable[..., Dig]) -> None:
    assert dig("-x", "10.0.1.4").answer == ("4.1.0.10.in-addr.arpa. 60 IN PTR web.corp.internal.",)


@pytest.mark.parametrize(
    ("asked", "zone"),
    [
        pytest.param(("gone.corp.internal",), "corp.internal.", id="name"),
        pytest.param(("-x", "10.0.1.5"), "1.0.10.in-addr.arpa.", id="address"),
    ],
)
def test_what_a_linked_zone_does_not_hold_is_nxdomain_with_its_soa(
    dig: Callable[..., Dig], asked: tuple[str, ...], zone: str
) -> None:
    found = dig(*asked)
    assert (found.status, found.flags) == ("NXDOMAIN", ("qr", "aa", "rd", "ra"))
    assert found.counts == (1, 0, 1, 1)
    assert found.authority == (f"{zone} 10 IN SOA {AZURE_SOA}",)


def test_a_missing_type_is_noerror_without_answer_and_with_the_soa(dig: Callable[..., Dig]) -> None:
    found = dig("web.corp.internal", "AAAA")
    assert (found.status, found.flags, found.answer) == ("NOERROR", ("qr", "aa", "rd", "ra"), ())
    assert found.authority == (f"corp.internal. 10 IN SOA {AZURE_SOA}",)


def test_an_unlinked_address_is_nxdomain_of_another_zone_without_authority(dig: Callable[..., Dig]) -> None:
    found = dig("-x", "10.0.2.4")
    assert (found.status, found.flags) == ("NXDOMAIN", ("qr", "rd", "ra"))
    assert [line.split()[0] for line in found.authority] == ["in-addr.arpa."]


def test_the_zones_own_soa_has_its_own_ttl(dig: Callable[..., Dig]) -> None:
    assert dig("corp.internal", "SOA").answer == (f"corp.internal. 3600 IN SOA {AZURE_SOA}",)


def test_the_wish_for_recursion_is_copied_and_the_case_of_the_question_kept(dig: Callable[..., Dig]) -> None:
    found = dig("+norecurse", "wEb.CoRp.InTeRnAl")
    assert found.flags == ("qr", "aa", "ra")
    assert found.answer == ("wEb.CoRp.InTeRnAl. 60 IN A 10.0.1.4",)


@pytest.mark.parametrize(
    ("options", "status", "edns"),
    [
        pytest.param(("+noedns",), "NOERROR", "", id="without"),
        pytest.param(("+edns=0",), "NOERROR", EDNS, id="version 0"),
        pytest.param(("+edns=1", "+noednsneg"), "BADVERS", EDNS, id="version 1"),
        pytest.param(("+ednsopt=65001:abcd",), "NOERROR", EDNS, id="unknown option"),
        pytest.param(("+subnet=10.0.0.0/8", "+nsid", "+cookie"), "NOERROR", EDNS, id="options"),
        pytest.param(("+ednsflags=0x40",), "NOERROR", EDNS, id="unknown flag"),
    ],
)
def test_edns_is_answered_in_kind(dig: Callable[..., Dig], options: tuple[str, ...], status: str, edns: str) -> None:
    found = dig("web.corp.internal", *options)
    assert (found.status, found.edns.removesuffix(",")) == (status, edns)


@pytest.mark.parametrize(("option", "transport"), [("+notcp", "UDP"), ("+tcp", "TCP")])
def test_both_transports_give_the_same_answer(dig: Callable[..., Dig], option: str, transport: str) -> None:
    found = dig("web.corp.internal", option)
    assert (found.transport, found.answer) == (transport, ("web.corp.internal. 60 IN A 10.0.1.4",))


@pytest.mark.parametrize(
    "option",
    [
        pytest.param("+noedns", id="512 bytes without EDNS"),
        pytest.param("+bufsize=512", id="512 bytes"),
        pytest.param("+bufsize=65535", id="however much the client takes"),
    ],
)
def test_what_fits_no_datagram_is_cut_and_comes_by_tcp(dig: Callable[..., Dig], lab: Any, option: str) -> None:
    addresses = [f"10.0.{number}.{number}" for number in range(MANY)]
    large(lab, addresses)
    cut = dig("many.corp.internal", option, "+ignore")
    assert (cut.status, cut.flags, cut.transport) == ("NOERROR", ("qr", "aa", "tc", "rd", "ra"), "UDP")
    assert int(re.findall(r"MSG SIZE\s+rcvd: (\d+)", cut.text)[0]) <= (1232 if option.endswith("65535") else 512)
    whole = dig("many.corp.internal", option)
    assert ";; Truncated, retrying in TCP mode." in whole.text
    assert (whole.flags, whole.transport) == (("qr", "aa", "rd", "ra"), "TCP")
    assert sorted(line.split()[-1] for line in whole.answer) == sorted(addresses)


def large(lab: Any, addresses: list[str]) -> None:
    """Make a set that ARM would refuse as too large: DNS must serve what there is."""
    zone = lab.world.zones[lab.zone_id("corp.internal").lower()]
    lab.fleet.put_record("corp.internal", "A", "many", addresses[0])
    values = {"ttl": 60, "aRecords": [{"ipv4Address": address} for address in addresses]}
    lab.azure.call(lambda: zone.record_sets["A", "many"].properties.update(values))


def test_one_tcp_connection_takes_several_queries(dig: Callable[..., Dig]) -> None:
    found = dig("+tcp", "+keepopen", "web.corp.internal", "+tcp", "+keepopen", "-x", "10.0.1.4")
    assert found.text.count("status: NOERROR") == 2


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        pytest.param(("version.bind", "CH", "TXT"), "REFUSED", id="another class"),
        pytest.param(("web.corp.internal", "+opcode=status", "+noedns"), "NOTIMP", id="another opcode"),
        pytest.param(("web.corp.internal", "+header-only"), "FORMERR", id="no question"),
    ],
)
def test_what_is_not_looked_up_says_why(dig: Callable[..., Dig], asked: tuple[str, ...], status: str) -> None:
    found = dig(*asked)
    assert (found.status, found.answer) == (status, ())


def test_no_zone_is_transferred(dig: Callable[..., Dig]) -> None:
    assert "; Transfer failed." in dig("corp.internal", "AXFR").text


def test_a_forwarder_in_between_takes_the_authority_away_and_nothing_else(dig: Callable[..., Dig], lab: Any) -> None:
    hub = next(network for network in lab.world.vnets.values() if network.name == "hub")
    direct = dig("gone.corp.internal")
    lab.fleet.control("POST", "dns", {"customServers": {"10.0.0.53": {"forwardsTo": hub.id}}})
    lab.azure.call(lambda: hub.dns_servers.append("10.0.0.53"))
    through = dig("gone.corp.internal")
    assert (through.status, through.authority) == (direct.status, direct.authority)
    assert through.flags == ("qr", "rd", "ra")
