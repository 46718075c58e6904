"""Virtual networks, subnets, resource groups and subscriptions, as far as clients need them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from local_azure.server import LocalAzure

VNET = "Microsoft.Network/virtualNetworks/hub"
SPACE = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"


def put(arm: Any, **properties: Any) -> Any:
    return arm("PUT", VNET, {"location": "westeurope", "properties": {**SPACE, **properties}})


def test_a_network_is_updating_until_its_operation_ends(arm: Any) -> None:
    made = put(arm, dhcpOptions={"dnsServers": ["10.0.0.5"]})
    assert made.status_code == 201
    assert made.json()["properties"]["provisioningState"] == "Updating"
    assert arm.finished(made) == {"status": "Succeeded"}
    got = arm("GET", VNET)
    assert got.json()["properties"]["provisioningState"] == "Succeeded"
    assert got.json()["properties"]["dhcpOptions"] == {"dnsServers": ["10.0.0.5"]}
    assert got.headers["ETag"] == got.json()["etag"]
    assert put(arm).status_code == 200
    assert "dhcpOptions" not in arm("GET", VNET).json()["properties"]


def test_observers_hear_of_networks_as_they_come_and_go(arm: Any, azure: LocalAzure) -> None:
    heard: list[int] = []
    azure.world.on_vnets_changed.append(lambda: heard.append(len(azure.world.vnets)))
    put(arm)
    arm("DELETE", VNET)
    azure.world.on_vnets_changed.clear()
    assert heard == [1, 0]


def test_subnets_are_made_listed_and_deleted(arm: Any) -> None:
    put(arm)
    delegation = {"name": "aci", "properties": {"serviceName": "Microsoft.ContainerInstance/containerGroups"}}
    body = {"properties": {"addressPrefix": "10.0.1.0/24", "delegations": [delegation]}}
    made = arm("PUT", f"{VNET}/subnets/one", body)
    assert made.status_code == 201
    arm.finished(made)
    assert arm("GET", f"{VNET}/subnets/one").json()["properties"]["delegations"][0]["name"] == "aci"
    assert [item["name"] for item in arm("GET", f"{VNET}/subnets").json()["value"]] == ["one"]
    assert arm("DELETE", f"{VNET}/subnets/one").status_code == 202
    assert arm("DELETE", f"{VNET}/subnets/one").status_code == 204
    assert arm("GET", f"{VNET}/subnets/one").json()["error"]["code"] == "NotFound"


@pytest.mark.parametrize(
    ("prefix", "code"),
    [
        ("10.1.0.0/24", "NetcfgInvalidSubnet"),
        ("10.0.0.128/25", "NetcfgSubnetRangesOverlap"),
        ("10.0.0", "InvalidAddressPrefixFormat"),
        ("10.0.5.1/24", "InvalidAddressPrefixFormat"),
        (None, "InvalidRequestContent"),
    ],
)
def test_impossible_subnets_are_refused(arm: Any, prefix: Any, code: str) -> None:
    arm.vnet()
    answer = arm("PUT", f"{VNET}/subnets/two", {"properties": {"addressPrefix": prefix}})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_a_subnet_in_use_stays(arm: Any) -> None:
    path = arm.group("web", arm.vnet())
    for method, target in (("DELETE", f"{VNET}/subnets/aci"), ("DELETE", VNET)):
        assert arm(method, target).json()["error"]["code"] == "InUseSubnetCannotBeDeleted"
    assert put(arm, subnets=[]).json()["error"]["code"] == "InUseSubnetCannotBeDeleted"
    arm("DELETE", path)
    assert arm("DELETE", VNET).status_code == 202


def test_a_resource_group_exists_on_first_use_and_goes_with_everything_in_it(arm: Any, azure: LocalAzure) -> None:
    group = f"{SUBSCRIPTION}/resourceGroups/rg"
    assert arm("HEAD", group).status_code == 404
    assert arm("GET", group.replace("resourceGroups", "resourcegroups")).json()["location"] == "westeurope"
    arm.zone()
    arm.group("web", arm.vnet())
    types = {item["type"].split("/")[1] for item in arm("GET", f"{group}/resources").json()["value"]}
    assert types == {"privateDnsZones", "virtualNetworks", "containerGroups"}
    assert arm("DELETE", group).status_code == 200
    assert (azure.world.zones, azure.world.groups, azure.world.vnets) == ({}, {}, {})
    assert arm("DELETE", group).json()["error"]["code"] == "ResourceGroupNotFound"


def test_resource_groups_are_written_patched_and_listed(arm: Any) -> None:
    group = f"{SUBSCRIPTION}/resourceGroups/New"
    assert arm("PUT", group, {"location": "eastus"}).status_code == 201
    assert arm("PATCH", group, {"tags": {"k": "v"}}).json()["tags"] == {"k": "v"}
    (only,) = arm("GET", f"{SUBSCRIPTION}/resourceGroups").json()["value"]
    assert (only["name"], only["location"]) == ("New", "eastus")


def test_any_subscription_works_and_is_then_listed(arm: Any) -> None:
    other = "/subscriptions/11111111-2222-3333-4444-555555555555"
    arm.finished(
        arm("PUT", f"{other}/resourceGroups/x/providers/Microsoft.Network/privateDnsZones/a.b", {"location": "global"})
    )
    listed = [item["id"] for item in arm("GET", "/subscriptions").json()["value"]]
    assert listed == [SUBSCRIPTION, other]
    assert arm("GET", other).json()["state"] == "Enabled"
    assert arm("GET", "/tenants").json()["value"][0]["tenantId"].endswith("aa")


def test_providers_are_registered(arm: Any) -> None:
    got = arm("GET", f"{SUBSCRIPTION}/providers/microsoft.network").json()
    assert (got["namespace"], got["registrationState"]) == ("Microsoft.Network", "Registered")
    assert arm("POST", f"{SUBSCRIPTION}/providers/Microsoft.ContainerInstance/register").status_code == 200
    assert arm("GET", f"{SUBSCRIPTION}/locations").json()["value"]
    assert arm("GET", f"{SUBSCRIPTION}/providers").json()["value"]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("resourceGroup eq 'RG'", {"corp.internal", "hub"}),
        ("resourceGroup eq 'other'", set()),
        ("resourceType eq 'Microsoft.Network/virtualNetworks'", {"hub"}),
        ("resourceGroup eq 'rg' and name eq 'corp.internal' and location eq 'global'", {"corp.internal"}),
    ],
)
def test_resources_are_listed_by_filter(arm: Any, asked: str, names: set[str]) -> None:
    arm.zone("corp.internal")
    arm.vnet("hub")
    found = arm("GET", f"{SUBSCRIPTION}/resources?$filter={asked}&api-version=2022-09-01").json()["value"]
    assert {item["name"] for item in found} == names


def test_a_filter_of_resources_that_is_not_understood_is_refused(arm: Any) -> None:
    answer = arm("GET", f"{SUBSCRIPTION}/resources?$filter=tagName eq 'a'&api-version=2022-09-01")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidFilterInQueryString")
