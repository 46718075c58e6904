"""When a drift began, was detected and was repaired, on histories that can be worked out by hand."""

from datetime import timedelta

import pytest

from kql import catalog, tables
from tests.kql.histories import LATE, NOW, SECOND, SUBSCRIPTION, at, audit, drift, event, found, group_id, stamp


def episodes(rows):
    """Give (kinds, minutes of start, detection and repair, how repaired) of each, in order of detection."""

    def minutes(time):
        return None if time is None else round((NOW - time).total_seconds() / 60, 3)

    ordered = sorted(rows, key=lambda row: (row["Detected"], row["Subject"], row["Aspect"]))
    return [
        (r["Kinds"], minutes(r["Start"]), minutes(r["Detected"]), minutes(r["Repaired"]), r["RepairEventType"])
        for r in ordered
    ]


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


def test_only_what_lies_in_the_callers_time_range_is_known(ask):
    history = [drift(90, **LATE), (80, "no_change", {}), drift(30, **LATE)]
    assert episodes(ask(history, "AciDnsDriftEpisodes", timespan=timedelta(minutes=60))) == [
        ("a_mismatch", 32, 30, *OPEN)
    ]
