"""`drift config check`: the effective configuration, or every reason."""

import json

import pytest

GOOD = {
    "rg-one": {
        "forward_zone": "ACI.Corp.Internal.",
        "reverse_zones": ["1.10.in-addr.arpa"],
        "zones_resource_group": "rg-dns",
        "ownership": "strict",
    }
}
BAD = {
    "rg-one": {"forward_zone": "x", "reverse_zones": ["0/25.1.10.in-addr.arpa", 5], "ttl_seconds": 0, "typo": 1},
    "RG-ONE": [],
}
EXPECTED_PATHS = [
    'DNS_ZONE_MAP $["rg-one"].typo',
    'DNS_ZONE_MAP $["rg-one"].forward_zone',
    'DNS_ZONE_MAP $["rg-one"].reverse_zones[0]',
    'DNS_ZONE_MAP $["rg-one"].reverse_zones[1]',
    'DNS_ZONE_MAP $["rg-one"].zones_resource_group',
    'DNS_ZONE_MAP $["rg-one"].ttl_seconds',
    'DNS_ZONE_MAP $["RG-ONE"]',
    'DNS_ZONE_MAP $["RG-ONE"]',
]
"""The last one is there twice: configured already, and no object."""


def test_a_good_map_is_shown_with_its_defaults_filled_in(drift):
    done = drift("config", "check", "--json", DNS_ZONE_MAP=json.dumps(GOOD))
    shown = done.json()
    assert (done.code, shown["ok"], done.err) == (0, True, "")
    assert shown["zone_map"]["rg-one"] == {
        "forward_zone": "aci.corp.internal",
        "reverse_zones": ["1.10.in-addr.arpa"],
        "zones_resource_group": "rg-dns",
        "zones_subscription_id": None,
        "ttl_seconds": 60,
        "ownership": "strict",
        "on_stop": "remove",
    }
    assert shown["settings"]["arm_endpoint"] == "https://management.azure.com"


def test_a_good_map_is_a_table_for_a_person(drift):
    done = drift("config", "check", DNS_ZONE_MAP=json.dumps(GOOD))
    assert done.code == 0
    row = next(line for line in done.out.splitlines() if line.strip().startswith("rg-one"))
    assert row.split() == ["rg-one", "aci.corp.internal", "1.10.in-addr.arpa", "rg-dns", "60", "s", "strict", "remove"]


def test_every_reason_is_shown_with_its_path_to_a_person(drift):
    done = drift("config", "check", DNS_ZONE_MAP=json.dumps(BAD), ARM_ENDPOINT="ftp://nowhere")
    assert (done.code, done.out) == (78, "")
    assert [path for path in [*EXPECTED_PATHS, "ARM_ENDPOINT"] if f"{path}\n" not in done.err] == []
    assert "9 reasons" in done.err


def test_every_reason_is_shown_with_its_path_to_a_program(drift):
    done = drift("config", "check", "--json", DNS_ZONE_MAP=json.dumps(BAD))
    shown = done.json()
    assert (done.code, shown["ok"], shown["code"]) == (78, False, "bad_configuration")
    assert sorted(reason["path"] for reason in shown["reasons"]) == sorted(EXPECTED_PATHS)
    assert all(reason["message"] for reason in shown["reasons"])


@pytest.mark.parametrize(
    ("environment", "path"),
    [
        ({}, "DNS_ZONE_MAP"),
        ({"DNS_ZONE_MAP": "{"}, "DNS_ZONE_MAP $"),
        ({"DNS_ZONE_MAP": json.dumps(GOOD), "DNS_ZONE_MAP_FILE": "/x"}, "DNS_ZONE_MAP_FILE"),
        ({"DNS_ZONE_MAP": json.dumps(GOOD), "LOGS_INGESTION_ENDPOINT": "https://x.ingest"}, "LOGS_DCR_IMMUTABLE_ID"),
        ({"DNS_ZONE_MAP": json.dumps(GOOD), "RECONCILE_DEADLINE_SECONDS": "soon"}, "RECONCILE_DEADLINE_SECONDS"),
    ],
)
def test_what_is_wrong_with_a_setting_is_named(drift, environment, path):
    done = drift("config", "check", "--json", **environment)
    assert (done.code, [reason["path"] for reason in done.json()["reasons"]]) == (78, [path])


def test_a_file_is_checked_in_place_of_the_map_that_is_set(drift, tmp_path):
    file = tmp_path / "map.json"
    file.write_text(json.dumps({"rg-file": GOOD["rg-one"]}))
    done = drift("config", "check", "--json", "--file", str(file), DNS_ZONE_MAP="not even JSON")
    assert (done.code, list(done.json()["zone_map"])) == (0, ["rg-file"])


def test_a_file_that_cannot_be_read_is_a_reason(drift, tmp_path):
    done = drift("config", "check", "--file", str(tmp_path / "absent.json"))
    assert done.code == 78
    assert "cannot be read" in done.err


@pytest.mark.parametrize(
    ("environment", "identity"),
    [
        ({}, "your own sign-in (DefaultAzureCredential)"),
        ({"IDENTITY_ENDPOINT": "http://x"}, "the system-assigned managed identity"),
        ({"IDENTITY_ENDPOINT": "http://x", "AZURE_CLIENT_ID": "abc"}, "managed identity abc"),
    ],
)
def test_it_says_as_whom_commands_would_act(drift, environment, identity):
    done = drift("config", "check", "--json", DNS_ZONE_MAP=json.dumps(GOOD), **environment)
    assert done.json()["settings"]["identity"] == identity
