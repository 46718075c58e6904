import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.names import (
    ReverseZone,
    absolute_name,
    address_of,
    is_usable,
    is_within,
    longest_reverse_zone,
    normalise,
    parse_address,
    parse_name,
    parse_zone,
    relative_name,
    reverse_name,
    same_name,
    shadowing_zones,
)

ADDRESSES = st.ip_addresses().filter(lambda ip: ip.version == 4 or not (ip.ipv4_mapped or ip.scope_id))
V4_ZONES = st.lists(st.integers(0, 255), min_size=1, max_size=3).map(lambda octets: [str(octet) for octet in octets])
V6_ZONES = st.lists(st.sampled_from("0123456789abcdef"), min_size=1, max_size=31)
LABELS = st.text("az09_-", max_size=8).map("a{}z".format) | st.sampled_from(["_", "0", "x" * 63])
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
ZONES = st.lists(LABELS, min_size=2, max_size=4).map(".".join)


@given(ADDRESSES)
def test_an_address_reads_back_from_its_reverse_name(address):
    assert address_of(reverse_name(address)) == address
    assert address_of(reverse_name(address).upper() + ".") == address
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("10.0.1.4", "4.1.0.10.in-addr.arpa"),
        ("fd00::4", "4.0.0.0." + "0.0.0.0." * 6 + "0.0.d.f.ip6.arpa"),
    ],
)
def test_a_reverse_name_has_the_digits_backwards(address, name):
    assert reverse_name(parse_address(address)) == name


@pytest.mark.parametrize(
    "name",
    ["1.0.10.in-addr.arpa", "5.4.3.2.1.in-addr.arpa", "04.1.0.10.in-addr.arpa", "256.1.0.10.in-addr.arpa",
     "in-addr.arpa", "4.1.0.10.in-addr.arpa.corp", "web.corp.internal", "", "1.ip6.arpa", "x." * 32 + "ip6.arpa",
     "٤.1.0.10.in-addr.arpa"],
)  # fmt: skip
def test_a_name_that_stands_for_no_address_gives_none(name):
    assert address_of(name) is None


@given(st.text(max_size=80))
def test_any_text_has_an_address_or_none(text):
    for suffix in ("", ".in-addr.arpa", ".ip6.arpa"):
        address_of(text + suffix)


@pytest.mark.parametrize(
    "text",
    ["", "10.0.0", "10.0.0.256", "010.0.0.4", "10.0.0.4/32", " 10.0.0.4", "::ffff:10.0.0.4", "fe80::1%eth0", "web"],
)
def test_what_is_no_plain_address_is_refused(text):
    with pytest.raises(InputError):
        parse_address(text)


@pytest.mark.parametrize(
    "text", ["0.0.0.0", "127.0.0.1", "169.254.1.1", "224.0.0.1", "::", "::1", "fe80::1", "ff02::1"]
)
def test_addresses_that_no_group_can_have_are_not_usable(text):
    assert not is_usable(parse_address(text))


@pytest.mark.parametrize("text", ["10.0.0.4", "192.168.1.1", "100.64.0.1", "20.1.2.3", "fd00::4"])
def test_addresses_of_groups_are_usable(text):
    assert is_usable(parse_address(text))


@given(NAMES, ZONES)
def test_relative_and_absolute_names_are_inverses(relative, zone):
    assert relative_name(absolute_name(relative, zone), zone) == relative
    assert is_within(absolute_name(relative, zone).upper() + ".", zone)


def test_the_apex_is_an_at_sign():
    assert relative_name("Corp.Internal.", "corp.internal") == "@"
    assert absolute_name("@", "Corp.Internal.") == "corp.internal"


def test_a_name_that_only_ends_alike_is_not_in_the_zone():
    assert not is_within("xcorp.internal", "corp.internal")
    with pytest.raises(InputError, match=r"'xcorp\.internal' is not in zone 'corp\.internal'"):
        relative_name("xcorp.internal", "corp.internal")


@pytest.mark.parametrize(
    ("left", "right", "same"), [("A.b", "a.B.", True), ("a.b", "a.c", False), ("a.b..", "a.b", False)]
)
def test_names_compare_without_case_and_final_dot(left, right, same):
    assert same_name(left, right) is same
    assert same_name(right, left) is same


@given(NAMES)
def test_a_valid_name_is_taken_in_any_case_and_normalised(name):
    assert parse_name(name.upper() + ".") == name == normalise(name)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "a DNS name has 1 to 253 characters: ''"),
        (".", "a DNS name has 1 to 253 characters: '.'"),
        ("a." * 127 + "a", f"a DNS name has 1 to 253 characters: '{'a.' * 40}'"),
        ("a..b", "label '' is not allowed in a DNS name: 'a..b'"),
        ("-a.b", "label '-a' is not allowed in a DNS name: '-a.b'"),
        ("a-.b", "label 'a-' is not allowed in a DNS name: 'a-.b'"),
        ("a b.c", "label 'a b' is not allowed in a DNS name: 'a b.c'"),
        ("*.a", "label '*' is not allowed in a DNS name: '*.a'"),
        ("ü.a", "label '\\xfc' is not allowed in a DNS name: '\\xfc.a'"),
        ("\u212aelvin.a", "label '\\u212aelvin' is not allowed in a DNS name: '\\u212aelvin.a'"),
        ("x" * 64 + ".a", f"label '{'x' * 64}' is not allowed in a DNS name: '{'x' * 64}.a'"),
        ("a.b\n", "label 'b\\n' is not allowed in a DNS name: 'a.b\\n'"),
    ],
)
def test_a_bad_name_is_refused_with_the_label_that_is_wrong(text, reason):
    with pytest.raises(InputError) as caught:
        parse_name(text)
    assert str(caught.value) == reason


def test_a_label_of_63_characters_is_taken():
    assert parse_name("x" * 63 + ".a")


@pytest.mark.parametrize(("labels", "allowed"), [(1, False), (2, True), (34, True), (35, False)])
def test_a_private_zone_has_2_to_34_labels(labels, allowed):
    text = ".".join("a" * labels)
    if allowed:
        assert parse_zone(text) == text
    else:
        with pytest.raises(InputError, match="2 to 34 labels"):
            parse_zone(text)


@given(V4_ZONES, ADDRESSES)
def test_an_ipv4_zone_holds_exactly_the_addresses_whose_reverse_name_is_below_it(octets, address):
    zone = ReverseZone.parse(".".join(octets) + ".in-addr.arpa")
    assert zone.name == ".".join(octets) + ".in-addr.arpa"
    assert zone.network.prefixlen == 8 * len(octets)
    assert zone.contains(address) == is_within(reverse_name(address), zone.name)
    assert zone.contains(zone.network.network_address)


@given(V6_ZONES, ADDRESSES)
def test_an_ipv6_zone_holds_exactly_the_addresses_whose_reverse_name_is_below_it(nibbles, address):
    zone = ReverseZone.parse(".".join(nibbles).upper() + ".IP6.ARPA.")
    assert zone.network.prefixlen == 4 * len(nibbles)
    assert zone.contains(address) == is_within(reverse_name(address), zone.name)
    assert zone.contains(zone.network.broadcast_address)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("corp.internal", "a reverse zone ends in .in-addr.arpa or .ip6.arpa: 'corp.internal'"),
        ("in-addr.arpa", "a reverse zone ends in .in-addr.arpa or .ip6.arpa: 'in-addr.arpa'"),
        ("x10in-addr.arpa", "a reverse zone ends in .in-addr.arpa or .ip6.arpa: 'x10in-addr.arpa'"),
        ("256.in-addr.arpa", "the labels of an IPv4 reverse zone are octets, 0 to 255: '256.in-addr.arpa'"),
        ("010.in-addr.arpa", "the labels of an IPv4 reverse zone are octets, 0 to 255: '010.in-addr.arpa'"),
        ("1..10.in-addr.arpa", "the labels of an IPv4 reverse zone are octets, 0 to 255: '1..10.in-addr.arpa'"),
        ("a.10.in-addr.arpa", "the labels of an IPv4 reverse zone are octets, 0 to 255: 'a.10.in-addr.arpa'"),
        ("²5.in-addr.arpa", "the labels of an IPv4 reverse zone are octets, 0 to 255: '\\xb25.in-addr.arpa'"),
        (
            "9" * 5000 + ".in-addr.arpa",
            f"the labels of an IPv4 reverse zone are octets, 0 to 255: '{'9' * 80}'",
        ),
        (
            "4.1.0.10.in-addr.arpa",
            "'4.1.0.10.in-addr.arpa' names one address or less; a reverse zone covers a /8, /16 or /24",
        ),
        ("g.ip6.arpa", "the labels of an IPv6 reverse zone are 1 to 31 hex digits: 'g.ip6.arpa'"),
        ("00.ip6.arpa", "the labels of an IPv6 reverse zone are 1 to 31 hex digits: '00.ip6.arpa'"),
        ("0." * 32 + "ip6.arpa", f"the labels of an IPv6 reverse zone are 1 to 31 hex digits: '{'0.' * 32}ip6.arpa'"),
    ],
)
def test_a_bad_reverse_zone_is_refused_with_the_reason(text, reason):
    with pytest.raises(InputError) as caught:
        ReverseZone.parse(text)
    assert str(caught.value) == reason


@pytest.mark.parametrize("text", ["224-27.126.211.10.in-addr.arpa", "0/25.1.0.10.in-addr.arpa"])
def test_a_classless_zone_is_refused_and_the_reason_says_what_to_do(text):
    with pytest.raises(InputError) as caught:
        ReverseZone.parse(text)
    assert str(caught.value) == (
        f"'{text}' is a classless zone (RFC 2317): private DNS zones cannot delegate to it, so PTR queries "
        "never reach it; use a zone cut at an octet, for example 1.0.10.in-addr.arpa"
    )


NESTED = [ReverseZone.parse(text + ".in-addr.arpa") for text in ("10", "0.10", "1.0.10", "11", "2.0.10")]


@pytest.mark.parametrize("zones", list(itertools.permutations(NESTED, 5))[::17])
def test_the_longest_zone_wins_in_whatever_order_they_are_given(zones):
    names = {text: longest_reverse_zone(parse_address(text), zones) for text in
             ("10.0.1.4", "10.0.9.4", "10.9.9.4", "11.1.1.1", "12.0.0.1", "fd00::1")}  # fmt: skip
    assert {text: zone.name.removesuffix(".in-addr.arpa") if zone else None for text, zone in names.items()} == {
        "10.0.1.4": "1.0.10", "10.0.9.4": "0.10", "10.9.9.4": "10", "11.1.1.1": "11", "12.0.0.1": None, "fd00::1": None
    }  # fmt: skip


@given(ADDRESSES, st.lists(st.one_of(V4_ZONES.map(lambda o: ".".join(o) + ".in-addr.arpa"),
                                     V6_ZONES.map(lambda n: ".".join(n) + ".ip6.arpa")), max_size=6))  # fmt: skip
def test_no_other_containing_zone_is_longer_than_the_chosen_one(address, texts):
    zones = [ReverseZone.parse(text) for text in texts]
    chosen = longest_reverse_zone(address, zones)
    containing = [zone for zone in zones if is_within(reverse_name(address), zone.name)]
    assert (chosen is None) == (not containing)
    if chosen:
        assert chosen.name.count(".") == max(zone.name.count(".") for zone in containing)
        assert shadowing_zones(address, chosen, zones) == []


def test_longer_zones_that_hold_the_address_shadow_the_chosen_one_longest_first():
    chosen, *others = NESTED
    address = parse_address("10.0.1.4")
    assert [zone.name for zone in shadowing_zones(address, chosen, others)] == [
        "1.0.10.in-addr.arpa", "0.10.in-addr.arpa"
    ]  # fmt: skip
    assert shadowing_zones(address, others[1], NESTED) == []
