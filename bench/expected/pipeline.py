"""How the pipeline does: components, heartbeats, ingestion, cost; the functions' health and one group's runtime."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from bench.expected.observations import grouped
from bench.expected.snapshot import Row, Snapshot, floor, nearest_rank, plain, time_of
from core import events

HOUR: Final = timedelta(hours=1)
_COMPONENTS: Final = ("reconciler", "tracker", "audit", "probe")
_STRINGS: Final = [column.name for column in events.COLUMNS if column.type == "string"]
_NUMBERS: Final = ("ArmCalls", "DurationMs", "LagMs", "Attempt")
_FUNCTION_OF: Final = {"reconciler": "reconcile", "tracker": "track", "probe": "probe", "audit": "audit"}
_STREAM: Final = "Custom-AciDnsEvents"


def components(seen: Snapshot, recent: timedelta = HOUR) -> list[Row]:
    """Give the rows of AciDnsComponents()."""
    told = grouped((row for row in seen.facts if row["EventType"] != "canary"), "Component")
    names = dict.fromkeys([*_COMPONENTS, *(name for (name,) in told)])
    since, hours = seen.now - recent, recent / HOUR
    found = []
    for name in names:
        times = [time_of(row) for row in told.get((name,), [])]
        before = [time for time in times if time <= since]
        late = [time for time in times if time > since]
        usual = len(before) / max((since - min(times)) / HOUR, 1) if times and min(times) < since else None
        expected = None if usual is None else usual * hours
        found.append({
            "Component": name, "State": _state(times, late, expected), "Events": len(times), "RecentEvents": len(late),
            "ExpectedEvents": expected, "RecentPerHour": len(late) / hours, "UsualPerHour": usual,
            "LastSeen": max(times, default=None),
            "MinutesSince": (seen.now - max(times)).total_seconds() / 60 if times else None,
        })  # fmt: skip
    return found


def _state(times: list[datetime], late: list[datetime], expected: float | None) -> str:
    if not times:
        return "never"
    if not late:
        return "silent" if expected is not None and expected >= 3 else "idle"  # noqa: PLR2004 - the header's figure
    if expected is None:
        return "new"
    return "noisy" if len(late) >= 10 and len(late) > 3 * expected else "usual"  # noqa: PLR2004 - same


def heartbeats(
    seen: Snapshot, probe_every: timedelta = timedelta(minutes=5), audit_every: timedelta = timedelta(minutes=15),
    canary_every: timedelta = timedelta(minutes=5), allowed_misses: int = 2,
) -> list[Row]:  # fmt: skip
    """Give the rows of AciDnsHeartbeats()."""
    every = {"probe_completed": probe_every, "audit_completed": audit_every, "canary": canary_every}
    must = [("probe", "probe_completed"), ("audit", "audit_completed"), ("reconciler", "canary"), ("tracker", "canary")]
    beats = [{**row, "_from": row["Vantage"] if row["EventType"] == "probe_completed" else ""}
             for row in seen.facts if row["EventType"] in every]  # fmt: skip
    told = grouped(beats, "Component", "EventType", "_from")
    came = {(component, kind) for component, kind, _ in told}
    found = []
    for name in [*told, *((*each, "") for each in must if each not in came)]:
        component, kind, vantage = map(str, name)
        rows = sorted(told.get(name, []), key=lambda row: (time_of(row), row["EventId"]))
        last = time_of(rows[-1]) if rows else None
        most = max(len(each) for (a, b, _), each in told.items() if (a, b) == (component, kind)) if rows else 0
        by_hand = kind == "probe_completed" and len(rows) < 3 <= most  # noqa: PLR2004 - the header's figure
        places = {each[2] for each in told if each[:2] == (component, kind)} - {""}
        nowhere = bool(kind == "probe_completed" and not vantage and places and rows and rows[-1]["ErrorCode"])
        is_late = last is None or seen.now - last > allowed_misses * every[kind]
        found.append({
            "Component": component, "Heartbeat": kind, "Vantage": vantage, "ExpectedEvery": every[kind],
            "Beats": len(rows), "LastSeen": last,
            "MinutesSince": (seen.now - last).total_seconds() / 60 if last else None,
            "Overdue": is_late and not (by_hand and rows) and not nowhere,
            "LastErrorCode": rows[-1]["ErrorCode"] if rows else "",
            "LastErrorMessage": rows[-1]["ErrorMessage"] if rows else "",
        })  # fmt: skip
    return found


def ingestion(seen: Snapshot, bucket: timedelta = HOUR) -> list[Row]:
    """Give the rows of AciDnsIngestion()."""
    rows = [{**row, "_at": floor(row["TimeGenerated"], bucket)} for row in seen.table_rows]
    lines = Counter(floor(row["TimeGenerated"], bucket) for row in seen.fallback_rows)
    facts = Counter(floor(row["TimeGenerated"], bucket) for row in seen.facts)
    errors = [floor(row["TimeGenerated"], bucket) for row in plain(seen.frame("DCRLogErrors"))
              if row["InputStreamId"] == _STREAM]  # fmt: skip
    gaps = _gaps(rows, bucket)
    by_bucket: dict[datetime, list[Row]] = defaultdict(list)
    for row in rows:
        by_bucket[row["_at"]].append(row)
    known = sorted([*by_bucket, *lines, *errors])
    at, end = (known[0], known[-1]) if known else (floor(seen.now, bucket),) * 2
    found = []
    while at <= end:
        told = by_bucket.get(at, [])
        lags = [(row["_TimeReceived"] - row["EventTime"]).total_seconds() for row in told if row["EventTime"]]
        found.append({
            "TimeGenerated": at, "Rows": len(told),
            **{f"LagSecondsP{share}": nearest_rank(lags, share) for share in (50, 95, 99)},
            "LagSecondsMax": max(lags, default=None),
            "Rewritten": sum(row["TimeGenerated"] != row["EventTime"] for row in told),
            "Duplicates": len(told) + lines[at] - facts[at],
            "FallbackRows": lines[at], "Canaries": sum(row["EventType"] == "canary" for row in told),
            "CanaryGapMinutes": gaps.get(at), "DcrErrors": errors.count(at),
        })  # fmt: skip
        at += bucket
    return found


def _gaps(rows: list[Row], bucket: timedelta) -> dict[datetime, float]:
    canaries = [{**row, "_app": (row["Details"] or {}).get("app", "")} for row in rows if row["EventType"] == "canary"]
    found: dict[datetime, float] = defaultdict(float)
    for same in grouped(canaries, "Component", "_app").values():
        times = sorted({row["EventTime"] for row in same})
        for before, after in pairwise(times):
            at = floor(after, bucket)
            found[at] = max(found[at], (after - before).total_seconds() / 60)
    return found


def costs(seen: Snapshot) -> list[Row]:
    """Give the rows of AciDnsCosts(). The length of JSON text is that of the text as it is stored."""
    day = timedelta(days=1)
    rows = [{**row, "_at": floor(row["TimeGenerated"], day), "_bytes": _size(row)} for row in seen.table_rows]
    found = []
    for (at, component, kind), told in grouped(rows, "_at", "Component", "EventType").items():
        size = sum(row["_bytes"] for row in told)
        found.append({
            "TimeGenerated": at, "Component": component, "EventType": kind, "Rows": len(told), "EstimatedBytes": size,
            "BytesPerRow": size / len(told), "ArmCalls": sum(row["ArmCalls"] or 0 for row in told),
        })  # fmt: skip
    return found


def _size(row: Row) -> int:
    texts = sum(len(row[name]) for name in _STRINGS)
    documents = sum(len(json.dumps(row[name], ensure_ascii=False, separators=(",", ":")))
                    for name in ("DriftKinds", "Changes", "Details") if row[name] is not None)  # fmt: skip
    digits = sum(len(str(row[name])) for name in _NUMBERS if row[name] is not None)
    return texts + documents + digits + 28 * sum(row[name] is not None for name in ("TimeGenerated", "EventTime"))


def runtime_health(seen: Snapshot, bucket: timedelta = HOUR, app: str = "") -> list[Row]:
    """Give the rows of AciDnsRuntimeHealth()."""
    functions = (*_FUNCTION_OF.values(), "canary")
    told: dict[tuple[datetime, str], dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for table, name in (("AppRequests", "Name"), ("AppExceptions", "OperationName")):
        for row in plain(seen.frame(table)):
            if row[name] in functions and (not app or row["AppRoleName"].lower() == app.lower()):
                told[floor(row["TimeGenerated"], bucket), row[name]][table].append(row)
    for row in seen.facts:
        function = "canary" if row["EventType"] == "canary" else _FUNCTION_OF.get(row["Component"])
        if function:
            told[floor(row["TimeGenerated"], bucket), function]["events"].append(row)
    return [_health(at, function, rows) for (at, function), rows in told.items()]


def _health(at: datetime, function: str, rows: dict[str, list[Row]]) -> Row:
    requests, exceptions, said = rows["AppRequests"], rows["AppExceptions"], rows["events"]
    kinds: Counter[str] = Counter()
    for row in exceptions:
        kinds[row["ExceptionType"]] += _items(row)
    durations = [row["DurationMs"] for row in requests]
    return {
        "TimeGenerated": at, "Function": function, "Requests": sum(map(_items, requests)),
        "FailedRequests": sum(_items(row) for row in requests if row["Success"] is False),
        "DurationMsP50": nearest_rank(durations, 50), "DurationMsP95": nearest_rank(durations, 95),
        "Exceptions": sum(kinds.values()), "TopException": max(kinds, key=lambda kind: (kinds[kind], kind), default=""),
        "Events": len(said), "Warnings": sum(row["Severity"] == "Warning" for row in said),
        "Errors": sum(row["Severity"] == "Error" for row in said),
    }  # fmt: skip


def _items(row: Row) -> int:
    return 1 if row["ItemCount"] is None else int(row["ItemCount"])


def group_runtime(seen: Snapshot, group: str = "") -> list[Row]:
    """Give the rows of AciDnsGroupRuntime()."""
    wanted = group.lower()
    found = [
        {"Source": row["Component"], "Name": row["EventType"], "Message": _said(row), "Container": "",
         **{name: row[name] for name in
            ("TimeGenerated", "Severity", "ResourceGroup", "ContainerGroup", "Verdict", "LiveIp")}}
        for row in seen.facts
        if row["ContainerGroupId"] and wanted in {"", row["ContainerGroup"].lower(), row["ContainerGroupId"].lower()}
    ]  # fmt: skip
    for table, source, reason in (("ContainerInstanceLog_CL", "container_log", None),
                                  ("ContainerEvent_CL", "container_event", "Reason_s")):  # fmt: skip
        found += [
            {"TimeGenerated": row["TimeGenerated"], "Source": source, "Name": row[reason] if reason else "",
             "Severity": "", "ResourceGroup": row["ResourceGroup"], "ContainerGroup": row["ContainerGroup_s"],
             "Container": row["ContainerName_s"], "Message": row["Message"], "Verdict": "", "LiveIp": ""}
            for row in plain(seen.frame(table)) if _is_its(row, group)
        ]  # fmt: skip
    return found


def _is_its(row: Row, group: str) -> bool:
    if not group or row["ContainerGroup_s"].lower() == group.lower():
        return True
    parts = group.lower().strip("/").split("/")
    is_id = "resourcegroups" in parts and parts[-1] == row["ContainerGroup_s"].lower()
    return is_id and parts[parts.index("resourcegroups") + 1] == row["ResourceGroup"].lower()


def _said(row: Row) -> str:
    if row["ErrorMessage"]:
        return str(row["ErrorMessage"])
    if row["DriftKinds"]:
        return "DNS differs: " + ", ".join(row["DriftKinds"])
    return json.dumps(row["Changes"], ensure_ascii=False, separators=(",", ":")) if row["Changes"] else ""
