"""Names that do not resolve now, since when; and zones that a network does not see, by the probe and by the audit."""

from datetime import UTC, datetime

import pytest

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HUB = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-hub"
ZONES = {"ForwardZone": "aci.corp.internal", "ReverseZone": "1.10.in-addr.arpa"}


def ago(moment):
    return round((NOW - moment).total_seconds() / 60, 3)


def looked(workspace, minutes_ago, name, verdict="ok", *, reverse="", vantage=HUB, **details):
    kind = "probe_ok" if verdict == "ok" else "probe_failed"
    forward = "ok" if verdict.startswith(("ptr_", "reverse_", "platform_")) else verdict
    looks = {"forward": {"verdict": forward}, "reverse": {"verdict": reverse or verdict}}
    place = {"Vantage": vantage, "Resolver": "168.63.129.16", "PtrName": "x.1.10.in-addr.arpa", **ZONES}
    workspace.says(
        minutes_ago, kind, Fqdn=f"{name}.corp", Verdict=verdict, Details={"answers": looks, **details}, **place
    )


def failing(workspace):
    rows = workspace.ask("AciDnsProbeFailures() | sort by Fqdn asc")
    return [(row["Fqdn"], row["Verdict"], ago(row["Since"]), ago(row["EventTime"])) for row in rows]


def test_a_failure_is_dated_from_the_first_wrong_look_after_the_last_right_one(workspace):
    seen = ((70, "ok"), (60, "timeout"), (50, "ok"), (40, "a_missing"), (30, "ptr_missing"), (20, "timeout"))
    for minutes_ago, verdict in seen:
        looked(workspace, minutes_ago, "web" if minutes_ago == 20 else "WEB", verdict)
    looked(workspace, 25, "db", "a_missing")
    looked(workspace, 20, "right")
    assert failing(workspace) == [("db.corp", "a_missing", 25, 25), ("web.corp", "timeout", 40, 20)]


def test_a_name_that_is_right_again_is_no_failure(workspace):
    looked(workspace, 40, "web", "a_missing")
    looked(workspace, 20, "web")
    assert failing(workspace) == []


def test_one_network_being_right_does_not_shorten_the_failure_of_another(workspace):
    looked(workspace, 40, "web", "a_missing")
    looked(workspace, 30, "web", vantage="/v/spoke")
    looked(workspace, 20, "web", "a_missing")
    assert failing(workspace) == [("web.corp", "a_missing", 40, 20)]


# --- zones that are not seen -----------------------------------------------------------------------------------------


def zones(workspace, *columns):
    rows = workspace.ask("AciDnsUnlinkedZones() | sort by FoundBy asc, Zone asc, Problem asc")
    return [tuple(row[column] for column in columns) for row in rows]


@pytest.mark.parametrize(
    ("verdict", "zone", "direction", "problem"),
    [
        ("forward_zone_unlinked", "aci.corp.internal", "forward", "unlinked"),
        ("forward_zone_shadowed", "aci.corp.internal", "forward", "shadowed"),
        ("reverse_zone_unlinked", "1.10.in-addr.arpa", "reverse", "unlinked"),
        ("reverse_zone_shadowed", "1.10.in-addr.arpa", "reverse", "shadowed"),
        ("platform_default", "1.10.in-addr.arpa", "reverse", "unlinked"),
    ],
)
def test_the_probes_zone_verdicts_name_the_zone_and_the_network(workspace, verdict, zone, direction, problem):
    looked(workspace, 5, "web", verdict, reverse="ok" if direction == "forward" else "", cause="why", fix="link it")
    row = workspace.one("AciDnsUnlinkedZones()")
    assert [row[name] for name in ("FoundBy", "VirtualNetwork", "Zone", "Direction", "Problem")] == [
        "probe", "vnet-hub", zone, direction, problem,
    ]  # fmt: skip
    assert [row[name] for name in ("Names", "SampleName", "Cause", "Fix")] == [1, "web.corp", "why", "link it"]


def test_names_are_counted_and_other_verdicts_are_not(workspace):
    looked(workspace, 30, "b", "reverse_zone_unlinked", fix="of b")
    looked(workspace, 20, "a", "reverse_zone_unlinked", fix="of a")
    looked(workspace, 20, "c", "ptr_missing")
    looked(workspace, 20, "d")
    row = workspace.one("AciDnsUnlinkedZones()")
    assert (row["Names"], row["SampleName"], row["Fix"]) == (2, "a.corp", "of a")
    assert (ago(row["Since"]), ago(row["LastSeen"])) == (30, 20)


def test_a_reverse_zone_beside_a_wrong_address_is_found_with_its_own_fix(workspace):
    looked(workspace, 5, "web", "a_missing", reverse="reverse_zone_unlinked", cause="no A", fix="add A", also="link it")
    assert zones(workspace, "Zone", "Direction", "Cause", "Fix") == [("1.10.in-addr.arpa", "reverse", "", "link it")]


def audit(workspace, minutes_ago, run, zones=("1.10.in-addr.arpa",), **values):
    details = {"scope": {"zones": list(zones)}}
    workspace.says(minutes_ago, "audit_completed", CorrelationId=run, Details=details, **values)


def found(workspace, minutes_ago, run, *, zone="1.10.in-addr.arpa", kind="zone_unlinked", column="ReverseZone"):
    details = {"groups": 12, "findings": [{"kind": kind, "name": zone, "message": "is linked to no virtual network"}]}
    kinds = {"DriftKinds": [kind], column: zone, "Details": details}
    workspace.says(minutes_ago, "drift_detected", Component="audit", CorrelationId=run, **kinds)


def test_a_finding_of_the_audit_counts_until_a_complete_run_no_longer_has_it(workspace):
    found(workspace, 40, "r1")
    audit(workspace, 40, "r1")
    found(workspace, 21, "r2")
    audit(workspace, 20, "r2")
    (row,) = workspace.ask("AciDnsUnlinkedZones()")
    assert (row["FoundBy"], row["Vantage"], row["Zone"], row["Direction"]) == (
        "audit",
        "",
        "1.10.in-addr.arpa",
        "reverse",
    )
    assert (row["Names"], ago(row["Since"]), ago(row["LastSeen"])) == (12, 40, 21)
    assert row["Cause"] == "1.10.in-addr.arpa is linked to no virtual network"
    assert "drift links" in row["Fix"]
    audit(workspace, 15, "r3", ErrorCode="forbidden")
    audit(workspace, 14, "r4", zones=["2.10.in-addr.arpa"])
    assert len(zones(workspace)) == 1
    audit(workspace, 10, "r5", ErrorCode="repair_refused")
    assert zones(workspace) == []


def test_a_run_that_goes_on_and_a_zone_that_no_run_lists_are_taken_as_they_are(workspace):
    audit(workspace, 30, "r1", zones=["a.zone"])
    found(workspace, 20, "r2", zone="B.zone", kind="zone_shadowed", column="ForwardZone")
    assert zones(workspace, "Zone", "Direction", "Problem") == [("b.zone", "forward", "shadowed")]
    audit(workspace, 10, "r3", zones=["a.zone"])
    assert zones(workspace) == []


def test_drifts_of_records_and_of_the_tracker_are_no_zone_problems(workspace):
    workspace.says(5, "drift_detected", group="web", DriftKinds=["ptr_missing"], Component="audit", **ZONES)
    workspace.says(5, "drift_detected", group="web", DriftKinds=["zone_unlinked"], **ZONES)
    assert zones(workspace) == []
