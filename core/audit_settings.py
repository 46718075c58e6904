"""What the audit and the canary may be told. Values; read at the door."""

from dataclasses import dataclass
from enum import StrEnum

from core.arm_id import SUBSCRIPTION_ID
from core.environment import EnvironmentReader
from core.events import Component


class Repair(StrEnum):
    """What becomes of findings that the reconciler can put right: nothing, or an event that has it look."""

    OFF = "off"
    PUBLISH = "publish"


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """The audit's settings, and the canary's component.

    `subscription_id` is where to look for what the zone map names no subscription for. `deadline_seconds` bounds the
    reads. `topic_endpoint` is the custom topic's URL with its path; `repairs_per_run` bounds the events of one run.
    """

    subscription_id: str | None = None
    deadline_seconds: float = 300.0
    repair: Repair = Repair.OFF
    topic_endpoint: str | None = None
    repairs_per_run: int = 100
    canary_component: Component = Component.RECONCILER

    @staticmethod
    def read(reader: EnvironmentReader) -> "AuditSettings":
        """Read AUDIT_*, REPAIR* and CANARY_COMPONENT; what is wrong is noted in the reader."""
        repair = reader.choice("REPAIR", Repair, Repair.OFF)
        endpoint = reader.url("REPAIR_TOPIC_ENDPOINT")
        if repair is Repair.PUBLISH and not reader.text("REPAIR_TOPIC_ENDPOINT"):
            reader.reject("REPAIR_TOPIC_ENDPOINT", "is not set, and REPAIR is 'publish': to which topic?")
        return AuditSettings(
            subscription_id=reader.matching("AUDIT_SUBSCRIPTION_ID", SUBSCRIPTION_ID, "a subscription id"),
            deadline_seconds=reader.number("AUDIT_DEADLINE_SECONDS", 300.0, 1, 540),
            repair=repair,
            topic_endpoint=endpoint,
            repairs_per_run=reader.whole("REPAIR_MAX_PER_RUN", 100, 1, 5000),
            canary_component=reader.choice("CANARY_COMPONENT", Component, Component.RECONCILER),
        )
