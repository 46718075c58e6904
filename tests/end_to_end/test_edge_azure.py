"""Edge cases of what Azure answers: refusals, throttling, lists, limits, and addresses that are not there yet."""

import time
from collections.abc import Callable

import pytest

from bench.spoke import FORWARD, REVERSE, Delivered, Spoke, ptr_of
from core.records import owner_mark
from local_azure.faults import Fault
from local_azure.world import PrivateZone, RecordSet

NAME = f"web.{FORWARD}"
LIST = "privateDns.recordSet.LIST"
MAX_RECORD_SETS = 25_000


def zone(spoke: Spoke, name: str) -> PrivateZone:
    return next(found for found in spoke.azure.world.zones.values() if found.name == name)


def fill(spoke: Spoke, name: str, count: int) -> None:
    """Put record sets of others into a zone."""
    kind, properties = "A", {"aRecords": [{"ipv4Address": "10.0.200.1"}]}
    if name == REVERSE:
        kind, properties = "PTR", {"ptrRecords": [{"ptrdname": "host.corp.internal"}]}

    def put() -> None:
        for number in range(count):
            label = f"{number % 200}.{1 + number // 200}" if kind == "PTR" else f"host-{number}"
            zone(spoke, name).record_sets[kind, label] = RecordSet(kind, label, 300, properties, f"e-{number}")

    spoke.azure.call(put)


def test_edge_type_change(near: Spoke) -> None:
    near.fleet.create("rg-one", "web", near.vnet)
    cname = RecordSet("CNAME", "web", 300, {"cnameRecord": {"cname": "old.corp.internal"}}, "etag-of-a-person")
    near.azure.call(lambda: zone(near, FORWARD).record_sets.update({("CNAME", "web"): cname}))
    delivered, raw = Delivered(), near.event(near.fleet.id("rg-one", "web"))
    assert not near.attempt(raw, delivered)
    (event,) = delivered.events
    assert event.values["ErrorCode"] == "conflict"
    assert "CNAME record with the same name" in event.values["ErrorMessage"]
    assert near.fleet.records() == {}  # the PTR that had been written was taken back
    assert near.record_sets()[f"CNAME {NAME}"][0] == "etag-of-a-person"
    near.azure.call(lambda: zone(near, FORWARD).record_sets.pop(("CNAME", "web")))
    assert near.attempt(raw, delivered)


def test_edge_409_pending_operation(near: Spoke, web: str) -> None:
    now = near.fleet.restart("rg-one", "web")
    pending = Fault("error", 409, "Conflict", "Another operation is pending on the zone.")
    near.fault(pending, "privateDns.recordSet.PUT", where={"type": "A"}, times=1)
    delivered = near.deliver(near.event(near.fleet.id("rg-one", "web"), "Action"))
    assert [event.values.get("ErrorCode") for event in delivered.events] == ["conflict", None]
    assert near.fleet.records() == {f"A {NAME}": (now,), ptr_of(now): (NAME,)}


def test_edge_429_is_waited_for_as_long_as_azure_says(near: Spoke, web: str) -> None:
    near.fault(Fault("throttle", retry_after=0.3), "privateDns.recordSet.GET", times=1)
    began = time.monotonic()
    delivered = near.deliver(near.event(near.fleet.id("rg-one", "web")))
    assert time.monotonic() - began >= 0.3
    assert (delivered.outcome, len(delivered.requests[0])) == ("reconcile_no_op", 4)


def test_edge_429_is_not_asked_again_when_azure_says_later_than_the_deadline(near: Spoke, web: str) -> None:
    near.fault(Fault("throttle", retry_after=600), "privateDns.recordSet.GET")
    delivered = Delivered()
    assert not near.attempt(near.event(near.fleet.id("rg-one", "web")), delivered)
    assert delivered.events[0].values["ErrorCode"] == "throttled"
    assert len(delivered.requests[0]) == 2  # the group, and the one call that was throttled: no loop makes it worse


def scan_for_the_ptr(near: Spoke) -> dict[str, object]:
    """Leave the deletion of a group whose A record is gone: only a list of the reverse zone finds its PTR."""
    fill(near, REVERSE, 250)
    near.fleet.delete_record(FORWARD, "A", "web")
    near.fleet.delete("rg-one", "web")
    return near.event(near.fleet.id("rg-one", "web"), "Delete")


def test_edge_python_sdk_list_is_throttled_and_read_on(near: Spoke, web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud.private_dns.PAGE_SIZE", "100")
    raw = scan_for_the_ptr(near)
    near.fault(Fault("throttle", retry_after=0), LIST, skip=1, times=2)
    delivered = near.deliver(raw)
    statuses = [record.status for record in delivered.requests[0] if record.operation == LIST]
    assert statuses == [200, 429, 429, 200, 200]
    assert (len(delivered.events), ptr_of(web) in near.fleet.records()) == (1, False)


@pytest.mark.parametrize("status", [503, 404, 403])
def test_edge_list_failure(near: Spoke, impatient: Callable[..., None], web: str, status: int) -> None:
    impatient()
    raw = scan_for_the_ptr(near)
    before = near.record_sets()
    near.fault(Fault("error", status, retry_after=0), LIST)
    delivered = Delivered()
    assert not near.attempt(raw, delivered)
    assert delivered.events[0].type.value == "reconcile_failed"
    assert near.record_sets() == before
    near.clear_faults()
    assert near.attempt(raw, delivered)
    assert ptr_of(web) not in near.fleet.records()


def test_edge_list_failure_of_one_record_set_adds_nothing_again(
    near: Spoke, impatient: Callable[..., None], web: str
) -> None:
    impatient()
    before = near.record_sets()
    near.fault(Fault("error", 500), "privateDns.recordSet.GET", where={"type": "A"})
    delivered = Delivered()
    assert not near.attempt(near.event(near.fleet.id("rg-one", "web")), delivered)
    assert not [record for record in delivered.requests[0] if record.method != "GET"]
    assert near.record_sets() == before


def test_edge_partial_scope(
    near: Spoke, impatient: Callable[..., None], web: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found on the pages before the one that failed is not acted upon."""
    monkeypatch.setattr("cloud.private_dns.PAGE_SIZE", "100")
    impatient()
    raw = scan_for_the_ptr(near)
    before = near.record_sets()
    near.fault(Fault("error", 500), LIST, skip=2)
    delivered = Delivered()
    assert not near.attempt(raw, delivered)
    assert near.record_sets() == before
    assert not [record for record in delivered.requests[0] if record.method == "DELETE"]


@pytest.mark.parametrize("shown", ["null", "absent", "0.0.0.0"])
def test_edge_null_ip_though_succeeded_and_0_0_0_0(near: Spoke, web: str, shown: str) -> None:
    before = near.record_sets()
    group = near.azure.world.groups[str(near.fleet.id("rg-one", "web")).lower()]
    near.azure.call(lambda: setattr(group, "shown_ip", shown))
    delivered = Delivered()
    assert not near.attempt(near.event(near.fleet.id("rg-one", "web")), delivered)
    (event,) = delivered.events
    assert (event.type.value, event.values["ErrorCode"]) == ("reconcile_deferred", "not_ready")
    assert (near.record_sets(), near.track("rg-one", "web")) == (before, [])
    near.azure.call(lambda: setattr(group, "shown_ip", None))
    assert near.deliver(near.event(near.fleet.id("rg-one", "web"))).outcome == "reconcile_no_op"


def test_edge_ttl(near: Spoke, web: str) -> None:
    marks = owner_mark(str(near.fleet.id("rg-one", "web")))
    address = {**marks, "written-address": web}
    near.fleet.put_record(FORWARD, "A", "web", web, ttl=3600, metadata=address)
    last = ".".join(reversed(web.split(".")[2:]))
    near.fleet.put_record(REVERSE, "PTR", last, NAME, "alias.corp.internal", ttl=7200, metadata=marks)
    assert near.deliver(near.event(near.fleet.id("rg-one", "web"))).outcome == "reconcile_updated"
    found = near.record_sets()
    assert {found[f"A {NAME}"][1]["ttl"], found[ptr_of(web)][1]["ttl"]} == {60}
    assert near.fleet.records()[ptr_of(web)] == (NAME, "alias.corp.internal")


def test_edge_zone_limits(near: Spoke) -> None:
    near.fleet.create("rg-one", "web", near.vnet)
    fill(near, FORWARD, MAX_RECORD_SETS - 1)  # the SOA is one as well
    before = near.record_sets()
    delivered, raw = Delivered(), near.event(near.fleet.id("rg-one", "web"))
    assert not near.attempt(raw, delivered)
    assert "limit of 25000 record sets" in delivered.events[0].values["ErrorMessage"]
    assert near.record_sets() == before
    near.azure.call(lambda: zone(near, FORWARD).record_sets.pop(("A", "host-1")))
    assert near.attempt(raw, delivered)
    # Ownership is metadata on the two record sets themselves, and takes up none of its own.
    assert len(near.record_sets()) == len(before) - 1 + 2


@pytest.mark.parametrize(
    "fault", [Fault("error", 500), Fault("error", 404), Fault("reset")], ids=["500", "404", "reset"]
)
def test_edge_group_that_cannot_be_read_is_not_a_group_that_is_gone(
    near: Spoke, impatient: Callable[..., None], web: str, fault: Fault
) -> None:
    impatient()
    near.reopen()
    before = near.record_sets()
    near.fault(fault, "containerGroup.GET")
    delivered = Delivered()
    assert not near.attempt(near.event(near.fleet.id("rg-one", "web"), "Delete"), delivered)
    assert near.record_sets() == before
