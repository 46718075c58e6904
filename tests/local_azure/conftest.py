"""A running local Azure, and a small client that speaks ARM to it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.mgmt.containerinstance import ContainerInstanceManagementClient
from azure.mgmt.privatedns import PrivateDnsManagementClient

from local_azure.server import LocalAzure

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg"
DNS_VERSION, ACI_VERSION, NETWORK_VERSION = "2024-06-01", "2023-05-01", "2023-11-01"


@dataclass
class Arm:
    """Requests to ARM; paths are below one resource group unless they begin with a slash."""

    base: str
    session: requests.Session

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        url = path if path.startswith("/") else f"{GROUP}/providers/{path}"
        if "api-version=" not in url:
            version = (
                ACI_VERSION
                if "containerinstance" in url.lower()
                else NETWORK_VERSION
                if "virtualnetworks/" in url.lower()
                else DNS_VERSION
            )
            url += f"{'&' if '?' in url else '?'}api-version={version}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.session.request(method, self.base + url, json=body, headers=named, timeout=10)

    def finished(self, answer: requests.Response) -> dict[str, Any]:
        """Follow a long-running operation; returns the last status body."""
        assert answer.status_code in (200, 201, 202, 204), answer.text
        url = answer.headers["Azure-AsyncOperation"]
        for _ in range(400):
            body: dict[str, Any] = self.session.get(url, timeout=10).json()
            if body["status"] in ("Succeeded", "Failed", "Canceled"):
                return body
            time.sleep(0.01)
        raise AssertionError(f"the operation did not end: {body}")

    def zone(self, name: str = "corp.internal") -> str:
        path = f"Microsoft.Network/privateDnsZones/{name}"
        assert self.finished(self("PUT", path, {"location": "global"}))["status"] == "Succeeded"
        return path

    def vnet(self, name: str = "hub", prefix: str = "10.0.0.0/16", subnet: str = "10.0.0.0/24") -> str:
        """Make a virtual network with the subnet `aci`; returns the subnet's id."""
        properties = {
            "addressSpace": {"addressPrefixes": [prefix]},
            "subnets": [{"name": "aci", "properties": {"addressPrefix": subnet}}],
        }
        path = f"Microsoft.Network/virtualNetworks/{name}"
        answer = self("PUT", path, {"location": "westeurope", "properties": properties})
        self.finished(answer)
        return f"{GROUP}/providers/{path}/subnets/aci"

    def group_body(self, subnet_id: str | None = None, **properties: Any) -> dict[str, Any]:
        container = {
            "name": "app",
            "properties": {
                "image": "nginx",
                "ports": [{"port": 80, "protocol": "TCP"}],
                "resources": {"requests": {"cpu": 1.0, "memoryInGB": 1.0}},
            },
        }
        filled: dict[str, Any] = {
            "containers": [container],
            "osType": "Linux",
            "ipAddress": {
                "type": "Private" if subnet_id else "Public",
                "ports": [{"port": 80, "protocol": "TCP"}],
            },
            **({"subnetIds": [{"id": subnet_id}]} if subnet_id else {}),
            **properties,
        }
        return {
            "location": "westeurope",
            "properties": {key: value for key, value in filled.items() if value is not None},
        }

    def group(self, name: str, subnet_id: str | None = None, **properties: Any) -> str:
        """Make a container group and wait until it runs; returns its path."""
        path = f"Microsoft.ContainerInstance/containerGroups/{name}"
        answer = self("PUT", path, self.group_body(subnet_id, **properties))
        assert self.finished(answer)["status"] == "Succeeded"
        return path

    def ip(self, path: str) -> str:
        return str(self("GET", path).json()["properties"]["ipAddress"]["ip"])


class AnyToken:
    """A credential that is asked for no token over the wire."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken("local", int(time.time()) + 3600)


@pytest.fixture(scope="module")
def running() -> Iterator[LocalAzure]:
    with LocalAzure.start(seed=7, parts=(), provisioning_seconds=0.02) as azure:
        yield azure


@pytest.fixture
def azure(running: LocalAzure) -> Iterator[LocalAzure]:
    """ARM, identity and control, empty, with the default settings."""
    before = dict(vars(running.world.settings))
    running.call(running.world.reset)
    yield running
    vars(running.world.settings).update(before)


@pytest.fixture
def arm(azure: LocalAzure) -> Iterator[Arm]:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(azure.ca)
        session.headers["Authorization"] = "Bearer local"
        yield Arm(azure.arm, session)


@pytest.fixture
def dns_client(azure: LocalAzure) -> Iterator[PrivateDnsManagementClient]:
    subscription = GROUP.split("/")[2]
    with PrivateDnsManagementClient(
        AnyToken(), subscription, base_url=azure.arm, connection_verify=str(azure.ca)
    ) as client:
        yield client


@pytest.fixture
def aci_client(azure: LocalAzure) -> Iterator[ContainerInstanceManagementClient]:
    subscription = GROUP.split("/")[2]
    with ContainerInstanceManagementClient(
        AnyToken(), subscription, base_url=azure.arm, connection_verify=str(azure.ca)
    ) as client:
        yield client


@pytest.fixture(scope="session")
def _logs_only() -> Iterator[LocalAzure]:
    with LocalAzure.start(seed=7, parts=("local_azure.logs",)) as running:
        yield running


@pytest.fixture
def logs_azure(_logs_only: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalAzure]:
    """Give an empty local Azure with ingestion and query, its variables set, its settings as before afterwards."""
    before = dict(vars(_logs_only.world.settings))
    _logs_only.call(_logs_only.world.reset)
    for name, value in _logs_only.environment().items():
        monkeypatch.setenv(name, value)
    yield _logs_only
    vars(_logs_only.world.settings).update(before)
