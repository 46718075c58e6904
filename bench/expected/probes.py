"""What the probe met: the latest verdicts, the matrix, failures, and zones that a network does not see."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from bench.expected.observations import grouped
from bench.expected.snapshot import Row, Snapshot, time_of
from probe.verdict import Verdict

_RECORD: Final = ("a_missing", "a_mismatch", "ptr_missing", "ptr_mismatch", "nodata")
_LINK: Final = ("forward_zone_unlinked", "forward_zone_shadowed", "reverse_zone_shadowed", "reverse_zone_unlinked",
                "platform_default")  # fmt: skip
_CUT: Final = 100
_ALL: Final = [verdict.value for verdict in Verdict]


def verdict_table(engine_rows: list[Row]) -> dict[str, Row]:
    """Index the rows of AciDnsVerdicts(), which is a table of ranks, not something to compute."""
    return {row["Verdict"]: row for row in engine_rows}


def verdicts(seen: Snapshot) -> dict[str, Row]:
    """Give the given table of verdicts."""
    found: dict[str, Row] = seen.memory["verdicts"]
    return found


def latest(seen: Snapshot) -> list[Row]:
    """Give the rows of AciDnsProbeLatest()."""
    if "latest" not in seen.memory:
        seen.memory["latest"] = _latest(seen)
    found: list[Row] = seen.memory["latest"]
    return found


def _latest(seen: Snapshot) -> list[Row]:
    runs = [
        row
        for row in seen.of("probe")
        if row["EventType"] == "probe_completed" and row["ErrorCode"] in {"", "bad_targets"}
    ]
    by_source = grouped(
        [{**row, "_source": (row["Details"] or {}).get("source", "")} for row in runs], "Vantage", "_source"
    )
    last_runs = {
        max(rows, key=lambda row: (time_of(row), row["EventId"]))["CorrelationId"] for rows in by_source.values()
    }
    newest: dict[str, Any] = {}
    for row in runs:
        newest[row["Vantage"]] = max(newest.get(row["Vantage"], time_of(row)), time_of(row))
    told = [
        {**row, "_name": row["Fqdn"].lower()}
        for row in seen.of("probe")
        if row["EventType"] in {"probe_ok", "probe_failed"}
        and (row["CorrelationId"] in last_runs or row["Vantage"] not in newest or time_of(row) > newest[row["Vantage"]])
    ]
    order = ("Vantage", "Resolver", "_name")
    return [_told(seen, max(rows, key=lambda row: (time_of(row), row["EventType"] == "probe_failed", row["EventId"])))
            for rows in grouped(told, *order).values()]  # fmt: skip


def _told(seen: Snapshot, row: Row) -> Row:
    known = verdicts(seen).get(row["Verdict"])
    is_right, details = row["EventType"] == "probe_ok", row["Details"] or {}
    found = {
        **row,
        "VirtualNetwork": row["Vantage"].rsplit("/", 1)[-1],
        "IsRight": is_right,
        "Rank": known["Rank"] if known else 50,
        "Kind": known["Kind"] if known else "unknown",
        "ExpectedIp": row["NewIp"],
        "Cause": details.get("cause") or row["ErrorMessage"],
        "Fix": details.get("fix", ""),
        "AlsoFix": details.get("also", ""),
    }
    if is_right:
        reverse = "ok" if row["PtrName"] else ""
        return {
            **found,
            "Verdict": "ok",
            "Direction": "",
            "Zone": "",
            "ForwardVerdict": "ok",
            "ReverseVerdict": reverse,
        }
    answers = details.get("answers") or {}
    told = {side: (answers.get(side) or {}).get("verdict", "") for side in ("forward", "reverse")}
    direction = known["Direction"] if known else ""
    if direction not in {"forward", "reverse"}:
        direction = "reverse" if told["forward"] == "ok" else "forward"
    is_forward = direction == "forward"
    return {
        **found, "Direction": direction, "Zone": row["ForwardZone"] if is_forward else row["ReverseZone"],
        "ForwardVerdict": row["Verdict"] if is_forward else "ok",
        "ReverseVerdict": told["reverse"] if is_forward else row["Verdict"],
    }  # fmt: skip


def probe_failures(seen: Snapshot) -> list[Row]:
    """Give the rows of AciDnsProbeFailures()."""
    told = defaultdict(list)
    for row in seen.of("probe"):
        if row["EventType"] in {"probe_ok", "probe_failed"}:
            told[row["Fqdn"].lower(), row["Vantage"], row["Resolver"]].append(row)
    found = []
    for row in latest(seen):
        if row["IsRight"]:
            continue
        rows = told[row["Fqdn"].lower(), row["Vantage"], row["Resolver"]]
        fine = max((time_of(each) for each in rows if each["EventType"] == "probe_ok"), default=None)
        since = [
            time_of(each)
            for each in rows
            if each["EventType"] == "probe_failed" and (fine is None or time_of(each) > fine)
        ]
        found.append({**row, "Since": min(since, default=None)})
    return found


def probe_matrix(seen: Snapshot) -> list[Row]:
    """Give the rows of AciDnsProbeMatrix()."""
    told = [
        {"Vantage": row["Vantage"], "VirtualNetwork": row["VirtualNetwork"], "Zone": row[f"{side}Zone"],
         "Direction": side.lower(), "Said": row[f"{side}Verdict"], "At": time_of(row)}
        for row in latest(seen) for side in ("Forward", "Reverse") if row[f"{side}Verdict"]
    ]  # fmt: skip
    found = []
    for (vantage, network, zone, direction), rows in grouped(
        told, "Vantage", "VirtualNetwork", "Zone", "Direction"
    ).items():
        right = sum(row["Said"] == "ok" for row in rows)
        worst = max(rows, key=lambda row: verdicts(seen).get(row["Said"], {"Rank": 50})["Rank"])
        found.append({
            "Vantage": vantage, "VirtualNetwork": network, "Zone": zone, "Direction": direction, "Asked": len(rows),
            "Right": right, "Wrong": len(rows) - right, "RightShare": right / len(rows), "WorstVerdict": worst["Said"],
            "LastAsked": max(row["At"] for row in rows),
        })  # fmt: skip
    return found


def unlinked_zones(seen: Snapshot) -> list[Row]:
    """Give the rows of AciDnsUnlinkedZones(), without the audit's Fix, which is a sentence of the query's own."""
    return [*_by_probe(seen), *_by_audit(seen)]


def _by_probe(seen: Snapshot) -> list[Row]:
    told = []
    for row in probe_failures(seen):
        told.append({**row, "_said": row["Verdict"]})
        if row["Direction"] == "forward":
            told.append({**row, "_said": row["ReverseVerdict"], "Zone": row["ReverseZone"], "Direction": "reverse",
                         "Cause": "", "Fix": row["AlsoFix"]})  # fmt: skip
    told = [{**row, "Problem": "shadowed" if row["_said"].endswith("shadowed") else "unlinked"}
            for row in told if row["_said"] in _LINK]  # fmt: skip
    found = []
    for (vantage, network, zone, direction, problem), rows in grouped(
        told, "Vantage", "VirtualNetwork", "Zone", "Direction", "Problem"
    ).items():
        sample = min(rows, key=lambda row: row["Fqdn"])
        found.append({
            "FoundBy": "probe", "Vantage": vantage, "VirtualNetwork": network, "Zone": zone, "Direction": direction,
            "Problem": problem, "Names": len({(row["Fqdn"], row["Resolver"]) for row in rows}),
            "Since": min(row["Since"] for row in rows), "LastSeen": max(time_of(row) for row in rows),
            "SampleName": sample["Fqdn"], "Cause": sample["Cause"], "Fix": sample["Fix"],
        })  # fmt: skip
    return found


def _by_audit(seen: Snapshot) -> list[Row]:
    whole = [row for row in seen.facts
             if row["EventType"] == "audit_completed" and row["ErrorCode"] in {"", "repair_refused"}]  # fmt: skip
    runs = sorted(whole, key=lambda row: (time_of(row), row["EventId"]))
    told = []
    for row in seen.of("audit"):
        kinds = {"zone_unlinked": "unlinked", "zone_shadowed": "shadowed"}
        for kind in set(row["DriftKinds"] or ()) & kinds.keys():
            zone = row["ReverseZone"] or row["ForwardZone"]
            told.append(
                {
                    **row,
                    "Zone": zone,
                    "Direction": "reverse" if row["ReverseZone"] else "forward",
                    "Problem": kinds[kind],
                }
            )
    found = []
    for (zone, direction, problem), rows in grouped(told, "Zone", "Direction", "Problem").items():
        covering = [run for run in runs if zone in ((run["Details"] or {}).get("scope") or {}).get("zones", [])] or runs
        last = covering[-1] if covering else None
        open_ones = [row for row in rows if last is None or row["CorrelationId"] == last["CorrelationId"]
                     or time_of(row) > time_of(last)]  # fmt: skip
        if not open_ones:
            continue
        newest = max(open_ones, key=lambda row: (time_of(row), row["EventId"]))
        finding = newest["Details"]["findings"][0]
        found.append({
            "FoundBy": "audit", "Vantage": "", "VirtualNetwork": "", "Zone": zone, "Direction": direction,
            "Problem": problem, "Names": newest["Details"].get("groups") or 0, "Since": min(map(time_of, rows)),
            "LastSeen": max(map(time_of, rows)),
            "SampleName": "", "Cause": f"{finding['name']} {finding['message']}",
        })  # fmt: skip
    return found
