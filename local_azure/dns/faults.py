"""What a resolver may do to an answer: rules that can be switched on, and the bytes that they make. Pure."""

import random
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final, Literal, get_args

import dns.flags
import dns.message
import dns.name
import dns.rcode

DnsFaultKind = Literal[
    "drop",  # no answer: the client waits until it gives up
    "slow",  # the right answer, `seconds` later
    "rcode",  # no data, and the response code `rcode`: SERVFAIL, REFUSED, …
    "truncate",  # by UDP: no data and TC, so that the client has to ask by TCP
    "lame",  # NOERROR, nothing in it, neither authoritative nor recursive: a server that was never meant to be asked
    "wrong_id",  # the answer to another query id
    "wrong_question",  # the answer to another question, under the right id
    "wrong_source",  # by UDP: the answer from another port
    "malformed",  # cut off in the middle of a record or of the question, the header as if it were whole
]
KINDS: Final[tuple[str, ...]] = get_args(DnsFaultKind)
RCODES: Final = ("FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "NOTAUTH")
_UDP_ONLY: Final = ("truncate", "wrong_source")
_FORGED: Final = ("wrong_id", "wrong_question", "wrong_source")
_GLOBS: Final = ("vnet", "name", "type", "transport")
_KNOWN: Final = ("kind", *_GLOBS, "skip", "times", "probability", "seconds", "rcode", "followed")
_MAX_SECONDS: Final = 3600.0
_ANOTHER_NAME: Final = dns.name.from_text("another.name.invalid.")


class DnsFaultError(ValueError):
    """Rules that can't be: every reason, each with its place."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True)
class Asked:
    """What a rule is matched against: a query as it came to a virtual network's resolver."""

    vnet: str
    name: str
    type: str
    transport: Literal["udp", "tcp"]


@dataclass
class DnsFault:
    """One rule, for the queries that match: after `skip` of them, `times` times, each with `probability`.

    `vnet` (the network's id, or its name alone), `name` (no final dot), `type` and `transport` are case-insensitive
    globs. `followed` sends the right answer behind a forged one, as a spoofer that was faster than the server does.
    """

    kind: DnsFaultKind
    vnet: str = "*"
    name: str = "*"
    type: str = "*"
    transport: str = "*"
    skip: int = 0
    times: int | None = None
    probability: float = 1.0
    seconds: float = 1.0
    rcode: str = "SERVFAIL"
    followed: bool = False
    seen: int = field(default=0, compare=False)
    fired: int = field(default=0, compare=False)

    def matches(self, asked: Asked) -> bool:
        """Tell whether the rule is about this query."""
        if self.kind in _UDP_ONLY and asked.transport != "udp":
            return False
        vnets = (asked.vnet, asked.vnet.rpartition("/")[2])
        others = ((asked.name, self.name), (asked.type, self.type), (asked.transport, self.transport))
        return any(_glob(vnet, self.vnet) for vnet in vnets) and all(_glob(*pair) for pair in others)

    def draws(self, rng: random.Random) -> bool:
        """Tell whether the rule strikes the query that it has just been counted for."""
        if self.seen <= self.skip or (self.times is not None and self.fired >= self.times):
            return False
        return self.probability >= 1 or rng.random() < self.probability

    def shown(self) -> dict[str, Any]:
        """Give the rule and its counts as JSON."""
        return {key: getattr(self, key) for key in (*_KNOWN, "seen", "fired")}


def _glob(text: str, pattern: str) -> bool:
    return fnmatchcase(text.lower(), pattern.lower())


class DnsFaults:
    """The rules in force, in order; the first one that strikes decides. Chance is seeded."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._rng = random.Random(seed)  # noqa: S311  # reproducible, not secret
        self.rules: list[DnsFault] = []

    def add(self, rule: DnsFault) -> DnsFault:
        """Append a rule and give it back."""
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Drop every rule and start the random numbers again."""
        self.rules.clear()
        self._rng = random.Random(self._seed)  # noqa: S311  # reproducible, not secret

    def match(self, asked: Asked) -> DnsFault | None:
        """Say what happens to the answer to this query, and count it for every rule that it matches."""
        hit: DnsFault | None = None
        for rule in self.rules:
            if rule.matches(asked):
                rule.seen += 1
                if hit is None and rule.draws(self._rng):
                    hit = rule
        if hit is not None:
            hit.fired += 1
        return hit


@dataclass(frozen=True)
class Datagram:
    """One message to send; by UDP from another port than the one asked, where `other_port` says so."""

    wire: bytes
    other_port: bool = False


def spoil(fault: DnsFault, wire: bytes) -> list[Datagram]:
    """Give what is sent instead of the right answer `wire`; nothing where the answer is dropped."""
    if fault.kind == "drop":
        return []
    if fault.kind == "slow":
        return [Datagram(wire)]
    spoilt = Datagram(_spoilt(fault, wire), other_port=fault.kind == "wrong_source")
    return [spoilt, Datagram(wire)] if fault.kind in _FORGED and fault.followed else [spoilt]


def _spoilt(fault: DnsFault, wire: bytes) -> bytes:
    if fault.kind == "wrong_source":
        return wire
    if fault.kind == "wrong_id":
        return struct.pack("!H", struct.unpack("!H", wire[:2])[0] ^ 0xFFFF) + wire[2:]
    if fault.kind == "malformed":
        return wire[: max(12, len(wire) - 3)]
    message = dns.message.from_wire(wire)
    if fault.kind == "wrong_question":
        for asked in message.question:
            asked.name = _ANOTHER_NAME
        return message.to_wire()
    for section in (message.answer, message.authority, message.additional):
        section.clear()
    message.flags &= ~dns.flags.AA
    if fault.kind == "truncate":
        message.flags |= dns.flags.TC
    elif fault.kind == "lame":
        message.flags &= ~dns.flags.RA
        message.set_rcode(dns.rcode.NOERROR)
    else:
        message.set_rcode(dns.rcode.from_text(fault.rcode))
    return message.to_wire()


def parse_faults(value: Any) -> list[DnsFault]:
    """Make rules from JSON. Raises DnsFaultError with every reason."""
    if not isinstance(value, list):
        raise DnsFaultError(["faults: a list of rules is needed."])
    reasons = [reason for n, item in enumerate(value) for reason in _reasons(item, f"faults[{n}]")]
    if reasons:
        raise DnsFaultError(reasons)
    return [DnsFault(**item) for item in value]


def _reasons(item: Any, path: str) -> list[str]:
    if not isinstance(item, Mapping):
        return [f"{path}: an object is needed."]
    found = [f"{path}.{key}: unknown; known are {', '.join(_KNOWN)}." for key in item if key not in _KNOWN]
    if item.get("kind") not in KINDS:
        found.append(f"{path}.kind: one of {', '.join(KINDS)} is needed.")
    found += [f"{path}.{key}: a text is needed." for key in _GLOBS if not isinstance(item.get(key, "*"), str)]
    if item.get("rcode", "SERVFAIL") not in RCODES:
        found.append(f"{path}.rcode: one of {', '.join(RCODES)} is needed.")
    if not isinstance(item.get("followed", False), bool):
        found.append(f"{path}.followed: true or false is needed.")
    for key, high in (("probability", 1.0), ("seconds", _MAX_SECONDS)):
        number = item.get(key, 0)
        if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= high:
            found.append(f"{path}.{key}: a number from 0 to {high:g} is needed.")
    for key in ("skip", "times"):
        number = item.get(key, 0)
        if (number is None and key == "skip") or not (number is None or _is_count(number)):
            found.append(f"{path}.{key}: a whole number of at least 0 is needed.")
    return found


def _is_count(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 0
