"""The table of ARM's routes: which path and method is which operation, and who answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from local_azure.arm import (
    container_groups,
    containers,
    lro,
    networks,
    private_dns_links,
    private_dns_records,
    private_dns_zones,
    resource_groups,
)
from local_azure.arm.call import Call, Reply
from local_azure.arm.paths import PROVIDERS, RECORD_TYPES

Handler = Callable[[Call], Reply]


@dataclass(frozen=True)
class Route:
    """One operation, e.g. privateDns.recordSet.PUT, privateDns.recordSet.LIST or containerGroup.restart."""

    operation: str
    handler: Handler


ROUTES: dict[str, Mapping[str, Route]] = {}
_SUBSCRIPTION = "subscriptions/*"
_GROUP = "subscriptions/*/resourcegroups/*"


def _add(key: str, resource: str, *, operation: str = "", **handlers: Handler) -> None:
    """Register handlers by method; LIST is a GET under another name, and `operation` names a lone action."""
    ROUTES[key] = {
        ("GET" if method == "LIST" else method): Route(operation or f"{resource}.{method}", handler)
        for method, handler in handlers.items()
    }


def _private_dns() -> None:
    zones, links, records = private_dns_zones, private_dns_links, private_dns_records
    base = f"{_GROUP}/providers/microsoft.network"
    zone = f"{base}/privatednszones/*"
    for scope in (_SUBSCRIPTION, _GROUP):
        _add(f"{scope}/providers/microsoft.network/privatednszones", "privateDns.zone", LIST=zones.listing)
    _add(zone, "privateDns.zone", GET=zones.get, PUT=zones.put, PATCH=zones.patch, DELETE=zones.delete)
    _add(f"{zone}/virtualnetworklinks", "privateDns.link", LIST=links.listing)
    _add(
        f"{zone}/virtualnetworklinks/*",
        "privateDns.link",
        GET=links.get,
        PUT=links.put,
        PATCH=links.patch,
        DELETE=links.delete,
    )
    for kind in RECORD_TYPES:
        _add(f"{zone}/{kind.lower()}", "privateDns.recordSet", LIST=records.listing)
        _add(
            f"{zone}/{kind.lower()}/*",
            "privateDns.recordSet",
            GET=records.get,
            PUT=records.put,
            PATCH=records.patch,
            DELETE=records.delete,
        )
    _add(f"{zone}/all", "privateDns.recordSet", LIST=records.listing)
    _add(f"{base}/privatednsoperationstatuses/*", "privateDns.operation", GET=lro.dns_status)
    _add(f"{base}/privatednsoperationresults/*", "privateDns.operation", GET=lro.dns_result)


def _container_instance() -> None:
    groups = container_groups
    group = f"{_GROUP}/providers/microsoft.containerinstance/containergroups/*"
    for scope in (_SUBSCRIPTION, _GROUP):
        _add(f"{scope}/providers/microsoft.containerinstance/containergroups", "containerGroup", LIST=groups.listing)
    _add(group, "containerGroup", GET=groups.get, PUT=groups.put, PATCH=groups.patch, DELETE=groups.delete)
    for name, action in (("restart", groups.restart), ("stop", groups.stop), ("start", groups.start)):
        _add(f"{group}/{name}", "containerGroup", operation=f"containerGroup.{name}", POST=action)
    _add(
        f"{group}/outboundnetworkdependenciesendpoints",
        "containerGroup.dependencies",
        GET=containers.outbound_dependencies,
    )
    _add(f"{group}/containers/*/logs", "container", operation="container.logs", GET=containers.logs)
    _add(f"{group}/containers/*/exec", "container", operation="container.exec", POST=containers.terminal)
    _add(f"{group}/containers/*/attach", "container", operation="container.attach", POST=containers.terminal)
    location = f"{_SUBSCRIPTION}/providers/microsoft.containerinstance/locations/*"
    _add(f"{location}/operations/*", "containerGroup.operation", GET=lro.container_status)
    _add(f"{location}/usages", "containerInstance.usages", LIST=containers.usages)


def _network() -> None:
    nets = networks
    vnet = f"{_GROUP}/providers/microsoft.network/virtualnetworks/*"
    for scope in (_SUBSCRIPTION, _GROUP):
        _add(f"{scope}/providers/microsoft.network/virtualnetworks", "virtualNetwork", LIST=nets.listing)
    _add(vnet, "virtualNetwork", GET=nets.get, PUT=nets.put, PATCH=nets.patch, DELETE=nets.delete)
    _add(f"{vnet}/subnets", "subnet", LIST=nets.list_subnets)
    _add(f"{vnet}/subnets/*", "subnet", GET=nets.get_subnet, PUT=nets.put_subnet, DELETE=nets.delete_subnet)
    location = f"{_SUBSCRIPTION}/providers/microsoft.network/locations/*"
    _add(f"{location}/operations/*", "network.operation", GET=lro.network_status)


def _resources() -> None:
    them = resource_groups
    _add("subscriptions", "subscription", LIST=them.list_subscriptions)
    _add(_SUBSCRIPTION, "subscription", GET=them.get_subscription)
    _add("tenants", "tenant", LIST=them.list_tenants)
    _add(f"{_SUBSCRIPTION}/locations", "location", LIST=them.list_locations)
    _add(f"{_SUBSCRIPTION}/resourcegroups", "resourceGroup", LIST=them.listing)
    _add(
        _GROUP,
        "resourceGroup",
        GET=them.get,
        HEAD=them.head,
        PUT=them.put,
        PATCH=them.patch,
        DELETE=them.delete,
    )
    for scope in (_SUBSCRIPTION, _GROUP):
        _add(f"{scope}/resources", "resource", LIST=them.resources)
    _add(f"{_SUBSCRIPTION}/providers", "provider", LIST=them.list_providers)
    _add("providers", "provider", LIST=them.list_providers)
    for namespace in PROVIDERS:
        _add(f"{_SUBSCRIPTION}/providers/{namespace}", "provider", GET=them.get_provider)
        _add(f"{_SUBSCRIPTION}/providers/{namespace}/register", "provider", POST=them.get_provider)


_private_dns()
_container_instance()
_network()
_resources()
