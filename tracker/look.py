"""Reads DNS for one group, and no more of it than the verdict needs. Every record set is read once per look.

A group that is as it should be costs three reads: itself, its address record set, and the PTR of its address.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

from core.arm_id import ArmId
from core.errors import InputError, ZoneMissingError
from core.links import VirtualNetworkLink
from core.live import LiveGroup, LiveState
from core.names import Address, longest_reverse_zone, shadowing_zones
from core.placement import Placement
from core.records import RecordSet, RecordType, ZoneRef
from core.run_context import ReadsGroups, ReadsRecordSets
from tracker.compare import Seen, known_addresses, owner_in_the_way
from tracker.zones import ZoneFacts, parse_reverse_zones


class ReadsZones(Protocol):
    """Reads zones and their virtual network links: two calls and more, so only where that is asked for."""

    def zones(self, subscription_id: str) -> list[ZoneRef]:
        """List a subscription's private zones."""

    def links(self, zone: ZoneRef) -> list[VirtualNetworkLink]:
        """List a zone's virtual network links; raises ZoneMissingError."""


@dataclass
class Snapshot:
    """Record sets as they were at first sight, so that one verdict rests on one state of each."""

    private_dns: ReadsRecordSets
    seen: dict[tuple[ZoneRef, RecordType, str], RecordSet | None] = field(default_factory=dict)

    def get(self, zone: ZoneRef, record_type: RecordType, name: str) -> RecordSet | None:
        """Read one record set, or give what was read before; raises ZoneMissingError."""
        key = (ZoneRef(zone.subscription_id.lower(), zone.resource_group.lower(), zone.name), record_type, name)
        if key not in self.seen:
            self.seen[key] = self.private_dns.get(zone, record_type, name)
        return self.seen[key]

    def list(self, zone: ZoneRef, record_type: RecordType | None = None) -> Iterator[RecordSet]:
        """List a zone's record sets; never from memory."""
        return self.private_dns.list(zone, record_type)


@dataclass(frozen=True, slots=True)
class Ports:
    """What a look reads with. With `zones`, virtual network links are looked at too."""

    private_dns: ReadsRecordSets
    groups: ReadsGroups
    zones: ReadsZones | None = None


def look(group: LiveGroup, placement: Placement, ports: Ports, also: Iterable[Address] = ()) -> Seen:
    """Read what the comparison needs. `also` are addresses whose PTRs are suspected.

    Raises ZoneMissingError when the forward zone does not exist, and CloudError. A missing reverse zone is a finding.
    """
    seen = Seen(group, placement)
    if seen.expects_records is None:
        return seen
    seen = replace(seen, address_sets=tuple(_address_sets(seen, ports.private_dns)))
    seen = replace(seen, owners=_owners(seen, seen.main_set, ports.groups))
    also = tuple(also)
    if owner_in_the_way(seen) or not (seen.address_sets or also):
        return seen
    seen = _with_ptr_sets(seen, ports.private_dns, also)
    ptr = seen.ptr_sets.get(group.address) if group.address else None
    if ptr is not None and not ptr.names(placement.fqdn):
        seen = replace(seen, owners=_owners(seen, ptr, ports.groups))
    if ports.zones and group.address:
        seen = replace(seen, zones=zone_facts(placement, group.address, ports.zones))
    return seen


def zone_facts(placement: Placement, address: Address, zones: ReadsZones) -> ZoneFacts:
    """Read the links of the group's zones, and of every longer reverse zone that contains its address."""
    reverse = placement.ptr_place(address)
    wanted = {placement.forward_zone, *([reverse.zone] if reverse else [])}
    if reverse:
        known = {zone.name: zone for zone in zones.zones(reverse.zone.subscription_id)}
        parsed = parse_reverse_zones(list(known))
        chosen = longest_reverse_zone(address, placement.config.reverse_zones)
        if chosen:
            wanted |= {known[longer.name] for longer in shadowing_zones(address, chosen, parsed)}
    linked: dict[str, frozenset[str]] = {}
    for zone in wanted:
        try:
            links = zones.links(zone)
        except ZoneMissingError:
            continue
        linked[zone.name] = frozenset(link.vnet_id.lower() for link in links if link.state.lower() == "completed")
    return ZoneFacts(linked)


def _address_sets(seen: Seen, private_dns: ReadsRecordSets) -> Iterator[RecordSet]:
    placement = seen.placement
    for record_type in placement.address_types(seen.group.address):
        found = private_dns.get(placement.forward_zone, record_type, placement.record_name)
        if found is not None:
            yield found


def _with_ptr_sets(seen: Seen, private_dns: ReadsRecordSets, also: tuple[Address, ...]) -> Seen:
    """Read the PTRs of the live address, of the addresses that DNS names or named, and of the suspected ones."""
    ptr_sets: dict[Address, RecordSet | None] = {}
    missing: set[str] = set()
    live = [seen.group.address] if seen.group.address else []
    for address in dict.fromkeys([*live, *known_addresses(seen), *also]):
        place = seen.placement.ptr_place(address)
        if place is None or place.zone.name in missing:
            continue
        try:
            ptr_sets[address] = private_dns.get(place.zone, "PTR", place.name)
        except ZoneMissingError:
            missing.add(place.zone.name)
    return replace(seen, ptr_sets=ptr_sets, missing_zones=frozenset(missing))


def _owners(seen: Seen, record_set: RecordSet | None, groups: ReadsGroups) -> dict[str, LiveGroup]:
    """Read the other group that a record set's mark names. A mark damaged by hand names nobody who could answer."""
    if record_set is None or record_set.owner is None or seen.is_ours(record_set):
        return dict(seen.owners)
    try:
        owner = groups.get(ArmId.parse(record_set.owner))
    except InputError:
        owner = LiveGroup(seen.group.id, LiveState.ABSENT, detail="the owner mark is damaged")
    return {**seen.owners, record_set.owner.lower(): owner}
