"""Asks the resolvers of the virtual networks, by real DNS messages."""

from dataclasses import dataclass
from typing import Final

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.reversename

from cli.demo.azure import DemoError

TIMEOUT_SECONDS: Final = 2.0
TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What a resolver said: the values, the response code, and the owner of the SOA in the authority section."""

    values: tuple[str, ...]
    rcode: str
    authority: str = ""

    def __str__(self) -> str:
        return ", ".join(self.values) or self.rcode


def ask(address: str, name: str, kind: str) -> Answer:
    """Ask `host:port` by UDP; raises DemoError when there is no answer."""
    host, _, port = address.rpartition(":")
    query = dns.message.make_query(name, kind)
    for _ in range(TRIES):
        try:
            response = dns.query.udp(query, host, timeout=TIMEOUT_SECONDS, port=int(port))
            break
        except dns.exception.Timeout:
            continue
    else:
        raise DemoError(f"the resolver at {address} does not answer {kind} {name} within {TIMEOUT_SECONDS:g} s")
    wanted = dns.rdatatype.from_text(kind)
    values = [rdata.to_text() for rrset in response.answer if rrset.rdtype == wanted for rdata in rrset]
    soa = next((str(rrset.name) for rrset in response.authority if rrset.rdtype == dns.rdatatype.SOA), "")
    return Answer(
        tuple(sorted(value.rstrip(".").lower() for value in values)),
        dns.rcode.to_text(response.rcode()),
        soa.rstrip(".").lower(),
    )


def ask_ptr(address: str, ip: str) -> Answer:
    """Ask for the name of an address."""
    return ask(address, dns.reversename.from_address(ip).to_text(omit_final_dot=True), "PTR")
