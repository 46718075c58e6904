"""Targets that a person or another machine gives: a JSON list, or lines. Pure. A bad one is reported, the others stay.

    web.apps.corp.internal 10.1.0.4
    db.apps.corp.internal  10.1.0.5  reverse_zone=1.10.in-addr.arpa  container_group=/subscriptions/…
    [{"name": "web.apps.corp.internal", "address": "10.1.0.4", "forward_zone": "apps.corp.internal"}]

`#` begins a comment; `;` ends a line as a line break does, for environment variables. The zones that are not said are
the zone map's; `reverse_zone=none` (null in JSON) says that no PTR is expected.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from core.arm_id import ArmId, parse_container_group
from core.errors import InputError
from core.names import Address, ReverseZone, is_within, longest_reverse_zone, parse_address, parse_name, parse_zone
from core.probe_settings import TargetSource
from core.records import ZoneRef
from core.zone_map import DnsConfig, ZoneMap
from probe.target import BadTarget, Target

KEYS: Final = ("name", "address", "forward_zone", "reverse_zone", "container_group")
NONE: Final = "none"
_WORDS: Final = 2
_SHOWN: Final = 120


@dataclass(frozen=True, slots=True)
class Given:
    """The targets, each once, and what could not be taken."""

    targets: tuple[Target, ...] = ()
    bad: tuple[BadTarget, ...] = field(default=())


def parse_targets(text: str, source: str, zone_map: ZoneMap, subscription_id: str | None = None) -> Given:
    """Read the text; `source` is named in the reasons. `subscription_id` is the zones' where the zone map says none."""
    targets: dict[tuple[str, Address], Target] = {}
    bad: list[BadTarget] = []
    for where, item in _items(text, source):
        if isinstance(item, BadTarget):
            bad.append(item)
            continue
        try:
            target = _target(item, where, zone_map, subscription_id or "")
        except InputError as error:
            bad.append(BadTarget(where, _shown(item), str(error)))
        else:
            targets.setdefault((target.fqdn, target.address), target)
    return Given(tuple(targets.values()), tuple(bad))


def zone_place(config: DnsConfig, zone: str, subscription_id: str) -> ZoneRef:
    """Say where a configured zone is when no container group is at hand; empty where nobody said the subscription."""
    return ZoneRef(
        config.zones_subscription_id or config.subscription_id or subscription_id, config.zones_resource_group, zone
    )


def _items(text: str, source: str) -> Iterator[tuple[str, Mapping[str, Any] | BadTarget]]:
    if text.lstrip().startswith("["):
        yield from _json_items(text, source)
        return
    for number, line in enumerate(text.splitlines(), 1):
        for part in line.partition("#")[0].split(";"):
            if part.strip():
                where = f"{source} line {number}"
                try:
                    yield where, _words(part.split())
                except InputError as error:
                    yield where, BadTarget(where, part.strip()[:_SHOWN], str(error))


def _json_items(text: str, source: str) -> Iterator[tuple[str, Mapping[str, Any] | BadTarget]]:
    try:
        items = json.loads(text)
    except (ValueError, RecursionError) as error:
        yield source, BadTarget(source, text[:_SHOWN], f"not JSON: {error}")
        return
    for index, item in enumerate(items):
        where = f"{source}[{index}]"
        try:
            if isinstance(item, str):
                yield where, _words(item.split())
            elif isinstance(item, dict):
                yield where, _checked(item)
            else:
                yield where, BadTarget(where, _shown(item), 'an object, or a text "name address", is expected')
        except InputError as error:
            yield where, BadTarget(where, _shown(item), str(error))


def _words(words: Sequence[str]) -> Mapping[str, Any]:
    if len(words) < _WORDS or any("=" in word for word in words[:_WORDS]):
        raise InputError("a name and an address are expected, then key=value")
    item: dict[str, Any] = {"name": words[0], "address": words[1]}
    for word in words[_WORDS:]:
        key, equals, value = word.partition("=")
        if not equals or key in item:
            raise InputError(f"key=value is expected, each key once: {word[:80]!a}")
        item[key] = None if key == "reverse_zone" and value.lower() == NONE else value
    return _checked(item)


def _checked(item: Mapping[str, Any]) -> Mapping[str, Any]:
    unknown = sorted(set(item) - set(KEYS))
    if unknown:
        raise InputError(f"unknown key {unknown[0][:80]!a}; known are {', '.join(KEYS)}")
    for key in KEYS:
        value = item.get(key)
        if key in KEYS[:_WORDS] and not value:
            raise InputError(f"{key} is missing")
        if value is not None and not isinstance(value, str):
            raise InputError(f"{key} is not a text")
    return item


def _target(item: Mapping[str, Any], where: str, zone_map: ZoneMap, subscription_id: str) -> Target:
    fqdn, address = parse_name(item["name"]), parse_address(item["address"])
    group = parse_container_group(item["container_group"]) if item.get("container_group") else None
    config = _config(fqdn, address, group, zone_map)
    forward = _forward(item, fqdn, config, group, subscription_id)
    reverse, expects_ptr = _reverse(item, address, config, group, subscription_id)
    return Target(fqdn, address, forward, reverse, expects_ptr, (), group, TargetSource.GIVEN, where)


def _config(fqdn: str, address: Address, group: ArmId | None, zone_map: ZoneMap) -> DnsConfig | None:
    """Choose the entry: the group's own, or the one whose zones hold the name and, better, the address too."""
    if group is not None and (own := zone_map.config_for(group)) is not None:
        return own
    holding = [entry for entry in zone_map.entries if is_within(fqdn, entry.forward_zone)]
    return max(
        holding,
        key=lambda entry: (
            entry.forward_zone.count("."),
            any(zone.contains(address) for zone in entry.reverse_zones),
        ),
        default=None,
    )


def _forward(
    item: Mapping[str, Any], fqdn: str, config: DnsConfig | None, group: ArmId | None, subscription_id: str
) -> ZoneRef:
    said = item.get("forward_zone")
    zone = parse_zone(said) if said else config.forward_zone if config else ""
    if not zone:
        raise InputError(f"no forward zone of the zone map contains '{fqdn}': add forward_zone=…")
    if not is_within(fqdn, zone):
        raise InputError(f"'{fqdn}' is not in the forward zone '{zone}'")
    return _ref(zone, config, group, subscription_id)


def _reverse(
    item: Mapping[str, Any], address: Address, config: DnsConfig | None, group: ArmId | None, subscription_id: str
) -> tuple[ZoneRef | None, bool]:
    if "reverse_zone" in item:
        if item["reverse_zone"] is None:
            return None, False
        zone = ReverseZone.parse(item["reverse_zone"])
        if not zone.contains(address):
            raise InputError(f"the reverse zone '{zone.name}' does not contain {address}")
        return _ref(zone.name, config, group, subscription_id), True
    if config is None:
        raise InputError(
            "no entry of the zone map fits: add reverse_zone=…, or reverse_zone=none if no PTR is expected"
        )
    chosen = longest_reverse_zone(address, config.reverse_zones)
    ref = _ref(chosen.name, config, group, subscription_id) if chosen else None
    return ref, bool(config.reverse_zones)


def _ref(zone: str, config: DnsConfig | None, group: ArmId | None, subscription_id: str) -> ZoneRef:
    """Say where a zone is, as far as the zone map knows it."""
    known = config is not None and (
        zone == config.forward_zone or any(zone == reverse.name for reverse in config.reverse_zones)
    )
    if config is None or not known:
        return ZoneRef("", "", zone)
    return config.zone(zone, group) if group else zone_place(config, zone, subscription_id)


def _shown(item: object) -> str:
    return json.dumps(item, default=str)[:_SHOWN]
