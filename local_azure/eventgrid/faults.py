"""What Event Grid may do to a delivery, because it promises at least once and no order. Pure."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final, Literal, get_args

DeliveryFaultKind = Literal[
    "duplicate",  # delivered twice, at the same time
    "lost_ack",  # delivered; the answer is lost, so that it is delivered again
    "reorder",  # kept back until a later event has been delivered
    "delay",  # delivered `seconds` later (seconds of Azure)
    "drop",  # never delivered
]
KINDS: Final[tuple[str, ...]] = get_args(DeliveryFaultKind)
_KNOWN: Final = ("kind", "subscription", "subject", "eventType", "probability", "skip", "times", "seconds")


class DeliveryFaultError(ValueError):
    """A rule that can't be: every reason, each with its place."""


@dataclass
class DeliveryFault:
    """One rule, for the deliveries that match: after `skip` of them, `times` times, each with `probability`.

    `subscription` (name), `subject` and `event_type` are case-insensitive globs. `seconds` is how long a delayed event
    waits, and how long a reordered one waits at most for another to overtake it.
    """

    kind: DeliveryFaultKind
    subscription: str = "*"
    subject: str = "*"
    event_type: str = "*"
    probability: float = 1.0
    skip: int = 0
    times: int | None = None
    seconds: float = 10.0
    seen: int = field(default=0, compare=False)
    fired: int = field(default=0, compare=False)

    def draws(self, subscription: str, event: Mapping[str, Any], rng: random.Random) -> bool:
        """Whether the rule strikes this delivery; counts it."""
        globs = (
            (subscription, self.subscription),
            (str(event.get("subject")), self.subject),
            (str(event.get("eventType")), self.event_type),
        )
        if not all(fnmatchcase(text.lower(), glob.lower()) for text, glob in globs):
            return False
        self.seen += 1
        if self.seen <= self.skip or (self.times is not None and self.fired >= self.times):
            return False
        if self.probability < 1 and rng.random() >= self.probability:
            return False
        self.fired += 1
        return True

    def shown(self) -> dict[str, Any]:
        """Give the rule and its counts as JSON."""
        return {
            "kind": self.kind,
            "subscription": self.subscription,
            "subject": self.subject,
            "eventType": self.event_type,
            "probability": self.probability,
            "skip": self.skip,
            "times": self.times,
            "seconds": self.seconds,
            "seen": self.seen,
            "fired": self.fired,
        }


def parse_faults(value: Any) -> list[DeliveryFault]:
    """Read a list of rules. Raises DeliveryFaultError with all reasons."""
    if not isinstance(value, list):
        raise DeliveryFaultError("faults: a list of objects is needed.")
    reasons = [reason for n, item in enumerate(value) for reason in _reasons(item, f"faults[{n}]")]
    if reasons:
        raise DeliveryFaultError(" ".join(reasons))
    return [
        DeliveryFault(
            item["kind"],
            item.get("subscription", "*"),
            item.get("subject", "*"),
            item.get("eventType", "*"),
            float(item.get("probability", 1)),
            item.get("skip", 0),
            item.get("times"),
            float(item.get("seconds", 10)),
        )
        for item in value
    ]


def _reasons(item: Any, path: str) -> list[str]:
    if not isinstance(item, Mapping):
        return [f"{path}: an object is needed."]
    found = [f"{path}.{key}: unknown; known are {', '.join(_KNOWN)}." for key in item if key not in _KNOWN]
    if item.get("kind") not in KINDS:
        found.append(f"{path}.kind: one of {', '.join(KINDS)} is needed.")
    found += [
        f"{path}.{key}: a text is needed."
        for key in ("subscription", "subject", "eventType")
        if not isinstance(item.get(key, "*"), str)
    ]
    for key, high in (("probability", 1.0), ("seconds", 86400.0)):
        number = item.get(key, 0)
        if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= high:
            found.append(f"{path}.{key}: a number from 0 to {high:g} is needed.")
    for key in ("skip", "times"):
        number = item.get(key, 0)
        if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 0):
            found.append(f"{path}.{key}: a whole number of at least 0 is needed.")
    return found
