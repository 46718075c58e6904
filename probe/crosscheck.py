"""Three-way: what ACI says, what the zone says, what the resolver says, and which hop between them is broken. Pure.

The chain is group → record set → zone → link → (custom DNS server) → resolver. Needs Reader on all of it; the verdict
does not, and stays what it is: this names the place where to repair.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from core.live import LiveState
from core.names import same_name
from core.records import ZoneRef
from probe.target import Target, Vantage, network_name
from probe.verdict import Direction, Finding, Judgement, Verdict
from probe.zones import AzureFacts, Zone, is_reverse_zone, same_place

AZURE_RESOLVER: Final = "168.63.129.16"
_NO_WORD: Final = frozenset(
    {Verdict.TIMEOUT, Verdict.UNREACHABLE, Verdict.MALFORMED, Verdict.TRUNCATED, Verdict.SERVFAIL, Verdict.REFUSED,
     Verdict.LAME, Verdict.BAD_RCODE}
)  # fmt: skip
_RECORD_FIRST: Final = frozenset(
    {Verdict.OK, Verdict.A_MISSING, Verdict.A_MISMATCH, Verdict.PTR_MISSING, Verdict.PTR_MISMATCH, Verdict.NODATA}
)


class Hop(StrEnum):
    """The link of the chain that is broken."""

    NONE = "none"
    GROUP = "group"
    RECORD = "record"
    ZONE = "zone"
    LINK = "link"
    LINK_PENDING = "link_pending"
    SHADOW = "shadow"
    CUSTOM_DNS = "custom_dns"
    RESOLVER = "resolver"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DirectionCheck:
    """One direction's three statements, the broken hop, and a sentence about it (empty when nothing is broken)."""

    direction: Direction
    zone: str
    aci_says: str
    zone_says: str
    resolver_says: str
    hop: Hop
    explanation: str

    def to_json(self) -> dict[str, str]:
        """Give it as JSON values."""
        return {
            "zone": self.zone,
            "aci_says": self.aci_says,
            "zone_says": self.zone_says,
            "resolver_says": self.resolver_says,
            "hop": self.hop.value,
            "explanation": self.explanation,
        }


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """Both directions. The target's hop is the forward one's when that is broken, else the reverse one's."""

    forward: DirectionCheck
    reverse: DirectionCheck | None = None

    @property
    def deciding(self) -> DirectionCheck:
        """Give the direction that the hop comes from."""
        return self.forward if self.reverse is None or self.forward.hop is not Hop.NONE else self.reverse

    @property
    def hop(self) -> Hop:
        """Give the broken hop."""
        return self.deciding.hop

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return {
            "hop": self.hop.value,
            "explanation": self.deciding.explanation,
            "forward": self.forward.to_json(),
            **({"reverse": self.reverse.to_json()} if self.reverse else {}),
        }


def cross_check(target: Target, judgement: Judgement, vantage: Vantage, facts: AzureFacts) -> CrossCheck:
    """Compare the three; `judgement` is the latest look."""
    reverse = judgement.reverse
    return CrossCheck(
        _direction(target, judgement.forward, target.forward, vantage, facts),
        _direction(target, reverse, target.reverse, vantage, facts) if reverse else None,
    )


def _direction(
    target: Target, finding: Finding, zone: ZoneRef | None, vantage: Vantage, facts: AzureFacts
) -> DirectionCheck:
    name = finding.answer.question.name
    values = facts.records.get((name, finding.answer.question.type))
    hop, explanation = _group(target, facts) or _chain(target, finding, zone, vantage, facts)
    return DirectionCheck(
        direction=finding.direction,
        zone=zone.name if zone else "",
        aci_says=_aci_says(target, facts),
        zone_says="not read" if values is None else ", ".join(values) or "nothing",
        resolver_says=finding.answer.says(),
        hop=hop,
        explanation=explanation,
    )


def _chain(
    target: Target, finding: Finding, zone: ZoneRef | None, vantage: Vantage, facts: AzureFacts
) -> tuple[Hop, str]:
    """Go along the chain; where the answer tells that the zone was asked, its records are looked at first."""
    if zone is None:
        return Hop.ZONE, f"no configured reverse zone contains {target.address}"
    missing = _missing_zone(zone, facts)
    if missing is not None:
        return (Hop.NONE, "") if finding.is_ok and missing[0] is Hop.UNKNOWN else missing
    record = _record(target, finding, zone, facts)
    if finding.is_ok:
        return record or (Hop.NONE, "")
    link = _link(finding, zone, vantage, facts)
    steps = (record, link) if finding.verdict in _RECORD_FIRST else (link, record)
    found = [step for step in steps if step]
    if found and not (finding.verdict in _NO_WORD and found[0][0] is Hop.UNKNOWN):
        return found[0][0], "; ".join(sentence for _, sentence in found)
    return _resolver(finding, zone, facts)


def _group(target: Target, facts: AzureFacts) -> tuple[Hop, str] | None:
    live = facts.groups.get(str(target.group).lower()) if target.group else None
    if live is None:
        return None
    if live.state is LiveState.RUNNING and live.address == target.address:
        return None
    now = f"has {live.address} now" if live.address else f"is {live.state.value.replace('_', ' ')} now: {live.detail}"
    return Hop.GROUP, f"the container group {now}; {target.address} was expected"


def _missing_zone(zone: ZoneRef, facts: AzureFacts) -> tuple[Hop, str] | None:
    if facts.zone(zone) is not None:
        return None
    if not facts.is_missing(zone):
        return Hop.UNKNOWN, f"the zone {zone.name} could not be looked up"
    others = [f"resource group {other.ref.resource_group}" for other in facts.namesakes(zone.name)]
    beside = f"; zones of that name are in {', '.join(others)}" if others else ""
    place = f" in resource group {zone.resource_group}" if zone.resource_group else ""
    return Hop.ZONE, f"the zone {zone.name} does not exist{place}{beside}"


def _record(target: Target, finding: Finding, zone: ZoneRef, facts: AzureFacts) -> tuple[Hop, str] | None:
    name, kind = finding.answer.question.name, finding.answer.question.type
    values = facts.records.get((name, kind))
    if values is None:
        return None
    if finding.direction is Direction.REVERSE:
        is_right = any(same_name(value, target.fqdn) for value in values)
    else:
        is_right = str(target.address) in values and set(values) <= {str(target.address), *map(str, target.also)}
    if is_right:
        return None
    said = ", ".join(values) or "nothing"
    remembered = "; the resolver still answers from memory" if finding.is_ok else ""
    return Hop.RECORD, f"the zone {zone.name} says {said} for {name} {kind}{remembered}"


def _link(finding: Finding, zone: ZoneRef, vantage: Vantage, facts: AzureFacts) -> tuple[Hop, str] | None:
    found = facts.zone(zone)
    if found is None or not found.links_known:
        return Hop.UNKNOWN, f"the links of {zone.name} could not be read"
    if not found.links:
        return Hop.LINK, f"the zone {zone.name} is linked to no virtual network"
    if not vantage.vnet_id:
        where = ", ".join(map(network_name, found.networks))
        return Hop.UNKNOWN, f"the zone {zone.name} is linked to {where}; PROBE_VANTAGE would tell whether that is here"
    if not found.links_to(vantage.vnet_id):
        return Hop.LINK, _not_here(found, vantage, facts)
    return _link_here(finding, found, vantage, facts)


def _link_here(finding: Finding, found: Zone, vantage: Vantage, facts: AzureFacts) -> tuple[Hop, str] | None:
    zone, here = found.ref.name, found.links_to(vantage.vnet_id)
    longer = facts.hiding(finding.answer.question.name, zone, vantage.vnet_id)
    if longer is not None:
        return Hop.SHADOW, f"the zone {longer.ref.name}, linked to the same network, hides {zone}"
    if not any(link.is_complete for link in here):
        return Hop.LINK_PENDING, f"the link {here[0].name} of {zone} is {here[0].state or 'not complete'} still"
    if is_reverse_zone(zone) and any(link.registration_enabled for link in here):
        return Hop.LINK, f"the link {here[0].name} has registration enabled, which reverse zones do not support"
    return None


def _not_here(found: Zone, vantage: Vantage, facts: AzureFacts) -> str:
    elsewhere = ", ".join(map(network_name, found.networks))
    sentence = f"the zone {found.ref.name} is not linked to {network_name(vantage.vnet_id)}, only to {elsewhere}"
    for other in facts.namesakes(found.ref.name):
        if not same_place(other.ref, found.ref) and other.links_to(vantage.vnet_id):
            sentence += f"; another zone of that name, in resource group {other.ref.resource_group}, is"
    return sentence


def _resolver(finding: Finding, zone: ZoneRef, facts: AzureFacts) -> tuple[Hop, str]:
    resolver, servers = finding.answer.resolver, facts.dns_servers
    if servers:
        return Hop.CUSTOM_DNS, (
            f"Azure is right; the network's own DNS servers ({', '.join(servers)}) are in between: they must forward "
            f"{zone.name} to {AZURE_RESOLVER} in a network that the zone is linked to"
        )
    if servers is None and resolver != AZURE_RESOLVER:
        return Hop.CUSTOM_DNS, (
            f"Azure is right; {resolver or 'the resolver'} is not Azure's resolver ({AZURE_RESOLVER}): it must forward "
            f"{zone.name} to that"
        )
    return Hop.RESOLVER, f"Azure is right and the resolver {resolver} answers otherwise: from memory, or not at all"


def _aci_says(target: Target, facts: AzureFacts) -> str:
    live = facts.groups.get(str(target.group).lower()) if target.group else None
    if live is not None:
        return str(live.address) if live.address else live.state.value.replace("_", " ")
    return "not read"
