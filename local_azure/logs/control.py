"""`/_local/logs`: what ingestion counted, how late rows become visible, and Application Insights' log lines."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kql import tables

if TYPE_CHECKING:
    from starlette.requests import Request

    from local_azure.world import World

_SETTING: Final = "ingestion_latency_seconds"
_LONGEST_LATENCY_SECONDS: Final = 24 * 3600


def routes(world: World) -> list[Route]:
    """Give the control endpoints of one world; no authentication, loopback only."""
    control = Control(world)
    return [
        Route("/_local/logs", control.logs, methods=["GET", "PATCH"]),
        Route("/_local/logs/traces", control.traces, methods=["POST"]),
    ]


class Control:
    """The endpoints of one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def logs(self, request: Request) -> Response:
        """GET the counts and the latency; PATCH {"ingestion_latency_seconds": …} (Azure's time, so it is scaled)."""
        store = self._world.logs
        if request.method == "PATCH":
            sent = _json(await request.body())
            value = sent.get(_SETTING) if isinstance(sent, dict) and set(sent) == {_SETTING} else None
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or not 0 <= value <= _LONGEST_LATENCY_SECONDS
            ):
                return _refuse(f'the body must be {{"{_SETTING}": a number from 0 to {_LONGEST_LATENCY_SECONDS}}}')
            store.latency_seconds = float(value)
        counts = {name: store.counts[name] for name in ("uploads", "uploads_lost", "rows_stored", "rows_dropped")}
        return JSONResponse({**counts, _SETTING: store.latency_seconds})

    async def traces(self, request: Request) -> Response:
        """POST log lines: an array of objects with Message and, if wanted, the other columns of AppTraces."""
        lines = _json(await request.body())
        known = {name for name, _ in tables.TRACES.columns} - {tables.RECEIVED}
        if not isinstance(lines, list) or not all(
            isinstance(line, dict) and isinstance(line.get("Message"), str) and set(line) <= known for line in lines
        ):
            return _refuse(
                f"the body must be an array of objects with Message; the columns are {', '.join(sorted(known))}"
            )
        stored = await asyncio.to_thread(self._world.logs.add_traces, lines, received=self._world.now())
        return JSONResponse({"stored": stored})


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _refuse(reason: str) -> Response:
    return JSONResponse({"error": {"code": "InvalidControlRequest", "message": reason}}, 400)
