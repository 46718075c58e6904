"""Reading the zone map's JSON: every check notes its reason and goes on, so that one run reports them all."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeVar

from core.arm_id import RESOURCE_GROUP_NAME, SUBSCRIPTION_ID
from core.errors import InputError, Reason
from core.names import ReverseZone, is_within, parse_zone

KNOWN_KEYS: Final = (
    "forward_zone",
    "reverse_zones",
    "zones_resource_group",
    "zones_subscription_id",
    "ttl_seconds",
    "ownership",
    "on_stop",
    "nested_reverse_zones",
)
MAX_TTL_SECONDS: Final = 2147483647
MAX_MAP_LENGTH: Final = 1_000_000
_RESERVED = ("in-addr.arpa", "ip6.arpa")

Pairs = list[tuple[str, Any]]
Choice = TypeVar("Choice", bound=StrEnum)


class _Object(list[tuple[str, Any]]):
    """A JSON object as its pairs, so that duplicate keys are still there to be reported."""


@dataclass
class Parser:
    """Collects the reasons; each method gives its value, or a harmless stand-in after noting why there is none."""

    reasons: list[Reason] = field(default_factory=list)
    _seen_groups: dict[str, str] = field(default_factory=dict)

    def reject(self, path: str, message: str) -> None:
        """Note a reason."""
        self.reasons.append(Reason(path, message))

    def load(self, text: str) -> Pairs | None:
        """Read the text as one JSON object, its pairs in order."""
        if len(text) > MAX_MAP_LENGTH:
            self.reject("$", f"{len(text)} characters; at most {MAX_MAP_LENGTH} are taken")
            return None
        try:
            root = json.loads(text, object_pairs_hook=_Object)
        except RecursionError:
            self.reject("$", "nested too deeply to be a zone map")
            return None
        except ValueError as error:
            self.reject("$", f"not JSON: {error}")
            return None
        if not isinstance(root, _Object):
            self.reject("$", f"an object is expected (resource group → zones), this is {_kind(root)}")
            return None
        return root

    def group_key(self, path: str, key: str) -> tuple[str | None, str] | None:
        """Read `resource group` or `subscription/resource group`; the same one twice is refused."""
        subscription, slash, name = key.rpartition("/")
        if not RESOURCE_GROUP_NAME.fullmatch(name) or (slash and not SUBSCRIPTION_ID.fullmatch(subscription)):
            self.reject(path, "not the name of a resource group, nor subscription/resource group")
            return None
        earlier = self._seen_groups.get(key.lower())
        if earlier is not None:
            self.reject(path, f"the resource group is configured twice (also as {json.dumps(earlier)})")
            return None
        self._seen_groups[key.lower()] = key
        return subscription or None, name

    def body(self, path: str, raw: Any) -> Mapping[str, Any] | None:
        """Read one entry's object; unknown and repeated keys are refused."""
        if not isinstance(raw, _Object):
            self.reject(path, f"an object is expected, this is {_kind(raw)}")
            return None
        body: dict[str, Any] = {}
        for key, value in raw:
            known = key.lower()
            if known not in KNOWN_KEYS:
                self.reject(f"{path}.{key}", f"unknown key; known are {', '.join(KNOWN_KEYS)}")
            elif known in body:
                self.reject(f"{path}.{key}", "the key is given twice")
            else:
                body[known] = value
        return body

    def forward_zone(self, path: str, body: Mapping[str, Any]) -> str:
        """Read the forward zone, which must not be a reverse one."""
        where = f"{path}.forward_zone"
        text = self._text(where, body.get("forward_zone"), required=True)
        name = self._zone(where, text) if text else ""
        if any(is_within(name, reserved) for reserved in _RESERVED):
            self.reject(where, f"'{name}' is a reverse zone; put it into reverse_zones")
        return name

    def reverse_zones(self, path: str, body: Mapping[str, Any], *, nested: bool) -> tuple[ReverseZone, ...]:
        """Read the list of reverse zones; the same, overlapping or classless ones are refused."""
        raw = body.get("reverse_zones", [])
        if not isinstance(raw, list) or isinstance(raw, _Object):
            self.reject(f"{path}.reverse_zones", f"a list is expected, this is {_kind(raw)}")
            return ()
        zones: list[ReverseZone] = []
        for index, item in enumerate(raw):
            where = f"{path}.reverse_zones[{index}]"
            zone = self._reverse_zone(where, item)
            if zone and self._fits(where, zone, zones, nested=nested):
                zones.append(zone)
        return tuple(zones)

    def resource_group(self, path: str, body: Mapping[str, Any], key: str) -> str:
        """Read a resource group's name."""
        text = self._text(f"{path}.{key}", body.get(key), required=True)
        if text and not RESOURCE_GROUP_NAME.fullmatch(text):
            self.reject(f"{path}.{key}", f"not the name of a resource group: {text[:100]!a}")
        return text

    def subscription(self, path: str, body: Mapping[str, Any], key: str) -> str | None:
        """Read an optional subscription id."""
        text = self._text(f"{path}.{key}", body.get(key), required=False)
        if text and not SUBSCRIPTION_ID.fullmatch(text):
            self.reject(f"{path}.{key}", f"not a subscription id: {text[:100]!a}")
        return text or None

    def ttl(self, path: str, body: Mapping[str, Any], default: int) -> int:
        """Read the TTL, seconds."""
        value = body.get("ttl_seconds", default)
        if isinstance(value, bool) or not isinstance(value, int):
            self.reject(f"{path}.ttl_seconds", f"a whole number of seconds is expected, this is {_kind(value)}")
            return default
        if not 1 <= value <= MAX_TTL_SECONDS:
            self.reject(f"{path}.ttl_seconds", f"{value} is not between 1 and {MAX_TTL_SECONDS} seconds")
        return value

    def flag(self, path: str, body: Mapping[str, Any], key: str) -> bool:
        """Read an optional true or false."""
        value = body.get(key, False)
        if not isinstance(value, bool):
            self.reject(f"{path}.{key}", f"true or false is expected, this is {_kind(value)}")
            return False
        return value

    def choice(self, path: str, body: Mapping[str, Any], key: str, kind: type[Choice], default: Choice) -> Choice:
        """Read one of an enumeration's values."""
        text = self._text(f"{path}.{key}", body.get(key), required=False)
        if not text:
            return default
        try:
            return kind(text.lower())
        except ValueError:
            self.reject(f"{path}.{key}", f"{text[:50]!a} is not one of {', '.join(member.value for member in kind)}")
            return default

    def _text(self, where: str, value: Any, *, required: bool) -> str:
        if value is None and not required:
            return ""
        if value is None:
            self.reject(where, "is missing")
        elif not isinstance(value, str):
            self.reject(where, f"a string is expected, this is {_kind(value)}")
        elif not value.strip():
            self.reject(where, "is empty")
        else:
            return value
        return ""

    def _zone(self, where: str, text: str) -> str:
        try:
            return parse_zone(text)
        except InputError as error:
            self.reject(where, str(error))
            return ""

    def _reverse_zone(self, where: str, item: Any) -> ReverseZone | None:
        text = self._text(where, item, required=True)
        try:
            return ReverseZone.parse(text) if text else None
        except InputError as error:
            self.reject(where, str(error))
            return None

    def _fits(self, where: str, zone: ReverseZone, others: list[ReverseZone], *, nested: bool) -> bool:
        for other in others:
            if zone.name == other.name:
                self.reject(where, f"'{zone.name}' is listed twice")
                return False
            if not nested and zone.network.version == other.network.version and _overlap(zone, other):
                self.reject(
                    where,
                    f"'{zone.name}' overlaps '{other.name}': a network linked to both asks only the longer one: "
                    "keep the one that is linked, or set nested_reverse_zones to true if both are meant",
                )
                return False
        return True


def _overlap(left: ReverseZone, right: ReverseZone) -> bool:
    return left.name.endswith("." + right.name) or right.name.endswith("." + left.name)


def _kind(value: Any) -> str:
    if isinstance(value, _Object):
        return "an object"
    names = {list: "a list", str: "a string", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "null")
