"""A local Azure with one spoke, and the surroundings that the function app gives the reconciler."""

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from cloud.credentials import FixedTokenCredential
from cloud.services import build, run_context
from cloud.sink import MemorySink
from core.arm_id import ArmId
from core.events import Event
from core.run_context import RunContext
from core.settings import Settings
from local_azure.fleet import Fleet
from local_azure.server import LocalAzure
from reconciler import run

FORWARD, REVERSE = "aci.corp.internal", "0.10.in-addr.arpa"
ZONE_MAP = {
    "rg-one": {"forward_zone": FORWARD, "reverse_zones": [REVERSE], "zones_resource_group": "rg-dns"},
    "rg-two": {"forward_zone": FORWARD, "reverse_zones": [REVERSE], "zones_resource_group": "rg-dns"},
}


@dataclass
class Bench:
    """A spoke on the local Azure and a reconciler beside it."""

    azure: LocalAzure
    fleet: Fleet
    vnet: str
    sink: MemorySink

    def settings(self, zone_map: dict[str, Any] | None = None, **changes: Any) -> Settings:
        environment = {
            "DNS_ZONE_MAP": json.dumps(zone_map or ZONE_MAP),
            "ARM_ENDPOINT": self.azure.arm,
            "REQUESTS_CA_BUNDLE": str(self.azure.ca),
        }
        return replace(Settings.from_env(environment, lambda _: ""), **changes)

    def context(self, zone_map: dict[str, Any] | None = None, **changes: Any) -> RunContext:
        settings = self.settings(zone_map, **changes)
        services = build(settings, credential=FixedTokenCredential("test-token", int(time.time()) + 3600))
        context = run_context(services, settings, uuid.uuid4().hex)
        return replace(context, sink=self.sink)

    def event(self, group: ArmId | str, kind: str = "Write", **changes: Any) -> dict[str, Any]:
        operation = {"Write": "write", "Delete": "delete", "Action": "restart/action"}[kind]
        return {
            "id": str(uuid.uuid4()),
            "subject": str(group),
            "eventType": f"Microsoft.Resources.Resource{kind}Success",
            "eventTime": datetime.now(UTC).isoformat(),
            "data": {
                "operationName": f"Microsoft.ContainerInstance/containerGroups/{operation}",
                "correlationId": str(uuid.uuid4()),
            },
            "dataVersion": "2",
            "metadataVersion": "1",
            **changes,
        }

    def reconcile(self, group: str, name: str, kind: str = "Write", **settings: Any) -> Event:
        return run.reconcile(self.event(self.fleet.id(group, name), kind), self.context(**settings))


@pytest.fixture(scope="session")
def azure() -> Iterator[LocalAzure]:
    with LocalAzure.start(parts=()) as running:
        yield running


@pytest.fixture
def bench(azure: LocalAzure) -> Iterator[Bench]:
    """Give an empty spoke: a network of 10.0.0.0/24, its forward and reverse zone linked to it."""
    fleet = Fleet(azure)
    fleet.session.post(f"{azure.arm}/_local/reset", timeout=10).raise_for_status()
    vnet = fleet.vnet("spoke", "10.0.0.0/24")
    fleet.zone(FORWARD, vnet)
    fleet.zone(REVERSE, vnet)
    yield Bench(azure, fleet, vnet, MemorySink())
    fleet.session.close()
