"""What events cost: the size that is billed, and money. Pure.

The size is estimated as kql/functions/AciDnsCosts.kql does, which counts the table as it was ingested; a test
compares them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pandas as pd

from core import events as schema

if TYPE_CHECKING:
    from typing import Any

_GIGABYTE: Final = 1_000_000_000
_TIMES: Final = 28
_MONTH_DAYS: Final = 30
_NUMBERS: Final = frozenset({"int", "long", "real"})


def bytes_of_events(events: pd.DataFrame) -> pd.Series[int]:
    """Estimate the billed size of each event in bytes: the text of its columns, names not counted.

    Needs all columns. Duplicates that the table has, and these events have not, are billed too.
    """
    total = pd.Series(2 * _TIMES, index=events.index, dtype="int64")
    for column in schema.COLUMNS:
        if column.type != "datetime":
            total += _length(events[column.name], column.type)
    return total


def _length(column: pd.Series[Any], kind: str) -> pd.Series[int]:
    if kind in _NUMBERS:
        return column.astype("str").str.len().where(column.notna(), 0).astype("int64")
    sizes = {text: len(_stored(str(text)) if kind == "dynamic" else str(text)) for text in column.unique()}
    return column.map(sizes).astype("int64")


def _stored(text: str) -> str:
    """Give a dynamic value as Azure keeps it: JSON without a space too many."""
    return json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False) if text else ""


def cost_of_events(costs: pd.DataFrame, price_per_gb: float, *, free_gb_a_month: float = 0.0) -> pd.DataFrame:
    """Say what a day's, and at this rate a month's, ingestion costs: from the rows of the query `costs`.

    `price_per_gb` is what your region bills for a GB (10^9 bytes) of ingestion, `free_gb_a_month` what is not billed
    (of the workspace as a whole). Rows, dearest first: Component, EventType, Rows, EstimatedBytes, Share, GbAMonth,
    CostAMonth, ArmCalls. A month is 30 days at the mean of the days that `costs` has, the first and last of them as
    they are.
    """
    if price_per_gb < 0 or free_gb_a_month < 0:
        raise ValueError("a price and what is free cannot be negative")
    grouped = costs.groupby(["Component", "EventType"], observed=True)[["Rows", "EstimatedBytes", "ArmCalls"]].sum()
    found = grouped.reset_index()
    days = (
        max(((costs["TimeGenerated"].max() - costs["TimeGenerated"].min()) / pd.Timedelta("1D")) + 1, 1)
        if len(costs)
        else 1
    )
    whole = float(found["EstimatedBytes"].sum())
    found["Share"] = found["EstimatedBytes"].astype("float64") / whole if whole else 0.0
    found["GbAMonth"] = found["EstimatedBytes"].astype("float64") / _GIGABYTE / days * _MONTH_DAYS
    billed = max(float(found["GbAMonth"].sum()) - free_gb_a_month, 0.0)
    found["CostAMonth"] = found["Share"] * billed * price_per_gb
    return found.sort_values("EstimatedBytes", ascending=False, ignore_index=True)
