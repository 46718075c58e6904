"""The recipe against a local Azure, asked over real sockets, as a principal that may only read: results and events."""

import json
import logging
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest

from cloud.credentials import FixedTokenCredential
from cloud.services import build, run_context
from cloud.sink import MemorySink
from core.errors import ConfigurationError, ForbiddenError, ZoneMissingError
from core.records import RecordSet, ZoneRef
from core.settings import Settings
from core.zone_map import ZoneMap
from probe.facts import FactReader
from probe.result import ProbeReport, percentile
from probe.run import ProbeOptions, probe
from probe.targets import targets_of_record

REVERSE = "1.10.in-addr.arpa"
FQDN = "web.corp.internal"


async def no_sleep(_seconds: float) -> None:
    """Wait for nothing."""


@dataclass
class Bench:
    """A probe in a network of the local Azure, and what it emits."""

    lab: Any
    sink: MemorySink
    denied: str = "nothing"

    def may(self, _claims: Any, action: str, _scope: str) -> bool:
        """Read only, and not what is denied."""
        return action.endswith("/read") and not action.startswith(self.denied)

    def vnet(self, name: str) -> str:
        groups = f"/subscriptions/{self.lab.fleet.subscription}/resourceGroups"
        return f"{groups}/rg-net/providers/Microsoft.Network/virtualNetworks/{name}"

    def probe(self, network: str = "spoke", run_id: str = "", **settings: str) -> ProbeReport:
        self.sink.events.clear()
        vnet = self.vnet(network)
        entry = {"forward_zone": "corp.internal", "reverse_zones": [REVERSE], "zones_resource_group": "rg-dns"}
        addresses = {vnet_id.lower(): address for vnet_id, address in self.lab.azure.dns.items()}
        given = {
            **self.lab.environment(json.dumps({"rg-apps": entry})),
            "PROBE_VANTAGE": vnet,
            "PROBE_SUBNET": "aci",
            "PROBE_RESOLVERS": addresses[vnet.lower()].replace(":", "#"),
            **settings,
        }
        read = Settings.from_env(given, lambda _: "")
        allowed, self.lab.world.authorize = self.lab.world.authorize, self.may
        services = build(read, credential=FixedTokenCredential("read-only", 9999999999), sink=self.sink)
        try:
            return probe(
                run_context(services, read, "invocation-1"),
                ProbeOptions(read.probe, run_id=run_id, host="probe-1"),
                sleep=no_sleep,
            )
        finally:
            self.lab.world.authorize = allowed
            services.close()

    def rows(self) -> list[dict[str, Any]]:
        return [event.to_row() for event in self.sink.events]


@pytest.fixture
def bench(lab):
    """Give two networks, `spoke` linked to both zones and `other` to none, and a group whose records are right."""
    lab.zone("corp.internal", "spoke")
    lab.zone(REVERSE, "spoke")
    lab.fleet.vnet("other", "10.2.0.0/24")
    group = lab.group("web", "10.1.0.4")
    lab.record("corp.internal", "A", "web", "10.1.0.4", owner=group)
    lab.record(REVERSE, "PTR", "4.0", FQDN, owner=group)
    return Bench(lab, MemorySink())


def only(report: ProbeReport) -> Any:
    (result,) = report.results
    return result


def test_a_right_target_is_ok_and_reads_the_groups_alone(bench):
    report = bench.probe()
    assert (only(report).verdict, report.is_ok, report.summary.arm_calls) == ("ok", True, 1)
    assert json.loads(json.dumps(report.to_json()))["summary"]["verdicts"] == {"ok": 1}


def test_a_run_is_a_row_for_each_target_and_one_for_itself(bench):
    report = bench.probe()
    target, completed = bench.rows()
    group = bench.lab.group_id("web")
    fixed = {
        name: target[name] for name in target if name not in {"TimeGenerated", "EventTime", "EventId", "DurationMs"}
    }
    assert fixed == {
        "Component": "probe", "EventType": "probe_ok", "Severity": "Information", "CorrelationId": report.run_id,
        "SubscriptionId": group.split("/")[2], "ResourceGroup": "rg-apps", "ContainerGroup": "web",
        "ContainerGroupId": group, "Fqdn": FQDN, "ForwardZone": "corp.internal", "ReverseZone": REVERSE,
        "NewIp": "10.1.0.4", "LiveIp": "10.1.0.4", "PtrName": "4.0.1.10.in-addr.arpa", "PtrTarget": FQDN,
        "Verdict": "ok", "Rcode": "NOERROR", "Vantage": bench.vnet("spoke"), "Resolver": report.resolvers[0],
        "Attempt": 1, "ToolVersion": target["ToolVersion"],
        "Details": {"source": "live", "subnet": "aci", "host": "probe-1"},
    }  # fmt: skip
    assert (completed["EventType"], completed["ArmCalls"], completed["Vantage"]) == (
        "probe_completed", 1, bench.vnet("spoke"),
    )  # fmt: skip
    details = completed["Details"]
    assert (details["targets"], details["verdicts"], details["queries"]) == (1, {"ok": 1}, 2)
    assert 0 < details["percentiles_ms"]["p50"] <= details["percentiles_ms"]["p99"]
    assert (details["host"], details["source"]) == ("probe-1", "live")


def test_an_unlinked_reverse_zone_is_seen_in_that_network_only_and_linking_it_turns_it_green(bench):
    spoke = bench.vnet("spoke")
    bench.lab.fleet.link("corp.internal", bench.vnet("other"))
    bench.lab.fleet.unlink(REVERSE, spoke)
    bench.lab.fleet.link(REVERSE, bench.vnet("other"))
    result = only(bench.probe())
    assert (result.verdict, only(bench.probe("other")).verdict) == ("reverse_zone_unlinked", "ok")
    assert f"--zone-name {REVERSE} --name to-spoke --virtual-network {spoke}" in result.fix
    assert result.cross_check.hop == "link"
    bench.lab.fleet.link(REVERSE, spoke)
    assert only(bench.probe()).verdict == "ok"


def test_a_deleted_ptr_is_missing_instead(bench):
    bench.lab.fleet.delete_record(REVERSE, "PTR", "4.0")
    result = only(bench.probe())
    assert (result.verdict, result.fix) == ("ptr_missing", f"drift reconcile {bench.lab.group_id('web')} --apply")
    assert (result.cross_check.hop, result.cross_check.reverse.zone_says) == ("record", "nothing")
    row = bench.rows()[0]
    assert (row["EventType"], row["Severity"], row["Verdict"], row["Rcode"], row["ErrorCode"]) == (
        "probe_failed", "Error", "ptr_missing", "NXDOMAIN", "ptr_missing",
    )  # fmt: skip
    assert row["ErrorMessage"] == f"{result.cause}; {result.fix}"
    assert set(row["Details"]) == {
        "source", "subnet", "host", "cause", "fix", "answers", "confirmation", "confirmed_after_seconds", "cross_check",
    }  # fmt: skip


def test_both_are_told_apart_without_any_permission_on_azure(bench):
    bench.denied = "Microsoft."
    bench.lab.fleet.delete_record(REVERSE, "PTR", "4.0")
    before = bench.lab.request_total()
    missing = bench.probe(PROBE_TARGETS=f"{FQDN} 10.1.0.4")
    assert bench.lab.request_total() == before
    bench.lab.fleet.unlink(REVERSE, bench.vnet("spoke"))
    unlinked = bench.probe(PROBE_TARGETS=f"{FQDN} 10.1.0.4")
    assert (only(missing).verdict, only(unlinked).verdict) == ("ptr_missing", "reverse_zone_unlinked")
    assert only(missing).cross_check is None


def test_every_run_is_a_new_fact(bench):
    bench.probe()
    first = {row["EventId"] for row in bench.rows()}
    bench.probe()
    assert first.isdisjoint(row["EventId"] for row in bench.rows())
    assert len(first) == 2


def test_a_run_can_be_named(bench):
    report = bench.probe(run_id="run-7")
    assert (report.run_id, {row["CorrelationId"] for row in bench.rows()}) == ("run-7", {"run-7"})


def test_only_failures_become_rows_where_that_is_asked_for(bench):
    bench.probe(PROBE_EMIT="failures")
    assert [row["EventType"] for row in bench.rows()] == ["probe_completed"]
    bench.lab.fleet.delete_record(REVERSE, "PTR", "4.0")
    bench.probe(PROBE_EMIT="failures")
    assert [row["EventType"] for row in bench.rows()] == ["probe_failed", "probe_completed"]


def test_a_moved_group_is_named_as_the_broken_hop(bench):
    given = json.dumps([{"name": FQDN, "address": "10.1.0.9", "container_group": bench.lab.group_id("web")}])
    result = only(bench.probe(PROBE_TARGETS=given, PROBE_CROSS_CHECK="yes"))
    assert (result.verdict, result.cross_check.hop) == ("a_mismatch", "group")
    assert "has 10.1.0.4 now" in result.cross_check.forward.explanation


def test_a_longer_zone_is_named(bench):
    bench.lab.zone("0.1.10.in-addr.arpa", "spoke")
    result = only(bench.probe())
    assert (result.verdict, result.cross_check.hop) == ("reverse_zone_shadowed", "shadow")
    assert "0.1.10.in-addr.arpa" in result.cause


def test_targets_can_come_from_dns_itself(bench):
    bench.lab.record("corp.internal", "A", "two", "10.1.0.7", "10.1.0.8")
    bench.lab.record("corp.internal", "A", "*", "10.1.0.9")
    report = bench.probe(PROBE_SOURCE="dns")
    assert {(result.target.fqdn, str(result.target.address)): result.verdict.value for result in report.results} == {
        (FQDN, "10.1.0.4"): "ok",
        ("two.corp.internal", "10.1.0.7"): "ptr_missing",
        ("two.corp.internal", "10.1.0.8"): "ptr_missing",
    }
    owned = next(result.target for result in report.results if result.target.fqdn == FQDN)
    assert str(owned.group).lower() == bench.lab.group_id("web").lower()


def test_groups_without_an_address_are_left_out_and_counted(bench):
    bench.lab.fleet.create("rg-apps", "batch", bench.vnet("spoke"), ports=False)
    report = bench.probe()
    assert len(report.results) == 1
    assert report.remarks == ("1 container groups have no private address now and are not asked for",)


def test_many_failing_targets_are_read_by_listing_the_zone(bench):
    for number in range(25):
        bench.lab.record("corp.internal", "A", f"n{number}", f"10.1.0.{100 + number}")
    report = bench.probe(PROBE_SOURCE="dns")
    assert report.summary.verdicts == {"ok": 1, "ptr_missing": 25}
    assert {result.cross_check.hop.value for result in report.failing} == {"record"}
    # the targets: A, AAAA; the facts: zones, links of two, A and PTR records, the network
    assert report.summary.arm_calls == 2 + 1 + 2 + 2 + 1


def test_a_fleet_that_fails_as_a_whole_is_not_read_again_group_by_group(bench, closed_port, monkeypatch):
    monkeypatch.setattr("probe.facts.MAX_GROUPS", 1)
    bench.lab.group("two", "10.1.0.5")
    report = bench.probe(PROBE_RESOLVERS=str(closed_port))
    assert "1 of 2 failing container groups were read again" in report.remarks
    assert [result.cross_check.forward.aci_says for result in report.results] == ["10.1.0.5", "not read"]


def test_a_resource_group_with_two_entries_is_listed_once(bench):
    entry = {"forward_zone": "corp.internal", "reverse_zones": [REVERSE], "zones_resource_group": "rg-dns"}
    subscription = bench.lab.fleet.subscription
    report = bench.probe(DNS_ZONE_MAP=json.dumps({"rg-apps": entry, f"{subscription}/rg-apps": entry}))
    assert (len(report.results), report.summary.arm_calls) == (1, 1)


def test_what_azure_registered_for_a_machine_is_no_target():
    config = ZoneMap.parse(
        json.dumps({"rg": {"forward_zone": "a.b", "reverse_zones": ["10.in-addr.arpa"], "zones_resource_group": "r"}})
    ).entries[0]
    found = RecordSet(ZoneRef("s", "r", "a.b"), "A", "vm", 10, ("10.0.0.4",))
    assert [target.fqdn for target in targets_of_record(found, config)] == ["vm.a.b"]
    assert list(targets_of_record(replace(found, auto_registered=True), config)) == []


def test_a_zone_deleted_while_it_was_read_is_missing_and_one_that_is_forbidden_is_not(bench):
    class Reads:
        def zones(self, _subscription):
            return [ZoneRef("s", "r", "a.b"), ZoneRef("s", "r", "c.d")]

        def links(self, ref):
            raise ZoneMissingError(*("a.b", "r", "s")) if ref.name == "a.b" else ForbiddenError("links", "no")

    reader = FactReader(SimpleNamespace(private_dns=Reads()))
    facts = reader.zones([ZoneRef("s", "r", "a.b"), ZoneRef("s", "r", "c.d")])
    assert [(zone.ref.name, zone.links_known) for zone in facts.zones] == [("c.d", False)]
    assert facts.is_missing(ZoneRef("s", "r", "a.b"))
    assert reader.remarks == ["links: no"]


def test_bad_targets_are_reported_and_the_good_ones_still_asked_for(bench):
    report = bench.probe(PROBE_TARGETS=f"{FQDN} 10.1.0.4\nweb 10.1.0.999")
    assert (only(report).verdict, report.is_ok) == ("ok", False)
    completed = bench.rows()[-1]
    assert (completed["ErrorCode"], completed["ErrorMessage"]) == (
        "bad_targets", "PROBE_TARGETS line 2: not an IP address: '10.1.0.999'",
    )  # fmt: skip


def test_a_source_that_cannot_be_read_is_a_bad_target_and_the_run_completes(bench):
    bench.denied = "Microsoft.ContainerInstance"
    report = bench.probe()
    assert (report.results, report.is_ok) == ((), False)
    assert "cannot be listed" in str(report.bad_targets[0])
    assert [row["EventType"] for row in bench.rows()] == ["probe_completed"]


def test_without_reader_on_the_zones_the_verdict_stands_and_the_cross_check_says_what_it_lacks(bench):
    bench.lab.fleet.delete_record(REVERSE, "PTR", "4.0")
    bench.denied = "Microsoft.Network/privateDnsZones"
    report = bench.probe()
    assert (only(report).verdict, only(report).cross_check.hop) == ("ptr_missing", "unknown")
    assert any("403" in remark for remark in report.remarks)


def test_a_zone_map_without_a_subscription_says_what_to_set(bench):
    report = bench.probe(PROBE_VANTAGE="")
    assert [bad.reason for bad in report.bad_targets] == [
        "in which subscription? Name it in the zone map, or set PROBE_SUBSCRIPTION_ID"
    ]


def test_a_resolver_that_is_not_there_fails_every_target_and_nothing_else(bench, closed_port):
    report = bench.probe(PROBE_RESOLVERS=str(closed_port))
    assert (only(report).verdict, report.summary.failed) == ("unreachable", 1)
    assert "cannot be reached: Connection refused" in only(report).cause


def test_several_resolvers_give_a_result_each(bench, closed_port):
    good = bench.probe().resolvers[0]
    report = bench.probe(PROBE_RESOLVERS=f"{good} {closed_port}")
    assert [(result.resolver, result.verdict.value) for result in report.results] == [
        (good, "ok"),
        (str(closed_port), "unreachable"),
    ]
    assert len({row["EventId"] for row in bench.rows()}) == 3


def test_a_run_that_breaks_off_is_completed_all_the_same_and_raises(bench, monkeypatch):
    def broken(*_args):
        raise ConfigurationError("the zone map has gone")

    monkeypatch.setattr("probe.run.find_targets", broken)
    with pytest.raises(ConfigurationError):
        bench.probe()
    (row,) = bench.rows()
    assert (row["EventType"], row["ErrorCode"], row["ErrorMessage"]) == (
        "probe_completed", "bad_configuration", "the zone map has gone",
    )  # fmt: skip


def test_failures_are_in_the_log_with_their_fix(bench, caplog):
    bench.lab.fleet.delete_record(REVERSE, "PTR", "4.0")
    with caplog.at_level(logging.INFO, "aci_dns.probe"):
        result = only(bench.probe())
    assert result.fix in caplog.text


def test_percentiles_are_of_the_nearest_rank():
    values = [float(number) for number in range(1, 101)]
    assert [percentile(values, share) for share in (0.5, 0.95, 0.99)] == [50.0, 95.0, 99.0]
    assert (percentile([], 0.5), percentile([7.0], 0.99)) == (0.0, 7.0)
