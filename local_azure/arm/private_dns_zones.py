"""Private zones: writes are long-running operations whose conditions fail in the poll."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

from local_azure.arm import lro
from local_azure.arm.call import ArmError, Call, Reply, dns_error, gateway_error, invalid_content, resource_not_found
from local_azure.arm.private_dns_records import check_conditions, next_link, page_size
from local_azure.arm.record_values import DEFAULT_SOA, MAX_NAME, bad_request
from local_azure.world import PrivateZone, RecordSet, World

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LINKS, MAX_REGISTRATION_LINKS, MAX_RECORD_SETS, MAX_ZONES = 1000, 100, 25_000, 1000
MIN_LABELS, MAX_LABELS = 2, 34
_LABEL = re.compile(r"^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$")


def wire(zone: PrivateZone, api_version: str) -> dict[str, Any]:
    """Give a zone as Azure answers it; internalId came with 2020-06-01."""
    registering = sum(link.registration_enabled for link in zone.links.values())
    internal = {"internalId": zone.internal_id} if api_version >= "2020-06-01" else {}
    return {
        "id": zone.id,
        "name": zone.name,
        "type": "Microsoft.Network/privateDnsZones",
        "etag": zone.etag,
        "location": zone.location,
        **({"tags": zone.tags} if zone.tags is not None else {}),
        "properties": {
            **internal,
            "maxNumberOfRecordSets": MAX_RECORD_SETS,
            "maxNumberOfVirtualNetworkLinks": MAX_LINKS,
            "maxNumberOfVirtualNetworkLinksWithRegistration": MAX_REGISTRATION_LINKS,
            "numberOfRecordSets": len(zone.record_sets),
            "numberOfVirtualNetworkLinks": len(zone.links),
            "numberOfVirtualNetworkLinksWithRegistration": registering,
            "provisioningState": "Succeeded",
        },
    }


def tags_of(body: dict[str, Any]) -> dict[str, str] | None:
    """Give the tags of a body, None when absent. Raises ArmError 400."""
    tags = body.get("tags")
    if tags is None:
        return None
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise invalid_content("The request content was invalid: 'tags' must map names to strings.")
    return tags


def new_zone(world: World, zone_id: str, name: str, tags: dict[str, str] | None = None) -> PrivateZone:
    """Make a zone with its SOA record set and put it into the world."""
    internal = base64.b64encode(f"ImmutableZoneIdentity;{world.new_uuid()};0".encode()).decode()
    zone = PrivateZone(zone_id, name, world.new_uuid(), tags, internal_id=internal)
    zone.record_sets[("SOA", "@")] = RecordSet("SOA", "@", 3600, {"soaRecord": dict(DEFAULT_SOA)}, world.new_uuid())
    world.zones[zone_id.lower()] = zone
    return zone


def get(call: Call) -> Reply:
    """Answer GET."""
    zone = call.world.zones.get(call.path.id.lower())
    if zone is None:
        raise resource_not_found(call.path)
    return Reply(200, wire(zone, call.api_version), {"ETag": zone.etag}, escaped=True)


def _check(call: Call, zone: PrivateZone | None) -> None:
    name = call.path.name
    check_conditions(
        call.headers,
        call.body,
        zone.etag if zone else None,
        dns_error(412, "PreconditionFailed", f"The Zone {name} has been modified (etag mismatch)."),
        dns_error(412, "PreconditionFailed", f"The Zone {name} exists already and hence cannot be created again."),
    )


def _check_name(name: str) -> None:
    labels = name.split(".")
    if (
        not MIN_LABELS <= len(labels) <= MAX_LABELS
        or len(name) > MAX_NAME
        or not all(_LABEL.match(label) for label in labels)
    ):
        raise bad_request(
            f"The domain name '{name}' is not valid. The zone name must contain {MIN_LABELS} to {MAX_LABELS} labels, "
            "separated by dots."
        )


def start(call: Call, kind: str, work: Callable[[], None], body: Any) -> Reply:
    """Begin a private DNS operation and answer 202."""
    operation = lro.begin(call, "dns", call.world.settings.operation_seconds, work, kind=kind)
    return Reply(202, body, lro.headers(call, operation), emits=False)


def put(call: Call) -> Reply:
    """Answer PUT: 202; conditions are found when the operation ends."""
    body, name, tags = call.json_object(), call.path.name, tags_of(call.json_object())
    _check_name(name)
    if not body.get("location"):
        raise gateway_error(400, "LocationRequired", "The location property is required for this definition.")
    if str(body["location"]).lower() != "global":
        raise gateway_error(
            400,
            "LocationNotAvailableForResourceType",
            f"The provided location '{body['location']}' is not available for resource type "
            "'Microsoft.Network/privateDnsZones'. List of available regions for the resource type is 'global'.",
        )

    def work() -> None:
        zone = call.world.zones.get(call.path.id.lower())
        _check(call, zone)
        if zone is None:
            _check_room(call)
            new_zone(call.world, call.path.id, name.lower(), tags)
        else:
            zone.etag, zone.tags = call.world.new_uuid(), tags

    return start(call, "UpsertPrivateDnsZone", work, {})


def _check_room(call: Call) -> None:
    prefix = f"/subscriptions/{call.path.subscription}/".lower()
    if sum(key.startswith(prefix) for key in call.world.zones) >= MAX_ZONES:
        raise ArmError(400, "BadRequest", f"The subscription has reached its limit of {MAX_ZONES} private DNS zones.")


def patch(call: Call) -> Reply:
    """Answer PATCH: 202; tags."""
    tags = tags_of(call.json_object())
    if call.path.id.lower() not in call.world.zones:
        raise resource_not_found(call.path)

    def work() -> None:
        zone = call.world.zones.get(call.path.id.lower())
        _check(call, zone)
        if zone is None:
            raise resource_not_found(call.path)
        zone.etag = call.world.new_uuid()
        zone.tags = zone.tags if tags is None else tags

    return start(call, "UpsertPrivateDnsZone", work, {})


def delete(call: Call) -> Reply:
    """Answer DELETE: 202, 204 when there was none, 409 while it has links."""
    known = call.world.zones.get(call.path.id.lower())
    if known is None:
        return Reply(204, emits=False)
    if known.links:
        raise gateway_error(
            409,
            "CannotDeleteResource",
            "Can not delete resource before nested resources are deleted. Please delete the "
            f"{len(known.links)} virtual network links of '{known.name}' first.",
        )

    def work() -> None:
        _check(call, call.world.zones.get(call.path.id.lower()))
        call.world.zones.pop(call.path.id.lower(), None)

    return start(call, "DeletePrivateDnsZone", work, None)


def listing(call: Call) -> Reply:
    """GET of a resource group's or a subscription's zones, by pages."""
    size, prefix = page_size(call), f"{call.path.scope}/".lower()
    keys = sorted(key for key in call.world.zones if key.startswith(prefix))
    token = call.query.get("$skiptoken", "")
    rest = [key for key in keys if key > token]
    body: dict[str, Any] = {"value": [wire(call.world.zones[key], call.api_version) for key in rest[:size]]}
    if len(rest) > size:
        body["nextLink"] = next_link(call, rest[size - 1])
    return Reply(200, body, escaped=True)
