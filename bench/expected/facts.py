"""The queries that look at the facts as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.expected.observations import grouped
from bench.expected.snapshot import time_of

if TYPE_CHECKING:
    from bench.expected.snapshot import Row, Snapshot


def event_counts(seen: Snapshot) -> list[Row]:
    """Give the rows of event-counts."""
    return [
        {"Component": component, "EventType": kind, "Severity": severity, "Events": len(rows),
         "Latest": max(row["TimeGenerated"] for row in rows)}
        for (component, kind, severity), rows in grouped(seen.facts, "Component", "EventType", "Severity").items()
    ]  # fmt: skip


def open_failures(seen: Snapshot) -> list[Row]:
    """Give the rows of open-failures."""
    told = [{**row, "_key": row["ContainerGroupId"].lower()} for row in seen.of("reconciler", "tracker", "audit")
            if row["ContainerGroupId"]]  # fmt: skip
    last = [max(rows, key=lambda row: row["TimeGenerated"]) for rows in grouped(told, "_key").values()]
    return [{**row, "Since": row["TimeGenerated"]} for row in last if row["Severity"] != "Information"]


def group_timeline(seen: Snapshot, group: str = "") -> list[Row]:
    """Give the rows of group-timeline."""
    wanted = group.lower()
    return [
        {**row, "Time": time_of(row)} for row in seen.facts
        if wanted and wanted in {row[name].lower() for name in ("ContainerGroupId", "ContainerGroup", "Fqdn")}
    ]  # fmt: skip


def recent_events(seen: Snapshot, event_type: str = "", group: str = "") -> list[Row]:
    """Give the rows of recent-events."""
    of_kind = [row for row in seen.facts if not event_type or row["EventType"] == event_type]
    return [row for row in of_kind if not group or row["ContainerGroup"].lower() == group.lower()]


def events_once(seen: Snapshot) -> list[Row]:
    """Give the rows of AciDnsEvents()."""
    return seen.facts
