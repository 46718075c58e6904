"""Turns how a run ended into one event. Pure."""

from typing import Any

from core.arm_id import ArmId
from core.errors import EXIT_DONE, EXIT_TRY_AGAIN, ToolkitError
from core.events import Event, EventType
from core.live import LiveGroup
from core.occasion import Occasion, group_values
from core.zone_map import DnsConfig
from reconciler.contract import WorkerResult
from reconciler.process import WorkerExit

MAX_MESSAGE = 4000


class ReconcileFailedError(ToolkitError):
    """The invocation must fail, so that Event Grid delivers the event again. `code` is the cause, as in the event."""

    def __init__(self, code: str, message: str, *, retryable: bool) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.retryable = retryable


def skipped(occasion: Occasion, code: str, message: str, group: ArmId | None = None) -> Event:
    """Say that an event is none of ours: another resource's, malformed, or of an unconfigured resource group."""
    values = group_values(group) if group else {}
    details = {"reason": code, "event_type": occasion.delivery.type[:200], "subject": occasion.delivery.subject[:500]}
    return occasion.event(
        EventType.RECONCILE_SKIPPED,
        {**values, "ErrorCode": code, "ErrorMessage": message[:MAX_MESSAGE], "Details": details},
    )


def failed(occasion: Occasion, error: ToolkitError, group: ArmId, config: DnsConfig | None, kind: EventType) -> Event:
    """Say that the run failed before the worker began."""
    values = group_values(group, config)
    return occasion.event(kind, {**values, "ErrorCode": error.code, "ErrorMessage": str(error)[:MAX_MESSAGE]})


def finished(
    occasion: Occasion, live: LiveGroup, config: DnsConfig, ended: WorkerExit, shadowed_by: tuple[str, ...] = ()
) -> tuple[Event, ReconcileFailedError | None]:
    """Say how the worker ended, and give the exception that the invocation must end with, if any."""
    result = ended.result
    error = _failure(ended)
    kind = _event_type(ended, error)
    values = group_values(live.id, config)
    details: dict[str, Any] = {"exit_code": ended.code, "worker_ms": ended.duration_ms}
    if shadowed_by:
        details["shadowed_by"] = list(shadowed_by)
    if result is not None:
        values |= _result_values(result, occasion.arm_calls)
        details |= {"live_state": result.live_state, "rounds": result.rounds, "notes": list(result.notes)}
        details |= {"took_back": list(result.took_back)} if result.took_back else {}
        details |= {"left_behind": list(result.left_behind)} if result.left_behind else {}
    if error is not None:
        values |= {"ErrorCode": error.code, "ErrorMessage": str(error).partition(": ")[2][:MAX_MESSAGE]}
    return occasion.event(kind, {**values, "Details": details}), error


def _result_values(result: WorkerResult, own_calls: int) -> dict[str, Any]:
    values: dict[str, Any] = {
        "LiveIp": result.live_ip,
        "OldIp": ",".join(result.old_ips),
        "Changes": list(result.changes),
        "ArmCalls": own_calls + result.arm_calls,
    }
    if result.live_ip:
        values |= {
            "NewIp": result.live_ip,
            "ReverseZone": result.reverse_zone,
            "PtrName": result.ptr_name,
            "PtrTarget": result.fqdn if result.ptr_name else "",
        }
    return values


def _event_type(ended: WorkerExit, error: ReconcileFailedError | None) -> EventType:
    if error is None and ended.result is not None:
        return EventType(ended.result.outcome)
    deferred = ended.result is not None and ended.result.outcome == EventType.RECONCILE_DEFERRED
    return EventType.RECONCILE_DEFERRED if deferred else EventType.RECONCILE_FAILED


def _failure(ended: WorkerExit) -> ReconcileFailedError | None:
    """Name the cause, from the best witness: the deadline, the result line, the signal, the last error line."""
    if ended.timed_out:
        message = f"the worker was killed after {ended.duration_ms} ms: its deadline was over"
        return ReconcileFailedError("deadline_exceeded", message, retryable=True)
    if ended.code == EXIT_DONE and ended.result is not None and ended.result.error is None:
        return None
    retryable = ended.code == EXIT_TRY_AGAIN
    if ended.result is not None and ended.result.error is not None:
        cause = ended.result.error
        return ReconcileFailedError(str(cause.get("code")), str(cause.get("message")), retryable=retryable)
    if ended.code < 0:
        return ReconcileFailedError("worker_killed", f"signal {-ended.code} ended the worker", retryable=True)
    message = f"the worker ended with code {ended.code} and no result: {ended.last_error_line[:1000] or 'no output'}"
    return ReconcileFailedError("worker_failed", message, retryable=retryable)
