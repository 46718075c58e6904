"""The demo's checks are pure: on facts that are right all hold, and each thing that is wrong is found and named."""

from dataclasses import replace

import pytest

from cli.demo.checks import judge
from cli.demo.facts import Facts, Record
from cli.demo.resolver import Answer
from cli.demo.told import Expected
from cli.demo.world import FORWARD_ZONE, NETWORKS, SECOND_WEB, TTL_SECONDS, WEB
from core.events import DriftKind, EventType

WEB_ID, LOSER_ID = WEB.id.lower(), SECOND_WEB.id.lower()
REVERSE = "1.10.in-addr.arpa"
RECORDS = (
    Record("A", WEB.fqdn, ("10.1.0.4",), TTL_SECONDS, WEB_ID),
    Record("PTR", "4.0.1.10.in-addr.arpa", (WEB.fqdn,), TTL_SECONDS, WEB_ID),
)
ROWS = (
    {"Component": "reconciler", "EventType": "reconcile_updated", "ContainerGroupId": WEB.id},
    {"Component": "tracker", "EventType": "drift_detected", "ContainerGroupId": WEB.id, "DriftKinds": ["a_mismatch"]},
    {
        "Component": "reconciler",
        "EventType": "reconcile_failed",
        "ContainerGroupId": SECOND_WEB.id,
        "ErrorCode": "name_conflict",
    },
    {
        "Component": "probe",
        "EventType": "probe_failed",
        "ContainerGroupId": WEB.id,
        "ErrorCode": "ptr_missing",
        "CorrelationId": "run-1",
    },
    {"Component": "probe", "EventType": "probe_completed", "CorrelationId": "run-1"},
)
EXPECTED = (
    Expected(WEB, EventType.RECONCILE_UPDATED),
    Expected(WEB, EventType.DRIFT_DETECTED, DriftKind.A_MISMATCH),
    Expected(SECOND_WEB, EventType.RECONCILE_FAILED, error_code="name_conflict"),
    Expected(WEB, EventType.PROBE_FAILED, error_code="ptr_missing"),
)
DELIVERIES = (
    {"subscription": "reconcile", "subject": WEB.id, "state": "delivered", "reason": ""},
    {"subscription": "reconcile", "subject": SECOND_WEB.id, "state": "dead_lettered", "reason": "MaxDeliveryAttempts"},
)
GONE = Answer((), "NXDOMAIN", FORWARD_ZONE)


def _answers():
    for network in (network.name for network in NETWORKS):
        yield (network, "A", WEB.fqdn), Answer(("10.1.0.4",), "NOERROR")
        yield (network, "PTR", "10.1.0.4"), Answer((WEB.fqdn,), "NOERROR")
        yield (network, "A", f"batch.{FORWARD_ZONE}"), GONE
        yield (network, "PTR", "10.1.0.9"), Answer((), "NXDOMAIN", REVERSE)


RIGHT = Facts({WEB_ID: "10.1.0.4", LOSER_ID: "10.2.0.4"}, RECORDS, dict(_answers()), ROWS, DELIVERIES)


def failed(facts):
    return [check.name for check in judge(facts, EXPECTED, [SECOND_WEB]) if not check.ok]


def with_answer(question, answer):
    return replace(RIGHT, answers={**RIGHT.answers, question: answer})


def test_all_checks_hold_on_facts_that_are_right():
    assert failed(RIGHT) == []
    assert len(judge(RIGHT, EXPECTED, [SECOND_WEB])) > 15


@pytest.mark.parametrize(
    ("facts", "names"),
    [
        (with_answer(("vnet-one", "A", WEB.fqdn), Answer(("10.1.0.250",), "NOERROR")), [f"vnet-one: A {WEB.fqdn}"]),
        (with_answer(("vnet-two", "PTR", "10.1.0.4"), GONE), ["vnet-two: PTR 10.1.0.4"]),
        (
            with_answer(("vnet-hub", "A", f"batch.{FORWARD_ZONE}"), Answer(("10.1.0.6",), "NOERROR")),
            [f"vnet-hub: A batch.{FORWARD_ZONE} is gone"],
        ),
        (
            with_answer(("vnet-hub", "PTR", "10.1.0.9"), Answer((), "NXDOMAIN", "10.in-addr.arpa")),
            ["vnet-hub: PTR 10.1.0.9 is gone"],
        ),
        (
            replace(RIGHT, records=RECORDS[:1]),
            [f"zone {REVERSE} holds the live groups' record sets and no other"],
        ),
        (
            replace(RIGHT, records=(replace(RECORDS[0], owner=""), RECORDS[1])),
            [f"zone {FORWARD_ZONE} holds the live groups' record sets and no other"],
        ),
        (
            replace(RIGHT, records=(*RECORDS, Record("PTR", "9.0.1.10.in-addr.arpa", ("x",), 60, WEB_ID))),
            [f"zone {REVERSE} holds the live groups' record sets and no other"],
        ),
        (
            replace(RIGHT, rows=(*ROWS[:2], *ROWS[3:])),
            [
                "rg-two/web is alive, and says why it has no name",
                "event table: reconcile_failed name_conflict of rg-two/web",
            ],
        ),
        (replace(RIGHT, rows=ROWS[1:]), ["event table: reconcile_updated of rg-one/web"]),
        (
            replace(RIGHT, rows=(ROWS[0], {**ROWS[1], "DriftKinds": ["ptr_missing"]}, *ROWS[2:])),
            ["event table: drift_detected a_mismatch of rg-one/web"],
        ),
        (
            replace(RIGHT, rows=(*ROWS, {**ROWS[0], "EventType": "track_failed", "ErrorCode": "throttled"})),
            ["event table: no failure but the conflict"],
        ),
        (
            replace(RIGHT, rows=(*ROWS[:3], {**ROWS[3], "ErrorCode": "reverse_zone_unlinked"}, ROWS[4])),
            [
                "event table: probe_failed ptr_missing of rg-one/web",
                "event table: no probe failed but those of the acts",
            ],
        ),
        (replace(RIGHT, rows=ROWS[:4]), ["event table: each run of the probe ended with probe_completed"]),
        (
            replace(RIGHT, rows=(*ROWS[:4], {**ROWS[4], "ErrorCode": "forbidden"})),
            ["event table: each run of the probe ended with probe_completed"],
        ),
        (replace(RIGHT, rows_dropped=1), ["event table: rows dropped by ingestion"]),
        (
            replace(RIGHT, deliveries=({**DELIVERIES[0], "state": "pending"}, DELIVERIES[1])),
            ["Event Grid: every event was delivered"],
        ),
        (replace(RIGHT, deliveries=DELIVERIES[:1]), ["Event Grid: dead letters are the conflict's"]),
    ],
)
def test_what_is_wrong_is_found_and_nothing_else(facts, names):
    assert failed(facts) == names


def test_a_group_that_nobody_asked_about_fails():
    facts = replace(RIGHT, live={**RIGHT.live, LOSER_ID.replace("/web", "/new"): "10.2.0.9"})
    assert "vnet-hub: A new.aci.corp.internal" in failed(facts)
