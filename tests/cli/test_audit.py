"""`drift audit` against the local Azure: what it shows, how it ends, and that it writes nothing unless asked."""

import json

import pytest

from local_azure.faults import Fault, FaultRule


@pytest.fixture
def fleet(spoke, drift):
    """Give the settings of a fleet of one group whose records the reconciler wrote, and the group."""
    spoke.azure.call(spoke.azure.world.reset)
    vnet = spoke.fleet.vnet("vnet-one", "10.1.0.0/24")
    for zone in ("aci.corp.internal", "1.10.in-addr.arpa"):
        spoke.fleet.zone(zone, vnet)
    environment = {**spoke.environment, "AUDIT_SUBSCRIPTION_ID": spoke.fleet.subscription}
    id_, ip = spoke.create("web")
    assert drift("reconcile", id_, "--apply", **environment).code == 0
    return environment, id_, ip


def test_a_fleet_that_is_right_ends_with_0_and_says_what_it_looked_at(drift, fleet):
    done = drift("audit", **fleet[0])
    assert (done.code, done.err) == (0, "")
    assert "DNS is right  1 group, 2 record sets, 2 zones, 6 calls" in done.out


def test_drift_ends_with_1_and_says_what_to_do(drift, spoke, fleet):
    environment, _, ip = fleet
    moved = spoke.fleet.move("rg-one", "web")
    done = drift("audit", **environment)
    assert done.code == 1
    assert "3 findings" in done.out
    lines = [line.split() for line in done.out.splitlines()]
    assert [line[0] for line in lines if line[1:2] == ["rg-one/web"]] == ["a_mismatch", "ptr_missing", "ptr_stale"]
    assert f"names {ip}, not {moved}" in done.out
    assert "drift audit --repair" in done.out


@pytest.mark.parametrize("arguments", [["--json"], ["--format", "json"]])
def test_json_has_the_numbers_of_the_heartbeat_and_every_finding(drift, spoke, fleet, arguments):
    environment, id_, _ = fleet
    spoke.fleet.delete_record("aci.corp.internal", "A", "web")
    done = drift("audit", *arguments, **environment)
    shown = done.json()
    assert (done.code, shown["exit_code"], shown["groups"], shown["verdicts"]["first_seen"]) == (1, 1, 1, 1)
    (row,) = shown["drift"]
    assert (row["kind"], row["group"], row["fqdn"], row["repairable"]) == (
        "first_seen", id_, "web.aci.corp.internal", True,
    )  # fmt: skip


def test_nothing_is_recorded_unless_asked_for(drift, fleet):
    environment = fleet[0]
    drift("audit", **environment)
    assert drift("events", "--type", "audit_completed", "--json", **environment).json() == []
    assert drift("audit", "--record", **environment).code == 0
    (row,) = drift("events", "--type", "audit_completed", "--json", **environment).json()
    assert (row["Component"], row["EventType"]) == ("audit", "audit_completed")


def test_what_could_not_be_read_ends_with_its_own_code_after_what_could(drift, spoke, fleet):
    environment, *_ = fleet
    rule = FaultRule(operation="privateDns.recordSet.LIST", fault=Fault("error", 403))
    spoke.azure.call(lambda: spoke.azure.world.faults.add(rule))
    done = drift("audit", **environment)
    assert done.code == 1
    assert "nothing wrong in what could be read" in done.out
    assert done.err.startswith("error: forbidden: the audit is incomplete (2): record_sets of aci.corp.internal")


def test_a_zone_that_is_missing_is_bad_configuration(drift, fleet):
    environment = {**fleet[0], "DNS_ZONE_MAP": fleet[0]["DNS_ZONE_MAP"].replace("aci.corp", "aci.missing")}
    done = drift("audit", "--json", **environment)
    assert (done.code, done.json()["exit_code"], done.json()["incomplete"][0]["code"]) == (78, 78, "zone_missing")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--force"], 2, "--repair"),
        (["--format", "xml"], 2, "--format"),
        (["--repair"], 78, "REPAIR_TOPIC_ENDPOINT is not set"),
        (["--resource-group", "rg-two"], 78, "not in the zone map: rg-two; it has rg-one"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_read(drift, spoke, fleet, arguments, code, says):  # noqa: PLR0917 - fixtures
    before = spoke.azure.world.requests.total
    done = drift("audit", *arguments, **fleet[0])
    assert (done.code, says in done.err) == (code, True), done.err
    assert [row for row in spoke.azure.world.requests.since(before) if row.path.startswith("/subscriptions")] == []


def test_record_without_a_table_is_refused(drift, fleet):
    environment = {name: value for name, value in fleet[0].items() if not name.startswith("LOGS_")}
    done = drift("audit", "--record", **environment)
    assert (done.code, "LOGS_INGESTION_ENDPOINT is not set" in done.err) == (78, True)


def test_repair_publishes_and_says_how_many(drift, spoke, fleet):
    environment = {**fleet[0], "REPAIR_TOPIC_ENDPOINT": f"{spoke.azure.arm}/eventgrid/repairs/api/events"}
    spoke.fleet.move("rg-one", "web")
    done = drift("audit", "--repair", **environment)
    assert (done.code, "published 1 event, 0 failed" in done.out) == (1, True)


def test_repair_of_an_empty_inventory_is_refused_with_the_reason(drift, spoke, fleet):
    environment = {**fleet[0], "REPAIR_TOPIC_ENDPOINT": f"{spoke.azure.arm}/eventgrid/repairs/api/events"}
    spoke.fleet.delete("rg-one", "web")
    done = drift("audit", "--repair", **environment)
    assert done.code == 1
    assert "nothing published: resource group" in done.out
    forced = drift("audit", "--repair", "--force", "--json", **environment)
    assert json.loads(forced.out)["repair"]["published"] == 1
