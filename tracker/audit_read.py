"""Reads the fleet by lists: container groups, record sets, zones and links. A list that fails ends no other.

Groups come first and DNS after them; what then differs is confirmed by reading the group once more (tracker/audit.py).
So no verdict joins a group with a record set that was written for its successor.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from core.arm_id import ArmId
from core.errors import ConfigurationError, ForbiddenError, ToolkitError
from core.live import LiveGroup
from core.names import is_within
from core.records import RecordType, ZoneRef
from core.run_context import RunContext
from core.zone_map import DnsConfig
from tracker.audit_inventory import Incomplete, Inventory, ZoneKey, zone_key

Key = TypeVar("Key")
Value = TypeVar("Value")
LISTS_AT_ONCE: Final = 4
"""Most of a list's time is the wait for its pages; more at once would only meet Azure's limits of reads earlier."""
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
    wanted = list(_zones_of(entries, default))
    kinds: dict[ZoneRef, RecordType | None] = {zone: "PTR" if is_reverse else None for zone, is_reverse in wanted}
    for zone, found in _each(kinds, lambda zone: [*context.private_dns.list(zone, kinds[zone])]):
        if isinstance(found, ToolkitError):
            _note(inventory, Incomplete("record_sets", zone.name, found))
            inventory.records.failures[zone_key(zone)] = found
        else:
            inventory.records.add(zone, found)
    _read_zones(context, inventory, list(kinds))
    return inventory


def subscription_of(entry: DnsConfig, default: str) -> str:
    """Give the subscription of an entry's container groups; empty when nothing names it."""
    return entry.subscription_id or default or entry.zones_subscription_id or ""


def _read_groups(context: RunContext, inventory: Inventory, default: str) -> None:
    places = dict.fromkeys((subscription_of(entry, default), entry.resource_group) for entry in inventory.entries)
    for (subscription, resource_group), found in _each(places, lambda place: _groups_of(context, *place)):
        place = (subscription.lower(), resource_group.lower())
        if isinstance(found, ToolkitError):
            _note(inventory, Incomplete("container_groups", f"{subscription}/{resource_group}", found))
            inventory.groups.places[place] = found
        else:
            inventory.groups.places[place] = None
            inventory.groups.listed.update({group.id: group for group in found})


def _groups_of(context: RunContext, subscription: str, resource_group: str) -> list[LiveGroup]:
    if not subscription:
        raise ConfigurationError(f"resource group '{resource_group}': {_NOWHERE}")
    return context.container_groups.list(subscription, resource_group)


def _zones_of(entries: Iterable[DnsConfig], default: str) -> Iterator[tuple[ZoneRef, bool]]:
    """Give each configured zone once, and whether only its PTRs matter."""
    seen: set[ZoneKey] = set()
    for entry in entries:
        subscription = entry.zones_subscription_id or subscription_of(entry, default)
        names = [(entry.forward_zone, False), *((zone.name, True) for zone in entry.reverse_zones)]
        for name, is_reverse in names if subscription else ():
            zone = ZoneRef(subscription, entry.zones_resource_group, name)
            if zone_key(zone) not in seen:
                seen.add(zone_key(zone))
                yield zone, is_reverse


def _read_zones(context: RunContext, inventory: Inventory, wanted: list[ZoneRef]) -> None:
    """List the subscriptions' zones, and the links of the wanted ones and of those below a wanted one, which shadow."""
    zones = inventory.zones
    names = {zone.name for zone in wanted if zone.name.endswith(".arpa")}
    subscriptions = sorted({zone.subscription_id.lower() for zone in wanted})
    for subscription, listed in _each(subscriptions, context.private_dns.zones):
        if isinstance(listed, ForbiddenError):
            # Reader on each zone does not reach the subscription: less is looked for, and nothing is taken for right.
            logger.info("zones that shadow others are not looked for in %s: %s", subscription, listed)
            zones.unlisted.append(subscription)
        elif isinstance(listed, ToolkitError):
            _note(inventory, Incomplete("zones", subscription, listed))
        else:
            zones.below[subscription] = [zone for zone in listed if _is_below(zone.name, names)]
    below = (zone for found in zones.below.values() for zone in found)
    linked = {zone_key(zone): zone for zone in (*wanted, *below)}
    for failed in inventory.records.failures:
        linked.pop(failed, None)  # said already, and a missing zone has no links
    for zone, links in _each(linked.values(), context.private_dns.links):
        if isinstance(links, ToolkitError):
            _note(inventory, Incomplete("links", zone.name, links))
        else:
            zones.linked[zone_key(zone)] = links


def _is_below(name: str, names: Iterable[str]) -> bool:
    return any(name != other and is_within(name, other) for other in names)


def _each(keys: Iterable[Key], read: Callable[[Key], Value]) -> Iterator[tuple[Key, Value | ToolkitError]]:
    """Read some at a time, and give each key with what was read or why not, in the order of the keys."""

    def attempt(key: Key) -> Value | ToolkitError:
        try:
            return read(key)
        except ToolkitError as error:
            return error

    keys = list(keys)
    with ThreadPoolExecutor(LISTS_AT_ONCE, "audit") as pool:
        yield from zip(keys, pool.map(attempt, keys), strict=True)


def _note(inventory: Inventory, incomplete: Incomplete) -> None:
    logger.error("the audit is incomplete: %s", incomplete)
    inventory.incomplete.append(incomplete)
