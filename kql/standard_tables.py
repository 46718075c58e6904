"""Tables of a workspace that are not ours: those that the shipped KQL reads, with the columns that Azure documents.

Of each table the columns that are worth a query, not all: Azure Monitor's reference of AppTraces, AppRequests,
AppExceptions, DCRLogErrors, ContainerInstanceLog and ContainerEvent, and "Log schema" of Container Instances' page on
Azure Monitor logs for the two tables of its agent (`_CL`). A workspace makes the columns of a `_CL` table when they
first arrive, and has seen `Count_s` in place of `Count_d`, and no `FirstTimestamp_t`: the shipped KQL names neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.events import ColumnType

Columns = tuple[tuple[str, "ColumnType"], ...]

_TELEMETRY: Final[Columns] = (
    ("OperationId", "string"),
    ("OperationName", "string"),
    ("AppRoleName", "string"),
    ("AppRoleInstance", "string"),
    ("ItemCount", "int"),
    ("Properties", "dynamic"),
)
"""What every Application Insights row has; it stands for `ItemCount` rows where the app samples."""

_AGENT: Final[Columns] = (
    ("ContainerGroup_s", "string"),
    ("ContainerName_s", "string"),
    ("Message", "string"),
    ("Location_s", "string"),
    ("OSType_s", "string"),
    ("ResourceGroup", "string"),
    ("SubscriptionId", "string"),
    ("_ResourceId", "string"),
)
_DIAGNOSTICS: Final[Columns] = (
    ("ContainerGroup", "string"),
    ("ContainerName", "string"),
    ("ContainerID", "string"),
    ("Message", "string"),
    ("Location", "string"),
    ("OSType", "string"),
    ("_ResourceId", "string"),
    ("_SubscriptionId", "string"),
)
_TIME: Final[Columns] = (("TimeGenerated", "datetime"),)

STANDARD_TABLES: Final[Mapping[str, Columns]] = {
    "AppTraces": (*_TIME, ("Message", "string"), ("SeverityLevel", "int"), *_TELEMETRY),
    "AppRequests": (
        *_TIME,
        ("Id", "string"),
        ("Name", "string"),
        ("Success", "boolean"),
        ("ResultCode", "string"),
        ("DurationMs", "real"),
        *_TELEMETRY,
        ("_ResourceId", "string"),
    ),
    "AppExceptions": (
        *_TIME,
        ("ExceptionType", "string"),
        ("OuterType", "string"),
        ("OuterMessage", "string"),
        ("InnermostType", "string"),
        ("InnermostMessage", "string"),
        ("ProblemId", "string"),
        ("SeverityLevel", "int"),
        *_TELEMETRY,
        ("_ResourceId", "string"),
    ),
    "DCRLogErrors": (
        *_TIME,
        ("InputStreamId", "string"),
        ("OperationName", "string"),
        ("Message", "string"),
        ("CorrelationId", "string"),
        ("_ResourceId", "string"),
    ),
    "ContainerInstanceLog_CL": (
        *_TIME,
        *_AGENT,
        ("ContainerID_s", "string"),
        ("ContainerImage_s", "string"),
        ("Source_s", "string"),
    ),
    "ContainerEvent_CL": (
        *_TIME,
        *_AGENT,
        ("ContainerGroupInstanceId_g", "string"),
        ("Reason_s", "string"),
        ("Count_d", "real"),
        ("FirstTimestamp_t", "datetime"),
    ),
    "ContainerInstanceLog": (*_TIME, *_DIAGNOSTICS, ("ContainerImage", "string"), ("Source", "string")),
    "ContainerEvent": (
        *_TIME,
        *_DIAGNOSTICS,
        ("ContainerGroupInstanceID", "string"),
        ("Reason", "string"),
        ("Count", "int"),
    ),
}
"""Columns (name, stream type) by table."""
