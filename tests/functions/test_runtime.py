"""The function app in Microsoft's own worker library on Python 3.13, invoked with the host's protobuf messages."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local_azure.faults import Fault, FaultRule

pytestmark = pytest.mark.tools


@pytest.fixture
def drive(
    require_tool: Callable[..., Path], project_root: Path, drive_app: Callable[..., tuple[dict[str, Any], str]]
) -> Callable[..., tuple[dict[str, Any], str]]:
    """Give `drive(environment, *invocations)`: what the worker library answered, and the log."""
    python = require_tool(".venv-functions/bin/python", "run make setup-functions; it needs Python 3.13")
    return functools.partial(drive_app, python, project_root, [])


def test_it_is_indexed_and_loaded_with_an_empty_environment(drive: Callable[..., tuple[dict[str, Any], str]]) -> None:
    answer, _ = drive({})
    assert answer["init"]["status"] == "Success"
    binding = {"direction": "IN", "type": "eventGridTrigger", "name": "event"}
    timer = {"direction": "IN", "type": "timerTrigger", "name": "timer", "runOnStartup": False, "useMonitor": True}
    assert {
        name: (found["status"], found["bindings"], found["retries"]) for name, found in answer["functions"].items()
    } == {
        "reconcile": ("Success", [binding], 0),
        "track": ("Success", [binding], 0),
        "probe": ("Success", [{**timer, "schedule": "%PROBE_SCHEDULE%"}], 0),
        "audit": ("Success", [{**timer, "schedule": "%AUDIT_SCHEDULE%"}], 0),
        "canary": ("Success", [{**timer, "schedule": "%CANARY_SCHEDULE%"}], 0),
    }


def test_both_functions_do_their_work_and_fail_loudly_in_both_schemas(
    drive: Callable[..., tuple[dict[str, Any], str]],
    lab: Any,
    zone_map: str,
    grid_event: Callable[..., dict[str, Any]],
    rows: Callable[[], list[dict[str, Any]]],
) -> None:
    for zone in ("corp.internal", "10.in-addr.arpa"):
        lab.zone(zone)
    web, jobs, broken = lab.group("web", "10.0.1.4"), lab.group("jobs", "10.0.1.5"), lab.group("broken", "10.0.1.6")
    rule = FaultRule(operation="containerGroup.GET", fault=Fault("error", 403), where={"name": "broken"})
    lab.azure.call(lambda: lab.world.faults.add(rule))
    plan = [
        ("reconcile", grid_event(web, "grid", "e1"), "Success", ""),
        ("reconcile", grid_event(jobs, "cloud", "e2"), "Success", ""),
        ("track", grid_event(web, "cloud", "e3"), "Success", ""),
        ("track", grid_event(jobs, "grid", "e4"), "Success", ""),
        ("reconcile", grid_event(broken, "grid", "e5"), "Failure", "403"),
        ("track", grid_event(broken, "cloud", "e6"), "Failure", "403"),
        ("track", grid_event("x" * 2000, "cloud", "e7"), "Success", ""),
    ]
    answer, log = drive(lab.environment(zone_map), *({"function": name, "event": event} for name, event, *_ in plan))
    for (name, _, status, message), found in zip(plan, answer["invocations"], strict=True):
        assert (found["status"], message in found["message"]) == (status, True), found
        assert f"{name} begins: invocation {found['invocation_id']}" in log
    assert lab.read("corp.internal", "A", "web")["aRecords"] == [{"ipv4Address": "10.0.1.4"}]
    assert lab.read("10.in-addr.arpa", "PTR", "5.1.0")["ptrRecords"] == [{"ptrdname": "jobs.corp.internal"}]
    assert {row["SourceEventId"]: row["EventType"] for row in rows()} == {
        "e1": "reconcile_updated", "e2": "reconcile_updated", "e3": "no_change", "e4": "no_change",
        "e5": "reconcile_failed", "e6": "track_failed",
    }  # fmt: skip


def test_the_timer_probes_with_the_managed_identity_and_fails_only_if_it_cannot_run(  # noqa: PLR0917 - fixtures
    drive: Callable[..., tuple[dict[str, Any], str]],
    lab: Any,
    zone_map: str,
    timer: Callable[..., dict[str, Any]],
    rows: Callable[[], list[dict[str, Any]]],
    probe_settings: Callable[[], dict[str, str]],
) -> None:
    for zone in ("corp.internal", "10.in-addr.arpa"):
        lab.zone(zone, "spoke")
    lab.group("web", "10.0.1.4")
    probe = {"function": "probe", "argument": "timer", "event": timer(past_due=True)}
    answer, log = drive({**lab.environment(zone_map), **probe_settings()}, probe, probe)
    first, second = answer["invocations"]
    assert (first["status"], second["status"]) == ("Success", "Success"), first["message"]
    assert f"probe begins: invocation {first['invocation_id']}, past due" in log
    found = [(row["EventType"], row["Verdict"], row["CorrelationId"]) for row in rows()]
    assert sorted(found) == sorted(
        each
        for one in (first, second)
        for each in (
            ("probe_failed", "a_missing", one["invocation_id"]),
            ("probe_completed", "", one["invocation_id"]),
        )
    )
    unusable, log = drive({"DNS_ZONE_MAP": "{"}, probe)
    assert unusable["invocations"][0]["status"] == "Failure"
    assert "AciDnsEventFallback {" in log


def test_a_bad_configuration_fails_the_invocation_and_not_the_indexing(
    drive: Callable[..., tuple[dict[str, Any], str]], grid_event: Callable[..., dict[str, Any]]
) -> None:
    event = {"function": "reconcile", "event": grid_event("/subscriptions/s"), "retry": 1}
    answer, log = drive({"DNS_ZONE_MAP": "{"}, event, event)
    assert [found["status"] for found in answer["invocations"]] == ["Failure", "Failure"]
    assert all("DNS_ZONE_MAP" in found["message"] for found in answer["invocations"])
    assert log.count("AciDnsEventFallback {") == 2


def test_what_is_not_json_is_refused_by_the_library(
    drive: Callable[..., tuple[dict[str, Any], str]], grid_event: Callable[..., dict[str, Any]]
) -> None:
    event = {"function": "track", "event": grid_event("/subscriptions/s"), "encoding": "string"}
    answer, _ = drive({}, event)
    assert answer["invocations"][0]["status"] == "Failure"
    assert "unable to decode incoming TypedData" in answer["invocations"][0]["message"]
