"""The rows that a query sees: those visible at an instant, within a time range; and the facts among them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from core import events

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

Row = dict[str, Any]
_KINDS: Final = {column.name: column.type for column in events.COLUMNS}
_DYNAMIC: Final = frozenset({"DriftKinds", "Changes", "Details", "Properties"})


@dataclass
class Snapshot:
    """The workspace at `now`, for a query whose time range begins at `start` and ends at `now`.

    `tables` are the raw rows by table, in the layout of kql/tables.py's storage.
    """

    tables: Mapping[str, pa.Table]
    now: datetime
    start: datetime
    memory: dict[Any, Any] = field(default_factory=dict)
    """What was computed already, for functions that rest on one another."""

    def frame(self, name: str) -> pd.DataFrame:
        """Give a table's rows that are seen; times are UTC, `dynamic` values are Python's."""
        if name not in self.tables:
            return pd.DataFrame()
        frame: pd.DataFrame = self.tables[name].to_pandas()
        for column in frame.select_dtypes("datetime").columns:
            frame[column] = frame[column].dt.tz_localize("UTC").astype("datetime64[us, UTC]")
        seen = frame[(frame["_IngestedAt"] <= self.now) & frame["TimeGenerated"].between(self.start, self.now)].copy()
        for column in _DYNAMIC & set(seen.columns):
            seen[column] = seen[column].map(lambda text: json.loads(text) if isinstance(text, str) else None)
        return seen

    @cached_property
    def table_rows(self) -> list[Row]:
        """The event table as it was ingested, duplicates included."""
        return plain(self.frame(events.TABLE))

    @cached_property
    def fallback_rows(self) -> list[Row]:
        """The events among the log lines."""
        found = []
        for line in plain(self.frame("AppTraces")):
            if line["Message"].startswith(events.FALLBACK_MARKER):
                row = json.loads(line["Message"].removeprefix(events.FALLBACK_MARKER))
                found.append({name: _value(row.get(name), kind) for name, kind in _KINDS.items()})
        return [row for row in found if row["EventId"] and row["TimeGenerated"]]

    @cached_property
    def facts(self) -> list[Row]:
        """AciDnsEvents(): of each EventId the row with the latest TimeGenerated."""
        both = pd.DataFrame([*self.table_rows, *self.fallback_rows], columns=[*_KINDS], dtype=object)
        if both.empty:
            return []
        order = both["TimeGenerated"].map(lambda time: time.timestamp()).sort_values(kind="stable").index
        return plain(both.loc[order].drop_duplicates("EventId", keep="last"))

    def of(self, *components: str) -> list[Row]:
        """Give the facts of these components."""
        return [row for row in self.facts if row["Component"] in components]


def plain(frame: pd.DataFrame) -> list[Row]:
    """Give a frame's rows with Python's own values; what is absent is None."""
    if frame.empty:
        return []
    columns = {name: [_python(value) for value in frame[name]] for name in frame.columns}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _python(value: Any) -> Any:
    if value is None or value is pd.NaT:
        return None
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    if isinstance(value, float) and pd.isna(value):
        return None
    if hasattr(value, "item"):
        return value.item()
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _value(value: Any, kind: str) -> Any:
    if value is None:
        return "" if kind == "string" else None
    return datetime.fromisoformat(value) if kind == "datetime" else value


def time_of(row: Row) -> datetime:
    """When it happened: EventTime, or TimeGenerated where there is none."""
    moment: datetime = row["EventTime"] or row["TimeGenerated"]
    return moment


def floor(time: datetime, bucket: timedelta) -> datetime:
    """Give the start of the bucket that a time is in, as KQL's bin() does."""
    return pd.Timestamp(time).floor(bucket).to_pydatetime()


def ms(value: int | None) -> timedelta:
    """Give milliseconds as a span; none is none at all."""
    return timedelta(milliseconds=value or 0)


def nearest_rank(values: list[Any], percent: int) -> Any:
    """Give the smallest value with at least that share of the values at or below it; None without values."""
    ordered = sorted(value for value in values if value is not None)
    return ordered[max(-(-len(ordered) * percent // 100), 1) - 1] if ordered else None


def key(row: Row) -> str:
    """Give the container group's id as it is compared."""
    return str(row["ContainerGroupId"]).lower()
