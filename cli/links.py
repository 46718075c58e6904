"""`drift links`: does every virtual network that must see a zone see it? Only reads."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from rich.markup import escape

from cli import console
from cli.failures import EXIT_USAGE
from cli.session import context_of, open_services, read_settings
from cli.words import shorter
from core.errors import EXIT_DONE, EXIT_FAILURE
from probe.target import network_name

if TYPE_CHECKING:
    from rich.table import Table

    from probe.links import LinkReport

_MAX_LINES: Final = 200


def links(vnets: tuple[str, ...], *, json: bool, environment: Mapping[str, str] = os.environ) -> int:
    """Audit once; `vnets` stand in the place of PROBE_VNETS."""
    from probe.audit import audit

    settings = read_settings({**environment, "PROBE_VNETS": ",".join(vnets)} if vnets else environment)
    with open_services(settings) as services:
        report = audit(context_of(services, settings), settings.probe)
    code = exit_code(report)
    if json:
        console.show_json({**report.to_json(), "exit_code": code})
    else:
        show(report)
    return code


def exit_code(report: "LinkReport") -> int:
    """Judge an audit: 1 where a link is known to be wrong, 2 where something could not be looked at."""
    from probe.links import LinkState

    known = [row for row in report.failing if row.state is not LinkState.UNKNOWN]
    if known:
        return EXIT_FAILURE
    return EXIT_DONE if report.is_ok else EXIT_USAGE


def show(report: "LinkReport") -> None:
    """Print an audit, what is wrong first."""
    wrong, count = len(report.failing), len(report.rows)
    if not count:
        console.show("[bold red]nothing was audited[/]: no virtual network is known to need a zone")
    elif wrong:
        console.show(f"[bold red]{wrong} of {count} wrong[/]")
    else:
        console.show(f"[bold green]all {count} right[/]")
    if count:
        console.show()
        console.show(table_of(report))
    problems = dict.fromkeys(problem for row in report.failing for problem in row.problems)
    for problem in list(problems)[:_MAX_LINES]:
        console.show(f"\n[bold red]{problem.state.value}[/]  {escape(shorter(problem.message))}")
        console.show_steps((), [escape(problem.fix)])
    if report.remarks:
        console.show()
    for remark in report.remarks:
        console.show(f"[yellow]note[/]: {escape(shorter(remark))}")


def table_of(report: "LinkReport") -> "Table":
    """List each network and zone, those with a problem first."""
    table = console.table()
    for name in ("state", "virtual network", "zone", "links"):
        table.add_column(name, overflow="fold")
    for row in sorted(report.rows, key=lambda row: not row.problems)[:_MAX_LINES]:
        colour = "red" if row.problems else "green"
        table.add_row(
            f"[{colour}]{row.state.value}[/]", network_name(row.vnet_id), row.zone.name, ", ".join(row.links) or "—"
        )
    if len(report.rows) > _MAX_LINES:
        table.add_row("…", f"{len(report.rows) - _MAX_LINES} more; --json has them all", "", "")
    return table
