"""Reads how results are drawn: formatters, and the settings of each visualization."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbooks.model import (
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
from workbooks.parse_formatters import date_format, formatter, number_format, thresholds

if TYPE_CHECKING:
    from workbooks.model import Formatter
    from workbooks.parse_reader import Reader

MAX_ROWS: Final = 10_000
DEFAULT_ROWS: Final = 250
_COLOR_KINDS: Final = {"3": "thresholds", "4": "heatmap"}
"""What graphs write as a number and maps as a word."""


def visuals(content: Reader) -> Visuals:
    """Read every `…Settings` of a query's or metrics item's content."""
    outer_sort = _sort_keys(content)
    return Visuals(
        grid=_grid(content.child("gridSettings"), outer_sort),
        chart=_chart(content.child("chartSettings")),
        tiles=_tiles(content.child("tileSettings")),
        graph=_graph(content.child("graphSettings")),
        map=_map(content.child("mapSettings")),
        stat=_stat(content.child("statSettings")),
        text=_text(content.child("textSettings")),
    )


def _sort_keys(of: Reader) -> tuple[Sort, ...]:
    found = []
    for key in of.children("sortBy"):
        found.append(Sort(key.path, key.text("itemKey"), key.integer("sortOrder", 1) != 2))  # noqa: PLR2004 - descending
        key.done()
    return tuple(found)


def _grid(grid: Reader | None, outer_sort: tuple[Sort, ...]) -> GridSettings:
    if grid is None:
        return GridSettings(sort_by=outer_sort)
    limit = grid.integer("rowLimit", DEFAULT_ROWS)
    if not 0 < limit <= MAX_ROWS:
        grid.tell("out-of-range", f"rowLimit goes from 1 to {MAX_ROWS}, not {limit}", at="rowLimit")
        limit = DEFAULT_ROWS if limit <= 0 else MAX_ROWS
    found = GridSettings(
        formatters=tuple(formatter(each) for each in grid.children("formatters")),
        labels=tuple(_label(each) for each in grid.children("labelSettings")),
        row_limit=limit,
        filter=grid.flag("filter"),
        sort_by=_sort_keys(grid) or outer_sort,
        hierarchy=_hierarchy(grid.child("hierarchySettings")),
    )
    grid.done()
    return found


def _label(label: Reader) -> tuple[str, str, str]:
    found = (label.text("columnId"), label.text("label"), label.text("comment"))
    label.done()
    return found


def _hierarchy(tree: Reader | None) -> HierarchySettings | None:
    if tree is None:
        return None
    found = HierarchySettings(
        path=tree.path,
        tree=tree.integer("treeType", 0),
        group_by=tree.texts("groupBy"),
        final_by=tree.text("finalBy"),
        expand_top_level=tree.flag("expandTopLevel"),
        id_column=tree.text("idColumn"),
        parent_column=tree.text("parentColumn"),
        expander_column=tree.text("expanderColumn"),
    )
    tree.done()
    return found


def _chart(chart: Reader | None) -> ChartSettings:
    if chart is None:
        return ChartSettings()
    other = chart.number("createOtherGroup")
    found = ChartSettings(
        path=chart.path,
        x_axis=chart.text("xAxis"),
        y_axis=chart.texts("yAxis"),
        group=chart.text("group"),
        other_group_after=None if other is None else int(other),
        sort=chart.text("sort"),
        sort_descending=chart.flag("sortDirection"),
        show_legend=chart.flag("showLegend", default=True),
        show_metrics=chart.flag("showMetrics", default=True),
        show_data_points=chart.flag("showDataPoints"),
        series=tuple(_series(each) for each in chart.children("seriesLabelSettings")),
        x=_axis(chart.child("xSettings")),
        y=_axis(chart.child("ySettings")),
        threshold=chart.number("customThresholdLine"),
        threshold_style=chart.integer("customThresholdLineStyle"),
    )
    chart.done()
    return found


def _series(series: Reader) -> SeriesLabel:
    series.ignore("comment")
    found = SeriesLabel(series.text("seriesName"), series.text("label"), series.text("color"))
    series.done()
    return found


def _axis(axis: Reader | None) -> AxisSettings:
    if axis is None:
        return AxisSettings()
    axis.ignore("unit")
    found = AxisSettings(
        number_format=number_format(axis.child("numberFormatSettings")),
        date_format=date_format(axis.child("dateFormatSettings")),
        label=axis.text("label"),
        minimum=axis.number("min"),
        maximum=axis.number("max"),
    )
    axis.done()
    return found


def _place(of: Reader, key: str) -> Formatter | None:
    child = of.child(key)
    return formatter(child) if child else None


def _tiles(tiles: Reader | None) -> TileSettings:
    if tiles is None:
        return TileSettings()
    found = TileSettings(
        path=tiles.path,
        title=_place(tiles, "titleContent"),
        subtitle=_place(tiles, "subtitleContent"),
        left=_place(tiles, "leftContent"),
        secondary=_place(tiles, "secondaryContent"),
        right=_place(tiles, "rightContent"),
        show_border=tiles.flag("showBorder", default=True),
        size=tiles.text("size", "auto"),
        sort_column=tiles.text("sortCriteriaField"),
        sort_order=tiles.integer("sortOrderField"),
    )
    tiles.done()
    return found


def _graph(graph: Reader | None) -> GraphSettings:
    if graph is None:
        return GraphSettings()
    graph.ignore("nodeSizeField", "sizeSettings", "showOrientationToggles", "edgeColorSettings")
    found = GraphSettings(
        path=graph.path,
        honeycomb=graph.integer("type") == 2,  # noqa: PLR2004 - the workbook's number of a honeycomb
        top=_place(graph, "topContent"),
        center=_place(graph, "centerContent"),
        left=_place(graph, "leftContent"),
        right=_place(graph, "rightContent"),
        bottom=_place(graph, "bottomContent"),
        node_id=graph.text("nodeIdField"),
        source_id=graph.text("sourceIdField"),
        target_id=graph.text("targetIdField"),
        edge_label=graph.text("edgeLabel"),
        edge_size=graph.text("edgeSize"),
        group_by=graph.text("groupByField"),
        orientation=graph.integer("graphOrientation", 3),
        node_size=graph.number("nodeSize") or graph.number("staticNodeSize"),
        hive_margin=graph.integer("hivesMargin", 5),
        colors=_colors(graph.child("colorSettings")),
    )
    graph.done()
    return found


def _colors(colors: Reader | None) -> ColorSettings:
    if colors is None:
        return ColorSettings()
    colors.ignore("nodeColorField", "colorField", "type", "emptyValueColor", "mode")
    kind = str(colors.raw("type") or "none")
    found = ColorSettings(
        path=colors.path,
        kind=_COLOR_KINDS.get(kind, kind),
        column=colors.text("nodeColorField") or colors.text("colorField"),
        palette=colors.text("heatmapPalette"),
        minimum=colors.number("heatmapMin"),
        maximum=colors.number("heatmapMax"),
        aggregation=colors.text("colorAggregation"),
        thresholds=thresholds(colors, "thresholdsGrid"),
    )
    colors.done()
    return found


def _map(settings: Reader | None) -> MapSettings:
    if settings is None:
        return MapSettings()
    settings.ignore("defaultSize", "minSize", "maxSize", "minData", "maxData", "opacity", "numberOfMetrics")
    found = MapSettings(
        path=settings.path,
        location=settings.text("locInfo", "AzureLoc"),
        location_column=settings.text("locInfoColumn"),
        latitude=settings.text("latitude"),
        longitude=settings.text("longitude"),
        size_column=settings.text("sizeSettings"),
        size_aggregation=settings.text("sizeAggregation", "Sum"),
        label_column=settings.text("labelSettings"),
        legend_column=settings.text("legendMetric"),
        legend_aggregation=settings.text("legendAggregation", "Sum"),
        colors=_colors(settings.child("itemColorSettings")),
        number_format=number_format(settings.child("numberFormatSettings")),
    )
    settings.done()
    return found


def _stat(stat: Reader | None) -> StatSettings:
    if stat is None:
        return StatSettings()
    found = StatSettings(
        path=stat.path,
        column=stat.text("valueField"),
        aggregation=stat.text("valueAggregation"),
        title=stat.text("titleText") or stat.text("title"),
        tag=stat.text("tagText"),
        colors=_colors(stat.child("colorSettings")),
        icon=stat.mapping("iconSettings"),
        number_format=number_format(stat.child("numberFormatSettings")),
    )
    stat.ignore("titleText", "title", "valueFontStyle", "minWidth")
    stat.done()
    return found


def _text(text: Reader | None) -> TextSettings:
    if text is None:
        return TextSettings()
    found = TextSettings(text.text("style"))
    text.done()
    return found
