"""Silent and noisy components, heartbeats, ingestion and cost drivers, over rows whose answer is worked out by hand."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from core import events
from kql import tables

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ago(moment):
    return None if moment is None else round((NOW - moment).total_seconds() / 60, 3)


# --- components ------------------------------------------------------------------------------------------------------


def state(workspace, component, call="AciDnsComponents()"):
    return workspace.one(f"{call} | where Component == '{component}'")


def test_every_component_has_a_row_although_nothing_arrived(workspace):
    rows = workspace.ask("AciDnsComponents() | sort by Component asc")
    assert [(row["Component"], row["State"], row["Events"], row["LastSeen"]) for row in rows] == [
        (component, "never", 0, None) for component in ("audit", "probe", "reconciler", "tracker")
    ]


@pytest.mark.parametrize(
    ("before", "recent", "expected"),
    [(30, 0, "silent"), (29, 0, "idle"), (30, 1, "usual"), (30, 10, "noisy"), (30, 9, "usual"), (34, 10, "usual")],
)
def test_the_state_compares_the_last_hour_with_the_ten_before(workspace, before, recent, expected):
    for number in range(before):
        workspace.says(11 * 60 - number, "reconcile_no_op", group="web")
    for _ in range(recent):
        workspace.says(30, "reconcile_no_op", group="web")
    row = state(workspace, "reconciler")
    assert row["State"] == expected
    assert (row["Events"], row["RecentEvents"], row["RecentPerHour"]) == (before + recent, recent, recent)
    assert row["UsualPerHour"] == row["ExpectedEvents"] == before / 10
    assert row["MinutesSince"] == ago(row["LastSeen"]) == (30 if recent else 11 * 60 - before + 1)


def test_one_that_began_within_the_recent_time_is_new(workspace):
    workspace.says(30, "no_change", group="web")
    row = state(workspace, "tracker")
    assert (row["State"], row["UsualPerHour"], row["ExpectedEvents"]) == ("new", None, None)


def test_a_first_event_just_before_the_recent_time_makes_no_huge_rate(workspace):
    workspace.says(61, "no_change", group="web")
    assert state(workspace, "tracker")["UsualPerHour"] == 1


def test_an_event_at_the_very_edge_of_the_recent_time_is_not_recent(workspace):
    workspace.says(60, "no_change", group="web")
    assert state(workspace, "tracker")["RecentEvents"] == 0


def test_the_recent_time_is_a_parameter_and_canaries_do_not_count(workspace):
    workspace.says(90, "no_change", group="web")
    workspace.says(5, "canary", Component="tracker")
    assert state(workspace, "tracker")["RecentEvents"] == 0
    row = state(workspace, "tracker", "AciDnsComponents(2h)")
    assert (row["RecentEvents"], row["RecentPerHour"]) == (1, 0.5)


def test_a_component_that_is_not_one_of_ours_has_a_row_too(workspace):
    workspace.says(90, "no_change", Component="elsewhere")
    assert len(workspace.ask("AciDnsComponents()")) == 5


# --- heartbeats ------------------------------------------------------------------------------------------------------


def beats(workspace, call="AciDnsHeartbeats()"):
    rows = workspace.ask(f"{call} | sort by Component asc, Heartbeat asc, Vantage asc")
    return [(row["Component"], row["Vantage"], row["Beats"], ago(row["LastSeen"]), row["Overdue"]) for row in rows]


def test_every_expected_heartbeat_is_overdue_when_nothing_at_all_arrived(workspace):
    rows = workspace.ask("AciDnsHeartbeats() | sort by Component asc")
    assert [(row["Component"], row["Heartbeat"], row["Overdue"]) for row in rows] == [
        ("audit", "audit_completed", True),
        ("probe", "probe_completed", True),
        ("reconciler", "canary", True),
        ("tracker", "canary", True),
    ]
    assert {(row["Beats"], row["LastSeen"], row["MinutesSince"], row["LastErrorCode"]) for row in rows} == {
        (0, None, None, "")
    }


def test_a_heartbeat_is_overdue_after_more_than_the_misses_allowed(workspace):
    workspace.says(10, "canary", Component="reconciler")
    workspace.says(10.02, "canary", Component="tracker")
    workspace.says(30, "audit_completed")
    workspace.says(10, "probe_completed")
    assert beats(workspace) == [
        ("audit", "", 1, 30, False),
        ("probe", "", 1, 10, False),
        ("reconciler", "", 1, 10, False),
        ("tracker", "", 1, 10.02, True),
    ]
    overdue = [row[-1] for row in beats(workspace, "AciDnsHeartbeats(4m, 1h, 5m, 3)")]
    assert overdue == [False, False, False, False]
    assert [row[-1] for row in beats(workspace, "AciDnsHeartbeats(4m, 14m)")] == [True, True, False, True]


def test_each_network_has_a_heartbeat_of_its_own(workspace):
    for minutes_ago in (13, 8, 3):
        workspace.says(minutes_ago, "probe_completed", Vantage="/v/hub")
        workspace.says(minutes_ago + 20, "probe_completed", Vantage="/v/spoke")
    workspace.says(50, "probe_completed", Vantage="/v/by-hand")
    assert beats(workspace)[1:4] == [
        ("probe", "/v/by-hand", 1, 50, False),
        ("probe", "/v/hub", 3, 3, False),
        ("probe", "/v/spoke", 3, 23, True),
    ]


def test_a_run_that_could_not_be_made_is_a_heartbeat_and_tells_why(workspace):
    workspace.says(9, "audit_completed", ErrorCode="forbidden", ErrorMessage="no role")
    row = workspace.one("AciDnsHeartbeats() | where Component == 'audit'")
    assert (row["Overdue"], row["LastErrorCode"], row["LastErrorMessage"]) == (False, "forbidden", "no role")
    assert row["ExpectedEvery"] == timedelta(minutes=15)


def test_runs_that_did_not_know_from_where_are_held_to_nothing_once_there_is_a_place(workspace):
    for minutes in (90, 80, 70):
        workspace.says(minutes, "probe_completed", ErrorCode="bad_configuration")
    assert workspace.one("AciDnsHeartbeats() | where Component == 'probe'")["Overdue"]
    workspace.says(2, "probe_completed", Vantage="/v/hub")
    rows = workspace.ask("AciDnsHeartbeats() | where Component == 'probe' | sort by Vantage asc")
    assert [(row["Vantage"], row["Overdue"]) for row in rows] == [("", False), ("/v/hub", False)]
    workspace.says(60, "probe_completed")
    rows = workspace.ask("AciDnsHeartbeats() | where Component == 'probe' | sort by Vantage asc")
    assert [(row["Vantage"], row["Overdue"]) for row in rows] == [("", True), ("/v/hub", False)]


def test_a_heartbeat_that_nobody_expects_is_listed(workspace):
    workspace.says(50, "canary", Component="probe")
    assert ("probe", "", 1, 50, True) in beats(workspace)


# --- ingestion -------------------------------------------------------------------------------------------------------


def test_nothing_at_all_is_one_row_of_zeros(workspace):
    row = workspace.one("AciDnsIngestion(1h)")
    assert (row.pop("TimeGenerated"), row.pop("Rows"), row.pop("DcrErrors")) == (NOW, 0, 0)
    assert {name: value for name, value in row.items() if value not in (0, None)} == {}


def test_lag_is_from_what_happened_to_the_pipeline_by_nearest_rank(workspace):
    for number in range(1, 101):
        workspace.says(120, "no_change", arrives=120 - number / 60)
    row = workspace.one("AciDnsIngestion(1h)")
    assert [row[f"LagSeconds{share}"] for share in ("P50", "P95", "P99", "Max")] == [50, 95, 99, 100]


def test_buckets_without_anything_stand_between_those_with_something(workspace):
    workspace.says(180, "no_change")
    workspace.says(0, "no_change")
    rows = workspace.ask("AciDnsIngestion(1h) | sort by TimeGenerated asc")
    assert [(ago(row["TimeGenerated"]), row["Rows"], row["LagSecondsP50"]) for row in rows] == [
        (180, 1, 0), (120, 0, None), (60, 0, None), (0, 1, 0),
    ]  # fmt: skip


def test_rewritten_times_and_duplicates_are_counted(workspace):
    workspace.says(30, "no_change", EventId="a")
    workspace.says(20, "no_change", EventId="a")
    workspace.says(90, "no_change", EventId="a", EventTime="2026-02-01T00:00:00")
    rows = workspace.ask("AciDnsIngestion(1h) | sort by TimeGenerated asc")
    assert [(row["Rows"], row["Rewritten"], row["Duplicates"]) for row in rows] == [(1, 1, 1), (2, 0, 1)]


def fallback_line(event_id, happened):
    fact = json.dumps({"EventId": event_id, "TimeGenerated": happened})
    return {"TimeGenerated": "2026-03-01T11:45:00", "Message": events.FALLBACK_MARKER + fact}


def test_the_fallback_and_refused_data_count_where_no_row_arrived(workspace):
    happened = "2026-03-01T10:30:00"
    broken = {"TimeGenerated": happened, "Message": events.FALLBACK_MARKER + "{"}
    said = {"TimeGenerated": happened, "Message": "said " + events.FALLBACK_MARKER}
    workspace.store(tables.TRACES, fallback_line("a", happened), fallback_line("b", happened), broken, said)
    refused = [{"TimeGenerated": happened, "InputStreamId": stream} for stream in (events.STREAM, "Custom-Else")]
    workspace.store(tables.RULE_ERRORS, *refused)
    row = workspace.one("AciDnsIngestion(1h)")
    found = (row["TimeGenerated"].hour, row["Rows"], row["FallbackRows"], row["Duplicates"], row["DcrErrors"])
    assert found == (10, 0, 2, 0, 1)


def test_a_row_and_its_log_line_are_one_fact_and_one_duplicate(workspace):
    row = workspace.says(90, "no_change")
    workspace.store(tables.TRACES, fallback_line(row["EventId"], "2026-03-01T10:30:00"))
    found = workspace.one("AciDnsIngestion(1h)")
    assert (found["Rows"], found["FallbackRows"], found["Duplicates"]) == (1, 1, 1)


def test_the_longest_gap_of_an_apps_canary_stands_where_it_ended(workspace):
    for minutes_ago in (130, 125, 95, 50, 45):
        workspace.says(minutes_ago, "canary", Component="reconciler", Details={"app": "writer"})
    for minutes_ago in (129, 46):
        workspace.says(minutes_ago, "canary", Component="tracker", Details={"app": "observer"})
    rows = workspace.ask("AciDnsIngestion(1h) | sort by TimeGenerated asc")
    assert [(row["Canaries"], row["CanaryGapMinutes"]) for row in rows] == [(3, 5), (1, 30), (3, 83)]


# --- costs -----------------------------------------------------------------------------------------------------------


def test_cost_drivers_are_counted_by_day_component_and_type_as_ingested(workspace):
    workspace.says(5, "no_change", EventId="a", ArmCalls=3)
    workspace.says(4, "no_change", EventId="a", ArmCalls=3)
    workspace.says(13 * 60, "no_change")
    workspace.says(3, "canary", Component="tracker")
    rows = workspace.ask("AciDnsCosts() | sort by TimeGenerated asc, EventType asc")
    assert [(row["TimeGenerated"].day, row["EventType"], row["Rows"], row["ArmCalls"]) for row in rows] == [
        (28, "no_change", 1, 0),
        (1, "canary", 1, 0),
        (1, "no_change", 2, 6),
    ]


def test_the_estimate_is_the_length_of_the_columns_texts(workspace):
    row = workspace.says(5, "no_change", Fqdn="web.é", LagMs=12345, DriftKinds=["a"], Details={"k": 1})
    texts = [row[name] for name in ("EventId", "Component", "EventType", "Severity", "Fqdn")]
    expected = 56 + sum(map(len, texts)) + len("12345") + len('["a"]') + len('{"k":1}')
    found = workspace.one("AciDnsCosts()")
    assert (found["EstimatedBytes"], found["BytesPerRow"]) == (expected, expected)


def test_every_column_is_in_the_estimate(workspace):
    samples = {"string": "xyz", "int": 123, "long": 123, "dynamic": ["x"]}
    base = {"Component": "", "Severity": "", "EventId": "", "EventType": ""}
    times = {"TimeGenerated": "2026-03-01T11:00:00", "EventTime": "2026-03-01T11:00:00"}
    for column in events.COLUMNS:
        value = {} if column.type == "datetime" else {column.name: samples[column.type]}
        tables.clear(workspace.connection)
        workspace.store(tables.EVENTS, {**base, **times, **value})
        extra = 0 if column.type == "datetime" else 5 if column.type == "dynamic" else 3
        assert workspace.one("AciDnsCosts()")["EstimatedBytes"] == 56 + extra, column.name
