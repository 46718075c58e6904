"""Zones as master files, for every server that reads them. Pure."""

from collections.abc import Mapping
from typing import Final

from local_azure.dns.platform import DEFAULT_TTL
from local_azure.dns.records import SOA_DEFAULTS, SOA_TTL
from local_azure.peers.situations import MACHINE_NAME, REVERSE6, SEES, WHOLE, ZONES, Vantage

_SOA_FIELDS: Final = ("serialNumber", "refreshTime", "retryTime", "expireTime", "minimumTtl")
_AZURE: Final = " ".join(str(SOA_DEFAULTS[key]) for key in _SOA_FIELDS)
_AZURE_SOA: Final = f"{SOA_DEFAULTS['host']}. {SOA_DEFAULTS['email']}. {_AZURE}"
_AS112: Final = "prisoner.iana.org. hostmaster.root-servers.org. 1 604800 60 604800 604800"
_ROOT: Final = "a.root-servers.net. nstld.verisign-grs.com. 2024103101 1800 900 604800 86400"


def azure_zone(zone: str) -> str:
    """Give one of the situations' zones with the SOA that Azure gives a new private zone."""
    lines = [f"{r.name} {r.type} {r.value}{'.' if r.type == 'PTR' else ''}" for r in ZONES[zone]]
    return azure_file(*lines)


def azure_file(*lines: str) -> str:
    """Give a master file of these lines (`name type data`, TTL 10) with the SOA that Azure gives a new private zone."""
    return _file(_AZURE_SOA, f"{SOA_DEFAULTS['host']}.", *lines)


def root_zone(*delegated: str) -> str:
    """Give a root that knows nothing but the delegation of these names."""
    delegations = (f"{name}. NS ns.elsewhere.invalid." for name in delegated)
    return _file(_ROOT, "a.root-servers.net.", "a.root-servers.net. A 198.41.0.4", *delegations)


def as112_zone() -> str:
    """Give an empty zone as the public AS112 servers have it (RFC 7534)."""
    return _file(_AS112, "blackhole-1.iana.org.")


def platform_zone() -> str:
    """Give what the platform says of private addresses: a virtual machine's default name, and nothing else."""
    return _file(_ROOT, "a.root-servers.net.", f"4.2.0 PTR {MACHINE_NAME}.")


def files_of(vantage: Vantage, *, has_recursion: bool) -> Mapping[str, str]:
    """Give zone → master file of all that a server needs to answer as this vantage is answered.

    Without recursion (`has_recursion` False) the root stands for all that a resolver would ask others for.
    """
    found = {zone: azure_zone(zone) for zone in SEES[vantage]}
    if vantage in (Vantage.UNLINKED_AS112, Vantage.BYPASSED):
        found |= {zone: as112_zone() for zone in (WHOLE, REVERSE6)}
    if vantage is Vantage.PLATFORM:
        found[WHOLE] = platform_zone()
    if vantage is Vantage.LAME:
        found["."] = root_zone("internal", "arpa")
    elif vantage in (Vantage.UNLINKED_ROOT, Vantage.FORWARD_UNLINKED, Vantage.BYPASSED) or not has_recursion:
        found["."] = root_zone()
    return found


def file_name(zone: str) -> str:
    """Give the name of a zone's file."""
    return f"{zone.strip('.') or 'root'}.zone"


def _file(soa: str, server: str, *lines: str) -> str:
    apex = [f"$TTL {DEFAULT_TTL}", f"@ {SOA_TTL} SOA {soa}", f"@ {SOA_TTL} NS {server}"]
    return "\n".join([*apex, *lines, ""])
