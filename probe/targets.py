"""Targets that Azure knows: the container groups as they are, or the address records of the forward zones. Reads.

A source that cannot be read is reported like a bad target, and the others are used all the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from core.arm_id import ArmId
from core.errors import InputError, ToolkitError
from core.live import LiveGroup, LiveState
from core.names import Address, longest_reverse_zone, parse_address
from core.placement import Placement
from core.probe_settings import ProbeSettings, TargetSource
from core.records import RecordSet
from core.run_context import ReadsGroups, RunContext
from core.zone_map import DnsConfig, ZoneMap
from probe.given import parse_targets, zone_place
from probe.target import BadTarget, Target


@dataclass(slots=True)
class Found:
    """What there is to ask for. `groups` are the container groups that were listed, with or without an address."""

    targets: list[Target] = field(default_factory=list)
    bad: list[BadTarget] = field(default_factory=list)
    groups: list[LiveGroup] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def find_targets(context: RunContext, settings: ProbeSettings) -> Found:
    """Find the targets in the place that the settings name."""
    zone_map = context.settings.zone_map
    default = default_subscription(settings)
    if settings.source is TargetSource.GIVEN:
        given = parse_targets(settings.targets_text, settings.targets_source, zone_map, default)
        return Found(list(given.targets), list(given.bad))
    if settings.source is TargetSource.DNS:
        return _from_dns(context, default)
    found = read_groups(context.container_groups, zone_map, default)
    found.targets.extend(targets_of_groups(found.groups, zone_map))
    left_out = len(found.groups) - len(found.targets)
    if left_out:
        found.remarks.append(f"{left_out} container groups have no private address now and are not asked for")
    return found


def default_subscription(settings: ProbeSettings) -> str:
    """Give the subscription to look in where the zone map names none: the setting's, else the vantage's own."""
    if settings.subscription_id or not settings.vantage:
        return settings.subscription_id or ""
    return ArmId.parse(settings.vantage).subscription_id


def read_groups(container_groups: ReadsGroups, zone_map: ZoneMap, default: str) -> Found:
    """List the container groups of every resource group in the zone map."""
    found = Found()
    asked: set[tuple[str, str]] = set()
    for entry in zone_map.entries:
        subscription = entry.subscription_id or default or entry.zones_subscription_id or ""
        if not subscription:
            reason = "in which subscription? Name it in the zone map, or set PROBE_SUBSCRIPTION_ID"
            found.bad.append(BadTarget(entry.resource_group, entry.resource_group, reason))
            continue
        key = (subscription.lower(), entry.resource_group.lower())
        if key in asked:
            continue
        asked.add(key)
        try:
            found.groups.extend(container_groups.list(subscription, entry.resource_group))
        except ToolkitError as error:
            found.bad.append(BadTarget(entry.resource_group, subscription, f"cannot be listed: {error}"))
    return found


def targets_of_groups(groups: Iterable[LiveGroup], zone_map: ZoneMap) -> Iterator[Target]:
    """Say what each running group's name and address should be in DNS."""
    for group in groups:
        config = zone_map.config_for(group.id)
        if config is None or group.address is None or group.state is not LiveState.RUNNING:
            continue
        placement = Placement(group.id, config)
        place = placement.ptr_place(group.address)
        yield Target(
            fqdn=placement.fqdn,
            address=group.address,
            forward=placement.forward_zone,
            reverse=place.zone if place else None,
            expects_ptr=bool(config.reverse_zones),
            group=group.id,
            source=TargetSource.LIVE,
            where=config.resource_group,
        )


def targets_of_record(found: RecordSet, config: DnsConfig) -> Iterator[Target]:
    """Say what an address record set promises, a target for each address. A wildcard is no name to ask for."""
    if found.type == "PTR" or found.auto_registered or found.name.startswith("*"):
        return
    addresses = [address for address in map(_address, found.values) if address]
    for address in addresses:
        zone = longest_reverse_zone(address, config.reverse_zones)
        yield Target(
            fqdn=found.fqdn,
            address=address,
            forward=found.zone,
            reverse=zone_place(config, zone.name, found.zone.subscription_id) if zone else None,
            expects_ptr=bool(config.reverse_zones),
            also=tuple(other for other in addresses if other != address),
            group=_owner(found),
            source=TargetSource.DNS,
            where=found.zone.name,
        )


def _from_dns(context: RunContext, default: str) -> Found:
    found = Found()
    seen = set()
    for entry in context.settings.zone_map.entries:
        zone = zone_place(entry, entry.forward_zone, default)
        if zone in seen:
            continue
        seen.add(zone)
        if not zone.subscription_id:
            reason = "in which subscription? Name it in the zone map, or set PROBE_SUBSCRIPTION_ID"
            found.bad.append(BadTarget(zone.name, zone.resource_group, reason))
            continue
        try:
            for kind in ("A", "AAAA"):
                for record_set in context.private_dns.list(zone, kind):
                    found.targets.extend(targets_of_record(record_set, entry))
        except ToolkitError as error:
            found.bad.append(BadTarget(zone.name, zone.resource_group, f"cannot be listed: {error}"))
    return found


def _address(text: str) -> Address | None:
    try:
        return parse_address(text)
    except InputError:
        return None


def _owner(found: RecordSet) -> ArmId | None:
    try:
        return ArmId.parse(found.owner) if found.owner else None
    except InputError:
        return None
