"""Reads the fleet by lists: container groups, record sets, zones and links. A list that fails ends no other.

Groups come first and DNS after them; what then differs is confirmed by reading the group once more (tracker/audit.py).
So no verdict joins a group with a record set that was written for its successor.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final, TypeVar

from core.arm_id import ArmId
from core.errors import ConfigurationError, ToolkitError
from core.live import LiveGroup
from core.names import is_within
from core.records import ZoneRef
from core.run_context import RunContext
from core.zone_map import DnsConfig
from tracker.audit_inventory import Incomplete, Inventory, ZoneKey, zone_key

Value = TypeVar("Value")
logger: Final = logging.getLogger("aci_dns.audit")
_NOWHERE: Final = "in which subscription? Name it in the zone map, or set AUDIT_SUBSCRIPTION_ID"


def read_fleet(
    context: RunContext, entries: tuple[DnsConfig, ...], read_one: Callable[[ArmId], LiveGroup] | None = None
) -> Inventory:
    """Read everything that these entries of the zone map are about; never raises what Azure causes.

    `read_one` is the door for an owner in a resource group that is not audited.
    """
    inventory = Inventory(entries)
    inventory.groups.read = read_one
    default = context.settings.audit.subscription_id or context.settings.probe.subscription_id or ""
    _read_groups(context, inventory, default)
    wanted = dict(_zones_of(entries, default))
    for zone, is_reverse in wanted.values():
        pages = context.private_dns.list(zone, "PTR" if is_reverse else None)
        _try(inventory, "record_sets", zone.name, partial(inventory.records.add, zone, pages))
    _read_zones(context, inventory, [zone for zone, _ in wanted.values()])
    return inventory


def subscription_of(entry: DnsConfig, default: str) -> str:
    """Give the subscription of an entry's container groups; empty when nothing names it."""
    return entry.subscription_id or default or entry.zones_subscription_id or ""


def _read_groups(context: RunContext, inventory: Inventory, default: str) -> None:
    for entry in inventory.entries:
        subscription = subscription_of(entry, default)
        place = (subscription.lower(), entry.resource_group.lower())
        if place in inventory.groups.places:
            continue
        try:
            if not subscription:
                raise ConfigurationError(f"resource group '{entry.resource_group}': {_NOWHERE}")
            found = context.container_groups.list(subscription, entry.resource_group)
        except ToolkitError as error:
            _note(inventory, Incomplete("container_groups", f"{subscription}/{entry.resource_group}", error))
            inventory.groups.places[place] = error
        else:
            inventory.groups.places[place] = None
            inventory.groups.listed.update({group.id: group for group in found})


def _zones_of(entries: Iterable[DnsConfig], default: str) -> Iterator[tuple[ZoneKey, tuple[ZoneRef, bool]]]:
    """Give each configured zone once, and whether only its PTRs matter."""
    seen: set[ZoneKey] = set()
    for entry in entries:
        subscription = entry.zones_subscription_id or subscription_of(entry, default)
        names = [(entry.forward_zone, False), *((zone.name, True) for zone in entry.reverse_zones)]
        for name, is_reverse in names if subscription else ():
            zone = ZoneRef(subscription, entry.zones_resource_group, name)
            if zone_key(zone) not in seen:
                seen.add(zone_key(zone))
                yield zone_key(zone), (zone, is_reverse)


def _read_zones(context: RunContext, inventory: Inventory, wanted: list[ZoneRef]) -> None:
    """List the subscriptions' zones, and the links of the wanted ones and of those below a wanted one, which shadow."""
    zones = inventory.zones
    for subscription in sorted({zone.subscription_id.lower() for zone in wanted}):
        found = _try(inventory, "zones", subscription, partial(context.private_dns.zones, subscription))
        zones.by_subscription[subscription] = found or []
    names = {zone.name for zone in wanted if zone.name.endswith(".arpa")}
    below = [
        zone
        for listed in zones.by_subscription.values()
        for zone in listed
        if any(zone.name != name and is_within(zone.name, name) for name in names)
    ]
    for zone in {zone_key(zone): zone for zone in (*wanted, *below)}.values():
        if zone_key(zone) in inventory.records.failures:
            continue  # said already, and a missing zone has no links
        links = _try(inventory, "links", zone.name, partial(context.private_dns.links, zone))
        if links is not None:
            zones.linked[zone_key(zone)] = links


def _try(inventory: Inventory, what: str, where: str, read: Callable[[], Value]) -> Value | None:
    try:
        return read()
    except ToolkitError as error:
        _note(inventory, Incomplete(what, where, error))
        return None


def _note(inventory: Inventory, incomplete: Incomplete) -> None:
    logger.error("the audit is incomplete: %s", incomplete)
    inventory.incomplete.append(incomplete)
