"""Targets that are given: lines, JSON, their zones from the zone map, and every bad one by its message."""

import json

import pytest

from core.probe_settings import TargetSource
from core.records import ZoneRef
from core.zone_map import ZoneMap
from probe.given import parse_targets

ZONE_MAP = ZoneMap.parse(
    json.dumps(
        {
            "rg-one": {
                "forward_zone": "apps.corp.internal",
                "reverse_zones": ["1.10.in-addr.arpa", "0.0.d.f.ip6.arpa"],
                "zones_resource_group": "rg-dns",
            },
            "rg-two": {
                "forward_zone": "apps.corp.internal",
                "reverse_zones": ["2.10.in-addr.arpa"],
                "zones_resource_group": "rg-dns",
                "zones_subscription_id": "sub-2",
            },
            "rg-flat": {"forward_zone": "flat.internal", "zones_resource_group": "rg-dns"},
        }
    )
)
GROUP = "/subscriptions/sub-9/resourceGroups/rg-one/providers/Microsoft.ContainerInstance/containerGroups/web"


def parse(text, zone_map=ZONE_MAP):
    return parse_targets(text, "PROBE_TARGETS", zone_map, "sub-1")


def only(text, zone_map=ZONE_MAP):
    given = parse(text, zone_map)
    assert given.bad == ()
    (target,) = given.targets
    return target


def test_a_line_takes_its_zones_from_the_zone_map():
    target = only("Web.Apps.Corp.Internal. 10.1.0.4")
    assert (target.fqdn, str(target.address)) == ("web.apps.corp.internal", "10.1.0.4")
    assert target.forward == ZoneRef("sub-1", "rg-dns", "apps.corp.internal")
    assert target.reverse == ZoneRef("sub-1", "rg-dns", "1.10.in-addr.arpa")
    assert (target.expects_ptr, target.source, target.where) == (True, TargetSource.GIVEN, "PROBE_TARGETS line 1")


def test_of_entries_with_the_same_forward_zone_the_one_that_holds_the_address_is_taken():
    assert only("web.apps.corp.internal 10.2.0.4").reverse == ZoneRef("sub-2", "rg-dns", "2.10.in-addr.arpa")


def test_ipv6_finds_its_zone():
    assert only("web.apps.corp.internal fd00::1").reverse.name == "0.0.d.f.ip6.arpa"


def test_an_address_in_no_configured_zone_still_expects_a_ptr():
    target = only("web.apps.corp.internal 10.99.0.4")
    assert (target.reverse, target.expects_ptr) == (None, True)


def test_an_entry_without_reverse_zones_expects_no_ptr():
    target = only("web.flat.internal 10.1.0.4")
    assert (target.reverse, target.expects_ptr) == (None, False)


def test_zones_can_be_said_where_there_is_no_zone_map():
    target = only("web.corp.internal 10.1.0.4 forward_zone=corp.internal reverse_zone=10.in-addr.arpa", ZoneMap())
    assert (target.forward, target.reverse) == (
        ZoneRef("", "", "corp.internal"),
        ZoneRef("", "", "10.in-addr.arpa"),
    )
    bare = only("web.corp.internal 10.1.0.4 forward_zone=corp.internal reverse_zone=none", ZoneMap())
    assert (bare.reverse, bare.expects_ptr) == (None, False)


def test_a_container_group_decides_the_entry_and_the_subscription():
    target = only(f"web.apps.corp.internal 10.1.0.4 container_group={GROUP}")
    assert (str(target.group), target.forward.subscription_id) == (GROUP, "sub-9")


def test_lines_may_have_comments_blanks_and_semicolons():
    text = "# fleet\n\n a.apps.corp.internal 10.1.0.1 ; b.apps.corp.internal 10.1.0.2 # two\n"
    assert [target.fqdn[0] for target in parse(text).targets] == ["a", "b"]


def test_json_is_a_list_of_objects_or_of_lines():
    text = json.dumps(
        [
            {"name": "a.apps.corp.internal", "address": "10.1.0.1"},
            "b.apps.corp.internal 10.1.0.2 reverse_zone=none",
            {"name": "c.apps.corp.internal", "address": "10.1.0.3", "reverse_zone": None},
        ]
    )
    given = parse(text)
    assert [(target.fqdn[0], target.expects_ptr) for target in given.targets] == [
        ("a", True),
        ("b", False),
        ("c", False),
    ]
    assert given.targets[2].where == "PROBE_TARGETS[2]"


def test_the_same_target_twice_is_asked_for_once():
    assert len(parse("a.apps.corp.internal 10.1.0.1\nA.apps.corp.internal. 10.1.0.1").targets) == 1


BAD = {
    "web.apps.corp.internal": "a name and an address are expected, then key=value",
    "forward_zone=x web.apps.corp.internal 10.1.0.4": "a name and an address are expected, then key=value",
    "web.apps.corp.internal 10.1.0.400": "not an IP address: '10.1.0.400'",
    "web.apps.corp.internal ::ffff:10.1.0.4":
        "an address with a scope or an embedded IPv4 address has no reverse name: '::ffff:10.1.0.4'",
    "-web.apps.corp.internal 10.1.0.4": "label '-web' is not allowed in a DNS name: '-web.apps.corp.internal'",
    "web.apps.corp.internal 10.1.0.4 ttl=5":
        "unknown key 'ttl'; known are name, address, forward_zone, reverse_zone, container_group",
    "web.apps.corp.internal 10.1.0.4 now": "key=value is expected, each key once: 'now'",
    "web.apps.corp.internal 10.1.0.4 forward_zone=a.b forward_zone=a.b":
        "key=value is expected, each key once: 'forward_zone=a.b'",
    "web.example.com 10.1.0.4": "no forward zone of the zone map contains 'web.example.com': add forward_zone=…",
    "web.example.com 10.1.0.4 forward_zone=example.com":
        "no entry of the zone map fits: add reverse_zone=…, or reverse_zone=none if no PTR is expected",
    "web.apps.corp.internal 10.1.0.4 forward_zone=example.com":
        "'web.apps.corp.internal' is not in the forward zone 'example.com'",
    "web.apps.corp.internal 10.1.0.4 reverse_zone=2.10.in-addr.arpa":
        "the reverse zone '2.10.in-addr.arpa' does not contain 10.1.0.4",
    "web.apps.corp.internal 10.1.0.4 reverse_zone=corp.internal":
        "a reverse zone ends in .in-addr.arpa or .ip6.arpa: 'corp.internal'",
    "web.apps.corp.internal 10.1.0.4 container_group=web": "not the id of a resource in a resource group: 'web'",
    '[{"name": "web.apps.corp.internal"}]': "address is missing",
    '[{"name": "web.apps.corp.internal", "address": 10}]': "address is not a text",
    '[{"name": "web.apps.corp.internal", "address": "10.1.0.4", "ip": ""}]':
        "unknown key 'ip'; known are name, address, forward_zone, reverse_zone, container_group",
    "[7]": 'an object, or a text "name address", is expected',
    "[": "not JSON: Expecting value: line 1 column 2 (char 1)",
}  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), BAD.items(), ids=BAD)
def test_a_bad_target_is_reported_by(text, reason):
    given = parse(text)
    assert given.targets == ()
    assert [bad.reason for bad in given.bad] == [reason]


def test_a_bad_target_is_reported_with_its_line_and_the_good_ones_stay():
    given = parse("a.apps.corp.internal 10.1.0.1\nnonsense\nb.apps.corp.internal 10.1.0.2\n10.1.0.3 c\n")
    assert [target.fqdn[0] for target in given.targets] == ["a", "b"]
    assert [(bad.where, bad.text) for bad in given.bad] == [
        ("PROBE_TARGETS line 2", "nonsense"),
        ("PROBE_TARGETS line 4", '{"name": "10.1.0.3", "address": "c"}'),
    ]


def test_deeply_nested_json_is_a_bad_target_and_no_crash():
    given = parse("[" * 100_000)
    assert len(given.bad) == 1
