import gzip
import json
import time
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
import requests
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.identity import ManagedIdentityCredential
from azure.monitor.ingestion import LogsIngestionClient

from core import events
from local_azure.faults import Fault, FaultRule
from local_azure.server import LocalAzure
from local_azure.tokens import issue

STREAM = events.STREAM


@pytest.fixture
def azure(logs_azure: LocalAzure) -> LocalAzure:
    return logs_azure


@pytest.fixture
def client(azure):
    """Give the real client, with the real managed identity credential, without retries."""
    with (
        ManagedIdentityCredential() as credential,
        LogsIngestionClient(azure.ingestion, credential, retry_total=0) as client,
    ):
        yield client


@pytest.fixture
def post(azure):
    """Give `post(body, **changes)`: one raw upload."""
    with requests.Session() as session:
        session.verify = str(azure.ca)

        def post(body, rule=azure.world.settings.dcr_immutable_id, stream=STREAM, version="2023-01-01", **headers):
            url = f"{azure.ingestion}/dataCollectionRules/{rule}/streams/{stream}"
            sent = {"Authorization": "Bearer local", "Content-Type": "application/json"}
            sent |= {name.replace("_", "-"): value for name, value in headers.items()}
            named = {name: value for name, value in sent.items() if value is not None}
            parameters = {"api-version": version} if version else {}
            return session.post(url, params=parameters, data=body, headers=named, timeout=10)

        yield post


def rows(azure, kql="AciDnsEvents_CL | sort by EventId asc"):
    return list(azure.world.logs.engine.query(kql))


def upload(azure, client, *logs, **options):
    client.upload(azure.world.settings.dcr_immutable_id, STREAM, list(logs), **options)


def fail(azure, kind, **rule):
    fault = {
        name: rule.pop(name)
        for name in ("status", "code", "message", "retry_after", "delay_seconds", "callback")
        if name in rule
    }
    azure.call(lambda: azure.world.faults.add(FaultRule(Fault(kind, **fault), "ingestion", **rule)))


def error(response):
    return response.status_code, response.json()["error"]["code"]


def test_an_event_uploaded_by_the_sdk_is_a_row(azure, client):
    event = events.Event(
        events.Component.TRACKER,
        events.EventType.DRIFT_DETECTED,
        datetime.now(UTC),
        "attempt",
        {"OldIp": "10.0.0.4", "NewIp": "10.0.0.5", "DriftKinds": ["a_mismatch"], "ArmCalls": 3, "Details": {"é": None}},
    )
    sent = event.to_row()
    upload(azure, client, sent)
    (row,) = rows(azure)
    times = {"TimeGenerated", "EventTime"}
    assert {name: row[name] for name in sent if name not in times} == {n: v for n, v in sent.items() if n not in times}
    assert row["EventTime"].isoformat(timespec="milliseconds").replace("+00:00", "Z") == sent["EventTime"]
    assert row["ReverseZone"] == "", "an absent string is empty, for Kusto has no null string"
    assert row["LagMs"] is None


def test_an_upload_that_the_sdk_splits_is_stored_whole(azure, client):
    upload(azure, client, *({"EventId": f"{n:05}", "ErrorMessage": "x" * 10_000} for n in range(300)))
    assert rows(azure, "AciDnsEvents_CL | summarize count(), dcount(EventId)") == [
        {"count_": 300, "dcount_EventId": 300}
    ]


def test_a_part_that_the_sdk_made_too_large_is_refused(azure, client):
    """azure-monitor-ingestion 1.1.0 does not count the separators between rows: our own splitting must."""
    with pytest.raises(HttpResponseError) as caught:
        upload(azure, client, *({"EventId": f"{n:06}"} for n in range(60_000)))
    assert caught.value.status_code == 413


def test_a_stream_of_bytes_is_taken_plain_and_gzipped(azure, client):
    plain = json.dumps([{"EventId": "plain"}]).encode()
    zipped = gzip.compress(json.dumps([{"EventId": "zipped"}]).encode())
    for body in (plain, zipped):
        client.upload(azure.world.settings.dcr_immutable_id, STREAM, BytesIO(body))
    assert [row["EventId"] for row in rows(azure)] == ["plain", "zipped"]


def test_an_accepted_upload_has_the_recorded_status_and_headers(post):
    response = post("[]", x_ms_client_request_id="abc")
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["x-ms-client-request-id"] == "abc"
    assert response.headers["x-ms-request-id"]


LOST = {
    "an object": b'{"EventId": "a"}',
    "a string": b'"a"',
    "null": b"null",
    "an array without objects": b'[1, "a", null, [{"EventId": "a"}]]',
}


@pytest.mark.parametrize("case", LOST)
def test_json_that_is_no_array_of_objects_is_accepted_and_lost(azure, post, case):
    assert post(LOST[case]).status_code == 204
    assert rows(azure) == []


def test_what_is_gzipped_twice_is_accepted_and_lost(azure, post):
    body = gzip.compress(gzip.compress(b'[{"EventId": "a"}]'))
    assert post(body, Content_Encoding="gzip").status_code == 204
    assert rows(azure) == []


def test_rows_around_a_bad_one_are_stored(azure, post):
    body = json.dumps([{"EventId": "a"}, 5, {"EventId": "b", "ArmCalls": "many", "Other": 1}, {"EventId": "\ud800c"}])
    assert post(body).status_code == 204
    assert [(row["EventId"], row["ArmCalls"]) for row in rows(azure)] == [("?c", None), ("a", None), ("b", None)]


def test_old_rows_are_dated_when_they_were_received_and_keep_their_event_time(azure, client):
    old = "2020-01-01T00:00:00.000Z"
    upload(azure, client, {"EventId": "a", "TimeGenerated": old, "EventTime": old})
    (row,) = rows(azure)
    assert abs(row["TimeGenerated"] - datetime.now(UTC)) < timedelta(seconds=30)
    assert row["TimeGenerated"] == row["_TimeReceived"]
    assert row["EventTime"] == datetime(2020, 1, 1, tzinfo=UTC)


MEGABYTE = 1024 * 1024


def _of_size(size):
    text = b'[{"EventId":""}]'
    return text[:-3] + b"x" * (size - len(text)) + text[-3:]


def test_the_limit_of_a_call_is_one_megabyte_to_the_byte(azure, post):
    assert post(_of_size(MEGABYTE)).status_code == 204
    refused = post(_of_size(MEGABYTE + 1))
    assert error(refused) == (413, "ContentLengthLimitExceeded")
    assert "1048576 bytes (1 MB). Provided content length: 1048577 bytes" in refused.json()["error"]["message"]
    assert refused.headers["x-ms-error-code"] == "ContentLengthLimitExceeded"
    assert [len(row["EventId"]) for row in rows(azure)] == [64 * 1024]


@pytest.mark.parametrize(("size", "status"), [(MEGABYTE, 204), (MEGABYTE + 1, 413), (300 * MEGABYTE, 413)])
def test_the_limit_holds_for_what_is_unpacked_too(post, size, status):
    assert post(gzip.compress(_of_size(size), 1), Content_Encoding="gzip").status_code == status


REFUSED = {
    "no token": ({"Authorization": None}, 401, "AuthenticationTokenInvalid"),
    "another scheme": ({"Authorization": "Basic abc"}, 401, "AuthenticationTokenInvalid"),
    "an unknown rule": ({"rule": "dcr-1"}, 404, "NotFound"),
    "an unknown stream": ({"stream": "Custom-Other"}, 404, "InvalidStream"),
    "no api-version": ({"version": None}, 400, "MissingApiVersion"),
    "an unknown api-version": ({"version": "2018-01-01"}, 400, "MissingApiVersion"),
    "no JSON": ({"body": b"[{]"}, 400, "InvalidRequestContent"),
    "no body": ({"body": b""}, 400, "InvalidRequestContent"),
    "NaN": ({"body": b'[{"ArmCalls": NaN}]'}, 400, "InvalidRequestContent"),
    "deep nesting": ({"body": b"[" * 100_000}, 400, "InvalidRequestContent"),
    "no UTF-8": ({"body": b'["\xff\xfe"]'}, 400, "InvalidRequestContent"),
    "no gzip": ({"Content_Encoding": "gzip"}, 400, "InvalidRequestContent"),
    "half a gzip": (
        {"Content_Encoding": "gzip", "body": gzip.compress(b"[]" * 99)[:20]},
        400,
        "InvalidRequestContent",
    ),
    "a gzip without its checksum": (
        {"Content_Encoding": "gzip", "body": gzip.compress(b"[]")[:-8]},
        400,
        "InvalidRequestContent",
    ),
    "another encoding": ({"Content_Encoding": "br"}, 415, "UnsupportedContentEncoding"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_upload_that_cannot_be_is_refused_with_its_code(azure, post, case):
    changes, status, code = REFUSED[case]
    response = post(**{"body": b'[{"EventId": "a"}]', **changes})
    assert error(response) == (status, code)
    assert response.headers["x-ms-error-code"] == code
    assert rows(azure) == []


@pytest.mark.parametrize(
    ("audience", "status"),
    [
        ("https://monitor.azure.com", 204),
        ("https://monitor.azure.com/", 204),
        ("https://management.azure.com", 401),
        ("https://api.loganalytics.io", 401),
    ],
)
def test_the_token_must_be_for_azure_monitor(post, audience, status):
    token = issue(tenant="t", audience=audience, client_id="c", subscription="s")
    assert post("[]", Authorization=f"Bearer {token}").status_code == status


def test_without_the_role_on_the_rule_it_is_forbidden(azure, client):
    asked = []

    def deny(principal, action, scope):
        asked.append((action, scope))
        return False

    azure.world.authorize = deny
    with pytest.raises(HttpResponseError, match="does not have access to ingest data") as caught:
        upload(azure, client, {"EventId": "a"})
    assert caught.value.status_code == 403
    rule = azure.world.settings.dcr_immutable_id
    assert asked == [("Microsoft.Insights/Telemetry/Write", f"/dataCollectionRules/{rule}")]


def test_a_token_for_another_audience_is_an_authentication_error_of_the_sdk(azure):
    with (
        ManagedIdentityCredential() as credential,
        LogsIngestionClient(
            azure.ingestion, credential, credential_scopes=["https://management.azure.com/.default"]
        ) as client,
        pytest.raises(ClientAuthenticationError, match="not valid here"),
    ):
        upload(azure, client, {"EventId": "a"})


@pytest.mark.parametrize(
    ("status", "code"), [(403, "OperationFailed"), (413, "ContentLengthLimitExceeded"), (503, "ServiceUnavailable")]
)
def test_a_fault_answers_with_azures_error(azure, client, status, code):
    fail(azure, "error", status=status, times=1)
    with pytest.raises(HttpResponseError) as caught:
        upload(azure, client, {"EventId": "a"})
    assert caught.value.status_code == status
    assert caught.value.response.headers["x-ms-error-code"] == code
    upload(azure, client, {"EventId": "b"})
    assert [row["EventId"] for row in rows(azure)] == ["b"]


def test_a_throttled_upload_is_retried_after_the_time_that_azure_asks_for(azure):
    fail(azure, "throttle", status=429, retry_after=0, times=2)
    with ManagedIdentityCredential() as credential, LogsIngestionClient(azure.ingestion, credential) as client:
        upload(azure, client, {"EventId": "a"})
    assert [row.status for row in azure.world.requests if row.operation == "ingestion"] == [429, 429, 204]
    assert len(rows(azure)) == 1


def test_a_failed_part_is_handed_to_the_caller_and_the_others_arrive(azure, client):
    fail(azure, "error", status=403, skip=1, times=1)
    failed = []
    logs = [{"EventId": f"{n:05}", "ErrorMessage": "x" * 10_000} for n in range(300)]
    upload(azure, client, *logs, on_error=failed.append)
    assert len(failed) == 1
    assert len(rows(azure)) == 300 - len(failed[0].failed_logs)


def test_dropped_rows_are_accepted_and_never_stored(azure, client):
    fail(azure, "drop", times=1)
    upload(azure, client, {"EventId": "dropped"})
    upload(azure, client, {"EventId": "stored"})
    assert [row["EventId"] for row in rows(azure)] == ["stored"]
    assert azure.world.logs.counts == {"uploads": 2, "uploads_lost": 1, "rows_stored": 1, "rows_dropped": 0}


@pytest.mark.parametrize(("kind", "stored"), [("reset", 0), ("lost_response", 1)])
def test_a_reset_before_and_after_the_rows_are_stored(azure, client, kind, stored):
    fail(azure, kind, times=1)
    with pytest.raises((ServiceRequestError, ServiceResponseError)):
        upload(azure, client, {"EventId": "a"})
    assert len(rows(azure)) == stored


def test_rows_become_visible_after_the_latency_in_azures_time(azure, client, post):
    control = f"{azure.ingestion}/_local/logs"
    azure.world.settings.time_scale = 0.001
    answer = requests.patch(control, json={"ingestion_latency_seconds": 300}, verify=str(azure.ca), timeout=10)
    assert answer.status_code == 200
    upload(azure, client, {"EventId": "a"})
    assert rows(azure) == []
    deadline = time.monotonic() + 5
    while not rows(azure) and time.monotonic() < deadline:
        time.sleep(0.02)
    (row,) = rows(azure)
    assert datetime.now(UTC) - row["_TimeReceived"] >= timedelta(seconds=0.3)
    seen = requests.get(control, verify=str(azure.ca), timeout=10).json()
    assert seen == {
        "uploads": 1,
        "uploads_lost": 0,
        "rows_stored": 1,
        "rows_dropped": 0,
        "ingestion_latency_seconds": 300,
    }


@pytest.mark.parametrize("body", ["x", "[]", "{}", '{"ingestion_latency_seconds": -1}', '{"other": 1}'])
def test_a_setting_that_cannot_be_is_refused(azure, body):
    answer = requests.patch(f"{azure.ingestion}/_local/logs", data=body, verify=str(azure.ca), timeout=10)
    assert error(answer) == (400, "InvalidControlRequest")


def test_log_lines_of_the_application_are_events_when_they_carry_the_marker(azure):
    stamp = datetime.now(UTC).isoformat()
    fact = json.dumps({"EventId": "a", "TimeGenerated": stamp, "EventType": "canary"})
    lines = [{"Message": events.FALLBACK_MARKER + fact, "SeverityLevel": 3}, {"Message": "hello"}]
    url = f"{azure.ingestion}/_local/logs/traces"
    assert requests.post(url, json=lines, verify=str(azure.ca), timeout=10).json() == {"stored": 2}
    assert [row["EventType"] for row in rows(azure, "AciDnsEvents()")] == ["canary"]
    refused = requests.post(url, json=[{"Text": "x"}], verify=str(azure.ca), timeout=10)
    assert error(refused) == (400, "InvalidControlRequest")


def test_a_reset_of_the_world_forgets_every_row(azure, client):
    upload(azure, client, {"EventId": "a"})
    azure.call(azure.world.reset)
    assert rows(azure) == []


def test_rows_outlive_a_restart_when_there_is_a_data_directory(tmp_path):
    for expected in (1, 2):
        with LocalAzure.start(data=tmp_path, parts=("local_azure.logs",)) as azure:
            url = f"{azure.ingestion}/dataCollectionRules/{azure.world.settings.dcr_immutable_id}/streams/{STREAM}"
            sent = {"Authorization": "Bearer local"}
            answer = requests.post(
                f"{url}?api-version=2023-01-01", json=[{}], headers=sent, verify=str(azure.ca), timeout=10
            )
            assert answer.status_code == 204
            assert len(rows(azure)) == expected


def test_throttling_holds_the_documented_number_of_requests_a_minute(azure, post, monkeypatch):
    monkeypatch.setattr("local_azure.logs.ingestion.REQUESTS_PER_MINUTE", 2)
    with LocalAzure.start(parts=("local_azure.logs",), throttling=True) as throttled:
        url = (
            f"{throttled.ingestion}/dataCollectionRules/{throttled.world.settings.dcr_immutable_id}/streams/{STREAM}"
            "?api-version=2023-01-01"
        )
        sent = {"Authorization": "Bearer local"}
        answers = [requests.post(url, json=[{}], headers=sent, verify=str(throttled.ca), timeout=10) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [204, 204, 429]
    assert 0 < int(answers[2].headers["Retry-After"]) <= 60
