"""Names replaced by keyed hashes: equal names stay equal, in every column and inside texts. Pure.

What is kept is the shape: a resource id stays a resource id, a name in a zone stays in that zone, an address stays in
its network (prefixes are kept, as Crypto-PAn does), and a PTR's owner name stays that of its address. So every join
still works, and every query and notebook runs. Without the key no name can be tried out against the hashes.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from core.arm_id import GUID
from core.events import Component, DriftKind, EventType, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY_BYTES: Final = 32
_NAME_LENGTH: Final = 12
_MEMORY: Final = 200_000
_GUID: Final = re.compile(GUID)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d)?)?")
_NUMBER: Final = re.compile(r"[-+]?\d+(\.\d+)?(ms|s|m|h|d|%)?")
_WORD: Final = re.compile(r"[A-Za-z]+(?:_[A-Za-z]+)*")
_TOKEN: Final = re.compile(r"[\w.:@-]+")
_REVERSE: Final = (".in-addr.arpa", ".ip6.arpa")
_KEPT: Final = frozenset(
    {*Component, *EventType, *DriftKind, *(each.lower() for each in Severity)}
    | {
        "subscriptions",
        "resourcegroups",
        "providers",
        "in-addr.arpa",
        "ip6.arpa",
        "a",
        "aaaa",
        "ptr",
        "soa",
        "dns",
        "azure",
    }
)
"""Words of the schema: never a name, also when a resource is called so."""


class Pseudonyms:
    """The replacement of names, for one key of KEY_BYTES bytes. Texts are searched for `names`, so give it all."""

    def __init__(self, key: bytes, names: Iterable[str] = ()) -> None:
        if len(key) < KEY_BYTES // 2:
            raise ValueError(f"the key has {len(key)} bytes; it must have {KEY_BYTES // 2} or more")
        self._key = key
        self._names = {name.lower() for name in names if name} - _KEPT
        self.text = lru_cache(_MEMORY)(self._text)
        self.name = lru_cache(_MEMORY)(self._name)
        self._order = lru_cache(_MEMORY)(self._ordered)

    @property
    def fingerprint(self) -> str:
        """What two exports have in common whose names can be joined; tells nothing of the key."""
        return self._digest("fingerprint", "")[:16]

    def label(self, value: str) -> str:
        """Replace one name, in any case: a group, a resource group, one label of a DNS name. A GUID gives a GUID."""
        if not value or value == "*":
            return value
        digest = self._digest("name", value.lower())
        if _GUID.fullmatch(value):
            return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
        return f"n{digest[:_NAME_LENGTH]}"

    def identifier(self, value: str) -> str:
        """Replace an opaque id (of an event, of a run) by one of the same length."""
        return (
            self.label(value)
            if _GUID.fullmatch(value)
            else self._digest("id", value)[: max(len(value), 16)]
            if value
            else ""
        )

    def resource_id(self, value: str) -> str:
        """Replace the names in a resource id; its words and its types stay."""
        parts = value.split("/")
        return "/".join(self._segment(parts, place) for place in range(len(parts)))

    def address(self, value: str) -> str:
        """Replace an IP address by one whose networks hold the replaced addresses of the same networks."""
        try:
            packed = ipaddress.ip_address(value).packed
        except ValueError:
            return self.label(value)
        if len(packed) == 4:  # noqa: PLR2004 - the bytes of an IPv4 address
            return str(ipaddress.IPv4Address(bytes(self._path(list(packed), 256))))
        nibbles = self._path([half for byte in packed for half in divmod(byte, 16)], 16)
        return str(ipaddress.IPv6Address(int("".join(f"{each:x}" for each in nibbles), 16)))

    def _name(self, value: str) -> str:
        """Replace a DNS name, label by label; names below in-addr.arpa and ip6.arpa as their address."""
        name = value.lower()
        for ending, base, size in ((_REVERSE[0], 10, 256), (_REVERSE[1], 16, 16)):
            if name.endswith(ending):
                return self._reverse(name.removesuffix(ending).split("."), base, size) + ending
        return ".".join(self.label(label) for label in name.split(".")) if name else ""

    def _reverse(self, labels: list[str], base: int, size: int) -> str:
        try:
            path = [int(label, base) for label in reversed(labels)]
        except ValueError:
            return ".".join(self.label(label) for label in labels)
        if not all(0 <= each < size for each in path):
            return ".".join(self.label(label) for label in labels)
        return ".".join(f"{each:d}" if base == 10 else f"{each:x}" for each in reversed(self._path(path, size)))  # noqa: PLR2004 - decimal

    def value(self, value: Any) -> Any:
        """Replace the names in a JSON value: in its texts, and in keys that are names."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(each) for each in value]
        if isinstance(value, dict):
            return {self.text(key): self.value(each) for key, each in value.items()}
        return value

    def _text(self, text: str) -> str:
        """Replace every name in a text: known names, and whatever looks like an id, an address or a name."""
        return _TOKEN.sub(lambda found: self._token(found.group(0)), text)

    def _token(self, token: str) -> str:  # noqa: PLR0911 - a return for each kind of word
        bare = token.rstrip(".:-")
        ending = token[len(bare) :]
        lower = bare.lower()
        if not bare or lower in _KEPT or lower.startswith("microsoft."):
            return token
        if _TIME.fullmatch(bare) or _NUMBER.fullmatch(bare):
            return token
        if lower in self._names:
            return (self.name(bare) if "." in bare else self.label(bare)) + ending
        if _is_address(bare):
            return self.address(bare) + ending
        if _GUID.fullmatch(bare) or "@" in bare:
            return self.label(bare) + ending
        if _WORD.fullmatch(bare):
            return token
        return (self.name(bare) if "." in bare else self.label(bare)) + ending

    def _segment(self, parts: list[str], place: int) -> str:
        segment = parts[place]
        if not segment or segment.lower() in {"subscriptions", "resourcegroups", "providers"}:
            return segment
        before = parts[place - 1].lower() if place else ""
        if before == "providers":
            return segment
        provider = next((at for at, part in enumerate(parts) if part.lower() == "providers"), None)
        is_type = provider is not None and place > provider and (place - provider) % 2 == 0
        return segment if is_type else (self.name(segment) if "." in segment else self.label(segment))

    def _path(self, steps: list[int], size: int) -> list[int]:
        """Walk down a tree: at each node the branches are in an order of its own, that the key decides."""
        return [self._order(tuple(steps[:at]), size)[step] for at, step in enumerate(steps)]

    def _ordered(self, prefix: tuple[int, ...], size: int) -> list[int]:
        kind = f"branch{size}"
        return sorted(range(size), key=lambda branch: self._digest(kind, f"{prefix}{branch}"))

    def _digest(self, kind: str, value: str) -> str:
        return hmac.new(self._key, f"{kind}\x1f{value}".encode(), hashlib.sha256).hexdigest()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
