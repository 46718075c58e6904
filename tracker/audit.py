"""The audit's recipe: read the whole fleet by lists, judge it by the tracker's rules, report, and (opt-in) publish.

It finds what no event tells of: platform moves, lost events, hand edits behind our back, and the one orphan that a
crashed reconciliation can leave. It never writes DNS. Its calls grow with pages of lists: besides these it reads at
most two container groups for each zone, to confirm what it is about to say.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Final

from core.arm_id import ArmId
from core.audit_settings import Repair
from core.delivery import Delivery
from core.errors import ConfigurationError, ToolkitError
from core.events import Component, Event
from core.live import LiveGroup
from core.occasion import Occasion
from core.run_context import RunContext
from core.zone_map import DnsConfig
from tracker.audit_inventory import Incomplete, Inventory
from tracker.audit_judge import FleetVerdict, judge
from tracker.audit_read import read_fleet
from tracker.audit_report import (
    AuditReport,
    RepairOutcome,
    broken_off,
    completed,
    details_of,
    rows_of,
    zone_row,
)
from tracker.repair import RepairPlan, plan_repairs, repair_event

logger: Final = logging.getLogger("aci_dns.audit")
READS_PER_ZONE: Final = 2
EVENTS_PER_UPLOAD: Final = 2000
"""Rows handed to the sink at once: each upload has its own time limit."""
MAX_FAILED_GROUPS: Final = 20


class AuditIncompleteError(ToolkitError):
    """Something could not be read or published; it is reported already, and fails the invocation."""

    def __init__(self, incomplete: Sequence[Incomplete]) -> None:
        first = incomplete[0].error
        super().__init__(f"the audit is incomplete ({len(incomplete)}): {incomplete[0]}")
        self.code, self.retryable = first.code, first.retryable
        self.exit_code = first.exit_code  # type: ignore[misc]  # of this one: what its cause ends a process with


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """How one run audits: which `resource_groups` (names; empty: all), whether it publishes, and past the brakes."""

    resource_groups: tuple[str, ...] = ()
    repair: Repair = Repair.OFF
    force: bool = False


@dataclass
class _Run:
    context: RunContext
    options: AuditOptions
    began: datetime
    calls_before: int
    pages_before: int
    inventory: Inventory = field(default_factory=lambda: Inventory(()))
    fleet: FleetVerdict = field(default_factory=FleetVerdict)
    incomplete: list[Incomplete] = field(default_factory=list)
    repair: RepairOutcome = field(default_factory=RepairOutcome)
    reads: int = 0

    def occasion(self) -> Occasion:
        return Occasion(
            component=Component.AUDIT,
            delivery=Delivery("", "audit", ""),
            invocation_id=self.context.invocation_id,
            attempt=self.context.attempt,
            began=self.began,
            now=self.context.now(),
            arm_calls=self.context.calls.calls - self.calls_before,
        )

    def details(self) -> dict[str, Any]:
        calls = self.context.calls
        numbers = (calls.pages - self.pages_before, calls.calls - self.calls_before)
        return details_of(self.inventory, self.fleet, self.incomplete, self.repair, numbers)

    def report(self) -> AuditReport:
        zones, fleet = tuple(self.fleet.zones.values()), self.fleet
        parts = (tuple(fleet.wrong), zones, tuple(self.incomplete), tuple(fleet.suspicious))
        return AuditReport(self.details(), *parts, self.repair)

    def read_group(self, group: ArmId) -> LiveGroup | None:
        """Read one group, or give None when this run has read enough of them one by one."""
        if self.reads >= READS_PER_ZONE * len(self.inventory.records.sets):
            return None
        self.reads += 1
        try:
            return self.context.container_groups.get(group)
        except ToolkitError as error:
            self.incomplete.append(Incomplete("container_group", str(group), error))
            return None

    def read_owner(self, group: ArmId) -> LiveGroup:
        """Read the owner that a mark names in a resource group that is not audited."""
        found = self.read_group(group)
        if found is None:
            raise ToolkitError(f"{group} is in no resource group that is audited, and could not be read in this run")
        return found


def audit(context: RunContext, options: AuditOptions | None = None) -> AuditReport:
    """Audit once, emit the rows, and give the report.

    Raises AuditIncompleteError after `audit_completed` when a part failed, and what makes the whole run impossible.
    """
    report = audit_once(context, options or AuditOptions())
    if report.incomplete:
        raise AuditIncompleteError(report.incomplete)
    return report


def audit_once(context: RunContext, options: AuditOptions, *, record: bool = True) -> AuditReport:
    """Audit once; what could not be read is in the report. Without `record` no row is written.

    Raises ConfigurationError for a resource group that is not in the zone map, and the token's errors.
    """
    run = _Run(context, options, context.now(), context.calls.calls, context.calls.pages)
    try:
        _audit(run)
        report = run.report()
    except Exception as error:
        if record:
            _emit(context, [broken_off(run.occasion(), error, run.details())])
        raise
    if record:
        _emit_all(run, report)
    _log(report)
    return report


def _audit(run: _Run) -> None:
    context = run.context
    entries = chosen_entries(context.settings.zone_map.entries, run.options.resource_groups)
    context.arm_token()  # first, so that an identity that is down is told as that, not as lists that failed
    run.inventory = read_fleet(context, entries, run.read_owner)
    run.incomplete = run.inventory.incomplete
    run.fleet = judge(run.inventory, run.read_group)
    known = {id(each.error) for each in run.incomplete}
    unknown = ((group, error) for group, error in run.fleet.failures if id(error) not in known)
    run.incomplete += [Incomplete("container_group", str(g), e) for g, e in islice(unknown, MAX_FAILED_GROUPS)]
    run.repair = _repair(run)


def chosen_entries(entries: tuple[DnsConfig, ...], wanted: tuple[str, ...]) -> tuple[DnsConfig, ...]:
    """Choose the entries of these resource groups; raises ConfigurationError for one that has no entry."""
    known = {entry.resource_group.lower() for entry in entries}
    missing = [name for name in wanted if name.lower() not in known]
    if missing:
        raise ConfigurationError(f"not in the zone map: {', '.join(missing)}; it has {', '.join(sorted(known))}")
    names = {name.lower() for name in wanted}
    return tuple(entry for entry in entries if not names or entry.resource_group.lower() in names)


def _repair(run: _Run) -> RepairOutcome:
    """Publish one event for each group that has something to repair, unless the brakes say no."""
    settings = run.context.settings.audit
    groups = [judged.seen.placement.group_id for judged in run.fleet.wrong if judged.is_repairable]
    if run.options.repair is Repair.OFF:
        return RepairOutcome(plan=RepairPlan(wanted=len(groups)))
    fleet = max(len(run.inventory.groups.listed), sum(run.fleet.verdicts.values()))
    doubt = "; ".join(run.fleet.suspicious)
    plan = plan_repairs(groups, fleet, settings.repairs_per_run, doubt=doubt, force=run.options.force)
    mode = run.options.repair.value
    if plan.refused:
        logger.error("nothing is published: %s", plan.refused)
    if not plan.groups:
        return RepairOutcome(mode, plan)
    now, run_id = run.context.now(), run.context.invocation_id
    topic = run.context.topic
    try:
        if topic is None:
            raise ConfigurationError("REPAIR_TOPIC_ENDPOINT is not set: to which topic?")
        topic.publish([repair_event(group, run_id, now) for group in plan.groups])
    except ToolkitError as error:
        logger.exception("publishing %d events failed", len(plan.groups))
        run.incomplete.append(Incomplete("repair", settings.topic_endpoint or "no topic", error))
        return RepairOutcome(mode, plan, failed=len(plan.groups))
    return RepairOutcome(mode, plan, published=len(plan.groups))


def _emit_all(run: _Run, report: AuditReport) -> None:
    occasion = run.occasion()
    rows = (row for judged in report.wrong for row in rows_of(occasion, judged))
    while chunk := list(islice(rows, EVENTS_PER_UPLOAD)):
        _emit(run.context, chunk)
    _emit(run.context, [*(zone_row(occasion, found) for found in report.zones), completed(run.occasion(), report)])


def _emit(context: RunContext, events: Sequence[Event]) -> None:
    context.sink.emit(events)


def _log(report: AuditReport) -> None:
    numbers = report.details
    logger.info(
        "%d groups, %d record sets, %d zones: %d groups and %d zones wrong, %d parts not read; %d calls",
        numbers["groups"], numbers["record_sets"], numbers["zones"], len(report.wrong), len(report.zones),
        len(report.incomplete), numbers["arm_calls"],
    )  # fmt: skip
    for sentence in report.suspicious:
        logger.error("suspicious: %s", sentence)
