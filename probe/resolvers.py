"""Whom to ask: the system's name servers, or given ones. Of resolv.conf only its name servers count: no search list."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from core.errors import InputError
from core.probe_settings import SYSTEM, ResolverAddress

RESOLV_CONF: Final = "/etc/resolv.conf"
MAX_SYSTEM_SERVERS: Final = 3
"""glibc's MAXNS: further lines are not used by anybody."""


@dataclass(frozen=True, slots=True)
class ResolverSet:
    """Servers that stand in for one another, asked in this order until one answers. A given address is a set of one."""

    servers: tuple[ResolverAddress, ...]

    def __str__(self) -> str:
        return ",".join(map(str, self.servers))


def resolver_sets(resolvers: Sequence[str], read_file: Callable[[str], str]) -> list[ResolverSet]:
    """Turn the setting into sets; `system` reads /etc/resolv.conf. Sets that are the same are asked once."""
    found = [
        ResolverSet(system_servers(_text(read_file)) if item == SYSTEM else (ResolverAddress.parse(item),))
        for item in resolvers
    ]
    return list(dict.fromkeys(found))


def system_servers(resolv_conf: str) -> tuple[ResolverAddress, ...]:
    """Read the name servers; the local machine when there are none, as resolv.conf(5) says."""
    found: list[ResolverAddress] = []
    for line in resolv_conf.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver":
            try:
                found.append(ResolverAddress.parse(words[1]))
            except InputError:
                continue  # as the system's resolver does
    return tuple(found[:MAX_SYSTEM_SERVERS]) or (ResolverAddress("127.0.0.1"),)


def _text(read_file: Callable[[str], str]) -> str:
    try:
        return read_file(RESOLV_CONF)
    except (OSError, UnicodeDecodeError):
        return ""
