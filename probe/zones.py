"""What Azure says: zones, their links and record sets, groups, a network's DNS servers. Values, read in `facts.py`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.arm_id import same_id
from core.links import VirtualNetworkLink
from core.live import LiveGroup
from core.names import is_within
from core.records import ZoneRef


@dataclass(frozen=True, slots=True)
class Zone:
    """A private zone that exists, with all its virtual network links, unless those could not be read."""

    ref: ZoneRef
    links: tuple[VirtualNetworkLink, ...] = ()
    links_known: bool = True

    def links_to(self, vnet_id: str) -> tuple[VirtualNetworkLink, ...]:
        """List the links to one virtual network: one, or none."""
        return tuple(link for link in self.links if same_id(link.vnet_id, vnet_id))

    @property
    def networks(self) -> tuple[str, ...]:
        """List the ids of the virtual networks that it is linked to."""
        return tuple(sorted({link.vnet_id for link in self.links}))


@dataclass(frozen=True, slots=True)
class AzureFacts:
    """What was read for a cross-check.

    `zones` are those that matter of the subscriptions in `listed` (lower-case ids). `records` has what zones say, by
    the full name and type of a record set: no values for one that was looked up and not found, and one that was not
    looked up is absent. `groups` has container groups by lower-case id. `dns_servers` are those that the vantage's
    network hands out: empty for Azure's own, None when not known. `missing` are zones that were asked for one by one,
    in a subscription that may not be listed, and that do not exist.
    """

    zones: tuple[Zone, ...] = ()
    records: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    groups: Mapping[str, LiveGroup] = field(default_factory=dict)
    dns_servers: tuple[str, ...] | None = None
    listed: frozenset[str] = frozenset()
    missing: frozenset[ZoneRef] = frozenset()

    def zone(self, ref: ZoneRef) -> Zone | None:
        """Find the zone that is meant; what the reference leaves empty may be anything, if one zone alone fits."""
        found = [zone for zone in self.namesakes(ref.name) if _fits(zone.ref, ref)]
        return found[0] if len(found) == 1 else None

    def is_missing(self, ref: ZoneRef) -> bool:
        """Tell whether the zone is known not to exist."""
        return self.zone(ref) is None and (ref.subscription_id.lower() in self.listed or ref in self.missing)

    def namesakes(self, name: str) -> list[Zone]:
        """List the zones of this name: there may be one in each resource group."""
        return [zone for zone in self.zones if zone.ref.name == name]

    def hiding(self, name: str, zone: str, vnet_id: str) -> Zone | None:
        """Find the zone that a network asks for the name instead of `zone`: the longest below it that is linked."""
        longer = [
            other
            for other in self.zones
            if other.ref.name != zone
            and is_within(other.ref.name, zone)
            and is_within(name, other.ref.name)
            and any(link.is_complete for link in other.links_to(vnet_id))
        ]
        return max(longer, key=lambda other: other.ref.name.count("."), default=None)


def is_reverse_zone(name: str) -> bool:
    """Tell whether a zone holds PTR records."""
    return any(is_within(name, root) for root in ("in-addr.arpa", "ip6.arpa"))


def _fits(found: ZoneRef, wanted: ZoneRef) -> bool:
    pairs = (
        (found.subscription_id, wanted.subscription_id),
        (found.resource_group, wanted.resource_group),
    )
    return all(not want or have.lower() == want.lower() for have, want in pairs)


def same_place(left: ZoneRef, right: ZoneRef) -> bool:
    """Tell whether two references mean the same zone: Azure's spelling of subscriptions and groups varies."""
    return _key(left) == _key(right)


def distinct(refs: Iterable[ZoneRef]) -> list[ZoneRef]:
    """Give each zone once, in order of first appearance."""
    found: dict[tuple[str, str, str], ZoneRef] = {}
    for ref in refs:
        found.setdefault(_key(ref), ref)
    return list(found.values())


def _key(ref: ZoneRef) -> tuple[str, str, str]:
    return ref.subscription_id.lower(), ref.resource_group.lower(), ref.name
