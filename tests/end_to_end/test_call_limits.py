"""Calls to Azure Resource Manager for one event, wrapper and worker together, counted where they arrive."""

from collections import Counter

import pytest

from bench.spoke import FORWARD, REVERSE, Delivered, Spoke
from local_azure.world import RecordSet

BIG = 5_000
SIZES = pytest.mark.parametrize("fill", [0, BIG], ids=["empty zones", f"zones of {BIG} record sets"], indirect=True)


@pytest.fixture
def fill(near: Spoke, request: pytest.FixtureRequest) -> int:
    """Put that many record sets of others into both zones, as somebody's import would have."""

    def put() -> None:
        for zone in near.azure.world.zones.values():
            reverse = zone.name == REVERSE
            for number in range(request.param):
                kind, name = ("PTR", f"{number % 250}.{1 + number // 250}") if reverse else ("A", f"host-{number}")
                value = {"ptrdname": "host.corp.internal"} if reverse else {"ipv4Address": "10.0.200.1"}
                properties = {"ptrRecords" if reverse else "aRecords": [value]}
                zone.record_sets[(kind, name)] = RecordSet(kind, name, 300, properties, f"etag-{number}")

    near.azure.call(put)
    count: int = request.param
    return count


def calls(delivered: Delivered) -> tuple[int, int]:
    """Give (reads, writes) of a delivery that took one attempt."""
    (made,) = delivered.requests
    methods = Counter(record.method for record in made)
    reads = methods.pop("GET", 0)
    assert sum(methods.values()) + reads == delivered.events[-1].values["ArmCalls"]
    return reads, sum(methods.values())


def measure(spoke: Spoke, name: str, kind: str, group: str = "rg-one") -> tuple[str, tuple[int, int]]:
    delivered = spoke.deliver(spoke.event(spoke.fleet.id(group, name), kind))
    return delivered.outcome, calls(delivered)


@SIZES
def test_a_new_group_takes_four_reads_and_two_writes(near: Spoke, fill: int) -> None:
    near.fleet.create("rg-one", "web", near.vnet)
    assert measure(near, "web", "Write") == ("reconcile_updated", (4, 2))


@SIZES
def test_an_unchanged_group_takes_three_reads_and_no_write(near: Spoke, fill: int) -> None:
    near.fleet.create("rg-one", "web", near.vnet)
    near.reconcile("rg-one", "web")
    assert measure(near, "web", "Write") == ("reconcile_no_op", (3, 0))


@SIZES
def test_a_changed_address_takes_five_reads_and_three_writes(near: Spoke, fill: int) -> None:
    near.fleet.create("rg-one", "web", near.vnet)
    near.reconcile("rg-one", "web")
    near.fleet.restart("rg-one", "web")
    assert measure(near, "web", "Action") == ("reconcile_updated", (5, 3))


@SIZES
def test_a_deletion_with_its_address_record_in_place_takes_four_reads_and_two_writes(near: Spoke, fill: int) -> None:
    near.fleet.create("rg-one", "web", near.vnet)
    near.reconcile("rg-one", "web")
    near.fleet.delete("rg-one", "web")
    assert measure(near, "web", "Delete") == ("reconcile_deleted", (4, 2))


@SIZES
def test_a_name_conflict_takes_one_read_more_than_a_new_group_and_no_write(near: Spoke, fill: int) -> None:
    near.fleet.create("rg-one", "web", near.vnet)
    near.reconcile("rg-one", "web")
    near.fleet.create("rg-two", "web", near.vnet)
    delivered = Delivered()
    assert not near.attempt(near.event(near.fleet.id("rg-two", "web")), delivered)
    assert delivered.events[-1].values["ErrorCode"] == "name_conflict"
    assert calls(delivered) == (5, 0)


def test_only_a_deletion_without_its_address_record_reads_the_zone_page_by_page(near: Spoke) -> None:
    near.fleet.create("rg-one", "web", near.vnet)
    near.reconcile("rg-one", "web")
    near.fleet.delete_record(FORWARD, "A", "web")
    near.fleet.delete("rg-one", "web")
    outcome, (reads, writes) = measure(near, "web", "Delete")
    assert (outcome, reads, writes) == ("reconcile_deleted", 4, 1)
    assert near.fleet.records() == {}


def test_an_event_of_an_unconfigured_resource_group_takes_no_call(near: Spoke) -> None:
    near.fleet.create("rg-three", "web", near.vnet)
    assert measure(near, "web", "Write", "rg-three") == ("reconcile_skipped", (0, 0))


def test_the_worker_process_takes_the_same_calls(spoke: Spoke) -> None:
    spoke.fleet.create("rg-one", "web", spoke.vnet)
    assert measure(spoke, "web", "Write") == ("reconcile_updated", (4, 2))
