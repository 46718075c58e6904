"""What a container group is right now, as far as DNS cares. Read at the door, decided here from plain facts."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from core.arm_id import ArmId
from core.errors import InputError
from core.names import Address, is_usable, parse_address


class LiveState(StrEnum):
    """The states of a container group that lead to different DNS."""

    RUNNING = "running"
    ABSENT = "absent"
    NOT_READY = "not_ready"
    STOPPED = "stopped"
    NO_PRIVATE_IP = "no_private_ip"


@dataclass(frozen=True, slots=True)
class LiveGroup:
    """A container group's state, and its address when it is running. `detail` says in words why it is in that state.

    `subnet_ids` are the subnets that it is in; they are no part of its state.
    """

    id: ArmId
    state: LiveState
    address: Address | None = None
    detail: str = ""
    subnet_ids: tuple[str, ...] = field(default=(), compare=False)

    def is_as(self, other: "LiveGroup") -> bool:
        """Tell whether DNS would be the same for both: the same state and address, whatever the words for it."""
        return (self.state, self.address) == (other.state, other.address)


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """What Azure says of a container group, before it means anything.

    `ip_type` is None when the answer has no `ipAddress` object; `state` is the instance view's, None in lists.
    """

    provisioning_state: str | None
    state: str | None
    ip: str | None
    ip_type: str | None
    in_subnet: bool
    exposes_ports: bool


_FAILED: Final = frozenset({"failed", "canceled", "notaccessible", "unhealthy"})


def decide(group_id: ArmId, facts: GroupFacts) -> LiveGroup:
    """Turn Azure's facts into a state.

    Between two states an address may be the old one, so nothing is believed until provisioning is over; a state that
    is not known to be an end (Pending, Updating, Deleting …, a new one, or none) counts as between. `Succeeded` with
    an address object and no address in it occurs: that is unknown, never 'gone'.
    """
    provisioning = (facts.provisioning_state or "").lower()
    if provisioning != "succeeded" and provisioning not in _FAILED:
        return LiveGroup(
            group_id, LiveState.NOT_READY, detail=f"provisioning state {facts.provisioning_state or 'not given'}"
        )
    if (facts.state or "").lower() == "stopped":
        return LiveGroup(
            group_id, LiveState.STOPPED, detail="the group is stopped; its address may be given to another"
        )
    if (facts.ip_type or "").lower() == "public":
        return LiveGroup(group_id, LiveState.NO_PRIVATE_IP, detail="the address is public")
    address = _usable(facts.ip)
    if address is not None:
        return LiveGroup(group_id, LiveState.RUNNING, address)
    return _without_address(group_id, facts, failed=provisioning in _FAILED)


def _without_address(group_id: ArmId, facts: GroupFacts, *, failed: bool) -> LiveGroup:
    if failed:
        detail = f"provisioning state {facts.provisioning_state}, and no address"
        return LiveGroup(group_id, LiveState.NO_PRIVATE_IP, detail=detail)
    if facts.ip_type is not None:
        return LiveGroup(group_id, LiveState.NOT_READY, detail=f"the address is {facts.ip or 'not set yet'}")
    if facts.in_subnet and facts.exposes_ports:
        return LiveGroup(group_id, LiveState.NOT_READY, detail="it exposes ports in a subnet and has no address yet")
    return LiveGroup(group_id, LiveState.NO_PRIVATE_IP, detail="it exposes no ports, so it is given no address")


def _usable(ip: str | None) -> Address | None:
    try:
        address = parse_address(ip or "")
    except InputError:
        return None
    return address if is_usable(address) else None
