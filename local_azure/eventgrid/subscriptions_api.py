"""Event subscriptions of a subscription, a resource group or a system topic: written, shown, validated."""

import asyncio
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from local_azure.arm.call import ArmError, Call, Reply
from local_azure.arm.events import emit
from local_azure.eventgrid.arm_common import (
    PROVIDER,
    begin_operation,
    check_name,
    find_subscription,
    find_topic,
    grid_of,
    on_topic,
    page,
    parent_id,
    subscription_id,
)
from local_azure.eventgrid.envelope import timestamp
from local_azure.eventgrid.model import Definition, EventSubscription, InvalidSubscriptionError, define, merge, shown
from local_azure.eventgrid.validation import needs_handshake, shake_hands, validation_event

if TYPE_CHECKING:
    from collections.abc import Iterable

VALIDATE_PATH: Final = "/_local/eventgrid/validate"
_tasks: set[asyncio.Task[None]] = set()


def put_subscription(call: Call) -> Reply:
    """Create or replace; always 201 and an operation, as recorded."""
    old = grid_of(call).subscriptions.get(subscription_id(call).lower())
    return _write(call, old, call.section("properties"))


def patch_subscription(call: Call) -> Reply:
    """Change some properties; they stand at the top of the body, not under `properties`."""
    old = find_subscription(call)
    return _write(call, old, merge(old.wanted, call.json_object()))


def get_subscription(call: Call) -> Reply:
    """Give one subscription; the secret part of its URL is not shown."""
    return Reply(200, shown(find_subscription(call), settled=True))


def get_full_url(call: Call) -> Reply:
    """Give the whole URL of a web hook."""
    return Reply(200, {"endpointUrl": find_subscription(call).definition.destination.url or None})


def delete_subscription(call: Call) -> Reply:
    """Delete: 202 and an operation; 204 where there is none."""
    grid = grid_of(call)
    found = grid.subscriptions.pop(subscription_id(call).lower(), None)
    if found is None:
        return Reply(204, emits=False)
    found.state = "Deleting"
    return Reply(202, None, begin_operation(call, grid, "Succeeded", results=True))


def list_subscriptions(call: Call) -> Reply:
    """List a scope's own subscriptions; by topic type, the whole subscription's."""
    path = call.path
    found: Iterable[EventSubscription] = grid_of(call).subscriptions.values()
    prefix = f"{path.scope}/".lower()
    found = [item for item in found if item.id.lower().startswith(prefix)]
    if "topicTypes" in path.types or "topictypes" in (kind.lower() for kind in path.types):
        wanted = path.names[-1].lower()
        found = [item for item in found if item.topic_type.lower() == wanted]
    elif path.types[0].lower() in ("eventsubscriptions", "systemtopics"):
        parent = f"{parent_id(call)}/eventSubscriptions/".lower()
        found = [item for item in found if item.id.lower().startswith(parent)]
    return Reply(200, {"value": [shown(item, settled=True) for item in page(call, found)]})


def _write(call: Call, old: EventSubscription | None, wanted: dict[str, Any]) -> Reply:
    """Store the subscription as Creating or Updating, and let its operation ask the endpoint."""
    grid = grid_of(call)
    topic, source, topic_type = _source(call)
    check_name(call.path.names[-1])
    definition = _define(wanted, topic_type)
    kind = f"{PROVIDER}/systemTopics/eventSubscriptions" if on_topic(call) else f"{PROVIDER}/eventSubscriptions"
    new = EventSubscription(
        subscription_id(call), call.path.names[-1], kind, topic, source.lower(), topic_type, wanted, definition
    )
    new.state = "Updating" if old else "Creating"
    if old is None:
        grid.subscriptions[new.id.lower()] = new
    headers = begin_operation(call, grid, "InProgress", location=_location(call))
    body = shown(new, settled=False)
    guid = headers["Azure-AsyncOperation"].split("?")[0].rsplit("/", 1)[1].lower()
    if not needs_handshake(new):
        _settle(call, old, new, guid, refusal="")
    else:
        task = asyncio.get_running_loop().create_task(_validate(call, old, new, guid))
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)
    return Reply(201, body, headers, emits=False)


async def _validate(call: Call, old: EventSubscription | None, new: EventSubscription, guid: str) -> None:
    """Shake hands, then end the operation."""
    grid = grid_of(call)
    validation_url, token = f"{call.base}{VALIDATE_PATH}", grid.new_id()
    event, code = validation_event(new, f"{validation_url}?{urlencode({'id': token})}", timestamp(call.world.now()))
    outcome = await shake_hands(new, event, code)
    if outcome.by_hand:
        grid.pending_validations[token] = new
    _settle(call, old, new, guid, refusal=outcome.refusal, by_hand=outcome.by_hand)


def _settle(  # noqa: PLR0913 - the two ends of one operation
    call: Call, old: EventSubscription | None, new: EventSubscription, guid: str, *, refusal: str, by_hand: bool = False
) -> None:
    """End the operation: the subscription works, waits for a validation by hand, or was refused."""
    grid = grid_of(call)
    operation = grid.operations.get(guid)
    if operation is None:
        return  # the world was reset meanwhile
    if refusal:
        if old is None:
            grid.subscriptions.pop(new.id.lower(), None)
        operation.update(status="Failed", error={"code": "Url validation", "message": refusal})
        emit(call, "Failure")
        return
    if old is not None:
        # Deliveries on their way keep the object: what they do next follows the new definition.
        old.wanted, old.definition = new.wanted, new.definition
        new = old
    operation["status"] = "Succeeded"
    emit(call, "Success")
    new.state = "AwaitingManualAction" if by_hand else "Succeeded"
    call.world.changed()


def _define(wanted: dict[str, Any], topic_type: str) -> Definition:
    try:
        return define(wanted, topic_type)
    except InvalidSubscriptionError as error:
        raise ArmError(400, "InvalidRequest", str(error)) from error


def _source(call: Call) -> tuple[str, str, str]:
    """Give the shown topic, the id whose resources are heard, and the topic type."""
    if on_topic(call):
        topic = find_topic(call)
        return topic.id, topic.source, topic.topic_type
    scope = call.path.scope
    kind = "ResourceGroups" if call.path.resource_group else "Subscriptions"
    return scope, scope, f"Microsoft.Resources.{kind}"


def _location(call: Call) -> str:
    """Give the region of the operation's URL: a system topic's have one, a scope's have none."""
    return find_topic(call).location if on_topic(call) else ""
