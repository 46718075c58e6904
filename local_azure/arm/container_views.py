"""Container groups as Azure answers them: the recorded order of keys, and what each state shows."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local_azure.world import ContainerGroup, StoppedAddress

# In the recordings an image that the shared hosts keep is started without being pulled; groups with hosts of their
# own (a subnet, a zone) pull every image.
CACHED_IMAGES = ("alpine", "alpine:latest")
# Keys before and after the addresses, in the recorded order; anything else that was sent follows.
_HEAD = ("sku", "priority", "provisioningState", "provisioningTimeoutInSeconds", "isCustomProvisioningTimeout")
_BODY = ("containers", "initContainers", "imageRegistryCredentials", "restartPolicy", "ipAddress", "osType", "volumes")


def wire(group: ContainerGroup, api_version: str, stopped: StoppedAddress, *, listed: bool = False) -> dict[str, Any]:
    """Give a group's JSON; a list shows no instanceView."""
    answer: dict[str, Any] = {
        "properties": _properties(group, api_version, stopped, listed=listed),
        "id": group.id,
        "name": group.name,
        "type": "Microsoft.ContainerInstance/containerGroups",
        "location": group.location,
    }
    optional = {"zones": group.zones, "tags": group.tags, "identity": group.identity}
    return answer | {key: value for key, value in optional.items() if value is not None}


def _properties(group: ContainerGroup, api_version: str, stopped: StoppedAddress, *, listed: bool) -> dict[str, Any]:
    sent = group.properties
    known: dict[str, Any] = {**sent, "provisioningState": group.provisioning_state}
    if api_version >= "2022-09-01":
        timeout = sent.get("provisioningTimeoutInSeconds")
        known["provisioningTimeoutInSeconds"] = timeout or 1800
        known["isCustomProvisioningTimeout"] = timeout is not None
    view = _running_view(group) if group.state == "Running" and not listed else None
    known["containers"] = [_with_view(container, view and dict(view)) for container in sent["containers"]]
    address = ip_address(group, stopped)
    known.pop("ipAddress", None)
    if address is not None:
        known["ipAddress"] = address
    ordered = {key: known.pop(key) for key in (*_HEAD, *_BODY) if key in known}
    if not listed:
        ordered["instanceView"] = {"events": [], "state": group.state}
    return {**ordered, **known}


def _with_view(container: dict[str, Any], view: dict[str, Any] | None) -> dict[str, Any]:
    """Give a container with its instanceView in its recorded place, before the resources."""
    if view is None:
        return container
    properties: dict[str, Any] = {}
    events = image_events(container["properties"].get("image", ""), view.pop("_pulls"), view.pop("_at"))
    shown = {**view, **({"events": events} if events else {})}
    for key, value in container["properties"].items():
        if key == "resources":
            properties["instanceView"] = shown
        properties[key] = value
    properties.setdefault("instanceView", shown)
    return {"name": container["name"], "properties": properties}


def _running_view(group: ContainerGroup) -> dict[str, Any]:
    at = group.started_at or datetime.now(UTC)
    return {
        "restartCount": group.restart_count,
        "currentState": {"state": "Running", "startTime": _time(at, 3), "detailStatus": ""},
        "_pulls": group.subnet_id is not None or group.zones is not None,
        "_at": at,
    }


def image_events(image: str, pulls: bool, at: datetime) -> list[dict[str, Any]]:
    """Give the events of a container's start; none when the image was there."""
    if image in CACHED_IMAGES and not pulls:
        return []
    digest = hashlib.sha256(image.encode()).hexdigest()
    pinned = f"{image.split(':', maxsplit=1)[0]}@sha256:{digest}"
    texts = (
        ("Pulling", f'pulling image "{pinned}"', 2),
        ("Pulled", f'Successfully pulled image "{pinned}"', 1),
        ("Started", "Started container", 0),
    )
    events = []
    for name, message, before in texts:
        stamp = _time(at - timedelta(seconds=before), 0)
        events.append(
            {
                "count": 1,
                "firstTimestamp": stamp,
                "lastTimestamp": stamp,
                "name": name,
                "message": message,
                "type": "Normal",
            }
        )
    return events


def ip_address(group: ContainerGroup, stopped: StoppedAddress) -> dict[str, Any] | None:
    """Give the ipAddress object, None where it is absent.

    | group                          | ipAddress                                   |
    |--------------------------------|---------------------------------------------|
    | no exposed port                | absent                                      |
    | private, still being created   | absent                                      |
    | public, still being created    | without ip                                  |
    | running                        | with ip                                     |
    | stopped or failed              | by the setting: kept, without ip, or absent |
    """
    requested = group.properties.get("ipAddress")
    if requested is None:
        return None
    private = requested["type"] == "Private"
    ip = group.ip
    if ip is None and group.state in ("Stopped", "Failed", "Succeeded"):
        if stopped == "ip_address_absent":
            return None
        ip = group.last_ip if stopped == "kept" else None
    elif ip is None and private and group.shown_ip is None:
        return None
    address: dict[str, Any] = {"ports": requested["ports"]}
    if group.shown_ip == "null":
        address["ip"] = None
    elif group.shown_ip != "absent" and (group.shown_ip or ip):
        address["ip"] = group.shown_ip or ip
    address["type"] = requested["type"]
    if "dnsNameLabel" in requested:
        address["dnsNameLabel"] = requested["dnsNameLabel"]
        address["autoGeneratedDomainNameLabelScope"] = requested["autoGeneratedDomainNameLabelScope"]
        address["fqdn"] = _fqdn(group, requested)
    return address


def _fqdn(group: ContainerGroup, requested: dict[str, Any]) -> str:
    label = requested["dnsNameLabel"]
    if requested["autoGeneratedDomainNameLabelScope"] != "Unsecure":
        label = f"{label}.{hashlib.sha256(group.id.lower().encode()).hexdigest()[:16]}"
    return f"{label}.{group.location}.azurecontainer.io"


def _time(at: datetime, digits: int) -> str:
    text = at.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{at.microsecond // 1000:03d}Z" if digits else f"{text}Z"
