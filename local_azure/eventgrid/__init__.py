"""Event Grid: ARM operations become events, events reach subscribers, at least once and in no order.

Pure: envelope (what an event looks like), filter, schedule (when to try again), model (definitions), faults, delivery.
Doing: broker (who hears of what), dispatch (attempts and waits), post (HTTP), validation, and two control planes:
ARM's (control_plane) and our own (local).
"""

from typing import TYPE_CHECKING

from local_azure.eventgrid import control_plane, custom_topic
from local_azure.eventgrid.broker import EventGrid
from local_azure.eventgrid.local import local_routes

if TYPE_CHECKING:
    from starlette.routing import Route

    from local_azure.world import World

__all__ = ["EventGrid", "attach", "of", "routes", "start", "stop", "wait_idle"]


def attach(world: "World") -> EventGrid:
    """Make Event Grid the world's event sink. Safe to call twice."""
    if not isinstance(world.events, EventGrid):
        grid = EventGrid(world)
        world.events = grid
        world.on_reset.append(grid.reset)
        world.extra_state["eventgrid"] = (grid.save, grid.restore)
        control_plane.register()
    return of(world)


def of(world: "World") -> EventGrid:
    """Give the world's Event Grid. TypeError when none is attached."""
    if not isinstance(world.events, EventGrid):
        raise TypeError("no Event Grid is attached to this world: call eventgrid.attach(world)")
    return world.events


def routes(world: "World") -> "list[Route]":
    """Give the routes of `/_local/eventgrid` and of custom topics; ARM's are in ARM's own table."""
    grid = attach(world)
    return [*custom_topic.routes(world, grid), *local_routes(grid)]


async def start(world: "World") -> None:
    """Start delivering."""
    attach(world).start()


async def stop(world: "World") -> None:
    """End all deliveries."""
    await of(world).stop()


async def wait_idle(world: "World", timeout: float) -> None:  # noqa: ASYNC109 - a test's bound, with a message that helps
    """Wait until no delivery is pending; on the loop. Raises TimeoutError that names those that are."""
    await of(world).deliveries.wait_idle(timeout)
