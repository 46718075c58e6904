"""No event is lost, and none stops the work."""

import io
import json
import logging
from datetime import UTC, datetime

import pytest

from cloud.logs_ingestion import Refused, Upload
from cloud.sink import LOGGER_NAME, MAX_LINE_LENGTH, JsonLinesSink, LogLinesSink, LogsSink, MemorySink
from core.errors import ThrottledError
from core.events import FALLBACK_MARKER, Component, Event, EventType

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def event(kind=EventType.RECONCILE_UPDATED, **values):
    return Event(Component.RECONCILER, kind, NOW, "attempt", {"ContainerGroup": "web", **values})


class Service:
    def __init__(self, answer):
        self.answer, self.rows = answer, []

    def upload(self, rows):
        self.rows.extend(rows)
        return self.answer(rows)


def lines(caplog):
    return [record for record in caplog.records if record.name == LOGGER_NAME]


@pytest.fixture(autouse=True)
def every_level(caplog):
    caplog.set_level(logging.DEBUG)


def test_accepted_events_leave_no_log_line(caplog):
    sink = LogsSink(Service(lambda rows: Upload(len(rows))))
    sink.emit([event(), event()])
    assert (sink.uploaded, sink.fell_back, lines(caplog)) == (2, 0, [])


def test_each_refused_event_is_one_log_line_that_carries_the_whole_row(caplog):
    sink = LogsSink(Service(lambda rows: Upload(1, (Refused(tuple(rows[1:]), ThrottledError("logs.upload", "busy")),))))
    sent = [event(), event(ContainerGroup="api"), event(ErrorMessage="two\nlines")]
    sink.emit(sent)
    assert (sink.uploaded, sink.fell_back) == (1, 2)
    messages = [record.getMessage() for record in lines(caplog)]
    assert all(message.startswith(FALLBACK_MARKER) and "\n" not in message for message in messages)
    assert [json.loads(message.removeprefix(FALLBACK_MARKER)) for message in messages] == [
        sent[1].to_row(), sent[2].to_row()
    ]  # fmt: skip
    assert any("2 events were not accepted" in message and "busy" in message for message in caplog.messages)


def test_a_defect_in_the_upload_does_not_reach_the_caller_and_loses_nothing(caplog):
    def broken(_):
        raise RuntimeError("a defect")

    sink = LogsSink(Service(broken))
    sink.emit([event(), event()])
    assert (sink.uploaded, sink.fell_back, len(lines(caplog))) == (0, 2, 2)
    assert any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        (EventType.RECONCILE_UPDATED, logging.INFO),
        (EventType.DRIFT_DETECTED, logging.WARNING),
        (EventType.RECONCILE_FAILED, logging.ERROR),
    ],
)
def test_a_log_line_is_as_loud_as_its_event(caplog, kind, level):
    sink = LogLinesSink()
    sink.emit([event(kind)])
    assert ([record.levelno for record in lines(caplog)], sink.fell_back) == ([level], 1)


def test_a_log_line_stays_below_what_application_insights_keeps(caplog):
    LogLinesSink().emit([event(ErrorMessage="é" * 60_000, Changes=["x" * 60_000])])
    (line,) = lines(caplog)
    assert len(line.getMessage()) <= MAX_LINE_LENGTH
    row = json.loads(line.getMessage().removeprefix(FALLBACK_MARKER))
    assert (row["ContainerGroup"], row["ErrorMessage"][-26:]) == ("web", "…[120000 bytes, truncated]")


def test_a_row_that_is_not_json_is_still_a_log_line(caplog):
    loop: dict[str, object] = {}
    loop["self"] = loop
    LogLinesSink().emit([event(Details=loop)])
    assert json.loads(lines(caplog)[0].getMessage().removeprefix(FALLBACK_MARKER))["ContainerGroup"] == "'web'"


def test_no_events_are_no_upload():
    service = Service(lambda rows: Upload(len(rows)))
    LogsSink(service).emit([])
    assert service.rows == []


def test_memory_keeps_events_and_the_stream_gets_one_line_each():
    memory, stream = MemorySink(), io.StringIO()
    sent = [event(), event(EventType.FIRST_SEEN)]
    memory.emit(sent)
    JsonLinesSink(stream).emit(sent)
    assert memory.events == sent
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == [item.to_row() for item in sent]
