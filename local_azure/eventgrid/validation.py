"""The handshake: a web hook must prove that it wants events before it gets any."""

import json
import secrets
from dataclasses import dataclass
from typing import Final

from local_azure.eventgrid.model import CLOUD_EVENT_SCHEMA, EventSubscription
from local_azure.eventgrid.post import HttpAnswer, is_local, request
from local_azure.eventgrid.schedule import RESPONSE_TIMEOUT

ORIGIN: Final = "eventgrid.azure.net"


@dataclass(frozen=True)
class Handshake:
    """What came of it: done, still to be done by hand (a GET of the validation URL), or refused with a reason."""

    accepted: bool = False
    by_hand: bool = False
    refusal: str = ""


def needs_handshake(subscription: EventSubscription) -> bool:
    """Whether the endpoint is asked: functions are trusted, and nothing is sent off this machine."""
    destination = subscription.definition.destination
    return destination.kind == "WebHook" and is_local(destination.url)


async def shake_hands(subscription: EventSubscription, event: dict[str, object], code: str) -> Handshake:
    """Ask the endpoint; `event` is the validation event that carries `code`."""
    url = subscription.definition.destination.url
    cloud = subscription.definition.schema == CLOUD_EVENT_SCHEMA
    try:
        answer = await (_options(url) if cloud else _validation(subscription, url, event))
    except (OSError, TimeoutError) as error:
        reason = "it did not answer in 30 seconds" if isinstance(error, TimeoutError) else str(error)
        return Handshake(
            refusal=f"The attempt to validate the provided endpoint {_shown(subscription)} failed: {reason}."
        )
    return _cloud_verdict(subscription, answer) if cloud else _grid_verdict(subscription, answer, code)


def validation_event(subscription: EventSubscription, validation_url: str, now: str) -> tuple[dict[str, object], str]:
    """Make a validation event and its code. Both are secrets of the handshake, so no seed makes them."""
    code = secrets.token_hex(16).upper()
    event: dict[str, object] = {
        "id": secrets.token_hex(16),
        "topic": subscription.topic,
        "subject": "",
        "data": {"validationCode": code, "validationUrl": validation_url},
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": now,
        "metadataVersion": "1",
        "dataVersion": "2",
    }
    return event, code


async def _validation(subscription: EventSubscription, url: str, event: dict[str, object]) -> HttpAnswer:
    headers = {
        "content-type": "application/json; charset=utf-8",
        "aeg-event-type": "SubscriptionValidation",
        "aeg-subscription-name": subscription.name.upper(),
        "aeg-delivery-count": "0",
        "aeg-data-version": "2",
        "aeg-metadata-version": "1",
    }
    return await request("POST", url, headers, json.dumps([event]).encode(), RESPONSE_TIMEOUT)


async def _options(url: str) -> HttpAnswer:
    """CloudEvents' own handshake (its HTTP webhook specification, section 4)."""
    return await request("OPTIONS", url, {"webhook-request-origin": ORIGIN}, b"", RESPONSE_TIMEOUT)


def _grid_verdict(subscription: EventSubscription, answer: HttpAnswer, code: str) -> Handshake:
    if answer.status != 200:  # noqa: PLR2004 - Event Grid takes nothing else here
        return _refused(subscription, answer)
    try:
        echoed = json.loads(answer.body).get("validationResponse")
    except (ValueError, AttributeError):
        echoed = None
    # An endpoint that answers 200 without the code has until the validation URL expires to call it.
    return Handshake(accepted=True) if echoed == code else Handshake(by_hand=True)


def _cloud_verdict(subscription: EventSubscription, answer: HttpAnswer) -> Handshake:
    allowed = answer.headers.get("webhook-allowed-origin", "")
    return Handshake(accepted=True) if allowed in ("*", ORIGIN) else _refused(subscription, answer)


def _refused(subscription: EventSubscription, answer: HttpAnswer) -> Handshake:
    return Handshake(
        refusal=f"Webhook validation handshake failed for {_shown(subscription)}. Http POST request failed with "
        f"response code {answer.status}. For troubleshooting, visit https://aka.ms/esvalidation."
    )


def _shown(subscription: EventSubscription) -> str:
    return subscription.definition.destination.base_url
