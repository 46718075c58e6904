"""The `drift` command, run in this process or in one of its own, against a local Azure with one spoke."""

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from local_azure.fleet import Fleet
from local_azure.server import LocalAzure

ZONE_MAP = {
    "rg-one": {
        "forward_zone": "aci.corp.internal",
        "reverse_zones": ["1.10.in-addr.arpa"],
        "zones_resource_group": "rg-dns",
    }
}


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Spoke:
    """A local Azure with a network, its zones, and the environment that `drift` needs to talk to it."""

    azure: LocalAzure
    fleet: Fleet
    vnet: str

    @property
    def environment(self) -> dict[str, str]:
        return {**self.azure.environment(), "DNS_ZONE_MAP": json.dumps(ZONE_MAP)}

    def create(self, name: str, group: str = "rg-one") -> tuple[str, str]:
        """Create a container group; gives its id and address."""
        ip = self.fleet.create(group, name, self.vnet)
        return self.id_of(name, group), ip

    def id_of(self, name: str, group: str = "rg-one") -> str:
        return (
            f"/subscriptions/{self.fleet.subscription}/resourceGroups/{group}"
            f"/providers/Microsoft.ContainerInstance/containerGroups/{name}"
        )

    def writes(self, action: Callable[[], Any]) -> list[str]:
        """Give the operations, other than reads, that record sets see while `action` runs."""
        before = self.azure.world.requests.total
        action()
        done = self.azure.world.requests.since(before)
        return [row.operation for row in done if "recordSet" in row.operation and row.method != "GET"]


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No setting of the machine that runs the tests, nor the terminal width that a test runner sets."""
    ours = (
        "DNS_",
        "LOGS_",
        "IDENTITY_",
        "AZURE_",
        "ARM_",
        "RECONCILE_",
        "REQUESTS_",
        "DRIFT_",
        "PROBE_",
        "AUDIT_",
        "REPAIR",
        "CANARY_",
        "COLUMNS",
    )
    for name in list(os.environ):
        if name.startswith(ours):
            monkeypatch.delenv(name)
    return monkeypatch


@pytest.fixture
def drift(clean_environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Ended]]:
    """Give `drift(*arguments, **environment)`, in this process."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def call(*arguments: str, **environment: str) -> Ended:
        with clean_environment.context() as patch:
            patch.delenv("REQUIRE_TOOLS", raising=False)  # a command reads it, too: the tests say what is required
            for name, value in environment.items():
                patch.setenv(name, value)
            capsys.readouterr()
            code = run(list(arguments))
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    yield call
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def drift_process(project_root: Path) -> Callable[..., Ended]:
    """Give `drift_process(*arguments, **environment)`, in a process of its own with nothing else in its environment."""

    def call(*arguments: str, **environment: str) -> Ended:
        done = subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(project_root), **environment},
            cwd=project_root,
            capture_output=True,
            text=True,
            check=False,
            timeout=150,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture(scope="module")
def spoke() -> Iterator[Spoke]:
    with LocalAzure.start(provisioning_seconds=0.0) as azure:
        fleet = Fleet(azure)
        vnet = fleet.vnet("vnet-one", "10.1.0.0/24")
        for zone in ("aci.corp.internal", "1.10.in-addr.arpa"):
            fleet.zone(zone, vnet)
        yield Spoke(azure, fleet, vnet)


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Wait for something, at most 10 s."""

    def wait(holds: Callable[[], bool]) -> None:
        ends = time.monotonic() + 10
        while not holds():
            assert time.monotonic() < ends, "waited 10 s in vain"
            time.sleep(0.02)

    return wait
