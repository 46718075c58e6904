"""The clock of the demo's alert rules, and the judgement of what they did: pure."""

from datetime import UTC, datetime, timedelta

import pytest

from cli.demo.alarm import AHEAD, Alarm, Alarms, judge_alarms, run_ahead
from cli.demo.told import Due

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WEB = {"ResourceGroup": "rg-one", "ContainerGroup": "web"}
DUE = Due("drift-not-repaired", {"ContainerGroup": "WEB"})


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def alarm(rule: str = "drift-not-repaired", *, lasted: float | None = 20, **dimensions: str) -> Alarm:
    resolved = None if lasted is None else timedelta(minutes=lasted)
    return Alarm(rule, 1, "page", dimensions or WEB, timedelta(minutes=15), resolved)


def test_rows_after_a_wait_are_later_by_it_and_nothing_else_about_them_changes() -> None:
    rows = [
        {"TimeGenerated": at(s).isoformat(), "EventTime": at(s).isoformat(), "EventId": str(s)} for s in (1, 2, 3, 9)
    ]
    moved = list(run_ahead(rows, [at(2), at(5)]))
    times = [datetime.fromisoformat(row["EventTime"]) for row in moved]
    assert times == [at(1), at(2) + AHEAD, at(3) + AHEAD, at(9) + 2 * AHEAD]
    assert [row["EventId"] for row in moved] == ["1", "2", "3", "9"]
    assert [row["TimeGenerated"] for row in moved] == [row["EventTime"] for row in moved]


def failed(alarms: Alarms, *due: Due, heartbeats: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    return [(check.name, check.found) for check in judge_alarms(alarms, due, heartbeats) if not check.ok]


def test_all_is_well_when_what_is_due_fired_and_resolved() -> None:
    silent = alarm("heartbeat-missing", lasted=None, Component="audit")
    assert failed(Alarms((alarm(),), (silent,)), DUE, heartbeats=("audit",)) == []


STAYS = Due("drift-not-repaired", WEB, resolves=False)
OTHER = alarm("throttling", Component="probe")


@pytest.mark.parametrize(
    ("fired", "due", "found"),
    [
        ((), DUE, ("alert drift-not-repaired (WEB)", "it did not fire")),
        ((alarm(lasted=None),), DUE, ("alert drift-not-repaired (WEB)", "fired, and still is")),
        ((alarm(),), STAYS, ("alert drift-not-repaired (rg-one, web)", "fired and resolved")),
        ((alarm(), OTHER), DUE, ("no other alert fired", "throttling {'Component': 'probe'}")),
        ((alarm(), alarm()), DUE, ("no other alert fired", f"drift-not-repaired {WEB}")),
    ],
)
def test_an_alert_that_is_missing_or_lasts_or_is_one_too_many_is_found(
    fired: tuple[Alarm, ...], due: Due, found: tuple[str, str]
) -> None:
    assert failed(Alarms(fired), due) == [found]


def test_a_heartbeat_that_is_not_missed_is_found() -> None:
    assert failed(Alarms(), heartbeats=("probe",)) == [("alert heartbeat-missing (probe)", "it did not fire")]
