"""Virtual networks, read-only. One plain request: the network library would add 30 MB for a single field."""

from typing import TYPE_CHECKING, Any, Final

from cloud.errors import guard
from core.arm_id import ArmId
from core.networks import VirtualNetwork

if TYPE_CHECKING:
    from cloud.arm import Arm

API_VERSION: Final = "2023-11-01"


class Networks:
    """Reads virtual networks."""

    def __init__(self, arm: "Arm") -> None:
        self._arm = arm

    def get(self, vnet_id: str) -> VirtualNetwork:
        """Read one; raises InputError for what is no id, and CloudError, NotFoundError among them."""
        network = ArmId.parse(vnet_id)
        with guard(f"virtual_network.get {network.name} in {network.resource_group}"):
            body: Any = self._arm.get(network, API_VERSION)
        options = (body.get("properties") or {}).get("dhcpOptions") or {}
        return VirtualNetwork(str(network), tuple(options.get("dnsServers") or ()))
