"""Answers of a workspace, as recorded, become typed rows or an error that says where."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import isnan

import pytest

from cloud.credentials import FixedTokenCredential
from cloud.logs_query import QueryRejectedError, WorkspaceQuery, typed
from core.errors import CloudError, ForbiddenError, ThrottledError


def workspace(scripted):
    return WorkspaceQuery(FixedTokenCredential("t", 4102444800), scripted.url + "/v1", "ws-1", ca_bundle=scripted.ca)


def table(columns, *rows):
    return {
        "tables": [{"name": "PrimaryResult", "columns": [{"name": n, "type": t} for n, t in columns], "rows": rows}]
    }


def test_rows_come_back_typed_with_the_columns_of_log_analytics(scripted):
    columns = [("T", "datetime"), ("S", "string"), ("N", "long"), ("D", "dynamic"), ("P", "timespan"), ("G", "guid"),
               ("B", "bool"), ("R", "real"), ("X", "decimal")]  # fmt: skip
    row = ["2026-01-02T03:04:05.1234567Z", "a", 7, '{"a":[1]}', "1.02:03:04.5000000", "74be27de", True, "NaN", "0.10"]
    scripted.reply(200, table(columns, row, [None] * len(columns)))
    answer = workspace(scripted).query("T", timespan=timedelta(hours=1))
    full, empty = answer.rows
    assert answer.columns == tuple(columns)
    assert full[:7] == (
        datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC), "a", 7, {"a": [1]},
        timedelta(days=1, hours=2, minutes=3, seconds=4.5), "74be27de", True,
    )  # fmt: skip
    assert isnan(full[7])
    assert (full[8], empty, answer.partial) == (Decimal("0.10"), (None,) * 9, None)
    assert scripted.seen[0].path == "/v1/workspaces/ws-1/query"
    assert b'"timespan": "PT3600.0S"' in scripted.seen[0].body


def test_a_partial_answer_gives_its_rows_and_says_why_it_is_partial(scripted):
    body = table([("s", "string")], ["a"])
    body["error"] = {"code": "PartialError", "message": "There were some errors when processing your query.",
                     "details": [{"code": "EngineError", "innererror": {"code": "-2133196797"}}]}  # fmt: skip
    scripted.reply(200, body)
    answer = workspace(scripted).query("T")
    assert (answer.rows, answer.partial) == (
        (("a",),), "PartialError: There were some errors when processing your query."
    )  # fmt: skip


@pytest.mark.parametrize(
    ("inner", "code", "place", "message"),
    [
        (
            {"code": "SyntaxError", "message": "Syntax error: SYN0001: sorry. [line:position=3:14]. x"},
            "SyntaxError", (3, 14), "SYN0001",
        ),
        (
            {"code": "SyntaxError", "message": "A syntax error", "innererror": {
                "code": "SYN0002", "message": "Query could not be parsed at 'x' on line [1,5]", "line": 1, "pos": 5}},
            "SYN0002", (1, 5), "could not be parsed at 'x'",
        ),
        (
            {"code": "SemanticError", "message": "A semantic error occurred.", "innererror": {
                "code": "SEM0100", "message": "Failed to resolve table or column named 'Heartbeats'"}},
            "SEM0100", (None, None), "named 'Heartbeats'",
        ),
    ],
)  # fmt: skip
def test_a_refused_query_keeps_the_innermost_reason_and_its_place(scripted, inner, code, place, message):
    outer = {"message": "The request had some invalid properties", "code": "BadArgumentError", "innererror": inner}
    scripted.reply(400, {"error": outer})
    with pytest.raises(QueryRejectedError) as caught:
        workspace(scripted).query("nonsense")
    error = caught.value
    assert (error.azure_code, (error.line, error.column)) == (code, place)
    assert message in str(error)
    assert (f"(line {place[0]}, column {place[1]})" in str(error)) == (place[0] is not None)


def test_a_400_without_a_body_is_still_an_error_of_ours(scripted):
    scripted.reply(400, b"no json")
    with pytest.raises(CloudError, match="no json"):
        workspace(scripted).query("T")


def test_a_missing_role_is_forbidden(scripted):
    scripted.reply(403, {"error": {"code": "InsufficientAccessError", "message": "no access"}})
    with pytest.raises(ForbiddenError, match="InsufficientAccessError"):
        workspace(scripted).query("T")


def test_an_answer_without_tables_has_no_rows(scripted):
    scripted.reply(200, {"tables": []})
    assert workspace(scripted).query("T").rows == ()


@pytest.mark.parametrize(
    ("kind", "wire", "value"),
    [
        ("timespan", "-00:00:01", timedelta(seconds=-1)),
        ("timespan", "365.00:00:00", timedelta(days=365)),
        ("timespan", "None", None),
        ("guid", "None", None),
        ("string", "None", "None"),
        ("dynamic", "not json", "not json"),
        ("dynamic", "", ""),
        ("datetime", "not a time", "not a time"),
        ("bool", 0, False),
        ("decimal", "x", "x"),
        ("int", 5, 5),
        ("from the future", "x", "x"),
    ],
)
def test_a_value_is_read_by_its_columns_type_or_left_alone(kind, wire, value):
    assert typed(kind, wire) == value


def test_a_partial_answer_names_the_innermost_reason(scripted):
    inner = {"code": "-2133196797", "message": "Query result set has exceeded the internal record count limit 500000"}
    body = table([("s", "string")], ["a"])
    body["error"] = {"code": "PartialError", "message": "There were some errors.",
                     "details": [{"code": "EngineError", "message": "Wrong.", "innererror": inner}]}  # fmt: skip
    scripted.reply(200, body)
    assert workspace(scripted).query("T").partial == f"PartialError: {inner['message']}"


@pytest.mark.parametrize(
    ("status", "questions"), [(429, 2), (500, 2), (502, 2), (503, 2), (504, 1), (403, 1), (400, 1)]
)
def test_a_query_is_asked_again_where_that_may_help(scripted, status, questions):
    scripted.reply(status, {"error": {"code": "x", "message": "y"}}, Retry_After="0")
    scripted.reply(200, table([("s", "string")], ["a"]))
    if questions == 1:
        with pytest.raises(CloudError):
            workspace(scripted).query("T")
    else:
        assert workspace(scripted).query("T").rows == (("a",),)
    assert len(scripted.seen) == questions


def test_a_workspace_that_stays_busy_is_given_up_after_four_questions(scripted):
    scripted.reply(429, {"error": {"code": "ThrottledError", "message": "Rate limit"}}, Retry_After="0")
    with pytest.raises(ThrottledError):
        workspace(scripted).query("T")
    assert len(scripted.seen) == 4
