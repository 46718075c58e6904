"""What lists do not tell: a group that is stopped, one that changed meanwhile, an owner that is elsewhere."""

from typing import Any

import pytest

from cloud.container_groups import ContainerGroups

Auditor = Any  # tests/tracker/conftest.py's
REVERSE = "10.in-addr.arpa"


def no_ptr(auditor: Auditor) -> None:
    auditor.lab.fleet.delete_record(REVERSE, "PTR", "4.1.0")


@pytest.mark.parametrize(("address", "verdict"), [("kept", "a_orphaned"), ("ip_address_absent", "a_orphaned")])
def test_a_stopped_group_with_records_is_told_from_one_that_runs(auditor: Auditor, address: str, verdict: str) -> None:
    auditor.lab.azure.call(lambda: setattr(auditor.lab.world.settings, "stopped_address", address))
    auditor.lab.fleet.act("rg-apps", "web", "stop")
    no_ptr(auditor)  # with all records right and the address kept, no list tells that it is stopped
    auditor.run()
    assert auditor.found() == [(verdict, "web")]


def test_a_group_that_changed_while_the_audit_was_reading_gets_no_verdict(auditor: Auditor) -> None:
    read = ContainerGroups.get

    def late(self: ContainerGroups, group: Any) -> Any:
        auditor.lab.change(str(group), ip="10.0.1.30")
        return read(self, group)

    no_ptr(auditor)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ContainerGroups, "get", late)
        row = auditor.run()
    assert (auditor.rows, row["Details"]["verdicts"]["no_verdict"]) == ([], 1)


def test_no_more_than_two_groups_for_each_zone_are_read_one_by_one(auditor: Auditor) -> None:
    pages = auditor.run()["Details"]["pages"]
    for number in range(10, 20):
        auditor.lab.group(f"g{number}", f"10.0.2.{number}")
    row = auditor.run()
    assert (row["Details"]["verdicts"]["first_seen"], row["ArmCalls"]) == (10, pages + 2 * 2)
    assert sum(each["Details"]["confirmed"] for each in auditor.rows) == 4


def test_the_owner_in_a_resource_group_that_is_not_audited_is_read_and_not_guessed(auditor: Auditor) -> None:
    other = auditor.lab.group("web", "10.0.1.50", "rg-elsewhere")
    auditor.lab.record("corp.internal", "A", "web", "10.0.1.50", owner=other)
    auditor.run()
    assert auditor.found() == [("owner_conflict", "web")]


def test_a_mark_damaged_by_hand_stops_nothing(auditor: Auditor) -> None:
    auditor.lab.record(REVERSE, "PTR", "99.1.0", "nobody.corp.internal", owner="not an id")
    auditor.run()
    assert auditor.rows == []


def test_lists_of_several_pages_are_read_to_the_end(auditor: Auditor) -> None:
    for number in range(10, 18):
        auditor.right(f"g{number}", f"10.0.2.{number}")
    auditor.lab.azure.call(lambda: setattr(auditor.lab.world.settings, "group_page_size", 2))
    row = auditor.run()
    assert (row["Details"]["groups"], row["Details"]["pages"], auditor.rows) == (10, 7 + 4, [])
