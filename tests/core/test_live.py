import itertools

import pytest

from core.arm_id import container_group_id
from core.live import GroupFacts, LiveState, decide
from core.names import parse_address

GROUP = container_group_id("00000000-0000-0000-0000-000000000001", "rg", "web")


def facts(provisioning="Succeeded", state="Running", ip="10.0.0.4", ip_type="Private", *, subnet=True, ports=True):
    return GroupFacts(provisioning, state, ip, ip_type, subnet, ports)


TABLE = {
    "running": (facts(), LiveState.RUNNING),
    "running, seen in a list": (facts(state=None), LiveState.RUNNING),
    "succeeded state of a finished job": (facts(state="Succeeded"), LiveState.RUNNING),
    "IPv6": (facts(ip="fd00::4"), LiveState.RUNNING),
    "pending": (facts("Pending", "Pending", None, None), LiveState.NOT_READY),
    "creating": (facts("Creating"), LiveState.NOT_READY),
    "updating with the old address": (facts("Updating"), LiveState.NOT_READY),
    "deleting": (facts("Deleting"), LiveState.NOT_READY),
    "a state nobody knows yet": (facts("Transmogrifying"), LiveState.NOT_READY),
    "no provisioning state": (facts(None), LiveState.NOT_READY),
    "case does not count": (facts("SUCCEEDED", "running", ip_type="private"), LiveState.RUNNING),
    "stopped with its address": (facts(state="Stopped"), LiveState.STOPPED),
    "stopped with a null address": (facts(state="Stopped", ip=None), LiveState.STOPPED),
    "stopped without an address object": (facts(state="Stopped", ip=None, ip_type=None), LiveState.STOPPED),
    "address null": (facts(ip=None), LiveState.NOT_READY),
    "address empty": (facts(ip=""), LiveState.NOT_READY),
    "address 0.0.0.0": (facts(ip="0.0.0.0"), LiveState.NOT_READY),
    "address nonsense": (facts(ip="soon"), LiveState.NOT_READY),
    "no address object, ports in a subnet": (facts(ip=None, ip_type=None), LiveState.NOT_READY),
    "no address object, no ports": (facts(ip=None, ip_type=None, ports=False), LiveState.NO_PRIVATE_IP),
    "no address object, no subnet": (facts(ip=None, ip_type=None, subnet=False), LiveState.NO_PRIVATE_IP),
    "public": (facts(ip="20.1.2.3", ip_type="Public", subnet=False), LiveState.NO_PRIVATE_IP),
    "public without an address yet": (facts(ip=None, ip_type="Public", subnet=False), LiveState.NO_PRIVATE_IP),
    "failed, address still there": (facts("Failed"), LiveState.RUNNING),
    "failed, none": (facts("Failed", ip=None, ip_type=None), LiveState.NO_PRIVATE_IP),
    "failed, null": (facts("Failed", ip=None), LiveState.NO_PRIVATE_IP),
    "canceled, none": (facts("Canceled", ip=None, ip_type=None), LiveState.NO_PRIVATE_IP),
}


@pytest.mark.parametrize(("given", "state"), TABLE.values(), ids=TABLE)
def test_facts_mean_one_state(given, state):
    live = decide(GROUP, given)
    assert (live.id, live.state) == (GROUP, state)
    assert live.address == (parse_address(given.ip) if state is LiveState.RUNNING else None)
    assert bool(live.detail) == (state is not LiveState.RUNNING)


def test_whatever_the_facts_only_a_running_group_has_an_address_and_none_is_absent():
    choices = itertools.product(
        ("Succeeded", "Pending", "Failed", "x", "", None), ("Running", "Stopped", None),
        ("10.0.0.4", "0.0.0.0", "x", "", None), ("Private", "Public", "", None), (True, False), (True, False),
    )  # fmt: skip
    for values in choices:
        live = decide(GROUP, GroupFacts(*values))
        assert (live.address is not None) == (live.state is LiveState.RUNNING)
        assert live.state is not LiveState.ABSENT
