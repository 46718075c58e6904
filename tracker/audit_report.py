"""Turns an audit into rows: one for each finding, `first_seen` for groups without record, and the heartbeat. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from core.errors import ToolkitError
from core.events import DriftKind, Event, EventType
from core.names import address_of
from core.occasion import Occasion
from core.zone_map import DnsConfig
from tracker.audit_inventory import Incomplete, Inventory
from tracker.audit_judge import NO_VERDICT, FleetVerdict, Judged, ZoneFinding
from tracker.compare import Finding
from tracker.repair import RepairPlan, is_repairable
from tracker.report import MAX_MESSAGE, compared

MAX_NAMES: Final = 100
MAX_REASONS: Final = 20
EMPTY_INVENTORY: Final = "empty_inventory"
REPAIR_REFUSED: Final = "repair_refused"
_VERDICTS: Final = (EventType.NO_CHANGE, EventType.FIRST_SEEN, EventType.DRIFT_DETECTED)


@dataclass(frozen=True, slots=True)
class RepairOutcome:
    """What became of the repairs: the plan, how many events the topic took, and how many it did not."""

    mode: str = "off"
    plan: RepairPlan = field(default_factory=RepairPlan)
    published: int = 0
    failed: int = 0

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        plan = self.plan
        numbers = {"wanted": plan.wanted, "published": self.published, "deferred": plan.deferred, "failed": self.failed}
        return {"mode": self.mode, **numbers, "refused": plan.refused}


@dataclass(frozen=True, slots=True)
class AuditReport:
    """One run: its numbers as `audit_completed` has them, its findings, and what could not be read."""

    details: Mapping[str, Any]
    wrong: tuple[Judged, ...]
    zones: tuple[ZoneFinding, ...]
    incomplete: tuple[Incomplete, ...]
    suspicious: tuple[str, ...]
    repair: RepairOutcome

    @property
    def is_right(self) -> bool:
        """Tell whether everything was looked at, and nothing is wrong with it."""
        return not (self.wrong or self.zones or self.incomplete or self.suspicious)

    @property
    def error(self) -> tuple[str, str] | None:
        """Give (code, message) of why the run is not whole, or None."""
        if self.incomplete:
            first, more = self.incomplete[0], len(self.incomplete) - 1
            return first.error.code, f"{first}{f'; and {more} more, see Details.incomplete' if more else ''}"
        if self.suspicious:
            return EMPTY_INVENTORY, "; ".join(self.suspicious)
        return (REPAIR_REFUSED, self.repair.plan.refused) if self.repair.plan.refused else None


def details_of(
    inventory: Inventory,
    fleet: FleetVerdict,
    incomplete: list[Incomplete],
    repair: RepairOutcome,
    calls: tuple[int, int],
) -> dict[str, Any]:
    """Give `audit_completed`'s Details; `calls` are pages and ARM calls."""
    pages, arm_calls = calls
    kinds = fleet.kinds
    scopes = ["/".join(place) for place in inventory.groups.places]
    zones = dict.fromkeys(name for entry in inventory.entries for name in _zone_names(entry))
    return {
        "scope": {"resource_groups": scopes[:MAX_NAMES], "zones": list(zones)[:MAX_NAMES]},
        **inventory.counts(),
        "verdicts": {name: fleet.verdicts[name] for name in (*(kind.value for kind in _VERDICTS), NO_VERDICT)},
        "findings": {kind.value: kinds[kind] for kind in DriftKind},
        "pages": pages,
        "arm_calls": arm_calls,
        "incomplete": [each.to_json() for each in incomplete[:MAX_REASONS]],
        "suspicious": fleet.suspicious[:MAX_REASONS],
        "zones_not_listed": inventory.zones.unlisted[:MAX_NAMES],
        "repair": repair.to_json(),
    }


def rows_of(occasion: Occasion, judged: Judged) -> Iterator[Event]:
    """Give a group's rows: one for each finding, and `first_seen` where it has no record."""
    comparison = judged.comparison
    if comparison.verdict is EventType.FIRST_SEEN:
        yield from _row(occasion, judged, EventType.FIRST_SEEN, None)
    for finding in judged.findings:
        yield from _row(occasion, judged, EventType.DRIFT_DETECTED, finding)


def zone_row(occasion: Occasion, found: ZoneFinding) -> Event:
    """Give the row of what is wrong with a zone."""
    finding = found.finding
    values = {
        "ForwardZone" if found.is_forward else "ReverseZone": finding.name,
        "DriftKinds": [finding.kind.value],
        "Details": {"cause": "audit", "findings": [finding.to_json()], "groups": found.groups, "repairable": False},
    }
    return _of_finding(occasion.event(EventType.DRIFT_DETECTED, values), occasion, finding)


def completed(occasion: Occasion, report: AuditReport) -> Event:
    """Say how the run went; it is emitted after every run, so its absence is an outage of the audit itself."""
    values: dict[str, Any] = {"Details": dict(report.details)}
    if report.error:
        code, message = report.error
        values |= {"ErrorCode": code, "ErrorMessage": message[:MAX_MESSAGE]}
    return occasion.event(EventType.AUDIT_COMPLETED, values)


def broken_off(occasion: Occasion, error: Exception, details: Mapping[str, Any]) -> Event:
    """Say that the run itself failed, with the numbers that it got to."""
    values = {
        "ErrorCode": error.code if isinstance(error, ToolkitError) else "unexpected",
        "ErrorMessage": (str(error) or type(error).__name__)[:MAX_MESSAGE],
        "Details": dict(details),
    }
    return occasion.event(EventType.AUDIT_COMPLETED, values)


def _row(occasion: Occasion, judged: Judged, verdict: EventType, finding: Finding | None) -> Iterator[Event]:
    one = replace(judged.comparison, verdict=verdict, findings=(finding,) if finding else ())
    event = compared(occasion, judged.seen, one)
    if event is None:
        return
    repairable = is_repairable(judged.seen, finding) if finding else True
    details = {**event.values["Details"], "repairable": repairable, "confirmed": judged.confirmed}
    values = {**event.values, "Details": details}
    if finding and finding.kind is DriftKind.PTR_STALE:
        values["OldIp"] = str(address_of(finding.name))
    yield _of_finding(replace(event, values=values), occasion, finding)


def _of_finding(event: Event, occasion: Occasion, finding: Finding | None) -> Event:
    """Leave out the run's calls, and make the id that of this finding: two may differ in their words alone.

    The run's duration stays: it tells when the audit began to look, and a repair made since outdates it.
    """
    values = {name: value for name, value in event.values.items() if name != "ArmCalls"}
    key = f"{occasion.invocation_id} {finding.name} {finding.message}" if finding else occasion.invocation_id
    return replace(event, values=values, attempt_key=key)


def _zone_names(entry: DnsConfig) -> tuple[str, ...]:
    return (entry.forward_zone, *(zone.name for zone in entry.reverse_zones))
