"""Edge cases of events: their order, their content, and what happens between two of them."""

from collections.abc import Mapping
from typing import Any

import pytest

from bench.spoke import FORWARD, Delivered, Spoke, ptr_of
from core.records import owner_mark
from local_azure.faults import Fault
from local_azure.world import RecordSet

NAME = f"web.{FORWARD}"


@pytest.mark.parametrize(
    "data",
    [
        {"operationName": 7, "correlationId": None, "claims": [], "resourceUri": "/subscriptions/x"},
        {"operationName": "Microsoft.ContainerInstance/containerGroups/write", "status": "Succeeded"},
        "a text",
        ["a", "list"],
    ],
    ids=["wrong types", "says it was a write", "text", "list"],
)
def test_edge_delete_handler_sees_a_mangled_object(near: Spoke, web: str, data: object) -> None:
    near.fleet.delete("rg-one", "web")
    delivered = near.deliver(near.event(near.fleet.id("rg-one", "web"), "Delete", data=data))
    assert delivered.outcome == "reconcile_deleted"
    assert near.fleet.records() == {}
    # What depends on the address goes first, so that a crash leaves the record set that leads to it.
    deleted = [record.path.split("/")[-2] for record in delivered.requests[0] if record.method == "DELETE"]
    assert deleted == ["PTR", "A"]


@pytest.mark.parametrize("data", [{}, None], ids=["empty", "null"])
def test_edge_delete_event_has_no_payload(near: Spoke, web: str, data: object) -> None:
    near.fleet.delete("rg-one", "web")
    raw = near.event(near.fleet.id("rg-one", "web"), "Delete", data=data)
    assert near.deliver(raw).outcome == "reconcile_deleted"
    assert near.fleet.records() == {}


def test_edge_delete_event_after_a_hand_edit_of_the_address(near: Spoke, web: str) -> None:
    metadata = near.record_sets()[f"A {NAME}"][1]["metadata"]
    near.fleet.put_record(FORWARD, "A", "web", "10.0.0.99", ttl=60, metadata=metadata)
    near.fleet.delete("rg-one", "web")
    near.deliver(near.event(near.fleet.id("rg-one", "web"), "Delete"))
    assert near.fleet.records() == {}


def test_edge_reordered_events(near: Spoke) -> None:
    near.fleet.create("rg-one", "web", near.vnet)
    created = near.event(near.fleet.id("rg-one", "web"))
    near.fleet.delete("rg-one", "web")
    deleted = near.event(near.fleet.id("rg-one", "web"), "Delete")
    near.fleet.create("rg-one", "filler", near.vnet)
    address = near.fleet.create("rg-one", "web", near.vnet)
    created_again = near.event(near.fleet.id("rg-one", "web"))
    outcomes = [near.deliver(raw).outcome for raw in (created_again, deleted, created, deleted)]
    assert outcomes == ["reconcile_updated", "reconcile_no_op", "reconcile_no_op", "reconcile_no_op"]
    assert near.fleet.records() == {f"A {NAME}": (address,), ptr_of(address): (NAME,)}


def test_edge_duplicate_events(near: Spoke) -> None:
    near.fleet.create("rg-one", "web", near.vnet)
    raw = near.event(near.fleet.id("rg-one", "web"))
    outcomes = [near.deliver(raw).outcome for _ in range(3)]
    assert outcomes == ["reconcile_updated", "reconcile_no_op", "reconcile_no_op"]
    no_ops = [event.to_row()["EventId"] for event in near.sink.events[1:]]
    assert len(set(no_ops)) == 1  # the same fact told twice counts once


@pytest.mark.parametrize("change", ["restart", "hand-deleted A"])
def test_edge_update_never_takes_the_name_away(near: Spoke, web: str, change: str) -> None:
    """A client that finds no record remembers that; so an address is overwritten, never deleted and made again."""
    now = near.fleet.restart("rg-one", "web")
    if change == "hand-deleted A":
        near.fleet.delete_record(FORWARD, "A", "web")
    answered: list[tuple[bool, bool]] = []

    def look(_detail: Mapping[str, Any]) -> None:
        zones = {zone.name: zone.record_sets for zone in near.azure.world.zones.values()}
        named = [key for key in zones[FORWARD] if key == ("A", "web")]
        answered.append((bool(named), any(kind == "PTR" for kind, _ in zones["0.10.in-addr.arpa"])))

    near.fault(Fault("callback", callback=look))
    delivered = near.deliver(near.event(near.fleet.id("rg-one", "web"), "Action"))
    if change == "restart":
        assert set(answered) == {(True, True)}  # nor is there a moment without any PTR: added before removed
    assert not [r for r in delivered.requests[0] if r.method == "DELETE" and "/A/" in r.path]
    assert near.fleet.records()[f"A {NAME}"] == (now,)


def test_edge_etag_of_a_hand_edit_between_read_and_write(near: Spoke, web: str) -> None:
    now = near.fleet.restart("rg-one", "web")

    def edit(_detail: Mapping[str, Any]) -> None:
        zone = next(zone for zone in near.azure.world.zones.values() if zone.name == FORWARD)
        found = zone.record_sets["A", "web"]
        found.properties["aRecords"] = [{"ipv4Address": "10.0.0.77"}]
        found.etag = near.azure.world.new_uuid()

    near.fault(Fault("callback", callback=edit), "privateDns.recordSet.PUT", where={"type": "A"}, times=1)
    delivered = near.deliver(near.event(near.fleet.id("rg-one", "web"), "Action"))
    (made,) = delivered.requests
    assert [record.status for record in made if record.method == "PUT" and "/A/" in record.path] == [412, 200]
    assert delivered.events[0].values["Details"]["rounds"] == 2
    assert near.fleet.records() == {f"A {NAME}": (now,), ptr_of(now): (NAME,)}


def test_edge_etag_of_a_record_set_that_somebody_else_makes_first(near: Spoke) -> None:
    near.fleet.create("rg-one", "web", near.vnet)

    def overtake(_detail: Mapping[str, Any]) -> None:
        zone = next(zone for zone in near.azure.world.zones.values() if zone.name == FORWARD)
        properties = {"aRecords": [{"ipv4Address": "10.0.0.99"}], "metadata": owner_mark(rival, None)}
        zone.record_sets["A", "web"] = RecordSet("A", "web", 60, properties, near.azure.world.new_uuid())

    near.fleet.create("rg-two", "web", near.vnet)
    rival = str(near.fleet.id("rg-two", "web"))
    near.fault(Fault("callback", callback=overtake), "privateDns.recordSet.PUT", where={"type": "A"}, times=1)
    delivered = Delivered()
    assert not near.attempt(near.event(near.fleet.id("rg-one", "web")), delivered)
    (event,) = delivered.events
    assert event.values["ErrorCode"] == "name_conflict"
    # The loser of the name took back the PTR that it had written before it lost.
    assert [change["type"] for change in event.values["Details"]["took_back"]] == ["PTR"]
    assert near.fleet.records() == {f"A {NAME}": ("10.0.0.99",)}
