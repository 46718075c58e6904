"""The sentence above a figure says what the numbers say; tables are written for people."""

import pandas as pd
import plotly.graph_objects as go
import pytest

from notebooks import figures, findings, look, telling

START = pd.Timestamp("2026-11-01", tz="UTC")
DASH = "\u2013"


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"probe": 90, "audit": 10}, "probe: 90 of 100, 90%"),
        ({"probe": 12_000, "audit": 0}, "probe: 12,000 of 12,000, 100%"),
        ({"probe": 0}, ""),
        ({}, ""),
    ],
)
def test_the_largest_part_is_named(counts, expected):
    assert findings.most(pd.Series(counts, dtype="int64"), "{name}: {count} of {total}, {share}") == expected


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([5, 3, 1, 1], "1 of 4 groups has half of the 10 drifts"),
        ([2, 2, 2, 2, 0], "2 of 4 groups have half of the 8 drifts"),
        ([], ""),
    ],
)
def test_half_of_it_is_few(counts, expected):
    assert findings.half(pd.Series(counts, dtype="int64"), "groups", "drifts") == expected


def rate(counts, odd):
    times = pd.date_range(START, periods=len(counts), freq="D")
    return pd.DataFrame(
        {"TimeGenerated": times, "Drifts": counts, "IsAnomaly": [day in odd for day in range(len(counts))]}
    )


@pytest.mark.parametrize(
    ("counts", "odd", "expected"),
    [
        ([1, 9, 2], [1], "1 day was unusual; the worst, 02 November, had 9 drifts; 4.0 drifts a day is the mean"),
        ([8, 9, 1], [0, 1], "2 days were unusual; the worst, 02 November, had 9 drifts; 6.0 drifts a day is the mean"),
        ([1, 2], [], "No day was unusual: 1.5 drifts a day on average"),
        ([], [], ""),
    ],
)
def test_unusual_days_are_counted_and_the_worst_named(counts, odd, expected):
    assert findings.unusual(rate(counts, odd)) == expected


@pytest.mark.parametrize(
    ("p_value", "expected"),
    [
        (float("nan"), "nothing to compare"),
        (0.2, "no clear difference (p = 0.2)"),
        (0.0123, "a clear difference (p = 0.0123)"),
        (1e-20, "a clear difference (p < 0.001)"),
    ],
)
def test_a_p_value_is_put_into_words(p_value, expected):
    assert findings.difference(p_value) == expected


@pytest.mark.parametrize(
    ("ratio", "p_value", "expected"),
    [
        (float("nan"), float("nan"), "too few drifts"),
        (12.03, 0.001, "12 times as often as on others"),
        (1.2, 0.4, "which may be chance"),
    ],
)
def test_an_effect_is_put_into_words(ratio, p_value, expected):
    assert expected in findings.effect({"Ratio": ratio, "PValue": p_value})


def test_a_change_is_put_into_words_and_too_little_is_said_without_numbers():
    assert findings.change({"Verdict": "fewer", "RateBefore": 6, "RateAfter": 2}) == (
        "Fewer: 6.00 drifts a day before, 2.00 after"
    )
    assert (
        findings.change({"Verdict": "too little to tell: x", "RateBefore": 6, "RateAfter": 2})
        == "Too little to tell: x"
    )


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, DASH),
        (0, "0.0 s"),
        (0.02, "20 ms"),
        (59.96, "60.0 s"),
        (240, "4.0 min"),
        (9000, "2.5 h"),
        (268000, "3.1 days"),
    ],
)
def test_a_length_of_time_has_its_unit(seconds, expected):
    assert telling.span(seconds) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("WrongForSeconds", "Wrong for"), ("OldIp", "Old IP"), ("GbAMonth", "GB a month"), ("Cause", "Cause"),
        ("ArmCallsADay", "ARM calls a day"),
    ],
)  # fmt: skip
def test_a_heading_is_words(name, expected):
    assert telling.heading(name) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(85909, "85,909"), (1234.6, "1,235"), (0.0585, "0.0585"), (4e-7, "< 0.001"), (-4e-7, "> -0.001"), (0.0, "0")],
)
def test_a_number_has_the_digits_that_say_something(value, expected):
    assert telling.number(value) == expected


def test_a_table_is_written_for_people():
    rows = pd.DataFrame({
        "Detected": [START, pd.NaT], "WrongForSeconds": [7200.0, None], "Share": [0.125, 0.5], "IsOpen": [True, False],
        "Rows": pd.array([12345, None], dtype="Int64"), "Cause": ["a", ""],
    })  # fmt: skip
    assert telling.readable(rows).to_dict("list") == {
        "Detected": ["2026-11-01 00:00:00", DASH], "Wrong for": ["2.0 h", DASH], "Share": ["12.5%", "50.0%"],
        "Is open": ["yes", "no"], "Rows": ["12,345", DASH], "Cause": ["a", ""],
    }  # fmt: skip


def test_a_figure_without_a_finding_is_titled_by_what_it_draws():
    both = look.titled(go.Figure(), "3 of 4 are wrong", of="Shares")
    assert (both.layout.title.text, both.layout.title.subtitle.text) == ("3 of 4 are wrong", "Shares")
    assert look.titled(go.Figure(), "", of="Shares").layout.title.text == "Shares"


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.stacked(pd.DataFrame(), "", of="what", y="y"),
        lambda: figures.bars(pd.DataFrame(), "", of="what", x="x"),
        lambda: figures.heat(pd.DataFrame(), "", of="what"),
        lambda: figures.lines(pd.DataFrame(), "", of="what", y="y"),
        lambda: figures.bands(rate([], []), "", of="what"),
        lambda: figures.curves(pd.DataFrame(), "", of="what", x="x", y="y"),
        lambda: figures.compared(pd.DataFrame({"Value": []}), "", of="what", x="x"),
    ],
    ids=["stacked", "bars", "heat", "lines", "bands", "curves", "compared"],
)
def test_a_figure_of_nothing_says_so(draw):
    figure = draw()
    assert (figure.layout.title.text, len(figure.data)) == ("what", 0)
    assert figure.layout.annotations[0].text.startswith(("There ", "No "))


def test_what_is_too_much_for_the_colours_is_put_together():
    table = pd.DataFrame({f"c{number}": [number] for number in range(12)}, index=["row"])
    figure = figures.bars(table, "", of="what", x="x")
    assert [trace.name for trace in figure.data] == ["c11", "c10", "c9", "c8", "c7", "c6", "c5", "others"]
    assert sum(trace.x[0] for trace in figure.data) == sum(range(12))
