"""Reads the body of a container group PUT: the pure checks, the defaults, and what is never given back."""

from __future__ import annotations

import base64
import re
from typing import Any

from local_azure.arm.call import ArmError, invalid_content

_NAME = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
MAX_CONTAINERS = 60
MAX_PORT = 65535
SKUS = {name.lower(): name for name in ("Standard", "Dedicated", "Confidential")}
RESTART_POLICIES = ("Always", "OnFailure", "Never")


def bad(code: str, message: str) -> ArmError:
    """Make a 400 of the container provider."""
    return ArmError(400, code, message)


def check_name(name: str) -> None:
    """Check that a name is a lower-case DNS label. Raises ArmError 400."""
    if not _NAME.match(name):
        raise bad(
            "InvalidContainerGroupName",
            f"The container group name '{name}' is invalid. It must have 1 to 63 characters: lower-case letters, "
            "digits and dashes, beginning and ending with a letter or a digit.",
        )


def normalised(properties: dict[str, Any]) -> dict[str, Any]:
    """Give the properties as GET shows them: defaults filled in, secrets gone. Raises ArmError 400."""
    properties = _without_nulls(properties)
    containers = _objects(properties, "containers")
    if not containers:
        raise bad("MissingContainers", "The 'containers' property of the container group is missing or empty.")
    if len(containers) > MAX_CONTAINERS:
        raise bad("ContainerGroupQuotaReached", f"A container group can have at most {MAX_CONTAINERS} containers.")
    if properties.get("osType") not in ("Linux", "Windows"):
        raise bad("InvalidOsType", f"The OS type '{properties.get('osType')}' is invalid: Linux or Windows is needed.")
    # The default, Always, is not filled in: a group without a policy shows none.
    policy = properties.get("restartPolicy")
    if policy not in (None, *RESTART_POLICIES):
        raise bad("InvalidRestartPolicy", f"The restart policy '{policy}' is invalid; it is one of {RESTART_POLICIES}.")
    result = dict(properties)
    for platform in ("provisioningState", "instanceView", "isCustomProvisioningTimeout"):
        result.pop(platform, None)
    result["containers"] = [_container(container) for container in containers]
    result["initContainers"] = [_container(item, init=True) for item in _objects(properties, "initContainers")]
    _sku(result)
    _address(result)
    _secrets(result)
    return result


def _sku(properties: dict[str, Any]) -> None:
    sku = SKUS.get(str(properties.get("sku") or "Standard").lower())
    if sku is None:
        raise bad("InvalidSku", f"The sku '{properties['sku']}' is invalid; it is one of {tuple(SKUS.values())}.")
    properties["sku"] = sku
    if sku == "Confidential":
        # Without a policy of its own a group gets one that allows everything.
        policy = {"ccePolicy": base64.b64encode(b"package policy\n\ndefault allow := true\n").decode()}
        properties["confidentialComputeProperties"] = properties.get("confidentialComputeProperties") or policy


def _without_nulls(value: Any) -> Any:
    """Give a copy without what was sent as null: Azure never gives that back."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _objects(holder: dict[str, Any], key: str) -> list[dict[str, Any]]:
    value = holder.get(key) or []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise invalid_content(f"The request content was invalid: '{key}' must be a list of objects.")
    return value


def _container(container: dict[str, Any], *, init: bool = False) -> dict[str, Any]:
    name, given = container.get("name"), container.get("properties")
    if not isinstance(name, str) or not _NAME.match(name):
        raise bad("InvalidContainerName", f"The container name '{name}' is invalid.")
    if not isinstance(given, dict) or not (init or given.get("image")):
        raise bad("InvalidImage", f"The image of container '{name}' is missing.")
    properties = {key: value for key, value in given.items() if key != "instanceView"}
    variables = []
    for variable in _objects(given, "environmentVariables"):
        public = {key: value for key, value in variable.items() if key in ("name", "value")}
        variables.append({"name": public.get("name")} if "secureValue" in variable else public)
    properties["environmentVariables"] = variables
    if not init:
        properties["ports"] = _ports(_objects(given, "ports"))
        _resources(name, properties)
    return {"name": name, "properties": properties}


def _ports(ports: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for item in ports:
        port = item.get("port")
        if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= MAX_PORT:
            raise bad("InvalidPort", f"The port '{port}' is invalid: a number from 1 to {MAX_PORT} is needed.")
    return ports


def _resources(name: str, properties: dict[str, Any]) -> None:
    requests = (properties.get("resources") or {}).get("requests")
    if not isinstance(requests, dict) or not {"cpu", "memoryInGB"} <= requests.keys():
        raise bad("InvalidResourceRequests", f"The resource requests (cpu, memoryInGB) of '{name}' are missing.")


def _address(properties: dict[str, Any]) -> None:
    """Keep the request's ipAddress without what the platform decides; a group without ports has none."""
    address = properties.pop("ipAddress", None)
    if not isinstance(address, dict):
        return
    ports = _ports(_objects(address, "ports"))
    if not ports:
        return
    kept: dict[str, Any] = {"ports": ports, "type": address.get("type", "Public")}
    if kept["type"] not in ("Public", "Private"):
        raise bad("InvalidIPAddressType", f"The IP address type '{kept['type']}' is invalid: Public or Private.")
    if address.get("dnsNameLabel"):
        if kept["type"] == "Private":
            raise bad("DnsNameLabelNotSupported", "A DNS name label needs a public IP address.")
        kept["dnsNameLabel"] = address["dnsNameLabel"]
        kept["autoGeneratedDomainNameLabelScope"] = address.get("autoGeneratedDomainNameLabelScope") or "Unsecure"
    properties["ipAddress"] = kept


def _secrets(properties: dict[str, Any]) -> None:
    for volume in _objects(properties, "volumes"):
        if isinstance(volume.get("secret"), dict):
            volume["secret"] = {}
        if isinstance(volume.get("azureFile"), dict):
            volume["azureFile"].pop("storageAccountKey", None)
    for registry in _objects(properties, "imageRegistryCredentials"):
        registry.pop("password", None)
    analytics = (properties.get("diagnostics") or {}).get("logAnalytics")
    if isinstance(analytics, dict):
        analytics.pop("workspaceKey", None)
