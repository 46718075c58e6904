"""What a room is given to do its work with: values and narrow ports, so that it opens nothing itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from core.arm_id import ArmId
from core.events import Event
from core.links import VirtualNetworkLink
from core.live import LiveGroup
from core.networks import VirtualNetwork
from core.records import RecordSet, RecordType, ZoneRef
from core.settings import Settings


class CountsCalls(Protocol):
    """Something that counts the requests it sends to Azure Resource Manager, retries included."""

    @property
    def calls(self) -> int:
        """Requests sent so far."""

    @property
    def pages(self) -> int:
        """Pages of lists that were answered so far."""


class ReadsGroups(Protocol):
    """Reads container groups."""

    def get(self, group: ArmId) -> LiveGroup:
        """Read one group; a missing one is a state, not an error."""

    def list(self, subscription_id: str, resource_group: str) -> list[LiveGroup]:
        """Read all groups of a resource group, page by page; raises CloudError, never answers less than all."""


class ReadsRecordSets(Protocol):
    """Reads record sets of private zones. It is all that an observer is given."""

    def get(self, zone: ZoneRef, record_type: RecordType, name: str) -> RecordSet | None:
        """Read one record set, or None; raises ZoneMissingError when the zone itself is missing."""

    def list(self, zone: ZoneRef, record_type: RecordType | None = None) -> Iterator[RecordSet]:
        """Read a zone's A, AAAA and PTR record sets, page by page; raises ZoneMissingError, never answers 'empty'."""


class ReadsPrivateDns(ReadsRecordSets, Protocol):
    """Reads record sets, and the zones and their virtual network links as well."""

    def zones(self, subscription_id: str) -> "Zones":
        """List a subscription's private zones, all pages."""

    def links(self, zone: ZoneRef) -> "Links":
        """List a zone's virtual network links, all pages; raises ZoneMissingError."""


class ReadsNetworks(Protocol):
    """Reads virtual networks."""

    def get(self, vnet_id: str) -> VirtualNetwork:
        """Read one; raises CloudError, NotFoundError among them."""


Zones = list[ZoneRef]  # named here: inside the protocols, `list` is a method
Links = list[VirtualNetworkLink]


class WritesRecordSets(ReadsRecordSets, Protocol):
    """Reads and writes record sets. Only the reconciler's worker is given this."""

    def put(self, record_set: RecordSet) -> RecordSet:
        """Write it if it still has its etag, or create it if it has none; raises PreconditionFailedError."""

    def delete(self, record_set: RecordSet) -> None:
        """Delete it if it still has its etag; one that is gone already is fine; raises PreconditionFailedError."""


class PublishesEvents(Protocol):
    """Sends events to a custom Event Grid topic."""

    def publish(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Send events in the Event Grid schema; raises ToolkitError when not all of them were taken."""


class Sink(Protocol):
    """Takes events. Never raises, never loses one silently."""

    def emit(self, events: Sequence[Event]) -> None:
        """Send the events on."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """One invocation's surroundings. `attempt` counts from 1; `now` is the clock, in UTC."""

    settings: Settings
    calls: CountsCalls
    container_groups: ReadsGroups
    private_dns: ReadsPrivateDns
    sink: Sink
    arm_token: Callable[[], str]
    now: Callable[[], datetime]
    invocation_id: str
    attempt: int = 1
    networks: ReadsNetworks | None = None
    topic: PublishesEvents | None = None
