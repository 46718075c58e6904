import json
from dataclasses import replace

import pytest

from workbooks.model import (
    Export,
    Formatter,
    FormatterKind,
    GridSettings,
    HierarchySettings,
    ParameterKind,
    Sort,
)
from workbooks.viz.context import RenderContext
from workbooks.viz.grid import grid


@pytest.fixture
def draw(soup, context, make):
    def drawn(table, settings=None, exports=(), within=context):
        return soup(grid(table, settings or GridSettings(), within, name="Groups", exports=exports))

    return drawn


def cells(tree):
    return [[cell.get_text(strip=True) for cell in row.select("td, th")] for row in tree.select("tbody tr")]


def test_a_grid_is_a_table_with_captions_in_the_order_of_the_result(draw, make):
    settings = GridSettings(labels=(("B", "Bytes", "what <it> is"),))
    tree = draw(make.table("A, B:long", ("x", 2), ("<b>", 1)), settings)
    assert [head.get_text() for head in tree.select("thead th")] == ["A", "Bytes"]
    assert tree.select("thead th")[1]["title"] == "what <it> is"
    assert cells(tree) == [["x", "2"], ["<b>", "1"]]
    assert tree.caption.text == "Groups"
    assert all(head["scope"] == "col" for head in tree.select("thead th"))


def test_numbers_line_up_on_the_right(draw, make):
    tree = draw(make.table("A, B:long", ("x", 2)))
    assert [cell.get("class") for cell in tree.select("td")] == [None, ["number"]]


def test_hidden_columns_are_there_for_other_columns_only(draw, make):
    settings = GridSettings(
        formatters=(
            Formatter(path="", column="Id", kind=FormatterKind.HIDDEN),
            Formatter(path="", column="A", link_target="Url", link_column="Id"),
        )
    )
    tree = draw(make.table("A, Id", ("x", "https://a.example")), settings)
    assert [head.get_text() for head in tree.select("thead th")] == ["A"]
    assert tree.a["href"] == "https://a.example"


@pytest.mark.parametrize(
    ("pattern", "is_hidden"),
    [
        ("Since", True),
        ("since", True),
        ("S.*", True),
        ("Sin", False),
        ("^Since$", True),
        ("(", False),
        ("", False),
        ("Other|Since", True),
    ],
)
def test_a_formatter_is_for_the_columns_that_its_pattern_matches_whole(draw, make, pattern, is_hidden):
    settings = GridSettings(formatters=(Formatter(path="", column=pattern, kind=FormatterKind.HIDDEN),))
    assert (not draw(make.table("Since", ("x",)), settings).select("td")) == is_hidden


def test_a_formatter_that_names_the_column_goes_before_a_pattern(draw, make):
    hidden = Formatter(path="", column=".*", kind=FormatterKind.HIDDEN)
    tree = draw(make.table("A, B", ("x", "y")), GridSettings(formatters=(hidden, Formatter(path="", column="B"))))
    assert cells(tree) == [["y"]]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ((), ["b", "A", "", "c"]),
        ((Sort("", "N"),), ["A", "b", "c", ""]),
        ((Sort("", "N", ascending=False),), ["c", "b", "A", ""]),
        ((Sort("", "$gen_heatmap_N_0", ascending=False),), ["c", "b", "A", ""]),
        ((Sort("", "no such"),), ["b", "A", "", "c"]),
    ],
)
def test_rows_stand_in_the_order_of_the_settings_with_the_empty_last(draw, make, sort, order):
    table = make.table("N, V:long", ("b", 1), ("A", 2), ("", 3), ("c", 4))
    tree = draw(table, GridSettings(sort_by=sort))
    assert [row[0] for row in cells(tree)] == order


def test_numbers_are_sorted_as_numbers_and_a_second_key_breaks_ties(draw, make):
    table = make.table("N, V:long", ("b", 10), ("a", 10), ("c", 9))
    tree = draw(table, GridSettings(sort_by=(Sort("", "V"), Sort("", "N"))))
    assert cells(tree) == [["c", "9"], ["a", "10"], ["b", "10"]]


def test_the_header_says_how_the_rows_are_sorted(draw, make):
    tree = draw(make.table("N, V:long", ("b", 10)), GridSettings(sort_by=(Sort("", "V", ascending=False),)))
    assert [head["aria-sort"] for head in tree.select("thead th")] == ["none", "descending"]


def test_the_row_limit_is_said(draw, make):
    table = make.table("N:long", *((n,) for n in range(300)))
    assert len(draw(table).select("tbody tr")) == 250
    assert draw(table).select_one(".note").text == "First 250 of 300 rows."
    assert len(draw(table, GridSettings(row_limit=300)).select("tbody tr")) == 300


def test_a_result_that_was_cut_says_so(draw, make):
    assert "cut at 1,000 rows" in draw(make.table("N:long", (1,), truncated_at=1000)).select_one(".note.warning").text


def test_a_filter_box_has_a_name(draw, make):
    tree = draw(make.table("N", ("x",)), GridSettings(filter=True))
    assert tree.select_one("input.grid-filter")["aria-label"] == "Filter rows of Groups"
    assert not draw(make.table("N", ("x",))).select("input")


def test_a_cell_carries_what_it_is_sorted_by_in_the_browser(draw, make):
    tree = draw(make.table("N:long, T", (1500, "Web"), (None, "")), GridSettings())
    assert [cell["data-sort"] for cell in tree.select("td")] == ["1500.000000", "web", "", ""]


@pytest.mark.parametrize(
    ("width", "kept"),
    [
        ("120px", "120px"),
        ("15ch", "15ch"),
        ("30%", "30%"),
        ("1fr", "1fr"),
        ("1px;background:url(//x)", None),
        ("expression(1)", None),
    ],
)
def test_a_column_keeps_the_width_that_is_a_length(draw, make, width, kept):
    tree = draw(make.table("N", ("x",)), GridSettings(formatters=(Formatter(path="", column="N", width=width),)))
    assert tree.th.get("data-width") == kept


# ---- selection ------------------------------------------------------------------------------------------------------


def export(column="N", parameter="P", **more):
    return Export(path="", column=column, parameter=parameter, parameter_kind=ParameterKind.TEXT, **more)


def test_a_row_that_can_be_chosen_says_what_it_sets(draw, make):
    tree = draw(make.table("N, V:long", ('a"<', 2)), exports=(export(), export("V", "Q"), export("none", "R")))
    row = tree.select_one("tbody tr")
    assert json.loads(row["data-export"]) == {"P": 'a"<', "Q": "2", "R": ""}
    assert (row["tabindex"], row["aria-selected"], tree.table["role"]) == ("0", "false", "grid")


def test_a_row_may_be_exported_whole(draw, make):
    row = draw(make.table("N, V:long", ("a", 2)), exports=(export(""),)).select_one("tbody tr")
    assert json.loads(json.loads(row["data-export"])["P"]) == {"N": "a", "V": 2}


def test_the_chosen_row_is_marked_and_its_choice_has_its_own_key(draw, make, context):
    within = replace(context, key=lambda name: f"{name}~2", chosen={"P~2": ("b",)})
    tree = draw(make.table("N", ("a",), ("b",)), exports=(export(),), within=within)
    assert [row["aria-selected"] for row in tree.select("tbody tr")] == ["false", "true"]
    assert json.loads(tree.select_one("tbody tr")["data-export"]) == {"P~2": "a"}


def test_several_rows_can_be_chosen_where_the_export_says_so(draw, make, context):
    within = replace(context, chosen={"P": ("a", "b")})
    tree = draw(make.table("N", ("a",), ("b",), ("c",)), exports=(export(multiple=True),), within=within)
    assert [row["aria-selected"] for row in tree.select("tbody tr")] == ["true", "true", "false"]
    assert all(row.has_attr("data-multiple") for row in tree.select("tbody tr"))


def test_nothing_can_be_chosen_on_a_page_that_stands_still(draw, make):
    tree = draw(make.table("N", ("a",)), exports=(export(),), within=RenderContext())
    assert not tree.select("[data-export], [role=grid]")


# ---- trees ----------------------------------------------------------------------------------------------------------

TREE = HierarchySettings(path="", tree=1, group_by=("G", "H"), expand_top_level=True)


def levels(tree):
    return [
        (row.get("aria-level"), row.get("hidden") is not None, row.get_text(" ", strip=True))
        for row in tree.select("tbody tr")
    ]


def test_rows_are_grouped_by_columns_with_their_counts(draw, make):
    table = make.table("G, H, N", ("a", "x", "1"), ("b", "x", "2"), ("a", "y", "3"))
    tree = draw(table, GridSettings(hierarchy=TREE))
    assert tree.table["role"] == "treegrid"
    assert levels(tree) == [
        ("1", False, "a (2)"), ("2", False, "x (1)"), ("3", True, "a x 1"), ("2", False, "y (1)"), ("3", True, "a y 3"),
        ("1", False, "b (1)"), ("2", False, "x (1)"), ("3", True, "b x 2"),
    ]  # fmt: skip
    assert [button["aria-expanded"] for button in tree.select(".twist")] == ["true", "false", "false", "true", "false"]


def test_rows_stand_below_their_parents(draw, make):
    table = make.table("Id, Parent", ("c", "b"), ("a", ""), ("b", "a"), ("d", "nobody"))
    how = HierarchySettings(path="", tree=0, id_column="Id", parent_column="Parent")
    assert [level for level, _, _ in levels(draw(table, GridSettings(hierarchy=how)))] == ["1", "2", "3", None]


def test_rows_that_are_their_own_ancestors_are_shown_once(draw, make):
    table = make.table("Id, Parent", ("a", "b"), ("b", "a"), ("c", "c"))
    how = HierarchySettings(path="", tree=0, id_column="Id", parent_column="Parent")
    assert len(draw(table, GridSettings(hierarchy=how)).select("tbody tr")) == 3


@pytest.mark.parametrize("how", [HierarchySettings(path="", group_by=("no",)), HierarchySettings(path="", tree=0)])
def test_columns_that_are_not_there_arrange_nothing(draw, make, how):
    assert cells(draw(make.table("N", ("a",), ("b",)), GridSettings(hierarchy=how))) == [["a"], ["b"]]


def test_a_deep_chain_of_parents_is_drawn(draw, make):
    table = make.table("Id, Parent", *((str(n), str(n - 1)) for n in range(300)))
    how = HierarchySettings(path="", tree=0, id_column="Id", parent_column="Parent")
    assert len(draw(table, GridSettings(hierarchy=how, row_limit=1000)).select("tbody tr")) == 300
