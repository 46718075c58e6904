"""Bodies as Azure sends them become states."""

import json
from pathlib import Path

import pytest
import yaml

from cloud.arm import Arm
from cloud.arm_pipeline import Patience
from cloud.container_groups import ContainerGroups
from cloud.credentials import FixedTokenCredential
from core.arm_id import container_group_id
from core.errors import ForbiddenError, NotFoundError, UnavailableError
from core.live import LiveState

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = container_group_id(SUBSCRIPTION, "rg-spoke", "web")
RECORDINGS = Path(__file__).parents[3] / "shared" / "recordings"


def doors(scripted):
    return ContainerGroups(Arm(FixedTokenCredential("t", 4102444800), endpoint=scripted.url, ca_bundle=scripted.ca,
                               patience=Patience(attempts=1)))  # fmt: skip


def body(provisioning="Succeeded", state="Running", ip=None, *, subnet=True, ports=True):
    properties = {
        "provisioningState": provisioning,
        "containers": [{"name": "c", "properties": {"image": "i", "ports": [{"port": 80}] if ports else []}}],
        "osType": "Linux",
        "instanceView": {"events": [], "state": state},
    }
    if subnet:
        properties["subnetIds"] = [{"id": "/subscriptions/s/resourceGroups/r/providers/x/y/z"}]
    if ip is not None:
        properties["ipAddress"] = {"ports": [{"protocol": "TCP", "port": 80}], "type": "Private", **ip}
    return {"id": str(GROUP), "name": "web", "type": "Microsoft.ContainerInstance/containerGroups",
            "location": "westeurope", "properties": properties}  # fmt: skip


STATES = {
    "up": (body(ip={"ip": "10.0.0.4"}), LiveState.RUNNING, "10.0.0.4"),
    "up with IPv6": (body(ip={"ip": "fd00:0:0::4"}), LiveState.RUNNING, "fd00::4"),
    "just created, address object absent": (body("Pending", "Pending"), LiveState.NOT_READY, None),
    "restarting, old address still shown": (body("Updating", ip={"ip": "10.0.0.4"}), LiveState.NOT_READY, None),
    "succeeded with a null address": (body(ip={"ip": None}), LiveState.NOT_READY, None),
    "succeeded without an address": (body(ip={}), LiveState.NOT_READY, None),
    "address 0.0.0.0": (body(ip={"ip": "0.0.0.0"}), LiveState.NOT_READY, None),
    "in a subnet with ports, no address yet": (body(), LiveState.NOT_READY, None),
    "stopped, address kept": (body(state="Stopped", ip={"ip": "10.0.0.4"}), LiveState.STOPPED, None),
    "stopped, address gone": (body(state="Stopped"), LiveState.STOPPED, None),
    "public": (body(ip={"ip": "20.1.2.3", "type": "Public"}), LiveState.NO_PRIVATE_IP, None),
    "no ports": (body(ports=False), LiveState.NO_PRIVATE_IP, None),
    "failed without address": (body("Failed"), LiveState.NO_PRIVATE_IP, None),
    "failed with address": (body("Failed", ip={"ip": "10.0.0.4"}), LiveState.RUNNING, "10.0.0.4"),
    "hardly anything said": ({"id": str(GROUP), "properties": {}}, LiveState.NOT_READY, None),
}


@pytest.mark.parametrize(("answer", "state", "address"), STATES.values(), ids=STATES)
def test_a_group_is_in_the_state_that_its_body_says(scripted, answer, state, address):
    scripted.reply(200, answer)
    live = doors(scripted).get(GROUP)
    assert (live.id, live.state, str(live.address) if live.address else None) == (GROUP, state, address)


@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize("code", ["ResourceNotFound", "ContainerGroupNotFound", "ResourceGroupNotFound"])
def test_a_missing_group_is_absent_in_either_envelope(scripted, code, wrapped):
    inner = {"code": code, "message": "m"}
    scripted.reply(404, {"error": inner} if wrapped else inner)
    assert doors(scripted).get(GROUP).state is LiveState.ABSENT


@pytest.mark.parametrize("code", ["SubscriptionNotFound", "InvalidResourceType", "NoRegisteredProviderFound", ""])
def test_a_404_that_says_nothing_about_the_group_is_not_absence(scripted, code):
    scripted.reply(404, {"error": {"code": code, "message": "m"}})
    with pytest.raises(NotFoundError):
        doors(scripted).get(GROUP)


def test_a_404_without_a_body_is_not_absence(scripted):
    scripted.reply(404, b"")
    with pytest.raises(NotFoundError):
        doors(scripted).get(GROUP)


def test_a_missing_permission_is_not_absence(scripted):
    scripted.reply(403, {"error": {"code": "AuthorizationFailed", "message": "m"}})
    with pytest.raises(ForbiddenError):
        doors(scripted).get(GROUP)


def listed(name, ip):
    answer = body(ip={"ip": ip})
    del answer["properties"]["instanceView"]
    return {**answer, "id": str(GROUP).replace("/web", f"/{name}").replace("resourceGroups", "resourcegroups")}


def test_all_pages_of_a_list_are_read(scripted):
    scripted.reply(
        200, {"value": [listed("a", "10.0.0.4")], "nextLink": f"{scripted.url}/next?page=2&api-version=2023-05-01"}
    )
    scripted.reply(200, {"value": [], "nextLink": f"{scripted.url}/next?page=3&api-version=2023-05-01"})
    scripted.reply(200, {"value": [listed("b", "10.0.0.5")]})
    found = doors(scripted).list(SUBSCRIPTION, "rg-spoke")
    assert [(group.id.name, str(group.address)) for group in found] == [("a", "10.0.0.4"), ("b", "10.0.0.5")]
    assert len(scripted.seen) == 3


def test_a_page_that_fails_fails_the_list(scripted):
    scripted.reply(200, {"value": [listed("a", "10.0.0.4")], "nextLink": f"{scripted.url}/next"})
    scripted.reply(403, {"error": {"code": "AuthorizationFailed", "message": "m"}})
    with pytest.raises(ForbiddenError):
        doors(scripted).list(SUBSCRIPTION, "rg-spoke")


def test_a_404_from_a_list_is_never_an_empty_list(scripted):
    scripted.reply(404, {"error": {"code": "ResourceGroupNotFound", "message": "m"}})
    with pytest.raises(NotFoundError, match="ResourceGroupNotFound"):
        doors(scripted).list(SUBSCRIPTION, "rg-spoke")


def test_every_recorded_container_group_has_a_state(scripted):
    if not RECORDINGS.is_dir():
        pytest.skip("recordings of Azure are not here")
    bodies = [
        found for path in sorted(RECORDINGS.rglob("*create*.yaml")) for found in recorded_groups(path.read_text())
    ]
    assert len(bodies) > 5
    states = set()
    for found in bodies:
        scripted.answers.clear()
        scripted.reply(200, found)
        states.add(doors(scripted).get(GROUP).state)
    assert states >= {LiveState.NOT_READY, LiveState.NO_PRIVATE_IP, LiveState.RUNNING}


def recorded_groups(text):
    for interaction in yaml.load(text, Loader=yaml.CSafeLoader)["interactions"]:
        raw = interaction["response"]["body"]["string"]
        if interaction["response"]["status"]["code"] in (200, 201) and '"osType"' in raw:
            yield json.loads(raw)


@pytest.mark.parametrize("body", [[], "text", 7, {"properties": "x"}, {"properties": {"containers": 7}}])
def test_an_answer_of_another_shape_is_no_answer(scripted, body):
    scripted.reply(200, body)
    with pytest.raises(UnavailableError, match="could not be read"):
        doors(scripted).get(GROUP)


@pytest.mark.parametrize("body", [{}, {"value": None}])
def test_a_page_without_a_list_is_not_an_empty_list(scripted, body):
    scripted.reply(200, body)
    with pytest.raises(UnavailableError, match="no 'value'"):
        doors(scripted).list(SUBSCRIPTION, "rg-spoke")
