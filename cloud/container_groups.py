"""Container groups, read-only: what Azure says becomes a state (core.live decides which)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from cloud.errors import guard
from core.arm_id import CONTAINER_GROUP, ArmId
from core.errors import NotFoundError
from core.live import GroupFacts, LiveGroup, LiveState, decide

if TYPE_CHECKING:
    from cloud.arm import Arm

API_VERSION: Final = "2023-05-01"
_GONE: Final = frozenset({"ResourceNotFound", "ContainerGroupNotFound", "ResourceGroupNotFound"})
"""404s that say the group is gone. Any other (a subscription that cannot be seen, say) proves nothing about it."""


class ContainerGroups:
    """Reads container groups through the SDK."""

    def __init__(self, arm: "Arm") -> None:
        self._arm = arm

    def get(self, group: ArmId) -> LiveGroup:
        """Read one group. A missing group, or resource group, is the state ABSENT; other failures raise CloudError."""
        client = self._arm.container_instances(group.subscription_id)
        try:
            with guard(f"container_group.get {group.name} in {group.resource_group}"):
                return _live(group, client.container_groups.get(group.resource_group, group.name))
        except NotFoundError as error:
            if error.azure_code not in _GONE:
                raise
            return LiveGroup(group, LiveState.ABSENT, detail=f"Azure says {error.azure_code}")

    def list(self, subscription_id: str, resource_group: str) -> list[LiveGroup]:
        """Read all groups of a resource group, page by page; raises CloudError, also when that is missing.

        Lists have no instance view, so a stopped group looks like what its address says: RUNNING while Azure still
        shows one, NO_PRIVATE_IP or NOT_READY otherwise. Where stopped or not matters, `get` the group.
        """
        path = f"/subscriptions/{subscription_id}/resourceGroups/{resource_group}/providers/{CONTAINER_GROUP}"
        with guard(f"container_group.list in {resource_group}"):
            return [_listed(body) for body in self._arm.list(path, API_VERSION)]


def facts_of(model: Any) -> GroupFacts:
    """Read the SDK's model of a container group; what is absent or null in the answer is None, False or empty here."""
    view, ip = model.instance_view, model.ip_address
    return GroupFacts(
        provisioning_state=model.provisioning_state,
        state=view.state if view else None,
        ip=ip.ip if ip else None,
        ip_type=(ip.type or "") if ip else None,
        in_subnet=bool(model.subnet_ids),
        exposes_ports=any(container.ports for container in model.containers or []),
    )


def _live(group: ArmId, model: Any) -> LiveGroup:
    subnets = tuple(subnet.id for subnet in model.subnet_ids or () if subnet.id)
    return replace(decide(group, facts_of(model)), subnet_ids=subnets)


def _listed(body: Mapping[str, Any]) -> LiveGroup:
    """Read a group as a list has it: JSON, and no instance view."""
    properties = body["properties"]
    ip = properties.get("ipAddress")
    subnets = tuple(subnet["id"] for subnet in properties.get("subnetIds") or () if subnet.get("id"))
    facts = GroupFacts(
        provisioning_state=properties.get("provisioningState"),
        state=None,
        ip=ip.get("ip") if ip else None,
        ip_type=(ip.get("type") or "") if ip else None,
        in_subnet=bool(subnets),
        exposes_ports=any(each["properties"].get("ports") for each in properties.get("containers") or ()),
    )
    return replace(decide(ArmId.parse(body.get("id") or ""), facts), subnet_ids=subnets)
