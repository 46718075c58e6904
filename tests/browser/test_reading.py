"""What a reader does: choose, follow, go back, sort, unfold, download, by pointer and by keyboard alone."""

import csv
import io
import re

import pytest

pytestmark = pytest.mark.tools
BY_TYPE = "AciDnsEvents() | summarize Events = count() by EventType | order by Events desc, EventType asc"


def counts(rows):
    return [[str(name), f"{number:,}"] for name, number in rows]


def test_the_values_on_the_page_are_those_of_the_query(watch, ask):
    watched = watch()
    watched.open("/w/try")
    assert watched.rows("Events by type") == counts(ask(BY_TYPE))
    tiles = [tile.split("\n") for tile in watched.item("Components").locator("li.tile").all_inner_texts()]
    by_component = ask("AciDnsEvents() | summarize Events = count() by Component | order by Component asc")
    assert tiles == counts(by_component)


def test_a_download_holds_the_same_values(watch, ask):
    watched = watch()
    page = watched.open("/w/try?TimeRange=7d")
    with page.expect_download() as started:
        watched.item("Events by type").get_by_role("link", name="Download Events by type as CSV").click()
    assert started.value.suggested_filename == "by-type.csv"
    text = started.value.path().read_bytes().decode()
    assert list(csv.reader(io.StringIO(text)))[1:] == [[name, str(number)] for name, number in ask(BY_TYPE, 168)]


def test_another_time_range_gives_other_values_and_back_gives_the_first(watch, ask):
    watched = watch()
    page = watched.open("/w/try")
    watched.settle(lambda: page.get_by_label("Time range").first.select_option("7d"))
    assert "TimeRange=7d" in page.url
    assert watched.rows("Events by type") == counts(ask(BY_TYPE, 168))
    assert "Over Last 7 days." in page.locator("main").inner_text()
    watched.settle(page.go_back)
    assert watched.rows("Events by type") == counts(ask(BY_TYPE))
    assert page.get_by_label("Time range").first.input_value() == "1d"
    watched.settle(page.go_forward)
    assert watched.rows("Events by type") == counts(ask(BY_TYPE, 168))


def test_a_range_of_ones_own(watch):
    watched = watch()
    page = watched.open("/w/try")
    page.get_by_label("Custom range for Time range, in UTC").click()
    page.locator("[data-range=start]").fill("2026-11-20T00:00")
    page.locator("[data-range=end]").fill("2026-11-20T12:00")
    watched.settle(lambda: page.get_by_role("button", name="Apply").click())
    assert "Over 2026-11-20 00:00 to 2026-11-20 12:00 UTC." in page.locator("main").inner_text()


def test_several_values_are_chosen_and_all_again(watch, ask):
    watched = watch()
    page = watched.open("/w/try")
    menu = page.locator("details.multi")
    menu.locator("summary").click()
    watched.settle(lambda: menu.get_by_label("probe_ok", exact=True).check())
    assert menu.get_attribute("open") is not None, "the list stays open while several are chosen"
    watched.settle(lambda: menu.get_by_label("canary", exact=True).check())
    assert watched.rows("Events by type") == counts(
        ask(BY_TYPE.replace("|", "| where EventType in ('probe_ok', 'canary') |", 1))
    )
    assert menu.locator("summary .chosen").inner_text() == "canary, probe_ok" or "probe_ok" in menu.inner_text()
    watched.settle(lambda: menu.get_by_label("All", exact=True).check())
    assert watched.rows("Events by type") == counts(ask(BY_TYPE))
    page.keyboard.press("Escape")
    assert menu.get_attribute("open") is None


def test_tabs_show_their_items_and_a_shared_address_shows_the_same(watch):
    watched = watch()
    page = watched.open("/w/try")
    assert watched.item("Over time").is_hidden()
    watched.settle(lambda: page.get_by_role("link", name="Charts").click())
    assert watched.item("Over time").is_visible()
    assert watched.item("Events by type").is_hidden()
    assert page.locator("nav.tabs a[aria-current]").inner_text() == "Charts"
    again = watch()
    again.open(page.url.removeprefix(again.home))
    assert again.item("Over time").is_visible()
    assert again.page.locator("nav.tabs a[aria-current]").inner_text() == "Charts"


def test_a_chosen_row_shows_what_depends_on_it_and_is_let_go_again(watch, ask):
    watched = watch()
    page = watched.open("/w/try")
    row = watched.item("Events by type").locator("tbody tr", has_text="audit_completed")
    watched.settle(row.click)
    newest = ask(
        "AciDnsEvents() | where EventType == 'audit_completed' | top 5 by TimeGenerated desc | project EventId"
    )
    assert [cells[2] for cells in watched.rows("The newest of audit_completed")] == [id_ for (id_,) in newest]
    assert row.get_attribute("aria-selected") == "true"
    page.reload()
    watched.filled()
    assert row.get_attribute("aria-selected") == "true"
    watched.settle(row.click)
    assert "Picked" not in page.url
    assert row.get_attribute("aria-selected") == "false"
    assert page.locator("h2", has_text="The newest of").is_hidden()


def test_several_tiles_are_chosen(watch, ask):
    watched = watch()
    watched.open("/w/try")
    tiles = watched.item("Components").locator("li.tile")
    watched.settle(tiles.filter(has_text="audit").click)
    watched.settle(tiles.filter(has_text="tracker").click)
    ((number,),) = ask("AciDnsEvents() | where Component in ('audit', 'tracker') | summarize count()")
    assert watched.item("Of the chosen components").locator(".body").inner_text() == str(number)
    assert tiles.filter(has_text="audit").get_attribute("aria-current") == "true"


def test_a_link_leads_to_another_workbook_with_the_parameters_that_it_hands_over(watch):
    watched = watch()
    page = watched.open("/w/try?TimeRange=7d")
    page.get_by_role("link", name="To the pipeline").click()
    watched.filled()
    assert page.url.endswith("/w/pipeline?TimeRange=7d")
    assert page.get_by_label("Time range").first.input_value() == "7d"


def test_a_refresh_keeps_what_is_chosen_sorted_and_focused(watch):
    watched = watch()
    page = watched.open("/w/try")
    item = watched.item("Events by type")
    before = watched.rows("Events by type")
    watched.settle(item.locator("tbody tr").nth(1).click)
    item.locator("tbody tr").nth(1).focus()
    watched.settle(lambda: page.evaluate("document.querySelector('[data-reload]').click()"))
    assert watched.rows("Events by type") == before
    assert page.evaluate("document.activeElement.matches('tr[data-export]')")
    assert page.locator(".status").inner_text().startswith("As of ")


def test_a_group_is_asked_when_it_is_unfolded_or_its_button_is_pressed(watch):
    watched = watch()
    page = watched.open("/w/try")
    assert page.locator("summary", has_text="Folded, over Last 24 hours").is_visible()
    assert watched.item("Only when unfolded").count() == 0
    watched.settle(page.locator("summary", has_text="Folded").click)
    assert re.fullmatch(r"\d+", watched.item("Only when unfolded").locator(".body").inner_text())
    watched.settle(page.get_by_role("button", name="Load it").click)
    assert watched.item("Only at a click").locator("tbody tr").count() == 200
    page.reload()
    watched.filled()
    assert watched.item("Only at a click").is_visible()
    assert watched.item("Only when unfolded").is_visible()


def test_rows_are_sorted_filtered_and_turned_in_pages(watch):
    watched = watch()
    page = watched.open("/w/try")
    item = watched.item("Events by type")
    item.get_by_role("button", name="EventType").click()
    names = [cells[0] for cells in watched.rows("Events by type")]
    assert names == sorted(names)
    item.get_by_role("button", name="EventType").click()
    assert [cells[0] for cells in watched.rows("Events by type")] == names[::-1]
    assert item.locator("th").first.get_attribute("aria-sort") == "descending"
    item.get_by_role("button", name="Events", exact=True).click()
    numbers = [int(cells[1].replace(",", "")) for cells in watched.rows("Events by type")]
    assert numbers == sorted(numbers)
    item.get_by_label("Filter rows of Events by type").fill("PROBE")
    assert all("probe" in cells[0] for cells in watched.rows("Events by type"))
    watched.settle(page.get_by_role("button", name="Load it").click)
    many = watched.item("Only at a click")
    assert many.locator("tbody tr:visible").count() == 50
    assert many.locator(".pager").inner_text().split("\n") == ["Previous", "Page 1 of 4, 200 rows", "Next"]
    many.get_by_role("button", name="Next").click()
    assert "Page 2 of 4" in many.locator(".pager").inner_text()


def test_details_open_in_a_dialog_that_closes(watch):
    watched = watch()
    page = watched.open("/w/try?Picked=audit_completed")
    watched.item("The newest of audit_completed").locator("td button").first.click()
    assert page.locator("dialog pre").inner_text().startswith("{")
    page.keyboard.press("Escape")
    assert page.locator("dialog").is_hidden()


def test_charts_are_drawn_and_a_dragged_range_is_a_parameter(watch):
    watched = watch()
    page = watched.open("/w/try?Tab=charts")
    plot = watched.item("Over time").locator(".plot")
    plot.locator(".scatterlayer .trace").first.wait_for()
    assert plot.locator(".scatterlayer .trace").count() >= 4
    assert watched.item("Shares").locator(".slice").count() >= 3
    plot.scroll_into_view_if_needed()
    plot.hover()
    box = plot.locator(".nsewdrag").first.bounding_box()
    y = box["y"] + box["height"] / 2

    def drag():
        page.mouse.move(box["x"] + box["width"] * 0.3, y)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.6, y, steps=8)
        page.mouse.up()

    watched.settle(drag)
    assert "Brush=" in page.url
    assert len(watched.rows("In the brushed range")) == 1


def test_light_and_dark_are_kept(watch):
    watched = watch(color_scheme="light")
    page = watched.open("/w/try")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Light / dark").click()
    dark = page.evaluate(ground)
    assert light != dark
    page.reload()
    watched.filled()
    assert page.evaluate(ground) == dark


def test_choices_that_follow_fast_end_with_the_last(watch, ask):
    watched = watch()
    page = watched.open("/w/try")
    choose = page.get_by_label("Time range").first
    page.evaluate("delete document.body.dataset.filled")
    for value in ("7d", "1h", "7d", "1d", "7d"):
        choose.select_option(value)
    watched.filled()
    page.locator(".status", has_text="As of").wait_for()
    assert watched.rows("Events by type") == counts(ask(BY_TYPE, 168))


def test_an_error_stands_in_its_place_with_the_line_at_fault(watch):
    watched = watch()
    watched.open("/w/try")
    assert "2: | wherre x\n   ^" in watched.item("A broken query").locator("pre").inner_text()
    assert "platform metrics" in watched.item("Platform metrics").locator(".badge").inner_text()


def test_refreshing_by_the_clock_is_chosen_and_pauses_while_nobody_looks(watch):
    watched = watch()
    page = watched.page
    page.clock.install()
    watched.open("/w/try")
    page.locator("[data-refresh]").select_option("30")

    def asked():
        return sum("/items" in url for url in watched.asked)

    first = asked()
    page.clock.run_for(31_000)
    page.locator(".status", has_text="As of").wait_for()
    assert asked() == first + 1
    page.evaluate("Object.defineProperty(document, 'hidden', { get: () => true, configurable: true })")
    page.clock.run_for(120_000)
    assert asked() == first + 1


def test_everything_is_reached_by_keyboard_alone(watch):
    watched = watch()
    page = watched.open("/w/try")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        kind = page.evaluate("""() => { const one = document.activeElement;
          return one.matches("tr[data-export]") ? "row" : one.matches(".tab") ? "tab" : one.matches(".sort") ? "sort"
            : one.tagName.toLowerCase(); }""")
        seen.add(kind)
        if kind == "row":
            break
    assert {"select", "summary", "tab", "sort", "row"} <= seen
    watched.settle(lambda: page.keyboard.press("Enter"))
    assert "Picked=" in page.url
    assert page.evaluate("document.activeElement.matches('tr[data-export][aria-selected=true]')")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_serious_stands_in_the_way_on_a_page_with_everything(watch, axe, theme):
    watched = watch(color_scheme=theme)
    page = watched.open("/w/try?Picked=canary&Components=audit&Hostile=x")
    page.locator("details.multi summary").click()
    assert axe(page) == []


def test_an_address_that_leads_nowhere_is_a_page(watch):
    watched = watch()
    page = watched.page
    page.goto(f"{watched.home}/w/nope")
    assert "There is no workbook 'nope'" in page.locator("main").inner_text()
    page.get_by_role("link", name="Try").first.click()
    watched.filled()
    watched.trouble.clear()  # the browser itself tells of the 404
