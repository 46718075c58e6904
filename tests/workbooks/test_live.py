import json
import threading
from datetime import UTC, datetime

import pytest

from kql.engine import QueryError, ResultColumn, ResultTable
from workbooks.asking import Answers, Asking
from workbooks.dashboard.app import line_of
from workbooks.fragments import Page
from workbooks.layout import anchor_of, is_loaded, layout_of
from workbooks.live import View, run, settle

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Rows:
    """An engine that answers by the query's text; what is not known is an error. Some answers wait until let go."""

    def __init__(self, **known):
        self.known, self.asked, self.held = known, [], {}
        self.lock = threading.Lock()

    def hold(self, query):
        self.held[query] = threading.Event()
        return self.held[query]

    def __call__(self, kql, timespan, now, stop):
        with self.lock:
            self.asked.append(kql)
        if kql in self.held:
            gone = threading.Event()
            with stop.interrupts(gone.set):
                while not self.held[kql].wait(0.005):
                    if gone.is_set():
                        raise QueryError("timeout", "stopped")
        if kql not in self.known:
            raise QueryError("semantic", f"no {kql}")
        return ResultTable((ResultColumn("value", "string"),), tuple((value,) for value in self.known[kql]))


@pytest.fixture
def play(make):
    """Give `play(engine, *items, chosen, opened)`: what each item became, by name, in the order of coming."""

    def played(engine, *items, chosen=None, opened=(), to_the_end=True):
        layout = layout_of(make.workbook(*items))
        names = {anchor_of(item.path): item.name for item in layout.items}
        view = View(layout, NOW, chosen or {}, (), frozenset(opened))
        answers = Answers(engine)
        with Asking(answers, NOW) as asking:
            found = [(names[one.anchor], one) for one in run(view, asking, Page)] if to_the_end else []
        answers.close()
        return found

    return played


def text(markdown, name, **more):
    return {"type": 1, "name": name, "content": {"json": markdown}, **more}


def group(name, *items, **content):
    return {"type": 12, "name": name, "content": {"version": "NotebookGroup/1.0", "items": list(items), **content}}


def dropdown(name, query, **more):
    return {
        "name": name,
        "type": 2,
        "query": query,
        "value": ["value::1"],
        "typeSettings": {"additionalResourceOptions": ["value::1"]},
        **more,
    }


def shown(found):
    return {name: one.html for name, one in found if one.shown}


def test_every_item_is_given_once(play, make):
    found = play(Rows(T=["a"]), text("x", "t"), make.query(name="q"), make.query(name="r"), group("g", text("y", "u")))
    assert sorted(name for name, _ in found) == ["g", "q", "r", "t", "u"]


def test_one_query_of_two_items_is_asked_once(play, make):
    engine = Rows(T=["a"])
    play(engine, make.query(name="q"), make.query(name="r"))
    assert engine.asked == ["T"]


def test_an_error_is_that_of_its_item_alone(play, make):
    found = shown(play(Rows(T=["a"]), make.query("nope", name="bad"), make.query(name="good")))
    assert "no nope" in found["bad"]
    assert "error-card" in found["bad"]
    assert ">a<" in found["good"]


def test_a_fault_in_a_drawing_takes_nothing_else_down(play, make, monkeypatch):
    def broken(*_args, **_more):
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("workbooks.fragments.visual", broken)
    found = dict(play(Rows(T=["a"]), make.query(name="q"), text("fine", "t")))
    assert found["q"].problem == "this could not be drawn: ZeroDivisionError: oops"
    assert "fine" in found["t"].html


def test_what_depends_on_a_parameter_waits_for_it_and_the_rest_does_not(play, make):
    engine = Rows(Zones=["a"], T=["t"], **{"T 'a'": ["of a"]})
    gate = engine.hold("Zones")
    threading.Timer(0.5, gate.set).start()
    found = play(
        engine,
        make.parameters(dropdown("Zone", "Zones")),
        make.query("T '{Zone}'", name="later"),
        make.query(name="now"),
        text("of {Zone}", "said"),
    )
    order = [name for name, one in found if not one.partial]
    assert order.index("now") < order.index("p") < order.index("later")
    assert order.index("now") < order.index("said")
    assert [one.partial for name, one in found if name == "p"] == [True, False]
    assert "of a" in shown(found)["later"]
    assert "<p>of a</p>" in shown(found)["said"]


def test_nothing_is_drawn_twice_where_parameters_answer_at_once(play, make):
    found = play(Rows(Zones=["a"]), make.parameters(dropdown("Zone", "Zones")), text("{Zone}", "t"))
    assert [name for name, _ in found] == ["p", "t"]


def test_parameters_that_wait_for_one_another_come_one_after_the_other(play, make):
    engine = Rows(**{"One": ["a"], "Two 'a'": ["b"], "T 'b'": ["end"]})
    found = play(
        engine,
        make.parameters(dropdown("One", "One"), dropdown("Two", "Two '{One}'")),
        make.query("T '{Two}'", name="q"),
    )
    assert "end" in shown(found)["q"]
    assert engine.asked == ["One", "Two 'a'", "T 'b'"]


def test_a_parameter_that_fails_leaves_its_items_waiting_and_says_why(play, make):
    found = shown(play(Rows(), make.parameters(dropdown("Zone", "Zones", isRequired=True)), make.query("T '{Zone}'")))
    assert "no Zones" in found["p"]
    assert "Choose a value for Zone" in found["q"]


def test_what_is_hidden_is_not_asked(play, make):
    hidden = {"conditionalVisibility": {"parameterName": "Tab", "comparison": "isEqualTo", "value": "two"}}
    engine = Rows(T=["a"])
    found = dict(play(engine, make.query(name="q", item=hidden)))
    assert (found["q"].shown, found["q"].html, engine.asked) == (False, "", [])


@pytest.mark.parametrize(
    ("content", "is_asked"),
    [
        ({}, True),
        ({"loadType": "always"}, True),
        ({"loadType": "lazy"}, True),
        ({"loadType": "explicit"}, False),
        ({"expandable": True}, False),
        ({"expandable": True, "expanded": True}, True),
        ({"expandable": True, "loadType": "always"}, True),
    ],
)
def test_a_group_asks_when_it_is_loaded(play, make, content, is_asked):
    engine = Rows(T=["a"], Zones=["z"])
    inside = (make.parameters(dropdown("Zone", "Zones")), make.query(name="q"))
    outside = text("x", "t")
    names = {name for name, _ in play(engine, group("g", *inside, **content), outside)}
    assert names == ({"g", "p", "q", "t"} if is_asked else {"g", "t"})
    assert sorted(engine.asked) == (["T", "Zones"] if is_asked else [])


@pytest.mark.parametrize("content", [{"loadType": "explicit"}, {"expandable": True}])
def test_a_group_that_was_opened_asks(play, make, content):
    engine = Rows(T=["a"])
    found = play(engine, group("g", make.query(name="q"), **content), opened=[anchor_of("$.items[0]")])
    assert "a" in shown(found)["q"]


def test_a_group_in_a_group_that_is_not_loaded_is_not_loaded_either(make):
    layout = layout_of(make.workbook(group("g", group("h", make.query()), loadType="explicit")))
    outer, inner, _ = layout.items
    assert not is_loaded(outer, frozenset())
    assert is_loaded(inner, frozenset())
    assert [one.name for one in layout.groups[layout.items[2].path]] == ["g", "h"]


def test_a_groups_title_names_parameters(play, make):
    items = (
        make.parameters({"name": "Zone", "type": 1, "value": "<a>"}),
        group("g", text("x", "t"), title="Of {Zone}"),
    )
    assert shown(play(Rows(), *items))["g"] == "<span>Of &lt;a&gt;</span>"


def test_parameters_in_cycles_end(play, make):
    found = play(Rows(), make.parameters(dropdown("A", "{B}"), dropdown("B", "{A}")), text("x", "t"))
    assert {name for name, _ in found} == {"p", "t"}


def test_a_reader_who_goes_ends_the_run(make):
    engine = Rows(T=["a"], U=["b"])
    engine.hold("U")
    layout = layout_of(make.workbook(make.query(name="q"), make.query("U", name="r")))
    answers = Answers(engine)
    with Asking(answers, NOW) as asking:
        fragments = run(View(layout, NOW), asking, Page)
        assert next(fragments).anchor == anchor_of("$.items[0]")
        threading.Timer(0.05, asking.close).start()
        assert list(fragments) == []
    answers.close()


def test_a_state_is_settled_with_what_its_parameters_need_and_no_more(make):
    engine = Rows(Zones=["a"], T=["x"])
    layout = layout_of(make.workbook(make.parameters(dropdown("Zone", "Zones")), make.query("T '{Zone}'")))
    answers = Answers(engine)
    with Asking(answers, NOW) as asking:
        state = settle(View(layout, NOW), asking)
    answers.close()
    assert state.items["$.items[1]"].request.query == "T 'a'"
    assert engine.asked == ["Zones"]


def test_the_places_of_a_workbook_have_ids_of_their_own(make):
    layout = layout_of(make.workbook(*(text(str(n), str(n)) for n in range(300))))
    assert len({anchor_of(item.path) for item in layout.items}) == 300
    assert layout.find(anchor_of("$.items[7]")).name == "7"
    assert layout.find("i-nothing") is None


def test_a_view_is_told_in_lines_that_a_browser_reads(play, make):
    found = play(Rows(T=["<a>"]), make.query(name="q"))
    assert json.loads(json.dumps(line_of(found[0][1])))["shown"] is True
