"""Tiles, cards, stats and single texts: a result's rows as boxes, each with a few formatted values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from workbooks.model import ColorSettings, Formatter, FormatterKind, NumberFormat, Sort
from workbooks.viz import icons, palettes, thresholds
from workbooks.viz.cells import Cell, draw
from workbooks.viz.columns import NUMERIC, scale_of, sorted_rows
from workbooks.viz.grid import selection
from workbooks.viz.html import Html, join, tag
from workbooks.viz.markdown import markdown
from workbooks.viz.numbers import format_number, number, with_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kql.engine import ResultTable
    from workbooks.model import Export, StatSettings, TextSettings, TileSettings
    from workbooks.viz.context import RenderContext

MOST_TILES: Final = 100
TEXT_STYLES: Final = frozenset({"", "plain", "editor", "header", "bignumber", "markdown"})
_PLACES: Final = ("title", "subtitle", "left", "secondary", "right")


def tiles(table: ResultTable, settings: TileSettings, context: RenderContext, exports: tuple[Export, ...] = ()) -> Html:
    """Draw a tile for each row, in the order of the settings."""
    order = [Sort("", settings.sort_column, ascending=settings.sort_order == 1)] if settings.sort_order else []
    ordered = sorted_rows(table, order)
    names = [column.name for column in table.columns]
    places = _places(table, settings)
    drawn = [_tile(table, dict(zip(names, row, strict=True)), places, context, exports) for row in ordered[:MOST_TILES]]
    classes = f"tiles size-{settings.size}" + (" bordered" if settings.show_border else "")
    cut = (
        tag("p", f"First {MOST_TILES} of {len(ordered):,} tiles.", {"class": "note"})
        if len(ordered) > MOST_TILES
        else ""
    )
    return join([tag("ul", drawn, {"class": classes}), cut])


def _places(table: ResultTable, settings: TileSettings) -> dict[str, Formatter]:
    """Give the fields of a tile; without settings the first text is the title and the first number the value."""
    given = {name: place for name in _PLACES if (place := getattr(settings, name)) is not None}
    if given:
        return given
    texts = [column.name for column in table.columns if column.type not in NUMERIC]
    numbers = [column.name for column in table.columns if column.type in NUMERIC]
    chosen = {}
    if texts:
        chosen["title"] = Formatter(path="", column=texts[0])
    if numbers:
        chosen["left"] = Formatter(path="", column=numbers[0], kind=FormatterKind.BIG_NUMBER)
    return chosen


def _tile(
    table: ResultTable,
    row: dict[str, Any],
    places: dict[str, Formatter],
    context: RenderContext,
    exports: Sequence[Export],
) -> Html:
    fields = [
        tag("div", _value(table, row, formatter, context), {"class": f"tile-{name}"})
        for name, formatter in places.items()
    ]
    return tag("li", fields, {"class": "tile", **selection(exports, row, context)})


def _value(table: ResultTable, row: dict[str, Any], formatter: Formatter, context: RenderContext) -> Html:
    if formatter.column not in row:
        context.badge(f"{formatter.path}.columnMatch", f"the column {formatter.column}, which is not in the result")
        return Html()
    scale = scale_of(table.values(formatter.column))
    return draw(Cell(row[formatter.column], formatter.column, row, formatter, scale, context))


def stat(table: ResultTable, settings: StatSettings, context: RenderContext) -> Html:
    """Draw one number: a column of the result, aggregated over its rows."""
    numeric = [column.name for column in table.columns if column.type in NUMERIC]
    column = settings.column if settings.column in {c.name for c in table.columns} else next(iter(numeric), "")
    if not column:
        context.badge(settings.path, "a stat of a result without numbers")
        return Html()
    values = [value for item in table.values(column) if (value := number(item)) is not None]
    figure = aggregate(values, settings.aggregation)
    hue = _hue(settings.colors, figure)
    shown = with_unit(format_number(figure, settings.number_format or NumberFormat(unit=17)))
    named = str(settings.icon.get("iconName") or settings.icon.get("icon") or "")
    drawn = icons.icon(named, label="") if named and icons.is_known(named) else ""
    title = tag("div", settings.title or column, {"class": "tile-title"})
    return tag("div", [title, tag("span", [drawn, shown], {"class": f"big {hue}".strip()}),
                       tag("div", settings.tag, {"class": "tile-subtitle"})], {"class": "tile stat"})  # fmt: skip


def aggregate(values: Sequence[float], how: str) -> float | None:
    """Add up values as a stat says: Sum, Average, Min, Max, Count, or First (any other word). None without values."""
    if not values:
        return None
    name = how.lower()
    if name in {"sum", "total"}:
        return sum(values)
    if name in {"average", "avg"}:
        return sum(values) / len(values)
    simple = {"min": min(values), "minimum": min(values), "max": max(values), "maximum": max(values)}
    return float(len(values)) if name == "count" else simple.get(name, values[0])


def _hue(colors: ColorSettings, value: float | None) -> str:
    chosen = thresholds.choose(colors.thresholds, value)
    if chosen is not None:
        return palettes.color_class(chosen.representation)
    if colors.kind == "heatmap" and value is not None:
        return palettes.shade_class(colors.palette, value, colors.minimum or 0.0, colors.maximum or 1.0)
    return ""


def single_text(table: ResultTable, settings: TextSettings) -> Html:
    """Draw the first cell as a heading, a big number, Markdown, or plain text that keeps its lines."""
    value = thresholds.as_text(table.rows[0][0]) if table.rows and table.columns else ""
    if settings.style == "markdown":
        return markdown(value)
    if settings.style == "header":
        return tag("h3", value)
    if settings.style == "bignumber":
        shown = with_unit(format_number(value)) if number(value) is not None else value
        return tag("div", shown, {"class": "big"})
    return tag("pre", value, {"class": "editor"})
