import json
from datetime import UTC, datetime, timedelta

import pytest

from workbooks.model import AxisSettings, ChartSettings, NumberFormat, SeriesLabel
from workbooks.viz.charts import KINDS, chart
from workbooks.viz.series import Axes, axes_of

T = [datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(hours=hour) for hour in range(4)]


def stamp(hour):
    return T[hour].strftime("%Y-%m-%dT%H:%M:%S.000Z")


@pytest.mark.parametrize(
    ("columns", "settings", "axes"),
    [
        ("T:datetime, V:long", {}, Axes("T", ("V",))),
        ("V:long, T:datetime, K", {}, Axes("T", ("V",), "K")),
        ("K, V:long, W:real", {}, Axes("K", ("V", "W"))),
        ("V:long, W:real", {}, Axes("V", ("W",))),
        ("K, L, V:long", {}, Axes("K", ("V",), "L")),
        ("T:datetime, K, V:long, W:long", {"y_axis": ("W",), "group": "K", "x_axis": "T"}, Axes("T", ("W",), "K")),
        ("T:datetime, V:timespan", {}, Axes("T", ("V",))),
        ("T:datetime, V:long", {"x_axis": "no", "y_axis": ("nope",), "group": "x"}, Axes("T", ("V",))),
        ("K", {}, None),
        ("V:long", {}, None),
        ("T:datetime, K", {}, None),
    ],
)
def test_columns_are_chosen_by_their_types_unless_the_settings_name_them(make, columns, settings, axes):
    assert axes_of(make.table(columns), ChartSettings(**settings)) == axes


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_result_without_columns_to_draw_is_no_chart(make, kind):
    assert chart(make.table("K", ("x",)), kind, ChartSettings()) is None


@pytest.mark.parametrize(
    ("kind", "type_", "mode", "layout"),
    [
        ("timechart", "scatter", "lines", {"hovermode": "x unified"}),
        ("linechart", "scatter", "lines", {"hovermode": "x unified"}),
        ("areachart", "scatter", "lines", {"hovermode": "x unified"}),
        ("scatterchart", "scatter", "markers", {"hovermode": "closest"}),
        ("barchart", "bar", None, {"barmode": "stack"}),
        ("categoricalbar", "bar", None, {"barmode": "stack"}),
        ("columnchart", "bar", None, {"barmode": "stack"}),
        ("unstackedbar", "bar", None, {"barmode": "group"}),
    ],
)
def test_each_kind_is_its_own_trace(make, kind, type_, mode, layout):
    table = make.table("T:datetime, V:long", (T[1], 2), (T[0], 1))
    figure = chart(table, kind, ChartSettings()).figure
    (trace,) = figure["data"]
    assert (trace["type"], trace.get("mode")) == (type_, mode)
    assert (trace["x"], trace["y"]) == ([stamp(0), stamp(1)], [1.0, 2.0])
    assert layout.items() <= figure["layout"].items()
    assert figure["layout"]["xaxis"]["type"] == "date"


def test_areas_stand_on_one_another(make):
    table = make.table("T:datetime, K, V:long", *((t, k, 1) for t in T for k in "ab"))
    traces = chart(table, "areachart", ChartSettings()).figure["data"]
    assert [(trace["fill"], trace["stackgroup"]) for trace in traces] == [("tozeroy", "one"), ("tonexty", "one")]


def test_a_text_splits_into_series_and_empty_ones_are_named(make):
    table = make.table("T:datetime, K, V:long", (T[0], "b", 1), (T[0], "a", 2), (T[1], "b", 3), (T[0], "", 4))
    traces = chart(table, "timechart", ChartSettings()).figure["data"]
    assert [(trace["name"], trace["y"]) for trace in traces] == [("(empty)", [4.0]), ("a", [2.0]), ("b", [1.0, 3.0])]
    assert [trace["mode"] for trace in traces] == ["lines+markers", "lines+markers", "lines"]


def test_series_stand_as_the_settings_name_them_then_by_name_whatever_the_order_of_the_rows(make):
    settings = ChartSettings(series=(SeriesLabel("z"), SeriesLabel("m", "", "red")))
    rows = [(T[0], name, 1) for name in ("b", "z", "A", "m")]
    found = [chart(make.table("T:datetime, K, V:long", *some), "barchart", settings) for some in (rows, rows[::-1])]
    assert [[trace["name"] for trace in one.figure["data"]] for one in found] == [["z", "m", "A", "b"]] * 2


def test_a_colour_that_a_series_has_by_the_settings_is_no_other_ones(make):
    table = make.table("T:datetime, K, V:long", *((T[0], name, 1) for name in "abcd"))
    settings = ChartSettings(series=(SeriesLabel("c", "", "blue"), SeriesLabel("not here", "", "orange")))
    traces = chart(table, "barchart", settings).figure["data"]
    assert [(trace["name"], trace["marker"]["color"]) for trace in traces] == [
        ("c", "--hue-blue"), ("a", "--hue-orange"), ("b", "--hue-green"), ("d", "--hue-red"),
    ]  # fmt: skip


def test_series_of_one_hue_are_told_apart_by_a_second_sign(make):
    table = make.table("T:datetime, K, V:long", *((T[0], f"{n:02}", 1) for n in range(11)))
    first, *_, last = chart(table, "barchart", ChartSettings()).figure["data"]
    assert (first["marker"], last["marker"]) == (
        {"color": "--hue-blue"}, {"color": "--hue-blue", "pattern": {"shape": "/"}},
    )  # fmt: skip
    assert chart(table, "linechart", ChartSettings()).figure["data"][-1]["line"]["dash"] == "dot"


@pytest.mark.parametrize(
    ("minutes", "width"),
    [
        ([0], 720), ([0, 60], 60), ([0, 360, 1440], 360), ([720], 1440), ([725], 5), ([0, 30, 60], 30),
        ([0, 1440 * 3], 720), ([0, 0.5], None), ([], None),
    ],
)  # fmt: skip
def test_a_bar_is_as_wide_as_the_bin_that_it_stands_for_however_few_there_are(make, minutes, width):
    rows = [(T[0] + timedelta(minutes=minute), 1) for minute in minutes]
    found = chart(make.table("T:datetime, V:long", *rows), "barchart", ChartSettings()).figure["data"]
    assert [trace.get("width") for trace in found] == ([width and width * 60_000 * 0.9] if rows else [])


def test_the_bar_of_a_single_bin_is_as_wide_as_bins_of_its_range_are(make):
    table = make.table("T:datetime, V:long", (T[0], 1))
    (trace,) = chart(table, "barchart", ChartSettings(), (T[0], T[0] + timedelta(days=7))).figure["data"]
    assert trace["width"] == 6 * 3_600_000 * 0.9


def test_a_bar_that_is_none_says_how_wide_bins_are_where_no_two_bars_do(make):
    table = make.table("T:datetime, V:long", (T[0], 1), (T[0] + timedelta(days=3), 2))
    (trace,) = chart(table, "barchart", ChartSettings()).figure["data"]
    assert (trace["x"][-1], trace["y"]) == ("2026-03-02T00:00:00.000Z", [1.0, 2.0, None])


def test_bars_side_by_side_share_their_bin(make):
    table = make.table("T:datetime, V:long, W:long", (T[0], 1, 2), (T[1], 1, 2))
    first, second = chart(table, "unstackedbar", ChartSettings()).figure["data"]
    hour = 3_600_000
    assert first["width"] == second["width"] == hour * 0.45
    assert (first["offset"], second["offset"]) == pytest.approx((hour * 0.05, hour * 0.5))


@pytest.mark.parametrize(
    ("unit", "values", "shown", "suffix"),
    [
        (23, (0, 90_000), [0.0, 1.5], " min"),
        (23, (5, 480), [5.0, 480.0], " ms"),
        (24, (7200, 1800), [2.0, 0.5], " h"),
        (25, (0, 0), [0.0, 0.0], " min"),
        (1, (50, 100), [50.0, 100.0], "%"),
        (0, (1, 2), [1.0, 2.0], ""),
    ],
)
def test_durations_are_drawn_in_the_unit_that_suits_them(make, unit, values, shown, suffix):
    settings = ChartSettings(y=AxisSettings(number_format=NumberFormat(unit=unit)), threshold=float(values[1]))
    rows = [(T[hour], value) for hour, value in enumerate(values)]
    figure = chart(make.table("T:datetime, V:long", *rows), "linechart", settings).figure
    assert (figure["data"][0]["y"], figure["layout"]["yaxis"]["ticksuffix"]) == (shown, suffix)
    assert figure["layout"]["shapes"][0]["y0"] == shown[1]


@pytest.mark.parametrize(
    ("kind", "values", "step"),
    [
        ("barchart", (1, 2), 1), ("barchart", (4, 4), None), ("unstackedbar", (4, 4), 1), ("linechart", (0.5, 1), None),
        ("linechart", (0, 0), None), ("linechart", (-1, 2), None), ("linechart", (3, 2), 1),
    ],
)  # fmt: skip
def test_an_axis_of_small_counts_says_whole_numbers_alone(make, kind, values, step):
    rows = [(T[0], name, value) for name, value in zip("ab", values, strict=True)]
    layout = chart(make.table("T:datetime, K, V:real", *rows), kind, ChartSettings()).figure["layout"]
    assert layout["yaxis"].get("dtick") == step


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_numbers_that_json_does_not_know_are_nothing(make, kind):
    rows = [(x, y) for x in (1.0, float("nan"), float("inf")) for y in (1e308, 1e308, float("-inf"))]
    found = chart(make.table("X:real, Y:real", *rows), kind, ChartSettings(other_group_after=1))
    json.dumps(found.figure, allow_nan=False)


def test_several_numbers_are_series_of_their_own_also_beside_a_split(make):
    both = make.table("T:datetime, K, V:long, W:long", (T[0], "a", 1, 2))
    assert [trace["name"] for trace in chart(both, "linechart", ChartSettings()).figure["data"]] == ["a V", "a W"]
    plain = make.table("T:datetime, V:long, W:long", (T[0], 1, 2))
    assert [trace["name"] for trace in chart(plain, "linechart", ChartSettings()).figure["data"]] == ["V", "W"]


def test_series_have_the_labels_and_colours_of_the_settings(make):
    table = make.table("T:datetime, K, V:long", (T[0], "a", 1), (T[0], "b", 1))
    settings = ChartSettings(series=(SeriesLabel("a", "Bad", "redBright"), SeriesLabel("b", "", "no such")))
    traces = chart(table, "barchart", settings).figure["data"]
    assert [(trace["name"], trace["marker"]["color"]) for trace in traces] == [
        ("Bad", "--hue-red"), ("b", "--hue-blue"),
    ]  # fmt: skip


def test_a_chart_over_time_shows_the_whole_range_that_was_asked_for(make):
    table = make.table("T:datetime, V:long", (T[1], 1))
    axis = chart(table, "timechart", ChartSettings(), (T[0], T[3])).figure["layout"]["xaxis"]
    assert axis["range"] == [stamp(0), stamp(3)]
    early = chart(table, "timechart", ChartSettings(), (T[2], T[3])).figure["layout"]["xaxis"]
    assert early["range"] == [stamp(1), stamp(3)]
    texts = make.table("K, V:long", ("x", 1))
    assert "range" not in chart(texts, "barchart", ChartSettings(), (T[0], T[3])).figure["layout"]["xaxis"]


def test_null_is_a_gap_and_a_duration_is_milliseconds(make):
    table = make.table("T:datetime, V:timespan", (T[0], timedelta(seconds=2)), (T[1], None))
    assert chart(table, "linechart", ChartSettings()).figure["data"][0]["y"] == [2000.0, None]


def test_axes_and_the_threshold_are_those_of_the_settings(make):
    settings = ChartSettings(
        x=AxisSettings(label="when"),
        y=AxisSettings(label="how long", minimum=0.0, maximum=9.0, number_format=NumberFormat(unit=24)),
        threshold=5.0,
        show_legend=False,
    )
    layout = chart(make.table("T:datetime, V:long", (T[0], 1)), "linechart", settings).figure["layout"]
    assert (layout["xaxis"]["title"]["text"], layout["yaxis"]["title"]["text"]) == ("when", "how long")
    assert (layout["yaxis"]["range"], layout["yaxis"]["ticksuffix"]) == ([0.0, 9.0], " s")
    assert (layout["shapes"][0]["y0"], layout["showlegend"]) == (5.0, False)


def test_small_series_are_added_up_into_other(make):
    rows = [(T[hour], name, value) for hour in (0, 1) for name, value in (("a", 5), ("b", 3), ("c", 2), ("d", 1))]
    traces = chart(make.table("T:datetime, K, V:long", *rows), "barchart", ChartSettings(other_group_after=2)).figure[
        "data"
    ]
    assert [(trace["name"], trace["y"]) for trace in traces] == [
        ("a", [5.0, 5.0]), ("b", [3.0, 3.0]), ("Other", [3.0, 3.0]),
    ]  # fmt: skip


def test_no_more_than_a_hundred_series_and_ten_thousand_points_are_drawn_and_that_is_said(make):
    found = chart(make.table("K, L, V:long", *(("x", str(n), n) for n in range(150))), "barchart", ChartSettings())
    assert len(found.figure["data"]) == 101
    assert found.notes == ("150 series: the largest 100 are drawn, the rest is Other.",)
    many = chart(make.table("N:long, V:long", *((n, n) for n in range(12_000))), "linechart", ChartSettings())
    assert len(many.figure["data"][0]["x"]) == 10_000
    assert many.notes == ("12,000 points: the first 10,000 are drawn.",)


def test_a_pie_adds_up_by_label(make):
    table = make.table("T:datetime, K, V:long", (T[0], "a", 1), (T[1], "a", 2), (T[0], "b", 4), (T[0], None, 1))
    settings = ChartSettings(series=(SeriesLabel("b", "Bad", "red"),))
    (trace,) = chart(table, "piechart", settings).figure["data"]
    assert (trace["labels"], trace["values"]) == (["a", "Bad", "(empty)"], [3.0, 4.0, 1.0])
    assert trace["marker"]["colors"][1] == "--hue-red"


def test_a_chart_is_said_in_words_for_who_cannot_see_it(make):
    table = make.table("T:datetime, K, V:long", *((T[0], str(n), n) for n in range(8)))
    assert chart(table, "linechart", ChartSettings()).said == (
        "8 series: 0 0 in total, 1 1 in total, 2 2 in total, 3 3 in total, 4 4 in total, 5 5 in total, and 2 more."
    )
    assert chart(make.table("K, V:long", ("a", 2)), "piechart", ChartSettings()).said == "1 parts: a 2."
