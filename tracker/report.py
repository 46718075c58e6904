"""Turns a comparison, or a failure, into one event. Pure."""

from typing import Any, Final

from core.errors import ToolkitError
from core.events import DriftKind, Event, EventType
from core.names import Address, address_of, reverse_name
from core.occasion import Occasion, group_values
from core.placement import Placement
from tracker.compare import Comparison, Seen

MAX_MESSAGE: Final = 4000
_PTR_KINDS: Final = frozenset({DriftKind.PTR_STALE, DriftKind.PTR_MISSING, DriftKind.PTR_MISMATCH})


def compared(occasion: Occasion, seen: Seen, comparison: Comparison) -> Event | None:
    """Say what the comparison found; None when there is nothing to say."""
    if comparison.verdict is None:
        return None
    address = str(seen.group.address) if seen.group.address else ""
    details: dict[str, Any] = {
        "cause": occasion.delivery.operation or occasion.delivery.type,
        "cause_subject": occasion.delivery.subject[:500],
        "live_state": seen.group.state.value,
        "reason": comparison.reason,
        "findings": [finding.to_json() for finding in comparison.findings],
        **comparison.remarks,
    }
    values = {
        **group_values(seen.placement.group_id, seen.placement.config),
        **_ptr_values(seen, comparison),
        "LiveIp": address,
        "NewIp": address,
        "OldIp": ",".join(old_addresses(seen, comparison)),
        "DriftKinds": [kind.value for kind in comparison.kinds],
        "Details": {name: value for name, value in details.items() if value not in ("", [])},
    }
    return occasion.event(comparison.verdict, values)


def failed(
    occasion: Occasion, error: Exception, placement: Placement | None = None, record: dict[str, str] | None = None
) -> Event:
    """Say that looking failed. `record` has the columns that name the record set the event is about, if it is one."""
    values: dict[str, Any] = {
        **(record or {}),
        **(group_values(placement.group_id, placement.config) if placement else {}),
        "ErrorCode": error.code if isinstance(error, ToolkitError) else "unexpected",
        "ErrorMessage": (str(error) or type(error).__name__)[:MAX_MESSAGE],
        "Details": {"cause": occasion.delivery.operation, "cause_subject": occasion.delivery.subject[:500]},
    }
    return occasion.event(EventType.TRACK_FAILED, values)


def old_addresses(seen: Seen, comparison: Comparison) -> list[str]:
    """Give the addresses that DNS names, or a stale PTR stands for; the group's own first, then in reading order."""
    if comparison.verdict is not EventType.DRIFT_DETECTED:
        return []
    named = [value for found in seen.address_sets if found is seen.main_set or seen.is_ours(found)
             for value in found.values]  # fmt: skip
    stale = [str(address_of(f.name)) for f in comparison.findings if f.kind is DriftKind.PTR_STALE]
    return list(dict.fromkeys(named or stale))


def _ptr_values(seen: Seen, comparison: Comparison) -> dict[str, str]:
    """Give the columns of the PTR that matters: the first one found wrong, otherwise the live address's."""
    wrong = next((finding.name for finding in comparison.findings if finding.kind in _PTR_KINDS), None)
    address: Address | None = address_of(wrong) if wrong else seen.group.address
    if address is None:
        return {}
    zone = seen.placement.reverse_zone(address)
    found = seen.ptr_sets.get(address)
    return {
        "ReverseZone": zone.name if zone else "",
        "PtrName": reverse_name(address),
        "PtrTarget": ",".join(found.values) if found else "",
    }
