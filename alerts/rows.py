"""Rows as a rule's tests write them, made into rows as a table gets them: times, delays, duplicates, repeats. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from alerts.durations import from_short, instant, instants
from alerts.fields import Fields, did_you_mean
from core import events
from core.arm_id import container_group_id
from kql import tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from alerts.yaml_source import Path, Source

MAX_ROWS: Final = 100_000
"""More rows than a unit test needs: a longer series is a slip of the pen."""
_TABLES: Final = {table.name: table for table in tables.TABLES}
_NUMBERS: Final[Mapping[str, type | tuple[type, ...]]] = {
    "int": int,
    "long": int,
    "real": (int, float),
    "boolean": bool,
}


@dataclass(frozen=True, slots=True)
class Arrival:
    """One row: its table, its values as the table takes them, and when queries begin to see it."""

    table: tables.Table
    values: Mapping[str, Any]
    time: datetime
    visible: datetime


def known_table(name: str) -> tables.Table | None:
    """Give a table by its name in the workspace."""
    return _TABLES.get(name)


def unknown_table(name: str) -> str:
    """Say that there is no such table."""
    return f"is not a table{did_you_mean(name, _TABLES)}"


def read_tables(source: Source, path: Path, defaults: Mapping[str, Mapping[str, Any]], now: datetime) -> list[Arrival]:
    """Read a `tables` mapping; what is wrong is noted on the source."""
    arrivals: list[Arrival] = []
    fields = Fields(source, path)
    for name in list(fields.names()):
        rows = fields.list_of(name)
        table = known_table(name)
        if table is None:
            fields.complain(name, unknown_table(name))
            continue
        for at, _ in rows:
            arrivals += _read_row(source, at, table, defaults.get(name, {}), now)
            if len(arrivals) > MAX_ROWS:
                source.complain(at, f"makes more than {MAX_ROWS:,} rows")
                return arrivals
    return arrivals


def _read_row(
    source: Source, path: Path, table: tables.Table, defaults: Mapping[str, Any], now: datetime
) -> Iterator[Arrival]:
    fields = Fields(source, path, defaults)
    none: list[datetime] = []
    times = fields.read("TimeGenerated", lambda text: instants(text, now), none, required=True)
    delay = fields.read("ingest_delay", _delay, timedelta())
    copies = fields.typed("duplicates", int, 0)
    copy_delay = fields.read("duplicate_delay", _delay, timedelta())
    count = fields.typed("count", int, 1)
    if copies < 0 or count < 1:
        fields.complain("duplicates" if copies < 0 else "count", "must not be negative, and count at least 1")
        return
    values = _columns(fields, table, now)
    fields.done()
    if len(times) * count > MAX_ROWS:
        fields.complain("TimeGenerated", f"makes more than {MAX_ROWS:,} rows")
        return
    for number in range(len(times) * count):
        time = times[number // count]
        row = {name: _numbered(value, number) for name, value in values.items()}
        row["TimeGenerated"] = stamp(time)
        if table is tables.EVENTS:
            row = completed(row, ".".join(map(str, (*path, number))))
        for copy in range(copies + 1):
            yield Arrival(table, row, time, time + delay + copy_delay * copy)


def completed(row: dict[str, Any], identity: str) -> dict[str, Any]:
    """Fill in what an event's other columns say already. `identity` makes the fact's id where none is given."""
    parts = [row.get(name, "") for name in ("SubscriptionId", "ResourceGroup", "ContainerGroup")]
    kind = row.get("EventType", "")
    follows: dict[str, Any] = {"EventTime": row["TimeGenerated"], "EventId": identity}
    if kind in set(events.EventType):
        follows["Severity"] = events.severity_of(events.EventType(kind), row.get("ErrorCode")).value
    if all(parts):
        follows["ContainerGroupId"] = str(container_group_id(*parts))
    return {**follows, **row}


def _delay(text: str) -> timedelta:
    span = from_short(text)
    if span < timedelta():
        raise ValueError("must not be negative")
    return span


def _columns(fields: Fields, table: tables.Table, now: datetime) -> dict[str, Any]:
    values = {}
    for name, kind in table.columns:
        if name in {"TimeGenerated", tables.RECEIVED} or name not in fields:
            continue
        value = fields.take(name)
        problem = _problem(kind, value)
        if kind == "datetime" and value is not None:
            values[name] = fields.as_read(name, value, lambda text: stamp(instant(text, now)), "")
        elif problem:
            fields.complain(name, problem)
        elif value is not None:
            values[name] = value
    fields.know(name for name, _ in table.columns if name != tables.RECEIVED)
    return values


def _problem(kind: str, value: Any) -> str:
    if value is None or kind in {"datetime", "dynamic"}:
        return ""
    if kind == "string":
        return "" if isinstance(value, str) else f"must be text, not {value!r}: quote it"
    fits = isinstance(value, _NUMBERS[kind]) and isinstance(value, bool) is (kind == "boolean")
    return "" if fits else f"must be of type {kind}, not {value!r}"


def _numbered(value: Any, number: int) -> Any:
    """Put the row's number where a text says {i}."""
    if isinstance(value, str):
        return value.replace("{i}", str(number))
    if isinstance(value, dict):
        return {key: _numbered(item, number) for key, item in value.items()}
    return [_numbered(item, number) for item in value] if isinstance(value, list) else value


def stamp(time: datetime) -> str:
    """Write an instant as the tables take it."""
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")
