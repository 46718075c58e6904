"""What the probe may be told: whom to ask for, whom to ask, from where, how patiently. Values; read at the door."""

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.arm_id import SUBSCRIPTION_ID, ArmId
from core.environment import EnvironmentReader, ReadFile
from core.errors import InputError

DNS_PORT: Final = 53
SYSTEM: Final = "system"
VIRTUAL_NETWORK: Final = "Microsoft.Network/virtualNetworks"
MAX_TARGETS_LENGTH: Final = 10_000_000
_SUBNET = re.compile(r"[\w.\-/()]{1,400}", re.ASCII)
_HOST: Final = r"[0-9A-Fa-f:.]+(?:%[\w.\-]+)?"
_RESOLVER = re.compile(rf"(?:\[(?P<bracketed>{_HOST})\]|(?P<bare>{_HOST}))(?:#(?P<port>[0-9]{{1,5}}))?", re.ASCII)
_MAX_PORT: Final = 65535


class TargetSource(StrEnum):
    """Where the names and addresses to ask for come from."""

    LIVE = "live"
    DNS = "dns"
    GIVEN = "given"


class Emit(StrEnum):
    """Which targets become a row: all, or those that fail. `probe_completed` is always one."""

    ALL = "all"
    FAILURES = "failures"


@dataclass(frozen=True, slots=True)
class ResolverAddress:
    """One name server: an IP address and a port."""

    host: str
    port: int = DNS_PORT

    @staticmethod
    def parse(text: str) -> "ResolverAddress":
        """Read `10.0.0.4`, `10.0.0.4#5353`, `fd00::1#53` or `[fd00::1]#53`; raises InputError."""
        found = _RESOLVER.fullmatch(text)
        try:
            host = str(ipaddress.ip_address((found["bracketed"] or found["bare"]) if found else ""))
        except ValueError as error:
            raise InputError(f"not the address of a name server (address or address#port): {text[:80]!a}") from error
        port = int((found and found["port"]) or DNS_PORT)
        if not 1 <= port <= _MAX_PORT:
            raise InputError(f"a port is between 1 and {_MAX_PORT}: {text[:80]!a}")
        return ResolverAddress(host, port)

    @property
    def is_ipv6(self) -> bool:
        """Tell the family of the address."""
        return ":" in self.host

    def __str__(self) -> str:
        return self.host if self.port == DNS_PORT else f"{self.host}#{self.port}"


@dataclass(frozen=True, slots=True)
class ProbeSettings:
    """The probe's settings.

    `targets_text` is the text of PROBE_TARGETS or of the file, not parsed yet. `resolvers` holds `system` or addresses,
    each of which is asked on its own. `vnets` are the ids of the virtual networks that must see every zone. With
    `cross_check` the zones and their links are read, for which Reader is needed. Times are seconds.
    """

    source: TargetSource = TargetSource.LIVE
    targets_text: str = ""
    targets_source: str = "PROBE_TARGETS"
    resolvers: tuple[str, ...] = (SYSTEM,)
    vantage: str = ""
    subnet: str = ""
    vnets: tuple[str, ...] = ()
    subscription_id: str | None = None
    cross_check: bool = True
    emit: Emit = Emit.ALL
    concurrency: int = 500
    timeout_seconds: float = 2.0
    attempts: int = 3
    deadline_seconds: float = 120.0
    confirm_seconds: float = 10.0

    @staticmethod
    def read(reader: EnvironmentReader, read_file: ReadFile) -> "ProbeSettings":
        """Read PROBE_*; what is wrong is noted in the reader."""
        found = reader.text_or_file("PROBE_TARGETS", "PROBE_TARGETS_FILE", read_file)
        targets, source_name = found or ("", "PROBE_TARGETS")
        if len(targets) > MAX_TARGETS_LENGTH:
            reader.reject(source_name, f"{len(targets)} characters; at most {MAX_TARGETS_LENGTH} are taken")
            targets = ""
        given = bool(targets.strip())
        source = reader.choice("PROBE_SOURCE", TargetSource, TargetSource.GIVEN if given else TargetSource.LIVE)
        if source is TargetSource.GIVEN and found and not found[0].strip():
            reader.reject("PROBE_SOURCE", "is 'given', but neither PROBE_TARGETS nor PROBE_TARGETS_FILE holds a target")
        return ProbeSettings(
            source=source,
            targets_text=targets,
            targets_source=source_name,
            resolvers=_resolvers(reader),
            vantage=_vnet(reader, "PROBE_VANTAGE", reader.text("PROBE_VANTAGE")),
            subnet=reader.matching("PROBE_SUBNET", _SUBNET, "the name or id of a subnet") or "",
            vnets=tuple(filter(None, (_vnet(reader, "PROBE_VNETS", item) for item in reader.items("PROBE_VNETS")))),
            subscription_id=reader.matching("PROBE_SUBSCRIPTION_ID", SUBSCRIPTION_ID, "a subscription id"),
            cross_check=reader.flag("PROBE_CROSS_CHECK", source is not TargetSource.GIVEN),
            emit=reader.choice("PROBE_EMIT", Emit, Emit.ALL),
            concurrency=reader.whole("PROBE_CONCURRENCY", 500, 1, 10_000),
            timeout_seconds=reader.number("PROBE_TIMEOUT_SECONDS", 2.0, 0.05, 60),
            attempts=reader.whole("PROBE_ATTEMPTS", 3, 1, 10),
            deadline_seconds=reader.number("PROBE_DEADLINE_SECONDS", 120.0, 1, 3600),
            confirm_seconds=reader.number("PROBE_CONFIRM_SECONDS", 10.0, 0, 300),
        )


def _resolvers(reader: EnvironmentReader) -> tuple[str, ...]:
    found: list[str] = []
    for item in reader.items("PROBE_RESOLVERS"):
        try:
            found.append(SYSTEM if item.lower() == SYSTEM else str(ResolverAddress.parse(item)))
        except InputError as error:
            reader.reject("PROBE_RESOLVERS", f"{error}; 'system' stands for the system's own")
    return tuple(dict.fromkeys(found)) or (SYSTEM,)


def _vnet(reader: EnvironmentReader, name: str, text: str) -> str:
    if not text:
        return ""
    try:
        parsed = ArmId.parse(text)
    except InputError as error:
        reader.reject(name, str(error))
        return ""
    if not parsed.is_a(VIRTUAL_NETWORK):
        reader.reject(name, f"the id of a virtual network is expected, not of {parsed.type}: {text[:200]!a}")
        return ""
    return str(parsed)
