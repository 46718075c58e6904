"""One spoke on a local Azure and a reconciler beside it: what end-to-end tests and benchmarks stand on.

A network of 10.0.0.0/24, its forward and reverse zone linked to it, and the surroundings that the function app gives
the reconciler. Everything between the two goes over HTTPS through the real SDKs.
"""

import copy
import io
import json
import os
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from cloud.credentials import FixedTokenCredential
from cloud.private_dns import PrivateDns
from cloud.services import Services, build, run_context
from cloud.sink import MemorySink
from core.arm_id import ArmId
from core.events import Event
from core.names import parse_address, reverse_name
from core.run_context import RunContext
from core.settings import Settings
from local_azure.faults import Fault, FaultRule
from local_azure.fleet import Fleet
from local_azure.server import LocalAzure
from local_azure.world import RequestRecord
from reconciler import run, worker
from reconciler.contract import WorkerResult
from reconciler.process import WorkerExit, run_worker
from reconciler.report import ReconcileFailedError
from tracker.run import track

FORWARD: Final = "aci.corp.internal"
REVERSE: Final = "0.10.in-addr.arpa"
ENTRY: Final[Mapping[str, Any]] = {
    "forward_zone": FORWARD,
    "reverse_zones": [REVERSE],
    "zones_resource_group": "rg-dns",
}
ZONE_MAP: Final[Mapping[str, Any]] = {"rg-one": ENTRY, "rg-two": ENTRY}
REDELIVERIES: Final = 5
_OPERATIONS: Final = {"Write": "write", "Delete": "delete", "Action": "restart/action"}
_TOKEN_SECONDS: Final = 3600


def in_process(
    contract: Mapping[str, str],
    token: str,
    deadline_seconds: float,  # noqa: ARG001 - the caller's; nothing here could kill the worker at it
    log: Callable[[str, str], None],
    ca_bundle: str | None = None,
) -> WorkerExit:
    """Run the worker's own main in this process: the same code without 0.2 s of Python starting."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as pipe:
        pipe.write(token)
    began, out = time.monotonic(), io.StringIO()
    environment = {**contract, "TOKEN_FD": str(reading), "REQUESTS_CA_BUNDLE": ca_bundle or ""}
    code = worker.main(environment, out)
    last = out.getvalue().rstrip("\n").rpartition("\n")[2]
    log("stdout", last)
    return WorkerExit(code, False, WorkerResult.from_line(last), "", round((time.monotonic() - began) * 1000))


@dataclass
class Delivered:
    """What became of one event: each attempt's row, in order, and the requests that each made to ARM."""

    events: list[Event] = field(default_factory=list)
    requests: list[list[RequestRecord]] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """The event type that the last attempt ended with."""
        return self.events[-1].type.value


@dataclass
class Spoke:
    """A spoke on the local Azure, and a reconciler beside it."""

    azure: LocalAzure
    fleet: Fleet
    vnet: str
    sink: MemorySink = field(default_factory=MemorySink)
    worker: run.RunWorker = run_worker
    zone_map: Mapping[str, Any] = field(default_factory=lambda: dict(ZONE_MAP))
    credential: Any = None
    _services: Services | None = None

    @staticmethod
    def lay_out(azure: LocalAzure) -> "Spoke":
        """Empty the local Azure and lay the spoke out in it."""
        azure.call(azure.world.reset)
        azure.world.settings.new_ip_on_restart = False
        fleet = Fleet(azure)
        vnet = fleet.vnet("spoke", "10.0.0.0/24")
        fleet.zone(FORWARD, vnet)
        fleet.zone(REVERSE, vnet)
        return Spoke(azure, fleet, vnet)

    def close(self) -> None:
        """Close the connections."""
        self.fleet.session.close()
        self.reopen()

    def settings(self, **changes: Any) -> Settings:
        """Give the settings that a process of ours would read from its environment here; `changes` go over them."""
        environment = {
            "DNS_ZONE_MAP": json.dumps(self.zone_map),
            "ARM_ENDPOINT": self.azure.arm,
            "REQUESTS_CA_BUNDLE": str(self.azure.ca),
        }
        return replace(Settings.from_env(environment, lambda _: ""), **changes)

    def context(self, **changes: Any) -> RunContext:
        """Give one invocation its surroundings; the connections are this spoke's."""
        return replace(run_context(self.services, self.settings(**changes), uuid.uuid4().hex), sink=self.sink)

    def reopen(self) -> None:
        """Close the doors; they are built anew when next needed."""
        if self._services:
            self._services.close()
        self._services = None

    @property
    def services(self) -> Services:
        """The doors of this process, built when first needed."""
        if self._services is None:
            credential = self.credential or FixedTokenCredential("test-token", int(time.time()) + _TOKEN_SECONDS)
            self._services = build(self.settings(), credential=credential, sink=self.sink)
        return self._services

    def event(self, group: ArmId | str, kind: str = "Write", **changes: Any) -> dict[str, Any]:
        """Make an event of a container group in the Event Grid schema; `kind` is Write, Delete or Action."""
        return {
            "id": str(uuid.uuid4()),
            "subject": str(group),
            "eventType": f"Microsoft.Resources.Resource{kind}Success",
            "eventTime": datetime.now(UTC).isoformat(),
            "data": {
                "operationName": f"Microsoft.ContainerInstance/containerGroups/{_OPERATIONS[kind]}",
                "correlationId": str(uuid.uuid4()),
            },
            "dataVersion": "2",
            "metadataVersion": "1",
            **changes,
        }

    def reconcile(self, group: str, name: str, kind: str = "Write", **settings: Any) -> Event:
        """Answer one event of a container group once; raises as the invocation would."""
        return run.reconcile(self.event(self.fleet.id(group, name), kind), self.context(**settings), self.worker)

    def track(self, group: str, name: str, *, links: bool = False) -> list[Event]:
        """Have the tracker answer one event of a container group; `links` has it look at the zones' links too."""
        context = self.context()
        raw = self.event(self.fleet.id(group, name))
        return track(raw, context, zones=PrivateDns(self.services.arm) if links else None)

    def attempt(self, raw: object, delivered: Delivered, **settings: Any) -> bool:
        """Deliver an event once; False when the invocation failed, so that Event Grid would deliver it again."""
        before, rows = self.requests_total(), len(self.sink.events)
        try:
            run.reconcile(raw, self.context(**settings), self.worker)
        except ReconcileFailedError:
            done = False
        else:
            done = True
        delivered.events += self.sink.events[rows:]
        delivered.requests.append(self.requests_since(before))
        return done

    def deliver(self, raw: object, **settings: Any) -> Delivered:
        """Deliver an event again until it succeeds, as Event Grid does, a handful of times at most."""
        delivered = Delivered()
        for _ in range(REDELIVERIES):
            if self.attempt(raw, delivered, **settings):
                return delivered
        last = delivered.events[-1].values
        raise AssertionError(f"still failing after {REDELIVERIES} attempts: {last.get('ErrorMessage')}")

    def fault(self, fault: Fault, operation: str = "*", **rule: Any) -> FaultRule:
        """Switch a fault on."""
        return self.azure.call(lambda: self.azure.world.faults.add(FaultRule(fault, operation, **rule)))

    def clear_faults(self) -> None:
        """Switch all faults off."""
        self.azure.call(self.azure.world.faults.clear)

    def requests_total(self) -> int:
        """Count the requests so far."""
        return self.azure.call(lambda: self.azure.world.requests.total)

    def requests_since(self, total: int) -> list[RequestRecord]:
        """List the requests to ARM that were made since the total was that."""
        found = self.azure.call(lambda: self.azure.world.requests.since(total))
        return [record for record in found if record.path.lower().startswith("/subscriptions/")]

    def record_sets(self, zones_group: str = "rg-dns") -> dict[str, tuple[str, Mapping[str, Any]]]:
        """Give every record set of a resource group's zones: "A web.corp.internal" → etag and wire properties."""
        inside = f"/resourcegroups/{zones_group}/"

        def read() -> dict[str, tuple[str, Mapping[str, Any]]]:
            return {
                f"{kind} {name}.{zone.name}": (found.etag, {"ttl": found.ttl, **copy.deepcopy(found.properties)})
                for zone in self.azure.world.zones.values()
                if inside in zone.id.lower()
                for (kind, name), found in zone.record_sets.items()
            }

        return self.azure.call(read)

    def save(self) -> Callable[[], None]:
        """Remember zones, networks and groups as they are; gives the function that puts them back."""
        world = self.azure.world
        stores: tuple[dict[str, Any], ...] = (world.zones, world.vnets, world.groups)
        saved = self.azure.call(lambda: copy.deepcopy(stores))

        def restore() -> None:
            world.faults.clear()
            for store, kept in zip(stores, copy.deepcopy(saved), strict=True):
                store.clear()
                store.update(kept)

        return lambda: self.azure.call(restore)


def ptr_of(address: str) -> str:
    """Write the PTR record set of an address as `Fleet.records` names it."""
    return f"PTR {reverse_name(parse_address(address))}"
