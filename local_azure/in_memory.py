"""The rooms' ports in memory: container groups and record sets without a wire, for decisions tried by the thousand.

They keep Azure's rules that matter for concurrency: etags, If-Match and If-None-Match, and nothing else is atomic.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from core.arm_id import ArmId
from core.errors import PreconditionFailedError, ZoneMissingError
from core.live import LiveGroup, LiveState
from core.names import Address
from core.records import RecordSet, RecordType, ZoneRef

Key = tuple[str, RecordType, str]


@dataclass
class InMemoryGroups:
    """Container groups: what is here is alive, what is not is absent."""

    states: dict[ArmId, LiveGroup] = field(default_factory=dict)

    def get(self, group: ArmId) -> LiveGroup:
        """Read one group."""
        return self.states.get(group, LiveGroup(group, LiveState.ABSENT))

    def list(self, subscription_id: str, resource_group: str) -> list[LiveGroup]:
        """Read a resource group's container groups."""
        wanted = (subscription_id.lower(), resource_group.lower())
        return [
            live
            for key, live in self.states.items()
            if (key.subscription_id.lower(), key.resource_group.lower()) == wanted
        ]

    def run(self, group: ArmId, address: Address) -> None:
        """Let a group be running with this address."""
        self.states[group] = LiveGroup(group, LiveState.RUNNING, address)

    def remove(self, group: ArmId) -> None:
        """Delete a group."""
        self.states.pop(group, None)


@dataclass
class InMemoryDns:
    """Private zones: `zones` are those that exist; every write makes a new etag."""

    zones: set[str]
    sets: dict[Key, RecordSet] = field(default_factory=dict)
    _writes: int = 0

    def get(self, zone: ZoneRef, record_type: RecordType, name: str) -> RecordSet | None:
        """Read one record set."""
        self._need(zone)
        return self.sets.get((zone.name, record_type, name.lower()))

    def list(self, zone: ZoneRef, record_type: RecordType | None = None) -> Iterator[RecordSet]:
        """Read a zone's record sets."""
        self._need(zone)
        found = [item for key, item in self.sets.items() if key[0] == zone.name]
        return iter([item for item in found if record_type in (None, item.type)])

    def put(self, record_set: RecordSet) -> RecordSet:
        """Write under the record set's etag, or create it when it has none."""
        self._need(record_set.zone)
        self._check(record_set)
        self._writes += 1
        written = replace(record_set, etag=f"etag-{self._writes}")
        self.sets[_key(record_set)] = written
        return written

    def delete(self, record_set: RecordSet) -> None:
        """Delete under the record set's etag; one that is gone is fine."""
        self._need(record_set.zone)
        if _key(record_set) in self.sets:
            self._check(record_set)
            del self.sets[_key(record_set)]

    def _need(self, zone: ZoneRef) -> None:
        if zone.name not in self.zones:
            raise ZoneMissingError(zone.name, zone.resource_group, zone.subscription_id)

    def _check(self, record_set: RecordSet) -> None:
        now = self.sets.get(_key(record_set))
        if (now.etag if now else None) != record_set.etag:
            raise PreconditionFailedError(f"record set {record_set.fqdn}", "etag mismatch", status=412)


def _key(record_set: RecordSet) -> Key:
    return record_set.zone.name, record_set.type, record_set.name.lower()
