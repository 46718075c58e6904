"""The link audit's recipe: which networks must see which zones, read the links, compare. Emits nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from core.live import LiveGroup
from core.probe_settings import ProbeSettings
from core.records import ZoneRef
from core.run_context import RunContext
from core.zone_map import ZoneMap
from probe.facts import FactReader, network_of
from probe.given import zone_place
from probe.links import LinkReport, Requirement, audit_links
from probe.targets import default_subscription, read_groups

_WHERE: Final = "Name zones_subscription_id in the zone map, or set PROBE_SUBSCRIPTION_ID"


def audit(context: RunContext, settings: ProbeSettings) -> LinkReport:
    """Audit the links once.

    With PROBE_VNETS each of those networks must see every zone of the zone map. Without it a network must see the zones
    of the container groups that are in it. What cannot be read is a remark, never 'linked' or 'missing'.
    """
    calls = context.calls.calls
    zone_map, default = context.settings.zone_map, default_subscription(settings)
    remarks: list[str] = []
    if settings.vnets:
        required = list(everywhere(settings.vnets, zone_map, default))
        nowhere = sorted({each.zone.name for each in required if not each.zone.subscription_id})
        remarks += [f"{zone}: in which subscription? {_WHERE}" for zone in nowhere]
    else:
        found = read_groups(context.container_groups, zone_map, default)
        remarks = [str(bad) for bad in found.bad]
        required = list(where_groups_are(found.groups, zone_map))
        if not required and not remarks:
            remarks.append("no container group is in a subnet: set PROBE_VNETS to the networks that must see the zones")
    reader = FactReader(context, remarks)
    facts = reader.zones(requirement.zone for requirement in required)
    return replace(audit_links(required, facts, tuple(remarks)), arm_calls=context.calls.calls - calls)


def everywhere(vnets: Iterable[str], zone_map: ZoneMap, subscription_id: str) -> Iterator[Requirement]:
    """Ask of each network that it sees every zone."""
    for vnet in vnets:
        for entry in zone_map.entries:
            for name in (entry.forward_zone, *(zone.name for zone in entry.reverse_zones)):
                yield Requirement(vnet, zone_place(entry, name, subscription_id))


def where_groups_are(groups: Iterable[LiveGroup], zone_map: ZoneMap) -> Iterator[Requirement]:
    """Ask of each network with container groups that it sees the zones of their entry."""
    for group in groups:
        config = zone_map.config_for(group.id)
        networks = {network for network in map(network_of, group.subnet_ids) if network}
        for network in sorted(networks) if config else ():
            for zone in _zones(group, zone_map):
                yield Requirement(network, zone)


def _zones(group: LiveGroup, zone_map: ZoneMap) -> Iterator[ZoneRef]:
    config = zone_map.config_for(group.id)
    if config is not None:
        for name in (config.forward_zone, *(zone.name for zone in config.reverse_zones)):
            yield config.zone(name, group.id)
