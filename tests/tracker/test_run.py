"""The tracker against a local Azure, through the real SDKs, as a principal that may only read."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from cloud.credentials import FixedTokenCredential
from cloud.services import Services, build, run_context
from cloud.sink import MemorySink
from core.arm_id import parse_container_group
from core.errors import ForbiddenError, ToolkitError, ZoneMissingError
from core.events import EventType
from core.settings import Settings
from local_azure.faults import Fault, FaultRule
from tracker.run import track, track_group

ZONE_MAP = {
    "rg-apps": {
        "forward_zone": "corp.internal",
        "reverse_zones": ["10.in-addr.arpa", "0.0.d.f.ip6.arpa"],
        "zones_resource_group": "rg-dns",
    },
    "rg-jobs": {"forward_zone": "corp.internal", "zones_resource_group": "rg-dns"},
}
REVERSE = "10.in-addr.arpa"
FQDN = "web.corp.internal"


@dataclass
class Bench:
    """The tracker, its sink, and the local Azure's request log since the last `track`."""

    lab: Any
    services: Services
    sink: MemorySink
    settings: Settings
    mark: int = 0

    def track(self, subject: str, kind: str = "WriteSuccess", **more: Any) -> list[dict[str, Any]]:
        return self.deliver(self.event(subject, kind), **more)

    def deliver(self, raw: Any, **more: Any) -> list[dict[str, Any]]:
        self.sink.events.clear()
        self.mark = self.lab.request_total()
        track(raw, run_context(self.services, self.settings, "invocation-1"), **more)
        return self.rows()

    def rows(self) -> list[dict[str, Any]]:
        return [event.to_row() for event in self.sink.events]

    def event(self, subject: str, kind: str = "WriteSuccess") -> dict[str, Any]:
        operation = "/".join(subject.rsplit("/providers/", maxsplit=1)[-1].split("/")[::2])
        return {
            "id": "event-1",
            "subject": subject,
            "eventType": f"Microsoft.Resources.Resource{kind}",
            "eventTime": (datetime.now(UTC) - timedelta(seconds=3)).isoformat(),
            "data": {"operationName": operation, "correlationId": "correlation-1"},
        }

    def requests(self) -> list[str]:
        methods: list[str] = self.lab.methods_since(self.mark)
        return methods


@pytest.fixture
def bench(lab: Any) -> Iterator[Bench]:
    """Zones, and a tracker whose principal may read and nothing else: a write would be answered with 403."""
    for zone in ("corp.internal", REVERSE, "0.0.d.f.ip6.arpa"):
        lab.zone(zone)
    settings = Settings.from_env(lab.environment(json.dumps(ZONE_MAP)), lambda _: "")
    sink = MemorySink()
    services = build(settings, credential=FixedTokenCredential("read-only", 9999999999), sink=sink)
    yield Bench(lab, services, sink, settings)
    services.close()


@pytest.fixture
def web(bench: Bench) -> str:
    """Give a running group at 10.0.1.4 whose records are right."""
    group: str = bench.lab.group("web", "10.0.1.4")
    bench.lab.record("corp.internal", "A", "web", "10.0.1.4", owner=group)
    bench.lab.record(REVERSE, "PTR", "4.1.0", FQDN, owner=group)
    return group


def only(rows: list[dict[str, Any]]) -> dict[str, Any]:
    assert len(rows) == 1, rows
    return rows[0]


def test_a_new_group_is_first_seen(bench: Bench) -> None:
    row = only(bench.track(bench.lab.group("web", "10.0.1.4")))
    assert (row["EventType"], row["LiveIp"], row["NewIp"], row["Fqdn"]) == ("first_seen", "10.0.1.4", "10.0.1.4", FQDN)
    assert "DriftKinds" not in row or row["DriftKinds"] == []


def test_an_unchanged_group_costs_three_reads_and_fills_every_column(bench: Bench, web: str) -> None:
    row = only(bench.track(web))
    # an IPv6 reverse zone is configured, so AAAA is looked at too
    assert bench.requests() == ["GET"] * 4
    named = {name: row[name] for name in row if name not in {"TimeGenerated", "EventTime", "EventId", "DurationMs"}}
    assert 3000 <= named.pop("LagMs") < 30_000
    assert named.pop("Details")["live_state"] == "running"
    assert named == {
        "Component": "tracker", "EventType": "no_change", "Severity": "Information", "SourceEventId": "event-1",
        "CorrelationId": "correlation-1", "SubscriptionId": web.split("/")[2], "ResourceGroup": "rg-apps",
        "ContainerGroup": "web", "ContainerGroupId": web, "Fqdn": FQDN, "ForwardZone": "corp.internal",
        "ReverseZone": REVERSE, "LiveIp": "10.0.1.4", "NewIp": "10.0.1.4", "PtrName": "4.1.0.10.in-addr.arpa",
        "PtrTarget": FQDN, "DriftKinds": [], "ArmCalls": 4, "Attempt": 1, "ToolVersion": row["ToolVersion"],
    }  # fmt: skip


def test_a_record_set_event_reads_nothing_twice(bench: Bench, web: str) -> None:
    assert only(bench.track(bench.lab.record_id("corp.internal", "A", "web")))["EventType"] == "no_change"
    assert len(bench.requests()) == 4


def test_a_mark_decides_between_groups_of_the_same_name(bench: Bench, web: str) -> None:
    namesake = bench.lab.group("web", "10.0.1.8", "rg-jobs")
    assert only(bench.track(bench.lab.record_id("corp.internal", "A", "web")))["ContainerGroupId"] == web
    unmarked = bench.lab.record("corp.internal", "A", "web", "10.0.1.4")
    assert {row["ContainerGroupId"]: row["DriftKinds"] for row in bench.track(unmarked)} == {
        web: [],
        namesake: ["a_mismatch"],
    }


def test_a_moved_group_has_drifted_from_the_old_address_to_the_new_one(bench: Bench, web: str) -> None:
    bench.lab.change(web, ip="10.0.1.9")
    row = only(bench.track(web, "ActionSuccess"))
    assert (row["EventType"], row["Severity"]) == ("drift_detected", "Warning")
    assert (row["OldIp"], row["NewIp"], row["LiveIp"]) == ("10.0.1.4", "10.0.1.9", "10.0.1.9")
    assert row["DriftKinds"] == ["a_mismatch", "ptr_missing", "ptr_stale"]
    assert [finding["kind"] for finding in row["Details"]["findings"]] == ["a_mismatch", "ptr_missing", "ptr_stale"]


EDITS: dict[str, tuple[Callable[[Any, str], str], str, list[str]]] = {
    "A set to another address, the mark kept": (
        lambda lab, web: lab.record("corp.internal", "A", "web", "10.0.1.8", owner=web, written="10.0.1.4"),
        "drift_detected",
        ["a_mismatch"],
    ),
    "A made anew by hand, without a mark": (
        lambda lab, _: lab.record("corp.internal", "A", "web", "10.0.1.8"),
        "drift_detected",
        ["a_mismatch"],
    ),
    "A with another TTL": (
        lambda lab, web: lab.record("corp.internal", "A", "web", "10.0.1.4", owner=web, ttl=3600),
        "no_change",
        [],
    ),
    "PTR set to another name, the mark kept": (
        lambda lab, web: lab.record(REVERSE, "PTR", "4.1.0", "evil.corp.internal", owner=web),
        "drift_detected",
        ["ptr_mismatch"],
    ),
    "PTR made anew by hand, without a mark, for another name": (
        lambda lab, _: lab.record(REVERSE, "PTR", "4.1.0", "elsewhere.example.com"),
        "drift_detected",
        ["ptr_mismatch"],
    ),
    "A corrected by hand, the PTR of the address written before still there": (
        lambda lab, web: (
            lab.record(REVERSE, "PTR", "7.1.0", FQDN, owner=web),
            lab.record("corp.internal", "A", "web", "10.0.1.4", owner=web, written="10.0.1.7"),
        )[1],
        "drift_detected",
        ["ptr_stale"],
    ),
    "a PTR of another address that names us": (
        lambda lab, _: lab.record(REVERSE, "PTR", "77.1.0", FQDN),
        "drift_detected",
        ["ptr_stale"],
    ),
}


@pytest.mark.parametrize(("edit", "verdict", "kinds"), EDITS.values(), ids=EDITS)
def test_a_record_set_edited_by_hand_is_seen_when_it_happens(
    bench: Bench, web: str, edit: Callable[[Any, str], str], verdict: str, kinds: list[str]
) -> None:
    row = only(bench.track(edit(bench.lab, web)))
    assert (row["ContainerGroupId"], row["EventType"], row["DriftKinds"]) == (web, verdict, kinds)


def test_a_ptr_deleted_by_hand_leads_to_the_group_that_has_the_address(bench: Bench, web: str) -> None:
    bench.lab.group("other", "10.0.1.5")
    record = bench.lab.record_id(REVERSE, "PTR", "4.1.0")
    bench.lab.send("DELETE", record)
    row = only(bench.track(record, "DeleteSuccess"))
    assert (row["ContainerGroupId"], row["DriftKinds"], row["OldIp"]) == (web, ["ptr_missing"], "10.0.1.4")


def test_an_address_record_set_deleted_by_hand_makes_its_group_first_seen_again(bench: Bench, web: str) -> None:
    record = bench.lab.record_id("corp.internal", "A", "web")
    bench.lab.send("DELETE", record)
    row = only(bench.track(record, "DeleteSuccess"))
    assert (row["EventType"], row["ContainerGroupId"]) == ("first_seen", web)
    assert row["Details"]["cause_subject"] == record


def test_a_ptr_that_was_taken_from_one_group_for_another_is_two_events(bench: Bench, web: str) -> None:
    other = bench.lab.group("other", "10.0.1.5")
    bench.lab.record("corp.internal", "A", "other", "10.0.1.5", owner=other)
    bench.lab.record(REVERSE, "PTR", "5.1.0", "other.corp.internal", owner=other)
    rows = bench.track(bench.lab.record(REVERSE, "PTR", "4.1.0", "other.corp.internal"))
    assert {row["ContainerGroup"]: row["DriftKinds"] for row in rows} == {
        "other": ["ptr_stale"],
        "web": ["ptr_mismatch"],
    }


def test_records_left_by_a_group_that_is_gone_are_orphans(bench: Bench, web: str) -> None:
    bench.lab.send("DELETE", web)
    row = only(bench.track(bench.lab.record("corp.internal", "A", "web", "10.0.1.4", owner=web)))
    assert (row["DriftKinds"], row["OldIp"]) == (["ptr_stale", "a_orphaned"], "10.0.1.4")
    assert "LiveIp" not in row
    assert "NewIp" not in row


def test_a_ptr_left_by_a_group_that_is_gone_tells_the_address(bench: Bench, web: str) -> None:
    bench.lab.send("DELETE", web)
    bench.lab.send("DELETE", bench.lab.record_id("corp.internal", "A", "web"))
    row = only(bench.track(bench.lab.record_id(REVERSE, "PTR", "4.1.0")))
    assert (row["DriftKinds"], row["OldIp"], row["PtrTarget"]) == (["ptr_stale"], "10.0.1.4", FQDN)


def test_records_of_a_stopped_group_are_orphans(bench: Bench, web: str) -> None:
    bench.lab.send("POST", f"{web}/stop")
    assert only(bench.track(web, "ActionSuccess"))["DriftKinds"] == ["ptr_stale", "a_orphaned"]


def test_a_name_that_belongs_to_another_live_group_is_a_conflict(bench: Bench, web: str) -> None:
    other = bench.lab.group("web2", "10.0.1.8")
    bench.lab.record("corp.internal", "A", "web", "10.0.1.8", owner=other)
    row = only(bench.track(web))
    assert (row["DriftKinds"], row["OldIp"]) == (["owner_conflict"], "10.0.1.8")


def test_an_ipv6_group_is_compared_in_aaaa_and_nibbles(bench: Bench) -> None:
    group = bench.lab.group("web", "fd00::1:4")
    bench.lab.record("corp.internal", "AAAA", "web", "fd00::1:4", owner=group)
    row = only(bench.track(group))
    assert (row["EventType"], row["ReverseZone"], row["DriftKinds"]) == (
        "drift_detected",
        "0.0.d.f.ip6.arpa",
        ["ptr_missing"],
    )
    nibbles = row["PtrName"].removesuffix(".0.0.d.f.ip6.arpa")
    bench.lab.record("0.0.d.f.ip6.arpa", "PTR", nibbles, FQDN, owner=group)
    assert only(bench.track(group))["EventType"] == "no_change"


def test_a_reverse_zone_that_does_not_exist_is_drift(bench: Bench, web: str) -> None:
    bench.lab.send("DELETE", bench.lab.zone_id(REVERSE))
    assert only(bench.track(web))["DriftKinds"] == ["reverse_zone_missing"]


def test_links_are_compared_when_the_caller_asks_for_it(bench: Bench, web: str) -> None:
    for network in ("hub", "spoke"):
        bench.lab.zone("corp.internal", network)
    bench.lab.zone(REVERSE, "hub")
    bench.lab.zone("1.0.10.in-addr.arpa", "hub")
    row = only(bench.track(web, zones=bench.services.private_dns))
    assert row["DriftKinds"] == ["zone_unlinked", "zone_shadowed"]
    longer = bench.lab.world.zones[bench.lab.zone_id("1.0.10.in-addr.arpa").lower()]
    longer.links["hub"].state = "InProgress"
    assert only(bench.track(web, zones=bench.services.private_dns))["DriftKinds"] == ["zone_unlinked"]
    assert only(bench.track(web))["DriftKinds"] == []


@pytest.mark.parametrize("shown", ["0.0.0.0", "null"])
def test_a_group_that_is_not_ready_gets_no_verdict(bench: Bench, web: str, shown: str) -> None:
    bench.lab.change(web, shown_ip=shown)
    assert bench.track(web) == []


def test_the_deletion_of_a_group_ends_before_any_read(bench: Bench, web: str) -> None:
    assert (bench.track(web, "DeleteSuccess"), bench.requests()) == ([], [])


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        {},
        {"eventType": "Microsoft.Resources.ResourceWriteSuccess"},
        {"eventType": "Microsoft.Resources.ResourceWriteSuccess", "subject": "x" * 2000},
        {"eventType": "Microsoft.Resources.ResourceWriteSuccess", "subject": "/subscriptions/a\r\nFORGED line"},
        {"eventType": "Contoso.Thing", "subject": "/subscriptions/s/resourceGroups/rg-apps", "data": "x" * 100_000},
    ],
    ids=range(7),
)
def test_a_malformed_event_is_one_safe_warning_and_nothing_else(
    bench: Bench, caplog: pytest.LogCaptureFixture, raw: Any
) -> None:
    with caplog.at_level(logging.INFO, logger="aci_dns"):
        assert (bench.deliver(raw), bench.requests()) == ([], [])
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert len(caplog.text) < 1000
    assert "\r" not in caplog.records[0].getMessage()


def test_what_is_not_configured_is_not_read(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    subjects = [
        bench.lab.group_id("web", "rg-unknown"),
        bench.lab.record_id("other.internal", "A", "web"),
        bench.lab.zone_id("corp.internal"),
        bench.lab.record_id("corp.internal", "A", "web").replace("rg-dns", "rg-elsewhere"),
    ]
    with caplog.at_level(logging.INFO, logger="aci_dns"):
        for subject in subjects:
            assert (bench.track(subject), bench.requests()) == ([], [])
    assert [record.getMessage()[:8] for record in caplog.records] == ["ignored:"] * len(subjects)


def switch_on(bench: Bench, operation: str, fault: Fault) -> FaultRule:
    rule = FaultRule(operation=operation, fault=fault, times=1)
    return cast("FaultRule", bench.lab.azure.call(lambda: bench.lab.world.faults.add(rule)))


def test_a_failure_is_an_event_and_an_exception(bench: Bench, web: str) -> None:
    switch_on(bench, "containerGroup.GET", Fault("error", 403))
    with pytest.raises(ForbiddenError):
        bench.track(web)
    row = only(bench.rows())
    assert (row["EventType"], row["Severity"], row["ErrorCode"]) == ("track_failed", "Error", "forbidden")
    assert (row["ContainerGroupId"], row["Fqdn"]) == (web, FQDN)


def test_a_missing_forward_zone_fails_loudly(bench: Bench, web: str) -> None:
    bench.lab.send("DELETE", bench.lab.zone_id("corp.internal"))
    with pytest.raises(ZoneMissingError):
        bench.track(web)
    assert only(bench.rows())["ErrorCode"] == "zone_missing"


def test_a_record_set_event_that_cannot_be_followed_fails_loudly(bench: Bench, web: str) -> None:
    switch_on(bench, "privateDns.recordSet.GET", Fault("error", 403))
    with pytest.raises(ToolkitError):
        bench.track(bench.lab.record_id("corp.internal", "A", "web"))
    row = only(bench.rows())
    assert (row["EventType"], row["ForwardZone"]) == ("track_failed", "corp.internal")


def test_every_failed_attempt_is_a_fact_of_its_own_and_every_verdict_only_once(bench: Bench, web: str) -> None:
    raw = bench.event(web)
    assert bench.deliver(raw)[0]["EventId"] == bench.deliver(raw)[0]["EventId"]


def test_a_group_that_moves_while_it_is_looked_at_is_looked_at_again(bench: Bench, web: str) -> None:
    """The reconciler finished between our two reads: judging the old address by the new record set would be wrong."""
    bench.lab.change(web, ip="10.0.1.9")

    groups = bench.lab.world.groups
    move = Fault("callback", callback=lambda _: vars(groups[web.lower()]).update(ip="10.0.1.4"))
    rule = switch_on(bench, "privateDns.recordSet.GET", move)
    assert only(bench.track(web))["EventType"] == "no_change"
    assert rule.fired == 1


def test_after_a_move_dns_is_read_again_as_well(bench: Bench, web: str) -> None:
    world = bench.lab.world
    bench.lab.change(web, ip="10.0.1.9")

    def move_and_publish(_: Any) -> None:
        world.groups[web.lower()].ip = "10.0.1.10"
        zone = world.zones[bench.lab.zone_id("corp.internal").lower()]
        zone.record_sets["A", "web"].properties["aRecords"] = [{"ipv4Address": "10.0.1.10"}]

    rule = FaultRule(
        operation="containerGroup.GET", fault=Fault("callback", callback=move_and_publish), skip=1, times=1
    )
    bench.lab.azure.call(lambda: world.faults.add(rule))
    row = only(bench.track(web))
    assert (row["NewIp"], row["DriftKinds"]) == ("10.0.1.10", ["ptr_missing", "ptr_stale"])


def test_a_group_that_cannot_be_read_does_not_hide_the_others(bench: Bench, web: str) -> None:
    other = bench.lab.group("other", "10.0.1.5")
    rule = FaultRule(operation="containerGroup.GET", fault=Fault("error", 403), where={"name": "web"})
    bench.lab.azure.call(lambda: bench.lab.world.faults.add(rule))
    with pytest.raises(ForbiddenError):
        bench.track(bench.lab.record(REVERSE, "PTR", "4.1.0", FQDN, "other.corp.internal"))
    found = {row["ContainerGroupId"]: row["EventType"] for row in bench.rows()}
    assert found == {web: "track_failed", other: "first_seen"}


def test_the_tracker_never_writes(bench: Bench, web: str) -> None:
    """Whatever it meets: the principal's role would refuse, and not even the attempt is made."""
    bench.lab.group("other", "10.0.1.5")
    subjects = [
        web,
        bench.lab.group_id("other"),
        bench.lab.group_id("gone"),
        bench.lab.record_id("corp.internal", "A", "web"),
        bench.lab.record("corp.internal", "A", "gone", "10.0.1.6", owner=bench.lab.group_id("gone")),
        bench.lab.record(REVERSE, "PTR", "4.1.0", "evil.corp.internal"),
        bench.lab.record(REVERSE, "PTR", "99.1.0", FQDN),
    ]
    refused = []

    def read_only(claims: Any, action: str, scope: str) -> bool:
        allowed = action.endswith("/read")
        refused.extend([] if allowed else [action])
        return allowed

    bench.lab.world.authorize = read_only
    before = bench.lab.request_total()
    types = [row["EventType"] for subject in subjects for row in bench.track(subject)]
    assert set(types) == {EventType.DRIFT_DETECTED.value, EventType.FIRST_SEEN.value}
    assert set(bench.lab.methods_since(before)) == {"GET"}
    assert refused == []


def test_one_group_can_be_looked_at_without_an_event(bench: Bench, web: str) -> None:
    context = run_context(bench.services, bench.settings, "cli")
    found = track_group(parse_container_group(web), context)
    assert found is not None
    assert found[1].verdict is EventType.NO_CHANGE
    assert bench.sink.events == []
    assert track_group(parse_container_group(bench.lab.group_id("web", "rg-unknown")), context) is None
