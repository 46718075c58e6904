"""How a plan, and what came of it, look to a person."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cli import console
from core.events import EventType

if TYPE_CHECKING:
    from rich.table import Table

    from reconciler.contract import WorkerResult

_OUTCOMES = {
    EventType.RECONCILE_NO_OP.value: "[bold green]DNS was right already[/]: nothing was changed.",
    EventType.RECONCILE_UPDATED.value: "[bold green]DNS is right now.[/]",
    EventType.RECONCILE_DELETED.value: "[bold green]Its records are removed.[/]",
}
_COLOURS = {"create": "green", "update": "yellow", "delete": "red"}


def show_plan(result: "WorkerResult", *, done: bool) -> None:
    """Show a dry run: what would be changed, and that nothing was. `done` tells whether it came to its end."""
    from rich.markup import escape

    _show_live(result.fqdn, result.live_state, result.live_ip)
    for note in result.notes:
        console.show(f"  note: {escape(note)}")
    _show_changes(result.changes)
    count = len(result.changes)
    if count:
        console.show(
            f"[bold]{count} change{'s' if count > 1 else ''} planned; nothing was changed.[/] "
            "Run it again with [bold]--apply[/] to make them."
        )
    elif done:
        console.show("[bold green]DNS is right[/]: nothing to change.")


def show_applied(row: Mapping[str, Any], *, recorded: bool, fell_back: bool) -> None:
    """Show what was changed, and whether the event table has it; `row` is the event."""
    details = row.get("Details") or {}
    _show_live(row.get("Fqdn", row.get("ContainerGroup", "")), details.get("live_state", ""), row.get("LiveIp", ""))
    _show_changes(row.get("Changes") or ())
    kind = str(row.get("EventType"))
    if kind in _OUTCOMES:
        seconds = int(row.get("DurationMs", 0)) / 1000
        console.show(f"{_OUTCOMES[kind]} {seconds:.1f} s, {row.get('ArmCalls', 0)} ARM calls.")
    where = "not recorded: LOGS_INGESTION_ENDPOINT is not set"
    if recorded:
        where = "not accepted by the event table; the log line above has it" if fell_back else "sent to the event table"
    console.show(f"  event: {kind}, {where}")


def change_table(changes: Sequence[Mapping[str, Any]]) -> "Table":
    """Show changes in the order in which they are made."""
    table = console.table()
    for name in ("", "change", "type", "record set", "before → after", "why"):
        table.add_column(name, overflow="fold")
    for number, change in enumerate(changes, 1):
        name = change["zone"] if change["name"] == "@" else f"{change['name']}.{change['zone']}"
        action = f"[{_COLOURS.get(change['action'], 'none')}]{change['action']}[/]"
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
