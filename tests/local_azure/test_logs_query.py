import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.identity import ManagedIdentityCredential
from azure.monitor.query import LogsBatchQuery, LogsQueryClient, LogsQueryStatus

from cloud.logs_query import QueryRejectedError, WorkspaceQuery
from local_azure.faults import Fault, FaultRule
from local_azure.logs import wire
from local_azure.logs.store import STREAMS
from local_azure.server import LocalAzure
from local_azure.tokens import issue

PAIRS = Path(__file__).resolve().parents[3] / "shared" / "recordings" / "quoted_pairs.json"
RECORDED = ("logs_query_types", "logs_query_partial", "logs_query_syntax_error", "logs_query_batch_item_unknown_table")


@pytest.fixture
def azure(logs_azure: LocalAzure) -> LocalAzure:
    return logs_azure


@pytest.fixture
def client(azure):
    """Give the real client, with the real managed identity credential, without retries."""
    with (
        ManagedIdentityCredential() as credential,
        LogsQueryClient(credential, endpoint=f"{azure.query}/v1", retry_total=0) as client,
    ):
        yield client


@pytest.fixture
def workspace(azure):
    return azure.world.settings.workspace_id


@pytest.fixture
def ask(azure, workspace):
    """Give `ask(body, **headers)`: one raw query."""
    with requests.Session() as session:
        session.verify = str(azure.ca)

        def ask(body, path=f"workspaces/{workspace}/query", method="POST", **headers):
            sent = {"Authorization": "Bearer local", **headers}
            named = {name: value for name, value in sent.items() if value is not None}
            data = body if isinstance(body, bytes) or body is None else json.dumps(body)
            return session.request(method, f"{azure.query}/v1/{path}", data=data, headers=named, timeout=10)

        yield ask


def put(azure, *rows, received=None):
    (stream,) = STREAMS.values()
    azure.world.logs.upload(stream, rows, received=received)


def fail(azure, kind, times=1, **fault):
    azure.call(lambda: azure.world.faults.add(FaultRule(Fault(kind, **fault), "query", times=times)))


def inner(body):
    """Give the errors from the outside in, as (code, message)."""
    error, found = body["error"], []
    while error:
        found.append((error["code"], error["message"]))
        error = error.get("innererror")
    return found


@pytest.fixture(scope="module")
def recorded():
    if not PAIRS.exists():
        pytest.skip("the recordings are not here")
    pairs = json.loads(PAIRS.read_text())
    return {name: pairs[name]["response"] for name in RECORDED}


def test_every_type_is_on_the_wire_as_recorded(ask, recorded):
    answer = ask(
        {
            "query": "print DateTime=datetime(2015-12-31T23:59:59.9), Bool=false, Guid=guid(74be27de-1e4e-49d9-b579-"
            "fe0b331d3642), Int=int(12345), Long=long(1234567890123), Double=real(12345.6789), String='string value', "
            "Timespan=10s, NullBool=bool(null)",
            "timespan": None,
            "workspaces": None,
        }
    )
    expected = recorded["logs_query_types"]
    drop = [column["name"] for column in expected["body"]["tables"][0]["columns"]].index("Decimal")  # not in DuckDB-KQL
    for part in (expected["body"]["tables"][0]["columns"], expected["body"]["tables"][0]["rows"][0]):
        del part[drop]
    assert (answer.status_code, answer.json()) == (200, expected["body"])
    assert answer.headers["Content-Type"] == expected["headers"]["Content-Type"]
    assert answer.headers["Access-Control-Expose-Headers"] == expected["headers"]["Access-Control-Expose-Headers"]


def test_a_result_that_is_cut_is_the_recorded_partial_answer(ask, recorded):
    query = "set truncationmaxrecords=1; datatable (s: string) ['a', 'b']"
    answer = ask({"query": query, "timespan": "2021-06-14T00:00:00.0000000Z/P7D"})
    assert (answer.status_code, answer.json()) == (200, recorded["logs_query_partial"]["body"])


def test_a_query_that_does_not_parse_is_the_recorded_error_with_the_place(ask, recorded):
    answer = ask({"query": "this won't work", "timespan": "2021-04-26T00:00:00.0000000Z/P7D"})
    expected = recorded["logs_query_syntax_error"]["body"]
    assert answer.status_code == 400
    (code, message), (inner_code, inner_message) = inner(answer.json())
    assert [(code, message), inner_code] == [*inner(expected)[:1], inner(expected)[1][0]]
    assert inner_message.startswith(inner(expected)[1][1].split("[")[0])
    assert inner_message.endswith("[line:position=1:8]")


def test_an_unknown_table_in_a_batch_is_the_recorded_error(ask, workspace, recorded):
    item = {"id": "1", "body": {"query": "Heartbeats"}, "workspace": workspace, "path": "/query", "method": "POST"}
    (answer,) = ask({"requests": [item]}, path="$batch").json()["responses"]
    expected = recorded["logs_query_batch_item_unknown_table"]
    assert (answer["id"], answer["status"]) == (expected["id"], expected["status"])
    assert inner(answer["body"]) == inner(expected["body"])


ERRORS = [
    (
        "AciDnsEvents_CL | where Nope == 1",
        ["BadArgumentError", "SemanticError", "SEM0100"],
        "'where' operator: Failed to resolve column or scalar expression named 'Nope'",
    ),
    (
        "AciDnsEvents_CL\n| wher x",
        ["BadArgumentError", "SyntaxError", "SYN0002"],
        "Query could not be parsed at '|' on line [2,0]",
    ),
    (
        "AciDnsEvents_CL | evaluate bag_unpack(Details)",
        ["BadArgumentError", "LocalEngineUnsupported", "LocalEngineUnsupported"],
        "the local engine does not run EvaluateOperator",
    ),
]


@pytest.mark.parametrize(("query", "codes", "says"), ERRORS)
def test_a_query_at_fault_is_a_400_that_says_what_and_where(ask, query, codes, says):
    answer = ask({"query": query})
    found = inner(answer.json())
    assert answer.status_code == 400
    assert [code for code, _ in found] == codes
    assert found[0][1] == "The request had some invalid properties"
    assert found[-1][1].startswith(says)
    assert answer.json()["error"]["correlationId"]


def test_a_limit_of_the_local_engine_is_called_by_its_name(ask):
    (_, (_, message), _) = inner(ask({"query": "AciDnsEvents_CL | serialize"}).json())
    assert (
        message == "The local Azure cannot run this query; a real workspace may. This is a limit of the local engine."
    )


def test_the_sdk_reads_typed_rows(azure, client, workspace):
    now = datetime.now(UTC)
    put(azure, {"EventId": "a", "TimeGenerated": now.isoformat(), "ArmCalls": 3, "Details": {"é": [1, None]}})
    result = client.query_workspace(
        workspace, "AciDnsEvents() | project TimeGenerated, ArmCalls, Details, Changes, Fqdn, 90s", timespan=None
    )
    (table,) = result.tables
    assert result.status == LogsQueryStatus.SUCCESS
    assert table.name == "PrimaryResult"
    assert table.columns_types == ["datetime", "int", "dynamic", "dynamic", "string", "timespan"]
    assert list(table.rows[0]) == [now, 3, '{"é":[1,null]}', None, "", "00:01:30"]


def test_the_products_own_client_reads_the_same_values(azure, workspace):
    now = datetime.now(UTC)
    put(azure, {"EventId": "a", "TimeGenerated": now.isoformat(), "Details": {"a": 1}})
    with ManagedIdentityCredential() as credential:
        query = WorkspaceQuery(credential, azure.query, workspace)
        answer = query.query("AciDnsEvents() | project TimeGenerated, Details", timespan=timedelta(hours=1))
        assert answer.rows == ((now, {"a": 1}),)
        with pytest.raises(QueryRejectedError) as caught:
            query.query("AciDnsEvents() |\n wher x")
        query.close()
    assert (caught.value.azure_code, caught.value.line, caught.value.column) == ("SYN0002", 1, 15)


@pytest.mark.parametrize(
    ("timespan", "expected"),
    [
        (None, ["now", "2h", "1d"]),
        (timedelta(hours=3), ["now", "2h"]),
        ((timedelta(days=-1, hours=-1), timedelta(hours=23)), ["2h", "1d"]),
        ((timedelta(hours=-3), timedelta(hours=-1)), ["2h"]),
    ],
)
def test_the_sdks_time_spans_bound_the_rows(azure, client, workspace, timespan, expected):
    now = datetime.now(UTC)
    for name, age in (("now", timedelta()), ("2h", timedelta(hours=2)), ("1d", timedelta(days=1))):
        put(azure, {"EventId": name, "TimeGenerated": (now - age).isoformat()}, received=now)
    if isinstance(timespan, tuple):
        start, second = timespan
        timespan = (now + start, second if second > timedelta() else now + second)
    result = client.query_workspace(workspace, "AciDnsEvents() | sort by TimeGenerated desc", timespan=timespan)
    assert [row["EventId"] for row in result.tables[0].rows] == expected


def test_statistics_and_render_are_given_when_they_are_asked_for(client, workspace):
    query = 'print x = 1, t = now() | render timechart with (title="A \\"chart\\"", xcolumn=t)'
    asked = client.query_workspace(
        workspace, query, timespan=None, include_statistics=True, include_visualization=True, server_timeout=60
    )
    plain = client.query_workspace(workspace, query, timespan=None)
    assert asked.statistics["query"]["executionTime"] > 0
    assert asked.visualization["visualization"] == "timechart"
    assert asked.visualization["xColumn"] == "t"
    assert (plain.statistics, plain.visualization) == (None, None)


def test_a_batch_is_answered_out_of_order_and_the_sdk_sorts_it(ask, client, workspace):
    queries = ["print n = 0", "Heartbeats", "set truncationmaxrecords=1; range n from 2 to 3 step 1"]
    items = [{"id": str(n), "body": {"query": text}, "workspace": workspace} for n, text in enumerate(queries)]
    raw = ask({"requests": items}, path="$batch").json()["responses"]
    assert [(item["id"], item["status"]) for item in raw] == [("1", 400), ("2", 200), ("0", 200)]
    results = client.query_batch([LogsBatchQuery(workspace, text, timespan=timedelta(days=1)) for text in queries])
    assert [r.status for r in results] == [LogsQueryStatus.SUCCESS, LogsQueryStatus.FAILURE, LogsQueryStatus.PARTIAL]
    assert results[0].tables[0].rows[0]["n"] == 0
    assert "'Heartbeats'" in results[1].message
    assert results[2].partial_data[0].rows[0]["n"] == 2


def test_a_batch_honours_each_items_preferences(client, workspace):
    queries = [LogsBatchQuery(workspace, "print 1", timespan=None, include_statistics=flag) for flag in (True, False)]
    with_statistics, without = client.query_batch(queries)
    assert with_statistics.statistics
    assert without.statistics is None


def test_the_sdk_raises_with_azures_code_for_a_query_at_fault(client, workspace):
    with pytest.raises(HttpResponseError) as caught:
        client.query_workspace(workspace, "Heartbeats", timespan=None)
    assert caught.value.status_code == 400
    assert "'Heartbeats'" in str(caught.value.model.message)


def test_a_partial_answer_brings_the_rows_that_there_are(azure, client, workspace):
    fail(azure, "partial", message="a node went away")
    result = client.query_workspace(workspace, "print n = 1", timespan=None)
    assert result.status == LogsQueryStatus.PARTIAL
    assert result.partial_data[0].rows[0]["n"] == 1
    assert result.partial_error.code == "PartialError"
    assert result.partial_error.details[0]["innererror"]["message"] == "a node went away"
    assert client.query_workspace(workspace, "print 1", timespan=None).status == LogsQueryStatus.SUCCESS


def test_a_throttled_query_is_retried_by_the_sdk(azure, workspace):
    fail(azure, "throttle", status=429, retry_after=0)
    with (
        ManagedIdentityCredential() as credential,
        LogsQueryClient(credential, endpoint=azure.query) as client,
    ):
        assert client.query_workspace(workspace, "print 1", timespan=None).status == LogsQueryStatus.SUCCESS
    assert [row.status for row in azure.world.requests if row.operation == "query"] == [429, 200]


@pytest.mark.parametrize(("status", "code"), [(429, "ThrottledError"), (500, "InternalServerError"), (503, None)])
def test_a_fault_answers_in_the_apis_envelope(azure, ask, status, code):
    fail(azure, "error", status=status, retry_after=3)
    answer = ask({"query": "print 1"})
    error = answer.json()["error"]
    assert (answer.status_code, answer.headers["Retry-After"]) == (status, "3")
    assert error["code"] == (code or "ServiceUnavailable")
    assert set(error) == {"code", "message", "correlationId"}


@pytest.mark.parametrize("kind", ["reset", "lost_response"])
def test_a_reset_is_no_answer(azure, client, workspace, kind):
    fail(azure, kind)
    with pytest.raises((ServiceRequestError, ServiceResponseError)):
        client.query_workspace(workspace, "print 1", timespan=None)


def test_a_query_that_takes_longer_than_the_caller_waits_is_a_gateway_timeout(ask):
    side = "range a from 1 to 200000 step 1 | extend k = 1"  # joined with itself: 40,000 million pairs
    slow = f"{side} | join kind=inner ({side}) on k | summarize sum(a * a1) by a % 7"
    answer = ask({"query": slow}, Prefer="wait=1")
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "GatewayTimeout")
    assert "1 s" in answer.json()["error"]["message"]


def test_a_query_by_get_is_answered_like_one_by_post(azure, ask, workspace):
    put(azure, {"EventId": "a"})
    path = f"workspaces/{workspace.upper()}/query?query=AciDnsEvents()%20%7C%20count&timespan=P1D"
    assert ask(None, path=path, method="GET").json() == ask({"query": "AciDnsEvents() | count"}).json()


REFUSED = {
    "no token": ({}, {"Authorization": None}, 401, "AuthenticationFailed"),
    "no JSON": (b"{", {}, 400, "BadArgumentError"),
    "no object": ([], {}, 400, "BadArgumentError"),
    "no query": ({}, {}, 400, "BadArgumentError"),
    "a query that is no text": ({"query": 5}, {}, 400, "BadArgumentError"),
    "a bad timespan": ({"query": "print 1", "timespan": "yesterday"}, {}, 400, "BadArgumentError"),
    "other workspaces": ({"query": "print 1", "workspaces": ["other"]}, {}, 400, "BadArgumentError"),
    "an unknown workspace": ({"query": "print 1"}, {"path": "workspaces/other/query"}, 404, "WorkspaceNotFoundError"),
    "a batch without requests": ({}, {"path": "$batch"}, 400, "BadArgumentError"),
    "a batch item without an id": ({"requests": [{}]}, {"path": "$batch"}, 400, "BadArgumentError"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_request_that_cannot_be_is_refused_with_its_code(ask, case):
    body, changes, status, code = REFUSED[case]
    answer = ask(body, **changes)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["correlationId"]


def test_the_token_must_be_for_the_query_api(ask):
    def status(audience):
        token = issue(tenant="t", audience=audience, client_id="c", subscription="s")
        return ask({"query": "print 1"}, Authorization=f"Bearer {token}").status_code

    assert [status(f"https://{name}") for name in ("api.loganalytics.io", "monitor.azure.com")] == [200, 403]


def test_without_read_access_it_is_forbidden(azure, client, workspace):
    azure.world.authorize = lambda *asked: not asked[1].endswith("query/read")
    with pytest.raises(HttpResponseError, match="insufficient access") as caught:
        client.query_workspace(workspace, "print 1", timespan=None)
    assert caught.value.status_code == 403


def test_ingestion_and_query_in_parallel_do_not_disturb_one_another(azure, ask, workspace):
    items = [
        {"id": str(n), "body": {"query": f"AciDnsEvents_CL | count | extend n = {n}"}, "workspace": workspace}
        for n in range(20)
    ]
    put(azure, *({"EventId": str(n)} for n in range(500)))
    answers = ask({"requests": items}, path="$batch").json()["responses"]
    assert sorted(answer["body"]["tables"][0]["rows"][0][1] for answer in answers) == list(range(20))
    assert {answer["body"]["tables"][0]["rows"][0][0] for answer in answers} == {500}


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("T | count", "table"),
        ("T | render piechart", "piechart"),
        ("T | render table | render BarChart with (kind=stacked)", "barchart"),
    ],
)
def test_render_tells_the_last_visualization(query, shown):
    assert wire.render(query)["visualization"] == shown


@pytest.mark.parametrize(
    ("literal", "type_", "value"),
    [
        ("real(nan)", "real", "NaN"),
        ("real(+inf)", "real", "Infinity"),
        ("-1d - 2h - 500ms", "timespan", "-1.02:00:00.5000000"),
        ("datetime(2026-03-01)", "datetime", "2026-03-01T00:00:00Z"),
        ("dynamic('a')", "dynamic", "a"),
        ("dynamic([1,{'b':null}])", "dynamic", '[1,{"b":null}]'),
        ("long(9007199254740993)", "long", 9007199254740993),
    ],
)
def test_odd_values_are_written_as_log_analytics_writes_them(ask, literal, type_, value):
    (table,) = ask({"query": f"print v = {literal}"}).json()["tables"]
    assert (table["columns"], table["rows"]) == ([{"name": "v", "type": type_}], [[value]])
