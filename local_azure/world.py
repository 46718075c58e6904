"""The whole state of the local Azure as plain values. Knows no HTTP.

Everything that changes a World runs on one asyncio loop, so there are no locks. Keys of the dictionaries are
lower-cased ARM ids or names: Azure compares both without case.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from local_azure.arm.rates import RateMeter
from local_azure.faults import FaultPlan
from local_azure.request_log import RequestLog, RequestRecord
from local_azure.resources import (
    ContainerGroup,
    PrivateZone,
    RecordSet,
    RecordSets,
    ResourceGroup,
    Subnet,
    VirtualNetwork,
    VirtualNetworkLink,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from local_azure.arm.lro import Operation

__all__ = [
    "SUBSCRIPTION_ID",
    "TENANT_ID",
    "ArmEvent",
    "Authorize",
    "CollectedEvents",
    "ContainerGroup",
    "EventKind",
    "EventOutcome",
    "EventSink",
    "PrivateZone",
    "RecordSet",
    "RecordSets",
    "RequestLog",
    "RequestRecord",
    "ResourceGroup",
    "StoppedAddress",
    "Subnet",
    "VirtualNetwork",
    "VirtualNetworkLink",
    "World",
    "WorldSettings",
]

SUBSCRIPTION_ID = "00000000-0000-0000-0000-000000000001"
TENANT_ID = "00000000-0000-0000-0000-0000000000aa"

EventKind = Literal["Write", "Delete", "Action"]
EventOutcome = Literal["Success", "Failure", "Cancel"]
# What an address does when a group leaves the Running state; which of them Azure does is not documented.
StoppedAddress = Literal["kept", "ip_absent", "ip_address_absent"]


@dataclass
class WorldSettings:
    """What can be set for one local Azure. Durations are seconds of real time."""

    tenant_id: str = TENANT_ID
    subscription_id: str = SUBSCRIPTION_ID
    location: str = "westeurope"
    # How long a zone or link operation, and a container group's provisioning, take.
    operation_seconds: float = 0.0
    # How long a new link is InProgress, and its zone not yet answered, after its operation has ended.
    link_propagation_seconds: float = 0.0
    provisioning_seconds: float = 0.05
    # New private address on stop+start, restart, and on an update that replaces the containers.
    new_ip_on_start: bool = True
    new_ip_on_restart: bool = False
    new_ip_on_update: bool = False
    stopped_address: StoppedAddress = "ip_address_absent"
    throttling: bool = False
    # Azure's container group lists were never seen with a nextLink; smaller values make the client follow one.
    group_page_size: int = 1000
    dcr_immutable_id: str = "dcr-000000000000000000000000000000aa"
    workspace_id: str = "00000000-0000-0000-0000-0000000000bb"
    # Real seconds per second of Azure, for what takes minutes there (Event Grid retries, ingestion latency).
    time_scale: float = 1.0
    data_dir: Path | None = None


@dataclass(frozen=True)
class ArmEvent:
    """What Event Grid learns when a write, delete or action has ended. `claims` are the caller's token claims."""

    resource_id: str
    operation_name: str
    kind: EventKind
    outcome: EventOutcome
    method: str
    url: str
    correlation_id: str
    client_request_id: str
    time: datetime
    subscription_id: str
    claims: Mapping[str, Any]


class EventSink(Protocol):
    """Takes every ArmEvent at the end of its operation; called on the loop, must not block."""

    def emit(self, event: ArmEvent) -> None:
        """Take one event."""


class CollectedEvents(list[ArmEvent]):
    """The default sink: keeps the events for a test to look at."""

    def emit(self, event: ArmEvent) -> None:
        """Take one event."""
        self.append(event)


# (token claims, action such as Microsoft.Network/privateDnsZones/A/write, resource id) -> allowed
Authorize = Callable[[Mapping[str, Any], str, str], bool]


def allow_all(_principal: Mapping[str, Any], _action: str, _scope: str) -> bool:
    """Let every bearer do everything: the default."""
    return True


class World:
    """Everything the local Azure knows."""

    logs: Any = None  # the log store, set by local_azure.logs

    def __init__(self, settings: WorldSettings | None = None, seed: int = 0) -> None:
        self.settings = settings or WorldSettings()
        self.seed = seed
        self.rng = random.Random(seed)  # noqa: S311  # reproducible, not secret
        self.faults = FaultPlan(seed)
        self.zones: dict[str, PrivateZone] = {}
        self.vnets: dict[str, VirtualNetwork] = {}
        self.groups: dict[str, ContainerGroup] = {}
        self.resource_groups: dict[str, ResourceGroup] = {}
        self.operations: dict[str, Operation] = {}
        self.rates = RateMeter()
        self.events: EventSink = CollectedEvents()
        self.requests = RequestLog()
        self.dns_addresses: dict[str, str] = {}
        self.authorize: Authorize = allow_all
        # Called with no argument, on the loop. Parts add to them in start() or attach().
        self.on_reset: list[Callable[[], None]] = []
        self.on_vnets_changed: list[Callable[[], None]] = []
        self.on_change: list[Callable[[], None]] = []
        # What other parts keep in the state file: name -> (dump to JSON, load from JSON).
        self.extra_state: dict[str, tuple[Callable[[], Any], Callable[[Any], None]]] = {}
        self._timers: set[asyncio.TimerHandle] = set()

    def now(self) -> datetime:
        """Give the time, in UTC."""
        return datetime.now(UTC)

    def new_uuid(self) -> str:
        """Make a seeded GUID: the same seed and requests give the same etags and operation ids."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Run `action` on the loop after `seconds` of real time; at once when 0. A reset cancels it."""
        if seconds <= 0:
            action()
            return

        def run() -> None:
            self._timers.discard(handle)
            action()

        handle = asyncio.get_running_loop().call_later(seconds, run)
        self._timers.add(handle)

    def zones_linked_to(self, vnet_id: str) -> list[PrivateZone]:
        """Give the zones that a virtual network resolves, in no particular order."""
        wanted = vnet_id.lower()
        return [
            zone
            for zone in self.zones.values()
            if any(link.vnet_id.lower() == wanted and link.state == "Completed" for link in zone.links.values())
        ]

    def changed(self) -> None:
        """Tell the observers (the state file) that something changed."""
        for observer in self.on_change:
            observer()

    def vnets_changed(self) -> None:
        """Tell the observers (the DNS servers) that a virtual network came, went or was changed."""
        for observer in self.on_vnets_changed:
            observer()
        self.changed()

    def reset(self) -> None:
        """Empty everything, faults included; settings stay."""
        for handle in self._timers:
            handle.cancel()
        self._timers.clear()
        stores: Iterable[Any] = (self.zones, self.vnets, self.groups, self.resource_groups, self.operations)
        for store in stores:
            store.clear()
        self.faults.clear()
        self.requests.clear()
        self.rates.reset()
        self.rng = random.Random(self.seed)  # noqa: S311  # reproducible, not secret
        self.authorize = allow_all
        if isinstance(self.events, CollectedEvents):
            self.events.clear()
        for observer in self.on_reset:
            observer()
        self.vnets_changed()
