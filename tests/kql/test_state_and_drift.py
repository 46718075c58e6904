"""What the state and drift functions answer, on histories small enough to be worked out by hand.

Times are minutes before NOW. An event is `(minutes, type, values)`; most are about the container group `web`.
"""

from datetime import UTC, datetime, timedelta

import pytest

from kql import catalog, tables
from kql.duckdb_engine import DuckDbEngine, connect

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
    named = {} if group is None else {
        "SubscriptionId": SUBSCRIPTION, "ResourceGroup": "rg-apps", "ContainerGroup": group,
        "ContainerGroupId": group_id(group), "Fqdn": f"{group}.corp.internal", "ForwardZone": "corp.internal",
    }  # fmt: skip
    return {
        "TimeGenerated": stamp(minutes), "EventTime": stamp(minutes), "EventId": f"e{number:04}", "EventType": kind,
        "Component": component_of(kind), "CorrelationId": f"c{number}", "SourceEventId": f"s{number}", **named, **values,
    }  # fmt: skip


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


@pytest.fixture(scope="module")
def connection():
    with connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def engine(connection):
    return DuckDbEngine(connection)


@pytest.fixture
def ask(connection, engine):
    """Store a history and ask a function or query about it: the rows as dicts."""

    def answer(history, name, *, timespan=None, **parameters):
        tables.clear(connection)
        rows = [event(n, minutes, kind, **values) for n, (minutes, kind, values) in enumerate(history)]
        tables.append(connection, tables.EVENTS, rows, received=NOW)
        give = catalog.call if name in catalog.functions() else catalog.query
        return list(engine.query(give(name, **parameters), now=NOW, timespan=timespan))

    return answer


def episodes(rows):
    """Give (kinds, minutes of start, detection and repair, how repaired) of each, in order of detection."""

    def minutes(time):
        return None if time is None else round((NOW - time).total_seconds() / 60, 3)

    ordered = sorted(rows, key=lambda row: (row["Detected"], row["Subject"], row["Aspect"]))
    return [
        (r["Kinds"], minutes(r["Start"]), minutes(r["Detected"]), minutes(r["Repaired"]), r["RepairEventType"])
        for r in ordered
    ]


LATE = {"LagMs": 120_000}
OPEN = (None, "")
DRIFTS = {
    "a drift is repaired by the reconciliation after it, and began at the time of its event": (
        [drift(30, LagMs=120_000, DurationMs=6_000), (28, "reconcile_updated", {"LiveIp": "10.0.1.4"})],
        [("a_mismatch", 32, 30.1, 28, "reconcile_updated")],
    ),
    "a drift without proof is open": ([drift(30, **LATE)], [("a_mismatch", 32, 30, *OPEN)]),
    "sightings without a proof between them are one drift with all their kinds, sorted": (
        [drift(30, ["ptr_missing"], **LATE), drift(20, ["a_mismatch", "ptr_missing"]), (10, "no_change", {})],
        [("a_mismatch,ptr_missing", 32, 30, 10, "no_change")],
    ),
    "after a proof the next sighting is another drift": (
        [drift(30, **LATE), (25, "reconcile_no_op", {}), drift(20, **LATE), (15, "reconcile_deleted", {})],
        [("a_mismatch", 32, 30, 25, "reconcile_no_op"), ("a_mismatch", 22, 20, 15, "reconcile_deleted")],
    ),
    "a reconciliation that ended while the tracker looked is later than what it saw": (
        [(30, "reconcile_updated", {}), drift(30 - SECOND, DurationMs=3_000, **LATE)],
        [("a_mismatch", 31.983, 30.033, 30, "reconcile_updated")],
    ),
    "a reconciliation that ended before the look began proves nothing of it": (
        [(30, "reconcile_updated", {}), drift(29, DurationMs=3_000, **LATE)],
        [("a_mismatch", 31, 29.05, *OPEN)],
    ),
    "a proof at the very moment counts": (
        [drift(30, **LATE), (30, "reconcile_updated", {})],
        [("a_mismatch", 32, 30, 30, "reconcile_updated")],
    ),
    "what failed, was deferred or was skipped proves nothing": (
        [drift(30, **LATE), (25, "reconcile_failed", {}), (24, "reconcile_deferred", {}), (23, "reconcile_skipped", {}),
         (22, "track_failed", {}), (21, "probe_ok", {})],
        [("a_mismatch", 32, 30, *OPEN)],
    ),
    "another group's reconciliation proves nothing": (
        [drift(30, **LATE), (25, "reconcile_updated", {"group": "web2"})],
        [("a_mismatch", 32, 30, *OPEN)],
    ),
    "the group's id is the same in any case": (
        [drift(30, **LATE), (25, "reconcile_updated", {"ContainerGroupId": group_id("web").upper()})],
        [("a_mismatch", 32, 30, 25, "reconcile_updated")],
    ),
    "a group that was first seen misses its address record": (
        [(30, "first_seen", LATE), (29, "reconcile_updated", {})],
        [("a_missing", 32, 30, 29, "reconcile_updated")],
    ),
    "a drift that names no kind is unspecified": ([drift(30, [], **LATE)], [("unspecified", 32, 30, *OPEN)]),
    "the proof may come days later": (
        [drift(5 * 1440, **LATE), drift(4 * 1440), (60, "no_change", {}), (30, "no_change", {})],
        [("a_mismatch", 7202, 7200, 60, "no_change")],
    ),
    "an unknown beginning is bounded by the last proof before": (
        [(3000, "reconcile_updated", {}), (90, "no_change", {}), drift(30, SourceEventId="")],
        [("a_mismatch", 90, 30, *OPEN)],
    ),
    "without a proof before, the beginning is not known": ([drift(30, SourceEventId="")], [("a_mismatch", None, 30, *OPEN)]),
    "a beginning is never later than the detection": (
        [drift(30, LagMs=1_000, DurationMs=60_000)],
        [("a_mismatch", 31, 31, *OPEN)],
    ),
    "an audit that found it, and the next one that doesn't: it began after the one before": (
        [audit(190, "r0"), audit(130, "r1"), found(70, "r2", ["a_mismatch"]), audit(70, "r2"), audit(10, "r3")],
        [("a_mismatch", 131, 71, 10, "audit_completed")],
    ),
    "an audit's finding that was repaired while the audit ran is not open": (
        [(70.5, "reconcile_updated", {}), found(70, "r2", ["a_mismatch"]), audit(70, "r2")],
        [("a_mismatch", None, 71, 70.5, "reconcile_updated")],
    ),
    "audits that find it again and again see one drift": (
        [x for n, m in enumerate((190, 130, 70, 10)) for x in (found(m, f"r{n}", ["ptr_stale"]), audit(m, f"r{n}"))],
        [("ptr_stale", None, 191, *OPEN)],
    ),
    "an audit in between that does not find it ends it": (
        [found(190, "r0", ["a_mismatch"]), audit(190, "r0"), audit(130, "r1"), found(70, "r2", ["a_mismatch"]), audit(70, "r2")],
        [("a_mismatch", None, 191, 130, "audit_completed"), ("a_mismatch", 130, 71, *OPEN)],
    ),
    "an audit that was not whole proves nothing": (
        [drift(70, **LATE), audit(10, "r1", ErrorCode="forbidden")],
        [("a_mismatch", 72, 70, *OPEN)],
    ),
    "an audit that published no repairs was whole all the same": (
        [drift(70, **LATE), audit(10, "r1", ErrorCode="repair_refused")],
        [("a_mismatch", 72, 70, 10, "audit_completed")],
    ),
    "an audit that began before the sighting proves nothing": (
        [drift(10.5, **LATE), audit(10, "r1")],
        [("a_mismatch", 12.5, 10.5, *OPEN)],
    ),
    "an audit of other resource groups proves nothing": (
        [drift(70, **LATE), audit(10, "r1", Details={"scope": {"resource_groups": [f"{SUBSCRIPTION}/rg-b"], "zones": []}})],
        [("a_mismatch", 72, 70, *OPEN)],
    ),
    "an audit whose list of resource groups was cut covers all": (
        [drift(70, **LATE), audit(10, "r1", Details={"scope": {"resource_groups": [f"s/{n}" for n in range(100)], "zones": []}})],
        [("a_mismatch", 72, 70, 10, "audit_completed")],
    ),
    "a zone's link is no matter of a reconciliation: only an audit proves it": (
        [drift(70, ["a_mismatch", "zone_unlinked"], **LATE), (60, "reconcile_updated", {}), audit(10, "r1")],
        [("a_mismatch", 72, 70, 60, "reconcile_updated"), ("zone_unlinked", 72, 70, 10, "audit_completed")],
    ),
    "a zone as a whole drifts for itself": (
        [found(70, "r1", ["zone_unlinked"], group=None, ReverseZone="1.0.10.IN-ADDR.arpa"), audit(70, "r1"), audit(10, "r2")],
        [("zone_unlinked", None, 71, 10, "audit_completed")],
    ),
    "an audit whose scope does not have the zone proves nothing of it": (
        [found(70, "r1", ["zone_shadowed"], group=None, ForwardZone="other.internal"), audit(70, "r1"), audit(10, "r2")],
        [("zone_shadowed", None, 71, *OPEN)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("claim", DRIFTS)
def test_drift_episodes(ask, claim):
    history, expected = DRIFTS[claim]
    assert episodes(ask(history, "AciDnsDriftEpisodes")) == expected


def test_rows_that_come_late_twice_and_in_any_order_give_the_same_episodes(connection, engine, ask):
    history, expected = DRIFTS["after a proof the next sighting is another drift"]
    ask([], "AciDnsObservations")
    rows = [event(n, minutes, kind, **values) for n, (minutes, kind, values) in enumerate(history)]
    rewritten = [{**row, "TimeGenerated": stamp(0)} for row in rows]
    tables.append(connection, tables.EVENTS, [*reversed(rewritten), *rewritten], received=NOW)
    found_ = episodes(engine.query(catalog.call("AciDnsDriftEpisodes"), now=NOW))
    assert found_ == expected


def test_an_episode_tells_who_saw_it_and_what_was_seen_last(ask):
    finding = {"kind": "a_mismatch", "name": "web.corp.internal", "message": "names 10.0.1.9, not 10.0.1.5"}
    (row,) = ask(
        [
            drift(30, OldIp="10.0.1.9", LiveIp="10.0.1.4", **LATE),
            drift(20, OldIp="10.0.1.9", LiveIp="10.0.1.5", Details={"findings": [finding]}),
        ],
        "AciDnsDriftEpisodes",
    )
    assert (row["SourceEventId"], row["CorrelationId"], row["OpenedBy"]) == ("s0", "c0", "drift_detected")
    assert (row["DetectedBy"], row["StartKnown"], row["Sightings"]) == ("tracker", True, 2)
    assert (row["OldIp"], row["LiveIp"], row["Findings"], row["LastSeen"]) == (
        "10.0.1.9",
        "10.0.1.5",
        [finding],
        at(20),
    )
    assert (row["Subject"], row["Aspect"], row["ContainerGroup"]) == (group_id("web").lower(), "records", "web")
    assert (row["IsOpen"], row["RepairedBy"], row["TimeToRepairSeconds"]) == (True, "", None)
    assert (row["TimeToDetectSeconds"], row["WrongForSeconds"]) == (120, 32 * 60)


def test_of_findings_at_the_same_moment_one_of_the_address_is_shown_rather_than_a_stale_ptr(ask):
    (row,) = ask(
        [found(70, "r", ["a_mismatch"], OldIp="10.0.1.9"), found(70, "r", ["ptr_stale"], OldIp="10.0.1.7")],
        "AciDnsDriftEpisodes",
    )
    assert (row["Kinds"], row["OldIp"], row["Sightings"]) == ("a_mismatch,ptr_stale", "10.0.1.9", 2)


def test_open_drifts_have_an_age_from_their_detection(ask):
    history = [drift(30, **LATE), drift(90, group="b", **LATE), (80, "no_change", {"group": "b"})]
    (row,) = ask(history, "AciDnsOpenDrifts")
    assert (row["ContainerGroup"], row["AgeSeconds"], row["AgeMinutes"]) == ("web", 1800, 30)


def test_the_history_has_every_bucket_and_what_was_open_at_its_end(ask):
    history = [
        (300, "first_seen", LATE), (299, "reconcile_updated", {}),
        drift(170, group="b", **LATE), drift(100, group="c", **LATE), (10, "no_change", {"group": "b"}),
    ]  # fmt: skip
    rows = ask(history, "drift-history", bucket="1h")
    counts = [tuple(row[name] for name in ("Detected", "FirstSeen", "Repaired", "Open")) for row in rows]
    assert [row["TimeGenerated"] for row in rows] == [at(60 * n) for n in (5, 4, 3, 2, 1, 0)]
    assert counts == [(1, 1, 1, 0), (0, 0, 0, 0), (1, 0, 0, 1), (1, 0, 0, 2), (0, 0, 1, 1), (0, 0, 0, 1)]


def test_the_history_of_days_before_counts_into_what_is_open(ask):
    history = [drift(3 * 1440, **LATE), drift(2 * 1440, group="b", **LATE), (1440, "no_change", {})]
    rows = ask(history, "drift-history", bucket="12h")
    assert [row["Open"] for row in rows] == [1, 1, 2, 2, 1, 1, 1]


def test_no_drift_no_history(ask):
    assert ask([(5, "no_change", {})], "AciDnsDriftHistory") == []


STATES = {
    "in sync since its first proof": (
        [(90, "reconcile_updated", {"LiveIp": "10.0.1.4"}), (30, "no_change", {"LiveIp": "10.0.1.4"})],
        ("in_sync", 90, "", "10.0.1.4", "10.0.1.4"),
    ),
    "in sync since the repair": (
        [(90, "no_change", {"LiveIp": "10.0.1.4"}), drift(60, LiveIp="10.0.1.5", OldIp="10.0.1.4", **LATE),
         (59, "reconcile_updated", {"LiveIp": "10.0.1.5", "OldIp": "10.0.1.4"}), (20, "reconcile_no_op", {"LiveIp": "10.0.1.5"})],
        ("in_sync", 59, "", "10.0.1.5", "10.0.1.5"),
    ),
    "drift since its detection": (
        [(90, "no_change", {"LiveIp": "10.0.1.4"}), drift(60, LiveIp="10.0.1.5", OldIp="10.0.1.4", **LATE), drift(20, LiveIp="10.0.1.5", OldIp="10.0.1.4")],
        ("drift", 60, "a_mismatch", "10.0.1.5", "10.0.1.4"),
    ),
    "a drift of the PTR alone leaves the address that DNS has": (
        [drift(60, ["ptr_missing"], LiveIp="10.0.1.5", OldIp="10.0.1.5")],
        ("drift", 60, "ptr_missing", "10.0.1.5", "10.0.1.5"),
    ),
    "pending until its record is written": ([(60, "first_seen", {"LiveIp": "10.0.1.4", **LATE})], ("pending", 60, "a_missing", "10.0.1.4", "")),
    "failed, with the drift that is still open": (
        [drift(60, LiveIp="10.0.1.5", OldIp="10.0.1.4", **LATE), (50, "reconcile_failed", {"ErrorCode": "throttled"}),
         (40, "reconcile_failed", {"ErrorCode": "throttled"})],
        ("failed", 50, "a_mismatch", "10.0.1.5", "10.0.1.4"),
    ),
    "deferred": ([(50, "reconcile_deferred", {"ErrorCode": "not_ready"})], ("deferred", 50, "", "", "")),
    "deleted": (
        [(90, "no_change", {"LiveIp": "10.0.1.4"}), (50, "reconcile_deleted", {"Details": {"live_state": "absent"}}),
         (40, "reconcile_no_op", {"Details": {"live_state": "absent"}})],
        ("deleted", 50, "", "", ""),
    ),
    "stopped: it exists and has no address": (
        [(50, "reconcile_deleted", {"OldIp": "10.0.1.4", "Details": {"live_state": "stopped"}})],
        ("no_address", 50, "", "", ""),
    ),
    "of a resource group that is not configured": ([(50, "reconcile_skipped", {"ErrorCode": "not_configured"})], ("unmanaged", 50, "", "", "")),
    "only looks that failed": ([(50, "track_failed", {"ErrorCode": "forbidden"})], ("unknown", None, "", "", "")),
    "a look that failed changes nothing": (
        [(60, "no_change", {"LiveIp": "10.0.1.4"}), (50, "track_failed", {"ErrorCode": "forbidden"})],
        ("in_sync", 60, "", "10.0.1.4", "10.0.1.4"),
    ),
    "in sync, as an audit no longer finds the drift": (
        [drift(70, LiveIp="10.0.1.5", OldIp="10.0.1.4", **LATE), audit(10, "r1")],
        ("in_sync", 10, "", "10.0.1.5", "10.0.1.4"),
    ),
    "gone, as an audit no longer finds what was left of it": (
        [found(70, "r0", ["a_orphaned"], OldIp="10.0.1.4"), audit(70, "r0"), audit(10, "r1")],
        ("deleted", 10, "", "", "10.0.1.4"),
    ),
    "drift of a link, though its records are right": (
        [drift(70, ["zone_unlinked"], LiveIp="10.0.1.5"), (60, "no_change", {"LiveIp": "10.0.1.5"})],
        ("drift", 70, "zone_unlinked", "10.0.1.5", "10.0.1.5"),
    ),
    "right counts after wrong at the same moment": (
        [(60, "reconcile_updated", {"LiveIp": "10.0.1.5"}), drift(60, LiveIp="10.0.1.5", OldIp="10.0.1.4")],
        ("in_sync", 60, "", "10.0.1.5", "10.0.1.5"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("claim", STATES)
def test_the_state_of_a_group(ask, claim):
    history, expected = STATES[claim]
    (row,) = ask(history, "AciDnsGroups")
    since = None if row["Since"] is None else (NOW - row["Since"]).total_seconds() / 60
    assert (row["State"], since, row["Kinds"], row["LiveIp"], row["DnsIp"]) == expected
    assert ",".join(row["DriftKinds"]) == row["Kinds"]
