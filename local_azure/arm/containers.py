"""What hangs below a container group: logs, exec, attach; and the location's own lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_azure.arm.call import ArmError, Call, Reply, resource_not_found

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
    if group.state != "Running":
        raise ArmError(409, "ContainerGroupNotRunning", f"The container group '{group.name}' is not running.")
    host = call.base.partition("://")[2]
    uri = f"wss://{host}/{call.path.types[-1]}/caas-{call.world.new_uuid()}"
    return Reply(200, {"webSocketUri": f"{uri}?api-version=2018-02-01-preview", "password": call.world.new_uuid()})


def outbound_dependencies(call: Call) -> Reply:
    """Answer GET outboundNetworkDependenciesEndpoints: none."""
    _group(call)
    return Reply(200, [])


def usages(call: Call) -> Reply:
    """How many groups a location holds, against the default quota."""
    location = call.path.names[0].lower()
    prefix = f"/subscriptions/{call.path.subscription}/".lower()
    used = sum(key.startswith(prefix) and group.location == location for key, group in call.world.groups.items())
    name = {"value": "ContainerGroups", "localizedValue": "Container Groups"}
    row: dict[str, Any] = {"unit": "Count", "currentValue": used, "limit": 100, "name": name}
    return Reply(200, {"value": [row]})
