"""Unit tests of rules: what may be written, how rows and evaluations are made of it, and what a failure shows."""

from textwrap import dedent

import pytest

from alerts.diff import failure
from alerts.run_cases import run_files
from alerts.yaml_source import RuleError, SourceError

HEAD = """\
rule_files: [sample.yaml]
defaults:
  AciDnsEvents_CL: {EventType: reconcile_failed, Component: reconciler, ResourceGroup: rg, ContainerGroup: web}
tests:
"""
ROW = "{TimeGenerated: -2m, SubscriptionId: s}"


@pytest.fixture
def run(tmp_path, rule_yaml):
    """Give `run(tests, head=..., **settings)`: the results of a file of tests on a rule with these settings."""

    def call(tests, *, head=HEAD, **settings):
        (tmp_path / "sample.yaml").write_text(rule_yaml(**settings))
        (tmp_path / "tests.yaml").write_text(head + dedent(tests))
        return list(run_files([tmp_path / "tests.yaml"]))

    return call


def case(rows="", *, at="0m", alerts="[]", more=""):
    tables = f"tables: {{AciDnsEvents_CL: [{rows}]}}, " if rows else ""
    return f"- {{name: one, rule: sample, {tables}{more}eval_time: {at}, exp_alerts: {alerts}}}\n"


def passes(results):
    return [not result.mismatches for result in results]


FIRED = "[{dimensions: {}, state: fired}]"


@pytest.mark.parametrize(
    ("rows", "at", "alerts"),
    [
        (ROW, "0m", FIRED),
        (ROW, "-5m", "[]"),
        (ROW, "5m", FIRED),
        (ROW, "15m", "[{state: resolved}]"),
        ("{TimeGenerated: -2m, ingest_delay: 4m}", "every 5m from -10m to 30m", "[]"),  # its bin has passed by then
        ("{TimeGenerated: -2m, duplicates: 3}", "0m", "[{state: fired, value: 1}]"),
        ("{TimeGenerated: -2m, count: 4}", "0m", "[{state: fired, value: 4}]"),
        ("{TimeGenerated: every 1m from -5m to -1m}", "0m", "[{state: fired, value: 5}]"),
        ("{TimeGenerated: every 1m from -5m to -1m, count: 2}", "0m", "[{state: fired, value: 10}]"),
        ("{TimeGenerated: 2026-03-02T11:58:00Z}", "2026-03-02T12:00:00Z", FIRED),
        ("{TimeGenerated: -2m, EventType: no_change}", "0m", "[]"),
        ("", "0m", "[]"),
    ],
)
def test_rows_arrive_as_they_are_written(run, rows, at, alerts):
    assert passes(run(case(rows, at=at, alerts=alerts))) == [True]


@pytest.mark.parametrize(
    "alerts",
    [
        "[]",
        "[{state: resolved}]",
        "[{state: fired, value: 2}]",
        "[{state: fired, fired_at: -5m}]",
        "[{state: fired, resolved_at: 0m}]",
        "[{state: fired}, {state: fired}]",
    ],
)
def test_anything_but_the_whole_truth_fails(run, alerts):
    assert passes(run(case(ROW, alerts=alerts))) == [False]


def test_an_event_is_completed_by_what_its_columns_say(run):
    kql = dedent("""\
        |
          AciDnsEvents()
          | where Severity == "Error" and EventTime == TimeGenerated and isnotempty(EventId)
          | where ContainerGroupId startswith "/subscriptions/s/resourceGroups/rg/providers/"
          | where ContainerGroupId endswith "/containerGroups/web"
        """)
    assert passes(run(case(ROW, alerts=FIRED), kql=kql)) == [True]


def test_texts_can_hold_the_rows_number(run):
    alerts = (
        "[{dimensions: {ContainerGroup: web-0}, state: fired}, {dimensions: {ContainerGroup: web-1}, state: fired}]"
    )
    rows = "{TimeGenerated: -2m, ContainerGroup: 'web-{i}', count: 2}"
    assert passes(run(case(rows, alerts=alerts), dimensions="[{name: ContainerGroup}]")) == [True]


def test_rows_of_one_test_are_not_there_in_the_next_and_shared_ones_are(run):
    shared = HEAD.replace("tests:", "tables: {AciDnsEvents_CL: [{TimeGenerated: -3m}]}\ntests:")
    tests = case(ROW, alerts="[{state: fired, value: 2}]") + case(alerts="[{state: fired, value: 1}]")
    assert passes(run(tests, head=shared)) == [True, True]


def test_other_tables_can_have_rows(run):
    rows = "tables: {AppTraces: [{TimeGenerated: -2m, Message: boom, SeverityLevel: 3}]}"
    test = f"- {{name: one, rule: sample, {rows}, eval_time: 0m, exp_alerts: {FIRED}}}\n"
    assert passes(run(test, kql='AppTraces | where Message == "boom" and SeverityLevel == 3')) == [True]


def test_a_phase_moves_the_evaluations(run):
    assert passes(run(case(ROW, at="1m", alerts=FIRED, more="phase: 1m, "))) == [True]


def test_evaluations_carry_the_state_from_the_first_row_on(run):
    test = """\
        - name: one
          rule: sample
          tables: {AciDnsEvents_CL: [{TimeGenerated: -61m}, {TimeGenerated: -3m}]}
          evaluations:
            - {at: 0m, exp_alerts: [{state: fired, fired_at: 0m}]}
            - {at: -45m, exp_alerts: [{state: resolved, fired_at: -1h, resolved_at: -45m}]}
            - {at: every 5m from -1h to -50m, exp_alerts: [{state: fired, fired_at: -1h}]}
        """
    (result,) = run(test)
    assert (result.mismatches, result.evaluations) == ((), 14)


@pytest.mark.parametrize(
    ("at", "alerts"),
    [("0m", "[{state: fired}]"), ("5m", "[]"), ("10m", "[]")],
)
def test_a_stateless_rule_lists_what_happened_at_the_instant(run, at, alerts):
    assert passes(run(case(ROW, at=at, alerts=alerts), autoMitigate="false")) == [True]


def test_a_muted_alert_is_listed_as_muted(run):
    rows = "{TimeGenerated: every 1m from -30m to -1m}"
    tests = case(rows, at="-25m", alerts="[{state: fired}]") + case(
        rows, at="-20m", alerts="[{state: muted, value: 5}]"
    )
    assert passes(run(tests, autoMitigate="false", muteActionsDuration="PT1H")) == [True, True]


def test_a_query_that_fails_fails_the_test_and_says_why(run):
    (result,) = run(case(at="0m"), kql="Nowhere")
    assert "the query failed" in "\n".join(failure(result))


def test_a_failure_shows_expected_and_got_and_the_rows(run):
    web = "{dimensions: {ContainerGroup: web}, state: fired, value: 2}"
    alerts = f"[{web}, {{dimensions: {{ContainerGroup: db}}, state: fired}}]"
    rows = "{TimeGenerated: -2m}, {TimeGenerated: -2m, ContainerGroup: api}"
    kql = '|\n  AciDnsEvents()\n  | where EventType == "reconcile_failed"\n  | project ContainerGroup'
    (result,) = run(case(rows, alerts=alerts), dimensions="[{name: ContainerGroup}]", kql=kql)
    lines = list(failure(result))
    assert lines[0].endswith("tests.yaml:5: one")
    assert sorted(lines[-2:]) == ["      api", "      web"]
    assert lines[1:-2] == [
        "  sample at 0m (2026-03-02 12:00:00 UTC), line 5:",
        "    - fired  ContainerGroup='web'  value 2",
        "    + fired  ContainerGroup='web'  value 1  fired at 0m",
        "    - fired  ContainerGroup='db'",
        "    + fired  ContainerGroup='api'  value 1  fired at 0m",
        "    the query's answer at that instant: 2 rows",
        "      ContainerGroup",
    ]


def test_a_failure_at_many_instants_shows_the_first_and_counts_the_rest(run):
    (result,) = run(case(ROW, at="every 5m from 0m to 30m"))
    lines = list(failure(result))
    assert lines[2:4] == ["    + fired  value 1  fired at 0m", "    - (no alert)"]
    assert lines[-1] == "  and at 4 more instants, the last at 30m"


BAD = [
    (case("{TimeGenerated: soon}"), "TimeGenerated: 'soon' is not a length of time such as -5m, 1h30m, 90s or 0m"),
    (case("{EventType: x}"), "TimeGenerated: is missing"),
    (case("{TimeGenerated: 0m, Colour: red}"), "Colour: is not known; there are ArmCalls, Attempt, Changes"),
    (case("{TimeGenerated: 0m, EventTyp: x}"), "EventTyp: is not known; did you mean 'EventType'?"),
    (case("{TimeGenerated: 0m, Attempt: one}"), "Attempt: must be of type int, not 'one'"),
    (case("{TimeGenerated: 0m, Attempt: true}"), "Attempt: must be of type int, not True"),
    (case("{TimeGenerated: 0m, Fqdn: 5}"), "Fqdn: must be text, not 5: quote it"),
    (case("{TimeGenerated: 0m, ingest_delay: -5m}"), "ingest_delay: must not be negative"),
    (case("{TimeGenerated: 0m, duplicates: -1}"), "duplicates: must not be negative"),
    (case("{TimeGenerated: every 1s from -9d to 0m}"), "makes more than 100,000 rows"),
    (case("5"), "must be a mapping"),
    (case(ROW, at="3m"), "sample is not evaluated at 3m, but every 5m through 0m (phase moves that)"),
    (case(ROW, at="later"), "eval_time: 'later' is not a length of time"),
    (case(ROW, alerts="[{dimensions: {Zone: a}, state: fired}]"), "needs exactly the dimensions (none), not Zone"),
    (case(ROW, alerts="[{state: on}]"), "state: must be one of fired, resolved, muted, not 'on'"),
    (case(ROW, alerts="[{dimensions: {}}]"), "state: is missing"),
    (case(ROW, more="covers: [all], "), "covers.0: must be one of fires, below, resolves, late, duplicates, missing"),
    (case(ROW).replace("rule: sample", "rule: simple"), "rule: no rule 'simple' in rule_files; did you mean 'sample'?"),
    (case(ROW).replace("eval_time: 0m", "evaltime: 0m"), "eval_time: is missing"),
    (case(ROW).replace("exp_alerts: []", "x: 1"), "exp_alerts: is missing"),
    (case(ROW).replace("AciDnsEvents_CL", "AciDnsEvent_CL"), "is not a table; did you mean 'AciDnsEvents_CL'?"),
    (case("{TimeGenerated: -700d}"), "its first row is over 20,000 evaluations before its last instant"),
]


@pytest.mark.parametrize(("tests", "message"), BAD, ids=[message[:40] for _, message in BAD])
def test_what_is_wrong_with_a_test_is_said_with_its_line(run, tests, message):
    with pytest.raises(SourceError) as error:
        run(tests)
    assert message in str(error.value)
    assert all("tests.yaml:" in reason for reason in error.value.reasons)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (HEAD.replace("sample.yaml", "other.yaml"), "other.yaml cannot be read: No such file"),
        ("rule_files: [sample.yaml]\nother:\n", "tests: is missing"),
        (HEAD.replace("[sample.yaml]", "[]"), "rule_files: names no file"),
        (HEAD.replace("[sample.yaml]", "[5]"), "must be the path of a rule's file, not 5"),
        (HEAD.replace("AciDnsEvents_CL", "Events"), "defaults.Events: is not a table"),
    ],
)
def test_what_is_wrong_with_a_file_of_tests_is_said(run, head, message):
    with pytest.raises(RuleError) as error:
        run(case(ROW), head=head)
    assert message in str(error.value)


def test_a_rule_that_cannot_be_read_is_said_by_its_own_line(run):
    with pytest.raises(SourceError, match=r"sample.yaml:\d+: severity: must be 0"):
        run(case(ROW), severity="7")
