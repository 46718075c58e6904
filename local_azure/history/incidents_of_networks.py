"""Incidents of networks and zones: links that are missing, zones that hide others or are gone, resolvers in trouble."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from core.errors import ConfigurationError, ToolkitError
from core.links import VirtualNetworkLink
from core.records import ZoneRef
from local_azure.history.incidents_of_azure import deploy_some, put_up, take_down
from local_azure.history.probing import unreadable
from local_azure.history.resolver import FORCED
from local_azure.history.windows import (
    Incident,
    during,
    moment,
    residents,
    seen_by_audit,
    seen_by_probe,
)
from probe.target import BadTarget

if TYPE_CHECKING:
    from local_azure.history.play import Play
    from local_azure.history.probing import Post
    from probe.verdict import Verdict


def plan(play: Play) -> None:
    """Put them on the clock."""
    first, third = play.layout.spokes[0], play.layout.spokes[3]
    seen = max(seen_by_audit(play, 5), seen_by_probe(play, 5))
    _unlink(play, "reverse_zone_unlinked", first.reverse_zone, first.vnet_id, moment(play, 0.62), seen)
    _unlink(
        play, "forward_zone_unlinked", third.forward_zone, third.vnet_id, moment(play, 0.43), seen_by_probe(play, 1)
    )
    _hide(play, f"1.{first.reverse_zone}", first.vnet_id, moment(play, 0.11), seen)
    name = residents(play)[0].id.name
    _hide(play, f"{name}.{first.forward_zone}", first.vnet_id, moment(play, 0.82), seen_by_probe(play, 2))
    _gone(play, third.forward_zone, moment(play, 0.69), timedelta(minutes=25))
    _gone(play, third.reverse_zone, moment(play, 0.945), seen_by_audit(play, 1))
    host = f"probe-{first.name}"
    at, length = moment(play, 0.33), seen_by_probe(play, 10) * 2
    silent = Incident("silent_probe", at, at + length, host)
    during(play, silent, partial(take_down, play, host), partial(put_up, play, host))
    _resolvers(play)
    _runs(play)


def _unlink(play: Play, name: str, zone: str, vnet: str, at: datetime, length: timedelta) -> None:  # noqa: PLR0913, PLR0917 - as above
    """Remove a zone's link to one network, and make it again."""
    kept: list[VirtualNetworkLink] = []

    def begin(_: datetime) -> None:
        kept.append(play.world.links[zone].pop(vnet.lower()))
        play.probing.bulk.zones_changed()

    def end(_: datetime) -> None:
        play.world.links[zone][vnet.lower()] = kept[0]
        play.probing.bulk.zones_changed()

    during(play, Incident(name, at, at + length, f"{zone} in {vnet}"), begin, end)


def _hide(play: Play, zone: str, vnet: str, at: datetime, length: timedelta) -> None:
    """Let somebody make a longer zone and link it: it hides what it holds, and holds nothing."""

    def begin(_: datetime) -> None:
        play.world.zone_refs[zone] = ZoneRef(play.layout.dns_subscription_id, "rg-somebody", zone)
        play.world.sets[zone] = {}
        play.world.links[zone] = {vnet.lower(): VirtualNetworkLink("mine", vnet)}
        play.probing.odd.add(zone)
        play.probing.bulk.zones_changed()

    def end(_: datetime) -> None:
        for known in (play.world.zone_refs, play.world.sets, play.world.links):
            known.pop(zone, None)
        play.probing.odd.discard(zone)
        play.probing.bulk.zones_changed()

    during(play, Incident("zone_shadowed", at, at + length, f"{zone} in {vnet}"), begin, end)


def _gone(play: Play, zone: str, at: datetime, length: timedelta) -> None:
    """Let a zone be deleted by mistake, and restored with its records."""
    kept = {}

    def begin(now: datetime) -> None:
        kept.update(play.world.sets.pop(zone))
        _look_again(play, now, "zone deleted")
        deploy_some(play, now, 0.2, length)

    def end(now: datetime) -> None:
        play.world.sets[zone] = dict(kept)
        _look_again(play, now, "zone restored")

    during(play, Incident("zone_missing", at, at + length, zone), begin, end)


def _look_again(play: Play, now: datetime, why: str) -> None:
    play.probing.bulk.zones_changed()
    for place in play.layout.places:
        play.watch.look(place, now, why)


def _resolvers(play: Play) -> None:
    """Let each kind of trouble that a resolver can be in fall on one run of one vantage."""
    posts = [(number, post) for number, post in enumerate(play.probing.posts) if _has_residents(play, post)]
    pause = timedelta(minutes=play.shape.probe_minutes)
    runs = int((play.shape.end - play.shape.start) / pause)
    for number, verdict in enumerate(FORCED):
        index, post = posts[number % len(posts)]
        run = max(1, round((0.1 + 0.85 * (number + 0.5) / len(FORCED)) * runs)) - 1
        at = play.probing.first(index) + pause * (run - 0.3)
        incident = Incident(f"resolver_{verdict.value}", at, at + pause * 0.6, post.vantage.host)
        during(play, incident, partial(_force, play, post, verdict), partial(_unforce, play, post))


def _has_residents(play: Play, post: Post) -> bool:
    there = {place.key for place in (*residents(play), play.layout.places[0], play.layout.places[4])}
    return any(place.key in there for place in post.places)


def _force(play: Play, post: Post, verdict: Verdict, _: datetime) -> None:
    play.probing.forced[post.vantage.host] = verdict


def _unforce(play: Play, post: Post, _: datetime) -> None:
    play.probing.forced.pop(post.vantage.host, None)


def _runs(play: Play) -> None:
    """Let runs break off, and one have targets that cannot be read."""
    host = play.probing.posts[1].vantage.host
    unusable = ConfigurationError("PROBE_RESOLVERS: '10.0.0.300' is not the address of a name server")
    broken: tuple[tuple[float, Exception], ...] = (
        (0.18, unreadable()), (0.49, unusable), (0.76, ValueError("cannot unpack the answer")),
    )  # fmt: skip
    for part, error in broken:
        at = moment(play, part)
        name = f"probe_broken_{error.code if isinstance(error, ToolkitError) else 'unexpected'}"
        incident = Incident(name, at, at + seen_by_probe(play, 0.1), host)
        during(play, incident, partial(_break, play, host, error), lambda _: play.probing.broken.pop(host, None))
    at = moment(play, 0.58)
    hub = play.probing.posts[0].vantage.host
    bad = (BadTarget("rg-shop-weu", "rg-shop-weu", "cannot be listed: 403 AuthorizationFailed"),)
    incident = Incident("bad_targets", at, at + seen_by_probe(play, 0.1), hub)
    during(play, incident, lambda _: play.probing.bad.update({hub: bad}), lambda _: play.probing.bad.pop(hub, None))


def _break(play: Play, host: str, error: Exception, _: datetime) -> None:
    play.probing.broken[host] = error
