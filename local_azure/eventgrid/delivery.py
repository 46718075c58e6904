"""One event on its way to one subscriber: what is recorded of it, and what is sent. Pure."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlencode

from local_azure.eventgrid.envelope import timestamp
from local_azure.eventgrid.faults import DeliveryFault
from local_azure.eventgrid.model import CLOUD_EVENT_SCHEMA, EventSubscription
from local_azure.eventgrid.schedule import RESPONSE_TIMEOUT

ANSWER_SHOWN: Final = 500
"""Characters kept of an endpoint's answer."""

State = Literal["pending", "delivered", "dead_lettered", "dropped", "undeliverable"]


@dataclass(frozen=True)
class AttemptRecord:
    """One attempt as it went; `status` is None when no answer came."""

    started_at: datetime
    seconds: float
    status: int | None
    outcome: str
    answer: str


@dataclass(eq=False)
class Delivery:
    """One event on its way to one subscriber. `raw` is sent in place of a JSON body, for what is no JSON."""

    number: int
    subscription: EventSubscription
    event: Any
    published_at: datetime
    raw: bytes | None = None
    lose_ack: bool = False
    state: State = "pending"
    reason: str = ""
    age_seconds: float = 0.0
    attempts: list[AttemptRecord] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        """Give the delivery as JSON; the endpoint's key is not in it."""
        event = self.event if isinstance(self.event, dict) else {}
        return {
            "number": self.number,
            "subscription": self.subscription.name,
            "eventId": event.get("id"),
            "eventType": event.get("eventType", event.get("type")),
            "subject": event.get("subject"),
            "state": self.state,
            "reason": self.reason,
            "publishTime": timestamp(self.published_at),
            "attempts": [
                {
                    "startedAt": timestamp(attempt.started_at),
                    "seconds": round(attempt.seconds, 6),
                    "status": attempt.status,
                    "outcome": attempt.outcome,
                    "answer": attempt.answer,
                }
                for attempt in self.attempts
            ],
        }


@dataclass
class Options:
    """What can be set while it runs. `time_scale`: real seconds per second of Azure, for waits only."""

    time_scale: float = 1.0
    response_timeout: float = RESPONSE_TIMEOUT
    lowercase_resource_groups: float = 0.1
    """How often an event spells `resourcegroups`, as some of Microsoft's samples do."""
    function_hosts: dict[str, dict[str, str]] = field(default_factory=dict)
    """Function app name in lower case, or `*` for any → {"url": base URL, "code": eventgrid_extension key}."""
    dead_letter_directory: Path | None = None
    faults: list[DeliveryFault] = field(default_factory=list)


def batches(deliveries: list[Delivery]) -> list[list[Delivery]]:
    """Cut what is ready for one subscriber into batches: at most so many events, and so many kilobytes if possible."""
    if not deliveries:
        return []
    destination = deliveries[0].subscription.definition.destination
    limit = destination.preferred_batch_kilobytes * 1024
    found: list[list[Delivery]] = []
    size = 0
    for delivery in deliveries:
        length = len(json.dumps(delivery.event))
        full = not found or len(found[-1]) >= destination.max_events_per_batch or size + length > limit
        # What is no JSON travels alone: its bytes are the whole body.
        if full or delivery.raw is not None or found[-1][0].raw is not None:
            found.append([])
            size = 0
        found[-1].append(delivery)
        size += length
    return found


def payload(batch: list[Delivery]) -> tuple[bytes, dict[str, str]]:
    """Make body and headers of one attempt. CloudEvents travel alone as an object; everything else as an array."""
    first = batch[0]
    definition = first.subscription.definition
    cloud = definition.schema == CLOUD_EVENT_SCHEMA
    alone = cloud and definition.destination.max_events_per_batch == 1
    kind = "application/json"
    if cloud:
        kind = "application/cloudevents+json" if alone else "application/cloudevents-batch+json"
    body = json.dumps(first.event if alone else [delivery.event for delivery in batch]).encode()
    headers = {
        "content-type": f"{kind}; charset=utf-8",
        "aeg-event-type": "Notification",
        "aeg-subscription-name": first.subscription.name.upper(),
        "aeg-delivery-count": str(len(first.attempts)),
        "aeg-data-version": _header(first.event, "dataVersion", ""),
        "aeg-metadata-version": _header(first.event, "metadataVersion", "1"),
    }
    return body if first.raw is None else first.raw, headers


def _header(event: Any, key: str, default: str) -> str:
    """Give a property as a header value; what a published event of any shape has there may be none."""
    value = event.get(key, default) if isinstance(event, dict) else default
    return value if isinstance(value, str) and value.isascii() and value.isprintable() else default


def endpoint_url(subscription: EventSubscription, options: Options) -> str:
    """Give the full URL that a subscription's events go to; for a function the one that its app's host answers."""
    destination = subscription.definition.destination
    if destination.kind == "WebHook":
        return destination.url
    parts = destination.resource_id.strip("/").split("/")
    host = options.function_hosts.get(parts[7].lower()) or options.function_hosts.get("*") or {}
    query = urlencode({"functionName": parts[9], "code": host.get("code", "")})
    # Without a host nothing listens on port 9 (discard): the attempt fails as it does when an app is stopped.
    return f"{host.get('url', 'http://127.0.0.1:9').rstrip('/')}/runtime/webhooks/EventGrid?{query}"
