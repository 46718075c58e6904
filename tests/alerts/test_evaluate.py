"""Evaluating a rule on real rows: what is ingested late, how far back a query sees, what time it is, what fails."""

from datetime import timedelta

import pytest

from alerts.evaluate import evaluate, grid, replay
from alerts.model import Dimension, FailingPeriods
from alerts.state import Change, State
from core.errors import ConfigurationError
from kql.engine import QueryError

FAILED = {"EventType": "reconcile_failed", "ContainerGroup": "web"}
FIVE = timedelta(minutes=5)
STATE = """
AciDnsEvents()
| summarize arg_max(EventTime, EventType) by ContainerGroup
| where EventType == "reconcile_failed"
"""


def transitions(rule, kql, engine, at, count):
    found = []
    for done in replay(rule, kql, engine, [at + FIVE * number for number in range(count)]):
        found += [(round((one.at - at) / FIVE), one.change.value) for one in done.transitions]
    return found


def test_a_row_is_seen_from_when_it_was_ingested(make_rule, with_rows, at):
    engine = with_rows((-2, 12, FAILED))
    rule = make_rule(override_query_time_range=timedelta(hours=1))
    assert transitions(rule, STATE, engine, at, 5) == [(2, "fired")]


def test_a_row_that_comes_after_its_bins_have_passed_is_never_seen(make_rule, with_rows, at):
    engine = with_rows((-2, 12, FAILED))
    assert transitions(make_rule(), "AciDnsEvents()", engine, at, 10) == []


def test_a_row_in_time_fires_and_resolves_when_its_bin_has_passed(make_rule, with_rows, at):
    engine = with_rows((-2, 0, FAILED))
    assert transitions(make_rule(), "AciDnsEvents()", engine, at, 6) == [(0, "fired"), (3, "resolved")]


@pytest.mark.parametrize(("hours", "seen"), [(47.9, True), (48.1, False)])
def test_no_query_sees_more_than_48_hours_whatever_it_says(make_rule, with_rows, at, hours, seen):
    engine = with_rows((-60 * hours, 0, FAILED))
    rule = make_rule(override_query_time_range=timedelta(days=7))
    text = "AciDnsEvents() | where TimeGenerated > ago(7d) | project ContainerGroup"
    assert bool(evaluate(rule, text, engine, at, State()).series) is seen


def test_ago_and_now_mean_the_instant_of_the_evaluation(make_rule, with_rows, at):
    engine = with_rows((-30, 0, FAILED))
    rule = make_rule(override_query_time_range=timedelta(hours=6))
    text = "AciDnsEvents() | where EventTime < ago(45m) | project Age = now() - EventTime, ContainerGroup"
    assert transitions(rule, text, engine, at, 6) == [(4, "fired")]


def test_the_end_of_the_range_is_the_next_evaluations(make_rule, with_rows, at):
    engine = with_rows((0, 0, FAILED))
    rule = make_rule(dimensions=(Dimension("ContainerGroup"),))
    assert transitions(rule, "AciDnsEvents() | project ContainerGroup", engine, at, 2) == [(1, "fired")]


def test_when_it_looks_less_often_than_far_rows_in_between_are_never_seen(make_rule, with_rows, at):
    engine = with_rows((-22, 0, FAILED))
    rule = make_rule(evaluation_frequency=timedelta(minutes=15))
    moments = grid(rule, at - timedelta(hours=1), at, through=at)
    assert [one for done in replay(rule, "AciDnsEvents()", engine, moments) for one in done.transitions] == []


def test_a_query_that_cannot_run_is_an_evaluation_that_failed(make_rule, with_rows, at):
    (done,) = replay(make_rule(), "Nowhere", with_rows(), [at])
    assert (done.series, done.state.failing_since, "Nowhere" in done.error) == ((), at, True)


def test_a_result_that_does_not_fit_the_rule_is_an_evaluation_that_failed(make_rule, with_rows, at):
    rule = make_rule(failing_periods=FailingPeriods(2, 2))
    (done,) = replay(rule, "AciDnsEvents() | project Component", with_rows(), [at])
    assert done.error == "several evaluation periods need a column TimeGenerated of type datetime in the result"


def test_a_stateful_rule_is_not_evaluated_less_often_than_every_12_hours(make_rule, with_rows, at):
    rule = make_rule(evaluation_frequency=timedelta(days=1), window_size=timedelta(days=1), lines={"": 1})
    with pytest.raises(ConfigurationError, match=r"sample.yaml:1: a stateful rule is not evaluated less often"):
        list(replay(rule, "AciDnsEvents()", with_rows(), [at]))


def test_the_grid_goes_through_its_instant_and_stays_within_its_ends(make_rule, at):
    found = grid(make_rule(), at - timedelta(minutes=12), at + timedelta(minutes=7), through=at)
    assert [(moment - at) / FIVE for moment in found] == [-2, -1, 0, 1]


class OneByOne:
    """An engine that can be asked only at one moment after the other, and fails at some."""

    def __init__(self, engine, broken=()):
        self.engine = engine
        self.broken = broken

    def query(self, kql, *, timespan=None, now=None):
        if now in self.broken:
            raise QueryError("timeout", "too slow")
        return self.engine.query(kql, timespan=timespan, now=now)


class GivesUp(OneByOne):
    """An engine that answers two moments in one go, and then can not."""

    def query_each(self, kql, moments):
        yield from self.engine.query_each(kql, moments[:2])
        raise QueryError("unsupported", "not in one go")


@pytest.mark.parametrize("kind", [OneByOne, GivesUp])
def test_moments_asked_one_by_one_give_the_same(make_rule, with_rows, at, kind):
    engine = with_rows(
        (-2, 12, FAILED), (7, 3, {**FAILED, "ContainerGroup": "api"}), (21, 0, {"EventType": "no_change"})
    )
    rule = make_rule(override_query_time_range=timedelta(hours=1), dimensions=(Dimension("ContainerGroup"),))
    moments = [at + FIVE * number for number in range(20)]
    whole = [done.transitions for done in replay(rule, STATE, engine, moments)]
    assert [done.transitions for done in replay(rule, STATE, kind(engine), moments)] == whole
    assert sum(map(len, whole)) == 4


def test_one_failed_query_does_not_end_the_replay(make_rule, with_rows, at):
    engine = with_rows((-1, 0, FAILED))
    rule = make_rule(override_query_time_range=timedelta(hours=1))
    moments = [at + FIVE * number for number in range(4)]
    found = list(replay(rule, STATE, OneByOne(engine, broken=(moments[1],)), moments))
    assert [done.error for done in found] == ["", "too slow", "", ""]
    assert [change.change for done in found for change in done.transitions] == [Change.FIRED]
