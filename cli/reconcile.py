"""`drift reconcile`: the plan for one container group, or the same run that the function makes for an event."""

import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli import console, failures
from cli.session import context_of, open_services, read_settings
from core.arm_id import ArmId, parse_container_group
from core.delivery import Delivery
from core.errors import EXIT_DONE, EXIT_FAILURE, EXIT_TRY_AGAIN, ConfigurationError
from core.events import Event, EventType

if TYPE_CHECKING:
    from rich.table import Table

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
    from reconciler.report import Occasion, finished
    from reconciler.run import contract_for

    kept = _Kept(None)
    context = context_of(services, settings)
    live = context.container_groups.get(group)
    contract = contract_for(context, live, config, dry_run=True).to_environment()
    deadline = settings.reconcile_deadline_seconds
    ended = kept.worker(contract, context.arm_token(), deadline, _log, settings.ca_bundle)
    code = exit_code(ended)
    result = ended.result
    if json:
        shown = {name: getattr(result, name) for name in result.__dataclass_fields__} if result else {}
        console.show_json({"group": str(group), "applied": False, **shown, "exit_code": code})
    elif result is not None:
        _show_live(result.fqdn, result.live_state, result.live_ip)
        from rich.markup import escape

        for note in result.notes:
            console.show(f"  note: {escape(note)}")
        _show_changes(result.changes)
        if result.changes:
            count = len(result.changes)
            console.show(
                f"[bold]{count} change{'s' if count > 1 else ''} planned; nothing was changed.[/] "
                "Run it again with [bold]--apply[/] to make them."
            )
        elif code == EXIT_DONE:
            console.show("[bold green]DNS is right[/]: nothing to change.")
    now = context.now()
    occasion = Occasion(Delivery.parse(event_for(group, now)), context.invocation_id, 1, now, now)
    _, failure = finished(occasion, live, config, ended)
    if failure is not None:
        _show_failure(failure, code)
    return code


def _apply(group: ArmId, settings: "Settings", services: "Services", *, json: bool) -> int:
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
    row = kept.events[-1].to_row() if kept.events else {}
    if json:
        table = {"recorded": recorded, "fell_back": getattr(services.sink, "fell_back", 0) if recorded else 0}
        console.show_json({"group": str(group), "applied": True, "event": row, "table": table, "exit_code": code})
    else:
        details = row.get("Details") or {}
        _show_live(row.get("Fqdn", group.name), details.get("live_state", ""), row.get("LiveIp", ""))
        _show_changes(row.get("Changes") or ())
        _show_outcome(row)
        console.show("  event: " + (f"{row.get('EventType')}, sent to the table" if recorded else
                     f"{row.get('EventType')}, not recorded: LOGS_INGESTION_ENDPOINT is not set"))  # fmt: skip
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


def change_table(changes: Sequence[Mapping[str, Any]]) -> "Table":
    """Show changes in the order in which they are made."""
    table = console.table()
    for name in ("", "change", "type", "record set", "before → after", "why"):
        table.add_column(name, overflow="fold")
    colours = {"create": "green", "update": "yellow", "delete": "red"}
    for number, change in enumerate(changes, 1):
        name = change["zone"] if change["name"] == "@" else f"{change['name']}.{change['zone']}"
        action = f"[{colours.get(change['action'], 'none')}]{change['action']}[/]"
        values = " → ".join(", ".join(change[side]) or "—" for side in ("before", "after"))
        table.add_row(str(number), action, change["type"], name, values, change["reason"])
    return table


def _show_live(fqdn: str, state: str, ip: str) -> None:
    console.show(f"[bold]{fqdn}[/]  {state.replace('_', ' ')}{f' at [bold]{ip}[/]' if ip else ''}")


def _show_changes(changes: Sequence[Mapping[str, Any]]) -> None:
    if changes:
        console.show()
        console.show(change_table(changes))
        console.show()


def _show_outcome(row: Mapping[str, Any]) -> None:
    outcomes = {
        EventType.RECONCILE_NO_OP.value: "[bold green]DNS was right already[/]: nothing was changed.",
        EventType.RECONCILE_UPDATED.value: "[bold green]DNS is right now.[/]",
        EventType.RECONCILE_DELETED.value: "[bold green]Its records are removed.[/]",
    }
    text = outcomes.get(str(row.get("EventType")))
    if text:
        seconds = int(row.get("DurationMs", 0)) / 1000
        console.show(f"{text} {seconds:.1f} s, {row.get('ArmCalls', 0)} ARM calls.")


def _show_failure(failure: "ReconcileFailedError", code: int) -> None:
    failures.show_problem(failure.code, str(failure).partition(": ")[2], _again(code))


def _again(code: int) -> str:
    return "nothing has to be repaired: run it again in a moment" if code == EXIT_TRY_AGAIN else ""


def _log(stream: str, line: str) -> None:
    level = logging.INFO if stream == "stdout" else logging.WARNING
    logging.getLogger("aci_dns.reconciler").log(level, "worker %s: %s", stream, line)
