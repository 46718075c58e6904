"""A container group's state and its timeline, on histories worked out by hand."""

import pytest

from tests.kql.histories import LATE, NOW, at, audit, drift, found, group_id

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
    "findings of one moment, of which one tells of the address that DNS has": (
        [drift(60, [kind], LiveIp="10.0.1.5", OldIp="10.0.1.4") for kind in ("a_mismatch", "ptr_missing", "ptr_stale")],
        ("drift", 60, "a_mismatch,ptr_missing,ptr_stale", "10.0.1.5", "10.0.1.4"),
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
