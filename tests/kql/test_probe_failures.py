"""Names that do not resolve now, since when; and zones that a network does not see, by the probe and by the audit."""

from datetime import UTC, datetime, timedelta

import pytest

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HUB = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-hub"
ZONES = {"ForwardZone": "aci.corp.internal", "ReverseZone": "1.10.in-addr.arpa"}


def ago(moment):
    return round((NOW - moment).total_seconds() / 60, 3)


def looked(
    workspace, minutes_ago, name, verdict="ok", *, reverse="", vantage=HUB, reverse_zone="1.10.in-addr.arpa", **details
):
    kind = "probe_ok" if verdict == "ok" else "probe_failed"
    forward = "ok" if verdict.startswith(("ptr_", "reverse_", "platform_")) else verdict
    looks = {"forward": {"verdict": forward}, "reverse": {"verdict": reverse or verdict}}
    place = {"Vantage": vantage, "Resolver": "168.63.129.16", "PtrName": "x.1.10.in-addr.arpa", **ZONES}
    place["ReverseZone"] = reverse_zone
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


def missing(name, message="the zone does not exist"):
    finding = {"kind": "reverse_zone_missing", "name": name, "message": message}
    return {"DriftKinds": ["reverse_zone_missing"], "Details": {"findings": [finding]}}


def test_a_reverse_zone_that_does_not_exist_is_missing_until_a_run_that_may_name_others_no_longer_says_so(workspace):
    found(workspace, 41, "r1", kind="reverse_zone_missing")
    audit(workspace, 40, "r1", ErrorCode="zone_missing")
    assert zones(workspace, "FoundBy", "Zone", "Direction", "Problem", "Names") == [
        ("audit", "1.10.in-addr.arpa", "reverse", "missing", 12)
    ]
    assert "make the zone" in workspace.one("AciDnsUnlinkedZones()")["Fix"]
    audit(workspace, 20, "r2", ErrorCode="zone_missing")
    assert zones(workspace) == []


def test_a_zone_that_was_taken_out_of_the_zone_map_is_over_with_the_next_run_of_the_same_resource_groups(workspace):
    scope = {"zones": ["1.10.in-addr.arpa"], "resource_groups": ["s-1/RG-one", "s-1/rg-two"]}
    found(workspace, 41, "r1", kind="reverse_zone_missing")
    workspace.says(40, "audit_completed", CorrelationId="r1", ErrorCode="zone_missing", Details={"scope": scope})
    smaller = {"zones": [], "resource_groups": ["s-1/rg-two"]}
    workspace.says(30, "audit_completed", CorrelationId="r2", Details={"scope": smaller})
    assert len(zones(workspace)) == 1
    same = {"zones": [], "resource_groups": ["s-1/rg-one", "s-1/rg-two"]}
    workspace.says(20, "audit_completed", CorrelationId="r3", Details={"scope": same})
    assert zones(workspace) == []


def test_addresses_that_no_configured_zone_contains_are_a_missing_zone_without_name(workspace):
    for minutes, group, name in ((9, "web", "4.1.0.10.in-addr.arpa"), (9, "db", "1.0." * 15 + "d.f.ip6.arpa")):
        workspace.says(minutes, "drift_detected", group=group, Component="audit", CorrelationId="r1", **missing(name))
    workspace.says(
        9, "drift_detected", group="web", Component="audit", CorrelationId="r1", **missing("1.10.in-addr.arpa")
    )
    audit(workspace, 8, "r1")
    assert zones(workspace, "Zone", "Direction", "Problem", "Names") == [
        ("", "reverse", "missing", 2),
        ("1.10.in-addr.arpa", "reverse", "missing", 1),
    ]
    assert "zone map" in workspace.ask("AciDnsUnlinkedZones() | where Zone == ''")[0]["Fix"]


def test_a_name_whose_address_no_configured_zone_contains_is_a_missing_zone_of_the_probe(workspace):
    looked(workspace, 5, "web", "reverse_zone_missing", cause="no zone", fix="add one", reverse_zone="")
    assert zones(workspace, "FoundBy", "Zone", "Direction", "Problem", "Names", "Fix") == [
        ("probe", "", "reverse", "missing", 1, "add one")
    ]


@pytest.mark.parametrize(
    ("minutes_ago", "since"),
    [
        (5, {"event_type": "no_change"}),
        (5, {"event_type": "reconcile_updated"}),
        (5, {"event_type": "drift_detected", "DriftKinds": ["a_mismatch"]}),
        (5, {"event_type": "audit_completed"}),
        (8, {"event_type": "reconcile_no_op", "EventId": "z"}),
    ],
)
def test_what_the_tracker_found_counts_until_the_group_or_an_audit_says_otherwise(workspace, minutes_ago, since):
    workspace.says(30, "drift_detected", group="web", **missing("1.10.in-addr.arpa"))
    workspace.says(8, "drift_detected", group="web", **missing("1.10.in-addr.arpa"))
    workspace.says(8, "drift_detected", group="db", **missing("2.10.in-addr.arpa"))
    workspace.says(4, "audit_completed", DurationMs=300_000)
    workspace.says(2, "reconcile_failed", group="web")
    assert zones(workspace, "FoundBy", "Zone", "Names", "Since") == [
        ("tracker", "1.10.in-addr.arpa", 1, NOW - timedelta(minutes=30)),
        ("tracker", "2.10.in-addr.arpa", 1, NOW - timedelta(minutes=8)),
    ]
    group = None if since["event_type"] == "audit_completed" else "web"
    workspace.says(minutes_ago, group=group, **since)
    assert [row[0] for row in zones(workspace, "Zone")] == ([] if group is None else ["2.10.in-addr.arpa"])


def test_drifts_of_records_are_no_zone_problems(workspace):
    workspace.says(5, "drift_detected", group="web", DriftKinds=["ptr_missing"], Component="audit", **ZONES)
    assert zones(workspace) == []
