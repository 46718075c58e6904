import json

import pytest

from core.errors import ConfigurationError
from core.settings import LogsSettings, Settings

ENTRY = {"forward_zone": "aci.corp.internal", "reverse_zones": ["1.10.in-addr.arpa"], "zones_resource_group": "rg-dns"}
MAP = json.dumps({"rg-one": ENTRY})


def unread(path):
    raise AssertionError(path)


def reasons(read_file=unread, **environment):
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_env(environment, read_file)
    assert all(str(reason) in str(caught.value) for reason in caught.value.reasons)
    return [str(reason) for reason in caught.value.reasons]


def test_a_zone_map_is_all_that_is_needed():
    settings = Settings.from_env({"DNS_ZONE_MAP": MAP}, unread)
    assert settings.arm_endpoint == "https://management.azure.com"
    assert (settings.logs, settings.client_id, settings.ca_bundle) == (LogsSettings(), None, None)
    assert (settings.reconcile_deadline_seconds, settings.worker_attempts) == (120.0, 5)
    assert [entry.resource_group for entry in settings.zone_map.entries] == ["rg-one"]


def test_everything_that_is_given_is_taken():
    settings = Settings.from_env(
        {
            "DNS_ZONE_MAP_FILE": "/etc/zones.json",
            "ARM_ENDPOINT": "https://127.0.0.1:8443/",
            "AZURE_CLIENT_ID": " 11111111-2222-3333-4444-555555555555 ",
            "REQUESTS_CA_BUNDLE": "/etc/ca.pem",
            "LOGS_INGESTION_ENDPOINT": "https://dce.ingest.monitor.azure.com",
            "LOGS_DCR_IMMUTABLE_ID": "dcr-00000000000000000000000000000000",
            "RECONCILE_DEADLINE_SECONDS": "2.5",
            "RECONCILE_ATTEMPTS": "3",
            "UNRELATED": "x",
        },
        {"/etc/zones.json": MAP}.__getitem__,
    )
    assert settings.arm_endpoint == "https://127.0.0.1:8443"
    assert settings.client_id == "11111111-2222-3333-4444-555555555555"
    assert settings.logs == LogsSettings("https://dce.ingest.monitor.azure.com", "dcr-00000000000000000000000000000000")
    assert (settings.ca_bundle, settings.reconcile_deadline_seconds, settings.worker_attempts) == (
        "/etc/ca.pem",
        2.5,
        3,
    )


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"DNS_ZONE_MAP": ""}, ["DNS_ZONE_MAP: is not set: no resource group is configured"]),
        ({"DNS_ZONE_MAP": "{"}, [("DNS_ZONE_MAP $: not JSON: Expecting property name enclosed in double quotes: "
                                 "line 1 column 2 (char 1)")]),
        ({"DNS_ZONE_MAP_FILE": "/f"}, ["DNS_ZONE_MAP_FILE: DNS_ZONE_MAP is set too; set one of the two"]),
        ({"ARM_ENDPOINT": "http://x"}, ["ARM_ENDPOINT: an https URL is expected, not 'http://x'"]),
        ({"ARM_ENDPOINT": "https://u:p@x"}, ["ARM_ENDPOINT: an https URL is expected, not 'https://u:p@x'"]),
        ({"ARM_ENDPOINT": "https://x?a=b"}, ["ARM_ENDPOINT: an https URL is expected, not 'https://x?a=b'"]),
        ({"AZURE_CLIENT_ID": "a b"}, ["AZURE_CLIENT_ID: the client id of a managed identity is expected, not 'a b'"]),
        ({"LOGS_INGESTION_ENDPOINT": "https://x"},
         ["LOGS_DCR_IMMUTABLE_ID: is not set, but its partner is; set both or none"]),
        ({"LOGS_DCR_IMMUTABLE_ID": "dcr-1"},
         ["LOGS_INGESTION_ENDPOINT: is not set, but its partner is; set both or none"]),
        ({"LOGS_INGESTION_ENDPOINT": "https://x", "LOGS_DCR_IMMUTABLE_ID": "d/e"},
         ["LOGS_DCR_IMMUTABLE_ID: the immutable id of a data collection rule is expected, not 'd/e'"]),
        ({"RECONCILE_DEADLINE_SECONDS": "0"},
         ["RECONCILE_DEADLINE_SECONDS: a number between 1 and 540 is expected, not '0'"]),
        ({"RECONCILE_DEADLINE_SECONDS": "nan"},
         ["RECONCILE_DEADLINE_SECONDS: a number between 1 and 540 is expected, not 'nan'"]),
        ({"RECONCILE_DEADLINE_SECONDS": "soon"},
         ["RECONCILE_DEADLINE_SECONDS: a number between 1 and 540 is expected, not 'soon'"]),
        ({"RECONCILE_ATTEMPTS": "21"}, ["RECONCILE_ATTEMPTS: a number between 1 and 20 is expected, not '21'"]),
        ({"RECONCILE_ATTEMPTS": "2.5"}, ["RECONCILE_ATTEMPTS: a whole number is expected, not 2.5"]),
    ],
)  # fmt: skip
def test_a_bad_setting_is_refused_with_its_name_and_reason(environment, expected):
    assert reasons(**{"DNS_ZONE_MAP": MAP, **environment}) == expected


def test_every_reason_is_given_at_once():
    found = reasons(DNS_ZONE_MAP='{"rg": 1}', ARM_ENDPOINT="x", RECONCILE_ATTEMPTS="x")
    assert [reason.split(":")[0] for reason in found] == ['DNS_ZONE_MAP $["rg"]', "ARM_ENDPOINT", "RECONCILE_ATTEMPTS"]


def test_a_map_file_that_cannot_be_read_is_named():
    def missing(path):
        raise FileNotFoundError(2, "No such file or directory", path)

    assert reasons(missing, DNS_ZONE_MAP_FILE="/f") == [
        "DNS_ZONE_MAP_FILE: cannot be read: [Errno 2] No such file or directory: '/f'"
    ]


def test_a_bad_map_file_is_named_in_its_reasons():
    assert reasons(lambda _: "[]", DNS_ZONE_MAP_FILE="/f") == [
        "DNS_ZONE_MAP_FILE (/f) $: an object is expected (resource group → zones), this is a list"
    ]
