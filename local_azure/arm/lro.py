"""Long-running operations: the three shapes that ARM's providers have for following one to its end."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from local_azure.arm.call import ArmError, Call, Reply, gateway_error
from local_azure.arm.events import emit

if TYPE_CHECKING:
    from local_azure.world import World

Shape = Literal["dns", "aci", "network"]
# What an operation does at its end: returns nothing, or raises ArmError when it has failed.
Work = Callable[[], None]
# Azure keeps operations for a day; a local one that is this far back is not polled any more.
KEPT_OPERATIONS = 10_000
IN_PROGRESS = {"dns": "InProgress", "aci": "Pending", "network": "InProgress"}


@dataclass
class Operation:
    """One operation; `error` is set when status is Failed or Canceled."""

    id: str
    shape: Shape
    resource_id: str
    started_at: str
    status: str
    error: dict[str, str] | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    location: str = ""

    @property
    def done(self) -> bool:
        """Tell whether the operation has ended, well or not."""
        return self.status in ("Succeeded", "Failed", "Canceled")


def begin(  # noqa: PLR0913  # each names one thing that the providers do differently
    call: Call,
    shape: Shape,
    seconds: float,
    work: Work,
    *,
    kind: str = "",
    location: str = "",
    on_failure: Work = lambda: None,
) -> Operation:
    """Start an operation that does `work` after `seconds` and then emits the request's event."""
    world = call.world
    operation = Operation(
        id=_operation_id(world, shape, kind, call.path.subscription),
        shape=shape,
        resource_id=call.path.id,
        started_at=world.now().isoformat().replace("+00:00", "Z"),
        status=IN_PROGRESS[shape],
        location=location,
    )
    if len(world.operations) >= KEPT_OPERATIONS:
        del world.operations[next(iter(world.operations))]
    world.operations[operation.id.lower()] = operation

    def finish() -> None:
        try:
            _raise_fault(call)
            work()
        except ArmError as error:
            operation.status = "Canceled" if error.code == "Canceled" else "Failed"
            operation.error = error.content()
            on_failure()
            emit(call, "Cancel" if operation.status == "Canceled" else "Failure")
        else:
            operation.status = "Succeeded"
            emit(call, "Success")
        world.changed()

    world.later(seconds, finish)
    return operation


def _raise_fault(call: Call) -> None:
    fault = call.operation_fault
    if fault:
        raise ArmError(500, fault.code or "OperationFailed", fault.message or "The operation has failed.")


def _operation_id(world: World, shape: Shape, kind: str, subscription: str) -> str:
    guid = world.new_uuid()
    if shape != "dns":
        return guid
    return base64.urlsafe_b64encode(f"FrontEndAsyncOperation;{kind};{guid}_{subscription}".encode()).decode()


def headers(call: Call, operation: Operation) -> dict[str, str]:
    """Give the headers that lead a client to the operation; URLs are absolute, on the host that the client used."""
    # azure-core waits 30 s between polls unless it is told otherwise; Azure tells it in whole seconds only.
    hint = {} if operation.done else {"retry-after-ms": "20"}
    if operation.shape == "dns":
        root = f"{call.base}{call.path.scope}/providers/Microsoft.Network"
        version = f"?api-version={call.api_version}"
        return {
            "Azure-AsyncOperation": f"{root}/privateDnsOperationStatuses/{operation.id}{version}",
            "Location": f"{root}/privateDnsOperationResults/{operation.id}{version}",
            **hint,
        }
    provider, version = (
        ("Microsoft.ContainerInstance", "2018-06-01") if operation.shape == "aci" else ("Microsoft.Network", "")
    )
    root = f"{call.base}/subscriptions/{call.path.subscription}/providers/{provider}"
    url = f"{root}/locations/{operation.location}/operations/{operation.id}?api-version={version or call.api_version}"
    return {"Azure-AsyncOperation": url, **({"Azure-AsyncNotification": "Enabled"} if not version else {}), **hint}


def _find(call: Call) -> Operation:
    operation = call.world.operations.get(call.path.name.lower())
    if operation is None:
        raise gateway_error(404, "NotFound", f"The operation '{call.path.name}' was not found.")
    return operation


def dns_status(call: Call) -> Reply:
    """GET privateDnsOperationStatuses/…: 202 while it runs, then 200; a failure is 200 as well."""
    operation = _find(call)
    if not operation.done:
        return Reply(202, {"status": operation.status}, headers(call, operation))
    error = {"error": operation.error} if operation.error else {}
    return Reply(200, {**error, "status": operation.status})


def dns_result(call: Call) -> Reply:
    """GET privateDnsOperationResults/…: 202 with the same headers while it runs, then 200."""
    operation = _find(call)
    if not operation.done:
        return Reply(202, None, headers(call, operation))
    if operation.error:
        raise ArmError(400, operation.error["code"], operation.error["message"])
    return Reply(200, {})


def container_status(call: Call) -> Reply:
    """GET Microsoft.ContainerInstance/locations/…/operations/…."""
    operation = _find(call)
    body: dict[str, Any] = {
        "id": operation.resource_id,
        "status": operation.status,
        "startTime": operation.started_at,
        "properties": {"events": operation.events},
    }
    if operation.error:
        body["error"] = operation.error
    return Reply(200, body, {} if operation.done else {"retry-after-ms": "20"})


def network_status(call: Call) -> Reply:
    """GET Microsoft.Network/locations/…/operations/…."""
    operation = _find(call)
    error = {"error": operation.error} if operation.error else {}
    return Reply(200, {"status": operation.status, **error}, {} if operation.done else {"retry-after-ms": "20"})
