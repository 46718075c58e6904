import json

import pytest

from core.errors import ConfigurationError, InputError
from core.probe_settings import Emit, ProbeSettings, ResolverAddress, TargetSource
from core.settings import Settings

ENTRY = {"forward_zone": "aci.corp.internal", "reverse_zones": ["1.10.in-addr.arpa"], "zones_resource_group": "rg-dns"}
MAP = json.dumps({"rg-one": ENTRY})
VNET = "/subscriptions/sub-1/resourceGroups/rg-net/providers/Microsoft.Network/virtualNetworks/spoke"


def unread(path):
    raise AssertionError(path)


def read(read_file=unread, **environment):
    return Settings.from_env({"DNS_ZONE_MAP": MAP, **environment}, read_file).probe


def reasons(read_file=unread, **environment):
    with pytest.raises(ConfigurationError) as caught:
        read(read_file, **environment)
    return [str(reason) for reason in caught.value.reasons]


def test_without_settings_the_live_groups_are_probed_through_the_systems_resolver():
    assert read() == ProbeSettings()
    assert (ProbeSettings().source, ProbeSettings().resolvers, ProbeSettings().cross_check) == (
        TargetSource.LIVE,
        ("system",),
        True,
    )


def test_everything_that_is_given_is_taken():
    given = read(
        PROBE_SOURCE="DNS",
        PROBE_RESOLVERS="system, 10.0.0.4;10.0.0.5#5353 [fd00::1]#53 10.0.0.4",
        PROBE_VANTAGE=VNET,
        PROBE_SUBNET="aci",
        PROBE_VNETS=f"{VNET} {VNET}-2",
        PROBE_SUBSCRIPTION_ID="sub-1",
        PROBE_CROSS_CHECK="no",
        PROBE_EMIT="failures",
        PROBE_CONCURRENCY="50",
        PROBE_TIMEOUT_SECONDS="0.5",
        PROBE_ATTEMPTS="2",
        PROBE_DEADLINE_SECONDS="60",
        PROBE_CONFIRM_SECONDS="0",
    )
    assert given == ProbeSettings(
        source=TargetSource.DNS,
        resolvers=("system", "10.0.0.4", "10.0.0.5#5353", "fd00::1"),
        vantage=VNET,
        subnet="aci",
        vnets=(VNET, f"{VNET}-2"),
        subscription_id="sub-1",
        cross_check=False,
        emit=Emit.FAILURES,
        concurrency=50,
        timeout_seconds=0.5,
        attempts=2,
        deadline_seconds=60.0,
        confirm_seconds=0.0,
    )


def test_given_targets_are_the_source_and_need_no_reader():
    given = read(PROBE_TARGETS="web.aci.corp.internal 10.1.0.4")
    assert (given.source, given.cross_check, given.targets_source) == (TargetSource.GIVEN, False, "PROBE_TARGETS")


def test_targets_may_be_in_a_file():
    given = read({"/etc/targets": "web 10.1.0.4"}.__getitem__, PROBE_TARGETS_FILE="/etc/targets")
    assert (given.targets_text, given.targets_source) == ("web 10.1.0.4", "PROBE_TARGETS_FILE (/etc/targets)")


def test_a_probe_of_given_targets_needs_no_zone_map():
    settings = Settings.from_env({"PROBE_TARGETS": "x"}, unread, zone_map_needed=False)
    assert settings.zone_map.entries == ()


def missing(path):
    raise FileNotFoundError(2, "No such file or directory", path)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"PROBE_SOURCE": "aci"}, "PROBE_SOURCE: one of live, dns, given is expected, not 'aci'"),
        ({"PROBE_SOURCE": "given"},
         "PROBE_SOURCE: is 'given', but neither PROBE_TARGETS nor PROBE_TARGETS_FILE holds a target"),
        ({"PROBE_TARGETS": "x", "PROBE_TARGETS_FILE": "/f"},
         "PROBE_TARGETS_FILE: PROBE_TARGETS is set too; set one of the two"),
        ({"PROBE_TARGETS_FILE": "/f"}, "PROBE_TARGETS_FILE: cannot be read: [Errno 2] No such file or directory: '/f'"),
        ({"PROBE_RESOLVERS": "dns.google"},
         ("PROBE_RESOLVERS: not the address of a name server (address or address#port): 'dns.google'; "
          "'system' stands for the system's own")),
        ({"PROBE_RESOLVERS": "10.0.0.4#0"},
         "PROBE_RESOLVERS: a port is between 1 and 65535: '10.0.0.4#0'; 'system' stands for the system's own"),
        ({"PROBE_VANTAGE": "spoke"}, "PROBE_VANTAGE: not the id of a resource in a resource group: 'spoke'"),
        ({"PROBE_VANTAGE": VNET + "/subnets/aci"},
         ("PROBE_VANTAGE: the id of a virtual network is expected, not of Microsoft.Network/virtualNetworks/subnets: "
          f"'{VNET}/subnets/aci'")),
        ({"PROBE_VNETS": f"{VNET},x"}, "PROBE_VNETS: not the id of a resource in a resource group: 'x'"),
        ({"PROBE_SUBNET": "a b"}, "PROBE_SUBNET: the name or id of a subnet is expected, not 'a b'"),
        ({"PROBE_SUBSCRIPTION_ID": "a b"}, "PROBE_SUBSCRIPTION_ID: a subscription id is expected, not 'a b'"),
        ({"PROBE_CROSS_CHECK": "maybe"}, "PROBE_CROSS_CHECK: yes or no is expected, not 'maybe'"),
        ({"PROBE_EMIT": "some"}, "PROBE_EMIT: one of all, failures is expected, not 'some'"),
        ({"PROBE_CONCURRENCY": "0"}, "PROBE_CONCURRENCY: a number between 1 and 10000 is expected, not '0'"),
        ({"PROBE_CONCURRENCY": "1.5"}, "PROBE_CONCURRENCY: a whole number is expected, not 1.5"),
        ({"PROBE_TIMEOUT_SECONDS": "0"}, "PROBE_TIMEOUT_SECONDS: a number between 0.05 and 60 is expected, not '0'"),
        ({"PROBE_ATTEMPTS": "11"}, "PROBE_ATTEMPTS: a number between 1 and 10 is expected, not '11'"),
        ({"PROBE_DEADLINE_SECONDS": "nan"},
         "PROBE_DEADLINE_SECONDS: a number between 1 and 3600 is expected, not 'nan'"),
        ({"PROBE_CONFIRM_SECONDS": "-1"}, "PROBE_CONFIRM_SECONDS: a number between 0 and 300 is expected, not '-1'"),
    ],
)  # fmt: skip
def test_a_bad_setting_is_refused_with_its_name_and_reason(environment, expected):
    assert reasons(missing, **environment) == [expected]


def test_every_reason_is_given_at_once():
    found = reasons(PROBE_RESOLVERS="x y", PROBE_EMIT="x", ARM_ENDPOINT="x", PROBE_ATTEMPTS="x")
    assert sorted(reason.split(":")[0] for reason in found) == [
        "ARM_ENDPOINT", "PROBE_ATTEMPTS", "PROBE_EMIT", "PROBE_RESOLVERS", "PROBE_RESOLVERS",
    ]  # fmt: skip


def test_an_endless_list_of_targets_is_refused():
    assert reasons(PROBE_TARGETS="x" * 10_000_001) == [
        "PROBE_TARGETS: 10000001 characters; at most 10000000 are taken",
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("10.0.0.4", "10.0.0.4"),
        ("10.0.0.4#53", "10.0.0.4"),
        ("10.0.0.4#5353", "10.0.0.4#5353"),
        ("FD00:0::1", "fd00::1"),
        ("[fd00::1]#5353", "fd00::1#5353"),
        ("fe80::1%eth0", "fe80::1%eth0"),
    ],
)
def test_a_name_server_is_an_address_and_a_port(text, shown):
    assert str(ResolverAddress.parse(text)) == shown


@pytest.mark.parametrize(
    "text", ["", "a.b", "10.0.0", "10.0.0.4#", "10.0.0.4#x", "10.0.0.4:53", "10.0.0.4#65536", "[10.0.0.4"]
)
def test_anything_else_is_no_name_server(text):
    with pytest.raises(InputError):
        ResolverAddress.parse(text)
