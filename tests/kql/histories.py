"""Histories small enough to be worked out by hand, for the tests of the functions over states and drifts.

Times are minutes before NOW. An event is `(minutes, type, values)`; most are about the container group `web`. The
fixture `ask` stores a history and asks about it.
"""

from datetime import UTC, datetime, timedelta

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SUBSCRIPTION = "00000000-0000-0000-0000-00000000000A"
SCOPE = {"resource_groups": [f"{SUBSCRIPTION}/rg-apps"], "zones": ["corp.internal", "1.0.10.in-addr.arpa"]}
SECOND = 1 / 60


def group_id(name, resource_group="rg-apps"):
    path = f"{resource_group}/providers/Microsoft.ContainerInstance/containerGroups/{name}"
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{path}"


def at(minutes):
    return NOW - timedelta(minutes=minutes)


def stamp(minutes):
    return at(minutes).strftime("%Y-%m-%dT%H:%M:%S.%f")


def component_of(kind):
    if kind in {"first_seen", "no_change", "drift_detected", "track_failed"}:
        return "tracker"
    return {"audit_completed": "audit", "probe_ok": "probe", "probe_failed": "probe"}.get(kind, "reconciler")


def event(number, minutes, kind, group="web", **values):
    """Give a row as the toolkit writes it; `group=None` leaves the group's columns out."""
    named = (
        {}
        if group is None
        else {
            "SubscriptionId": SUBSCRIPTION,
            "ResourceGroup": "rg-apps",
            "ContainerGroup": group,
            "ContainerGroupId": group_id(group),
            "Fqdn": f"{group}.corp.internal",
            "ForwardZone": "corp.internal",
        }
    )
    return {
        "TimeGenerated": stamp(minutes),
        "EventTime": stamp(minutes),
        "EventId": f"e{number:04}",
        "EventType": kind,
        "Component": component_of(kind),
        "CorrelationId": f"c{number}",
        "SourceEventId": f"s{number}",
        **named,
        **values,
    }


def audit(minutes, run, **values):
    """Give an audit's heartbeat: it ends at `minutes` and took one minute."""
    details = {"scope": SCOPE, "groups": 3, "record_sets": 9, "findings": {"a_mismatch": 1, "ptr_stale": 2}}
    given = {"CorrelationId": run, "SourceEventId": "", "DurationMs": 60_000, "ArmCalls": 7, "Details": details}
    return (minutes, "audit_completed", {"group": None, **given, **values})


def found(minutes, run, kinds, kind="drift_detected", **values):
    """Give an audit's finding: told at `minutes`, a minute after the run began."""
    given = {"Component": "audit", "CorrelationId": run, "SourceEventId": "", "DurationMs": 60_000, "DriftKinds": kinds}
    return (minutes, kind, {**given, **values})


def drift(minutes, kinds=("a_mismatch",), **values):
    return (minutes, "drift_detected", {"DriftKinds": list(kinds), **values})


LATE = {"LagMs": 120_000}
