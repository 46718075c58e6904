"""The triggers in this Python, with the library's own decoding, on a local Azure."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import function_app
from core.errors import ConfigurationError, ForbiddenError
from core.events import FALLBACK_MARKER
from local_azure.faults import Fault, FaultRule
from tests.functions import host

FAILURES = {"reconcile": "reconcile_failed", "track": "track_failed"}
ENVIRONMENT = ("DNS_ZONE_MAP", "DNS_ZONE_MAP_FILE", "ARM_ENDPOINT", "AZURE_CLIENT_ID", "LOGS_INGESTION_ENDPOINT")


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    function_app.doors.cache_clear()
    yield
    if function_app.doors.cache_info().currsize:
        function_app.doors()[1].close()
    function_app.doors.cache_clear()


@pytest.fixture
def web(lab: Any, zone_map: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Lay out the zones and a running group, and set the environment that the app has in Azure."""
    for zone in ("corp.internal", "10.in-addr.arpa"):
        lab.zone(zone)
    for name, value in lab.environment(zone_map).items():
        monkeypatch.setenv(name, value)
    group: str = lab.group("web", "10.0.1.4")
    return group


@pytest.mark.parametrize("schema", ["grid", "cloud"])
def test_the_fields_of_either_schema_arrive_as_they_were_sent(
    grid_event: Callable[..., dict[str, Any]], schema: str
) -> None:
    sent = grid_event("/subscriptions/s", schema) | ({"traceparent": "00-1"} if schema == "cloud" else {})
    raw = function_app.raw_event(host.decoded(sent))
    time = "time" if schema == "cloud" else "eventTime"
    assert raw.pop(time).isoformat() == "2026-11-22T10:00:00.123456+00:00"
    expected = {name: value for name, value in sent.items() if name not in {time, "dataVersion", "metadataVersion"}}
    assert raw == expected


def test_an_event_without_any_field_is_taken_for_what_it_is() -> None:
    raw = function_app.raw_event(host.decoded({}))
    assert set(raw.values()) == {None}


@pytest.mark.parametrize("schema", ["grid", "cloud"])
def test_one_event_reconciles_and_the_next_one_finds_nothing_to_say_against_it(
    web: str, lab: Any, grid_event: Callable[..., dict[str, Any]], rows: Callable[[], list[dict[str, Any]]], schema: str
) -> None:
    host.by_event("track", grid_event(web, schema, "e0"))
    host.by_event("reconcile", grid_event(web, schema, "e1"))
    host.by_event("track", grid_event(web, schema, "e2"))
    assert lab.read("corp.internal", "A", "web")["aRecords"] == [{"ipv4Address": "10.0.1.4"}]
    assert lab.read("10.in-addr.arpa", "PTR", "4.1.0")["ptrRecords"] == [{"ptrdname": "web.corp.internal"}]
    assert [(row["SourceEventId"], row["EventType"]) for row in rows()] == [
        ("e0", "first_seen"), ("e1", "reconcile_updated"), ("e2", "no_change"),
    ]  # fmt: skip
    assert {row["CorrelationId"] for row in rows()} == {"c0ffee00-0000-0000-0000-000000000000"}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_fails_the_invocation_and_is_a_row(
    web: str,
    lab: Any,
    grid_event: Callable[..., dict[str, Any]],
    rows: Callable[[], list[dict[str, Any]]],
    name: str,
) -> None:
    rule = FaultRule(operation="containerGroup.GET", fault=Fault("error", 403))
    lab.azure.call(lambda: lab.world.faults.add(rule))
    with pytest.raises(Exception, match="403") as raised:
        host.by_event(name, grid_event(web), retry_count=2)
    assert isinstance(raised.value, ForbiddenError) or isinstance(raised.value.__cause__, ForbiddenError)
    assert [(row["EventType"], row["ErrorCode"], row["Attempt"]) for row in rows()] == [
        (FAILURES[name], "forbidden", 3)
    ]


@pytest.mark.parametrize("name", FAILURES)
def test_a_bad_configuration_fails_every_invocation_loudly(
    grid_event: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    monkeypatch.setenv("DNS_ZONE_MAP", "{")
    for _ in range(2):
        caplog.clear()
        with pytest.raises(ConfigurationError, match="DNS_ZONE_MAP"):
            host.by_event(name, grid_event("/subscriptions/s"))
        lines = [record.getMessage() for record in caplog.records if record.name == "aci_dns.events"]
        row = json.loads(lines[0].removeprefix(FALLBACK_MARKER))
        assert (row["EventType"], row["ErrorCode"], row["SourceEventId"]) == (FAILURES[name], "bad_configuration", "e1")


def test_the_timer_finds_every_group_right_and_then_says_what_an_unlinked_zone_does(  # noqa: PLR0917 - fixtures
    lab: Any,
    zone_map: str,
    timer: Callable[..., dict[str, Any]],
    probe_settings: Callable[[], dict[str, str]],
    rows: Callable[[], list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for zone in ("corp.internal", "10.in-addr.arpa"):
        lab.zone(zone, "spoke")
    group = lab.group("web", "10.0.1.4")
    lab.record("corp.internal", "A", "web", "10.0.1.4", owner=group)
    lab.record("10.in-addr.arpa", "PTR", "4.1.0", "web.corp.internal", owner=group)
    settings = probe_settings()
    for name, value in {**lab.environment(zone_map), **settings}.items():
        monkeypatch.setenv(name, value)
    host.by_timer("probe", timer())
    assert [(row["EventType"], row["Verdict"]) for row in rows() if row["Verdict"]] == [("probe_ok", "ok")]
    lab.fleet.unlink("10.in-addr.arpa", settings["PROBE_VANTAGE"])
    host.by_timer("probe", timer())
    (failed,) = [row for row in rows() if row["EventType"] == "probe_failed"]
    assert (failed["Verdict"], failed["Vantage"]) == ("reverse_zone_unlinked", settings["PROBE_VANTAGE"])
    assert "link vnet create" in failed["ErrorMessage"]
    assert failed["Details"]["cross_check"]["hop"] == "link"
    assert sum(row["EventType"] == "probe_completed" for row in rows()) == 2


def test_a_probe_that_cannot_run_fails_loudly(
    timer: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DNS_ZONE_MAP", "{")
    with caplog.at_level(logging.INFO), pytest.raises(ConfigurationError, match="DNS_ZONE_MAP"):
        host.by_timer("probe", timer())
    lines = [record.getMessage() for record in caplog.records if record.name == "aci_dns.events"]
    row = json.loads(lines[0].removeprefix(FALLBACK_MARKER))
    assert (row["EventType"], row["ErrorCode"]) == ("probe_completed", "bad_configuration")


def test_settings_and_clients_are_built_once(web: str, grid_event: Callable[..., dict[str, Any]]) -> None:
    for number in range(3):
        host.by_event("track", grid_event(web, event_id=f"e{number}"))
    assert function_app.doors.cache_info().misses == 1


def test_every_invocation_is_named_in_the_log_and_an_event_cannot_forge_a_line(
    web: str, grid_event: Callable[..., dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="aci_dns"):
        host.by_event("track", grid_event(web, event_id="e1\nERROR forged"))
    lines = [record.getMessage() for record in caplog.records if record.name == "aci_dns.function_app"]
    assert lines == [
        "track begins: invocation invocation-1, event 'e1\\nERROR forged'",
        "track ends: invocation invocation-1",
    ]
