"""`drift events`: rows of the event table, from a workspace or from a local Azure's file."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from cli import console
from cli.query_source import failure_of, open_engine
from cli.words import shorter
from core.errors import EXIT_DONE, InputError
from core.events import EventType, Severity, severity_of

if TYPE_CHECKING:
    from rich.table import Table

Rows = list[dict[str, Any]]
_LAST = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_GROUP_NAME = re.compile(r"[A-Za-z0-9-]{1,63}", re.ASCII)
_COLOURS: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFORMATION: "green"}
MAX_DAYS: Final = 730


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows are wanted: the newest `limit` of those in the last so much time."""

    timespan: timedelta = timedelta(hours=1)
    type: EventType | None = None
    group: str | None = None
    limit: int = 50

    def kql(self) -> str:
        """Give the query: the shipped one, with its parameters."""
        from kql import catalog

        if self.group is not None and not _GROUP_NAME.fullmatch(self.group):
            raise InputError(f"not the name of a container group (letters, digits, hyphens): {self.group[:80]!a}")
        given = {"eventType": self.type.value if self.type else "", "group": self.group or ""}
        return f"{catalog.bind(catalog.queries()['recent-events'], given)}\n| take {self.limit}"


def parse_last(text: str) -> timedelta:
    """Read how far to look back, for example 90s, 30m, 1h or 7d; raises a usage error."""
    found = _LAST.fullmatch(text.strip().lower())
    span = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta()
    if not timedelta() < span <= timedelta(days=MAX_DAYS):
        raise typer.BadParameter(
            f"{text!a} is no time to look back; write 90s, 30m, 1h or 7d (at most {MAX_DAYS}d)", param_hint="--last"
        )
    return span


def events(asked: Asked, *, workspace: str | None, data: Path | None, json: bool) -> int:
    """Show the rows, newest first."""
    rows = _rows(asked.kql(), asked.timespan, workspace, data)
    if json:
        console.show_json([to_json(row) for row in rows])
    elif rows:
        console.show(table_of(rows))
    else:
        narrowed = " that match" if asked.type or asked.group else ""
        console.show(f"no events since {datetime.now(UTC) - asked.timespan:%Y-%m-%d %H:%M:%S} UTC{narrowed}")
    return EXIT_DONE


def _rows(kql: str, timespan: timedelta, workspace: str | None, data: Path | None) -> Rows:
    from kql.engine import QueryError

    with open_engine(workspace, data) as engine:
        try:
            result = engine.query(kql, timespan=timespan)
        except QueryError as error:
            raise failure_of(error, kql) from error
    if result.partial:
        console.say(f"warning: the answer is not whole: {result.partial}")
    return list(result)


def to_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a row as JSON values; what is null is left out."""
    return {
        name: stamp(value) if isinstance(value, datetime) else value
        for name, value in row.items()
        if value not in (None, "")
    }


def stamp(moment: datetime) -> str:
    """Write a time as the table does."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def table_of(rows: Iterable[Mapping[str, Any]]) -> "Table":
    """Show rows for a person."""
    from rich.markup import escape

    table = console.table()
    table.add_column("time (UTC)", no_wrap=True)
    table.add_column("event", no_wrap=True)
    table.add_column("group", no_wrap=True)
    table.add_column("what", overflow="fold")
    table.add_column("took", justify="right", no_wrap=True)
    today = datetime.now(UTC).date()
    for row in rows:
        moment = row["TimeGenerated"].astimezone(UTC)
        time = f"{moment:%H:%M:%S}" if moment.date() == today else f"{moment:%m-%d %H:%M:%S}"
        kind = str(row["EventType"])
        colour = _COLOURS[severity_of(EventType(kind))] if kind in set(EventType) else "none"
        duration = row.get("DurationMs")
        took = f"{duration / 1000:.1f} s" if duration is not None else ""
        group = "/".join(filter(None, (row.get("ResourceGroup"), row.get("ContainerGroup")))) or "—"
        table.add_row(time, f"[{colour}]{kind}[/]", group, escape(summary(row)), took)
    return table


def summary(row: Mapping[str, Any]) -> str:
    """Say in a line what a row is about."""
    old, new, live = (str(row.get(name) or "") for name in ("OldIp", "NewIp", "LiveIp"))
    name = str(row.get("Fqdn") or "")
    if row.get("ErrorCode"):
        return shorter(f"{row['ErrorCode']}: {row.get('ErrorMessage') or ''}")
    if row.get("DriftKinds"):
        return f"{', '.join(row['DriftKinds'])}: {name} is {old or 'missing'} in DNS, {live or 'gone'} in truth"
    if old and new and old != new:
        return f"{name}: {old} → {new}"
    if old and not new:
        return f"{name}: {old} → removed"
    return f"{name} {new or live}".strip()
