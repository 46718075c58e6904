"""Container groups: requests and their answers. What happens to a group over time is container_lifecycle's."""

from __future__ import annotations

import uuid
from typing import Any

from local_azure.arm import container_lifecycle as lifecycle
from local_azure.arm import lro
from local_azure.arm.addresses import find_subnet
from local_azure.arm.call import ArmError, Call, Reply, gateway_error, resource_not_found
from local_azure.arm.container_request import bad, check_name, normalised
from local_azure.arm.container_views import wire
from local_azure.arm.private_dns_records import next_link
from local_azure.arm.private_dns_zones import tags_of
from local_azure.world import ContainerGroup


def shown(call: Call, group: ContainerGroup, *, listed: bool = False) -> dict[str, Any]:
    """Give a group's JSON for this request's api-version and the world's settings."""
    return wire(group, call.api_version, call.world.settings.stopped_address, listed=listed)


def _find(call: Call) -> ContainerGroup:
    group = call.world.groups.get(call.path.id_of(1).lower())
    if group is not None:
        return group
    if call.method != "POST":
        raise resource_not_found(call.path, 1)
    # Actions reach the provider, which has its own words for it.
    raise ArmError(404, "ContainerGroupNotFound", f"The container group '{call.path.names[0]}' does not exist.")


def transitioning(group: ContainerGroup) -> ArmError:
    """Make the 409 of a group that is being changed."""
    return ArmError(
        409,
        "ContainerGroupTransitioning",
        f"The container group '{group.name}' is still transitioning, please retry later.",
    )


def get(call: Call) -> Reply:
    """Answer GET."""
    return Reply(200, shown(call, _find(call)))


def listing(call: Call) -> Reply:
    """GET of a resource group's or a subscription's groups; pages only when $top asks for them."""
    prefix, token = f"{call.path.scope}/".lower(), call.query.get("$skiptoken", "")
    keys = sorted(key for key in call.world.groups if key.startswith(prefix) and key > token)
    top = call.query.get("$top", "")
    size = int(top) if top.isdigit() and int(top) else call.world.settings.group_page_size
    body: dict[str, Any] = {"value": [shown(call, call.world.groups[key], listed=True) for key in keys[:size]]}
    if len(keys) > size:
        body["nextLink"] = next_link(call, keys[size - 1])
    return Reply(200, body)


def put(call: Call) -> Reply:
    """Answer PUT: 201 with the group as it was accepted, new or not, and the operation to follow."""
    body = call.json_object()
    check_name(call.path.name)
    if not body.get("location"):
        raise gateway_error(400, "LocationRequired", "The location property is required for this definition.")
    properties, zones, tags = normalised(call.section("properties")), body.get("zones"), tags_of(body)
    subnet_id = _subnet(call, properties)
    group = call.world.groups.get(call.path.id.lower())
    created = group is None
    if group is None:
        group = ContainerGroup(call.path.id, call.path.name, str(body["location"]), properties)
        call.world.groups[call.path.id.lower()] = group
    elif group.provisioning_state in lifecycle.TRANSITIONING:
        raise transitioning(group)
    elif (group.subnet_id or "").lower() != (subnet_id or "").lower():
        raise bad("InvalidContainerGroupUpdate", f"The subnet of the container group '{group.name}' cannot change.")
    group.properties, group.zones = properties, zones
    # Tags that are not sent stay.
    group.tags = group.tags if tags is None else tags
    group.identity, group.subnet_id = _identity(call, body.get("identity")), subnet_id
    operation = lifecycle.provision(call, group, created=created)
    headers = lro.headers(call, operation)
    # The answer shows the group as it was accepted, even when provisioning takes no time at all.
    accepted = lifecycle.as_accepted(group)
    return Reply(201, shown(call, accepted), headers, emits=False)


def _subnet(call: Call, properties: dict[str, Any]) -> str | None:
    subnets = properties.get("subnetIds")
    if not subnets:
        # Groups of api-versions before 2021-07-01 are attached by a network profile, which is only kept.
        if (properties.get("ipAddress") or {}).get("type") == "Private" and "networkProfile" not in properties:
            raise bad("NetworkProfileMissing", "A private IP address needs a subnet: 'subnetIds' is missing.")
        return None
    subnet_id = subnets[0].get("id") if isinstance(subnets, list) and isinstance(subnets[0], dict) else None
    if not isinstance(subnet_id, str):
        raise bad("InvalidSubnet", "'subnetIds' must be a list of objects with an 'id'.")
    if (properties.get("ipAddress") or {}).get("type") == "Public":
        raise bad("InvalidIPAddressType", "A container group in a subnet cannot have a public IP address.")
    if find_subnet(call.world, subnet_id) is None:
        raise bad(
            "InvalidResourceReference",
            f"Resource {subnet_id} referenced by resource {call.path.id} was not found. Please make sure that the "
            "referenced resource exists, and that both resources are in the same region.",
        )
    return subnet_id


def _identity(call: Call, sent: Any) -> dict[str, Any] | None:
    """Give the identity with the ids that the platform gives to it; they depend on the resource id only."""
    if not isinstance(sent, dict) or not sent.get("type"):
        return None
    identity = {key: value for key, value in sent.items() if value is not None}
    if "systemassigned" in str(sent["type"]).lower():
        identity["principalId"] = str(uuid.uuid5(uuid.NAMESPACE_URL, call.path.id.lower()))
        identity["tenantId"] = call.world.settings.tenant_id
    assigned = sent.get("userAssignedIdentities")
    if isinstance(assigned, dict):
        identity["userAssignedIdentities"] = {
            key: {
                "principalId": str(uuid.uuid5(uuid.NAMESPACE_URL, key.lower())),
                "clientId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{key.lower()}/client")),
            }
            for key in assigned
        }
    return identity


def patch(call: Call) -> Reply:
    """Answer PATCH: tags and zones, at once."""
    group, body = _find(call), call.json_object()
    tags = tags_of(body)
    if tags is not None:
        group.tags = tags
    if "zones" in body:
        group.zones = body["zones"]
    call.world.changed()
    return Reply(200, shown(call, group))


def delete(call: Call) -> Reply:
    """Answer DELETE: 200 with the last body, at once; 204 when there was none."""
    group = call.world.groups.get(call.path.id.lower())
    if group is None:
        return Reply(204, emits=False)
    last = shown(call, group)
    lifecycle.remove(call.world, group)
    return Reply(200, last)


def restart(call: Call) -> Reply:
    """Answer POST restart: 204 with an operation to follow."""
    group = _find(call)
    if group.state == "Stopped":
        raise _stopped(call, group)
    if group.provisioning_state in lifecycle.TRANSITIONING:
        raise transitioning(group)
    operation = lifecycle.restart(call, group)
    return Reply(204, None, lro.headers(call, operation), emits=False)


def stop(call: Call) -> Reply:
    """Answer POST stop: 204, at once."""
    group = _find(call)
    if group.provisioning_state in lifecycle.TRANSITIONING:
        raise transitioning(group)
    lifecycle.stop(call.world, group)
    return Reply(204)


def start(call: Call) -> Reply:
    """Answer POST start: 204 with an operation to follow."""
    group = _find(call)
    if group.provisioning_state in lifecycle.TRANSITIONING:
        raise transitioning(group)
    if group.state == "Running":
        return Reply(204)
    operation = lifecycle.start(call, group)
    return Reply(204, None, lro.headers(call, operation), emits=False)


def _stopped(call: Call, group: ContainerGroup) -> ArmError:
    return ArmError(
        409,
        "ContainerGroupStopped",
        f"Container Group '{group.name}' in resource group '{call.path.resource_group}' is stopped",
    )
