"""Faults that can be switched on: which operation, which resource, when, and what goes wrong.

Pure: a plan is asked `match(operation, detail)` and says what should go wrong, if anything. Applying it to a
connection is `local_azure.middleware`'s work.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

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


class FaultError(ValueError):
    """A rule that cannot be: every reason, each with the place it is about."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class AbortConnection(Exception):
    """Raised by a handler whose connection must be reset (RST) instead of answered."""


class NeverAnswer(Exception):
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
        return _glob(operation, self.operation) and all(
            _glob(str(detail.get(key, "")), glob) for key, glob in self.where.items()
        )


def _glob(text: str, pattern: str) -> bool:
    return fnmatchcase(text.lower(), pattern.lower())


class FaultPlan:
    """The rules in force, in order; the first one that fires decides."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._rng = random.Random(seed)
        self.rules: list[FaultRule] = []

    def add(self, rule: FaultRule) -> FaultRule:
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        self.rules.clear()
        self._rng = random.Random(self._seed)

    def match(self, operation: str, detail: Mapping[str, Any]) -> Fault | None:
        """What goes wrong with this request. Counts it for every rule that it matches."""
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
