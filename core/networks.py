"""A virtual network as a value: what matters of it to DNS."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VirtualNetwork:
    """A virtual network. `dns_servers` are the ones it hands out; empty means Azure's own, 168.63.129.16."""

    id: str
    dns_servers: tuple[str, ...] = ()
