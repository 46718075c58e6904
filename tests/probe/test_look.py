"""The second look: when it is taken, after how long, and what it changes."""

import asyncio
from dataclasses import replace

import pytest

from core.probe_settings import ProbeSettings
from probe.answer import Answer, Question, Soa
from probe.look import look_at_all, questions_of, seconds_to_wait
from probe.resolvers import ResolverSet
from probe.run import _result
from probe.target import Vantage
from probe.verdict import judge

SETTINGS = ProbeSettings(timeout_seconds=0.1, attempts=1, deadline_seconds=60, confirm_seconds=10)
RIGHT = {"A": [("web.corp.internal.", "A", "10.1.0.4")],
         "PTR": [("4.0.1.10.in-addr.arpa.", "PTR", "web.corp.internal.")]}  # fmt: skip


class Clock:
    """A sleep that takes no time: it notes how long it was asked for, and does what happens meanwhile."""

    def __init__(self, meanwhile=lambda: None):
        self.slept = []
        self.meanwhile = meanwhile

    async def __call__(self, seconds):
        self.slept.append(seconds)
        self.meanwhile()


@pytest.fixture
def zone(nameserver, make_response):
    """Give a name server whose reverse answers can be switched: right, missing, elsewhere, servfail, silence."""

    class Zone:
        ptr = "right"
        ttl = 10

        def __init__(self):
            self.server = nameserver(self.handle)

        def handle(self, query, _):
            kind = "PTR" if query.question[0].name.to_text().endswith("arpa.") else "A"
            state = self.ptr if kind == "PTR" else "right"
            if state == "silence":
                return None
            if state == "servfail":
                return make_response(query, "SERVFAIL")
            if state == "right":
                return make_response(query, answer=RIGHT[kind])
            owner = "1.10.in-addr.arpa." if state == "missing" else "in-addr.arpa."
            rdata = f"azureprivatedns.net. a.b. 1 2 3 4 {self.ttl}"
            return make_response(query, "NXDOMAIN", authority=[(owner, rdata, 3600)])

    return Zone()


def look(zone, target, clock, settings=SETTINGS):
    resolvers = [ResolverSet((zone.server.address,))]
    ((found,),) = asyncio.run(look_at_all([target], resolvers, settings, clock))
    return found


def test_what_is_right_is_asked_for_once(zone, make_target):
    clock = Clock()
    found = look(zone, make_target(), clock)
    assert (found.verdict, found.second, clock.slept, zone.server.queries["udp"]) == ("ok", None, [], 2)


def test_what_is_wrong_is_confirmed_after_the_negative_ttl(zone, make_target):
    zone.ptr, zone.ttl, clock = "missing", 7, Clock()
    found = look(zone, make_target(), clock)
    assert (found.verdict, found.seconds, clock.slept) == ("ptr_missing", 7, [7])
    assert found.second is not None
    assert zone.server.queries["udp"] == 4


def test_a_longer_negative_ttl_is_not_waited_for(zone, make_target):
    zone.ptr, zone.ttl, clock = "missing", 300, Clock()
    look(zone, make_target(), clock)
    assert clock.slept == [10]


@pytest.mark.parametrize("later", ["right", "elsewhere", "silence"])
def test_a_second_look_that_differs_is_flapping(later, zone, make_target):
    zone.ptr = "missing"
    found = look(zone, make_target(), Clock(lambda: setattr(zone, "ptr", later)))
    assert (found.verdict, found.first.verdict) == ("flapping", "ptr_missing")


def test_flapping_names_both_answers_and_is_no_success(zone, make_target):
    zone.ptr = "missing"
    target = make_target()
    found = look(zone, target, Clock(lambda: setattr(zone, "ptr", "right")))
    result = _result(target, ResolverSet((zone.server.address,)), found, Vantage())
    assert not result.is_ok
    assert "within 10 s: ptr_missing (NXDOMAIN from 1.10.in-addr.arpa), then ok (web.corp.internal)" in result.cause
    assert result.fix.startswith("probe again in a minute")


@pytest.mark.parametrize("state", ["servfail", "silence"])
def test_what_says_no_ttl_is_confirmed_after_a_second(state, zone, make_target):
    zone.ptr, clock = state, Clock()
    found = look(zone, make_target(), clock)
    assert clock.slept == [1.0]
    assert found.verdict == {"servfail": "servfail", "silence": "timeout"}[state]


def test_confirming_can_be_turned_off(zone, make_target):
    zone.ptr, clock = "missing", Clock()
    found = look(zone, make_target(), clock, replace(SETTINGS, confirm_seconds=0))
    assert (found.verdict, found.second, clock.slept) == ("ptr_missing", None, [])


def test_without_time_before_the_deadline_the_first_look_stands(zone, make_target):
    zone.ptr, clock = "missing", Clock()
    found = look(zone, make_target(), clock, replace(SETTINGS, deadline_seconds=5))
    assert (found.verdict, found.second, clock.slept) == ("ptr_missing", None, [])


def test_only_the_failing_targets_are_asked_for_again_after_one_wait(zone, make_target):
    zone.ptr, clock = "missing", Clock()
    targets = [make_target(expects_ptr=False), make_target(), make_target(expects_ptr=False)]
    resolvers = [ResolverSet((zone.server.address,))]
    (found,) = asyncio.run(look_at_all(targets, resolvers, SETTINGS, clock))
    assert [each.verdict for each in found] == ["ok", "ptr_missing", "ok"]
    assert (clock.slept, zone.server.queries["udp"]) == ([10], 4 + 2)


def test_several_resolver_sets_are_asked_each_on_its_own(zone, make_target, closed_port):
    resolvers = [ResolverSet((zone.server.address,)), ResolverSet((closed_port,))]
    found = asyncio.run(look_at_all([make_target()], resolvers, SETTINGS, Clock()))
    assert [[each.verdict for each in of_set] for of_set in found] == [["ok"], ["unreachable"]]


def test_no_targets_take_no_time(make_target, closed_port):
    assert asyncio.run(look_at_all([], [ResolverSet((closed_port,))], SETTINGS, Clock())) == [[]]


def test_a_wrong_positive_answer_is_waited_for_by_its_own_ttl(make_target):
    target = make_target()
    wrong = Answer(Question("web.corp.internal", "A"), rcode="NOERROR", values=("10.1.0.9",), ttl=4)
    reverse = Answer(Question("x", "PTR"), rcode="NXDOMAIN", soa=Soa("1.10.in-addr.arpa", "a", "b", 3, 3600))
    assert seconds_to_wait(iter([judge(target, wrong, reverse)]), 10) == 4
    assert seconds_to_wait(iter([judge(target, wrong, reverse)]), 2) == 2
    assert seconds_to_wait(iter([]), 10) == 0


def test_a_target_is_two_questions_or_one(make_target):
    v6 = make_target(address="fd00::4", reverse="0.0.d.f.ip6.arpa")
    assert [str(question) for question in questions_of(v6)] == ["AAAA web.corp.internal", f"PTR {v6.ptr_name}"]
    assert [str(question) for question in questions_of(make_target(expects_ptr=False))] == ["A web.corp.internal"]
