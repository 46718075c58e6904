"""What stands before both log endpoints: who calls, how often, and the faults that are switched on."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local_azure.faults import ANSWERS
from local_azure.http_faults import play
from local_azure.tokens import claims_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.requests import Request

    from local_azure.faults import Fault
    from local_azure.world import World


class RefusalError(Exception):
    """A request that is answered with an error. `inner` is the query API's innererror."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        retry_after_seconds: float | None = None,
        inner: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.inner = dict(inner) if inner else None
        # Whole seconds, never earlier than asked for; 0 is an answer of its own ("at once").
        self.headers = {} if retry_after_seconds is None else {"Retry-After": str(math.ceil(retry_after_seconds))}


@dataclass
class Window:
    """A limit on what passes within the last `seconds`, requests being of size 1, uploads of their size in bytes."""

    limit: int
    seconds: float
    _taken: deque[tuple[float, int]] = field(default_factory=deque)
    _sum: int = 0

    def take(self, now: float, size: int = 1) -> float | None:
        """Let `size` pass at `now` (monotonic seconds): None, or after how many seconds it may be tried again."""
        while self._taken and self._taken[0][0] <= now - self.seconds:
            self._sum -= self._taken.popleft()[1]
        if self._sum + size > self.limit and self._taken:
            return self._taken[0][0] + self.seconds - now
        self._taken.append((now, size))
        self._sum += size
        return None


async def fault_of(world: World, request: Request, operation: str, detail: Mapping[str, Any]) -> Fault | None:
    """Play what a fault does before the request is handled, and give the fault for what it does to the answer.

    Raises AbortConnection or NeverAnswer.
    """
    request.scope["operation"] = operation
    fault = world.faults.match(operation, detail)
    if fault is not None:
        await play(fault, detail)
    return fault


def answer_of(fault: Fault, usual: Mapping[int, tuple[str, str]]) -> RefusalError | None:
    """Give the error that a fault answers with, or None when it lets the request through.

    `usual` is what this service says for a status, (code, message); the rule's own words, where it has some, win.
    """
    if fault.status is None:
        return None
    code, message = usual.get(fault.status, (fault.code or "Error", fault.message or ""))
    general = ANSWERS.get(fault.status, (None, None))
    if fault.code not in (None, general[0]):
        code = str(fault.code)
    if fault.message not in (None, general[1]):
        message = str(fault.message)
    return RefusalError(fault.status, code, message, retry_after_seconds=fault.retry_after)


def bearer(request: Request) -> Mapping[str, Any] | None:
    """Give the claims of the caller's token, or None when the request carries none."""
    authorization = request.headers.get("authorization", "")
    scheme, _, token = authorization.partition(" ")
    return claims_of(authorization) if scheme.lower() == "bearer" and token.strip() else None


def is_for(claims: Mapping[str, Any], audiences: Iterable[str]) -> bool:
    """Whether a token was issued for one of these audiences; a bearer that is no JWT names none and passes.

    The SDKs ask for https://monitor.azure.com//.default or with one slash, so slashes at the end say nothing.
    """
    audience = claims.get("aud")
    return audience is None or str(audience).rstrip("/") in {name.rstrip("/") for name in audiences}
