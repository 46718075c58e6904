"""The worker: the only process that writes DNS. Started by `worker.sh`; its last stdout line is a JSON result.

It imports neither the identity nor the monitor libraries, nor `requests`: its token comes on a file descriptor, its
events are the caller's to send, its calls go over the lean transport. That is most of its start-up time saved.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TextIO

from cloud.arm import Arm
from cloud.container_groups import ContainerGroups
from cloud.credentials import FixedTokenCredential
from cloud.private_dns import PrivateDns
from core.errors import EXIT_DONE, EXIT_FAILURE, InputError, NotReadyError, ThrottledError, ToolkitError
from core.events import EventType
from reconciler.contract import Contract, WorkerResult
from reconciler.converge import Converger, Progress
from reconciler.desired import Subject

MAX_TOKEN_BYTES = 65_536
TOKEN_LIFETIME_SECONDS = 3600
LEAVE_SECONDS = 1.0
"""Kept back from the deadline, so that the result is printed before the caller kills the process group."""


def main(environment: Mapping[str, str], out: TextIO) -> int:
    """Run once; print one JSON line; give the exit code."""
    began = time.monotonic()
    try:
        contract = Contract.from_environment(environment)
        token = read_token(environment)
    except InputError as error:
        _say(out, WorkerResult(outcome=EventType.RECONCILE_FAILED, error=_error(error)))
        return error.exit_code
    ends = began + max(contract.deadline_seconds - LEAVE_SECONDS, 0.5)
    credential = FixedTokenCredential(token, int(time.time()) + TOKEN_LIFETIME_SECONDS)
    arm = Arm(
        credential,
        endpoint=contract.arm_endpoint,
        ca_bundle=environment.get("REQUESTS_CA_BUNDLE") or None,
        deadline=lambda: ends - time.monotonic(),
        lean=True,
    )
    progress = Progress(Subject.of(contract.live, contract.config))
    converger = Converger(
        ContainerGroups(arm), PrivateDns(arm), lambda: ends - time.monotonic(), contract.attempts, contract.dry_run
    )
    result, code = result_of(converger, progress, arm, lambda: round((time.monotonic() - began) * 1000))
    arm.close()
    _say(out, result)
    return code


class CountsArm(Protocol):
    """Something that counts the requests it sent to Azure Resource Manager, retries included."""

    @property
    def calls(self) -> int:
        """All of them."""

    @property
    def reads(self) -> int:
        """Those that read."""

    @property
    def writes(self) -> int:
        """Those that wrote."""


def result_of(
    converger: Converger, progress: Progress, arm: CountsArm, duration_ms: Callable[[], int]
) -> tuple[WorkerResult, int]:
    """Converge, and give the result to print and the exit code; no failure is raised."""
    outcome, failure = _run(converger, progress)
    made = progress.plan.changes if converger.dry_run else progress.changes
    result = WorkerResult(
        outcome=outcome,
        changes=tuple(change.to_json() for change in made),
        dry_run=converger.dry_run,
        arm_calls=arm.calls,
        arm_reads=arm.reads,
        arm_writes=arm.writes,
        duration_ms=duration_ms(),
        error=_error(failure) if failure else None,
        **_facts(progress),
    )
    return result, _exit_code(failure)


def _run(converger: Converger, progress: Progress) -> tuple[EventType, Exception | None]:
    try:
        return converger.converge(progress), None
    except NotReadyError as error:
        return EventType.RECONCILE_DEFERRED, error
    except ToolkitError as error:
        return EventType.RECONCILE_FAILED, error
    except Exception as error:  # noqa: BLE001 - a bug must still end in a result line and a stack trace
        sys.excepthook(type(error), error, error.__traceback__)
        return EventType.RECONCILE_FAILED, error


def read_token(environment: Mapping[str, str]) -> str:
    """Read the ARM token from its descriptor and close it; raises InputError when there is none."""
    try:
        with os.fdopen(int(environment["TOKEN_FD"]), "rb") as pipe:
            token = pipe.read(MAX_TOKEN_BYTES).decode("ascii").strip()
    except (KeyError, ValueError, OSError) as error:
        raise InputError(f"the token cannot be read from its file descriptor: {type(error).__name__}") from error
    if not token:
        raise InputError("the token's file descriptor is empty")
    return token


def _facts(progress: Progress) -> dict[str, Any]:
    """Give what the run learned and did, as fields of the result."""
    subject = progress.subject
    address = subject.group.address
    place = subject.placement.ptr_place(address) if address else None
    return {
        "live_state": subject.group.state,
        "live_ip": str(address or ""),
        "old_ips": progress.old_addresses,
        "fqdn": subject.fqdn,
        "ptr_name": f"{place.name}.{place.zone.name}" if place else "",
        "reverse_zone": place.zone.name if place else "",
        "took_back": tuple(change.to_json() for change in progress.took_back),
        "left_behind": tuple(record_set.fqdn for record_set in progress.left_behind),
        "notes": progress.plan.notes,
        "rounds": progress.rounds,
    }


def _error(error: Exception) -> dict[str, object]:
    if not isinstance(error, ToolkitError):
        return {"code": "failure", "message": f"{type(error).__name__}: {error}"}
    found: dict[str, object] = {"code": error.code, "message": str(error)}
    if isinstance(error, ThrottledError) and error.retry_after_seconds is not None:
        found["retry_after_seconds"] = error.retry_after_seconds
    return found


def _exit_code(failure: Exception | None) -> int:
    if failure is None:
        return EXIT_DONE
    return failure.exit_code if isinstance(failure, ToolkitError) else EXIT_FAILURE


def _say(out: TextIO, result: WorkerResult) -> None:
    print(result.to_line(), file=out, flush=True)
