"""Where a container group's records are: the names, and the zones that hold them. Pure."""

from dataclasses import dataclass
from typing import Final

from core.arm_id import ArmId
from core.names import Address, ReverseZone, absolute_name, longest_reverse_zone, relative_name, reverse_name
from core.records import RecordType, ZoneRef
from core.zone_map import DnsConfig

_IPV6: Final = 6


@dataclass(frozen=True, slots=True)
class PtrPlace:
    """Where an address's PTR record set is: the zone, and the name within it."""

    address: Address
    zone: ZoneRef
    name: str


@dataclass(frozen=True, slots=True)
class Placement:
    """A container group and its configuration: together they say where its records are."""

    group_id: ArmId
    config: DnsConfig

    @property
    def record_name(self) -> str:
        """Name of the address record set within the forward zone."""
        return self.group_id.name.lower()

    @property
    def fqdn(self) -> str:
        """The name that must resolve."""
        return absolute_name(self.record_name, self.config.forward_zone)

    @property
    def forward_zone(self) -> ZoneRef:
        """Where the forward zone is."""
        return self.config.zone(self.config.forward_zone, self.group_id)

    def address_types(self, address: Address | None) -> tuple[RecordType, ...]:
        """Give the types of address record sets to look at: AAAA only where IPv6 is configured or in use."""
        v6 = any(zone.network.version == _IPV6 for zone in self.config.reverse_zones)
        v6 = v6 or (address is not None and address.version == _IPV6)
        return ("A", "AAAA") if v6 else ("A",)

    def reverse_zone(self, address: Address) -> ReverseZone | None:
        """Choose the configured zone for an address's PTR, or None when none contains it."""
        return longest_reverse_zone(address, self.config.reverse_zones)

    def ptr_place(self, address: Address) -> PtrPlace | None:
        """Say where the PTR of an address belongs, or None when no configured reverse zone contains it."""
        zone = self.reverse_zone(address)
        if zone is None:
            return None
        name = relative_name(reverse_name(address), zone.name)
        return PtrPlace(address, self.config.zone(zone.name, self.group_id), name)
