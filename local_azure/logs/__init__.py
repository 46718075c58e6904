"""Log ingestion and log query: the data collection rule's endpoint in front, a workspace on DuckDB behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_azure.logs import control, ingestion, query
from local_azure.logs.store import LogStore

if TYPE_CHECKING:
    from starlette.routing import Route

    from local_azure.world import World


def attach(world: World) -> None:
    """Give the world its log store; the rows are opened by `start`."""
    world.logs = LogStore(world.settings.data_dir)
    world.on_reset.append(world.logs.clear)


def routes(world: World) -> list[Route]:
    """Give the ingestion endpoint, the query endpoint and what steers them."""
    return [*ingestion.routes(world), *query.routes(world), *control.routes(world)]


async def start(world: World) -> None:
    """Open the rows: in memory, or in the data directory. Raises LogStoreError when they cannot be opened."""
    world.logs.open()


async def stop(world: World) -> None:
    """Close the rows; what is in a file is written."""
    world.logs.close()
