"""What the audit says when it could not read everything, or reads what is hard to believe."""

from typing import Any

import pytest

from cloud.credentials import FixedTokenCredential
from core.errors import ForbiddenError
from tracker.audit import AuditIncompleteError, AuditOptions

Auditor = Any  # tests/tracker/conftest.py's
REVERSE = "10.in-addr.arpa"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"


def no_ptr(auditor: Auditor) -> None:
    auditor.lab.fleet.delete_record(REVERSE, "PTR", "4.1.0")


UNREADABLE = {
    "container groups": ("containerGroup.LIST", {"resource_group": "rg-apps"}, "container_groups", "no_verdict"),
    "record sets": ("privateDns.recordSet.LIST", {"zone": "corp.internal"}, "record_sets", "no_verdict"),
    "links": ("privateDns.link.LIST", {"zone": REVERSE}, "links", "drift_detected"),
    "zones": ("privateDns.zone.LIST", {}, "zones", "drift_detected"),
}
REFUSED = [(name, status) for name in UNREADABLE for status in (403, 404) if (name, status) != ("zones", 403)]


@pytest.mark.parametrize(("name", "status"), REFUSED)
def test_a_list_that_is_refused_is_an_error_and_never_empty(auditor: Auditor, name: str, status: int) -> None:
    operation, where, what, verdict = UNREADABLE[name]
    no_ptr(auditor)
    auditor.fault(operation, status, **where)
    row = auditor.fails()
    assert isinstance(auditor.error, AuditIncompleteError)
    assert row["Severity"] == "Error"
    assert row["ErrorCode"] in ({"forbidden"} if status == 403 else {"not_found", "zone_missing"})
    assert [each["what"] for each in row["Details"]["incomplete"]] == [what]
    assert row["Details"]["findings"]["a_orphaned"] == 0
    expected = [] if verdict == "no_verdict" else [("ptr_missing", "web")]
    assert auditor.found() == expected


def test_a_role_on_the_zones_alone_is_enough_and_what_is_not_looked_for_is_said(auditor: Auditor) -> None:
    no_ptr(auditor)
    auditor.fault("privateDns.zone.LIST", 403)
    row = auditor.run()
    assert (row["Severity"], row["Details"]["incomplete"]) == ("Information", [])
    assert row["Details"]["zones_not_listed"] == [SUBSCRIPTION]
    assert auditor.found() == [("ptr_missing", "web")]


def test_a_group_whose_resource_group_could_not_be_listed_is_neither_gone_nor_guessed(auditor: Auditor) -> None:
    auditor.lab.record("corp.internal", "A", "job", "10.0.1.5", owner=auditor.lab.group_id("web"))
    auditor.fault("containerGroup.*", 403, resource_group="rg-apps")
    row = auditor.fails()
    assert (auditor.rows, row["Details"]["verdicts"]["no_verdict"]) == ([], 1)
    assert [each["what"] for each in row["Details"]["incomplete"]] == ["container_groups"]


def test_what_could_be_read_is_reported_although_a_part_failed(auditor: Auditor) -> None:
    auditor.lab.fleet.delete_record(REVERSE, "PTR", "5.1.0")
    auditor.fault("containerGroup.LIST", 403, resource_group="rg-apps")
    row = auditor.fails()
    assert auditor.found() == [("ptr_missing", "job")]
    assert (row["Details"]["groups"], row["Details"]["record_sets"]) == (1, 3)


def test_a_reverse_zone_that_does_not_exist_is_an_error_and_one_row_for_the_zone(auditor: Auditor) -> None:
    for entry in auditor.zone_map.values():
        entry["reverse_zones"] = ["1.0.10.in-addr.arpa"]
    row = auditor.fails()
    (found,) = auditor.drift()
    assert (found["DriftKinds"], found["ReverseZone"], found["Details"]["groups"]) == (
        ["reverse_zone_missing"], "1.0.10.in-addr.arpa", 2,
    )  # fmt: skip
    assert row["ErrorCode"] == "zone_missing"


def test_an_identity_that_is_down_is_a_heartbeat_too(auditor: Auditor, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise ForbiddenError("token", "no token")

    monkeypatch.setattr(FixedTokenCredential, "get_token", refuse)
    row = auditor.fails()
    assert (row["ErrorCode"], row["Details"]["groups"], auditor.rows) == ("forbidden", 0, [])


def test_an_empty_inventory_is_said_loudly_and_what_is_left_is_found(auditor: Auditor) -> None:
    auditor.lab.fleet.delete("rg-apps", "web")
    row = auditor.run()
    assert (row["ErrorCode"], row["Severity"]) == ("empty_inventory", "Error")
    assert "rg-apps holds no container group, and 2 record sets belong to groups in it" in row["ErrorMessage"]
    assert auditor.found() == [("a_orphaned", "web"), ("ptr_stale", "web")]


def test_without_any_subscription_it_says_which_setting_is_missing(auditor: Auditor) -> None:
    auditor.more = {}
    row = auditor.fails()
    assert (row["ErrorCode"], "AUDIT_SUBSCRIPTION_ID" in row["ErrorMessage"]) == ("bad_configuration", True)


def test_only_the_resource_groups_that_are_asked_for_are_audited(auditor: Auditor) -> None:
    auditor.lab.fleet.delete_record(REVERSE, "PTR", "5.1.0")
    no_ptr(auditor)
    row = auditor.run(AuditOptions(resource_groups=("RG-Jobs",)))
    assert auditor.found() == [("ptr_missing", "job")]
    assert row["Details"]["scope"]["resource_groups"] == [f"{SUBSCRIPTION}/rg-jobs"]


def test_a_resource_group_that_is_not_in_the_zone_map_is_refused(auditor: Auditor) -> None:
    assert auditor.fails(AuditOptions(resource_groups=("rg-nowhere",)))["ErrorCode"] == "bad_configuration"
