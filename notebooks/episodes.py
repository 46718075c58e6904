"""Drift episodes: from the first sighting of a wrong record to the first proof that it is right again. Pure.

The same rows as AciDnsDriftEpisodes() gives, computed here from a DataFrame; tests compare them row by row. What is
added is Cause: what led to it, in words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from notebooks.frames import parsed
from notebooks.observations import audits, observations, proofs, sightings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

_KEY: Final = ["Subject", "Aspect"]
_OF_LAST: Final = [
    "ContainerGroupId", "ContainerGroup", "ResourceGroup", "SubscriptionId", "Fqdn", "ForwardZone", "ReverseZone",
    "OldIp", "LiveIp",
]  # fmt: skip
COLUMNS: Final = (
    *_KEY, *_OF_LAST, "Kinds", "Cause", "OpenedBy", "DetectedBy", "SourceEventId", "CorrelationId", "Start",
    "StartKnown", "Detected", "LastSeen", "Sightings", "IsOpen", "Repaired", "RepairedBy", "RepairEventType",
    "TimeToDetectSeconds", "TimeToRepairSeconds", "WrongForSeconds",
)  # fmt: skip
_REPAIRERS: Final = ("reconcile_updated", "reconcile_deleted", "reconcile_no_op", "no_change", "audit_completed")
_NEVER: Final = pd.Timestamp("9999-12-31", tz="UTC").as_unit("us")
_NEEDED: Final = (
    "Component", "EventType", "SourceEventId", "CorrelationId", "SubscriptionId", "DurationMs", "LagMs", "ErrorCode",
    "DriftKinds", "Details", *_OF_LAST,
)  # fmt: skip
_ACTIONS: Final = {
    "containergroups/write": "deployed",
    "containergroups/restart/action": "restarted",
    "containergroups/start/action": "started",
    "containergroups/stop/action": "stopped",
    "containergroups/delete": "deleted",
    "privatednszones/a/write": "A record edited by hand",
    "privatednszones/a/delete": "A record deleted by hand",
    "privatednszones/ptr/write": "PTR record edited by hand",
    "privatednszones/ptr/delete": "PTR record deleted by hand",
}
NEW: Final = "new container group"
SILENT: Final = "moved without an event"
ORPHANED: Final = "group gone, records left"
LEFT: Final = "records left or lost"
ZONES: Final = "zone not seen by a network"


def drift_episodes(events: pd.DataFrame, now: datetime | None = None) -> pd.DataFrame:
    """Give every drift of these events, ordered by Detected: one row for each, columns as COLUMNS says.

    The definitions are those of the function AciDnsDriftEpisodes (`drift kql show AciDnsDriftEpisodes`); Start is
    null where it is not known, Repaired while it lasts (IsOpen), and then WrongForSeconds counts up to `now` (None:
    the moment of the load, or the last event). Cause is what led to it: the operation in Azure, or what the audit's
    kinds tell. Raises ValueError when the events were loaded without a column that this needs.
    """
    lacking = [name for name in _NEEDED if name not in events]
    if lacking:
        raise ValueError(f"drift_episodes needs the columns {', '.join(lacking)}: load them too")
    seen = observations(events)
    wrong, runs = sightings(seen), audits(seen)
    if wrong.empty:
        return _empty()
    pool = proofs(seen, wrong, runs)
    found = _first_and_last(_with_next(wrong, pool))
    found["Before"] = _right_before(found, pool, runs)
    return _finished(found, pool, _moment(events, now))


def _moment(events: pd.DataFrame, now: datetime | None) -> pd.Timestamp:
    known = now or events.attrs.get("now") or events["TimeGenerated"].max()
    return pd.Timestamp(known)


def _with_next(wrong: pd.DataFrame, pool: pd.DataFrame) -> pd.DataFrame:
    """Give each sighting the first proof that is not before it (Next); sightings with the same one are one drift."""
    ends = pool[[*_KEY, "At"]].drop_duplicates().assign(Next=lambda rows: rows["At"])
    found = pd.merge_asof(wrong.sort_values("At"), ends.sort_values("At"), on="At", by=_KEY, direction="forward")
    return found.assign(Next=found["Next"].fillna(_NEVER))


def _first_and_last(rows: pd.DataFrame) -> pd.DataFrame:
    """Give one row for each drift: what its first sighting says, and its last."""
    key = [*_KEY, "Next"]
    rows = rows.assign(
        IsNew=rows["EventType"] == "first_seen",
        OnlyStale=[each == ["ptr_stale"] for each in rows["Kinds"]],
    )
    first = rows.sort_values(["At", "IsNew", "EventId"], ascending=[True, False, True]).drop_duplicates(key)
    last = rows.sort_values(["At", "OnlyStale", "EventId"], ascending=[True, False, True]).drop_duplicates(
        key, keep="last"
    )
    groups = rows.groupby(key, sort=False)
    told = groups.agg(
        LastSeen=("At", "max"), Sightings=("EventId", "nunique"), Kinds=("Kinds", _together)
    ).reset_index()
    opened = first[[*key, "At", "Time", "EventType", "Component", "SourceEventId", "CorrelationId", "LagMs", "Details"]]
    opened = opened.rename(columns={"At": "Detected", "EventType": "OpenedBy", "Component": "DetectedBy"})
    return opened.merge(last[[*key, *_OF_LAST]], on=key).merge(told, on=key)


def _together(lists: Iterable[list[str]]) -> str:
    return ",".join(sorted({kind for each in lists for kind in each}))


def _right_before(drifts: pd.DataFrame, pool: pd.DataFrame, runs: pd.DataFrame) -> pd.Series[pd.Timestamp]:
    """Give when each drift's subject was last known to be right before it was detected; null where nothing says so."""
    asked = drifts[[*_KEY, "Detected", "CorrelationId"]].reset_index()
    ends = pool[[*_KEY, "At"]].sort_values("At")
    by_proof = pd.merge_asof(
        asked.sort_values("Detected"), ends, left_on="Detected", right_on="At", by=_KEY, allow_exact_matches=False
    ).set_index("index")["At"]
    # The audit before the one that found it had the same scope, and did not find it.
    earlier = (
        runs.assign(Before=runs.groupby("Scope")["Began"].shift()).drop_duplicates("Run").set_index("Run")["Before"]
    )
    by_audit = asked.set_index("index")["CorrelationId"].map(earlier)
    return pd.concat([by_proof, by_audit], axis=1).max(axis=1).reindex(drifts.index)


def _finished(found: pd.DataFrame, pool: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    order = pool.assign(Rank=pool["EventType"].map({name: rank for rank, name in enumerate(_REPAIRERS)}))
    by = order.sort_values("Rank").drop_duplicates([*_KEY, "At"])[[*_KEY, "At", "EventType", "Component"]]
    by = by.rename(columns={"At": "Next", "EventType": "RepairEventType", "Component": "RepairedBy"})
    found = found.merge(by, on=[*_KEY, "Next"], how="left").fillna({"RepairEventType": "", "RepairedBy": ""})
    found["IsOpen"] = found["Next"] == _NEVER
    found["Repaired"] = found["Next"].where(~found["IsOpen"])
    found["StartKnown"] = (found["SourceEventId"] != "") & found["LagMs"].notna()
    caused = found["Time"] - pd.to_timedelta(found["LagMs"].fillna(0).astype("int64"), unit="ms")
    caused = caused.astype("datetime64[us, UTC]")
    known = caused.where(caused < found["Detected"], found["Detected"])
    found["Start"] = known.where(found["StartKnown"], found["Before"])
    found["TimeToDetectSeconds"] = (found["Detected"] - found["Start"]).dt.total_seconds()
    found["TimeToRepairSeconds"] = (found["Repaired"] - found["Detected"]).dt.total_seconds()
    until = found["Repaired"].fillna(now)
    found["WrongForSeconds"] = (until - found["Start"].fillna(found["Detected"])).dt.total_seconds()
    found["Cause"] = _causes(found)
    found = found.sort_values(["Detected", *_KEY], ignore_index=True)
    return found[list(COLUMNS)]


def _causes(found: pd.DataFrame) -> list[str]:
    details = parsed(found["Details"])
    told = [str((each or {}).get("cause") or "") for each in details]
    rows = zip(told, found["OpenedBy"], found["Kinds"], found["Aspect"], strict=True)
    return [_cause(*each) for each in rows]


def _cause(operation: str, opened_by: str, kinds: str, aspect: str) -> str:
    if aspect == "zones":
        return ZONES
    known = next((words for ending, words in _ACTIONS.items() if operation.lower().endswith("/" + ending)), None)
    if known:
        return NEW if opened_by == "first_seen" and known == "deployed" else known
    if opened_by == "first_seen":
        return NEW
    seen = set(kinds.split(","))
    if "a_orphaned" in seen:
        return ORPHANED
    return SILENT if "a_mismatch" in seen else LEFT


def _empty() -> pd.DataFrame:
    times = dict.fromkeys(("Start", "Detected", "LastSeen", "Repaired"), "datetime64[us, UTC]")
    numbers = {name: "float64" for name in COLUMNS if name.endswith("Seconds")}
    kinds = {"StartKnown": "bool", "IsOpen": "bool", "Sightings": "int64", **times, **numbers}
    return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, "str")) for name in COLUMNS})
