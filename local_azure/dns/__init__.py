"""A resolver for each virtual network: `answer` decides, `server` listens."""

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local_azure.dns.server import start, stop, sync

if TYPE_CHECKING:
    from starlette.requests import Request

    from local_azure.world import World

__all__ = ["routes", "start", "stop", "sync"]


def routes(world: "World") -> list[Route]:
    """Give `/_local/dns`: where each virtual network's resolver listens, for networks made after the start too."""

    async def addresses(_request: "Request") -> Response:
        return JSONResponse({"resolvers": dict(world.dns_addresses)})

    return [Route("/_local/dns", addresses, methods=["GET"])]
