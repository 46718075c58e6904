from datetime import UTC, datetime, timedelta

import pytest

from workbooks.model import CompositePart, DateFormat, Formatter, FormatterKind, NumberFormat, Threshold
from workbooks.viz.cells import Cell, Scale, draw
from workbooks.viz.context import RenderContext

K = FormatterKind
GROUP = "/subscriptions/0/resourceGroups/rg-a/providers/Microsoft.ContainerInstance/containerGroups/web-01"
MOMENT = datetime(2026, 3, 1, 9, 5, 7, tzinfo=UTC)


def cell(value, kind=K.AUTO, row=None, scale=(0.0, 10.0), context=None, **how):
    row = {"c": value, **(row or {})}
    formatter = Formatter(path="$.f", column="c", kind=kind, **how)
    return str(draw(Cell(value, "c", row, formatter, Scale(*scale), context or RenderContext())))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        ("", ""),
        ("a<b", "a&lt;b"),
        (True, "true"),
        (1234567, "1,234,567"),
        (0.126, "0.13"),
        (-0.001, "0"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (MOMENT, "2026-03-01 09:05:07 UTC"),
        (timedelta(hours=3, minutes=4, seconds=9), "3\u202fh 4\u202fmin"),
        (timedelta(milliseconds=480), "480\u202fms"),
        (timedelta(days=-2), "-2\u202fd"),
        ([1, "<b>"], "[1, &quot;&lt;b&gt;&quot;]"),
        ({"a": None}, "{&quot;a&quot;: null}"),
    ],
)
def test_a_value_without_a_formatter_reads_as_its_type(value, shown):
    assert cell(value) == shown


@pytest.mark.parametrize(
    ("value", "unit", "options", "shown"),
    [
        (1234.5, 0, {}, "1,234.5"),
        (1234.5, 0, {"use_grouping": False}, "1234.5"),
        (2, 0, {"minimum_fraction_digits": 2}, "2.00"),
        (1.5, 0, {"maximum_fraction_digits": 10**30}, "1.5"),
        (1.5, 0, {"minimum_integer_digits": 10**30, "use_grouping": False}, f"{1:021}.5"),
        (1.5, 0, {"maximum_significant_digits": 10**30}, "1.5"),
        (1e308, 27, {}, "inf\u202fd"),
        (2.345, 0, {"maximum_fraction_digits": 0}, "2"),
        (2.5, 0, {"maximum_fraction_digits": 0}, "3"),
        (123456, 0, {"maximum_significant_digits": 2}, "120,000"),
        (7, 0, {"minimum_integer_digits": 3}, "007"),
        (0.25, 0, {"style": "percent"}, "25%"),
        (25, 1, {}, "25%"),
        (99.123, 1, {"maximum_fraction_digits": 1}, "99.1%"),
        (1536, 2, {}, "1.5\u202fKiB"),
        (5, 4, {}, "5\u202fMiB"),
        (1500, 17, {}, "1.5K"),
        (2_500_000, 17, {}, "2.5M"),
        (999, 17, {}, "999"),
        (1500, 23, {}, "1.5\u202fs"),
        (250, 23, {}, "250\u202fms"),
        (90, 24, {}, "1.5\u202fmin"),
        (90, 25, {}, "1.5\u202fh"),
        (36, 26, {}, "1.5\u202fd"),
        (0, 24, {}, "0\u202fs"),
        (-90, 24, {}, "-1.5\u202fmin"),
        (5, 31, {}, "5\u202f/s"),
        (12.5, 0, {"style": "currency", "currency": "EUR"}, "12.5\u202fEUR"),
        (5, 4711, {}, "5"),
        ("n/a", 2, {}, "n/a"),
    ],
)
def test_a_number_is_written_with_its_unit(value, unit, options, shown):
    assert cell(value, number_format=NumberFormat(unit=unit, **options)) == shown


@pytest.mark.parametrize("value", [None, ""])
def test_an_empty_value_is_the_text_that_the_author_chose(value):
    assert cell(value, number_format=NumberFormat(empty_text="never")) == "never"


def test_a_duration_keeps_its_own_units_unless_a_unit_is_said():
    assert cell(timedelta(seconds=90), number_format=NumberFormat(unit=0)) == "1\u202fmin 30\u202fs"
    assert cell(timedelta(seconds=90), number_format=NumberFormat(unit=23)) == "1.5\u202fmin"


@pytest.mark.parametrize(
    ("name", "utc", "shown"),
    [
        ("shortDatePattern", True, "2026-03-01"),
        ("longDatePattern", True, "Sunday, 01 March 2026"),
        ("shortTimePattern", True, "09:05 UTC"),
        ("longTimePattern", None, "09:05:07 UTC"),
        ("sortableDateTimePattern", True, "2026-03-01T09:05:07 UTC"),
        ("universalSortableDateTimePattern", True, "2026-03-01 09:05:07Z"),
        ("whatever", None, "2026-03-01 09:05:07 UTC"),
    ],
)
def test_a_time_is_written_by_its_pattern(name, utc, shown):
    assert cell(MOMENT, K.DATE_TIME, date_format=DateFormat(name, utc)) == shown
    assert cell("2026-03-01T09:05:07Z", K.DATE_TIME, date_format=DateFormat(name, utc)) == shown


def test_what_is_no_time_stays_text():
    assert cell("soon", K.DATE_TIME) == "soon"


@pytest.mark.parametrize(
    ("kind", "html"),
    [
        (K.TEXT, "&lt;i&gt;"),
        (K.LINK, "&lt;i&gt;"),
        (K.RESOURCE_TYPE, "&lt;i&gt;"),
        (K.LOCATION, "&lt;i&gt;"),
        (K.UNKNOWN, "&lt;i&gt;"),
        (K.RIGHT_ALIGNED, '<span class="right">&lt;i&gt;</span>'),
        (K.BAR, "&lt;i&gt;"),
        (K.HEATMAP, "&lt;i&gt;"),
        (K.SPARK_LINE, "&lt;i&gt;"),
        (K.ICON, "&lt;i&gt;"),
        (K.THRESHOLDS, "&lt;i&gt;"),
        (K.COMPOSITE_BAR, "&lt;i&gt;"),
        (K.BIG_NUMBER, '<span class="big">&lt;i&gt;</span>'),
    ],
)
def test_a_value_that_a_formatter_cannot_draw_is_its_text_escaped(kind, html):
    assert cell("<i>", kind) == html


@pytest.mark.parametrize("kind", list(FormatterKind))
@pytest.mark.parametrize(
    "value",
    [None, "", "<script>", 0, -1, 1e308, float("nan"), True, MOMENT, timedelta(1), [], [None], ["x"], {}, "[1,"],
)
def test_every_formatter_draws_every_value(kind, value):
    assert "<script" not in cell(value, kind, scale=(0.0, 0.0))


def test_a_bar_is_as_long_as_the_value_between_its_limits(soup):
    tree = soup(cell(5, K.BAR, palette="red", number_format=NumberFormat(unit=1)))
    assert tree.meter["value"] == "0.5000"
    assert "c-red" in tree.meter["class"]
    assert tree.select_one(".bar-text").text == "5%"
    assert soup(cell(99, K.BAR, minimum=0.0, maximum=10.0)).meter["value"] == "1.0000"
    assert soup(cell(-5, K.BAR, minimum=0.0, maximum=10.0)).meter["value"] == "0.0000"
    assert soup(cell(5, K.BAR, scale=(5.0, 5.0))).meter["value"] == "1.0000"
    assert "under" in soup(cell(5, K.BAR_UNDERNEATH)).span["class"]


@pytest.mark.parametrize(
    ("value", "palette", "name"),
    [
        (0, "redGreen", "p-redGreen-0"),
        (10, "redGreen", "p-redGreen-8"),
        (5, "", "p-blue-4"),
        (5, "nobody knows it", "p-blue-4"),
        (-7, "red", "p-red-0"),
        (10, "orangeRed", "p-red-8"),
        (10, "redBright", "p-red-8"),
        (10, "greenDark", "p-green-8"),
    ],
)
def test_a_heatmap_shades_by_the_place_between_lowest_and_highest(soup, value, palette, name):
    assert name in soup(cell(value, K.HEATMAP, palette=palette)).span["class"]


def test_a_heatmap_of_one_value_is_in_the_middle_and_the_palette_none_has_no_shade(soup):
    assert "p-blue-4" in soup(cell(3, K.HEATMAP, scale=(3.0, 3.0))).span["class"]
    assert "p-blue-8" in soup(cell(1e308, K.HEATMAP, scale=(-1e308, 1e308))).span["class"]
    assert soup(cell(3, K.HEATMAP, palette="none")).span["class"] == ["heat"]


@pytest.mark.parametrize(
    ("kind", "shape"), [(K.SPARK_LINE, "polyline"), (K.SPARK_BARS, "rect"), (K.SPARK_AREA, "polygon")]
)
@pytest.mark.parametrize("value", [[1, 4, 2], "[1, 4, 2]"])
def test_a_spark_is_drawn_from_an_array_and_said_in_words(soup, kind, shape, value):
    tree = soup(cell(value, kind))
    assert tree.select(shape)
    assert tree.svg["role"] == "img"
    assert tree.svg["aria-label"] == "c: 3 values, last 2, lowest 1, highest 4"


def test_a_gap_in_a_spark_is_not_drawn_over(soup):
    tree = soup(cell([1, 2, None, 3, 4, None, 5], K.SPARK_LINE))
    assert [len(line["points"].split()) for line in tree.select("polyline")] == [2, 2]
    assert len(tree.select("circle")) == 1


def test_a_long_spark_keeps_its_highest_points(soup):
    values = [0.0] * 100_000
    values[77_777] = 9.0
    tree = soup(cell(values, K.SPARK_BARS))
    assert len(tree.select("rect")) <= 500
    assert "highest 9" in tree.svg["aria-label"]


def icons(*rows):
    return tuple(Threshold(f"$.t[{i}]", *row) for i, row in enumerate(rows))


@pytest.mark.parametrize(
    ("operator", "against", "value", "is_met"),
    [
        ("==", "5", 5, True), ("==", "5.0", 5, True), ("==", "Failed", "failed", True), ("==", "true", True, True),
        ("!=", "5", 5, False), ("!=", "x", "y", True), (">", "5", 6, True), (">", "5", 5, False), (">=", "5", 5, True),
        ("<", "5", 4, True), ("<=", "5", 5, True), ("<", "5", "abc", False), ("contains", "drift", "A_DRIFT_b", True),
        ("!contains", "drift", "ok", True), ("startsWith", "re", "Recon", True), ("endsWith", "ed", "failed", True),
        ("regex", "^a.c$", "abc", True), ("regex", "^a.c$", "xabc", False), ("regex", "(", "x", False),
        ("is Empty", "", None, True), ("is Empty", "", "", True), ("is Empty", "", 0, False),
        ("is Empty", "", [], True), ("is not empty", "", "x", True), ("Default", "", None, True),
        ("odd", "1", 1, False), (">", "5", None, False),
        (">", "1000", timedelta(seconds=2), True),
    ],
)  # fmt: skip
def test_a_threshold_holds_when_its_comparison_does(soup, operator, against, value, is_met):
    grid = icons((operator, against, "success", "met"), ("Default", "", "failed", "not met"))
    tree = soup(cell(value, K.THRESHOLDS, thresholds=grid))
    assert tree.text.strip() == ("met" if is_met else "not met")


def test_the_first_threshold_that_holds_decides(soup):
    grid = icons((">", "1", "warning", "{0}{1} of {2}"), (">", "0", "success", "no"))
    assert soup(cell(2, K.THRESHOLDS, thresholds=grid)).text.strip() == "2 of {2}"


def test_a_thresholds_text_names_the_value_its_unit_and_other_cells():
    grid = icons(("Default", "", "info", '{0}{1} since ["Since"] <b>'))
    drawn = cell(90, K.THRESHOLDS, {"Since": "<i>noon"}, thresholds=grid, number_format=NumberFormat(unit=24))
    assert "1.5min since &lt;i&gt;noon &lt;b&gt;" in drawn


def test_an_icon_stands_beside_its_text_and_speaks_where_there_is_none(soup):
    with_text = soup(cell("drift", K.THRESHOLDS, thresholds=icons(("Default", "", "4", "{0}"))))
    assert with_text.svg["aria-hidden"] == "true"
    assert with_text.text.strip() == "drift"
    without = soup(cell("drift", K.THRESHOLDS, thresholds=icons(("Default", "", "4", ""))))
    assert (without.svg["role"], without.svg["aria-label"]) == ("img", "4")


def test_a_threshold_colour_is_the_ground_of_its_text(soup):
    tree = soup(cell(1, K.THRESHOLDS, thresholds=icons(("Default", "", "redBright", "{0}")), thresholds_as="colors"))
    assert tree.span["class"] == ["chip", "c-red"]


def test_no_threshold_holds_then_the_value_stands_alone():
    assert cell(3, K.THRESHOLDS, thresholds=icons((">", "9", "failed", "x"))) == "3"


def test_an_unknown_icon_leaves_the_text():
    assert cell(3, K.THRESHOLDS, thresholds=icons(("Default", "", "unicorn", "{0} horns"))) == "3 horns"


@pytest.mark.parametrize(("kind", "name"), [(K.RESOURCE, "web-01"), (K.RESOURCE_GROUP, "rg-a"), (K.SUBSCRIPTION, "0")])
def test_a_resource_is_shown_by_its_part_and_leads_to_the_portal(soup, kind, name):
    link = soup(cell(GROUP, kind)).a
    assert link.text.strip() == name
    assert link["href"] == f"https://portal.azure.com/#resource{GROUP}"
    assert (link["target"], link["rel"]) == ("_blank", ["noopener", "noreferrer"])


def test_a_resource_that_is_no_id_is_text():
    assert "<a" not in cell("javascript:alert(1)", K.RESOURCE)
    assert "<a" not in cell("//evil.example", K.RESOURCE, link_target="Resource")


def test_a_composite_bar_shares_its_width_among_its_columns(soup):
    parts = (CompositePart("Ok", "green"), CompositePart("Bad", "red"), CompositePart("Missing"))
    drawn = cell(4, K.COMPOSITE_BAR, {"Ok": 3, "Bad": 1}, composite=parts, composite_label='["Ok"] of ["c"]')
    tree = soup(drawn)
    assert [rect["width"] for rect in tree.select("rect")] == ["75.00%", "25.00%", "0.00%"]
    assert tree.svg["aria-label"] == "Ok 3, Bad 1, Missing 0"
    assert tree.select_one(".bar-text").text == "3 of 4"


def test_a_timeline_goes_from_its_other_column_to_its_value():
    drawn = cell(MOMENT, K.TIMELINE, {"From": MOMENT - timedelta(hours=1)}, timeline_start="From")
    assert drawn == "2026-03-01 08:05:07 UTC \N{EN DASH} 2026-03-01 09:05:07 UTC"


def test_a_tooltip_names_other_cells(soup):
    tree = soup(cell(1, tooltip='of ["Who"] "><script>', row={"Who": "web"}))
    assert tree.span["title"] == 'of web "><script>'


@pytest.mark.parametrize(
    ("target", "value", "href"),
    [
        ("Url", "https://a.example/x?y=1&z=2", "https://a.example/x?y=1&z=2"),
        ("url", "javascript:alert(1)", None),
        ("url", "/w/fleet?Zone=x", None),
        ("url", "just words", None),
        ("Url", "data:text/html,x", None),
        ("Url", "", None),
        ("Resource", GROUP, f"https://portal.azure.com/#resource{GROUP}"),
        ("Resource", "/subscriptions/0/x y\"'<", "https://portal.azure.com/#resource/subscriptions/0/x%20y%22%27%3C"),
        ("Resource", "no id", None),
    ],
)
def test_a_cell_leads_where_its_link_says_if_that_is_harmless(soup, target, value, href):
    link = soup(cell(value, link_target=target)).a
    assert (link["href"] if link else None) == href


def test_a_link_may_take_its_address_and_its_words_from_elsewhere(soup):
    link = soup(cell("x", row={"U": "https://a.example"}, link_target="Url", link_column="U", link_label="Open <b>")).a
    assert (link["href"], link.text) == ("https://a.example", "Open <b>")


@pytest.mark.parametrize(
    ("target", "value", "said"),
    [
        ("CellDetails", '{"a": [1]}', '{\n  "a": [\n    1\n  ]\n}'),
        ("CellDetails", "plain <b>", "plain <b>"),
        ("GenericDetails", 1, '{\n  "c": 1,\n  "o": 2\n}'),
    ],
)
def test_details_are_shown_by_a_button(soup, target, value, said):
    button = soup(cell(value, row={"o": 2}, link_target=target)).button
    assert (button["type"], button["data-details"]) == ("button", said)


def workbook(**more):
    return {"workbookContext": {"templateId": "x/group", "passSpecificParams": True, **more}}


def linked(link_context, row=None, values=None):
    seen = []

    def url(template, parameters):
        seen.append((template, parameters))
        return "/w/group"

    context = RenderContext(workbook_url=url, values=lambda: values or {}, export_url=lambda _: "?")
    drawn = cell("web", row=row, context=context, link_target="WorkbookTemplate", link_context=link_context)
    return drawn, seen


def test_a_link_to_a_workbook_hands_over_texts_parameters_and_cells():
    parameters = [
        {"name": "Group", "source": "column", "value": "Id"},
        {"name": "TimeRange", "source": "parameter", "value": "TimeRange"},
        {"name": "Unset", "source": "parameter", "value": "Nothing"},
        {"name": "Tab", "source": "static", "value": "events"},
        "odd",
    ]
    values = {"TimeRange": ("1d",), "Zone": ("a", "b")}
    drawn, seen = linked(workbook(templateParameters=parameters), {"Id": GROUP}, values)
    assert seen == [("x/group", {"Group": (GROUP,), "TimeRange": ("1d",), "Tab": ("events",)})]
    assert drawn == '<a href="/w/group">web</a>'


def test_a_link_to_a_workbook_that_names_nothing_hands_over_all():
    _, seen = linked(workbook(passSpecificParams=False), values={"Zone": ("a", "b")})
    assert seen == [("x/group", {"Zone": ("a", "b")})]


@pytest.mark.parametrize("listed", [0, 7, "x", {}, [1, None]])
def test_a_link_to_a_workbook_whose_parameters_are_no_list_hands_over_nothing(listed):
    assert linked(workbook(templateParameters=listed), values={"Zone": ("a",)})[1] == [("x/group", {})]


def test_the_workbook_may_stand_in_a_column():
    _, seen = linked(workbook(templateIdSource="column", templateId="T"), {"T": "y"})
    assert seen[0][0] == "y"


def test_a_link_that_leads_nowhere_here_is_its_text_and_a_badge():
    context = RenderContext(export_url=lambda _: "?")
    assert cell("web", context=context, link_target="WorkbookTemplate", link_context=workbook()) == "web"
    assert [one.message for one in context.badges] == ["a link to the workbook x/group, which is not here"]
    assert cell("web", context=context, link_target="OpenBlade") == "web"
    assert context.badges[-1].path == "$.f.formatOptions.linkTarget"


@pytest.mark.parametrize("value", ["", None, "  "])
@pytest.mark.parametrize("target", ["Url", "CellDetails", "WorkbookTemplate"])
def test_a_cell_that_shows_nothing_is_no_link(value, target):
    context = RenderContext(workbook_url=lambda *_: "/w/x", export_url=lambda _: "?")
    row = {"To": "https://a.example"}
    drawn = cell(value, row=row, context=context, link_target=target, link_column="To", link_context=workbook())
    assert "<a" not in drawn
    assert "<button" not in drawn


def test_a_cell_that_shows_an_icon_alone_is_a_link():
    drawn = cell("success", kind=K.ICON, link_target="Url", link_column="To",
                 row={"To": "https://a.example"})  # fmt: skip
    assert drawn.startswith("<a")
    assert "<svg" in drawn
