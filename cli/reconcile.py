"""`drift reconcile`: the plan for one container group, or the same run that the function makes for an event."""

import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli import console, failures, reconcile_view
from cli.session import context_of, open_services, read_settings
from core.arm_id import ArmId, parse_container_group
from core.delivery import Delivery
from core.errors import EXIT_DONE, EXIT_FAILURE, EXIT_TRY_AGAIN, ConfigurationError
from core.events import Event

if TYPE_CHECKING:
    from cloud.services import Services
    from core.run_context import Sink
    from core.settings import Settings
    from core.zone_map import DnsConfig
    from reconciler.process import WorkerExit
    from reconciler.report import ReconcileFailedError

EVENT_TYPE = "Microsoft.Resources.ResourceActionSuccess"
OPERATION = "drift/reconcile/action"


@dataclass
class _Kept:
    """Keeps what passes: the events on their way to the table, and how the worker ended."""

    onward: "Sink | None"
    events: list[Event] = field(default_factory=list)
    ended: "WorkerExit | None" = None

    def emit(self, events: Sequence[Event]) -> None:
        """Keep the events and send them on."""
        self.events.extend(events)
        if self.onward is not None:
            self.onward.emit(events)

    def worker(
        self,
        contract: Mapping[str, str],
        token: str,
        deadline_seconds: float,
        log: Callable[[str, str], None],
        ca_bundle: str | None,
    ) -> "WorkerExit":
        """Run the worker and keep how it ended."""
        from reconciler.process import run_worker

        self.ended = run_worker(contract, token, deadline_seconds, log, ca_bundle)
        return self.ended


def reconcile(group_id: str, *, apply: bool, json: bool) -> int:
    """Plan, or apply; gives the worker's exit code."""
    group = parse_container_group(group_id)
    settings = read_settings()
    config = configured(settings, group)
    with open_services(settings) as services:
        if apply:
            return _apply(group, settings, services, json=json)
        return _plan(group, config, settings, services, json=json)


def configured(settings: "Settings", group: ArmId) -> "DnsConfig":
    """Give the group's configuration; raises ConfigurationError that says what is configured."""
    config = settings.zone_map.config_for(group)
    if config is None:
        known = ", ".join(entry.resource_group for entry in settings.zone_map.entries)
        raise ConfigurationError(
            f"resource group '{group.resource_group}' is not in the zone map (configured: {known}): "
            "nothing was read or changed; add it to the zone map if its container groups need names"
        )
    return config


def _plan(group: ArmId, config: "DnsConfig", settings: "Settings", services: "Services", *, json: bool) -> int:
    """Run the worker as a dry run, without an event, and show what it would do."""
    from core.events import Component
    from core.occasion import Occasion
    from reconciler.report import finished
    from reconciler.run import contract_for

    kept = _Kept(None)
    context = context_of(services, settings)
    live = context.container_groups.get(group)
    contract = contract_for(context, live, config, dry_run=True).to_environment()
    deadline = settings.reconcile_deadline_seconds
    ended = kept.worker(contract, context.arm_token(), deadline, _log, settings.ca_bundle)
    code, result = exit_code(ended), ended.result
    if json:
        shown = {name: getattr(result, name) for name in result.__dataclass_fields__} if result else {}
        console.show_json({"group": str(group), "applied": False, **shown, "exit_code": code})
    elif result is not None:
        reconcile_view.show_plan(result, done=code == EXIT_DONE)
    now = context.now()
    occasion = Occasion(Component.RECONCILER, Delivery.parse(event_for(group, now)), context.invocation_id, 1, now, now)
    _, failure = finished(occasion, live, config, ended)
    if failure is not None:
        _show_failure(failure, code)
    return code


def _apply(group: ArmId, settings: "Settings", services: "Services", *, json: bool) -> int:
    """Answer an event that says "look again", as the function does, and show what came of it."""
    from reconciler.report import ReconcileFailedError
    from reconciler.run import reconcile as answer

    recorded = settings.logs.ingestion_endpoint is not None
    kept = _Kept(services.sink if recorded else None)
    context = replace(context_of(services, settings), sink=kept)
    code, failure = EXIT_DONE, None
    try:
        answer(event_for(group, datetime.now(UTC)), context, kept.worker)
    except ReconcileFailedError as error:
        failure = error
        code = exit_code(kept.ended) if kept.ended else failures.exit_code_of(error.__cause__ or error)
    row = kept.events[-1].to_row()
    table = {"recorded": recorded, "fell_back": getattr(services.sink, "fell_back", 0) if recorded else 0}
    if json:
        console.show_json({"group": str(group), "applied": True, "event": row, "table": table, "exit_code": code})
    else:
        reconcile_view.show_applied(row, recorded=recorded, fell_back=bool(table["fell_back"]))
    if failure is not None:
        _show_failure(failure, code)
    return code


def event_for(group: ArmId, now: datetime) -> dict[str, Any]:
    """Make the event that stands for a person's wish: like any other it says no more than "look again"."""
    stamp = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "id": f"drift-{uuid.uuid4()}",
        "eventType": EVENT_TYPE,
        "subject": str(group),
        "eventTime": stamp,
        "data": {"operationName": OPERATION},
        "dataVersion": "2",
        "metadataVersion": "1",
        "topic": f"/subscriptions/{group.subscription_id}",
    }


def exit_code(ended: "WorkerExit") -> int:
    """Give the command's exit code: the worker's own, unless it was killed."""
    if ended.timed_out:
        return EXIT_TRY_AGAIN
    return ended.code if ended.code >= 0 else EXIT_FAILURE


def _show_failure(failure: "ReconcileFailedError", code: int) -> None:
    failures.show_problem(failure.code, str(failure).partition(": ")[2], _again(code))


def _again(code: int) -> str:
    return "nothing has to be repaired: run it again in a moment" if code == EXIT_TRY_AGAIN else ""


def _log(stream: str, line: str) -> None:
    level = logging.INFO if stream == "stdout" else logging.WARNING
    logging.getLogger("aci_dns.reconciler").log(level, "worker %s: %s", stream, line)
