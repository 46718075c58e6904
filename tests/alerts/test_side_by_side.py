"""Tests of a rule that are moved apart in time and asked in one go answer as each would alone."""

from datetime import timedelta
from itertools import pairwise

import pytest

from alerts import cases, run_cases
from alerts.model import MAX_RANGE
from alerts.run_cases import moments_of, read_file, run_files
from alerts.side_by_side import WEEK, SideBySide, can_move, fill, places
from kql.duckdb_engine import DuckDbEngine, connect
from kql.engine import QueryError

TESTS = """\
rule_files: [sample.yaml]
defaults:
  AciDnsEvents_CL: {EventType: reconcile_failed, Component: reconciler, ResourceGroup: rg, ContainerGroup: web}
tests:
  - name: one row
    rule: sample
    tables: {AciDnsEvents_CL: [{TimeGenerated: -2m}]}
    eval_time: 0m
    exp_alerts: [{dimensions: {}, state: fired, value: 1}]
  - name: none
    rule: sample
    tables: {}
    eval_time: every 5m from -3d to 0m
    exp_alerts: []
  - name: three
    rule: sample
    tables: {AciDnsEvents_CL: [{TimeGenerated: -2m, count: 3}]}
    eval_time: 0m
    exp_alerts: [{dimensions: {}, state: fired, value: 3}]
"""


@pytest.fixture
def written(tmp_path, rule_yaml):
    """Give `written(tests)`: the path of a file of tests, beside its rule."""

    def write(tests=TESTS):
        (tmp_path / "sample.yaml").write_text(rule_yaml())
        (tmp_path / "tests.yaml").write_text(tests)
        return tmp_path / "tests.yaml"

    return write


def placed(path):
    file, by_name = read_file(path)
    return by_name["sample"], places([(case, moments_of(case, by_name["sample"], file.now)) for case in file.cases])


def test_no_evaluation_sees_what_is_of_another_test(written):
    _, found = placed(written())
    spans = [
        (min(times) + place.by, max(times) + place.by)
        for place in found
        for times in [[*place.moments, *(arrival.time for arrival in place.case.arrivals)]]
    ]
    assert all(later[0] - MAX_RANGE > earlier[1] for earlier, later in pairwise(spans))
    assert found[0].by == timedelta()
    assert all(place.by % WEEK == timedelta() for place in found)


def test_each_test_has_its_own_alerts(written):
    assert [result.mismatches for result in run_files([written()])] == [(), (), ()]


def test_what_was_answered_is_shown_at_the_times_of_the_test(written):
    wrong = TESTS.replace("value: 3", "value: 4")
    (found,) = [mismatch for result in run_files([written(wrong)]) for mismatch in result.mismatches]
    file, _ = read_file(written(wrong))
    assert {row["TimeGenerated"] for row in found.table} == {file.now - timedelta(minutes=2)}
    assert {row["EventTime"] for row in found.table} == {file.now - timedelta(minutes=2)}
    assert [one.value for one in found.got] == [3]


def test_a_query_is_planned_once_for_all_of_them(written, monkeypatch):
    asked = []
    real = DuckDbEngine.query_each

    def counted(self, kql, moments):
        asked.append(len(moments))
        return real(self, kql, moments)

    monkeypatch.setattr(DuckDbEngine, "query_each", counted)
    assert len(list(run_files([written()]))) == 3
    assert asked == [2 + (3 * 288 + 1) + 2]


def test_a_time_inside_of_a_text_cannot_be_moved_and_such_a_test_is_run_alone(written):
    line = 'aci-dns-event {"EventId": "1", "EventType": "reconcile_failed", "TimeGenerated": "2026-03-02T11:58:00Z"}'
    rows = f"{{AppTraces: [{{TimeGenerated: -2m, Message: '{line}'}}]}}"
    tests = TESTS.replace("tables: {}", f"tables: {rows}")
    file, _ = read_file(written(tests))
    assert [can_move(case) for case in file.cases] == [True, False, True]
    assert [result.case.name for result in run_files([written(tests)])] == ["one row", "none", "three"]


def test_a_query_that_fails_fails_for_each_test_and_is_tried_alone(written):
    rule, found = placed(written())
    with connect() as connection:
        fill(connection, found)
        together = SideBySide(DuckDbEngine(connection), found)
        moments = [(at, (at - MAX_RANGE, at)) for at in found[0].moments]
        for _ in range(2):
            with pytest.raises(QueryError):
                list(together.of(found[0]).query_each("AciDnsEvents() | where Nothing == 1", moments))
        done = run_cases.check_case("x", found[0].case.checks[0].at, found[0].case, rule, together.of(found[0]))
    assert done.mismatches == ()


def test_a_test_that_is_asked_at_other_instants_than_its_own_is_answered_all_the_same(written):
    _, found = placed(written())
    last = found[2]
    with connect() as connection:
        fill(connection, found)
        engine = SideBySide(DuckDbEngine(connection), found).of(last)
        at = last.moments[-1] - timedelta(minutes=1)
        (table,) = engine.query_each("AciDnsEvents()", [(at, (at - MAX_RANGE, at))])
        assert len(table.rows) == 3
        assert len(engine.query("AciDnsEvents()", timespan=MAX_RANGE, now=at).rows) == 3
        with pytest.raises(ValueError, match="at an instant"):
            engine.query("AciDnsEvents()")
    assert cases.NOW in last.moments
