"""Runs the local Azure in a thread of this process: HTTPS, the plain identity endpoint, DNS, Event Grid, logs."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import trustme
import uvicorn

from local_azure import app as application
from local_azure import identity
from local_azure.persistence import StateFile, StateFileError
from local_azure.world import World, WorldSettings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from types import ModuleType, TracebackType

    from starlette.types import ASGIApp

T = TypeVar("T")
HOST = "127.0.0.1"
START_SECONDS = 20.0


class PortInUse(RuntimeError):  # noqa: N818  # says what is the matter
    """The port that was asked for is taken."""


def _listen(port: int) -> socket.socket:
    # With the protocol left at 0 asyncio would not set TCP_NODELAY, and every answer would take 40 ms.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((HOST, port))
        sock.listen(512)
    except OSError as error:
        sock.close()
        raise PortInUse(f"cannot listen on {HOST}:{port}: {error.strerror}; choose another --port") from error
    return sock


class _Server(uvicorn.Server):
    """uvicorn's server without its signal handling: the process belongs to whoever started us."""

    def __init__(self, app: ASGIApp, tls: ssl.SSLContext | None) -> None:
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            ws="none",
            interface="asgi3",
            timeout_keep_alive=120,
            timeout_graceful_shutdown=1,
            backlog=512,
        )
        config.load()
        config.ssl = tls
        super().__init__(config)

    async def serve_on(self, sock: socket.socket) -> None:
        """Serve on a listening socket until `should_exit` is set."""
        await self._serve([sock])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drop idle connections at once: waiting for a TLS goodbye would take the whole graceful second."""
        for connection in list(self.server_state.connections):
            cycle = getattr(connection, "cycle", None)
            if connection.transport is not None and (cycle is None or cycle.response_complete):
                connection.transport.abort()
        await super().shutdown(sockets)
        # TLS waits for the client's goodbye before it closes, and the loop is about to be closed itself.
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0.01)


class LocalAzure:
    """A running local Azure. Use `with LocalAzure.start(seed=1) as azure:`.

    Attributes: arm, ingestion, query, eventgrid (https URLs), identity_endpoint (http URL), identity_header,
    ca (path of the CA's certificate), dns ({virtual network id: "address:port"}), world.
    """

    def __init__(self, world: World, port: int = 0, parts: Sequence[str] = application.PARTS) -> None:
        self.world = world
        self._part_names = parts
        self._tls_socket = _listen(port)
        self._identity_socket = _listen(0)
        self.identity_header = identity.header(world)
        self._directory = tempfile.TemporaryDirectory(prefix="local-azure-")
        self.ca = Path(self._directory.name) / "ca.pem"
        authority = trustme.CA(organization_name="local Azure")
        authority.cert_pem.write_to_path(str(self.ca))
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost", HOST, "::1").configure_cert(self._tls)
        self.port = self._tls_socket.getsockname()[1]
        base = f"https://localhost:{self.port}"
        self.arm = self.ingestion = self.query = self.eventgrid = base
        self.identity_endpoint = f"http://{HOST}:{self._identity_socket.getsockname()[1]}/msi/token"
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="local-azure", daemon=True)

    @classmethod
    def start(
        cls,
        *,
        port: int = 0,
        seed: int = 0,
        data: Path | None = None,
        parts: Sequence[str] = application.PARTS,
        **settings: Any,
    ) -> LocalAzure:
        """Start one. `parts=()` is ARM and identity alone, `settings` are WorldSettings' fields.

        Raises PortInUse and StateFileError.
        """
        world = World(WorldSettings(data_dir=data, **settings), seed)
        azure = cls(world, port, parts)
        azure._thread.start()
        if not azure._ready.wait(START_SECONDS) or azure._failure:
            azure.stop()
            if isinstance(azure._failure, StateFileError):
                raise azure._failure
            raise RuntimeError("the local Azure did not start") from azure._failure
        return azure

    def stop(self) -> None:
        """Stop serving, stop the parts, write the state file. Safe to call twice."""
        if self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # a start that failed has closed its loop before its thread ends
                self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
        self._tls_socket.close()
        self._identity_socket.close()
        self._directory.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def dns(self) -> dict[str, str]:
        """Give each virtual network's resolver, as id -> address:port; those of networks just made are waited for."""
        from local_azure import dns  # noqa: PLC0415 - a part, and parts are loaded as they are asked for

        if self._thread.is_alive():
            self.wait(dns.sync(self.world))
        return dict(self.world.dns_addresses)

    def call(self, action: Callable[[], T]) -> T:
        """Run `action` on the loop, where the world may be changed, and return its value."""

        async def run() -> T:
            return action()

        return self.wait(run())

    def wait(self, work: Awaitable[T]) -> T:
        """Run a coroutine on the loop and return its value."""

        async def run() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    def environment(self) -> dict[str, str]:
        """Give the variables that a product process needs to talk to this local Azure, and nothing else."""
        return {
            "ARM_ENDPOINT": self.arm,
            "REQUESTS_CA_BUNDLE": str(self.ca),
            "IDENTITY_ENDPOINT": self.identity_endpoint,
            "IDENTITY_HEADER": self.identity_header,
            "LOGS_INGESTION_ENDPOINT": self.ingestion,
            "LOGS_DCR_IMMUTABLE_ID": self.world.settings.dcr_immutable_id,
            "LOGS_QUERY_ENDPOINT": self.query,
            "LOGS_WORKSPACE_ID": self.world.settings.workspace_id,
        }

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:  # noqa: BLE001  # it is raised again in the thread that waits
            self._failure = error
        finally:
            self._loop.close()
            self._ready.set()

    async def _serve(self) -> None:
        state, parts = StateFile(self.world), application.load_parts(self._part_names)
        front, plain = application.build_app(self.world, parts), identity.build_app(self.world)
        state.load()
        servers = [(_Server(front, self._tls), self._tls_socket), (_Server(plain, None), self._identity_socket)]
        started: list[ModuleType] = []
        serving: asyncio.Future[list[None]] | None = None
        try:
            for part in parts:
                if hasattr(part, "start"):
                    await part.start(self.world)
                started.append(part)
            serving = asyncio.gather(*(server.serve_on(sock) for server, sock in servers))
            while not all(server.started for server, _ in servers):  # noqa: ASYNC110  # uvicorn offers a flag, no event
                await asyncio.sleep(0.001)
            self._ready.set()
            await self._stop.wait()
        finally:
            for server, _ in servers:
                server.should_exit = True
            front.release()
            plain.release()
            if serving:
                await serving
            for part in reversed(started):
                if hasattr(part, "stop"):
                    await part.stop(self.world)
            state.close()
