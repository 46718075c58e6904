"""The resolver's decisions, as a table of zones and queries. No sockets."""

from dataclasses import dataclass

import dns.flags
import dns.message
import dns.rcode
import pytest

from local_azure.dns.answer import View, respond
from local_azure.dns.platform import Platform
from local_azure.world import PrivateZone, RecordSet

AZURE_SOA = "azureprivatedns.net. azureprivatedns-host.microsoft.com. 1 3600 300 2419200 10"


def record_set(kind: str, name: str, ttl: int = 60, **properties: object) -> RecordSet:
    return RecordSet(kind, name, ttl, properties, "etag")


def zone(name: str, *sets: RecordSet) -> PrivateZone:
    held = [record_set("SOA", "@", 3600, soaRecord={"host": "azureprivatedns.net", "minimumTtl": 10}), *sets]
    return PrivateZone(f"/zones/{name}", name, "etag", record_sets={(s.type, s.name.lower()): s for s in held})


def a(name: str, *addresses: str) -> RecordSet:
    return record_set("A", name, aRecords=[{"ipv4Address": address} for address in addresses])


def ptr(name: str, *targets: str) -> RecordSet:
    return record_set("PTR", name, ptrRecords=[{"ptrdname": target} for target in targets])


def cname(name: str, target: str) -> RecordSet:
    return record_set("CNAME", name, cnameRecord={"cname": target})


CORP = zone(
    "corp.internal",
    a("web", "10.0.0.4"),
    a("Multi", "10.0.0.5", "10.0.0.6"),
    a("deep.under.tree", "10.0.0.7"),
    a("empty"),
    a("@", "10.0.0.1"),
    a("*.wild", "10.0.0.8"),
    a("held.wild", "10.0.0.9"),
    record_set("TXT", "web", txtRecords=[{"value": ["one", "two"]}, {"value": ["x" * 300]}]),
    record_set("AAAA", "six", aaaaRecords=[{"ipv6Address": "fd00::4"}]),
    record_set("MX", "mail", mxRecords=[{"preference": 10, "exchange": "web.corp.internal"}]),
    record_set(
        "SRV", "_dns._tcp", srvRecords=[{"priority": 1, "weight": 2, "port": 53, "target": "web.corp.internal"}]
    ),
    cname("alias", "web.corp.internal"),
    cname("across", "host.other.internal."),
    cname("outside", "www.example.org"),
    cname("dangling", "gone.corp.internal"),
    cname("loop1", "loop2.corp.internal"),
    cname("loop2", "loop1.corp.internal"),
)
OTHER = zone("other.internal", a("host", "10.9.0.4"))
REVERSE_8 = zone("10.in-addr.arpa", ptr("4.0.0", "web.corp.internal"), ptr("4.2.1", "shadowed.corp.internal"))
REVERSE_24 = zone("2.1.10.in-addr.arpa", ptr("5", "right.corp.internal."))
VIEW = View.of([CORP, OTHER, REVERSE_8, REVERSE_24])


def ask(name: str, kind: str = "A", view: View = VIEW) -> dns.message.Message:
    return respond(view, dns.message.make_query(name, kind))


def texts(section: list[object]) -> list[str]:
    return sorted(line for rrset in section for line in str(rrset).splitlines())


@dataclass
class Case:
    claim: str
    name: str
    kind: str
    answer: list[str]


ANSWERED = [
    Case("an A record", "web.corp.internal", "A", ["web.corp.internal. 60 IN A 10.0.0.4"]),
    Case(
        "every address of a set",
        "multi.corp.internal",
        "A",
        ["multi.corp.internal. 60 IN A 10.0.0.5", "multi.corp.internal. 60 IN A 10.0.0.6"],
    ),
    Case("the apex", "corp.internal", "A", ["corp.internal. 60 IN A 10.0.0.1"]),
    Case("the SOA at the apex", "corp.internal", "SOA", [f"corp.internal. 3600 IN SOA {AZURE_SOA}"]),
    Case("an AAAA record", "six.corp.internal", "AAAA", ["six.corp.internal. 60 IN AAAA fd00::4"]),
    Case("an MX record", "mail.corp.internal", "MX", ["mail.corp.internal. 60 IN MX 10 web.corp.internal."]),
    Case(
        "an SRV record",
        "_dns._tcp.corp.internal",
        "SRV",
        ["_dns._tcp.corp.internal. 60 IN SRV 1 2 53 web.corp.internal."],
    ),
    Case(
        "a TXT record, long values cut at 255 bytes",
        "web.corp.internal",
        "TXT",
        [
            'web.corp.internal. 60 IN TXT "one" "two"',
            f'web.corp.internal. 60 IN TXT "{"x" * 255}" "{"x" * 45}"',
        ],
    ),
    Case(
        "a PTR without its final dot",
        "4.0.0.10.in-addr.arpa",
        "PTR",
        ["4.0.0.10.in-addr.arpa. 60 IN PTR web.corp.internal."],
    ),
    Case("the longest zone", "5.2.1.10.in-addr.arpa", "PTR", ["5.2.1.10.in-addr.arpa. 60 IN PTR right.corp.internal."]),
    Case(
        "a wildcard, owned by the name asked",
        "any.wild.corp.internal",
        "A",
        ["any.wild.corp.internal. 60 IN A 10.0.0.8"],
    ),
    Case("a wildcard over many labels", "a.b.wild.corp.internal", "A", ["a.b.wild.corp.internal. 60 IN A 10.0.0.8"]),
    Case("the wildcard itself", "*.wild.corp.internal", "A", ["*.wild.corp.internal. 60 IN A 10.0.0.8"]),
    Case(
        "a CNAME and what it names",
        "alias.corp.internal",
        "A",
        ["alias.corp.internal. 60 IN CNAME web.corp.internal.", "web.corp.internal. 60 IN A 10.0.0.4"],
    ),
    Case(
        "a CNAME into another linked zone",
        "across.corp.internal",
        "A",
        ["across.corp.internal. 60 IN CNAME host.other.internal.", "host.other.internal. 60 IN A 10.9.0.4"],
    ),
    Case(
        "a CNAME asked as such", "alias.corp.internal", "CNAME", ["alias.corp.internal. 60 IN CNAME web.corp.internal."]
    ),
]


@pytest.mark.parametrize("case", ANSWERED, ids=lambda case: case.claim)
def test_it_answers(case: Case) -> None:
    response = ask(case.name, case.kind)
    assert response.rcode() == dns.rcode.NOERROR
    assert texts(response.answer) == case.answer
    assert response.flags & dns.flags.AA
    assert response.authority == []


@pytest.mark.parametrize(
    ("name", "kind", "rcode", "owner"),
    [
        pytest.param("gone.corp.internal", "A", "NXDOMAIN", "corp.internal.", id="missing name"),
        pytest.param("web.corp.internal", "AAAA", "NOERROR", "corp.internal.", id="missing type"),
        pytest.param("corp.internal", "NS", "NOERROR", "corp.internal.", id="no NS at the apex"),
        pytest.param("under.tree.corp.internal", "A", "NOERROR", "corp.internal.", id="empty non-terminal"),
        pytest.param("tree.corp.internal", "A", "NOERROR", "corp.internal.", id="empty non-terminal above another"),
        pytest.param("ree.corp.internal", "A", "NXDOMAIN", "corp.internal.", id="a suffix of a label is no ancestor"),
        pytest.param("empty.corp.internal", "A", "NOERROR", "corp.internal.", id="record set without records"),
        pytest.param(
            "x.held.wild.corp.internal", "A", "NXDOMAIN", "corp.internal.", id="wildcard hidden by an existing name"
        ),
        pytest.param("any.wild.corp.internal", "TXT", "NOERROR", "corp.internal.", id="wildcard of another type"),
        pytest.param(
            "4.2.1.10.in-addr.arpa", "PTR", "NXDOMAIN", "2.1.10.in-addr.arpa.", id="shadowed by a longer zone"
        ),
        pytest.param("9.9.9.10.in-addr.arpa", "PTR", "NXDOMAIN", "10.in-addr.arpa.", id="missing reverse name"),
        pytest.param("0.0.10.in-addr.arpa", "PTR", "NOERROR", "10.in-addr.arpa.", id="reverse network node"),
    ],
)
def test_what_a_linked_zone_does_not_hold_is_denied_with_its_soa_for_ten_seconds(
    name: str, kind: str, rcode: str, owner: str
) -> None:
    response = ask(name, kind)
    assert dns.rcode.to_text(response.rcode()) == rcode
    assert response.answer == []
    assert texts(response.authority) == [f"{owner} 10 IN SOA {AZURE_SOA}"]
    assert response.flags & dns.flags.AA


@pytest.mark.parametrize(
    ("name", "kind", "owner"),
    [
        ("7.0.168.192.in-addr.arpa", "PTR", "in-addr.arpa."),
        ("4.d.f.ip6.arpa", "PTR", "ip6.arpa."),
        ("a.unlinked.internal", "A", "."),
    ],
)
def test_a_name_in_no_linked_zone_is_denied_by_somebody_elses_soa(name: str, kind: str, owner: str) -> None:
    response = ask(name, kind)
    assert response.rcode() == dns.rcode.NXDOMAIN
    assert [rrset.name.to_text() for rrset in response.authority] == [owner]
    assert "azureprivatedns" not in str(response)
    assert not response.flags & dns.flags.AA


@pytest.mark.parametrize("name", [".", "in-addr.arpa"])
def test_the_roots_exist(name: str) -> None:
    response = ask(name, "NS")
    assert (response.rcode(), response.answer) == (dns.rcode.NOERROR, [])


def test_an_unlinked_zone_that_exists_elsewhere_is_not_seen() -> None:
    response = ask("4.0.0.10.in-addr.arpa", "PTR", View.of([CORP]))
    assert response.rcode() == dns.rcode.NXDOMAIN
    assert response.authority[0].name.to_text() == "in-addr.arpa."


def test_an_old_zones_own_minimum_ttl_is_its_negative_ttl() -> None:
    old = zone("old.internal")
    old.record_sets["SOA", "@"].properties["soaRecord"] = {
        "email": "azuredns-hostmaster.microsoft.com",
        "minimumTtl": 300,
    }
    soa = ask("gone.old.internal", view=View.of([old])).authority[0]
    assert (soa.ttl, soa[0].rname.to_text()) == (300, "azuredns-hostmaster.microsoft.com.")


def test_a_virtual_machines_default_name_answers_only_outside_linked_zones() -> None:
    platform = Platform({"4.0.0.10.in-addr.arpa": "vm"}, {"vm": "10.0.0.4"})
    unlinked = ask("4.0.0.10.in-addr.arpa", "PTR", View.of([], platform))
    assert texts(unlinked.answer) == ["4.0.0.10.in-addr.arpa. 10 IN PTR vm.internal.cloudapp.net."]
    linked = ask("4.0.0.10.in-addr.arpa", "PTR", View.of([zone("10.in-addr.arpa")], platform))
    assert linked.rcode() == dns.rcode.NXDOMAIN


@pytest.mark.parametrize(
    ("name", "rcode", "cnames"),
    [
        pytest.param("outside.corp.internal", "NXDOMAIN", 1, id="to a name that nobody here serves"),
        pytest.param("dangling.corp.internal", "NXDOMAIN", 1, id="to a missing name"),
        pytest.param("loop1.corp.internal", "SERVFAIL", 0, id="in a loop"),
    ],
)
def test_the_last_name_of_a_cname_chain_decides_the_response_code(name: str, rcode: str, cnames: int) -> None:
    response = ask(name)
    assert (dns.rcode.to_text(response.rcode()), len(response.answer)) == (rcode, cnames)


def test_any_gives_every_set_of_the_name() -> None:
    assert {str(rrset.rdtype.name) for rrset in ask("web.corp.internal", "ANY").answer} == {"A", "TXT"}
    assert {str(rrset.rdtype.name) for rrset in ask("alias.corp.internal", "ANY").answer} == {"CNAME"}


def test_names_compare_without_case_and_keep_the_case_of_the_query() -> None:
    response = ask("wEb.CoRp.InTeRnAl")
    assert response.question[0].name.to_text() == "wEb.CoRp.InTeRnAl."
    assert response.answer[0].name.to_text() == "wEb.CoRp.InTeRnAl."


def query(
    *, edns: int = -1, opcode: int = 0, kind: str = "A", rdclass: str = "IN", questions: int = 1
) -> dns.message.Message:
    made = dns.message.make_query("web.corp.internal", kind, rdclass, use_edns=edns)
    made.set_opcode(opcode)
    made.question = made.question * questions
    return made


@pytest.mark.parametrize(
    ("asked", "rcode"),
    [
        pytest.param(query(questions=2), "FORMERR", id="two questions"),
        pytest.param(query(questions=0), "FORMERR", id="no question"),
        pytest.param(query(opcode=4), "NOTIMP", id="NOTIFY"),
        pytest.param(query(rdclass="CH"), "REFUSED", id="another class"),
        pytest.param(query(kind="AXFR"), "REFUSED", id="a zone transfer"),
        pytest.param(query(kind="MAILB"), "NOTIMP", id="an obsolete query type"),
        pytest.param(query(edns=1), "BADVERS", id="an unknown version of EDNS"),
    ],
)
def test_what_is_not_looked_up_says_why(asked: dns.message.Message, rcode: str) -> None:
    response = respond(VIEW, asked)
    assert dns.rcode.to_text(response.rcode()) == rcode
    assert response.answer == []


def test_edns_is_answered_with_edns_and_only_then() -> None:
    assert respond(VIEW, query(edns=0)).edns == 0
    assert respond(VIEW, query()).edns == -1


def test_recursion_is_offered_and_the_wish_for_it_copied() -> None:
    asked = query()
    asked.flags &= ~dns.flags.RD
    assert not respond(VIEW, asked).flags & dns.flags.RD
    assert respond(VIEW, query()).flags & (dns.flags.RD | dns.flags.RA) == dns.flags.RD | dns.flags.RA
