"""The whole state of the local Azure as plain values. Knows no HTTP.

Everything that changes a World runs on one asyncio loop, so there are no locks. Keys of the dictionaries are
lower-cased ARM ids or names: Azure compares both without case.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from local_azure.faults import FaultPlan

if TYPE_CHECKING:
    from pathlib import Path

    from local_azure.arm.lro import Operation
    from local_azure.arm.rates import RateMeter

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


@dataclass
class RecordSet:
    """One record set; `properties` is the wire form (ttl, metadata, aRecords/ptrRecords/…) without fqdn."""

    type: str
    name: str
    ttl: int
    properties: dict[str, Any]
    etag: str


class RecordSets(dict[tuple[str, str], RecordSet]):
    """Record sets by (TYPE, name lower), which remembers its listing order until a set comes or goes."""

    _order: list[tuple[str, str]] | None = None

    def ordered(self) -> list[tuple[str, str]]:
        """Give the keys in the order of a listing: the apex first, then by name and type."""
        if self._order is None or len(self._order) != len(self):
            self._order = sorted(self, key=lambda key: (key[1] != "@", key[1], key[0]))
        return self._order

    def __setitem__(self, key: tuple[str, str], value: RecordSet) -> None:
        if key not in self:
            self._order = None
        super().__setitem__(key, value)

    def __delitem__(self, key: tuple[str, str]) -> None:
        self._order = None
        super().__delitem__(key)

    def pop(self, key: tuple[str, str], *default: Any) -> Any:
        """Take a set out."""
        self._order = None
        return super().pop(key, *default)

    def clear(self) -> None:
        """Take everything out."""
        self._order = None
        super().clear()


@dataclass
class VirtualNetworkLink:
    """A zone's link to a virtual network; `vnet_id` keeps the case it was sent in."""

    name: str
    etag: str
    vnet_id: str
    registration_enabled: bool = False
    state: str = "Completed"
    resolution_policy: str = "Default"
    linked_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    tags: dict[str, str] | None = None
    location: str = "global"


@dataclass
class PrivateZone:
    """A private zone with its record sets, keyed by (TYPE, name lower), and links, keyed by name lower."""

    id: str
    name: str
    etag: str
    tags: dict[str, str] | None = None
    record_sets: RecordSets = field(default_factory=RecordSets)
    links: dict[str, VirtualNetworkLink] = field(default_factory=dict)
    location: str = "global"
    internal_id: str = ""


@dataclass
class Subnet:
    """A subnet; `properties` is the wire form besides the prefixes, `leases` says which group holds an address."""

    name: str
    address_prefixes: list[str]
    properties: dict[str, Any] = field(default_factory=dict)
    etag: str = ""
    leases: dict[str, str] = field(default_factory=dict)
    # Every host below this offset is taken; keeps finding the lowest free address cheap.
    low_mark: int = 0


@dataclass
class VirtualNetwork:
    """A virtual network; subnets are keyed by name lower, `dns_servers` empty means Azure's own resolver."""

    id: str
    name: str
    location: str
    address_prefixes: list[str]
    subnets: dict[str, Subnet] = field(default_factory=dict)
    dns_servers: list[str] = field(default_factory=list)
    # Whether dhcpOptions was sent: Azure shows it only then.
    dhcp_sent: bool = False
    tags: dict[str, str] | None = None
    etag: str = ""
    guid: str = ""


@dataclass
class ContainerGroup:
    """A container group; `properties` is the wire form as requested, without what the platform adds.

    `state` is the group's instanceView.state; `ip` the address it holds now, None when it holds none, `last_ip` the
    one it held before it was stopped. `shown_ip` overrides what GET and list show, to play Azure's odd answers:
    "null", "absent", or a literal such as 0.0.0.0.
    """

    id: str
    name: str
    location: str
    properties: dict[str, Any]
    tags: dict[str, str] | None = None
    zones: list[str] | None = None
    identity: dict[str, Any] | None = None
    state: str = "Pending"
    provisioning_state: str = "Pending"
    ip: str | None = None
    subnet_id: str | None = None
    restart_count: int = 0
    started_at: datetime | None = None
    last_ip: str | None = None
    shown_ip: str | None = None


@dataclass
class ResourceGroup:
    """A resource group, made on first use of its name."""

    id: str
    name: str
    location: str
    tags: dict[str, str] | None = None


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


@dataclass(frozen=True)
class RequestRecord:
    """One answered request. `operation` is e.g. privateDns.recordSet.PUT; status 0 means no answer was given."""

    time: datetime
    method: str
    path: str
    operation: str
    status: int
    user_agent: str
    client_request_id: str
    principal: str


class RequestLog:
    """The newest requests, and exact counts by operation of all of them."""

    def __init__(self, keep: int = 100_000) -> None:
        self.records: deque[RequestRecord] = deque(maxlen=keep)
        self.counts: Counter[str] = Counter()
        self.total = 0

    def append(self, record: RequestRecord) -> None:
        """Count and keep one request."""
        self.records.append(record)
        self.counts[record.operation] += 1
        self.total += 1

    def since(self, total: int) -> list[RequestRecord]:
        """Give the records made after `total` had been reached (take `requests.total` before the act)."""
        newer = self.total - total
        return list(self.records)[-newer:] if newer > 0 else []

    def clear(self) -> None:
        """Take everything out."""
        self.records.clear()
        self.counts.clear()
        self.total = 0

    def __iter__(self) -> Iterator[RequestRecord]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)


# (token claims, action such as Microsoft.Network/privateDnsZones/A/write, resource id) -> allowed
Authorize = Callable[[Mapping[str, Any], str, str], bool]


def allow_all(principal: Mapping[str, Any], action: str, scope: str) -> bool:
    """Let every bearer do everything: the default."""
    return True


class World:
    """Everything the local Azure knows."""

    logs: Any = None  # the log store, set by local_azure.logs

    def __init__(self, settings: WorldSettings | None = None, seed: int = 0) -> None:
        from local_azure.arm.rates import RateMeter

        self.settings = settings or WorldSettings()
        self.seed = seed
        self.rng = random.Random(seed)
        self.faults = FaultPlan(seed)
        self.zones: dict[str, PrivateZone] = {}
        self.vnets: dict[str, VirtualNetwork] = {}
        self.groups: dict[str, ContainerGroup] = {}
        self.resource_groups: dict[str, ResourceGroup] = {}
        self.operations: dict[str, Operation] = {}
        self.rates: RateMeter = RateMeter()
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
        self.rng = random.Random(self.seed)
        self.authorize = allow_all
        if isinstance(self.events, CollectedEvents):
            self.events.clear()
        for observer in self.on_reset:
            observer()
        self.vnets_changed()
