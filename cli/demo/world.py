"""The demo's landscape, as values: a hub with the DNS zones, two spokes with container groups, who hears of what. Pure.

hub        10.0.0.0/16   rg-hub   vnet-hub           rg-dns   the zones, linked to all three networks
spoke one  10.1.0.0/16   rg-one   vnet-one           web, api, batch
spoke two  10.2.0.0/16   rg-two   vnet-two           cache, queue, later worker, and a second web
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

HUB: Final = "00000000-0000-0000-0000-000000000001"
SPOKES: Final = "00000000-0000-0000-0000-000000000002"
FORWARD_ZONE: Final = "aci.corp.internal"
REVERSE_ZONES: Final = ("1.10.in-addr.arpa", "2.10.in-addr.arpa")
ZONES: Final = (FORWARD_ZONE, *REVERSE_ZONES)
TTL_SECONDS: Final = 60
LOCATION: Final = "westeurope"

DNS_API: Final = "2024-06-01"
NETWORK_API: Final = "2024-05-01"
CONTAINER_API: Final = "2023-05-01"
EVENTS_API: Final = "2025-02-15"

ATTEMPTS: Final = 3
"""How often Event Grid tries before it writes a dead letter; its default is 30, over a day."""


CONFIRM_SECONDS: Final = "0.5"
"""Seconds before the probe's second look. In Azure a negative answer lives 10 s; the local resolvers remember none."""


@dataclass(frozen=True, slots=True)
class Network:
    """A virtual network with one subnet for container groups."""

    subscription: str
    resource_group: str
    name: str
    prefix: str
    subnet_prefix: str

    @property
    def id(self) -> str:
        """The resource id."""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.Network/virtualNetworks/{self.name}"
        )

    @property
    def subnet_id(self) -> str:
        """The id of the subnet."""
        return f"{self.id}/subnets/aci"

    def body(self) -> dict[str, Any]:
        """Give the network as ARM takes it."""
        delegation = {"name": "aci", "properties": {"serviceName": "Microsoft.ContainerInstance/containerGroups"}}
        subnet = {"name": "aci", "properties": {"addressPrefix": self.subnet_prefix, "delegations": [delegation]}}
        return {
            "location": LOCATION,
            "properties": {"addressSpace": {"addressPrefixes": [self.prefix]}, "subnets": [subnet]},
        }


@dataclass(frozen=True, slots=True)
class Group:
    """A container group in a spoke."""

    network: Network
    name: str

    @property
    def id(self) -> str:
        """The resource id."""
        return (
            f"/subscriptions/{self.network.subscription}/resourceGroups/{self.network.resource_group}"
            f"/providers/Microsoft.ContainerInstance/containerGroups/{self.name}"
        )

    @property
    def fqdn(self) -> str:
        """The name that must resolve."""
        return f"{self.name}.{FORWARD_ZONE}"

    def body(self) -> dict[str, Any]:
        """Give the group as ARM takes it."""
        port = {"port": 80, "protocol": "TCP"}
        container = {
            "name": self.name,
            "properties": {
                "image": "mcr.microsoft.com/azuredocs/aci-helloworld",
                "ports": [port],
                "resources": {"requests": {"cpu": 1.0, "memoryInGB": 1.5}},
            },
        }
        return {
            "location": LOCATION,
            "properties": {
                "containers": [container],
                "osType": "Linux",
                "ipAddress": {"type": "Private", "ports": [port]},
                "subnetIds": [{"id": self.network.subnet_id}],
            },
        }


HUB_NET: Final = Network(HUB, "rg-hub", "vnet-hub", "10.0.0.0/16", "10.0.0.0/24")
NET_ONE: Final = Network(SPOKES, "rg-one", "vnet-one", "10.1.0.0/16", "10.1.0.0/24")
NET_TWO: Final = Network(SPOKES, "rg-two", "vnet-two", "10.2.0.0/16", "10.2.0.0/24")
NETWORKS: Final = (HUB_NET, NET_ONE, NET_TWO)

WEB: Final = Group(NET_ONE, "web")
API: Final = Group(NET_ONE, "api")
BATCH: Final = Group(NET_ONE, "batch")
CACHE: Final = Group(NET_TWO, "cache")
QUEUE: Final = Group(NET_TWO, "queue")
WORKER: Final = Group(NET_TWO, "worker")
SECOND_WEB: Final = Group(NET_TWO, "web")
FIRST_GROUPS: Final = (WEB, API, BATCH, CACHE, QUEUE)


def zone_map() -> str:
    """Give the zone map as the function app is given it.

    The zones are in another subscription than the groups, so the keys name the groups' one: a record set that somebody
    edited carries no owner mark any more, and only the map tells whose name it is.
    """
    entries = {
        f"{network.subscription}/{network.resource_group}": {
            "forward_zone": FORWARD_ZONE,
            "reverse_zones": list(REVERSE_ZONES),
            "zones_resource_group": "rg-dns",
            "zones_subscription_id": HUB,
            "ttl_seconds": TTL_SECONDS,
        }
        for network in (NET_ONE, NET_TWO)
    }
    return json.dumps(entries, separators=(",", ":"))


def probe_settings(resolver: str) -> dict[str, str]:
    """Give what tells the function app's probe that it is in spoke one; `resolver` is `host:port` of that network."""
    return {
        "PROBE_VANTAGE": NET_ONE.id,
        "PROBE_SUBNET": NET_ONE.subnet_id,
        "PROBE_RESOLVERS": resolver.replace(":", "#"),
        "PROBE_CONFIRM_SECONDS": CONFIRM_SECONDS,
    }


def zone_id(zone: str) -> str:
    """Give the id of one of the zones."""
    return f"/subscriptions/{HUB}/resourceGroups/rg-dns/providers/Microsoft.Network/privateDnsZones/{zone}"


def link_body(network: Network) -> dict[str, Any]:
    """Give a virtual network link as ARM takes it."""
    return {"location": "global", "properties": {"virtualNetwork": {"id": network.id}, "registrationEnabled": False}}


def address_record(ip: str) -> dict[str, Any]:
    """Give an A record set as somebody types it who does not know about owner marks."""
    return {"properties": {"ttl": TTL_SECONDS, "aRecords": [{"ipv4Address": ip}]}}


def event_subscriptions(own_principal: str) -> Mapping[str, dict[str, Any]]:
    """Give the event subscriptions by id: container groups to both functions, hand-made record changes to the tracker.

    The function app's own writes (`own_principal`: its object id) are no news to it, so they are filtered out.
    """
    groups = {
        "operatorType": "StringBeginsWith",
        "key": "data.operationName",
        "values": ["Microsoft.ContainerInstance/containerGroups/"],
    }
    records = {
        "operatorType": "StringBeginsWith",
        "key": "data.operationName",
        "values": [f"Microsoft.Network/privateDnsZones/{kind}/" for kind in ("A", "AAAA", "PTR")],
    }
    others = {
        "operatorType": "StringNotIn",
        "key": "data.authorization.evidence.principalId",
        "values": [own_principal.replace("-", "")],
    }
    spokes, zones = f"/subscriptions/{SPOKES}", f"/subscriptions/{HUB}/resourceGroups/rg-dns"
    base = "providers/Microsoft.EventGrid/eventSubscriptions"
    return {
        f"{spokes}/{base}/reconcile": _event_subscription("reconcile", [groups]),
        f"{spokes}/{base}/track": _event_subscription("track", [groups]),
        f"{zones}/{base}/track-records": _event_subscription("track", [records, others]),
    }


def _event_subscription(function: str, filters: list[dict[str, Any]]) -> dict[str, Any]:
    app = f"/subscriptions/{HUB}/resourceGroups/rg-dns/providers/Microsoft.Web/sites/func-dns"
    letters = f"/subscriptions/{HUB}/resourceGroups/rg-dns/providers/Microsoft.Storage/storageAccounts/stdns"
    return {
        "properties": {
            "destination": {
                "endpointType": "AzureFunction",
                "properties": {"resourceId": f"{app}/functions/{function}", "maxEventsPerBatch": 1},
            },
            "filter": {
                "includedEventTypes": [
                    f"Microsoft.Resources.Resource{kind}Success" for kind in ("Write", "Delete", "Action")
                ],
                "advancedFilters": filters,
            },
            "retryPolicy": {"maxDeliveryAttempts": ATTEMPTS, "eventTimeToLiveInMinutes": 1440},
            "deadLetterDestination": {
                "endpointType": "StorageBlob",
                "properties": {"resourceId": letters, "blobContainerName": "dead-letters"},
            },
        }
    }
