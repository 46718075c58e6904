"""Whom an event is about."""

from typing import Any

import pytest

from core.arm_id import container_group_id
from core.delivery import Delivery
from core.errors import InputError
from core.records import RecordSet, ZoneRef, owner_mark
from core.zone_map import ZoneMap
from tracker.subject import (
    GroupSubject,
    NoSubject,
    RecordSubject,
    entries_for,
    groups_named,
    owner_of,
    subject_of,
)

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-apps/providers/Microsoft.ContainerInstance/containerGroups/web"
)
ZONES = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-dns/providers/Microsoft.Network/privateDnsZones"
ZONE = ZoneRef(SUBSCRIPTION, "rg-dns", "corp.internal")
ZONE_MAP = ZoneMap.parse(
    """{"rg-apps": {"forward_zone": "corp.internal", "reverse_zones": ["10.in-addr.arpa"],
                    "zones_resource_group": "rg-dns"},
        "rg-jobs": {"forward_zone": "corp.internal", "zones_resource_group": "RG-DNS"},
        "other-sub/rg-far": {"forward_zone": "corp.internal", "zones_resource_group": "rg-dns"},
        "rg-else": {"forward_zone": "corp.internal", "zones_resource_group": "rg-dns-else"},
        "rg-hub": {"forward_zone": "hub.corp.internal", "zones_resource_group": "rg-dns",
                   "zones_subscription_id": "hub-sub"}}"""
)


def event(subject: str, kind: str = "WriteSuccess") -> Delivery:
    return Delivery("e1", f"Microsoft.Resources.Resource{kind}", subject)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (event(GROUP), GroupSubject(container_group_id(SUBSCRIPTION, "rg-apps", "web"), deleted=False)),
        (event(GROUP.upper()), GroupSubject(container_group_id(SUBSCRIPTION, "rg-apps", "web"), deleted=False)),
        (
            event(GROUP, "ActionSuccess"),
            GroupSubject(container_group_id(SUBSCRIPTION, "rg-apps", "web"), deleted=False),
        ),
        (event(GROUP, "DeleteSuccess"), GroupSubject(container_group_id(SUBSCRIPTION, "rg-apps", "web"), deleted=True)),
        (
            event(GROUP, "DeleteFailure"),
            GroupSubject(container_group_id(SUBSCRIPTION, "rg-apps", "web"), deleted=False),
        ),
        (event(f"{ZONES}/corp.internal/A/web"), RecordSubject(ZONE, "A", "web", deleted=False)),
        (event(f"{ZONES}/Corp.Internal/aaaa/Web", "DeleteSuccess"), RecordSubject(ZONE, "AAAA", "web", deleted=True)),
        (
            event(f"{ZONES}/10.in-addr.arpa/PTR/4.1.0"),
            RecordSubject(ZoneRef(SUBSCRIPTION, "rg-dns", "10.in-addr.arpa"), "PTR", "4.1.0", deleted=False),
        ),
    ],
)
def test_the_subject_is_read_whatever_its_case(given: Delivery, expected: Any) -> None:
    assert subject_of(given) == expected


@pytest.mark.parametrize(
    "path", ["corp.internal", "corp.internal/virtualNetworkLinks/hub", "corp.internal/TXT/web", "corp.internal/SOA/@"]
)
def test_zones_links_and_other_records_concern_no_group(path: str) -> None:
    assert isinstance(subject_of(event(f"{ZONES}/{path}")), NoSubject)


@pytest.mark.parametrize(
    "given",
    [
        event(GROUP + "/containers/main"),
        event(GROUP + "x" * 70),
        event(GROUP + "$(id)"),
        event(GROUP + "\nx"),
        event(GROUP + "/.."),
        event(f"/subscriptions/{SUBSCRIPTION}"),
        event(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"),
        event(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/privateDnsZonesX/z"),
        event("x" * 2000),
        Delivery("e1", "Microsoft.EventGrid.SubscriptionDeletedEvent", GROUP),
    ],
    ids=lambda given: given.subject[-40:].encode("unicode_escape").decode(),
)
def test_malformed_and_foreign_events_are_refused(given: Delivery) -> None:
    with pytest.raises(InputError):
        subject_of(given)


def test_the_same_zone_name_elsewhere_is_another_zone() -> None:
    assert [entry.resource_group for entry in entries_for(ZONE_MAP, ZONE)] == ["rg-apps", "rg-jobs"]
    other = ZoneRef("OTHER-SUB", "rg-dns", "corp.internal")
    assert [entry.resource_group for entry in entries_for(ZONE_MAP, other)] == ["rg-far", "rg-apps", "rg-jobs"]
    assert entries_for(ZONE_MAP, ZoneRef(SUBSCRIPTION, "rg-dns", "hub.corp.internal")) == []
    assert len(entries_for(ZONE_MAP, ZoneRef("hub-sub", "rg-dns", "hub.corp.internal"))) == 1


@pytest.mark.parametrize(
    ("fqdn", "groups"),
    [
        ("web.corp.internal", ["rg-apps/web", "rg-jobs/web"]),
        ("corp.internal", []),
        ("a.b.corp.internal", []),
        ("under_score.corp.internal", []),
        ("web.elsewhere.internal", []),
    ],
)
def test_a_name_may_be_that_of_one_group_in_each_resource_group(fqdn: str, groups: list[str]) -> None:
    found = groups_named(fqdn, entries_for(ZONE_MAP, ZONE), ZONE)
    assert [f"{group.resource_group}/{group.name}" for group in found] == groups


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        (owner_mark(GROUP), "web"),
        (owner_mark(GROUP.replace("rg-apps", "rg-unknown")), None),
        (owner_mark("not an id"), None),
        ({"container-group-id": GROUP}, None),
        ({}, None),
    ],
)
def test_a_mark_counts_when_it_is_ours_and_names_a_configured_group(mark: dict[str, str], expected: str | None) -> None:
    found = owner_of(RecordSet(ZONE, "A", "web", 60, ("10.0.1.4",), mark), entries_for(ZONE_MAP, ZONE))
    assert (found.name if found else None) == expected
