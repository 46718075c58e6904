import json
from datetime import UTC, datetime

import pytest

from kql.duckdb_engine import DuckDbEngine, connect
from kql.engine import Place, Stop
from workbooks.answers import MOST_ROWS, Problem, answer, from_json, over_files, over_workspace
from workbooks.fragments import caret
from workbooks.model import QueryType, TimeRange
from workbooks.resolve import Request

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def ask():
    with connect() as connection:
        yield over_files(DuckDbEngine(connection))


def asked(ask, query, **more):
    return answer(Request(query, **more), ask, NOW, Stop())


def test_kql_is_answered_as_of_the_instant(ask):
    assert asked(ask, "print x = now()").rows == ((NOW,),)


def test_a_fault_of_the_query_has_its_place(ask):
    found = asked(ask, "AciDnsEvents()\n| wherre x")
    assert isinstance(found, Problem)
    assert not found.unsupported
    assert (found.place.line, found.query) == (2, "AciDnsEvents()\n| wherre x")


def test_what_the_local_engine_cannot_run_is_nobodys_fault(ask):
    assert asked(ask, "AciDnsEvents() | evaluate bag_unpack(Details)").unsupported


def test_a_result_is_cut_where_no_page_shows_more(ask):
    assert asked(ask, "range n from 1 to 60000 step 1").truncated_at == MOST_ROWS


def test_a_workspace_is_asked_over_the_range_and_its_own_now():
    seen = []

    class Engine:
        def query(self, kql, **options):
            seen.append((kql, options))

    answer(Request("T", time=TimeRange(3_600_000)), over_workspace(Engine()), NOW, Stop())
    assert seen == [("T", {"timespan": (datetime(2026, 3, 1, 11, tzinfo=UTC), NOW)})]


def data(content, **more):
    return json.dumps({"version": "1.0.0", "content": content, **more})


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        (
            data('[{"a": 1, "b": "x"}, {"b": "y", "c": [1]}]'),
            "a:long b:string c:dynamic",
            ((1, "x", None), (None, "y", [1])),
        ),
        (data([{"a": 1.5}]), "a:real", ((1.5,),)),
        (data({"a": True}), "a:bool", ((True,),)),
        (data([1, "x"]), "value:string", ((1,), ("x",))),
        (data("[]"), "", ()),
        ('[{"t": "2026-03-01T12:00:00Z"}]', "t:datetime", ((NOW,),)),
    ],
)
def test_json_data_is_read_as_rows(text, columns, rows):
    found = from_json(text)
    assert " ".join(f"{one.name}:{one.type}" for one in found.columns) == columns
    assert found.rows == rows


@pytest.mark.parametrize("text", ["", "{", data("[1,")])
def test_json_data_that_is_none_is_a_problem(text):
    assert str(from_json(text)).startswith("the JSON data cannot be read")


def test_json_data_with_transformers_is_for_the_portal_alone():
    assert from_json(data("[]", transformers=[{"type": "jsonpath"}])).unsupported


def test_json_items_are_answered_without_an_engine():
    assert answer(Request(data([{"a": 1}]), QueryType.JSON), None, NOW, Stop()).rows == ((1,),)


def test_the_line_at_fault_is_shown_with_a_caret():
    problem = Problem("no", place=Place(2, 2, "wherre"), query="T\n| wherre x\n| take 1")
    assert caret(problem) == "2: | wherre x\n     ^"
    assert caret(Problem("no", place=Place(9, 0), query="T")) == "T"
