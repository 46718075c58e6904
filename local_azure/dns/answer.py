"""What 168.63.129.16 says to a virtual network: the private zones linked to it and one query in, one response out.

Pure: no clock, no socket, no World. The rules, each of them documented by Microsoft or seen in a capture:

- The longest linked zone that contains the name answers, and no other: what it does not hold does not exist,
  even when a shorter linked zone holds it (`2.1.10.in-addr.arpa` shadows `10.in-addr.arpa`).
- A missing name is NXDOMAIN and a missing type NODATA, both with the zone's SOA in the authority section. Its TTL is
  the negative TTL: the lesser of the SOA's own TTL and its minimum (RFC 2308), 10 s for a new zone.
- A name below which others exist is an empty non-terminal: NODATA, never NXDOMAIN (RFC 8020).
- A name in no linked zone goes to the platform: see `platform.Platform`.
- A custom DNS server in between answers without authority: see `forwarded`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Final

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rcode import Rcode
from dns.rdatatype import RdataType

from local_azure.dns import records
from local_azure.dns.platform import DEFAULT_DOMAIN, Platform, default_name_answer

if TYPE_CHECKING:
    from local_azure.world import PrivateZone, RecordSet

MAX_CHAIN: Final = 16
"""CNAMEs followed before the resolver gives up with SERVFAIL."""
EDNS_PAYLOAD: Final = 1232
"""UDP payload that the resolver offers, and the most that it sends."""

_TRANSFERS: Final = (RdataType.AXFR, RdataType.IXFR)


@dataclass(frozen=True)
class View:
    """What one virtual network resolves: its linked zones, keyed by lower-case name without final dot.

    `registration_zone` is the one of them in which the network's virtual machines are registered by themselves.
    """

    zones: Mapping[str, "PrivateZone"]
    platform: Platform = field(default_factory=Platform)
    registration_zone: str | None = None

    @classmethod
    def of(
        cls, zones: Iterable["PrivateZone"], platform: Platform | None = None, registration_zone: str | None = None
    ) -> "View":
        """Make the view of a virtual network with these linked zones."""
        by_name = {zone.name.lower().removesuffix("."): zone for zone in zones}
        return cls(by_name, platform or Platform(), registration_zone)

    def zone_of(self, name: dns.name.Name) -> tuple[dns.name.Name, "PrivateZone"] | None:
        """Find the longest linked zone that contains `name`, and its origin in the query's own spelling."""
        for cut in range(len(name.labels) - 1):
            origin = dns.name.Name(name.labels[cut:])
            zone = self.zones.get(origin.to_text(omit_final_dot=True).lower())
            if zone is not None:
                return origin, zone
        return None


@dataclass
class _Resolution:
    """One response in the making."""

    rcode: Rcode = Rcode.NOERROR
    answer: list[dns.rrset.RRset] = field(default_factory=list)
    authority: list[dns.rrset.RRset] = field(default_factory=list)
    authoritative: bool = False


def respond(view: View, query: dns.message.Message) -> dns.message.Message:
    """Answer a parsed query. Never raises for any query that dnspython can parse."""
    response = dns.message.make_response(query, recursion_available=True, our_payload=EDNS_PAYLOAD)
    refused = _refusal(query)
    if refused is not None:
        response.set_rcode(refused)
        return response
    question = query.question[0]
    found = _resolve(view, question.name, question.rdtype)
    response.set_rcode(found.rcode)
    response.answer, response.authority = found.answer, found.authority
    if found.authoritative:
        response.flags |= dns.flags.AA
    return response


def forwarded(response: dns.message.Message) -> dns.message.Message:
    """Make the response what a forwarder passes on: the same data, without authority."""
    response.flags &= ~dns.flags.AA
    return response


def _refusal(query: dns.message.Message) -> Rcode | None:
    """Give the response code of a query that is not looked up at all; None for one that is."""
    if query.opcode() != dns.opcode.QUERY:
        return Rcode.NOTIMP
    if len(query.question) != 1:
        return Rcode.FORMERR
    if query.edns > 0:
        return Rcode.BADVERS
    question = query.question[0]
    if question.rdclass != dns.rdataclass.IN or question.rdtype in _TRANSFERS:
        return Rcode.REFUSED
    if dns.rdatatype.is_metatype(question.rdtype) and question.rdtype != RdataType.ANY:
        return Rcode.NOTIMP
    return None


def _resolve(view: View, name: dns.name.Name, kind: RdataType) -> _Resolution:
    """Follow CNAMEs from zone to zone; the last name decides the response code (RFC 6604)."""
    found, seen = _Resolution(), {name}
    while True:
        place = view.zone_of(name)
        if not found.answer:
            found.authoritative = place is not None
        if place is None:
            _on_platform(found, view, name, kind)
            return found
        target = _in_zone(found, view, place, name, kind)
        if target is None:
            return found
        if target in seen or len(seen) > MAX_CHAIN:
            return _Resolution(Rcode.SERVFAIL)
        seen.add(target)
        name = target


def _in_zone(
    found: _Resolution,
    view: View,
    place: tuple[dns.name.Name, "PrivateZone"],
    name: dns.name.Name,
    kind: RdataType,
) -> dns.name.Name | None:
    """Add what the zone says of `name`; the target when a CNAME has to be followed."""
    origin, zone = place
    node = _node(zone, name.relativize(origin))
    if not node and view.registration_zone == zone.name and _machine(found, view, name, kind, zone.name):
        return None
    if node is None:
        found.rcode = Rcode.NXDOMAIN
        found.authority.append(_negative_soa(origin, zone))
        return None
    alias = records.rrset(name, node["CNAME"]) if "CNAME" in node else None
    if alias is not None and kind not in (RdataType.CNAME, RdataType.ANY):
        found.answer.append(alias)
        return alias[0].target  # type: ignore[no-any-return]  # dnspython's Rdata is dynamic
    sets = [records.rrset(name, held) for held in node.values() if kind in (RdataType.ANY, _kind(held))]
    answers = [each for each in sets if each is not None]
    found.answer.extend(answers)
    if not answers:
        found.authority.append(_negative_soa(origin, zone))
    return None


def _node(zone: "PrivateZone", relative: dns.name.Name) -> Mapping[str, "RecordSet"] | None:
    """Give the record sets by type at a name, found by wildcard too (RFC 4592); None when no such name exists."""
    labels = [dns.name.Name([label]).to_text().lower() for label in relative.labels]
    exact = _held(zone, labels)
    if exact or not labels or _exists(zone, labels):
        return exact
    for cut in range(1, len(labels) + 1):
        encloser = labels[cut:]
        wild = _held(zone, ["*", *encloser])
        if wild:
            return wild
        if _exists(zone, encloser):
            return None  # the closest encloser alone decides which wildcard applies
    return None


def _held(zone: "PrivateZone", labels: list[str]) -> Mapping[str, "RecordSet"]:
    """Give the sets stored at exactly this relative name."""
    name = ".".join(labels) or "@"
    return {kind: zone.record_sets[kind, name] for kind in records.TYPES if (kind, name) in zone.record_sets}


def _exists(zone: "PrivateZone", labels: list[str]) -> bool:
    """Whether the relative name holds a set or lies above one that does (an empty non-terminal)."""
    if not labels or _held(zone, labels):
        return True
    # One search in one text: four times as fast as asking 25,000 names in turn, and no index to keep in step with ARM.
    return f".{'.'.join(labels)}\n" in "\n".join(map(itemgetter(1), zone.record_sets)) + "\n"


def _kind(held: "RecordSet") -> RdataType:
    return dns.rdatatype.from_text(held.type)


def _negative_soa(origin: dns.name.Name, zone: "PrivateZone") -> dns.rrset.RRset:
    """Give the zone's SOA with the time that a resolver may remember the absence."""
    found = records.soa(origin, zone.record_sets.get(("SOA", "@")))
    found.update_ttl(min(found.ttl, found[0].minimum))
    return found


def _on_platform(found: _Resolution, view: View, name: dns.name.Name, kind: RdataType) -> None:
    """Add what the platform says of a name in no linked zone: a virtual machine's default name, else NXDOMAIN."""
    targets = view.platform.machine_names(name, view.registration_zone)
    if targets and kind in (RdataType.PTR, RdataType.ANY):
        found.answer.append(default_name_answer(name, RdataType.PTR, targets))
        return
    if _machine(found, view, name, kind, DEFAULT_DOMAIN):
        return
    soa = view.platform.negative_soa(name)
    found.authority += [soa] if soa is not None else []
    found.rcode = Rcode.NOERROR if targets or (soa is not None and name == soa.name) else Rcode.NXDOMAIN


def _machine(found: _Resolution, view: View, name: dns.name.Name, kind: RdataType, domain: str) -> bool:
    """Add the address of the virtual machine of this name, if there is one; NODATA for other types."""
    address = view.platform.machine_address(name, domain)
    if address is None:
        return False
    own = RdataType.AAAA if ":" in address else RdataType.A
    if kind in (own, RdataType.ANY):
        found.answer.append(default_name_answer(name, own, [address]))
        return True
    place = view.zone_of(name)
    soa = _negative_soa(*place) if place else view.platform.negative_soa(name)
    found.authority += [soa] if soa is not None else []
    return True
