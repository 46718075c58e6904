"""Reading workbooks: every form in which they come, and every property told that is not understood."""

import json

import pytest

from workbooks.model import (
    Condition,
    Finding,
    GroupItem,
    LinksItem,
    MetricsItem,
    ParameterKind,
    ParametersItem,
    QueryItem,
    QueryType,
    Severity,
    Size,
    TextItem,
    UnknownItem,
)
from workbooks.parse import Parsed, WorkbookError, parse, parse_all


def of(*items: object, **root: object) -> Parsed:
    return parse(json.dumps({"version": "Notebook/1.0", "items": list(items), **root}))


def only(*items: object) -> object:
    return of(*items).workbook.items[0]


def codes(parsed: Parsed) -> list[tuple[str, str]]:
    return [(finding.path, finding.code) for finding in parsed.findings]


def query(**content: object) -> QueryItem:
    found = only({"type": 3, "content": {"version": "KqlItem/1.0", "query": "T", **content}})
    assert isinstance(found, QueryItem)
    return found


def test_a_text_item_holds_its_markdown_and_tone() -> None:
    found = only({"type": 1, "content": {"json": "# {Name}", "style": "info"}, "name": "head"})
    assert isinstance(found, TextItem)
    assert (found.path, found.name, found.markdown, found.tone) == ("$.items[0]", "head", "# {Name}", "info")


def test_a_query_item_holds_what_is_asked_and_how_it_is_drawn() -> None:
    found = query(
        queryType=0,
        size=3,
        visualization="TimeChart",
        timeContext={"durationMs": 3600000},
        timeContextFromParameter="TimeRange",
        noDataMessage="calm",
        noDataMessageStyle=3,
        chartSettings={"xAxis": "t", "yAxis": ["n"], "createOtherGroup": 5},
    )
    assert (found.query_type, found.size, found.visualization) == (QueryType.LOGS, Size.FULL, "timechart")
    assert (found.time.duration_ms if found.time else None, found.time_parameter) == (3600000, "TimeRange")
    assert (found.no_data_message, found.no_data_tone) == ("calm", "success")
    chart = found.visuals.chart
    assert (chart.x_axis, chart.y_axis, chart.other_group_after) == ("t", ("n",), 5)


def test_exports_are_read_in_both_forms() -> None:
    found = query(
        exportedParameters=[{"fieldName": "Zone", "parameterName": "Zone", "parameterType": 1, "defaultValue": "all"}],
        exportFieldName="Group",
        exportParameterName="Group",
        exportDefaultValue="none",
        exportMultipleValues=True,
    )
    assert [(e.column, e.parameter, e.default, e.multiple) for e in found.exports] == [
        ("Zone", "Zone", "all", True),
        ("Group", "Group", "none", True),
    ]


def test_a_formatter_holds_its_thresholds_links_and_formats() -> None:
    formatter = {
        "columnMatch": "^State$",
        "formatter": 18,
        "formatOptions": {
            "thresholdsOptions": "icons",
            "thresholdsGrid": [{"operator": "==", "thresholdValue": "drift", "representation": "4", "text": "{0}"}],
            "linkTarget": "WorkbookTemplate",
            "workbookContext": {"templateId": "x"},
        },
        "numberFormat": {"unit": 24, "options": {"style": "decimal", "maximumFractionDigits": 1}},
        "tooltipFormat": {"tooltip": "since"},
    }
    found = query(gridSettings={"formatters": [formatter], "rowLimit": 99}).visuals.grid.formatters[0]
    assert (found.column, found.kind.name, found.thresholds[0].value) == ("^State$", "THRESHOLDS", "drift")
    assert (found.link_target, found.link_context["workbookContext"]["templateId"]) == ("WorkbookTemplate", "x")
    assert found.number_format
    assert (found.number_format.unit, found.number_format.maximum_fraction_digits, found.tooltip) == (24, 1, "since")


def test_a_parameters_item_holds_each_declaration() -> None:
    item = only(
        {
            "type": 9,
            "content": {
                "style": "above",
                "parameters": [
                    {"id": "a", "name": "Range", "type": 4, "value": {"durationMs": 86400000}},
                    {
                        "id": "b",
                        "name": "Zone",
                        "type": 2,
                        "multiSelect": True,
                        "value": ["value::all"],
                        "jsonData": '["x"]',
                        "typeSettings": {"selectAllValue": "*", "limitSelectTo": 3},
                    },
                ],
            },
        }
    )
    assert isinstance(item, ParametersItem)
    time, zone = item.parameters
    assert (time.kind, time.time_range.duration_ms if time.time_range else None) == (ParameterKind.TIME_RANGE, 86400000)
    assert (zone.value, zone.settings.all_value, zone.settings.limit) == (("value::all",), "*", 3)


def test_links_groups_and_metrics_are_typed() -> None:
    tab = {"id": "t", "cellValue": "tab", "linkTarget": "parameter", "linkLabel": "One", "subTarget": "1"}
    group, metrics = of(
        {
            "type": 12,
            "content": {"items": [{"type": 11, "content": {"style": "tabs", "links": [tab]}}], "loadType": "explicit"},
        },
        {"type": 10, "content": {"chartType": -1, "metrics": [{"namespace": "n", "metric": "m", "aggregation": 4}]}},
    ).workbook.items
    assert isinstance(group, GroupItem)
    links = group.items[0]
    assert isinstance(links, LinksItem)
    assert (group.load, links.path, links.is_tabs) == ("explicit", "$.items[0].content.items[0]", True)
    assert isinstance(metrics, MetricsItem)
    assert (metrics.visualization, metrics.metrics[0].name) == ("tiles", "m")


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        ({"type": 14, "content": {}}, "data repeater"),
        ({"type": 99, "content": {}}, "type 99"),
        ({"content": {}}, "type None"),
        ({"type": 3}, "query"),
        ({"type": 3, "content": 5}, "query"),
    ],
)
def test_an_item_that_cannot_be_read_is_kept_as_unknown_and_told(item: object, kind: str) -> None:
    parsed = of(item)
    found = parsed.workbook.items[0]
    assert isinstance(found, UnknownItem)
    assert (found.path, found.kind) == ("$.items[0]", kind)
    assert ("$.items[0]", "unknown-item") in codes(parsed)


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({"type": 1, "content": {"json": "x"}, "wings": 2}, "$.items[0].wings"),
        ({"type": 1, "content": {"json": "x", "odd key": 2}}, '$.items[0].content["odd key"]'),
        (
            {"type": 3, "content": {"query": "T", "gridSettings": {"formatters": [{"formatter": 1, "sparkle": 1}]}}},
            "$.items[0].content.gridSettings.formatters[0].sparkle",
        ),
        (
            {"type": 9, "content": {"parameters": [{"name": "p", "type": 1, "typeSettings": {"shape": "round"}}]}},
            "$.items[0].content.parameters[0].typeSettings.shape",
        ),
        ({"type": 12, "content": {"items": [{"type": 1, "content": {"json": "", "z": 1}}]}},
         "$.items[0].content.items[0].content.z"),
    ],
)  # fmt: skip
def test_a_property_that_is_not_understood_is_told_with_its_path(item: object, path: str) -> None:
    assert codes(of(item)) == [(path, "unknown-property")]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"parameterName": "t", "comparison": "isEqualTo", "value": "1"}, Condition("p", "t", True, "1")),
        ({"parameterName": "t", "comparison": "isNotEqualTo"}, Condition("p", "t", False, None)),
        ({"parameterName": "t", "comparison": "isEqualTo", "value": True}, Condition("p", "t", True, "true")),
        ({"parameterName": "t", "comparison": "isEqualTo", "value": ""}, Condition("p", "t", True, None)),
    ],
)
def test_conditions_are_read_from_both_properties(condition: object, expected: Condition) -> None:
    item = only({"type": 1, "content": {"json": ""}, "conditionalVisibilities": [condition]})
    assert isinstance(item, TextItem)
    assert [(c.parameter, c.equal, c.value) for c in item.conditions] == [
        (expected.parameter, expected.equal, expected.value)
    ]


def test_an_unknown_comparison_is_told_and_shows_the_item() -> None:
    condition = {"parameterName": "t", "comparison": "isLike", "value": "1"}
    parsed = of({"type": 1, "content": {"json": ""}, "conditionalVisibility": condition})
    assert parsed.workbook.items[0].conditions == ()
    assert codes(parsed) == [("$.items[0].conditionalVisibility.comparison", "unknown-comparison")]


@pytest.mark.parametrize(
    "item",
    [
        {"type": "1", "content": {"json": "hello"}},
        {"type": "text", "content": {"json": "hello"}},
        {"type": 1, "content": "hello"},
        {"type": 1, "content": '{"json": "hello"}'},
        {"type": 1, "content": {"json": "hello"}, "customWidth": 50, "conditionalVisibility": None},
    ],
)
def test_older_forms_of_an_item_are_read(item: object) -> None:
    found = only(item)
    assert isinstance(found, TextItem)
    assert found.markdown in {"hello", '{"json": "hello"}'}


def test_null_items_are_left_out_and_told() -> None:
    parsed = of(None, {"type": 1, "content": {"json": "x"}}, "what")
    assert [item.path for item in parsed.workbook.items] == ["$.items[1]"]
    assert codes(parsed) == [("$.items[0]", "wrong-type"), ("$.items[2]", "wrong-type")]


def test_a_key_that_stands_twice_is_told_and_the_last_one_counts() -> None:
    parsed = parse(
        '{"version": "Notebook/1.0", "items": [{"type": 1, "name": "a", "name": "b", "content": {"json": ""}}]}'
    )
    assert parsed.workbook.items[0].name == "b"
    assert codes(parsed) == [("$.items[0].name", "duplicate-key")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_byte_order_marks_are_understood(encoding: str) -> None:
    assert parse('{"version": "Notebook/1.0", "items": []}'.encode(encoding)).findings == ()


def test_a_missing_version_is_told_and_read_all_the_same() -> None:
    parsed = parse('{"items": []}')
    assert parsed.workbook.version == "Notebook/1.0"
    assert [finding.code for finding in parsed.findings] == ["version"]


@pytest.mark.parametrize(
    ("value", "width"), [("50", 50.0), ("33.3%", 33.3), (20, 20.0), (None, 100.0), ("0", 100.0), ("wide", 100.0)]
)
def test_a_width_is_a_percentage(value: object, width: float) -> None:
    assert of({"type": 1, "content": {"json": ""}, "customWidth": value}).workbook.items[0].width_percent == width


DATA = '{"version": "Notebook/1.0", "items": [{"type": 1, "content": {"json": "from ARM"}}]}'


@pytest.mark.parametrize(
    "template",
    [
        {"resources": [{"type": "Microsoft.Insights/workbooks", "properties": {"serializedData": DATA}}]},
        {"resources": [{"type": "microsoft.insights/workbooks", "properties": {"serializedData": json.loads(DATA)}}]},
        {"resources": {"w": {"type": "microsoft.insights/workbooks", "properties": {"serializedData": DATA}}}},
        {
            "variables": {"content": json.loads(DATA)},
            "resources": [
                {
                    "type": "microsoft.insights/workbooks",
                    "properties": {
                        "serializedData": "[string(variables('content'))]",
                        "displayName": "[parameters('n')]",
                    },
                }
            ],
            "parameters": {"n": {"type": "string", "defaultValue": "Fleet"}},
        },
        {"properties": {"serializedData": DATA}},
        {
            "resources": [
                {"type": "microsoft.insights/workbooktemplates", "properties": {"templateData": json.loads(DATA)}}
            ]
        },
    ],
)
def test_a_workbook_is_found_in_an_arm_template(template: object) -> None:
    found = parse(json.dumps(template)).workbook.items[0]
    assert isinstance(found, TextItem)
    assert found.markdown == "from ARM"
    assert found.path.endswith("Data.items[0]")


def test_every_workbook_of_a_template_is_read() -> None:
    resource = {"type": "microsoft.insights/workbooks", "properties": {"serializedData": DATA}}
    assert len(parse_all(json.dumps({"resources": [resource, {"type": "x"}, resource]}))) == 2


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "no workbook"),
        ('{"a": 1}', "no workbook"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"\x80", "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"items": ' + "9" * 5000 + "}", "not JSON"),
    ],
)
def test_what_is_no_workbook_is_refused_with_the_reason(text: str | bytes, why: str) -> None:
    with pytest.raises(WorkbookError, match=why):
        parse(text)


def test_groups_nested_without_end_become_a_badge() -> None:
    item: dict[str, object] = {"type": 1, "content": {"json": ""}}
    for _ in range(60):
        item = {"type": 12, "content": {"items": [item]}}
    assert "unknown-item" in {finding.code for finding in of(item).findings}


def test_a_template_group_is_told_as_an_error() -> None:
    parsed = of({"type": 12, "content": {"groupType": "template", "loadFromTemplateId": "x/y"}})
    assert parsed.findings == (
        Finding(
            "$.items[0].content.loadFromTemplateId",
            "template-group",
            "the template 'x/y' is loaded by the portal alone; the group is shown as a badge",
            Severity.ERROR,
        ),
    )


def test_graphs_and_stats_say_their_colours_in_numbers_and_words() -> None:
    graph = query(
        graphSettings={
            "type": 2,
            "rightContent": {"columnMatch": "Rate"},
            "hivesMargin": 5,
            "colorSettings": {
                "nodeColorField": "State",
                "type": 4,
                "heatmapPalette": "blue",
                "emptyValueColor": "gray",
            },
        }
    ).visuals.graph
    stat = query(
        statSettings={"valueField": "n", "valueAggregation": "None", "colorSettings": {"type": "static"}}
    ).visuals.stat
    assert (graph.honeycomb, graph.colors.kind, graph.colors.column) == (True, "heatmap", "State")
    assert [place.column for place in graph.places] == ["Rate"]
    assert (stat.column, stat.colors.kind) == ("n", "static")


@pytest.mark.parametrize("data", ["not JSON", "[1]", ["x"], 7])
def test_a_resource_whose_data_is_no_object_is_refused(data: object) -> None:
    resource = {"type": "microsoft.insights/workbooks", "properties": {"serializedData": data}}
    with pytest.raises(WorkbookError, match="a workbook's JSON object was expected"):
        parse_all(json.dumps({"resources": [resource]}))
