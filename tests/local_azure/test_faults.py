"""Faults: which requests they hit, and what the client sees on the wire."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from local_azure.faults import Fault, FaultError, FaultPlan, FaultRule, parse_rule

if TYPE_CHECKING:
    from local_azure.server import LocalAzure

SET = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.0.0.4"}]}}
RESET = Fault("reset")


def hits(rule: FaultRule, calls: list[tuple[str, dict[str, str]]], seed: int = 0) -> list[bool]:
    plan = FaultPlan(seed)
    plan.add(rule)
    return [plan.match(operation, detail) is not None for operation, detail in calls]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (FaultRule(RESET), [True, True, True]),
        (FaultRule(RESET, "privateDns.recordSet.*"), [True, True, False]),
        (FaultRule(RESET, "PRIVATEDNS.RECORDSET.PUT", {"type": "ptr"}), [False, True, False]),
        (FaultRule(RESET, "*", {"name": "w*", "type": "A"}), [True, False, False]),
        (FaultRule(RESET, "*", {"missing": "x"}), [False, False, False]),
    ],
)
def test_a_rule_hits_by_operation_and_detail(rule: FaultRule, expected: list[bool]) -> None:
    put = "privateDns.recordSet.PUT"
    calls = [(put, {"type": "A", "name": "web"}), (put, {"type": "PTR", "name": "4"}), ("containerGroup.GET", {})]
    assert hits(rule, calls) == expected


def test_skip_and_times_count_only_what_matches() -> None:
    rule = FaultRule(RESET, "a", skip=1, times=2)
    calls = [(name, {}) for name in ("a", "b", "a", "a", "b", "a")]
    assert hits(rule, calls) == [False, False, True, True, False, False]
    assert (rule.seen, rule.fired) == (4, 2)


def test_probability_is_seeded() -> None:
    calls = [("a", {})] * 200
    first, again, other = (hits(FaultRule(RESET, probability=0.3), calls, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert 30 < sum(first) < 90


def test_the_first_rule_that_fires_decides_and_all_count() -> None:
    plan = FaultPlan()
    once, always = plan.add(FaultRule(RESET, times=1)), plan.add(FaultRule(Fault("error", 503)))
    found = [plan.match("a", {}) for _ in range(2)]
    assert [fault and fault.kind for fault in found] == ["reset", "error"]
    assert (once.seen, always.seen) == (2, 2)


BAD_RULES: list[tuple[Any, str]] = [
    ("reset", "rule: an object is needed"),
    ({"kind": "boom"}, "rule.kind: 'boom' is not one of throttle"),
    ({"kind": "callback"}, "exists in process only"),
    ({"kind": "error"}, "rule.status: needed for kind 'error'"),
    ({"kind": "slow"}, "rule.delay_seconds: needed"),
    ({"kind": "error", "status": 200}, "rule.status: 200 is not a whole number from 400 to 599"),
    ({"kind": "error", "status": True}, "rule.status: True"),
    ({"kind": "reset", "times": 0}, "rule.times: 0"),
    ({"kind": "reset", "times": 1.5}, "rule.times: 1.5"),
    ({"kind": "reset", "probability": 2}, "rule.probability: 2 is not a number from 0 to 1"),
    ({"kind": "reset", "where": {"type": 1}}, "rule.where: an object of globs"),
    ({"kind": "reset", "operation": 5}, "rule.operation: a string is needed"),
    ({"kind": "reset", "timse": 1}, "rule.timse: unknown; known are"),
]


@pytest.mark.parametrize(("value", "says"), BAD_RULES)
def test_bad_rules_say_what_is_wrong_and_where(value: Any, says: str) -> None:
    with pytest.raises(FaultError) as caught:
        parse_rule(value)
    assert says in str(caught.value)


def test_every_reason_is_told_at_once() -> None:
    with pytest.raises(FaultError) as caught:
        parse_rule({"kind": "boom", "times": 0, "skip": -1})
    assert len(caught.value.reasons) == 3


@pytest.fixture
def zone(arm: Any) -> str:
    path: str = arm.zone()
    return path


def add(arm: Any, **rule: Any) -> None:
    answer = arm.session.post(f"{arm.base}/_local/faults", json=rule, timeout=5)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("rule", "status", "code"),
    [
        ({"kind": "throttle", "retry_after": 7}, 429, "Throttled"),
        ({"kind": "error", "status": 500}, 500, "InternalServerError"),
        ({"kind": "error", "status": 503}, 503, "ServiceUnavailable"),
        ({"kind": "error", "status": 409}, 409, "Conflict"),
        ({"kind": "error", "status": 412}, 412, "PreconditionFailed"),
        ({"kind": "error", "status": 403, "code": "Mine", "message": "so"}, 403, "Mine"),
    ],
)
def test_error_faults_answer_in_the_providers_envelope(
    arm: Any, zone: str, rule: dict[str, Any], status: int, code: str
) -> None:
    add(arm, operation="privateDns.recordSet.PUT", where={"type": "A"}, times=1, **rule)
    answer = arm("PUT", f"{zone}/A/web", SET)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers.get("Retry-After") == ("7" if status == 429 else None)
    assert arm("GET", f"{zone}/A/web").status_code == 404
    assert arm("PUT", f"{zone}/A/web", SET).status_code == 201
    add(arm, operation="containerGroup.GET", **rule)
    assert arm("GET", "Microsoft.ContainerInstance/containerGroups/x").json()["error"]["code"] == code


def test_a_reset_comes_before_and_a_lost_response_after_the_write(arm: Any, zone: str) -> None:
    for kind, applied in (("reset", False), ("lost_response", True)):
        add(arm, operation="privateDns.recordSet.PUT", kind=kind, times=1)
        with pytest.raises(requests.ConnectionError):
            arm("PUT", f"{zone}/A/{kind.replace('_', '-')}", SET)
        answer = arm("GET", f"{zone}/A/{kind.replace('_', '-')}")
        assert (answer.status_code == 200) is applied


def test_a_reset_is_a_tcp_reset(azure: LocalAzure) -> None:
    """Over plain http: under TLS the client's library reports it as an end of file."""
    azure.call(lambda: azure.world.faults.add(FaultRule(RESET, "token.GET")))
    port = int(azure.identity_endpoint.rpartition(":")[2].partition("/")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(b"GET /msi/token HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_many_resets_in_a_row_leave_the_server_well(arm: Any, zone: str) -> None:
    add(arm, operation="privateDns.zone.GET", kind="reset", times=30)
    for _ in range(30):
        with pytest.raises(requests.ConnectionError):
            arm("GET", zone)
    assert arm("GET", zone).status_code == 200


def test_a_timeout_is_never_answered(arm: Any, zone: str, azure: LocalAzure) -> None:
    add(arm, operation="privateDns.zone.GET", kind="timeout", times=1)
    with pytest.raises(requests.ReadTimeout):
        arm.session.get(
            f"{arm.base}/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/{zone}",
            params={"api-version": "2024-06-01"},
            timeout=0.2,
        )
    assert arm("GET", zone).status_code == 200
    records = azure.call(lambda: list(azure.world.requests))
    assert [record.status for record in records if record.operation == "privateDns.zone.GET"] == [0, 200]


def test_a_slow_answer_comes_late_and_holds_up_nobody_else(arm: Any, zone: str) -> None:
    add(arm, operation="privateDns.recordSet.GET", kind="slow", delay_seconds=0.4, times=1)
    began = time.monotonic()
    late: list[float] = []
    session = requests.Session()
    session.trust_env, session.verify, session.headers = False, arm.session.verify, arm.session.headers

    def slow() -> None:
        with session:
            type(arm)(arm.base, session)("GET", f"{zone}/SOA/@")
        late.append(time.monotonic() - began)

    thread = threading.Thread(target=slow)
    thread.start()
    time.sleep(0.1)
    assert arm("GET", zone).status_code == 200
    assert time.monotonic() - began < 0.35
    thread.join()
    assert late[0] >= 0.4


def test_a_callback_runs_before_the_request_is_handled(arm: Any, zone: str, azure: LocalAzure) -> None:
    seen: list[Any] = []

    def change(detail: Any) -> None:
        seen.append((detail["type"], detail["name"]))
        next(iter(azure.world.zones.values())).record_sets.pop(("A", "web"))

    arm("PUT", f"{zone}/A/web", SET)
    rule = FaultRule(Fault("callback", callback=change), "privateDns.recordSet.GET", times=1)
    azure.call(lambda: azure.world.faults.add(rule))
    assert arm("GET", f"{zone}/A/web").status_code == 404
    assert seen == [("A", "web")]


@pytest.mark.parametrize(("code", "status"), [("OutOfCapacity", "Failed"), ("Canceled", "Canceled")])
def test_an_operation_can_be_made_to_fail(arm: Any, azure: LocalAzure, code: str, status: str) -> None:
    add(arm, operation="containerGroup.PUT", kind="fail_operation", code=code, message="no room", times=1)
    path = "Microsoft.ContainerInstance/containerGroups/web"
    body = arm.finished(arm("PUT", path, arm.group_body(arm.vnet())))
    assert (body["status"], body["error"]) == (status, {"code": code, "message": "no room"})
    shown = arm("GET", path).json()["properties"]
    assert (shown["provisioningState"], shown["instanceView"]["state"]) == ("Failed", "Failed")
    assert "ipAddress" not in shown
    outcome = azure.call(lambda: azure.world.events[-1].outcome)  # type: ignore[index]
    assert outcome == ("Failure" if status == "Failed" else "Cancel")


def test_rules_are_listed_with_their_counters_and_cleared(arm: Any, zone: str) -> None:
    url = f"{arm.base}/_local/faults"
    add(arm, operation="privateDns.zone.GET", kind="throttle", times=1)
    arm("GET", zone)
    arm("GET", zone)
    (rule,) = arm.session.get(url, timeout=5).json()["value"]
    assert (rule["seen"], rule["fired"], rule["status"]) == (2, 1, 429)
    assert arm.session.delete(url, timeout=5).status_code == 204
    assert arm.session.get(url, timeout=5).json() == {"value": []}


def test_a_list_with_one_bad_rule_adds_none(arm: Any) -> None:
    url = f"{arm.base}/_local/faults"
    answer = arm.session.post(url, json=[{"kind": "reset"}, {"kind": "boom"}], timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("rules[1].kind: 'boom' is not one of")
    assert arm.session.post(url, data=b"{", timeout=5).status_code == 400
    assert arm.session.get(url, timeout=5).json() == {"value": []}
