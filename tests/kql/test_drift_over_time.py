"""Open drifts, how many there were over time, and how long repairs took, on histories worked out by hand."""

from tests.kql.histories import LATE, SUBSCRIPTION, at, drift, group_id


def test_open_drifts_have_an_age_from_their_detection(ask):
    history = [drift(30, **LATE), drift(90, group="b", **LATE), (80, "no_change", {"group": "b"})]
    (row,) = ask(history, "AciDnsOpenDrifts")
    assert (row["ContainerGroup"], row["AgeSeconds"], row["AgeMinutes"]) == ("web", 1800, 30)


def test_the_history_has_every_bucket_and_what_was_open_at_its_end(ask):
    history = [
        (300, "first_seen", LATE),
        (299, "reconcile_updated", {}),
        drift(170, group="b", **LATE),
        drift(100, group="c", **LATE),
        (10, "no_change", {"group": "b"}),
    ]
    rows = ask(history, "drift-history", bucket="1h")
    counts = [tuple(row[name] for name in ("Detected", "FirstSeen", "Repaired", "Open")) for row in rows]
    assert [row["TimeGenerated"] for row in rows] == [at(60 * n) for n in (5, 4, 3, 2, 1, 0)]
    assert counts == [(1, 1, 1, 0), (0, 0, 0, 0), (1, 0, 0, 1), (1, 0, 0, 2), (0, 0, 1, 1), (0, 0, 0, 1)]


def test_the_history_of_days_before_counts_into_what_is_open(ask):
    history = [drift(3 * 1440, **LATE), drift(2 * 1440, group="b", **LATE), (1440, "no_change", {})]
    rows = ask(history, "drift-history", bucket="12h")
    assert [row["Open"] for row in rows] == [1, 1, 2, 2, 1, 1, 1]


def test_no_drift_no_history(ask):
    assert ask([(5, "no_change", {})], "AciDnsDriftHistory") == []


def test_times_to_detect_and_repair_by_zone_group_and_resource_group(ask):
    history = []
    for n in range(1, 11):
        history += [drift(100 * n, LagMs=1000 * n), (100 * n - n, "reconcile_updated", {})]
    history += [drift(50, group="b", LagMs=0), (40, "first_seen", {"group": "c"})]
    (zone,) = ask(history, "time-to-repair")
    names = (
        "Scope",
        "Drifts",
        "Repaired",
        "Open",
        "DetectSecondsP50",
        "RepairSecondsP50",
        "RepairSecondsP90",
        "RepairSecondsP99",
    )
    assert tuple(zone[name] for name in names) == ("corp.internal", 11, 10, 1, 5, 300, 540, 600)
    assert zone["LongestOpenSeconds"] == 3000
    scopes = {
        per: [row["Scope"] for row in ask(history, "time-to-repair", per=per)]
        for per in ("group", "resource_group", "")
    }
    assert scopes["group"] == [group_id("b").lower(), group_id("web").lower()]
    assert (scopes["resource_group"], scopes[""]) == ([f"{SUBSCRIPTION}/rg-apps".lower()], ["all"])
