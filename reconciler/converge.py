"""The worker's recipe: read DNS, decide, read the live group again, apply; begin again when somebody was faster.

DNS is read first, with its etags, and the live group after it. The other way round, a slow worker could overwrite a
faster one's newer answer; this way the loser's write fails its precondition (412), it reads again, and finds nothing to
do. The group as the caller read it is only a guess that saves a read when nothing has changed.

One race is left to close. The group is at X and this worker about to write X; the group goes to Y, and a second worker
finds DNS at Y already (it had that address before), writes nothing, and so changes no etag; then the first one writes
X, and no event is left to repair it. So a run whose writes end late reads the group once more, and begins again when
it has changed. How late: a container group takes many seconds to change, so within VERIFY_AFTER_SECONDS of a read it
cannot have come and gone.

A round that begins again looks at every address of the rounds before, not only at those that the address record set
names by then: a second worker of this group may have written the PTR of an address that this run has since replaced.

PTR and address record sets are separate, so no order is atomic. A worker that loses its address write may already have
written a PTR for an address that is no longer live. Whatever happens, before it ends it takes back every PTR that this
run wrote and that our address record set does not name. What remains is one case: a crash exactly there while the
address changes concurrently. The audit finds that orphan.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

from core.errors import ContendedError, DeadlineError, PreconditionFailedError, ToolkitError
from core.events import EventType
from core.names import Address, address_of
from core.records import RecordSet, same_values
from reconciler.changes import Change, Plan, Seen
from reconciler.desired import Desired, Subject, desire
from reconciler.observe import observe
from reconciler.plan import make_plan

if TYPE_CHECKING:
    from core.run_context import ReadsGroups, WritesRecordSets

VERIFY_AFTER_SECONDS: Final = 2.0

Outcome = Literal[EventType.RECONCILE_UPDATED, EventType.RECONCILE_DELETED, EventType.RECONCILE_NO_OP]


@dataclass
class Progress:
    """What a run has done so far. It survives a failure, so that the result can tell what was half-applied."""

    subject: Subject
    changes: list[Change] = field(default_factory=list)
    plan: Plan = field(default_factory=Plan)
    old_addresses: tuple[str, ...] = ()
    rounds: int = 0
    group_read_at: float = 0.0
    took_back: list[Change] = field(default_factory=list)
    left_behind: list[RecordSet] = field(default_factory=list)
    wrote_ptrs: dict[Address, RecordSet] = field(default_factory=dict)
    looked_at: dict[Address, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Converger:
    """The ports and limits of a run: `remaining` gives the seconds left, `attempts` how often it may begin again.

    `verify_after` is how long after the group was read its state still stands, in seconds.
    """

    groups: "ReadsGroups"
    private_dns: "WritesRecordSets"
    remaining: Callable[[], float]
    attempts: int = 5
    dry_run: bool = False
    verify_after: float = VERIFY_AFTER_SECONDS

    def converge(self, progress: Progress) -> Outcome:
        """Make DNS right for the group; raises a ToolkitError, with PTRs taken back, when that cannot be done now."""
        try:
            desired = self._settle(progress)
        except ToolkitError:
            self._take_back(progress)
            raise
        for problem in progress.plan.problems:
            raise problem  # what could be made right is right by now; what is left needs a person
        return _outcome(progress, desired)

    def _settle(self, progress: Progress) -> Desired:
        while True:
            self._begin_round(progress)
            desired = desire(progress.subject)
            seen = observe(progress.subject, desired, self.private_dns, self.groups, also=tuple(progress.looked_at))
            progress.looked_at |= dict.fromkeys(seen.ptr_sets)
            progress.plan = make_plan(progress.subject, desired, seen)
            if progress.rounds == 1:
                progress.old_addresses = _values(seen)
            if self.dry_run or not (progress.plan.changes or progress.wrote_ptrs):
                return desired
            # Having written, even "nothing to do" is believed only of a group that was read after DNS.
            if self._still(progress) and self._apply(progress) and self._stands(progress, seen):
                return desired

    def _begin_round(self, progress: Progress) -> None:
        if self.remaining() <= 0:
            raise DeadlineError("the time allowed for one reconciliation is over; it will be delivered again")
        if progress.rounds >= self.attempts:
            raise ContendedError(
                f"record sets of '{progress.subject.fqdn}' were changed by others {progress.rounds} times while this "
                "run was about to write; it will be delivered again"
            )
        progress.rounds += 1

    def _still(self, progress: Progress) -> bool:
        """Read the live group after DNS; when it is not what the plan was made for, the plan is void."""
        before = progress.subject.group
        now = self.groups.get(before.id)
        progress.subject = replace(progress.subject, group=now)
        progress.group_read_at = self.remaining()
        return before.is_as(now)

    def _stands(self, progress: Progress, seen: Seen) -> bool:
        """Tell whether what was written is still right, by a read where the writes ended late or without a commit."""
        late = progress.group_read_at - self.remaining() >= self.verify_after
        return self._is_current(progress, seen) and (not late or self._still(progress))

    def _is_current(self, progress: Progress, seen: Seen) -> bool:
        """Tell whether the address record sets are those that the PTRs were written for.

        Their own write would have failed otherwise; a plan of PTRs alone has none, so they are read again.
        """
        if not progress.plan.changes or any(change.record_set.type != "PTR" for change in progress.plan.changes):
            return True
        before = {record_set.type: record_set.etag for record_set in seen.address_sets}
        place = progress.subject.placement
        found = {kind: self.private_dns.get(place.forward_zone, kind, place.record_name) for kind in before}
        return all(item is not None and item.etag == before[kind] for kind, item in found.items())

    def _apply(self, progress: Progress) -> bool:
        """Make the changes in order; False when a precondition was lost and everything must be read again."""
        for change in progress.plan.changes:
            address = _newly_named(change, progress.subject)
            if address and change.after:
                # Noted before the write: an answer that is lost may belong to a write that was made.
                progress.wrote_ptrs[address] = change.after
            try:
                self._write(change)
            except PreconditionFailedError:
                return False
            progress.changes.append(change)
        return True

    def _write(self, change: Change) -> None:
        if change.after is not None:
            self.private_dns.put(change.after)
        else:
            self.private_dns.delete(change.record_set)

    def _take_back(self, progress: Progress) -> None:
        """Remove the PTRs that this run wrote, unless our address record set names their address by now.

        Best effort, with the record set's own etag: what somebody else has written since is theirs. A failure here does
        not hide the one that brought us here, but what was left behind is named in the result.
        """
        for address, written in list(progress.wrote_ptrs.items()):
            try:
                if not self._is_committed(progress.subject, address):
                    change = self._removal(progress.subject, written)
                    if change:
                        self._write(change)
                        progress.took_back.append(change)
            except ToolkitError:
                progress.left_behind.append(written)

    def _is_committed(self, subject: Subject, address: Address) -> bool:
        """Tell whether a retry will find this address. In a namesake's record set it may not: that can change or go."""
        place, mine = subject.placement, subject.group_id
        found = (self.private_dns.get(place.forward_zone, kind, place.record_name) for kind in subject.address_types)
        return any(item and item.is_owned_by(mine) and same_values(item.values, (str(address),)) for item in found)

    def _removal(self, subject: Subject, written: RecordSet) -> Change | None:
        now = self.private_dns.get(written.zone, "PTR", written.name)
        mine = now and now.is_owned_by(subject.group_id) and same_values(now.values, (subject.fqdn,))
        return Change("delete", now, None, "written by this run, which could not be finished") if mine else None


def _outcome(progress: Progress, desired: Desired) -> Outcome:
    if not progress.changes:
        return EventType.RECONCILE_NO_OP
    return EventType.RECONCILE_DELETED if desired.address is None else EventType.RECONCILE_UPDATED


def _values(seen: Seen) -> tuple[str, ...]:
    return tuple(value for record_set in seen.address_sets for value in record_set.values)


def _newly_named(change: Change, subject: Subject) -> Address | None:
    """Give the address whose PTR is ours by this change and named us for nobody, or for another group, before it."""
    target, before = change.record_set, change.before
    if target.type != "PTR":
        return None
    if before and before.names(subject.fqdn) and (before.owner is None or before.is_owned_by(subject.group_id)):
        return None
    return address_of(target.fqdn)
