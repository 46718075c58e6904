"""The three-way check: which hop of the chain is broken, and how it is said. And the words of every verdict."""

from dataclasses import replace

import pytest

from core.arm_id import ArmId
from core.links import VirtualNetworkLink
from core.live import LiveGroup, LiveState
from core.names import parse_address
from core.records import ZoneRef
from probe.advice import advise, advise_on
from probe.answer import Answer, Failure, Question, Soa
from probe.crosscheck import Hop, cross_check
from probe.target import Vantage
from probe.verdict import Direction, Finding, Judgement, Verdict, judge
from probe.zones import AzureFacts, Zone

NET = "/subscriptions/sub-1/resourceGroups/rg-net/providers/Microsoft.Network/virtualNetworks"
HERE, THERE = Vantage(f"{NET}/spoke"), f"{NET}/other"
GROUP = ArmId.parse(
    "/subscriptions/sub-1/resourceGroups/rg-apps/providers/Microsoft.ContainerInstance/containerGroups/web"
)
PTR = "4.0.1.10.in-addr.arpa"
AZURE = "168.63.129.16"
OWN = Soa("1.10.in-addr.arpa", "azureprivatedns.net", "x", 10, 10)


def zone(name, *networks, group="rg-dns", **more):
    links = tuple(VirtualNetworkLink(f"to-{n.rsplit('/', 1)[1]}", n.upper(), **more) for n in networks)
    return Zone(ZoneRef("SUB-1", group.upper(), name), links)


FORWARD = zone("corp.internal", HERE.vnet_id, THERE)
REVERSE = zone("1.10.in-addr.arpa", HERE.vnet_id)
RIGHT = AzureFacts(
    zones=(FORWARD, REVERSE),
    records={("web.corp.internal", "A"): ("10.1.0.4",), (PTR, "PTR"): ("web.corp.internal",)},
    groups={str(GROUP).lower(): LiveGroup(GROUP, LiveState.RUNNING, parse_address("10.1.0.4"))},
    dns_servers=(),
    listed=frozenset({"sub-1"}),
)
NOTHING = {("web.corp.internal", "A"): ("10.1.0.4",), (PTR, "PTR"): ()}
MISSING = {"rcode": "NXDOMAIN", "soa": OWN}
UNLINKED = {"rcode": "NXDOMAIN", "soa": Soa("in-addr.arpa", "x", "y", 10, 10)}
GOOD = {"rcode": "NOERROR", "values": ("web.corp.internal",)}

CHAIN = {
    "all right": (GOOD, RIGHT, HERE, Hop.NONE, ""),
    "right, but the record is gone": (
        GOOD, replace(RIGHT, records=NOTHING), HERE, Hop.RECORD, "the resolver still answers from memory"),
    "the record is missing": (
        MISSING, replace(RIGHT, records=NOTHING), HERE, Hop.RECORD,
        f"the zone 1.10.in-addr.arpa says nothing for {PTR} PTR"),
    "the record names another": (
        {"rcode": "NOERROR", "values": ("old.corp.internal",)},
        replace(RIGHT, records={**NOTHING, (PTR, "PTR"): ("old.corp.internal",)}), HERE, Hop.RECORD,
        "says old.corp.internal for"),
    "linked elsewhere only": (
        UNLINKED, replace(RIGHT, zones=(FORWARD, zone("1.10.in-addr.arpa", THERE))), HERE, Hop.LINK,
        "the zone 1.10.in-addr.arpa is not linked to rg-net/spoke, only to RG-NET/OTHER"),
    "linked to nobody": (
        UNLINKED, replace(RIGHT, zones=(FORWARD, zone("1.10.in-addr.arpa"))), HERE, Hop.LINK,
        "is linked to no virtual network"),
    "not linked, and the record is missing too": (
        UNLINKED, replace(RIGHT, zones=(FORWARD, zone("1.10.in-addr.arpa")), records=NOTHING), HERE, Hop.LINK,
        "is linked to no virtual network; the zone 1.10.in-addr.arpa says nothing"),
    "a namesake is linked": (
        UNLINKED,
        replace(RIGHT, zones=(FORWARD, zone("1.10.in-addr.arpa", THERE),
                              zone("1.10.in-addr.arpa", HERE.vnet_id, group="rg-old"))), HERE, Hop.LINK,
        "another zone of that name, in resource group RG-OLD, is"),
    "hidden by a longer zone": (
        {"rcode": "NXDOMAIN", "soa": Soa("0.1.10.in-addr.arpa", "x", "y", 10, 10)},
        replace(RIGHT, zones=(FORWARD, REVERSE, zone("0.1.10.in-addr.arpa", HERE.vnet_id))), HERE, Hop.SHADOW,
        "the zone 0.1.10.in-addr.arpa, linked to the same network, hides 1.10.in-addr.arpa"),
    "a longer zone elsewhere hides nothing here": (
        UNLINKED, replace(RIGHT, zones=(FORWARD, REVERSE, zone("0.1.10.in-addr.arpa", THERE))), HERE, Hop.RESOLVER,
        "Azure is right"),
    "the link is new": (
        UNLINKED, replace(RIGHT, zones=(FORWARD, zone("1.10.in-addr.arpa", HERE.vnet_id, state="InProgress"))), HERE,
        Hop.LINK_PENDING, "the link to-spoke of 1.10.in-addr.arpa is InProgress still"),
    "registration by mistake": (
        UNLINKED, replace(RIGHT, zones=(FORWARD, zone("1.10.in-addr.arpa", HERE.vnet_id, registration_enabled=True))),
        HERE, Hop.LINK, "has registration enabled, which reverse zones do not support"),
    "the zone is missing": (
        UNLINKED, replace(RIGHT, zones=(FORWARD,)), HERE, Hop.ZONE,
        "the zone 1.10.in-addr.arpa does not exist in resource group rg-dns"),
    "the zone is in another group": (
        UNLINKED, replace(RIGHT, zones=(FORWARD, zone("1.10.in-addr.arpa", group="rg-x"))), HERE, Hop.ZONE,
        "zones of that name are in resource group RG-X"),
    "the zones could not be listed": (
        UNLINKED, replace(RIGHT, zones=(), listed=frozenset()), HERE, Hop.UNKNOWN, "could not be looked up"),
    "the links could not be read": (
        UNLINKED, replace(RIGHT, zones=(FORWARD, replace(REVERSE, links_known=False))), HERE, Hop.UNKNOWN,
        "the links of 1.10.in-addr.arpa could not be read"),
    "from where is not known": (
        UNLINKED, RIGHT, Vantage(), Hop.UNKNOWN, "PROBE_VANTAGE would tell whether that is here"),
    "the network has DNS servers of its own": (
        UNLINKED, replace(RIGHT, dns_servers=("10.1.0.9",)), HERE, Hop.CUSTOM_DNS,
        "the network's own DNS servers (10.1.0.9) are in between"),
    "another resolver, the network not readable": (
        {**UNLINKED, "resolver": "10.1.0.9"}, replace(RIGHT, dns_servers=None), HERE, Hop.CUSTOM_DNS,
        "10.1.0.9 is not Azure's resolver"),
    "Azure's resolver does not follow": (UNLINKED, RIGHT, HERE, Hop.RESOLVER, "from memory, or not at all"),
    "the resolver is silent": (
        {"failure": Failure.TIMEOUT}, RIGHT, Vantage(), Hop.RESOLVER, "Azure is right"),
    "the group moved": (
        MISSING,
        replace(RIGHT, groups={str(GROUP).lower(): LiveGroup(GROUP, LiveState.RUNNING, parse_address("10.1.0.9"))}),
        HERE, Hop.GROUP, "the container group has 10.1.0.9 now; 10.1.0.4 was expected"),
    "the group is gone": (
        MISSING, replace(RIGHT, groups={str(GROUP).lower(): LiveGroup(GROUP, LiveState.ABSENT, detail="404")}), HERE,
        Hop.GROUP, "the container group is absent now: 404; 10.1.0.4 was expected"),
}  # fmt: skip


@pytest.mark.parametrize("case", CHAIN.values(), ids=CHAIN)
def test_the_broken_hop_is(case, make_target):
    reverse, facts, vantage, hop, words = case
    target = make_target(group=GROUP)
    forward = Answer(Question("web.corp.internal", "A"), AZURE, rcode="NOERROR", values=("10.1.0.4",))
    answer = Answer(Question(PTR, "PTR"), **{"resolver": AZURE, **reverse})
    found = cross_check(target, judge(target, forward, answer), vantage, facts)
    assert found.reverse is not None
    assert (found.reverse.hop, words in found.reverse.explanation) == (hop, True), found.reverse.explanation
    assert found.to_json()["hop"] == (Hop.GROUP if hop is Hop.GROUP else found.hop)


def test_the_three_statements_stand_side_by_side(make_target):
    target = make_target(group=GROUP)
    forward = Answer(Question("web.corp.internal", "A"), AZURE, rcode="NOERROR", values=("10.1.0.7",))
    facts = replace(RIGHT, records={("web.corp.internal", "A"): ("10.1.0.7",)})
    found = cross_check(target, judge(target, forward, Answer(Question(PTR, "PTR"), AZURE, **GOOD)), HERE, facts)
    assert found.forward.to_json() == {
        "zone": "corp.internal", "aci_says": "10.1.0.4", "zone_says": "10.1.0.7", "resolver_says": "10.1.0.7",
        "hop": "record", "explanation": "the zone corp.internal says 10.1.0.7 for web.corp.internal A",
    }  # fmt: skip
    assert found.reverse is not None
    assert (found.hop, found.reverse.hop, found.reverse.zone_says) == ("record", "none", "not read")


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict not in {"ok", "flapping"}])
@pytest.mark.parametrize("direction", Direction)
def test_every_verdict_has_a_cause_and_a_fix_in_one_line(verdict, direction, make_target):
    answer = Answer(Question(PTR, "PTR"), "10.0.0.4#5353", rcode="NXDOMAIN", soa=OWN, aliases=("a.b",), detail="why")
    for target in (make_target(), make_target(reverse=None), make_target(group=GROUP)):
        for vantage in (HERE, Vantage()):
            advice = advise_on(target, Finding(direction, verdict, answer), vantage)
            assert advice.cause
            assert advice.fix
            assert "\n" not in advice.cause + advice.fix


def reverse_advice(make_target, **answer):
    target = make_target(**{key: answer.pop(key) for key in ("group",) if key in answer})
    forward = Answer(Question("web.corp.internal", "A"), AZURE, rcode="NOERROR", values=("10.1.0.4",))
    found = judge(target, forward, Answer(Question(PTR, "PTR"), **{"resolver": AZURE, **answer}))
    return found.verdict, advise(target, found, HERE)


def test_an_unlinked_reverse_zone_is_named_with_the_command_that_links_it(make_target):
    verdict, advice = reverse_advice(make_target, **UNLINKED)
    assert verdict == "reverse_zone_unlinked"
    assert advice.cause == (
        f"the zone in-addr.arpa answered PTR {PTR}, not 1.10.in-addr.arpa: 1.10.in-addr.arpa is not linked to "
        "rg-net/spoke, or a DNS server in between hides it"
    )
    assert advice.fix == (
        "az network private-dns link vnet create --subscription sub-1 --resource-group rg-dns "
        f"--zone-name 1.10.in-addr.arpa --name to-spoke --virtual-network {HERE.vnet_id} --registration-enabled false"
    )


def test_a_missing_ptr_is_told_apart_and_repaired_otherwise(make_target):
    verdict, advice = reverse_advice(make_target, **MISSING, group=GROUP)
    assert (verdict, advice.fix) == ("ptr_missing", f"drift reconcile {GROUP} --apply")
    assert advice.cause == f"the zone 1.10.in-addr.arpa answers here and has no PTR {PTR}"
    assert reverse_advice(make_target, **MISSING)[1].fix == (
        "az network private-dns record-set ptr add-record --subscription sub-1 --resource-group rg-dns "
        "--zone-name 1.10.in-addr.arpa --record-set-name 4.0 --ptrdname web.corp.internal"
    )


def test_a_servers_own_empty_zone_points_to_forwarding(make_target):
    empty = Soa("10.in-addr.arpa", "localhost", "nobody.invalid", 10800, 10800)
    _, advice = reverse_advice(make_target, rcode="NXDOMAIN", soa=empty, resolver="10.0.0.4")
    assert "a built-in empty zone, 10.in-addr.arpa (primary localhost), answered" in advice.cause
    assert advice.fix.endswith("have it forward 1.10.in-addr.arpa to 168.63.129.16")


def test_a_public_zone_of_the_same_name_is_suspected_by_its_primary(make_target):
    public = replace(OWN, primary="ns1-04.azure-dns.com")
    assert (
        "ns1-04.azure-dns.com and not azureprivatedns.net is its primary"
        in reverse_advice(make_target, rcode="NXDOMAIN", soa=public)[1].cause
    )


def test_what_comes_from_outside_is_quoted_in_commands(make_target):
    target = make_target()
    target = replace(target, forward=ZoneRef("sub-1", "rg (dns); rm -rf", "corp.internal"), group=None)
    answer = Answer(Question("web.corp.internal", "A"), AZURE, rcode="NXDOMAIN")
    advice = advise(target, Judgement(Finding(Direction.FORWARD, Verdict.FORWARD_ZONE_UNLINKED, answer)), HERE)
    assert "--resource-group 'rg (dns); rm -rf' --zone-name" in advice.fix


def test_when_both_directions_are_wrong_both_repairs_are_given(make_target):
    target = make_target()
    forward = Answer(Question("web.corp.internal", "A"), AZURE, rcode="NXDOMAIN")
    reverse = Answer(Question(PTR, "PTR"), AZURE, rcode="NXDOMAIN")
    advice = advise(target, judge(target, forward, reverse), HERE)
    assert advice.cause.endswith("(and PTR: reverse_zone_unlinked)")
    assert ("--zone-name corp.internal" in advice.fix, "--zone-name 1.10.in-addr.arpa" in advice.also) == (True, True)
