import json

import pytest

from workbooks.model import (
    ColorSettings,
    Export,
    Formatter,
    FormatterKind,
    GraphSettings,
    NumberFormat,
    StatSettings,
    TextSettings,
    Threshold,
    TileSettings,
)
from workbooks.viz.honeycomb import honeycomb
from workbooks.viz.tiles import aggregate, single_text, stat, tiles


def place(column, kind=FormatterKind.TEXT, **more):
    return Formatter(path=f"$.{column}", column=column, kind=kind, **more)


def test_a_tile_shows_its_fields_from_top_to_bottom(make, soup, context):
    settings = TileSettings(title=place("T"), subtitle=place("S"), left=place("V", FormatterKind.BIG_NUMBER))
    tree = soup(tiles(make.table("T, S, V:long", ("Open", "drifts", 1500), ("<b>", "", 0)), settings, context))
    assert [tile.select_one(".tile-title").text for tile in tree.select("li.tile")] == ["Open", "<b>"]
    assert [tile.select_one(".big").text for tile in tree.select("li.tile")] == ["1,500", "0"]
    assert "bordered" in tree.ul["class"]


def test_tiles_without_settings_take_the_first_text_and_the_first_number(make, soup, context):
    tree = soup(tiles(make.table("N:long, T", (3, "x")), TileSettings(), context))
    assert (tree.select_one(".tile-title").text, tree.select_one(".tile-left .big").text) == ("x", "3")


def test_tiles_stand_in_their_order(make, soup, context):
    settings = TileSettings(title=place("T"), sort_column="V", sort_order=2)
    tree = soup(tiles(make.table("T, V:long", ("a", 1), ("b", 3), ("c", 2)), settings, context))
    assert [tile.text for tile in tree.select("li")] == ["b", "c", "a"]


def test_a_field_whose_column_is_missing_is_a_badge_once(make, soup, context):
    tiles(make.table("T", ("a",), ("b",)), TileSettings(title=place("Nope")), context)
    assert [(one.path, one.message) for one in context.badges] == [
        ("$.Nope.columnMatch", "the column Nope, which is not in the result")
    ]


def test_more_than_a_hundred_tiles_are_cut_and_said(make, soup, context):
    tree = soup(tiles(make.table("T", *((str(n),) for n in range(120))), TileSettings(), context))
    assert len(tree.select("li")) == 100
    assert tree.select_one(".note").text == "First 100 of 120 tiles."


def test_a_tile_can_be_chosen(make, soup, context):
    exports = (Export(path="", column="T", parameter="Kind"),)
    tile = soup(tiles(make.table("T", ("a",)), TileSettings(), context, exports)).li
    assert (json.loads(tile["data-export"]), tile["aria-current"]) == ({"Kind": "a"}, "false")


@pytest.mark.parametrize(
    ("how", "value"),
    [("Sum", 6), ("total", 6), ("Average", 2), ("avg", 2), ("Min", 1), ("Max", 3), ("Count", 3), ("", 1), ("odd", 1)],
)
def test_a_stat_adds_its_column_up(how, value):
    assert aggregate([1, 2, 3], how) == value


def test_a_stat_of_nothing_is_nothing():
    assert aggregate([], "Sum") is None


def test_a_stat_is_one_number_with_its_colour(make, soup, context):
    rules = (Threshold("", ">", "5", "red"), Threshold("", "Default", "", "green"))
    settings = StatSettings(
        column="V",
        aggregation="Sum",
        title="Open",
        tag="drifts",
        colors=ColorSettings(thresholds=rules),
        icon={"iconName": "critical"},
        number_format=NumberFormat(unit=17),
    )
    tree = soup(stat(make.table("V:long", (4000,), (2000,)), settings, context))
    assert tree.select_one(".big").text.strip() == "6K"
    assert "c-red" in tree.select_one(".big")["class"]
    assert (tree.select_one(".tile-title").text, tree.select_one(".tile-subtitle").text) == ("Open", "drifts")
    assert tree.svg


def test_a_stat_without_a_column_takes_the_first_number_and_a_text_is_a_badge(make, soup, context):
    assert soup(stat(make.table("T, V:long", ("x", 7)), StatSettings(), context)).select_one(".big").text == "7"
    assert stat(make.table("T", ("x",)), StatSettings(path="$.s"), context) == ""
    assert context.badges[0].path == "$.s"


@pytest.mark.parametrize(
    ("style", "value", "html"),
    [
        ("", "a\n<b>", '<pre class="editor">a\n&lt;b&gt;</pre>'),
        ("editor", "x", '<pre class="editor">x</pre>'),
        ("header", "<b>", "<h3>&lt;b&gt;</h3>"),
        ("bignumber", 12345.678, '<div class="big">12,345.68</div>'),
        ("bignumber", "fine", '<div class="big">fine</div>'),
        ("markdown", "**b** <script>", "<p><strong>b</strong> </p>"),
        ("unknown", "x", '<pre class="editor">x</pre>'),
    ],
)
def test_the_first_cell_is_shown_as_a_text(make, style, value, html):
    assert single_text(make.table("V", (value,)), TextSettings(style)) == html


def test_a_honeycomb_is_lists_of_boxes_by_group(make, soup, context):
    settings = GraphSettings(
        honeycomb=True,
        center=place("N"),
        bottom=place("V", number_format=NumberFormat(unit=24)),
        group_by="G",
        colors=ColorSettings(kind="heatmap", column="V", palette="greenRed"),
    )
    tree = soup(honeycomb(make.table("G, N, V:long", ("a", "x", 0), ("b", "y", 5), ("a", "z", 10)), settings, context))
    assert [head.text for head in tree.select("h4")] == ["a", "b"]
    assert [[one.get_text(" ") for one in group.select("li")] for group in tree.select("ul")] == [
        ["x 0\u202fs", "z 10\u202fs"], ["y 5\u202fs"],
    ]  # fmt: skip
    assert [one["class"][1] for one in tree.select("li")] == ["p-greenRed-0", "p-greenRed-8", "p-greenRed-4"]


def test_a_honeycombs_colour_may_come_from_thresholds(make, soup, context):
    rules = (Threshold("", "==", "drift", "redBright"), Threshold("", "Default", "", "green"))
    settings = GraphSettings(honeycomb=True, center=place("N"), colors=ColorSettings(column="N", thresholds=rules))
    tree = soup(honeycomb(make.table("N", ("drift",), ("ok",)), settings, context))
    assert [one["class"][1] for one in tree.select("li")] == ["c-red", "c-green"]
