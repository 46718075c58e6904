"""A query's result as the item's visualization: the way from a word in the workbook to what draws it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from workbooks.viz import charts, honeycomb, tiles
from workbooks.viz.grid import grid
from workbooks.viz.html import Attribute, Html, join, tag
from workbooks.viz.markdown import markdown
from workbooks.viz.series import axes_of

if TYPE_CHECKING:
    from kql.engine import ResultTable
    from workbooks.model import QueryItem
    from workbooks.viz.context import RenderContext

_RENDER: Final = re.compile(r"\|\s*render\s+(\w+)", re.IGNORECASE)
_TABLES: Final = frozenset({"", "table", "grid"})
_CARDS: Final = frozenset({"stat"})
_TILES: Final = frozenset({"tiles"})
_TEXTS: Final = frozenset({"card", "text", "textsettings"})
DRAWN: Final = frozenset({*_TABLES, *_CARDS, *_TILES, *_TEXTS, *charts.KINDS, "graph"})
_TONES: Final = {2: "warning", 3: "success", 4: "info", 1: "error"}
NO_DATA: Final = "The query returned no rows."


@dataclass(frozen=True, slots=True)
class Visual:
    """What is shown of a result: HTML, and the figure that the script draws into its `.plot` element (or None)."""

    html: Html
    figure: dict[str, Any] | None = None


def kind_of(item: QueryItem, query: str) -> str:
    """Give the visualization of an item: its own word, else the query's `render`, else a table."""
    if item.visualization:
        return item.visualization
    found = _RENDER.search(query)
    word = found[1].lower() if found else ""
    return word if word in DRAWN else "table"


def visual(item: QueryItem, table: ResultTable, context: RenderContext, query: str = "") -> Visual:
    """Draw a result. `query` is the text that was run, for its `render`."""
    if not table.rows:
        return Visual(no_data(item, context))
    kind = kind_of(item, query)
    name = context.text(item.title) or item.name or "Result"
    if kind in charts.KINDS:
        return _chart(item, table, kind, name, context)
    boxes = _boxes(item, table, context, kind)
    if boxes is not None:
        return Visual(boxes)
    return Visual(grid(table, item.visuals.grid, context, name=name, exports=item.exports))


def _boxes(item: QueryItem, table: ResultTable, context: RenderContext, kind: str) -> Html | None:
    if kind in _TILES:
        return tiles.tiles(table, item.visuals.tiles, context, item.exports)
    if kind in _CARDS:
        return tiles.stat(table, item.visuals.stat, context)
    if kind in _TEXTS:
        return tiles.single_text(table, item.visuals.text)
    if kind == "graph" and item.visuals.graph.honeycomb:
        return honeycomb.honeycomb(table, item.visuals.graph, context, item.exports)
    return None


def _chart(item: QueryItem, table: ResultTable, kind: str, name: str, context: RenderContext) -> Visual:
    found = charts.chart(table, kind, item.visuals.chart, context.time)
    if found is None:
        text = f"A {kind} needs a column for its x axis and a number; the result has {_named(table)}."
        return Visual(tag("p", text, {"class": "note warning"}))
    attributes: dict[str, Attribute] = {"class": f"plot size-{item.size.name.lower()}", "role": "img",
                                        "aria-label": f"{name}: {kind}. {found.said}"}  # fmt: skip
    if context.export_url is not None:
        attributes |= _choices(item, table, context)
    plot = tag("div", None, attributes)
    return Visual(join([plot, *(tag("p", note, {"class": "note"}) for note in found.notes)]), found.figure)


def _choices(item: QueryItem, table: ResultTable, context: RenderContext) -> dict[str, Attribute]:
    """Say what a dragged range and a click on a point set: of a point, its x, its y or its series, by column."""
    found: dict[str, Attribute] = {}
    if item.brush:
        found["data-brush"] = context.key(item.brush.parameter)
    axes = axes_of(table, item.visuals.chart)
    if item.exports and axes:
        of_column = {axes.x: "x", axes.split: "series", **dict.fromkeys(axes.ys, "y")}
        parts = {context.key(one.parameter): of_column.get(one.column, one.column) for one in item.exports}
        found["data-point-export"] = json.dumps(parts)
    return found


def _named(table: ResultTable) -> str:
    return ", ".join(f"{column.name} ({column.type})" for column in table.columns) or "no columns"


def no_data(item: QueryItem, context: RenderContext) -> Html:
    """Say that there is nothing, in the author's words and tone where there are some."""
    tone = _TONES.get(int(item.no_data_tone), "") if item.no_data_tone.isdigit() else item.no_data_tone
    message = markdown(context.text(item.no_data_message)) if item.no_data_message else tag("p", NO_DATA)
    return tag("div", message, {"class": f"no-data {tone}".strip()})
