from datetime import UTC, datetime, timedelta

import pytest

from local_azure.logs.timespan import parse

START = datetime(2024, 1, 1, tzinfo=UTC)
END = datetime(2024, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT3600.0S", timedelta(hours=1)),
        ("P1D", timedelta(days=1)),
        ("P7D", timedelta(days=7)),
        ("P1DT2H3M4.5S", timedelta(days=1, hours=2, minutes=3, seconds=4.5)),
        ("P2W", timedelta(weeks=2)),
        ("P1M", timedelta(days=30)),
        ("P1Y", timedelta(days=365)),
        ("pt5m", timedelta(minutes=5)),
        ("2024-01-01T00:00:00.000Z/2024-01-02T00:00:00.000Z", (START, END)),
        ("2024-01-01T00:00:00.0000000Z/P1D", (START, END)),
        ("P1D/2024-01-02T01:00:00+01:00", (START, END)),
        ("2024-01-01/2024-01-02", (START, END)),
    ],
)
def test_durations_and_intervals_are_read(text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "P1", "1D", "P-1D", "PT1D", "P1D/", "/P1D", "a/b", "2024-01-01", "x/y/z", "P1D2H", "P9999999Y"],
)
def test_anything_else_is_refused_naming_it(text):
    with pytest.raises(ValueError, match=r"is not an ISO 8601|neither|longer than"):
        parse(text)
