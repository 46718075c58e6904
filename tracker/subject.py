"""What an event is about: a container group, or a record set that may belong to some. Pure.

| subject of the event                       | the tracker looks at                                                 |
|--------------------------------------------|----------------------------------------------------------------------|
| a container group                          | that group                                                           |
| A or AAAA record set                       | the group that its mark names; without a mark, the group of its name |
| PTR record set                             | the group that its mark names, the groups that it names; without a   |
|                                            | mark, also the group that has the address which it stands for        |
| zone, virtual network link, other records  | nothing: they belong to no group                                     |
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from core.arm_id import CONTAINER_GROUP, PRIVATE_ZONE, ArmId, container_group_id, parse_container_group, same_id
from core.delivery import Delivery
from core.errors import InputError
from core.names import Address, absolute_name, address_of, is_within, relative_name
from core.records import RecordSet, RecordType, ZoneRef
from core.zone_map import DnsConfig, ZoneMap

_TYPES: Final[dict[str, RecordType]] = {"a": "A", "aaaa": "AAAA", "ptr": "PTR"}
_RECORD_SEGMENTS: Final = 2


@dataclass(frozen=True, slots=True)
class GroupSubject:
    """The event is about a container group; `deleted` when it reports that the group was deleted."""

    group: ArmId
    deleted: bool


@dataclass(frozen=True, slots=True)
class RecordSubject:
    """The event is about a record set that somebody wrote or deleted; `name` is relative to the zone."""

    zone: ZoneRef
    type: RecordType
    name: str
    deleted: bool

    @property
    def address(self) -> Address | None:
        """The address that a PTR record set stands for; None for other types and for names of no address."""
        return address_of(absolute_name(self.name, self.zone.name)) if self.type == "PTR" else None

    def __str__(self) -> str:
        return f"{self.type} {absolute_name(self.name, self.zone.name)}"


@dataclass(frozen=True, slots=True)
class NoSubject:
    """The event is well-formed and concerns no group; `reason` says why."""

    reason: str


Subject = GroupSubject | RecordSubject | NoSubject


def subject_of(delivery: Delivery) -> Subject:
    """Say what the event is about; raises InputError when it is not one that a tracker should have been sent."""
    if not delivery.is_resource_event:
        raise InputError(f"not a resource event but {delivery.type[:100]!a}")
    if CONTAINER_GROUP.lower() in delivery.subject.lower():
        return GroupSubject(parse_container_group(delivery.subject), delivery.is_delete)
    found = ArmId.parse(delivery.subject)
    if not (found.type + "/").lower().startswith(PRIVATE_ZONE.lower() + "/"):
        raise InputError(f"neither a container group nor a part of a private zone but {found.type[:200]!a}")
    kind = _TYPES.get(found.segments[-1][0].lower())
    if kind is None or len(found.segments) != _RECORD_SEGMENTS:
        return NoSubject(f"a change of {found.type} concerns no single container group")
    zone = ZoneRef(found.subscription_id, found.resource_group, found.segments[0][1].lower())
    return RecordSubject(zone, kind, found.name.lower(), delivery.is_delete)


def entries_for(zone_map: ZoneMap, zone: ZoneRef) -> list[DnsConfig]:
    """List the entries whose zone this is: the same name in another resource group or subscription is another zone."""
    return [entry for entry in zone_map.entries_with_zone(zone.name) if _is_there(entry, zone)]


def _is_there(entry: DnsConfig, zone: ZoneRef) -> bool:
    subscription = entry.zones_subscription_id or entry.subscription_id or zone.subscription_id
    return same_id(subscription, zone.subscription_id) and same_id(entry.zones_resource_group, zone.resource_group)


def owner_of(record_set: RecordSet | None, entries: Iterable[DnsConfig]) -> ArmId | None:
    """Give the group that the mark names, if one of the entries is for it; a mark damaged by hand names nobody."""
    try:
        owner = parse_container_group(record_set.owner) if record_set and record_set.owner else None
    except InputError:
        return None
    return owner if owner and any(entry.covers(owner) for entry in entries) else None


def groups_named(fqdn: str, entries: Iterable[DnsConfig], zone: ZoneRef) -> Iterator[ArmId]:
    """Give the groups whose name this would be, one for each entry with that forward zone.

    An entry that names no subscription is taken to mean the subscription of the zone whose change was reported.
    """
    for entry in entries:
        if not is_within(fqdn, entry.forward_zone):
            continue
        try:
            name = relative_name(fqdn, entry.forward_zone)
            yield container_group_id(entry.subscription_id or zone.subscription_id, entry.resource_group, name)
        except InputError:
            continue  # more than one label, or not a name that a container group can have
