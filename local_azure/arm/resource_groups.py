"""Resource groups, subscriptions, tenants and provider registrations: enough for the SDKs and azure-cli to go on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from local_azure.arm.call import ArmError, Call, Reply
from local_azure.arm.paths import PROVIDERS, region
from local_azure.arm.private_dns_zones import tags_of
from local_azure.world import ResourceGroup, World

if TYPE_CHECKING:
    from collections.abc import Sequence


DNS_VERSIONS = ("2018-09-01", "2020-01-01", "2020-06-01", "2024-06-01")
_REGIONS = ["West Europe", "North Europe", "East US", "West US", "West US 2"]
# namespace -> (resource type, api-versions, locations), for what is served here.
_RESOURCE_TYPES: dict[str, list[tuple[str, Sequence[str], list[str]]]] = {
    "Microsoft.Network": [
        ("privateDnsZones", DNS_VERSIONS, ["global"]),
        ("virtualNetworks", ("2023-11-01",), _REGIONS),
    ],
    "Microsoft.ContainerInstance": [("containerGroups", ("2024-05-01-preview", "2023-05-01"), _REGIONS)],
}


def ensure(world: World, scope: str, location: str | None = None) -> ResourceGroup:
    """Give the resource group of a scope, made on first use."""
    group = world.resource_groups.get(scope.lower())
    if group is None:
        group = ResourceGroup(scope, scope.rpartition("/")[2], location or world.settings.location)
        world.resource_groups[scope.lower()] = group
    return group


def _wire(group: ResourceGroup, state: str = "Succeeded") -> dict[str, Any]:
    return {
        "id": group.id,
        "name": group.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
        **({"tags": group.tags} if group.tags is not None else {}),
        "properties": {"provisioningState": state},
    }


def get(call: Call) -> Reply:
    """Answer GET: every resource group exists from its first use."""
    return Reply(200, _wire(ensure(call.world, call.path.scope)))


def head(call: Call) -> Reply:
    """Answer HEAD: whether the group is there; asking does not make it."""
    return Reply(204 if call.path.scope.lower() in call.world.resource_groups else 404)


def put(call: Call) -> Reply:
    """Answer PUT."""
    body = call.json_object()
    created = call.path.scope.lower() not in call.world.resource_groups
    group = ensure(call.world, call.path.scope, region(str(body.get("location") or call.world.settings.location)))
    group.tags = tags_of(body)
    call.world.changed()
    return Reply(201 if created else 200, _wire(group))


def patch(call: Call) -> Reply:
    """Answer PATCH."""
    group = ensure(call.world, call.path.scope)
    tags = tags_of(call.json_object())
    group.tags = group.tags if tags is None else tags
    call.world.changed()
    return Reply(200, _wire(group))


def delete(call: Call) -> Reply:
    """Delete a resource group with everything in it; Azure sends no event for each resource, nor do we."""
    world, prefix = call.world, f"{call.path.scope}/".lower()
    if world.resource_groups.pop(call.path.scope.lower(), None) is None:
        raise ArmError(404, "ResourceGroupNotFound", f"Resource group '{call.path.resource_group}' could not be found.")
    stores: tuple[dict[str, Any], ...] = (world.zones, world.groups, world.vnets)
    for store in stores:
        for key in [key for key in store if key.startswith(prefix)]:
            del store[key]
    for vnet in world.vnets.values():
        for subnet in vnet.subnets.values():
            for address in [address for address, holder in subnet.leases.items() if holder.lower() not in world.groups]:
                del subnet.leases[address]
                subnet.low_mark = 0
    world.vnets_changed()
    return Reply(200)


def listing(call: Call) -> Reply:
    """Answer GET of a list."""
    prefix = f"{call.path.scope}/".lower()
    groups = [group for key, group in sorted(call.world.resource_groups.items()) if key.startswith(prefix)]
    return Reply(200, {"value": [_wire(group) for group in groups]})


def resources(call: Call) -> Reply:
    """GET /resources of a subscription or a resource group: id, name, type and location of what is there."""
    prefix = f"{call.path.scope}/".lower()
    wanted = _filter(call.query.get("$filter", ""))
    found: list[dict[str, Any]] = []
    stores: tuple[tuple[str, dict[str, Any]], ...] = (
        ("Microsoft.Network/privateDnsZones", call.world.zones),
        ("Microsoft.Network/virtualNetworks", call.world.vnets),
        ("Microsoft.ContainerInstance/containerGroups", call.world.groups),
    )
    for kind, store in stores:
        for key in sorted(store):
            item = store[key]
            group = key.split("/")[4]
            facts = {"resourcegroup": group, "resourcetype": kind, "name": item.name, "location": item.location}
            if key.startswith(prefix) and all(facts[name].lower() == value for name, value in wanted):
                tags = {"tags": item.tags} if item.tags is not None else {}
                found.append({"id": item.id, "name": item.name, "type": kind, "location": item.location, **tags})
    return Reply(200, {"value": found})


_COMPARISON = re.compile(r"""(name|location|resourceGroup|resourceType)\s+eq\s+(['"])([^'"]*)\2""", re.IGNORECASE)


def _filter(text: str) -> list[tuple[str, str]]:
    """Read `field eq 'value' and …` as lower-case pairs. Raises ArmError 400 for anything else."""
    pairs = []
    for part in re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE) if text.strip() else []:
        match = _COMPARISON.fullmatch(part.strip())
        if match is None:
            raise ArmError(
                400, "InvalidFilterInQueryString", f"Invalid $filter '{text}' specified in the query string."
            )
        pairs.append((match[1].lower(), match[3].lower()))
    return pairs


def _subscription(world: World, subscription: str) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{subscription}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": subscription,
        "tenantId": world.settings.tenant_id,
        "displayName": "local",
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def get_subscription(call: Call) -> Reply:
    """Answer GET of a subscription: any exists."""
    return Reply(200, _subscription(call.world, call.path.subscription))


def list_subscriptions(call: Call) -> Reply:
    """Answer GET of the subscriptions: the default one, and those that were used."""
    used = {key.split("/")[2] for key in call.world.resource_groups}
    known = [call.world.settings.subscription_id, *sorted(used - {call.world.settings.subscription_id})]
    body = {"value": [_subscription(call.world, item) for item in known]}
    return Reply(200, {**body, "count": {"type": "Total", "value": len(known)}})


def list_tenants(call: Call) -> Reply:
    """Answer GET of the tenants: one."""
    tenant = call.world.settings.tenant_id
    row = {"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "local", "tenantCategory": "Home"}
    return Reply(200, {"value": [row]})


def list_locations(call: Call) -> Reply:
    """Answer GET of a subscription's locations."""
    rows = [
        {"name": name.replace(" ", "").lower(), "displayName": name, "regionalDisplayName": name} for name in _REGIONS
    ]
    prefix = f"/subscriptions/{call.path.subscription}/locations/"
    return Reply(200, {"value": [{"id": prefix + row["name"], **row} for row in rows]})


def _provider(subscription: str, namespace: str) -> dict[str, Any]:
    types = _RESOURCE_TYPES.get(namespace, [])
    return {
        "id": f"/subscriptions/{subscription}/providers/{namespace}",
        "namespace": namespace,
        "registrationState": "Registered",
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": [
            {"resourceType": name, "locations": places, "apiVersions": sorted(versions, reverse=True)}
            for name, versions, places in types
        ],
    }


def get_provider(call: Call) -> Reply:
    """Answer GET and POST register of a provider: registered."""
    namespace = next((name for name in call.path.raw.split("/") if name.lower() in PROVIDERS), None)
    if namespace is None:
        wrong = [part for part in call.path.raw.split("/") if part.lower() not in ("register", "")][-1]
        raise ArmError(404, "InvalidResourceNamespace", f"The resource namespace '{wrong}' is invalid.")
    return Reply(200, _provider(call.path.subscription, PROVIDERS[namespace.lower()]))


def list_providers(call: Call) -> Reply:
    """Answer GET of the providers."""
    return Reply(200, {"value": [_provider(call.path.subscription, name) for name in PROVIDERS.values()]})
