"""Edge cases of who owns a name or an address. docs/edge-cases.md says which of the known cases is tested where."""

from bench.spoke import ENTRY, FORWARD, REVERSE, Delivered, Spoke, ptr_of
from core.records import owner_mark

NAME = f"web.{FORWARD}"
OTHER = f"other.{FORWARD}"


def relative(address: str) -> str:
    """Give a PTR's name within 0.10.in-addr.arpa."""
    return ".".join(reversed(address.split(".")[2:]))


def delete(spoke: Spoke, group: str, name: str) -> Delivered:
    spoke.fleet.delete(group, name)
    return spoke.deliver(spoke.event(spoke.fleet.id(group, name), "Delete"))


def test_edge_ip_reuse(near: Spoke, web: str) -> None:
    near.fleet.delete("rg-one", "web")
    assert near.fleet.create("rg-one", "heir", near.vnet) == web
    near.reconcile("rg-one", "heir")
    assert [event.type.value for event in near.track("rg-one", "heir")] == ["no_change"]
    late = near.deliver(near.event(near.fleet.id("rg-one", "web"), "Delete"))
    assert late.outcome == "reconcile_deleted"
    assert near.fleet.records() == {f"A heir.{FORWARD}": (web,), ptr_of(web): (f"heir.{FORWARD}",)}


def test_edge_ip_reuse_by_a_group_that_was_not_reconciled_yet(near: Spoke, web: str) -> None:
    near.fleet.delete("rg-one", "web")
    near.fleet.create("rg-one", "heir", near.vnet)
    near.deliver(near.event(near.fleet.id("rg-one", "web"), "Delete"))
    assert near.fleet.records() == {}
    near.reconcile("rg-one", "heir")
    assert near.fleet.records() == {f"A heir.{FORWARD}": (web,), ptr_of(web): (f"heir.{FORWARD}",)}


def test_edge_ip_reuse_by_something_that_is_no_container_group(near: Spoke, web: str) -> None:
    near.fleet.put_record(REVERSE, "PTR", relative(web), "printer.corp.internal")
    theirs = near.record_sets()[ptr_of(web)]
    now = near.fleet.restart("rg-one", "web")
    near.reconcile("rg-one", "web", "Action")
    assert near.record_sets()[ptr_of(web)] == theirs
    delete(near, "rg-one", "web")
    assert now != web
    assert near.fleet.records() == {ptr_of(web): ("printer.corp.internal",)}
    assert near.record_sets()[ptr_of(web)] == theirs


def test_edge_overlapping_spokes(near: Spoke, web: str) -> None:
    near.zone_map = {"rg-one": ENTRY, "rg-two": {**ENTRY, "zones_resource_group": "rg-dns-two"}}
    second = near.fleet.vnet("spoke-two", "10.0.0.0/24")
    for zone in (FORWARD, REVERSE):
        near.fleet.zone(zone, second, group="rg-dns-two")
    assert near.fleet.create("rg-two", "web", second) == web
    first_spoke = near.record_sets()
    near.reconcile("rg-two", "web")
    assert near.record_sets() == first_spoke
    assert {f"A {NAME}", ptr_of(web)} < set(near.record_sets("rg-dns-two"))
    delete(near, "rg-two", "web")
    assert near.record_sets() == first_spoke
    assert not {f"A {NAME}", ptr_of(web)} & set(near.record_sets("rg-dns-two"))


def test_edge_overlapping_spokes_that_share_a_reverse_zone(near: Spoke, web: str) -> None:
    second = near.fleet.vnet("spoke-two", "10.0.0.0/24")
    assert near.fleet.create("rg-two", "other", second) == web
    delivered = Delivered()
    assert not near.attempt(near.event(near.fleet.id("rg-two", "other")), delivered)
    (event,) = delivered.events
    assert event.values["ErrorCode"] == "name_conflict"
    assert "must not share one reverse zone" in event.values["ErrorMessage"]
    # The name is right; whom the address belongs to cannot be known, so its first owner keeps it.
    assert near.fleet.records() == {f"A {NAME}": (web,), f"A {OTHER}": (web,), ptr_of(web): (NAME,)}


def test_edge_multi_value_ptr(near: Spoke, web: str) -> None:
    mark = owner_mark(str(near.fleet.id("rg-one", "web")))
    near.fleet.put_record(REVERSE, "PTR", relative(web), "alias.corp.internal", NAME, ttl=60, metadata=mark)
    before = near.record_sets()
    assert near.deliver(near.event(near.fleet.id("rg-one", "web"))).outcome == "reconcile_no_op"
    assert near.record_sets() == before
    assert [event.type.value for event in near.track("rg-one", "web")] == ["no_change"]


def test_edge_shared_ptr_removal(near: Spoke, web: str) -> None:
    mark = owner_mark(str(near.fleet.id("rg-one", "web")))
    near.fleet.put_record(REVERSE, "PTR", relative(web), "alias.corp.internal", NAME, ttl=60, metadata=mark)
    now = near.fleet.restart("rg-one", "web")
    near.reconcile("rg-one", "web", "Action")
    assert near.fleet.records() == {f"A {NAME}": (now,), ptr_of(now): (NAME,), ptr_of(web): ("alias.corp.internal",)}
    delete(near, "rg-one", "web")
    assert near.fleet.records() == {ptr_of(web): ("alias.corp.internal",)}


def test_edge_shared_hostname(near: Spoke, web: str) -> None:
    second = near.fleet.create("rg-two", "web", near.vnet)
    waiting, delivered = near.event(near.fleet.id("rg-two", "web")), Delivered()
    assert not near.attempt(waiting, delivered)
    near.fleet.delete("rg-one", "web")
    # The second one's event comes again before the first one's deletion: it takes over, the name is never gone.
    assert near.attempt(waiting, delivered)
    assert [event.values.get("ErrorCode") for event in delivered.events] == ["name_conflict", None]
    assert [record.method for record in delivered.requests[-1] if "/A/" in record.path] == ["GET", "PUT"]
    near.deliver(near.event(near.fleet.id("rg-one", "web"), "Delete"))
    assert near.fleet.records() == {f"A {NAME}": (second,), ptr_of(second): (NAME,)}


def test_edge_ownership_collision(near: Spoke, web: str) -> None:
    near.fleet.create("rg-two", "web", near.vnet)
    before = near.record_sets()
    delivered = Delivered()
    for _ in range(3):
        assert not near.attempt(near.event(near.fleet.id("rg-two", "web")), delivered)
    assert {event.values["ErrorCode"] for event in delivered.events} == {"name_conflict"}
    assert near.record_sets() == before
    assert "/resourceGroups/rg-one/" in delivered.events[-1].values["ErrorMessage"]
    assert near.track("rg-two", "web")[0].values["DriftKinds"][0] == "owner_conflict"
    # Nobody's name for ever: as soon as its owner is gone, with or without an event, the next one may have it.
    near.fleet.delete("rg-one", "web")
    assert near.deliver(near.event(near.fleet.id("rg-two", "web"))).outcome == "reconcile_updated"


def test_edge_ownership_orphan(near: Spoke, web: str) -> None:
    near.fleet.delete_record(FORWARD, "A", "web")
    assert [event.type.value for event in near.track("rg-one", "web")] == ["first_seen"]
    assert near.deliver(near.event(near.fleet.id("rg-one", "web"))).outcome == "reconcile_updated"
    assert near.fleet.records() == {f"A {NAME}": (web,), ptr_of(web): (NAME,)}


def test_edge_ownership_orphan_that_is_left_for_the_audit_to_find(near: Spoke, web: str) -> None:
    near.fleet.delete_record(FORWARD, "A", "web")
    near.fleet.delete("rg-one", "web")
    near.fleet.create("rg-one", "placeholder", near.vnet)
    now = near.fleet.create("rg-one", "web", near.vnet)
    assert now != web
    near.reconcile("rg-one", "web")
    delete(near, "rg-one", "web")
    # Its A record went behind our back, and no create or update searches a zone for what that left behind.
    assert near.fleet.records() == {ptr_of(web): (NAME,)}
