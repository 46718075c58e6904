"""Honeycombs: a small box for each row, coloured, in groups; shown as a list, so that it can be read out."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from workbooks.viz import palettes, thresholds
from workbooks.viz.cells import Cell, draw
from workbooks.viz.columns import scale_of
from workbooks.viz.grid import selection
from workbooks.viz.html import Html, join, tag
from workbooks.viz.numbers import number

if TYPE_CHECKING:
    from kql.engine import ResultTable
    from workbooks.model import Export, Formatter, GraphSettings
    from workbooks.viz.cells import Scale
    from workbooks.viz.context import RenderContext

MOST: Final = 500


def honeycomb(
    table: ResultTable, settings: GraphSettings, context: RenderContext, exports: tuple[Export, ...] = ()
) -> Html:
    """Draw each row as a box with the fields of a node."""
    names = [column.name for column in table.columns]
    rows = [dict(zip(names, row, strict=True)) for row in table.rows[:MOST]]
    scales = {place.column: scale_of(row.get(place.column) for row in rows) for place in settings.places}
    colors = scale_of(row.get(settings.colors.column) for row in rows)
    groups: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        fields = [_field(place, row, scales[place.column], context) for place in settings.places]
        css = f"hive {_hue(settings, row, colors)}".strip()
        label = thresholds.as_text(row.get(settings.group_by, "")) if settings.group_by else ""
        groups[label].append(tag("li", fields, {"class": css, **selection(exports, row, context)}))
    cut = f"First {MOST:,} of {len(table.rows):,}." if len(table.rows) > MOST else ""
    drawn = [
        join([tag("h4", label) if label else "", tag("ul", members, {"class": "hives"})])
        for label, members in groups.items()
    ]
    return join([*drawn, tag("p", cut, {"class": "note"}) if cut else ""])


def _field(place: Formatter, row: dict[str, Any], scale: Scale, context: RenderContext) -> Html:
    if place.column not in row:
        context.badge(f"{place.path}.columnMatch", f"the column {place.column}, which is not in the result")
        return Html()
    return tag("div", draw(Cell(row[place.column], place.column, row, place, scale, context)))


def _hue(settings: GraphSettings, row: dict[str, Any], scale: Scale) -> str:
    colors, value = settings.colors, row.get(settings.colors.column)
    chosen = thresholds.choose(colors.thresholds, value)
    if chosen is not None:
        return palettes.color_class(chosen.representation)
    figure = number(value)
    if colors.kind == "heatmap" and figure is not None:
        low = scale.low if colors.minimum is None else colors.minimum
        high = scale.high if colors.maximum is None else colors.maximum
        return palettes.shade_class(colors.palette, figure, low, high)
    return ""
