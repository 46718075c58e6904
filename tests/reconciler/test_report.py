"""How a run ended becomes one event, and where it must, an exception."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.arm_id import container_group_id
from core.delivery import Delivery
from core.events import Component, EventType
from core.live import LiveGroup, LiveState
from core.names import ReverseZone, parse_address
from core.occasion import Occasion
from core.zone_map import DnsConfig
from reconciler.contract import WorkerResult
from reconciler.process import WorkerExit
from reconciler.report import finished

NOW = datetime(2026, 11, 23, 3, 0, 5, tzinfo=UTC)
WEB = container_group_id("sub", "rg", "web")
LIVE = LiveGroup(WEB, LiveState.RUNNING, parse_address("10.0.0.5"))
CONFIG = DnsConfig("rg", None, "corp.internal", (ReverseZone.parse("10.in-addr.arpa"),), "rg-dns")


def occasion(**changes: Any) -> Occasion:
    delivery = Delivery(
        "event-1", "Microsoft.Resources.ResourceWriteSuccess", str(WEB), NOW - timedelta(seconds=4), "", "c-1"
    )
    values = {"invocation_id": "i-1", "attempt": 2, "began": NOW - timedelta(seconds=1), "now": NOW, "arm_calls": 1}
    return Occasion(Component.RECONCILER, delivery, **{**values, **changes})


def ended(code: int, outcome: str | None, error: dict[str, Any] | None = None, **changes: Any) -> WorkerExit:
    result = WorkerResult(outcome, live_ip="10.0.0.5", arm_calls=6, error=error) if outcome else None
    values = {"timed_out": False, "result": result, "last_error_line": "", "duration_ms": 300}
    return WorkerExit(code, **{**values, **changes})


THROTTLED = {"code": "throttled", "message": "put: 429: wait"}
ENDS = [
    (ended(0, "reconcile_updated"), "reconcile_updated", None),
    (ended(0, "reconcile_no_op"), "reconcile_no_op", None),
    (ended(0, "reconcile_deleted"), "reconcile_deleted", None),
    (ended(75, "reconcile_deferred", {"code": "not_ready", "message": "m"}), "reconcile_deferred", ("not_ready", True)),
    (ended(75, "reconcile_failed", THROTTLED), "reconcile_failed", ("throttled", True)),
    (
        ended(78, "reconcile_failed", {"code": "zone_missing", "message": "m"}),
        "reconcile_failed",
        ("zone_missing", False),
    ),
    (
        ended(1, "reconcile_failed", {"code": "name_conflict", "message": "m"}),
        "reconcile_failed",
        ("name_conflict", False),
    ),
    (ended(-9, None), "reconcile_failed", ("worker_killed", True)),
    (ended(-9, None, timed_out=True), "reconcile_failed", ("deadline_exceeded", True)),
    (
        ended(64, None, last_error_line="worker.sh: TTL_SECONDS is not set"),
        "reconcile_failed",
        ("worker_failed", False),
    ),
    (ended(0, None), "reconcile_failed", ("worker_failed", False)),
    (ended(0, "reconcile_updated", THROTTLED), "reconcile_failed", ("throttled", False)),
]


@pytest.mark.parametrize(("end", "kind", "failure"), ENDS)
def test_every_end_has_its_event(end: WorkerExit, kind: str, failure: tuple[str, bool] | None) -> None:
    event, error = finished(occasion(), LIVE, CONFIG, end)
    assert event.type == EventType(kind)
    assert (error and (error.code, error.retryable)) == failure
    assert event.values.get("ErrorCode") == (failure[0] if failure else None)


def test_an_event_counts_the_calls_of_both_processes_and_the_time_since_its_cause() -> None:
    event, _ = finished(occasion(), LIVE, CONFIG, ended(0, "reconcile_updated"))
    row = event.to_row()
    assert (row["ArmCalls"], row["DurationMs"], row["LagMs"], row["Attempt"]) == (7, 1000, 4000, 2)
    assert (row["SourceEventId"], row["CorrelationId"]) == ("event-1", "c-1")


def test_what_killed_the_worker_is_told_by_its_last_words() -> None:
    _, error = finished(occasion(), LIVE, CONFIG, ended(64, None, last_error_line="worker.sh: TTL_SECONDS is not set"))
    assert "worker.sh: TTL_SECONDS is not set" in str(error)


@pytest.mark.parametrize(
    ("end", "same"), [(ended(0, "reconcile_no_op"), True), (ended(75, "reconcile_failed", THROTTLED), False)]
)
def test_a_redelivery_is_the_same_fact_unless_it_failed_again(end: WorkerExit, same: bool) -> None:
    ids = [finished(occasion(invocation_id=id_), LIVE, CONFIG, end)[0].to_row()["EventId"] for id_ in ("i-1", "i-2")]
    assert (ids[0] == ids[1]) is same


def test_a_clock_behind_azures_gives_no_negative_lag() -> None:
    event, _ = finished(occasion(now=NOW - timedelta(hours=1)), LIVE, CONFIG, ended(0, "reconcile_no_op"))
    assert event.to_row()["LagMs"] == 0
