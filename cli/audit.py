"""`drift audit`: the whole fleet compared with DNS, once. Only reads; with `--repair` it has the reconciler look."""

from typing import TYPE_CHECKING, Any, Final

import typer
from rich.markup import escape

from cli import console
from cli.failures import show_error
from cli.session import context_of, open_services, read_settings
from cli.words import counted, shorter
from core.audit_settings import Repair
from core.errors import EXIT_DONE, EXIT_FAILURE, ConfigurationError
from core.events import EventType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.settings import Settings
    from tracker.audit import AuditOptions
    from tracker.audit_report import AuditReport

_MAX_ROWS: Final = 200


def options_of(resource_groups: list[str], *, repair: bool, force: bool) -> "AuditOptions":
    """Give what was asked for; raises a usage error for brakes to be passed by nothing."""
    from tracker.audit import AuditOptions

    if force and not repair:
        raise typer.BadParameter("it passes the brakes of --repair: give both", param_hint="--force")
    return AuditOptions(tuple(resource_groups), Repair.PUBLISH if repair else Repair.OFF, force)


def audit(options: "AuditOptions", *, record: bool, json: bool) -> int:
    """Audit once and show what was found; 1 where something is wrong, the cause's code where not all could be read."""
    from tracker.audit import AuditIncompleteError, audit_once

    settings = read_settings()
    _must_be_possible(settings, options, record=record)
    with open_services(settings) as services:
        context = context_of(services, settings, settings.audit.deadline_seconds)
        report = audit_once(context, options, record=record)
    error = AuditIncompleteError(report.incomplete) if report.incomplete else None
    code = error.exit_code if error else EXIT_DONE if report.is_right else EXIT_FAILURE
    if json:
        console.show_json({**to_json(report), "exit_code": code})
    else:
        _show(report)
    if error:
        show_error(error)
    return code


def to_json(report: "AuditReport") -> dict[str, Any]:
    """Give the run's numbers, and every finding with what it is about."""
    return {
        **report.details,
        "drift": list(_rows(report)),
        "incomplete": [each.to_json() for each in report.incomplete],
    }


def _must_be_possible(settings: "Settings", options: "AuditOptions", *, record: bool) -> None:
    if record and settings.logs.ingestion_endpoint is None:
        raise ConfigurationError("--record: LOGS_INGESTION_ENDPOINT is not set, so there is no table to write to")
    if options.repair is Repair.PUBLISH and settings.audit.topic_endpoint is None:
        raise ConfigurationError("--repair: REPAIR_TOPIC_ENDPOINT is not set, so there is no topic to publish to")


def _rows(report: "AuditReport") -> "Iterator[dict[str, Any]]":
    from tracker.repair import is_repairable

    for judged in report.wrong:
        live, fqdn = judged.seen.group, judged.seen.placement.fqdn
        about = {"group": str(live.id), "fqdn": fqdn, "live_ip": str(live.address or "") or None}
        common = {**about, "confirmed": judged.confirmed}
        if judged.comparison.verdict is EventType.FIRST_SEEN:
            first = {"kind": "first_seen", "name": fqdn, "message": judged.comparison.reason}
            yield {**common, **first, "repairable": True}
        for finding in judged.findings:
            yield {**common, **finding.to_json(), "repairable": is_repairable(judged.seen, finding)}
    for found in report.zones:
        yield {"zone": found.finding.name, "groups": found.groups, **found.finding.to_json(), "repairable": False}


def _show(report: "AuditReport") -> None:
    rows = list(_rows(report))
    numbers = report.details
    looked = ", ".join(
        (counted(numbers["groups"], "group"), counted(numbers["record_sets"], "record set"),
         counted(numbers["zones"], "zone"), counted(numbers["arm_calls"], "call"))
    )  # fmt: skip
    if rows:
        console.show(f"[bold red]{counted(len(rows), 'finding')}[/]  {looked}")
    else:
        console.show(f"{_verdict(report)}  {looked}")
    for sentence in report.suspicious:
        console.show(f"[bold yellow]suspicious[/]: {escape(shorter(sentence))}")
    if rows:
        console.show()
        _show_rows(rows)
    _show_repair(report, any(row["repairable"] for row in rows))


def _verdict(report: "AuditReport") -> str:
    if report.incomplete:
        return "[bold yellow]nothing wrong in what could be read[/]"
    return "[bold yellow]nothing to compare[/]" if report.suspicious else "[bold green]DNS is right[/]"


def _show_rows(rows: list[dict[str, Any]]) -> None:
    table = console.table()
    for name in ("kind", "group or zone", "record", "what is wrong"):
        table.add_column(name, overflow="fold")
    for row in rows[:_MAX_ROWS]:
        about = shorter(row["group"]) if "group" in row else row["zone"]
        message = row["message"] + ("" if row.get("confirmed", True) else " (not confirmed)")
        table.add_row(f"[red]{row['kind']}[/]", about, row["name"], escape(shorter(message)))
    if len(rows) > _MAX_ROWS:
        table.add_row("…", f"{len(rows) - _MAX_ROWS} more; --format json has them all", "", "")
    console.show(table)


def _show_repair(report: "AuditReport", repairable: bool) -> None:
    repair = report.repair
    if repair.mode == Repair.PUBLISH.value:
        console.show()
        if repair.plan.refused:
            console.show(f"[bold red]nothing published[/]: {escape(repair.plan.refused)}")
        else:
            left = f"; {repair.plan.deferred} left for the next run" if repair.plan.deferred else ""
            console.show(f"published {counted(repair.published, 'event')}, {repair.failed} failed{left}")
    elif repairable:
        console.show("\n  to repair what can be: [bold]drift reconcile GROUP_ID --apply[/], or drift audit --repair")
