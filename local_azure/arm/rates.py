"""Rate limits: the headers that are always sent, and token buckets that refuse when throttling is switched on.

Figures: recorded headers (private DNS 500 reads and 12,000 writes in 5 minutes), and Microsoft's documentation of
ARM's buckets per subscription, principal and operation (250 reads refilled by 25/s, 200 writes and deletes by 10/s).
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_azure.arm.call import ArmError, Call, dns_error

if TYPE_CHECKING:
    from collections.abc import Callable

DNS_READS, DNS_WRITES, DNS_ENTITIES = 500, 12_000, 60_000
WINDOW_SECONDS = 300.0
# size, refill per second
FRONT_DOOR = {"reads": (250.0, 25.0), "writes": (200.0, 10.0), "deletes": (200.0, 10.0)}
# What the headers of a live subscription count down from; larger than the documented buckets.
SHOWN = {"reads": 1100, "writes": 1200, "deletes": 15_000}


@dataclass
class Bucket:
    """A token bucket."""

    size: float
    refill: float
    tokens: float
    at: float

    def take(self, now: float) -> float:
        """Take a token; returns 0, or the seconds until there is one."""
        self.tokens = min(self.size, self.tokens + max(0.0, now - self.at) * self.refill)
        self.at = max(now, self.at)
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.refill

    @property
    def remaining(self) -> int:
        """Give the whole tokens that are left."""
        return int(self.tokens)


class RateMeter:
    """All buckets, made as they are needed. `clock` gives seconds and can be replaced by a test."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._buckets: dict[tuple[str, ...], Bucket] = {}

    def reset(self) -> None:
        """Fill every bucket."""
        self._buckets.clear()

    def bucket(self, size: float, refill: float, *key: str) -> Bucket:
        """Give the bucket of a key, full at first use."""
        if key not in self._buckets:
            self._buckets[key] = Bucket(size, refill, size, self.clock())
        return self._buckets[key]


def _kind(method: str) -> str:
    return "reads" if method in ("GET", "HEAD") else "deletes" if method == "DELETE" else "writes"


def meter(call: Call, *, enforce: bool) -> dict[str, str]:
    """Count a request; returns the headers of its answer. Raises ArmError 429 when `enforce` and a bucket is empty."""
    now = call.world.rates.clock()
    kind = _kind(call.method)
    if enforce:
        _front_door(call, kind, now)
    if call.path.provider == "Microsoft.Network" and call.path.types[0].lower().startswith("privatedns"):
        return _private_dns(call, kind, now, enforce)
    return _others(call, kind, now)


def _front_door(call: Call, kind: str, now: float) -> None:
    principal = str(call.claims.get("oid", ""))
    size, refill = FRONT_DOOR[kind]
    wait = call.world.rates.bucket(size, refill, "arm", kind, call.path.subscription, principal).take(now)
    if wait > 0:
        seconds = math.ceil(wait)
        raise ArmError(
            429,
            "SubscriptionRequestsThrottled",
            f"Number of '{kind[:-1]}' requests for subscription '{call.path.subscription}' actor '{principal}' "
            f"exceeded. Please try again after '{seconds}' seconds after additional tokens are available. "
            "Refer to https://aka.ms/arm-throttling for additional information.",
            headers={"Retry-After": str(seconds), "x-ms-failure-cause": "gateway"},
        )


def _private_dns(call: Call, kind: str, now: float, enforce: bool) -> dict[str, str]:
    limit = DNS_READS if kind == "reads" else DNS_WRITES
    name = "reads" if kind == "reads" else "writes"
    rates = call.world.rates
    bucket = rates.bucket(limit, limit / WINDOW_SECONDS, "dns", name, call.path.subscription)
    wait = bucket.take(now)
    if enforce and wait > 0:
        error = dns_error(429, "Throttled", "Too many operations are requested. Current operation is throttled.")
        error.headers["Retry-After"] = "10"
        raise error
    headers = {"x-ms-ratelimit-remaining-subscription-resource-requests": str(bucket.remaining)}
    if kind == "reads" and len(call.path.types) > len(call.path.names):
        entities = rates.bucket(DNS_ENTITIES, DNS_ENTITIES / WINDOW_SECONDS, "dns", "entities", call.path.subscription)
        entities.take(now)
        headers["x-ms-ratelimit-remaining-subscription-resource-entities-read"] = str(entities.remaining)
    return headers


def _others(call: Call, kind: str, now: float) -> dict[str, str]:
    rates, subscription = call.world.rates, call.path.subscription
    shown = rates.bucket(SHOWN[kind], SHOWN[kind] / WINDOW_SECONDS, "shown", kind, subscription)
    shown.take(now)
    headers = {f"x-ms-ratelimit-remaining-subscription-{kind}": str(shown.remaining)}
    if call.path.provider == "Microsoft.ContainerInstance" and kind != "reads":
        for label, size, window in (("pt5m", 900, 300.0), ("pt1h", 1800, 3600.0)):
            bucket = rates.bucket(size, size / window, "aci", label, subscription)
            bucket.take(now)
            headers[f"x-ms-ratelimit-remaining-subscription-resource-requests-{label}"] = str(bucket.remaining)
    return headers
