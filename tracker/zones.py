"""Would a resolver ask the zones that hold our records at all? Pure; the links are read only when that is asked for.

A reverse zone that is not linked to a network answers NXDOMAIN there although the PTR record is in it; a longer zone
that is linked hides the one that we write to, without fall-through.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from core.errors import InputError
from core.events import DriftKind
from core.names import Address, ReverseZone, shadowing_zones
from core.placement import Placement

Problem = tuple[DriftKind, str, str]


@dataclass(frozen=True, slots=True)
class ZoneFacts:
    """Zone name → lower-case ids of the virtual networks that it is linked to, the link being complete.

    A zone that does not exist is absent; one that exists and has no link has an empty set. Longer reverse zones that
    nobody configured are in it too: they are what shadows.
    """

    linked: Mapping[str, frozenset[str]]


def zone_problems(facts: ZoneFacts, placement: Placement, address: Address) -> Iterator[Problem]:
    """Give (kind, zone, message) for each zone that a network would not ask for the group's records."""
    forward = placement.config.forward_zone
    networks = facts.linked.get(forward)
    if networks is not None and not networks:
        yield DriftKind.ZONE_UNLINKED, forward, "is linked to no virtual network"
    reverse = placement.reverse_zone(address)
    if reverse is None or reverse.name not in facts.linked:
        return
    yield from _unlinked(reverse.name, facts.linked[reverse.name], networks or frozenset())
    for longer in shadowing_zones(address, reverse, reverse_zones(facts)):
        hidden = facts.linked[longer.name] & (facts.linked[reverse.name] | (networks or frozenset()))
        if hidden:
            message = f"is hidden by {longer.name} in {', '.join(sorted(hidden))}"
            yield DriftKind.ZONE_SHADOWED, reverse.name, message


def reverse_zones(facts: ZoneFacts) -> list[ReverseZone]:
    """List the reverse zones among the zones."""
    return parse_reverse_zones(facts.linked)


def parse_reverse_zones(names: Mapping[str, object] | list[str]) -> list[ReverseZone]:
    """Keep the names that are reverse zones; a classless one never answers a PTR query, so it hides nothing."""
    return [zone for zone in map(_reverse_zone, names) if zone]


@lru_cache(maxsize=10_000)
def _reverse_zone(name: str) -> ReverseZone | None:
    """Read a name once: an audit asks for the same few of every group."""
    try:
        return ReverseZone.parse(name)
    except InputError:
        return None


def _unlinked(zone: str, linked: frozenset[str], forward: frozenset[str]) -> Iterator[Problem]:
    """Compare with the forward zone: a network that resolves the name must resolve the address too."""
    missing = forward - linked
    if not linked:
        yield DriftKind.ZONE_UNLINKED, zone, "is linked to no virtual network"
    elif missing:
        message = f"is not linked to {', '.join(sorted(missing))}, which the forward zone is linked to"
        yield DriftKind.ZONE_UNLINKED, zone, message
