"""Where events go. A sink never raises into the work that it reports on, and never loses an event silently.

What the table does not accept goes out as one structured log line per event; Application Insights keeps those, and the
workspace function AciDnsEvents() reads both and deduplicates.
"""

import json
import logging
import threading
from collections.abc import Sequence
from typing import Any, Final, Protocol, TextIO

from cloud.batches import Row, fit
from cloud.logs_ingestion import Upload
from core.events import FALLBACK_MARKER, Event, Severity

LOGGER_NAME: Final = "aci_dns.events"
MAX_LINE_LENGTH: Final = 30_000
"""Application Insights cuts a message at 32,768 characters; half an event would be no event."""
_EVENTS: Final = logging.getLogger(LOGGER_NAME)
_LOGGER: Final = logging.getLogger(__name__)
_LEVELS: Final = {
    Severity.INFORMATION.value: logging.INFO,
    Severity.WARNING.value: logging.WARNING,
    Severity.ERROR.value: logging.ERROR,
}


class Uploads(Protocol):
    """Something that takes rows and says what it did not take (cloud.logs_ingestion.LogsIngestion)."""

    def upload(self, rows: Sequence[Row]) -> Upload:
        """Send the rows."""


class LogLinesSink:
    """Every event is a log line: for installations without a table. `fell_back` counts them."""

    def __init__(self) -> None:
        self.fell_back = 0
        self._lock = threading.Lock()

    def emit(self, events: Sequence[Event]) -> None:
        """Write one log line per event."""
        self.write([event.to_row() for event in events])

    def write(self, rows: Sequence[Row]) -> None:
        """Write rows that are already made."""
        for row in rows:
            _EVENTS.log(_LEVELS.get(str(row.get("Severity")), logging.WARNING), "%s", fallback_line(row))
        with self._lock:
            self.fell_back += len(rows)


class LogsSink:
    """Events go to the table, and as log lines where that fails. `uploaded` and `fell_back` count rows."""

    def __init__(self, ingestion: Uploads) -> None:
        self._ingestion = ingestion
        self._lines = LogLinesSink()
        self._lock = threading.Lock()
        self.uploaded = 0

    @property
    def fell_back(self) -> int:
        """Rows that went out as log lines."""
        return self._lines.fell_back

    def emit(self, events: Sequence[Event]) -> None:
        """Upload the events; what is refused goes out as log lines."""
        if not events:
            return
        rows: list[Row] = [event.to_row() for event in events]
        try:
            result = self._ingestion.upload(rows)
        except Exception:  # a defect in telemetry must not fail the work it reports on; it is logged with its trace
            _LOGGER.exception("uploading %d events failed unexpectedly; they follow as log lines", len(rows))
            self._lines.write(rows)
            return
        with self._lock:
            self.uploaded += result.accepted
        for refused in result.refused:
            _LOGGER.warning("%d events were not accepted and follow as log lines: %s", len(refused.rows), refused.error)
            self._lines.write(refused.rows)


class MemorySink:
    """Keeps events, for dry runs and tests."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, events: Sequence[Event]) -> None:
        """Keep them."""
        self.events.extend(events)


class JsonLinesSink:
    """Writes each event as one line of JSON to a stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def emit(self, events: Sequence[Event]) -> None:
        """Write and flush."""
        for event in events:
            self._stream.write(json.dumps(event.to_row()) + "\n")
        self._stream.flush()


def fallback_line(row: Row) -> str:
    """Give the log line that carries a row: the marker, then JSON, cut to what Application Insights keeps."""
    try:
        body: Any = fit(row, MAX_LINE_LENGTH - len(FALLBACK_MARKER))
        return FALLBACK_MARKER + json.dumps(body)
    except (TypeError, ValueError):
        return FALLBACK_MARKER + json.dumps({name: repr(value)[:200] for name, value in row.items()})
