"""The link audit: every state of a network and a zone, and the recipe against a local Azure."""

import json

import pytest

from cloud.credentials import FixedTokenCredential
from cloud.services import build, run_context
from core.links import VirtualNetworkLink
from core.records import ZoneRef
from core.settings import Settings
from probe.audit import audit
from probe.facts import network_of
from probe.links import Requirement, audit_links
from probe.zones import AzureFacts, Zone

NET = "/subscriptions/sub-1/resourceGroups/rg-net/providers/Microsoft.Network/virtualNetworks"
HERE, THERE = f"{NET}/spoke", f"{NET}/other"
REVERSE = "1.10.in-addr.arpa"


def zone(name, *links, group="rg-dns", known=True):
    return Zone(ZoneRef("sub-1", group, name), tuple(links), known)


def link(network=HERE, name="to-spoke", **more):
    return VirtualNetworkLink(name, network, **more)


STATES = {
    "linked": ([zone(REVERSE, link())], ["linked"]),
    "linked, spelled otherwise": ([zone(REVERSE, link(HERE.upper()))], ["linked"]),
    "not linked": ([zone(REVERSE)], ["not_linked"]),
    "linked elsewhere only": ([zone(REVERSE, link(THERE))], ["not_linked"]),
    "no such zone": ([zone("corp.internal", link())], ["zone_missing"]),
    "a namesake is linked": ([zone(REVERSE), zone(REVERSE, link(), group="rg-old")], ["wrong_zone"]),
    "new": ([zone(REVERSE, link(state="InProgress"))], ["in_progress"]),
    "two links": ([zone(REVERSE, link(), link(name="again"))], ["linked_twice"]),
    "a namesake is linked too": ([zone(REVERSE, link()), zone(REVERSE, link(), group="rg-old")], ["linked_twice"]),
    "a longer zone": ([zone(REVERSE, link()), zone("0.1.10.in-addr.arpa", link())], ["overlapping"]),
    "a longer zone elsewhere": ([zone(REVERSE, link()), zone("0.1.10.in-addr.arpa", link(THERE))], ["linked"]),
    "registration": ([zone(REVERSE, link(registration_enabled=True))], ["registration_enabled"]),
    "several": (
        [zone(REVERSE, link(state="InProgress", registration_enabled=True)), zone("0.1.10.in-addr.arpa", link())],
        ["in_progress", "overlapping", "registration_enabled"],
    ),
    "links not read": ([zone(REVERSE, known=False)], ["unknown"]),
}


@pytest.mark.parametrize(("zones", "states"), STATES.values(), ids=STATES)
def test_a_network_and_a_reverse_zone_are(zones, states):
    facts = AzureFacts(tuple(zones), listed=frozenset({"sub-1"}))
    (row,) = audit_links([Requirement(HERE, ZoneRef("SUB-1", "RG-DNS", REVERSE))], facts).rows
    assert ([problem.state for problem in row.problems] or ["linked"], row.state) == (states, states[0])
    assert all(problem.fix.startswith("az network private-dns ") for problem in row.problems)


def test_registration_on_a_forward_zone_is_meant():
    facts = AzureFacts((zone("corp.internal", link(registration_enabled=True)),), listed=frozenset({"sub-1"}))
    assert audit_links([Requirement(HERE, ZoneRef("sub-1", "rg-dns", "corp.internal"))], facts).is_ok


def test_zones_that_could_not_be_listed_are_unknown_and_not_missing():
    report = audit_links([Requirement(HERE, ZoneRef("sub-1", "rg-dns", REVERSE))], AzureFacts(), ("403",))
    assert ([row.state for row in report.rows], report.is_ok) == (["unknown"], False)


def test_the_same_requirement_is_one_row_and_rows_are_in_order():
    refs = [ZoneRef("sub-1", "rg-dns", REVERSE), ZoneRef("sub-1", "RG-DNS", REVERSE)]
    report = audit_links([Requirement(net, ref) for net in (THERE, HERE, HERE.upper()) for ref in refs], AzureFacts())
    assert [row.vnet_id for row in report.rows] == [THERE, HERE]


def test_nothing_to_audit_is_not_a_success():
    assert not audit_links([], AzureFacts()).is_ok


def test_a_subnet_tells_its_network():
    assert network_of(f"{HERE}/subnets/aci") == HERE
    assert network_of("nonsense") is None


@pytest.fixture
def run_audit(lab):
    """Give `run_audit(**settings)`: the recipe as a principal that may only read."""

    def run(denied=("nothing",), **environment):
        entry = {"forward_zone": "corp.internal", "reverse_zones": [REVERSE], "zones_resource_group": "rg-dns"}
        subscription = {"PROBE_SUBSCRIPTION_ID": lab.fleet.subscription}
        given = {**lab.environment(json.dumps({"rg-apps": entry})), **subscription, **environment}
        settings = Settings.from_env(given, lambda _: "")
        services = build(settings, credential=FixedTokenCredential("read-only", 9999999999))
        allowed = lab.world.authorize
        lab.world.authorize = lambda _claims, action, _scope: action.endswith("/read") and not action.startswith(denied)
        try:
            return audit(run_context(services, settings, "audit"), settings.probe)
        finally:
            lab.world.authorize = allowed
            services.close()

    return run


def states(report):
    return {(row.vnet_id.rsplit("/", 1)[1], row.zone.name): row.state.value for row in report.rows}


def test_a_network_with_container_groups_must_see_their_zones(lab, run_audit):
    lab.zone("corp.internal", "spoke")
    lab.zone(REVERSE)
    lab.group("web", "10.1.0.4")
    report = run_audit()
    assert states(report) == {("spoke", "corp.internal"): "linked", ("spoke", REVERSE): "not_linked"}
    assert (report.arm_calls, report.remarks) == (4, ())
    lab.fleet.link(REVERSE, lab.fleet.vnet("spoke", "10.0.1.0/24"))
    assert run_audit().is_ok


def test_named_networks_must_see_every_zone(lab, run_audit):
    lab.zone("corp.internal", "spoke", "hub")
    lab.zone(REVERSE, "hub")
    spoke, hub = (lab.fleet.vnet(name, "10.0.1.0/24") for name in ("spoke", "hub"))
    assert states(run_audit(PROBE_VNETS=f"{spoke},{hub}")) == {
        ("spoke", "corp.internal"): "linked",
        ("spoke", REVERSE): "not_linked",
        ("hub", "corp.internal"): "linked",
        ("hub", REVERSE): "linked",
    }


def test_links_that_cannot_be_read_are_unknown_with_a_remark_and_no_success(lab, run_audit):
    lab.zone("corp.internal", "spoke")
    lab.zone(REVERSE, "spoke")
    denied = ("Microsoft.Network/privateDnsZones/virtualNetworkLinks",)
    report = run_audit(denied, PROBE_VNETS=lab.fleet.vnet("spoke", "10.0.1.0/24"))
    assert set(states(report).values()) == {"unknown"}
    assert "403" in report.remarks[0]
    assert not report.is_ok


def test_with_a_role_on_the_zones_alone_links_are_known_and_missing_zones_too(lab, run_audit):
    lab.zone("corp.internal", "spoke")
    denied = ("Microsoft.Network/privateDnsZones/read",)
    report = run_audit(denied, PROBE_VNETS=lab.fleet.vnet("spoke", "10.0.1.0/24"))
    assert states(report) == {("spoke", "corp.internal"): "linked", ("spoke", REVERSE): "zone_missing"}
    assert report.remarks == (f"zones in the way are not looked for: {lab.fleet.subscription} may not be listed",)


def test_without_container_groups_it_says_what_to_set(run_audit):
    report = run_audit()
    assert not report.is_ok
    assert "PROBE_VNETS" in report.remarks[0] or "rg-apps" in report.remarks[0]
