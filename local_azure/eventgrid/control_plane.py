"""Microsoft.EventGrid in ARM's table of routes."""

from collections.abc import Callable

from local_azure.arm.call import ArmError, Call, Reply
from local_azure.arm.routes import ROUTES, Route
from local_azure.eventgrid.arm_common import grid_of
from local_azure.eventgrid.subscriptions_api import (
    delete_subscription,
    get_full_url,
    get_subscription,
    list_subscriptions,
    patch_subscription,
    put_subscription,
)
from local_azure.eventgrid.topics_api import delete_topic, get_topic, list_topics, patch_topic, put_topic

Handler = Callable[[Call], Reply]


def register() -> None:
    """Add the provider's routes to ARM's table. Safe to call twice."""
    group = "subscriptions/*/resourcegroups/*/providers/microsoft.eventgrid"
    for base in ("subscriptions/*/providers/microsoft.eventgrid", group):
        _subscription_routes(f"{base}/eventsubscriptions")
        for among in ("topictypes/*", "locations/*", "locations/*/topictypes/*"):
            _add(f"{base}/{among}/eventsubscriptions", "eventSubscription", LIST=list_subscriptions)
        _add(f"{base}/systemtopics", "systemTopic", LIST=list_topics)
    _add(f"{group}/systemtopics/*", "systemTopic", GET=get_topic, PUT=put_topic, PATCH=patch_topic, DELETE=delete_topic)
    _subscription_routes(f"{group}/systemtopics/*/eventsubscriptions")
    for base in ("", "/locations/*"):
        for kind in ("operationsstatus", "operationresults"):
            key = f"subscriptions/*/providers/microsoft.eventgrid{base}/{kind}/*"
            _add(key, "eventGrid.operation", GET=operation_status)


def _subscription_routes(base: str) -> None:
    one = {"GET": get_subscription, "PUT": put_subscription, "PATCH": patch_subscription, "DELETE": delete_subscription}
    _add(base, "eventSubscription", LIST=list_subscriptions)
    _add(f"{base}/*", "eventSubscription", **one)
    ROUTES[f"{base}/*/getfullurl"] = {"POST": Route("eventSubscription.getFullUrl", get_full_url)}


def _add(key: str, resource: str, **handlers: Handler) -> None:
    ROUTES[key] = {
        "GET" if method == "LIST" else method: Route(f"{resource}.{method}", handler)
        for method, handler in handlers.items()
    }


def operation_status(call: Call) -> Reply:
    """Give an operation's state."""
    found = grid_of(call).operations.get(call.path.name.lower())
    if found is None:
        raise ArmError(404, "OperationNotFound", f"The operation '{call.path.name}' was not found.")
    return Reply(200, {"id": call.url, **found}, {} if found["status"] != "InProgress" else {"retry-after-ms": "20"})
