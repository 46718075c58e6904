from datetime import UTC, datetime, timedelta

import pytest

from core import events
from local_azure.logs.conform import FIELD_BYTES, conform

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EVENT_COLUMNS = [(column.name, column.type) for column in events.COLUMNS]
MISSING = object()


def one(kind, value):
    return conform({"X": value}, [("X", kind)], NOW).get("X", MISSING)


VALUES = [
    ("string", "a", "a"),
    ("string", "", ""),
    ("string", 5, "5"),
    ("string", 1.5, "1.5"),
    ("string", True, "true"),
    ("string", {"é": [1, None]}, '{"é":[1,null]}'),
    ("string", None, MISSING),
    ("int", 5, 5),
    ("int", -(2**31), -(2**31)),
    ("int", 2**31, MISSING),
    ("int", 5.0, 5),
    ("int", 5.5, MISSING),
    ("int", "5", 5),
    ("int", " 5 ", 5),
    ("int", "5.0", 5),
    ("int", "1_000", MISSING),
    ("int", "five", MISSING),
    ("int", True, MISSING),
    ("int", [5], MISSING),
    ("long", 2**63 - 1, 2**63 - 1),
    ("long", str(2**63 - 1), 2**63 - 1),
    ("long", 2**63, MISSING),
    ("long", 10**400, MISSING),
    ("real", 1, 1.0),
    ("real", "1.5e3", 1500.0),
    ("real", "nan", MISSING),
    ("real", "1e999", MISSING),
    ("real", 10**400, MISSING),
    ("boolean", True, True),
    ("boolean", "False", False),
    ("boolean", 1, MISSING),
    ("boolean", "yes", MISSING),
    ("datetime", "2026-03-01T10:00:00Z", "2026-03-01 10:00:00.000000"),
    ("datetime", "2026-03-01T10:00:00.1234567", "2026-03-01 10:00:00.123456"),
    ("datetime", "2026-03-01T10:00:00+02:00", "2026-03-01 08:00:00.000000"),
    ("datetime", "2026-03-01", "2026-03-01 00:00:00.000000"),
    ("datetime", "yesterday", MISSING),
    ("datetime", "0001-01-01T00:00:00+05:00", MISSING),
    ("datetime", 1772359200, MISSING),
    ("dynamic", {"a": [1, "x", None]}, {"a": [1, "x", None]}),
    ("dynamic", "text", "text"),
    ("dynamic", 5, 5),
    ("dynamic", False, False),
    ("dynamic", None, MISSING),
]


@pytest.mark.parametrize(("kind", "value", "expected"), VALUES)
def test_a_value_is_read_as_the_declared_type_or_becomes_null(kind, value, expected):
    assert one(kind, value) == expected


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (NOW, True),
        (NOW - timedelta(days=2), True),
        (NOW - timedelta(days=2, microseconds=1), False),
        (NOW + timedelta(days=1), True),
        (NOW + timedelta(days=1, microseconds=1), False),
        (None, False),
        ("soon", False),
    ],
)
def test_time_generated_is_replaced_by_the_time_of_receipt_when_it_is_too_far_away(sent, kept):
    text = sent.isoformat() if isinstance(sent, datetime) else sent
    row = conform({"TimeGenerated": text, "EventTime": text}, EVENT_COLUMNS, NOW)
    expected = sent if kept else NOW
    assert row["TimeGenerated"] == expected.strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(sent, datetime):
        assert row["EventTime"] == sent.strftime("%Y-%m-%d %H:%M:%S.%f"), "EventTime is never rewritten"


def test_what_the_stream_does_not_declare_is_dropped():
    row = conform({"EventId": "a", "eventid": "b", "Other": 1, "_TimeReceived": "x"}, EVENT_COLUMNS, NOW)
    assert row == {"EventId": "a", "TimeGenerated": "2026-03-01 12:00:00.000000"}


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("x" * FIELD_BYTES, FIELD_BYTES),
        ("x" * (FIELD_BYTES + 1), FIELD_BYTES),
        ("é" * FIELD_BYTES, FIELD_BYTES),
        ("x" + "é" * FIELD_BYTES, FIELD_BYTES - 1),  # half of a character is not kept
        ("😀" * (FIELD_BYTES // 4), FIELD_BYTES),
    ],
)
def test_a_value_above_64_kb_is_cut_at_a_whole_character(text, length):
    kept = one("string", text)
    assert text.startswith(kept)
    assert len(kept.encode()) == length


def test_a_dynamic_value_above_64_kb_becomes_text_and_is_cut():
    assert one("dynamic", ["x" * FIELD_BYTES]) == '["' + "x" * (FIELD_BYTES - 2)
    assert one("dynamic", ["x" * (FIELD_BYTES - 4)]) == ["x" * (FIELD_BYTES - 4)]


def test_an_event_of_the_schema_passes_unchanged():
    event = events.Event(
        events.Component.TRACKER,
        events.EventType.DRIFT_DETECTED,
        NOW,
        "attempt",
        {"OldIp": "10.0.0.4", "DriftKinds": ["a_mismatch"], "ArmCalls": 3, "LagMs": 12, "Details": {"a": 1}},
    )
    sent = event.to_row()
    stamp = "2026-03-01 12:00:00.000000"
    assert conform(sent, EVENT_COLUMNS, NOW) == {**sent, "TimeGenerated": stamp, "EventTime": stamp}
