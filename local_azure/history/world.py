"""The simulated Azure: container groups, private zones, their links, and what is out of order just now.

Its doors are the rooms' ports. They keep Azure's rules as far as decisions depend on them: etags and preconditions,
a zone that is missing is an error and not an empty one, and a fault is raised as the error that the real door raises.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from core.errors import PreconditionFailedError, ZoneMissingError
from core.links import VirtualNetworkLink
from core.live import LiveGroup, LiveState
from core.names import Address, parse_address
from core.records import RecordSet, RecordType, ZoneRef

if TYPE_CHECKING:
    import random

    from core.arm_id import ArmId
    from core.run_context import Links, Zones
    from local_azure.history.layout import Layout, Place

_RECORD_SETS_PER_PAGE: Final = 500
Trouble = Callable[[str, str], None]
"""Called before each request with the operation and the resource's name; raises what is out of order."""


@dataclass
class World:
    """The state. `sets` are the record sets of each zone, by type and relative name; `links` the networks of each."""

    zone_refs: dict[str, ZoneRef]
    links: dict[str, dict[str, VirtualNetworkLink]]
    live: dict[str, LiveGroup] = field(default_factory=dict)
    sets: dict[str, dict[tuple[str, str], RecordSet]] = field(default_factory=dict)
    free: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    """Free last octets of each subnet, lowest first, by second and third octet."""
    writes: int = 0
    hidden: bool = False
    """Lists of container groups are empty although there are some: an answer that is wrong without being an error."""

    @staticmethod
    def of(layout: Layout) -> World:
        """Make the zones and their links; no group is there yet."""
        zones = {name: ZoneRef(layout.dns_subscription_id, group, name) for name, group in layout.zone_groups.items()}
        links: dict[str, dict[str, VirtualNetworkLink]] = {name: {} for name in zones}
        for spoke in layout.spokes:
            for zone in (spoke.forward_zone, spoke.reverse_zone):
                for vnet in (layout.hub_vnet(spoke.hub), spoke.vnet_id):
                    links[zone][vnet.lower()] = VirtualNetworkLink(f"to-{vnet.rsplit('/', 1)[1]}", vnet)
        # A network that resolves a name must resolve its address: where a hub's forward zone is linked, so are the
        # reverse zones of every spoke of that hub.
        for spoke in layout.spokes:
            for other in layout.spokes:
                if other.hub == spoke.hub:
                    vnet = other.vnet_id
                    links[spoke.reverse_zone][vnet.lower()] = VirtualNetworkLink(f"to-vnet-{other.name}", vnet)
        links[layout.old_zone] = dict(links[layout.spokes[1].reverse_zone])
        return World(zones, links, sets={name: {} for name in zones})

    def group(self, group: ArmId) -> LiveGroup:
        """Give a group's state; one that is not there is absent."""
        return self.live.get(str(group).lower()) or LiveGroup(group, LiveState.ABSENT)

    def take_address(self, place: Place, rng: random.Random) -> Address:
        """Give a free address of the group's subnet: a low one, so that an address is soon somebody else's."""
        key = (place.spoke.number, place.subnet)
        free = self.free.setdefault(key, list(range(4, 255)))
        passed = [heapq.heappop(free) for _ in range(rng.randint(1, 4))]
        for octet in passed[:-1]:
            heapq.heappush(free, octet)
        return parse_address(f"10.{key[0]}.{key[1]}.{passed[-1]}")

    def release(self, address: Address | None) -> None:
        """Take an address back; it is given out again."""
        if address is not None:
            _, second, third, last = (int(part) for part in str(address).split("."))
            heapq.heappush(self.free.setdefault((second, third), list(range(4, 255))), last)

    def zone_sets(self, zone: str) -> dict[tuple[str, str], RecordSet]:
        """Give a zone's record sets; raises ZoneMissingError when it does not exist."""
        found = self.sets.get(zone)
        if found is None:
            ref = self.zone_refs.get(zone) or ZoneRef("", "", zone)
            raise ZoneMissingError(zone, ref.resource_group, ref.subscription_id)
        return found

    def write(self, record_set: RecordSet) -> RecordSet:
        """Write without a precondition, as a person in the portal does."""
        self.writes += 1
        written = replace(record_set, etag=f"etag-{self.writes}")
        self.zone_sets(record_set.zone.name)[record_set.type, record_set.name] = written
        return written


@dataclass
class Counter:
    """The requests of one client, and how long it waited before it sent some of them again."""

    reads: int = 0
    writes: int = 0
    waited_ms: float = 0.0
    pages: int = 0

    @property
    def calls(self) -> int:
        """All of them."""
        return self.reads + self.writes


@dataclass
class Groups:
    """Container groups as one client sees them (core.run_context.ReadsGroups)."""

    world: World
    counter: Counter
    trouble: Trouble

    def get(self, group: ArmId) -> LiveGroup:
        """Read one group."""
        self.counter.reads += 1
        self.trouble("container_group.get", str(group))
        return self.world.group(group)

    def list(self, subscription_id: str, resource_group: str) -> list[LiveGroup]:
        """Read a resource group's groups."""
        self.counter.reads += 1
        self.counter.pages += 1
        self.trouble("container_groups.list", resource_group)
        if self.world.hidden:
            return []
        prefix = f"/subscriptions/{subscription_id}/resourcegroups/{resource_group}/".lower()
        return [live for key, live in self.world.live.items() if key.startswith(prefix)]


@dataclass
class Dns:
    """Private zones as one client sees them (core.run_context.WritesRecordSets, ReadsPrivateDns)."""

    world: World
    counter: Counter
    trouble: Trouble

    def get(self, zone: ZoneRef, record_type: RecordType, name: str) -> RecordSet | None:
        """Read one record set."""
        self.counter.reads += 1
        self.trouble("record_set.get", f"{record_type}/{name} in {zone.name}")
        return self.world.zone_sets(zone.name).get((record_type, name.lower()))

    def list(self, zone: ZoneRef, record_type: RecordType | None = None) -> Iterator[RecordSet]:
        """Read a zone's record sets."""
        found = [each for each in self.world.zone_sets(zone.name).values() if record_type in {None, each.type}]
        pages = len(found) // _RECORD_SETS_PER_PAGE + 1
        self.counter.reads += pages
        self.counter.pages += pages
        self.trouble("record_sets.list", zone.name)
        return iter(found)

    def put(self, record_set: RecordSet) -> RecordSet:
        """Write under the etag."""
        self.counter.writes += 1
        self.trouble("record_set.put", f"{record_set.type}/{record_set.name} in {record_set.zone.name}")
        self._check(record_set)
        return self.world.write(record_set)

    def delete(self, record_set: RecordSet) -> None:
        """Delete under the etag; one that is gone is fine."""
        self.counter.writes += 1
        self.trouble("record_set.delete", f"{record_set.type}/{record_set.name} in {record_set.zone.name}")
        sets = self.world.zone_sets(record_set.zone.name)
        if (record_set.type, record_set.name) in sets:
            self._check(record_set)
            del sets[record_set.type, record_set.name]

    def zones(self, subscription_id: str) -> Zones:
        """List the zones that exist."""
        self.counter.reads += 1
        self.counter.pages += 1
        return [ref for name, ref in self.world.zone_refs.items()
                if name in self.world.sets and ref.subscription_id == subscription_id]  # fmt: skip

    def links(self, zone: ZoneRef) -> Links:
        """List a zone's links."""
        self.counter.reads += 1
        self.counter.pages += 1
        self.world.zone_sets(zone.name)
        return list(self.world.links.get(zone.name, {}).values())

    def _check(self, record_set: RecordSet) -> None:
        now = self.world.zone_sets(record_set.zone.name).get((record_set.type, record_set.name))
        if (now.etag if now else None) != record_set.etag:
            raise PreconditionFailedError(f"record_set.put {record_set.fqdn}", "the etag is another", status=412)
