"""From one evaluation to the next: fires once, resolves after Azure's delays, mute, limits, a query that fails."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.measure import Bin, Series
from alerts.model import ResolveConfiguration
from alerts.state import Change, State, step, step_failed

FIVE = timedelta(minutes=5)


def series(at, *names, met=True):
    return [Series((name,), {"Zone": name}, (Bin(at - FIVE, at, 1.0, met),), met) for name in names]


def walk(rule, at, pattern, state=None):
    """Evaluate along a pattern: one letter each, x is met, . is not, - is no series at all, ! is a failed query."""
    state, found = state or State(), []
    for number, letter in enumerate(pattern):
        now = at + rule.evaluation_frequency * number
        seen = [] if letter == "-" else series(now, "a", met=letter == "x")
        after = step_failed(rule, state, now) if letter == "!" else step(rule, state, now, seen)
        state = after.state
        found.append("".join(change.change[0] for change in after.transitions) or ".")
    return "".join(found)


@pytest.mark.parametrize(
    ("pattern", "transitions"),
    [
        ("x", "f"),
        ("xxxxx", "f...."),  # fires once
        ("x...", "f..r"),
        ("x---", "f..r"),  # a series that vanishes is one that is not met
        ("x.-.x", "f..rf"),
        ("x..x...", "f.....r"),  # met again in time: the same alert goes on
        ("x..!..", "f....."),  # a failed query shows nothing healthy
        ("x..!...", "f.....r"),
        ("...", "..."),
        ("x...x...", "f..rf..r"),
    ],
)
def test_a_stateful_alert_fires_once_and_resolves_after_three_periods_of_five_minutes(
    make_rule, at, pattern, transitions
):
    assert walk(make_rule(), at, pattern) == transitions


@pytest.mark.parametrize(
    ("minutes", "unmet"),
    [(1, 10), (5, 3), (10, 3), (15, 3), (30, 2), (45, 2), (60, 2), (360, 2), (660, 2), (661, 1), (720, 1)],
)
def test_the_delay_before_an_alert_is_resolved_is_azures(make_rule, at, minutes, unmet):
    rule = make_rule(evaluation_frequency=timedelta(minutes=minutes), window_size=timedelta(minutes=minutes))
    assert walk(rule, at, "x" + "." * unmet) == "f" + "." * (unmet - 1) + "r"


@pytest.mark.parametrize(
    ("configuration", "transitions"),
    [
        (ResolveConfiguration(True, timedelta(minutes=10)), "f.r..."),
        (ResolveConfiguration(True, timedelta(minutes=25)), "f....r"),
        (ResolveConfiguration(False, None), "f....."),
    ],
)
def test_the_rules_own_resolve_configuration_goes_before_azures_delay(make_rule, at, configuration, transitions):
    assert walk(make_rule(resolve_configuration=configuration), at, "x.....") == transitions


def test_a_stateless_rule_fires_at_every_evaluation(make_rule, at):
    assert walk(make_rule(auto_mitigate=False), at, "xx.x") == "ff.f"


def test_a_muted_series_is_silent_until_the_time_is_over(make_rule, at):
    rule = make_rule(auto_mitigate=False, mute_actions_duration=timedelta(minutes=15))
    assert walk(rule, at, "xxxxx") == "fmmfm"


def test_each_series_is_muted_by_itself(make_rule, at):
    rule = make_rule(auto_mitigate=False, mute_actions_duration=timedelta(hours=1))
    first = step(rule, State(), at, series(at, "a"))
    second = step(rule, first.state, at + FIVE, series(at + FIVE, "a", "b"))
    assert [(one.change, one.key) for one in second.transitions] == [(Change.MUTED, ("a",)), (Change.FIRED, ("b",))]


@pytest.mark.parametrize(("stateful", "limit"), [(True, 300), (False, 6_000)])
def test_azures_limits_keep_the_rest_from_firing(make_rule, at, stateful, limit):
    rule = make_rule(auto_mitigate=stateful)
    names = [f"{number:05}" for number in range(limit + 7)]
    done = step(rule, State(), at, series(at, *names))
    assert (len(done.transitions), done.dropped) == (limit, 7)


def test_a_stateful_rule_has_at_most_5000_fired_alerts(make_rule, at):
    rule, state = make_rule(), State()
    names = [f"{number:05}" for number in range(5_100)]
    for number in range(18):
        done = step(rule, state, at + FIVE * number, series(at + FIVE * number, *names))
        state = done.state
    assert (len(state.alerts), done.dropped) == (5_000, 100)


def test_a_disabled_rule_does_nothing(make_rule, at):
    rule = make_rule(enabled=False)
    assert walk(rule, at, "xx!") == "..."


def test_a_query_that_fails_for_a_week_switches_the_rule_off(make_rule, at):
    rule, state = make_rule(evaluation_frequency=timedelta(hours=6)), State()
    found = []
    for number in range(30):
        done = step_failed(rule, state, at + timedelta(hours=6) * number)
        state = done.state
        found += [number for change in done.transitions if change.change is Change.DISABLED]
    assert found == [28]
    assert step(rule, state, at + timedelta(days=9), series(at, "a")).transitions == ()


def test_one_answer_in_a_week_of_failures_keeps_the_rule_on(make_rule, at):
    rule = make_rule(evaluation_frequency=timedelta(hours=12))
    assert "d" not in walk(rule, at, "!" * 14 + "." + "!" * 14)


def test_what_fired_says_when_over_which_bin_and_what_was_measured(make_rule, at):
    (fired,) = step(make_rule(), State(), at, series(at, "a")).transitions
    assert (fired.at, fired.fired_at, fired.value, fired.window) == (at, at, 1.0, (at - FIVE, at))
    assert dict(fired.dimensions) == {"Zone": "a"}


PATTERNS = st.text(alphabet="x.-!", max_size=60)


@given(pattern=PATTERNS)
def test_fired_and_resolved_take_turns(make_rule, at, pattern):
    changes = walk(make_rule(), at, pattern).replace(".", "")
    assert changes == ("fr" * len(changes))[: len(changes)]


@given(pattern=PATTERNS)
def test_a_stateful_alert_resolves_only_after_three_evaluations_without_the_condition(make_rule, at, pattern):
    transitions = walk(make_rule(), at, pattern)
    for index, letter in enumerate(transitions):
        if letter == "r":
            assert set(pattern[index - 2 : index + 1]) <= {".", "-"}


@given(pattern=PATTERNS)
def test_a_stateless_rule_fires_exactly_where_the_condition_is_met(make_rule, at, pattern):
    transitions = walk(make_rule(auto_mitigate=False), at, pattern)
    assert transitions == "".join("f" if letter == "x" else "." for letter in pattern)


@given(pattern=PATTERNS, mute=st.integers(min_value=1, max_value=12))
def test_a_mute_never_lets_two_alerts_come_closer_than_it_is_long(make_rule, at, pattern, mute):
    rule = make_rule(auto_mitigate=False, mute_actions_duration=FIVE * mute)
    transitions = walk(rule, at, pattern)
    fired = [index for index, letter in enumerate(transitions) if letter == "f"]
    assert all(later - earlier >= mute for earlier, later in pairwise(fired))
    assert sum(letter in "fm" for letter in transitions) == pattern.count("x")


@given(left=PATTERNS, right=PATTERNS)
def test_series_do_not_disturb_each_other(make_rule, at, left, right):
    rule, state = make_rule(), State()
    length = max(len(left), len(right))
    both = {"a": left.replace("!", ".").ljust(length, "."), "b": right.replace("!", ".").ljust(length, ".")}
    found = {"a": "", "b": ""}
    for number in range(length):
        now = at + FIVE * number
        seen = [
            one
            for name in both
            if both[name][number] != "-"
            for one in series(now, name, met=both[name][number] == "x")
        ]
        done = step(rule, state, now, seen)
        state = done.state
        changes = {one.key[0]: one.change[0] for one in done.transitions}
        found = {name: found[name] + changes.get(name, ".") for name in found}
    assert found == {name: walk(rule, at, pattern) for name, pattern in both.items()}
