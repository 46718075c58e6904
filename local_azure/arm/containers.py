"""What hangs below a container group: logs, exec, attach; and the location's own lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_azure.arm.call import ArmError, Call, Reply, resource_not_found
from local_azure.arm.paths import region

if TYPE_CHECKING:
    from local_azure.world import ContainerGroup


def _group(call: Call) -> ContainerGroup:
    group = call.world.groups.get(call.path.id_of(1).lower())
    if group is None:
        raise resource_not_found(call.path, 1)
    return group


def _container(call: Call) -> ContainerGroup:
    group, name = _group(call), call.path.name
    if all(container["name"].lower() != name.lower() for container in group.properties["containers"]):
        raise ArmError(
            404, "ContainerNotFound", f"The container '{name}' does not exist in container group '{group.name}'."
        )
    return group


def logs(call: Call) -> Reply:
    """Say in the log that the local Azure runs no container, instead of pretending."""
    group = _container(call)
    if group.state != "Running":
        return Reply(200, {"content": ""})
    return Reply(200, {"content": f"The local Azure runs no containers; {call.path.name} has written nothing.\n"})


def terminal(call: Call) -> Reply:
    """POST exec and attach: the address of a web socket. Nothing listens there."""
    group = _container(call)
    # What has ended is still there to be looked into; what is stopped or not there yet is not.
    if group.state not in ("Running", "Succeeded"):
        raise ArmError(409, "ContainerGroupNotRunning", f"The container group '{group.name}' is not running.")
    host = call.base.partition("://")[2]
    uri = f"wss://{host}/{call.path.types[-1]}/caas-{call.world.new_uuid()}"
    size = call.section("terminalSize") if call.body else {}
    asked = "".join(f"{key}={size[key]}&" for key in ("rows", "cols") if isinstance(size.get(key), int))
    uri = f"{uri}?{asked}api-version=2018-02-01-preview"
    return Reply(200, {"webSocketUri": uri, "password": call.world.new_uuid()})


def outbound_dependencies(call: Call) -> Reply:
    """Answer GET outboundNetworkDependenciesEndpoints: none."""
    _group(call)
    return Reply(200, [])


def usages(call: Call) -> Reply:
    """How many groups a location holds, against the default quota."""
    location = region(call.path.names[0])
    prefix = f"/subscriptions/{call.path.subscription}/".lower()
    used = sum(
        key.startswith(prefix) and region(group.location) == location for key, group in call.world.groups.items()
    )
    name = {"value": "ContainerGroups", "localizedValue": "Container Groups"}
    row: dict[str, Any] = {"unit": "Count", "currentValue": used, "limit": 100, "name": name}
    return Reply(200, {"value": [row]})
