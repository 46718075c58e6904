"""What happens to a container group over time: its address, its state, the operation that reports it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from local_azure.arm import addresses, lro
from local_azure.arm.call import ArmError, Call
from local_azure.arm.container_states import state_when_up
from local_azure.arm.paths import region

if TYPE_CHECKING:
    from local_azure.world import ContainerGroup, World

TRANSITIONING = ("Pending", "Creating", "Updating")


def as_accepted(group: ContainerGroup) -> ContainerGroup:
    """Give a group as the answer to its PUT shows it: pending; a private one without any ipAddress."""
    return replace(group, state="Pending", provisioning_state=_pending(group), ip=None, shown_ip=None)


def _pending(group: ContainerGroup) -> str:
    return "Creating" if group.properties["sku"] == "Confidential" else "Pending"


def _operation(call: Call, group: ContainerGroup, work: lro.Work) -> lro.Operation:
    def guarded() -> None:
        # Deleted meanwhile, or deleted and created again: this operation is about a group that is gone.
        if call.world.groups.get(group.id.lower()) is not group:
            raise ArmError(409, "Canceled", f"The container group '{group.name}' was deleted while it was changed.")
        work()

    return lro.begin(
        call,
        "aci",
        call.world.settings.provisioning_seconds,
        guarded,
        location=region(group.location),
        on_failure=lambda: fail(call.world, group),
    )


def provision(call: Call, group: ContainerGroup, *, created: bool) -> lro.Operation:
    """Create or update: pending for a while, then running with an address, or failed."""
    group.provisioning_state = _pending(group)
    if created:
        group.state = "Pending"
    renew = created or call.world.settings.new_ip_on_update

    def work() -> None:
        if renew or group.ip is None:
            addresses.acquire(call.world, group)
        _run(call.world, group)

    return _operation(call, group, work)


def restart(call: Call, group: ContainerGroup) -> lro.Operation:
    """Restart: updating for a while (the state stays Running), then running; with a new address if so set."""
    group.provisioning_state = "Updating"

    def work() -> None:
        if call.world.settings.new_ip_on_restart:
            addresses.acquire(call.world, group)
        group.restart_count += 1
        _run(call.world, group)

    return _operation(call, group, work)


def start(call: Call, group: ContainerGroup) -> lro.Operation:
    """Start a stopped group: it gets its last address again, or a new one if so set."""
    group.provisioning_state = "Pending"
    group.state = "Pending"

    def work() -> None:
        before = group.last_ip
        addresses.acquire(call.world, group)
        if call.world.settings.new_ip_on_start and group.ip == before:
            addresses.acquire(call.world, group)
        elif not call.world.settings.new_ip_on_start and before and group.ip != before:
            _return_to(call.world, group, before)
        _run(call.world, group)

    return _operation(call, group, work)


def _return_to(world: World, group: ContainerGroup, address: str) -> None:
    subnet = addresses.find_subnet(world, group.subnet_id) if group.subnet_id else None
    if subnet is None:
        group.ip = address
    elif address not in subnet.leases:
        addresses.release(subnet, group.ip or "")
        subnet.leases[address] = group.id
        group.ip = address


def _run(world: World, group: ContainerGroup) -> None:
    group.state, group.provisioning_state = state_when_up(group.properties), "Succeeded"
    group.started_at = world.now()
    world.changed()


def fail(world: World, group: ContainerGroup) -> None:
    """Provisioning has failed: no address, state Failed."""
    addresses.give_back(world, group)
    group.state, group.provisioning_state = "Failed", "Failed"
    world.changed()


def stop(world: World, group: ContainerGroup) -> None:
    """Stop at once, as recorded: the address is given back."""
    addresses.give_back(world, group)
    group.state, group.provisioning_state = "Stopped", "Succeeded"
    world.changed()


def remove(world: World, group: ContainerGroup) -> None:
    """Delete at once, as recorded."""
    addresses.give_back(world, group)
    world.groups.pop(group.id.lower(), None)
    world.changed()


def move(world: World, group: ContainerGroup) -> None:
    """Move a group as the platform does: a new address, and no event. Raises ArmError when that cannot be."""
    if group.ip is None:
        raise ArmError(409, "NoAddress", f"The container group '{group.name}' holds no address that could move.")
    addresses.acquire(world, group)
    group.restart_count += 1
    _run(world, group)


def settle(world: World, group: ContainerGroup) -> None:
    """End a transition whose operation was lost with the process that ran it."""
    if group.provisioning_state not in TRANSITIONING:
        return
    try:
        if group.ip is None:
            addresses.acquire(world, group)
        _run(world, group)
    except ArmError:
        fail(world, group)
