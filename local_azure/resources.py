"""The resources that the local Azure keeps, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


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
