"""Fixtures for every room's tests: tools that may be missing, and a local Azure to lay things out in."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from core.names import parse_address
from core.records import owner_mark
from kql.gate.parser import PACKAGE

if TYPE_CHECKING:
    from bench.spoke import Spoke
    from local_azure.fleet import Fleet
    from local_azure.server import LocalAzure

# The same examples in every run, and no failure because the machine is busy.
hypothesis_settings.register_profile(
    "steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("steady")

ROOT = Path(__file__).resolve().parent.parent
# What tests keep between processes lies beside what pytest keeps, not among the user's own.
os.environ["XDG_CACHE_HOME"] = str(ROOT / ".pytest_cache" / "xdg")
os.environ["IPYTHONDIR"] = str(ROOT / ".pytest_cache" / "ipython")


@pytest.fixture(scope="session")
def project_root() -> Path:
    """Give the folder that holds function_app.py and the rooms."""
    return ROOT


@pytest.fixture(scope="session")
def require_tool() -> Callable[..., Path]:
    """Give `require(program, hint="")`: the program's path, or the test is skipped, or failed where REQUIRE_TOOLS=1.

    `program` is a name looked up on PATH, or a path below the project's root when it has a slash; `hint` says how it is
    got. Mark such tests `@pytest.mark.tools`.
    """

    def require(program: str, hint: str = "") -> Path:
        found = shutil.which(str(ROOT / program) if "/" in program else program)
        if found:
            return Path(found)
        reason = f"needs {program}, which is not here{f': {hint}' if hint else ''}"
        if os.environ.get("REQUIRE_TOOLS") == "1":
            pytest.fail(f"{reason} (REQUIRE_TOOLS=1 makes this a failure)", pytrace=False)
        pytest.skip(reason)

    return require


@pytest.fixture(scope="session")
def require_parser(require_tool: Callable[..., Path]) -> None:
    """Let a test run where Microsoft's parser can: with Node and its package. Mark it as `require_tool` says."""
    require_tool("node", "Node 18 or newer")
    if not (ROOT / "node_modules" / PACKAGE).is_dir():
        require_tool(f"node_modules/{PACKAGE}", "make setup-node")


@dataclass
class Lab:
    """A fleet on an empty local Azure, by full resource ids and with the addresses and owner marks that a test wants.

    Zones lie in resource group rg-dns, container groups in rg-apps unless said otherwise.
    """

    azure: "LocalAzure"
    fleet: "Fleet"

    @property
    def world(self) -> Any:
        return self.azure.world

    def group_id(self, name: str, resource_group: str = "rg-apps") -> str:
        return str(self.fleet.id(resource_group, name))

    def zone_id(self, name: str) -> str:
        groups = f"/subscriptions/{self.fleet.subscription}/resourceGroups"
        return f"{groups}/rg-dns/providers/Microsoft.Network/privateDnsZones/{name}"

    def record_id(self, zone: str, kind: str, name: str) -> str:
        return f"{self.zone_id(zone)}/{kind}/{name}"

    def send(self, method: str, resource_id: str, body: Any = None) -> None:
        """Send one request and wait for the operation that it may start."""
        self.fleet.finish(self.fleet.arm(method, resource_id.split("/resourceGroups/", 1)[1], body))

    def zone(self, name: str, *networks: str) -> None:
        """Make a zone, linked to these virtual networks (names)."""
        self.fleet.zone(name, *(self.fleet.vnet(network, "10.0.1.0/24") for network in networks))

    def group(self, name: str, ip: str | None = None, resource_group: str = "rg-apps") -> str:
        """Make a running container group in a subnet, with this address if one is given; give its id."""
        self.fleet.create(resource_group, name, self.fleet.vnet("spoke", "10.0.1.0/24"))
        path = self.group_id(name, resource_group)
        if ip is not None:
            self.change(path, ip=ip)
        return path

    def change(self, group: str, **attributes: Any) -> None:
        """Change a container group behind ARM's back: no event, as when the platform moves it."""
        self.azure.call(lambda: vars(self.world.groups[group.lower()]).update(attributes))

    def record(
        self, zone: str, kind: str, name: str, *values: str, owner: str = "", written: str = "", ttl: int = 60
    ) -> str:
        """Write a record set as somebody by hand, or with our mark of `owner` as the worker would; give its id."""
        address = None if kind == "PTR" else parse_address(written or values[0])
        self.fleet.put_record(zone, kind, name, *values, ttl=ttl, metadata=owner_mark(owner, address) if owner else {})
        return self.record_id(zone, kind, name)

    def read(self, zone: str, kind: str, name: str) -> Mapping[str, Any] | None:
        """Give a record set's wire properties, or None."""
        found = self.world.zones[self.zone_id(zone).lower()].record_sets.get((kind, name))
        return found.properties if found else None

    def request_total(self) -> int:
        """Count the requests so far. On the loop: an answer may be read before its request is in the log."""
        total: int = self.azure.call(lambda: self.world.requests.total)
        return total

    def methods_since(self, total: int) -> list[str]:
        """List the methods of the requests made since the total was that."""
        return self.azure.call(lambda: [record.method for record in self.world.requests.since(total)])

    def environment(self, zone_map: str) -> dict[str, str]:
        """Give the variables that a process of ours needs here."""
        return {**self.azure.environment(), "DNS_ZONE_MAP": zone_map}


@pytest.fixture(scope="session")
def _local_azure() -> Iterator["LocalAzure"]:
    from local_azure.server import LocalAzure  # noqa: PLC0415 - many tests need none of it

    with LocalAzure.start(seed=1, provisioning_seconds=0.0) as azure:
        yield azure


@pytest.fixture
def lab(_local_azure: "LocalAzure") -> Iterator[Lab]:
    """Give an empty local Azure and the means to fill it."""
    from local_azure.fleet import Fleet  # noqa: PLC0415 - as above

    _local_azure.call(_local_azure.world.reset)
    with requests.Session() as session:
        yield Lab(_local_azure, Fleet(_local_azure, session=session))


@pytest.fixture(scope="session")
def azure() -> Iterator["LocalAzure"]:
    """Give a local Azure of ARM and identity alone, whose operations end at once."""
    from local_azure.server import LocalAzure  # noqa: PLC0415 - many tests need none of it

    with LocalAzure.start(parts=(), seed=7, provisioning_seconds=0.0) as running:
        yield running


@pytest.fixture
def spoke(azure: "LocalAzure") -> Iterator["Spoke"]:
    """Give an empty spoke with a reconciler beside it, whose worker is a process as in Azure."""
    from bench.spoke import Spoke  # noqa: PLC0415 - same

    laid_out = Spoke.lay_out(azure)
    yield laid_out
    laid_out.close()
