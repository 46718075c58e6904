"""What happened in order: the addresses of one container group, and everything about a group or a zone. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from notebooks.frames import parsed, time_of
from notebooks.observations import RIGHT

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable
    from datetime import datetime
    from typing import Any

LIVE: Final = "container group"
NAMED: Final = "A record"
_IP_COLUMNS: Final = ("What", "Ip", "From", "Until", "IsLast")
_LINE_COLUMNS: Final = (
    "Time", "Severity", "Component", "EventType", "ContainerGroup", "Fqdn", "Vantage", "ErrorCode", "Story",
)  # fmt: skip


def about(events: pd.DataFrame, group: str) -> pd.DataFrame:
    """Give the events about one container group: by its resource id, its name, or its FQDN, in any case."""
    wanted = group.strip().lower()
    rows = [_lower(events, name) == wanted for name in ("ContainerGroupId", "ContainerGroup", "Fqdn")]
    return events[np.logical_or.reduce(rows)] if wanted else events.iloc[:0]


def about_zone(events: pd.DataFrame, zone: str) -> pd.DataFrame:
    """Give the events about one zone: those whose forward or reverse zone it is, in any case."""
    wanted = zone.strip().rstrip(".").lower()
    rows = (_lower(events, "ForwardZone") == wanted) | (_lower(events, "ReverseZone") == wanted)
    return events[rows] if wanted else events.iloc[:0]


def _lower(events: pd.DataFrame, name: str) -> pd.Series[str]:
    # By category: a fleet's names are few, its events are many.
    column = events[name]
    return column.map({text: str(text).lower() for text in column.unique()}).astype("object")


def ip_timeline(
    events: pd.DataFrame, group: str, now: datetime | None = None, drifts: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Give which address a container group had, and which its A record named, as stretches of time.

    Rows: What (`container group` or `A record`), Ip (empty: none), From, Until; the last of each What (IsLast) goes
    on up to `now` (None: the moment of the load, or the last event). What is told is what events say, from when they
    say it: between a change and the first event about it, the stretch before still counts. An audit that finds all
    right again does not name the groups; with the `drifts` of drift_episodes it is told of them, too.
    """
    rows = about(events, group)
    told = rows[rows["Component"].isin(["reconciler", "tracker", "audit"]) & (rows["EventType"] != "canary")]
    if told.empty:
        return pd.DataFrame({name: pd.Series(dtype=_kind(name)) for name in _IP_COLUMNS})
    end = pd.Timestamp(now or events.attrs.get("now") or events["TimeGenerated"].max())
    told = told.assign(Time=time_of(told)).sort_values(["Time", "EventId"])
    named = sorted([*_named(told), *(_audited(drifts, told) if drifts is not None else [])], key=lambda each: each[0])
    parts = [_stretches(LIVE, _live(told), end), _stretches(NAMED, named, end)]
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def _kind(name: str) -> str:
    return {"From": "datetime64[us, UTC]", "Until": "datetime64[us, UTC]", "IsLast": "bool"}.get(name, "str")


def _live(rows: pd.DataFrame) -> list[tuple[pd.Timestamp, str]]:
    gone = rows["EventType"].isin(["reconcile_deleted", "drift_detected"])
    known = rows[(rows["LiveIp"].astype("str") != "") | gone]
    return list(zip(known["Time"], known["LiveIp"].astype("str"), strict=True))


def _named(rows: pd.DataFrame) -> list[tuple[pd.Timestamp, str]]:
    """Give what DNS named: after a proof the live address; at a sighting what it found, and none is no record."""
    found = []
    for time, kind, old, live in zip(rows["Time"], rows["EventType"], rows["OldIp"], rows["LiveIp"], strict=True):
        if kind in RIGHT:
            found.append((time, "" if kind == "reconcile_deleted" else str(live)))
        elif kind in {"first_seen", "drift_detected"}:
            found.append((time, str(old)))
    return found


def _audited(drifts: pd.DataFrame, told: pd.DataFrame) -> list[tuple[pd.Timestamp, str]]:
    """Give what DNS named when an audit found the group right again: the address that it has, or none."""
    mine = drifts["ContainerGroupId"].str.lower().isin(set(told["ContainerGroupId"].astype("str").str.lower()) - {""})
    rows = drifts[mine & (drifts["RepairEventType"] == "audit_completed") & (drifts["Aspect"] == "records")]
    return list(zip(rows["Repaired"], rows["LiveIp"].astype("str"), strict=True))


def _stretches(what: str, told: Iterable[tuple[pd.Timestamp, str]], end: pd.Timestamp) -> pd.DataFrame:
    starts: list[tuple[pd.Timestamp, str]] = []
    for time, ip in told:
        if not starts or starts[-1][1] != ip:
            starts.append((time, ip))
    untils = [time for time, _ in starts[1:]] + [max(end, starts[-1][0])] if starts else []
    rows = [(what, ip, time, until, False) for (time, ip), until in zip(starts, untils, strict=True)]
    found = pd.DataFrame(rows, columns=list(_IP_COLUMNS))
    if rows:
        found.loc[found.index[-1], "IsLast"] = True
    return found


def incident_timeline(  # noqa: PLR0913 - what it is about, and when
    events: pd.DataFrame,
    *,
    group: str = "",
    zone: str = "",
    start: datetime | None = None,
    end: datetime | None = None,
    probes: bool = True,
) -> pd.DataFrame:
    """Give everything that happened to a group or a zone in order, a sentence each: for a post-mortem.

    Rows: Time, Severity, Component, EventType, ContainerGroup, Fqdn, Vantage, ErrorCode, Story. Of the probe's events
    those are given at which a name's verdict changes, seen from one network; without `probes` none. Raises ValueError
    without a group or zone.
    """
    if not (group or zone):
        raise ValueError("say whom the incident is about: group= or zone=")
    rows = about(events, group) if group else about_zone(events, zone)
    rows = rows.assign(Time=time_of(rows))
    rows = rows[
        rows["Time"].between(pd.Timestamp(start or rows["Time"].min()), pd.Timestamp(end or rows["Time"].max()))
    ]
    rows = rows.sort_values(["Time", "EventId"])
    is_probe = rows["Component"] == "probe"
    kept = [rows[~is_probe], *([_changed(rows[is_probe])] if probes else [])]
    rows = pd.concat(kept).sort_values(["Time", "EventId"]) if probes else kept[0]
    found = rows.assign(Story=[_story(row) for row in rows.to_dict("records")]) if len(rows) else rows.assign(Story="")
    return found[list(_LINE_COLUMNS)].reset_index(drop=True)


def _changed(looks: pd.DataFrame) -> pd.DataFrame:
    verdict = looks["Verdict"].astype("str").where(looks["EventType"] != "probe_ok", "ok")
    key = [looks["Fqdn"].astype("str").str.lower(), looks["Vantage"].astype("str")]
    return looks[verdict != verdict.groupby(key).shift()]


def _story(row: dict[Hashable, Any]) -> str:
    kind, old, live = str(row["EventType"]), str(row["OldIp"]), str(row["LiveIp"])
    kinds = ", ".join(parsed(pd.Series([row["DriftKinds"]])).iloc[0] or [])
    network = str(row["Vantage"]).rpartition("/")[2] or "a network"
    stories = {
        "reconcile_updated": f"DNS was written: {old or 'nothing'} → {live}"
        if old != live
        else f"DNS was repaired at {live}",
        "reconcile_deleted": f"the records of {old or 'this name'} were removed",
        "reconcile_no_op": "the reconciler looked, and DNS was right",
        "reconcile_deferred": "the group was between two states; the event comes again",
        "reconcile_skipped": "the reconciler had nothing to do with it",
        "no_change": f"the tracker looked, and DNS was right at {live}",
        "first_seen": f"it runs at {live}, and has no address record",
        "drift_detected": (
            f"DNS says {old or 'nothing'}, the group has {live or 'no address'}"
            if old != live
            else "its A record is right, not all the rest"
        )
        + f" ({kinds})",
        "probe_ok": f"clients in {network} get the right answer",
        "probe_failed": f"clients in {network} do not: {row['Verdict']}",
    }
    failure = f"{kind} failed" if not kind.endswith("_failed") else kind.replace("_", " ")
    told = stories.get(kind) or (f"{failure}: {row['ErrorCode']}" if row["ErrorCode"] else kind.replace("_", " "))
    message = str(row.get("ErrorMessage") or "")
    if kind == "reconcile_deferred" and message:
        return f"deferred: {message}"
    return f"{told}: {message}" if message and kind != "probe_ok" else told
