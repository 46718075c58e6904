"""Lengths of time and instants, as rules and tests write them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.durations import from_iso, from_short, instant, instants, to_iso, to_short

ZERO = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECONDS = st.integers(min_value=0, max_value=9_999 * 86_400).map(lambda number: timedelta(seconds=number))


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("PT5M", 5), ("PT1H", 60), ("P1D", 1440), ("P2D", 2880), ("PT1H30M", 90), ("P1DT6H", 1800), ("PT90S", 1.5)],
)
def test_iso_durations_are_read(text, minutes):
    assert from_iso(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "P", "PT", "P1DT", "5m", "PT5", "P1Y", "P1M", "-PT5M", "PT5M ", "pt5m", "PT1.5H"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="is not a duration such as PT5M"):
        from_iso(text)


@given(SECONDS)
def test_a_duration_that_is_written_reads_the_same(span):
    assert from_iso(to_iso(span)) == span


@given(SECONDS, st.booleans())
def test_a_short_length_that_is_written_reads_the_same(span, negative):
    span = -span if negative else span
    assert from_short(to_short(span)) == span


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("-5m", -5), ("0m", 0), ("1h30m", 90), ("2d", 2880), ("+10m", 10), ("-1h5m", -65), ("30s", 0.5)],
)
def test_short_lengths_are_read(text, minutes):
    assert from_short(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "5", "m", "five", "-5 m", "--5m", "5m!", "1w"])
def test_what_is_no_length_is_refused(text):
    with pytest.raises(ValueError, match="is not a length of time such as -5m"):
        from_short(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-5m", ZERO - timedelta(minutes=5)),
        ("2026-03-01T00:00:00Z", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T01:00:00+01:00", datetime(2026, 3, 1, tzinfo=UTC)),
    ],
)
def test_an_instant_is_relative_or_iso(text, expected):
    assert instant(text, ZERO) == expected


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="needs a time zone"):
        instant("2026-03-01T00:00:00", ZERO)


def test_a_series_has_both_its_ends():
    found = instants("every 10m from -30m to 0m", ZERO)
    assert [(moment - ZERO).total_seconds() / 60 for moment in found] == [-30, -20, -10, 0]


@pytest.mark.parametrize("text", ["every 0m from -1h to 0m", "every -5m from -1h to 0m", "every 5m from 0m to -1h"])
def test_a_series_goes_forwards(text):
    with pytest.raises(ValueError, match="must go forwards"):
        instants(text, ZERO)
