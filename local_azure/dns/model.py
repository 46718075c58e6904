"""What the resolvers know beside zones and links: virtual machines, custom DNS servers, faults. Knows no socket."""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

import dns.message
import dns.reversename

from local_azure.dns.answer import View, forwarded, respond
from local_azure.dns.faults import DnsFaults
from local_azure.dns.platform import Platform, UnlinkedShape

if TYPE_CHECKING:
    from local_azure.world import PrivateZone, World

AZURE_RESOLVER: Final = "168.63.129.16"


@dataclass(frozen=True)
class VirtualMachine:
    """A virtual machine, as far as DNS knows it. `vnet_id` is lower case."""

    vnet_id: str
    name: str
    ip: str


@dataclass(frozen=True)
class CustomServer:
    """A DNS server that virtual networks are told to use instead of Azure's.

    `forwards_to` is the network in which it lives, when it forwards to 168.63.129.16 there: what it answers is what is
    linked to that network. None: it asks public DNS, and knows no private zone at all.
    """

    address: str
    forwards_to: str | None = None


@dataclass
class DnsModel:
    """The DNS side of one World, beside what ARM holds."""

    faults: DnsFaults = field(default_factory=DnsFaults)
    machines: dict[tuple[str, str], VirtualMachine] = field(default_factory=dict)
    """By (network's id, address)."""
    custom_servers: dict[str, CustomServer] = field(default_factory=dict)
    """By address. An address that is not here is a server that asks public DNS."""
    unlinked: UnlinkedShape = "parent"
    unlinked_in: dict[str, UnlinkedShape] = field(default_factory=dict)
    """By network's id (lower case), where it differs from `unlinked`."""
    _platforms: dict[str, Platform] = field(default_factory=dict)

    def platform_of(self, vnet_id: str) -> Platform:
        """Give the platform as this network sees it."""
        found = self._platforms.get(vnet_id)
        if found is None:
            mine = [machine for machine in self.machines.values() if machine.vnet_id == vnet_id]
            by_address = {_reverse_name(machine.ip): machine.name for machine in mine}
            by_name = {machine.name.lower(): machine.ip for machine in mine}
            found = self._platforms[vnet_id] = Platform(by_address, by_name, self.shape_in(vnet_id))
        return found

    def add_machine(self, machine: VirtualMachine) -> None:
        """Add a machine, over one of its address."""
        self.machines[machine.vnet_id, machine.ip] = machine
        self._platforms.clear()

    def drop_machines(self, vnet_id: str, name: str) -> int:
        """Drop the machines of this name in the network; give how many there were."""
        gone = [key for key, m in self.machines.items() if key[0] == vnet_id and m.name.lower() == name.lower()]
        for key in gone:
            del self.machines[key]
        self._platforms.clear()
        return len(gone)

    def shape_in(self, vnet_id: str) -> UnlinkedShape:
        """Give how NXDOMAIN looks in this network for a name in no linked zone."""
        return self.unlinked_in.get(vnet_id.lower(), self.unlinked)

    def set_unlinked(self, shape: UnlinkedShape, shapes_in: Mapping[str, UnlinkedShape]) -> None:
        """Set how NXDOMAIN looks for a name in no linked zone: everywhere, and in some networks."""
        self.unlinked, self.unlinked_in = shape, dict(shapes_in)
        self._platforms.clear()

    def reset(self) -> None:
        """Forget everything."""
        self.faults.clear()
        self.machines.clear()
        self.custom_servers.clear()
        self.set_unlinked("parent", {})

    def save(self) -> dict[str, Any]:
        """Give what belongs in the state file: all but the faults."""
        return {
            "machines": [asdict(machine) for machine in self.machines.values()],
            "custom_servers": [asdict(server) for server in self.custom_servers.values()],
            "unlinked": self.unlinked,
            "unlinked_in": dict(self.unlinked_in),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `save` gave."""
        for item in state["machines"]:
            self.add_machine(VirtualMachine(**item))
        self.custom_servers = {item["address"]: CustomServer(**item) for item in state["custom_servers"]}
        self.set_unlinked(state["unlinked"], state["unlinked_in"])


def _reverse_name(ip: str) -> str:
    return dns.reversename.from_address(ip).to_text(omit_final_dot=True).lower()


def azure_view(world: "World", model: DnsModel, vnet_id: str) -> View:
    """Give what 168.63.129.16 resolves for a network."""
    zones = world.zones_linked_to(vnet_id)
    return View.of(zones, model.platform_of(vnet_id.lower()), _registration_zone(zones, vnet_id.lower()))


def _registration_zone(zones: Iterable["PrivateZone"], vnet_id: str) -> str | None:
    """Give the linked zone in which the network's machines are registered; a network has at most one."""
    for zone in zones:
        if any(link.registration_enabled and link.vnet_id.lower() == vnet_id for link in zone.links.values()):
            return zone.name
    return None


def resolve(world: "World", model: DnsModel, vnet_id: str, query: dns.message.Message) -> dns.message.Message:
    """Answer a client in this network: by Azure's resolver, or by the custom server that it is told to use.

    A network with custom servers never asks 168.63.129.16 itself: its private zones count only through a server that
    forwards. A client asks the first server of the list as long as that one answers, so the others do not matter here.
    """
    network = world.vnets.get(vnet_id.lower())
    address = _normal(network.dns_servers[0]) if network and network.dns_servers else AZURE_RESOLVER
    if address == AZURE_RESOLVER:
        return respond(azure_view(world, model, vnet_id), query)
    server = model.custom_servers.get(address, CustomServer(address))
    if server.forwards_to:
        return forwarded(respond(azure_view(world, model, server.forwards_to), query))
    # Public DNS says NXDOMAIN too, from servers that know nothing of the network's machines.
    shape = model.shape_in(vnet_id)
    public = Platform(unlinked="as112" if shape == "parent" else shape)
    return forwarded(respond(View.of([], public), query))


def _normal(address: str) -> str:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return address  # ARM refuses none; a server that cannot be is one that nobody has declared
