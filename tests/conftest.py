"""Fixtures for every room's tests: tools that may be missing, and a local Azure to lay things out in."""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from local_azure.server import LocalAzure

ROOT = Path(__file__).resolve().parent.parent
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
API_VERSIONS = {"privatednszones": "2024-06-01", "containergroups": "2023-05-01", "virtualnetworks": "2023-11-01"}


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


@dataclass
class Lab:
    """Lays out zones, record sets and container groups in a local Azure, over its ARM.

    Zones lie in resource group rg-dns, container groups in rg-apps unless said otherwise.
    """

    azure: "LocalAzure"
    session: requests.Session

    @property
    def world(self) -> Any:
        return self.azure.world

    def id(self, kind: str, name: str, resource_group: str) -> str:
        return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{resource_group}/providers/{kind}/{name}"

    def group_id(self, name: str, resource_group: str = "rg-apps") -> str:
        return self.id("Microsoft.ContainerInstance/containerGroups", name, resource_group)

    def zone_id(self, name: str) -> str:
        return self.id("Microsoft.Network/privateDnsZones", name, "rg-dns")

    def record_id(self, zone: str, kind: str, name: str) -> str:
        return f"{self.zone_id(zone)}/{kind}/{name}"

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request and wait for the operation that it may start."""
        version = next(value for kind, value in API_VERSIONS.items() if kind in path.lower())
        url = f"{self.azure.arm}{path}?api-version={version}"
        answer = self.session.request(method, url, json=body, timeout=10)
        assert answer.ok, answer.text
        while poll := answer.headers.get("Azure-AsyncOperation"):
            status = self.session.get(poll, timeout=10).json()
            if status["status"] in {"Succeeded", "Failed", "Canceled"}:
                break
            time.sleep(0.005)
        return answer.json() if answer.content else None

    def zone(self, name: str, *networks: str) -> None:
        """Make a zone, linked to these virtual networks (names in rg-net)."""
        self.send("PUT", self.zone_id(name), {"location": "global"})
        for network in networks:
            vnet = {"virtualNetwork": {"id": self.vnet(network)}, "registrationEnabled": False}
            path = f"{self.zone_id(name)}/virtualNetworkLinks/{network}"
            self.send("PUT", path, {"location": "global", "properties": vnet})

    def vnet(self, name: str, prefix: str = "10.0.0.0/8") -> str:
        """Make a virtual network with the one subnet `aci`, unless it is there; give its id."""
        path = self.id("Microsoft.Network/virtualNetworks", name, "rg-net")
        if path.lower() not in self.world.vnets:
            subnet = {"name": "aci", "properties": {"addressPrefix": "10.0.1.0/24"}}
            space = {"addressPrefixes": [prefix]}
            body = {"location": "westeurope", "properties": {"addressSpace": space, "subnets": [subnet]}}
            self.send("PUT", path, body)
        return path

    def group(self, name: str, ip: str | None = None, resource_group: str = "rg-apps") -> str:
        """Make a running container group in a subnet, with this address if one is given; give its id."""
        ports = [{"port": 80, "protocol": "TCP"}]
        resources = {"requests": {"cpu": 1.0, "memoryInGB": 1.0}}
        container = {"name": "app", "properties": {"image": "nginx", "ports": ports, "resources": resources}}
        properties = {
            "containers": [container],
            "osType": "Linux",
            "ipAddress": {"type": "Private", "ports": ports},
            "subnetIds": [{"id": f"{self.vnet('spoke')}/subnets/aci"}],
        }
        path = self.group_id(name, resource_group)
        self.send("PUT", path, {"location": "westeurope", "properties": properties})
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
        keys = {
            "A": ("aRecords", "ipv4Address"),
            "AAAA": ("aaaaRecords", "ipv6Address"),
            "PTR": ("ptrRecords", "ptrdname"),
        }
        many, one = keys[kind]
        metadata = {"managed-by": "aci-dns-truth", "container-group-id": owner} if owner else {}
        if owner and kind != "PTR":
            metadata["written-address"] = written or values[0]
        properties = {"ttl": ttl, "metadata": metadata, many: [{one: value} for value in values]}
        path = self.record_id(zone, kind, name)
        self.send("PUT", path, {"properties": properties})
        return path

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
    _local_azure.call(_local_azure.world.reset)
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(_local_azure.ca)
        session.headers["Authorization"] = "Bearer local"
        yield Lab(_local_azure, session)
