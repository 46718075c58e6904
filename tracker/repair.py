"""Which findings an event about the group has the reconciler put right, and how many such events a run may send. Pure.

The brakes are octoDNS's: a fleet in which more than 30 % looks wrong is more likely misread than wrong.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from core.arm_id import ArmId
from core.events import DriftKind
from core.live import LiveState
from core.names import address_of
from core.records import RecordSet
from core.zone_map import Ownership
from tracker.compare import Finding, Seen, known_addresses

REPAIRABLE: Final = frozenset(
    (DriftKind.A_MISMATCH, DriftKind.PTR_MISSING, DriftKind.PTR_MISMATCH, DriftKind.PTR_STALE, DriftKind.A_ORPHANED)
)
"""What the reconciler can put right; the rest needs a person, and its message says what to do."""
MAX_SHARE: Final = 0.3
MIN_GROUPS: Final = 10
EVENT_TYPE: Final = "Microsoft.Resources.ResourceWriteSuccess"
OPERATION: Final = "Microsoft.ContainerInstance/containerGroups/write"
"""As Azure's own events have them, so that every filter that lets those through lets these through."""
PUBLISHER: Final = "aci-dns-truth/audit"


@dataclass(frozen=True, slots=True)
class RepairPlan:
    """Whom to send an event about; `wanted` counts all, `refused` says why none is sent."""

    groups: tuple[ArmId, ...] = ()
    wanted: int = 0
    refused: str = ""

    @property
    def deferred(self) -> int:
        """Groups that are left for the next run."""
        return 0 if self.refused else self.wanted - len(self.groups)


def is_repairable(seen: Seen, finding: Finding) -> bool:
    """Tell whether the reconciler, run for this group, would put this right."""
    if finding.kind not in REPAIRABLE:
        return False
    if finding.kind in {DriftKind.A_MISMATCH, DriftKind.A_ORPHANED}:
        main = seen.main_set
        return main is None or _may_be_taken(seen, main)
    if finding.kind is DriftKind.PTR_MISSING:
        return True
    address = address_of(finding.name)
    found = seen.ptr_sets.get(address) if address else None
    if found is None or address is None:
        return False
    if finding.kind is DriftKind.PTR_MISMATCH:
        return _may_be_taken(seen, found)
    # A stale PTR is found again by the addresses in the A record; only for a group that is gone the zones are searched.
    is_found = seen.group.state is LiveState.ABSENT or address in set(known_addresses(seen))
    return is_found and (seen.is_ours(found) or (found.owner is None and _takes_unowned(seen)))


def _may_be_taken(seen: Seen, found: RecordSet) -> bool:
    if found.auto_registered:
        return False
    if found.owner is None:
        return _takes_unowned(seen)
    if seen.is_ours(found):
        return True
    owner = seen.foreign_owner(found)
    if owner is None or owner.state is LiveState.NOT_READY:
        return False
    return owner.state is LiveState.ABSENT or (found.type == "PTR" and owner.address != seen.group.address)


def _takes_unowned(seen: Seen) -> bool:
    return seen.placement.config.ownership is Ownership.ADOPT


def plan_repairs(
    groups: Iterable[ArmId], fleet: int, limit: int, *, doubt: str = "", force: bool = False
) -> RepairPlan:
    """Choose the groups to send events about, each once; `fleet` counts all groups, `doubt` is a reason against."""
    wanted = tuple(dict.fromkeys(groups))
    if wanted and not force:
        if doubt:
            return RepairPlan(wanted=len(wanted), refused=doubt)
        if fleet >= MIN_GROUPS and len(wanted) > MAX_SHARE * fleet:
            share = f"{len(wanted)} of {fleet} container groups"
            reason = (
                f"{share} would be repaired, more than {MAX_SHARE:.0%}: look first, then `drift audit --repair --force`"
            )
            return RepairPlan(wanted=len(wanted), refused=reason)
    return RepairPlan(wanted[:limit], len(wanted))


def repair_event(group: ArmId, run_id: str, now: datetime) -> dict[str, Any]:
    """Give the event that has the reconciler look at a group, in the Event Grid schema; the same run, the same id."""
    return {
        "id": str(uuid5(NAMESPACE_URL, f"{run_id}{str(group).lower()}")),
        "subject": str(group),
        "eventType": EVENT_TYPE,
        "eventTime": now.isoformat(),
        "dataVersion": "1",
        "data": {"operationName": OPERATION, "correlationId": run_id, "publishedBy": PUBLISHER},
    }
