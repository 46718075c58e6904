import pytest

from workbooks.model import Link, LinksItem
from workbooks.viz.context import RenderContext
from workbooks.viz.links import links


def item(*given, layout="bullets", name="More"):
    return LinksItem(path="$.l", name=name, links=given, layout=layout)


def link(target="Url", value="https://a.example", **more):
    return Link(path="$.l.links[0]", target=target, value=value, **{"label": "Go <b>", **more})


@pytest.fixture
def draw(soup, context):
    def drawn(one, within=context, is_set=lambda _name, _value: False, step=lambda _name: None):
        return soup(links(one, within, is_set=is_set, step=step))

    return drawn


@pytest.mark.parametrize(
    ("layout", "selector"),
    [
        ("bullets", "ul.bullets > li > a"),
        ("list", "ul.list > li > a"),
        ("nav", "nav[aria-label=More] > ul > li > a"),
        ("paragraph", "p.paragraph > a"),
        ("toolbar", "div.toolbar > a"),
        ("odd", "div.odd > a"),
    ],
)
def test_each_layout_has_its_own_elements(draw, layout, selector):
    assert draw(item(link(), layout=layout)).select_one(selector).text == "Go <b>"


@pytest.mark.parametrize(
    ("given", "href", "target"),
    [
        (link(), "https://a.example", "_blank"),
        (link(value="mailto:a@b.example"), "mailto:a@b.example", None),
        (link(target="", value="https://a.example"), "https://a.example", "_blank"),
        (
            link(target="Resource", value="/subscriptions/0/x"),
            "https://portal.azure.com/#resource/subscriptions/0/x",
            "_blank",
        ),
        (link(target="parameter", value="Tab", sub_target="two"), "?Tab=two", None),
        (link(target="step", value="details"), "#i-1", None),
    ],
)
def test_a_link_leads_to_its_target(draw, given, href, target):
    found = draw(item(given), step=lambda name: "i-1" if name == "details" else None).a
    assert (found["href"], found.get("target")) == (href, target)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (link(value="javascript:alert(1)"), "a link to Url: javascript:alert(1)"),
        (link(target="step", value="nowhere"), "a link to step: nowhere"),
        (link(target="ArmAction", value="x"), "a link to ArmAction"),
        (link(target="Resource", value=""), "a link to Resource: (empty)"),
        (
            link(target="WorkbookTemplate", value="", context={"workbookContext": {"templateId": "x/y"}}),
            "a link to WorkbookTemplate: x/y, which is not here",
        ),
    ],
)
def test_a_link_that_cannot_be_followed_is_its_text_and_a_badge(draw, context, given, message):
    tree = draw(item(given))
    assert not tree.select("a")
    assert tree.li.text == "Go <b>"
    assert [(one.path, one.message) for one in context.badges] == [("$.l.links[0].linkTarget", message)]


@pytest.mark.parametrize(
    ("target", "value"), [("Resource", "'; T | take 1 //"), ("Resource", ""), ("Url", "javascript:alert(1)"), ("", "")]
)
def test_a_link_to_a_parameters_value_that_is_no_address_is_a_disabled_link_and_no_fault_of_the_workbook(
    soup, target, value
):
    within = RenderContext(text=lambda text: text.replace("{Id}", value))
    tree = soup(links(item(link(target, "{Id}")), within, is_set=lambda *_: False, step=lambda _: None))
    assert (tree.a["role"], tree.a["aria-disabled"], tree.a.get("href"), tree.a.text) == (
        "link",
        "true",
        None,
        "Go <b>",
    )
    assert within.badges == []


def test_texts_stand_around_a_link_and_parameters_in_them(draw):
    within = RenderContext(text=lambda text: text.replace("{Zone}", "<z>"))
    tree = draw(item(link(pre_text="See", post_text="of {Zone}", label="the {Zone}")), within)
    assert tree.li.text == "See the <z> of <z>"


def test_buttons_and_icons(draw):
    tree = draw(item(link(style="primary", primary=True, icon="Warning"), layout="toolbar"))
    assert tree.a["class"] == ["button", "primary"]
    assert tree.svg["aria-hidden"] == "true"


def tabs(**more):
    return item(
        link("parameter", "Tab", sub_target="one", label="One"),
        link("parameter", "Tab", sub_target="two", label=""),
        layout="tabs",
        **more,
    )


def test_tabs_are_links_of_this_page_and_the_chosen_one_says_so(draw):
    tree = draw(tabs(), is_set=lambda name, value: (name, value) == ("Tab", "two"))
    assert [(one["href"], one.text, one.get("aria-current")) for one in tree.select("nav a")] == [
        ("?Tab=one", "One", None), ("?Tab=two", "two", "page"),
    ]  # fmt: skip


def test_a_link_among_tabs_stays_a_link(draw):
    tree = draw(item(link("parameter", "Tab", sub_target="one"), link(), layout="tabs"))
    assert [one["href"] for one in tree.select("a")] == ["?Tab=one", "https://a.example"]


def test_on_a_page_that_stands_still_tabs_and_links_of_pages_are_words(draw):
    other = link("WorkbookTemplate", "", context={"workbookContext": {"templateId": "x"}})
    still = RenderContext()
    assert not draw(tabs(), still).select("a")
    assert not draw(item(other, link("parameter", "Tab", sub_target="one")), still).select("a")
    assert still.badges == []
    assert draw(item(link()), still).a["href"] == "https://a.example"
