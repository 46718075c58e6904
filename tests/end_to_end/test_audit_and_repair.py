"""What the audit publishes is what the reconciler repairs: afterwards the next audit finds nothing of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bench.spoke import FORWARD, REVERSE, Spoke
from core.audit_settings import AuditSettings, Repair
from core.records import owner_mark
from reconciler import run
from tracker.audit import AuditOptions, audit
from tracker.audit_report import AuditReport

FORCE = AuditOptions(repair=Repair.PUBLISH, force=True)
Spoil = Callable[[Spoke, str], object]


class Topic:
    """Takes events as Event Grid would, and keeps them."""

    def __init__(self) -> None:
        self.events: list[Mapping[str, Any]] = []

    def publish(self, events: Sequence[Mapping[str, Any]]) -> None:
        self.events += events


def look(spoke: Spoke, topic: Topic) -> AuditReport:
    context = spoke.context(audit=AuditSettings(subscription_id=spoke.fleet.subscription))
    return audit(replace(context, topic=topic), FORCE)


def name_of(address: str) -> str:
    return ".".join(reversed(address.split(".")[2:]))


def wrong_ptr(spoke: Spoke, address: str) -> None:
    spoke.fleet.put_record(REVERSE, "PTR", name_of(address), f"elsewhere.{FORWARD}")


def mark_of_a_group_that_is_gone(spoke: Spoke, address: str) -> None:
    gone = owner_mark(str(spoke.fleet.id("rg-one", "gone")))
    spoke.fleet.put_record(FORWARD, "A", "web", address, metadata=gone)


def orphan(spoke: Spoke, _: str) -> None:
    mark = owner_mark(str(spoke.fleet.id("rg-one", "web")))
    spoke.fleet.put_record(REVERSE, "PTR", "77.0", f"web.{FORWARD}", metadata=mark)


SPOILED: dict[str, tuple[Spoil, set[str]]] = {
    "a platform move": (lambda spoke, _: spoke.fleet.move("rg-one", "web"), {"a_mismatch", "ptr_missing", "ptr_stale"}),
    "A edited by hand": (
        lambda spoke, _: spoke.fleet.put_record(FORWARD, "A", "web", "10.0.0.99"),
        {"a_mismatch"},
    ),
    "A deleted by hand": (lambda spoke, _: spoke.fleet.delete_record(FORWARD, "A", "web"), set()),
    "PTR deleted by hand": (
        lambda spoke, address: spoke.fleet.delete_record(REVERSE, "PTR", name_of(address)),
        {"ptr_missing"},
    ),
    "PTR edited by hand": (wrong_ptr, {"ptr_mismatch"}),
    "the mark of a group that is gone": (mark_of_a_group_that_is_gone, {"a_orphaned"}),
    "the group is gone, and its event was lost": (
        lambda spoke, _: spoke.fleet.delete("rg-one", "web"),
        {"a_orphaned", "ptr_stale"},
    ),
}


@pytest.mark.parametrize("name", SPOILED)
def test_what_is_published_is_repaired(near: Spoke, web: str, name: str) -> None:
    spoil, expected = SPOILED[name]
    topic = Topic()
    assert look(near, topic).is_right
    spoil(near, web)
    found = look(near, topic)
    kinds = {finding.kind.value for judged in found.wrong for finding in judged.findings}
    assert (kinds, found.repair.published) == (expected, 1)
    for event in topic.events:
        run.reconcile(event, near.context(), near.worker)
    assert look(near, topic).wrong == ()


def test_what_is_not_published_is_not_repaired_by_an_event_either(near: Spoke, web: str) -> None:
    topic = Topic()
    orphan(near, web)
    found = look(near, topic)
    assert (len(found.wrong), found.repair.plan.wanted, topic.events) == (1, 0, [])
    near.reconcile("rg-one", "web")
    assert len(look(near, topic).wrong) == 1
