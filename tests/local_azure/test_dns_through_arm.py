"""What ARM is told, the resolvers say: networks, zones, links and record sets over HTTPS, queries over UDP."""

from collections.abc import Iterator
from typing import Any

import dns.message
import dns.query
import dns.rcode
import pytest
import requests

from local_azure.server import LocalAzure

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network"
HUB, SPOKE = f"{GROUP}/virtualNetworks/hub", f"{GROUP}/virtualNetworks/spoke"


class Arm:
    def __init__(self, azure: LocalAzure, session: requests.Session) -> None:
        self._azure, self._session = azure, session

    def __call__(self, method: str, path: str, body: Any = None) -> requests.Response:
        version = "2023-11-01" if "virtualNetworks/" in path else "2024-06-01"
        answer = self._session.request(method, f"{self._azure.arm}{path}?api-version={version}", json=body, timeout=10)
        assert answer.ok, answer.text
        url = answer.headers.get("Azure-AsyncOperation")
        while url and self._session.get(url, timeout=10).json()["status"] != "Succeeded":
            pass
        return answer

    def vnet(self, vnet_id: str) -> None:
        self(
            "PUT",
            vnet_id,
            {"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}},
        )
        while vnet_id.lower() not in self._azure.dns:
            self("GET", vnet_id)

    def zone(self, name: str, *vnet_ids: str) -> str:
        zone = f"{GROUP}/privateDnsZones/{name}"
        self("PUT", zone, {"location": "global"})
        for vnet_id in vnet_ids:
            body = {
                "location": "global",
                "properties": {"virtualNetwork": {"id": vnet_id}, "registrationEnabled": False},
            }
            self("PUT", f"{zone}/virtualNetworkLinks/{vnet_id.rsplit('/', 1)[1]}", body)
        return zone


@pytest.fixture(scope="module")
def azure() -> Iterator[LocalAzure]:
    with LocalAzure.start(seed=5, parts=("local_azure.dns",)) as azure:
        yield azure


@pytest.fixture
def arm(azure: LocalAzure) -> Iterator[Arm]:
    azure.call(azure.world.reset)
    with requests.Session() as session:
        session.trust_env, session.verify = False, str(azure.ca)
        session.headers["Authorization"] = "Bearer local"
        yield Arm(azure, session)


def ask(azure: LocalAzure, vnet_id: str, name: str, kind: str) -> tuple[str, list[str], str]:
    """Give response code, record data, and the owner of the authority section's SOA."""
    host, port = azure.dns[vnet_id.lower()].split(":")
    response = dns.query.udp(dns.message.make_query(name, kind), host, timeout=5, port=int(port))
    data = [rdata.to_text() for rrset in response.answer for rdata in rrset]
    owner = response.authority[0].name.to_text() if response.authority else ""
    return dns.rcode.to_text(response.rcode()), data, owner


def test_a_record_written_through_arm_is_answered_at_once_to_linked_networks_only(azure: LocalAzure, arm: Arm) -> None:
    arm.vnet(HUB)
    arm.vnet(SPOKE)
    zone = arm.zone("corp.internal", HUB)
    arm("PUT", f"{zone}/A/Web", {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.0.0.4"}]}})
    assert ask(azure, HUB, "web.corp.internal", "A") == ("NOERROR", ["10.0.0.4"], "")
    assert ask(azure, SPOKE, "web.corp.internal", "A") == ("NXDOMAIN", [], ".")
    arm("DELETE", f"{zone}/A/web")
    assert ask(azure, HUB, "web.corp.internal", "A") == ("NXDOMAIN", [], "corp.internal.")


def test_an_unlinked_reverse_zone_hides_a_ptr_that_is_there(azure: LocalAzure, arm: Arm) -> None:
    arm.vnet(HUB)
    zone = arm.zone("0.10.in-addr.arpa")
    arm("PUT", f"{zone}/PTR/4.0", {"properties": {"ttl": 60, "ptrRecords": [{"ptrdname": "web.corp.internal"}]}})
    assert ask(azure, HUB, "4.0.0.10.in-addr.arpa", "PTR") == ("NXDOMAIN", [], "in-addr.arpa.")
    arm.zone("0.10.in-addr.arpa", HUB)
    assert ask(azure, HUB, "4.0.0.10.in-addr.arpa", "PTR") == ("NOERROR", ["web.corp.internal."], "")
    arm.zone("0.0.10.in-addr.arpa", HUB)
    assert ask(azure, HUB, "4.0.0.10.in-addr.arpa", "PTR") == ("NXDOMAIN", [], "0.0.10.in-addr.arpa.")


def test_the_soa_that_arm_shows_is_the_one_that_denies(azure: LocalAzure, arm: Arm) -> None:
    arm.vnet(HUB)
    zone = arm.zone("corp.internal", HUB)
    shown = arm("GET", f"{zone}/SOA/@").json()["properties"]["soaRecord"]
    code, [soa], _ = ask(azure, HUB, "corp.internal", "SOA")
    numbers = [shown[key] for key in ("serialNumber", "refreshTime", "retryTime", "expireTime", "minimumTtl")]
    assert soa.split()[:2] == [f"{shown['host'].rstrip('.')}.", f"{shown['email'].rstrip('.')}."]
    assert [code, *map(int, soa.split()[2:])] == ["NOERROR", *numbers]


def test_a_deleted_network_has_no_resolver(azure: LocalAzure, arm: Arm) -> None:
    arm.vnet(HUB)
    arm("DELETE", HUB)
    for _ in range(200):
        if not azure.dns:
            return
        azure.call(lambda: None)
    raise AssertionError("the resolver is still there")
