"""Estimates what a month costs: quantities from the fleet's size, prices from prices.yaml. Pure, but for reading that.

The quantities are what is worth knowing: prices differ by region and contract, and some cannot be read by a program.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

PRICES: Final = Path(__file__).with_name("prices.yaml")
DAYS: Final = 30
HOURS: Final = 730
ROW_BYTES: Final = 1_200
"""A row of the event table as JSON: the mean of 4,000 rows of `drift sample-history --events 20000 --days 30`."""
TELEMETRY_BYTES: Final = 6_000
"""Application Insights for one invocation, a request and some eight log lines: a guess, not a measurement."""
SECONDS_RECONCILE: Final = 2.0
SECONDS_TRACK: Final = 1.0
"""Billed for one invocation. Locally they take less (docs/benchmarks.md); the rest is for Azure's slower answers."""
SECONDS_PER_PROBED_PAIR: Final = 0.0005
SECONDS_AUDIT_PER_1000_GROUPS: Final = 3.0
RECORD_WRITES: Final = 3
"""Record sets written for a changed address: the new PTR, the old PTR, the address record."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """What the estimate is for.

    `changes_per_day` are creations, restarts, stops and deletions of one group in a day. `subscription_events` are
    successful writes of anything in the subscriptions in a month: Event Grid looks at each of them once for every
    subscription with advanced filters. `probes` are container groups in further networks.
    """

    groups: int
    changes_per_day: float = 1.0
    subscription_events: int = 100_000
    probe_minutes: float = 10.0
    probe_all_rows: bool = False
    audit_minutes: float = 60.0
    canary_minutes: float = 5.0
    apps: int = 2
    memory_gb: float = 2.0
    alert_rules: int = 12
    private_endpoints: int = 0
    probes: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One meter: how much of it, what a unit costs (None: not known), and what that makes in a month."""

    meter: str
    quantity: float
    unit: str
    price: float | None
    cost: float | None
    source: str


def estimate(fleet: Fleet, prices: Mapping[str, Any]) -> list[Line]:
    """Give every meter of a month, in the order of prices.yaml. Raises InputError for what cannot be estimated."""
    if fleet.groups < 0 or min(fleet.probe_minutes, fleet.audit_minutes, fleet.canary_minutes) <= 0:
        raise InputError("the number of groups must not be negative, and intervals must be longer than nothing")
    quantities = _quantities(fleet)
    return [_line(meter, quantities[meter], described) for meter, described in prices.items()]


def read_prices(path: Path = PRICES) -> dict[str, Any]:
    """Read a price list; raises InputError when it is not one of these meters."""
    try:
        meters: Any = yaml.safe_load(path.read_text(encoding="utf-8"))["meters"]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a price list like infra/prices.yaml: {error}") from error
    if not isinstance(meters, dict) or not all(isinstance(each, dict) for each in meters.values()):
        raise InputError(f"{path}: not a price list like infra/prices.yaml: meters are a mapping of mappings")
    unknown = set(meters) - set(_quantities(Fleet(0)))
    if unknown:
        raise InputError(f"{path}: unknown meters: {', '.join(sorted(unknown))}")
    return meters


def shown_price(price: float | None) -> str:
    """Give a unit price as people write it."""
    return "not known" if price is None else f"{price:.6f}".rstrip("0").rstrip(".")


def total(lines: list[Line]) -> float:
    """Add up what is priced."""
    return sum(line.cost for line in lines if line.cost is not None)


def _quantities(fleet: Fleet) -> dict[str, float]:
    changes = fleet.groups * fleet.changes_per_day * DAYS
    runs = {
        "probe": DAYS * 24 * 60 / fleet.probe_minutes,
        "audit": DAYS * 24 * 60 / fleet.audit_minutes,
        "canary": fleet.apps * DAYS * 24 * 60 / fleet.canary_minutes,
    }
    tracked = changes * (1 + RECORD_WRITES)
    invocations = changes + tracked + sum(runs.values())
    rows = changes + tracked + sum(runs.values()) + (fleet.groups * runs["probe"] if fleet.probe_all_rows else 0)
    seconds = (
        changes * SECONDS_RECONCILE
        + tracked * SECONDS_TRACK
        + runs["probe"] * max(1.0, fleet.groups * SECONDS_PER_PROBED_PAIR)
        + runs["audit"] * max(1.0, fleet.groups / 1000 * SECONDS_AUDIT_PER_1000_GROUPS)
        + runs["canary"]
    )
    # Three subscriptions look at every event; what passes is delivered.
    operations = fleet.subscription_events * 3 + changes + tracked
    return {
        "function_gb_seconds": seconds * fleet.memory_gb,
        "function_executions": invocations / 1e6,
        "event_grid_operations": operations / 1e6,
        "log_ingestion": (rows * ROW_BYTES + invocations * TELEMETRY_BYTES) / 1e9,
        "alert_rules_5_minutes": fleet.alert_rules,
        "private_endpoint_hours": fleet.private_endpoints * HOURS,
        "probe_vcpu_seconds": fleet.probes * HOURS * 3600,
    }


def _line(meter: str, quantity: float, described: Mapping[str, Any]) -> Line:
    price = described.get("price")
    paid = max(0.0, quantity - float(described.get("free", 0)))
    cost = None if price is None else paid * float(price)
    source = f"{described.get('source', '')}, read {described.get('read', 'never')}"
    return Line(meter, quantity, str(described.get("unit", "")), price, cost, source)
