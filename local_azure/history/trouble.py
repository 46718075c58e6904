"""What is out of order in the simulated Azure, and the error with which the real doors tell it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from core.errors import (
    CloudError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    PreconditionFailedError,
    ThrottledError,
    UnavailableError,
)
from reconciler.process import WorkerExit

if TYPE_CHECKING:
    import random

    from core.events import Component
    from local_azure.history.world import Counter, Trouble

RETRIES: Final = 3
"""Requests that a door sends again before it gives up."""
_RETRY_MS: Final = 1_500.0

_Make = Callable[[str, str], Exception]
_ERRORS: Final[dict[str, _Make]] = {
    "throttled": lambda what, name: ThrottledError(
        f"{what} {name}", "Number of requests exceeded the limit. Please try again later.",
        azure_code="TooManyRequests", retry_after_seconds=17.0,
    ),
    "unavailable": lambda what, name: UnavailableError(
        f"{what} {name}", "The service is temporarily unavailable.", status=503, azure_code="ServiceUnavailable"
    ),
    "forbidden": lambda what, name: ForbiddenError(
        f"{what} {name}", "The client does not have authorization to perform this action over this scope.",
        status=403, azure_code="AuthorizationFailed",
    ),
    "conflict": lambda what, name: ConflictError(
        f"{what} {name}", "Another operation is running on this resource.", status=409, azure_code="Conflict"
    ),
    "not_found": lambda what, name: NotFoundError(
        f"{what} {name}", "The subscription could not be found.", azure_code="SubscriptionNotFound"
    ),
    "precondition": lambda what, name: PreconditionFailedError(f"{what} {name}", "the etag is another", status=412),
    "cloud_error": lambda what, name: CloudError(
        f"{what} {name}", "The request is invalid.", status=400, azure_code="BadRequest"
    ),
    "defect": lambda what, name: ValueError(f"{what} {name}: an answer without 'properties'"),
}  # fmt: skip
_RETRIED: Final = frozenset({"throttled", "unavailable"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is out of order.

    `kind` is a key of the errors above, `identity`, `deadline`, `worker_killed`, `worker_failed`, `worker_deadline` or
    `app`. `share` of the requests meet it, those of `component` (None: all) whose operation and resource contain
    `where`.
    """

    kind: str
    share: float = 1.0
    component: Component | None = None
    where: str = ""

    def concerns(self, component: Component) -> bool:
        """Tell whether it is this component's."""
        return self.component is None or self.component is component


@dataclass
class Troubles:
    """The faults of the moment; `begin` and `end` are called as the history goes on."""

    rng: random.Random
    now: list[Fault] = field(default_factory=list)

    def begin(self, fault: Fault) -> None:
        """Let it be out of order from here on."""
        self.now.append(fault)

    def end(self, fault: Fault) -> None:
        """Put it in order."""
        self.now.remove(fault)

    def of(self, component: Component, counter: Counter) -> Trouble:
        """Give what stands before each request of a component's client."""

        def before(operation: str, name: str) -> None:
            for fault in self.now:
                if fault.kind in _ERRORS and fault.concerns(component) and fault.where in f"{operation} {name}":
                    self._raise(fault, operation, name, counter)

        return before

    def _raise(self, fault: Fault, operation: str, name: str, counter: Counter) -> None:
        if self.rng.random() >= fault.share:
            return
        if fault.kind in _RETRIED:
            counter.reads += RETRIES
            counter.waited_ms += _RETRY_MS * (2**RETRIES - 1) * (0.75 + self.rng.random() / 2)
        raise _ERRORS[fault.kind](operation, name)

    def token(self, component: Component) -> str:
        """Give the ARM token; raises when the identity is down."""
        if self.met("identity", component):
            raise UnavailableError(
                "managed identity token", "the identity endpoint answered 500", status=500, azure_code="server_error"
            )
        return "token"

    def met(self, kind: str, component: Component) -> bool:
        """Tell whether a run of the component meets a fault of that kind."""
        return any(
            fault.kind == kind and fault.concerns(component) and self.rng.random() < fault.share for fault in self.now
        )

    def worker(self, component: Component, deadline_seconds: float) -> WorkerExit | None:
        """Give how a worker ends that leaves no result; None when nothing keeps it from working."""
        if self.met("deadline", component):
            return WorkerExit(
                -9, timed_out=True, result=None, last_error_line="", duration_ms=round(deadline_seconds * 1000)
            )
        if self.met("worker_killed", component):
            return WorkerExit(
                -9, timed_out=False, result=None, last_error_line="", duration_ms=self.rng.randint(90, 400)
            )
        if self.met("worker_failed", component):
            line = "worker.sh: python: cannot execute: required file not found"
            return WorkerExit(
                1, timed_out=False, result=None, last_error_line=line, duration_ms=self.rng.randint(4, 12)
            )
        return None
