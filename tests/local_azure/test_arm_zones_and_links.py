"""Private zones and their links: long-running operations that fail in the poll."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from local_azure.server import LocalAzure

ZONE = "Microsoft.Network/privateDnsZones/corp.internal"
GLOBAL = {"location": "global"}


def link_body(subnet_id: str, *, registration: bool = False, **more: Any) -> dict[str, Any]:
    vnet = {"id": subnet_id.rpartition("/subnets/")[0]}
    return {**GLOBAL, "properties": {"virtualNetwork": vnet, "registrationEnabled": registration, **more}}


def link(arm: Any, zone: str, name: str, subnet_id: str, **options: Any) -> dict[str, Any]:
    answer = arm("PUT", f"{zone}/virtualNetworkLinks/{name}", link_body(subnet_id, **options))
    body: dict[str, Any] = arm.finished(answer)
    return body


def test_a_zone_is_created_by_an_operation_and_then_read(arm: Any) -> None:
    accepted = arm("PUT", ZONE, GLOBAL)
    assert (accepted.status_code, accepted.json()) == (202, {})
    assert arm.finished(accepted) == {"status": "Succeeded"}
    assert arm.session.get(accepted.headers["Location"], timeout=5).status_code == 200
    zone = arm("GET", ZONE)
    assert zone.headers["ETag"] == zone.json()["etag"]
    assert zone.json()["properties"]["numberOfRecordSets"] == 1
    assert "tags" not in zone.json()


def test_a_running_operation_answers_202_with_its_headers(arm: Any, azure: LocalAzure) -> None:
    azure.world.settings.operation_seconds = 0.1
    accepted = arm("PUT", ZONE, GLOBAL)
    poll = arm.session.get(accepted.headers["Azure-AsyncOperation"], timeout=5)
    assert (poll.status_code, poll.json()) == (202, {"status": "InProgress"})
    assert poll.headers["Location"] == accepted.headers["Location"]
    assert arm("GET", ZONE).status_code == 404
    assert arm.finished(accepted)["status"] == "Succeeded"
    assert arm("GET", ZONE).status_code == 200


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({"If_None_Match": "*"}, "exists already and hence cannot be created again"),
        ({"If_Match": "x"}, "etag mismatch"),
    ],
)
def test_a_zones_condition_fails_in_the_poll(arm: Any, headers: dict[str, str], says: str) -> None:
    arm.zone()
    accepted = arm("PUT", ZONE, GLOBAL, **headers)
    assert accepted.status_code == 202
    body = arm.finished(accepted)
    assert (body["status"], body["error"]["code"]) == ("Failed", "PreconditionFailed")
    assert says in body["error"]["message"]


def test_internal_id_came_with_a_later_api_version(arm: Any) -> None:
    arm.zone()
    assert "internalId" not in arm("GET", f"{ZONE}?api-version=2018-09-01").json()["properties"]
    assert "internalId" in arm("GET", f"{ZONE}?api-version=2020-06-01").json()["properties"]


@pytest.mark.parametrize("name", ["single", ".".join("a" * 35), "bad_-.internal", "a..b"])
def test_impossible_zone_names_are_refused(arm: Any, name: str) -> None:
    assert arm("PUT", f"Microsoft.Network/privateDnsZones/{name}", GLOBAL).status_code == 400


def test_a_zone_has_no_region(arm: Any) -> None:
    answer = arm("PUT", ZONE, {"location": "westeurope"})
    assert answer.json()["error"]["code"] == "LocationNotAvailableForResourceType"
    assert arm("PUT", ZONE, {}).json()["error"]["code"] == "LocationRequired"


def test_tags_are_patched_and_zones_listed_by_group_and_subscription(arm: Any) -> None:
    arm.zone("b.internal")
    arm.zone("a.internal")
    other = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/Other/providers"
    arm.finished(arm("PUT", f"{other}/Microsoft.Network/privateDnsZones/c.internal", GLOBAL))
    arm.finished(arm("PATCH", "Microsoft.Network/privateDnsZones/b.internal", {"tags": {"k": "v"}}))
    listed = arm("GET", "Microsoft.Network/privateDnsZones").json()["value"]
    assert [(zone["name"], zone.get("tags")) for zone in listed] == [("a.internal", None), ("b.internal", {"k": "v"})]
    everywhere = "/subscriptions/00000000-0000-0000-0000-000000000001/providers/microsoft.network/privatednszones"
    page = arm("GET", f"{everywhere}?$top=2").json()
    rest = arm.session.get(page["nextLink"], timeout=5).json()
    assert [zone["name"] for zone in page["value"] + rest["value"]] == ["c.internal", "a.internal", "b.internal"]


def test_a_zone_is_deleted_once_and_not_with_links(arm: Any) -> None:
    zone, subnet = arm.zone(), arm.vnet()
    link(arm, zone, "hub", subnet)
    assert arm("DELETE", zone).json()["error"]["code"] == "CannotDeleteResource"
    arm.finished(arm("DELETE", f"{zone}/virtualNetworkLinks/hub"))
    deleted = arm("DELETE", zone)
    assert (deleted.status_code, deleted.content) == (202, b"")
    arm.finished(deleted)
    assert arm("DELETE", zone).status_code == 204
    assert arm("GET", zone).json()["error"]["code"] == "ResourceNotFound"


def test_a_link_has_a_quoted_etag_and_its_policy_by_api_version(arm: Any) -> None:
    zone, subnet = arm.zone(), arm.vnet()
    assert link(arm, zone, "hub", subnet)["status"] == "Succeeded"
    got = arm("GET", f"{zone}/virtualNetworkLinks/HUB")
    assert got.json()["etag"].startswith('"')
    assert got.headers["ETag"] == got.json()["etag"]
    assert got.json()["properties"] == {
        "provisioningState": "Succeeded",
        "registrationEnabled": False,
        "resolutionPolicy": "Default",
        "virtualNetwork": {"id": subnet.rpartition("/subnets/")[0]},
        "virtualNetworkLinkState": "Completed",
    }
    old = arm("GET", f"{zone}/virtualNetworkLinks/hub?api-version=2018-09-01").json()
    assert "resolutionPolicy" not in old["properties"]


def test_a_link_is_patched_under_its_etag(arm: Any) -> None:
    zone, subnet = arm.zone(), arm.vnet()
    link(arm, zone, "hub", subnet)
    path = f"{zone}/virtualNetworkLinks/hub"
    etag = arm("GET", path).json()["etag"]
    stale = arm.finished(arm("PATCH", path, {"properties": {"registrationEnabled": True}}, If_Match="stale"))
    assert stale["error"]["message"] == (
        "The Virtual Network link 'hub' for the Private DNS zone 'corp.internal' has been modified (etag mismatch)."
    )
    done = arm.finished(arm("PATCH", path, {"properties": {"resolutionPolicy": "NxDomainRedirect"}}, If_Match=etag))
    assert done["status"] == "Succeeded"
    assert arm("GET", path).json()["properties"]["resolutionPolicy"] == "NxDomainRedirect"


def test_one_network_cannot_be_linked_to_two_zones_of_one_name_but_to_parent_and_child(arm: Any) -> None:
    subnet = arm.vnet()
    first, child = arm.zone(), arm.zone("eu.corp.internal")
    other = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/other/providers/" + first
    arm.finished(arm("PUT", other, GLOBAL))
    assert link(arm, first, "hub", subnet)["status"] == "Succeeded"
    assert link(arm, child, "hub", subnet)["status"] == "Succeeded"
    refused = link(arm, other, "hub", subnet)
    assert refused["error"]["code"] == "BadRequest"
    assert "multiple zones with overlapping namespaces" in refused["error"]["message"]
    assert link(arm, first, "again", subnet)["status"] == "Failed"


def test_a_network_registers_in_one_zone_and_never_in_a_reverse_zone(arm: Any) -> None:
    subnet = arm.vnet()
    assert link(arm, arm.zone("a.internal"), "hub", subnet, registration=True)["status"] == "Succeeded"
    assert link(arm, arm.zone("b.internal"), "hub", subnet, registration=True)["error"]["code"] == "Conflict"
    assert link(arm, arm.zone("b.internal"), "hub", subnet)["status"] == "Succeeded"
    reverse = arm.zone("0.10.in-addr.arpa")
    spoke = arm.vnet("spoke")
    refused = link(arm, reverse, "spoke", spoke, registration=True)
    assert refused["error"]["message"].startswith("Registration cannot be enabled for the reverse lookup zone")
    assert link(arm, reverse, "spoke", spoke)["status"] == "Succeeded"


def test_links_are_limited_listed_by_pages_and_deleted_twice(arm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local_azure.arm.private_dns_links.MAX_LINKS", 2)
    zone = arm.zone()
    for number in range(3):
        subnet = arm.vnet(f"net{number}")
        done = link(arm, zone, f"l{number}", subnet)
    assert "reached its limit" in done["error"]["message"]
    page = arm("GET", f"{zone}/virtualNetworkLinks?$top=1").json()
    rest = arm.session.get(page["nextLink"], timeout=5).json()
    assert [item["name"] for item in page["value"] + rest["value"]] == ["l0", "l1"]
    arm.finished(arm("DELETE", f"{zone}/virtualNetworkLinks/l0"))
    assert arm("DELETE", f"{zone}/virtualNetworkLinks/l0").status_code == 204
    assert arm("GET", f"{zone}/virtualNetworkLinks/l0").json()["error"]["code"] == "ResourceNotFound"


def test_an_unknown_operation_is_404(arm: Any) -> None:
    assert arm("GET", "Microsoft.Network/privateDnsOperationStatuses/bm8=").status_code == 404
