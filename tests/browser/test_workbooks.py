"""The four workbooks that ship, on a history and on what the demo leaves: every tab drawn, and nobody shut out."""

import os

import pytest

pytestmark = pytest.mark.tools
SHIPPED = ("fleet", "container-group", "reverse-dns", "pipeline")
UNFINISHED = """() => [...document.querySelectorAll("section[data-item]")]
  .filter((one) => one.checkVisibility())
  .filter((one) => one.querySelector(".skeleton") || one.hasAttribute("aria-busy")
    || !one.innerText.trim() && !one.querySelector("svg, input, select"))
  .map((one) => one.dataset.path)"""
WRONG = ".error-card:visible, .badge:visible"


def tabs(watched):
    """Give the label of each tab, once it is chosen and all that it holds is unfolded and filled."""
    page = watched.page
    for tab in page.locator("nav.tabs a").all():
        if tab.get_attribute("aria-current") is None:
            watched.settle(tab.click)
        for folded in page.locator("details.group:visible:not([open]) > summary").all():
            folded.click()
            watched.filled()
        yield tab.inner_text()


@pytest.mark.parametrize("name", SHIPPED)
def test_every_item_of_every_tab_is_drawn_none_fails_and_nothing_serious_stands_in_anybodys_way(watch, axe, name):
    watched = watch(color_scheme="light")
    page = watched.open(f"/w/{name}?TimeRange=7d")
    seen = []
    for label in tabs(watched):
        assert page.evaluate(UNFINISHED) == [], label
        assert page.locator(WRONG).all_inner_texts() == [], label
        assert axe(page) == [], label
        # Dark differs in its colours alone.
        page.get_by_role("button", name="Light / dark").click()
        assert axe(page, "color-contrast") == [], f"{label}, dark"
        page.get_by_role("button", name="Light / dark").click()
        seen.append(label)
    assert len(seen) > 4


@pytest.fixture(scope="module")
def demo(project_root, tools):
    """Give a dashboard on the rows that `make demo` left."""
    data = project_root / ".local-azure/demo/logs.duckdb"
    if not data.exists():
        message = "make demo leaves its rows in .local-azure/demo/logs.duckdb"
        (pytest.fail if os.environ.get("REQUIRE_TOOLS") == "1" else pytest.skip)(message)
    with tools.serving(project_root, data) as address:
        yield address


@pytest.mark.parametrize("name", SHIPPED)
def test_the_demos_rows_are_shown_in_every_tab(watch, demo, name):
    watched = watch(demo)
    page = watched.open(f"/w/{name}")
    for label in tabs(watched):
        assert page.evaluate(UNFINISHED) == [], label
        assert page.locator(WRONG).all_inner_texts() == [], label


def test_the_demos_groups_are_those_that_it_made(watch, demo):
    watched = watch(demo)
    watched.open("/w/fleet?Tab=groups")
    rows = watched.rows("Every container group, what is wrong first")
    assert {cells[0] for cells in rows} >= {"web", "api"}


def test_workbooks_stand_in_the_head_and_lead_to_one_another(watch):
    watched = watch()
    page = watched.open("/")
    assert page.url.endswith("/w/fleet")
    for label in page.locator(".books a").all_inner_texts():
        page.locator(".books a", has_text=label).click()
        watched.filled()
        assert page.locator(".books a[aria-current]").inner_text() == label
