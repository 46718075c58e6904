"""Servers that know no views: one process for each vantage, all started at the same time."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import ClassVar

from local_azure.peers.nobody import closed_endpoint
from local_azure.peers.process import Endpoint, Launch, Server
from local_azure.peers.situations import Vantage
from local_azure.peers.stacked import Stacked


class OneForEach(Stacked):
    """The part that Knot, NSD and Unbound share. `launch` says how a vantage's server is started."""

    program: ClassVar[str]
    vantages: ClassVar[tuple[Vantage, ...]]

    def __init__(self) -> None:
        super().__init__()
        self.servers: dict[Vantage, Server] = {}

    def launch(self, vantage: Vantage, directory: Path, port: int) -> Launch:
        """Say how the server of a vantage is started in an empty directory."""
        raise NotImplementedError

    def begin(self, stack: ExitStack) -> None:
        """Start the parts."""
        self._closed = closed_endpoint()
        self.servers = {
            vantage: Server(partial(self.launch, vantage)) for vantage in self.vantages if vantage is not Vantage.NOBODY
        }
        for server in self.servers.values():
            stack.callback(server.stop)
            server.begin()
        for server in self.servers.values():
            server.wait()

    def endpoint(self, vantage: Vantage) -> Endpoint:
        """Give where a client of this vantage asks."""
        if vantage is Vantage.NOBODY:
            return self._closed
        return Endpoint("127.0.0.1", self.servers[vantage].port)
