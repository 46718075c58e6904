"""Every column that a workbook names must be one that its query gives."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from workbooks.model import Finding, QueryItem, Severity
from workbooks.substitute import REFERENCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workbooks.model import Formatter, Item

_GENERATED: Final = re.compile(r"\$gen_[a-zA-Z]+_(.+)_\d+")
_IN_TEXT: Final = re.compile(r"\[\"([^\"]+)\"\]")


def missing_columns(item: Item, columns: Sequence[str]) -> list[Finding]:
    """Tell every column that an item's settings name and that its result, which has `columns`, does not have."""
    if not isinstance(item, QueryItem):
        return []
    known = set(columns)
    found = []
    for path, name, what in _named(item):
        generated = _GENERATED.fullmatch(name)
        plain = generated[1] if generated else name
        if plain and plain not in known and not plain.startswith("$gen_") and not REFERENCE.search(plain):
            found.append(_missing(path, what, plain, columns))
    for formatter in item.visuals.grid.formatters if _is_grid(item) else ():
        problem = _unmatched(formatter, columns)
        if problem:
            found.append(problem)
    return found


def _is_grid(item: QueryItem) -> bool:
    return item.visualization in {"", "table"}


def _unmatched(formatter: Formatter, columns: Sequence[str]) -> Finding | None:
    """Tell a grid's formatter whose regular expression matches no column."""
    pattern = formatter.column
    if not pattern or pattern in columns or pattern.startswith("$gen_") or REFERENCE.search(pattern):
        return None
    try:
        matches = any(re.search(pattern, column) for column in columns)
    except re.error as error:
        return Finding(
            formatter.path, "bad-regex", f"columnMatch {pattern!r} is no regular expression: {error}", Severity.ERROR
        )
    return None if matches else _missing(formatter.path, "a formatter", pattern, columns)


def _missing(path: str, what: str, name: str, columns: Sequence[str]) -> Finding:
    shown = ", ".join(columns) or "none"
    return Finding(path, "no-column", f"{what} names the column {name!r}; the query gives {shown}", Severity.ERROR)


def _named(item: QueryItem) -> Iterator[tuple[str, str, str]]:
    """Give (path, column, what names it) for everything that names one column."""
    for export in item.exports:
        if export.column not in {"", "series", "x", "y", "label", "value"} or _is_grid(item):
            yield export.path, export.column, "an export"
    drawn = item.visualization
    if _is_grid(item):
        yield from _grid_names(item)
    elif drawn in {"tiles", "card"}:
        yield from _place_names(item.visuals.tiles.places)
        yield item.visuals.tiles.path, item.visuals.tiles.sort_column, "the sort field"
    elif drawn == "graph":
        yield from _graph_names(item)
    elif drawn == "stat":
        yield item.visuals.stat.path, item.visuals.stat.column, "the value field"
    elif drawn == "map":
        settings = item.visuals.map
        for name in (settings.location_column, settings.latitude, settings.longitude, settings.size_column):
            yield settings.path, name, "the map"
    else:
        yield from _chart_names(item)


def _grid_names(item: QueryItem) -> Iterator[tuple[str, str, str]]:
    grid = item.visuals.grid
    for sort in grid.sort_by:
        yield sort.path, sort.column, "a sort key"
    for name, _, _ in grid.labels:
        yield f"{item.path}.content.gridSettings.labelSettings", name, "a label"
    if grid.hierarchy:
        tree = grid.hierarchy
        for name in (*tree.group_by, tree.final_by, tree.id_column, tree.parent_column, tree.expander_column):
            yield tree.path, name, "the tree"
    for formatter in grid.formatters:
        yield from _formatter_names(formatter)


def _formatter_names(formatter: Formatter) -> Iterator[tuple[str, str, str]]:
    yield formatter.path, formatter.link_column, "a link"
    yield formatter.path, formatter.timeline_start, "a timeline"
    for part in formatter.composite:
        yield formatter.path, part.column, "a composite bar"
    for threshold in formatter.thresholds:
        for name in _IN_TEXT.findall(threshold.text):
            yield threshold.path, name, "a threshold's text"
    for name in _IN_TEXT.findall(formatter.tooltip or ""):
        yield formatter.path, name, "a tooltip"


def _place_names(places: Sequence[Formatter]) -> Iterator[tuple[str, str, str]]:
    for place in places:
        yield place.path, place.column, "a field"
        yield from _formatter_names(place)


def _graph_names(item: QueryItem) -> Iterator[tuple[str, str, str]]:
    graph = item.visuals.graph
    yield from _place_names(graph.places)
    for name in (
        graph.node_id,
        graph.source_id,
        graph.target_id,
        graph.group_by,
        graph.edge_label,
        graph.colors.column,
    ):
        yield graph.path, name, "the graph"


def _chart_names(item: QueryItem) -> Iterator[tuple[str, str, str]]:
    chart = item.visuals.chart
    yield chart.path, chart.x_axis, "the x axis"
    for name in chart.y_axis:
        yield chart.path, name, "the y axis"
    yield chart.path, chart.group, "the series"
    yield chart.path, chart.sort, "the sort"
