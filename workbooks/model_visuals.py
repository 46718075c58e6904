"""The types that say how a result is drawn. See workbooks.model, which hands them out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbooks.model_formatters import DateFormat, Formatter, NumberFormat, Threshold


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort key of a grid: a column, or `$gen_…_column_3` as the portal names a formatted one."""

    path: str
    column: str
    ascending: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class HierarchySettings:
    """A grid as a tree: by id and parent id (`tree` 0), or grouped by columns (`tree` 1)."""

    path: str
    tree: int = 1
    group_by: tuple[str, ...] = ()
    final_by: str = ""
    expand_top_level: bool = False
    id_column: str = ""
    parent_column: str = ""
    expander_column: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GridSettings:
    """A grid. `labels` are (column, label, comment)."""

    formatters: tuple[Formatter, ...] = ()
    labels: tuple[tuple[str, str, str], ...] = ()
    row_limit: int = 250
    filter: bool = False
    sort_by: tuple[Sort, ...] = ()
    hierarchy: HierarchySettings | None = None


@dataclass(frozen=True, slots=True)
class SeriesLabel:
    """What one series of a chart is called and its colour; "" where the default holds."""

    series: str
    label: str = ""
    color: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisSettings:
    """One axis of a chart."""

    number_format: NumberFormat | None = None
    date_format: DateFormat | None = None
    label: str = ""
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartSettings:
    """A chart. Empty columns are chosen by type: the time is x, numbers are y, a string splits into series."""

    path: str = ""
    x_axis: str = ""
    y_axis: tuple[str, ...] = ()
    group: str = ""
    other_group_after: int | None = None
    sort: str = ""
    sort_descending: bool = False
    show_legend: bool = True
    show_metrics: bool = True
    show_data_points: bool = False
    series: tuple[SeriesLabel, ...] = ()
    x: AxisSettings = AxisSettings()
    y: AxisSettings = AxisSettings()
    threshold: float | None = None
    threshold_style: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TileSettings:
    """Tiles: one for each row. `size` is fixed, auto or full; `sort_order` 0 none, 1 ascending, 2 descending."""

    path: str = ""
    title: Formatter | None = None
    subtitle: Formatter | None = None
    left: Formatter | None = None
    secondary: Formatter | None = None
    right: Formatter | None = None
    show_border: bool = True
    size: str = "auto"
    sort_column: str = ""
    sort_order: int = 0

    @property
    def places(self) -> tuple[Formatter, ...]:
        """The fields that are set, from top to bottom."""
        return tuple(p for p in (self.title, self.subtitle, self.left, self.secondary, self.right) if p is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColorSettings:
    """What colours nodes, regions or a stat: a column by a heatmap palette, by thresholds, or each category its own."""

    path: str = ""
    kind: str = "none"
    column: str = ""
    palette: str = ""
    minimum: float | None = None
    maximum: float | None = None
    aggregation: str = ""
    thresholds: tuple[Threshold, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSettings:
    """A graph of nodes and edges, or honeycombs (`honeycomb`)."""

    path: str = ""
    honeycomb: bool = False
    top: Formatter | None = None
    center: Formatter | None = None
    left: Formatter | None = None
    right: Formatter | None = None
    bottom: Formatter | None = None
    node_id: str = ""
    source_id: str = ""
    target_id: str = ""
    edge_label: str = ""
    edge_size: str = ""
    group_by: str = ""
    orientation: int = 3
    node_size: float | None = None
    hive_margin: int = 5
    colors: ColorSettings = ColorSettings()

    @property
    def places(self) -> tuple[Formatter, ...]:
        """The fields of a node that are set."""
        return tuple(p for p in (self.top, self.center, self.left, self.right, self.bottom) if p is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class MapSettings:
    """A map. `location` is LatLong, AzureLoc, AzureResource or CountryRegion."""

    path: str = ""
    location: str = "AzureLoc"
    location_column: str = ""
    latitude: str = ""
    longitude: str = ""
    size_column: str = ""
    size_aggregation: str = "Sum"
    label_column: str = ""
    legend_column: str = ""
    legend_aggregation: str = "Sum"
    colors: ColorSettings = ColorSettings()
    number_format: NumberFormat | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatSettings:
    """One big number: `column` of the result, aggregated over its rows."""

    path: str = ""
    column: str = ""
    aggregation: str = ""
    title: str = ""
    tag: str = ""
    colors: ColorSettings = ColorSettings()
    icon: Mapping[str, Any] = field(default_factory=dict, compare=False)
    number_format: NumberFormat | None = None


@dataclass(frozen=True, slots=True)
class TextSettings:
    """The first cell as text. `style` is "", header, bignumber, markdown or editor."""

    style: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visuals:
    """Every visualization's settings; those that the item's visualization does not use are kept all the same."""

    grid: GridSettings = GridSettings()
    chart: ChartSettings = ChartSettings()
    tiles: TileSettings = TileSettings()
    graph: GraphSettings = GraphSettings()
    map: MapSettings = MapSettings()
    stat: StatSettings = StatSettings()
    text: TextSettings = TextSettings()
