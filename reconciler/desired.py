"""What DNS should say for one container group. Pure."""

from dataclasses import dataclass

from core.errors import ConfigurationError, NotReadyError
from core.live import LiveGroup, LiveState
from core.names import Address
from core.placement import Placement
from core.records import RecordType, address_type
from core.zone_map import DnsConfig, OnStop, Ownership


@dataclass(frozen=True, slots=True)
class Subject:
    """The group whose DNS is reconciled, and where its records are."""

    group: LiveGroup
    placement: Placement

    @staticmethod
    def of(group: LiveGroup, config: DnsConfig) -> "Subject":
        """Put a group and its configuration together."""
        return Subject(group, Placement(group.id, config))

    @property
    def config(self) -> DnsConfig:
        """The configuration of the group's resource group."""
        return self.placement.config

    @property
    def group_id(self) -> str:
        """The resource id, as it is written into owner marks."""
        return str(self.group.id)

    @property
    def fqdn(self) -> str:
        """The name that must resolve."""
        return self.placement.fqdn

    @property
    def address_types(self) -> tuple[RecordType, ...]:
        """The types of address record sets that are looked at."""
        return self.placement.address_types(self.group.address)


@dataclass(frozen=True, slots=True)
class Desired:
    """The wish: an address to publish, or None for no records.

    `may_take_unowned` tells whether record sets without an owner may be changed; `keep` leaves everything as it is.
    `type` is the record type of the address.
    """

    address: Address | None
    may_take_unowned: bool
    keep: bool = False
    reason: str = ""

    @property
    def type(self) -> RecordType | None:
        """The type of record set that holds the address."""
        return address_type(self.address) if self.address else None


def desire(subject: Subject) -> Desired:
    """Decide what DNS should say; raises NotReadyError while the group is between two states.

    A hand-made record set is taken over when the group is there to publish, or was there and is gone. A group that is
    merely stopped, or has no private address, gives no reason to remove what somebody else made.
    """
    group, adopt = subject.group, subject.config.ownership is Ownership.ADOPT
    if group.state is LiveState.NOT_READY:
        raise NotReadyError(
            f"container group '{group.id.name}' is not ready: {group.detail}; the event will be delivered again"
        )
    if group.state is LiveState.RUNNING:
        return Desired(group.address, may_take_unowned=adopt)
    if group.state is LiveState.ABSENT:
        return Desired(None, may_take_unowned=adopt, reason="the group does not exist")
    keep = group.state is LiveState.STOPPED and subject.config.on_stop is OnStop.KEEP
    return Desired(None, may_take_unowned=False, keep=keep, reason=group.detail)


def unplaced(subject: Subject, address: Address) -> ConfigurationError | None:
    """Give the reason why an address's PTR has no place although reverse zones are configured."""
    if not subject.config.reverse_zones or subject.placement.ptr_place(address):
        return None
    zones = ", ".join(zone.name for zone in subject.config.reverse_zones)
    error = ConfigurationError(
        f"no reverse zone of resource group '{subject.config.resource_group}' contains {address} "
        f"(configured: {zones}): its PTR record cannot be written; add the zone to the zone map"
    )
    error.code = "reverse_zone_missing"
    return error
