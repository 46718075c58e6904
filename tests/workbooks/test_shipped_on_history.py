"""The workbooks that ship, on a made-up fleet's history: every query answers, and every parameter filters."""

from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace

import pytest

from kql.duckdb_engine import DuckDbEngine, connect
from kql.engine import Stop
from local_azure.history.shape import Shape
from local_azure.history.write import write_duckdb
from workbooks.answers import Problem, answer, over_files
from workbooks.dashboard import shelf
from workbooks.model import LinksItem, QueryItem
from workbooks.parse import load
from workbooks.resolve import Inputs, resolve

SHAPE = Shape(days=60, groups=10, probe_minutes=360, audit_minutes=360, canary_minutes=720, deploys=1.0)
WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/w"
BOOKS = {path.stem: load(path)[0].workbook for path in shelf.shipped()}
TABS = [
    (name, link.sub_target)
    for name, book in BOOKS.items()
    for item in book.items
    if isinstance(item, LinksItem) and item.is_tabs
    for link in item.links
]
MAY_BE_EMPTY = {
    # What nobody did, or what had no consequence, in this history.
    "groups that fail", "zones not seen", "unlinked and shadowed zones", "contested names", "flapping groups",
    "bad spells of ingestion", "deliveries that failed", "events too late", "failures by cause",
    "wrong answers over time", "dns beside containers", "drifts of the group", "addresses", "changes made", "attempts",
    "names that resolve wrongly", "wrong answers", "broken hops", "container events", "container log", "timeline",
    "latest answers", "right answers over time", "records left over",
}  # fmt: skip


class Shown(Mapping):
    """The tables of the items that a page shows, by name; each is asked for when it is looked at."""

    def __init__(self, fleet, requests):
        self.fleet, self.requests = fleet, requests

    def __getitem__(self, name):
        return self.fleet.answer(self.requests[name])

    def __iter__(self):
        return iter(self.requests)

    def __len__(self):
        return len(self.requests)


class Fleet:
    """A history and a moment in it at which a drift is open."""

    def __init__(self, engine, moment, drift):
        self.ask, self.moment, self.drift = over_files(engine), moment, drift
        self.answers = {}

    def show(self, name, **chosen):
        """Give what a page shows with these choices."""
        asked = {key: (value,) if isinstance(value, str) else value for key, value in chosen.items()}
        found = {}
        state = resolve(BOOKS[name], Inputs(self.moment, asked, found, (WORKSPACE,)))
        while state.needed:
            found |= {request: self.answer(request) for request in state.needed}
            state = resolve(BOOKS[name], Inputs(self.moment, asked, found, (WORKSPACE,)))
        shown = [each for each in state.items.values() if isinstance(each.item, QueryItem) and each.visible]
        assert [each.item.name for each in shown if each.request is None] == []
        return Shown(self, {each.item.name: each.request for each in shown})

    def answer(self, request):
        if request not in self.answers:
            given = answer(request, self.ask, self.moment, Stop())
            assert not isinstance(given, Problem), f"{given}\n{request.query}"
            self.answers[request] = given
        return self.answers[request]


def column(table, name):
    place = [each.name for each in table.columns].index(name)
    return [row[place] for row in table.rows]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    path = tmp_path_factory.mktemp("history") / "fleet.duckdb"
    write_duckdb(path, SHAPE)
    with connect(path) as connection:
        engine = DuckDbEngine(connection)
        longest = engine.query(
            "AciDnsDriftEpisodes() | where OpenedBy == 'drift_detected' and ContainerGroup != ''"
            "| top 1 by TimeToRepairSeconds desc"
            "| project Detected, TimeToRepairSeconds, ContainerGroup, ResourceGroup, ForwardZone, Subject",
            now=SHAPE.end,
        )
        drift = SimpleNamespace(**dict(zip((each.name for each in longest.columns), longest.rows[0], strict=True)))
        yield Fleet(engine, drift.Detected + timedelta(seconds=drift.TimeToRepairSeconds / 2), drift)


@pytest.mark.parametrize(("name", "tab"), TABS)
def test_every_item_of_a_tab_answers(fleet, name, tab):
    chosen = {"Group": fleet.drift.Subject} if name == "container-group" else {}

    shown = fleet.show(name, Tab=tab, TimeRange="60d", **chosen)

    empty = {item for item, table in shown.items() if not table.rows}
    assert empty <= MAY_BE_EMPTY


def test_the_fleet_shows_what_is_open(fleet):
    shown = fleet.show("fleet", TimeRange="7d")

    (tile,) = shown["tile: drifts open"]
    assert tile["Value"] == len(shown["open drifts"].rows) > 0
    assert tile["Level"] in {"warning", "critical"}
    assert fleet.drift.ContainerGroup in column(shown["open drifts"], "Group")


def test_an_open_drift_leads_to_the_page_of_its_group(fleet):
    row = next(
        each
        for each in fleet.show("fleet", TimeRange="7d")["open drifts"]
        if each["Group"] == fleet.drift.ContainerGroup
    )

    page = fleet.show("container-group", TimeRange="7d", Group=row["GroupId"])
    tiles = {each["Tile"]: each for each in page["tiles: the group now"]}

    assert tiles["State"]["Value"] in {"drift", "failed"}
    assert tiles["Live IP"]["Value"] == row["LiveIp"]
    assert [each["Level"] for each in page["tile: drifts open"]] == ["critical"]


def test_a_chosen_drift_shows_what_happened_to_its_group(fleet):
    assert "what happened to the selected one" not in fleet.show("fleet", TimeRange="7d")

    shown = fleet.show("fleet", TimeRange="7d", Selected=fleet.drift.Subject)

    assert "drift_detected" in column(shown["what happened to the selected one"], "Name")


@pytest.mark.parametrize(
    ("parameter", "shows"), [("ContainerGroup", "Group"), ("ResourceGroup", "ResourceGroup"), ("Zone", "ForwardZone")]
)
def test_a_parameter_of_the_fleet_filters_groups(fleet, parameter, shows):
    wanted = getattr(fleet.drift, {"Zone": "ForwardZone"}.get(parameter, parameter)).lower()

    every = fleet.show("fleet", Tab="groups", TimeRange="60d")["all groups"]
    some = fleet.show("fleet", Tab="groups", TimeRange="60d", **{parameter: wanted})["all groups"]

    assert {each.lower() for each in column(some, shows)} == {wanted}
    assert 0 < len(some.rows) < len(every.rows)
    assert len(some.rows) == sum(each.lower() == wanted for each in column(every, shows))


@pytest.mark.parametrize("tab", ["open", "history", "reconciler", "slo", "events"])
def test_a_group_filters_what_each_tab_of_the_fleet_shows_of_groups(fleet, tab):
    chosen = {"TimeRange": "60d", "ContainerGroup": fleet.drift.ContainerGroup}
    shown = fleet.show("fleet", Tab=tab, **chosen)

    tables = [shown[name] for name in shown if not name.startswith("tile")]
    groups = {
        group
        for table in tables
        if "Group" in [each.name for each in table.columns]
        for group in column(table, "Group")
    }
    assert groups <= {fleet.drift.ContainerGroup}


def test_a_severity_filters_events(fleet):
    shown = fleet.show("fleet", Tab="events", TimeRange="60d", Severity="Error")

    assert set(column(shown["latest events"], "Severity")) == {"Error"}


@pytest.mark.parametrize("name", BOOKS)
def test_a_page_over_a_workspace_without_events_waits_for_nothing(name):
    with connect() as connection:
        assert Fleet(DuckDbEngine(connection), SHAPE.end, None).show(name)


def test_several_values_of_a_parameter_are_either_of_them(fleet):
    every = column(fleet.show("fleet", Tab="groups", TimeRange="60d")["all groups"], "Group")
    two = tuple(sorted(set(every))[:2])

    some = fleet.show("fleet", Tab="groups", TimeRange="60d", ContainerGroup=two)["all groups"]

    assert set(column(some, "Group")) == set(two)


def test_network_zone_and_direction_filter_the_matrix(fleet):
    every = fleet.show("reverse-dns", TimeRange="7d")["network by zone"]
    wanted = {name: column(every, name)[0] for name in ("VirtualNetwork", "Zone", "Direction")}

    chosen = {"Network": wanted["VirtualNetwork"], "Zone": wanted["Zone"], "Direction": wanted["Direction"]}
    some = fleet.show("reverse-dns", TimeRange="7d", **chosen)["network by zone"]

    assert [{name: row[name] for name in wanted} for row in some] == [wanted]


def test_a_component_filters_the_pipeline(fleet):
    shown = fleet.show("pipeline", TimeRange="7d", Component="audit")

    assert set(column(shown["heartbeats"], "Component")) == {"audit"}
    assert set(column(shown["events by component"], "Component")) == {"audit"}


def test_a_heartbeat_is_overdue_by_the_interval_that_is_chosen(fleet):
    slow, fast = (
        column(fleet.show("pipeline", TimeRange="7d", Component="probe", ProbeEvery=every)["heartbeats"], "Overdue")
        for every in ("1d", "5m")
    )

    assert not any(slow)
    assert any(fast)


def test_drifts_over_time_end_with_those_that_are_open(fleet):
    shown = fleet.show("fleet", Tab="history", TimeRange="60d")
    now_open = fleet.show("fleet", Tab="open", TimeRange="60d")["open drifts"]

    assert column(shown["drifts open over time"], "Open")[-1] == len(now_open.rows)


def test_a_workspace_without_events_is_not_called_fine():
    with connect() as connection:
        empty = Fleet(DuckDbEngine(connection), SHAPE.end, None)
        shown = empty.show("fleet", TimeRange="7d")
        (groups,) = shown["tile: groups not reconciled"]
        (names,) = shown["tile: names resolved wrongly"]
        on_time = next(each for each in shown["tiles: who repairs"] if each["Tile"].startswith("DNS right"))

    assert (groups["Level"], names["Level"], on_time["Level"]) == ("unknown", "unknown", "unknown")
