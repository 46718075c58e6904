from dataclasses import replace
from datetime import UTC, datetime

import pytest

from workbooks import substitute_time
from workbooks.model import Option, Parameter, ParameterKind, ParameterSettings, TimeRange
from workbooks.substitute_format import Value
from workbooks.viz.controls import Shown, control, still

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
K = ParameterKind
DAY = TimeRange(86_400_000)
OPTIONS = (Option("a", "A & co"), Option("b", "<b>"), Option("c", ""))


def parameter(kind=K.TEXT, **more):
    return Parameter(path="$.p", name="Zone", label="The zone", kind=kind, **more)


@pytest.fixture
def draw(soup):
    def drawn(declared, value=None, **more):
        return soup(control(Shown(declared, value, **more), NOW))

    return drawn


def test_a_text_is_a_labelled_input(draw):
    tree = draw(parameter(), Value(values=('x"><script>',)))
    assert (tree.input["value"], tree.input["name"], tree.input["type"]) == ('x"><script>', "Zone", "text")
    assert tree.label["for"] == tree.input["id"]
    assert tree.label.text == "The zone"


@pytest.mark.parametrize(
    ("settings", "name", "type_"),
    [
        ({"password": True}, "input", "password"),
        ({"search_box": True}, "input", "search"),
        ({"multi_line": True}, "textarea", None),
    ],
)
def test_a_text_has_the_input_that_its_settings_ask_for(draw, settings, name, type_):
    tree = draw(parameter(settings=ParameterSettings(**settings)), Value(values=("x",)))
    assert tree.select_one(name).get("type") == type_


def test_a_dropdown_is_a_select_with_its_choice(draw):
    tree = draw(parameter(K.DROPDOWN), Value(values=("b",)), options=OPTIONS)
    assert [(one["value"], one.text, one.has_attr("selected")) for one in tree.select("option")] == [
        ("", "(none)", False), ("a", "A & co", False), ("b", "<b>", True), ("c", "c", False),
    ]  # fmt: skip


def test_what_is_required_and_chosen_cannot_be_unchosen(draw):
    tree = draw(parameter(K.DROPDOWN, required=True), Value(values=("b",)), options=OPTIONS)
    assert [one["value"] for one in tree.select("option")] == ["a", "b", "c"]
    assert tree.select_one(".required")
    assert tree.find("select").has_attr("required")


def test_options_stand_in_their_groups(draw):
    tree = draw(
        parameter(K.DROPDOWN), options=(Option("a", "A", group="one"), Option("b", "B", group="one"), Option("c", "C"))
    )
    assert [(group["label"], len(group.select("option"))) for group in tree.select("optgroup")] == [("one", 2)]


def test_several_are_chosen_from_checkboxes_that_open(draw):
    tree = draw(parameter(K.DROPDOWN, multi_select=True), Value(values=("a", "c"), labels=("A & co",)), options=OPTIONS)
    assert [(box["value"], box.has_attr("checked")) for box in tree.select("input[type=checkbox]")] == [
        ("a", True), ("b", False), ("c", True),
    ]  # fmt: skip
    assert tree.select_one("summary .chosen").text == "A & co, c"
    assert tree.legend.text == "The zone"


def test_all_is_an_option_where_it_is_offered(draw):
    declared = parameter(K.DROPDOWN, multi_select=True, settings=ParameterSettings(special_options=("value::all",)))
    tree = draw(declared, Value(values=("a", "b", "c"), all_text="*"), options=OPTIONS)
    assert [box["value"] for box in tree.select("input") if box.has_attr("checked")] == ["value::all"]
    assert tree.select_one("summary .chosen").text == "All"


def test_a_long_list_can_be_filtered(draw):
    options = tuple(Option(str(n), str(n)) for n in range(12))
    declared = parameter(K.DROPDOWN, multi_select=True)
    assert draw(declared, options=options).select_one(".option-filter")["aria-label"] == "Filter The zone"
    assert not draw(declared, options=options[:11]).select(".option-filter")


def test_an_options_group_is_radio_buttons(draw):
    tree = draw(parameter(K.OPTIONS_GROUP), Value(values=("b",)), options=OPTIONS)
    assert [(one["type"], one["value"], one.has_attr("checked")) for one in tree.select("input")] == [
        ("radio", "a", False), ("radio", "b", True), ("radio", "c", False),
    ]  # fmt: skip


def test_a_time_range_offers_its_ranges_and_the_one_that_was_chosen(draw):
    ranges = (TimeRange(3_600_000), DAY)
    tree = draw(parameter(K.TIME_RANGE), Value(time=DAY, kind=K.TIME_RANGE), ranges=ranges)
    assert [(one["value"], one.text, one.has_attr("selected")) for one in tree.select("option")] == [
        ("1h", "Last hour", False), ("1d", "Last 24 hours", True),
    ]  # fmt: skip
    odd = substitute_time.from_text("2026-02-01T00:00Z/2026-02-02T00:00Z")
    first = draw(parameter(K.TIME_RANGE), Value(time=odd, kind=K.TIME_RANGE), ranges=ranges).option
    assert first.has_attr("selected")
    assert first.text == "2026-02-01 00:00 to 2026-02-02 00:00 UTC"


def test_a_range_of_ones_own_can_be_given_where_that_is_allowed(draw):
    declared = parameter(K.TIME_RANGE, settings=ParameterSettings(allow_custom=True))
    tree = draw(declared, Value(time=DAY, kind=K.TIME_RANGE), ranges=(DAY,))
    assert [box["value"] for box in tree.select("[data-range]")] == ["2026-02-28T12:00", "2026-03-01T12:00"]
    assert tree.select_one("[data-range-apply]")["data-range-apply"] == tree.find("select")["id"]
    assert not draw(parameter(K.TIME_RANGE), ranges=(DAY,)).select("[data-range]")


@pytest.mark.parametrize("kind", [kind for kind in K if kind is not K.TIME_RANGE])
@pytest.mark.parametrize("multiple", [False, True])
def test_every_kind_has_a_control_of_its_name(draw, kind, multiple):
    tree = draw(parameter(kind, multi_select=multiple), options=OPTIONS)
    controls = tree.select("input:not([type=search]), select, textarea")
    assert controls
    assert {one["name"] for one in controls} == {"Zone"}


def test_a_second_parameter_of_a_name_has_a_key_and_an_id_of_its_own(draw):
    first = draw(parameter())
    second = draw(replace(parameter(), path="$.q"), key="Zone~2")
    assert second.input["name"] == "Zone~2"
    assert first.input["id"] != second.input["id"]


def test_a_problem_is_told_beside_its_control(draw):
    tree = draw(parameter(), Value(values=("x",)), problem="<no> such zone")
    assert tree.select_one("[role=alert]").text == "<no> such zone"
    assert tree.input["aria-describedby"] == tree.select_one("[role=alert]")["id"]


def test_waiting_is_no_alarm(draw):
    tree = draw(parameter(K.DROPDOWN), waiting="waits for Workspace")
    assert tree.select_one(".waits").text == "waits for Workspace"
    assert not tree.select("[role=alert], .problem")


def test_what_is_required_and_missing_is_said(draw):
    assert draw(parameter(required=True)).select_one(".problem").text == "Choose a value"


@pytest.mark.parametrize(
    ("declared", "value", "said"),
    [
        (parameter(), None, "(none)"),
        (parameter(), Value(values=("<b>",)), "<b>"),
        (parameter(K.TIME_RANGE), Value(time=DAY, kind=K.TIME_RANGE), "Last 24 hours"),
        (parameter(multi_select=True), Value(values=("a",), all_text="*"), "All"),
        (parameter(settings=ParameterSettings(password=True)), Value(values=("secret",)), "(hidden)"),
    ],
)
def test_on_a_page_that_stands_still_a_parameter_is_its_value(soup, declared, value, said):
    tree = soup(still(Shown(declared, value), NOW))
    assert (tree.dt.text, tree.dd.text) == ("The zone", said)
    assert not tree.select("input, select")
