"""The timers `audit` and `canary`: in this Python with the library's decoding, and in Microsoft's worker library."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from azure.functions.meta import Datum
from azure.functions.timer import TimerRequestConverter

import function_app
from core.errors import ConfigurationError
from core.events import FALLBACK_MARKER
from tracker.audit import AuditIncompleteError

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
Rows = Callable[[], list[dict[str, Any]]]
Timer = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("DNS_ZONE_MAP", "REPAIR", "CANARY_COMPONENT", "WEBSITE_SITE_NAME", "REGION_NAME"):
        monkeypatch.delenv(name, raising=False)
    function_app.doors.cache_clear()
    yield
    if function_app.doors.cache_info().currsize:
        function_app.doors()[1].close()
    function_app.doors.cache_clear()


@pytest.fixture
def app_settings(lab: Any, zone_map: str) -> dict[str, str]:
    """Give the settings of an app beside a fleet with a group that has no record yet."""
    for zone in ("corp.internal", "10.in-addr.arpa"):
        lab.zone(zone, "spoke")
    lab.group("web", "10.0.1.4")
    return {**lab.environment(zone_map), "AUDIT_SUBSCRIPTION_ID": SUBSCRIPTION}


def fire(name: str, payload: dict[str, Any], environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    decoded = TimerRequestConverter.decode(Datum(json.dumps(payload), "json"), trigger_metadata={})
    context: Any = SimpleNamespace(function_name=name, invocation_id="invocation-1", retry_context=None)
    {"audit": function_app.audit, "canary": function_app.canary}[name](timer=decoded, context=context)


def test_the_audit_writes_its_findings_and_its_heartbeat_to_the_table(
    app_settings: dict[str, str], timer: Timer, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    fire("audit", timer(), app_settings, monkeypatch)
    first, last = rows()
    assert (first["EventType"], first["Component"], first["ContainerGroup"]) == ("first_seen", "audit", "web")
    assert (last["EventType"], last["CorrelationId"]) == ("audit_completed", "invocation-1")
    assert (last["Details"]["groups"], last["Details"]["repair"]["mode"]) == (1, "off")


def test_an_audit_that_could_not_read_everything_fails_after_its_heartbeat(
    app_settings: dict[str, str], timer: Timer, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {**app_settings, "DNS_ZONE_MAP": app_settings["DNS_ZONE_MAP"].replace("corp.internal", "corp.missing")}
    with pytest.raises(AuditIncompleteError, match=r"corp\.missing"):
        fire("audit", timer(), settings, monkeypatch)
    (row,) = rows()
    assert (row["EventType"], row["Severity"], row["ErrorCode"]) == ("audit_completed", "Error", "zone_missing")


def test_an_audit_that_cannot_run_fails_loudly(
    timer: Timer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), pytest.raises(ConfigurationError, match="REPAIR_TOPIC_ENDPOINT"):
        fire("audit", timer(), {"DNS_ZONE_MAP": "{}", "REPAIR": "publish"}, monkeypatch)
    lines = [record.getMessage() for record in caplog.records if record.name == "aci_dns.events"]
    row = json.loads(lines[0].removeprefix(FALLBACK_MARKER))
    assert (row["EventType"], row["ErrorCode"]) == ("audit_completed", "bad_configuration")


@pytest.mark.parametrize(
    ("environment", "component", "details"),
    [
        ({}, "reconciler", {"past_due": True}),
        (
            {"CANARY_COMPONENT": "tracker", "WEBSITE_SITE_NAME": "app-observe", "REGION_NAME": "West Europe"},
            "tracker",
            {"app": "app-observe", "region": "West Europe", "past_due": True},
        ),
    ],
)
def test_the_canary_is_one_row_that_says_which_app_sent_it(  # noqa: PLR0917 - fixtures
    lab: Any,
    zone_map: str,
    timer: Timer,
    rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    component: str,
    details: dict[str, Any],
) -> None:
    before = lab.request_total()
    fire("canary", timer(past_due=True), {**lab.environment(zone_map), **environment}, monkeypatch)
    (row,) = rows()
    assert (row["EventType"], row["Component"], row["Severity"]) == ("canary", component, "Information")
    assert (row["CorrelationId"], row["Details"]) == ("invocation-1", details)
    assert lab.methods_since(before).count("GET") <= 1  # its token: a canary asks Azure nothing


def test_a_canary_component_that_is_none_is_refused(
    lab: Any, zone_map: str, timer: Timer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError, match="CANARY_COMPONENT"):
        fire("canary", timer(), {**lab.environment(zone_map), "CANARY_COMPONENT": "bird"}, monkeypatch)


@pytest.mark.tools
def test_both_timers_run_in_the_worker_library_with_the_managed_identity(  # noqa: PLR0917 - fixtures
    require_tool: Callable[..., Path],
    drive_app: Callable[..., tuple[dict[str, Any], str]],
    project_root: Path,
    app_settings: dict[str, str],
    timer: Timer,
    rows: Rows,
) -> None:
    python = require_tool(".venv-functions/bin/python", "run make setup-functions; it needs Python 3.13")
    plan = [{"function": name, "argument": "timer", "event": timer()} for name in ("audit", "canary")]
    answer, _ = drive_app(python, project_root, [], app_settings, *plan)
    assert [found["status"] for found in answer["invocations"]] == ["Success", "Success"], answer["invocations"]
    assert sorted(row["EventType"] for row in rows()) == ["audit_completed", "canary", "first_seen"]
    schedules = {name: answer["functions"][name]["bindings"][0]["schedule"] for name in ("audit", "canary")}
    assert schedules == {"audit": "%AUDIT_SCHEDULE%", "canary": "%CANARY_SCHEDULE%"}
