"""One ASGI application for everything that the local Azure serves over HTTPS."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from starlette.routing import Match, Route

from local_azure import control, identity
from local_azure.arm.router import ArmApp
from local_azure.middleware import Front

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from starlette.types import ASGIApp, Receive, Scope, Send

    from local_azure.world import World

# Parts with a life of their own: each may offer routes(world), attach(world), start(world) and stop(world).
PARTS = ("local_azure.eventgrid", "local_azure.dns", "local_azure.logs")


def load_parts(names: Sequence[str] = PARTS) -> list[ModuleType]:
    """Import parts when they are needed: a test of ARM alone pays for no DuckDB."""
    return [import_module(name) for name in names]


def build_app(world: World, parts: Sequence[ModuleType]) -> Front:
    """Build the application; attaches the parts to the world but starts none of them."""
    routes = [*identity.routes(world), *control.routes(world)]
    for part in parts:
        if hasattr(part, "attach"):
            part.attach(world)
        if hasattr(part, "routes"):
            routes += part.routes(world)
    return Front(world, _Dispatch(routes, ArmApp(world)))


class _Dispatch:
    """Sends a request to the first route that matches, and what matches none to ARM."""

    def __init__(self, routes: list[Route], arm: ASGIApp) -> None:
        self._routes = routes
        self._arm = arm

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_arm(scope["path"].lower()):
            for route in self._routes:
                match, child = route.matches(scope)
                if match is not Match.NONE:
                    scope.update(child)
                    await route.handle(scope, receive, send)
                    return
        await self._arm(scope, receive, send)


# ARM paths of these providers have their own router; those of others belong to the part that offers a route.
_ARM_PROVIDERS = ("microsoft.network", "microsoft.containerinstance", "microsoft.resources")


def _is_arm(path: str) -> bool:
    """Whether a path certainly is ARM's own; keeps the busiest requests from trying every other route first."""
    if not path.startswith("/subscriptions/"):
        return False
    _, found, rest = path.rpartition("/providers/")
    return not found or rest.split("/", 1)[0] in _ARM_PROVIDERS
