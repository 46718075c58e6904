"""Write docs/events.md, the data dictionary, from core/events.py; with --check say whether it is up to date."""

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core.events import COLUMNS, FUNCTION, STREAM, TABLE, EventType, severity_of  # noqa: E402 - needs the path above

TARGET = ROOT / "docs" / "events.md"
MEANINGS = {
    EventType.RECONCILE_UPDATED: "DNS was changed to name the group's address.",
    EventType.RECONCILE_NO_OP: "DNS was right already.",
    EventType.RECONCILE_DELETED: "The records of a group that is gone, stopped or no longer private were removed.",
    EventType.RECONCILE_SKIPPED: "Not ours: an unconfigured resource group, another resource, a malformed event.",
    EventType.RECONCILE_DEFERRED: "The group is between two states; the event is delivered again.",
    EventType.RECONCILE_FAILED: "DNS could not be made right; ErrorCode says why, and the invocation failed.",
    EventType.FIRST_SEEN: "The group has an address and no record yet.",
    EventType.NO_CHANGE: "A and PTR are right.",
    EventType.DRIFT_DETECTED: "DNS and the live state differ; DriftKinds says how.",
    EventType.TRACK_FAILED: "The comparison could not be made; the invocation failed.",
    EventType.PROBE_OK: "The resolver answers rightly.",
    EventType.PROBE_FAILED: "The resolver answers wrongly or not at all; Verdict says why.",
    EventType.PROBE_COMPLETED: "One probe run, with its counts and durations; an Error where it has an ErrorCode.",
    EventType.AUDIT_COMPLETED: "One audit of the fleet, with its counts; an Error where it has an ErrorCode.",
    EventType.CANARY: "A row that exists to be found: it tells that rows really arrive, and how late.",
}


def text() -> str:
    """Give the whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# The events"
    yield ""
    yield "Written by `scripts/data_dictionary.py` from `core/events.py`."
    yield ""
    yield f"Every outcome is one row of `{TABLE}` (stream `{STREAM}`). Query the function `{FUNCTION}()`, which"
    yield "keeps one row for each `EventId` and adds the rows that could not be uploaded and went out as log lines."
    yield ""
    yield "## Event types"
    yield ""
    yield "| EventType | Severity | meaning |"
    yield "|---|---|---|"
    for kind in EventType:
        yield f"| `{kind.value}` | {severity_of(kind).value} | {MEANINGS[kind]} |"
    yield ""
    yield "## Columns"
    yield ""
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    for column in COLUMNS:
        yield f"| `{column.name}` | {column.type} | {column.description} |"


def main() -> int:
    """Write the page, or compare it."""
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(text(), encoding="utf-8")
        return 0
    if TARGET.read_text(encoding="utf-8") == text():
        return 0
    print("docs/events.md differs from core/events.py: run python scripts/data_dictionary.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
