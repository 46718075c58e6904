"""The filters of the event subscriptions, evaluated on 200 events of the shapes that Azure sends."""

import itertools
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.arm_id import ArmId
from infra.check.deployment import Player
from infra.check.parser import parse
from infra.check.values import Obj, from_json, plain
from local_azure.eventgrid.filter import MAX_VALUES, Filter, parse_filter
from tracker.repair import repair_event

ROOT = Path(__file__).resolve().parents[2]
OURS, OTHERS = "11111111-1111-1111-1111-111111111111", "99999999-9999-9999-9999-999999999999"
ZONES = "22222222-2222-2222-2222-222222222222"
MAP = {
    f"{OURS}/{group}": {
        "forward_zone": "aci.corp.internal",
        "reverse_zones": ["1.10.in-addr.arpa"],
        "zones_resource_group": "rg-dns",
        "zones_subscription_id": ZONES,
    }
    for group in ("rg-spoke-one", "rg-spoke-two")
}
GROUP = "Microsoft.ContainerInstance/containerGroups"
ZONE = "Microsoft.Network/privateDnsZones"
Event = dict[str, Any]


def subscriptions(zone_map: Mapping[str, Any]) -> dict[str, Filter]:
    """Play events.bicep for a zone map; give each subscription's filter as Event Grid reads it."""
    documents = {
        path.relative_to(ROOT): parse(path.relative_to(ROOT), path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "infra").rglob("*.bicep"))
    }
    player = Player(ROOT, documents)
    values = {
        "zoneMap": zone_map,
        "environmentName": "test",
        "eventSources": [{"subscriptionId": OURS, "resourceGroup": "rg"}],
    }
    values["repairTopicName"] = "topic"
    player.play(documents[Path("infra/events.bicep")], {name: from_json(value) for name, value in values.items()})
    found = {}
    for instance in player.outcome.instances:
        assert isinstance(instance.body, Obj)
        body = plain(instance.body.get("properties", "filter") or Obj())
        assert isinstance(body, dict)
        name = f"{instance.module}.{instance.declared.name}"
        found[name] = parse_filter(body, [])
    return found


@pytest.fixture(scope="module")
def filters() -> dict[str, Filter]:
    return subscriptions(MAP)


def event(operation: str, resource: str, subscription: str = OURS, outcome: str = "Success") -> Event:
    """Give an event as a subscription's system topic delivers it."""
    provider = operation.partition("/")[0]
    kind = {"write": "Write", "delete": "Delete", "action": "Action"}[operation.rpartition("/")[2]]
    scope = f"/subscriptions/{subscription}/{resource}"
    return {
        "id": f"{operation}{resource}{subscription}{outcome}",
        "topic": f"/subscriptions/{subscription}",
        "subject": scope,
        "eventType": f"Microsoft.Resources.Resource{kind}{outcome}",
        "eventTime": "2026-11-20T10:00:00.0000000Z",
        "dataVersion": "2",
        "metadataVersion": "1",
        "data": {
            "authorization": {"scope": scope, "action": operation, "evidence": {"role": "Contributor"}},
            "correlationId": "54f4e1a0-0000-0000-0000-000000000000",
            "resourceProvider": provider,
            "resourceUri": scope,
            "operationName": operation,
            "status": {"Success": "Succeeded", "Failure": "Failed", "Cancel": "Canceled"}[outcome],
            "subscriptionId": subscription,
            "tenantId": "33333333-3333-3333-3333-333333333333",
        },
    }


def group_path(resource_group: str, name: str) -> str:
    return f"resourceGroups/{resource_group}/providers/{GROUP}/{name}"


def ours() -> Iterator[Event]:
    """Container groups of configured resource groups, in every spelling that Azure is known to use."""
    operations = (
        f"{GROUP}/write",
        f"{GROUP}/delete",
        *(f"{GROUP}/{what}/action" for what in ("start", "stop", "restart")),
    )
    for operation, group, name in itertools.product(
        operations, ("rg-spoke-one", "rg-spoke-two"), ("web", "api", "job")
    ):
        yield event(operation, group_path(group, name))
    for operation in operations:
        yield event(operation, group_path("RG-Spoke-One", "Web"))
        yield event(operation, group_path("rg-spoke-two", "web").replace("resourceGroups", "resourcegroups"))
        yield event(operation.replace("containerGroups", "containergroups").lower(), group_path("rg-spoke-one", "x"))


def records() -> Iterator[Event]:
    """Record sets that somebody wrote or deleted, of every type that can be ours."""
    for kind, what, name in itertools.product(
        ("A", "AAAA", "PTR"), ("write", "delete"), ("web", "api", "1.0", "@", "x")
    ):
        path = f"resourceGroups/rg-dns/providers/{ZONE}/aci.corp.internal/{kind}/{name}"
        yield event(f"{ZONE}/{kind}/{what}", path, ZONES)


def noise() -> Iterator[Event]:
    """Give what the same subscriptions also send."""
    for index, outcome in itertools.product(range(6), ("Failure", "Cancel")):
        yield event(f"{GROUP}/write", group_path("rg-spoke-one", f"f{index}"), OURS, outcome)
    for index in range(12):  # the deployment that made a group is an event of its own
        path = f"resourceGroups/rg-spoke-one/providers/Microsoft.Resources/deployments/d{index}"
        yield event("Microsoft.Resources/deployments/write", path)
    for index in range(8):
        yield event(f"{GROUP}/write", group_path("rg-unconfigured", f"g{index}"))
        yield event(f"{GROUP}/write", group_path("rg-spoke-one-too", f"g{index}"))
        yield event(f"{GROUP}/delete", group_path("rg-spoke-one", f"g{index}"), OTHERS)
    for operation in ("exec/action", "containers/exec/action", "attach/action"):
        yield event(f"{GROUP}/{operation}", group_path("rg-spoke-one", "web"))
    providers = ("Compute/virtualMachines", "Web/sites", "Storage/storageAccounts", "Network/virtualNetworks")
    for provider in (*providers, "App/containerApps"):
        for what in ("write", "delete", "restart/action"):
            path = f"resourceGroups/rg-spoke-one/providers/Microsoft.{provider}/one"
            yield event(f"Microsoft.{provider}/{what}", path)
    for kind in ("CNAME", "TXT", "SRV", "MX", "SOA"):
        for what in ("write", "delete"):
            path = f"resourceGroups/rg-dns/providers/{ZONE}/aci.corp.internal/{kind}/x"
            yield event(f"{ZONE}/{kind}/{what}", path, ZONES)
    for what in ("write", "delete"):
        yield event(f"{ZONE}/{what}", f"resourceGroups/rg-dns/providers/{ZONE}/aci.corp.internal", ZONES)
        link = f"resourceGroups/rg-dns/providers/{ZONE}/aci.corp.internal/virtualNetworkLinks/hub"
        yield event(f"{ZONE}/virtualNetworkLinks/{what}", link, ZONES)
    for index in range(10):
        path = f"resourceGroups/rg-dns/providers/Microsoft.Network/dnsZones/corp.example/A/h{index}"
        yield event("Microsoft.Network/dnszones/A/write", path, ZONES)
    for index in range(35):
        path = f"providers/Microsoft.Authorization/roleAssignments/{index}"
        yield event("Microsoft.Authorization/roleAssignments/write", path)


ALL = [
    *((each, "ours") for each in ours()),
    *((each, "records") for each in records()),
    *((each, "noise") for each in noise()),
]


def passed(found: Filter, events: list[tuple[Event, str]]) -> list[tuple[str, str]]:
    return [(each["id"], kind) for each, kind in events if found.matches(each)]


def test_there_are_200_events_and_each_is_another() -> None:
    assert len(ALL) == len({each["id"] for each, _ in ALL}) == 200


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("subscriptions.reconcile", "ours"),
        ("subscriptions.trackGroups", "ours"),
        ("subscriptions.trackRecords", "records"),
    ],
)
def test_exactly_the_right_events_pass(filters: dict[str, Filter], name: str, wanted: str) -> None:
    assert passed(filters[name], ALL) == [(each["id"], kind) for each, kind in ALL if kind == wanted]


def test_what_the_audit_publishes_passes_the_repair_topic_s_subscription(filters: dict[str, Filter]) -> None:
    group = ArmId.parse(f"/subscriptions/{OURS}/{group_path('rg-spoke-one', 'web')}")
    published = repair_event(group, "run", datetime(2026, 11, 20, tzinfo=UTC))
    assert filters["repair.reconcile"].matches(published)
    assert not filters["repair.reconcile"].matches({**published, "subject": "/subscriptions/x/resourceGroups/y"})


def test_a_resource_group_named_without_a_subscription_is_that_of_the_topic_s_subscription() -> None:
    bare = {"rg-spoke-one": MAP[f"{OURS}/rg-spoke-one"]}
    found = subscriptions(bare)["subscriptions.reconcile"]
    assert {kind for _, kind in passed(found, ALL)} == {"ours"}


def test_more_resource_groups_than_a_filter_holds_are_not_filtered_by_group() -> None:
    many = {f"{OURS}/rg-{index}": MAP[f"{OURS}/rg-spoke-one"] for index in range(16)}
    found = subscriptions(many)["subscriptions.reconcile"]
    assert {kind for _, kind in passed(found, ALL)} == {"ours", "noise"}
    values = [len(condition.values) for condition in found.advanced]
    assert sum(values) <= MAX_VALUES


def test_fifteen_resource_groups_fit_event_grid_s_limit_of_values() -> None:
    most = {f"{OURS}/rg-{index}": MAP[f"{OURS}/rg-spoke-one"] for index in range(15)}
    found = subscriptions(most)["subscriptions.reconcile"]
    assert sum(len(condition.values) for condition in found.advanced) == 20
