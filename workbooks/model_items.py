"""The types of a workbook's items. See workbooks.model, which hands them out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from workbooks.model_parameters import Parameter, ParameterKind, TimeRange
from workbooks.model_visuals import Visuals

if TYPE_CHECKING:
    from collections.abc import Mapping


class QueryType(IntEnum):
    """Who answers a query, by the number that workbooks use. OTHER is a number that is not known."""

    OTHER = -99
    SAMPLE = -1
    LOGS = 0
    RESOURCE_GRAPH = 1
    PARAMETERS = 2
    ALERTS = 3
    HEALTH = 4
    CUSTOM_PROVIDER = 6
    MERGE = 7
    JSON = 8
    DATA_EXPLORER = 9
    CUSTOM_ENDPOINT = 10
    RESOURCE_MANAGER = 12
    CHANGES = 13
    GRAPH_API = 14
    PROMETHEUS = 16


class Size(IntEnum):
    """How high a chart or grid is."""

    MEDIUM = 0
    SMALL = 1
    LARGE = 2
    FULL = 3
    TINY = 4


@dataclass(frozen=True, slots=True)
class Condition:
    """When something is shown. `equal` says the comparison; `value` None asks only whether the parameter is set.

    `equal=True, value=None` holds while the parameter is unset, `equal=False, value=None` while it is set.
    """

    path: str
    parameter: str
    equal: bool
    value: str | None


@dataclass(frozen=True, slots=True)
class ItemStyle:
    """The box around an item: CSS lengths as they are written ("" where not set)."""

    margin: str = ""
    padding: str = ""
    max_width: str = ""
    show_border: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What every item has. All of `conditions` must hold for it to be shown.

    `path` is its JSON path in the workbook (`$.items[3].content.items[0]`), `name` the author's or "". `raw` is the
    JSON object that it was read from.
    """

    path: str
    name: str = ""
    conditions: tuple[Condition, ...] = ()
    width_percent: float = 100.0
    style: ItemStyle = ItemStyle()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextItem(Item):
    """Markdown. `tone` is "", info, warning, error, success, upsell, or a parameter (`{Name}`) that says so."""

    markdown: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What a selection sets: `parameter` gets the selected row's `column`, or the whole row as JSON where "".

    `default` holds while nothing is selected (None: the parameter is unset). `multiple` exports every selected row's
    value, each in `quote`, joined by `delimiter`.
    """

    path: str
    column: str
    parameter: str
    parameter_kind: ParameterKind = ParameterKind.TEXT
    default: str | None = None
    multiple: bool = False
    quote: str = "'"
    delimiter: str = ","


@dataclass(frozen=True, slots=True)
class TimeBrush:
    """What a range dragged over a time chart sets; without `only_brushed` the parameter starts as the whole range."""

    parameter: str
    only_brushed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryItem(Item):
    """A query and how its result is drawn.

    `visualization` is the workbook's word in lower case ("" lets the result or the query's `render` decide).
    `time_parameter` names a time range parameter and wins over `time`; with neither, the query's own filter decides.
    """

    query: str = ""
    query_type: QueryType = QueryType.LOGS
    resource_type: str = ""
    resources: tuple[str, ...] = ()
    title: str = ""
    visualization: str = ""
    size: Size = Size.MEDIUM
    aggregation: int | None = None
    time: TimeRange | None = None
    time_parameter: str = ""
    no_data_message: str = ""
    no_data_tone: str = ""
    show_refresh: bool = False
    show_excel: bool = False
    export_all_columns: bool = False
    show_expand_collapse: bool = False
    color: str = ""
    visuals: Visuals = field(default_factory=Visuals)
    exports: tuple[Export, ...] = ()
    brush: TimeBrush | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParametersItem(Item):
    """Parameters that a reader sets. `layout` is pills, above, formHorizontal or formVertical."""

    parameters: tuple[Parameter, ...] = ()
    layout: str = "pills"
    title: str = ""
    run_when_hidden: bool = True


@dataclass(frozen=True, slots=True)
class Metric:
    """One platform metric of a metrics item."""

    namespace: str
    name: str
    aggregation: int | None
    split_by: tuple[str, ...] = ()
    column: str = ""


CHART_TYPES: Final[Mapping[int, str]] = {
    0: "table",
    1: "barchart",
    2: "linechart",
    3: "areachart",
    4: "scatterchart",
    -1: "tiles",
    -2: "map",
    -3: "graph",
}
"""What a metrics item's chartType number is called for a query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsItem(Item):
    """Platform metrics of resources; `visualization` in a query item's words."""

    title: str = ""
    visualization: str = "linechart"
    size: Size = Size.MEDIUM
    resource_type: str = ""
    resources: tuple[str, ...] = ()
    resource_parameter: str = ""
    metrics: tuple[Metric, ...] = ()
    time: TimeRange | None = None
    time_parameter: str = ""
    visuals: Visuals = field(default_factory=Visuals)
    exports: tuple[Export, ...] = ()
    brush: TimeBrush | None = None
