"""The probes of a history: each vantage asks for its groups by the clock, and the probe's own code tells the outcome.

What fails is judged and told answer by answer. What is right, nearly every row of a history, goes through `bulk`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from core.errors import ToolkitError, UnavailableError
from core.probe_settings import ProbeSettings
from local_azure.history.bulk import Bulk
from local_azure.history.resolver import Resolver, is_plain
from local_azure.history.seeded import stream
from probe.advice import advise, flapping
from probe.crosscheck import AZURE_RESOLVER, cross_check
from probe.report import Occasion, broken_off, completed, target_event
from probe.result import ProbeReport, Summary, TargetResult
from probe.targets import targets_of_groups
from probe.verdict import Judgement, Verdict
from probe.zones import AzureFacts, Zone

if TYPE_CHECKING:
    from local_azure.history.layout import Place
    from local_azure.history.play import Play
    from probe.target import BadTarget, Target, Vantage

_SETTINGS: Final = ProbeSettings()
_CONFIRM_SECONDS: Final = 10.0


@dataclass
class Post:
    """One vantage and the groups that it asks for."""

    vantage: Vantage
    places: list[Place]
    bad: tuple[BadTarget, ...] = ()


@dataclass
class Probing:
    """All vantages. By host: `forced` is the trouble of its resolver, `broken` what its runs break off with."""

    play: Play
    posts: list[Post] = field(default_factory=list)
    forced: dict[str, Verdict] = field(default_factory=dict)
    broken: dict[str, Exception] = field(default_factory=dict)
    bad: dict[str, tuple[BadTarget, ...]] = field(default_factory=dict)
    odd: set[str] = field(default_factory=set)
    """Zones that hide a part of another."""

    def __post_init__(self) -> None:
        play = self.play
        self.resolver = Resolver(play.world, stream(play.seed, "resolver"))
        self.rng = stream(play.seed, "probe")
        for vantage in play.layout.vantages:
            mine = [place for place in play.layout.places
                    if vantage.vnet_id in {place.spoke.vnet_id, play.layout.hub_vnet(place.spoke.hub)}]  # fmt: skip
            self.posts.append(Post(vantage, mine))
        self.bulk = Bulk(play, [(post.vantage, post.places) for post in self.posts])

    def plan(self) -> None:
        """Put the first run of each vantage on the clock; each puts its next one there."""
        for number in range(len(self.posts)):
            self.play.at(self.first(number), lambda now, number=number: self._run(number, now))  # type: ignore[misc]

    def first(self, number: int) -> datetime:
        """Give the first run of a vantage: the vantages are spread over a minute, well after the fleet was created."""
        pause = timedelta(minutes=self.play.shape.probe_minutes)
        return self.play.shape.start + pause * 0.5 + timedelta(seconds=number * 60 / len(self.posts))

    def _run(self, number: int, now: datetime) -> None:
        play, post = self.play, self.posts[number]
        pause = timedelta(minutes=play.shape.probe_minutes)
        due = self.first(number) + (round((now - self.first(number)) / pause) + 1) * pause
        play.at(due + timedelta(seconds=self.rng.randint(-2, 2)), lambda at: self._run(number, at))
        if not play.down.get(post.vantage.host):
            self._ask(number, post, now)

    def _ask(self, number: int, post: Post, now: datetime) -> None:
        play, host = self.play, post.vantage.host
        run = play.invocation(now, host)
        error = self.broken.get(host)
        if error is not None:
            occasion = Occasion(run.id, post.vantage, 1, now + run.skew + timedelta(seconds=1.2))
            play.emit([broken_off(occasion, error, 1.2, 4)], now + timedelta(seconds=1.2), host)
            return
        self.bulk.refresh(number, self._target, self._is_plain)
        odd = self._odd(number, post)
        results = [self._result(target, post.vantage) for target in odd]
        failing = [result for result in results if not result.is_ok]
        right = self.bulk.right(number, {result.target.group for result in failing})
        seconds = 0.15 + self.bulk.count(right) * 0.0004 + (_CONFIRM_SECONDS if failing else 0) + self.rng.random()
        at = now + timedelta(milliseconds=round(seconds * 1000))
        occasion = Occasion(run.id, post.vantage, 1, at + run.skew)
        plain = not play.arrivals.refused and play.arrivals.delay is None
        if plain:
            self.bulk.tell(number, right, occasion, at)
        else:
            targets = [self._target(post.places[index]) for index in right]
            events = [target_event(occasion, self._fine(target, post.vantage)) for target in targets if target]
            play.emit(events, at, host)
        play.emit([target_event(occasion, result) for result in failing], at, host)
        report = self._report(post, failing, len(right), seconds)
        play.emit([completed(occasion, report, _SETTINGS)], at, host)
        play.runtime.request("probe", run.id, (now, at), ok=True, role=host)

    def _odd(self, number: int, post: Post) -> list[Target]:
        """Give the targets that cannot be taken for right: drifted ones, and all of zones that do not answer here."""
        is_forced = post.vantage.host in self.forced
        places = post.places if is_forced else self.bulk.doubtful(number)
        return [target for place in places if (target := self._target(place))]

    def _is_plain(self, place: Place, vantage: Vantage) -> bool:
        placement = self.play.watch.placements[place.key]
        address = self.play.world.group(place.id).address
        reverse = placement.reverse_zone(address) if address else None
        zones = (placement.config.forward_zone, *([reverse.name] if reverse else []))
        return is_plain(self.play.world, vantage.vnet_id, zones, self.odd)

    def _target(self, place: Place) -> Target | None:
        live = self.play.world.group(place.id)
        return next(targets_of_groups([live], self.play.layout.settings.zone_map), None)

    def _fine(self, target: Target, vantage: Vantage) -> TargetResult:
        first = self.resolver.judge(target, vantage.vnet_id)
        return TargetResult(target, AZURE_RESOLVER, first.verdict, "", "", first)

    def _result(self, target: Target, vantage: Vantage) -> TargetResult:
        forced = self.forced.get(vantage.host)
        if forced is None:
            first = second = self.resolver.judge(target, vantage.vnet_id)
        else:
            first = self.resolver.in_trouble(target, vantage.vnet_id, forced)
            second = self.resolver.judge(target, vantage.vnet_id) if forced is Verdict.FLAPPING else first
        if first.verdict is Verdict.OK:
            return TargetResult(target, AZURE_RESOLVER, Verdict.OK, "", "", first)
        if first.verdict is Verdict.NOT_ASKED:
            advice = advise(target, first, vantage)
            return TargetResult(target, AZURE_RESOLVER, first.verdict, advice.cause, advice.fix, first, advice.also)
        return self._confirmed(target, vantage, first, second)

    def _confirmed(self, target: Target, vantage: Vantage, first: Judgement, second: Judgement) -> TargetResult:
        is_same = first.verdict is second.verdict
        advice = advise(target, second, vantage) if is_same else flapping(first, second, _CONFIRM_SECONDS)
        return TargetResult(
            target, AZURE_RESOLVER, first.verdict if is_same else Verdict.FLAPPING, advice.cause, advice.fix, first,
            advice.also, second, _CONFIRM_SECONDS, cross_check(target, second, vantage, self._facts(target)),
        )  # fmt: skip

    def _facts(self, target: Target) -> AzureFacts:
        world, layout = self.play.world, self.play.layout
        refs = [ref for ref in (target.forward, target.reverse) if ref and ref.name in world.sets]
        odd = [world.zone_refs[name] for name in sorted(self.odd)]
        zones = tuple(Zone(ref, tuple(world.links.get(ref.name, {}).values())) for ref in (*refs, *odd))
        records = {}
        for ref, name, kind in ((target.forward, target.fqdn, "A"), (target.reverse, target.ptr_name, "PTR")):
            if ref and ref.name in world.sets:
                found = world.sets[ref.name].get((kind, name.removesuffix("." + ref.name)))
                records[name, kind] = found.values if found else ()
        groups = {str(target.group).lower(): world.group(target.group)} if target.group else {}
        listed = frozenset({layout.dns_subscription_id.lower()})
        return AzureFacts(zones, records, groups, dns_servers=(), listed=listed)

    def _report(self, post: Post, failing: list[TargetResult], right: int, seconds: float) -> ProbeReport:
        counted = {Verdict.OK.value: right} if right else {}
        for verdict in Verdict:
            count = sum(result.verdict is verdict for result in failing)
            if count:
                counted[verdict.value] = count
        targets = right + len(failing)
        bad = self.bad.get(post.vantage.host, ())
        mid = round(self.rng.uniform(2.5, 4.5), 3)
        summary = Summary(
            targets=targets, results=targets, verdicts=counted, bad_targets=len(bad),
            queries=2 * targets + 2 * len(failing), p50_ms=mid, p95_ms=round(mid * 3.1, 3), p99_ms=round(mid * 5.2, 3),
            duration_seconds=seconds, deadline_reached=Verdict.NOT_ASKED.value in counted,
            arm_calls=len({place.id.resource_group for place in post.places}) + 3 * bool(failing),
        )  # fmt: skip
        return ProbeReport("", (), bad, summary, post.vantage, (AZURE_RESOLVER,))


def unreadable() -> ToolkitError:
    """Give what a run breaks off with."""
    return UnavailableError("container_groups.list", "no answer within 30 s", status=504, azure_code="GatewayTimeout")


__all__ = ["Probing", "unreadable"]
