"""The real, unmodified SDKs against the local Azure."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.identity import ManagedIdentityCredential
from azure.mgmt.containerinstance.models import (
    Container,
    ContainerGroup,
    ContainerGroupSubnetId,
    ContainerPort,
    IpAddress,
    Port,
    ResourceRequests,
    ResourceRequirements,
)
from azure.mgmt.privatedns import PrivateDnsManagementClient
from azure.mgmt.privatedns.models import ARecord, PrivateZone, PtrRecord, RecordSet, SubResource, VirtualNetworkLink

from local_azure.faults import Fault, FaultRule

if TYPE_CHECKING:
    from azure.mgmt.containerinstance import ContainerInstanceManagementClient

    from local_azure.server import LocalAzure


def web(ip: str = "10.0.0.4") -> RecordSet:
    return RecordSet(ttl=60, a_records=[ARecord(ipv4_address=ip)], metadata={"managed-by": "us"})


@pytest.fixture
def zone(dns_client: PrivateDnsManagementClient) -> str:
    made = dns_client.private_zones.begin_create_or_update("rg", "corp.internal", PrivateZone(location="global"))
    assert made.result().name == "corp.internal"
    return "corp.internal"


def test_a_slow_operation_is_polled_to_its_end(dns_client: PrivateDnsManagementClient, azure: LocalAzure) -> None:
    azure.world.settings.operation_seconds = 0.05
    began = time.monotonic()
    dns_client.private_zones.begin_create_or_update("rg", "a.b", PrivateZone(location="global")).result()
    dns_client.private_zones.begin_delete("rg", "a.b").result()
    assert 0.1 <= time.monotonic() - began < 3
    with pytest.raises(ResourceNotFoundError) as caught:
        dns_client.private_zones.get("rg", "a.b")
    assert caught.value.error is not None
    assert caught.value.error.code == "ResourceNotFound"


def test_record_sets_round_trip_with_metadata(dns_client: PrivateDnsManagementClient, zone: str) -> None:
    made = dns_client.record_sets.create_or_update("rg", zone, "A", "web", web())
    got = dns_client.record_sets.get("rg", zone, "A", "web")
    assert got.etag == made.etag
    assert got.metadata == {"managed-by": "us"}
    assert got.a_records is not None
    assert [record.ipv4_address for record in got.a_records] == ["10.0.0.4"]
    dns_client.record_sets.delete("rg", zone, "A", "web")
    with pytest.raises(ResourceNotFoundError) as caught:
        dns_client.record_sets.get("rg", zone, "A", "web")
    assert caught.value.error is not None
    assert caught.value.error.code == "NotFound"


def test_conditions_map_to_the_sdks_exceptions(dns_client: PrivateDnsManagementClient, zone: str) -> None:
    sets = dns_client.record_sets
    first = sets.create_or_update("rg", zone, "A", "web", web(), match_condition=MatchConditions.IfMissing)
    with pytest.raises(ResourceExistsError):
        sets.create_or_update("rg", zone, "A", "web", web(), match_condition=MatchConditions.IfMissing)
    options: dict[str, Any] = {"etag": first.etag, "match_condition": MatchConditions.IfNotModified}
    sets.create_or_update("rg", zone, "A", "web", web("10.0.0.5"), **options)
    with pytest.raises(ResourceModifiedError):
        sets.create_or_update("rg", zone, "A", "web", web("10.0.0.6"), **options)
    with pytest.raises(ResourceModifiedError):
        sets.delete("rg", zone, "A", "web", **options)


def test_lists_are_paged(dns_client: PrivateDnsManagementClient, zone: str) -> None:
    names = [f"h{number}" for number in range(5)]
    for name in names:
        pointer = RecordSet(ttl=60, ptr_records=[PtrRecord(ptrdname=f"{name}.corp.internal")])
        dns_client.record_sets.create_or_update("rg", zone, "PTR", name, pointer)
    assert [item.name for item in dns_client.record_sets.list_by_type("rg", zone, "PTR", top=2)] == names
    assert [item.name for item in dns_client.record_sets.list("rg", zone, top=2)] == ["@", *names]


def test_links_are_made_and_listed(dns_client: PrivateDnsManagementClient, zone: str, arm: Any) -> None:
    vnet = arm.vnet().rpartition("/subnets/")[0]
    wanted = VirtualNetworkLink(location="global", virtual_network=SubResource(id=vnet), registration_enabled=False)
    made = dns_client.virtual_network_links.begin_create_or_update("rg", zone, "hub", wanted).result()
    assert made.virtual_network_link_state == "Completed"
    assert [item.name for item in dns_client.virtual_network_links.list("rg", zone)] == ["hub"]
    refused = dns_client.virtual_network_links.begin_create_or_update("rg", zone, "again", wanted)
    with pytest.raises(HttpResponseError, match="overlapping namespaces"):
        refused.result()


def test_429_is_retried_after_the_time_it_names(
    dns_client: PrivateDnsManagementClient, zone: str, azure: LocalAzure
) -> None:
    fault = Fault("throttle", retry_after=0.2)
    azure.call(lambda: azure.world.faults.add(FaultRule(fault, "privateDns.recordSet.GET", {"type": "A"}, times=1)))
    dns_client.record_sets.create_or_update("rg", zone, "A", "web", web())
    began = time.monotonic()
    assert dns_client.record_sets.get("rg", zone, "A", "web").name == "web"
    assert time.monotonic() - began >= 0.2


def test_a_group_lives_through_the_container_sdk(
    aci_client: ContainerInstanceManagementClient, arm: Any, azure: LocalAzure
) -> None:
    azure.world.settings.new_ip_on_restart = True
    resources = ResourceRequirements(requests=ResourceRequests(cpu=1.0, memory_in_gb=1.0))
    container = Container(name="app", image="nginx", resources=resources, ports=[ContainerPort(port=80)])
    group = ContainerGroup(
        location="westeurope",
        containers=[container],
        os_type="Linux",
        ip_address=IpAddress(type="Private", ports=[Port(port=80)]),
        subnet_ids=[ContainerGroupSubnetId(id=arm.vnet())],
    )
    groups = aci_client.container_groups
    made = groups.begin_create_or_update("rg", "web", group).result()
    assert made.provisioning_state == "Succeeded"
    assert made.ip_address is not None
    assert made.ip_address.ip == "10.0.0.4"
    groups.begin_restart("rg", "web").result()
    assert groups.get("rg", "web").ip_address.ip == "10.0.0.5"
    groups.stop("rg", "web")
    assert groups.get("rg", "web").instance_view.state == "Stopped"
    groups.begin_start("rg", "web").result()
    assert groups.get("rg", "web").instance_view.state == "Running"
    assert [item.name for item in groups.list()] == ["web"]
    assert [item.instance_view for item in groups.list_by_resource_group("rg")] == [None]
    assert groups.begin_delete("rg", "web").result().name == "web"
    with pytest.raises(ResourceNotFoundError):
        groups.get("rg", "web")


def test_product_environment_is_all_that_the_credential_and_the_client_need(
    azure: LocalAzure, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in azure.environment().items():
        monkeypatch.setenv(name, value)
    # requests prefers it to REQUESTS_CA_BUNDLE only when that is absent; the sandbox may set both.
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    credential = ManagedIdentityCredential()
    with PrivateDnsManagementClient(
        credential, "00000000-0000-0000-0000-000000000001", base_url=azure.environment()["ARM_ENDPOINT"]
    ) as client:
        assert list(client.private_zones.list()) == []
    credential.close()
