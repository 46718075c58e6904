"""Does DNS say what the container group is? Values in, a verdict out. Pure.

| the group                                             | DNS                          | verdict                     |
|-------------------------------------------------------|------------------------------|-----------------------------|
| running                                               | no address record set        | first_seen; stale PTRs, too |
| running                                               | address and PTR are right    | no_change                   |
| running                                               | anything else                | drift_detected, its kinds   |
| absent; stopped with on_stop=remove; no private IP    | records of ours are left     | drift_detected, its kinds   |
| absent; stopped with on_stop=remove; no private IP    | nothing of ours              | none: nothing to say        |
| not ready; stopped with on_stop=keep                  | not looked at                | none: nothing is wrong yet  |

A PTR is right when it names us; what else it names is not ours to judge. TTL and owner mark that differ are details,
not drift: a resolver's answer is right all the same, and the reconciler repairs them at the next event.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.events import DriftKind, EventType
from core.live import LiveGroup, LiveState
from core.names import Address, reverse_name
from core.placement import Placement
from core.records import RecordSet, address_type, same_values
from core.zone_map import OnStop
from tracker.zones import ZoneFacts, zone_problems


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read about one group.

    `ptr_sets` holds the PTR record sets that were read, by address, None for one that is missing. `owners` holds the
    groups that foreign marks name, by lower-case id. `missing_zones` are names of configured zones that do not exist.
    `zones` is None when links were not looked at.
    """

    group: LiveGroup
    placement: Placement
    address_sets: tuple[RecordSet, ...] = ()
    ptr_sets: Mapping[Address, RecordSet | None] = field(default_factory=dict)
    owners: Mapping[str, LiveGroup] = field(default_factory=dict)
    missing_zones: frozenset[str] = frozenset()
    zones: ZoneFacts | None = None

    @property
    def expects_records(self) -> bool | None:
        """Tell whether the group should have records; None when that cannot be said (yet)."""
        if self.group.state is LiveState.RUNNING:
            return True
        kept = self.group.state is LiveState.STOPPED and self.placement.config.on_stop is OnStop.KEEP
        return None if kept or self.group.state is LiveState.NOT_READY else False

    @property
    def main_set(self) -> RecordSet | None:
        """The record set of the type of the group's address."""
        wanted = address_type(self.group.address) if self.group.address else None
        return next((found for found in self.address_sets if found.type == wanted), None)

    def is_ours(self, record_set: RecordSet) -> bool:
        """Our mark on it names this group."""
        return record_set.is_owned_by(str(self.group.id))

    def foreign_owner(self, record_set: RecordSet) -> LiveGroup | None:
        """Give the other group that the mark names, alive or not; None when it is ours or nobody's."""
        if record_set.owner is None or self.is_ours(record_set):
            return None
        return self.owners.get(record_set.owner.lower())


@dataclass(frozen=True, slots=True)
class Finding:
    """One way in which DNS and the live state differ: which record set or zone, and what is wrong with it."""

    kind: DriftKind
    name: str
    message: str

    def to_json(self) -> dict[str, str]:
        """Give it as JSON values."""
        return {"kind": self.kind.value, "name": self.name, "message": self.message}


@dataclass(frozen=True, slots=True)
class Comparison:
    """The verdict (None: nothing to say), its findings, and what differs without being drift."""

    verdict: EventType | None
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    remarks: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kinds(self) -> tuple[DriftKind, ...]:
        """The kinds of drift, each once, in the order of their definition."""
        present = {finding.kind for finding in self.findings}
        return tuple(kind for kind in DriftKind if kind in present)


def compare(seen: Seen) -> Comparison:
    """Give the verdict for one group."""
    expects = seen.expects_records
    if expects is None:
        return Comparison(None, f"no verdict while it is {seen.group.state.value}: {seen.group.detail}")
    if not expects:
        left = tuple(_leftovers(seen))
        reason = seen.group.detail or "the group does not exist"
        return Comparison(EventType.DRIFT_DETECTED if left else None, reason, left)
    if seen.main_set is None and not any(seen.is_ours(found) for found in seen.address_sets):
        return Comparison(EventType.FIRST_SEEN, "there is no address record set", tuple(_stale(seen)))
    findings = (*_running(seen), *_zones(seen))
    verdict = EventType.DRIFT_DETECTED if findings else EventType.NO_CHANGE
    return Comparison(verdict, "", findings, _remarks(seen))


def owner_in_the_way(seen: Seen) -> LiveGroup | None:
    """Give the other group that holds our name and has not gone: until that is settled nothing else can be right."""
    owner = seen.foreign_owner(seen.main_set) if seen.main_set else None
    return owner if owner and owner.state is not LiveState.ABSENT else None


def known_addresses(seen: Seen) -> Iterator[Address]:
    """Give the addresses that our record sets name, and those that their marks say were written last.

    A hand-made record set of the other address family is nobody's business.
    """
    for found in seen.address_sets:
        if found is seen.main_set or seen.is_ours(found):
            yield from found.known_addresses


def _running(seen: Seen) -> Iterator[Finding]:
    owner = owner_in_the_way(seen)
    if owner and seen.main_set:
        message = f"belongs to {owner.id}, which is {owner.state.value}"
        yield Finding(DriftKind.OWNER_CONFLICT, seen.main_set.fqdn, message)
        return
    yield from _address(seen)
    yield from _ptr(seen)
    yield from _stale(seen)


def _address(seen: Seen) -> Iterator[Finding]:
    live = str(seen.group.address)
    main = seen.main_set
    if main is None:
        yield Finding(DriftKind.A_MISMATCH, seen.placement.fqdn, f"nothing names {live}")
    else:
        if seen.foreign_owner(main):
            yield Finding(DriftKind.A_ORPHANED, main.fqdn, f"its owner mark names {main.owner}, which is gone")
        if not same_values(main.values, (live,)):
            yield Finding(DriftKind.A_MISMATCH, main.fqdn, f"names {', '.join(main.values) or 'nothing'}, not {live}")
    for found in seen.address_sets:
        if found is not main and seen.is_ours(found):
            message = f"{found.type} still names {', '.join(found.values)}; the group has {live}"
            yield Finding(DriftKind.A_MISMATCH, found.fqdn, message)


def _ptr(seen: Seen) -> Iterator[Finding]:
    """Judge the PTR of the live address. With no reverse zones configured nobody expects one."""
    address = seen.group.address
    if address is None or not seen.placement.config.reverse_zones:
        return
    zone, name = seen.placement.reverse_zone(address), reverse_name(address)
    if zone is None or zone.name in seen.missing_zones:
        message = f"the zone {zone.name} does not exist" if zone else f"no configured reverse zone contains {address}"
        yield Finding(DriftKind.REVERSE_ZONE_MISSING, zone.name if zone else name, message)
        return
    found = seen.ptr_sets.get(address)
    if found is None:
        yield Finding(DriftKind.PTR_MISSING, name, f"nothing names {seen.placement.fqdn}")
    elif not found.names(seen.placement.fqdn):
        message = f"names {', '.join(found.values) or 'nothing'}, not {seen.placement.fqdn}"
        yield Finding(DriftKind.PTR_MISMATCH, name, message)
        owner = seen.foreign_owner(found)
        if owner and owner.address == address:
            yield Finding(DriftKind.OWNER_CONFLICT, name, f"belongs to {owner.id}, which has the same address")


def _stale(seen: Seen) -> Iterator[Finding]:
    """Find PTRs of other addresses that still name us. An address that a hand-made set names beside ours is meant."""
    by_hand = {
        value for found in seen.address_sets if found is not seen.main_set and not seen.is_ours(found)
        for value in found.values
    }  # fmt: skip
    for address, ptr_set in seen.ptr_sets.items():
        is_meant = address == seen.group.address or str(address) in by_hand
        if ptr_set and not is_meant and ptr_set.names(seen.placement.fqdn):
            yield _stale_ptr(address, ptr_set)


def _leftovers(seen: Seen) -> Iterator[Finding]:
    """Find what is left of a group that has no address: only what our mark, or our own record set, says was ours."""
    for found in seen.address_sets:
        if seen.is_ours(found):
            message = f"still names {', '.join(found.values)}: {seen.group.detail or 'the group does not exist'}"
            yield Finding(DriftKind.A_ORPHANED, found.fqdn, message)
    ours = set(known_addresses(seen)) if any(seen.is_ours(found) for found in seen.address_sets) else set()
    for address, ptr_set in seen.ptr_sets.items():
        if ptr_set and ptr_set.names(seen.placement.fqdn) and (seen.is_ours(ptr_set) or address in ours):
            yield _stale_ptr(address, ptr_set)


def _stale_ptr(address: Address, found: RecordSet) -> Finding:
    return Finding(DriftKind.PTR_STALE, found.fqdn, f"still names {', '.join(found.values)} for {address}")


def _zones(seen: Seen) -> Iterator[Finding]:
    if seen.zones is not None and seen.group.address is not None:
        for kind, zone, message in zone_problems(seen.zones, seen.placement, seen.group.address):
            yield Finding(kind, zone, message)


def _remarks(seen: Seen) -> dict[str, Any]:
    """Say what differs without being drift: TTL, and the owner mark."""
    main = seen.main_set
    if main is None:
        return {}
    remarks: dict[str, Any] = {}
    expected = seen.placement.config.ttl_seconds
    if main.ttl != expected:
        remarks["ttl_seconds"] = {"found": main.ttl, "expected": expected}
    if main.owner is None:
        remarks["owner_mark"] = "missing"
    elif seen.is_ours(main) and main.written_address != str(seen.group.address):
        remarks["owner_mark"] = "names another address"
    return remarks
