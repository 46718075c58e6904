import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.arm_id import container_group_id
from core.errors import ConfigurationError
from core.records import ZoneRef
from core.zone_map import DEFAULT_TTL_SECONDS, OnStop, Ownership, ZoneMap

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
OTHER = "00000000-0000-0000-0000-000000000002"
ENTRY = {"forward_zone": "aci.corp.internal", "reverse_zones": ["1.10.in-addr.arpa"], "zones_resource_group": "rg-dns"}
GROUP = container_group_id(SUBSCRIPTION, "rg-one", "web")


def reasons(text):
    with pytest.raises(ConfigurationError) as caught:
        ZoneMap.parse(text)
    count = len(caught.value.reasons)
    assert str(caught.value).splitlines()[0] == (
        f"DNS_ZONE_MAP cannot be used, {count} reason{'s' if count > 1 else ''}:"
    )
    return [str(reason) for reason in caught.value.reasons]


def with_entry(**changes):
    return json.dumps({"rg": {name: value for name, value in {**ENTRY, **changes}.items() if value is not ...}})


def test_an_entry_has_defaults_and_says_where_its_zones_are():
    config = ZoneMap.parse(json.dumps({"rg-one": ENTRY})).config_for(GROUP)
    assert (config.ttl_seconds, config.ownership, config.on_stop) == (
        DEFAULT_TTL_SECONDS, Ownership.ADOPT, OnStop.REMOVE
    )  # fmt: skip
    assert config.zone(config.forward_zone, GROUP) == ZoneRef(SUBSCRIPTION, "rg-dns", "aci.corp.internal")


def test_names_are_normalised_and_keys_are_read_in_any_case():
    body = {"Forward_Zone": "ACI.Corp.Internal.", "REVERSE_ZONES": ["1.10.IN-ADDR.ARPA."], "zones_resource_group": "rg",
            "zones_subscription_id": OTHER, "ttl_seconds": 300, "ownership": "STRICT", "on_stop": "Keep"}  # fmt: skip
    config = ZoneMap.parse(json.dumps({"RG-One": body})).config_for(GROUP)
    assert (config.forward_zone, config.reverse_zones[0].name) == ("aci.corp.internal", "1.10.in-addr.arpa")
    assert (config.ttl_seconds, config.ownership, config.on_stop) == (300, Ownership.STRICT, OnStop.KEEP)
    assert config.zone("z", GROUP).subscription_id == OTHER


def test_an_entry_for_the_subscription_goes_before_one_for_the_name_alone():
    special = {**ENTRY, "forward_zone": "special.internal"}
    for pairs in ([("rg-one", ENTRY), (f"{SUBSCRIPTION}/rg-one", special)],
                  [(f"{SUBSCRIPTION}/rg-one", special), ("rg-one", ENTRY)]):  # fmt: skip
        parsed = ZoneMap.parse(json.dumps(dict(pairs)))
        assert parsed.config_for(GROUP).forward_zone == "special.internal"
        assert parsed.config_for(container_group_id(OTHER, "RG-ONE", "web")).forward_zone == "aci.corp.internal"


def test_a_resource_group_that_is_not_configured_has_no_entry():
    parsed = ZoneMap.parse(json.dumps({f"{OTHER}/rg-one": ENTRY}))
    assert parsed.config_for(GROUP) is None


def test_entries_are_found_by_either_kind_of_zone():
    parsed = ZoneMap.parse(json.dumps({"a": ENTRY, "b": {**ENTRY, "forward_zone": "b.internal"}}))
    assert [entry.resource_group for entry in parsed.entries_with_zone("B.Internal")] == ["b"]
    assert [entry.resource_group for entry in parsed.entries_with_zone("1.10.in-addr.arpa")] == ["a", "b"]
    assert parsed.entries_with_zone("10.in-addr.arpa") == []


BAD = {
    "not JSON": ("nonsense", ["$: not JSON: Expecting value: line 1 column 1 (char 0)"]),
    "a list": ("[]", ["$: an object is expected (resource group → zones), this is a list"]),
    "text": ('"x"', ["$: an object is expected (resource group → zones), this is a string"]),
    "null": ("null", ["$: an object is expected (resource group → zones), this is null"]),
    "a number": ("1", ["$: an object is expected (resource group → zones), this is a number"]),
    "empty": ("{}", ["$: no resource group is configured"]),
    "deeply nested": ("[" * 100_000, ["$: nested too deeply to be a zone map"]),
    "too long": (" " * 1_000_001, ["$: 1000001 characters; at most 1000000 are taken"]),
    "bad resource group": (
        json.dumps({"rg/": ENTRY}), ['$["rg/"]: not the name of a resource group, nor subscription/resource group']
    ),
    "bad subscription": (
        json.dumps({"a b/rg": ENTRY}),
        ['$["a b/rg"]: not the name of a resource group, nor subscription/resource group']
    ),
    "the same group twice": (
        f'{{"rg": {json.dumps(ENTRY)}, "RG": {json.dumps(ENTRY)}}}',
        ['$["RG"]: the resource group is configured twice (also as "rg")'],
    ),
    "an entry that is text": ('{"rg": "x"}', ['$["rg"]: an object is expected, this is a string']),
    "unknown key": (
        with_entry(ttl=5),
        [('$["rg"].ttl: unknown key; known are forward_zone, reverse_zones, zones_resource_group, '
         "zones_subscription_id, ttl_seconds, ownership, on_stop, nested_reverse_zones")],
    ),
    "key twice": (
        with_entry()[:-2] + ', "Forward_Zone": "a.b"}}', ['$["rg"].Forward_Zone: the key is given twice']
    ),
    "forward zone missing": (with_entry(forward_zone=...), ['$["rg"].forward_zone: is missing']),
    "forward zone null": (with_entry(forward_zone=None), ['$["rg"].forward_zone: is missing']),
    "forward zone empty": (with_entry(forward_zone="  "), ['$["rg"].forward_zone: is empty']),
    "forward zone a number": (
        with_entry(forward_zone=7), ['$["rg"].forward_zone: a string is expected, this is a number']
    ),
    "forward zone an object": (
        with_entry(forward_zone={}), ['$["rg"].forward_zone: a string is expected, this is an object']
    ),
    "forward zone of one label": (
        with_entry(forward_zone="corp"), ['$["rg"].forward_zone: a private DNS zone has 2 to 34 labels: \'corp\'']
    ),
    "forward zone with a bad label": (
        with_entry(forward_zone="a_.-b.c"),
        ['$["rg"].forward_zone: label \'-b\' is not allowed in a DNS name: \'a_.-b.c\''],
    ),
    "forward zone that is a reverse one": (
        with_entry(forward_zone="10.in-addr.arpa"),
        ['$["rg"].forward_zone: \'10.in-addr.arpa\' is a reverse zone; put it into reverse_zones'],
    ),
    "reverse zones as text": (
        with_entry(reverse_zones="x"), ['$["rg"].reverse_zones: a list is expected, this is a string']
    ),
    "reverse zones as an object": (
        with_entry(reverse_zones={}), ['$["rg"].reverse_zones: a list is expected, this is an object']
    ),
    "a reverse zone that is a number": (
        with_entry(reverse_zones=[10]), ['$["rg"].reverse_zones[0]: a string is expected, this is a number']
    ),
    "a reverse zone that is none": (
        with_entry(reverse_zones=["1.10.in-addr.arpa", "corp.internal"]),
        ['$["rg"].reverse_zones[1]: a reverse zone ends in .in-addr.arpa or .ip6.arpa: \'corp.internal\''],
    ),
    "a reverse zone twice": (
        with_entry(reverse_zones=["1.10.in-addr.arpa", "1.10.IN-ADDR.arpa."]),
        ['$["rg"].reverse_zones[1]: \'1.10.in-addr.arpa\' is listed twice'],
    ),
    "overlapping reverse zones": (
        with_entry(reverse_zones=["10.in-addr.arpa", "1.10.in-addr.arpa"]),
        [('$["rg"].reverse_zones[1]: \'1.10.in-addr.arpa\' overlaps \'10.in-addr.arpa\': a network linked to both asks '
         "only the longer one: keep the one that is linked, or set nested_reverse_zones to true if both are meant")],
    ),
    "a classless reverse zone": (
        with_entry(reverse_zones=["0-127.1.0.10.in-addr.arpa"]),
        [('$["rg"].reverse_zones[0]: \'0-127.1.0.10.in-addr.arpa\' is a classless zone (RFC 2317): private DNS zones '
         "cannot delegate to it, so PTR queries never reach it; use a zone cut at an octet, for example "
         "1.0.10.in-addr.arpa")],
    ),
    "zones group missing": (with_entry(zones_resource_group=...), ['$["rg"].zones_resource_group: is missing']),
    "zones group bad": (
        with_entry(zones_resource_group="a/b"),
        ['$["rg"].zones_resource_group: not the name of a resource group: \'a/b\''],
    ),
    "zones subscription bad": (
        with_entry(zones_subscription_id="a b"), ['$["rg"].zones_subscription_id: not a subscription id: \'a b\'']
    ),
    "TTL zero": (with_entry(ttl_seconds=0), ['$["rg"].ttl_seconds: 0 is not between 1 and 2147483647 seconds']),
    "TTL too large": (
        with_entry(ttl_seconds=2**31), ['$["rg"].ttl_seconds: 2147483648 is not between 1 and 2147483647 seconds']
    ),
    "TTL as text": (
        with_entry(ttl_seconds="60"), ['$["rg"].ttl_seconds: a whole number of seconds is expected, this is a string']
    ),
    "TTL with a fraction": (
        with_entry(ttl_seconds=1.5), ['$["rg"].ttl_seconds: a whole number of seconds is expected, this is a number']
    ),
    "TTL true": (
        with_entry(ttl_seconds=True),
        ['$["rg"].ttl_seconds: a whole number of seconds is expected, this is true or false'],
    ),
    "ownership unknown": (
        with_entry(ownership="mine"), ['$["rg"].ownership: \'mine\' is not one of adopt, strict']
    ),
    "on_stop unknown": (with_entry(on_stop="x"), ['$["rg"].on_stop: \'x\' is not one of remove, keep']),
    "nested as text": (
        with_entry(nested_reverse_zones="yes"),
        ['$["rg"].nested_reverse_zones: true or false is expected, this is a string'],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), BAD.values(), ids=BAD)
def test_a_map_that_cannot_be_used_says_where_and_why(text, expected):
    assert reasons(text) == expected


def test_all_reasons_of_all_entries_are_given_at_once():
    found = reasons(json.dumps({"a": {}, "b": {**ENTRY, "ttl_seconds": 0, "on_stop": 1}, "c": []}))
    assert found == [
        '$["a"].forward_zone: is missing',
        '$["a"].zones_resource_group: is missing',
        '$["b"].ttl_seconds: 0 is not between 1 and 2147483647 seconds',
        '$["b"].on_stop: a string is expected, this is a number',
        '$["c"]: an object is expected, this is a list',
    ]


def test_nested_reverse_zones_are_taken_when_they_are_meant():
    text = with_entry(reverse_zones=["10.in-addr.arpa", "1.10.in-addr.arpa"], nested_reverse_zones=True)
    assert len(ZoneMap.parse(text).entries[0].reverse_zones) == 2


def test_a_forward_zone_that_only_ends_like_a_reverse_one_is_taken():
    assert ZoneMap.parse(with_entry(forward_zone="corp.my-ip6.arpa")).entries[0].forward_zone == "corp.my-ip6.arpa"


def test_zones_of_the_two_ip_versions_do_not_overlap():
    assert ZoneMap.parse(with_entry(reverse_zones=["1.10.in-addr.arpa", "0.d.f.ip6.arpa"]))


def test_an_entry_without_reverse_zones_is_taken():
    assert ZoneMap.parse(with_entry(reverse_zones=...)).entries[0].reverse_zones == ()


@given(
    st.dictionaries(
        st.sampled_from(["rg-one", "rg-two", f"{SUBSCRIPTION}/rg-one", f"{OTHER}/rg-two"]),
        st.fixed_dictionaries(
            {
                "forward_zone": st.text("az", min_size=1, max_size=4).map("{}.internal".format),
                "reverse_zones": st.lists(
                    st.integers(0, 255).map("{}.10.in-addr.arpa".format), unique=True, max_size=3
                ),
                "zones_resource_group": st.just("rg-dns"),
            },
            optional={
                "ttl_seconds": st.integers(1, 2**31 - 1),
                "ownership": st.sampled_from(["adopt", "strict"]),
                "on_stop": st.sampled_from(["remove", "keep"]),
                "zones_subscription_id": st.just(OTHER),
            },
        ),
        min_size=1,
        max_size=4,
    )
)
def test_the_effective_map_reads_back_as_itself(raw):
    parsed = ZoneMap.parse(json.dumps(raw))
    assert ZoneMap.parse(json.dumps(parsed.to_json())) == parsed


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["rg", "forward_zone", "reverse_zones", "ttl_seconds"]), inner, max_size=4)
    ),
)


@given(JSON)
def test_any_json_is_a_map_or_a_configuration_error(value):
    with pytest.raises(ConfigurationError):
        ZoneMap.parse(json.dumps(value))
