"""Bytes to answers and back. Pure and defensive: whatever comes, nothing is raised and nothing foreign is believed."""

import struct
from dataclasses import dataclass
from typing import Final

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from core.errors import InputError
from core.names import normalise
from probe.answer import Answer, Failure, Question, Soa

EDNS_PAYLOAD: Final = 1232
"""UDP payload that we offer: what passes every path unfragmented (DNS flag day 2020)."""
HEADER_BYTES: Final = 12
MAX_ALIASES: Final = 16
_HEADER = struct.Struct("!HHHHHH")
_RESPONSE: Final = 0x8000
_TRUNCATED: Final = 0x0200
_RECURSION_DESIRED: Final = 0x0100
_OPCODE: Final = 0x7800
_RCODE: Final = 0x000F
_NXDOMAIN: Final = 3
_OPT = struct.pack("!BHHIH", 0, dns.rdatatype.OPT, EDNS_PAYLOAD, 0, 0)
_KINDS: Final = {"A": dns.rdatatype.A, "AAAA": dns.rdatatype.AAAA, "PTR": dns.rdatatype.PTR}


@dataclass(frozen=True, slots=True)
class Ignored:
    """A message that is no answer to the question, and why: it may be late, forged, or meant for somebody else."""

    reason: str


def question_wire(question: Question) -> bytes:
    """Encode the question section; raises InputError for a name that DNS cannot carry."""
    try:
        name = dns.name.from_text(question.name, origin=dns.name.root).to_wire()
    except (dns.exception.DNSException, UnicodeError, ValueError) as error:
        raise InputError(f"not a name that can be asked for: {question.name[:80]!a}: {error}") from error
    return (name or b"\0") + struct.pack("!HH", _KINDS[question.type], dns.rdataclass.IN)


def encode_query(message_id: int, asked: bytes, *, edns: bool = True) -> bytes:
    """Encode a query with recursion desired; `asked` is its question section."""
    return _HEADER.pack(message_id, _RECURSION_DESIRED, 1, 0, 0, int(edns)) + asked + (_OPT if edns else b"")


def message_id_of(wire: bytes) -> int | None:
    """Give the id of a message, None when it is too short to have one."""
    return (wire[0] << 8) | wire[1] if len(wire) >= HEADER_BYTES else None


def read_answer(wire: bytes, message_id: int, question: Question, asked: bytes) -> Answer | Ignored:
    """Read a message as the answer to a query; `asked` is the query's question section.

    What carries our id and our question and cannot be read is an answer, a malformed one. A server that does not
    understand the query may leave the question out of its error.
    """
    if message_id_of(wire) != message_id:
        return Ignored("another id")
    _, flags, questions, *_ = _HEADER.unpack_from(wire)
    if not flags & _RESPONSE or flags & _OPCODE:
        return Ignored("not a response to a query")
    if not _has_question(wire, questions, asked):
        return _without_question(wire, flags, questions, question)
    if flags & _TRUNCATED:
        return Answer(question, rcode=_rcode_text(flags & _RCODE), truncated=True)
    message = _parse(wire)
    if isinstance(message, str):
        return Answer(question, failure=Failure.MALFORMED, detail=message)
    return _answer(message, question)


def _has_question(wire: bytes, questions: int, asked: bytes) -> bool:
    """Compare the question section byte by byte, the name without case (a label's length is no letter)."""
    found = wire[HEADER_BYTES : HEADER_BYTES + len(asked)]
    return questions == 1 and found[:-4].lower() == asked[:-4].lower() and found[-4:] == asked[-4:]


def _without_question(wire: bytes, flags: int, questions: int, question: Question) -> Answer | Ignored:
    rcode = flags & _RCODE
    if questions == 0 and rcode not in {0, _NXDOMAIN}:
        return Answer(question, rcode=_rcode_text(rcode), detail="without the question")
    message = _parse(wire)
    if isinstance(message, str):
        return Answer(question, failure=Failure.MALFORMED, detail=message)
    return Ignored("another question")


def _parse(wire: bytes) -> dns.message.Message | str:
    try:
        return dns.message.from_wire(wire)
    except Exception as error:  # noqa: BLE001 - foreign bytes: dnspython promises DNSException, and we promise more
        return f"{type(error).__name__}: {error}"[:200]


def _answer(message: dns.message.Message, question: Question) -> Answer:
    try:
        return _believed(message, question)
    except Exception as error:  # noqa: BLE001 - as above: what cannot be taken apart is malformed
        return Answer(question, failure=Failure.MALFORMED, detail=f"{type(error).__name__}: {error}"[:200])


def _believed(message: dns.message.Message, question: Question) -> Answer:
    rrset, aliases = _follow(message, question)
    soa = next((found for found in message.authority if found.rdtype == dns.rdatatype.SOA), None)
    servers = any(found.rdtype == dns.rdatatype.NS for found in message.authority)
    flags = message.flags
    return Answer(
        question,
        rcode=_rcode_text(message.rcode()),
        values=_values(rrset) if rrset is not None else (),
        aliases=aliases,
        ttl=rrset.ttl if rrset is not None else None,
        soa=_soa(soa) if soa is not None else None,
        authoritative=bool(flags & dns.flags.AA),
        recursion_available=bool(flags & dns.flags.RA),
        referral=servers and soa is None and not message.answer,
    )


def _follow(message: dns.message.Message, question: Question) -> tuple[dns.rrset.RRset | None, tuple[str, ...]]:
    """Follow CNAMEs within the answer section from the name that was asked for; records elsewhere are not believed."""
    if not message.answer:
        return None, ()
    held = {
        (found.name, found.rdtype): found for found in message.answer if found.rdclass == dns.rdataclass.IN and found
    }
    aliases: list[str] = []
    name = message.question[0].name
    while len(aliases) < MAX_ALIASES:
        rrset = held.get((name, _KINDS[question.type]))
        alias = held.get((name, dns.rdatatype.CNAME))
        if rrset is not None or alias is None:
            return rrset, tuple(aliases)
        name = alias[0].target
        aliases.append(_name_text(name))
    return None, tuple(aliases)


def _values(rrset: dns.rrset.RRset) -> tuple[str, ...]:
    """Give the values in a stable order: resolvers rotate them."""
    if rrset.rdtype == dns.rdatatype.PTR:
        return tuple(sorted(_name_text(rdata.target) for rdata in rrset))
    return tuple(sorted(rdata.address for rdata in rrset))


def _soa(rrset: dns.rrset.RRset) -> Soa:
    rdata = rrset[0]
    return Soa(
        owner=_name_text(rrset.name),
        primary=_name_text(rdata.mname),
        contact=_name_text(rdata.rname),
        minimum=rdata.minimum,
        ttl=rrset.ttl,
    )


def _name_text(name: dns.name.Name) -> str:
    return normalise(name.to_text()) or "."


def _rcode_text(rcode: int) -> str:
    return dns.rcode.to_text(dns.rcode.Rcode(rcode)) if rcode in dns.rcode.Rcode.__members__.values() else str(rcode)
