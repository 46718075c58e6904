"""The event table: its columns, event types and components. The only definition; everything else is derived from it.

Derived: the data collection rule's stream declaration, the table's columns in the workspace, the DuckDB table, the
schema given to the KQL parser, and the data dictionary in the docs.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, Literal

STREAM: Final = "Custom-AciDnsEvents"
TABLE: Final = "AciDnsEvents_CL"
FUNCTION: Final = "AciDnsEvents"
"""The workspace function that answers the table's rows, deduplicated, with the fallback log lines."""
FALLBACK_MARKER: Final = "AciDnsEventFallback "
"""A log line that starts with this carries one event as JSON: ingestion failed, Application Insights kept it."""
TOOL_VERSION: Final = "0.1.0"

ColumnType = Literal["datetime", "string", "int", "long", "real", "boolean", "dynamic"]


class Component(StrEnum):
    """Which part of the toolkit speaks."""

    RECONCILER = "reconciler"
    TRACKER = "tracker"
    AUDIT = "audit"
    PROBE = "probe"


class Severity(StrEnum):
    """How loud an event is; alert rules have severities of their own."""

    INFORMATION = "Information"
    WARNING = "Warning"
    ERROR = "Error"


class EventType(StrEnum):
    """Every kind of row that the table knows."""

    RECONCILE_UPDATED = "reconcile_updated"
    RECONCILE_NO_OP = "reconcile_no_op"
    RECONCILE_DELETED = "reconcile_deleted"
    RECONCILE_SKIPPED = "reconcile_skipped"
    RECONCILE_DEFERRED = "reconcile_deferred"
    RECONCILE_FAILED = "reconcile_failed"
    FIRST_SEEN = "first_seen"
    NO_CHANGE = "no_change"
    DRIFT_DETECTED = "drift_detected"
    TRACK_FAILED = "track_failed"
    PROBE_OK = "probe_ok"
    PROBE_FAILED = "probe_failed"
    PROBE_COMPLETED = "probe_completed"
    AUDIT_COMPLETED = "audit_completed"
    CANARY = "canary"


class DriftKind(StrEnum):
    """In which way DNS and the live state differ."""

    A_MISMATCH = "a_mismatch"
    PTR_MISSING = "ptr_missing"
    PTR_MISMATCH = "ptr_mismatch"
    PTR_STALE = "ptr_stale"
    A_ORPHANED = "a_orphaned"
    OWNER_CONFLICT = "owner_conflict"
    REVERSE_ZONE_MISSING = "reverse_zone_missing"
    ZONE_UNLINKED = "zone_unlinked"
    ZONE_SHADOWED = "zone_shadowed"


_ERRORS = {EventType.RECONCILE_FAILED, EventType.TRACK_FAILED, EventType.PROBE_FAILED}
_WARNINGS = {EventType.DRIFT_DETECTED, EventType.RECONCILE_DEFERRED}
_HEARTBEATS = {EventType.PROBE_COMPLETED, EventType.AUDIT_COMPLETED}
_PER_ATTEMPT = {EventType.RECONCILE_FAILED, EventType.RECONCILE_DEFERRED, EventType.TRACK_FAILED}
"""A failure is counted each time it happens; any other outcome of a redelivered event is the same fact again."""


def severity_of(event_type: EventType, error_code: object = None) -> Severity:
    """Tell how loud an event of this type is; a heartbeat with an error code tells of a run that could not be made."""
    if event_type in _ERRORS or (event_type in _HEARTBEATS and error_code):
        return Severity.ERROR
    return Severity.WARNING if event_type in _WARNINGS else Severity.INFORMATION


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name in the table, its type in the stream declaration, and what it means."""

    name: str
    type: ColumnType
    description: str


COLUMNS: Final[tuple[Column, ...]] = (
    Column("TimeGenerated", "datetime", "When it happened; Azure replaces it when it is more than 2 days old."),
    Column("EventTime", "datetime", "When it happened, never rewritten: use it for history that was sent late."),
    Column("EventId", "string", "The same fact has the same id, however often it is sent; the dedupe key."),
    Column("Component", "string", "reconciler, tracker, audit or probe."),
    Column("EventType", "string", "What happened; one of the event types."),
    Column("Severity", "string", "Information, Warning or Error."),
    Column("SourceEventId", "string", "Id of the Event Grid event that caused it; empty for scheduled work."),
    Column("CorrelationId", "string", "Azure's correlation id of the operation, or the run's id."),
    Column("SubscriptionId", "string", "Subscription of the container group."),
    Column("ResourceGroup", "string", "Resource group of the container group."),
    Column("ContainerGroup", "string", "Name of the container group."),
    Column("ContainerGroupId", "string", "Full resource id of the container group."),
    Column("Fqdn", "string", "The name that must resolve, without a trailing dot."),
    Column("ForwardZone", "string", "Private zone that holds the A record."),
    Column("ReverseZone", "string", "Private zone that holds, or should hold, the PTR record."),
    Column("OldIp", "string", "Address that DNS named before."),
    Column("NewIp", "string", "Address that DNS names now, or should name."),
    Column("LiveIp", "string", "Address that the container group has."),
    Column("PtrName", "string", "Owner name of the PTR record set, for example 4.1.0.10.in-addr.arpa."),
    Column("PtrTarget", "string", "What the PTR record set names."),
    Column("DriftKinds", "dynamic", "Array of the ways in which DNS and the live state differ."),
    Column("Verdict", "string", "The probe's verdict, for example reverse_zone_unlinked."),
    Column("Rcode", "string", "The resolver's response code, for example NXDOMAIN."),
    Column("Vantage", "string", "From where it was asked: id of the virtual network."),
    Column("Resolver", "string", "Address of the resolver that was asked."),
    Column("Changes", "dynamic", "Array of the changes made, in the order in which they were made."),
    Column("ArmCalls", "int", "Calls to Azure Resource Manager that it took."),
    Column("DurationMs", "long", "Time it took, milliseconds."),
    Column("LagMs", "long", "From the cause's time to done, milliseconds."),
    Column("Attempt", "int", "Which attempt this is, from 1."),
    Column("ErrorCode", "string", "Stable short cause of a failure, for example name_conflict."),
    Column("ErrorMessage", "string", "What failed, where, and what to do."),
    Column("ToolVersion", "string", "Version of this toolkit."),
    Column("Details", "dynamic", "Object with what else is worth knowing."),
)

COLUMN_NAMES: Final = frozenset(column.name for column in COLUMNS)
FACT_SEPARATOR: Final = "\x1f"
ID_LENGTH: Final = 32
_IDENTITY_FIELDS = ("OldIp", "NewIp", "LiveIp", "ErrorCode", "Verdict", "Vantage", "Resolver", "PtrName", "Fqdn")


def event_id(row: Mapping[str, Any], attempt_key: str) -> str:
    """Derive the id of an event from what makes it the same fact; `attempt_key` tells failures apart."""
    fact = fact_of(row)
    if EventType(row["EventType"]) in _PER_ATTEMPT or not row.get("SourceEventId"):
        fact += FACT_SEPARATOR + attempt_key
    return hashlib.sha256(fact.encode()).hexdigest()[:ID_LENGTH]


def fact_of(row: Mapping[str, Any]) -> str:
    """Give what makes a row the same fact, before the attempt is added, as one text."""
    parts = [row["Component"], row["EventType"], row.get("SourceEventId", ""), row.get("ContainerGroupId", "").lower()]
    parts += [str(row.get(name, "")) for name in _IDENTITY_FIELDS]
    parts.append(json.dumps(row.get("DriftKinds", [])))
    return FACT_SEPARATOR.join(parts)


@dataclass(frozen=True, slots=True)
class Event:
    """One row to be. `values` holds the columns by name; what is absent is null in the table.

    `attempt_key` names this attempt (the invocation's id): a redelivery that fails again is a new fact.
    """

    component: Component
    type: EventType
    time: datetime
    attempt_key: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = set(self.values) - COLUMN_NAMES
        if unknown:
            raise ValueError(f"not columns of {TABLE}: {', '.join(sorted(unknown))}")
        if self.time.tzinfo is None:
            raise ValueError("an event's time needs a time zone")

    def to_row(self) -> dict[str, Any]:
        """Give the row as it is uploaded: JSON values, column order, no nulls."""
        stamp = self.time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        row: dict[str, Any] = {
            **{name: value for name, value in self.values.items() if value is not None},
            "TimeGenerated": stamp,
            "EventTime": stamp,
            "Component": self.component.value,
            "EventType": self.type.value,
            "Severity": severity_of(self.type, self.values.get("ErrorCode")).value,
            "ToolVersion": TOOL_VERSION,
        }
        row["EventId"] = event_id(row, self.attempt_key)
        return {column.name: row[column.name] for column in COLUMNS if column.name in row}


def stream_declaration() -> dict[str, list[dict[str, str]]]:
    """Give the data collection rule's `streamDeclarations` entry for the stream."""
    return {"columns": [{"name": column.name, "type": column.type} for column in COLUMNS]}
