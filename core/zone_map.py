"""The zone map: which forward and reverse zones belong to the container groups of which resource group.

    {
      "rg-spoke-one": {
        "forward_zone": "aci.corp.internal",
        "reverse_zones": ["1.10.in-addr.arpa"],
        "zones_resource_group": "rg-dns",
        "zones_subscription_id": "…",        optional: the container groups' own subscription
        "ttl_seconds": 60,                   optional
        "ownership": "adopt",                optional: adopt | strict
        "on_stop": "remove",                 optional: remove | keep
        "nested_reverse_zones": false        optional: true says that overlapping reverse zones are meant
      }
    }

A key is a resource group, or `subscription/resource group` where the same name exists in several subscriptions. Keys
are compared without case. Every reason why a map cannot be used is reported at once, each with its JSON path.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from core.arm_id import ArmId
from core.errors import ConfigurationError
from core.names import ReverseZone
from core.records import ZoneRef
from core.zone_map_parse import Parser

DEFAULT_TTL_SECONDS: Final = 60


class Ownership(StrEnum):
    """What may be changed: `adopt` takes over record sets without an owner, `strict` touches only its own."""

    ADOPT = "adopt"
    STRICT = "strict"


class OnStop(StrEnum):
    """What happens to the records of a stopped group, whose address may be given to another."""

    REMOVE = "remove"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class DnsConfig:
    """The DNS side of one resource group's container groups. An absent zones subscription means the groups' own."""

    resource_group: str
    subscription_id: str | None
    forward_zone: str
    reverse_zones: tuple[ReverseZone, ...]
    zones_resource_group: str
    zones_subscription_id: str | None = None
    ttl_seconds: int = DEFAULT_TTL_SECONDS
    ownership: Ownership = Ownership.ADOPT
    on_stop: OnStop = OnStop.REMOVE

    def zone(self, name: str, group: ArmId) -> ZoneRef:
        """Say where a zone of this configuration is, for a container group."""
        return ZoneRef(self.zones_subscription_id or group.subscription_id, self.zones_resource_group, name)

    def covers(self, group: ArmId) -> bool:
        """Tell whether this entry is for the resource group that the container group is in."""
        if self.resource_group.lower() != group.resource_group.lower():
            return False
        return self.subscription_id is None or self.subscription_id.lower() == group.subscription_id.lower()

    def to_json(self) -> dict[str, Any]:
        """Give the effective configuration as JSON values, defaults filled in."""
        return {
            "forward_zone": self.forward_zone,
            "reverse_zones": [zone.name for zone in self.reverse_zones],
            "zones_resource_group": self.zones_resource_group,
            "zones_subscription_id": self.zones_subscription_id,
            "ttl_seconds": self.ttl_seconds,
            "ownership": self.ownership.value,
            "on_stop": self.on_stop.value,
        }


@dataclass(frozen=True, slots=True)
class ZoneMap:
    """All entries. An entry that names a subscription goes before one that does not."""

    entries: tuple[DnsConfig, ...] = ()

    @staticmethod
    def parse(text: str, source: str = "DNS_ZONE_MAP") -> "ZoneMap":
        """Read the JSON text; raises ConfigurationError with every reason. `source` is named in the message."""
        parser = Parser()
        entries = tuple(_entries(parser, text))
        if parser.reasons:
            count = len(parser.reasons)
            raise ConfigurationError(f"{source} cannot be used, {count} reason{'s'[: count > 1]}:", parser.reasons)
        return ZoneMap(tuple(sorted(entries, key=lambda entry: entry.subscription_id is None)))

    def config_for(self, group: ArmId) -> DnsConfig | None:
        """Give the entry for a container group, or None when its resource group is not configured."""
        return next((entry for entry in self.entries if entry.covers(group)), None)

    def entries_with_zone(self, zone: str) -> list[DnsConfig]:
        """List the entries whose forward zone or one of whose reverse zones has this name."""
        wanted = zone.lower()
        return [
            entry
            for entry in self.entries
            if entry.forward_zone == wanted or any(reverse.name == wanted for reverse in entry.reverse_zones)
        ]

    def to_json(self) -> dict[str, Any]:
        """Give the effective map as JSON values."""
        return {_key(entry): entry.to_json() for entry in self.entries}


def _key(entry: DnsConfig) -> str:
    return f"{entry.subscription_id}/{entry.resource_group}" if entry.subscription_id else entry.resource_group


def _entries(parser: Parser, text: str) -> Iterator[DnsConfig]:
    root = parser.load(text)
    if root is None:
        return
    if not root:
        parser.reject("$", "no resource group is configured")
    for key, raw in root:
        path = f"$[{json.dumps(key)}]"
        group = parser.group_key(path, key)
        body = parser.body(path, raw)
        if body is not None:
            entry = _entry(parser, path, group, body)
            if entry is not None:
                yield entry


def _entry(
    parser: Parser, path: str, group: tuple[str | None, str] | None, body: Mapping[str, Any]
) -> DnsConfig | None:
    before = len(parser.reasons)
    forward = parser.forward_zone(path, body)
    nested = parser.flag(path, body, "nested_reverse_zones")
    reverse = parser.reverse_zones(path, body, nested=nested)
    zones_group = parser.resource_group(path, body, "zones_resource_group")
    zones_subscription = parser.subscription(path, body, "zones_subscription_id")
    ttl = parser.ttl(path, body, DEFAULT_TTL_SECONDS)
    ownership = parser.choice(path, body, "ownership", Ownership, Ownership.ADOPT)
    on_stop = parser.choice(path, body, "on_stop", OnStop, OnStop.REMOVE)
    if len(parser.reasons) > before or group is None:
        return None
    subscription, name = group
    return DnsConfig(name, subscription, forward, reverse, zones_group, zones_subscription, ttl, ownership, on_stop)
