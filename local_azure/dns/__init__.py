"""A resolver for each virtual network.

Pure: answer (linked zones and a query make a response), platform (names in no linked zone), records, faults, model.
Doing: server (sockets), resolvers (a server for each network), control (`/_local/dns`, `/_local/vms`).
"""

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from local_azure.dns.control import control_routes
from local_azure.dns.faults import DnsFaults
from local_azure.dns.model import DnsModel
from local_azure.dns.resolvers import Resolvers

if TYPE_CHECKING:
    from starlette.routing import Route

    from local_azure.world import World

__all__ = ["DnsModel", "attach", "of", "routes", "start", "stop", "sync"]

_models: "WeakKeyDictionary[World, DnsModel]" = WeakKeyDictionary()
_running: "WeakKeyDictionary[World, Resolvers]" = WeakKeyDictionary()


def attach(world: "World") -> DnsModel:
    """Give the world its DNS model. Safe to call twice."""
    if world not in _models:
        model = _models[world] = DnsModel(DnsFaults(world.seed))
        world.on_reset.append(model.reset)
        world.extra_state["dns"] = (model.save, model.restore)
    return _models[world]


def of(world: "World") -> DnsModel:
    """Give the world's DNS model: machines, custom servers, faults. KeyError when none is attached."""
    return _models[world]


def routes(world: "World") -> "list[Route]":
    """Give the `/_local/dns` and `/_local/vms` routes."""
    return control_routes(world, attach(world), lambda: sync(world))


async def start(world: "World") -> None:
    """Start a resolver for each virtual network, now and whenever one appears."""
    resolvers = _running.setdefault(world, Resolvers(world, attach(world)))
    world.on_vnets_changed.append(resolvers.changed)
    await resolvers.sync()


async def stop(world: "World") -> None:
    """Stop the world's resolvers."""
    resolvers = _running.pop(world, None)
    if resolvers is not None:
        world.on_vnets_changed.remove(resolvers.changed)
        await resolvers.stop()


async def sync(world: "World") -> None:
    """Bring the resolvers in line with `world.vnets` now; afterwards `world.dns_addresses` is complete.

    Nothing is done for a world whose resolvers were not started.
    """
    if world in _running:
        await _running[world].sync()
