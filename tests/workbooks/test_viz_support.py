import json

import pytest

from workbooks.check import check
from workbooks.fragments import not_rendered
from workbooks.parse import parse
from workbooks.viz.support import not_drawn


def grid(**formatter):
    return {"visualization": "table", "gridSettings": {"formatters": [{"columnMatch": "a", **formatter}]}}


def threshold(**row):
    grid_ = [{"operator": "==", "thresholdValue": "1", "representation": "success", **row}]
    return grid(formatter=18, formatOptions={"thresholdsOptions": "icons", "thresholdsGrid": grid_})


@pytest.mark.parametrize(
    ("content", "path", "words"),
    [
        ({"visualization": "map"}, "visualization", "the map"),
        ({"visualization": "graph"}, "visualization", "the graph"),
        ({"visualization": "unicorn"}, "visualization", "the unicorn"),
        (grid(formatter=99), "gridSettings.formatters[0].formatter", "formatter 99"),
        (
            grid(formatter=1, formatOptions={"linkTarget": "ArmAction"}),
            "gridSettings.formatters[0].formatOptions.linkTarget",
            "ArmAction",
        ),
        (
            grid(formatter=8, formatOptions={"palette": "plaid"}),
            "gridSettings.formatters[0].formatOptions.palette",
            "plaid",
        ),
        (grid(formatter=1, numberFormat={"unit": 4711}), "gridSettings.formatters[0].numberFormat.unit", "4711"),
        (
            grid(formatter=6, dateFormat={"formatName": "stardate"}),
            "gridSettings.formatters[0].dateFormat.formatName",
            "stardate",
        ),
        (
            threshold(representation="unicorn"),
            "gridSettings.formatters[0].formatOptions.thresholdsGrid[0].representation",
            "unicorn",
        ),
        (threshold(operator="~~"), "gridSettings.formatters[0].formatOptions.thresholdsGrid[0].operator", "~~"),
        (
            {
                "visualization": "linechart",
                "chartSettings": {"seriesLabelSettings": [{"seriesName": "a", "color": "plaid"}]},
            },
            "chartSettings.seriesLabelSettings[0].color",
            "plaid",
        ),
        (
            {"visualization": "linechart", "chartSettings": {"ySettings": {"numberFormatSettings": {"unit": 4711}}}},
            "chartSettings.ySettings.numberFormatSettings.unit",
            "4711",
        ),
        (
            {"visualization": "stat", "exportedParameters": [{"fieldName": "a", "parameterName": "P"}]},
            "exportedParameters",
            "selection",
        ),
        ({"visualization": "table", "timeBrushParameterName": "P"}, "timeBrushParameterName", "time brush"),
        ({"visualization": "card", "textSettings": {"style": "haiku"}}, "textSettings.style", "haiku"),
        ({"queryType": 1}, "", "resource graph"),
    ],
)
def test_what_is_not_drawn_is_told_with_its_path(make, content, path, words):
    (item,) = make.workbook(make.query(**content)).items
    found = not_rendered(item)
    assert [one.path for one in found] == [f"$.items[0].content.{path}" if path else "$.items[0]"]
    assert words in found[0].message


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"visualization": "table"},
        {"visualization": "tiles"},
        {"visualization": "stat"},
        {"visualization": "card"},
        {"visualization": "piechart"},
        {"visualization": "timechart", "timeBrushParameterName": "P"},
        {"visualization": "graph", "graphSettings": {"type": 2}},
        {"query": "T | render unicorn"},
        grid(formatter=8, formatOptions={"palette": "redGreen"}),
        threshold(),
        threshold(operator="startsWith"),
        # settings of another visualization mean nothing
        {"visualization": "linechart", "gridSettings": grid(formatter=99)["gridSettings"]},
    ],
)
def test_what_is_drawn_is_not_told(make, content):
    (item,) = make.workbook(make.query(**content)).items
    assert not_rendered(item) == []


@pytest.mark.parametrize(
    ("item", "path", "words"),
    [
        ({"type": 11, "content": {"style": "mosaic", "links": []}}, "content.style", "mosaic"),
        (
            {"type": 11, "content": {"style": "list", "links": [{"linkTarget": "OpenBlade"}]}},
            "content.links[0].linkTarget",
            "OpenBlade",
        ),
        (
            {"type": 11, "content": {"style": "list", "links": [{"linkTarget": "Url", "icon": "Unicorn"}]}},
            "content.links[0].icon",
            "Unicorn",
        ),
        ({"type": 9, "content": {"parameters": [{"name": "P", "type": 77}]}}, "content.parameters[0]", "unknown type"),
        (
            {"type": 1, "content": {"json": "x"}, "styleSettings": {"margin": "9px", "maxWidth": "10px"}},
            "styleSettings",
            "margin and max width",
        ),
        ({"type": 10, "content": {"title": "m"}}, "", "platform metrics"),
        ({"type": 13, "content": {}}, "", "view repeater"),
    ],
)
def test_of_other_items_too(make, item, path, words):
    (read,) = make.workbook(item).items
    found = not_rendered(read)
    assert [one.path for one in found] == [f"$.items[0].{path}" if path else "$.items[0]"]
    assert words in found[0].message


def test_the_check_lists_what_the_page_shows(make):
    items = [
        make.query(**grid(formatter=99), name="a"),
        {"type": 10, "content": {}},
        make.query(visualization="map", name="b"),
    ]
    parsed = parse(json.dumps({"version": "Notebook/1.0", "items": items}))
    on_the_page = [(one.path, one.message) for item in parsed.workbook.items for one in not_rendered(item)]
    assert [(one.path, one.message) for one in check(parsed).not_rendered] == on_the_page
    assert len(on_the_page) == 3


def test_nothing_is_told_twice(make):
    (item,) = make.workbook(make.query(**grid(formatter=99))).items
    assert len(not_drawn(item)) == len(set(not_drawn(item)))
