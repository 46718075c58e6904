"""What the reconciler did: outcomes, latency, failures, throttling, dead letters."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from bench.expected.observations import grouped
from bench.expected.probes import latest
from bench.expected.snapshot import Row, Snapshot, floor, key, ms, nearest_rank, time_of

HOUR: Final = timedelta(hours=1)
_GOOD: Final = frozenset({"reconcile_updated", "reconcile_no_op", "reconcile_deleted"})
_TRACKED: Final = ("first_seen", "no_change", "drift_detected", "track_failed")
_FAILED: Final = frozenset({"reconcile_failed", "reconcile_deferred", "track_failed"})
_HEARTBEATS: Final = frozenset({"probe_completed", "audit_completed"})
_WAITS: Final = (10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600)
_LAST_WAIT: Final = 43_200


def by_event_time(row: Row) -> tuple[datetime, str]:
    """Order as attempts are counted."""
    return time_of(row), row["EventId"]


def outcomes(seen: Snapshot) -> list[Row]:
    """Give the reconciler's outcomes."""
    return [row for row in seen.of("reconciler") if row["EventType"].startswith("reconcile_")]


def reconciles(seen: Snapshot) -> list[Row]:
    """Give the rows of AciDnsReconciles()."""
    found = []
    rows = [
        {**row, "_key": key(row), "_alone": "" if row["SourceEventId"] else row["EventId"]} for row in outcomes(seen)
    ]
    for attempts in grouped(rows, "SourceEventId", "_key", "_alone").values():
        attempts.sort(key=by_event_time)
        for number, row in enumerate(attempts, 1):
            found.append({
                **row, "Outcome": row["EventType"].removeprefix("reconcile_"), "AttemptNumber": number,
                "Attempts": len(attempts), "IsLast": number == len(attempts), "ChangeCount": len(row["Changes"] or ()),
            })  # fmt: skip
    return found


def reconcile_outcomes(seen: Snapshot, bucket: timedelta = HOUR) -> list[Row]:
    """Give the rows of AciDnsReconcileOutcomes()."""
    told = [
        {**row, "Bucket": floor(row["TimeGenerated"], bucket), "Outcome": row["EventType"].removeprefix("reconcile_")}
        for row in outcomes(seen)
    ]
    return [
        {"TimeGenerated": at, "Outcome": outcome, "Reconciles": len(rows), "Groups": len({*map(key, rows)} - {""})}
        for (at, outcome), rows in grouped(told, "Bucket", "Outcome").items()
    ]


def reconcile_latency(seen: Snapshot, bucket: timedelta = HOUR) -> list[Row]:
    """Give the rows of AciDnsReconcileLatency()."""
    told = [{**row, "Bucket": floor(row["TimeGenerated"], bucket)} for row in outcomes(seen)
            if row["EventType"] != "reconcile_skipped"]  # fmt: skip
    found = []
    for (at,), rows in grouped(told, "Bucket").items():
        lags = [row["LagMs"] for row in rows if row["EventType"] in _GOOD]
        durations = [row["DurationMs"] for row in rows]
        found.append({
            "TimeGenerated": at, "Reconciles": len(rows),
            "Failed": sum(row["EventType"] == "reconcile_failed" for row in rows),
            **{f"DurationMsP{share}": nearest_rank(durations, share) for share in (50, 95, 99)},
            **{f"LagMsP{share}": nearest_rank(lags, share) for share in (50, 95, 99)},
            "ArmCalls": sum(row["ArmCalls"] or 0 for row in rows),
        })  # fmt: skip
    return found


def throttling(seen: Snapshot, bucket: timedelta = HOUR) -> list[Row]:
    """Give the rows of AciDnsThrottling()."""
    runs = [*outcomes(seen), *(row for row in seen.of("tracker") if row["EventType"] in _TRACKED),
            *(row for row in seen.facts if row["EventType"] in _HEARTBEATS)]  # fmt: skip
    first: dict[tuple[str, str, str], datetime] = {}
    for row in runs:
        same = (row["Component"], row["SourceEventId"], key(row))
        first[same] = min(first.get(same, time_of(row)), time_of(row))
    told = [{**row, "Bucket": floor(row["TimeGenerated"], bucket)} for row in runs]
    found = []
    for (at, component), rows in grouped(told, "Bucket", "Component").items():
        hit = [row for row in rows if row["ErrorCode"] == "throttled"]
        again = [row for row in rows if row["SourceEventId"]
                 and first[row["Component"], row["SourceEventId"], key(row)] < time_of(row)]  # fmt: skip
        calls = sum(row["ArmCalls"] or 0 for row in rows)
        found.append({
            "TimeGenerated": at, "Component": component, "Runs": len(rows), "ThrottledRuns": len(hit),
            "ThrottledGroups": len({*map(key, hit)} - {""}), "Retries": len(again), "ArmCalls": calls,
            "ArmCallsPerRun": calls / len(rows),
        })  # fmt: skip
    return found


def _is_failure(row: Row) -> bool:
    return row["EventType"] in {"reconcile_failed", "track_failed", "probe_failed"} or (
        row["EventType"] in _HEARTBEATS and bool(row["ErrorCode"])
    )


def failures(seen: Snapshot) -> list[Row]:
    """Give the rows of AciDnsFailures()."""
    said = [row for row in seen.facts if row["EventType"] != "canary"
            and not (row["Component"] == "audit" and row["EventType"] not in _HEARTBEATS)]  # fmt: skip
    last = _last_outcomes(seen, said)
    found = []
    told = [row for row in seen.facts if _is_failure(row)]
    for (component, kind, code), rows in grouped(told, "Component", "EventType", "ErrorCode").items():
        subjects = {_subject(row) for row in rows}
        still = sum(last(subject, kind, code, rows) for subject in subjects)
        sample = max(rows, key=by_event_time)
        found.append({
            "Component": component, "EventType": kind, "ErrorCode": code, "Failures": len(rows),
            "Subjects": len(subjects), "Groups": len({*map(key, rows)} - {""}),
            "StillFailing": still, "IsOpen": still > 0,
            "FirstSeen": min(map(time_of, rows)), "LastSeen": max(map(time_of, rows)),
            "SampleSubject": next(filter(None, (sample[name] for name in
                ("ContainerGroup", "Fqdn", "Vantage", "SourceEventId"))), ""),
            "SampleMessage": sample["ErrorMessage"],
        })  # fmt: skip
    return found


def _subject(row: Row) -> tuple[str, ...]:
    if row["EventType"] == "probe_failed":
        return ("name", row["Fqdn"].lower(), row["Vantage"], row["Resolver"])
    if row["EventType"] in _HEARTBEATS:
        return ("run", row["Component"], row["Vantage"])
    return ("group", row["Component"], key(row)) if key(row) else ("component", row["Component"])


def _last_outcomes(seen: Snapshot, said: list[Row]) -> Any:
    """Give what tells whether a subject's latest outcome is a failure of a cause."""
    wrong: dict[tuple[str, ...], str] = {("name", row["Fqdn"].lower(), row["Vantage"], row["Resolver"]): row["Verdict"]
             for row in latest(seen) if not row["IsRight"]}  # fmt: skip
    newest: dict[tuple[str, ...], Row] = {}
    fine: dict[str, datetime] = {}
    for row in sorted(said, key=by_event_time):
        if row["EventType"] not in {"probe_ok", "probe_failed"}:
            newest[_subject(row)] = row
        if not _is_failure(row):
            fine[row["Component"]] = time_of(row)

    def still(subject: tuple[str, ...], kind: str, code: str, rows: list[Row]) -> bool:
        if subject[0] == "name":
            return wrong.get(subject) == code
        if subject[0] == "component" or subject == ("run", "probe", ""):
            mine = [row for row in rows if _subject(row) == subject]
            after = fine.get(subject[1])
            is_last = newest[subject]["EventType"] == kind and newest[subject]["ErrorCode"] == code
            return bool(is_last and (after is None or after <= max(map(time_of, mine))))
        return bool(newest[subject]["EventType"] == kind and newest[subject]["ErrorCode"] == code)

    return still


def dead_letters(seen: Snapshot, max_attempts: int = 30, time_to_live: timedelta = timedelta(days=1)) -> list[Row]:
    """Give the rows of AciDnsDeadLetters()."""
    rows = [row for row in seen.of("reconciler", "tracker") if row["SourceEventId"] and row["EventType"] != "canary"]
    found = []
    for told in grouped(rows, "Component", "SourceEventId").values():
        found += _letters(seen, told, max_attempts, time_to_live)
    return found


def _letters(seen: Snapshot, told: list[Row], max_attempts: int, time_to_live: timedelta) -> list[Row]:
    nameless = [row for row in told if not key(row) and row["EventType"] in _FAILED]
    found = []
    for group in dict.fromkeys(key(row) for row in told if key(row)):
        own = [row for row in told if key(row) == group]
        failed = [*(row for row in own if row["EventType"] in _FAILED), *nameless]
        good = [time_of(row) for row in own if row["EventType"] not in _FAILED]
        if failed and not any(time > max(map(time_of, failed)) for time in good):
            found.append(_letter(seen, failed, max_attempts, time_to_live))
    if nameless:
        last = max(map(time_of, nameless))
        if not any(time_of(row) > last for row in told if row not in nameless):
            alone = [] if any(key(row) for row in told) else nameless
            found += [_letter(seen, alone, max_attempts, time_to_live)] if alone else []
    return found


def _letter(seen: Snapshot, failed: list[Row], max_attempts: int, time_to_live: timedelta) -> Row:
    failed = sorted(failed, key=by_event_time)
    last, count = failed[-1], len(failed)
    at = time_of(last)
    published = min(time_of(row) - ms(row["LagMs"]) for row in failed)
    expires, wait = (
        published + time_to_live,
        timedelta(seconds=_WAITS[count - 1] if count <= len(_WAITS) else _LAST_WAIT),
    )
    due = at + wait
    is_over = count >= max_attempts or seen.now >= expires or due >= expires
    late = seen.now - at > 2 * wait + timedelta(minutes=5)
    good = {"reconciler": _GOOD, "tracker": frozenset(_TRACKED[:3])}[last["Component"]]
    repaired = [time_of(row) for row in seen.of(last["Component"])
                if key(last) and key(row) == key(last) and row["EventType"] in good and time_of(row) > at]  # fmt: skip
    names = ("Component", "SourceEventId", "SubscriptionId", "ResourceGroup", "ContainerGroup", "ContainerGroupId",
             "Fqdn", "EventType", "ErrorCode", "ErrorMessage")  # fmt: skip
    return {
        **{name: last[name] for name in names},
        "State": "exhausted" if is_over else "overdue" if late else "retrying", "Published": published,
        "FirstAttempt": time_of(failed[0]), "LastAttempt": at, "FailedAttempts": count,
        "NextAttempt": None if is_over else due, "Expires": expires, "RepairedAt": min(repaired, default=None),
    }  # fmt: skip


__all__ = ["dead_letters", "failures", "reconcile_latency", "reconcile_outcomes", "reconciles", "throttling"]
