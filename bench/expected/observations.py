"""AciDnsObservations(): what each event says of a container group or a zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.expected.snapshot import Row, Snapshot, key, ms, time_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

RIGHT: Final = ("reconcile_updated", "reconcile_no_op", "reconcile_deleted", "no_change")
WRONG: Final = ("first_seen", "drift_detected")
_STATES: Final = {
    "reconcile_updated": "in_sync", "no_change": "in_sync", "first_seen": "pending", "drift_detected": "drift",
    "reconcile_deferred": "deferred", "reconcile_failed": "failed", "reconcile_skipped": "unmanaged",
}  # fmt: skip
COLUMNS: Final = (
    "TimeGenerated", "EventId", "Component", "EventType", "Severity", "SourceEventId", "CorrelationId",
    "ContainerGroupId", "ContainerGroup", "ResourceGroup", "SubscriptionId", "Fqdn", "ForwardZone", "ReverseZone",
    "OldIp", "NewIp", "LiveIp", "PtrName", "PtrTarget", "DriftKinds", "Changes", "ArmCalls", "DurationMs", "LagMs",
    "Attempt", "ErrorCode", "ErrorMessage", "Details",
)  # fmt: skip


def observations(seen: Snapshot) -> list[Row]:
    """Give the rows."""
    if "observations" not in seen.memory:
        seen.memory["observations"] = list(_observations(seen))
    found: list[Row] = seen.memory["observations"]
    return found


def _observations(seen: Snapshot) -> Iterable[Row]:
    for row in seen.of("reconciler", "tracker", "audit"):
        kind, subject = row["EventType"], _subject(row)
        if not subject:
            continue
        time = time_of(row)
        says = "right" if kind in RIGHT else "wrong" if kind in WRONG else ""
        yield {
            "Subject": subject,
            "Time": time,
            "Says": says,
            "At": time - ms(row["DurationMs"]) if says == "wrong" else time,
            "State": _state(row),
            **{name: row[name] for name in COLUMNS},
        }


def _subject(row: Row) -> str:
    """Give what an event speaks of; empty for one that speaks of nothing."""
    if row["EventType"] == "audit_completed":
        return "audit"
    is_of_zone = row["Component"] == "audit" and row["EventType"] == "drift_detected" and not row["ContainerGroupId"]
    return str(row["ReverseZone"] or row["ForwardZone"]).lower() if is_of_zone else key(row)


def _state(row: Row) -> str:
    kind = row["EventType"]
    if kind == "reconcile_no_op" and row["LiveIp"]:
        return "in_sync"
    if kind in {"reconcile_no_op", "reconcile_deleted"}:
        return "deleted" if (row["Details"] or {}).get("live_state") == "absent" else "no_address"
    return _STATES.get(kind, "")


def by_at(row: Row) -> tuple[datetime, bool, str]:
    """Order by proof: by At; at the same At right after anything else; then by EventId."""
    return row["At"], row["Says"] == "right", row["EventId"]


def by_time(row: Row) -> tuple[datetime, str]:
    """Order as things happened."""
    return row["Time"], row["EventId"]


def grouped(rows: Iterable[Row], *names: str) -> dict[tuple[object, ...], list[Row]]:
    """Put rows with the same values together."""
    found: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in names), []).append(row)
    return found
