"""What is wrong, told from the answers alone: no permission on Azure is needed. Pure.

Forward (A or AAAA) and reverse (PTR), both by the same table; Z is the zone that should answer:

| the answer                                                 | forward                  | reverse                  |
|------------------------------------------------------------|--------------------------|--------------------------|
| the right value                                            | ok                       | ok (others beside: too)  |
| another value, or more than ours; an alias that ends wrong | a_mismatch               | ptr_mismatch             |
| only names below internal.cloudapp.net                     |                          | platform_default         |
| nothing, SOA of Z: the name does not exist                 | a_missing                | ptr_missing              |
| nothing, SOA of Z: the name exists, without this type      | nodata                   | nodata                   |
| nothing, SOA of a zone below Z that holds the name         | forward_zone_shadowed    | reverse_zone_shadowed    |
| nothing, any other SOA: shorter, foreign, an empty zone's  | forward_zone_unlinked    | reverse_zone_unlinked    |
| NXDOMAIN without SOA                                       | forward_zone_unlinked    | reverse_zone_unlinked    |
| NOERROR with nothing at all                                | nodata                   | nodata                   |
| NOERROR, a referral; or from a server that resolves nothing| lame                     | lame                     |
| no configured reverse zone holds the address               |                          | reverse_zone_missing     |
| SERVFAIL, REFUSED, another rcode                           | servfail, refused, bad_rcode                        |
| none                                                       | timeout, unreachable, malformed, truncated, not_asked |

An SOA decides because nothing else does: a missing record and a zone that is not linked are both NXDOMAIN, both with AA
from Azure and both without it through a forwarder. An empty zone's SOA counts as foreign even when its owner is Z.

When both directions are wrong the forward verdict is the target's: a name that does not resolve is met first, and the
reverse finding stays beside it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.errors import InputError
from core.names import Address, is_within, parse_address, same_name
from probe.answer import NOERROR, NXDOMAIN, Answer, Failure, Soa
from probe.target import Target

PLATFORM_SUFFIX: Final = "internal.cloudapp.net"


class Verdict(StrEnum):
    """What the probe says of a target, or of one direction of it."""

    OK = "ok"
    A_MISSING = "a_missing"
    FORWARD_ZONE_UNLINKED = "forward_zone_unlinked"
    FORWARD_ZONE_SHADOWED = "forward_zone_shadowed"
    A_MISMATCH = "a_mismatch"
    PTR_MISSING = "ptr_missing"
    REVERSE_ZONE_SHADOWED = "reverse_zone_shadowed"
    REVERSE_ZONE_UNLINKED = "reverse_zone_unlinked"
    REVERSE_ZONE_MISSING = "reverse_zone_missing"
    PTR_MISMATCH = "ptr_mismatch"
    PLATFORM_DEFAULT = "platform_default"
    NODATA = "nodata"
    TIMEOUT = "timeout"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    MALFORMED = "malformed"
    TRUNCATED = "truncated"
    LAME = "lame"
    BAD_RCODE = "bad_rcode"
    NOT_ASKED = "not_asked"
    FLAPPING = "flapping"


class Direction(StrEnum):
    """Name to address, or address to name."""

    FORWARD = "forward"
    REVERSE = "reverse"


_RCODES: Final = {"SERVFAIL": Verdict.SERVFAIL, "REFUSED": Verdict.REFUSED}
_FAILURES: Final = {
    Failure.TIMEOUT: Verdict.TIMEOUT,
    Failure.UNREACHABLE: Verdict.UNREACHABLE,
    Failure.MALFORMED: Verdict.MALFORMED,
    Failure.TRUNCATED: Verdict.TRUNCATED,
    Failure.NOT_ASKED: Verdict.NOT_ASKED,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One direction's verdict, and the answer that it rests on."""

    direction: Direction
    verdict: Verdict
    answer: Answer

    @property
    def is_ok(self) -> bool:
        """Tell whether this direction is right."""
        return self.verdict is Verdict.OK


@dataclass(frozen=True, slots=True)
class Judgement:
    """A target's verdict. `reverse` is None when no PTR is expected. `verdict` is the deciding finding's own."""

    forward: Finding
    reverse: Finding | None = None

    @property
    def deciding(self) -> Finding:
        """Give the finding that the verdict comes from: the forward one when it is wrong, else the reverse one."""
        return self.forward if self.reverse is None or not self.forward.is_ok else self.reverse

    @property
    def verdict(self) -> Verdict:
        """Give the target's verdict."""
        return self.deciding.verdict

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Give both directions, or the one that was asked for."""
        return (self.forward,) if self.reverse is None else (self.forward, self.reverse)


def judge(target: Target, forward: Answer, reverse: Answer | None) -> Judgement:
    """Give the verdict; `reverse` is None when no PTR is expected."""
    found = Finding(Direction.FORWARD, judge_forward(target, forward), forward)
    if reverse is None:
        return Judgement(found)
    return Judgement(found, Finding(Direction.REVERSE, judge_reverse(target, reverse), reverse))


def judge_forward(target: Target, answer: Answer) -> Verdict:
    """Judge an address answer."""
    refused = _no_answer(answer)
    if refused is not None:
        return refused
    if answer.has_values:
        named = {address for address in map(_address, answer.values) if address}
        is_right = len(named) == len(set(answer.values)) and target.address in named
        return Verdict.OK if is_right and named <= {target.address, *target.also} else Verdict.A_MISMATCH
    if answer.aliases:
        return Verdict.A_MISMATCH
    return _negative(answer, target.forward.name, Direction.FORWARD)


def judge_reverse(target: Target, answer: Answer) -> Verdict:
    """Judge a PTR answer."""
    refused = _no_answer(answer)
    if refused is not None:
        return refused
    if answer.has_values:
        if any(same_name(value, target.fqdn) for value in answer.values):
            return Verdict.OK
        is_default = all(is_within(value, PLATFORM_SUFFIX) for value in answer.values)
        return Verdict.PLATFORM_DEFAULT if is_default else Verdict.PTR_MISMATCH
    if answer.aliases:
        return Verdict.PTR_MISMATCH
    if target.reverse is None:
        return Verdict.REVERSE_ZONE_MISSING
    return _negative(answer, target.reverse.name, Direction.REVERSE)


def is_longer_zone(soa: Soa, zone: str, name: str) -> bool:
    """Tell whether the SOA is of a zone below `zone` that holds the name, and so hides `zone`."""
    return soa.owner != zone and is_within(soa.owner, zone) and is_within(name, soa.owner)


def _no_answer(answer: Answer) -> Verdict | None:
    """Judge what is no answer about the name at all; None when it is one."""
    if answer.failure is not None:
        return _FAILURES[answer.failure]
    if answer.rcode in _RCODES:
        return _RCODES[answer.rcode]
    if answer.rcode not in {NOERROR, NXDOMAIN}:
        return Verdict.BAD_RCODE
    if answer.rcode == NXDOMAIN and answer.values:
        return Verdict.MALFORMED  # it does not exist, and here it is: no server says so
    return None


def _negative(answer: Answer, zone: str, direction: Direction) -> Verdict:
    forward = direction is Direction.FORWARD
    soa = answer.soa
    if answer.rcode == NOERROR and soa is None:
        answers_nothing = not (answer.authoritative or answer.recursion_available)
        return Verdict.LAME if answer.referral or answers_nothing else Verdict.NODATA
    if soa is not None and not soa.is_placeholder:
        if soa.owner == zone and answer.rcode == NOERROR:
            return Verdict.NODATA
        if soa.owner == zone:
            return Verdict.A_MISSING if forward else Verdict.PTR_MISSING
        if is_longer_zone(soa, zone, answer.question.name):
            return Verdict.FORWARD_ZONE_SHADOWED if forward else Verdict.REVERSE_ZONE_SHADOWED
    return Verdict.FORWARD_ZONE_UNLINKED if forward else Verdict.REVERSE_ZONE_UNLINKED


def _address(text: str) -> Address | None:
    try:
        return parse_address(text)
    except InputError:
        return None
