"""Rows, addresses and parameters that mean harm stay text: in the page, in queries, in downloads."""

import csv
import io
from urllib.parse import quote

import pytest

pytestmark = pytest.mark.tools


def test_hostile_rows_are_shown_as_they_are(watch, tools):
    watched = watch()
    watched.open("/w/try")
    shown = watched.rows("Hostile rows")
    assert sorted(cells[0].strip() for cells in shown) == sorted(" ".join(text.split()) for text in tools.hostile)
    assert sorted(cells[1] for cells in shown) == sorted(tools.hostile)


def test_hostile_rows_lead_nowhere(watch):
    watched = watch()
    page = watched.open("/w/try")
    odd = page.eval_on_selector_all(
        "main a[href]", "links => links.map((link) => link.href).filter((url) => !/^(https?:)/.test(url))"
    )
    assert odd == []
    assert watched.item("Hostile rows").locator("a[href^='https://portal.azure.com']").count() == 0


def test_hostile_rows_make_no_element(watch):
    page = watch().open("/w/try")
    assert (
        page.locator("main img, main iframe, main script, main object, main embed, main form, main style").count() == 0
    )
    handlers = """[...document.querySelectorAll('main *')].filter((one) => [...one.attributes].some(
      (found) => found.name.startsWith('on') || found.name === 'style' && !one.closest('.plot, th'))).length"""
    assert page.evaluate(handlers) == 0


def as_many(page):
    """Give the item that counts the rows of the chosen name."""
    return page.locator("section[data-item]:visible", has=page.locator("h2", has_text="As many rows have"))


def test_a_hostile_row_that_is_chosen_is_a_value(watch, tools):
    watched = watch()
    page = watched.open("/w/try")
    for text in tools.hostile:
        rows = watched.item("Hostile rows").locator("tbody tr")
        chosen = next(row for row in rows.all() if row.locator("td").nth(1).inner_text() == text)
        watched.settle(chosen.click)
        assert as_many(page).locator(".body").inner_text() == "1", text
        assert as_many(page).locator("h2").inner_text() == f"As many rows have {' '.join(text.split())}"


def test_a_hostile_address_is_a_value(watch, tools):
    watched = watch()
    for text in tools.hostile:
        value = quote(text)
        page = watched.open(f"/w/try?Hostile={value}&Typed={value}&Tab={value}&Kind={value}&TimeRange={value}")
        assert as_many(page).locator(".body").inner_text() == "1", text
        assert page.get_by_role("textbox", name="Typed").input_value() == text
        assert page.locator("main").locator("b, strong, code", has_text="bold").count() == 0


def test_a_hostile_text_that_is_typed_is_a_value(watch, tools):
    watched = watch()
    page = watched.open("/w/try")
    for text in tools.hostile:
        page.get_by_role("textbox", name="Typed").fill(text)
        watched.settle(lambda: page.get_by_role("textbox", name="Typed").press("Tab"))
        assert page.get_by_role("textbox", name="Typed").input_value() == text


def test_hostile_rows_in_a_chart_are_labels(watch):
    watched = watch()
    page = watched.open("/w/try")
    watched.item("Hostile chart").locator(".barlayer .trace").first.wait_for()
    assert page.locator(".plot a, .plot image, .plot foreignObject").count() == 0


def test_a_download_of_hostile_rows_runs_nothing(watch):
    watched = watch()
    page = watched.open("/w/try")
    with page.expect_download() as started:
        watched.item("Hostile rows").get_by_role("link", name="CSV").click()
    text = started.value.path().read_bytes().decode()
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert "'=cmd|' /C calc'!A0" in cells


@pytest.mark.parametrize("name", ["fleet", "container-group", "reverse-dns", "pipeline"])
def test_hostile_rows_and_addresses_hurt_none_of_the_shipped_workbooks(watch, tools, name):
    watched = watch()
    asked = "&".join(
        f"{key}={quote(text)}"
        for key in ("Zone", "ResourceGroup", "ContainerGroup", "Group", "Severity", "Tab")
        for text in tools.hostile
    )
    for address in ("", f"&{asked}"):
        page = watched.open(f"/w/{name}?TimeRange=7d{address}")
        assert page.locator("main img, main iframe, main script, main form").count() == 0
        assert "syntax:" not in page.locator("main").inner_text()
