from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.delivery import MAX_TEXT, Delivery, parse_time
from core.errors import InputError

SUBJECT = "/subscriptions/s/resourcegroups/rg/providers/Microsoft.ContainerInstance/containerGroups/web"
DATA = {"operationName": "Microsoft.ContainerInstance/containerGroups/write", "correlationId": "c-1"}
GRID = {"id": "e-1", "eventType": "Microsoft.Resources.ResourceWriteSuccess", "subject": SUBJECT,
        "topic": "/subscriptions/s", "eventTime": "2026-01-02T03:04:05.1234567Z", "dataVersion": "2",
        "metadataVersion": "1", "data": DATA}  # fmt: skip
CLOUD = {"id": "e-1", "type": GRID["eventType"], "subject": SUBJECT, "source": "/subscriptions/s", "specversion": "1.0",
         "time": GRID["eventTime"], "data": DATA}  # fmt: skip


@pytest.mark.parametrize("raw", [GRID, CLOUD], ids=["Event Grid schema", "CloudEvents 1.0"])
def test_both_schemas_say_the_same(raw):
    assert Delivery.parse(raw) == Delivery(
        "e-1", "Microsoft.Resources.ResourceWriteSuccess", SUBJECT, datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC),
        "Microsoft.ContainerInstance/containerGroups/write", "c-1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, "an event is a JSON object, this is NoneType"),
        ([GRID], "an event is a JSON object, this is list"),
        ("text", "an event is a JSON object, this is str"),
        ({}, "the event has no type (eventType, or type in CloudEvents)"),
        ({**GRID, "eventType": 7}, "the event has no type (eventType, or type in CloudEvents)"),
        ({**CLOUD, "type": None}, "the event has no type (eventType, or type in CloudEvents)"),
        ({**GRID, "subject": ""}, "the event has no subject, so it names no resource"),
        ({**GRID, "subject": ["x"]}, "the event has no subject, so it names no resource"),
    ],
)
def test_what_is_no_event_is_refused_with_the_reason(raw, reason):
    with pytest.raises(InputError) as caught:
        Delivery.parse(raw)
    assert str(caught.value) == reason


@pytest.mark.parametrize("data", [None, [], "text", {}, {"operationName": 7, "correlationId": None}])
def test_details_that_are_missing_or_odd_are_empty(data):
    parsed = Delivery.parse({**GRID, "data": data})
    assert (parsed.operation, parsed.correlation_id, parsed.subject) == ("", "", SUBJECT)


def test_very_long_text_is_cut_and_is_then_no_id():
    assert len(Delivery.parse({**GRID, "subject": "x" * 1_000_000}).subject) == MAX_TEXT + 1


@pytest.mark.parametrize(
    ("kind", "is_delete", "is_resource_event"),
    [
        ("Microsoft.Resources.ResourceDeleteSuccess", True, True),
        ("microsoft.resources.RESOURCEDELETESUCCESS", True, True),
        ("Microsoft.Resources.ResourceDeleteFailure", False, True),
        ("Microsoft.Resources.ResourceActionCancel", False, True),
        ("Microsoft.Storage.BlobCreated", False, False),
    ],
)
def test_an_events_type_is_known_in_any_case(kind, is_delete, is_resource_event):
    parsed = Delivery.parse({**GRID, "eventType": kind})
    assert (parsed.is_delete, parsed.is_resource_event) == (is_delete, is_resource_event)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.1234567Z", datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)),
        ("2026-01-02T03:04:05.12Z", datetime(2026, 1, 2, 3, 4, 5, 120000, tzinfo=UTC)),
        ("2026-01-02T03:04:05.1234567+05:00",
         datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=timezone(timedelta(hours=5)))),
        ("2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)),
        ("yesterday", None), ("", None), ("2026-13-01T00:00:00Z", None), (5, None), (None, None), (".", None),
    ],
)  # fmt: skip
def test_azures_timestamps_are_read(text, moment):
    assert parse_time(text) == moment


def test_a_time_without_a_zone_is_utc():
    assert parse_time(datetime.fromisoformat("2026-01-02T00:00:00")) == datetime(2026, 1, 2, tzinfo=UTC)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_reads_back_as_it_was_written(moment):
    assert parse_time(moment.isoformat().replace("+00:00", "Z")) == moment


@given(st.text(max_size=40))
def test_any_text_is_a_time_with_a_zone_or_none(text):
    moment = parse_time(text)
    assert moment is None or moment.tzinfo is not None
