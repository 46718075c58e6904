"""`/_local/dns` and `/_local/vms`: what a test or a demo may set and see, and what Azure does not have."""

import ipaddress
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local_azure.control_body import InvalidRequestError, answered, must_be_known
from local_azure.dns.faults import DnsFaultError, parse_faults
from local_azure.dns.model import CustomServer, DnsModel, VirtualMachine
from local_azure.dns.platform import SHAPES, UnlinkedShape

if TYPE_CHECKING:
    from local_azure.world import VirtualNetwork, World

_SETTABLE: Final = ("faults", "customServers", "unlinked", "unlinkedIn")
_MACHINE_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,62}[A-Za-z0-9])?")
_MACHINE: Final = ("vnet", "name", "ip")


def control_routes(world: "World", model: DnsModel, settle: Callable[[], Awaitable[None]]) -> list[Route]:
    """Give the routes; `settle` waits for the resolvers of networks that were just made."""

    async def options(request: Request) -> Response:
        if request.method == "POST":
            return await answered(request, lambda body: _change(world, model, body), DnsFaultError)
        await settle()
        return JSONResponse(shown(world, model))

    async def machines(request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse({"value": [_shown_machine(machine) for machine in model.machines.values()]})
        act = _add_machine if request.method == "POST" else _drop_machine
        return await answered(request, lambda body: act(world, model, body), DnsFaultError)

    return [
        Route("/_local/dns", options, methods=["GET", "POST"]),
        Route("/_local/vms", machines, methods=["GET", "POST", "DELETE"]),
    ]


def shown(world: "World", model: DnsModel) -> dict[str, Any]:
    """Give the resolvers' addresses, custom servers and faults as JSON."""
    servers = {server.address: {"forwardsTo": server.forwards_to} for server in model.custom_servers.values()}
    return {
        "resolvers": dict(world.dns_addresses),
        "unlinked": model.unlinked,
        "unlinkedIn": dict(model.unlinked_in),
        "customServers": servers,
        "faults": [rule.shown() for rule in model.faults.rules],
    }


def _change(world: "World", model: DnsModel, body: dict[str, Any]) -> dict[str, Any]:
    """Set what is given, after all of it was found good."""
    must_be_known(body, _SETTABLE)
    faults = parse_faults(body["faults"]) if "faults" in body else None
    servers = _servers(world, body.get("customServers", {}))
    shape = _shape(body.get("unlinked", model.unlinked), "unlinked")
    shapes_in = _shapes_in(world, model, body.get("unlinkedIn", {}))
    if faults is not None:
        model.faults.clear()
        model.faults.rules.extend(faults)
    for address, server in servers.items():
        if server is None:
            model.custom_servers.pop(address, None)
        else:
            model.custom_servers[address] = server
    model.set_unlinked(shape, shapes_in)
    world.changed()
    return shown(world, model)


def _shape(value: Any, at: str) -> UnlinkedShape:
    if value not in SHAPES:
        raise InvalidRequestError(f"{at}: one of {', '.join(SHAPES)} is needed.")
    return cast("UnlinkedShape", value)


def _shapes_in(world: "World", model: DnsModel, value: Any) -> dict[str, UnlinkedShape]:
    """Give the networks' own shapes, as they are with these changes; null takes one back."""
    if not isinstance(value, dict):
        raise InvalidRequestError("unlinkedIn: an object {VNET: shape or null} is needed.")
    found = dict(model.unlinked_in)
    for vnet_id, shape in value.items():
        key = _network(world, vnet_id, "unlinkedIn").id.lower()
        if shape is None:
            found.pop(key, None)
        else:
            found[key] = _shape(shape, f"unlinkedIn.{vnet_id}")
    return found


def _servers(world: "World", value: Any) -> dict[str, CustomServer | None]:
    if not isinstance(value, dict):
        raise InvalidRequestError('customServers: an object {ADDRESS: {"forwardsTo": VNET or null} or null} is needed.')
    found: dict[str, CustomServer | None] = {}
    for text, given in value.items():
        address = _address(text, f"customServers.{text}")
        if given is None:
            found[address] = None
            continue
        if not isinstance(given, dict) or set(given) != {"forwardsTo"}:
            raise InvalidRequestError(f'customServers.{text}: {{"forwardsTo": VNET or null}} or null is needed.')
        target = given["forwardsTo"]
        network = None if target is None else _network(world, target, f"customServers.{text}.forwardsTo")
        found[address] = CustomServer(address, network.id.lower() if network else None)
    return found


def _add_machine(world: "World", model: DnsModel, body: dict[str, Any]) -> dict[str, Any]:
    must_be_known(body, _MACHINE)
    network = _network(world, body.get("vnet"), "vnet")
    name, address = body.get("name"), _address(body.get("ip"), "ip")
    if not isinstance(name, str) or not _MACHINE_NAME.fullmatch(name):
        raise InvalidRequestError("name: a virtual machine's name is needed: letters, digits and hyphens.")
    if not any(_contains(prefix, address) for prefix in network.address_prefixes):
        raise InvalidRequestError(f"ip: {address} is in no address prefix of {network.name}.")
    machine = VirtualMachine(network.id.lower(), name, address)
    model.add_machine(machine)
    world.changed()
    return _shown_machine(machine)


def _drop_machine(world: "World", model: DnsModel, body: dict[str, Any]) -> dict[str, Any]:
    must_be_known(body, ("vnet", "name"))
    network, name = _network(world, body.get("vnet"), "vnet"), str(body.get("name"))
    dropped = model.drop_machines(network.id.lower(), name)
    if not dropped:
        raise InvalidRequestError(f"name: there is no virtual machine {name} in {network.name}.")
    world.changed()
    return {"dropped": dropped}


def _shown_machine(machine: VirtualMachine) -> dict[str, Any]:
    given = asdict(machine)
    return {"vnet": given.pop("vnet_id"), **given}


def _network(world: "World", vnet_id: Any, at: str) -> "VirtualNetwork":
    found = world.vnets.get(vnet_id.lower()) if isinstance(vnet_id, str) else None
    if found is None:
        raise InvalidRequestError(f"{at}: the id of a virtual network that exists is needed, not {vnet_id!r}.")
    return found


def _address(value: Any, at: str) -> str:
    try:
        if isinstance(value, str):
            return str(ipaddress.ip_address(value))
    except ValueError:
        pass
    raise InvalidRequestError(f"{at}: {value!r} is not an IP address.")


def _contains(prefix: str, address: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(prefix)
