"""How a probe's result looks to somebody tired: what is wrong first, then why, then the line that repairs it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from rich.markup import escape

from cli import console
from cli.failures import EXIT_USAGE
from cli.words import counted, shorter
from core.errors import EXIT_DONE
from probe.target import network_name
from probe.verdict import Verdict

if TYPE_CHECKING:
    from rich.table import Table

    from probe.result import ProbeReport, TargetResult
    from probe.verdict import Finding

MAX_WRONG: Final = 200
MAX_RIGHT: Final = 20
MAX_CAUSES: Final = 30
MAX_NAMES: Final = 3
MAX_BAD: Final = 20
"""What is more than this is counted; --json has all."""


def show_report(report: "ProbeReport", code: int, ended: datetime | None) -> None:
    """Print a run; `ended` is shown where one run follows another."""
    console.show(headline(report, code, ended))
    if report.results:
        console.show()
        console.show(table_of(report))
    groups = causes_of(report.failing)
    for group in groups[:MAX_CAUSES]:
        _show_cause(group)
    if len(groups) > MAX_CAUSES:
        console.show(f"\n… and {len(groups) - MAX_CAUSES} causes more: --json has them all")
    _show_rest([str(bad) for bad in report.bad_targets], "not asked for")
    _show_rest(report.remarks, "note")
    console.show()
    console.show(f"[dim]{numbers(report)}[/]")


def headline(report: "ProbeReport", code: int, ended: datetime | None) -> str:
    """Say in one line how it stands, and from where it was looked."""
    failed, count = report.summary.failed, report.summary.results
    where = f" from [bold]{escape(network_name(report.vantage.vnet_id))}[/]" if report.vantage.vnet_id else ""
    at = f"{where} at {escape(', '.join(report.resolvers))}" + (f", {ended:%H:%M:%S} UTC" if ended else "")
    if not count:
        return f"[bold red]nothing was asked[/]: no target to ask for{at}"
    if failed:
        colour = "yellow" if code == EXIT_DONE else "red"
        mark = "nobody answers" if code == EXIT_USAGE and failed == count else f"{failed} of {count} wrong"
        return f"[bold {colour}]{mark}[/]{at}"
    bad = len(report.bad_targets)
    return f"[bold green]all {count} right[/]{at}" + (f", [bold yellow]{bad} could not be asked for[/]" if bad else "")


def table_of(report: "ProbeReport") -> "Table":
    """List the targets, those that are wrong first."""
    table = console.table()
    several = len(report.resolvers) > 1
    table.add_column("verdict", no_wrap=True)
    table.add_column("name", overflow="fold")
    table.add_column("should be", no_wrap=True)
    table.add_column("DNS says", overflow="fold")
    if several:
        table.add_column("resolver", overflow="fold")
    table.add_column("took", justify="right", no_wrap=True)
    wrong, right = report.failing, [result for result in report.results if result.is_ok]
    for result in (*wrong[:MAX_WRONG], *right[:MAX_RIGHT]):
        said = "; ".join(dict.fromkeys(finding.answer.says() for finding in _shown(result)))
        row = [f"[{'green' if result.is_ok else 'red'}]{result.verdict.value}[/]", result.target.fqdn,
               str(result.target.address), escape(said), f"{result.duration_ms:.1f} ms"]  # fmt: skip
        table.add_row(*row[:4], *([result.resolver] if several else []), row[4])
    for more, what in ((len(wrong) - MAX_WRONG, "wrong"), (len(right) - MAX_RIGHT, "right")):
        if more > 0:
            table.add_row("…", f"{more} more are {what}", *[""] * (len(table.columns) - 2))
    return table


def causes_of(failing: Sequence["TargetResult"]) -> list[list["TargetResult"]]:
    """Put together what one command repairs; what repairs most comes first."""
    groups: dict[tuple[Verdict, str], list[TargetResult]] = {}
    for result in failing:
        groups.setdefault((result.verdict, result.fix), []).append(result)
    return sorted(groups.values(), key=len, reverse=True)


def _show_cause(group: Sequence["TargetResult"]) -> None:
    first = group[0]
    names = ", ".join(dict.fromkeys(result.target.fqdn for result in group[:MAX_NAMES]))
    whom = f"{names} and {len(group) - MAX_NAMES} more" if len(group) > MAX_NAMES else names
    confirmed = first.confirmation is not None and first.verdict is not Verdict.FLAPPING
    sure = f" [dim](still so after {first.confirmed_after_seconds:g} s)[/]" if confirmed else ""
    console.show(f"\n[bold red]{first.verdict.value}[/]  {escape(whom)}{sure}")
    sentences = [escape(shorter(first.cause))]
    check = first.cross_check
    if check is not None and check.deciding.explanation:
        sentences.append(f"Azure says: {escape(shorter(check.deciding.explanation))} [dim]({check.hop.value})[/]")
    console.show_steps(sentences, [escape(fix) for fix in (first.fix, first.also) if fix])


def numbers(report: "ProbeReport") -> str:
    """Give the run in numbers, one line."""
    summary = report.summary
    verdicts = ", ".join(f"{count} {name}" for name, count in summary.verdicts.items())
    parts = [
        counted(summary.targets, "target") + (f": {verdicts}" if verdicts else ""),
        # Without an answer there is nothing to take percentiles of.
        f"p50 {summary.p50_ms:.1f} ms, p99 {summary.p99_ms:.1f} ms" if summary.p99_ms else "",
        counted(summary.queries, "query", "queries") + (f", {summary.retries} repeated" if summary.retries else ""),
        f"{summary.duration_seconds:.1f} s",
    ]
    return " · ".join(part for part in parts if part)


def _shown(result: "TargetResult") -> Iterable["Finding"]:
    """Give what is wrong, or both directions where nothing is."""
    wrong = [finding for finding in result.last.findings if not finding.is_ok]
    return wrong or result.last.findings


def _show_rest(lines: Sequence[str], what: str) -> None:
    if lines:
        console.show()
    for line in lines[:MAX_BAD]:
        console.show(f"[yellow]{what}[/]: {escape(shorter(line))}")
    if len(lines) > MAX_BAD:
        console.show(f"[yellow]{what}[/]: {len(lines) - MAX_BAD} more; --json has them all")
