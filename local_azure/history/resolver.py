"""What the resolver of a network answers in the simulated Azure: links, longest match, and resolvers in trouble."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from core.names import is_within, relative_name
from probe.answer import NOERROR, NXDOMAIN, Answer, Failure, Question, RecordType, Soa
from probe.crosscheck import AZURE_RESOLVER
from probe.verdict import Judgement, Verdict, judge

if TYPE_CHECKING:
    import random

    from local_azure.history.world import World
    from probe.target import Target

_AZURE: Final = ("azureprivatedns.net", "azureprivatedns-host.microsoft.com")
_ROOT: Final = Soa(".", "a.root-servers.net", "nstld.verisign-grs.com", 86_400, 86_400)
_ARPA: Final = Soa("in-addr.arpa", "b.in-addr-servers.arpa", "nstld.iana.org", 3600, 3600)
_NEGATIVE_SECONDS: Final = 10
_RETRY_MS: Final = 2000.0

_SILENT: Final = {
    Verdict.TIMEOUT: Failure.TIMEOUT,
    Verdict.UNREACHABLE: Failure.UNREACHABLE,
    Verdict.MALFORMED: Failure.MALFORMED,
    Verdict.TRUNCATED: Failure.TRUNCATED,
    Verdict.NOT_ASKED: Failure.NOT_ASKED,
}
_CODES: Final = {Verdict.SERVFAIL: "SERVFAIL", Verdict.REFUSED: "REFUSED", Verdict.BAD_RCODE: "NOTIMP"}
FORCED: Final = (*_SILENT, *_CODES, Verdict.LAME, Verdict.NODATA, Verdict.PLATFORM_DEFAULT, Verdict.FLAPPING)
"""Verdicts that no state of Azure leads to, but a resolver in trouble."""


@dataclass
class Resolver:
    """Answers questions as seen from a network. `ms` draws what an answer takes, in milliseconds."""

    world: World
    rng: random.Random

    def judge(self, target: Target, vnet_id: str) -> Judgement:
        """Ask for a target's address and PTR, and judge."""
        reverse = self.answer(vnet_id, Question(target.ptr_name, "PTR")) if target.expects_ptr else None
        return judge(target, self.answer(vnet_id, Question(target.fqdn, target.address_type)), reverse)

    def right(self, target: Target) -> Judgement:
        """Judge the answers that are right for a target, whatever is answered now."""
        reverse = self._answered(Question(target.ptr_name, "PTR"), (target.fqdn,), 60) if target.expects_ptr else None
        there = self._answered(Question(target.fqdn, target.address_type), (str(target.address),), 60)
        return judge(target, there, reverse)

    def in_trouble(self, target: Target, vnet_id: str, verdict: Verdict) -> Judgement:
        """Ask a resolver that is in trouble; for FLAPPING that is one whose first answer is nothing."""
        if verdict is Verdict.PLATFORM_DEFAULT:
            name = f"vm-{target.address.packed[-1]:03d}.internal.cloudapp.net"
            there = self._answered(Question(target.ptr_name, "PTR"), (name,), 10)
            return judge(target, self.answer(vnet_id, Question(target.fqdn, target.address_type)), there)
        wrong = [self._wrong(verdict, Question(target.fqdn, target.address_type), target.forward.name)]
        if target.expects_ptr:
            zone = target.reverse.name if target.reverse else target.forward.name
            wrong.append(self._wrong(verdict, Question(target.ptr_name, "PTR"), zone))
        return judge(target, wrong[0], wrong[1] if len(wrong) > 1 else None)

    def answer(self, vnet_id: str, question: Question) -> Answer:
        """Answer from the longest linked zone that holds the name; there is no fall-through to a shorter one."""
        zone = self.zone_for(vnet_id, question.name)
        if zone is None:
            soa = _ARPA if question.type == "PTR" else _ROOT
            return self._empty(question, NXDOMAIN, soa)
        name = relative_name(question.name, zone)
        found = self.world.sets[zone].get((question.type, name))
        if found is not None:
            return self._answered(question, found.values, found.ttl)
        soa = Soa(zone, *_AZURE, _NEGATIVE_SECONDS, _NEGATIVE_SECONDS)
        kinds: tuple[RecordType, ...] = ("A", "AAAA", "PTR")
        exists = any((kind, name) in self.world.sets[zone] for kind in kinds)
        return self._empty(question, NOERROR if exists else NXDOMAIN, soa)

    def zone_for(self, vnet_id: str, name: str) -> str | None:
        """Give the zone that answers for a name in a network, or None when no linked one holds it."""
        labels = name.split(".")
        for start in range(len(labels)):
            zone = ".".join(labels[start:])
            if zone in self.world.sets and vnet_id.lower() in self.world.links.get(zone, {}):
                return zone
        return None

    def _wrong(self, verdict: Verdict, question: Question, zone: str) -> Answer:
        if verdict in _SILENT:
            return self._silent(verdict, question)
        if verdict in _CODES:
            return self._empty(question, _CODES[verdict], None)
        if verdict is Verdict.LAME:
            return replace(self._empty(question, NOERROR, None), referral=True, recursion_available=False)
        soa = Soa(zone, *_AZURE, _NEGATIVE_SECONDS, _NEGATIVE_SECONDS)
        return self._empty(question, NOERROR if verdict is Verdict.NODATA else NXDOMAIN, soa)

    def _silent(self, verdict: Verdict, question: Question) -> Answer:
        tries = {Verdict.TIMEOUT: 3, Verdict.NOT_ASKED: 0}.get(verdict, 1)
        waited = {Verdict.TIMEOUT: tries * _RETRY_MS, Verdict.NOT_ASKED: 0.0}.get(verdict, self._ms())
        return Answer(question, AZURE_RESOLVER, _SILENT[verdict], duration_ms=waited, attempts=tries)

    def _answered(self, question: Question, values: tuple[str, ...], ttl: int) -> Answer:
        return Answer(
            question, AZURE_RESOLVER, rcode=NOERROR, values=values, ttl=ttl, authoritative=True,
            recursion_available=True, duration_ms=self._ms(), attempts=1,
        )  # fmt: skip

    def _empty(self, question: Question, rcode: str, soa: Soa | None) -> Answer:
        return Answer(
            question, AZURE_RESOLVER, rcode=rcode, soa=soa, recursion_available=True, duration_ms=self._ms(), attempts=1
        )

    def _ms(self) -> float:
        return round(self.rng.lognormvariate(1.2, 0.7), 3)


def is_plain(world: World, vnet_id: str, zones: tuple[str, ...], odd: set[str]) -> bool:
    """Tell whether a network is linked to these zones, and nothing hides a part of any of them."""
    return not any(is_within(each, zone) for each in odd for zone in zones) and all(
        vnet_id.lower() in world.links.get(zone, {}) and zone in world.sets for zone in zones
    )
