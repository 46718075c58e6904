"""Deliveries that Event Grid still retries or gave up, told from the functions' own events; worked out by hand."""

from datetime import UTC, datetime, timedelta

import pytest

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ago(moment):
    return round((NOW - moment).total_seconds() / 60, 3)


def pick(rows, *columns):
    return [tuple(row[column] for column in columns) for row in rows]


def dead(workspace, *columns, call="AciDnsDeadLetters()"):
    return pick(workspace.ask(f"{call} | sort by SourceEventId asc, ContainerGroup asc"), "SourceEventId", *columns)


def test_a_delivery_that_succeeded_later_is_no_dead_letter(workspace):
    workspace.says(30, "reconcile_failed", group="web", SourceEventId="e1")
    workspace.says(29, "reconcile_updated", group="web", SourceEventId="e1")
    workspace.says(30, "reconcile_failed", group="web")
    assert dead(workspace) == []


def test_one_that_only_failed_is_retried_then_overdue_then_exhausted(workspace):
    workspace.says(0.25, "reconcile_failed", group="a", SourceEventId="e1", LagMs=15_000)
    workspace.says(6, "reconcile_failed", group="b", SourceEventId="e2", LagMs=0)
    workspace.says(24 * 60, "reconcile_deferred", group="c", SourceEventId="e3", LagMs=0)
    rows = workspace.ask("AciDnsDeadLetters() | sort by SourceEventId asc")
    assert pick(rows, "State", "FailedAttempts") == [("retrying", 1), ("overdue", 1), ("exhausted", 1)]
    assert [row["NextAttempt"] and ago(row["NextAttempt"]) for row in rows] == [0.083, 5.833, None]
    assert [ago(row["Published"]) for row in rows] == [0.5, 6, 1440]
    assert rows[0]["Expires"] == rows[0]["Published"] + timedelta(days=1)


def test_a_delivery_is_one_whatever_the_case_of_its_groups_id(workspace):
    row = workspace.says(30, "reconcile_failed", group="web", SourceEventId="e1", LagMs=0)
    upper = row["ContainerGroupId"].upper()
    workspace.says(20, "reconcile_failed", ContainerGroupId=upper, SourceEventId="e1", LagMs=10 * 60_000)
    found = workspace.one("AciDnsDeadLetters()")
    assert (found["FailedAttempts"], found["ContainerGroupId"]) == (2, upper)
    assert [ago(found[name]) for name in ("Published", "FirstAttempt", "LastAttempt")] == [30, 30, 20]
    workspace.says(10, "reconcile_no_op", group="web", SourceEventId="e1")
    assert dead(workspace) == []


@pytest.mark.parametrize(
    ("attempts", "wait_minutes"),
    [(1, 1 / 6), (2, 0.5), (3, 1), (4, 5), (5, 10), (6, 30), (7, 60), (8, 180), (9, 360), (10, 720), (11, 720)],
)
def test_the_next_attempt_follows_event_grids_schedule(workspace, attempts, wait_minutes):
    for number in range(attempts):
        workspace.says(attempts - number, "track_failed", group="web", SourceEventId="e1")
    row = workspace.one("AciDnsDeadLetters(30, 2d)")
    assert (row["FailedAttempts"], row["NextAttempt"]) == (
        attempts,
        row["LastAttempt"] + timedelta(minutes=wait_minutes),
    )


def test_the_subscriptions_own_limits_are_given_as_parameters(workspace):
    workspace.says(0.2, "reconcile_failed", group="web", SourceEventId="e1")
    workspace.says(0.1, "reconcile_failed", group="web", SourceEventId="e1")
    assert dead(workspace, "State") == [("e1", "retrying")]
    assert dead(workspace, "State", call="AciDnsDeadLetters(2)") == [("e1", "exhausted")]
    assert dead(workspace, "State", call="AciDnsDeadLetters(30, 30s)") == [("e1", "exhausted")]


def test_an_attempt_without_a_group_counts_with_the_group_that_is_known_later(workspace):
    workspace.says(3, "reconcile_failed", SourceEventId="e1", ErrorCode="bad_configuration")
    assert dead(workspace, "FailedAttempts", "ContainerGroup") == [("e1", 1, "")]
    workspace.says(2, "reconcile_failed", group="web", SourceEventId="e1", ErrorCode="throttled")
    assert dead(workspace, "FailedAttempts", "ContainerGroup", "ErrorCode") == [("e1", 2, "web", "throttled")]
    assert ago(workspace.one("AciDnsDeadLetters()")["FirstAttempt"]) == 3
    workspace.says(1, "reconcile_updated", group="web", SourceEventId="e1")
    assert dead(workspace) == []


def test_it_says_whether_another_event_repaired_the_group_since(workspace):
    workspace.says(3000, "reconcile_failed", group="web", SourceEventId="e1")
    workspace.says(3000, "reconcile_failed", group="db", SourceEventId="e1")
    workspace.says(2990, "reconcile_failed", group="db", SourceEventId="e2")
    workspace.says(100, "reconcile_no_op", group="web", SourceEventId="e3")
    workspace.says(50, "reconcile_updated", group="web", SourceEventId="e4")
    workspace.says(40, "no_change", group="db")
    rows = workspace.ask("AciDnsDeadLetters() | sort by SourceEventId asc, ContainerGroup asc")
    assert [(row["ContainerGroup"], row["RepairedAt"] and ago(row["RepairedAt"])) for row in rows] == [
        ("db", None),
        ("web", 100),
        ("db", None),
    ]
