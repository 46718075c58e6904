"""What an outcome is about, and the event that tells it: what every event of a delivered event carries. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.arm_id import ArmId
from core.delivery import Delivery
from core.events import Component, Event, EventType
from core.placement import Placement
from core.zone_map import DnsConfig


@dataclass(frozen=True, slots=True)
class Occasion:
    """Who speaks, of which event, in which invocation, when it began and ended (UTC), and the ARM calls it took."""

    component: Component
    delivery: Delivery
    invocation_id: str
    attempt: int
    began: datetime
    now: datetime
    arm_calls: int = 0

    def event(self, kind: EventType, values: Mapping[str, Any]) -> Event:
        """Build an event with what every one of them carries; empty texts and objects are left out."""
        common: dict[str, Any] = {
            "SourceEventId": self.delivery.id,
            "CorrelationId": self.delivery.correlation_id or self.invocation_id,
            "Attempt": self.attempt,
            "ArmCalls": self.arm_calls,
            "DurationMs": _milliseconds(self.began, self.now),
        }
        if self.delivery.time is not None:
            common["LagMs"] = max(_milliseconds(self.delivery.time, self.now), 0)
        given = {name: value for name, value in {**common, **values}.items() if value not in (None, "", {})}
        return Event(self.component, kind, self.now, self.invocation_id, given)


def group_values(group: ArmId, config: DnsConfig | None = None) -> dict[str, Any]:
    """Give the columns that name a container group, and with its configuration its name in DNS and its zone."""
    values: dict[str, Any] = {
        "SubscriptionId": group.subscription_id,
        "ResourceGroup": group.resource_group,
        "ContainerGroup": group.name,
        "ContainerGroupId": str(group),
    }
    if config is not None:
        values |= {"Fqdn": Placement(group, config).fqdn, "ForwardZone": config.forward_zone}
    return values


def _milliseconds(since: datetime, until: datetime) -> int:
    return round((until - since).total_seconds() * 1000)
