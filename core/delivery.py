"""An Event Grid event, whichever schema it came in: which resource to look at again, and nothing else to believe.

The Event Grid schema has `eventType` and `eventTime`, CloudEvents 1.0 has `type`, `time` and `specversion`; `subject`,
`id` and `data` are the same in both (Microsoft Learn, event schema of a subscription and of a resource group).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from core.errors import InputError

_PREFIX: Final = "microsoft.resources.resource"
_KINDS: Final = frozenset(
    _PREFIX + operation + outcome
    for operation in ("write", "delete", "action")
    for outcome in ("success", "failure", "cancel")
)
MAX_TEXT: Final = 2048
_FRACTION_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one event says: look at `subject` again.

    `time` is when Azure says it happened, or None; `type` is the event type as sent, for example
    Microsoft.Resources.ResourceWriteSuccess; `operation` for example Microsoft.ContainerInstance/containerGroups/write.
    """

    id: str
    type: str
    subject: str
    time: datetime | None = None
    operation: str = ""
    correlation_id: str = ""

    @property
    def is_delete(self) -> bool:
        """Tell whether it reports a deletion that succeeded."""
        return self.type.lower() == _PREFIX + "deletesuccess"

    @property
    def is_resource_event(self) -> bool:
        """Tell whether it is one of Azure Resource Manager's own resource events."""
        return self.type.lower() in _KINDS

    @staticmethod
    def parse(raw: object) -> "Delivery":
        """Read one event; raises InputError when it is not one, or names no subject."""
        if not isinstance(raw, Mapping):
            raise InputError(f"an event is a JSON object, this is {type(raw).__name__}")
        cloud = "specversion" in raw
        kind = _text(raw, "type" if cloud else "eventType")
        subject = _text(raw, "subject")
        if not kind:
            raise InputError("the event has no type (eventType, or type in CloudEvents)")
        if not subject:
            raise InputError("the event has no subject, so it names no resource")
        data = raw.get("data")
        details: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
        return Delivery(
            id=_text(raw, "id"),
            type=kind,
            subject=subject,
            time=parse_time(raw.get("time" if cloud else "eventTime")),
            operation=_text(details, "operationName"),
            correlation_id=_text(details, "correlationId"),
        )


def parse_time(value: object) -> datetime | None:
    """Read Azure's timestamps, which have up to 7 digits of a second; None for anything else."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if not isinstance(value, str):
        return None
    head, point, tail = value.strip().partition(".")
    if point:
        digits = len(tail) - len(tail.lstrip("0123456789"))
        head += "." + tail[: min(digits, _FRACTION_DIGITS)] + tail[digits:]
    try:
        moment = datetime.fromisoformat(head)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def printable(value: object, limit: int = MAX_TEXT + 1) -> str:
    """Give a text as printable ASCII, cut; what is not a text is empty.

    Control characters, lone surrogates and the like are spelled out: they end up in logs and rows, and no id that we
    take has any of them.
    """
    return value[:limit].encode("unicode_escape").decode("ascii") if isinstance(value, str) else ""


def _text(raw: Mapping[str, Any], key: str) -> str:
    return printable(raw.get(key))
