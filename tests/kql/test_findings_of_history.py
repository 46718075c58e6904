"""Groups that flap, orphaned records, conflicts and audits, on histories worked out by hand."""

import pytest

from tests.kql.histories import NOW, SUBSCRIPTION, at, audit, drift, found, group_id


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


def unaudited(ask, *history):
    names = ("Scope", "Audits", "LastReconciled", "MinutesUnaudited")
    rows = ask(list(history), "audit-coverage")
    return [tuple(row[name] for name in names) for row in rows if row["ScopeKind"] == "resource_group"]


def scoped(minutes, run, *resource_groups):
    return audit(minutes, run, Details={"scope": {"resource_groups": list(resource_groups), "zones": []}})


OURS = f"{SUBSCRIPTION}/rg-apps".lower()


def test_coverage_has_a_resource_group_that_no_audit_looked_at_with_the_minutes_since_it_was_first_reconciled(ask):
    rows = unaudited(
        ask,
        (200, "reconcile_failed", {"ErrorCode": "throttled"}),
        (90, "reconcile_updated", {"group": "b", "ResourceGroup": "RG-Apps"}),
        scoped(130, "r1", "s-2/rg-other"),
        scoped(10, "r2", "s-2/rg-other"),
    )
    assert rows == [(OURS, 0, at(90), 190), ("s-2/rg-other", 2, None, None)]


def test_coverage_counts_from_the_last_audit_that_looked_at_a_resource_group_to_the_last_of_all(ask):
    reconciled = (300, "reconcile_no_op", {})
    assert unaudited(ask, reconciled, scoped(200, "r1", OURS.upper()), scoped(80, "r2", "s/x"))[0][3] == 120
    assert unaudited(ask, reconciled, scoped(200, "r1", "s/x"), scoped(80, "r2", OURS))[0][3] == 0
    assert unaudited(ask, scoped(200, "r1", "s/x"), (30, "reconcile_no_op", {}))[0][3] == 0


def test_coverage_cannot_tell_what_is_unaudited_without_audits_and_from_a_list_that_was_cut(ask):
    reconciled = (300, "reconcile_no_op", {})
    assert unaudited(ask, reconciled) == [(OURS, 0, at(300), None)]
    names = [f"s/rg-{number:03}" for number in range(100)]
    assert unaudited(ask, reconciled, scoped(10, "r1", *names))[0] == (OURS, 0, at(300), None)
    assert unaudited(ask, reconciled, scoped(10, "r1", *names[:99]))[0] == (OURS, 0, at(300), 290)


def test_coverage_leaves_out_what_the_reconciler_last_skipped_and_what_only_others_saw(ask):
    last_skipped = [(90, "reconcile_updated", {}), (80, "reconcile_skipped", {})]
    assert unaudited(ask, *last_skipped, (70, "no_change", {}), scoped(10, "r1", "s/x")) == [("s/x", 1, None, None)]
    assert unaudited(ask, *last_skipped, (70, "reconcile_no_op", {}), scoped(10, "r1", "s/x"))[0][2:] == (at(70), 80)
