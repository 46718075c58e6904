"""The reconciler's recipe for one event: whose is it, is it configured, read the live group, run the worker, report.

An event says "look again", never "set this": of its content only the subject counts, and the live state is read. Every
outcome is one event in the table; a failure also raises, so that the invocation fails and Event Grid delivers again.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.arm_id import ArmId, parse_container_group
from core.delivery import Delivery, printable
from core.errors import InputError, NotReadyError, ToolkitError
from core.events import Component, Event, EventType
from core.live import LiveGroup
from core.names import shadowing_zones
from core.occasion import Occasion
from core.placement import Placement
from core.run_context import RunContext
from core.zone_map import DnsConfig, ZoneMap
from reconciler.contract import Contract
from reconciler.desired import Subject, desire
from reconciler.process import WorkerExit, run_worker
from reconciler.report import ReconcileFailedError, failed, finished, skipped

logger = logging.getLogger("aci_dns.reconciler")

RunWorker = Callable[[Mapping[str, str], str, float, Callable[[str, str], None], str | None], WorkerExit]


@dataclass
class _Run:
    context: RunContext
    delivery: Delivery
    began: datetime
    calls_before: int

    def occasion(self) -> Occasion:
        context = self.context
        return Occasion(
            component=Component.RECONCILER,
            delivery=self.delivery,
            invocation_id=context.invocation_id,
            attempt=context.attempt,
            began=self.began,
            now=context.now(),
            arm_calls=context.calls.calls - self.calls_before,
        )


def reconcile(raw: object, context: RunContext, worker: RunWorker = run_worker) -> Event:
    """Answer one delivered event; raises ReconcileFailedError after reporting when DNS could not be made right now."""
    run = _Run(context, _identified(raw), context.now(), context.calls.calls)
    try:
        run.delivery = Delivery.parse(raw)
        group = _group_of(run.delivery)
    except InputError as error:
        return _skip(run, error.code, str(error))
    config = context.settings.zone_map.config_for(group)
    if config is None:
        message = f"resource group '{group.resource_group}' is not in the zone map; nothing was read or changed"
        return _skip(run, "not_configured", message, group)
    try:
        event, failure = _reconcile_group(run, group, config, worker)
    except NotReadyError as error:
        raise _fail(run, error, group, config, EventType.RECONCILE_DEFERRED) from error
    except ToolkitError as error:
        raise _fail(run, error, group, config, EventType.RECONCILE_FAILED) from error
    except Exception as error:
        unexpected = ToolkitError(f"unexpected {type(error).__name__}: {error}")
        raise _fail(run, unexpected, group, config, EventType.RECONCILE_FAILED) from error
    _emit(run, event)
    if failure is not None:
        raise failure
    return event


def _reconcile_group(
    run: _Run, group: ArmId, config: DnsConfig, worker: RunWorker
) -> tuple[Event, ReconcileFailedError | None]:
    context = run.context
    token = context.arm_token()  # first, so that an identity that is down is told as that, not as a lost read
    live = context.container_groups.get(group)
    desire(Subject.of(live, config))  # not ready: known here already, so no worker is started
    contract = contract_for(context, live, config)
    deadline = context.settings.reconcile_deadline_seconds
    ended = worker(contract.to_environment(), token, deadline, _log_line, context.settings.ca_bundle)
    shadowed_by = _shadowed_by(live, config, context.settings.zone_map)
    return finished(run.occasion(), live, config, ended, shadowed_by)


def contract_for(context: RunContext, live: LiveGroup, config: DnsConfig, *, dry_run: bool = False) -> Contract:
    """Build what the worker is asked to do."""
    settings = context.settings
    return Contract(
        live=live,
        config=config,
        arm_endpoint=settings.arm_endpoint,
        deadline_seconds=settings.reconcile_deadline_seconds,
        attempts=settings.worker_attempts,
        dry_run=dry_run,
    )


def _identified(raw: object) -> Delivery:
    """Keep an unusable event's id, type and subject for the report, as far as it has them, made safe to print."""
    known: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
    id_, kind, subject = (printable(known.get(name), 200) for name in ("id", "eventType", "subject"))
    return Delivery(id=id_, type=kind, subject=subject)


def _group_of(delivery: Delivery) -> ArmId:
    if not delivery.is_resource_event:
        error = InputError(f"not an event of a resource's write, deletion or action: {delivery.type[:200]!a}")
        error.code = "foreign_event"
        raise error
    try:
        return parse_container_group(delivery.subject)
    except InputError as refused:
        refused.code = "foreign_event" if _is_other_resource(delivery.subject) else "bad_input"
        raise


def _is_other_resource(subject: str) -> bool:
    try:
        parsed = ArmId.parse(subject)
    except InputError:
        return False
    return not parsed.type.lower().startswith("microsoft.containerinstance/containergroups") or len(parsed.segments) > 1


def _shadowed_by(live: LiveGroup, config: DnsConfig, zone_map: ZoneMap) -> tuple[str, ...]:
    """List longer configured zones that a network linked to them would ask instead of the one we write to."""
    if live.address is None:
        return ()
    chosen = Placement(live.id, config).reverse_zone(live.address)
    if chosen is None:
        return ()
    known = {zone for entry in zone_map.entries for zone in entry.reverse_zones}
    return tuple(zone.name for zone in shadowing_zones(live.address, chosen, known))


def _skip(run: _Run, code: str, message: str, group: ArmId | None = None) -> Event:
    event = skipped(run.occasion(), code, message, group)
    logger.warning("skipped (%s): %s", code, message)
    _emit(run, event)
    return event


def _fail(run: _Run, error: ToolkitError, group: ArmId, config: DnsConfig, kind: EventType) -> ReconcileFailedError:
    _emit(run, failed(run.occasion(), error, group, config, kind))
    return ReconcileFailedError(error.code, str(error), retryable=error.retryable)


def _emit(run: _Run, event: Event) -> None:
    logger.info("%s %s", event.type.value, event.values.get("ContainerGroupId", ""))
    run.context.sink.emit([event])


def _log_line(stream: str, line: str) -> None:
    logger.log(logging.INFO if stream == "stdout" else logging.WARNING, "worker %s: %s", stream, line)
