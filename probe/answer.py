"""What a resolver answered to one question, as a value. Pure; the bytes are read in `wire.py`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal

from core.names import normalise

RecordType = Literal["A", "AAAA", "PTR"]
Transport = Literal["udp", "tcp"]

NOERROR: Final = "NOERROR"
NXDOMAIN: Final = "NXDOMAIN"
_PLACEHOLDER_PRIMARIES: Final = frozenset(
    {"localhost", "prisoner.iana.org", "blackhole-1.iana.org", "blackhole-2.iana.org", "blackhole.as112.arpa"}
)
_PLACEHOLDER_CONTACTS: Final = frozenset({".", "nobody.invalid"})


class Failure(StrEnum):
    """Why there is no answer to judge."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    MALFORMED = "malformed"
    TRUNCATED = "truncated"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class Question:
    """One name and type. The name is normalised, and always taken as it is: no search list completes it."""

    name: str
    type: RecordType

    def __str__(self) -> str:
        return f"{self.type} {self.name}"


@dataclass(frozen=True, slots=True)
class Soa:
    """The SOA of a negative answer's authority section. Names are normalised; the root is `.`; times are seconds."""

    owner: str
    primary: str
    contact: str
    minimum: int
    ttl: int

    @property
    def negative_ttl(self) -> int:
        """How long a resolver may remember that there is nothing (RFC 2308)."""
        return min(self.minimum, self.ttl)

    @property
    def is_placeholder(self) -> bool:
        """Tell whether it belongs to one of the empty zones that servers answer private reverse names from.

        BIND names the zone itself as primary and `.` as contact, Unbound `localhost` and `nobody.invalid`, the public
        AS112 servers `prisoner.iana.org`. Their owner may well be a configured zone's name (`10.in-addr.arpa`).
        """
        return self.primary in _PLACEHOLDER_PRIMARIES or self.contact in _PLACEHOLDER_CONTACTS

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return {
            "owner": self.owner,
            "primary": self.primary,
            "contact": self.contact,
            "minimum": self.minimum,
            "ttl": self.ttl,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """One question's answer, or the way in which there was none (`failure`; `rcode` is empty then).

    `values` are the addresses, or normalised names, at the end of `aliases` (the targets of the CNAMEs on the way).
    `ttl` is theirs, in seconds. `referral` says that the authority section names other servers instead of answering.
    `attempts` counts messages sent, by UDP and TCP, `ignored` those received that answered something else.
    `duration_ms` is from the first message sent to the answer. `resolver` is the address that answered, or was asked.
    """

    question: Question
    resolver: str = ""
    failure: Failure | None = None
    rcode: str = ""
    values: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    ttl: int | None = None
    soa: Soa | None = None
    authoritative: bool = False
    recursion_available: bool = False
    truncated: bool = False
    referral: bool = False
    transport: Transport = "udp"
    duration_ms: float = 0.0
    attempts: int = 0
    ignored: int = 0
    detail: str = ""

    @property
    def has_values(self) -> bool:
        """Tell whether it is a positive answer."""
        return self.failure is None and self.rcode == NOERROR and bool(self.values)

    @property
    def memory_seconds(self) -> int | None:
        """How long a resolver may go on giving this answer from memory; None when that is not known."""
        if self.has_values:
            return self.ttl
        return self.soa.negative_ttl if self.soa else None

    def says(self) -> str:
        """Give it in a few words, for people: `NXDOMAIN from 10.in-addr.arpa`, `10.0.1.4`, `timeout`."""
        if self.failure is not None:
            return self.failure.value.replace("_", " ")
        if self.has_values:
            return ", ".join(self.values)
        word = self.rcode if self.rcode != NOERROR else "no records"
        return f"{word} from {self.soa.owner}" if self.soa else word

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values; what is empty is left out."""
        found: dict[str, Any] = {
            "question": str(self.question),
            "resolver": self.resolver,
            "failure": self.failure.value if self.failure else "",
            "rcode": self.rcode,
            "values": list(self.values),
            "aliases": list(self.aliases),
            "ttl": self.ttl,
            "soa": self.soa.to_json() if self.soa else None,
            "flags": " ".join(self._flags()),
            "transport": self.transport,
            "duration_ms": round(self.duration_ms, 3),
            "attempts": self.attempts,
            "ignored": self.ignored,
            "detail": self.detail,
        }
        return {name: value for name, value in found.items() if value not in (None, "", [], 0)}

    def _flags(self) -> list[str]:
        given = (("aa", self.authoritative), ("ra", self.recursion_available), ("tc", self.truncated))
        return [name for name, is_set in given if is_set]


def question(name: str, kind: RecordType) -> Question:
    """Make a question; the name loses its trailing dot and its case."""
    return Question(normalise(name), kind)
