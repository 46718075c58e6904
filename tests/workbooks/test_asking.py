import threading
import time
from datetime import UTC, datetime

import pytest

from kql.engine import QueryError, ResultColumn, ResultTable
from workbooks.answers import Problem
from workbooks.asking import Answers, Asking, answer_of
from workbooks.model import QueryType
from workbooks.resolve import Request

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 1, 13, tzinfo=UTC)
A, B = Request("a"), Request("b")


class Engine:
    """Answers what was let go, counts what it was asked, and notes what was stopped."""

    def __init__(self):
        self.asked, self.stopped = [], []
        self.gate = threading.Event()
        self.gate.set()
        self.under_way = threading.Semaphore(0)

    def __call__(self, kql, timespan, now, stop):
        self.asked.append(kql)
        self.under_way.release()
        ended = threading.Event()
        with stop.interrupts(ended.set):
            while not self.gate.wait(0.005):
                if ended.is_set():
                    self.stopped.append(kql)
                    raise QueryError("timeout", "stopped")
        if kql.startswith("bad"):
            raise QueryError("syntax", "no such thing")
        if kql.startswith("odd"):
            raise RuntimeError("a defect")
        return ResultTable((ResultColumn("q", "string"),), ((kql,),))


@pytest.fixture
def engine():
    return Engine()


@pytest.fixture
def answers(engine):
    answers = Answers(engine, workers=2)
    yield answers
    engine.gate.set()
    answers.close()


def rows(future):
    return answer_of(future).rows


def eventually(claim):
    deadline = time.monotonic() + 5
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_same_request_of_the_same_instant_is_asked_once(engine, answers):
    with Asking(answers, NOW) as one, Asking(answers, NOW) as other:
        assert rows(one.ask(A)) == rows(other.ask(A)) == rows(one.ask(A)) == (("a",),)
    with Asking(answers, NOW) as third:
        assert rows(third.ask(A)) == (("a",),)
    assert engine.asked == ["a"]


def test_another_instant_is_another_question(engine, answers):
    with Asking(answers, NOW) as one, Asking(answers, LATER) as other:
        rows(one.ask(A)), rows(other.ask(A))
    assert engine.asked == ["a", "a"]


def test_an_answer_is_not_kept_for_ever(engine):
    answers = Answers(engine, kept_seconds=0.0)
    with Asking(answers, NOW) as one:
        rows(one.ask(A))
    with Asking(answers, NOW) as other:
        rows(other.ask(A))
    answers.close()
    assert engine.asked == ["a", "a"]


def test_what_failed_is_asked_anew(engine, answers):
    for _ in range(2):
        with Asking(answers, NOW) as asking:
            found = answer_of(asking.ask(Request("bad")))
            assert isinstance(found, Problem)
            assert str(found) == "syntax: no such thing"
    assert engine.asked == ["bad", "bad"]


def test_a_defect_is_the_problem_of_its_request_alone(answers):
    with Asking(answers, NOW) as asking:
        assert str(answer_of(asking.ask(Request("odd")))) == "RuntimeError: a defect"
        assert rows(asking.ask(A)) == (("a",),)


def test_what_nobody_waits_for_is_stopped(engine, answers):
    engine.gate.clear()
    with Asking(answers, NOW) as asking:
        future = asking.ask(A)
        assert engine.under_way.acquire(timeout=5)
    eventually(future.done)
    assert engine.stopped == ["a"]


def test_what_waits_in_the_queue_is_never_run(engine, answers):
    engine.gate.clear()
    with Asking(answers, NOW) as keeps:
        keeps.ask(A), keeps.ask(B)
        assert engine.under_way.acquire(timeout=5)
        assert engine.under_way.acquire(timeout=5)
        with Asking(answers, NOW) as gone:
            future = gone.ask(Request("c"))
        assert future.cancelled()
        engine.gate.set()
        assert rows(keeps.ask(A)) == (("a",),)
    assert engine.asked == ["a", "b"]


def test_what_another_page_waits_for_goes_on(engine, answers):
    engine.gate.clear()
    with Asking(answers, NOW) as keeps:
        future = keeps.ask(A)
        with Asking(answers, NOW) as gone:
            gone.ask(A)
        engine.gate.set()
        assert rows(future) == (("a",),)
    assert engine.stopped == []


def test_what_was_stopped_can_be_asked_again(engine, answers):
    engine.gate.clear()
    with Asking(answers, NOW) as gone:
        gone.ask(A)
        assert engine.under_way.acquire(timeout=5)
    engine.gate.set()
    with Asking(answers, NOW) as asking:
        assert rows(asking.ask(A)) == (("a",),)


def test_a_request_that_is_dropped_is_stopped_and_the_others_go_on(engine, answers):
    engine.gate.clear()
    with Asking(answers, NOW) as asking:
        asking.ask(A), asking.ask(B)
        assert engine.under_way.acquire(timeout=5)
        assert engine.under_way.acquire(timeout=5)
        asking.drop(A)
        eventually(lambda: engine.stopped == ["a"])
        engine.gate.set()
        assert rows(asking.ask(B)) == (("b",),)


def test_who_has_gone_asks_nothing_more(engine, answers):
    asking = Asking(answers, NOW)
    asking.close()
    assert str(answer_of(asking.ask(A))) == "stopped"
    assert engine.asked == []


def test_closing_ends_what_runs(engine):
    answers = Answers(engine)
    engine.gate.clear()
    asking = Asking(answers, NOW)
    asking.ask(A)
    assert engine.under_way.acquire(timeout=5)
    answers.close()
    assert engine.stopped == ["a"]


def test_requests_that_only_the_portal_answers_say_so_and_ask_nothing(engine, answers):
    with Asking(answers, NOW) as asking:
        found = answer_of(asking.ask(Request("resources", QueryType.RESOURCE_GRAPH)))
    assert found == Problem("Azure Resource Graph is queried in the portal alone", unsupported=True)
    assert engine.asked == []


def test_no_more_is_kept_than_may_be(engine, answers, monkeypatch):
    monkeypatch.setattr("workbooks.asking.MOST_KEPT", 2)
    for kql in ("a", "b", "c", "a", "c"):
        with Asking(answers, NOW) as asking:
            rows(asking.ask(Request(kql)))
    assert engine.asked == ["a", "b", "c", "a"]
    monkeypatch.setattr("workbooks.asking.MOST_CELLS", 0)
    with Asking(answers, NOW) as asking:
        rows(asking.ask(Request("d")))
    with Asking(answers, NOW) as asking:
        rows(asking.ask(Request("c")))
    assert engine.asked[-2:] == ["d", "c"]
