"""Which container groups a record set event is about. Reads; the decisions are in `subject.py`."""

from collections.abc import Iterable, Iterator

from core.arm_id import ArmId
from core.errors import ZoneMissingError
from core.names import Address
from core.records import RecordSet, ZoneRef
from core.run_context import ReadsGroups, ReadsRecordSets
from core.zone_map import DnsConfig, ZoneMap
from tracker.subject import RecordSubject, entries_for, groups_named, owner_of


def groups_about(
    subject: RecordSubject, zone_map: ZoneMap, private_dns: ReadsRecordSets, groups: ReadsGroups
) -> list[ArmId]:
    """Find the groups that the record set belongs to, or should; none when its zone is not configured."""
    entries = entries_for(zone_map, subject.zone)
    if not entries:
        return []
    found = _read(subject, private_dns)
    owner = owner_of(found, entries)
    about = [owner] if owner else []
    if subject.type == "PTR":
        for target in found.values if found else ():
            about += groups_named(target, entries, subject.zone)
        if owner is None and subject.address:
            about += _groups_at(subject.address, entries, subject.zone, groups)
    elif owner is None:
        about += groups_named(f"{subject.name}.{subject.zone.name}", entries, subject.zone)
    return list(dict.fromkeys(about))


def _read(subject: RecordSubject, private_dns: ReadsRecordSets) -> RecordSet | None:
    """Read the record set as it is now: the event may be old. A zone deleted since then took its records with it."""
    try:
        return private_dns.get(subject.zone, subject.type, subject.name)
    except ZoneMissingError:
        return None


def _groups_at(address: Address, entries: Iterable[DnsConfig], zone: ZoneRef, groups: ReadsGroups) -> Iterator[ArmId]:
    """List the groups of the configured resource groups and give those that have the address: a page or two each."""
    places = {
        ((entry.subscription_id or zone.subscription_id).lower(), entry.resource_group.lower()) for entry in entries
    }
    for subscription_id, resource_group in sorted(places):
        for group in groups.list(subscription_id, resource_group):
            if group.address == address:
                yield group.id
