"""Virtual networks are read with one plain request, and errors are ours."""

import pytest

from cloud.arm import Arm
from cloud.credentials import FixedTokenCredential
from cloud.networks import Networks
from core.errors import ForbiddenError, InputError, NotFoundError


@pytest.fixture
def arm(lab):
    found = Arm(FixedTokenCredential("read-only", 9999999999), endpoint=lab.azure.arm, ca_bundle=str(lab.azure.ca))
    yield found
    found.close()


def test_a_network_says_its_dns_servers(lab, arm):
    plain = lab.fleet.vnet("plain", "10.1.0.0/24")
    custom = lab.fleet.vnet("custom", "10.2.0.0/24", dns_servers=["10.2.0.4", "10.2.0.5"])
    networks = Networks(arm)
    assert (networks.get(plain).dns_servers, networks.get(custom).dns_servers) == ((), ("10.2.0.4", "10.2.0.5"))
    assert (networks.get(plain).id, arm.reads, arm.writes) == (plain, 3, 0)


def test_a_network_that_is_missing_or_forbidden_or_no_id_is_an_error(lab, arm):
    vnet = lab.fleet.vnet("plain", "10.1.0.0/24")
    with pytest.raises(NotFoundError):
        Networks(arm).get(vnet + "-gone")
    with pytest.raises(InputError):
        Networks(arm).get("plain")
    lab.azure.call(lambda: setattr(lab.world, "authorize", lambda *_: False))
    with pytest.raises(ForbiddenError, match=r"virtual_network\.get plain in rg-net: 403"):
        Networks(arm).get(vnet)
