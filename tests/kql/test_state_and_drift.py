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
        [
            drift(30, **LATE),
            (25, "reconcile_failed", {}),
            (24, "reconcile_deferred", {}),
            (23, "reconcile_skipped", {}),
            (22, "track_failed", {}),
            (21, "probe_ok", {}),
        ],
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
    "without a proof before, the beginning is not known": (
        [drift(30, SourceEventId="")],
        [("a_mismatch", None, 30, *OPEN)],
    ),
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
        [
            found(190, "r0", ["a_mismatch"]),
            audit(190, "r0"),
            audit(130, "r1"),
            found(70, "r2", ["a_mismatch"]),
            audit(70, "r2"),
        ],
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
        [
            drift(70, **LATE),
            audit(10, "r1", Details={"scope": {"resource_groups": [f"{SUBSCRIPTION}/rg-b"], "zones": []}}),
        ],
        [("a_mismatch", 72, 70, *OPEN)],
    ),
    "an audit whose list of resource groups was cut covers all": (
        [
            drift(70, **LATE),
            audit(10, "r1", Details={"scope": {"resource_groups": [f"s/{n}" for n in range(100)], "zones": []}}),
        ],
        [("a_mismatch", 72, 70, 10, "audit_completed")],
    ),
    "a zone's link is no matter of a reconciliation: only an audit proves it": (
        [drift(70, ["a_mismatch", "zone_unlinked"], **LATE), (60, "reconcile_updated", {}), audit(10, "r1")],
        [("a_mismatch", 72, 70, 60, "reconcile_updated"), ("zone_unlinked", 72, 70, 10, "audit_completed")],
    ),
    "a zone as a whole drifts for itself": (
        [
            found(70, "r1", ["zone_unlinked"], group=None, ReverseZone="1.0.10.IN-ADDR.arpa"),
            audit(70, "r1"),
            audit(10, "r2"),
        ],
        [("zone_unlinked", None, 71, 10, "audit_completed")],
    ),
    "an audit whose scope does not have the zone proves nothing of it": (
        [
            found(70, "r1", ["zone_shadowed"], group=None, ForwardZone="other.internal"),
            audit(70, "r1"),
            audit(10, "r2"),
        ],
        [("zone_shadowed", None, 71, *OPEN)],
    ),
}


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
        (300, "first_seen", LATE),
        (299, "reconcile_updated", {}),
        drift(170, group="b", **LATE),
        drift(100, group="c", **LATE),
        (10, "no_change", {"group": "b"}),
    ]
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
        [
            (90, "no_change", {"LiveIp": "10.0.1.4"}),
            drift(60, LiveIp="10.0.1.5", OldIp="10.0.1.4", **LATE),
            (59, "reconcile_updated", {"LiveIp": "10.0.1.5", "OldIp": "10.0.1.4"}),
            (20, "reconcile_no_op", {"LiveIp": "10.0.1.5"}),
        ],
        ("in_sync", 59, "", "10.0.1.5", "10.0.1.5"),
    ),
    "drift since its detection": (
        [
            (90, "no_change", {"LiveIp": "10.0.1.4"}),
            drift(60, LiveIp="10.0.1.5", OldIp="10.0.1.4", **LATE),
            drift(20, LiveIp="10.0.1.5", OldIp="10.0.1.4"),
        ],
        ("drift", 60, "a_mismatch", "10.0.1.5", "10.0.1.4"),
    ),
    "a drift of the PTR alone leaves the address that DNS has": (
        [drift(60, ["ptr_missing"], LiveIp="10.0.1.5", OldIp="10.0.1.5")],
        ("drift", 60, "ptr_missing", "10.0.1.5", "10.0.1.5"),
    ),
    "pending until its record is written": (
        [(60, "first_seen", {"LiveIp": "10.0.1.4", **LATE})],
        ("pending", 60, "a_missing", "10.0.1.4", ""),
    ),
    "failed, with the drift that is still open": (
        [
            drift(60, LiveIp="10.0.1.5", OldIp="10.0.1.4", **LATE),
            (50, "reconcile_failed", {"ErrorCode": "throttled"}),
            (40, "reconcile_failed", {"ErrorCode": "throttled"}),
        ],
        ("failed", 50, "a_mismatch", "10.0.1.5", "10.0.1.4"),
    ),
    "deferred": ([(50, "reconcile_deferred", {"ErrorCode": "not_ready"})], ("deferred", 50, "", "", "")),
    "deleted": (
        [
            (90, "no_change", {"LiveIp": "10.0.1.4"}),
            (50, "reconcile_deleted", {"Details": {"live_state": "absent"}}),
            (40, "reconcile_no_op", {"Details": {"live_state": "absent"}}),
        ],
        ("deleted", 50, "", "", ""),
    ),
    "stopped: it exists and has no address": (
        [(50, "reconcile_deleted", {"OldIp": "10.0.1.4", "Details": {"live_state": "stopped"}})],
        ("no_address", 50, "", "", ""),
    ),
    "of a resource group that is not configured": (
        [(50, "reconcile_skipped", {"ErrorCode": "not_configured"})],
        ("unmanaged", 50, "", "", ""),
    ),
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
}


@pytest.mark.parametrize("claim", STATES)
def test_the_state_of_a_group(ask, claim):
    history, expected = STATES[claim]
    (row,) = ask(history, "AciDnsGroups")
    since = None if row["Since"] is None else (NOW - row["Since"]).total_seconds() / 60
    assert (row["State"], since, row["Kinds"], row["LiveIp"], row["DnsIp"]) == expected
    assert ",".join(row["DriftKinds"]) == row["Kinds"]


def test_a_group_is_told_with_its_owner_its_last_event_and_the_failure_of_its_state(ask):
    message = f"belongs to {group_id('other')}, which is running"
    conflict = {"kind": "owner_conflict", "name": "c.corp.internal", "message": message}
    history = [
        (90, "reconcile_updated", {"LiveIp": "10.0.1.4", "ReverseZone": "1.0.10.in-addr.arpa"}),
        (50, "reconcile_failed", {"ErrorCode": "throttled", "ErrorMessage": "try", "Attempt": 2}),
        (40, "track_failed", {"ErrorCode": "forbidden", "Fqdn": "", "ForwardZone": ""}),
        (50, "no_change", {"group": "b", "LiveIp": "10.0.1.5", "Details": {"owner_mark": "missing"}}),
        drift(40, ["owner_conflict"], group="c", LiveIp="10.0.1.6", OldIp="10.0.1.7", Details={"findings": [conflict]}),
    ]
    web, b, c = sorted(ask(history, "AciDnsGroups"), key=lambda row: row["ContainerGroup"] != "web")
    assert (web["State"], web["ErrorCode"], web["ErrorMessage"], web["Attempt"]) == ("failed", "throttled", "try", 2)
    assert (web["LastEvent"], web["LastEventType"], web["LastComponent"]) == (at(40), "track_failed", "tracker")
    assert (web["Fqdn"], web["ForwardZone"], web["ReverseZone"]) == (
        "web.corp.internal",
        "corp.internal",
        "1.0.10.in-addr.arpa",
    )
    owners = {row["ContainerGroup"]: row["Owner"] for row in (web, b, c)}
    assert owners == {"web": group_id("web").lower(), "b": "", "c": group_id("other").lower()}


def test_heartbeats_canaries_and_probes_are_no_groups(ask):
    history = [
        audit(50, "r"),
        (40, "canary", {"group": None}),
        (30, "probe_failed", {}),
        (20, "reconcile_skipped", {"group": None}),
    ]
    assert ask(history, "AciDnsGroups") == []
    assert [row["EventType"] for row in ask(history, "AciDnsObservations")] == ["audit_completed"]


def test_what_is_wrong_comes_first_in_the_current_state(ask):
    history = [
        (50, "no_change", {"group": "right"}),
        drift(40, group="later"),
        drift(45, group="drifts"),
        (30, "reconcile_failed", {"group": "fails"}),
    ]
    rows = ask(history, "current-state")
    assert [row["ContainerGroup"] for row in rows] == ["fails", "drifts", "later", "right"]


def moves(group, *addresses, start=100):
    return [(start - n, "reconcile_updated", {"group": group, "LiveIp": ip}) for n, ip in enumerate(addresses)]


FLAPPING = {
    "three changes are enough, two are not": (
        [*moves("a", "1.1.1.1", "1.1.1.2", "1.1.1.1", "1.1.1.3"), *moves("b", "1.1.1.1", "1.1.1.2", "1.1.1.1")],
        [("a", 3, 3, 0, ["1.1.1.1", "1.1.1.2", "1.1.1.3"], "1.1.1.3", 99, 97)],
    ),
    "the same address again, or none, is no change": (
        [*moves("a", "1.1.1.1", "1.1.1.1", "", "1.1.1.1", "1.1.1.2", "1.1.1.2")],
        [],
    ),
    "drifts count too, each once": (
        [
            x
            for m in (90, 60, 30)
            for x in (drift(m, LiveIp="1.1.1.1"), drift(m - 1, LiveIp="1.1.1.1"), (m - 5, "no_change", {}))
        ],
        [("web", 3, 0, 3, ["1.1.1.1"], "1.1.1.1", 90, 30)],
    ),
    "a new group's first sighting is no drift": (
        [x for m in (90, 60, 30) for x in ((m, "first_seen", {}), (m - 5, "no_change", {}))],
        [],
    ),
}


@pytest.mark.parametrize("claim", FLAPPING)
def test_flapping(ask, claim):
    history, expected = FLAPPING[claim]
    names = ("ContainerGroup", "Changes", "AddressChanges", "Drifts", "Addresses", "LastIp")
    rows = ask(history, "flapping", changes="3")
    minutes = [tuple((NOW - row[name]).total_seconds() / 60 for name in ("First", "Last")) for row in rows]
    assert [(*(row[name] for name in names), *when) for row, when in zip(rows, minutes, strict=True)] == expected


def finding(kind, name, message="still there"):
    return {"findings": [{"kind": kind, "name": name, "message": message}]}


def test_orphans_are_the_records_that_the_last_sighting_of_an_open_drift_tells_of(ask):
    a_record, ptr = "gone.corp.internal", "9.1.0.10.in-addr.arpa"
    gone = {"group": "gone", "ReverseZone": "1.0.10.in-addr.arpa"}
    history = [
        found(
            190, "r0", ["ptr_stale"], **gone, OldIp="10.0.1.8", Details=finding("ptr_stale", "8.1.0.10.in-addr.arpa")
        ),
        found(70, "r1", ["a_orphaned"], **gone, OldIp="10.0.1.9", Details=finding("a_orphaned", a_record)),
        found(70, "r1", ["ptr_stale"], **gone, OldIp="10.0.1.9", Details=finding("ptr_stale", ptr)),
        drift(
            60,
            ["ptr_stale"],
            LiveIp="10.0.1.5",
            OldIp="10.0.1.4",
            Details=finding("ptr_stale", "4.1.0.10.in-addr.arpa"),
        ),
        drift(60, ["ptr_stale"], group="repaired", Details=finding("ptr_stale", "3.1.0.10.in-addr.arpa")),
        (50, "reconcile_updated", {"group": "repaired"}),
    ]
    rows = ask(history, "orphans")
    names = ("Kind", "RecordType", "Record", "Zone", "Addresses", "GroupIsGone", "Detected", "AgeSeconds")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("ptr_stale", "PTR", ptr, "1.0.10.in-addr.arpa", "10.0.1.9", True, at(191), 191 * 60),
        ("a_orphaned", "A", a_record, "corp.internal", "10.0.1.9", True, at(191), 191 * 60),
        ("ptr_stale", "PTR", "4.1.0.10.in-addr.arpa", "", "10.0.1.4", False, at(60), 3600),
    ]


def test_conflicts_are_open_until_something_says_right(ask):
    other = group_id("other")
    failed = {
        "ErrorCode": "name_conflict",
        "ErrorMessage": f"'x' belongs to another live container group, {other}, and was not touched",
    }
    history = [
        (90, "reconcile_failed", failed),
        (80, "reconcile_failed", failed),
        drift(85, ["owner_conflict"], Details=finding("owner_conflict", "x", f"belongs to {other}, which is running")),
        (70, "reconcile_failed", {"group": "b", "ErrorCode": "not_owned", "ErrorMessage": "no owner mark"}),
        (60, "reconcile_updated", {"group": "b"}),
        (50, "reconcile_updated", {"group": "b"}),
        (40, "reconcile_failed", {"group": "c", "ErrorCode": "throttled"}),
    ]
    rows = ask(history, "conflicts")
    names = ("ContainerGroup", "Owner", "FoundBy", "First", "Last", "Times", "IsOpen", "Resolved", "AgeSeconds")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("web", other.lower(), "reconciler", at(90), at(80), 2, True, None, 90 * 60),
        ("web", other.lower(), "tracker", at(85), at(85), 1, True, None, 85 * 60),
        ("b", "", "reconciler", at(70), at(70), 1, False, at(60), 600),
    ]
    assert rows[1]["ErrorMessage"] == f"belongs to {other}, which is running"


def test_coverage_tells_of_each_scope_when_it_was_last_audited_as_a_whole_and_what_was_found(ask):
    history = [
        audit(130, "r1"),
        found(70, "r2", ["a_mismatch"]),
        found(70, "r2", [], kind="first_seen", group="b"),
        found(70, "r2", ["zone_unlinked"], group=None, ReverseZone="1.0.10.in-addr.arpa"),
        audit(70, "r2"),
        audit(
            10,
            "r3",
            ErrorCode="forbidden",
            ErrorMessage="no",
            Details={"scope": {"resource_groups": [], "zones": ["Corp.Internal"]}},
            ArmCalls=None,
        ),
    ]
    rows = ask(history, "audit-coverage")
    names = (
        "ScopeKind",
        "Scope",
        "Audits",
        "WholeAudits",
        "LastAudit",
        "LastWholeAudit",
        "Findings",
        "Groups",
        "LastErrorCode",
    )
    group = f"{SUBSCRIPTION}/rg-apps".lower()
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("resource_group", group, 2, 2, at(70), at(70), 2, 2, ""),
        ("zone", "1.0.10.in-addr.arpa", 2, 2, at(70), at(70), 1, 0, ""),
        ("zone", "corp.internal", 3, 2, at(10), at(70), 0, 2, "forbidden"),
    ]
    numbers = [
        tuple(row[name] for name in ("RunGroups", "RunRecordSets", "RunFindings", "RunArmCalls")) for row in rows
    ]
    assert numbers == [(3, 9, 3, 7), (3, 9, 3, 7), (0, 0, 0, 0)]
    assert [row["MinutesSinceWhole"] for row in rows] == [70, 70, 70]


def reconcile(minutes, kind, source, lag_seconds, **values):
    return (minutes, kind, {"SourceEventId": source, "LagMs": lag_seconds * 1000, **values})


CAUSES = {
    "right in time": ([reconcile(50, "reconcile_updated", "s", 60)], [("good", 51, 50, 50, 1)]),
    "right exactly at the limit": ([reconcile(50, "reconcile_no_op", "s", 300)], [("good", 55, 50, 50, 1)]),
    "right, and too late": ([reconcile(50, "reconcile_deleted", "s", 301)], [("bad", 55.017, 50, 50.017, 1)]),
    "deferred at first, then right in time": (
        [reconcile(54, "reconcile_deferred", "s", 60), reconcile(52, "reconcile_updated", "s", 180)],
        [("good", 55, 52, 52, 2)],
    ),
    "failed for good": (
        [reconcile(54, "reconcile_failed", "s", 60), reconcile(40, "reconcile_failed", "s", 900)],
        [("bad", 55, None, 50, 2)],
    ),
    "failed so far, and the time is not over": (
        [reconcile(4, "reconcile_failed", "s", 30)],
        [("pending", 4.5, None, None, 1)],
    ),
    "delivered again after it was right": (
        [reconcile(50, "reconcile_updated", "s", 60), reconcile(20, "reconcile_no_op", "s", 1860)],
        [("good", 51, 50, 50, 2)],
    ),
    "without a lag, from the beginning of the run": (
        [(50, "reconcile_updated", {"SourceEventId": "s", "DurationMs": 30_000})],
        [("good", 50.5, 50, 50, 1)],
    ),
    "one event about two groups is two": (
        [reconcile(50, "reconcile_updated", "s", 60), reconcile(49, "reconcile_updated", "s", 60, group="b")],
        [("good", 51, 50, 50, 1), ("good", 50, 49, 49, 1)],
    ),
    "skipped, tracked or without an event: none": (
        [reconcile(50, "reconcile_skipped", "s", 1), drift(50), (40, "reconcile_updated", {"SourceEventId": ""})],
        [],
    ),
}


@pytest.mark.parametrize("claim", CAUSES)
def test_an_event_that_asks_for_a_reconciliation_is_good_when_dns_is_right_in_time(ask, claim):
    history, expected = CAUSES[claim]

    def minutes(time):
        return None if time is None else round((NOW - time).total_seconds() / 60, 3)

    rows = sorted(ask(history, "AciDnsReconcileCauses", within="5m"), key=lambda row: row["Caused"])
    told = [(r["Result"], *(minutes(r[name]) for name in ("Caused", "Done", "Decided")), r["Attempts"]) for r in rows]
    assert told == expected


def test_the_service_level_counts_what_is_settled_by_bucket(ask):
    history = [
        *(reconcile(90 + n, "reconcile_updated", f"g{n}", 60) for n in range(3)),
        reconcile(80, "reconcile_failed", "b", 600),
        reconcile(10, "reconcile_updated", "g", 60),
        reconcile(1, "reconcile_failed", "p", 1),
    ]
    rows = ask(history, "slo", within="5m", objective="0.9", bucket="1h")
    names = ("TimeGenerated", "Total", "Good", "Bad", "Sli", "Objective", "BurnRate")
    assert [tuple(row[name] for name in names) for row in rows] == [
        (at(120), 4, 3, 1, 0.75, 0.9, pytest.approx(2.5)),
        (at(60), 1, 1, 0, 1.0, 0.9, 0.0),
    ]


def test_without_a_budget_there_is_no_burn_rate(ask):
    history = [reconcile(80, "reconcile_failed", "b", 600)]
    assert ask(history, "slo", objective="1")[0]["BurnRate"] is None
    assert [row["LongBurn"] for row in ask(history, "slo-burn", objective="1")] == [0, 0, 0]


BURNS = {
    "nothing happened": ([], [(0, 0, 0, 0, 0, False)] * 3),
    "all bad for hours": (
        [reconcile(6 + n, "reconcile_failed", f"s{n}", 60) for n in range(120)],
        [(59, 59, 4, 4, 100 / 14.4, True), (120, 120, 29, 29, 100 / 6, True), (120, 120, 119, 119, 100 / 3, True)],
    ),
    "bad an hour ago and right since: the short window says that it is over": (
        [
            *(reconcile(58, "reconcile_failed", f"b{n}", 60) for n in range(5)),
            *(reconcile(n, "reconcile_updated", f"g{n}", 60) for n in range(1, 6)),
        ],
        [(10, 5, 5, 0, 0, False), (10, 5, 5, 0, 0, False), (10, 5, 10, 5, 50 / 3, True)],
    ),
}


@pytest.mark.parametrize("claim", BURNS)
def test_the_burn_of_the_error_budget(ask, claim):
    history, expected = BURNS[claim]
    rows = ask(history, "slo-burn", within="5m", objective="0.99")
    names = ("LongTotal", "LongBad", "ShortTotal", "ShortBad", "Ratio", "IsBurning")
    assert [row["Window"] for row in rows] == ["1h/5m", "6h/30m", "1d/2h"]
    assert [tuple(row[name] for name in names) for row in rows] == [
        (*counts, pytest.approx(ratio), burning) for *counts, ratio, burning in expected
    ]


def test_few_bad_events_do_not_burn_where_more_are_asked_for(ask):
    history = [reconcile(6, "reconcile_failed", "s", 60)]
    assert [row["IsBurning"] for row in ask(history, "slo-burn", minimum="2")] == [False, False, False]


def test_times_to_detect_and_repair_by_zone_group_and_resource_group(ask):
    history = []
    for n in range(1, 11):
        history += [drift(100 * n, LagMs=1000 * n), (100 * n - n, "reconcile_updated", {})]
    history += [drift(50, group="b", LagMs=0), (40, "first_seen", {"group": "c"})]
    (zone,) = ask(history, "time-to-repair")
    names = (
        "Scope",
        "Drifts",
        "Repaired",
        "Open",
        "DetectSecondsP50",
        "RepairSecondsP50",
        "RepairSecondsP90",
        "RepairSecondsP99",
    )
    assert tuple(zone[name] for name in names) == ("corp.internal", 11, 10, 1, 5, 300, 540, 600)
    assert zone["LongestOpenSeconds"] == 3000
    scopes = {
        per: [row["Scope"] for row in ask(history, "time-to-repair", per=per)]
        for per in ("group", "resource_group", "")
    }
    assert scopes["group"] == [group_id("b").lower(), group_id("web").lower()]
    assert (scopes["resource_group"], scopes[""]) == ([f"{SUBSCRIPTION}/rg-apps".lower()], ["all"])


@pytest.mark.parametrize("name", ["web", "WEB.corp.internal", group_id("web").upper()])
def test_the_timeline_of_a_group_has_every_event_about_it_in_order(ask, name):
    history = [
        drift(40),
        (50, "reconcile_updated", {}),
        (30, "probe_failed", {"Verdict": "a_missing"}),
        (35, "no_change", {"group": "b"}),
    ]
    rows = ask(history, "group-timeline", group=name)
    assert [row["EventType"] for row in rows] == ["reconcile_updated", "drift_detected", "probe_failed"]


def test_a_timeline_of_no_group_is_empty(ask):
    assert ask([drift(40)], "group-timeline") == []


def test_only_what_lies_in_the_callers_time_range_is_known(ask):
    history = [drift(90, **LATE), (80, "no_change", {}), drift(30, **LATE)]
    assert episodes(ask(history, "AciDnsDriftEpisodes", timespan=timedelta(minutes=60))) == [
        ("a_mismatch", 32, 30, *OPEN)
    ]
