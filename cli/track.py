"""`drift track`: does DNS say what the container group is? Only reads, and leaves no event: a look is no outcome."""

from typing import TYPE_CHECKING, Any

from cli import console
from cli.reconcile import configured
from cli.session import context_of, open_services, read_settings
from cli.words import shorter
from core.arm_id import parse_container_group
from core.errors import EXIT_DONE
from core.events import EventType

if TYPE_CHECKING:
    from tracker.compare import Comparison, Seen

_SAYS = {
    EventType.NO_CHANGE: "[bold green]DNS is right[/]",
    EventType.FIRST_SEEN: "[bold yellow]not in DNS yet[/]",
    EventType.DRIFT_DETECTED: "[bold red]DNS is wrong[/]",
    None: "[bold]no verdict[/]",
}


def track(group_id: str, *, links: bool, json: bool) -> int:
    """Look at one group and show the verdict; drift is an answer, not a failure of the command."""
    from tracker.run import track_group

    group = parse_container_group(group_id)
    settings = read_settings()
    configured(settings, group)
    with open_services(settings) as services:
        context = context_of(services, settings)
        zones = services.private_dns if links else None
        looked = track_group(group, context, zones=zones)
        calls = context.calls.calls
    assert looked is not None  # noqa: S101 - it is configured: checked above
    seen, comparison = looked
    if json:
        console.show_json({**to_json(seen, comparison), "arm_calls": calls})
    else:
        _show(seen, comparison)
    return EXIT_DONE


def to_json(seen: "Seen", comparison: "Comparison") -> dict[str, Any]:
    """Give the verdict, and what it rests on."""
    return {
        "group": str(seen.group.id),
        "fqdn": seen.placement.fqdn,
        "live": {
            "state": seen.group.state.value,
            "ip": str(seen.group.address or "") or None,
            "detail": seen.group.detail,
        },
        "verdict": comparison.verdict.value if comparison.verdict else None,
        "kinds": [kind.value for kind in comparison.kinds],
        "findings": [finding.to_json() for finding in comparison.findings],
        "reason": comparison.reason,
        "remarks": dict(comparison.remarks),
        "dns": records_of(seen),
    }


def records_of(seen: "Seen") -> list[dict[str, Any]]:
    """List the record sets that were read, the missing PTRs included."""
    found = [
        {"type": item.type, "name": item.fqdn, "values": list(item.values), "ttl": item.ttl, "owner": item.owner}
        for item in (*seen.address_sets, *(item for item in seen.ptr_sets.values() if item))
    ]
    missing = [address for address, item in seen.ptr_sets.items() if item is None]
    return found + [
        {"type": "PTR", "name": address.reverse_pointer, "values": [], "ttl": None, "owner": None}
        for address in missing
    ]


def _show(seen: "Seen", comparison: "Comparison") -> None:

    from rich.markup import escape

    from tracker.repair import is_repairable

    live = seen.group
    where = f" at [bold]{live.address}[/]" if live.address else f": {live.detail}" if live.detail else ""
    console.show(f"[bold]{seen.placement.fqdn}[/]  {live.state.value.replace('_', ' ')}{where}")
    console.show(_SAYS[comparison.verdict] + (f": {escape(comparison.reason)}" if comparison.reason else ""))
    records = records_of(seen)
    if records:
        console.show()
        table = console.table()
        for name in ("type", "DNS has", "value", "TTL"):
            table.add_column(name, overflow="fold")
        for record in records:
            value = ", ".join(record["values"]) or "[red]missing[/]"
            table.add_row(record["type"], record["name"], value, str(record["ttl"] or ""))
        console.show(table)
        console.show()
    for finding in comparison.findings:
        console.show(f"  [red]{finding.kind.value}[/]  {finding.name}: {escape(shorter(finding.message))}")
    for name, remark in comparison.remarks.items():
        console.show(f"  [dim]{name}: {escape(str(remark))}[/]")
    repairable = comparison.findings and all(is_repairable(seen, finding) for finding in comparison.findings)
    if comparison.verdict is EventType.FIRST_SEEN or repairable:
        console.show(f"  to repair it: [bold]drift reconcile {live.id} --apply[/]")
