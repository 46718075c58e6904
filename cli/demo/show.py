"""How the demo looks: one line for each act as it is played, tables at the end. Knows nothing of how it is done."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.markup import escape
from rich.table import Table

from cli import console
from cli.demo import world
from cli.demo.alarm import Alarm
from cli.demo.report import Played, Report
from cli.demo.told import Told
from cli.words import shorter
from core.events import EventType, severity_of

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.status import Status

_MEANING: Final = {
    EventType.RECONCILE_UPDATED: "records were written",
    EventType.RECONCILE_NO_OP: "looked again, nothing to do",
    EventType.RECONCILE_DELETED: "records were removed",
    EventType.RECONCILE_DEFERRED: "the group was not ready; delivered again",
    EventType.RECONCILE_FAILED: "the conflict, once for each attempt",
    EventType.FIRST_SEEN: "the tracker was there before the reconciler",
    EventType.NO_CHANGE: "the tracker found DNS right",
    EventType.DRIFT_DETECTED: "the tracker, or the audit, found DNS wrong",
    EventType.PROBE_OK: "name and address resolve in spoke one",
    EventType.PROBE_FAILED: "they do not, and why",
    EventType.PROBE_COMPLETED: "the probe ran to its end",
    EventType.AUDIT_COMPLETED: "the audit ran to its end",
    EventType.CANARY: "the way of all rows is open",
}
_WIDTHS: Final = (1, 14, 45, 11, 13, 6)
_COLOURS: Final = {"Error": "red", "Warning": "yellow", "Information": "green"}


class Show:
    """Prints on stdout, or nothing at all when `silent`."""

    def __init__(self, *, silent: bool) -> None:
        self._silent = silent
        self._status: Status | None = None
        self._doing = ""

    def opening(self) -> None:
        """Introduce the landscape; every zone is linked to all three networks."""
        self._print(
            "[bold]drift demo[/]  a local Azure; the real functions, worker and SDKs; no subscription, no network"
        )
        self._print()
        self._print(f"  [bold]hub[/]        {world.HUB_NET.prefix:13} zones {', '.join(world.ZONES)}")
        for label, network in (("spoke one", world.NET_ONE), ("spoke two", world.NET_TWO)):
            names = ", ".join(group.name for group in world.FIRST_GROUPS if group.network is network)
            self._print(f"  [bold]{label}[/]  {network.prefix:13} container groups {names}")
        self._print()
        self._print("  [dim]Asked are the networks' own resolvers; ⇄ says that the address gives the name, too.[/]")
        self._print()
        self._line(
            "", "[dim]act[/]", "[dim]what happens to Azure[/]", "[dim]DNS said[/]", "[dim]says now[/]", "[dim]took[/]"
        )

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Show on a terminal that something takes a while."""
        if self._silent or not console.stdout().is_terminal:
            yield
            return
        self._doing = what
        try:
            with console.stdout().status(what) as self._status:
                yield
        finally:
            self._status = None

    @contextmanager
    def act(self, number: int, count: int, name: str) -> Iterator[None]:
        """Show which act is being played."""
        with self.waiting(f"act {number} of {count}: [bold]{name}[/]"):
            yield

    def report(self, what: str) -> None:
        """Show what an act is waiting for."""
        if self._status is not None:
            self._status.update(f"{self._doing} · waiting {escape(what)}")

    def played(self, number: int, act: Played) -> None:
        """Show an act that is over: what was done, what DNS said before and after, how long it took."""
        if self._silent:
            return
        told = act.told
        if told is None:
            console.show(f"[red]✗[/] [bold]{number} {act.name}[/]")
            console.show(f"    [red]{escape(act.error)}[/]")
            return
        mark = "[yellow]![/]" if told.wrong else "[green]✓[/]"
        self._line(mark, f"[bold]{act.name}[/]", told.did, told.before, _both_ways(told), f"{told.seconds:.1f} s")
        if told.note:
            console.show(f"    [dim]{escape(told.note)}[/]")

    def _line(self, *cells: str) -> None:
        """Print one act's cells under the headings; 100 columns are enough."""
        table = Table.grid(padding=(0, 1))
        for width in _WIDTHS:
            table.add_column(width=width, justify="right" if width == _WIDTHS[-1] else "left", overflow="fold")
        table.add_row(*cells)
        self._print(table)

    def closing(self, report: Report) -> None:
        """Show the tables, and whether all is as it must be."""
        if self._silent:
            return
        console.show()
        console.show(_drift_table(report))
        for act in report.played:
            if act.told and act.told.wrong:
                console.show(f"\n[bold yellow]Still wrong[/]  {act.told.drifted}: {escape(shorter(act.told.wrong))}")
        console.show(_rows_table(report))
        console.show(_alerts_table(report))
        console.show(f"[dim]Quiet: {', '.join(report.alarms.quiet)}.[/]")
        console.show()
        calls = report.calls
        console.show(
            f"[bold]ARM calls[/] by the toolkit: {calls.reads} reads, {calls.writes} writes, "
            f"{calls.throttled} throttled and repeated."
        )
        for check in report.failed_checks:
            console.show(
                f"[red]✗ {escape(check.name)}[/]: expected {escape(check.expected)}; found {escape(check.found)}"
            )
        good = sum(check.ok for check in report.checks)
        verdict = "[bold green]as it must be[/]" if report.ok else "[bold red]NOT as it must be[/]"
        console.show(
            f"[bold]The end[/] is {verdict}: {good} of {len(report.checks)} checks hold, "
            f"in DNS, zones, events and deliveries; {report.seconds:.0f} s."
        )

    def kept(self, environment: Path, resolvers: Mapping[str, str]) -> None:
        """Say how to look further while everything is still running."""
        host, _, port = next(iter(resolvers.values())).rpartition(":")
        self._print()
        self._print("The local Azure keeps running until Ctrl-C. In another shell:")
        self._print(f"  source {environment}")
        self._print("  drift events --last 1h")
        self._print(f"  drift track {world.SECOND_WEB.id}")
        self._print(f"  dig +short @{host} -p {port} {world.WEB.fqdn}")

    def farewell(self, place: Path, wishes: Any) -> None:
        """Say how to look at what is left."""
        self._print()
        rows = place / "logs.duckdb"
        self._print("The event table is kept. To look at it:")
        self._print(f"  drift dashboard --data {rows} --open      the workbooks in a browser   (make dashboard)")
        self._print(f"  drift kql run current-state --data {rows}")
        self._print(f"  drift events --data {place}")
        if not wishes.keep:
            self._print("With a local Azure to play with afterwards: [bold]drift demo --keep[/]")

    def _print(self, what: "RenderableType" = "") -> None:
        if not self._silent:
            console.show(what)


def _drift_table(report: Report) -> Table:
    table = console.table("What drifted")
    table.add_column("what drifted", overflow="fold")
    table.add_column("repaired by", overflow="fold")
    table.add_column("in", justify="right", no_wrap=True)
    table.add_column("now", no_wrap=True)
    for act in report.played:
        if act.told is None:
            table.add_row(act.name, "", "", "[red]not played[/]")
        elif act.told.wrong:
            table.add_row(act.told.drifted, "nobody", "", "[yellow]still wrong[/]")
        else:
            table.add_row(act.told.drifted, act.told.repaired_by, f"{act.told.seconds:.1f} s", "[green]right[/]")
    return table


def _both_ways(told: Told) -> str:
    """Say in 13 columns what DNS says now, and whether the address gives the name."""
    both = told.ptr_after.endswith((world.FORWARD_ZONE, "names"))
    return f"[bold]{told.after}[/]" + (" ⇄" if both else "")


def _rows_table(report: Report) -> Table:
    table = console.table("\nRows in the event table")
    for name in ("component", "event", "rows", "meaning"):
        table.add_column(name, justify="right" if name == "rows" else "left")
    for (component, kind), count in sorted(report.rows_by_type.items()):
        known = EventType(kind)
        colour = _COLOURS[severity_of(known).value]
        table.add_row(component, f"[{colour}]{kind}[/]", str(count), _MEANING.get(known, ""))
    return table


def _alerts_table(report: Report) -> Table:
    """Show which alerts fired; the clock is that of the rules, which ran ahead while nobody repaired."""
    table = console.table("\nAlerts, on a clock that runs ahead while nobody repairs, and in the silence after the end")
    table.add_column("rule", no_wrap=True)
    table.add_column("tells", no_wrap=True)
    table.add_column("about", overflow="fold")
    table.add_column("fired", justify="right", no_wrap=True)
    table.add_column("resolved", justify="right", no_wrap=True)
    for alarm in report.alarms.fired:
        over = "[yellow]still fired[/]" if alarm.lasted is None else f"[green]{_minutes(alarm.lasted)} later[/]"
        table.add_row(*_named(alarm), f"+{_minutes(alarm.after)}", over)
    for alarm in report.alarms.silent:
        table.add_row(*_named(alarm), f"silence +{_minutes(alarm.after)}", "")
    return table


def _named(alarm: Alarm) -> tuple[str, str, str]:
    return alarm.rule, f"{alarm.tells}, sev {alarm.severity}", _about(alarm)


def _about(alarm: Alarm) -> str:
    """Name what an alert is about: ids by their last part."""
    return " ".join(value.rpartition("/")[2] for value in alarm.dimensions.values() if value)


def _minutes(length: timedelta) -> str:
    return f"{length / timedelta(minutes=1):.0f} min"
