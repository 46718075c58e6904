"""Event subscriptions: filtered hard, retried, and nothing given up silently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from infra.check.findings import Finding
from infra.check.values import Arr, Known, Obj, Unknown, Value, alternatives, texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from infra.check.deployment import Instance

MAX_VALUES: Final = 25
"""Values over all advanced filters of one subscription, and number of filters."""
EVENT_TYPES: Final = frozenset(
    f"Microsoft.Resources.Resource{what}{outcome}"
    for what in ("Write", "Delete", "Action")
    for outcome in ("Success", "Failure", "Cancel")
)
_SUCCESS: Final = frozenset(name for name in EVENT_TYPES if name.endswith("Success"))
_OURS: Final = ("microsoft.containerinstance/containergroups/", "microsoft.network/privatednszones/")
_SYSTEM: Final = "microsoft.eventgrid/systemtopics/eventsubscriptions"
_CUSTOM: Final = "microsoft.eventgrid/topics/eventsubscriptions"


def check_event_grid(instances: Iterable[Instance]) -> Iterator[Finding]:
    """Check every event subscription of a deployment."""
    for instance in instances:
        kind = instance.declared.resource_type.lower()
        if kind not in {_SYSTEM, _CUSTOM}:
            continue
        for body in alternatives(instance.body):
            if isinstance(body, Obj):
                for code, message in _problems(body, kind):
                    name = instance.declared.name
                    yield Finding(instance.document.path, instance.declared.line, code, f"{name}: {message}")


def _problems(body: Obj, kind: str) -> Iterator[tuple[str, str]]:
    yield from _filter(body.get("properties", "filter"), kind)
    if body.get("properties", "deadLetterWithResourceIdentity", "deadLetterDestination") is None:
        yield "no-dead-letter", "events that are given up are lost: set deadLetterWithResourceIdentity"
    if body.get("properties", "deadLetterDestination") is not None:
        yield "no-dead-letter", "dead letters are written with a key: use deadLetterWithResourceIdentity"
    if body.get("properties", "retryPolicy", "maxDeliveryAttempts") is None:
        yield "no-retry-policy", "set retryPolicy: how long an event is tried is nothing to leave to a default"


def _filter(found: Value | None, kind: str) -> Iterator[tuple[str, str]]:
    if not isinstance(found, Obj):
        yield "unfiltered-subscription", "without a filter every event of the subscription is delivered"
        return
    yield from _types(found.get("includedEventTypes"), kind)
    filters = list(_filters(found.get("advancedFilters")))
    if not filters:
        yield "unfiltered-subscription", "without advancedFilters every write in the subscription is delivered"
    if kind == _SYSTEM:
        yield from _operations(filters)
    for one in filters:
        if not texts(one.get("operatorType")) or not texts(one.get("key")):
            yield "bad-filter", "an advanced filter needs operatorType and key"
    least = sum(len(values.items) for one in filters if isinstance(values := one.get("values"), Arr))
    if least > MAX_VALUES:
        yield "bad-filter", f"{least} values in the advanced filters; Event Grid takes {MAX_VALUES}"


def _types(found: Value | None, kind: str) -> Iterator[tuple[str, str]]:
    names = [text for item in (found.items if isinstance(found, Arr) else ()) for text in texts(item)]
    if not names:
        yield "unfiltered-subscription", "includedEventTypes is missing: failures and cancellations would be delivered"
    for name in names:
        if name not in EVENT_TYPES:
            yield "bad-filter", f"{name!a} is no event type of a subscription"
        elif name not in _SUCCESS and kind == _SYSTEM:
            yield "bad-filter", f"{name} is not about something that has happened"


def _filters(found: Value | None) -> Iterator[Obj]:
    for outcome in alternatives(found) if found is not None else ():
        for item in outcome.items if isinstance(outcome, Arr) else ():
            if isinstance(item, Obj):
                yield item


def _operations(filters: list[Obj]) -> Iterator[tuple[str, str]]:
    """Of a subscription's topic: only operations on container groups or record sets."""
    wanted = [one for one in filters if texts(one.get("key")) == ["data.operationName"]]
    if not wanted:
        yield "unfiltered-subscription", "no filter on data.operationName: every resource provider's events come"
    for one in wanted:
        if texts(one.get("operatorType")) != ["StringIn"]:
            yield "bad-filter", "data.operationName needs StringIn: a prefix lets other operations through"
        values = one.get("values")
        for value in values.items if isinstance(values, Arr) else (Unknown(),):
            name = value.value if isinstance(value, Known) else None
            if not isinstance(name, str) or not name.lower().startswith(_OURS):
                yield "bad-filter", f"{name!a} is no operation on container groups or private DNS record sets"
