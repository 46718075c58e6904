"""Hands out addresses: the lowest free one of a subnet, or a public one."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from local_azure.arm.call import ArmError

if TYPE_CHECKING:
    from local_azure.world import ContainerGroup, Subnet, World

# Azure keeps the network address and the three after it; of IPv4 also the broadcast address.
FIRST_HOST = 4


def find_subnet(world: World, subnet_id: str) -> Subnet | None:
    """Give the subnet of an id, None when its virtual network or itself does not exist."""
    vnet_id, _, name = subnet_id.lower().rpartition("/subnets/")
    vnet = world.vnets.get(vnet_id)
    return vnet.subnets.get(name) if vnet else None


def lease(subnet: Subnet, holder: str) -> str:
    """Give the lowest free address. Raises ArmError when the subnet is full."""
    network = ipaddress.ip_network(subnet.address_prefixes[0], strict=False)
    last = network.num_addresses - int(isinstance(network, ipaddress.IPv4Network))
    for host in range(max(subnet.low_mark, FIRST_HOST), last):
        address = str(network[host])
        if address not in subnet.leases:
            subnet.leases[address] = holder
            subnet.low_mark = host + 1
            return address
    raise ArmError(400, "SubnetIsFull", f"Subnet '{subnet.name}' with address prefix {network} has no free address.")


def release(subnet: Subnet, address: str) -> None:
    """Give an address back; nothing happens when nobody held it."""
    if subnet.leases.pop(address, None) is not None:
        network = ipaddress.ip_network(subnet.address_prefixes[0], strict=False)
        host = int(ipaddress.ip_address(address)) - int(network.network_address)
        subnet.low_mark = min(subnet.low_mark, host)


def acquire(world: World, group: ContainerGroup) -> None:
    """Give a group an address that it does not have now, and take back the one that it has."""
    old = group.ip
    if group.subnet_id is None:
        address = group.properties.get("ipAddress")
        private = address is not None and address["type"] == "Private"
        group.ip = None if address is None else "10.0.0.4" if private else _public(world)
        return
    subnet = find_subnet(world, group.subnet_id)
    if subnet is None:
        raise ArmError(400, "InvalidResourceReference", f"The subnet '{group.subnet_id}' does not exist.")
    group.ip = lease(subnet, group.id)
    if old:
        release(subnet, old)


def give_back(world: World, group: ContainerGroup) -> None:
    """Take a group's address away; `last_ip` remembers it."""
    if group.ip is None:
        return
    subnet = find_subnet(world, group.subnet_id) if group.subnet_id else None
    if subnet:
        release(subnet, group.ip)
    group.last_ip, group.ip = group.ip, None


def _public(world: World) -> str:
    return f"20.{world.rng.randrange(256)}.{world.rng.randrange(256)}.{world.rng.randrange(1, 255)}"
