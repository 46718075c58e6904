"""What rests on drifts and observations: flapping groups, orphaned records, conflicts."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from bench.expected.drifts import episodes, open_drifts
from bench.expected.observations import by_at, by_time, grouped, observations

if TYPE_CHECKING:
    from bench.expected.snapshot import Row, Snapshot

_GROUP: Final = ("ContainerGroupId", "ContainerGroup", "ResourceGroup", "SubscriptionId", "Fqdn")
_ID: Final = re.compile(
    r"/subscriptions/[^/\s,;]+/resourcegroups/[^/\s,;]+/providers/[^/\s,;]+(?:/[^/\s,;]+)+", re.IGNORECASE
)


def flapping(seen: Snapshot, changes: int = 3) -> list[Row]:
    """Give the rows of AciDnsFlapping()."""
    drifts = defaultdict(list)
    for row in episodes(seen):
        if row["Aspect"] == "records" and row["OpenedBy"] == "drift_detected" and row["ContainerGroupId"]:
            drifts[row["Subject"]].append(row["Detected"])
    found = []
    for (subject,), rows in grouped((row for row in observations(seen) if row["ContainerGroupId"]), "Subject").items():
        rows.sort(key=by_time)
        live = [row for row in rows if row["LiveIp"]]
        changed = [now["Time"] for old, now in pairwise(live) if old["LiveIp"] != now["LiveIp"]]
        count = max(len(changed), len(drifts[subject]))
        if count >= changes:
            times = [*changed, *drifts[subject]]
            found.append({
                **{name: rows[-1][name] for name in _GROUP},
                "Changes": count, "AddressChanges": len(changed), "Drifts": len(drifts[subject]),
                "Addresses": sorted({row["LiveIp"] for row in live}), "LastIp": live[-1]["LiveIp"] if live else "",
                "First": min(times, default=None), "Last": max(times, default=None),
            })  # fmt: skip
    return found


def orphans(seen: Snapshot) -> list[Row]:
    """Give the rows of AciDnsOrphans()."""
    found = []
    for drift in open_drifts(seen):
        if drift["Aspect"] != "records":
            continue
        last = [row for row in drift["_rows"] if row["At"] == drift["LastSeen"]]
        runs = {row["CorrelationId"] for row in last}
        told: dict[tuple[str, str], tuple[Row, dict[str, Any]]] = {}
        for row in sorted(drift["_rows"], key=lambda row: row["EventId"]):
            if row["At"] == drift["LastSeen"] or row["CorrelationId"] in runs:
                for finding in (row["Details"] or {}).get("findings") or []:
                    if finding["kind"] in {"a_orphaned", "ptr_stale"}:
                        told[finding["kind"], finding["name"]] = (row, finding)
        for (kind, name), (row, finding) in told.items():
            is_ptr = kind == "ptr_stale"
            found.append({
                "Kind": kind, "RecordType": "PTR" if is_ptr else "A", "Record": name,
                "Zone": drift["ReverseZone"] if is_ptr else drift["ForwardZone"], "Addresses": row["OldIp"],
                "Message": finding["message"], "GroupIsGone": not row["LiveIp"],
                **{each: drift[each] for each in
                   (*_GROUP, "DetectedBy", "Start", "Detected", "LastSeen", "AgeSeconds")},
            })  # fmt: skip
    return found


def first_id(text: str) -> str:
    """Give the first resource id in a text, in lower case."""
    match = _ID.search(text or "")
    return match.group(0).rstrip(".:").lower() if match else ""


def conflicts(seen: Snapshot) -> list[Row]:
    """Give the rows of AciDnsConflicts()."""
    told = []
    for row in observations(seen):
        is_failure = row["EventType"] == "reconcile_failed" and row["ErrorCode"] in {"name_conflict", "not_owned"}
        is_drift = row["EventType"] == "drift_detected" and "owner_conflict" in (row["DriftKinds"] or [])
        if is_failure or is_drift:
            told_of = (row["Details"] or {}).get("findings") or []
            findings = [each for each in told_of if each["kind"] == "owner_conflict"]
            message = row["ErrorMessage"] if is_failure else findings[0]["message"] if findings else ""
            told.append({**row, "Owner": first_id(message), "FoundBy": row["Component"], "Told": message})
    found = []
    for (subject, owner, by), rows in grouped(told, "Subject", "Owner", "FoundBy").items():
        rows.sort(key=by_at)
        first, until = min(row["Time"] for row in rows), max(row["At"] for row in rows)
        right = [row["At"] for row in observations(seen) if row["Subject"] == subject and row["Says"] == "right"]
        resolved = min((at for at in right if at > until), default=None)
        last = max(rows, key=lambda row: (row["At"], row["EventId"]))
        found.append({
            **{name: last[name] for name in _GROUP},
            "Owner": owner, "FoundBy": by, "First": first, "Last": max(row["Time"] for row in rows), "Times": len(rows),
            "IsOpen": resolved is None, "Resolved": resolved,
            "AgeSeconds": ((resolved or seen.now) - first).total_seconds(), "ErrorMessage": last["Told"],
        })  # fmt: skip
    return found
