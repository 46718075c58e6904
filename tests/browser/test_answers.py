"""What the shipped workbooks show is what their functions answer: tiles, rows, charts, and after every choice."""

import csv
import io

import pytest

pytestmark = pytest.mark.tools
WEEK = 168
OPEN = "Open drifts, the oldest first"
MATRIX = "Virtual network by zone: what it gets"


def tile(watched, title):
    """Give the figure of a tile by its title."""
    found = watched.page.locator("li.tile:visible", has=watched.page.locator(".tile-title", has_text=title))
    return found.locator(".tile-left").inner_text()


def columns(rows, *places):
    return [tuple(cells[place].strip() for place in places) for cells in rows]


def test_the_fleet_says_what_is_open_for_every_group_and_for_chosen_ones(watch, ask):
    watched = watch()
    page = watched.open("/w/fleet?TimeRange=7d")
    drifts = ask("AciDnsOpenDrifts() | sort by AgeMinutes desc | project ContainerGroup, LiveIp, ResourceGroup", WEEK)
    assert len(drifts) > 1
    assert columns(watched.rows(OPEN), 1, 5) == [(group, address) for group, address, _ in drifts]
    assert tile(watched, "Drifts open") == str(len(drifts))
    assert tile(watched, "Groups that cannot be reconciled") == str(
        ask("AciDnsGroups() | where State in ('failed', 'deferred') | count", WEEK)[0][0]
    )

    chosen = next(name for group, _, name in drifts if group)
    menu = page.locator("details.multi", has_text="Resource group")
    menu.locator("summary").click()
    watched.settle(lambda: menu.get_by_label(chosen.lower(), exact=True).check())
    page.keyboard.press("Escape")
    left = [(group, address) for group, address, name in drifts if name == chosen]
    assert columns(watched.rows(OPEN), 1, 5) == left
    assert tile(watched, "Drifts open") == str(len(left))


def test_a_chosen_drift_shows_what_happened_and_its_link_leads_to_the_page_of_its_group(watch, ask):
    watched = watch()
    page = watched.open("/w/fleet?TimeRange=7d")
    group, subject = ask(
        "AciDnsOpenDrifts() | where isnotempty(ContainerGroup) | sort by AgeMinutes desc"
        " | project ContainerGroup, tolower(ContainerGroupId)",
        WEEK,
    )[0]
    row = watched.item(OPEN).locator("tbody tr", has_text=group)
    watched.settle(row.locator("td").first.click)
    happened = ask(f"AciDnsGroupRuntime('{subject}') | where Name != 'probe_ok' | top 20 by TimeGenerated desc"
                   " | project Source, Name", WEEK)  # fmt: skip
    title = "The last 20 things that happened to the chosen group"
    assert sorted(columns(watched.rows(title), 1, 2)) == sorted(happened)
    times = [time for (time,) in columns(watched.rows(title), 0)]
    assert times == sorted(times, reverse=True)

    row.get_by_role("link", name=group).click()
    watched.filled()
    assert "/w/container-group?" in page.url
    assert page.get_by_label("Container group").input_value() == subject
    state = ask(f"AciDnsGroups() | where ContainerGroupId =~ '{subject}' | project State", WEEK)[0][0]
    assert tile(watched, "State") == state.replace("_", " ")


def test_a_groups_timeline_and_its_download_are_what_happened_to_it(watch, ask):
    watched = watch()
    ((subject,),) = ask("AciDnsOpenDrifts() | where isnotempty(ContainerGroup) | top 1 by AgeMinutes desc"
                        " | project tolower(ContainerGroupId)", WEEK)  # fmt: skip
    page = watched.open(f"/w/container-group?TimeRange=7d&Group={subject}")
    happened = f"AciDnsGroupRuntime('{subject}') | where true | top 500 by TimeGenerated desc | project Source, Name"
    without = happened.replace("true", "Name !in ('probe_ok', 'no_change', 'reconcile_no_op')")
    title = "Everything that happened, latest first"

    def shown():
        rows = watched.item(title).locator("tbody tr")  # those of further pages too
        return rows.evaluate_all("rows => rows.map((row) => [1, 2].map((at) => row.cells[at].textContent.trim()))")

    said = [(source, name or "log line") for source, name in ask(without, WEEK)]
    assert sorted(map(tuple, shown())) == sorted(said)
    watched.settle(lambda: page.get_by_label("Show").select_option("all"))
    assert len(shown()) == len(ask(happened, WEEK)) > len(said)
    with page.expect_download() as started:
        watched.item(title).get_by_role("link", name="CSV").click()
    read = list(csv.reader(io.StringIO(started.value.path().read_bytes().decode())))[1:]
    assert sorted((cells[1], cells[2]) for cells in read) == sorted(ask(happened, WEEK))


def test_the_matrix_is_what_each_network_gets_and_a_chosen_cell_shows_its_names(watch, ask):
    watched = watch()
    page = watched.open("/w/reverse-dns?TimeRange=7d")
    every = ask("AciDnsProbeMatrix() | project VirtualNetwork, Zone, Direction, Right, Wrong", WEEK)

    def shown():
        rows = [cells for cells in watched.rows(MATRIX) if len(cells) > 1]
        return sorted((*found[:3], int(found[3]), int(found[4])) for found in columns(rows, 0, 1, 2, 6, 7))

    assert shown() == sorted((network, zone or "(no reverse zone configured)", *rest) for network, zone, *rest in every)
    network, zone = next((network, zone) for network, zone, _, _, wrong in every if wrong and zone)
    row = watched.item(MATRIX).locator("tbody tr[data-export]", has_text=network).filter(has_text=zone).first
    watched.settle(row.click)
    names = ask(f"AciDnsProbeLatest() | where VirtualNetwork =~ '{network}'"
                f" | where ForwardZone =~ '{zone}' or ReverseZone =~ '{zone}' | distinct Fqdn", WEEK)  # fmt: skip
    rows = watched.rows("The names of the chosen network and zone")
    assert {name for (name,) in columns(rows, 0)} == {name for (name,) in names}

    menu = page.locator("details.multi", has_text="Virtual network")
    menu.locator("summary").click()
    watched.settle(lambda: menu.get_by_label(network, exact=True).check())
    assert {found[0] for found in shown()} == {network}


def test_the_pipeline_is_what_beats_and_what_was_called(watch, ask):
    watched = watch()
    page = watched.open("/w/pipeline?TimeRange=7d&ProbeEvery=1h")
    beats = "AciDnsHeartbeats(1h, 15m, 5m) | project Overdue, Component, Heartbeat, tolong(Beats)"
    said = [("overdue" if overdue else "on time", *rest, f"{count:,}") for overdue, *rest, count in ask(beats, WEEK)]
    assert sorted(columns(watched.rows("Heartbeats that must come"), 0, 1, 2, 6)) == sorted(said)
    watched.settle(lambda: page.get_by_label("Probe every").select_option("1d"))
    late = ask(beats.replace("1h", "1d", 1) + " | where Overdue | count", WEEK)[0][0]
    assert tile(watched, "Heartbeats overdue") == str(late)

    drawn = watched.item("Events by component (without canaries)").locator(".plot")
    drawn.locator(".barlayer .trace").first.wait_for()
    totals = drawn.evaluate("plot => plot.data.map((trace) => [trace.name, trace.y.reduce((a, b) => a + (b ?? 0), 0)])")
    counted = ask("AciDnsEvents() | where EventType != 'canary' | summarize count() by Component", WEEK)
    assert sorted(map(tuple, totals)) == sorted(counted)

    watched.settle(page.get_by_role("link", name="Resource Manager").click)
    called = ask("AciDnsThrottling(6h) | summarize sum(Runs) by Component", WEEK)
    assert sorted(columns(watched.rows("By component"), 0, 1)) == sorted((name, f"{runs:,}") for name, runs in called)


@pytest.mark.parametrize("name", ["fleet", "container-group", "reverse-dns", "pipeline"])
def test_a_refresh_shows_the_same_of_the_same_rows_and_a_range_is_kept_in_the_address(watch, name):
    watched = watch()
    page = watched.open(f"/w/{name}")
    watched.settle(lambda: page.get_by_label("Time range").first.select_option("3d"))
    assert "TimeRange=3d" in page.url
    before = page.locator("main").inner_text()
    watched.settle(page.get_by_role("button", name="Refresh now").click)
    assert page.locator(".status").inner_text().startswith("As of ")
    assert page.locator("main").inner_text() == before
    page.reload()
    watched.filled()
    assert page.locator("main").inner_text() == before
