"""The functions work with exactly the roles of infra/roles.yaml; without one of them its part fails, and says so."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml

import function_app
from core.events import FALLBACK_MARKER
from local_azure.roles import RoleDefinition, Roles, principal_of
from tests.functions import host

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
RULE = f"{SUBSCRIPTION}/resourceGroups/rg-dns/providers/Microsoft.Insights/dataCollectionRules/dcr"
TOPIC = f"{SUBSCRIPTION}/resourceGroups/rg-dns/providers/Microsoft.EventGrid/topics/repair"
CLIENTS = {"writer": "11111111-aaaa-4aaa-8aaa-000000000001", "observer": "11111111-aaaa-4aaa-8aaa-000000000002",
           "probe": "11111111-aaaa-4aaa-8aaa-000000000003"}  # fmt: skip
JOBS = {"writer": ("reconcile", "canary"), "observer": ("track", "probe", "audit", "canary"), "probe": ("probe",)}
READER, PUBLISHER, SENDER = "Reader", "Monitoring Metrics Publisher", "EventGrid Data Sender"
ELSEWHERE = {"storage", "telemetry", "dead_letters", "registry"}
"""Scopes of the Functions host, Event Grid and the container platform: nothing of ours calls them."""


@dataclass
class Outcome:
    """What one job came to.

    The error that it raised ("" for none), its rows, how many rows were only kept as log lines, and what a probe could
    not read to explain an answer.
    """

    error: str = ""
    rows: dict[str, str] = field(default_factory=dict)
    fallback_lines: int = 0
    remarks: list[str] = field(default_factory=list)


@dataclass
class Stage:
    """A spoke whose records are right, the identities with their roles, and the jobs."""

    lab: Any
    scopes: dict[str, str]
    roles: Roles
    book: dict[str, Any]
    do: Callable[[str], Outcome]

    def cast(self, identity: str, *, custom: bool = False) -> dict[tuple[str, str], list[Any]]:
        """Give an identity its roles; gives the assignments by (role, scope) as roles.yaml names them."""
        definitions = {role["name"]: definition(role) for role in self.book["built_in"]}
        narrower = {(r["replaces"], scope): definition(r) for r in self.book["custom"] for scope in r["scopes"]}
        grants = next(entry["grants"] for entry in self.book["identities"] if entry["key"] == identity)
        made: dict[tuple[str, str], list[Any]] = {}
        for grant in (grant for grant in grants if grant["scope"] not in ELSEWHERE):
            key = (grant["role"], grant["scope"])
            role = narrower.get(key, definitions[grant["role"]]) if custom else definitions[grant["role"]]
            made[key] = [self.roles.assign(principal_of(CLIENTS[identity]), role, self.scopes[grant["scope"]])]
        return made


def definition(role: dict[str, Any]) -> RoleDefinition:
    return RoleDefinition(
        role["name"], tuple(role.get("actions", ())), data_actions=tuple(role.get("data_actions", ()))
    )


def triggered(name: str, event: dict[str, Any], timer: dict[str, Any]) -> None:
    """Run one function as the host does."""
    if name in host.EVENTS:
        host.by_event(name, event)
    else:
        host.by_timer(name, timer)


@pytest.fixture
def stage(  # noqa: PLR0917 - fixtures
    lab: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    project_root: Any,
    zone_map: str,
    grid_event: Callable[..., dict[str, Any]],
    timer: Callable[..., dict[str, Any]],
    probe_settings: Callable[[], dict[str, str]],
    rows: Callable[[], list[dict[str, Any]]],
) -> Iterator[Stage]:
    """Give a spoke with one group whose records are right, on a local Azure that allows what is granted alone."""
    probing = probe_settings()
    network = probing["PROBE_VANTAGE"].rsplit("/", 1)[1]
    for zone in ("corp.internal", "10.in-addr.arpa"):
        lab.zone(zone, network)
    group = lab.group("web", "10.0.1.4")
    lab.record("corp.internal", "A", "web", "10.0.1.4", owner=group)
    lab.record("10.in-addr.arpa", "PTR", "4.1.0", "web.corp.internal", owner=group)
    settings = {
        **lab.environment(zone_map), **probing, "AUDIT_SUBSCRIPTION_ID": lab.fleet.subscription, "REPAIR": "publish",
        "PROBE_SUBSCRIPTION_ID": lab.fleet.subscription,
        "REPAIR_TOPIC_ENDPOINT": f"{lab.azure.eventgrid}/eventgrid/repair/api/events",
    }  # fmt: skip
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    world = lab.world
    roles = Roles(aliases={
        f"/dataCollectionRules/{world.settings.dcr_immutable_id}": RULE,
        "/eventgrid/repair": TOPIC,
    })  # fmt: skip
    scopes = {
        "aci_group": f"{SUBSCRIPTION}/resourceGroups/rg-apps", "virtual_network": probing["PROBE_VANTAGE"],
        "forward_zone": lab.zone_id("corp.internal"), "reverse_zone": lab.zone_id("10.in-addr.arpa"),
        "data_collection_rule": RULE, "repair_topic": TOPIC,
    }  # fmt: skip

    def do(job: str) -> Outcome:
        seen = len(rows())
        caplog.clear()
        outcome = Outcome()
        try:
            triggered(job, grid_event(group, event_id=f"{job}-{seen}"), timer())
        except Exception as error:  # noqa: BLE001 - what it is is what the tests are about
            outcome.error = getattr(error, "code", "") or type(error).__name__
        new = rows()[seen:]
        outcome.rows = {row["EventType"]: row["ErrorCode"] for row in new}
        outcome.remarks = [said for row in new for said in (row["Details"] or {}).get("remarks", ())]
        outcome.fallback_lines = sum(FALLBACK_MARKER in line.getMessage() for line in caplog.records)
        return outcome

    book = yaml.safe_load((project_root / "infra" / "roles.yaml").read_text(encoding="utf-8"))
    with caplog.at_level("INFO"):
        lab.azure.call(lambda: setattr(world, "authorize", roles))
        yield Stage(lab, scopes, roles, book, do)
    lab.azure.call(lambda: setattr(world, "authorize", lambda *_: True))


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    function_app.doors.cache_clear()
    yield
    if function_app.doors.cache_info().currsize:
        function_app.doors()[1].close()
    function_app.doors.cache_clear()


def move(stage: Stage) -> None:
    """Let the group have another address than DNS says, without an event."""
    group = stage.lab.group_id("web")
    stage.lab.azure.call(lambda: vars(stage.lab.world.groups[group.lower()]).update(ip="10.0.1.9"))


def play(stage: Stage, identity: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Outcome]:
    """Run every job of an identity on a group that has moved."""
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENTS[identity])
    move(stage)  # so that there is something to repair, to find, to explain and to publish
    return {job: stage.do(job) for job in JOBS[identity]}


Seen = dict[str, tuple[str, dict[str, str], int]]
ALL_WELL: Seen = {
    "reconcile": ("", {"reconcile_updated": ""}, 0),
    "track": ("", {"drift_detected": ""}, 0),
    "probe": ("", {"probe_failed": "a_mismatch", "probe_completed": ""}, 0),
    "audit": ("", {"drift_detected": "", "audit_completed": ""}, 0),
    "canary": ("", {"canary": ""}, 0),
}
"""What each job comes to with its roles, for a group that has moved: the error that it raises, its rows by type with
their error code, and how many rows were only kept as log lines."""
NOT_LISTED = "zones in the way are not looked for"
"""What no role here allows, and a probe says: listing every zone of a subscription, to find one that hides another."""


def seen(found: dict[str, Outcome]) -> Seen:
    return {job: (outcome.error, outcome.rows, outcome.fallback_lines) for job, outcome in found.items()}


def refused(stage: Stage) -> set[str]:
    """Give the actions that were refused, but for the list of all zones."""
    return {
        denial.action for denial in stage.roles.denials if not denial.scope.endswith("/providers/Microsoft.Network/")
    }


@pytest.mark.parametrize("custom", [False, True], ids=["built-in roles", "custom roles"])
@pytest.mark.parametrize("identity", ["writer", "observer"])
def test_with_exactly_its_roles_an_app_does_all_its_work(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, identity: str, custom: bool
) -> None:
    stage.cast(identity, custom=custom)
    found = play(stage, identity, monkeypatch)
    assert seen(found) == {job: ALL_WELL[job] for job in JOBS[identity]}
    assert refused(stage) == set()
    assert [said.partition(":")[0] for outcome in found.values() for said in outcome.remarks] in ([], [NOT_LISTED])


@pytest.mark.parametrize("custom", [False, True], ids=["built-in roles", "custom roles"])
def test_the_probe_elsewhere_does_its_work_and_misses_the_networks_dns_servers_alone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, custom: bool
) -> None:
    stage.cast("probe", custom=custom)
    assert seen(play(stage, "probe", monkeypatch)) == {"probe": ALL_WELL["probe"]}
    assert refused(stage) <= {"Microsoft.Network/virtualNetworks/read"}


def forbidden(job: str, row: str) -> Seen:
    return {job: ("forbidden", {row: "forbidden"}, 0)}


def kept_as_lines(*jobs: str) -> Seen:
    """Say that these jobs do their work, and that their rows are found by the table's function alone."""
    rows = {"probe": 2, "audit": 4}
    return {job: ("", {}, rows.get(job, 1)) for job in jobs}


CONTRIBUTOR = "Private DNS Zone Contributor"
NO_TARGETS: Seen = {"probe": ("", {"probe_completed": "bad_targets"}, 0)}
RECONCILE, TRACK = forbidden("reconcile", "reconcile_failed"), forbidden("track", "track_failed")
AUDIT = forbidden("audit", "audit_completed")
UNPUBLISHED: Seen = {"audit": ("forbidden", {"drift_detected": "", "audit_completed": "forbidden"}, 0)}
# Identity, the role that is taken away and its scope, what then ends differently, and what a probe says that it misses.
WITHOUT: list[tuple[str, str, str, Seen, str]] = [
    ("writer", READER, "aci_group", RECONCILE, ""),
    ("writer", CONTRIBUTOR, "forward_zone", RECONCILE, ""),
    ("writer", CONTRIBUTOR, "reverse_zone", RECONCILE, ""),
    ("writer", PUBLISHER, "data_collection_rule", kept_as_lines("reconcile", "canary"), ""),
    ("observer", READER, "aci_group", {**TRACK, **AUDIT, **NO_TARGETS}, ""),
    ("observer", READER, "forward_zone", {**TRACK, **AUDIT}, "virtual_network_link.list in corp.internal"),
    ("observer", READER, "reverse_zone", {**TRACK, **AUDIT}, "virtual_network_link.list in 10.in-addr.arpa"),
    ("observer", READER, "virtual_network", {}, "virtual_network.get spoke"),
    ("observer", PUBLISHER, "data_collection_rule", kept_as_lines("track", "probe", "audit", "canary"), ""),
    ("observer", SENDER, "repair_topic", UNPUBLISHED, ""),
    ("probe", READER, "aci_group", NO_TARGETS, ""),
    ("probe", READER, "forward_zone", {}, "virtual_network_link.list in corp.internal"),
    ("probe", READER, "reverse_zone", {}, "virtual_network_link.list in 10.in-addr.arpa"),
    ("probe", PUBLISHER, "data_collection_rule", kept_as_lines("probe"), ""),
]


@pytest.mark.parametrize(("identity", "role", "scope", "different", "missed"), WITHOUT)
def test_without_a_role_exactly_its_part_fails_loudly(  # noqa: PLR0917 - a row of the table
    stage: Stage, monkeypatch: pytest.MonkeyPatch, identity: str, role: str, scope: str, different: Seen, missed: str
) -> None:
    stage.roles.revoke(stage.cast(identity)[role, scope])
    found = play(stage, identity, monkeypatch)
    assert seen(found) == {**{job: ALL_WELL[job] for job in JOBS[identity]}, **different}
    remarks = [said for outcome in found.values() for said in outcome.remarks]
    assert not missed or any(said.startswith(missed) for said in remarks)
    assert refused(stage) or missed


def test_every_role_of_ours_is_taken_away_once(project_root: Any) -> None:
    book = yaml.safe_load((project_root / "infra" / "roles.yaml").read_text(encoding="utf-8"))
    granted = {
        (entry["key"], grant["role"], grant["scope"])
        for entry in book["identities"] for grant in entry["grants"]
        if entry["key"] in JOBS and grant["scope"] not in ELSEWHERE
    }  # fmt: skip
    assert {row[:3] for row in WITHOUT} == granted
