"""The verdict: values in, values out."""

import json
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from core.arm_id import container_group_id
from core.events import DriftKind, EventType
from core.live import LiveGroup, LiveState
from core.names import relative_name, reverse_name
from core.placement import Placement
from core.records import RecordSet, ZoneRef, owner_mark
from core.zone_map import DnsConfig, OnStop, ZoneMap
from tracker.compare import Seen, compare
from tracker.zones import ZoneFacts

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
WEB = container_group_id(SUBSCRIPTION, "rg-apps", "web")
OTHER = container_group_id(SUBSCRIPTION, "rg-apps", "other")
FORWARD = ZoneRef(SUBSCRIPTION, "rg-dns", "corp.internal")
REVERSE = ZoneRef(SUBSCRIPTION, "rg-dns", "10.in-addr.arpa")
HUB, SPOKE = "/vnets/hub", "/vnets/spoke"


def config(**changes: Any) -> DnsConfig:
    body = {"forward_zone": "corp.internal", "reverse_zones": ["10.in-addr.arpa"], "zones_resource_group": "rg-dns"}
    return replace(ZoneMap.parse(json.dumps({"rg-apps": body})).entries[0], **changes)


def live(state: LiveState = LiveState.RUNNING, ip: str | None = "10.0.1.4", group: Any = WEB) -> LiveGroup:
    return LiveGroup(group, state, ip_address(ip) if ip else None)


def a(*values: str, owner: Any = WEB, written: str | None = None, ttl: int = 60, kind: Any = "A") -> RecordSet:
    mark = owner_mark(str(owner), ip_address(written or values[0])) if owner else {}
    return RecordSet(FORWARD, kind, "web", ttl, values, mark, "etag")


def ptr(ip: str, *targets: str, owner: Any = WEB) -> dict[Any, Any]:
    name = relative_name(reverse_name(ip_address(ip)), REVERSE.name)
    mark = owner_mark(str(owner)) if owner else {}
    return {ip_address(ip): RecordSet(REVERSE, "PTR", name, 60, targets, mark, "etag")}


def seen(group: LiveGroup, *sets: RecordSet, ptrs: Any = None, conf: DnsConfig | None = None, **more: Any) -> Seen:
    return Seen(group, Placement(WEB, conf or config()), sets, ptrs or {}, **more)


def owners(*groups: LiveGroup) -> dict[str, LiveGroup]:
    return {str(group.id).lower(): group for group in groups}


RIGHT_PTR = ptr("10.0.1.4", "web.corp.internal")
NO_PTR = {ip_address("10.0.1.4"): None}
ABSENT = live(LiveState.ABSENT, None)

RUNNING_CASES = {
    "address and PTR are right": (seen(live(), a("10.0.1.4"), ptrs=RIGHT_PTR), []),
    "PTR names us and somebody else": (
        seen(live(), a("10.0.1.4"), ptrs=ptr("10.0.1.4", "alias.corp.internal", "Web.Corp.Internal.")),
        [],
    ),
    "no owner mark": (seen(live(), a("10.0.1.4", owner=None), ptrs=RIGHT_PTR), []),
    "another TTL": (seen(live(), a("10.0.1.4", ttl=3600), ptrs=RIGHT_PTR), []),
    "no reverse zones are configured": (seen(live(), a("10.0.1.4"), conf=config(reverse_zones=())), []),
    "another address": (seen(live(), a("10.0.1.9"), ptrs=RIGHT_PTR), ["a_mismatch"]),
    "a second address": (seen(live(), a("10.0.1.4", "10.0.1.9"), ptrs=RIGHT_PTR), ["a_mismatch"]),
    "an empty record set": (seen(live(), replace(a("10.0.1.4"), values=()), ptrs=RIGHT_PTR), ["a_mismatch"]),
    "another address, its PTR still names us": (
        seen(live(), a("10.0.1.9"), ptrs=RIGHT_PTR | ptr("10.0.1.9", "web.corp.internal")),
        ["a_mismatch", "ptr_stale"],
    ),
    "another address that was given to somebody else": (
        seen(live(), a("10.0.1.9"), ptrs=RIGHT_PTR | ptr("10.0.1.9", "other.corp.internal", owner=OTHER)),
        ["a_mismatch"],
    ),
    "A edited by hand to be right, the PTR of the written address still names us": (
        seen(live(), a("10.0.1.4", written="10.0.1.7"), ptrs=RIGHT_PTR | ptr("10.0.1.7", "web.corp.internal")),
        ["ptr_stale"],
    ),
    "PTR missing": (seen(live(), a("10.0.1.4"), ptrs=NO_PTR), ["ptr_missing"]),
    "PTR names another": (seen(live(), a("10.0.1.4"), ptrs=ptr("10.0.1.4", "old.corp.internal")), ["ptr_mismatch"]),
    "PTR is empty": (seen(live(), a("10.0.1.4"), ptrs=ptr("10.0.1.4")), ["ptr_mismatch"]),
    "PTR belongs to a group with the same address": (
        seen(
            live(), a("10.0.1.4"), ptrs=ptr("10.0.1.4", "other.corp.internal", owner=OTHER),
            owners=owners(live(group=OTHER)),
        ),
        ["ptr_mismatch", "owner_conflict"],
    ),
    "PTR belongs to a group that moved on": (
        seen(
            live(), a("10.0.1.4"), ptrs=ptr("10.0.1.4", "other.corp.internal", owner=OTHER),
            owners=owners(live(group=OTHER, ip="10.0.1.8")),
        ),
        ["ptr_mismatch"],
    ),
    "the reverse zone does not exist": (
        seen(live(), a("10.0.1.4"), missing_zones=frozenset({"10.in-addr.arpa"})),
        ["reverse_zone_missing"],
    ),
    "no reverse zone contains the address": (
        seen(live(ip="192.168.0.4"), a("192.168.0.4")),
        ["reverse_zone_missing"],
    ),
    "the name belongs to another live group": (
        seen(live(), a("10.0.1.8", owner=OTHER), owners=owners(live(group=OTHER, ip="10.0.1.8"))),
        ["owner_conflict"],
    ),
    "the name belongs to a group that is between two states": (
        seen(live(), a("10.0.1.8", owner=OTHER), owners=owners(live(LiveState.NOT_READY, None, OTHER))),
        ["owner_conflict"],
    ),
    "the mark names a group that is gone": (
        seen(live(), a("10.0.1.4", owner=OTHER), ptrs=RIGHT_PTR, owners=owners(live(LiveState.ABSENT, None, OTHER))),
        ["a_orphaned"],
    ),
    "our IPv6 record set is left, the group has IPv4": (
        seen(live(), a("10.0.1.4"), a("fd00::4", kind="AAAA"), ptrs=RIGHT_PTR),
        ["a_mismatch"],
    ),
    "somebody's own IPv6 record set stands beside ours, with its PTR": (
        seen(
            live(), a("10.0.1.4"), a("fd00::4", kind="AAAA", owner=None),
            ptrs=RIGHT_PTR | {ip_address("fd00::4"): next(iter(RIGHT_PTR.values()))},
        ),
        [],
    ),
    "only our IPv6 record set is there, the group has IPv4": (
        seen(live(), a("fd00::4", kind="AAAA"), ptrs=RIGHT_PTR),
        ["a_mismatch"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "kinds"), RUNNING_CASES.values(), ids=RUNNING_CASES)
def test_a_running_group_has_drifted_in_exactly_the_ways_seen(given: Seen, kinds: list[str]) -> None:
    found = compare(given)
    assert [kind.value for kind in found.kinds] == kinds
    assert found.verdict == (EventType.DRIFT_DETECTED if kinds else EventType.NO_CHANGE)


def test_a_running_group_without_an_address_record_set_is_first_seen() -> None:
    assert compare(seen(live())).verdict is EventType.FIRST_SEEN
    assert compare(seen(live(), a("fd00::4", kind="AAAA", owner=None))).verdict is EventType.FIRST_SEEN


def test_a_ptr_that_was_left_is_told_with_first_seen() -> None:
    found = compare(seen(live(), ptrs=ptr("10.0.1.77", "web.corp.internal")))
    assert (found.verdict, found.kinds) == (EventType.FIRST_SEEN, (DriftKind.PTR_STALE,))


STOPPED = live(LiveState.STOPPED, None)
STALE = ptr("10.0.1.4", "web.corp.internal")
LEFT_CASES = {
    "gone, A and PTR are left": (seen(ABSENT, a("10.0.1.4"), ptrs=STALE), ["ptr_stale", "a_orphaned"]),
    "gone, only our PTR is left": (seen(ABSENT, ptrs=STALE), ["ptr_stale"]),
    "gone, PTR without a mark, A of ours names its address": (
        seen(ABSENT, a("10.0.1.4"), ptrs=ptr("10.0.1.4", "web.corp.internal", owner=None)),
        ["ptr_stale", "a_orphaned"],
    ),
    "gone, a PTR of nobody names us": (seen(ABSENT, ptrs=ptr("10.0.1.4", "web.corp.internal", owner=None)), []),
    "gone, a record set of nobody has the name": (seen(ABSENT, a("10.0.1.4", owner=None), ptrs={}), []),
    "gone, the name is another group's by now": (seen(ABSENT, a("10.0.1.4", owner=OTHER)), []),
    "gone, the PTR was given to another": (
        seen(ABSENT, a("10.0.1.4"), ptrs=ptr("10.0.1.4", "other.corp.internal", owner=OTHER)),
        ["a_orphaned"],
    ),
    "stopped": (seen(STOPPED, a("10.0.1.4"), ptrs=STALE), ["ptr_stale", "a_orphaned"]),
    "without a private address": (seen(live(LiveState.NO_PRIVATE_IP, None), a("10.0.1.4"), ptrs={}), ["a_orphaned"]),
}


@pytest.mark.parametrize(("given", "kinds"), LEFT_CASES.values(), ids=LEFT_CASES)
def test_of_a_group_without_an_address_only_what_was_ours_is_left_over(given: Seen, kinds: list[str]) -> None:
    found = compare(given)
    assert [kind.value for kind in found.kinds] == kinds
    assert found.verdict is (EventType.DRIFT_DETECTED if kinds else None)


@pytest.mark.parametrize(
    "given",
    [
        seen(live(LiveState.NOT_READY, None), a("10.0.1.9")),
        seen(STOPPED, a("10.0.1.9"), conf=config(on_stop=OnStop.KEEP)),
    ],
    ids=["not ready", "stopped and kept"],
)
def test_no_verdict_while_nothing_can_be_wrong_yet(given: Seen) -> None:
    found = compare(given)
    assert (found.verdict, found.findings) == (None, ())
    assert found.reason.startswith("no verdict while it is")


def test_ttl_and_owner_mark_are_remarks_and_not_drift() -> None:
    assert compare(seen(live(), a("10.0.1.4", ttl=3600, owner=None), ptrs=RIGHT_PTR)).remarks == {
        "ttl_seconds": {"found": 3600, "expected": 60},
        "owner_mark": "missing",
    }
    edited = seen(live(), a("10.0.1.4", written="10.0.1.7"), ptrs=RIGHT_PTR)
    assert compare(edited).remarks == {"owner_mark": "names another address"}
    assert compare(seen(live(), a("10.0.1.4"), ptrs=RIGHT_PTR)).remarks == {}


ZONE_CASES = {
    "all linked": ({"corp.internal": {HUB, SPOKE}, "10.in-addr.arpa": {HUB, SPOKE}}, []),
    "reverse zone linked to nothing": ({"corp.internal": {HUB}, "10.in-addr.arpa": set()}, ["zone_unlinked"]),
    "forward zone linked to nothing": ({"corp.internal": set(), "10.in-addr.arpa": {HUB}}, ["zone_unlinked"]),
    "reverse zone not linked to a spoke": (
        {"corp.internal": {HUB, SPOKE}, "10.in-addr.arpa": {HUB}},
        ["zone_unlinked"],
    ),
    "a longer zone in the same network": (
        {"corp.internal": {HUB}, "10.in-addr.arpa": {HUB}, "1.0.10.in-addr.arpa": {HUB}},
        ["zone_shadowed"],
    ),
    "a longer zone in another network": (
        {"corp.internal": {HUB}, "10.in-addr.arpa": {HUB}, "1.0.10.in-addr.arpa": {SPOKE}},
        [],
    ),
    "a longer zone of other addresses": (
        {"corp.internal": {HUB}, "10.in-addr.arpa": {HUB}, "2.0.10.in-addr.arpa": {HUB}},
        [],
    ),
    "classless zone hides nothing": (
        {"corp.internal": {HUB}, "10.in-addr.arpa": {HUB}, "0-31.1.0.10.in-addr.arpa": {HUB}},
        [],
    ),
}


@pytest.mark.parametrize(("linked", "kinds"), ZONE_CASES.values(), ids=ZONE_CASES)
def test_zones_that_a_network_would_not_ask_are_drift_when_links_were_read(linked: Any, kinds: list[str]) -> None:
    facts = ZoneFacts({name: frozenset(networks) for name, networks in linked.items()})
    found = compare(seen(live(), a("10.0.1.4"), ptrs=RIGHT_PTR, zones=facts))
    assert [kind.value for kind in found.kinds] == kinds


def test_every_kind_of_drift_has_a_case() -> None:
    produced = {kind for _, kinds in [*RUNNING_CASES.values(), *LEFT_CASES.values(), *ZONE_CASES.values()]
                for kind in kinds}  # fmt: skip
    assert produced == {kind.value for kind in DriftKind}
