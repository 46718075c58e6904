"""Dead letters: events that could not be delivered, with why, as Event Grid writes them to a blob container."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local_azure.eventgrid.envelope import timestamp


@dataclass(frozen=True)
class DeadLetter:
    """Why and when; attempts counts those made, `outcome` is the last one's."""

    reason: str
    attempts: int
    outcome: str
    published_at: datetime
    attempted_at: datetime

    def laid_on(self, event: Any) -> dict[str, Any]:
        """Give the event with its five properties; CloudEvents allow lower-case names only."""
        found = {
            "deadLetterReason": self.reason,
            "deliveryAttempts": self.attempts,
            "lastDeliveryOutcome": self.outcome,
            "publishTime": timestamp(self.published_at),
            "lastDeliveryAttemptTime": timestamp(self.attempted_at),
        }
        if not isinstance(event, Mapping):
            return {"event": event, **found}
        lower = "specversion" in event
        return {**event, **{key.lower() if lower else key: value for key, value in found.items()}}


def blob_path(directory: Path, container: str, subscription: str, written_at: datetime, name: str) -> Path:
    """Give the file of one blob: the container, the subscription in capitals, the hour, a name."""
    hour = written_at.astimezone(UTC)
    folders = (subscription.upper(), str(hour.year), str(hour.month), str(hour.day), str(hour.hour))
    return directory.joinpath(container, *folders, f"{name}.json")


def write(path: Path, events: list[dict[str, Any]]) -> None:
    """Write one blob: a JSON array. Readers never see half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(events, indent=2), encoding="utf-8")
    partial.replace(path)
