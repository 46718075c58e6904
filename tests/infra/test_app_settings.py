"""What the deployment tells the function apps is what the code reads, and together they can be used."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from core.settings import Settings
from infra.check.deployment import Instance
from infra.check.parser import parse
from infra.check.run import play
from infra.check.values import Arr, Known, Obj, alternatives, texts

ROOT = Path(__file__).resolve().parents[2]
HOST = re.compile(r"AzureWebJobs|APPLICATIONINSIGHTS_")


@pytest.fixture(scope="module")
def apps() -> dict[str, Instance]:
    documents = {
        path.relative_to(ROOT): parse(path.relative_to(ROOT), path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "infra").rglob("*.bicep"))
    }
    found = play(ROOT, documents).instances
    return {each.module: each for each in found if each.declared.resource_type == "Microsoft.Web/sites"}


@pytest.fixture(scope="module")
def documented() -> str:
    return (ROOT / "docs/settings.md").read_text(encoding="utf-8")


def settings_of(app: Instance) -> dict[str, list[str]]:
    """Give the names of an app's settings, with the values that are known."""
    assert isinstance(app.body, Obj)
    listed = app.body.get("properties", "siteConfig", "appSettings")
    found: dict[str, list[str]] = {}
    for outcome in alternatives(listed) if listed is not None else ():
        assert isinstance(outcome, Arr)
        for item in outcome.items:
            assert isinstance(item, Obj)
            for name in texts(item.get("name")):
                found.setdefault(name, []).extend(texts(item.get("value")))
    return found


def test_there_are_two_apps(apps: dict[str, Instance]) -> None:
    assert apps.keys() == {"writer", "observer"}


@pytest.mark.parametrize("app", ["writer", "observer"])
def test_every_setting_is_one_that_the_code_or_the_host_knows(
    apps: dict[str, Instance], documented: str, app: str
) -> None:
    ours = [name for name in settings_of(apps[app]) if not HOST.match(name)]
    assert "DNS_ZONE_MAP" in ours
    assert [name for name in ours if f"`{name}`" not in documented] == []


def test_every_app_knows_its_zones_and_where_events_go(apps: dict[str, Instance]) -> None:
    needed = {"DNS_ZONE_MAP", "LOGS_INGESTION_ENDPOINT", "LOGS_DCR_IMMUTABLE_ID", "ARM_ENDPOINT", "PROBE_VANTAGE"}
    for app in apps.values():
        assert needed <= settings_of(app).keys()


def test_every_schedule_of_a_timer_is_set(apps: dict[str, Instance]) -> None:
    schedules = set(re.findall(r'schedule="%(\w+)%"', (ROOT / "function_app.py").read_text(encoding="utf-8")))
    assert schedules
    for app in apps.values():
        assert schedules <= settings_of(app).keys()


def test_each_app_leaves_the_other_s_functions_to_it(apps: dict[str, Instance]) -> None:
    functions = set(
        re.findall(r'@app\.function_name\("(\w+)"\)', (ROOT / "function_app.py").read_text(encoding="utf-8"))
    )
    disabled = {
        name: {match[1] for key in settings_of(app) if (match := re.fullmatch(r"AzureWebJobs\.(\w+)\.Disabled", key))}
        for name, app in apps.items()
    }
    assert disabled["observer"] == {"reconcile"}
    assert disabled["writer"] == functions - {"reconcile", "canary"}


def test_only_the_observer_may_be_told_to_publish_repairs_when_there_are_two(apps: dict[str, Instance]) -> None:
    assert {"REPAIR", "REPAIR_TOPIC_ENDPOINT"} <= settings_of(apps["observer"]).keys()


PARAMETERS = sorted((ROOT / "infra/environments").glob("*.parameters.json"))


def zone_map(file: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))["parameters"]["zoneMap"]["value"]
    return found


@pytest.mark.parametrize("file", PARAMETERS, ids=lambda path: path.name.partition(".")[0])
def test_an_app_with_the_deployed_settings_starts(file: Path) -> None:
    group = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg"
    network = f"{group}/providers/Microsoft.Network/virtualNetworks/v"
    environment = {
        "DNS_ZONE_MAP": json.dumps(zone_map(file)),
        "LOGS_INGESTION_ENDPOINT": "https://dcr-acidns-abcd.westeurope-1.ingest.monitor.azure.com",
        "LOGS_DCR_IMMUTABLE_ID": "dcr-00000000000000000000000000000000",
        "ARM_ENDPOINT": "https://management.azure.com/",
        "PROBE_SCHEDULE": "0 */10 * * * *",
        "PROBE_EMIT": "all",
        "PROBE_VANTAGE": network,
        "PROBE_SUBNET": "functions",
        "PROBE_VNETS": "",
        "CANARY_COMPONENT": "tracker",
        "REPAIR": "publish",
        "REPAIR_TOPIC_ENDPOINT": "https://evgt-acidns.westeurope-1.eventgrid.azure.net/api/events",
    }
    settings = Settings.from_env(environment, lambda path: Path(path).read_text(encoding="utf-8"))
    assert settings.probe.vantage == network
    assert settings.arm_endpoint == "https://management.azure.com"


def test_the_canary_s_components_are_known(apps: dict[str, Instance]) -> None:
    assert settings_of(apps["writer"])["CANARY_COMPONENT"] == ["reconciler"]
    assert settings_of(apps["observer"])["CANARY_COMPONENT"] == ["tracker"]


def test_the_runtime_is_the_one_that_the_functions_are_tested_on(apps: dict[str, Instance]) -> None:
    for app in apps.values():
        assert isinstance(app.body, Obj)
        assert app.body.get("properties", "functionAppConfig", "runtime", "version") == Known("3.13")
