"""A verdict in words: what is wrong, in one sentence, and what to do, in one line with the real names. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from core.probe_settings import DNS_PORT
from core.records import ZoneRef
from probe import commands
from probe.answer import Soa
from probe.crosscheck import AZURE_RESOLVER
from probe.target import Target, Vantage, network_name
from probe.verdict import Direction, Finding, Judgement, Verdict

_AZURE_PRIMARY: Final = "azureprivatedns.net"
_NEW_ZONE: Final = "create a reverse zone that contains it, link it, and add it to reverse_zones in DNS_ZONE_MAP"


@dataclass(frozen=True, slots=True)
class Advice:
    """The cause and the fix, each in one line. `also` repairs the other direction where both are wrong."""

    cause: str
    fix: str
    also: str = ""


@dataclass(frozen=True, slots=True)
class _Case:
    """Everything that the sentences speak of."""

    target: Target
    finding: Finding
    vantage: Vantage

    @property
    def zone(self) -> ZoneRef:
        """Give the zone that should answer; for an address in no configured zone there is none to name."""
        if self.finding.direction is Direction.FORWARD:
            return self.target.forward
        return self.target.reverse or ZoneRef("", "", "")

    @property
    def soa(self) -> Soa | None:
        return self.finding.answer.soa

    @property
    def here(self) -> str:
        return network_name(self.vantage.vnet_id) if self.vantage.vnet_id else "this virtual network"

    @property
    def asked(self) -> str:
        return str(self.finding.answer.question)


def advise(target: Target, judgement: Judgement, vantage: Vantage) -> Advice:
    """Say what is wrong with a target and how to repair it; both empty when nothing is."""
    first = judgement.deciding
    if first.is_ok:
        return Advice("", "")
    advice = advise_on(target, first, vantage)
    other = judgement.reverse
    if other is None or other is first or other.is_ok or other.verdict is first.verdict:
        return advice
    also = advise_on(target, other, vantage).fix
    return Advice(f"{advice.cause} (and PTR: {other.verdict.value})", advice.fix, also if also != advice.fix else "")


def advise_on(target: Target, finding: Finding, vantage: Vantage) -> Advice:
    """Say what is wrong with one direction."""
    if finding.is_ok:
        return Advice("", "")
    return _SENTENCES[finding.verdict](_Case(target, finding, vantage))


def flapping(first: Judgement, second: Judgement, seconds: float) -> Advice:
    """Say that two looks differ."""
    cause = (
        f"the answer changed within {seconds:.0f} s: {_seen(first)}, then {_seen(second)}: it was changed just "
        "now, or several servers answer differently"
    )
    fix = "probe again in a minute; if it goes on, ask each name server on its own (PROBE_RESOLVERS) and compare"
    return Advice(cause, fix)


def _seen(judgement: Judgement) -> str:
    return f"{judgement.verdict.value} ({judgement.deciding.answer.says()})"


def _missing(case: _Case) -> Advice:
    hint = ""
    if case.soa and case.soa.primary != _AZURE_PRIMARY:
        hint = (
            f"; but {case.soa.primary} and not {_AZURE_PRIMARY} is its primary: if that is a public zone of the same "
            f"name, the private one is not linked to {case.here}"
        )
    cause = f"the zone {case.zone.name} answers here and has no {case.asked}{hint}"
    forward = case.finding.direction is Direction.FORWARD
    return Advice(cause, commands.repair(case.target) if forward else commands.add_ptr(case.target))


def _unlinked(case: _Case) -> Advice:
    zone, soa = case.zone, case.soa
    if soa is None:
        why = f"{case.asked} does not exist, and no zone's SOA says where"
    elif soa.is_placeholder:
        why = f"a built-in empty zone, {soa.owner} (primary {soa.primary}), answered {case.asked}"
    else:
        owner = "the root of the DNS" if soa.owner == "." else f"the zone {soa.owner}"
        why = f"{owner} answered {case.asked}"
    cause = f"{why}, not {zone.name}: {zone.name} is not linked to {case.here}, or a DNS server in between hides it"
    fix = commands.create_link(zone, case.vantage.vnet_id)
    resolver = case.finding.answer.resolver
    if soa and soa.is_placeholder and resolver != AZURE_RESOLVER:
        fix += f" ; if {resolver} is a DNS server of your own, have it forward {zone.name} to {AZURE_RESOLVER}"
    return Advice(cause, fix)


def _shadowed(case: _Case) -> Advice:
    longer = case.soa.owner if case.soa else "a longer zone"
    cause = (
        f"the zone {longer} is linked to {case.here} and hides {case.zone.name}: the longest zone answers alone, and "
        f"has no {case.asked}"
    )
    hiding = ZoneRef(case.zone.subscription_id, "", longer)
    fix = f"put the record into {longer}, or take its link away: {commands.list_links(hiding)}"
    return Advice(cause, fix)


def _mismatch(case: _Case) -> Advice:
    answer, target = case.finding.answer, case.target
    forward = case.finding.direction is Direction.FORWARD
    expected = str(target.address) if forward else target.fqdn
    if not answer.has_values:
        said = f"is an alias of {answer.aliases[-1]}, for which there is {answer.says()}"
    elif forward and expected in answer.values:
        said = f"has {answer.says()}: clients get any of them, and only {expected} is right"
    else:
        said = f"is {answer.says()}, not {expected}"
    return Advice(f"{case.asked} {said}", commands.repair(target) if forward else commands.add_ptr(target))


def _platform_default(case: _Case) -> Advice:
    cause = (
        f"Azure's platform answered {case.asked} with a virtual machine's default name, {case.finding.answer.says()}: "
        f"{case.zone.name or 'no reverse zone'} is not linked to {case.here}"
    )
    known = case.target.reverse is not None
    return Advice(cause, commands.create_link(case.zone, case.vantage.vnet_id) if known else _NEW_ZONE)


def _nodata(case: _Case) -> Advice:
    cause = f"{case.asked.partition(' ')[2]} exists and has no {case.finding.answer.question.type} record"
    if case.finding.answer.aliases:
        cause += f"; it is an alias of {case.finding.answer.aliases[-1]}"
    forward = case.finding.direction is Direction.FORWARD
    return Advice(cause, commands.repair(case.target) if forward else commands.add_ptr(case.target))


def _reverse_zone_missing(case: _Case) -> Advice:
    cause = f"no reverse zone of the zone map contains {case.target.address}, so nothing can say its name"
    return Advice(cause, _NEW_ZONE)


def _silent(case: _Case) -> Advice:
    answer = case.finding.answer
    detail = f" ({answer.detail})" if answer.detail else ""
    cause = f"{answer.resolver} did not answer {case.asked}: {answer.attempts} messages without answer{detail}"
    return Advice(cause, _let_through(case))


def _unreachable(case: _Case) -> Advice:
    answer = case.finding.answer
    return Advice(f"{answer.resolver} cannot be reached: {answer.detail or 'no route'}", _let_through(case))


def _let_through(case: _Case) -> str:
    port = case.finding.answer.resolver.partition("#")[2] or str(DNS_PORT)
    return (
        f"let {case.vantage.subnet or 'the subnet'} reach {case.finding.answer.resolver} on UDP and TCP port {port} "
        f"(network security group, routes), or correct the DNS servers of {case.here}"
    )


def _servfail(case: _Case) -> Advice:
    resolver = case.finding.answer.resolver
    cause = f"{resolver} failed to resolve {case.asked} (SERVFAIL): the servers that it asks do not answer it"
    if resolver == AZURE_RESOLVER:
        return Advice(cause, f"check the forwarding rules (DNS Private Resolver) that {case.zone.name} falls under")
    fix = f"have {resolver} forward {case.zone.name} to {AZURE_RESOLVER} in a network that the zone is linked to"
    return Advice(cause, fix)


def _refused(case: _Case) -> Advice:
    resolver = case.finding.answer.resolver
    fix = f"allow queries and recursion for {case.vantage.subnet or 'the subnet'} of {case.here} on {resolver}"
    return Advice(f"{resolver} refused to resolve {case.asked} (REFUSED)", fix)


def _malformed(case: _Case) -> Advice:
    answer = case.finding.answer
    detail = answer.detail or "its code and its records contradict each other"
    cause = f"{answer.resolver} answered {case.asked} with a message that cannot be read: {detail}"
    return Advice(
        cause, f"see what is in between that changes DNS messages; compare with: {commands.dig(case.finding.answer)}"
    )


def _truncated(case: _Case) -> Advice:
    answer = case.finding.answer
    cause = f"{answer.resolver} cut its answer to {case.asked}, and the whole of it could not be got: {answer.detail}"
    return Advice(cause, f"allow TCP port 53 to {answer.resolver} (network security group, firewall)")


def _lame(case: _Case) -> Advice:
    resolver = case.finding.answer.resolver
    cause = f"{resolver} does not resolve {case.asked}: it only refers to other servers, or offers no recursion"
    fix = f"set a resolving DNS server for {case.here}: Azure's ({AZURE_RESOLVER}), or one that forwards to it"
    return Advice(cause, fix)


def _bad_rcode(case: _Case) -> Advice:
    cause = f"{case.finding.answer.resolver} answered {case.asked} with {case.finding.answer.rcode}"
    return Advice(cause, f"see why in that server's log; compare with: {commands.dig(case.finding.answer)}")


def _not_asked(case: _Case) -> Advice:
    cause = f"{case.asked} was not asked: {case.finding.answer.detail or 'the deadline of the run was over'}"
    fix = "raise PROBE_DEADLINE_SECONDS or PROBE_CONCURRENCY, or probe fewer targets in one run"
    return Advice(cause, fix)


_SENTENCES: Final[dict[Verdict, Callable[[_Case], Advice]]] = {
    Verdict.A_MISSING: _missing,
    Verdict.FORWARD_ZONE_UNLINKED: _unlinked,
    Verdict.FORWARD_ZONE_SHADOWED: _shadowed,
    Verdict.A_MISMATCH: _mismatch,
    Verdict.PTR_MISSING: _missing,
    Verdict.REVERSE_ZONE_SHADOWED: _shadowed,
    Verdict.REVERSE_ZONE_UNLINKED: _unlinked,
    Verdict.REVERSE_ZONE_MISSING: _reverse_zone_missing,
    Verdict.PTR_MISMATCH: _mismatch,
    Verdict.PLATFORM_DEFAULT: _platform_default,
    Verdict.NODATA: _nodata,
    Verdict.TIMEOUT: _silent,
    Verdict.SERVFAIL: _servfail,
    Verdict.REFUSED: _refused,
    Verdict.UNREACHABLE: _unreachable,
    Verdict.MALFORMED: _malformed,
    Verdict.TRUNCATED: _truncated,
    Verdict.LAME: _lame,
    Verdict.BAD_RCODE: _bad_rcode,
    Verdict.NOT_ASKED: _not_asked,
}
