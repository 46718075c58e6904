"""Faults that can be switched on: which operation, which resource, when, and what goes wrong.

Pure: a plan is asked `match(operation, detail)` and says what should go wrong, if anything. Applying it to a
connection is `local_azure.middleware`'s work.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FaultKind = Literal[
    "throttle",  # 429 with Retry-After
    "error",  # any status with a code and a message
    "reset",  # the connection is reset before the request is handled
    "lost_response",  # the request is handled, then the connection is reset
    "timeout",  # never answered
    "slow",  # answered after delay_seconds
    "fail_operation",  # the long-running operation that the request starts ends as Failed (or Canceled, by its code)
    "drop",  # accepted and not done (ingestion: 204 and no row)
    "partial",  # query: 200 with PartialError
    "callback",  # in process only: call a function before the request is handled
]
KINDS: tuple[str, ...] = get_args(FaultKind)


# What an answer with a status says unless the rule says otherwise.
ANSWERS: dict[int, tuple[str, str]] = {
    400: ("BadRequest", "The request is invalid."),
    401: ("InvalidAuthenticationToken", "The access token is invalid."),
    403: ("AuthorizationFailed", "The client does not have authorization to perform this action."),
    404: ("NotFound", "The resource was not found."),
    409: ("Conflict", "The request cannot be completed because another operation is pending."),
    412: ("PreconditionFailed", "The condition of the request has not been met (etag mismatch)."),
    413: ("ContentLengthLimitExceeded", "Maximum allowed content length is exceeded."),
    429: ("Throttled", "Too many operations are requested. Current operation is throttled."),
    500: ("InternalServerError", "The server encountered an error while processing your request."),
    503: ("ServiceUnavailable", "The service is temporarily unavailable. Please retry the request later."),
}


class FaultError(ValueError):
    """A rule that cannot be: every reason, each with the place it is about."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class AbortConnection(Exception):  # noqa: N818  # an order to the server, not an error
    """Raised by a handler whose connection must be reset (RST) instead of answered."""


class NeverAnswer(Exception):  # noqa: N818  # an order to the server, not an error
    """Raised by a handler whose client must wait until it gives up."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request. `status` and `retry_after` (seconds) are None where the kind has none."""

    kind: FaultKind
    status: int | None = None
    code: str | None = None
    message: str | None = None
    retry_after: float | None = None
    delay_seconds: float = 0.0
    callback: Callable[[Mapping[str, Any]], object] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Fill in what Azure sends with a status, so that `Fault("error", 503)` is complete."""
        status = 429 if self.kind == "throttle" and self.status is None else self.status
        if status is None:
            return
        code, message = ANSWERS.get(status, ("Error", f"A fault of the local Azure: status {status}."))
        retry_after = 1.0 if self.kind == "throttle" and self.retry_after is None else self.retry_after
        filled = {"status": status, "code": self.code or code, "message": self.message or message}
        for name, value in {**filled, "retry_after": retry_after}.items():
            object.__setattr__(self, name, value)


@dataclass
class FaultRule:
    """One rule: a fault for the requests that match, after `skip` of them, `times` times or with `probability`.

    `operation` and every value of `where` are case-insensitive globs; `where` is matched against the detail of
    the request (type, name, zone, resource_group, subscription, …), all of it must match.
    """

    fault: Fault
    operation: str = "*"
    where: Mapping[str, str] = field(default_factory=dict)
    skip: int = 0
    times: int | None = None
    probability: float | None = None
    seen: int = 0
    fired: int = 0

    def matches(self, operation: str, detail: Mapping[str, Any]) -> bool:
        """Tell whether the rule is about this request."""
        return _glob(operation, self.operation) and all(
            _glob(str(detail.get(key, "")), glob) for key, glob in self.where.items()
        )


def _glob(text: str, pattern: str) -> bool:
    return fnmatchcase(text.lower(), pattern.lower())


class FaultPlan:
    """The rules in force, in order; the first one that fires decides."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._rng = random.Random(seed)  # noqa: S311  # reproducible, not secret
        self.rules: list[FaultRule] = []

    def add(self, rule: FaultRule) -> FaultRule:
        """Append a rule and give it back."""
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Drop every rule and start the random numbers again."""
        self.rules.clear()
        self._rng = random.Random(self._seed)  # noqa: S311  # reproducible, not secret

    def match(self, operation: str, detail: Mapping[str, Any]) -> Fault | None:
        """Say what goes wrong with this request, and count it for every rule that it matches."""
        hit: FaultRule | None = None
        for rule in self.rules:
            if rule.matches(operation, detail):
                rule.seen += 1
                if hit is None and self._fires(rule):
                    hit = rule
        if hit is None:
            return None
        hit.fired += 1
        return hit.fault

    def _fires(self, rule: FaultRule) -> bool:
        if rule.seen <= rule.skip or (rule.times is not None and rule.fired >= rule.times):
            return False
        return rule.probability is None or self._rng.random() < rule.probability


_NUMBERS: dict[str, tuple[float, float]] = {
    "status": (400, 599),
    "retry_after": (0, 86_400),
    "delay_seconds": (0, 3600),
    "skip": (0, 10**9),
    "times": (1, 10**9),
    "probability": (0, 1),
}
_WHOLE = ("status", "skip", "times")
_TEXTS = ("operation", "code", "message")


def parse_rule(value: Any, at: str = "rule") -> FaultRule:
    """Make a rule from JSON. Raises FaultError with every reason.

    Its shape: {kind, operation?, where?, skip?, times?, probability?, status?, code?, message?, retry_after?,
    delay_seconds?}.
    """
    if not isinstance(value, dict):
        raise FaultError([f"{at}: an object is needed"])
    reasons = [*_check_kind(value, at), *_check_fields(value, at)]
    if reasons:
        raise FaultError(reasons)
    names = ("kind", "status", "code", "message", "retry_after", "delay_seconds")
    fault = Fault(**{name: value[name] for name in names if name in value})
    rest = {name: value[name] for name in ("operation", "where", "skip", "times", "probability") if name in value}
    return FaultRule(fault, **rest)


def _check_kind(value: dict[str, Any], at: str) -> list[str]:
    kind = value.get("kind")
    if kind == "callback":
        return [f"{at}.kind: 'callback' exists in process only"]
    if kind not in KINDS:
        return [f"{at}.kind: {kind!r} is not one of {', '.join(name for name in KINDS if name != 'callback')}"]
    if kind == "error" and "status" not in value:
        return [f"{at}.status: needed for kind 'error'"]
    if kind == "slow" and "delay_seconds" not in value:
        return [f"{at}.delay_seconds: needed for kind 'slow'"]
    return []


def _check_fields(value: dict[str, Any], at: str) -> list[str]:
    known = {"kind", "where", *_NUMBERS, *_TEXTS}
    reasons = [f"{at}.{name}: unknown; known are {', '.join(sorted(known))}" for name in value if name not in known]
    for name, (low, high) in _NUMBERS.items():
        number = value.get(name, low)
        whole = isinstance(number, int) and not isinstance(number, bool)
        if not (whole or (isinstance(number, float) and name not in _WHOLE)) or not low <= number <= high:
            what = "a whole number" if name in _WHOLE else "a number"
            reasons.append(f"{at}.{name}: {number!r} is not {what} from {low:g} to {high:g}")
    reasons += [f"{at}.{name}: a string is needed" for name in _TEXTS if not isinstance(value.get(name, ""), str)]
    where = value.get("where", {})
    if not isinstance(where, dict) or not all(isinstance(glob, str) for glob in where.values()):
        reasons.append(f"{at}.where: an object of globs is needed, such as {{'type': 'PTR', 'name': 'web*'}}")
    return reasons
