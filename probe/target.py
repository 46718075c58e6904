"""What should be found, and from where it is looked for: the probe's inputs as values. Pure."""

from dataclasses import dataclass
from typing import Any

from core.arm_id import ArmId
from core.errors import InputError
from core.names import Address, reverse_name
from core.probe_settings import TargetSource
from core.records import RecordType, ZoneRef, address_type


@dataclass(frozen=True, slots=True)
class Target:
    """A name that must resolve to an address, and back.

    `forward` and `reverse` are the zones that should answer; their subscription and resource group are empty where
    nobody said them. `expects_ptr` with `reverse` None means that reverse zones are configured and none holds the
    address. `also` are addresses that the name may have beside (a hand-made record set with several).
    `where` says where the target was found: `PROBE_TARGETS line 3`, `rg-apps`, `corp.internal`.
    """

    fqdn: str
    address: Address
    forward: ZoneRef
    reverse: ZoneRef | None = None
    expects_ptr: bool = True
    also: tuple[Address, ...] = ()
    group: ArmId | None = None
    source: TargetSource = TargetSource.GIVEN
    where: str = ""

    @property
    def address_type(self) -> RecordType:
        """Give the record type to ask for: A or AAAA."""
        return address_type(self.address)

    @property
    def ptr_name(self) -> str:
        """Give the owner name of the PTR to ask for."""
        return reverse_name(self.address)

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return {
            "fqdn": self.fqdn,
            "address": str(self.address),
            "forward_zone": self.forward.name,
            "reverse_zone": self.reverse.name if self.reverse else None,
            "container_group": str(self.group) if self.group else None,
            "source": self.source.value,
            "where": self.where,
        }


@dataclass(frozen=True, slots=True)
class BadTarget:
    """A target that cannot be asked for, or a source of targets that cannot be read: where, what it says, and why."""

    where: str
    text: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"

    def to_json(self) -> dict[str, str]:
        """Give it as JSON values."""
        return {"where": self.where, "text": self.text, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Vantage:
    """From where it is asked: the virtual network's id and the subnet (both empty when not said), and the host."""

    vnet_id: str = ""
    subnet: str = ""
    host: str = ""

    def to_json(self) -> dict[str, str]:
        """Give it as JSON values."""
        return {"vnet_id": self.vnet_id, "subnet": self.subnet, "host": self.host}


def network_name(vnet_id: str) -> str:
    """Give a virtual network in words, `rg-net/spoke`: the whole id drowns a sentence. What is no id stays as it is."""
    try:
        network = ArmId.parse(vnet_id)
    except InputError:
        return vnet_id
    return f"{network.resource_group}/{network.name}"
