"""The tracker's recipe for one event: whom is it about, read the group, read DNS, compare, emit. Reads only.

It runs beside the reconciler, often on the same event, so it may well see DNS before it is repaired: that is what it
is for. What it must not do is to judge a state that never was. So when something differs, the group is read once more
after DNS, and when it has changed meanwhile, everything is read again.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.arm_id import ArmId
from core.delivery import Delivery
from core.errors import InputError
from core.events import Component, Event, EventType
from core.names import Address
from core.occasion import Occasion
from core.placement import Placement
from core.run_context import RunContext
from core.zone_map import DnsConfig
from tracker.compare import Comparison, Seen, compare
from tracker.find import groups_about
from tracker.look import Ports, ReadsZones, Snapshot, look
from tracker.report import compared, failed
from tracker.subject import GroupSubject, NoSubject, RecordSubject, subject_of

logger = logging.getLogger("aci_dns.tracker")
MAX_LOOKS: Final = 3


@dataclass
class _Run:
    context: RunContext
    delivery: Delivery
    zones: ReadsZones | None
    began: datetime
    calls_before: int

    def occasion(self) -> Occasion:
        return Occasion(
            component=Component.TRACKER,
            delivery=self.delivery,
            invocation_id=self.context.invocation_id,
            attempt=self.context.attempt,
            began=self.began,
            now=self.context.now(),
            arm_calls=self.context.calls.calls - self.calls_before,
        )

    def emit(self, event: Event) -> None:
        logger.info(
            "%s %s %s", event.type.value, event.values.get("ContainerGroupId", ""), event.values.get("Fqdn", "")
        )
        self.context.sink.emit([event])


def track(raw: object, context: RunContext, *, zones: ReadsZones | None = None) -> list[Event]:
    """Answer one delivered event and give what was emitted; `zones` has virtual network links checked as well.

    An event that is malformed or none of ours is logged and is no failure. Otherwise every failure is reported as
    `track_failed` and raised, so that the invocation fails and Event Grid delivers again.
    """
    run = _Run(context, Delivery("", "", ""), zones, context.now(), context.calls.calls)
    try:
        run.delivery = Delivery.parse(raw)
        subject = subject_of(run.delivery)
    except InputError as error:
        logger.warning("ignored: %s", error)
        return []
    if isinstance(subject, NoSubject):
        logger.info("ignored: %s", subject.reason)
        return []
    if isinstance(subject, RecordSubject):
        return _track_record_set(run, subject)
    return _track_group(run, subject)


def track_group(
    group: ArmId, context: RunContext, *, zones: ReadsZones | None = None
) -> tuple[Seen, Comparison] | None:
    """Look at one group without an event and emit nothing; None when its resource group is not configured."""
    config = context.settings.zone_map.config_for(group)
    return _look(context, Placement(group, config), Snapshot(context.private_dns), zones) if config else None


def _track_group(run: _Run, subject: GroupSubject) -> list[Event]:
    if subject.deleted:
        logger.info("nothing to compare: %s was deleted; the reconciler removes its records", subject.group)
        return []
    config = run.context.settings.zone_map.config_for(subject.group)
    if config is None:
        logger.info("ignored: resource group %a is not in the zone map", subject.group.resource_group)
        return []
    event = _track(run, subject.group, config, Snapshot(run.context.private_dns))
    return [event] if event else []


def _track_record_set(run: _Run, subject: RecordSubject) -> list[Event]:
    """Look at every group that the record set is about; one that fails does not hide the others, and is raised last."""
    context = run.context
    snapshot = Snapshot(context.private_dns)
    record = {"ReverseZone" if subject.type == "PTR" else "ForwardZone": subject.zone.name}
    with _reported(run, None, record):
        groups = groups_about(subject, context.settings.zone_map, snapshot, context.container_groups)
    if not groups:
        logger.info("ignored: %s belongs to no container group of a configured resource group", subject)
    events, failures = [], []
    for group in groups:
        config = context.settings.zone_map.config_for(group)
        try:
            event = _track(run, group, config, snapshot, subject.address) if config else None
        except Exception as error:  # noqa: BLE001 - reported already; raised below, after the other groups
            failures.append(error)
        else:
            events += [event] if event else []
    if failures:
        raise failures[0]
    return events


def _track(
    run: _Run, group: ArmId, config: DnsConfig, snapshot: Snapshot, suspect: Address | None = None
) -> Event | None:
    placement = Placement(group, config)
    with _reported(run, placement, {}):
        seen, comparison = _look(run.context, placement, snapshot, run.zones, suspect)
    event = compared(run.occasion(), seen, comparison)
    if event is None:
        logger.info("nothing to say of %s: %s", group, comparison.reason)
        return None
    run.emit(event)
    return event


def _look(
    context: RunContext,
    placement: Placement,
    snapshot: Snapshot,
    zones: ReadsZones | None,
    suspect: Address | None = None,
) -> tuple[Seen, Comparison]:
    also = [suspect] if suspect else []
    group = context.container_groups.get(placement.group_id)
    for _ in range(MAX_LOOKS):
        seen = look(group, placement, Ports(snapshot, context.container_groups, zones), also)
        comparison = compare(seen)
        if comparison.verdict in {EventType.NO_CHANGE, None}:
            break
        group = context.container_groups.get(placement.group_id)
        if seen.group.is_as(group):
            break
        snapshot = Snapshot(context.private_dns)
    return seen, comparison


@contextmanager
def _reported(run: _Run, placement: Placement | None, record: dict[str, str]) -> Iterator[None]:
    """Make a failure an event before it fails the invocation.

    The token is asked for first: an identity that is down is told as that, not as a read of Azure that failed.
    """
    try:
        run.context.arm_token()
        yield
    except Exception as error:
        run.emit(failed(run.occasion(), error, placement, record))
        raise
