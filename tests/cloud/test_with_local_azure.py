"""The doors against the local Azure: real SDKs, real HTTPS, real etags, pages and faults."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from cloud.arm import Arm
from cloud.arm_pipeline import Patience
from cloud.container_groups import ContainerGroups
from cloud.credentials import FixedTokenCredential
from cloud.logs_query import QueryRejectedError, WorkspaceQuery
from cloud.private_dns import PrivateDns
from cloud.services import build, run_context
from core.arm_id import container_group_id
from core.errors import NotFoundError, PreconditionFailedError, ThrottledError, UnavailableError, ZoneMissingError
from core.events import FALLBACK_MARKER, Component, Event, EventType
from core.live import LiveState
from core.names import parse_address
from core.records import RecordSet, ZoneRef, owner_mark
from core.settings import Settings
from local_azure.faults import Fault, FaultRule

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
ZONE = ZoneRef(SUBSCRIPTION, "rg-dns", "corp.internal")
REVERSE = ZoneRef(SUBSCRIPTION, "rg-dns", "10.in-addr.arpa")
TOKEN = FixedTokenCredential("local", 4102444800)
MAP = '{"rg-apps": {"forward_zone": "corp.internal", "zones_resource_group": "rg-dns"}}'


@pytest.fixture
def arm(lab):
    lab.zone("corp.internal", "hub")
    lab.zone("10.in-addr.arpa")
    made = Arm(TOKEN, endpoint=lab.azure.arm, ca_bundle=str(lab.azure.ca), patience=Patience(first_wait_seconds=0.01))
    yield made
    made.close()


@pytest.fixture
def dns(arm):
    return PrivateDns(arm)


def fault(lab, kind, operation, **options):
    answer = {name: options.pop(name) for name in ("status", "retry_after") if name in options}
    rule = FaultRule(Fault(kind, **answer), operation, **options)
    lab.azure.call(lambda: lab.world.faults.add(rule))
    return rule


NEW = {
    "A": RecordSet(ZONE, "A", "web", 60, ("10.0.0.4",), owner_mark("/x", parse_address("10.0.0.4"))),
    "AAAA": RecordSet(ZONE, "AAAA", "web", 60, ("fd00::4",), {}),
    "PTR": RecordSet(REVERSE, "PTR", "4.0.0", 3600, ("web.corp.internal", "api.corp.internal"), {"a": "b"}),
}


@pytest.mark.parametrize("kind", NEW)
def test_a_record_set_is_created_read_changed_and_deleted(dns, kind):
    new = NEW[kind]
    assert dns.get(new.zone, new.type, new.name) is None
    created = dns.put(new)
    assert created.etag
    assert dns.get(new.zone, new.type, new.name) == created
    assert (created.values, dict(created.metadata), created.ttl) == (new.values, dict(new.metadata), new.ttl)
    changed = dns.put(RecordSet(new.zone, new.type, new.name, 5, (), {}, created.etag))
    assert (changed.values, changed.ttl, changed.etag == created.etag) == ((), 5, False)
    dns.delete(changed)
    assert dns.get(new.zone, new.type, new.name) is None
    dns.delete(changed)


def test_preconditions_hold_on_the_wire(dns):
    created = dns.put(NEW["A"])
    with pytest.raises(PreconditionFailedError):
        dns.put(NEW["A"])
    changed = dns.put(created)
    with pytest.raises(PreconditionFailedError):
        dns.put(created)
    with pytest.raises(PreconditionFailedError):
        dns.delete(created)
    dns.delete(changed)


def test_a_missing_zone_is_an_error_wherever_it_is_met(dns):
    missing = ZoneRef(SUBSCRIPTION, "rg-dns", "missing.internal")
    calls = [
        lambda: dns.get(missing, "A", "web"),
        lambda: dns.put(RecordSet(missing, "A", "web", 60, ("10.0.0.4",))),
        lambda: list(dns.list(missing)),
        lambda: list(dns.list(missing, "PTR")),
        lambda: dns.links(missing),
    ]
    for call in calls:
        with pytest.raises(ZoneMissingError):
            call()


def test_a_zone_of_several_pages_is_listed_completely(lab, dns, arm, monkeypatch):
    monkeypatch.setattr("cloud.private_dns.PAGE_SIZE", "100")
    for number in range(120):
        lab.record("corp.internal", "A", f"web-{number}", "10.0.0.4")
    lab.record("corp.internal", "AAAA", "six", "fd00::4")
    before = arm.calls
    found = list(dns.list(ZONE))
    assert sorted(record.name for record in found) == sorted(["six", *(f"web-{number}" for number in range(120))])
    assert arm.calls - before >= 2
    assert [record.name for record in dns.list(ZONE, "AAAA")] == ["six"]
    assert list(dns.list(REVERSE, "PTR")) == []


def test_zones_and_links_are_listed(lab, dns):
    assert dns.zones(SUBSCRIPTION) == [REVERSE, ZONE]
    (link,) = dns.links(ZONE)
    assert (link.name, link.is_complete, link.registration_enabled) == ("hub", True, False)
    assert link.vnet_id.lower().endswith("/virtualnetworks/hub")
    assert dns.links(REVERSE) == []


def test_a_group_is_read_through_its_life(lab, arm):
    groups = ContainerGroups(arm)
    group = container_group_id(SUBSCRIPTION, "rg-apps", "web")
    assert groups.get(group).state is LiveState.ABSENT
    lab.group("web", "10.0.1.9")
    live = groups.get(group)
    assert (live.state, str(live.address)) == (LiveState.RUNNING, "10.0.1.9")
    assert [(found.id, found.address) for found in groups.list(SUBSCRIPTION, "rg-apps")] == [(group, live.address)]
    lab.send("DELETE", lab.group_id("web"))
    assert groups.get(group).state is LiveState.ABSENT


def test_groups_of_a_resource_group_that_is_missing_are_not_no_groups(lab, arm):
    fault(lab, "error", "containerGroup.*", status=404)
    with pytest.raises(NotFoundError):
        ContainerGroups(arm).list(SUBSCRIPTION, "rg-apps")


def test_throttling_is_waited_for_and_counted(lab, dns, arm):
    rule = fault(lab, "throttle", "privateDns.recordSet.GET", retry_after=0.01, times=2)
    assert dns.get(ZONE, "A", "web") is None
    assert (rule.fired, arm.reads) == (2, 3)


def test_long_throttling_is_handed_on(lab, dns, arm):
    fault(lab, "throttle", "privateDns.recordSet.GET", retry_after=300)
    with pytest.raises(ThrottledError) as caught:
        dns.get(ZONE, "A", "web")
    assert (caught.value.retry_after_seconds, arm.calls) == (300, 1)


@pytest.mark.parametrize("kind", ["reset", "error"])
def test_a_passing_failure_is_not_noticed(lab, dns, kind):
    fault(lab, kind, "privateDns.recordSet.*", times=1, **({"status": 503} if kind == "error" else {}))
    assert dns.put(NEW["A"]).etag


def test_a_write_whose_answer_was_lost_has_happened_and_says_that_it_has_to_be_read_again(lab, dns, arm):
    fault(lab, "lost_response", "privateDns.recordSet.PUT", times=1)
    with pytest.raises(PreconditionFailedError):
        dns.put(NEW["A"])
    assert dns.get(ZONE, "A", "web").values == ("10.0.0.4",)
    assert arm.writes == 2


def test_a_deletion_whose_answer_was_lost_is_done(lab, dns):
    created = dns.put(NEW["A"])
    fault(lab, "lost_response", "privateDns.recordSet.DELETE", times=1)
    dns.delete(created)
    assert dns.get(ZONE, "A", "web") is None


def test_an_outage_is_unavailable(lab, dns):
    fault(lab, "reset", "*")
    with pytest.raises(UnavailableError):
        dns.get(ZONE, "A", "web")


@pytest.fixture
def services(lab, monkeypatch):
    for name, value in lab.environment(MAP).items():
        monkeypatch.setenv(name, value)
    settings = Settings.from_env(lab.environment(MAP), lambda _: "")
    made = build(settings)
    yield made, settings
    made.close()


def event(name):
    return Event(Component.TRACKER, EventType.NO_CHANGE, datetime.now(UTC), "one", {"ContainerGroup": name})


def test_the_managed_identity_works_from_the_environment_alone(lab, services):
    made, settings = services
    lab.group("web", "10.0.1.9")
    context = run_context(made, settings, "invocation")
    live = context.container_groups.get(container_group_id(SUBSCRIPTION, "rg-apps", "web"))
    assert (live.state, context.calls.calls) == (LiveState.RUNNING, 1)
    assert context.arm_token().count(".") == 2


def test_events_arrive_in_the_table_and_come_back_typed(lab, services):
    made, settings = services
    made.sink.emit([event("web"), event("api")])
    assert (made.sink.uploaded, made.sink.fell_back) == (2, 0)
    environment = lab.azure.environment()
    workspace = WorkspaceQuery(made.credential, environment["LOGS_QUERY_ENDPOINT"], environment["LOGS_WORKSPACE_ID"],
                               ca_bundle=settings.ca_bundle)  # fmt: skip
    answer = workspace.query(
        "AciDnsEvents_CL | project TimeGenerated, ContainerGroup, ArmCalls | order by ContainerGroup asc",
        timespan=timedelta(hours=1),
    )
    assert answer.columns == (("TimeGenerated", "datetime"), ("ContainerGroup", "string"), ("ArmCalls", "int"))
    assert [row[1:] for row in answer.rows] == [("api", None), ("web", None)]
    assert abs(answer.rows[0][0] - datetime.now(UTC)) < timedelta(minutes=1)
    with pytest.raises(QueryRejectedError) as caught:
        workspace.query("AciDnsEvents_CL | where Nothing == 1")
    assert "Nothing" in str(caught.value)
    workspace.close()


def test_events_that_ingestion_refuses_are_log_lines(lab, services, caplog):
    caplog.set_level(logging.INFO)
    made, _ = services
    fault(lab, "error", "ingestion", status=403)
    made.sink.emit([event("web")])
    assert (made.sink.uploaded, made.sink.fell_back) == (0, 1)
    assert sum(message.startswith(FALLBACK_MARKER) for message in caplog.messages) == 1
