"""What the probe met: the latest verdicts, the matrix, failures, and zones that a network does not see."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from bench.expected.observations import grouped
from bench.expected.snapshot import Row, Snapshot, key, ms, time_of
from core.names import address_of
from probe.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_RECORD: Final = ("a_missing", "a_mismatch", "ptr_missing", "ptr_mismatch", "nodata")
_MET: Final = {
    "forward_zone_unlinked": "unlinked", "forward_zone_shadowed": "shadowed", "reverse_zone_shadowed": "shadowed",
    "reverse_zone_unlinked": "unlinked", "platform_default": "unlinked", "reverse_zone_missing": "missing",
}  # fmt: skip
_READ: Final = {"zone_unlinked": "unlinked", "zone_shadowed": "shadowed", "reverse_zone_missing": "missing"}
_WORDS: Final = frozenset({"drift_detected", "no_change", "first_seen", "reconcile_updated", "reconcile_no_op",
                           "reconcile_deleted"})  # fmt: skip
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
    """Give the rows of AciDnsUnlinkedZones(), without Fix of what Azure was read for: a sentence of the query's own."""
    return [*_by_probe(seen), *_by_component(seen, "audit"), *_by_component(seen, "tracker")]


def _by_probe(seen: Snapshot) -> list[Row]:
    told = []
    for row in probe_failures(seen):
        told.append({**row, "_said": row["Verdict"]})
        if row["Direction"] == "forward":
            told.append({**row, "_said": row["ReverseVerdict"], "Zone": row["ReverseZone"], "Direction": "reverse",
                         "Cause": "", "Fix": row["AlsoFix"]})  # fmt: skip
    told = [{**row, "Problem": _MET[row["_said"]]} for row in told if row["_said"] in _MET]
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


def _by_component(seen: Snapshot, component: str) -> list[Row]:
    """Give what the audit, or the tracker, read in Azure."""
    counts = _counts_of_audit(seen) if component == "audit" else _counts_of_tracker(seen)
    found = []
    entries = list(_entries(seen, component))
    for (zone, direction, problem), rows in grouped(entries, "Zone", "Direction", "Problem").items():
        told = [row for row in rows if counts(row)]
        if not told:
            continue
        newest = max(told, key=lambda row: (time_of(row), row["EventId"]))
        named = {key(row) for row in told} - {""}
        found.append({
            "FoundBy": component, "Vantage": "", "VirtualNetwork": "", "Zone": zone, "Direction": direction,
            "Problem": problem, "Names": len(named) or (newest["Details"] or {}).get("groups") or 0,
            "Since": min(map(time_of, rows)), "LastSeen": time_of(newest), "SampleName": "", "Cause": newest["_cause"],
        })  # fmt: skip
    return found


def _entries(seen: Snapshot, component: str) -> Iterator[Row]:
    """Give each finding about a zone, with the columns of its event."""
    for row in seen.of(component):
        for entry in (row["Details"] or {}).get("findings") or [] if row["EventType"] == "drift_detected" else []:
            problem = _READ.get(entry["kind"])
            if problem and set(row["DriftKinds"] or ()) & _READ.keys():
                name = entry["name"].lower()
                nowhere = problem == "missing" and address_of(name) is not None
                reverse = problem == "missing" or name.endswith(".arpa")
                yield {
                    **row, "Zone": "" if nowhere else name, "Direction": "reverse" if reverse else "forward",
                    "Problem": problem, "_cause": f"{name} {entry['message']}",
                }  # fmt: skip


def _runs(seen: Snapshot) -> list[Row]:
    complete = {"", "repair_refused", "zone_missing"}
    runs = [row for row in seen.facts if row["EventType"] == "audit_completed" and row["ErrorCode"] in complete]
    return sorted(runs, key=lambda row: (time_of(row), row["EventId"]))


def _scope(run: Row, name: str) -> list[str]:
    return [each.lower() for each in ((run["Details"] or {}).get("scope") or {}).get(name) or []]


def _counts_of_audit(seen: Snapshot) -> Callable[[Row], bool]:
    runs = _runs(seen)
    places = {row["CorrelationId"]: _scope(row, "resource_groups") for row in seen.facts
              if row["EventType"] == "audit_completed"}  # fmt: skip

    def counts(row: Row) -> bool:
        own = places.get(row["CorrelationId"])
        with_word = [run for run in runs if row["Zone"] in _scope(run, "zones")
                     or (own and _scope(run, "resource_groups") == own)] or runs  # fmt: skip
        last = with_word[-1] if with_word else None
        return last is None or row["CorrelationId"] == last["CorrelationId"] or time_of(row) > time_of(last)

    return counts


def _counts_of_tracker(seen: Snapshot) -> Callable[[Row], bool]:
    begun = max((time_of(run) - ms(run["DurationMs"]) for run in _runs(seen)), default=None)
    words: dict[str, tuple[Any, ...]] = {}
    for row in seen.of("tracker", "reconciler"):
        if row["EventType"] in _WORDS:
            word = (time_of(row), row["EventId"])
            words[key(row)] = max(words.get(key(row), word), word)

    def counts(row: Row) -> bool:
        return words[key(row)] == (time_of(row), row["EventId"]) and (begun is None or begun <= time_of(row))

    return counts
