"""Record sets as values: what a zone says under one name and type, with its etag and its owner's mark."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from core.arm_id import same_id
from core.errors import InputError
from core.names import Address, absolute_name, normalise, parse_address

RecordType = Literal["A", "AAAA", "PTR"]

MANAGED_BY_KEY: Final = "managed-by"
MANAGED_BY: Final = "aci-dns-truth"
OWNER_KEY: Final = "container-group-id"
ADDRESS_KEY: Final = "written-address"
"""Metadata that we write. Nothing in it changes from event to event: a no-op must write nothing."""
MAX_RECORDS_PER_SET: Final = 20


@dataclass(frozen=True, slots=True)
class ZoneRef:
    """Where a private zone is: its name, subscription and resource group."""

    subscription_id: str
    resource_group: str
    name: str


@dataclass(frozen=True, slots=True)
class RecordSet:
    """One record set. `name` is relative to the zone (`@` at the apex); `values` are addresses or target names.

    `ttl` is in seconds. `etag` is Azure's, or None for a record set that does not exist yet. `auto_registered` tells
    that Azure keeps it for a virtual machine: it is nobody else's to write.
    """

    zone: ZoneRef
    type: RecordType
    name: str
    ttl: int
    values: tuple[str, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None
    auto_registered: bool = False

    @property
    def fqdn(self) -> str:
        """The full name, without a trailing dot."""
        return absolute_name(self.name, self.zone.name)

    @property
    def owner(self) -> str | None:
        """Resource id of the container group that our mark names, or None when the set carries no mark of ours."""
        if self.metadata.get(MANAGED_BY_KEY) != MANAGED_BY:
            return None
        return self.metadata.get(OWNER_KEY) or None

    @property
    def written_address(self) -> str | None:
        """The address that our mark says we wrote last (a hand edit changes the value and not the mark)."""
        return self.metadata.get(ADDRESS_KEY) if self.owner else None

    @property
    def known_addresses(self) -> tuple[Address, ...]:
        """The addresses that the values name, and the one that our mark says we wrote; what is none is left out."""
        return tuple(_addresses((*self.values, self.written_address or "")))

    def is_owned_by(self, group_id: str) -> bool:
        """Tell whether our mark on it names this container group."""
        return self.owner is not None and same_id(self.owner, group_id)

    def names(self, target: str) -> bool:
        """Tell whether one of the values is this name."""
        return any(normalise(value) == normalise(target) for value in self.values)


def same_values(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Compare two record sets' values as DNS does: as sets of names or addresses, order and case aside."""
    return {normalise(value) for value in left} == {normalise(value) for value in right}


def address_type(address: Address) -> RecordType:
    """Give the record type that holds this address."""
    return "A" if address.version == 4 else "AAAA"  # noqa: PLR2004 - the IP version


def owner_mark(group_id: str, address: Address | None = None) -> dict[str, str]:
    """Give the metadata that marks a record set as written for a container group; A sets also carry the address."""
    mark = {MANAGED_BY_KEY: MANAGED_BY, OWNER_KEY: group_id}
    if address is not None:
        mark[ADDRESS_KEY] = str(address)
    return mark


def _addresses(texts: Iterable[str]) -> Iterator[Address]:
    for text in texts:
        try:
            yield parse_address(text)
        except InputError:
            continue
