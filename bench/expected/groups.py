"""AciDnsGroups(), AciDnsReconcileCauses(), AciDnsSlo() and AciDnsSloBurn()."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any, Final

from bench.expected.drifts import episodes
from bench.expected.observations import by_at, by_time, grouped, observations
from bench.expected.snapshot import Row, Snapshot, floor, ms
from bench.expected.trouble import first_id

_GROUP: Final = ("ContainerGroupId", "ContainerGroup", "ResourceGroup", "SubscriptionId")
_ADDRESS_KINDS: Final = frozenset({"a_mismatch", "a_orphaned", "owner_conflict"})
_CUT: Final = 100


def groups(seen: Snapshot) -> list[Row]:
    """Give the rows of AciDnsGroups()."""
    drifts = defaultdict(list)
    for row in episodes(seen):
        drifts[row["Subject"]].append(row)
    told = grouped((row for row in observations(seen) if row["ContainerGroupId"]), "Subject")
    return [_group(subject, rows, drifts[subject]) for (subject,), rows in told.items()]


def _group(subject: Any, rows: list[Row], drifts: list[Row]) -> Row:
    rows = sorted(rows, key=by_at)
    open_ones = [row for row in drifts if row["IsOpen"]]
    last = max(rows, key=by_time)
    stated = [row for row in rows if row["State"]]
    proof = max((row for row in rows if row["Says"]), key=_telling, default=None)
    kinds = sorted({kind for row in open_ones for kind in row["DriftKinds"]})
    found_repaired = bool(stated) and stated[-1]["State"] in {"drift", "pending"} and not open_ones
    state = _state(stated, open_ones)
    cause = stated[-1] if stated else last
    return {
        **{name: last[name] for name in _GROUP},
        **{name: _latest(rows, name) for name in ("Fqdn", "ForwardZone", "ReverseZone")},
        "LiveIp": proof["LiveIp"] if proof else "",
        "DnsIp": _dns_ip(proof),
        "State": state,
        "DriftKinds": kinds,
        "Kinds": ",".join(kinds),
        "Owner": _owner(proof, subject),
        "Since": _since(state, stated, open_ones, drifts, found_repaired=found_repaired),
        "LastEvent": last["Time"],
        "LastEventType": last["EventType"],
        "LastComponent": last["Component"],
        **{name: cause[name] for name in ("ErrorCode", "ErrorMessage", "Attempt")},
    }


def _telling(row: Row) -> Any:
    """Order what says right or wrong: the last; of one moment what says right, then what tells of the address."""
    return row["At"], row["Says"] == "right", bool(_ADDRESS_KINDS & set(row["DriftKinds"] or ())), row["EventId"]


def _state(stated: list[Row], open_ones: list[Row]) -> str:
    if not stated:
        return "unknown"
    state: str = stated[-1]["State"]
    if open_ones and state in {"in_sync", "deleted", "no_address"}:
        return "drift"
    if not open_ones and state in {"drift", "pending"}:
        return "in_sync" if stated[-1]["LiveIp"] else "deleted"
    return state


def _since(state: str, stated: list[Row], open_ones: list[Row], drifts: list[Row], *, found_repaired: bool) -> Any:
    if state == "unknown":
        return None
    if state in {"drift", "pending"}:
        return min(row["Detected"] for row in open_ones)
    if found_repaired:
        return max(row["Repaired"] for row in drifts)
    others = [row["At"] for row in stated if row["State"] != state]
    return min(row["At"] for row in stated if row["State"] == state and (not others or row["At"] >= max(others)))


def _latest(rows: list[Row], name: str) -> str:
    found = max((row for row in rows if row[name]), key=by_time, default=None)
    return str(found[name]) if found else ""


def _dns_ip(proof: Row | None) -> str:
    if proof is None or proof["EventType"] == "first_seen":
        return ""
    if proof["Says"] == "right":
        return str(proof["LiveIp"])
    return str(proof["OldIp"] if _ADDRESS_KINDS & set(proof["DriftKinds"] or ()) else proof["LiveIp"])


def _owner(proof: Row | None, subject: Any) -> str:
    if proof is None or proof["EventType"] == "first_seen":
        return ""
    details = proof["Details"] or {}
    if proof["EventType"] == "drift_detected":
        named = [first_id(each["message"]) for each in details.get("findings") or []]
        is_orphan = "a_orphaned" in (proof["DriftKinds"] or ())
        return next(filter(None, named), subject if is_orphan else "")
    if proof["EventType"] == "reconcile_deleted" or not proof["LiveIp"]:
        return ""
    return "" if details.get("owner_mark") == "missing" else str(subject)


def reconcile_causes(seen: Snapshot, within: timedelta = timedelta(minutes=5)) -> list[Row]:
    """Give the rows of AciDnsReconcileCauses()."""
    told = [row for row in observations(seen) if row["Component"] == "reconciler" and row["SourceEventId"]
            and row["EventType"] != "reconcile_skipped"]  # fmt: skip
    found = []
    for (source, subject), rows in grouped(told, "SourceEventId", "Subject").items():
        rows.sort(key=by_time)
        caused = min(row["Time"] - ms(row["DurationMs"] if row["LagMs"] is None else row["LagMs"]) for row in rows)
        done = min((row["Time"] for row in rows if row["Says"] == "right"), default=None)
        result = "good" if done and done - caused <= within else "bad" if seen.now - caused > within else "pending"
        decided = {"good": done, "bad": caused + within}.get(result)
        found.append({
            "TimeGenerated": decided or caused, "SourceEventId": source,
            **{name: rows[-1][name] for name in (*_GROUP, "Fqdn", "ForwardZone")},
            "ContainerGroupId": rows[-1]["ContainerGroupId"], "Caused": caused, "Done": done, "Decided": decided,
            "Result": result, "SecondsToDone": (done - caused).total_seconds() if done else None, "Attempts": len(rows),
            "LastEventType": rows[-1]["EventType"], "LastErrorCode": rows[-1]["ErrorCode"], "_subject": subject,
        })  # fmt: skip
    return found


def slo(
    seen: Snapshot, within: timedelta = timedelta(minutes=5), objective: float = 0.99,
    bucket: timedelta = timedelta(hours=1),
) -> list[Row]:  # fmt: skip
    """Give the rows of AciDnsSlo()."""
    settled = [
        {**row, "Bucket": floor(row["Decided"], bucket)} for row in reconcile_causes(seen, within) if row["Decided"]
    ]
    found = []
    for (at,), rows in grouped(settled, "Bucket").items():
        good, total = sum(row["Result"] == "good" for row in rows), len(rows)
        burn = None if objective >= 1 else ((total - good) / total) / (1 - objective)
        found.append({"TimeGenerated": at, "Total": total, "Good": good, "Bad": total - good, "Sli": good / total,
                      "Objective": objective, "BurnRate": burn})  # fmt: skip
    return found


_WINDOWS: Final = (
    ("1h/5m", "page", timedelta(hours=1), timedelta(minutes=5), 14.4),
    ("6h/30m", "page", timedelta(hours=6), timedelta(minutes=30), 6.0),
    ("1d/2h", "ticket", timedelta(days=1), timedelta(hours=2), 3.0),
)


def slo_burn(
    seen: Snapshot, within: timedelta = timedelta(minutes=5), objective: float = 0.99, minimum: int = 1
) -> list[Row]:
    """Give the rows of AciDnsSloBurn()."""
    settled = [row for row in reconcile_causes(seen, within) if row["Decided"] and row["Decided"] <= seen.now]
    found = []
    for name, action, long, short, threshold in _WINDOWS:
        numbers: Row = {}
        for which, window in (("Long", long), ("Short", short)):
            rows = [row for row in settled if row["Decided"] >= seen.now - window]
            bad = sum(row["Result"] == "bad" for row in rows)
            burn = bad / len(rows) / (1 - objective) if rows and objective < 1 else 0.0
            numbers |= {f"{which}Total": len(rows), f"{which}Bad": bad, f"{which}Burn": burn}
        ratio = min(numbers["LongBurn"], numbers["ShortBurn"]) / threshold
        found.append({
            "Window": name, "Action": action, "LongWindow": long, "ShortWindow": short, "Threshold": threshold,
            **numbers, "Ratio": ratio, "IsBurning": ratio >= 1 and numbers["LongBad"] >= minimum,
        })  # fmt: skip
    return found
