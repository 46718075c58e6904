"""The four workbooks that ship, as a reader sees them."""

import pytest

pytestmark = pytest.mark.tools
SHIPPED = ("fleet", "container-group", "reverse-dns", "pipeline")


def unfinished(page):
    """Give the places that are seen and neither drawn nor a badge."""
    return page.evaluate(
        """() => [...document.querySelectorAll("section[data-item]")]
          .filter((one) => one.checkVisibility())
          .filter((one) => one.querySelector(".skeleton") || one.hasAttribute("aria-busy")
            || !one.innerText.trim() && !one.querySelector("svg, input, select"))
          .map((one) => one.dataset.path)"""
    )


@pytest.mark.parametrize("name", SHIPPED)
def test_every_item_of_every_tab_is_drawn_and_none_fails(watch, name):
    watched = watch()
    page = watched.open(f"/w/{name}?TimeRange=7d")
    for label in [None, *page.locator("nav.tabs a:not([aria-current])").all_inner_texts()]:
        if label:
            watched.settle(lambda label=label: page.get_by_role("link", name=label, exact=True).first.click())
        assert unfinished(page) == [], label
        assert page.locator(".error-card:visible, .badge:visible").all_inner_texts() == [], label


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", SHIPPED)
def test_nothing_serious_stands_in_the_way_of_who_cannot_see_or_point(watch, axe, name, theme):
    watched = watch(bypass_csp=True, color_scheme=theme)
    page = watched.open(f"/w/{name}?TimeRange=7d")
    assert axe(page) == []


@pytest.mark.parametrize("name", SHIPPED)
def test_the_demos_data_is_shown(watch, project_root, tools, name):
    data = project_root / ".local-azure" / "demo.duckdb"
    if not data.exists():
        pytest.skip("make demo leaves its data in .local-azure/demo.duckdb")
    with tools.serving(project_root, data) as address:
        page = watch(address).open(f"/w/{name}")
        assert unfinished(page) == []
        assert page.locator(".error-card:visible").all_inner_texts() == []


def test_workbooks_stand_in_the_head_and_lead_to_one_another(watch):
    watched = watch()
    page = watched.open("/")
    assert page.url.endswith("/w/fleet")
    for label in page.locator(".books a").all_inner_texts():
        page.locator(".books a", has_text=label).click()
        watched.filled()
        assert page.locator(".books a[aria-current]").inner_text() == label
