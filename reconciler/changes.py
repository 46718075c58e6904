"""What a plan is made of: what was seen, the changes, and their order. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from core.errors import ToolkitError
from core.live import LiveGroup
from core.names import Address
from core.records import RecordSet

Action = Literal["create", "update", "delete"]


class NotOwnedError(ToolkitError):
    """A record set is in the way that strict ownership does not allow us to change."""

    code = "not_owned"


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read: address record sets, PTR record sets by address, and the groups that foreign owner marks name."""

    address_sets: tuple[RecordSet, ...] = ()
    ptr_sets: Mapping[Address, RecordSet | None] = field(default_factory=dict)
    owners: Mapping[str, LiveGroup] = field(default_factory=dict)
    problems: tuple[ToolkitError, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One write. `before` is what was read, whose etag guards the write; `after` is None for a deletion."""

    action: Action
    before: RecordSet | None
    after: RecordSet | None
    reason: str

    @property
    def record_set(self) -> RecordSet:
        """The record set in question."""
        found = self.after or self.before
        assert found is not None  # noqa: S101 - one of the two is always given
        return found

    def to_json(self) -> dict[str, Any]:
        """Give the change as JSON values."""
        target = self.record_set
        return {
            "action": self.action,
            "type": target.type,
            "zone": target.zone.name,
            "name": target.name,
            "before": list(self.before.values) if self.before else [],
            "after": list(self.after.values) if self.after else [],
            "ttl": target.ttl,
            "reason": self.reason,
        }

    def __str__(self) -> str:
        before = ", ".join(self.before.values) if self.before else "nothing"
        after = ", ".join(self.after.values) if self.after else "nothing"
        target = self.record_set
        return f"{self.action} {target.type} {target.fqdn}: {before} → {after} ({self.reason})"


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes in the order in which they must be made, and what cannot be made right without a person.

    A problem with the PTR does not hold up the address record: clients need the name more than the reverse name.
    """

    changes: tuple[Change, ...] = ()
    problems: tuple[ToolkitError, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> list[dict[str, Any]]:
        """Give the changes as JSON values."""
        return [change.to_json() for change in self.changes]
