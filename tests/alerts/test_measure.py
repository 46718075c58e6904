"""From rows to series: bins back from the evaluation, combinations of dimensions, aggregates, the comparison."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.measure import MeasureError, aggregate, as_text, measure, query_span
from alerts.model import Dimension, DimensionOperator, FailingPeriods, Operator, TimeAggregation

COUNTS = "TimeGenerated:datetime Zone:string"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def minutes(number):
    return timedelta(minutes=number)


def maximum(make_rule, **settings):
    return make_rule(time_aggregation=TimeAggregation.MAXIMUM, metric_measure_column="Value", **settings)


def test_rows_are_counted_in_one_bin_where_the_answer_has_no_time(make_rule, make_table, at):
    rule = make_rule(override_query_time_range=timedelta(hours=6))
    (series,) = measure(rule, make_table("Zone:string", ("a",), ("b",)), at)
    assert [(one.value, one.start, one.end) for one in series.bins] == [(2.0, at - timedelta(hours=6), at)]


@pytest.mark.parametrize(
    ("offset", "where"),
    [
        (0, None),  # the next evaluation's
        (-0.001, 0),
        (-5, 0),  # a bin holds its start
        (-5.001, 1),
        (-10, 1),
        (-15, 2),
        (-15.001, None),  # before the evaluation period
        (3, None),  # a clock that is ahead
    ],
)
def test_bins_are_counted_back_from_the_evaluation_and_hold_their_start(make_rule, make_table, at, offset, where):
    rule = make_rule(failing_periods=FailingPeriods(1, 3))
    found = measure(rule, make_table(COUNTS, (at + minutes(offset), "a")), at)
    counted = [index for series in found for index, one in enumerate(series.bins) if one.value]
    assert counted == ([] if where is None else [where])


def test_bins_are_anchored_at_the_evaluation_and_not_at_the_clock(make_rule, make_table, at):
    odd = at + timedelta(minutes=2, seconds=17)
    (series,) = measure(make_rule(), make_table(COUNTS, (odd - minutes(1), "a")), odd)
    assert (series.bins[0].start, series.bins[0].end) == (odd - minutes(5), odd)


def test_a_row_outside_the_last_bins_does_not_count_though_the_query_saw_it(make_rule, make_table, at):
    rule = make_rule(override_query_time_range=timedelta(hours=6))
    assert measure(rule, make_table(COUNTS, (at - minutes(7), "a")), at) == ()


@pytest.mark.parametrize(
    ("violating", "met"), [((), False), ((0,), False), ((0, 2), True), ((1, 2), True), ((0, 1, 2), True)]
)
def test_n_of_m_counts_the_bins_that_violate(make_rule, make_table, at, violating, met):
    rule = make_rule(failing_periods=FailingPeriods(2, 3), threshold=1)
    rows = [(at - minutes(5 * index + 1), "a") for index in range(3)]
    rows += [(at - minutes(5 * index + 2), "a") for index in violating]
    (series,) = measure(rule, make_table(COUNTS, *rows), at)
    assert (series.met, [one.violates for one in series.bins]) == (met, [index in violating for index in range(3)])


def test_a_bin_without_a_row_violates_nothing_not_even_less_than(make_rule, make_table, at):
    rule = make_rule(
        failing_periods=FailingPeriods(1, 2), operator=Operator.LESS_THAN, threshold=5, window_size=minutes(5)
    )
    (series,) = measure(rule, make_table(COUNTS, (at - minutes(7), "a")), at)
    assert [(one.value, one.violates) for one in series.bins] == [(None, False), (1.0, True)]


def test_several_periods_need_a_time(make_rule, make_table, at):
    with pytest.raises(MeasureError, match="need a column TimeGenerated of type datetime"):
        measure(make_rule(failing_periods=FailingPeriods(1, 2)), make_table("Zone:string"), at)


def test_each_combination_of_dimensions_is_a_series(make_rule, make_table, at):
    rule = maximum(make_rule, dimensions=(Dimension("Zone"), Dimension("Number")), threshold=5)
    table = make_table("Zone:string Number:long Value:real", ("a", 1, 9.0), ("a", 2, 3.0), ("b", 1, 6.0), ("a", 1, 7.0))
    found = [(dict(series.dimensions), series.shown.value, series.met) for series in measure(rule, table, at)]
    assert found == [
        ({"Zone": "a", "Number": "1"}, 9.0, True),
        ({"Zone": "a", "Number": "2"}, 3.0, False),
        ({"Zone": "b", "Number": "1"}, 6.0, True),
    ]


def test_the_resource_id_column_splits_as_a_dimension_does(make_rule, make_table, at):
    rule = make_rule(dimensions=(Dimension("Zone"),), resource_id_column="Id")
    found = measure(rule, make_table("Zone:string Id:string", ("a", "/x"), ("a", "/y")), at)
    assert [dict(series.dimensions) for series in found] == [{"Zone": "a", "Id": "/x"}, {"Zone": "a", "Id": "/y"}]


@pytest.mark.parametrize(
    ("operator", "values", "kept"),
    [
        (DimensionOperator.INCLUDE, ("*",), ["", "a", "b"]),
        (DimensionOperator.INCLUDE, ("a",), ["a"]),
        (DimensionOperator.INCLUDE, ("a", "*"), ["", "a", "b"]),
        (DimensionOperator.EXCLUDE, ("a",), ["", "b"]),
        (DimensionOperator.EXCLUDE, ("",), ["a", "b"]),
    ],
)
def test_include_and_exclude_choose_values_and_an_empty_one_is_a_value(make_rule, make_table, operator, values, kept):
    rule, at = make_rule(dimensions=(Dimension("Zone", operator, values),)), NOON
    found = measure(rule, make_table("Zone:string", ("a",), ("b",), ("",), (None,)), at)
    assert [series.key for series in found] == [(value,) for value in kept]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), ("a", "a"), (5, "5"), (5.0, "5"), (5.5, "5.5"), (Decimal("2.00"), "2"), (math.nan, "nan")],
)
def test_a_dimension_is_text(value, text):
    assert as_text(value) == text


@pytest.mark.parametrize(
    ("kind", "values", "number"),
    [
        (TimeAggregation.COUNT, [None, None], 2.0),
        (TimeAggregation.COUNT, [], None),
        (TimeAggregation.AVERAGE, [1, None, 4], 2.5),
        (TimeAggregation.MINIMUM, [3, Decimal("1.5"), None], 1.5),
        (TimeAggregation.MAXIMUM, [3, None], 3.0),
        (TimeAggregation.TOTAL, [1, 2, None], 3.0),
        (TimeAggregation.TOTAL, [None], None),
        (TimeAggregation.AVERAGE, [], None),
        (TimeAggregation.TOTAL, [0.1] * 10, 1.0),
    ],
)
def test_measures_are_aggregated_without_nulls(kind, values, number):
    assert aggregate(kind, values) == number


@pytest.mark.parametrize(
    ("operator", "below", "equal", "above"),
    [
        (Operator.EQUALS, False, True, False),
        (Operator.GREATER_THAN, False, False, True),
        (Operator.GREATER_THAN_OR_EQUAL, False, True, True),
        (Operator.LESS_THAN, True, False, False),
        (Operator.LESS_THAN_OR_EQUAL, True, True, False),
    ],
)
def test_each_operator_compares_as_it_is_called(operator, below, equal, above):
    assert [operator.holds(value, 5.0) for value in (4.0, 5.0, 6.0, math.nan)] == [below, equal, above, False]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("Zone:string", "the result has no column 'Value'; it has Zone"),
        ("Zone:string Value:string", "column 'Value' is string, and must be decimal or int or long or real"),
        ("Zone:dynamic Value:real", "column 'Zone' is dynamic, and must be decimal or int or long or real or string"),
        ("Value:real", "the result has no column 'Zone'; it has Value"),
    ],
)
def test_columns_that_do_not_fit_are_named(make_rule, make_table, at, columns, message):
    rule = maximum(make_rule, dimensions=(Dimension("Zone"),))
    with pytest.raises(MeasureError) as error:
        measure(rule, make_table(columns), at)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("settings", "hours"),
    [
        ({}, 1 / 12),
        ({"failing_periods": FailingPeriods(1, 3)}, 0.25),
        ({"override_query_time_range": timedelta(hours=6)}, 6),
        ({"override_query_time_range": timedelta(days=7)}, 48),
        ({"window_size": timedelta(days=2), "failing_periods": FailingPeriods(1, 3)}, 48),
    ],
)
def test_the_query_looks_back_the_override_or_the_bins_and_never_more_than_48_hours(make_rule, at, settings, hours):
    first, last = query_span(make_rule(**settings), at)
    assert at - first == timedelta(hours=hours)
    assert at - last == timedelta(microseconds=1)


ROWS = st.lists(st.tuples(st.integers(-40 * 60, 5 * 60), st.sampled_from(["a", "b", ""])), max_size=30)


@given(rows=ROWS, random=st.randoms())
def test_every_row_of_the_period_is_in_one_bin_of_one_series_whatever_the_order(
    make_rule, make_table, at, rows, random
):
    rule = make_rule(dimensions=(Dimension("Zone"),), failing_periods=FailingPeriods(1, 6))
    shuffled = random.sample(rows, len(rows))
    first, second = (
        measure(rule, make_table(COUNTS, *((at + timedelta(seconds=offset), zone) for offset, zone in given_)), at)
        for given_ in (rows, shuffled)
    )
    assert first == second
    counted = sum(one.value or 0 for series in first for one in series.bins)
    assert counted == sum(-30 * 60 <= offset < 0 for offset, _ in rows)
