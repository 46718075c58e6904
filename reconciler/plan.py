"""What must change, as a value: ordered, printable, JSON. Pure.

The order is what makes a crash harmless. The address record set is the commit record: it is written last, so until
everything else is right it names the address whose PTR still needs work, and a retry needs no memory.

    update:  upsert the new PTR → take our name out of the old addresses' PTRs → write the address record set
    delete:  take our name out of the PTRs → delete the address record set
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from core.arm_id import same_id
from core.errors import NameConflictError, ToolkitError
from core.live import LiveState
from core.names import Address, normalise
from core.placement import PtrPlace
from core.records import ADDRESS_KEY, MANAGED_BY_KEY, OWNER_KEY, RecordSet, owner_mark, same_values
from reconciler.changes import Change, NotOwnedError, Plan, Seen
from reconciler.desired import Desired, Subject


class _Planner:
    """The decisions about one group; every method looks at values only."""

    def __init__(self, subject: Subject, desired: Desired, seen: Seen) -> None:
        self.subject = subject
        self.desired = desired
        self.seen = seen
        self.notes: list[str] = []
        self.problems: list[ToolkitError] = list(seen.problems)

    def is_mine(self, record_set: RecordSet) -> bool:
        """Tell whether its mark names this group, or one that is gone."""
        if record_set.is_owned_by(self.subject.group_id):
            return True
        owner = self.seen.owners.get((record_set.owner or "").lower())
        return owner is not None and owner.state is LiveState.ABSENT

    def may_touch(self, record_set: RecordSet) -> bool:
        """Tell whether it is ours, or nobody's and we may take those."""
        if record_set.auto_registered:
            return False
        return self.is_mine(record_set) or (record_set.owner is None and self.desired.may_take_unowned)

    def check_address_set(self, record_set: RecordSet) -> None:
        """Refuse to take an address record set from another live group, or under strict ownership from nobody."""
        if self.may_touch(record_set):
            return
        if record_set.auto_registered:
            raise NotOwnedError(
                f"record set {record_set.type} '{record_set.fqdn}' is registered by Azure for a virtual machine: "
                "rename the container group, or give it a forward zone without auto-registration"
            )
        if record_set.owner is None:
            raise NotOwnedError(
                f"record set {record_set.type} '{record_set.fqdn}' has no owner mark and ownership is strict: "
                "delete it, or set ownership to adopt"
            )
        advice = "rename one of the two groups, or give them different forward zones"
        raise NameConflictError(record_set.fqdn, record_set.owner, advice)

    def check_ptr_set(self, address: Address, record_set: RecordSet) -> None:
        """Refuse to take the PTR of our address from a group that is alive at the same address.

        An owner that is alive at another address has left this one (its own event is on its way): what the record set
        says is false, and the address is ours now.
        """
        if record_set.owner is None and not self.desired.may_take_unowned:
            raise NotOwnedError(
                f"PTR '{record_set.fqdn}' has no owner mark and ownership is strict: "
                "delete it, or set ownership to adopt"
            )
        if record_set.owner is None or self.is_mine(record_set):
            return
        owner = self.seen.owners.get(record_set.owner.lower())
        if owner is None or owner.state is LiveState.NOT_READY or owner.address == address:
            advice = "both have this address, in networks that must not share one reverse zone"
            raise NameConflictError(record_set.fqdn, record_set.owner, advice)

    def upsert_ptr(self, place: PtrPlace) -> Iterator[Change]:
        """Make the PTR of our address name us."""
        before = self.seen.ptr_sets.get(place.address)
        fqdn, ttl = self.subject.fqdn, self.subject.config.ttl_seconds
        mark = owner_mark(self.subject.group_id)
        if before is None:
            yield Change("create", None, RecordSet(place.zone, "PTR", place.name, ttl, (fqdn,), mark), "PTR is missing")
            return
        if not self.names_us_rightly(before):
            try:
                self.check_ptr_set(place.address, before)
            except ToolkitError as problem:
                self.problems.append(problem)
                return
        values = before.values if before.names(fqdn) else (fqdn,)
        if len(values) > 1:
            others = ", ".join(value for value in values if normalise(value) != fqdn)
            self.notes.append(f"PTR {before.fqdn} also names {others}; left as it is")
        after = replace(before, ttl=ttl, values=values, metadata=_marked(before.metadata, mark))
        if after != before:
            yield Change("update", before, after, _difference(before, after))

    def names_us_rightly(self, record_set: RecordSet) -> bool:
        """Tell whether it is ours and names us, so that nothing is taken from anybody."""
        return record_set.is_owned_by(self.subject.group_id) and record_set.names(self.subject.fqdn)

    def clean_ptrs(self) -> Iterator[Change]:
        """Take our name out of the PTRs of addresses that we no longer have; what names others is left alone."""
        fqdn = self.subject.fqdn
        for address, before in self.seen.ptr_sets.items():
            if address == self.desired.address or before is None or not before.names(fqdn):
                continue
            if not self.may_touch(before):
                self.notes.append(f"PTR {before.fqdn} names {fqdn} but is not ours; left as it is")
                continue
            rest = tuple(value for value in before.values if normalise(value) != fqdn)
            if rest:
                after = replace(before, values=rest, metadata=_unmarked(before.metadata))
                yield Change("update", before, after, "the address is no longer ours; other names stay")
            else:
                yield Change("delete", before, None, "the address is no longer ours")

    def upsert_address(self, address: Address) -> Iterator[Change]:
        """Make the address record set name our address; written last."""
        ttl = self.subject.config.ttl_seconds
        mark = owner_mark(self.subject.group_id, address)
        before = next((found for found in self.seen.address_sets if found.type == self.desired.type), None)
        if before is None:
            kind = self.desired.type or "A"
            target = RecordSet(
                self.subject.placement.forward_zone,
                kind,
                self.subject.placement.record_name,
                ttl,
                (str(address),),
                mark,
            )
            yield Change("create", None, target, f"{kind} is missing")
            return
        values = before.values if same_values(before.values, (str(address),)) else (str(address),)
        after = replace(before, ttl=ttl, values=values, metadata=_marked(before.metadata, mark))
        if after != before:
            yield Change("update", before, after, _difference(before, after))

    def remove_addresses(self) -> Iterator[Change]:
        """Delete the address record sets that are not wanted and ours to delete; deleted last."""
        for before in self.seen.address_sets:
            if before.type == self.desired.type:
                continue
            if self.desired.address is not None and not self.is_mine(before):
                continue  # a hand-made set of the other address family
            if self.may_touch(before):
                yield Change("delete", before, None, self.desired.reason or "the address family changed")
            else:
                self.notes.append(f"{before.type} {before.fqdn} is not ours; left as it is")


def make_plan(subject: Subject, desired: Desired, seen: Seen) -> Plan:
    """Decide every change; raises NameConflictError or NotOwnedError when the name itself is not ours to take."""
    if desired.keep:
        return Plan(notes=(f"left as it is: {desired.reason}",))
    planner = _Planner(subject, desired, seen)
    changes: list[Change] = []
    if desired.address is not None:
        for record_set in seen.address_sets:
            if record_set.type == desired.type:
                planner.check_address_set(record_set)
        place = subject.placement.ptr_place(desired.address)
        if place and place.address in seen.ptr_sets:
            changes += planner.upsert_ptr(place)
    changes += planner.clean_ptrs()
    if desired.address is not None:
        changes += planner.upsert_address(desired.address)
    changes += planner.remove_addresses()
    return Plan(tuple(changes), tuple(planner.problems), tuple(planner.notes))


def _marked(metadata: Mapping[str, str], mark: Mapping[str, str]) -> Mapping[str, str]:
    """Add our mark to what else is there; an id that differs by case alone is no difference."""
    same = all(
        same_id(metadata.get(key, ""), value) if key == OWNER_KEY else metadata.get(key) == value
        for key, value in mark.items()
    )
    return metadata if same else {**metadata, **mark}


def _unmarked(metadata: Mapping[str, str]) -> Mapping[str, str]:
    return {key: value for key, value in metadata.items() if key not in {MANAGED_BY_KEY, OWNER_KEY, ADDRESS_KEY}}


def _difference(before: RecordSet, after: RecordSet) -> str:
    parts = []
    if not same_values(before.values, after.values):
        parts.append("values")
    if before.ttl != after.ttl:
        parts.append(f"TTL {before.ttl} → {after.ttl}")
    if before.metadata != after.metadata:
        parts.append("owner mark")
    return ", ".join(parts) + " differ" + ("s" if len(parts) == 1 else "")
