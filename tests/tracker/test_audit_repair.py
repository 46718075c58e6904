"""What is published, when nothing is, and that the reconciler's subscription hears of it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from core.arm_id import ArmId, container_group_id
from core.audit_settings import Repair
from core.delivery import Delivery
from tracker.audit import AuditOptions
from tracker.repair import plan_repairs, repair_event

Auditor = Any  # tests/tracker/conftest.py's
REVERSE = "10.in-addr.arpa"
PUBLISH = AuditOptions(repair=Repair.PUBLISH)
FORCE = AuditOptions(repair=Repair.PUBLISH, force=True)
RIGHT = {"mode": "publish", "wanted": 1, "published": 1, "deferred": 0, "failed": 0, "refused": ""}


def groups(count: int) -> list[ArmId]:
    return [container_group_id("00000000-0000-0000-0000-000000000001", "rg", f"g{number}") for number in range(count)]


@pytest.mark.parametrize(
    ("wanted", "fleet", "refused"),
    [(3, 10, False), (4, 10, True), (9, 9, False), (30, 100, False), (31, 100, True), (0, 0, False)],
)
def test_more_than_three_tenths_of_ten_groups_or_more_are_not_published(wanted: int, fleet: int, refused: bool) -> None:
    plan = plan_repairs(groups(wanted), fleet, 1000)
    assert (bool(plan.refused), len(plan.groups), plan.wanted) == (refused, 0 if refused else wanted, wanted)
    assert len(plan_repairs(groups(wanted), fleet, 1000, force=True).groups) == wanted


def test_a_run_publishes_each_group_once_and_no_more_than_its_limit() -> None:
    plan = plan_repairs([*groups(5), *groups(5)], 100, 3)
    assert (len(plan.groups), plan.wanted, plan.deferred) == (3, 5, 2)


def test_a_doubt_keeps_everything_back_unless_forced() -> None:
    assert plan_repairs(groups(1), 100, 10, doubt="nothing is listed").refused == "nothing is listed"
    assert plan_repairs(groups(1), 100, 10, doubt="nothing is listed", force=True).refused == ""


def test_the_event_is_one_that_the_reconciler_takes_and_the_same_in_the_same_run() -> None:
    (group,), now = groups(1), datetime.now(UTC)
    event = repair_event(group, "run-1", now)
    delivery = Delivery.parse(event)
    assert (delivery.subject, delivery.is_resource_event, delivery.is_delete) == (str(group), True, False)
    assert delivery.correlation_id == "run-1"
    assert event["id"] == repair_event(group, "run-1", now)["id"] != repair_event(group, "run-2", now)["id"]


@pytest.fixture
def topic(auditor: Auditor) -> Auditor:
    """Give an audit whose topic is the local Azure's."""
    auditor.more["REPAIR_TOPIC_ENDPOINT"] = f"{auditor.lab.azure.arm}/eventgrid/repairs/api/events"
    return auditor


def published(auditor: Auditor) -> list[Any]:
    return [record for record in auditor.lab.azure.call(lambda: list(auditor.lab.world.requests.since(0)))
            if record.operation == "eventGrid.publish"]  # fmt: skip


def test_nothing_is_published_unless_it_is_asked_for(topic: Auditor) -> None:
    topic.lab.fleet.delete_record(REVERSE, "PTR", "4.1.0")
    repair = topic.run()["Details"]["repair"]
    assert (repair["mode"], repair["wanted"], repair["published"], published(topic)) == ("off", 1, 0, [])


def test_a_finding_that_can_be_repaired_is_published_once(topic: Auditor) -> None:
    topic.lab.fleet.delete_record(REVERSE, "PTR", "4.1.0")
    topic.lab.record("corp.internal", "A", "web", "10.0.1.99", owner=topic.lab.group_id("web"))
    assert topic.run(PUBLISH)["Details"]["repair"] == RIGHT
    assert [record.status for record in published(topic)] == [200]


def test_what_only_a_person_can_repair_is_not_published(topic: Auditor) -> None:
    topic.lab.record(REVERSE, "PTR", "77.1.0", "web.corp.internal", owner=topic.lab.group_id("web"))
    topic.lab.fleet.unlink(REVERSE, topic.lab.fleet.vnet("spoke", "10.0.1.0/24"))
    repair = topic.run(PUBLISH)["Details"]["repair"]
    assert (repair["wanted"], published(topic)) == (0, [])


def test_what_strict_ownership_forbids_is_not_published(topic: Auditor) -> None:
    topic.zone_map["rg-apps"]["ownership"] = "strict"
    topic.lab.record("corp.internal", "A", "web", "10.0.1.99")
    assert topic.run(PUBLISH)["Details"]["repair"]["wanted"] == 0
    assert [row["Details"]["repairable"] for row in topic.drift()] == [False]


def test_an_empty_inventory_publishes_nothing_and_says_so(topic: Auditor) -> None:
    topic.lab.fleet.delete("rg-apps", "web")
    row = topic.run(PUBLISH)
    assert (row["ErrorCode"], row["Details"]["repair"]["wanted"], published(topic)) == ("empty_inventory", 1, [])
    assert "holds no container group" in row["Details"]["repair"]["refused"]
    assert topic.run(FORCE)["Details"]["repair"] == RIGHT


def test_a_fleet_that_is_mostly_wrong_is_not_published_and_the_heartbeat_is_an_error(topic: Auditor) -> None:
    for number in range(10, 20):
        topic.lab.group(f"g{number}", f"10.0.2.{number}")
    row = topic.run(PUBLISH)
    assert (row["ErrorCode"], row["Severity"], published(topic)) == ("repair_refused", "Error", [])
    assert "10 of 12 container groups" in row["ErrorMessage"]


@pytest.mark.parametrize(("status", "code"), [(403, "forbidden"), (400, "cloud_error")])
def test_a_topic_that_refuses_fails_the_run_and_is_counted(topic: Auditor, status: int, code: str) -> None:
    topic.lab.fleet.delete_record(REVERSE, "PTR", "4.1.0")
    topic.fault("eventGrid.publish", status)
    row = topic.fails(PUBLISH)
    assert (row["ErrorCode"], row["Details"]["repair"]["failed"]) == (code, 1)
    assert row["Details"]["findings"]["ptr_missing"] == 1


def test_a_published_event_reaches_who_subscribed_to_the_group(topic: Auditor) -> None:
    lab = topic.lab
    scope = lab.group_id("x").rpartition("/providers/")[0]
    function = {"resourceId": f"{scope}/providers/Microsoft.Web/sites/app/functions/reconcile"}
    body = {"properties": {"destination": {"endpointType": "AzureFunction", "properties": function}}}
    path = "rg-apps/providers/Microsoft.EventGrid/eventSubscriptions/all"
    lab.fleet.arm("PUT", path, body)
    lab.fleet.delete_record(REVERSE, "PTR", "4.1.0")
    topic.run(PUBLISH)
    heard = [item["subject"] for item in lab.fleet.control("GET", "eventgrid/deliveries")["value"]]
    assert heard.count(lab.group_id("web")) == 1
