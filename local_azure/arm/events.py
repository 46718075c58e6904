"""Says to Event Grid what a request did, once it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_azure.world import ArmEvent, EventKind, EventOutcome

if TYPE_CHECKING:
    from local_azure.arm.call import Call

# POST requests whose effect is an Action event; exec, attach and the like change no resource.
ACTIONS = ("restart", "stop", "start")
_VERBS: dict[str, tuple[EventKind, str]] = {
    "PUT": ("Write", "write"),
    "PATCH": ("Write", "write"),
    "DELETE": ("Delete", "delete"),
    "POST": ("Action", "action"),
}


def action_name(call: Call) -> str:
    """Give the permission and operation name of a request, e.g. Microsoft.Network/privateDnsZones/A/write."""
    kind = call.path.type or (
        "Microsoft.Resources/subscriptions" + ("/resourceGroups" * bool(call.path.resource_group))
    )
    return f"{kind}/{_VERBS[call.method][1] if call.method in _VERBS else 'read'}"


def emit(call: Call, outcome: EventOutcome) -> None:
    """Emit the event of a write, delete or action."""
    kind = _VERBS[call.method][0]
    if kind == "Action" and (not call.path.types or call.path.types[-1] not in ACTIONS):
        return
    call.world.events.emit(
        ArmEvent(
            resource_id=call.path.id,
            operation_name=action_name(call),
            kind=kind,
            outcome=outcome,
            method=call.method,
            url=call.url,
            correlation_id=call.correlation_id,
            client_request_id=call.client_request_id,
            time=call.world.now(),
            subscription_id=call.path.subscription,
            claims=call.claims,
        )
    )
