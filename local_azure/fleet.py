"""A small fleet on a running local Azure: what tests, benchmarks and demos do to Azure, in their own words.

Everything goes over HTTPS as any ARM client would, so every change emits its event.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import requests

from core.arm_id import ArmId, container_group_id
from local_azure.server import LocalAzure

DNS_GROUP: Final = "rg-dns"
_VERSIONS: Final = {"containerinstance": "2023-05-01", "virtualnetworks/": "2023-11-01"}
_DNS_VERSION: Final = "2024-06-01"
_DONE: Final = {"Succeeded", "Failed", "Canceled"}
_POLLS: Final = 2000


@dataclass
class Fleet:
    """Speaks ARM to a local Azure. Paths begin below /subscriptions/…/resourceGroups/."""

    azure: LocalAzure
    subscription: str = "00000000-0000-0000-0000-000000000001"
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False
        self.session.verify = str(self.azure.ca)
        self.session.headers["Authorization"] = "Bearer fleet"

    def arm(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """Send one request; raises for an error status."""
        version = next((date for part, date in _VERSIONS.items() if part in path.lower()), _DNS_VERSION)
        url = f"{self.azure.arm}/subscriptions/{self.subscription}/resourceGroups/{path}?api-version={version}"
        answer = self.session.request(method, url, json=body, headers=headers, timeout=10)
        answer.raise_for_status()
        return answer

    def finish(self, answer: requests.Response) -> None:
        """Wait for the end of a long-running operation, if the answer began one."""
        url = answer.headers.get("Azure-AsyncOperation")
        for _ in range(_POLLS if url else 0):
            if self.session.get(str(url), timeout=10).json()["status"] in _DONE:
                return
            time.sleep(0.005)

    def vnet(self, name: str, prefix: str, group: str = "rg-net", dns_servers: Sequence[str] = ()) -> str:
        """Make a virtual network whose one subnet, `aci`, is all of it; gives the network's id.

        With `dns_servers` its clients ask those instead of Azure's resolver.
        """
        path = f"{group}/providers/Microsoft.Network/virtualNetworks/{name}"
        subnet = {"name": "aci", "properties": {"addressPrefix": prefix}}
        properties: dict[str, Any] = {"addressSpace": {"addressPrefixes": [prefix]}, "subnets": [subnet]}
        if dns_servers:
            properties["dhcpOptions"] = {"dnsServers": list(dns_servers)}
        self.finish(self.arm("PUT", path, {"location": "westeurope", "properties": properties}))
        return f"/subscriptions/{self.subscription}/resourceGroups/{path}"

    def zone(self, name: str, *vnets: str, group: str = DNS_GROUP) -> None:
        """Make a private zone and link it to the virtual networks."""
        path = f"{group}/providers/Microsoft.Network/privateDnsZones/{name}"
        self.finish(self.arm("PUT", path, {"location": "global"}))
        for vnet in vnets:
            self.link(name, vnet, group=group)

    def link(self, zone: str, vnet: str, *, registration: bool = False, group: str = DNS_GROUP) -> None:
        """Link a private zone to a virtual network, under the network's name."""
        properties = {"virtualNetwork": {"id": vnet}, "registrationEnabled": registration}
        body = {"location": "global", "properties": properties}
        self.finish(self.arm("PUT", self._link(zone, vnet, group), body))

    def unlink(self, zone: str, vnet: str, *, group: str = DNS_GROUP) -> None:
        """Take back what `link` or `zone` made."""
        self.finish(self.arm("DELETE", self._link(zone, vnet, group)))

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request below /_local/ and give its answer; raises for an error status."""
        answer = self.session.request(method, f"{self.azure.arm}/_local/{path}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def create(self, group: str, name: str, vnet: str | None, *, ports: bool = True) -> str:
        """Create a container group and wait until it is up; gives its address, or nothing when it has none."""
        exposed: list[dict[str, Any]] = [{"port": 80, "protocol": "TCP"}] if ports else []
        container = {
            "name": "app",
            "properties": {
                "image": "nginx",
                "ports": exposed,
                "resources": {"requests": {"cpu": 1.0, "memoryInGB": 1.0}},
            },
        }
        properties: dict[str, Any] = {"containers": [container], "osType": "Linux", "restartPolicy": "Always"}
        if ports:
            properties["ipAddress"] = {"type": "Private" if vnet else "Public", "ports": exposed}
        if vnet:
            properties["subnetIds"] = [{"id": f"{vnet}/subnets/aci"}]
        body = {"location": "westeurope", "properties": properties}
        self.finish(self.arm("PUT", self._group(group, name), body))
        return self.address(group, name)

    def delete(self, group: str, name: str) -> None:
        """Delete a container group."""
        self.finish(self.arm("DELETE", self._group(group, name)))

    def restart(self, group: str, name: str, *, new_address: bool = True) -> str:
        """Restart a container group, with a new address or not; gives the address."""
        self.azure.world.settings.new_ip_on_restart = new_address
        self.finish(self.arm("POST", self._group(group, name) + "/restart"))
        return self.address(group, name)

    def act(self, group: str, name: str, action: str) -> None:
        """Stop or start a container group, and wait until it has."""
        self.finish(self.arm("POST", f"{self._group(group, name)}/{action}"))
        for _ in range(_POLLS):
            properties = self.arm("GET", self._group(group, name)).json()["properties"]
            if properties["provisioningState"] == "Succeeded":
                return
            time.sleep(0.005)

    def move(self, group: str, name: str) -> str:
        """Move a container group as the platform does: a new address, and no event; gives the address."""
        self.session.post(f"{self.azure.arm}/_local/groups{self.id(group, name)}/move", timeout=10).raise_for_status()
        return self.address(group, name)

    def address(self, group: str, name: str) -> str:
        """Give a container group's address, or nothing."""
        properties = self.arm("GET", self._group(group, name)).json()["properties"]
        return str(properties.get("ipAddress", {}).get("ip") or "")

    def id(self, group: str, name: str) -> ArmId:
        """Give a container group's id."""
        return container_group_id(self.subscription, group, name)

    def put_record(
        self, zone: str, kind: str, name: str, *values: str, ttl: int = 300, metadata: dict[str, str] | None = None
    ) -> None:
        """Write a record set by hand, over whatever is there."""
        key, inner = {"A": ("aRecords", "ipv4Address"), "AAAA": ("aaaaRecords", "ipv6Address")}.get(
            kind, ("ptrRecords", "ptrdname")
        )
        properties = {"ttl": ttl, key: [{inner: value} for value in values], "metadata": metadata or {}}
        self.arm("PUT", self._record(zone, kind, name), {"properties": properties})

    def delete_record(self, zone: str, kind: str, name: str) -> None:
        """Delete a record set by hand."""
        self.arm("DELETE", self._record(zone, kind, name))

    def records(self, *kinds: str) -> dict[str, tuple[str, ...]]:
        """Give every record set of these types in all zones: "A web.corp.internal" → its values."""

        def read() -> dict[str, tuple[str, ...]]:
            found = {}
            for zone in self.azure.world.zones.values():
                for (kind, name), record_set in zone.record_sets.items():
                    if kind in (kinds or ("A", "AAAA", "PTR")):
                        found[f"{kind} {name}.{zone.name}"] = _values(record_set.properties)
            return found

        return self.azure.call(read)

    def _group(self, group: str, name: str) -> str:
        return f"{group}/providers/Microsoft.ContainerInstance/containerGroups/{name}"

    def _link(self, zone: str, vnet: str, group: str) -> str:
        links = f"{group}/providers/Microsoft.Network/privateDnsZones/{zone}/virtualNetworkLinks"
        return f"{links}/{vnet.rsplit('/', 1)[1]}"

    def _record(self, zone: str, kind: str, name: str) -> str:
        return f"{DNS_GROUP}/providers/Microsoft.Network/privateDnsZones/{zone}/{kind}/{name}"


def _values(properties: dict[str, Any]) -> tuple[str, ...]:
    entries: list[dict[str, Any]] = next((value for key, value in properties.items() if key.endswith("Records")), [])
    return tuple(str(next(iter(entry.values()))) for entry in entries)
