"""The local Azure as one more server: a virtual network for each vantage, told apart by nothing but its links."""

import time
from collections.abc import Iterable
from typing import Any, Final

from local_azure.fleet import Fleet
from local_azure.peers.nobody import closed_endpoint
from local_azure.peers.process import Endpoint, PeerError
from local_azure.peers.situations import MACHINE, SEES, ZONES, Vantage

_SPACE: Final = "10.0.0.0/16"
_BYPASS: Final = "10.0.9.54"
_TTL: Final = 10
_START_SECONDS: Final = 10.0
_SHAPES: Final = {
    Vantage.UNLINKED: "empty_zone",
    Vantage.UNLINKED_ROOT: "root",
    Vantage.UNLINKED_AS112: "as112",
}
_FAULTS: Final = {
    Vantage.UNLINKED_OFFLINE: {"kind": "rcode", "rcode": "SERVFAIL", "name": "*.in-addr.arpa"},
    Vantage.SMALL_DATAGRAMS: {"kind": "truncate"},
    Vantage.REFUSED: {"kind": "rcode", "rcode": "REFUSED"},
    Vantage.LAME: {"kind": "lame"},
    Vantage.SILENT: {"kind": "drop"},
}


class Azure:
    """The situations, laid out on an empty local Azure over ARM."""

    program = ""
    vantages = tuple(vantage for vantage in Vantage if vantage is not Vantage.DEFAULTS)

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._closed = closed_endpoint()
        self._networks: dict[Vantage, str] = {}

    def lay_out(self) -> "Azure":
        """Make networks, zones, links, records, machines and faults; wait until every network has its resolver."""
        for vantage in self.vantages:
            servers = [_BYPASS] if vantage is Vantage.BYPASSED else []
            self._networks[vantage] = self._fleet.vnet(f"vnet-{vantage}", _SPACE, dns_servers=servers)
        for zone in ZONES:
            self._zone(zone)
        name, ip = MACHINE
        self._fleet.control("POST", "vms", {"vnet": self._networks[Vantage.PLATFORM], "name": name, "ip": ip})
        self._fleet.control(
            "POST",
            "dns",
            {
                "faults": [{**rule, "vnet": self._networks[vantage]} for vantage, rule in _FAULTS.items()],
                "unlinkedIn": {self._networks[vantage]: shape for vantage, shape in _SHAPES.items()},
            },
        )
        _wait_for_resolvers(self._fleet, self._networks.values())
        return self

    def network(self, vantage: Vantage) -> str:
        """Give the id of a vantage's virtual network."""
        return self._networks[vantage]

    def endpoint(self, vantage: Vantage) -> Endpoint:
        """Give where a client of this vantage asks."""
        if vantage is Vantage.NOBODY:
            return self._closed
        return _resolver(self._fleet, self._networks[vantage])

    def _zone(self, zone: str) -> None:
        linked = [self._networks[vantage] for vantage in self.vantages if self._is_linked(vantage, zone)]
        self._fleet.zone(zone, *linked)
        sets: dict[tuple[str, str], list[str]] = {}
        for record in ZONES[zone]:
            sets.setdefault((record.type, record.name), []).append(record.value)
        for (kind, name), values in sets.items():
            self._fleet.put_record(zone, kind, name, *values, ttl=_TTL)

    def _is_linked(self, vantage: Vantage, zone: str) -> bool:
        # What bypasses Azure has its links, and they do not help: that is the situation.
        seen = SEES[Vantage.LINKED] if vantage is Vantage.BYPASSED else SEES[vantage]
        return zone in seen


class AzureForwarder:
    """Networks with a custom DNS server each, which forwards to Azure's resolver in the network that `Azure` made."""

    program = ""
    vantages = (
        *(Vantage.LINKED, Vantage.UNLINKED, Vantage.UNLINKED_ROOT, Vantage.UNLINKED_AS112),
        *(Vantage.FORWARD_UNLINKED, Vantage.SHADOWED, Vantage.PLATFORM),
    )

    def __init__(self, fleet: Fleet, upstream: Azure) -> None:
        self._fleet = fleet
        self._upstream = upstream
        self._networks: dict[Vantage, str] = {}

    def lay_out(self) -> "AzureForwarder":
        """Make the networks and their servers; the networks themselves are linked to nothing."""
        servers: dict[str, Any] = {}
        for number, vantage in enumerate(self.vantages):
            address = f"10.0.9.{100 + number}"
            self._networks[vantage] = self._fleet.vnet(f"behind-{vantage}", _SPACE, dns_servers=[address])
            servers[address] = {"forwardsTo": self._upstream.network(vantage)}
        self._fleet.control("POST", "dns", {"customServers": servers})
        _wait_for_resolvers(self._fleet, self._networks.values())
        return self

    def endpoint(self, vantage: Vantage) -> Endpoint:
        """Give where a client of this vantage asks."""
        return _resolver(self._fleet, self._networks[vantage])


def _resolver(fleet: Fleet, network: str) -> Endpoint:
    host, port = fleet.azure.dns[network.lower()].rsplit(":", 1)
    return Endpoint(host, int(port))


def _wait_for_resolvers(fleet: Fleet, networks: Iterable[str]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    missing = {network.lower() for network in networks}
    while missing := missing - fleet.azure.dns.keys():
        if time.monotonic() > deadline:
            raise PeerError(f"no resolver for {', '.join(sorted(missing))}")
        time.sleep(0.005)
