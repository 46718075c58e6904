"""What an ended ARM operation looks like as an event: Event Grid schema, or CloudEvents 1.0. Pure.

`data` never carries the address of a container group: an event says that something happened, not what is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from local_azure.world import ArmEvent

RESOURCE_EVENT_TYPES: Final = tuple(
    f"Microsoft.Resources.Resource{kind}{outcome}"
    for kind in ("Write", "Delete", "Action")
    for outcome in ("Success", "Failure", "Cancel")
)
_STATUS: Final = {"Success": "Succeeded", "Failure": "Failed", "Cancel": "Canceled"}


@dataclass(frozen=True)
class Particulars:
    """What an event has besides its operation: chosen by the caller, so that the same inputs give the same event."""

    id: str
    tenant_id: str
    # Some of Microsoft's samples spell the segment `resourcegroups`; an id must be compared without case.
    lowercase_resource_groups: bool = False
    # httpRequest is there when an existing resource is changed or deleted, not when one is created.
    existed: bool = True


def resource_event(event: "ArmEvent", particulars: Particulars) -> dict[str, Any]:
    """Make the event in Event Grid schema, without `topic`: that is the subscription's source."""
    resource_id = event.resource_id
    if particulars.lowercase_resource_groups:
        resource_id = resource_id.replace("/resourceGroups/", "/resourcegroups/")
    return {
        "subject": resource_id,
        "eventType": f"Microsoft.Resources.Resource{event.kind}{event.outcome}",
        "id": particulars.id,
        "data": _data(event, resource_id, particulars),
        "dataVersion": "2",
        "metadataVersion": "1",
        "eventTime": timestamp(event.time),
    }


def with_topic(event: Mapping[str, Any], topic: str) -> dict[str, Any]:
    """Give the event as the subscribers of one source see it. A published event's own topic stays."""
    return {**event, "topic": event.get("topic") or topic}


def to_cloud_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """Turn an event in Event Grid schema into a CloudEvent; one that already is a CloudEvent stays as it is."""
    if "specversion" in event:
        return dict(event)
    renamed = {"topic": "source", "eventType": "type", "eventTime": "time"}
    dropped = ("dataVersion", "metadataVersion")
    return {
        **{renamed.get(key, key): value for key, value in event.items() if key not in dropped},
        "specversion": "1.0",
    }


def timestamp(time: datetime) -> str:
    """Format a time as Event Grid does: UTC, seven digits, Z."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{time.microsecond:06}0Z"


def _data(event: "ArmEvent", resource_id: str, particulars: Particulars) -> dict[str, Any]:
    claims = {key: value if isinstance(value, str) else str(value) for key, value in event.claims.items()}
    evidence = {"role": "Contributor", "roleAssignmentScope": f"/subscriptions/{event.subscription_id}"}
    if "oid" in claims:
        evidence |= {"principalId": claims["oid"].replace("-", ""), "principalType": "ServicePrincipal"}
    request = {
        "clientRequestId": event.client_request_id,
        "clientIpAddress": "127.0.0.1",
        "method": event.method,
        "url": event.url,
    }
    return {
        "authorization": {"scope": resource_id, "action": event.operation_name, "evidence": evidence},
        "claims": claims,
        "correlationId": event.correlation_id,
        **({"httpRequest": request} if particulars.existed else {}),
        "resourceProvider": event.operation_name.split("/", 1)[0],
        "resourceUri": resource_id,
        "operationName": event.operation_name,
        "status": _STATUS[event.outcome],
        "subscriptionId": event.subscription_id,
        "tenantId": particulars.tenant_id,
    }
