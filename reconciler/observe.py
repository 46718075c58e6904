"""The reads: the address record sets, the PTRs that are computed from them, and the groups that foreign marks name.

PTRs are computed, not searched: the live address, the addresses in the address record sets, and the address that their
mark says we wrote last (a hand edit changes one and not the other). The reverse zones are scanned only when a group is
gone and its address record set gives no trustworthy address: it is missing, or was edited by hand.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from core.arm_id import ArmId
from core.errors import InputError, ToolkitError, ZoneMissingError
from core.live import LiveGroup, LiveState
from core.names import Address, address_of
from core.placement import PtrPlace
from core.records import RecordSet, same_values
from reconciler.changes import Seen
from reconciler.desired import Desired, Subject, unplaced

if TYPE_CHECKING:
    from core.run_context import ReadsGroups, ReadsRecordSets


def observe(
    subject: Subject,
    desired: Desired,
    private_dns: "ReadsRecordSets",
    groups: "ReadsGroups",
    also: Iterable[Address] = (),
) -> Seen:
    """Read what the plan needs. `also` are addresses whose PTRs earlier rounds of this run looked at or wrote.

    A reverse zone that does not exist is noted as a problem, not raised: the forward side can still be made right.
    """
    if desired.keep:
        return Seen()
    address_sets = tuple(_address_sets(subject, private_dns))
    known = [address for record_set in address_sets for address in record_set.known_addresses]
    wanted = [*([desired.address] if desired.address else []), *known, *also]
    problems: list[ToolkitError] = []
    ptr_sets: dict[Address, RecordSet | None] = {}
    for address in dict.fromkeys(wanted):
        place = subject.placement.ptr_place(address)
        if place:
            _read_ptr(place, private_dns, ptr_sets, problems)
    if subject.group.state is LiveState.ABSENT and needs_scan(subject, address_sets):
        _scan(subject, private_dns, ptr_sets, problems)
    if desired.address and (problem := unplaced(subject, desired.address)):
        problems.append(problem)
    owners = dict(_owners(subject, desired, address_sets, ptr_sets, groups))
    return Seen(address_sets, ptr_sets, owners, tuple(problems))


def needs_scan(subject: Subject, address_sets: tuple[RecordSet, ...]) -> bool:
    """Tell whether the address record sets of a group that is gone cannot be trusted to name every PTR of it.

    A set that belongs to another group is as good as missing: it replaced ours and says nothing about us.
    """
    ours = [found for found in address_sets if found.owner is None or found.is_owned_by(subject.group_id)]
    return not ours or any(not same_values(found.values, (found.written_address or "",)) for found in ours)


def _address_sets(subject: Subject, private_dns: "ReadsRecordSets") -> Iterator[RecordSet]:
    for record_type in subject.address_types:
        found = private_dns.get(subject.placement.forward_zone, record_type, subject.placement.record_name)
        if found is not None:
            yield found


def _read_ptr(
    place: PtrPlace,
    private_dns: "ReadsRecordSets",
    ptr_sets: dict[Address, RecordSet | None],
    problems: list[ToolkitError],
) -> None:
    try:
        ptr_sets[place.address] = private_dns.get(place.zone, "PTR", place.name)
    except ZoneMissingError as error:
        if str(error) not in {str(problem) for problem in problems}:
            problems.append(error)


def _scan(
    subject: Subject,
    private_dns: "ReadsRecordSets",
    ptr_sets: dict[Address, RecordSet | None],
    problems: list[ToolkitError],
) -> None:
    for zone in subject.config.reverse_zones:
        try:
            for found in private_dns.list(subject.config.zone(zone.name, subject.group.id), "PTR"):
                address = address_of(found.fqdn)
                if address and found.names(subject.fqdn):
                    ptr_sets.setdefault(address, found)
        except ZoneMissingError as error:
            problems.append(error)


def _owners(
    subject: Subject,
    desired: Desired,
    address_sets: tuple[RecordSet, ...],
    ptr_sets: dict[Address, RecordSet | None],
    groups: "ReadsGroups",
) -> Iterator[tuple[str, LiveGroup]]:
    """Read the groups that own what is in our way; nobody is in the way of a group that wants no records."""
    if desired.address is None:
        return
    in_the_way = [*(found for found in address_sets if found.type == desired.type), ptr_sets.get(desired.address)]
    seen: set[str] = set()
    for record_set in in_the_way:
        owner = record_set.owner if record_set else None
        if owner is None or record_set is None or record_set.is_owned_by(subject.group_id) or owner.lower() in seen:
            continue
        seen.add(owner.lower())
        try:
            yield owner.lower(), groups.get(ArmId.parse(owner))
        except InputError:
            # A mark that no longer names a resource was damaged by hand: nobody can answer for it.
            yield owner.lower(), LiveGroup(subject.group.id, LiveState.ABSENT, detail="the owner mark is damaged")
