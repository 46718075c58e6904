"""`drift links` against a local Azure: what is not linked, first, with the command that links it."""

import json

import pytest

from local_azure.fleet import Fleet
from local_azure.server import LocalAzure

FORWARD, REVERSE = "aci.corp.internal", "1.10.in-addr.arpa"


@pytest.fixture(scope="module")
def net():
    with LocalAzure.start(provisioning_seconds=0.0) as azure:
        fleet = Fleet(azure)
        near, far = fleet.vnet("vnet-near", "10.1.0.0/24"), fleet.vnet("vnet-far", "10.2.0.0/24")
        fleet.zone(FORWARD, near, far)
        fleet.zone(REVERSE, near)
        fleet.create("rg-one", "web", near)
        entry = {"forward_zone": FORWARD, "reverse_zones": [REVERSE], "zones_resource_group": "rg-dns",
                 "zones_subscription_id": fleet.subscription}  # fmt: skip
        environment = {**azure.environment(), "DNS_ZONE_MAP": json.dumps({f"{fleet.subscription}/rg-one": entry})}
        yield near, far, environment


def test_the_networks_of_the_container_groups_see_their_zones(drift, net):
    near, _, environment = net
    done = drift("links", "--json", **environment)
    shown = done.json()
    assert (done.code, shown["exit_code"], shown["states"]) == (0, 0, {"linked": 2})
    assert {row["vnet_id"].lower() for row in shown["rows"]} == {near.lower()}


def test_a_zone_that_a_network_does_not_see_is_1_and_stands_first_with_its_fix(drift, net):
    near, far, environment = net
    done = drift("links", "--vnet", near, "--vnet", far, **environment)
    lines = done.out.splitlines()
    assert (done.code, lines[0]) == (1, "1 of 4 wrong")
    assert lines[4].split() == ["not_linked", "rg-net/vnet-far", REVERSE, "—"]
    assert f"--zone-name {REVERSE} --name to-vnet-far --virtual-network {far}" in done.out


def test_zones_of_no_known_subscription_are_2_and_it_says_what_to_set(drift, net):
    near, _, environment = net
    entry = {"forward_zone": FORWARD, "reverse_zones": [REVERSE], "zones_resource_group": "rg-dns"}
    unknown = {**environment, "DNS_ZONE_MAP": json.dumps({"rg-one": entry})}
    done = drift("links", "--vnet", near, **unknown)
    assert done.code == 2
    for zone in (FORWARD, REVERSE):
        assert f"note: {zone}: in which subscription? Name zones_subscription_id in the zone map" in done.out
    known = drift("links", "--vnet", near, **unknown, PROBE_SUBSCRIPTION_ID=near.split("/")[2])
    assert known.code == 0


def test_nothing_to_audit_is_2(drift, net):
    environment = net[2]
    other = environment["DNS_ZONE_MAP"].replace("/rg-one", "/rg-net")
    done = drift("links", **{**environment, "DNS_ZONE_MAP": other})
    assert (done.code, done.out.startswith("nothing was audited")) == (2, True)


def test_what_is_no_network_is_wrong_usage(drift):
    done = drift("links", "--vnet", "vnet-near")
    assert (done.code, done.out, "--vnet" in done.err) == (2, "", True)
