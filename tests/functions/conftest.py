"""Events as Event Grid sends them, and the rows that came of them."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

ZONE_MAP = {
    "rg-apps": {
        "forward_zone": "corp.internal",
        "reverse_zones": ["10.in-addr.arpa"],
        "zones_resource_group": "rg-dns",
    }
}


@pytest.fixture
def zone_map() -> str:
    """Give the zone map that `lab` is laid out for."""
    return json.dumps(ZONE_MAP)


@pytest.fixture
def grid_event() -> Callable[..., dict[str, Any]]:
    """Give `make(subject, schema="grid", id="e1")`: an event in the Event Grid schema, or in CloudEvents 1.0."""

    def make(subject: str, schema: str = "grid", event_id: str = "e1") -> dict[str, Any]:
        kind, time = "Microsoft.Resources.ResourceWriteSuccess", "2026-11-22T10:00:00.1234567Z"
        source = "/subscriptions/00000000-0000-0000-0000-000000000001"
        data = {
            "correlationId": "c0ffee00-0000-0000-0000-000000000000",
            "operationName": "Microsoft.ContainerInstance/containerGroups/write",
            "resourceProvider": "Microsoft.ContainerInstance",
            "resourceUri": subject,
            "status": "Succeeded",
        }
        common = {"id": event_id, "subject": subject, "data": data}
        if schema == "cloud":
            return {**common, "source": source, "type": kind, "time": time, "specversion": "1.0"}
        versions = {"dataVersion": "2", "metadataVersion": "1"}
        return {**common, "topic": source, "eventType": kind, "eventTime": time, **versions}

    return make


@pytest.fixture
def timer() -> Callable[..., dict[str, Any]]:
    """Give `make(past_due=False)`: what the host sends when a timer is due."""

    def make(past_due: bool = False) -> dict[str, Any]:
        now = "2026-11-22T10:05:00.0000000+00:00"
        status = {"Last": now, "Next": now, "LastUpdated": now}
        return {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": past_due}

    return make


@pytest.fixture
def probe_settings(lab: Any) -> Callable[[], dict[str, str]]:
    """Give the settings of a probe in the network `spoke`, which exists after this, that asks its resolver once."""

    def make() -> dict[str, str]:
        vnet = lab.fleet.vnet("spoke", "10.0.1.0/24")
        resolver = {key.lower(): at for key, at in lab.fleet.control("GET", "dns")["resolvers"].items()}[vnet.lower()]
        return {
            "PROBE_VANTAGE": vnet,
            "PROBE_RESOLVERS": resolver.replace(":", "#"),
            "PROBE_CONFIRM_SECONDS": "0",
        }

    return make


@pytest.fixture
def rows(lab: Any) -> Callable[[], list[dict[str, Any]]]:
    """Give `rows()`: what the event table of the local workspace holds, oldest first."""

    def read() -> list[dict[str, Any]]:
        return list(lab.azure.call(lambda: lab.world.logs.engine.query("AciDnsEvents_CL | order by EventTime asc")))

    return read


@pytest.fixture(scope="session")
def drive_app(project_root: Path) -> Callable[..., tuple[dict[str, Any], str]]:
    """Give `drive(python, app, libraries, environment, *invocations)`: what the worker library answered, and the log.

    `libraries` are folders to import from before those of the interpreter, beside the host's compiled messages.
    """

    def run(
        python: Path, app: Path, libraries: Sequence[Path], environment: Mapping[str, str], *invocations: Any
    ) -> tuple[dict[str, Any], str]:
        search = os.pathsep.join(map(str, [*libraries, project_root / ".venv-functions" / "protos"]))
        result = subprocess.run(
            [python, str(project_root / "tests" / "functions" / "worker_driver.py")],
            input=json.dumps({"app": str(app), "invocations": invocations}),
            env={"PATH": os.defpath, "PYTHONPATH": search, "PYTHONDONTWRITEBYTECODE": "1", **environment},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=50,
        )
        assert result.returncode == 0, result.stderr
        answer: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
        return answer, result.stderr

    return run
