"""host.json and the sample settings say what the app needs, and nothing that it does not know."""

import json
from collections import UserDict
from pathlib import Path
from typing import Any

import pytest

from core.settings import Settings

HOST_NAMES = {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage", "PROBE_SCHEDULE", "AUDIT_SCHEDULE", "CANARY_SCHEDULE"}


class Watched(UserDict[str, str]):
    """An environment that keeps the names it was asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)


@pytest.fixture
def host(project_root: Path) -> Any:
    return json.loads((project_root / "host.json").read_text(encoding="utf-8"))


@pytest.fixture
def sample(project_root: Path) -> dict[str, str]:
    found = json.loads((project_root / "local.settings.sample.json").read_text(encoding="utf-8"))
    values: dict[str, str] = found["Values"]
    return values


def test_the_host_loads_the_bundle_that_has_the_event_grid_trigger(host: Any) -> None:
    assert host["version"] == "2.0"
    assert host["extensionBundle"] == {
        "id": "Microsoft.Azure.Functions.ExtensionBundle",
        "version": "[4.*, 5.0.0)",
    }


def test_no_retry_policy_hides_failures_from_event_grid(host: Any) -> None:
    assert "retry" not in host


def test_the_functions_may_run_longer_than_the_longest_reconcile_deadline(host: Any) -> None:
    hours, minutes, seconds = map(int, host["functionTimeout"].split(":"))
    assert hours * 3600 + minutes * 60 + seconds == 600
    longest = {"DNS_ZONE_MAP": '{"rg":{"forward_zone":"a.b","zones_resource_group":"rg"}}'}
    settings = Settings.from_env({**longest, "RECONCILE_DEADLINE_SECONDS": "540"}, lambda _: "")
    assert settings.reconcile_deadline_seconds < 600


def test_sampling_never_drops_an_event_that_fell_back_to_a_log_line(host: Any) -> None:
    sampling = host["logging"]["applicationInsights"]["samplingSettings"]
    assert {"Trace", "Exception"} <= set(sampling["excludedTypes"].split(";"))
    assert host["logging"]["logLevel"]["Function"] == "Information"


def test_the_sample_has_every_setting_that_is_read_and_no_other(sample: dict[str, str]) -> None:
    watched = Watched(sample)
    Settings.from_env(watched, lambda _: "")
    assert watched.asked == set(sample) - HOST_NAMES


def test_the_sample_has_a_schedule_of_six_fields_for_each_timer(sample: dict[str, str]) -> None:
    schedules = {name: value for name, value in sample.items() if name.endswith("_SCHEDULE")}
    assert [len(value.split()) for value in schedules.values()] == [6, 6, 6]


def test_the_sample_can_be_used_as_it_is(sample: dict[str, str]) -> None:
    settings = Settings.from_env(sample, lambda _: "")
    assert settings.zone_map.entries[0].forward_zone == "apps.corp.internal"
    assert settings.logs.ingestion_endpoint is not None
