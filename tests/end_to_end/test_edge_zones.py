"""Edge cases of names, zones and their links."""

import ipaddress
import json
from typing import Any

import pytest

from bench.spoke import ENTRY, FORWARD, REVERSE, Spoke, ptr_of
from core.errors import ConfigurationError
from core.records import owner_mark
from core.settings import Settings

NAME = f"web.{FORWARD}"
LONGER = "0.0.10.in-addr.arpa"
IPV6_ZONE = "0.0.d.f.ip6.arpa"


def kinds(spoke: Spoke, name: str = "web", *, links: bool = False) -> list[str]:
    """Give the drift kinds that the tracker finds, or its verdict where nothing drifted."""
    (event,) = spoke.track("rg-one", name, links=links)
    found: list[str] = event.values.get("DriftKinds") or [event.type.value]
    return found


def test_edge_longest_reverse_zone_wins(near: Spoke) -> None:
    near.fleet.zone(LONGER, near.vnet)
    entry = {**ENTRY, "reverse_zones": [REVERSE, LONGER], "nested_reverse_zones": True}
    near.zone_map = {"rg-one": entry}
    address = near.fleet.create("rg-one", "web", near.vnet)
    event = near.reconcile("rg-one", "web")
    assert event.values["ReverseZone"] == LONGER
    zones = {zone.name: zone.record_sets for zone in near.azure.world.zones.values()}
    assert ("PTR", address.rpartition(".")[2]) in zones[LONGER]
    assert {kind for kind, _ in zones[REVERSE]} == {"SOA"}
    assert kinds(near, links=True) == ["no_change"]


def test_edge_longest_reverse_zone_that_hides_ours_is_reported(near: Spoke, web: str) -> None:
    near.fleet.zone(LONGER, near.vnet)
    near.zone_map = {"rg-one": ENTRY, "rg-two": {**ENTRY, "reverse_zones": [LONGER]}}
    event = near.reconcile("rg-one", "web")
    assert event.values["Details"]["shadowed_by"] == [LONGER]
    assert kinds(near, links=True) == ["zone_shadowed"]


def test_edge_overlapping_reverse_zones_are_refused_unless_meant(near: Spoke) -> None:
    near.zone_map = {"rg-one": {**ENTRY, "reverse_zones": [REVERSE, LONGER]}}
    with pytest.raises(ConfigurationError, match="overlaps"):
        near.settings()


def unlink(spoke: Spoke, zone: str) -> None:
    path = f"rg-dns/providers/Microsoft.Network/privateDnsZones/{zone}/virtualNetworkLinks/spoke"
    spoke.fleet.finish(spoke.fleet.arm("DELETE", path))


def test_edge_unlinked_reverse_zone(near: Spoke, web: str) -> None:
    unlink(near, REVERSE)
    assert kinds(near, links=True) == ["zone_unlinked"]
    assert kinds(near) == ["no_change"]  # the records themselves are right, and an event alone looks at no links
    assert near.deliver(near.event(near.fleet.id("rg-one", "web"))).outcome == "reconcile_no_op"


@pytest.mark.parametrize("name", ["224-27.126.211.10.in-addr.arpa", "0-127.0.0.10.in-addr.arpa"])
def test_edge_classless(near: Spoke, name: str) -> None:
    refused(near, name)


@pytest.mark.parametrize(
    "name", ["224/27.126.211.10.in-addr.arpa", "224-255.126.211.10.in-addr.arpa", "224-27.126.211.10.in-addr.arpa"]
)
def test_edge_rfc_2317_and_rfc_4183_spellings(near: Spoke, name: str) -> None:
    refused(near, name)


def refused(spoke: Spoke, zone: str) -> None:
    """Check that the zone map says at once why such a zone can't be used: it never answers an ordinary PTR query."""
    environment = {"DNS_ZONE_MAP": json.dumps({"rg-one": {**ENTRY, "reverse_zones": [zone]}})}
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_env(environment, lambda _: "")
    (reason,) = caught.value.reasons
    assert reason.path.endswith('["rg-one"].reverse_zones[0]')
    assert zone in reason.message


def test_edge_ipv6(near: Spoke, web: str) -> None:
    near.zone_map = {"rg-one": {**ENTRY, "reverse_zones": [REVERSE, IPV6_ZONE]}}
    near.fleet.zone(IPV6_ZONE, near.vnet)
    near.reopen()
    give_address(near, "fd00::1:4")
    assert near.deliver(near.event(near.fleet.id("rg-one", "web"))).outcome == "reconcile_updated"
    assert near.fleet.records() == {f"AAAA {NAME}": ("fd00::1:4",), ptr_of("fd00::1:4"): (NAME,)}
    assert kinds(near) == ["no_change"]
    give_address(near, web)
    near.reconcile("rg-one", "web")
    assert near.fleet.records() == {f"A {NAME}": (web,), ptr_of(web): (NAME,)}
    near.fleet.delete("rg-one", "web")
    near.reconcile("rg-one", "web", "Delete")
    assert near.fleet.records() == {}


def give_address(spoke: Spoke, address: str) -> None:
    group = spoke.azure.world.groups[str(spoke.fleet.id("rg-one", "web")).lower()]
    spoke.azure.call(lambda: setattr(group, "ip", address))


SPELLINGS: dict[str, dict[str, Any]] = {
    "a trailing dot": {"target": NAME + "."},
    "upper case in the name": {"target": NAME.upper()},
    "upper case in the owner's id": {"owner": str.upper},
    "resourcegroups in lower case": {"owner": lambda text: text.replace("/resourceGroups/", "/resourcegroups/")},
    "somebody's own metadata": {"more": {"cost-centre": "42"}},
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_edge_no_op_detection_and_normalisation(near: Spoke, web: str, spelling: str) -> None:
    changed = SPELLINGS[spelling]
    owner = changed.get("owner", str)(str(near.fleet.id("rg-one", "web")))
    more, target = changed.get("more", {}), changed.get("target", NAME)
    last = ".".join(reversed(web.split(".")[2:]))
    near.fleet.put_record(REVERSE, "PTR", last, target, ttl=60, metadata={**owner_mark(owner), **more})
    address = ipaddress.IPv4Address(web)
    near.fleet.put_record(FORWARD, "A", "web", web, ttl=60, metadata={**owner_mark(owner, address), **more})
    before = near.record_sets()
    for _ in range(3):
        assert near.deliver(near.event(near.fleet.id("rg-one", "web"))).outcome == "reconcile_no_op"
    assert near.record_sets() == before
    assert kinds(near) == ["no_change"]


def test_edge_normalisation_of_the_subject(near: Spoke, web: str) -> None:
    before = near.record_sets()
    for spelling in (str.lower, str.upper, lambda text: text.replace("/resourceGroups/", "/resourcegroups/")):
        raw = near.event(spelling(str(near.fleet.id("rg-one", "web"))))
        assert near.deliver(raw).outcome == "reconcile_no_op"
    assert near.record_sets() == before
