"""DNS names: validation, comparison, reverse names of IPv4 and IPv6 addresses, and which reverse zone holds an address.

Names are kept as Azure writes them: lower case, without the trailing dot.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from core.errors import InputError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_NAME_LENGTH: Final = 253
MIN_ZONE_LABELS: Final = 2
MAX_ZONE_LABELS: Final = 34
"""A private zone has 2 to 34 labels (Azure DNS limits)."""
_V4_SUFFIX: Final = "in-addr.arpa"
_V6_SUFFIX: Final = "ip6.arpa"
_MAX_V4_LABELS: Final = 3
_MAX_V6_LABELS: Final = 31
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII | re.IGNORECASE)
_NIBBLE = re.compile(r"[0-9a-f]", re.ASCII)


def normalise(name: str) -> str:
    """Lower-case a name and drop its trailing dot, as Azure stores it."""
    return name.lower().removesuffix(".")


def same_name(left: str, right: str) -> bool:
    """Tell whether two names are the same in DNS: case and a trailing dot do not count."""
    return normalise(left) == normalise(right)


def parse_name(text: str) -> str:
    """Validate a host or zone name and normalise it; raises InputError with the label that is wrong."""
    name = normalise(text)
    if not name or len(name) > MAX_NAME_LENGTH:
        raise InputError(f"a DNS name has 1 to {MAX_NAME_LENGTH} characters: {text[:80]!a}")
    for label in text.removesuffix(".").split("."):  # as given: lower case makes ASCII of some that are not (U+212A)
        if not _LABEL.fullmatch(label):
            raise InputError(f"label {label[:70]!a} is not allowed in a DNS name: {text[:80]!a}")
    return name


def parse_zone(text: str) -> str:
    """Validate the name of a private zone and normalise it; raises InputError."""
    name = parse_name(text)
    if not MIN_ZONE_LABELS <= name.count(".") + 1 <= MAX_ZONE_LABELS:
        raise InputError(f"a private DNS zone has {MIN_ZONE_LABELS} to {MAX_ZONE_LABELS} labels: {text[:80]!a}")
    return name


@lru_cache(maxsize=20_000)
def parse_address(text: str) -> Address:
    """Read an IPv4 or IPv6 address; raises InputError for anything else, a scope id or an IPv4-mapped one included."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise InputError(f"not an IP address: {text[:80]!a}") from error
    if isinstance(address, ipaddress.IPv6Address) and (address.scope_id or address.ipv4_mapped):
        raise InputError(f"an address with a scope or an embedded IPv4 address has no reverse name: {text[:80]!a}")
    return address


def is_usable(address: Address) -> bool:
    """Tell whether a container group can have this address: 0.0.0.0 means 'not yet', loopback and the like never."""
    return not (address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local)


def reverse_name(address: Address) -> str:
    """Give the owner name of an address's PTR record set: 10.0.1.4 → 4.1.0.10.in-addr.arpa."""
    return address.reverse_pointer


def address_of(reverse: str) -> Address | None:
    """Give the address that a full reverse name stands for, or None when it stands for none (the inverse of above)."""
    name = normalise(reverse)
    labels = name.split(".")
    if name.endswith("." + _V4_SUFFIX):
        text = ".".join(reversed(labels[:-2]))
    elif name.endswith("." + _V6_SUFFIX):
        digits = "".join(reversed(labels[:-2]))
        text = ":".join(digits[at : at + 4] for at in range(0, len(digits), 4))
    else:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return address if reverse_name(address) == name else None


def is_within(name: str, zone: str) -> bool:
    """Tell whether a name is the zone's own name or below it."""
    name, zone = normalise(name), normalise(zone)
    return name == zone or name.endswith("." + zone)


def relative_name(name: str, zone: str) -> str:
    """Give a record set's name within its zone: `@` at the apex; raises InputError when the name is elsewhere."""
    name, zone = normalise(name), normalise(zone)
    if name == zone:
        return "@"
    if not name.endswith("." + zone):
        raise InputError(f"'{name}' is not in zone '{zone}'")
    return name.removesuffix("." + zone)


def absolute_name(relative: str, zone: str) -> str:
    """Give the full name of a record set (the inverse of relative_name)."""
    return normalise(zone) if relative == "@" else f"{normalise(relative)}.{normalise(zone)}"


@dataclass(frozen=True, slots=True)
class ReverseZone:
    """A reverse zone and the addresses below it: `10.in-addr.arpa` holds 10.0.0.0/8."""

    name: str
    network: Network

    @staticmethod
    def parse(text: str) -> "ReverseZone":
        """Read a reverse zone cut at an octet or nibble; a classless zone (RFC 2317) is refused with the reason."""
        name = parse_reverse_candidate(text)
        labels = name.split(".")[:-2]
        if name.endswith("." + _V4_SUFFIX):
            return ReverseZone(name, _ipv4_network(labels, text))
        return ReverseZone(name, _ipv6_network(labels, text))

    def contains(self, address: Address) -> bool:
        """Tell whether the address's PTR belongs below this zone."""
        return address in self.network


def parse_reverse_candidate(text: str) -> str:
    """Normalise a name that claims to be a reverse zone; raises InputError with the reason why it cannot be one."""
    name = normalise(text)
    if "/" in name:
        raise InputError(_classless(text))
    if not name.endswith(("." + _V4_SUFFIX, "." + _V6_SUFFIX)):
        raise InputError(f"a reverse zone ends in .{_V4_SUFFIX} or .{_V6_SUFFIX}: {text[:80]!a}")
    return name


def _classless(text: str) -> str:
    return (
        f"{text[:80]!a} is a classless zone (RFC 2317): private DNS zones cannot delegate to it, so PTR queries "
        "never reach it; use a zone cut at an octet, for example 1.0.10.in-addr.arpa"
    )


def _ipv4_network(labels: list[str], text: str) -> ipaddress.IPv4Network:
    if any("-" in label for label in labels):
        raise InputError(_classless(text))
    if len(labels) > _MAX_V4_LABELS:
        raise InputError(f"{text[:80]!a} names one address or less; a reverse zone covers a /8, /16 or /24")
    octets = list(reversed(labels))
    if not all(label.isascii() and label.isdigit() and str(int(label[:4])) == label for label in octets):
        raise InputError(f"the labels of an IPv4 reverse zone are octets, 0 to 255: {text[:80]!a}")
    if any(int(label) > 255 for label in octets):  # noqa: PLR2004 - an octet
        raise InputError(f"the labels of an IPv4 reverse zone are octets, 0 to 255: {text[:80]!a}")
    padded = octets + ["0"] * (4 - len(octets))
    return ipaddress.IPv4Network((".".join(padded), 8 * len(octets)))


def _ipv6_network(labels: list[str], text: str) -> ipaddress.IPv6Network:
    if len(labels) > _MAX_V6_LABELS or not all(_NIBBLE.fullmatch(label) for label in labels):
        raise InputError(f"the labels of an IPv6 reverse zone are 1 to {_MAX_V6_LABELS} hex digits: {text[:80]!a}")
    digits = "".join(reversed(labels)).ljust(32, "0")
    groups = ":".join(digits[at : at + 4] for at in range(0, 32, 4))
    return ipaddress.IPv6Network((groups, 4 * len(labels)))


def longest_reverse_zone(address: Address, zones: Iterable[ReverseZone]) -> ReverseZone | None:
    """Choose the zone that a resolver would ask for the address: the longest that contains it, or None."""
    containing = [zone for zone in zones if zone.contains(address)]
    return max(containing, key=lambda zone: zone.network.prefixlen, default=None)


def shadowing_zones(address: Address, chosen: ReverseZone, known: Iterable[ReverseZone]) -> list[ReverseZone]:
    """List the zones that a resolver would ask instead of the chosen one, because they are longer."""
    return sorted(
        (zone for zone in known if zone.contains(address) and zone.network.prefixlen > chosen.network.prefixlen),
        key=lambda zone: -zone.network.prefixlen,
    )
