"""What the probe met: verdicts, the present look at every name, the matrix, failures and zones that are not seen."""

from datetime import UTC, datetime

import pytest

from probe.verdict import Direction, Verdict

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HUB = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-hub"
SPOKE = HUB.replace("hub", "spoke")
ZONES = {"ForwardZone": "aci.corp.internal", "ReverseZone": "1.10.in-addr.arpa"}


def ago(moment):
    return round((NOW - moment).total_seconds() / 60, 3)


def answers(forward, reverse=None, **more):
    looks = {"forward": {"verdict": forward}, **({"reverse": {"verdict": reverse}} if reverse else {})}
    return {"Details": {"answers": looks, **more}}


def looked(workspace, minutes_ago, name, verdict="ok", *, run="", vantage=HUB, **values):
    """One target's row; what it expects is an address and a PTR unless `values` say otherwise."""
    kind = "probe_ok" if verdict == "ok" else "probe_failed"
    expected = {"Fqdn": f"{name}.aci.corp.internal", "NewIp": "10.1.0.4", "PtrName": "4.0.1.10.in-addr.arpa", **ZONES}
    identity = {"Verdict": verdict, "Vantage": vantage, "Resolver": "168.63.129.16", "CorrelationId": run}
    workspace.says(minutes_ago, kind, **{**expected, **identity, **values})


def completed(workspace, minutes_ago, run, vantage=HUB, source="live", **values):
    workspace.says(
        minutes_ago, "probe_completed", CorrelationId=run, Vantage=vantage, Details={"source": source}, **values
    )


def latest(workspace, *columns):
    rows = workspace.ask("AciDnsProbeLatest() | sort by Fqdn asc, Vantage asc")
    return [tuple(row[column] for column in ("Fqdn", *columns)) for row in rows]


def short(rows):
    return [(name.split(".")[0], *rest) for name, *rest in rows]


# --- verdicts --------------------------------------------------------------------------------------------------------


def test_the_verdicts_are_the_probes_own_in_its_order(workspace):
    assert [row["Verdict"] for row in workspace.ask("AciDnsVerdicts()")] == [verdict.value for verdict in Verdict]


def test_no_two_verdicts_are_equally_bad_and_none_is_better_than_ok(workspace):
    rows = workspace.ask("AciDnsVerdicts() | sort by Rank asc")
    assert [row["Rank"] for row in rows] == list(range(len(Verdict)))
    assert (rows[0]["Verdict"], rows[-1]["Verdict"]) == ("ok", "a_mismatch")


@pytest.mark.parametrize("verdict", [v for v in Verdict if v is not Verdict.OK])
def test_a_verdict_that_names_a_direction_is_of_that_direction(workspace, verdict):
    row = workspace.one(f"AciDnsVerdicts() | where Verdict == '{verdict.value}'")
    reverse = verdict.value.startswith(("reverse_", "ptr_")) or verdict is Verdict.PLATFORM_DEFAULT
    forward = verdict.value.startswith(("forward_", "a_"))
    expected = Direction.REVERSE.value if reverse else Direction.FORWARD.value if forward else "either"
    assert row["Direction"] == expected
    assert (row["Kind"] == "zone_link") == (
        verdict.value.endswith(("zone_unlinked", "shadowed")) or verdict is Verdict.PLATFORM_DEFAULT
    )


# --- the present look ------------------------------------------------------------------------------------------------


def test_the_latest_row_of_each_name_network_and_resolver_is_what_counts(workspace):
    looked(workspace, 20, "web", "a_missing")
    looked(workspace, 10, "WEB")
    looked(workspace, 15, "web", "timeout", vantage=SPOKE)
    assert latest(workspace, "VirtualNetwork", "Verdict", "IsRight", "Rank", "Kind") == [
        ("WEB.aci.corp.internal", "vnet-hub", "ok", True, 0, "ok"),
        ("web.aci.corp.internal", "vnet-spoke", "timeout", False, 19, "resolver"),
    ]


def test_a_name_that_is_asked_for_with_two_addresses_is_wrong_when_one_is(workspace):
    for verdict, number in (("ok", 3), ("a_mismatch", 1), ("a_missing", 2), ("ok", 4)):
        looked(workspace, 10, "web", verdict, EventId=f"id-{number}")
    assert short(latest(workspace, "Verdict")) == [("web", "a_missing")]


def test_a_name_that_the_last_complete_run_did_not_ask_for_is_out_of_date(workspace):
    looked(workspace, 20, "gone", "a_missing", run="r1")
    completed(workspace, 20, "r1")
    looked(workspace, 10, "web", run="r2")
    completed(workspace, 10, "r2")
    assert short(latest(workspace, "Verdict")) == [("web", "ok")]


def test_a_run_that_failed_as_a_whole_replaces_nothing(workspace):
    looked(workspace, 20, "web", "a_missing", run="r1")
    completed(workspace, 20, "r1")
    completed(workspace, 10, "r2", ErrorCode="no_resolver")
    assert short(latest(workspace, "Verdict")) == [("web", "a_missing")]
    completed(workspace, 5, "r3", ErrorCode="bad_targets")
    assert latest(workspace) == []


def test_a_run_over_given_targets_or_from_elsewhere_replaces_no_scheduled_one(workspace):
    looked(workspace, 20, "web", "a_missing", run="r1")
    completed(workspace, 20, "r1")
    looked(workspace, 10, "db", run="r2")
    completed(workspace, 10, "r2", source="given")
    completed(workspace, 9, "r3", vantage=SPOKE)
    assert short(latest(workspace, "Verdict")) == [("db", "ok"), ("web", "a_missing")]


def test_rows_of_a_run_that_is_not_completed_yet_count(workspace):
    completed(workspace, 40, "r-1")
    completed(workspace, 20, "r1")
    looked(workspace, 10, "web", "a_missing", run="r2")
    looked(workspace, 30, "old", "a_missing", run="r0")
    looked(workspace, 20, "same-moment", "a_missing", run="r0")
    assert short(latest(workspace, "Verdict")) == [("web", "a_missing")]


@pytest.mark.parametrize(
    ("verdict", "details", "expected"),
    [
        ("a_mismatch", answers("a_mismatch", "ok"), ("forward", "aci.corp.internal", "a_mismatch", "ok")),
        (
            "a_missing",
            answers("a_missing", "ptr_missing"),
            ("forward", "aci.corp.internal", "a_missing", "ptr_missing"),
        ),
        ("a_missing", {}, ("forward", "aci.corp.internal", "a_missing", "")),
        ("ptr_missing", answers("ok", "ptr_missing"), ("reverse", "1.10.in-addr.arpa", "ok", "ptr_missing")),
        ("timeout", answers("timeout", "timeout"), ("forward", "aci.corp.internal", "timeout", "timeout")),
        ("timeout", answers("ok", "timeout"), ("reverse", "1.10.in-addr.arpa", "ok", "timeout")),
        ("timeout", {}, ("forward", "aci.corp.internal", "timeout", "")),
        ("ok", {}, ("", "", "ok", "ok")),
        ("ok", {"PtrName": ""}, ("", "", "ok", "")),
        ("new_verdict", {}, ("forward", "aci.corp.internal", "new_verdict", "")),
    ],
)
def test_a_verdict_is_told_by_direction_and_zone(workspace, verdict, details, expected):
    looked(workspace, 5, "web", verdict, **details)
    row = workspace.one("AciDnsProbeLatest()")
    found = tuple(row[name] for name in ("Direction", "Zone", "ForwardVerdict", "ReverseVerdict"))
    assert found == expected


def test_a_verdict_that_is_not_known_is_bad_and_says_so(workspace):
    looked(workspace, 5, "web", "new_verdict")
    assert short(latest(workspace, "Rank", "Kind")) == [("web", 50, "unknown")]


def test_cause_and_fix_are_the_probes_own_words(workspace):
    said = answers("a_missing", cause="why", fix="do this", also="and that")
    looked(workspace, 5, "web", "a_missing", ErrorMessage="why; do this", **said)
    looked(workspace, 5, "cut", "a_missing", ErrorMessage="why; do this")
    looked(workspace, 5, "right", ErrorMessage="none")
    assert short(latest(workspace, "Cause", "Fix", "AlsoFix")) == [
        ("cut", "why; do this", "", ""),
        ("right", "", "", ""),
        ("web", "why", "do this", "and that"),
    ]


# --- matrix ----------------------------------------------------------------------------------------------------------


def test_the_matrix_counts_names_by_network_zone_and_direction(workspace):
    looked(workspace, 9, "a")
    looked(workspace, 8, "b", "a_missing", **answers("a_missing", "ok"))
    looked(workspace, 7, "c", "a_mismatch", **answers("a_mismatch", "ptr_missing"))
    looked(workspace, 6, "d", "reverse_zone_missing", ReverseZone="", **answers("ok", "reverse_zone_missing"))
    looked(workspace, 5, "e", PtrName="")
    looked(workspace, 4, "f", vantage=SPOKE, PtrName="")
    rows = workspace.ask("AciDnsProbeMatrix() | sort by VirtualNetwork asc, Zone asc")
    assert [(*list(row.values())[1:-1], ago(row["LastAsked"])) for row in rows] == [
        ("vnet-hub", "", "reverse", 1, 0, 1, 0.0, "reverse_zone_missing", 6),
        ("vnet-hub", "1.10.in-addr.arpa", "reverse", 3, 2, 1, 2 / 3, "ptr_missing", 7),
        ("vnet-hub", "aci.corp.internal", "forward", 5, 3, 2, 0.6, "a_mismatch", 5),
        ("vnet-spoke", "aci.corp.internal", "forward", 1, 1, 0, 1.0, "ok", 4),
    ]
