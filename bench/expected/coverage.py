"""AciDnsAuditCoverage(): what the audits looked at, and which resource groups they never do."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from bench.expected.drifts import scope_of, whole_audits
from bench.expected.observations import WRONG, by_time, observations
from bench.expected.snapshot import Row, Snapshot, time_of

if TYPE_CHECKING:
    from datetime import datetime

_CUT: Final = 100
_Key = tuple[str, str]


def audit_coverage(seen: Snapshot) -> list[Row]:
    """Give the rows of AciDnsAuditCoverage()."""
    whole = {row["EventId"] for row in whole_audits(seen)}
    runs = [{**row, "Time": time_of(row)} for row in seen.facts if row["EventType"] == "audit_completed"]
    scopes: dict[_Key, list[Row]] = defaultdict(list)
    for row in sorted(runs, key=by_time):
        for kind, name in (("resource_group", "resource_groups"), ("zone", "zones")):
            for scope in scope_of(row, name):
                scopes[kind, scope].append(row)
    reconciled = _reconciled(seen)
    return [
        {
            **_coverage(seen, key, scopes.get(key, []), whole),
            **_unaudited(runs, scopes.get(key, []), reconciled.get(key)),
        }
        for key in {**scopes, **reconciled}
    ]


def _reconciled(seen: Snapshot) -> dict[_Key, tuple[datetime, datetime]]:
    """Give first and last time of the reconciler, for each resource group of which it did not say last: skipped."""
    told: dict[_Key, list[Row]] = defaultdict(list)
    for row in sorted(observations(seen), key=by_time):
        if row["Component"] == "reconciler" and row["ContainerGroupId"]:
            told["resource_group", _place(row)].append(row)
    found = {}
    for key, rows in told.items():
        if rows[-1]["EventType"] != "reconcile_skipped":
            times = [row["Time"] for row in rows if row["EventType"] != "reconcile_skipped"]
            found[key] = (min(times), max(times))
    return found


def _unaudited(runs: list[Row], own: list[Row], reconciled: tuple[datetime, datetime] | None) -> Row:
    found: Row = {"LastReconciled": None, "MinutesUnaudited": None}
    if reconciled is None:
        return found
    found["LastReconciled"] = reconciled[1]
    if runs and all(len(scope_of(row, "resource_groups")) < _CUT for row in runs):
        latest, since = max(row["Time"] for row in runs), own[-1]["Time"] if own else reconciled[0]
        found["MinutesUnaudited"] = max(0.0, (latest - since).total_seconds() / 60)
    return found


def _coverage(seen: Snapshot, key: _Key, runs: list[Row], whole: set[str]) -> Row:
    kind, scope = key
    last: Row = runs[-1] if runs else {"Time": None, "CorrelationId": None, "ErrorCode": "", "ErrorMessage": ""}
    details: dict[str, Any] = last.get("Details") or {}
    complete = [row["Time"] for row in runs if row["EventId"] in whole]
    about = [row for row in observations(seen) if _is_about(row, kind, scope)]
    findings = [
        row for row in observations(seen)
        if row["Component"] == "audit" and row["EventType"] in WRONG and row["CorrelationId"] == last["CorrelationId"]
        and (_is_about(row, kind, scope) if kind == "resource_group" else
             not row["ContainerGroupId"] and row["Subject"] == scope)
    ]  # fmt: skip
    return {
        "ScopeKind": kind, "Scope": scope, "Audits": len(runs), "WholeAudits": len(complete), "LastAudit": last["Time"],
        "LastWholeAudit": max(complete, default=None),
        "MinutesSinceWhole": (seen.now - max(complete)).total_seconds() / 60 if complete else None,
        "Findings": len(findings), "Groups": len({row["Subject"] for row in about if row["ContainerGroupId"]}),
        "LastErrorCode": last["ErrorCode"], "LastErrorMessage": last["ErrorMessage"],
        "RunGroups": details.get("groups") or 0, "RunRecordSets": details.get("record_sets") or 0,
        "RunFindings": sum((details.get("findings") or {}).values()), "RunArmCalls": last.get("ArmCalls") or 0,
    }  # fmt: skip


def _is_about(row: Row, kind: str, scope: str) -> bool:
    if not row["ContainerGroupId"]:
        return False
    if kind == "resource_group":
        return _place(row) == scope
    return scope in {row["ForwardZone"].lower(), row["ReverseZone"].lower()}


def _place(row: Row) -> str:
    return f"{row['SubscriptionId']}/{row['ResourceGroup']}".lower()
