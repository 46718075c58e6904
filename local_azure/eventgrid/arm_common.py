"""What the handlers of Microsoft.EventGrid share: ids, look-ups, pages and operations."""

import re
from collections.abc import Iterable
from typing import Final, TypeVar

from local_azure.arm.call import ArmError, Call
from local_azure.eventgrid.broker import EventGrid
from local_azure.eventgrid.model import EventSubscription, SystemTopic

PROVIDER: Final = "Microsoft.EventGrid"
T = TypeVar("T", EventSubscription, SystemTopic)

_NAME: Final = re.compile(r"^[A-Za-z0-9-]{3,64}$")
_FILTER: Final = re.compile(r"^\s*name\s+eq\s+'([^']*)'\s*$", re.IGNORECASE)
_CONTAINS: Final = re.compile(r"^\s*contains\(\s*name\s*,\s*'([^']*)'\s*\)\s*$", re.IGNORECASE)


def grid_of(call: Call) -> EventGrid:
    """Give the Event Grid behind a call."""
    if not isinstance(call.world.events, EventGrid):
        raise ArmError(409, "MissingSubscriptionRegistration", "This local Azure was started without Event Grid.")
    return call.world.events


def on_topic(call: Call) -> bool:
    """Whether the path leads through a system topic."""
    return call.path.types[0].lower() == "systemtopics"


def topic_id(call: Call) -> str:
    """Give the id of the path's system topic."""
    return f"{call.path.scope}/providers/{PROVIDER}/systemTopics/{call.path.names[0]}"


def parent_id(call: Call) -> str:
    """Give the id that the path's event subscriptions lie under."""
    return topic_id(call) if on_topic(call) else f"{call.path.scope}/providers/{PROVIDER}"


def subscription_id(call: Call) -> str:
    """Give the id of the path's event subscription."""
    return f"{parent_id(call)}/eventSubscriptions/{call.path.names[-1]}"


def find_subscription(call: Call) -> EventSubscription:
    """Find the path's event subscription. Raises ArmError 404."""
    found = grid_of(call).subscriptions.get(subscription_id(call).lower())
    if found is None:
        raise ArmError(404, "ResourceNotFound", f"The event subscription '{call.path.names[-1]}' doesn't exist.")
    return found


def find_topic(call: Call) -> SystemTopic:
    """Find the path's system topic. Raises ArmError 404."""
    found = grid_of(call).topics.get(topic_id(call).lower())
    if found is None:
        raise ArmError(404, "ResourceNotFound", f"The system topic '{call.path.names[0]}' doesn't exist.")
    return found


def page(call: Call, found: Iterable[T]) -> list[T]:
    """Apply $filter and $top."""
    text = call.query.get("$filter", "")
    equal, contains = _FILTER.match(text), _CONTAINS.match(text)
    if text and not equal and not contains:
        raise ArmError(
            400, "InvalidRequest", f"$filter: {text!r} is not understood; name eq '…' and contains(name, '…') are."
        )
    if equal:
        found = [item for item in found if item.name.lower() == equal[1].lower()]
    if contains:
        found = [item for item in found if contains[1].lower() in item.name.lower()]
    top = call.query.get("$top", "")
    return list(found)[: int(top) if top.isdigit() else None]


def check_name(name: str) -> None:
    """Check a new resource's name. Raises ArmError 400."""
    if not _NAME.match(name):
        raise ArmError(
            400, "InvalidRequest", f"The name {name!r} is not valid: 3 to 64 letters, digits and hyphens are needed."
        )


def begin_operation(
    call: Call, grid: EventGrid, status: str, *, location: str = "", results: bool = False
) -> dict[str, str]:
    """Begin an operation; give the headers that lead to it."""
    guid = grid.new_id()
    grid.operations[guid] = {"name": guid, "status": status}
    if on_topic(call) and not location:
        topic = grid.topics.get(topic_id(call).lower())
        location = topic.location if topic else "global"
    root = f"{call.base}/subscriptions/{call.path.subscription}/providers/{PROVIDER}"
    root += f"/locations/{location}" if location else ""
    tail = f"{guid.upper()}?api-version={call.api_version}"
    headers = {"Azure-AsyncOperation": f"{root}/operationsStatus/{tail}"}
    if results:
        headers["Location"] = f"{root}/operationResults/{tail}"
    return headers
