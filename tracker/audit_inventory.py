"""What the fleet's audit knows: every container group, record set, zone and link, read once, by lists. In memory.

It answers the questions of a look (tracker/look.py) as the doors would, so that the fleet is judged by the same rules
as one group. What could not be listed is not 'empty': whoever asks for it is given the error of the list.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from core.arm_id import ArmId, parse_container_group
from core.errors import InputError, ToolkitError, ZoneMissingError
from core.links import VirtualNetworkLink
from core.live import LiveGroup, LiveState
from core.names import Address, address_of, normalise
from core.placement import Placement
from core.records import RecordSet, RecordType, ZoneRef
from core.zone_map import DnsConfig

MAX_MESSAGE: Final = 500
Place = tuple[str, str]
"""Subscription and resource group, in lower case."""
ZoneKey = tuple[str, str, str]
Zones = list[ZoneRef]  # named here: inside the classes, `list` is a method
Links = list[VirtualNetworkLink]
Addresses = list[Address]
NO_GROUP: Final = "the group is not listed"


def place_of(group: ArmId) -> Place:
    """Say in which resource group a container group is."""
    return group.subscription_id.lower(), group.resource_group.lower()


def zone_key(zone: ZoneRef) -> ZoneKey:
    """Give what tells zones apart."""
    return zone.subscription_id.lower(), zone.resource_group.lower(), zone.name


@dataclass(frozen=True, slots=True)
class Incomplete:
    """Something that could not be read, or done, whole: what, of which resource group or zone, and why."""

    what: str
    where: str
    error: ToolkitError

    def to_json(self) -> dict[str, str]:
        """Give it as JSON values."""
        return {
            "what": self.what,
            "where": self.where,
            "code": self.error.code,
            "message": str(self.error)[:MAX_MESSAGE],
        }

    def __str__(self) -> str:
        return f"{self.what} of {self.where}: {self.error}"


@dataclass
class KnownGroups:
    """The container groups of the resource groups that were listed.

    `read` is the door for one that is elsewhere, an owner that a mark names, and may be None; each is read once.
    """

    listed: dict[ArmId, LiveGroup] = field(default_factory=dict)
    places: dict[Place, ToolkitError | None] = field(default_factory=dict)
    read: Callable[[ArmId], LiveGroup] | None = None
    elsewhere: dict[ArmId, LiveGroup] = field(default_factory=dict)

    def get(self, group: ArmId) -> LiveGroup:
        """Give one group; raises the list's error where its resource group could not be listed."""
        found = self.listed.get(group) or self.elsewhere.get(group)
        if found is not None:
            return found
        place = place_of(group)
        if place in self.places:
            failed = self.places[place]
            if failed is not None:
                raise failed
            return LiveGroup(group, LiveState.ABSENT, detail=NO_GROUP)
        if self.read is None:
            raise ToolkitError(f"{group} is in no resource group that is audited, and was not read")
        self.elsewhere[group] = self.read(group)
        return self.elsewhere[group]

    def list(self, subscription_id: str, resource_group: str) -> list[LiveGroup]:
        """Give those of one resource group."""
        place = (subscription_id.lower(), resource_group.lower())
        return [group for group in self.listed.values() if place_of(group.id) == place]


@dataclass
class KnownRecords:
    """The record sets of the zones that were listed, and which addresses' PTRs name a group.

    `failures` holds the errors of the zones that could not be listed; `owners` counts the record sets by their mark.
    """

    sets: dict[ZoneKey, dict[tuple[RecordType, str], RecordSet]] = field(default_factory=dict)
    failures: dict[ZoneKey, ToolkitError] = field(default_factory=dict)
    owners: Counter[str] = field(default_factory=Counter)
    _pointers: dict[str, list[Address]] = field(default_factory=lambda: defaultdict(list))

    def add(self, zone: ZoneRef, record_sets: Iterable[RecordSet]) -> None:
        """Keep a zone's record sets."""
        found = self.sets[zone_key(zone)] = {(each.type, each.name): each for each in record_sets}
        for each in found.values():
            if each.owner:
                self.owners[each.owner] += 1
            address = address_of(each.fqdn) if each.type == "PTR" else None
            if address is not None:
                for name in map(normalise, each.values):
                    self._pointers[name].append(address)

    def get(self, zone: ZoneRef, record_type: RecordType, name: str) -> RecordSet | None:
        """Give one record set; raises what the list of its zone raised."""
        return self._of(zone).get((record_type, name))

    def list(self, zone: ZoneRef, record_type: RecordType | None = None) -> Iterator[RecordSet]:
        """Give a zone's record sets; raises what its list raised."""
        return (each for each in self._of(zone).values() if record_type in {None, each.type})

    def _of(self, zone: ZoneRef) -> dict[tuple[RecordType, str], RecordSet]:
        key = zone_key(zone)
        if key in self.failures:
            raise self.failures[key]
        if key not in self.sets:
            raise ToolkitError(f"zone '{zone.name}' in resource group '{zone.resource_group}' was not listed")
        return self.sets[key]

    def suspects(self, placement: Placement) -> Addresses:
        """List the addresses whose PTR names this group, in zone and listing order."""
        return self._pointers.get(placement.fqdn, [])


@dataclass
class KnownZones:
    """The links that were listed, and the zones that may hide others: those below a configured reverse zone.

    What could not be listed is left out: it is in the run's `incomplete`. `unlisted` are subscriptions whose zones the
    identity may not list: an audit needs a role on its zones alone, and looks for what hides them where it may.
    """

    below: dict[str, list[ZoneRef]] = field(default_factory=dict)
    linked: dict[ZoneKey, list[VirtualNetworkLink]] = field(default_factory=dict)
    unlisted: list[str] = field(default_factory=list)

    def zones(self, subscription_id: str) -> Zones:
        """Give those of a subscription's zones that may hide others: a look asks for no other reason."""
        return self.below.get(subscription_id.lower(), [])

    def links(self, zone: ZoneRef) -> Links:
        """Give a zone's links; for one whose links are not known it answers as for one that is not there."""
        found = self.linked.get(zone_key(zone))
        if found is None:
            raise ZoneMissingError(zone.name, zone.resource_group, zone.subscription_id)
        return found


@dataclass
class Inventory:
    """All that was read, what could not be, and which entries it is about."""

    entries: tuple[DnsConfig, ...]
    groups: KnownGroups = field(default_factory=KnownGroups)
    records: KnownRecords = field(default_factory=KnownRecords)
    zones: KnownZones = field(default_factory=KnownZones)
    incomplete: list[Incomplete] = field(default_factory=list)

    def config_for(self, group: ArmId) -> DnsConfig | None:
        """Give the entry for a group, as the zone map would."""
        return next((entry for entry in self.entries if entry.covers(group)), None)

    def placements(self) -> Iterator[tuple[LiveGroup, Placement]]:
        """Give every group to judge: those that are listed, and those that owner marks name and that are not."""
        for group in (*self.groups.listed.values(), *self.gone()):
            config = self.config_for(group.id)
            if config is not None:
                yield group, Placement(group.id, config)

    def gone(self) -> list[LiveGroup]:
        """List the groups that marks name, in a resource group that was listed, without being in the list."""
        places = self.groups.places
        return [
            LiveGroup(group, LiveState.ABSENT, detail=NO_GROUP)
            for group in self.unlisted_owners()
            if places.get(place_of(group), 1) is None
        ]

    def unlisted_owners(self) -> dict[ArmId, int]:
        """Count the record sets of each group that marks name and that is not listed; a damaged mark names none."""
        listed = {str(group).lower() for group in self.groups.listed}
        found: dict[ArmId, int] = {}
        for owner, count in self.records.owners.items():
            if owner.lower() not in listed:
                with suppress(InputError):
                    group = parse_container_group(owner)
                    found[group] = found.get(group, 0) + count
        return found

    def counts(self) -> Mapping[str, Any]:
        """Count what was listed."""
        return {
            "groups": len(self.groups.listed),
            "record_sets": sum(map(len, self.records.sets.values())),
            "zones": len(self.records.sets),
            "links": sum(map(len, self.zones.linked.values())),
        }
