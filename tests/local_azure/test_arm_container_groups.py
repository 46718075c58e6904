"""Container groups: their states, their addresses, and what Azure does not show."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from local_azure.server import LocalAzure

GROUPS = "Microsoft.ContainerInstance/containerGroups"


def properties(arm: Any, path: str) -> dict[str, Any]:
    body: dict[str, Any] = arm("GET", path).json()["properties"]
    return body


def stop(arm: Any, path: str) -> None:
    assert arm("POST", f"{path}/stop").status_code == 204


def start(arm: Any, path: str) -> None:
    answer = arm("POST", f"{path}/start")
    assert answer.status_code == 204
    arm.finished(answer)


def test_a_private_group_shows_no_address_until_it_runs(arm: Any) -> None:
    answer = arm("PUT", f"{GROUPS}/web", arm.group_body(arm.vnet()))
    assert answer.status_code == 201
    body = answer.json()["properties"]
    assert (body["provisioningState"], body["instanceView"]["state"]) == ("Pending", "Pending")
    assert "ipAddress" not in body
    assert arm.finished(answer)["status"] == "Succeeded"
    running = properties(arm, f"{GROUPS}/web")
    assert running["ipAddress"] == {
        "ports": [{"port": 80, "protocol": "TCP"}],
        "ip": "10.0.0.4",
        "type": "Private",
    }
    assert (running["provisioningState"], running["instanceView"]) == ("Succeeded", {"events": [], "state": "Running"})


def test_a_public_group_has_an_address_object_from_the_beginning(arm: Any) -> None:
    address = {"type": "Public", "ports": [{"port": 80}], "dnsNameLabel": "web"}
    answer = arm("PUT", f"{GROUPS}/web", arm.group_body(ipAddress=address))
    early = answer.json()["properties"]["ipAddress"]
    assert "ip" not in early
    assert early["fqdn"] == "web.westeurope.azurecontainer.io"
    arm.finished(answer)
    assert properties(arm, f"{GROUPS}/web")["ipAddress"]["ip"].startswith("20.")


def test_addresses_are_the_lowest_free_and_come_back_on_delete(arm: Any) -> None:
    subnet = arm.vnet()
    assert [arm.ip(arm.group(name, subnet)) for name in ("a", "b", "c")] == ["10.0.0.4", "10.0.0.5", "10.0.0.6"]
    deleted = arm("DELETE", f"{GROUPS}/b")
    assert (deleted.status_code, deleted.json()["properties"]["ipAddress"]["ip"]) == (200, "10.0.0.5")
    assert arm("DELETE", f"{GROUPS}/b").status_code == 204
    assert arm.ip(arm.group("d", subnet)) == "10.0.0.5"
    assert arm.ip(arm.group("e", subnet)) == "10.0.0.7"


def test_a_full_subnet_fails_the_operation_and_the_group(arm: Any) -> None:
    subnet = arm.vnet(subnet="10.0.0.0/29")
    for name in ("a", "b", "c"):
        arm.group(name, subnet)
    failed = arm.finished(arm("PUT", f"{GROUPS}/d", arm.group_body(subnet)))
    assert (failed["status"], failed["error"]["code"]) == ("Failed", "SubnetIsFull")
    assert properties(arm, f"{GROUPS}/d")["provisioningState"] == "Failed"


def test_an_ipv6_subnet_gives_ipv6_addresses(arm: Any) -> None:
    subnet = arm.vnet(prefix="fd00:1::/48", subnet="fd00:1::/64")
    assert arm.ip(arm.group("six", subnet)) == "fd00:1::4"


def test_a_requested_address_is_ignored(arm: Any) -> None:
    address = {"type": "Private", "ip": "10.0.0.99", "ports": [{"port": 80}]}
    assert arm.ip(arm.group("web", arm.vnet(), ipAddress=address)) == "10.0.0.4"


@pytest.mark.parametrize("address", [None, {"type": "Private", "ports": []}])
def test_a_group_without_ports_has_no_address_object(arm: Any, address: Any) -> None:
    path = arm.group("quiet", arm.vnet(), ipAddress=address)
    assert "ipAddress" not in properties(arm, path)
    assert "ipAddress" not in arm("GET", GROUPS).json()["value"][0]["properties"]


def test_lists_show_the_address_and_no_instance_view(arm: Any) -> None:
    arm.group("web", arm.vnet())
    for path in (GROUPS, f"/subscriptions/00000000-0000-0000-0000-000000000001/providers/{GROUPS}"):
        (only,) = arm("GET", path).json()["value"]
        assert only["properties"]["ipAddress"]["ip"] == "10.0.0.4"
        assert "instanceView" not in only["properties"]
        assert "instanceView" not in only["properties"]["containers"][0]["properties"]


def test_a_list_can_be_made_to_go_by_pages(arm: Any, azure: LocalAzure) -> None:
    azure.world.settings.group_page_size = 1
    for name in ("a", "b"):
        arm.group(name)
    page = arm("GET", GROUPS).json()
    rest = arm.session.get(page["nextLink"], timeout=5).json()
    assert [group["name"] for group in page["value"] + rest["value"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("shows", "expected"), [("kept", {"ip": "10.0.0.4"}), ("ip_absent", {}), ("ip_address_absent", None)]
)
def test_a_stopped_group_shows_its_address_as_set(
    arm: Any, azure: LocalAzure, shows: Any, expected: dict[str, str] | None
) -> None:
    azure.world.settings.stopped_address = shows
    path = arm.group("web", arm.vnet())
    stop(arm, path)
    body = properties(arm, path)
    assert (body["provisioningState"], body["instanceView"]["state"]) == ("Succeeded", "Stopped")
    assert "instanceView" not in body["containers"][0]["properties"]
    address = body.get("ipAddress")
    assert (address if address is None else {key: address[key] for key in address if key == "ip"}) == expected


@pytest.mark.parametrize(("new_ip", "after"), [(True, "10.0.0.5"), (False, "10.0.0.4")])
def test_stop_and_start_change_the_address_as_set(arm: Any, azure: LocalAzure, new_ip: bool, after: str) -> None:
    azure.world.settings.new_ip_on_start = new_ip
    path = arm.group("web", arm.vnet())
    stop(arm, path)
    start(arm, path)
    assert arm.ip(path) == after


@pytest.mark.parametrize(("new_ip", "after"), [(True, "10.0.0.5"), (False, "10.0.0.4")])
def test_a_restart_changes_the_address_as_set(arm: Any, azure: LocalAzure, new_ip: bool, after: str) -> None:
    azure.world.settings.new_ip_on_restart = new_ip
    azure.world.settings.provisioning_seconds = 0.1
    path = arm.group("web", arm.vnet())
    answer = arm("POST", f"{path}/restart")
    assert answer.status_code == 204
    during = properties(arm, path)
    assert (during["provisioningState"], during["instanceView"]["state"]) == ("Updating", "Running")
    arm.finished(answer)
    assert arm.ip(path) == after


def test_the_old_address_is_free_again_after_a_change(arm: Any, azure: LocalAzure) -> None:
    azure.world.settings.new_ip_on_restart = True
    path = arm.group("web", arm.vnet())
    seen = []
    for _ in range(3):
        arm.finished(arm("POST", f"{path}/restart"))
        seen.append(arm.ip(path))
    assert seen == ["10.0.0.5", "10.0.0.4", "10.0.0.5"]


def test_a_stopped_groups_address_can_be_taken_by_another(arm: Any, azure: LocalAzure) -> None:
    subnet = arm.vnet()
    path = arm.group("web", subnet)
    stop(arm, path)
    assert arm.ip(arm.group("other", subnet)) == "10.0.0.4"
    start(arm, path)
    assert arm.ip(path) == "10.0.0.5"


def test_an_update_keeps_the_address_unless_set_otherwise(arm: Any, azure: LocalAzure) -> None:
    subnet = arm.vnet()
    path = arm.group("web", subnet)
    again = arm("PUT", path, arm.group_body(subnet))
    assert again.status_code == 201
    arm.finished(again)
    assert arm.ip(path) == "10.0.0.4"
    azure.world.settings.new_ip_on_update = True
    arm.group("web", subnet)
    assert arm.ip(path) == "10.0.0.5"


def test_what_is_in_transition_refuses_another_change(arm: Any, azure: LocalAzure) -> None:
    azure.world.settings.provisioning_seconds = 5
    subnet = arm.vnet()
    arm("PUT", f"{GROUPS}/web", arm.group_body(subnet))
    for method, path, body in (
        ("PUT", f"{GROUPS}/web", arm.group_body(subnet)),
        ("POST", f"{GROUPS}/web/restart", None),
        ("POST", f"{GROUPS}/web/stop", None),
        ("POST", f"{GROUPS}/web/start", None),
    ):
        answer = arm(method, path, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ContainerGroupTransitioning")
    assert arm("DELETE", f"{GROUPS}/web").status_code == 200


def test_a_group_deleted_while_it_is_created_holds_no_address(arm: Any, azure: LocalAzure) -> None:
    azure.world.settings.provisioning_seconds = 0.05
    subnet = arm.vnet()
    creation = arm("PUT", f"{GROUPS}/web", arm.group_body(subnet))
    arm("DELETE", f"{GROUPS}/web")
    arm("PUT", f"{GROUPS}/web", arm.group_body(subnet))
    assert arm.finished(creation)["status"] == "Canceled"
    time.sleep(0.06)
    assert arm.ip(f"{GROUPS}/web") == "10.0.0.4"
    assert azure.world.vnets[next(iter(azure.world.vnets))].subnets["aci"].leases.keys() == {"10.0.0.4"}


def test_a_stopped_group_cannot_be_restarted(arm: Any) -> None:
    path = arm.group("web")
    stop(arm, path)
    answer = arm("POST", f"{path}/restart")
    assert answer.json()["error"]["message"] == "Container Group 'web' in resource group 'rg' is stopped"


def test_both_404_envelopes_occur(arm: Any) -> None:
    read, action = arm("GET", f"{GROUPS}/no"), arm("POST", f"{GROUPS}/no/restart")
    assert read.json()["error"]["code"] == "ResourceNotFound"
    assert read.headers["x-ms-failure-cause"] == "gateway"
    assert action.json()["error"] == {
        "code": "ContainerGroupNotFound",
        "message": "The container group 'no' does not exist.",
    }


def test_secrets_are_never_given_back(arm: Any) -> None:
    container = arm.group_body()["properties"]["containers"][0]
    container["properties"]["environmentVariables"] = [
        {"name": "PLAIN", "value": "yes"},
        {"name": "HIDDEN", "secureValue": "s3cret"},
    ]
    path = arm.group(
        "web",
        containers=[container],
        imageRegistryCredentials=[{"server": "acr", "username": "me", "password": "s3cret"}],
        volumes=[
            {"name": "s", "secret": {"key": "s3cret"}},
            {"name": "f", "azureFile": {"shareName": "x", "storageAccountName": "y", "storageAccountKey": "s3cret"}},
        ],
        diagnostics={"logAnalytics": {"workspaceId": "w", "workspaceKey": "s3cret"}},
    )
    text = arm("GET", path).text
    assert "s3cret" not in text
    variables = properties(arm, path)["containers"][0]["properties"]["environmentVariables"]
    assert variables == [{"name": "PLAIN", "value": "yes"}, {"name": "HIDDEN"}]
    assert properties(arm, path)["volumes"][0] == {"name": "s", "secret": {}}


def test_identities_get_their_ids(arm: Any) -> None:
    user = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/me"
    identity = {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {user: {}}}
    answer = arm("PUT", f"{GROUPS}/web", {**arm.group_body(), "identity": identity})
    shown = answer.json()["identity"]
    assert shown["principalId"]
    assert shown["tenantId"]
    assert shown["userAssignedIdentities"][user].keys() == {"principalId", "clientId"}


def test_patch_changes_tags_at_once(arm: Any) -> None:
    path = arm.group("web")
    assert arm("PATCH", path, {"tags": {"k": "v"}}).json()["tags"] == {"k": "v"}
    assert arm("GET", path).json()["tags"] == {"k": "v"}


REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    ("a name in capitals", "Web", {}, "InvalidContainerGroupName"),
    ("a long name", "x" * 64, {}, "InvalidContainerGroupName"),
    ("no container", "web", {"containers": []}, "MissingContainers"),
    ("no operating system", "web", {"osType": None}, "InvalidOsType"),
    ("a wrong restart policy", "web", {"restartPolicy": "Maybe"}, "InvalidRestartPolicy"),
    ("port 0", "web", {"ipAddress": {"type": "Public", "ports": [{"port": 0}]}}, "InvalidPort"),
    (
        "a private address without a subnet",
        "web",
        {"ipAddress": {"type": "Private", "ports": [{"port": 1}]}},
        "NetworkProfileMissing",
    ),
    (
        "a subnet that is not there",
        "web",
        {"subnetIds": [{"id": "/x/virtualNetworks/y/subnets/z"}], "ipAddress": None},
        "InvalidResourceReference",
    ),
    ("containers that are text", "web", {"containers": ["app"]}, "InvalidRequestContent"),
    (
        "a container without resources",
        "web",
        {"containers": [{"name": "a", "properties": {"image": "x"}}]},
        "InvalidResourceRequests",
    ),
]


@pytest.mark.parametrize(("name", "changed", "code"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_bad_groups_are_refused(arm: Any, name: str, changed: dict[str, Any], code: str) -> None:
    answer = arm("PUT", f"{GROUPS}/{name}", arm.group_body(**changed))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert arm("GET", GROUPS).json() == {"value": []}


def test_the_subnet_of_a_group_cannot_change(arm: Any) -> None:
    path = arm.group("web", arm.vnet())
    answer = arm("PUT", path, arm.group_body(arm.vnet("spoke")))
    assert answer.json()["error"]["code"] == "InvalidContainerGroupUpdate"


def test_logs_exec_and_attach_answer_in_azures_shapes(arm: Any) -> None:
    path = arm.group("web")
    assert arm("GET", f"{path}/containers/app/logs").json().keys() == {"content"}
    assert arm("GET", f"{path}/containers/no/logs").json()["error"]["code"] == "ContainerNotFound"
    shell = {"command": "/bin/sh", "terminalSize": {"rows": 1, "cols": 1}}
    assert arm("POST", f"{path}/containers/app/exec", shell).json().keys() == {"webSocketUri", "password"}
    assert arm("POST", f"{path}/containers/app/attach").json()["webSocketUri"].startswith("wss://localhost")


def test_a_platform_move_changes_the_address_without_an_event(arm: Any, azure: LocalAzure) -> None:
    path = arm.group("web", arm.vnet())
    group_id = arm("GET", path).json()["id"]
    before = len(azure.world.events)  # type: ignore[arg-type]
    for spelling in (group_id, group_id.upper(), group_id.replace("/", "%2F")):
        old = arm.ip(path)
        moved = arm.session.post(f"{arm.base}/_local/groups/{spelling}/move", timeout=5).json()
        assert (moved["old_ip"], moved["new_ip"]) == (old, arm.ip(path))
        assert moved["old_ip"] != moved["new_ip"]
    assert len(azure.world.events) == before  # type: ignore[arg-type]
    assert arm.session.post(f"{arm.base}/_local/groups/{group_id}x/move", timeout=5).status_code == 404
    stop(arm, path)
    assert arm.session.post(f"{arm.base}/_local/groups/{group_id}/move", timeout=5).status_code == 409


@pytest.mark.parametrize(
    ("shown", "expected"), [("null", {"ip": None}), ("0.0.0.0", {"ip": "0.0.0.0"}), ("absent", {})]
)
def test_a_group_can_succeed_without_a_usable_address(arm: Any, shown: str, expected: dict[str, Any]) -> None:
    path = arm.group("web", arm.vnet())
    url = f"{arm.base}/_local/groups{arm('GET', path).json()['id']}/show"
    assert arm.session.post(url, json={"ip": shown}, timeout=5).status_code == 200
    body = properties(arm, path)
    assert body["provisioningState"] == "Succeeded"
    assert {key: value for key, value in body["ipAddress"].items() if key == "ip"} == expected
    arm.session.post(url, json={"ip": None}, timeout=5)
    assert arm.ip(path) == "10.0.0.4"
    assert arm.session.post(url, json={"address": 1}, timeout=5).status_code == 400
