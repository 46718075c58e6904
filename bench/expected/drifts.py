"""AciDnsDriftEpisodes() and its like: open drifts, their history, repair times."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any, Final

from bench.expected.observations import grouped, observations
from bench.expected.snapshot import Row, Snapshot, floor, ms, nearest_rank, time_of

ZONE_KINDS: Final = frozenset({"zone_unlinked", "zone_shadowed"})
_REPAIRERS: Final = ("reconcile_updated", "reconcile_deleted", "reconcile_no_op", "no_change", "audit_completed")
_CUT: Final = 100
_OF_GROUP: Final = (
    "ContainerGroupId", "ContainerGroup", "ResourceGroup", "SubscriptionId", "Fqdn", "ForwardZone", "ReverseZone",
    "OldIp", "LiveIp",
)  # fmt: skip


def whole_audits(seen: Snapshot) -> list[Row]:
    """Give the audits that read everything, with when they began, in the order of time."""
    found = [
        {**row, "Time": time_of(row), "Began": time_of(row) - ms(row["DurationMs"])}
        for row in seen.facts
        if row["EventType"] == "audit_completed" and row["ErrorCode"] in {"", "repair_refused"}
    ]
    return sorted(found, key=lambda row: (row["Time"], row["EventId"]))


def scope_of(audit: Row, name: str) -> list[str]:
    """Give one of the lists of an audit's scope, in lower case."""
    return [each.lower() for each in ((audit["Details"] or {}).get("scope") or {}).get(name) or []]


def covers(audit: Row, sighting: Row) -> bool:
    """Tell whether an audit looked at the subject of a sighting."""
    is_group = bool(sighting["ContainerGroupId"])
    listed = scope_of(audit, "resource_groups" if is_group else "zones")
    place = f"{sighting['SubscriptionId']}/{sighting['ResourceGroup']}".lower() if is_group else sighting["Subject"]
    return len(listed) >= _CUT or place in listed


def sightings(seen: Snapshot) -> list[Row]:
    """Give what says wrong, once for each aspect that it speaks of."""
    found = []
    for row in observations(seen):
        if row["Says"] != "wrong":
            continue
        kinds = ["a_missing"] if row["EventType"] == "first_seen" else (row["DriftKinds"] or ["unspecified"])
        zones = [kind for kind in kinds if kind in ZONE_KINDS]
        records = [kind for kind in kinds if kind not in ZONE_KINDS]
        found += [{**row, "Aspect": "records", "Seen": records}] if records else []
        found += [{**row, "Aspect": "zones", "Seen": zones}] if zones else []
    return found


def episodes(seen: Snapshot) -> list[Row]:
    """Give the rows of AciDnsDriftEpisodes()."""
    if "episodes" not in seen.memory:
        seen.memory["episodes"] = _episodes(seen)
    found: list[Row] = seen.memory["episodes"]
    return found


def _episodes(seen: Snapshot) -> list[Row]:
    wrong, audits = sightings(seen), whole_audits(seen)
    reported = {(row["CorrelationId"], row["Subject"], row["Aspect"]) for row in wrong if row["Component"] == "audit"}
    right = defaultdict(list)
    for row in observations(seen):
        if row["Says"] == "right":
            right[row["Subject"]].append(row)
    found = []
    for (subject, aspect), rows in grouped(wrong, "Subject", "Aspect").items():
        pool = _proofs(rows, right[subject] if aspect == "records" else [], audits, reported)
        proofs: dict[int, list[Row]] = {}
        for index, row in enumerate(rows):
            candidates = [each for each in pool if _is_proof(each, row)]
            first = min((each["At"] for each in candidates), default=None)
            proofs[index] = [each for each in candidates if each["At"] == first]
        ends = {index: each[0]["At"] if each else None for index, each in proofs.items()}
        known = sorted({each["At"] for each in pool})
        for end in dict.fromkeys(ends.values()):
            mine = [rows[index] for index in ends if ends[index] == end]
            by = [each for index in ends if ends[index] == end for each in proofs[index]]
            found.append(_episode(seen, aspect, mine, by, _Before(known, audits)))
    return found


def _proofs(rows: list[Row], right: list[Row], audits: list[Row], reported: set[tuple[Any, ...]]) -> list[Row]:
    """Give every proof that a subject is right in an aspect: events, and the first audit after each sighting."""
    found = list(right)
    for row in rows:
        audit = next((each for each in audits if each["Began"] > row["Time"] and covers(each, row)), None)
        if audit and (audit["CorrelationId"], row["Subject"], row["Aspect"]) not in reported:
            found.append({**audit, "At": audit["Time"]})
    return found


def _is_proof(proof: Row, row: Row) -> bool:
    began = proof.get("Began")
    return bool(proof["At"] >= row["At"] if began is None else began > row["Time"])


class _Before:
    """When a subject was last known to be right before an instant."""

    def __init__(self, known: list[datetime], audits: list[Row]) -> None:
        self.known, self.audits = known, audits

    def last(self, first: Row) -> datetime | None:
        """Give the last time before a first sighting at which it was proven right."""
        times = [time for time in self.known if time < first["At"]]
        if first["Component"] == "audit":
            run = next((each for each in self.audits if each["CorrelationId"] == first["CorrelationId"]), None)
            if run:
                scope = (run["Details"] or {}).get("scope")
                same = [each["Began"] for each in self.audits if (each["Details"] or {}).get("scope") == scope]
                before = [began for began in same if began < run["Began"]]
                times += [max(before)] if before else []
        return max((time for time in times if time < first["At"]), default=None)


def _episode(seen: Snapshot, aspect: object, rows: list[Row], by: list[Row], before: _Before) -> Row:
    first = min(rows, key=lambda row: (row["At"], row["EventType"] != "first_seen", row["EventId"]))
    last = max(rows, key=lambda row: (row["At"], row["Seen"] != ["ptr_stale"], row["EventId"]))
    detected = first["At"]
    is_known = bool(first["SourceEventId"]) and first["LagMs"] is not None
    start = min(first["Time"] - ms(first["LagMs"]), detected) if is_known else before.last(first)
    kinds = sorted({kind for row in rows for kind in row["Seen"]})
    proof = min(by, key=lambda row: _REPAIRERS.index(row["EventType"]), default=None)
    repaired = proof["At"] if proof else None
    return {
        "Subject": first["Subject"],
        "Aspect": aspect,
        **{name: last[name] for name in _OF_GROUP},
        "DriftKinds": kinds,
        "Kinds": ",".join(kinds),
        "OpenedBy": first["EventType"],
        "DetectedBy": first["Component"],
        "SourceEventId": first["SourceEventId"],
        "CorrelationId": first["CorrelationId"],
        "Start": start,
        "StartKnown": is_known,
        "Detected": detected,
        "LastSeen": last["At"],
        "Sightings": len({row["EventId"] for row in rows}),
        "Findings": (last["Details"] or {}).get("findings"),
        "IsOpen": repaired is None,
        "Repaired": repaired,
        "RepairedBy": proof["Component"] if proof else "",
        "RepairEventType": proof["EventType"] if proof else "",
        "TimeToDetectSeconds": (detected - start).total_seconds() if start else None,
        "TimeToRepairSeconds": (repaired - detected).total_seconds() if repaired else None,
        "WrongForSeconds": ((repaired or seen.now) - (start or detected)).total_seconds(),
        "_rows": rows,
    }


def open_drifts(seen: Snapshot) -> list[Row]:
    """Give the rows of AciDnsOpenDrifts()."""
    found = []
    for row in episodes(seen):
        if row["IsOpen"]:
            age = (seen.now - row["Detected"]).total_seconds()
            found.append({**row, "AgeSeconds": age, "AgeMinutes": age / 60})
    return found


def drift_history(seen: Snapshot, bucket: timedelta = timedelta(hours=1)) -> list[Row]:
    """Give the rows of AciDnsDriftHistory()."""
    drifts = episodes(seen)
    if not drifts:
        return []
    found, at = [], floor(min(row["Detected"] for row in drifts), bucket)
    while at <= seen.now:
        end = at + bucket
        new = [row for row in drifts if at <= row["Detected"] < end]
        found.append({
            "TimeGenerated": at,
            "Detected": len(new),
            "FirstSeen": sum(row["OpenedBy"] == "first_seen" for row in new),
            "Repaired": sum(row["Repaired"] is not None and at <= row["Repaired"] < end for row in drifts),
            "Open": sum(row["Detected"] < end and (row["IsOpen"] or row["Repaired"] >= end) for row in drifts),
        })  # fmt: skip
        at = end
    return found


def time_to_repair(seen: Snapshot, per: str = "zone") -> list[Row]:
    """Give the rows of AciDnsTimeToRepair()."""
    drifts = [{**row, "Scope": _scope(row, per)} for row in episodes(seen) if row["OpenedBy"] == "drift_detected"]
    found = []
    for (scope,), rows in grouped(drifts, "Scope").items():
        detect = [row["TimeToDetectSeconds"] for row in rows]
        repair = [row["TimeToRepairSeconds"] for row in rows]
        found.append({
            "Scope": scope,
            "Drifts": len(rows),
            "Repaired": sum(not row["IsOpen"] for row in rows),
            "Open": sum(row["IsOpen"] for row in rows),
            **{f"DetectSecondsP{share}": nearest_rank(detect, share) for share in (50, 90, 99)},
            **{f"RepairSecondsP{share}": nearest_rank(repair, share) for share in (50, 90, 99)},
            "LongestOpenSeconds": max((row["WrongForSeconds"] for row in rows if row["IsOpen"]), default=None),
        })  # fmt: skip
    return found


def _scope(row: Row, per: str) -> str:
    if per == "zone":
        return str(row["ForwardZone"] if row["ContainerGroupId"] else row["Subject"]).lower()
    if per == "resource_group" and row["ContainerGroupId"]:
        return f"{row['SubscriptionId']}/{row['ResourceGroup']}".lower()
    return str(row["Subject"]).lower() if per in {"group", "resource_group"} else "all"
