"""Parses the path of an ARM request; everything is compared without case, as ARM does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

# The spelling that ARM answers with, whatever the caller typed.
PROVIDERS = {
    "microsoft.network": "Microsoft.Network",
    "microsoft.containerinstance": "Microsoft.ContainerInstance",
    "microsoft.resources": "Microsoft.Resources",
    "microsoft.eventgrid": "Microsoft.EventGrid",
    "microsoft.insights": "Microsoft.Insights",
    "microsoft.operationalinsights": "Microsoft.OperationalInsights",
    "microsoft.authorization": "Microsoft.Authorization",
}
RECORD_TYPES = ("A", "AAAA", "CNAME", "MX", "PTR", "SOA", "SRV", "TXT")
_TYPES = {
    name.lower(): name
    for name in (
        *("privateDnsZones", "virtualNetworkLinks", "ALL", "virtualNetworks", "subnets", "containerGroups"),
        *("privateDnsOperationStatuses", "privateDnsOperationResults", "resourceGroups", "resources", "providers"),
        *("locations", "operations", "operationResults", "containers", "logs", "exec", "attach", "usages"),
        *("restart", "stop", "start", "cachedImages", "capabilities", "outboundNetworkDependenciesEndpoints"),
        *RECORD_TYPES,
    )
}


def region(location: str) -> str:
    """Give a location as it stands in addresses and paths: `westeurope` for `West Europe`."""
    return location.replace(" ", "").lower()


@dataclass(frozen=True)
class ArmPath:
    """/subscriptions/S/resourceGroups/R/providers/P/T1/N1/T2/N2: names may be one shorter than types (a list).

    `key` identifies the route: lower case, each name replaced by `*`. `provider` is empty for paths without one.
    """

    raw: str
    key: str
    subscription: str = ""
    resource_group: str = ""
    provider: str = ""
    types: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Give the last name, or the resource group's."""
        return self.names[-1] if self.names else self.resource_group

    @property
    def scope(self) -> str:
        """The resource group's id, or the subscription's."""
        group = f"/resourceGroups/{self.resource_group}" if self.resource_group else ""
        return f"/subscriptions/{self.subscription}{group}"

    def id_of(self, depth: int) -> str:
        """Give the id of the resource made of the first `depth` types and names."""
        pairs = zip(self.types[:depth], self.names[:depth], strict=True)
        return f"{self.scope}/providers/{self.provider}/" + "/".join(f"{kind}/{name}" for kind, name in pairs)

    @property
    def id(self) -> str:
        """The id of the resource itself, or for a list or an action of the resource it belongs to."""
        if self.provider:
            return self.id_of(len(self.names))
        return self.scope

    @property
    def type(self) -> str:
        """Give the full resource type, empty without a provider."""
        return "/".join((self.provider, *self.types)) if self.provider else ""


def parse(raw: str) -> ArmPath:
    """Parse a request path (percent-encoded or not). Never fails: an unknown shape gets a key that has no route."""
    parts = [unquote(part) for part in raw.split("/") if part]
    lowered = [part.lower() for part in parts]
    fields: dict[str, Any] = {"raw": raw}
    key: list[str] = []
    at = 0
    if lowered[:1] == ["subscriptions"]:
        key.append("subscriptions")
        at = 1
        if parts[at:]:
            fields["subscription"] = parts[at]
            at += 1
            key.append("*")
    if "subscription" in fields and lowered[at : at + 1] == ["resourcegroups"]:
        key.append("resourcegroups")
        at += 1
        if parts[at:]:
            fields["resource_group"] = parts[at]
            at += 1
            key.append("*")
    if lowered[at : at + 1] == ["providers"] and len(parts) > at + 2:
        return _resource(parts, lowered, at + 1, key, fields)
    return ArmPath(key="/".join(key + lowered[at:]), **fields)


def _resource(parts: list[str], lowered: list[str], at: int, key: list[str], fields: dict[str, Any]) -> ArmPath:
    key += ["providers", lowered[at]]
    types: list[str] = []
    names: list[str] = []
    for index in range(at + 1, len(parts)):
        if (index - at) % 2:
            types.append(_TYPES.get(lowered[index], parts[index]))
            key.append(lowered[index])
        else:
            names.append(parts[index])
            key.append("*")
    provider = PROVIDERS.get(lowered[at], parts[at])
    return ArmPath(key="/".join(key), provider=provider, types=tuple(types), names=tuple(names), **fields)
