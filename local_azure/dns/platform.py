"""What answers for names in no linked zone: virtual machines' default names, and NXDOMAIN in its shapes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

import dns.name
import dns.rrset
from dns.rdatatype import RdataType

UnlinkedShape = Literal[
    "parent",  # the SOA of in-addr.arpa., ip6.arpa. or the root, as public DNS has it
    "empty_zone",  # BIND's built-in empty zones (RFC 6303): 10.in-addr.arpa. and its like are their own primary
    "as112",  # the public AS112 servers' answer (RFC 7534): the same owners, prisoner.iana.org.
    "root",  # the root's SOA, as where the reverse tree is not delegated at all
    "no_soa",  # an empty authority section
]
"""How NXDOMAIN for an unlinked name looks. Which one 168.63.129.16 sends is not documented, so all can be played."""
SHAPES: Final[tuple[str, ...]] = get_args(UnlinkedShape)

DEFAULT_DOMAIN: Final = "internal.cloudapp.net"
DEFAULT_TTL: Final = 10
"""Seconds; the TTL of a virtual machine's default name is not documented."""

_ROOT_SOA: Final = "a.root-servers.net. nstld.verisign-grs.com. 2024103101 1800 900 604800 86400"
_PARENT_SOA: Final = "b.in-addr-servers.arpa. nstld.iana.org. 2024103101 1800 900 604800 3600"
_AS112_SOA: Final = "prisoner.iana.org. hostmaster.root-servers.org. 1 604800 60 604800 604800"
_EMPTY_SOA: Final = "{owner} . 0 28800 7200 604800 86400"
_REVERSE_ROOTS: Final = (dns.name.from_text("in-addr.arpa."), dns.name.from_text("ip6.arpa."))
# The reverse zones of private address space, which resolvers and AS112 answer for themselves (RFC 6303, 6761).
_PRIVATE: Final = frozenset(
    dns.name.from_text(text)
    for text in (
        "10.in-addr.arpa",
        "168.192.in-addr.arpa",
        *(f"{octet}.172.in-addr.arpa" for octet in range(16, 32)),
        *(f"{octet}.100.in-addr.arpa" for octet in range(64, 128)),
        "d.f.ip6.arpa",
    )
)


@dataclass(frozen=True)
class Platform:
    """The platform as one virtual network sees it.

    `by_address` maps a reverse name (lower case, no final dot) to the name of the virtual machine that has the address,
    `by_name` the machine's name (lower case) to its address. Only the machines of this very network are in them, and
    never a container group: for those the platform has no name.
    """

    by_address: Mapping[str, str] = field(default_factory=dict)
    by_name: Mapping[str, str] = field(default_factory=dict)
    unlinked: UnlinkedShape = "parent"

    def machine_names(self, name: dns.name.Name, registration_zone: str | None) -> list[str]:
        """Give the host names of the machine at this reverse name: the default one, and the registered one."""
        machine = self.by_address.get(name.to_text(omit_final_dot=True).lower())
        domains = [DEFAULT_DOMAIN, *([registration_zone] if registration_zone else [])]
        return [f"{machine}.{domain}." for domain in domains] if machine else []

    def machine_address(self, name: dns.name.Name, domain: str) -> str | None:
        """Give the address of the machine whose name in `domain` this is."""
        label, _, rest = name.to_text(omit_final_dot=True).lower().partition(".")
        return self.by_name.get(label) if rest == domain else None

    def negative_soa(self, name: dns.name.Name) -> dns.rrset.RRset | None:
        """Give the SOA that denies `name`, with the negative TTL; None where none is sent."""
        if self.unlinked == "no_soa":
            return None
        owner, text = self._denying(name)
        soa = dns.rrset.from_text(owner, 0, "IN", "SOA", text)
        soa.ttl = soa[0].minimum
        return soa

    def _denying(self, name: dns.name.Name) -> tuple[dns.name.Name, str]:
        parent = next((root for root in _REVERSE_ROOTS if name.is_subdomain(root)), None)
        if parent is None or self.unlinked == "root":
            return dns.name.root, _ROOT_SOA
        private = next((name.split(depth)[1] for depth in (4, 5) if _private(name, depth)), None)
        if private is None or self.unlinked == "parent":
            return parent, _PARENT_SOA
        if self.unlinked == "as112":
            return private, _AS112_SOA
        return private, _EMPTY_SOA.format(owner=private.to_text())


def _private(name: dns.name.Name, depth: int) -> bool:
    return len(name.labels) >= depth and name.split(depth)[1] in _PRIVATE


def default_name_answer(owner: dns.name.Name, kind: RdataType, values: list[str]) -> dns.rrset.RRset:
    """Make the answer that gives a machine's names or address."""
    return dns.rrset.from_text_list(owner, DEFAULT_TTL, "IN", kind, values)
