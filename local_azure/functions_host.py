"""Runs a folder's function_app.py for delivered events, in a process of its own, as the Functions host does.

    python -m local_azure.functions_host --app DIR [--port N] [--grace SECONDS]

prints one JSON line {"url": …, "code": …} when it is ready and serves until SIGTERM or SIGINT. The code (the
eventgrid_extension key) is taken from FUNCTIONS_HOST_CODE, which the app does not get to see, or made up.

    POST /runtime/webhooks/EventGrid?functionName=F&code=KEY   what Event Grid sends; see functions_http
    POST /admin/functions/F                                    run F now (timers): 202 at once, its outcome with ?wait=1
    GET  /admin/host/status                                    state, functions, how many are executing

Left out: retry policies, timer schedules, output bindings, HTTP triggers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import secrets
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uvicorn

from local_azure.functions_http import FunctionsHost
from local_azure.functions_worker import AppError, load

if TYPE_CHECKING:
    from collections.abc import Callable

CODE_VARIABLE: Final = "FUNCTIONS_HOST_CODE"
GRACE_SECONDS: Final = 10.0
"""How long functions may go on after SIGTERM, unless --grace says otherwise."""
EX_OK, EX_APP, EX_CANNOT_LISTEN = 0, 1, 69

log = logging.getLogger("Host")


class _Server(uvicorn.Server):
    """uvicorn's server; says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self._ready()


async def serve(host: FunctionsHost, sock: socket.socket, grace: float, ready: Callable[[], None]) -> bool:
    """Serve until SIGTERM or SIGINT; give whether every function had ended `grace` seconds later."""
    server = _Server(
        uvicorn.Config(
            host.app(),
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=1,
        ),
        ready,
    )

    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    await server._serve([sock])  # noqa: SLF001 - serve() would raise the signal again, and the process exit with it
    try:
        await asyncio.wait_for(host.idle.wait(), grace)
    except TimeoutError:
        return False
    return True


def main(arguments: list[str] | None = None) -> int:
    """Run the host; give the exit code: 0 stopped, 1 no usable app, 2 bad arguments, 69 the port is taken."""
    parser = argparse.ArgumentParser(
        prog="local_azure.functions_host", description="Runs a function app on this machine."
    )
    parser.add_argument("--app", type=Path, required=True, help="the folder that holds function_app.py")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--grace", type=float, default=GRACE_SECONDS, help="seconds that functions may go on after the stop"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="[%(asctime)s] %(name)s: %(message)s", datefmt="%Y-%m-%dT%H:%M:%S"
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    code = os.environ.pop(CODE_VARIABLE, "") or secrets.token_urlsafe(32)
    announced, sys.stdout = sys.stdout, sys.stderr  # what functions print must not be taken for the ready line
    try:
        functions = load(options.app.resolve())
    except AppError as error:
        log.error("%s", error, exc_info=error.__cause__)  # noqa: TRY400 - the app's traceback, not this one
        return EX_APP
    try:
        sock = listen(options.port)
    except OSError as error:
        reason = f"can't listen on 127.0.0.1:{options.port}: {error.strerror}; choose another --port"
        log.error(reason)  # noqa: TRY400 - the reason is all there is to know
        return EX_CANNOT_LISTEN
    line = json.dumps({"url": f"http://127.0.0.1:{sock.getsockname()[1]}", "code": code})
    ended = asyncio.run(
        serve(FunctionsHost(functions, code), sock, options.grace, lambda: print(line, file=announced, flush=True))
    )
    if not ended:
        log.error("functions are still executing %g s after the stop; leaving them", options.grace)
        logging.shutdown()
        os._exit(EX_OK)  # their threads would keep the process for as long as they like
    return EX_OK


def listen(port: int) -> socket.socket:
    """Bind a loopback socket. Raises OSError."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
    except OSError:
        sock.close()
        raise
    return sock


if __name__ == "__main__":
    sys.exit(main())
