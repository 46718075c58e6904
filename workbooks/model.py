"""A workbook as types: what the portal's `Notebook/1.0` JSON says, read once, with the JSON path of each part.

Everything is a frozen value. Texts hold parameters as they are written (`{Name:specifier}`); nothing is substituted or
evaluated here. What a part says beyond these types is a Finding, never silently dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbooks.model_finding import Finding, Severity
from workbooks.model_formatters import CompositePart, DateFormat, Formatter, FormatterKind, NumberFormat, Threshold
from workbooks.model_items import (
    CHART_TYPES,
    Condition,
    Export,
    Item,
    ItemStyle,
    Metric,
    MetricsItem,
    ParametersItem,
    QueryItem,
    QueryType,
    Size,
    TextItem,
    TimeBrush,
)
from workbooks.model_layout import ITEM_KINDS, GroupItem, Link, LinksItem, UnknownItem
from workbooks.model_parameters import (
    CHOICES,
    Criterion,
    Option,
    Parameter,
    ParameterKind,
    ParameterSettings,
    TimeRange,
    ValidationRule,
)
from workbooks.model_visuals import (
    AxisSettings,
    ChartSettings,
    ColorSettings,
    GraphSettings,
    GridSettings,
    HierarchySettings,
    MapSettings,
    SeriesLabel,
    Sort,
    StatSettings,
    TextSettings,
    TileSettings,
    Visuals,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "CHART_TYPES",
    "CHOICES",
    "ITEM_KINDS",
    "AxisSettings",
    "ChartSettings",
    "ColorSettings",
    "CompositePart",
    "Condition",
    "Criterion",
    "DateFormat",
    "Export",
    "Finding",
    "Formatter",
    "FormatterKind",
    "GraphSettings",
    "GridSettings",
    "GroupItem",
    "HierarchySettings",
    "Item",
    "ItemStyle",
    "Link",
    "LinksItem",
    "MapSettings",
    "Metric",
    "MetricsItem",
    "NumberFormat",
    "Option",
    "Parameter",
    "ParameterKind",
    "ParameterSettings",
    "ParametersItem",
    "QueryItem",
    "QueryType",
    "SeriesLabel",
    "Severity",
    "Size",
    "Sort",
    "StatSettings",
    "TextItem",
    "TextSettings",
    "Threshold",
    "TileSettings",
    "TimeBrush",
    "TimeRange",
    "UnknownItem",
    "ValidationRule",
    "Visuals",
    "Workbook",
    "walk",
]


@dataclass(frozen=True, slots=True)
class Workbook:
    """One workbook. `name` is the file's, without its ending, or what an ARM template calls it."""

    name: str
    items: tuple[Item, ...]
    version: str = "Notebook/1.0"
    style: ItemStyle = field(default_factory=ItemStyle)
    fallback_resources: tuple[str, ...] = ()
    default_resources: tuple[str, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


def walk(items: tuple[Item, ...]) -> Iterator[Item]:
    """Give every item in reading order, those in groups after their group."""
    for item in items:
        yield item
        if isinstance(item, GroupItem):
            yield from walk(item.items)
