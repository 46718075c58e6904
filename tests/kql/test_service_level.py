"""The service level and the burn of its error budget, on histories worked out by hand."""

import pytest

from tests.kql.histories import NOW, at, drift


def reconcile(minutes, kind, source, lag_seconds, **values):
    return (minutes, kind, {"SourceEventId": source, "LagMs": lag_seconds * 1000, **values})


CAUSES = {
    "right in time": ([reconcile(50, "reconcile_updated", "s", 60)], [("good", 51, 50, 50, 1)]),
    "right exactly at the limit": ([reconcile(50, "reconcile_no_op", "s", 300)], [("good", 55, 50, 50, 1)]),
    "right, and too late": ([reconcile(50, "reconcile_deleted", "s", 301)], [("bad", 55.017, 50, 50.017, 1)]),
    "deferred at first, then right in time": (
        [reconcile(54, "reconcile_deferred", "s", 60), reconcile(52, "reconcile_updated", "s", 180)],
        [("good", 55, 52, 52, 2)],
    ),
    "failed for good": (
        [reconcile(54, "reconcile_failed", "s", 60), reconcile(40, "reconcile_failed", "s", 900)],
        [("bad", 55, None, 50, 2)],
    ),
    "failed so far, and the time is not over": (
        [reconcile(4, "reconcile_failed", "s", 30)],
        [("pending", 4.5, None, None, 1)],
    ),
    "delivered again after it was right": (
        [reconcile(50, "reconcile_updated", "s", 60), reconcile(20, "reconcile_no_op", "s", 1860)],
        [("good", 51, 50, 50, 2)],
    ),
    "without a lag, from the beginning of the run": (
        [(50, "reconcile_updated", {"SourceEventId": "s", "DurationMs": 30_000})],
        [("good", 50.5, 50, 50, 1)],
    ),
    "one event about two groups is two": (
        [reconcile(50, "reconcile_updated", "s", 60), reconcile(49, "reconcile_updated", "s", 60, group="b")],
        [("good", 51, 50, 50, 1), ("good", 50, 49, 49, 1)],
    ),
    "skipped, tracked or without an event: none": (
        [reconcile(50, "reconcile_skipped", "s", 1), drift(50), (40, "reconcile_updated", {"SourceEventId": ""})],
        [],
    ),
}


@pytest.mark.parametrize("claim", CAUSES)
def test_an_event_that_asks_for_a_reconciliation_is_good_when_dns_is_right_in_time(ask, claim):
    history, expected = CAUSES[claim]

    def minutes(time):
        return None if time is None else round((NOW - time).total_seconds() / 60, 3)

    rows = sorted(ask(history, "AciDnsReconcileCauses", within="5m"), key=lambda row: row["Caused"])
    told = [(r["Result"], *(minutes(r[name]) for name in ("Caused", "Done", "Decided")), r["Attempts"]) for r in rows]
    assert told == expected


def test_the_service_level_counts_what_is_settled_by_bucket(ask):
    history = [
        *(reconcile(90 + n, "reconcile_updated", f"g{n}", 60) for n in range(3)),
        reconcile(80, "reconcile_failed", "b", 600),
        reconcile(10, "reconcile_updated", "g", 60),
        reconcile(1, "reconcile_failed", "p", 1),
    ]
    rows = ask(history, "slo", within="5m", objective="0.9", bucket="1h")
    names = ("TimeGenerated", "Total", "Good", "Bad", "Sli", "Objective", "BurnRate")
    assert [tuple(row[name] for name in names) for row in rows] == [
        (at(120), 4, 3, 1, 0.75, 0.9, pytest.approx(2.5)),
        (at(60), 1, 1, 0, 1.0, 0.9, 0.0),
    ]


def test_without_a_budget_there_is_no_burn_rate(ask):
    history = [reconcile(80, "reconcile_failed", "b", 600)]
    assert ask(history, "slo", objective="1")[0]["BurnRate"] is None
    assert [row["LongBurn"] for row in ask(history, "slo-burn", objective="1")] == [0, 0, 0]


BURNS = {
    "nothing happened": ([], [(0, 0, 0, 0, 0, False)] * 3),
    "all bad for hours": (
        [reconcile(6 + n, "reconcile_failed", f"s{n}", 60) for n in range(120)],
        [(59, 59, 4, 4, 100 / 14.4, True), (120, 120, 29, 29, 100 / 6, True), (120, 120, 119, 119, 100 / 3, True)],
    ),
    "bad an hour ago and right since: the short window says that it is over": (
        [
            *(reconcile(58, "reconcile_failed", f"b{n}", 60) for n in range(5)),
            *(reconcile(n, "reconcile_updated", f"g{n}", 60) for n in range(1, 6)),
        ],
        [(10, 5, 5, 0, 0, False), (10, 5, 5, 0, 0, False), (10, 5, 10, 5, 50 / 3, True)],
    ),
}


@pytest.mark.parametrize("claim", BURNS)
def test_the_burn_of_the_error_budget(ask, claim):
    history, expected = BURNS[claim]
    rows = ask(history, "slo-burn", within="5m", objective="0.99")
    names = ("LongTotal", "LongBad", "ShortTotal", "ShortBad", "Ratio", "IsBurning")
    assert [row["Window"] for row in rows] == ["1h/5m", "6h/30m", "1d/2h"]
    assert [tuple(row[name] for name in names) for row in rows] == [
        (*counts, pytest.approx(ratio), burning) for *counts, ratio, burning in expected
    ]


def test_few_bad_events_do_not_burn_where_more_are_asked_for(ask):
    history = [reconcile(6, "reconcile_failed", "s", 60)]
    assert [row["IsBurning"] for row in ask(history, "slo-burn", minimum="2")] == [False, False, False]
