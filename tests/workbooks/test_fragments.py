from datetime import UTC, datetime

import pytest

from workbooks.fragments import Page, address_values, escape_markdown, fragment
from workbooks.layout import anchor_of
from workbooks.model import ParameterKind, TimeRange, walk
from workbooks.places import filled, shell
from workbooks.resolve import Inputs, resolve
from workbooks.substitute_format import Value
from workbooks.viz.markdown import markdown

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def draw(make, soup):
    """Give `draw(*items, answer, chosen)`: the last item drawn, as a tree; `live` says whether a reader can choose."""

    def drawn(*items, answer=None, chosen=None, live=True, which=-1):
        chosen = chosen or {}
        state = resolve(make.workbook(*items), Inputs(NOW, chosen))
        more = {"export_url": lambda choices: "?" + str(dict(choices)), "csv_url": lambda anchor: f"/csv/{anchor}"}
        page = Page(state, chosen, **(more if live else {}))
        path = list(walk(state.workbook.items))[which].path
        return soup(fragment(page, state.items[path], answer).html)

    return drawn


def text(markdown_, **content):
    return {"type": 1, "name": "t", "content": {"json": markdown_, **content}}


@pytest.mark.parametrize("style", ["info", "warning", "error", "success", "upsell"])
def test_a_text_has_its_tone(draw, style):
    assert draw(text("x", style=style)).div["class"] == ["text", "tone", f"tone-{style}"]


def test_a_tone_may_come_from_a_parameter_and_odd_ones_are_none(draw, make):
    tone = make.parameters({"name": "Tone", "type": 1, "value": "warning"})
    assert "tone-warning" in draw(tone, text("x", style="{Tone}")).div["class"]
    assert draw(text("x", style='x" onclick="y')).div["class"] == ["text"]


@pytest.mark.parametrize(
    "value",
    [
        "**b**",
        "<b>b</b>",
        "[x](https://evil.example)",
        "# h",
        "- a",
        "a|b",
        "`c`",
        "~~s~~",
        "1. x",
        "&lt;b&gt;",
        "a\\*b",
        "> q",
    ],
)
def test_data_in_a_text_is_text(draw, make, value):
    tree = draw(make.parameters({"name": "P", "type": 1}), text("is {P}"), chosen={"P": (value,)})
    assert tree.select_one(".markdown").get_text() == f"is {value}"
    assert not tree.select("b, strong, a, h1, li, table, code, s, blockquote")


def test_escaped_data_reads_as_it_was(soup):
    odd = r"\`*_{}[]()#+-.!|<>&~"
    assert soup(markdown(f"x{escape_markdown(odd)}")).get_text() == f"x{odd}"


def test_an_authors_own_markdown_stays_markdown(draw, make):
    assert draw(text("**b** [x](https://a.example)")).strong.text == "b"


def test_a_query_has_its_title_and_its_tools(draw, make):
    items = (
        make.parameters({"name": "Zone", "type": 1, "value": "<z>"}),
        make.query(title="In {Zone}", showRefreshButton=True),
    )
    tree = draw(*items, answer=make.table("A", ("x",)))
    assert tree.h2.text == "In <z>"
    assert tree.select_one("a[download]")["href"] == f"/csv/{anchor_of('$.items[1]')}"
    assert tree.select_one("button[data-reload]")["aria-label"] == "Refresh In <z>"


def test_a_page_that_stands_still_has_no_tools_and_no_controls(draw, make):
    assert not draw(make.query(showRefreshButton=True), answer=make.table("A", ("x",)), live=False).select(
        "a, button.x"
    )
    tree = draw(make.parameters({"name": "Zone", "type": 1, "value": "z"}), live=False)
    assert not tree.select("input")
    assert (tree.dt.text, tree.dd.text) == ("Zone", "z")


@pytest.mark.parametrize(
    ("content", "words", "css"),
    [
        ({}, "The query returned no rows.", "no-data"),
        ({"noDataMessage": "**fine**", "noDataMessageStyle": 3}, "fine", "success"),
        ({"noDataMessage": "odd", "noDataMessageStyle": 2}, "odd", "warning"),
        ({"noDataMessage": "so", "noDataMessageStyle": 4}, "so", "info"),
        ({"noDataMessage": "bad", "noDataMessageStyle": 5}, "bad", "error"),
    ],
)
def test_no_rows_are_told_in_the_authors_words_and_tone(draw, make, content, words, css):
    box = draw(make.query(**content), answer=make.table("A")).select_one(".no-data")
    assert box.get_text(strip=True) == words
    assert css in box["class"]


def test_an_answer_in_part_says_so(draw, make):
    tree = draw(make.query(), answer=make.table("A", ("x",), partial="a node failed"))
    assert tree.select_one(".note.warning").text == "Partial result: a node failed"


@pytest.mark.parametrize(
    ("visualization", "selector"),
    [
        ("table", "table.grid"),
        ("", "table.grid"),
        ("tiles", "ul.tiles"),
        ("stat", ".tile.stat"),
        ("card", "pre.editor"),
        ("piechart", ".plot"),
        ("timechart", ".plot"),
        ("barchart", ".plot"),
        ("map", "table.grid"),
        ("graph", "table.grid"),
    ],
)
def test_each_visualization_is_drawn_as_itself_or_as_a_table(draw, make, visualization, selector):
    table = make.table("K, T:datetime, V:long", ("a", NOW, 1))
    assert draw(make.query(visualization=visualization), answer=table).select(selector)


def test_a_query_that_says_how_it_is_rendered_is_drawn_so(draw, make):
    table = make.table("T:datetime, V:long", (NOW, 1))
    assert draw(make.query("T | render timechart"), answer=table).select(".plot")
    assert draw(make.query("T | render unicorn"), answer=table).select("table.grid")


def test_a_result_that_cannot_be_a_chart_says_what_it_lacks(draw, make):
    tree = draw(make.query(visualization="timechart"), answer=make.table("K", ("a",)))
    assert tree.select_one(".note").text == (
        "A timechart needs a column for its x axis and a number; the result has K (string)."
    )


def test_a_chart_is_a_picture_with_words(draw, make):
    tree = draw(make.query(visualization="barchart", title="Events", size=4), answer=make.table("K, V:long", ("a", 3)))
    plot = tree.select_one(".plot")
    assert (plot["role"], plot["aria-label"]) == ("img", "Events: barchart. 1 series: V 3 in total.")
    assert "size-tiny" in plot["class"]


def test_a_range_and_a_point_of_a_chart_set_parameters_by_their_keys(draw, make):
    first = make.query(name="a", visualization="timechart", timeBrushParameterName="Range",
                       exportedParameters=[{"fieldName": "K", "parameterName": "Kind"}])  # fmt: skip
    second = {**first, "name": "b"}
    table = make.table("T:datetime, K, V:long", (NOW, "a", 1))
    assert draw(first, second, answer=table, which=0).select_one(".plot")["data-brush"] == "Range"
    plot = draw(first, second, answer=table).select_one(".plot")
    assert (plot["data-brush"], plot["data-point-export"]) == ("Range~2", '{"Kind~2": "series"}')
    assert not draw(first, answer=table, live=False).select("[data-brush], [data-point-export]")


def test_a_second_grid_that_sets_a_name_sets_its_own_key(draw, make):
    grid = make.query(exportedParameters=[{"fieldName": "A", "parameterName": "Row"}])
    tree = draw(grid, {**grid, "name": "r"}, answer=make.table("A", ("x",)), chosen={"Row~2": ("x",)})
    row = tree.select_one("tbody tr")
    assert (row["data-export"], row["aria-selected"]) == ('{"Row~2": "x"}', "true")


def test_tabs_mark_their_own_choice_and_lead_to_their_own_key(draw):
    def tab(name):
        links = [
            {"linkTarget": "parameter", "cellValue": "Tab", "subTarget": v, "linkLabel": v} for v in ("one", "two")
        ]
        return {"type": 11, "name": name, "content": {"version": "LinkItem/1.0", "style": "tabs", "links": links}}

    tree = draw(tab("a"), tab("b"), chosen={"Tab~2": ("two",)})
    assert [one.get("aria-current") for one in tree.select("a")] == [None, "page"]
    assert "Tab~2" in tree.a["href"]
    assert [one.get("aria-current") for one in draw(tab("a"), tab("b"), which=0).select("a")] == ["page", None]


def test_a_query_that_waits_says_for_what(draw, make):
    tree = draw(make.parameters({"name": "Zone", "type": 1, "isRequired": True}), make.query("T '{Zone}'"))
    assert tree.select_one(".waiting").text == "Choose a value for Zone."


def test_a_value_that_would_change_the_query_is_refused_on_the_page(draw, make):
    tree = draw(
        make.parameters({"name": "Zone", "type": 1}), make.query("T | where {Zone}"), chosen={"Zone": ("x | take 1",)}
    )
    assert "Zone" in tree.select_one(".error-card").text


@pytest.mark.parametrize(
    ("value", "address"),
    [
        (Value(values=("a", "b"), multiple=True), ("a", "b")),
        (Value(values=("a", "b"), all_text="*"), ("value::all",)),
        (Value(time=TimeRange(86_400_000), kind=ParameterKind.TIME_RANGE), ("1d",)),
        (Value(values=("",)), None),
        (None, None),
    ],
)
def test_values_are_handed_over_as_an_address_holds_them(value, address):
    assert address_values({"P": value}) == ({} if address is None else {"P": address})


# ---- places ---------------------------------------------------------------------------------------------------------


def group(*items, **content):
    beside = content.pop("item", {})
    return {
        "type": 12,
        "name": "g",
        "content": {"version": "NotebookGroup/1.0", "items": list(items), **content},
        **beside,
    }


def test_a_shell_has_a_place_for_every_item_in_order(make, soup):
    book = make.workbook(
        text("x"), group(make.query(item={"customWidth": "40"}), title="G"), {"type": 10, "content": {}}
    )
    tree = soup(shell(book))
    assert [one["data-path"] for one in tree.select("section")] == [
        "$.items[0]",
        "$.items[1]",
        "$.items[1].content.items[0]",
        "$.items[2]",
    ]
    assert "w-40" in tree.select("section")[2]["class"]
    assert len(tree.select("[data-item]")) == 3
    assert tree.select(".skeleton")


def test_what_may_be_hidden_is_hidden_until_it_is_known(make, soup):
    condition = {"conditionalVisibility": {"parameterName": "Tab", "comparison": "isEqualTo", "value": "x"}}
    assert soup(shell(make.workbook({**text("x"), **condition}))).section.has_attr("hidden")


def test_a_group_that_loads_at_a_click_has_a_button(make, soup):
    book = make.workbook(group(text("x"), loadType="explicit", loadButtonText="Show <more>"))
    tree = soup(shell(book))
    assert tree.button.text == "Show <more>"
    assert tree.button["data-load"] == tree.section["id"]
    assert tree.select_one(".items").has_attr("hidden")
    opened = soup(shell(book, frozenset({tree.section["id"]})))
    assert not opened.select("button")
    assert not opened.select_one(".items").has_attr("hidden")


@pytest.mark.parametrize(("expanded", "is_open", "waits"), [(False, False, True), (True, True, False)])
def test_a_group_that_unfolds_is_a_details_element(make, soup, expanded, is_open, waits):
    tree = soup(shell(make.workbook(group(text("x"), expandable=True, expanded=expanded, title="More"))))
    assert tree.details.has_attr("open") == is_open
    assert tree.details.has_attr("data-load-open") == waits
    assert tree.summary.text == "More"


def test_a_still_page_leaves_out_what_is_hidden_and_groups_that_hold_nothing(make, soup):
    hidden = {"conditionalVisibility": {"parameterName": "Tab", "comparison": "isEqualTo", "value": "x"}}
    book = make.workbook(text("seen"), {**text("unseen"), **hidden}, group({**text("x"), **hidden}, title="Empty"))
    state = resolve(book, Inputs(NOW))
    page = Page(state)
    found = {one.anchor: one for one in (fragment(page, state.items[item.path]) for item in walk(book.items))}
    tree = soup(filled(book, found, frozenset()))
    assert [one["data-path"] for one in tree.select("section")] == ["$.items[0]"]
