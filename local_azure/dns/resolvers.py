"""The resolvers of one World: a DNS server for each of its virtual networks, come and gone with them.

On Linux every address of 127.0.0.0/8 can be bound without root, so each virtual network gets its own, derived from its
id, and all of them share one port where it is free. Elsewhere (macOS) they share 127.0.0.1 and differ in the port.
"""

import asyncio
import contextlib
import hashlib
from typing import TYPE_CHECKING

import dns.message
import dns.rdatatype

from local_azure.dns.faults import Asked, DnsFault
from local_azure.dns.model import DnsModel, resolve
from local_azure.dns.server import DnsServer, Transport

if TYPE_CHECKING:
    from local_azure.world import World


class Resolvers:
    """The DNS servers of one World, one for each of its virtual networks."""

    def __init__(self, world: "World", model: DnsModel) -> None:
        self._world = world
        self._model = model
        self._servers: dict[str, DnsServer] = {}
        self._port = 0
        self._busy = asyncio.Lock()
        self._wanted: set[asyncio.Task[None]] = set()
        self._stopped = False

    def changed(self) -> None:
        """Bring the servers in line soon: the set of virtual networks may have changed."""
        task = asyncio.get_running_loop().create_task(self.sync())
        self._wanted.add(task)
        task.add_done_callback(self._wanted.discard)

    async def sync(self) -> None:
        """One running server for each virtual network, none for others."""
        async with self._busy:
            if self._stopped:
                return
            vnets = self._world.vnets
            for gone in self._servers.keys() - vnets.keys():
                self._world.dns_addresses.pop(gone, None)
                await self._servers.pop(gone).stop()
            for vnet_id in vnets.keys() - self._servers.keys():
                server = await self._listen(vnet_id)
                self._servers[vnet_id] = server
                self._world.dns_addresses[vnet_id] = server.address

    async def stop(self) -> None:
        """Stop all servers."""
        self._stopped = True  # syncs on their way end by themselves: cancelled, they would leave sockets behind
        async with self._busy:
            for server in self._servers.values():
                await server.stop()
            self._servers.clear()
            self._world.dns_addresses.clear()
        await asyncio.gather(*self._wanted)

    async def _listen(self, vnet_id: str) -> DnsServer:
        server = DnsServer(
            lambda query: resolve(self._world, self._model, vnet_id, query),
            find_fault=lambda query, transport: self._fault(vnet_id, query, transport),
        )
        taken = {held.host for held in self._servers.values()}
        hosts = [host for host in loopback_candidates(vnet_id) if host not in taken]
        for host, port in [(hosts[0], self._port), (hosts[0], 0), (hosts[1], 0), ("127.0.0.1", 0)]:
            with contextlib.suppress(OSError):
                await server.start(host, port)
                self._port = self._port or server.port
                return server
        raise OSError(
            f"no loopback address can be bound for the resolver of {vnet_id}; tried {hosts[:2]} and 127.0.0.1"
        )

    def _fault(self, vnet_id: str, query: dns.message.Message, transport: Transport) -> DnsFault | None:
        if not query.question:
            return None
        asked = query.question[0]
        name, kind = asked.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(asked.rdtype)
        return self._model.faults.match(Asked(vnet_id, name, kind, transport))


def loopback_candidates(vnet_id: str) -> list[str]:
    """Give loopback addresses for a virtual network, the same each time, away from the services on 127.0.0.x."""
    digests = (hashlib.sha256(f"{vnet_id.lower()}#{salt}".encode()).digest() for salt in range(8))
    return [f"127.{64 + digest[0] % 64}.{digest[1]}.{1 + digest[2] % 254}" for digest in digests]
