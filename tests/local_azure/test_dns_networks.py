"""What a virtual network's resolver says beside its linked zones: machines, custom servers, links on their way."""

import time
from typing import TYPE_CHECKING, Any

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.reversename
import pytest
import requests

from local_azure.persistence import dump, load
from local_azure.world import World

if TYPE_CHECKING:
    from local_azure.fleet import Fleet

REVERSE = "0.10.in-addr.arpa"
VM_PTR = "9.1.0.10.in-addr.arpa"


def ask(lab: Any, vnet: str, name: str, kind: str) -> tuple[str, list[str], str, bool]:
    """Give response code, record data sorted, the owner of the authority section's SOA, and AA."""
    host, port = lab.azure.dns[vnet.lower()].split(":")
    response = dns.query.udp(dns.message.make_query(name, kind), host, timeout=5, port=int(port))
    data = sorted(rdata.to_text() for rrset in response.answer for rdata in rrset)
    owner = response.authority[0].name.to_text() if response.authority else ""
    return dns.rcode.to_text(response.rcode()), data, owner, bool(response.flags & dns.flags.AA)


@pytest.fixture
def hub(lab: Any) -> str:
    return str(lab.fleet.vnet("hub", "10.0.1.0/24"))


@pytest.fixture
def spoke(lab: Any) -> str:
    return str(lab.fleet.vnet("spoke", "10.0.2.0/24"))


def machine(fleet: "Fleet", vnet: str, name: str = "vm", ip: str = "10.0.1.9") -> None:
    fleet.control("POST", "vms", {"vnet": vnet, "name": name, "ip": ip})


def test_a_virtual_machine_has_its_default_names_in_its_own_network_only(lab: Any, hub: str, spoke: str) -> None:
    machine(lab.fleet, hub)
    assert ask(lab, hub, VM_PTR, "PTR") == ("NOERROR", ["vm.internal.cloudapp.net."], "", False)
    assert ask(lab, hub, "VM.internal.cloudapp.net", "A") == ("NOERROR", ["10.0.1.9"], "", False)
    assert ask(lab, hub, "vm.internal.cloudapp.net", "AAAA") == ("NOERROR", [], ".", False)
    assert ask(lab, spoke, VM_PTR, "PTR") == ("NXDOMAIN", [], "in-addr.arpa.", False)
    assert ask(lab, spoke, "vm.internal.cloudapp.net", "A") == ("NXDOMAIN", [], ".", False)


def test_a_linked_reverse_zone_hides_the_default_name(lab: Any, hub: str) -> None:
    machine(lab.fleet, hub)
    lab.fleet.zone(REVERSE, hub)
    assert ask(lab, hub, VM_PTR, "PTR") == ("NXDOMAIN", [], f"{REVERSE}.", True)


def test_a_registration_zone_gives_the_machine_a_second_name(lab: Any, hub: str) -> None:
    machine(lab.fleet, hub)
    lab.fleet.zone("corp.internal")
    lab.fleet.link("corp.internal", hub, registration=True)
    both = ["vm.corp.internal.", "vm.internal.cloudapp.net."]
    assert ask(lab, hub, VM_PTR, "PTR") == ("NOERROR", both, "", False)
    assert ask(lab, hub, "vm.corp.internal", "A") == ("NOERROR", ["10.0.1.9"], "", True)
    assert ask(lab, hub, "vm.corp.internal", "TXT") == ("NOERROR", [], "corp.internal.", True)
    assert ask(lab, hub, "gone.corp.internal", "A") == ("NXDOMAIN", [], "corp.internal.", True)


def test_a_record_set_by_hand_comes_before_what_is_registered(lab: Any, hub: str) -> None:
    machine(lab.fleet, hub)
    lab.fleet.zone("corp.internal")
    lab.fleet.link("corp.internal", hub, registration=True)
    lab.fleet.put_record("corp.internal", "A", "vm", "10.0.1.77")
    assert ask(lab, hub, "vm.corp.internal", "A") == ("NOERROR", ["10.0.1.77"], "", True)


def test_a_container_group_has_no_default_name(lab: Any) -> None:
    group = lab.group("web")
    vnet = group.replace("Microsoft.ContainerInstance/containerGroups/web", "Microsoft.Network/virtualNetworks/spoke")
    vnet = vnet.replace("rg-apps", "rg-net")
    assert ask(lab, vnet, "4.1.0.10.in-addr.arpa", "PTR") == ("NXDOMAIN", [], "in-addr.arpa.", False)


def test_machines_are_listed_and_dropped_and_go_with_a_reset(lab: Any, hub: str) -> None:
    machine(lab.fleet, hub)
    listed = [{"vnet": hub.lower(), "name": "vm", "ip": "10.0.1.9"}]
    assert lab.fleet.control("GET", "vms") == {"value": listed}
    assert lab.fleet.control("DELETE", "vms", {"vnet": hub, "name": "VM"}) == {"dropped": 1}
    assert ask(lab, hub, VM_PTR, "PTR")[0] == "NXDOMAIN"
    machine(lab.fleet, hub)
    lab.azure.call(lab.world.reset)
    assert lab.fleet.control("GET", "vms") == {"value": []}


@pytest.mark.parametrize(
    ("shape", "owner"),
    [
        ("parent", "in-addr.arpa."),
        ("empty_zone", "10.in-addr.arpa."),
        ("as112", "10.in-addr.arpa."),
        ("root", "."),
        ("no_soa", ""),
    ],
)
def test_an_unlinked_reverse_name_is_denied_in_the_shape_that_was_set(
    lab: Any, hub: str, shape: str, owner: str
) -> None:
    lab.fleet.control("POST", "dns", {"unlinked": shape})
    assert ask(lab, hub, "4.1.0.10.in-addr.arpa", "PTR") == ("NXDOMAIN", [], owner, False)


def test_one_network_can_have_its_own_shape(lab: Any, hub: str, spoke: str) -> None:
    lab.fleet.control("POST", "dns", {"unlinked": "root", "unlinkedIn": {spoke: "as112"}})
    assert [ask(lab, vnet, VM_PTR, "PTR")[2] for vnet in (hub, spoke)] == [".", "10.in-addr.arpa."]
    lab.fleet.control("POST", "dns", {"unlinkedIn": {spoke: None}})
    assert [ask(lab, vnet, VM_PTR, "PTR")[2] for vnet in (hub, spoke)] == [".", "."]


@pytest.mark.parametrize(
    ("address", "owner"),
    [
        ("172.16.0.4", "16.172.in-addr.arpa."),
        ("192.168.0.4", "168.192.in-addr.arpa."),
        ("100.64.0.4", "64.100.in-addr.arpa."),
        ("172.32.0.4", "in-addr.arpa."),
        ("8.8.8.8", "in-addr.arpa."),
        ("fd00::4", "d.f.ip6.arpa."),
        ("2001:db8::4", "ip6.arpa."),
    ],
)
def test_as112_answers_for_private_address_space_only(lab: Any, hub: str, address: str, owner: str) -> None:
    lab.fleet.control("POST", "dns", {"unlinked": "as112"})
    name = dns.reversename.from_address(address).to_text()
    assert ask(lab, hub, name, "PTR")[2] == owner


def test_a_custom_server_knows_no_private_zone_unless_it_forwards(lab: Any, hub: str) -> None:
    custom = lab.fleet.vnet("custom", "10.0.3.0/24", dns_servers=["10.0.1.53"])
    lab.fleet.zone("corp.internal", hub, custom)
    lab.fleet.put_record("corp.internal", "A", "web", "10.0.1.4")
    assert ask(lab, hub, "web.corp.internal", "A") == ("NOERROR", ["10.0.1.4"], "", True)
    assert ask(lab, custom, "web.corp.internal", "A") == ("NXDOMAIN", [], ".", False)
    assert ask(lab, custom, "4.1.0.10.in-addr.arpa", "PTR") == ("NXDOMAIN", [], "10.in-addr.arpa.", False)
    lab.fleet.control("POST", "dns", {"customServers": {"10.0.1.53": {"forwardsTo": hub}}})
    assert ask(lab, custom, "web.corp.internal", "A") == ("NOERROR", ["10.0.1.4"], "", False)
    lab.fleet.unlink("corp.internal", custom)
    assert ask(lab, custom, "web.corp.internal", "A")[0] == "NOERROR", "the forwarder's network decides"
    lab.fleet.unlink("corp.internal", hub)
    assert ask(lab, custom, "web.corp.internal", "A")[0] == "NXDOMAIN"


def test_a_network_that_names_azures_own_resolver_asks_it(lab: Any) -> None:
    vnet = lab.fleet.vnet("plain", "10.0.4.0/24", dns_servers=["168.63.129.16"])
    lab.fleet.zone("corp.internal", vnet)
    assert ask(lab, vnet, "web.corp.internal", "A") == ("NXDOMAIN", [], "corp.internal.", True)


def test_a_new_link_answers_only_after_it_has_propagated(lab: Any, hub: str) -> None:
    lab.world.settings.link_propagation_seconds = 0.4
    try:
        lab.fleet.zone("corp.internal", hub)
    finally:
        lab.world.settings.link_propagation_seconds = 0.0
    began = time.monotonic()
    assert link_state(lab) == "InProgress"
    assert ask(lab, hub, "web.corp.internal", "A")[2] == "."
    lab.fleet.link("corp.internal", hub)
    assert link_state(lab) == "InProgress", "sent again, it is no older"
    while link_state(lab) != "Completed":
        assert time.monotonic() - began < 5
    assert time.monotonic() - began > 0.2
    assert ask(lab, hub, "web.corp.internal", "A")[2] == "corp.internal."


def link_state(lab: Any) -> str:
    path = lab.zone_id("corp.internal").split("/resourceGroups/")[1] + "/virtualNetworkLinks/hub"
    return str(lab.fleet.arm("GET", path).json()["properties"]["virtualNetworkLinkState"])


def test_a_link_on_its_way_conflicts_like_one_that_has_arrived(lab: Any, hub: str) -> None:
    lab.world.settings.link_propagation_seconds = 60
    try:
        lab.fleet.zone("corp.internal", hub)
        lab.fleet.zone("corp.internal", hub, group="rg-other")
    finally:
        lab.world.settings.link_propagation_seconds = 0.0
    zones = lab.azure.call(lambda: [len(zone.links) for zone in lab.world.zones.values()])
    assert zones == [1, 0]


def test_machines_servers_and_links_on_their_way_outlive_the_process(lab: Any, hub: str) -> None:
    machine(lab.fleet, hub)
    lab.fleet.control("POST", "dns", {"customServers": {"10.0.1.53": {"forwardsTo": hub}}, "unlinked": "root"})
    lab.fleet.zone("corp.internal", hub)
    state = lab.azure.call(lambda: dump(lab.world))
    state["zones"][0]["links"][0]["state"] = "InProgress"
    lab.azure.call(lab.world.reset)
    lab.azure.call(lambda: load(lab.world, state))
    assert lab.azure.call(lambda: dump(lab.world))["parts"]["dns"] == state["parts"]["dns"]
    assert link_state(lab) == "Completed"


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("POST", "vms", {"vnet": "nowhere", "name": "vm", "ip": "10.0.1.9"}, "vnet: the id of a virtual network that"),
        ("POST", "vms", {"vnet": "HUB", "name": "a.b", "ip": "10.0.1.9"}, "name: a virtual machine's name is needed"),
        ("POST", "vms", {"vnet": "HUB", "name": "vm", "ip": "10.0.1"}, "ip: '10.0.1' is not an IP address"),
        ("POST", "vms", {"vnet": "HUB", "name": "vm", "ip": "10.9.9.9"}, "ip: 10.9.9.9 is in no address prefix of hub"),
        ("POST", "vms", {"address": "10.0.1.9"}, "address: unknown; known are vnet, name, ip"),
        ("DELETE", "vms", {"vnet": "HUB", "name": "vm"}, "name: there is no virtual machine vm in hub"),
        ("POST", "dns", [], "The body: a JSON object is needed"),
        ("POST", "dns", {"fault": []}, "fault: unknown; known are faults, customServers, unlinked, unlinkedIn"),
        ("POST", "dns", {"faults": [{"kind": "no"}]}, "faults[0].kind: one of drop, slow, rcode"),
        ("POST", "dns", {"unlinked": "odd"}, "unlinked: one of parent, empty_zone, as112, root, no_soa is needed"),
        ("POST", "dns", {"unlinkedIn": []}, "unlinkedIn: an object {VNET: shape or null} is needed"),
        ("POST", "dns", {"unlinkedIn": {"x": "root"}}, "unlinkedIn: the id of a virtual network that exists"),
        ("POST", "dns", {"customServers": []}, "customServers: an object"),
        ("POST", "dns", {"customServers": {"here": None}}, "customServers.here: 'here' is not an IP address"),
        ("POST", "dns", {"customServers": {"10.0.1.53": "HUB"}}, "customServers.10.0.1.53: {"),
        (
            "POST",
            "dns",
            {"customServers": {"10.0.1.53": {"forwardsTo": "x"}}},
            "customServers.10.0.1.53.forwardsTo:",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(  # noqa: PLR0917 - the table's columns
    lab: Any, hub: str, method: str, path: str, body: Any, expected: str
) -> None:
    if isinstance(body, dict) and body.get("vnet") == "HUB":
        body = {**body, "vnet": hub}
    with pytest.raises(requests.HTTPError) as failure:
        lab.fleet.control(method, path, body)
    assert failure.value.response.status_code == 400
    assert failure.value.response.json()["error"]["message"].startswith(expected)


def test_faults_are_set_over_http_shown_with_their_counts_and_replaced(lab: Any, hub: str) -> None:
    lab.fleet.control("POST", "dns", {"faults": [{"kind": "rcode", "vnet": "hub", "type": "PTR", "times": 1}]})
    assert [ask(lab, hub, VM_PTR, "PTR")[0] for _ in range(2)] == ["SERVFAIL", "NXDOMAIN"]
    [rule] = lab.fleet.control("GET", "dns")["faults"]
    assert (rule["kind"], rule["seen"], rule["fired"]) == ("rcode", 2, 1)
    assert lab.fleet.control("POST", "dns", {"faults": []})["faults"] == []


def test_a_world_without_dns_can_be_saved() -> None:
    assert dump(World())["parts"] == {}
