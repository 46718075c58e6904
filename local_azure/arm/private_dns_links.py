"""Virtual network links: long-running operations, conflicts found when they end, etags quoted inside the JSON."""

from __future__ import annotations

from typing import Any

from local_azure.arm.call import ArmError, Call, Reply, dns_error, gateway_error, parent_not_found, resource_not_found
from local_azure.arm.private_dns_records import check_conditions, next_link, page_size
from local_azure.arm.private_dns_zones import MAX_LINKS, MAX_REGISTRATION_LINKS, start, tags_of
from local_azure.arm.record_values import bad_request
from local_azure.world import PrivateZone, VirtualNetworkLink, World

POLICIES = ("Default", "NxDomainRedirect")
REVERSE = (".in-addr.arpa", ".ip6.arpa")


def wire(zone: PrivateZone, link: VirtualNetworkLink, api_version: str) -> dict[str, Any]:
    """Give a link as Azure answers it; resolutionPolicy came with 2024-06-01."""
    policy = {"resolutionPolicy": link.resolution_policy} if api_version >= "2024-06-01" else {}
    return {
        "id": f"{zone.id}/virtualNetworkLinks/{link.name}",
        "name": link.name,
        "type": "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
        "etag": link.etag,
        "location": link.location,
        **({"tags": link.tags} if link.tags is not None else {}),
        "properties": {
            "provisioningState": "Succeeded",
            "registrationEnabled": link.registration_enabled,
            **policy,
            "virtualNetwork": {"id": link.vnet_id},
            "virtualNetworkLinkState": link.state,
        },
    }


def new_etag(world: World) -> str:
    """Make an etag in the shape of the service behind links: quoted, four groups, the last a time."""
    bits = world.rng.getrandbits(64)
    return f'"{bits >> 32:08x}-0000-0100-0000-{bits & 0xFFFFFFFF:08x}0000"'


def _zone(call: Call) -> PrivateZone:
    zone = call.world.zones.get(call.path.id_of(1).lower())
    if zone is None:
        # Links are tracked: the front door knows that there is none without looking at the zone.
        raise parent_not_found(call) if call.method in ("PUT", "PATCH") else resource_not_found(call.path)
    return zone


def get(call: Call) -> Reply:
    """Answer GET."""
    zone = _zone(call)
    link = zone.links.get(call.path.name.lower())
    if link is None:
        raise resource_not_found(call.path)
    return Reply(200, wire(zone, link, call.api_version), {"ETag": link.etag}, escaped=True)


def listing(call: Call) -> Reply:
    """Answer GET of a list."""
    zone, size = _zone_of_list(call), page_size(call)
    token = call.query.get("$skiptoken", "")
    keys = [key for key in sorted(zone.links) if key > token]
    body: dict[str, Any] = {"value": [wire(zone, zone.links[key], call.api_version) for key in keys[:size]]}
    if len(keys) > size:
        body["nextLink"] = next_link(call, keys[size - 1])
    return Reply(200, body, escaped=True)


def _zone_of_list(call: Call) -> PrivateZone:
    zone = call.world.zones.get(call.path.id.lower())
    if zone is None:
        raise parent_not_found(call)
    return zone


def _check(call: Call, zone: PrivateZone, link: VirtualNetworkLink | None) -> None:
    what = f"The Virtual Network link '{call.path.name}' for the Private DNS zone '{zone.name}'"
    check_conditions(
        call.headers,
        call.body,
        link.etag if link else None,
        dns_error(412, "PreconditionFailed", f"{what} has been modified (etag mismatch)."),
        dns_error(412, "PreconditionFailed", f"{what} exists already and hence cannot be created again."),
    )


def _vnet_id(properties: dict[str, Any]) -> str:
    reference = properties.get("virtualNetwork")
    vnet_id = reference.get("id") if isinstance(reference, dict) else None
    if not isinstance(vnet_id, str) or "/virtualnetworks/" not in vnet_id.lower():
        raise bad_request("The property 'virtualNetwork.id' is required and must be the id of a virtual network.")
    return vnet_id


def _fill(link: VirtualNetworkLink, properties: dict[str, Any], api_version: str) -> None:
    registration = properties.get("registrationEnabled")
    if registration is not None:
        if not isinstance(registration, bool):
            raise bad_request("The property 'registrationEnabled' must be true or false.")
        link.registration_enabled = registration
    policy = properties.get("resolutionPolicy")
    if policy is not None and api_version >= "2024-06-01":
        if policy not in POLICIES:
            raise bad_request(f"The value '{policy}' of 'resolutionPolicy' is not valid; it is one of {POLICIES}.")
        link.resolution_policy = policy


def put(call: Call) -> Reply:
    """Answer PUT: 202; conditions and conflicts are found when the operation ends."""
    zone, body, properties = _zone(call), call.json_object(), call.section("properties")
    tags = tags_of(body)
    if not body.get("location"):
        raise gateway_error(400, "LocationRequired", "The location property is required for this definition.")
    existing = zone.links.get(call.path.name.lower())
    vnet_id = existing.vnet_id if existing and "virtualNetwork" not in properties else _vnet_id(properties)
    fresh = VirtualNetworkLink(existing.name if existing else call.path.name, "", vnet_id, tags=tags)
    _fill(fresh, properties, call.api_version)

    def work() -> None:
        now = zone.links.get(call.path.name.lower())
        _check(call, zone, now)
        if now and now.vnet_id.lower() != vnet_id.lower():
            raise bad_request("The virtual network of an existing link cannot be changed.")
        check_conflicts(call.world, zone, fresh)
        if now:
            fresh.state, fresh.linked_at = now.state, now.linked_at
        else:
            fresh.linked_at = call.world.now()
            propagate(call.world, zone, fresh)
        _store(call, zone, fresh)

    return start(call, "UpsertVirtualNetworkLink", work, {})


def propagate(world: World, zone: PrivateZone, link: VirtualNetworkLink) -> None:
    """Keep a new link InProgress for the time it has left: its operation has ended, the resolvers do not know it yet.

    A link that is replaced or patched meanwhile keeps its time of birth, so the end is looked up by name.
    """
    waited = (world.now() - link.linked_at).total_seconds()
    left = world.settings.link_propagation_seconds - waited
    if left <= 0:
        link.state = "Completed"
        return

    def complete() -> None:
        now = zone.links.get(link.name.lower())
        if now is not None and now.linked_at == link.linked_at:
            now.state = "Completed"
            world.changed()

    link.state = "InProgress"
    world.later(left, complete)


def patch(call: Call) -> Reply:
    """Answer PATCH: 202; conditions and conflicts are found when the operation ends."""
    zone, properties, tags = _zone(call), call.section("properties"), tags_of(call.json_object())
    if call.path.name.lower() not in zone.links:
        raise resource_not_found(call.path)

    def work() -> None:
        now = zone.links.get(call.path.name.lower())
        _check(call, zone, now)
        if now is None:
            raise resource_not_found(call.path)
        fresh = VirtualNetworkLink(
            now.name, "", now.vnet_id, now.registration_enabled, now.state, now.resolution_policy, now.linked_at
        )
        fresh.tags = now.tags if tags is None else tags
        _fill(fresh, properties, call.api_version)
        check_conflicts(call.world, zone, fresh)
        _store(call, zone, fresh)

    return start(call, "UpsertVirtualNetworkLink", work, {})


def _store(call: Call, zone: PrivateZone, link: VirtualNetworkLink) -> None:
    link.etag = new_etag(call.world)
    zone.links[link.name.lower()] = link


def delete(call: Call) -> Reply:
    """Answer DELETE: 202, or 204 when there was none."""
    zone = call.world.zones.get(call.path.id_of(1).lower())
    if zone is None or call.path.name.lower() not in zone.links:
        return Reply(204, emits=False)

    def work() -> None:
        _check(call, zone, zone.links.get(call.path.name.lower()))
        zone.links.pop(call.path.name.lower(), None)

    return start(call, "DeleteVirtualNetworkLink", work, None)


def check_conflicts(world: World, zone: PrivateZone, link: VirtualNetworkLink) -> None:
    """Raise ArmError for what Azure refuses: limits, the same name twice, two registration zones, reverse zones."""
    others = [other for name, other in zone.links.items() if name != link.name.lower()]
    if len(others) >= MAX_LINKS:
        raise bad_request(f"The zone '{zone.name}' has reached its limit of {MAX_LINKS} virtual network links.")
    vnet = link.vnet_id.lower()
    same_name = [known for known in _zones_with_link_to(world, vnet) if known is not zone and known.name == zone.name]
    if same_name or any(other.vnet_id.lower() == vnet for other in others):
        raise bad_request(
            "A virtual network cannot be linked to multiple zones with overlapping namespaces. "
            f"You tried to link virtual network with '{zone.name}' and '{zone.name}' zones."
        )
    if link.registration_enabled:
        _check_registration(world, zone, link, others)


def _zones_with_link_to(world: World, vnet: str) -> list[PrivateZone]:
    """Give the zones with a link to the network (lower case), answered already or not."""
    linked = (zone for zone in world.zones.values() if any(li.vnet_id.lower() == vnet for li in zone.links.values()))
    return list(linked)


def _check_registration(
    world: World, zone: PrivateZone, link: VirtualNetworkLink, others: list[VirtualNetworkLink]
) -> None:
    if zone.name.endswith(REVERSE):
        raise bad_request(f"Registration cannot be enabled for the reverse lookup zone '{zone.name}'.")
    if sum(other.registration_enabled for other in others) >= MAX_REGISTRATION_LINKS:
        raise bad_request(
            f"The zone '{zone.name}' has reached its limit of {MAX_REGISTRATION_LINKS} links with registration."
        )
    vnet = link.vnet_id.lower()
    for known in _zones_with_link_to(world, vnet):
        for name, other in known.links.items():
            mine = known is zone and name == link.name.lower()
            if other.registration_enabled and other.vnet_id.lower() == vnet and not mine:
                raise ArmError(
                    409,
                    "Conflict",
                    f"The virtual network '{link.vnet_id}' is already linked with registration enabled to the Private "
                    f"DNS zone '{known.name}'. A virtual network can have one registration zone.",
                )
