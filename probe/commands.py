"""The commands that repair, as one line each, with the real names filled in and quoted. Pure."""

import shlex
from typing import Final

from core.arm_id import ArmId
from core.errors import InputError
from core.names import relative_name
from core.records import ZoneRef
from probe.answer import Answer
from probe.target import Target

_LINK: Final = "az network private-dns link vnet"


def create_link(zone: ZoneRef, vnet_id: str) -> str:
    """Link a zone to a virtual network."""
    name = f"to-{_vnet_name(vnet_id)}" if vnet_id else "<link name>"
    network = shlex.quote(vnet_id) if vnet_id else "<id of the virtual network>"
    return f"{_LINK} create {_where(zone)} --name {name} --virtual-network {network} --registration-enabled false"


def delete_link(zone: ZoneRef, link: str) -> str:
    """Take a zone's link away."""
    return f"{_LINK} delete {_where(zone)} --name {shlex.quote(link)} --yes"


def await_link(zone: ZoneRef, link: str) -> str:
    """Wait for a link to be complete."""
    return f"{_LINK} wait {_where(zone)} --name {shlex.quote(link)} --custom \"virtualNetworkLinkState=='Completed'\""


def update_link(zone: ZoneRef, link: str) -> str:
    """Turn a link's registration off."""
    return f"{_LINK} update {_where(zone)} --name {shlex.quote(link)} --registration-enabled false"


def list_links(zone: ZoneRef) -> str:
    """Show where a zone is linked."""
    return f"{_LINK} list {_where(zone)} --output table"


def create_zone(zone: ZoneRef) -> str:
    """Make a zone."""
    return f"az network private-dns zone create {_where(zone, '--name')}"


def repair(target: Target) -> str:
    """Have the reconciler write the target's records, or write them by hand where no container group is known."""
    if target.group is not None:
        return f"drift reconcile {shlex.quote(str(target.group))} --apply"
    return add_address(target)


def add_address(target: Target) -> str:
    """Add the address record by hand."""
    kind, name = target.address_type.lower(), relative_name(target.fqdn, target.forward.name)
    option = "--ipv4-address" if kind == "a" else "--ipv6-address"
    return (
        f"az network private-dns record-set {kind} add-record {_where(target.forward)} "
        f"--record-set-name {shlex.quote(name)} {option} {target.address}"
    )


def add_ptr(target: Target) -> str:
    """Have the reconciler write the PTR record, or write it by hand."""
    if target.group is not None or target.reverse is None:
        return repair(target)
    name = relative_name(target.ptr_name, target.reverse.name)
    return (
        f"az network private-dns record-set ptr add-record {_where(target.reverse)} "
        f"--record-set-name {shlex.quote(name)} --ptrdname {shlex.quote(target.fqdn)}"
    )


def dig(answer: Answer) -> str:
    """Ask the same by hand."""
    host, _, port = answer.resolver.partition("#")
    return f"dig @{host} {f'-p {port} ' if port else ''}{answer.question.name} {answer.question.type}"


def _where(zone: ZoneRef, name_option: str = "--zone-name") -> str:
    group = shlex.quote(zone.resource_group) if zone.resource_group else "<resource group of the zone>"
    subscription = f"--subscription {shlex.quote(zone.subscription_id)} " if zone.subscription_id else ""
    return f"{subscription}--resource-group {group} {name_option} {shlex.quote(zone.name)}"


def _vnet_name(vnet_id: str) -> str:
    try:
        return shlex.quote(ArmId.parse(vnet_id).name)
    except InputError:
        return "network"
