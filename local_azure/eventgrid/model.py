"""Event subscriptions and system topics: parsed from ARM's JSON, and shown as ARM shows them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from local_azure.eventgrid.envelope import RESOURCE_EVENT_TYPES
from local_azure.eventgrid.filter import Filter, FilterError, parse_filter
from local_azure.eventgrid.schedule import EndpointKind, RetryPolicy

Schema = Literal["EventGridSchema", "CloudEventSchemaV1_0"]
EVENT_GRID_SCHEMA: Final[Schema] = "EventGridSchema"
CLOUD_EVENT_SCHEMA: Final[Schema] = "CloudEventSchemaV1_0"

DEFAULT_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "microsoft.resources.subscriptions": RESOURCE_EVENT_TYPES,
    "microsoft.resources.resourcegroups": RESOURCE_EVENT_TYPES,
    "microsoft.storage.storageaccounts": ("Microsoft.Storage.BlobCreated", "Microsoft.Storage.BlobDeleted"),
}
"""Event types of a subscription that names none, by topic type. Only the first two have events here."""

_RETRY_RANGES: Final = {"maxDeliveryAttempts": (1, 30), "eventTimeToLiveInMinutes": (1, 1440)}
_BATCH_RANGES: Final = {"maxEventsPerBatch": (1, 5000), "preferredBatchSizeInKilobytes": (1, 1024)}
_BATCH_DEFAULTS: Final = {"maxEventsPerBatch": 1, "preferredBatchSizeInKilobytes": 64}


class InvalidSubscriptionError(ValueError):
    """A definition that Event Grid rejects: where in the JSON, what is wrong."""


@dataclass(frozen=True)
class Destination:
    """Where events go: a web hook's full URL, or a function's ARM id."""

    kind: EndpointKind
    url: str = ""
    resource_id: str = ""
    max_events_per_batch: int = 1
    preferred_batch_kilobytes: int = 64

    @property
    def base_url(self) -> str:
        """The URL without its query, which holds the secret."""
        return self.url.split("?", 1)[0]


@dataclass(frozen=True)
class Definition:
    """What a caller wants of an event subscription, validated."""

    destination: Destination
    filter: Filter
    retry: RetryPolicy
    schema: Schema
    dead_letters: str | None
    """The blob container of dead letters, None when events that can't be delivered are dropped."""


@dataclass
class EventSubscription:
    """One event subscription; `wanted` is its `properties` as they were sent, merged over PATCHes.

    `source` is the id whose resources it hears of: a subscription or a resource group, in lower case.
    """

    id: str
    name: str
    type: str
    topic: str
    source: str
    topic_type: str
    wanted: dict[str, Any]
    definition: Definition
    state: str = "Creating"

    def hears(self, resource_id: str) -> bool:
        """Whether the resource lies in the source's scope."""
        return f"{resource_id.lower()}/".startswith(f"{self.source}/")


@dataclass
class SystemTopic:
    """A system topic; its source is what it hears of."""

    id: str
    name: str
    location: str
    source: str
    topic_type: str
    metric_id: str
    tags: dict[str, str] | None = field(default=None)

    def shown(self) -> dict[str, Any]:
        """Give the ARM body."""
        properties = {
            "provisioningState": "Succeeded",
            "source": self.source,
            "topicType": self.topic_type,
            "metricResourceId": self.metric_id,
        }
        return {
            "properties": properties,
            "systemData": None,
            "location": self.location,
            "tags": self.tags,
            "id": self.id,
            "name": self.name,
            "type": "Microsoft.EventGrid/systemTopics",
        }


def define(wanted: Mapping[str, Any], topic_type: str) -> Definition:
    """Validate a subscription's properties. Raises InvalidSubscriptionError."""
    retry = _integers(_object(wanted, "retryPolicy"), _RETRY_RANGES, "retryPolicy")
    types = DEFAULT_TYPES.get(topic_type.lower(), RESOURCE_EVENT_TYPES)
    try:
        chosen = parse_filter(_object(wanted, "filter"), types)
    except FilterError as error:
        raise InvalidSubscriptionError(str(error)) from error
    return Definition(
        _destination(_object(wanted, "destination")),
        chosen,
        RetryPolicy(retry.get("maxDeliveryAttempts", 30), retry.get("eventTimeToLiveInMinutes", 1440)),
        _schema(wanted.get("eventDeliverySchema") or EVENT_GRID_SCHEMA),
        _dead_letters(_object(wanted, "deadLetterDestination")),
    )


def merge(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a PATCH over the properties: each top-level property that is given replaces the old one."""
    return {**old, **{key: value for key, value in new.items() if value is not None}}


def shown(subscription: EventSubscription, *, settled: bool) -> dict[str, Any]:
    """Give the ARM body: while an operation runs as the caller wrote it, settled with every default filled in."""
    wanted = subscription.wanted
    properties: dict[str, Any] = {
        "topic": subscription.topic,
        "provisioningState": subscription.state,
        "destination": _shown_destination(subscription, settled=settled),
        "filter": _shown_filter(subscription, settled=settled),
        "labels": wanted.get("labels"),
    }
    if settled or wanted.get("eventDeliverySchema"):
        properties["eventDeliverySchema"] = subscription.definition.schema
    retry = subscription.definition.retry
    properties["retryPolicy"] = {
        "maxDeliveryAttempts": retry.max_delivery_attempts,
        "eventTimeToLiveInMinutes": retry.time_to_live_minutes,
    }
    if wanted.get("deadLetterDestination"):
        properties["deadLetterDestination"] = wanted["deadLetterDestination"]
    identity = {"id": subscription.id, "name": subscription.name, "type": subscription.type}
    return {"properties": properties, "systemData": None, **identity}


def _shown_destination(subscription: EventSubscription, *, settled: bool) -> dict[str, Any]:
    """Show the destination; a web hook's URL only without its query."""
    destination = subscription.definition.destination
    sent = subscription.wanted["destination"].get("properties") or {}
    batch = {key: sent[key] for key in _BATCH_DEFAULTS if sent.get(key) is not None}
    if settled:
        batch = {**_BATCH_DEFAULTS, **batch}
    if destination.kind == "WebHook":
        where = {"endpointUrl": None, "endpointBaseUrl": destination.base_url}
    else:
        where = {"resourceId": destination.resource_id}
    return {"properties": {**where, **batch}, "endpointType": destination.kind}


def _shown_filter(subscription: EventSubscription, *, settled: bool) -> dict[str, Any]:
    sent = subscription.wanted.get("filter") or {}
    types = DEFAULT_TYPES.get(subscription.topic_type.lower(), RESOURCE_EVENT_TYPES)
    subjects = {key: sent[key] for key in ("subjectBeginsWith", "subjectEndsWith") if sent.get(key) is not None}
    if settled:
        subjects = {"subjectBeginsWith": "", "subjectEndsWith": "", **subjects}
    flags = {key: True for key in ("isSubjectCaseSensitive", "enableAdvancedFilteringOnArrays") if sent.get(key)}
    advanced = {"advancedFilters": sent["advancedFilters"]} if sent.get("advancedFilters") else {}
    return {**subjects, "includedEventTypes": sent.get("includedEventTypes") or list(types), **flags, **advanced}


def _schema(value: Any) -> Schema:
    for schema in (EVENT_GRID_SCHEMA, CLOUD_EVENT_SCHEMA):
        if value == schema:
            return schema
    raise InvalidSubscriptionError(
        f"eventDeliverySchema: {value!r} is not {EVENT_GRID_SCHEMA} or {CLOUD_EVENT_SCHEMA}."
    )


def _destination(value: Mapping[str, Any]) -> Destination:
    kind = value.get("endpointType")
    properties = _object(value, "properties", "destination.")
    batch = {**_BATCH_DEFAULTS, **_integers(properties, _BATCH_RANGES, "destination.properties")}
    sizes = (batch["maxEventsPerBatch"], batch["preferredBatchSizeInKilobytes"])
    if kind == "WebHook":
        url = properties.get("endpointUrl")
        if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise InvalidSubscriptionError("destination.properties.endpointUrl: an absolute http(s) URL is needed.")
        return Destination("WebHook", url, "", *sizes)
    if kind == "AzureFunction":
        resource_id = properties.get("resourceId")
        parts = resource_id.strip("/").lower().split("/") if isinstance(resource_id, str) else []
        if len(parts) != 10 or parts[5:7] != ["microsoft.web", "sites"] or parts[8] != "functions":  # noqa: PLR2004
            raise InvalidSubscriptionError(
                "destination.properties.resourceId: "
                "/subscriptions/…/providers/Microsoft.Web/sites/APP/functions/FUNCTION is needed."
            )
        return Destination("AzureFunction", "", str(resource_id), *sizes)
    raise InvalidSubscriptionError(
        f"destination.endpointType: {kind!r} is not WebHook or AzureFunction (the local two)."
    )


def _dead_letters(value: Mapping[str, Any]) -> str | None:
    if not value:
        return None
    container = _object(value, "properties", "deadLetterDestination.").get("blobContainerName")
    if value.get("endpointType") != "StorageBlob" or not isinstance(container, str) or not container.isascii():
        raise InvalidSubscriptionError(
            "deadLetterDestination: endpointType StorageBlob and blobContainerName are needed."
        )
    if not container.replace("-", "").replace("$", "").isalnum():
        raise InvalidSubscriptionError("deadLetterDestination.properties.blobContainerName: no valid container name.")
    return container


def _object(value: Mapping[str, Any], key: str, path: str = "") -> Mapping[str, Any]:
    found = value.get(key)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise InvalidSubscriptionError(f"{path}{key}: an object is needed.")
    return found


def _integers(value: Mapping[str, Any], ranges: Mapping[str, tuple[int, int]], path: str) -> dict[str, int]:
    found = {}
    for key, (low, high) in ranges.items():
        number = value.get(key)
        if number is None:
            continue
        if isinstance(number, bool) or not isinstance(number, int) or not low <= number <= high:
            raise InvalidSubscriptionError(f"{path}.{key}: a whole number from {low} to {high} is needed.")
        found[key] = number
    return found
