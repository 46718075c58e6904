"""When Event Grid tries again, and when it gives up. Pure: attempts and an outcome in, a decision out.

Durations are seconds of Azure; whoever waits scales them.
"""

import random
from dataclasses import dataclass
from typing import Final, Literal

EndpointKind = Literal["WebHook", "AzureFunction"]

RESPONSE_TIMEOUT: Final = 30.0
WAITS: Final = (10, 30, 60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600)
"""Waits after the first, second, … failed attempt; from then on LAST_WAIT."""
LAST_WAIT: Final = 12 * 3600
JITTER: Final = 0.1
"""Event Grid adds "a small randomization to all retry steps"; its size is not documented."""
DEAD_LETTER_DELAY: Final = 300.0
"""A dead letter is written five minutes after the last attempt."""

_MINIMUM_WAITS: Final = {408: 120.0, 503: 30.0}
_MINIMUM_WAIT: Final = 10.0
_NEVER_AGAIN: Final[dict[EndpointKind, frozenset[int]]] = {
    "WebHook": frozenset({400, 401, 403, 413}),
    "AzureFunction": frozenset({400, 403, 413}),
}
_OUTCOMES: Final = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    408: "TimedOut",
    409: "Conflict",
    413: "PayloadTooLarge",
    429: "Busy",
    503: "Busy",
}
_REASONS: Final = {400: "HttpBadRequest", 401: "HttpUnauthorized", 403: "HttpForbidden", 413: "HttpPayloadTooLarge"}


@dataclass(frozen=True)
class RetryPolicy:
    """A subscription's own bounds: attempts in all (1 to 30) and the event's time to live (1 to 1440 minutes)."""

    max_delivery_attempts: int = 30
    time_to_live_minutes: int = 1440


@dataclass(frozen=True)
class Reaction:
    """What an endpoint did with one attempt: its status, or the name of what went wrong before there was one."""

    status: int | None = None
    error: Literal["TimedOut", "SocketError", "ResolutionError", ""] = ""

    @property
    def succeeded(self) -> bool:
        """Whether the event counts as delivered: 200 to 204, nothing else."""
        return self.status is not None and 200 <= self.status <= 204  # noqa: PLR2004 - the documented range

    @property
    def outcome(self) -> str:
        """The word that a dead letter carries as lastDeliveryOutcome."""
        if self.succeeded:
            return "Delivered"
        return self.error or _OUTCOMES.get(self.status or 0, "GenericError")


@dataclass(frozen=True)
class Delivered:
    """Done."""


@dataclass(frozen=True)
class Retry:
    """Try again after so many seconds."""

    wait_seconds: float


@dataclass(frozen=True)
class GiveUp:
    """Dead-letter the event, or drop it where the subscription has no dead-letter destination."""

    reason: str


Decision = Delivered | Retry | GiveUp


@dataclass(frozen=True)
class Attempt:
    """One attempt that has ended: its number (1 for the first), the event's age in seconds, and the reaction."""

    number: int
    age_seconds: float
    reaction: Reaction


def decide(kind: EndpointKind, policy: RetryPolicy, attempt: Attempt, rng: random.Random) -> Decision:
    """Decide what happens after an attempt."""
    reaction = attempt.reaction
    if reaction.succeeded:
        return Delivered()
    if reaction.status in _NEVER_AGAIN[kind]:
        return GiveUp(f"UndeliverableDueTo{_REASONS[reaction.status]}")
    if attempt.number >= policy.max_delivery_attempts:
        return GiveUp("MaxDeliveryAttemptsExceeded")
    wait = wait_after(attempt.number, reaction, rng)
    # An event that will have expired when its turn comes is not kept until then only to be dropped.
    if attempt.age_seconds + wait > policy.time_to_live_minutes * 60:
        return GiveUp("TimeToLiveExceeded")
    return Retry(wait)


def wait_after(attempts: int, reaction: Reaction, rng: random.Random) -> float:
    """Give the wait after so many attempts: the schedule's jittered step, or the status's minimum if that is longer."""
    step = WAITS[attempts - 1] if attempts <= len(WAITS) else LAST_WAIT
    minimum = _MINIMUM_WAITS.get(reaction.status or 0, _MINIMUM_WAIT)
    return max(step * (1 + JITTER * rng.random()), minimum)
