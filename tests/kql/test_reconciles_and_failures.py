"""Reconciles, failures and throttling, over rows whose answer is worked out by hand."""

from datetime import UTC, datetime, timedelta

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def group_id(name):
    provider = "Microsoft.ContainerInstance/containerGroups"
    return f"/subscriptions/s-1/resourceGroups/rg-one/providers/{provider}/{name}"


def ago(moment):
    return round((NOW - moment).total_seconds() / 60, 3)


def pick(rows, *columns):
    return [tuple(row[column] for column in columns) for row in rows]


# --- reconciles ------------------------------------------------------------------------------------------------------


def test_attempts_at_one_event_are_numbered_in_the_order_of_their_time(workspace):
    workspace.says(10, "reconcile_failed", group="web", SourceEventId="e1")
    workspace.says(9, "reconcile_deferred", group="web", SourceEventId="e1")
    workspace.says(5, "reconcile_updated", group="web", SourceEventId="e1", Changes=[{}, {}])
    workspace.says(5, "reconcile_no_op", group="db", SourceEventId="e1")
    workspace.says(4, "reconcile_no_op", group="web", SourceEventId="e2")
    workspace.says(3, "reconcile_skipped")
    rows = workspace.ask("AciDnsReconciles() | sort by EventTime asc, ContainerGroup desc")
    assert pick(rows, "Outcome", "ContainerGroup", "AttemptNumber", "Attempts", "IsLast", "ChangeCount") == [
        ("failed", "web", 1, 3, False, 0),
        ("deferred", "web", 2, 3, False, 0),
        ("updated", "web", 3, 3, True, 2),
        ("no_op", "db", 1, 1, True, 0),
        ("no_op", "web", 1, 1, True, 0),
        ("skipped", "", 1, 1, True, 0),
    ]


def test_attempts_are_told_by_the_group_whatever_the_case_of_its_id(workspace):
    row = workspace.says(10, "reconcile_failed", group="web", SourceEventId="e1")
    workspace.says(5, "reconcile_no_op", SourceEventId="e1", ContainerGroupId=row["ContainerGroupId"].upper())
    assert [row["Attempts"] for row in workspace.ask("AciDnsReconciles()")] == [2, 2]


def test_attempts_of_one_moment_are_numbered_in_the_order_of_their_ids(workspace):
    for event_id, kind in (("b", "reconcile_failed"), ("c", "reconcile_updated"), ("a", "reconcile_deferred")):
        workspace.says(5, kind, group="web", SourceEventId="e1", EventId=event_id)
    rows = workspace.ask("AciDnsReconciles() | sort by AttemptNumber asc")
    assert [row["EventId"] for row in rows] == ["a", "b", "c"]


def test_events_of_other_components_and_canaries_are_no_reconciles(workspace):
    workspace.says(3, "drift_detected", group="web")
    workspace.says(2, "canary", Component="reconciler")
    assert workspace.ask("AciDnsReconciles()") == []
    assert workspace.ask("AciDnsReconcileOutcomes()") == []
    assert workspace.ask("AciDnsReconcileLatency()") == []


def test_latency_percentiles_are_by_nearest_rank_and_lag_only_of_what_is_done(workspace):
    for number in range(1, 101):
        workspace.says(30, "reconcile_updated", group="web", DurationMs=number, LagMs=number * 10, ArmCalls=2)
    workspace.says(30, "reconcile_failed", group="web", DurationMs=5000, LagMs=9_999_999, ArmCalls=1)
    workspace.says(30, "reconcile_skipped", DurationMs=0, LagMs=0, ArmCalls=0)
    row = workspace.one("AciDnsReconcileLatency(1h)")
    assert row["TimeGenerated"] == NOW - timedelta(hours=1)
    assert (row["Reconciles"], row["Failed"], row["ArmCalls"]) == (101, 1, 201)
    assert [row[f"LagMsP{share}"] for share in (50, 95, 99)] == [500, 950, 990]
    assert [row[f"DurationMsP{share}"] for share in (50, 95, 99)] == [51, 96, 100]


def test_a_bucket_of_failures_has_no_lag(workspace):
    workspace.says(30, "reconcile_failed", group="web", LagMs=5)
    row = workspace.one("AciDnsReconcileLatency()")
    assert (row["LagMsP50"], row["DurationMsP50"], row["ArmCalls"]) == (None, None, 0)


def test_outcomes_are_counted_by_bucket_with_the_groups_among_them(workspace):
    row = workspace.says(10, "reconcile_updated", group="web")
    workspace.says(11, "reconcile_updated", ContainerGroupId=row["ContainerGroupId"].upper())
    workspace.says(12, "reconcile_updated", group="db")
    workspace.says(40, "reconcile_updated", group="db")
    workspace.says(12, "reconcile_skipped")
    rows = workspace.ask("AciDnsReconcileOutcomes(30m) | sort by TimeGenerated asc, Outcome asc")
    assert [(ago(row["TimeGenerated"]), *list(row.values())[1:]) for row in rows] == [
        (60, "updated", 1, 1),
        (30, "skipped", 1, 0),
        (30, "updated", 3, 2),
    ]


# --- failures --------------------------------------------------------------------------------------------------------


def failures(workspace):
    return pick(
        workspace.ask("AciDnsFailures() | sort by ErrorCode asc"),
        *("ErrorCode", "Failures", "Subjects", "Groups", "StillFailing", "IsOpen", "SampleSubject", "SampleMessage"),
    )


def test_a_cause_is_over_for_a_group_that_succeeded_since_and_goes_on_for_others(workspace):
    workspace.says(30, "reconcile_failed", group="web", ErrorCode="throttled", ErrorMessage="first")
    workspace.says(20, "reconcile_failed", group="db", ErrorCode="throttled", ErrorMessage="latest")
    workspace.says(10, "reconcile_no_op", group="web")
    assert failures(workspace) == [("throttled", 2, 2, 2, 1, True, "db", "latest")]


def test_of_failures_at_one_time_the_sample_is_the_one_with_the_greatest_id(workspace):
    for name in ("b", "c", "a"):
        workspace.says(5, "track_failed", group="web", ErrorCode="forbidden", EventId=name, ErrorMessage=name)
    assert failures(workspace)[0][-1] == "c"


def test_a_group_is_one_whatever_the_case_of_its_id(workspace):
    row = workspace.says(30, "reconcile_failed", group="web", ErrorCode="forbidden")
    workspace.says(20, "reconcile_failed", ContainerGroupId=row["ContainerGroupId"].upper(), ErrorCode="forbidden")
    assert failures(workspace)[0][:5] == ("forbidden", 2, 1, 1, 1)


def test_another_components_success_ends_no_failure(workspace):
    workspace.says(30, "reconcile_failed", group="web", ErrorCode="forbidden")
    workspace.says(10, "no_change", group="web")
    assert failures(workspace)[0][4:6] == (1, True)


def test_a_failure_of_another_cause_takes_the_place_of_the_first(workspace):
    workspace.says(30, "track_failed", group="web", ErrorCode="forbidden")
    workspace.says(10, "track_failed", group="web", ErrorCode="zone_missing")
    assert [row[0:6] for row in failures(workspace)] == [
        ("forbidden", 1, 1, 1, 0, False),
        ("zone_missing", 1, 1, 1, 1, True),
    ]


def test_what_names_no_group_is_over_when_its_component_works_again(workspace):
    workspace.says(30, "reconcile_failed", SourceEventId="e1", ErrorCode="bad_configuration")
    workspace.says(29, "reconcile_failed", SourceEventId="e2", ErrorCode="bad_configuration")
    assert failures(workspace) == [("bad_configuration", 2, 1, 0, 1, True, "e2", "")]
    workspace.says(9, "reconcile_no_op", group="web")
    assert failures(workspace)[0][4:6] == (0, False)


def test_a_run_that_could_not_be_made_is_over_with_the_next_one_from_the_same_place(workspace):
    workspace.says(30, "probe_completed", ErrorCode="no_resolver", Vantage="/v/hub", Resolver="")
    workspace.says(20, "probe_completed", Vantage="/v/spoke", Resolver="")
    workspace.says(19, "probe_ok", Vantage="/v/hub", Fqdn="web.corp", Resolver="")
    assert failures(workspace)[0][4:6] == (1, True)
    workspace.says(10, "probe_completed", Vantage="/v/hub", Resolver="")
    assert failures(workspace)[0][4:6] == (0, False)


def test_a_run_that_broke_off_before_it_knew_its_resolver_is_over_with_the_next_one_that_has_one(workspace):
    workspace.says(30, "probe_completed", ErrorCode="no_resolver", Vantage="/v/hub", Resolver="")
    workspace.says(20, "probe_completed", Vantage="/v/spoke", Resolver="10.1.0.4")
    assert failures(workspace)[0][4:6] == (1, True)
    workspace.says(10, "probe_completed", Vantage="/v/hub", Resolver="168.63.129.16")
    assert failures(workspace)[0][4:6] == (0, False)


def test_a_run_at_other_resolvers_takes_the_place_of_the_one_before(workspace):
    workspace.says(30, "probe_completed", ErrorCode="bad_targets", Vantage="/v/hub", Resolver="10.0.0.4")
    workspace.says(20, "probe_completed", ErrorCode="unexpected", Vantage="/v/hub", Resolver="")
    workspace.says(10, "probe_completed", ErrorCode="bad_targets", Vantage="/v/hub", Resolver="10.0.0.5")
    assert [row[0:5] for row in failures(workspace)] == [("bad_targets", 2, 1, 0, 1), ("unexpected", 1, 1, 0, 0)]


def test_a_probe_that_could_not_even_say_from_where_is_over_with_any_run_that_succeeds(workspace):
    workspace.says(30, "probe_completed", ErrorCode="bad_configuration")
    workspace.says(20, "probe_completed", ErrorCode="unexpected", Vantage="/v/hub")
    assert [row[4] for row in failures(workspace)] == [1, 1]
    workspace.says(10, "probe_completed", Vantage="/v/spoke", Resolver="10.1.0.4")
    assert [row[4] for row in failures(workspace)] == [0, 1]
    workspace.says(5, "probe_completed", ErrorCode="bad_configuration")
    assert [row[4] for row in failures(workspace)] == [1, 1]


def test_a_probed_name_is_judged_at_each_network_and_resolver(workspace):
    for place in ("/v/hub", "/v/spoke"):
        failed = {"Vantage": place, "ErrorCode": "a_missing", "Verdict": "a_missing"}
        workspace.says(30, "probe_failed", Fqdn="web.corp", **failed)
    workspace.says(10, "probe_ok", Fqdn="WEB.corp", Vantage="/v/hub")
    assert failures(workspace)[0][:6] == ("a_missing", 2, 2, 0, 1, True)


def test_a_name_that_is_not_probed_any_more_does_not_fail_for_ever(workspace):
    failed = {"ErrorCode": "a_missing", "Verdict": "a_missing", "CorrelationId": "r1"}
    workspace.says(30, "probe_failed", Fqdn="gone.corp", Vantage="/v/hub", **failed)
    workspace.says(30, "probe_completed", Vantage="/v/hub", CorrelationId="r1")
    assert failures(workspace)[0][4:6] == (1, True)
    workspace.says(10, "probe_completed", Vantage="/v/hub", CorrelationId="r2")
    assert failures(workspace)[0][4:6] == (0, False)


def test_drifts_deferrals_and_canaries_are_no_failures(workspace):
    for kind in ("drift_detected", "reconcile_deferred", "canary", "audit_completed"):
        workspace.says(5, kind, group="web")
    assert failures(workspace) == []


# --- throttling ------------------------------------------------------------------------------------------------------


def test_throttling_counts_runs_refusals_further_attempts_and_calls(workspace):
    upper = {"group": "web", "ContainerGroupId": group_id("web").upper()}
    workspace.says(20, "reconcile_failed", **upper, SourceEventId="e1", ErrorCode="throttled", ArmCalls=9)
    workspace.says(19, "reconcile_failed", group="web", SourceEventId="e1", ErrorCode="throttled", ArmCalls=9)
    workspace.says(10, "reconcile_updated", group="web", SourceEventId="e1", ArmCalls=4)
    workspace.says(10, "reconcile_no_op", group="db", SourceEventId="e1", ArmCalls=3)
    workspace.says(9, "reconcile_skipped")
    workspace.says(8, "probe_ok", ArmCalls=100)
    workspace.says(8, "canary", Component="reconciler")
    workspace.says(7, "audit_completed", ErrorCode="throttled", ArmCalls=50)
    workspace.says(7, "drift_detected", Component="audit", group="web")
    rows = workspace.ask("AciDnsThrottling(1h) | sort by Component asc | project-away TimeGenerated")
    assert [tuple(row.values()) for row in rows] == [
        ("audit", 1, 1, 0, 0, 50, 50.0),
        ("reconciler", 5, 2, 1, 2, 25, 5.0),
    ]
