"""A workbook's state: what parameters hold, what is seen, shown, asked, and waited for."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kql.engine import ResultColumn, ResultTable
from workbooks.model import QueryType, TimeRange
from workbooks.parse import load, parse
from workbooks.resolve import Inputs, Request, State, resolve
from workbooks.resolve_scope import declarations

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GALLERY = sorted((Path(__file__).parents[3] / "shared" / "gallery").glob("*.workbook"))
WORKSPACE = "/subscriptions/s-1/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/logs"


def parameters(*each: Mapping[str, Any], **item: Any) -> dict[str, Any]:
    return {"type": 9, "content": {"parameters": list(each)}, **item}


def dropdown(name: str, *values: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": 2, "jsonData": json.dumps(values), **more}


def text(name: str, value: str | None = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": 1, "value": value, **more}


def query(kql: str, **more: Any) -> dict[str, Any]:
    return {"type": 3, "content": {"query": kql, "queryType": 0, **more}}


def markdown(words: str, **item: Any) -> dict[str, Any]:
    return {"type": 1, "content": {"json": words}, **item}


def group(*items: Any, **content: Any) -> dict[str, Any]:
    return {"type": 12, "content": {"items": list(items), **content}}


def tabs(name: str, *values: str, style: str = "tabs") -> dict[str, Any]:
    links = [{"cellValue": name, "linkTarget": "parameter", "linkLabel": v.upper(), "subTarget": v} for v in values]
    return {"type": 11, "content": {"style": style, "links": links}}


def state(*items: Any, answers: Mapping[Request, Any] | None = None, **chosen: Any) -> State:
    workbook = parse(json.dumps({"version": "Notebook/1.0", "items": list(items)})).workbook
    said = {key: (value,) if isinstance(value, str) else tuple(value) for key, value in chosen.items()}
    return resolve(workbook, Inputs(NOW, said, answers or {}, (WORKSPACE,)))


def asked(found: State, index: int = -1) -> str | None:
    item = list(found.items.values())[index]
    return item.request.query if item.request else None


def table(*columns: str, rows: list[tuple[Any, ...]]) -> ResultTable:
    return ResultTable(tuple(ResultColumn(name, "string") for name in columns), tuple(rows))


@pytest.mark.parametrize(
    ("declared", "chosen", "expected"),
    [
        (dropdown("p", "a", "b", value="b"), {}, "x == 'b'"),
        (dropdown("p", "a", "b"), {"p": "a"}, "x == 'a'"),
        (dropdown("p", "a", "b", value="b"), {"p": "zzz"}, "x == 'b'"),
        (dropdown("p", "a", "b", value="gone"), {}, "x == ''"),
        (dropdown("p", "a", "b", isRequired=True), {}, None),
        (dropdown("p", "a", "b", defaultValue="value::1"), {}, "x == 'a'"),
        ({"name": "p", "type": 2, "jsonData": '[{"value": "v", "label": "L", "selected": true}]'}, {}, "x == 'v'"),
        ({"name": "p", "type": 2, "query": '{"version": "1.0.0", "content": "[\\"j\\"]"}', "queryType": 8,
          "value": "value::all"}, {}, "x == 'j'"),
        ({"name": "p", "type": 11, "jsonData": '["t", "u"]'}, {}, "x == 't'"),
        (text("p", "saved"), {}, "x == 'saved'"),
        (text("p", "saved"), {"p": "it's"}, r"x == 'it\'s'"),
        (text("p"), {}, "x == ''"),
        (text("p", isRequired=True), {}, None),
        (text("p", "saved", isRequired=True), {"p": ""}, None),
    ],
)  # fmt: skip
def test_a_single_value(declared: dict[str, Any], chosen: dict[str, str], expected: str | None) -> None:
    assert asked(state(parameters(declared), query("x == '{p}'"), **chosen)) == expected


@pytest.mark.parametrize(
    ("settings", "chosen", "expected"),
    [
        ({"value": ["a", "c"]}, None, "'a','c'"),
        ({"value": ["value::all"]}, None, "'a','b','c'"),
        ({"value": ["value::2"]}, None, "'a','b'"),
        ({"value": ["value::all"], "typeSettings": {"selectAllValue": "*"}}, None, "'*'"),
        ({}, ["c", "a"], "'c','a'"),
        ({}, ["c", "evil') or ('"], "'c'"),
        ({"typeSettings": {"limitSelectTo": 1}}, ["c", "a"], "'c'"),
        ({}, ["value::all"], "'a','b','c'"),
        ({"quote": '"', "delimiter": ";"}, ["a", "b"], '"a";"b"'),
        ({}, None, ""),
    ],
)
def test_several_values(settings: dict[str, Any], chosen: list[str] | None, expected: str) -> None:
    declared = dropdown("p", "a", "b", "c", multiSelect=True, **settings)
    found = state(parameters(declared), query("x in ({p})"), **({"p": chosen} if chosen else {}))
    assert asked(found) == f"x in ({expected})"


def test_a_choice_that_is_not_offered_is_told() -> None:
    found = state(parameters(dropdown("p", "a")), p="b")
    assert [each.problem for each in found.parameters.values()] == ["not offered here: 'b'"]


@pytest.mark.parametrize(
    ("declared", "chosen", "expected"),
    [
        ({"value": {"durationMs": 86400000}}, {}, "> ago(1d)"),
        ({"value": {"durationMs": 86400000}}, {"t": "2h"}, "> ago(1d)"),
        ({"value": {"durationMs": 86400000}}, {"t": "1h"}, "> ago(1h)"),
        ({"value": {"durationMs": 86400000}, "custom": True}, {"t": "2h"}, "> ago(2h)"),
        ({"value": {"durationMs": 3600000, "endTime": "2026-01-01T00:00:00Z"}}, {},
         "between (datetime(2025-12-31T23:00:00.000Z) .. datetime(2026-01-01T00:00:00.000Z))"),
        ({"isRequired": True}, {}, "> ago(1h)"),
        ({}, {}, None),
    ],
)  # fmt: skip
def test_a_time_range(declared: dict[str, Any], chosen: dict[str, str], expected: str | None) -> None:
    custom = declared.pop("custom", False) if "custom" in (declared := dict(declared)) else False
    settings = {"selectableValues": [{"durationMs": 3600000}], "allowCustom": custom}
    found = state(parameters({"name": "t", "type": 4, "typeSettings": settings, **declared}), query("{t}"), **chosen)
    assert asked(found) == expected


def test_the_time_of_a_query_is_its_parameters_else_its_own() -> None:
    own = {"timeContext": {"durationMs": 60000}}
    found = state(
        parameters({"name": "t", "type": 4, "value": {"durationMs": 3600000}}),
        query("T", timeContextFromParameter="t", **own),
        query("T", **own),
        query("T"),
    )
    times = [item.time.duration_ms if item.time else None for item in found.items.values()]
    assert times == [None, 3600000, 60000, None]


def test_options_come_from_a_query_and_what_needs_them_waits() -> None:
    items = (
        parameters({"name": "z", "type": 2, "query": "Zones", "queryType": 0, "value": "value::1", "isRequired": True}),
        query("x == '{z}'"),
    )
    first = state(*items)
    assert first.needed == (Request("Zones"),)
    assert (asked(first), first.items["$.items[1]"].waits_for) == (None, ("z",))
    answers = {Request("Zones"): table("zone", "shown", rows=[("a.x", "A"), ("b.x", "B")])}
    second = state(*items, answers=answers)
    assert (second.needed, asked(second)) == ((), "x == 'a.x'")
    options = next(iter(second.parameters.values())).options
    assert [(option.value, option.label) for option in options] == [("a.x", "A"), ("b.x", "B")]
    failed = state(*items, answers={Request("Zones"): "no such table"})
    assert (asked(failed), next(iter(failed.parameters.values())).problem) == (None, "no such table")


def test_a_query_whose_parameter_needs_another_waits_for_that() -> None:
    chain = {"name": "b", "type": 2, "query": "T | where a == '{a}'", "queryType": 0}
    waiting = state(parameters(dropdown("a", "1", isRequired=True), chain))
    assert [each.waits_for for each in waiting.parameters.values()] == [(), ("a",)]
    assert state(parameters(dropdown("a", "1"), chain), a="1").needed == (Request("T | where a == '1'"),)


def test_what_a_query_says_is_never_the_authors_own_text() -> None:
    items = (parameters({"name": "z", "type": 2, "query": "Q", "queryType": 0, "value": "value::1"}), query("x | {z}"))
    found = state(*items, answers={Request("Q"): table("z", rows=[("take 9",)])})
    assert asked(found) is None
    assert "not put into the query" in found.items["$.items[1]"].problem


def test_an_option_that_the_workbook_lists_is_the_authors_own_text() -> None:
    items = (parameters(dropdown("by", "bin(t, 1h)", "Zone")), query("summarize count() by {by}"))
    assert asked(state(*items, by="bin(t, 1h)")) == "summarize count() by bin(t, 1h)"


def test_what_is_built_from_a_readers_text_is_not_the_authors_own() -> None:
    built = {"name": "c", "type": 1, "criteriaData": [
        {"criteriaContext": {"operator": "Default", "resultValType": "static", "resultVal": "T | {q}"}}]}  # fmt: skip
    items = (parameters(text("q", "take 1"), built), query("{c}"))
    assert asked(state(*items)) == "T | take 1"
    assert asked(state(*items, q="take 9")) is None


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([query("{p}"), parameters(text("p", "1"))], "{p}"),
        ([parameters(text("p", "1")), query("{p}")], "1"),
        ([group(parameters(text("p", "1"))), query("{p}")], "{p}"),
        ([group(parameters(text("p", "1")), exportParameters=True), query("{p}")], "1"),
        ([parameters(text("p", "1")), group(parameters(text("p", "2"))), query("{p}")], "1"),
        ([parameters(text("p", "1")), parameters(text("p", "2")), query("{p}")], "2"),
        ([query("{p}"), parameters(text("p", "1", isGlobal=True))], "1"),
        ([parameters(text("p", "1")), group(query("{p}"))], "1"),
    ],
)
def test_a_parameter_is_seen_below_its_declaration_and_a_global_everywhere(items: list[Any], expected: str) -> None:
    found = state(*items)
    assert [item.request.query for item in found.items.values() if item.request] == [expected]


def test_the_second_declaration_of_a_name_has_a_cell_of_its_own() -> None:
    workbook = parse(json.dumps({"items": [parameters(text("p")), parameters(text("p"))]})).workbook
    assert [each.key for each in declarations(workbook).all] == ["p", "p~2"]


EXPORT = {"exportedParameters": [{"fieldName": "Group", "parameterName": "g"}]}


def test_a_selection_sets_a_parameter_for_what_follows() -> None:
    items = (query("Grid", **EXPORT), query("T | where g == '{g}'"))
    assert state(*items).items["$.items[1]"].waits_for == ("g",)
    assert asked(state(*items, g="it's")) == r"T | where g == 'it\'s'"
    default = {"exportedParameters": [{"fieldName": "Group", "parameterName": "g", "defaultValue": "all"}]}
    assert asked(state(query("Grid", **default), items[1])) == "T | where g == 'all'"


def test_a_selection_sets_a_global_parameter_for_what_stands_above() -> None:
    items = (parameters(text("g", "", isGlobal=True, isRequired=True)), markdown("{g}"), query("Grid", **EXPORT))
    assert state(*items).items["$.items[1]"].scope.get("g") is None
    assert state(*items, g="web").items["$.items[1]"].scope.text("{g}") == "web"


def test_many_selected_rows_are_exported_quoted() -> None:
    grid = query("Grid", exportMultipleValues=True, **EXPORT)
    assert asked(state(grid, query("g in ({g})"), g=["a", "b'"])) == r"g in ('a','b\'')"


def test_a_brush_sets_a_time_range_or_starts_as_the_whole() -> None:
    chart = query("C", timeBrushParameterName="b", timeContext={"durationMs": 3600000})
    only = query("C", timeBrushParameterName="b", timeBrushExportOnlyWhenBrushed=True)
    assert asked(state(chart, query("{b}"))) == "> ago(1h)"
    assert asked(state(only, query("{b}"))) is None
    brushed = "2026-01-01T00:00:00.000Z/2026-01-01T01:00:00.000Z"
    assert "between (datetime(2026-01-01" in (asked(state(only, query("{b}"), b=brushed)) or "")


def test_the_first_tab_is_chosen_until_another_is() -> None:
    page = [
        markdown("x", conditionalVisibility={"parameterName": "tab", "comparison": "isEqualTo", "value": v})
        for v in "ab"
    ]

    def shown(**chosen: str) -> list[bool]:
        return [each.visible for each in state(tabs("tab", "a", "b"), *page, **chosen).items.values()][1:]

    assert (shown(), shown(tab="b"), shown(tab="no such tab")) == ([True, False], [False, True], [True, False])


def test_tabs_follow_and_start_a_global_parameter() -> None:
    declared = parameters(text("tab", isGlobal=True, isRequired=True))
    items = (declared, markdown("{tab}"), tabs("tab", "a", "b"), tabs("tab", "b", style="toolbar"))
    assert state(*items).items["$.items[1]"].scope.text("{tab}") == "a"
    assert state(*items, tab="b").items["$.items[1]"].scope.text("{tab}") == "b"
    assert state(*items).cycles == ()


@pytest.mark.parametrize(
    ("comparison", "value", "held", "visible"),
    [
        ("isEqualTo", "a", "a", True),
        ("isEqualTo", "a", "b", False),
        ("isEqualTo", "a", None, False),
        ("isNotEqualTo", "a", "b", True),
        ("isNotEqualTo", "a", None, True),
        ("isNotEqualTo", "a", "a", False),
        ("isEqualTo", None, None, True),
        ("isEqualTo", None, "a", False),
        ("isNotEqualTo", None, "a", True),
        ("isNotEqualTo", None, None, False),
    ],
)
def test_a_condition_shows_or_hides(comparison: str, value: str | None, held: str | None, visible: bool) -> None:
    condition = {"parameterName": "p", "comparison": comparison, "value": value}
    found = state(parameters(text("p", held)), markdown("x", conditionalVisibility=condition))
    assert found.items["$.items[1]"].visible is visible


def test_all_conditions_must_hold_and_a_hidden_group_hides_and_asks_nothing() -> None:
    conditions = [{"parameterName": "p", "comparison": "isEqualTo", "value": v} for v in ("a", "b")]
    hidden = {**group(query("T")), "conditionalVisibilities": conditions}
    found = state(parameters(text("p", "a")), hidden)
    inside = found.items["$.items[1].content.items[0]"]
    assert (inside.visible, inside.request) == (False, None)


def test_parameters_that_need_one_another_are_told_and_stay_unset() -> None:
    first = {"name": "a", "type": 2, "query": "T | where '{b}'", "queryType": 0, "isGlobal": True}
    second = {"name": "b", "type": 2, "query": "T | where '{a}'", "queryType": 0, "isGlobal": True}
    found = state(parameters(first, second))
    assert set(found.cycles[0]) == {"a", "b"}
    assert found.needed == ()


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ([("n", "==", "static", "10", "static", "ten")], "ten"),
        ([("n", ">", "static", "9", "static", "more")], "more"),
        ([("n", "<", "static", "9", "static", "less"), ("", "Default", "", "", "static", "else {n}")], "else 10"),
        ([("n", ">=", "param", "m", "param", "s")], "words here"),
        ([("s", "contains", "static", "HERE", "expression", "{n} * 2 + {s} - 1.5")], "18.5"),
        ([("s", "startsWith", "static", "words", "expression", "2 * 3 ^ 2")], "18"),
        ([("s", "notContains", "static", "here", "static", "no"), ("", "Default", "", "", "static", "d")], "d"),
        ([("s", "regex", "static", "^w.*e$", "static", "r")], "r"),
        ([("none", "is Empty", "", "", "static", "e")], "e"),
        ([("s", "isNotNull", "", "", "static", "set")], "set"),
        ([("s", "isValidJson", "", "", "static", "j"), ("n", "isValidJson", "", "", "static", "n")], "n"),
        ([("{n}", "!=", "static", "10.0", "static", "x"), ("s", "endsWith", "static", "here", "static", "y")], "y"),
    ],
)
def test_the_first_criterion_that_holds_decides(criteria: list[tuple[str, ...]], expected: str) -> None:
    keys = ("leftOperand", "operator", "rightValType", "rightVal", "resultValType", "resultVal")
    rows = [{"criteriaContext": dict(zip(keys, each, strict=True))} for each in criteria]
    declared = (text("n", "10"), text("m", "10"), text("s", "words here"), text("none"))
    computed = {"name": "c", "type": 1, "criteriaData": rows, "value": "stale"}
    found = state(parameters(*declared, computed), markdown(""), c="not to be chosen")
    assert found.items["$.items[1]"].scope.text("{c}") == expected


@pytest.mark.parametrize("expression", ["1 / 0", "2 ^ 9999", "__import__('os')", "(" * 500, "1 +", "9 " * 900])
def test_an_expression_that_cannot_be_computed_is_told(expression: str) -> None:
    row = {"criteriaContext": {"operator": "Default", "resultValType": "expression", "resultVal": expression}}
    found = state(parameters({"name": "c", "type": 1, "criteriaData": [row]}))
    assert "the expression" in next(iter(found.parameters.values())).problem


def test_a_computed_parameter_waits_for_an_answer_that_is_outstanding() -> None:
    row = {"criteriaContext": {"leftOperand": "q", "operator": "is Empty", "resultValType": "static", "resultVal": "e"}}
    items = (parameters({"name": "q", "type": 1, "query": "Q", "queryType": 0}, {"name": "c", "type": 1, "criteriaData": [row]}), query("{c}"))  # fmt: skip  # noqa: E501 - one picture
    assert state(*items).items["$.items[1]"].waits_for == ("c",)
    assert asked(state(*items, answers={Request("Q"): table("x", rows=[])})) == "e"


def test_a_text_that_a_rule_forbids_is_not_taken() -> None:
    rules = [{"regExp": "^[a-z]+$", "match": True, "message": "lower case only"}]
    items = (parameters(text("p", "ok", typeSettings={"paramValidationRules": rules})), query("'{p}'"))
    assert asked(state(*items, p="fine")) == "'fine'"
    refused = state(*items, p="NO")
    assert (asked(refused), next(iter(refused.parameters.values())).problem) == (None, "lower case only")


def test_pickers_offer_the_resources_at_hand() -> None:
    picker = {"name": "w", "type": 5, "query": "where type == 'x'", "queryType": 1, "isRequired": True,
              "typeSettings": {"resourceTypeFilter": {"microsoft.operationalinsights/workspaces": True}}}  # fmt: skip
    subscription = {"name": "s", "type": 6, "queryType": 1, "query": "x", "isRequired": True, "multiSelect": True}
    found = state(
        parameters(subscription, picker), query("T", crossComponentResources=["{w}"]), markdown("{w:name} {s}")
    )
    request = found.items["$.items[1]"].request
    assert request == Request("T", QueryType.LOGS, None, (WORKSPACE,))
    assert found.items["$.items[2]"].scope.text("{w:name} {s}") == "logs '/subscriptions/s-1'"


def test_several_free_values_are_taken_and_quoted() -> None:
    declared = parameters({"name": "m", "type": 9, "jsonData": '["apple"]'})
    assert asked(state(declared, query("x in ({m})"))) == "x in ('apple')"
    assert asked(state(declared, query("x in ({m})"), m=["a'b", "c"])) == r"x in ('a\'b','c')"


def test_identical_queries_are_one_request() -> None:
    found = state(query("T"), query("T"), query("T", timeContext={"durationMs": 1}))
    assert len({item.request for item in found.items.values()}) == 2


@pytest.mark.skipif(not GALLERY, reason="no gallery workbooks beside this checkout")
@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.stem)
def test_every_gallery_workbook_lays_out_whatever_queries_answer(path: Path) -> None:
    (parsed,) = load(path)
    answers: dict[Request, ResultTable | str] = {}
    for _ in range(30):
        found = resolve(parsed.workbook, Inputs(NOW, {}, answers, (WORKSPACE,)))
        if not found.needed:
            break
        for number, request in enumerate(found.needed):
            answers[request] = table("value", "label", rows=[("v", "l")]) if number % 2 == 0 else "refused"
    assert found.needed == ()
    assert set(found.items) >= {item.path for item in parsed.workbook.items}
    assert all(not item.problem or "not put into the query" in item.problem for item in found.items.values())


def test_a_range_without_a_length_leaves_the_time_to_the_query() -> None:
    assert state(query("T", timeContext={"durationMs": 0})).items["$.items[0]"].time is None
    assert state(query("T", timeContext={"durationMs": 5})).items["$.items[0]"].time == TimeRange(5)


def test_a_multi_value_parameter_starts_with_a_hundred_answers_at_most() -> None:
    items = (parameters({"name": "m", "type": 9, "query": "Q", "queryType": 0}), query("x in ({m})"))
    found = state(*items, answers={Request("Q"): table("v", rows=[(f"v{n}",) for n in range(150)])})
    assert (asked(found) or "").count(",") == 99
