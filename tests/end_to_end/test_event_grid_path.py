"""The whole way: a change at ARM, Event Grid, the functions in their host, DNS, and the rows queried back.

One second of Event Grid is two milliseconds here, so a retry after ten of its seconds is one after twenty milliseconds.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from bench.spoke import FORWARD, ZONE_MAP, Spoke
from cloud.credentials import managed_identity
from cloud.logs_query import WorkspaceQuery
from local_azure import eventgrid
from local_azure.faults import Fault
from local_azure.server import LocalAzure

NAME = f"web.{FORWARD}"
TIME_SCALE = 0.002
SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
ATTEMPTS = 3


def ptr(address: str) -> str:
    return f"PTR {'.'.join(reversed(address.split('.')))}.in-addr.arpa"


@dataclass
class Way:
    """A spoke whose events reach the functions by themselves."""

    spoke: Spoke
    azure: LocalAzure

    def settle(self) -> None:
        """Wait until every event has been delivered or given up."""
        self.azure.wait(eventgrid.wait_idle(self.azure.world, 40))

    def deliveries(self, function: str = "reconcile") -> list[dict[str, Any]]:
        """Give the deliveries to a function, each with its attempts."""
        answer = self.spoke.fleet.session.get(f"{self.azure.arm}/_local/eventgrid/deliveries", timeout=10)
        return [item for item in answer.json()["value"] if item["subscription"] == function]

    def control(self, **options: Any) -> None:
        answer = self.spoke.fleet.session.post(f"{self.azure.arm}/_local/eventgrid", json=options, timeout=10)
        answer.raise_for_status()

    def publish(self, *events: object) -> None:
        url = f"{self.azure.arm}/_local/eventgrid/publish"
        body = {"events": list(events), "subscriptions": "*"}
        self.spoke.fleet.session.post(url, json=body, timeout=10).raise_for_status()

    def rows(self, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
        """Query the event table through the SDK, as a managed identity, oldest first."""
        with monkeypatch.context() as patch:
            patch.setenv("IDENTITY_ENDPOINT", self.azure.identity_endpoint)
            patch.setenv("IDENTITY_HEADER", self.azure.identity_header)
            settings = self.azure.world.settings
            client = WorkspaceQuery(
                managed_identity(None), f"{self.azure.query}/v1", settings.workspace_id, ca_bundle=str(self.azure.ca)
            )
            answer = client.query("AciDnsEvents() | sort by EventTime asc")
        names = [name for name, _ in answer.columns]
        return [dict(zip(names, row, strict=True)) for row in answer.rows]

    def outcomes(self, monkeypatch: pytest.MonkeyPatch, component: str = "reconciler") -> list[str]:
        return [row["EventType"] for row in self.rows(monkeypatch) if row["Component"] == component]


@pytest.fixture(scope="module")
def whole(project_root: Any) -> Iterator[LocalAzure]:
    """Give a local Azure with Event Grid and logs, and the function app in its host beside it."""
    parts = ("local_azure.eventgrid", "local_azure.logs")
    with LocalAzure.start(parts=parts, seed=7, provisioning_seconds=0.0) as azure:
        own = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(project_root), "DNS_ZONE_MAP": json.dumps(ZONE_MAP)}
        host = subprocess.Popen(
            [sys.executable, "-m", "local_azure.functions_host", "--app", str(project_root)],
            env={**own, **azure.environment(), "HOME": os.environ.get("HOME", "/")},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        with host:
            assert host.stdout
            ready = json.loads(host.stdout.readline())
            azure.call(lambda: eventgrid.of(azure.world).options.function_hosts.update({"*": ready}))
            yield azure
            host.terminate()


def subscribe(spoke: Spoke, function: str, schema: str) -> None:
    app = f"{SUBSCRIPTION}/resourceGroups/rg-dns/providers/Microsoft.Web/sites/func-dns"
    properties = {
        "destination": {"endpointType": "AzureFunction", "properties": {"resourceId": f"{app}/functions/{function}"}},
        "eventDeliverySchema": schema,
        "filter": {
            "advancedFilters": [
                {
                    "operatorType": "StringBeginsWith",
                    "key": "data.operationName",
                    "values": ["Microsoft.ContainerInstance/containerGroups/"],
                }
            ]
        },
        "deadLetterDestination": {
            "endpointType": "StorageBlob",
            "properties": {
                "resourceId": f"{SUBSCRIPTION}/resourceGroups/rg-dns/providers/Microsoft.Storage/storageAccounts/stdns",
                "blobContainerName": "dead-letters",
            },
        },
        "retryPolicy": {"maxDeliveryAttempts": ATTEMPTS, "eventTimeToLiveInMinutes": 1440},
    }
    url = f"{spoke.azure.arm}{SUBSCRIPTION}/providers/Microsoft.EventGrid/eventSubscriptions/{function}"
    query = {"api-version": "2025-02-15"}
    answer = spoke.fleet.session.put(url, params=query, json={"properties": properties}, timeout=10)
    answer.raise_for_status()
    spoke.fleet.finish(answer)


Make = Callable[[str], Way]


@pytest.fixture
def make(whole: LocalAzure) -> Iterator[Make]:
    """Give `make(schema)`: a spoke whose events go to both functions in that schema."""
    spokes = []

    def build(schema: str = "EventGridSchema") -> Way:
        spoke = Spoke.lay_out(whole)
        spokes.append(spoke)
        way = Way(spoke, whole)
        way.control(timeScale=TIME_SCALE)
        for function in ("reconcile", "track"):
            subscribe(spoke, function, schema)
        return way

    yield build
    for spoke in spokes:
        spoke.close()


@pytest.fixture
def way(make: Make) -> Way:
    return make("EventGridSchema")


@pytest.mark.parametrize("schema", ["EventGridSchema", "CloudEventSchemaV1_0"])
def test_a_group_comes_moves_and_goes_and_dns_follows_by_itself(
    make: Make, monkeypatch: pytest.MonkeyPatch, schema: str
) -> None:
    way = make(schema)
    fleet = way.spoke.fleet
    first = fleet.create("rg-one", "web", way.spoke.vnet)
    way.settle()
    assert fleet.records() == {f"A {NAME}": (first,), ptr(first): (NAME,)}
    second = fleet.restart("rg-one", "web")
    way.settle()
    assert fleet.records() == {f"A {NAME}": (second,), ptr(second): (NAME,)}
    fleet.delete("rg-one", "web")
    way.settle()
    assert fleet.records() == {}
    assert way.outcomes(monkeypatch) == ["reconcile_updated", "reconcile_updated", "reconcile_deleted"]
    assert set(way.outcomes(monkeypatch, "tracker")) <= {"first_seen", "no_change", "drift_detected"}
    moved = way.rows(monkeypatch)
    changed = next(row for row in moved if row["NewIp"] == second and row["Component"] == "reconciler")
    assert (changed["OldIp"], changed["ArmCalls"], changed["Fqdn"]) == (first, 8, NAME)
    assert [change["action"] for change in changed["Changes"]] == ["create", "delete", "update"]


def test_duplicated_and_reordered_events_end_in_the_same_dns(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    way.control(
        faults=[{"kind": "duplicate"}, {"kind": "lost_ack", "probability": 0.5}, {"kind": "reorder", "times": 3}]
    )
    fleet = way.spoke.fleet
    fleet.create("rg-one", "web", way.spoke.vnet)
    fleet.delete("rg-one", "web")
    fleet.create("rg-one", "filler", way.spoke.vnet)
    address = fleet.create("rg-one", "web", way.spoke.vnet)
    way.settle()
    filler = fleet.address("rg-one", "filler")
    expected = {f"A {NAME}": (address,), ptr(address): (NAME,)}
    expected |= {f"A filler.{FORWARD}": (filler,), ptr(filler): (f"filler.{FORWARD}",)}
    assert fleet.records() == expected
    ids = [row["EventId"] for row in way.rows(monkeypatch)]
    assert len(ids) == len(set(ids))


def test_edge_undelivered_events_are_answered_so_that_they_come_again(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Event Grid gives an event up after 400, 403 or 413: whatever Azure said to us, our own answer is 500."""
    way.spoke.fault(Fault("error", 403), "privateDns.recordSet.PUT", times=1)
    address = way.spoke.fleet.create("rg-one", "web", way.spoke.vnet)
    way.settle()
    (delivery,) = way.deliveries()
    assert [attempt["status"] for attempt in delivery["attempts"]] == [500, 202]
    assert way.spoke.fleet.records() == {f"A {NAME}": (address,), ptr(address): (NAME,)}
    rows = [row for row in way.rows(monkeypatch) if row["Component"] == "reconciler"]
    assert [(row["EventType"], row["ErrorCode"]) for row in rows] == [
        ("reconcile_failed", "forbidden"),
        ("reconcile_updated", ""),
    ]
    assert len({row["SourceEventId"] for row in rows}) == 1


def test_edge_undelivered_events_that_are_given_up_are_dead_letters_and_failures_in_the_table(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    way.spoke.fault(Fault("error", 403), "privateDns.recordSet.PUT")
    way.spoke.fleet.create("rg-one", "web", way.spoke.vnet)
    way.settle()
    (delivery,) = way.deliveries()
    assert [attempt["status"] for attempt in delivery["attempts"]] == [500] * ATTEMPTS
    assert delivery["state"] == "dead_lettered"
    assert way.outcomes(monkeypatch) == ["reconcile_failed"] * ATTEMPTS  # each attempt is a fact of its own


def test_malformed_events_are_taken_once_and_not_again(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    good = way.spoke.event(f"{SUBSCRIPTION}/resourceGroups/rg-one/providers/Microsoft.Compute/virtualMachines/x")
    way.publish(good, {**good, "subject": "$(id)\n"}, {**good, "subject": f"{good['subject']}/../.."})
    way.settle()
    for function in ("reconcile", "track"):
        statuses = [attempt["status"] for item in way.deliveries(function) for attempt in item["attempts"]]
        assert statuses == [202, 202, 202]
    assert set(way.outcomes(monkeypatch)) == {"reconcile_skipped"}
    assert way.outcomes(monkeypatch, "tracker") == []
