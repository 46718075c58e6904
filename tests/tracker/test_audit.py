"""The audit against a local Azure, through the real SDKs, as a principal that may only read."""

from collections.abc import Callable
from typing import Any

import pytest

Auditor = Any  # tests/tracker/conftest.py's
REVERSE = "10.in-addr.arpa"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
KINDS = [
    *("a_mismatch", "ptr_missing", "ptr_mismatch", "ptr_stale", "a_orphaned"),
    *("owner_conflict", "reverse_zone_missing", "zone_unlinked", "zone_shadowed"),
]


def test_a_fleet_that_is_right_gives_one_heartbeat_and_its_numbers(auditor: Auditor) -> None:
    row = auditor.run()
    assert auditor.rows == []
    assert (row["Component"], row["Severity"], row["CorrelationId"]) == ("audit", "Information", "run-1")
    assert "ErrorCode" not in row
    assert row["Details"] == {
        "scope": {
            "resource_groups": [f"{SUBSCRIPTION}/rg-apps", f"{SUBSCRIPTION}/rg-jobs"],
            "zones": ["corp.internal", REVERSE],
        },
        "groups": 2,
        "record_sets": 4,
        "zones": 2,
        "links": 2,
        "verdicts": {"no_change": 2, "first_seen": 0, "drift_detected": 0, "no_verdict": 0},
        "findings": dict.fromkeys(KINDS, 0),
        "pages": 7,
        "arm_calls": 7,
        "incomplete": [],
        "suspicious": [],
        "zones_not_listed": [],
        "repair": {"mode": "off", "wanted": 0, "published": 0, "deferred": 0, "failed": 0, "refused": ""},
    }
    assert (row["ArmCalls"], row["Attempt"]) == (7, 1)


def test_calls_do_not_grow_with_groups_but_with_pages(auditor: Auditor) -> None:
    before = auditor.run()["ArmCalls"]
    for number in range(10, 40):
        auditor.right(f"g{number}", f"10.0.2.{number}")
    assert auditor.run()["ArmCalls"] == before


def test_it_reads_and_never_writes(auditor: Auditor) -> None:
    auditor.lab.group("new", "10.0.1.9")
    mark = auditor.lab.request_total()
    auditor.run()
    assert set(auditor.lab.methods_since(mark)) == {"GET"}


def wrong_address(auditor: Auditor) -> None:
    auditor.lab.change(auditor.lab.group_id("web"), ip="10.0.1.8")
    auditor.lab.record(REVERSE, "PTR", "8.1.0", "web.corp.internal", owner=auditor.lab.group_id("web"))
    auditor.lab.fleet.delete_record(REVERSE, "PTR", "4.1.0")


def no_ptr(auditor: Auditor) -> None:
    auditor.lab.fleet.delete_record(REVERSE, "PTR", "4.1.0")


def other_ptr(auditor: Auditor) -> None:
    auditor.lab.record(REVERSE, "PTR", "4.1.0", "elsewhere.corp.internal")


def the_documented_orphan(auditor: Auditor) -> None:
    auditor.lab.record(REVERSE, "PTR", "77.1.0", "web.corp.internal", owner=auditor.lab.group_id("web"))


def an_unmarked_ptr(auditor: Auditor) -> None:
    auditor.lab.record(REVERSE, "PTR", "78.1.0", "Web.Corp.Internal.")


def gone(auditor: Auditor) -> None:
    auditor.lab.fleet.delete("rg-apps", "web")
    auditor.right("other", "10.0.1.20")


def owned_by_another(auditor: Auditor) -> None:
    job = auditor.lab.group_id("job", "rg-jobs")
    auditor.lab.record("corp.internal", "A", "web", "10.0.1.4", owner=job)


def outside_of_every_reverse_zone(auditor: Auditor) -> None:
    auditor.lab.change(auditor.lab.group_id("web"), ip="192.168.0.4")
    auditor.lab.record("corp.internal", "A", "web", "192.168.0.4", owner=auditor.lab.group_id("web"))
    auditor.lab.fleet.delete_record(REVERSE, "PTR", "4.1.0")


def unlinked(auditor: Auditor) -> None:
    auditor.lab.fleet.unlink(REVERSE, auditor.lab.fleet.vnet("spoke", "10.0.1.0/24"))


def shadowed(auditor: Auditor) -> None:
    auditor.lab.zone("1.0.10.in-addr.arpa", "spoke")


CASES: dict[str, tuple[Callable[[Auditor], None], list[tuple[str, str]]]] = {
    "a platform move": (wrong_address, [("a_mismatch", "web")]),
    "a PTR deleted by hand": (no_ptr, [("ptr_missing", "web")]),
    "a PTR changed by hand": (other_ptr, [("ptr_mismatch", "web")]),
    "a PTR with our mark at an address that no A names": (the_documented_orphan, [("ptr_stale", "web")]),
    "a PTR without a mark that names the group at another address": (an_unmarked_ptr, [("ptr_stale", "web")]),
    "a group that is gone": (gone, [("a_orphaned", "web"), ("ptr_stale", "web")]),
    "a name that another live group owns": (owned_by_another, [("owner_conflict", "web")]),
    "an address in no reverse zone": (outside_of_every_reverse_zone, [("reverse_zone_missing", "web")]),
    "a reverse zone that is not linked": (unlinked, [("zone_unlinked", "")]),
    "a longer zone in the same network": (shadowed, [("zone_shadowed", "")]),
}


@pytest.mark.parametrize("name", CASES)
def test_each_kind_of_drift_is_a_row_of_its_own(auditor: Auditor, name: str) -> None:
    spoil, expected = CASES[name]
    spoil(auditor)
    row = auditor.run()
    assert auditor.found() == sorted(expected)
    counted = {kind: number for kind, number in row["Details"]["findings"].items() if number}
    assert sum(counted.values()) == len(expected)
    assert set(counted) == {kind for kind, _ in expected}
    assert "ErrorCode" not in row


def test_a_finding_has_the_columns_of_its_group_and_says_whether_an_event_repairs_it(auditor: Auditor) -> None:
    the_documented_orphan(auditor)
    auditor.run()
    (row,) = auditor.drift()
    details = row.pop("Details")
    changing = {"TimeGenerated", "EventTime", "EventId", "ToolVersion", "DurationMs"}
    assert {name: row[name] for name in row if name not in changing} == {
        "Component": "audit", "EventType": "drift_detected", "Severity": "Warning", "CorrelationId": "run-1",
        "SubscriptionId": SUBSCRIPTION, "ResourceGroup": "rg-apps", "ContainerGroup": "web",
        "ContainerGroupId": auditor.lab.group_id("web"), "Fqdn": "web.corp.internal", "ForwardZone": "corp.internal",
        "ReverseZone": REVERSE, "OldIp": "10.0.1.77", "NewIp": "10.0.1.4", "LiveIp": "10.0.1.4",
        "PtrName": "77.1.0.10.in-addr.arpa", "PtrTarget": "web.corp.internal", "DriftKinds": ["ptr_stale"],
        "Attempt": 1,
    }  # fmt: skip
    # the reconciler finds a running group's PTRs by the addresses in its A record, and no A names this one
    assert (details["cause"], details["repairable"], details["confirmed"]) == ("audit", False, True)


def test_an_orphan_is_found_although_the_group_has_no_address_record_set(auditor: Auditor) -> None:
    the_documented_orphan(auditor)
    auditor.lab.fleet.delete_record("corp.internal", "A", "web")
    row = auditor.run()
    assert [each["EventType"] for each in auditor.rows] == ["first_seen", "drift_detected"]
    assert auditor.found() == [("ptr_stale", "web")]
    assert row["Details"]["verdicts"]["first_seen"] == 1


def test_what_is_wrong_with_a_zone_is_one_row_with_the_number_of_groups(auditor: Auditor) -> None:
    unlinked(auditor)
    row = auditor.run()
    (found,) = auditor.drift()
    assert (found["ReverseZone"], found["Details"]["groups"]) == (REVERSE, 2)
    assert "ContainerGroup" not in found
    assert row["Details"]["verdicts"] == {"no_change": 2, "first_seen": 0, "drift_detected": 0, "no_verdict": 0}


def test_two_zones_with_the_same_fault_are_two_rows_with_ids_of_their_own(auditor: Auditor) -> None:
    network = auditor.lab.fleet.vnet("spoke", "10.0.1.0/24")
    for zone in ("corp.internal", REVERSE):
        auditor.lab.fleet.unlink(zone, network)
    auditor.run()
    assert sorted(row.get("ForwardZone") or row["ReverseZone"] for row in auditor.drift()) == [REVERSE, "corp.internal"]
    assert len({row["EventId"] for row in auditor.rows}) == 2


def test_the_same_finding_has_the_same_id_within_a_run_and_another_in_the_next(auditor: Auditor) -> None:
    gone(auditor)
    unlinked(auditor)
    ids = []
    for run_id in ("run-1", "run-1", "run-2"):
        auditor.run(run_id=run_id)
        ids.append({row["EventId"] for row in auditor.rows})
    assert len(ids[0]) == len(auditor.rows) == 3
    assert ids[0] == ids[1]
    assert not ids[0] & ids[2]
