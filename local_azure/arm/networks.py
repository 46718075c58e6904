"""Virtual networks and subnets, as far as links and container groups need them."""

from __future__ import annotations

import ipaddress
from typing import Any

from local_azure.arm import lro
from local_azure.arm.call import ArmError, Call, Reply, gateway_error, invalid_content, resource_not_found
from local_azure.arm.paths import region
from local_azure.arm.private_dns_zones import tags_of
from local_azure.world import Subnet, VirtualNetwork

_DEFAULTS = {"privateEndpointNetworkPolicies": "Disabled", "privateLinkServiceNetworkPolicies": "Enabled"}


def _subnet_wire(vnet: VirtualNetwork, subnet: Subnet, state: str = "Succeeded") -> dict[str, Any]:
    prefixes = subnet.address_prefixes
    addresses = {"addressPrefixes": prefixes} if len(prefixes) > 1 else {"addressPrefix": prefixes[0]}
    subnet_id = f"{vnet.id}/subnets/{subnet.name}"
    return {
        "name": subnet.name,
        "id": subnet_id,
        "etag": subnet.etag,
        "properties": {
            "provisioningState": state,
            **addresses,
            "delegations": [_delegation(subnet_id, subnet.etag, item) for item in subnet.properties["delegations"]],
            **{key: subnet.properties.get(key, value) for key, value in _DEFAULTS.items()},
        },
        "type": "Microsoft.Network/virtualNetworks/subnets",
    }


def _delegation(subnet_id: str, etag: str, sent: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": sent.get("name"),
        "id": f"{subnet_id}/delegations/{sent.get('name')}",
        "etag": etag,
        "properties": {
            "provisioningState": "Succeeded",
            "serviceName": (sent.get("properties") or {}).get("serviceName"),
            "actions": ["Microsoft.Network/virtualNetworks/subnets/action"],
        },
        "type": "Microsoft.Network/virtualNetworks/subnets/delegations",
    }


def wire(vnet: VirtualNetwork, state: str = "Succeeded") -> dict[str, Any]:
    """Give a virtual network as Azure answers it; dhcpOptions appears only when it was sent."""
    dhcp = {"dhcpOptions": {"dnsServers": vnet.dns_servers}} if vnet.dhcp_sent else {}
    return {
        "name": vnet.name,
        "id": vnet.id,
        "etag": vnet.etag,
        "type": "Microsoft.Network/virtualNetworks",
        "location": vnet.location,
        **({"tags": vnet.tags} if vnet.tags is not None else {}),
        "properties": {
            "provisioningState": state,
            "resourceGuid": vnet.guid,
            "addressSpace": {"addressPrefixes": vnet.address_prefixes},
            **dhcp,
            "subnets": [_subnet_wire(vnet, subnet) for subnet in vnet.subnets.values()],
            "virtualNetworkPeerings": [],
            "enableDdosProtection": False,
        },
    }


def _etag(call: Call) -> str:
    return f'W/"{call.world.new_uuid()}"'


def _prefixes(value: Any, what: str) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise invalid_content(f"The request content was invalid: '{what}' must be a list of address prefixes.")
    for item in value:
        try:
            ipaddress.ip_network(item)
        except ValueError:
            raise ArmError(
                400, "InvalidAddressPrefixFormat", f"Address prefix {item} of {what} is not a valid CIDR block."
            ) from None
    return value


def _subnet(call: Call, name: str, properties: dict[str, Any], vnet: VirtualNetwork) -> Subnet:
    sent = properties.get("addressPrefixes") or [properties.get("addressPrefix")]
    prefixes = _prefixes(sent, f"subnet {name}")
    old = vnet.subnets.get(name.lower())
    for prefix in map(ipaddress.ip_network, prefixes):
        _check_range(vnet, name, prefix)
    kept = {key: value for key, value in properties.items() if key in _DEFAULTS}
    kept["delegations"] = properties.get("delegations") or []
    subnet = Subnet(old.name if old else name, prefixes, kept, _etag(call))
    if old and old.address_prefixes == prefixes:
        subnet.leases, subnet.low_mark = old.leases, old.low_mark
    elif old and old.leases:
        raise _in_use(vnet, old, "InUsePrefixCannotBeDeleted")
    return subnet


def _check_range(vnet: VirtualNetwork, name: str, prefix: ipaddress.IPv4Network | ipaddress.IPv6Network) -> None:
    spaces = [ipaddress.ip_network(space) for space in vnet.address_prefixes]
    if not any(prefix.version == space.version and prefix.subnet_of(space) for space in spaces):  # type: ignore[arg-type]  # the versions were just compared
        raise ArmError(
            400,
            "NetcfgInvalidSubnet",
            f"Subnet '{name}' is not valid because its IP address range is outside the IP address range of virtual "
            f"network '{vnet.name}'.",
        )
    for other in vnet.subnets.values():
        if other.name.lower() != name.lower():
            for taken in map(ipaddress.ip_network, other.address_prefixes):
                if prefix.overlaps(taken):
                    raise ArmError(
                        400,
                        "NetcfgSubnetRangesOverlap",
                        f"Subnet '{name}' is not valid because its IP address range overlaps with that of an existing "
                        f"subnet in virtual network '{vnet.name}'.",
                    )


def _in_use(vnet: VirtualNetwork, subnet: Subnet, code: str) -> ArmError:
    holder = next(iter(subnet.leases.values()))
    return ArmError(
        400, code, f"Subnet {subnet.name} of {vnet.name} is in use by {holder} and cannot be deleted or changed."
    )


def _find(call: Call) -> VirtualNetwork:
    vnet = call.world.vnets.get(call.path.id_of(1).lower())
    if vnet is None:
        raise resource_not_found(call.path, 1)
    return vnet


def _begin(call: Call, location: str) -> dict[str, str]:
    operation = lro.begin(call, "network", call.world.settings.operation_seconds, lambda: None, location=location)
    return lro.headers(call, operation)


def get(call: Call) -> Reply:
    """Answer GET."""
    vnet = _find(call)
    return Reply(200, wire(vnet), {"ETag": vnet.etag})


def listing(call: Call) -> Reply:
    """Answer GET of a list."""
    prefix = f"{call.path.scope}/".lower()
    return Reply(
        200, {"value": [wire(vnet) for key, vnet in sorted(call.world.vnets.items()) if key.startswith(prefix)]}
    )


def put(call: Call) -> Reply:
    """Answer PUT: 201 or 200, and the operation to follow."""
    body, properties = call.json_object(), call.section("properties")
    if not body.get("location"):
        raise gateway_error(400, "LocationRequired", "The location property is required for this definition.")
    prefixes = _prefixes((properties.get("addressSpace") or {}).get("addressPrefixes"), "addressSpace")
    old = call.world.vnets.get(call.path.id.lower())
    guid = old.guid if old else call.world.new_uuid()
    vnet = VirtualNetwork(
        call.path.id, call.path.name, region(str(body["location"])), prefixes, etag=_etag(call), guid=guid
    )
    vnet.tags = tags_of(body)
    vnet.dhcp_sent = "dhcpOptions" in properties
    vnet.dns_servers = list((properties.get("dhcpOptions") or {}).get("dnsServers") or [])
    vnet.subnets = dict(old.subnets) if old else {}
    sent = properties.get("subnets")
    if sent is not None:
        _replace_subnets(call, vnet, sent)
    for subnet in vnet.subnets.values():
        for prefix in map(ipaddress.ip_network, subnet.address_prefixes):
            _check_range(vnet, subnet.name, prefix)
    call.world.vnets[call.path.id.lower()] = vnet
    call.world.vnets_changed()
    headers = _begin(call, vnet.location)
    return Reply(200 if old else 201, wire(vnet, "Updating"), headers, emits=False)


def _replace_subnets(call: Call, vnet: VirtualNetwork, sent: list[dict[str, Any]]) -> None:
    names = {str(item.get("name")).lower() for item in sent}
    for key, subnet in list(vnet.subnets.items()):
        if key not in names:
            if subnet.leases:
                raise _in_use(vnet, subnet, "InUseSubnetCannotBeDeleted")
            del vnet.subnets[key]
    for item in sent:
        name = str(item.get("name"))
        vnet.subnets[name.lower()] = _subnet(call, name, item.get("properties") or {}, vnet)


def patch(call: Call) -> Reply:
    """Answer PATCH: tags, at once."""
    vnet = _find(call)
    vnet.tags, vnet.etag = tags_of(call.json_object()), _etag(call)
    call.world.changed()
    return Reply(200, wire(vnet))


def delete(call: Call) -> Reply:
    """Answer DELETE: 202, refused while an address of it is in use."""
    vnet = call.world.vnets.get(call.path.id.lower())
    if vnet is None:
        return Reply(204, emits=False)
    for subnet in vnet.subnets.values():
        if subnet.leases:
            raise _in_use(vnet, subnet, "InUseSubnetCannotBeDeleted")
    del call.world.vnets[call.path.id.lower()]
    call.world.vnets_changed()
    return Reply(202, None, _begin(call, vnet.location), emits=False)


def get_subnet(call: Call) -> Reply:
    """Answer GET of a subnet."""
    vnet = _find(call)
    subnet = vnet.subnets.get(call.path.name.lower())
    if subnet is None:
        raise gateway_error(404, "NotFound", f"Resource {call.path.id} not found.")
    return Reply(200, _subnet_wire(vnet, subnet), {"ETag": subnet.etag})


def list_subnets(call: Call) -> Reply:
    """Answer GET of a network's subnets."""
    vnet = _find(call)
    return Reply(200, {"value": [_subnet_wire(vnet, subnet) for subnet in vnet.subnets.values()]})


def put_subnet(call: Call) -> Reply:
    """Answer PUT of a subnet: 201 or 200, and the operation to follow."""
    vnet, name = _find(call), call.path.name
    old = vnet.subnets.get(name.lower())
    subnet = _subnet(call, name, call.section("properties"), vnet)
    vnet.subnets[name.lower()] = subnet
    vnet.etag = subnet.etag
    call.world.vnets_changed()
    headers = _begin(call, vnet.location)
    return Reply(200 if old else 201, _subnet_wire(vnet, subnet, "Updating"), headers, emits=False)


def delete_subnet(call: Call) -> Reply:
    """Answer DELETE of a subnet: 202, refused while an address of it is in use."""
    vnet = _find(call)
    subnet = vnet.subnets.get(call.path.name.lower())
    if subnet is None:
        return Reply(204, emits=False)
    if subnet.leases:
        raise _in_use(vnet, subnet, "InUseSubnetCannotBeDeleted")
    del vnet.subnets[call.path.name.lower()]
    call.world.vnets_changed()
    return Reply(202, None, _begin(call, vnet.location), emits=False)
