"""One cell of a grid, tile or node: a value by its formatter, as HTML. A formatter that is not drawn shows its text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from workbooks.model import Formatter, FormatterKind, NumberFormat
from workbooks.viz import icons, palettes, targets, thresholds
from workbooks.viz.html import Html, join, tag, text
from workbooks.viz.numbers import duration_text, format_number, format_time, number, with_unit
from workbooks.viz.sparks import spark

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbooks.viz.context import RenderContext, Row

_TAG: Final = re.compile(r"<[^>]*>")
PLAIN: Final = Formatter(path="")
_RESOURCES: Final = {
    FormatterKind.RESOURCE: -1,
    FormatterKind.RESOURCE_GROUP: 4,
    FormatterKind.SUBSCRIPTION: 2,
}
"""Where in a resource id the part stands that is shown (counted in parts between slashes)."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The lowest and highest value of a column: what bars and heatmaps are drawn against."""

    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True, slots=True)
class Cell:
    """A value to draw: its column, its row, how, and the scale of its column."""

    value: Any
    column: str
    row: Row
    formatter: Formatter
    scale: Scale
    context: RenderContext


def draw(cell: Cell) -> Html:
    """Give a cell's HTML."""
    drawer = _DRAWERS.get(cell.formatter.kind, _text)
    return _linked(cell, _with_tooltip(cell, drawer(cell)))


def shown(cell: Cell) -> tuple[str, str]:
    """Give a value as (text, unit): by its number or date format, else by its type."""
    value, how = cell.value, cell.formatter.number_format
    if value is None or value == "":
        return (how.empty_text if how else ""), ""
    if isinstance(value, datetime | date) or cell.formatter.date_format:
        return format_time(value, cell.formatter.date_format, cell.context.local), ""
    if how is not None and not (isinstance(value, timedelta) and how.unit == 0):
        return format_number(value, how)
    return _by_type(value)


def _by_type(value: Any) -> tuple[str, str]:
    if isinstance(value, timedelta):
        return duration_text(value), ""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str), ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return thresholds.as_text(value), ""
    return format_number(value, NumberFormat())


def _text(cell: Cell) -> Html:
    return text(with_unit(shown(cell)))


def _classed(name: str) -> Callable[[Cell], Html]:
    return lambda cell: tag("span", _text(cell), {"class": name})


def _big_number(cell: Cell) -> Html:
    figure, unit = shown(cell)
    hue = palettes.color_class(cell.formatter.palette)
    small = tag("small", unit) if unit else ""
    return tag("span", [figure, small], {"class": f"big {hue}".strip()})


def _bar(cell: Cell) -> Html:
    value = number(cell.value)
    if value is None:
        return _text(cell)
    low, high = _limits(cell)
    share = palettes.share_of(value, low, high) if high > low else 0.0
    hue = palettes.color_class(cell.formatter.palette) or "c-blue"
    # A meter needs no style attribute, and tells a screen reader the value and its range.
    drawn = tag("meter", with_unit(shown(cell)), {"class": f"bar {hue}", "min": 0, "max": 1, "value": f"{share:.4f}",
                                                  "aria-hidden": "true"})  # fmt: skip
    under = cell.formatter.kind is FormatterKind.BAR_UNDERNEATH
    return tag("span", [tag("span", _text(cell), {"class": "bar-text"}), drawn],
               {"class": "with-bar under" if under else "with-bar"})  # fmt: skip


def _limits(cell: Cell) -> tuple[float, float]:
    given = cell.formatter
    low = min(0.0, cell.scale.low) if given.minimum is None else given.minimum
    return low, cell.scale.high if given.maximum is None else given.maximum


def _heatmap(cell: Cell) -> Html:
    value = number(cell.value)
    if value is None:
        return _text(cell)
    low = cell.scale.low if cell.formatter.minimum is None else cell.formatter.minimum
    high = cell.scale.high if cell.formatter.maximum is None else cell.formatter.maximum
    shade = palettes.shade_class(cell.formatter.palette or "auto", value, low, high)
    return tag("span", _text(cell), {"class": f"heat {shade}".strip()})


def _spark(cell: Cell) -> Html:
    shape = {FormatterKind.SPARK_BARS: "bars", FormatterKind.SPARK_AREA: "area"}.get(cell.formatter.kind, "line")
    drawn = spark(cell.value, shape, palettes.color_class(cell.formatter.palette) or "c-blue", name=cell.column)  # type: ignore[arg-type]  # one of the three shapes
    return drawn or _text(cell)


def _icon(cell: Cell) -> Html:
    name = thresholds.as_text(cell.value)
    return icons.icon(name) if icons.is_known(name) else _text(cell)


def _resource(cell: Cell) -> Html:
    """Show the part of a resource id that its kind is about, linked to the portal."""
    value = thresholds.as_text(cell.value)
    parts = value.split("/")
    place = _RESOURCES.get(cell.formatter.kind, -1)
    name = parts[place] if value.startswith("/") and len(parts) > abs(place) else value
    url = targets.portal_url(value, cell.context)
    label = join([icons.icon("resource", label=""), " ", name]) if cell.formatter.show_icon and name else text(name)
    if not url or cell.formatter.link_target:
        return label
    return tag("a", label, {"href": url, "rel": "noopener noreferrer", "target": "_blank", "title": value})


def _threshold(cell: Cell) -> Html:
    chosen = thresholds.choose(cell.formatter.thresholds, cell.value)
    if chosen is None:
        return _text(cell)
    figure, unit = shown(cell)
    said = thresholds.said(chosen, figure, unit, cell.row)
    if cell.formatter.thresholds_as == "colors":
        hue = palettes.color_class(chosen.representation)
        return tag("span", said, {"class": f"chip {hue}".strip()})
    if not icons.is_known(chosen.representation):
        return text(said)
    return tag("span", [icons.icon(chosen.representation, label="" if said else None), " ", said],
               {"class": "with-icon"})  # fmt: skip


def _composite(cell: Cell) -> Html:
    """Draw several columns as one bar, as SVG: widths in percent need no style."""
    parts = [(part, number(cell.row.get(part.column)) or 0.0) for part in cell.formatter.composite]
    total = sum(value for _, value in parts)
    if total <= 0:
        return _text(cell)
    drawn, at = [], 0.0
    for index, (part, value) in enumerate(parts):
        hue = palettes.color_class(part.color) or f"c-{palettes.HUES[index % len(palettes.HUES)]}"
        width = 100 * value / total
        title = tag("title", f"{part.column}: {with_unit(format_number(value))}")
        drawn.append(tag("rect", title, {"class": hue, "x": f"{at:.2f}%", "width": f"{width:.2f}%", "height": "100%"}))
        at += width
    said = ", ".join(f"{part.column} {with_unit(format_number(value))}" for part, value in parts)
    label = _composite_label(cell)
    return tag("span", [tag("svg", drawn, {"class": "composite", "role": "img", "aria-label": said}), label])


def _composite_label(cell: Cell) -> Html:
    written = thresholds.with_cells(
        cell.formatter.composite_label, cell.row, lambda value: with_unit(format_number(value))
    )
    return tag("span", written, {"class": "bar-text"}) if written else Html()


def _timeline(cell: Cell) -> Html:
    began = cell.row.get(cell.formatter.timeline_start)
    ended = format_time(cell.value, cell.formatter.date_format, cell.context.local)
    return text(f"{format_time(began, cell.formatter.date_format, cell.context.local)} \N{EN DASH} {ended}")


def _with_tooltip(cell: Cell, drawn: Html) -> Html:
    if not cell.formatter.tooltip:
        return drawn
    said = thresholds.with_cells(cell.context.text(cell.formatter.tooltip), cell.row)
    return tag("span", drawn, {"title": said})


def _is_blank(drawn: Html) -> bool:
    return "<svg" not in drawn and not _TAG.sub("", drawn).strip()


def _linked(cell: Cell, drawn: Html) -> Html:
    target = targets.target_of(cell.formatter, cell.value, cell.row, cell.context)
    if target is None:
        return drawn
    label = text(cell.context.text(cell.formatter.link_label)) if cell.formatter.link_label else drawn
    if _is_blank(label):
        return label  # a link of nothing cannot be read, seen or hit
    if target.problem:
        cell.context.badge(f"{cell.formatter.path}.formatOptions.linkTarget", target.problem)
        return label
    if target.details:
        return tag("button", label, {"type": "button", "class": "details", "data-details": target.details})
    if not target.url:
        return drawn
    outside = {"rel": "noopener noreferrer", "target": "_blank"} if "://" in target.url else {}
    return tag("a", label, {"href": target.url, **outside})


_DRAWERS: Final[Mapping[FormatterKind, Callable[[Cell], Html]]] = {
    FormatterKind.AUTO: _text,
    FormatterKind.TEXT: _text,
    FormatterKind.RIGHT_ALIGNED: _classed("right"),
    FormatterKind.BAR: _bar,
    FormatterKind.BAR_UNDERNEATH: _bar,
    FormatterKind.DATE_TIME: lambda cell: text(format_time(cell.value, cell.formatter.date_format, cell.context.local)),
    FormatterKind.LINK: _text,
    FormatterKind.HEATMAP: _heatmap,
    FormatterKind.SPARK_LINE: _spark,
    FormatterKind.SPARK_BARS: _spark,
    FormatterKind.SPARK_AREA: _spark,
    FormatterKind.ICON: _icon,
    FormatterKind.BIG_NUMBER: _big_number,
    FormatterKind.RESOURCE: _resource,
    FormatterKind.RESOURCE_GROUP: _resource,
    FormatterKind.SUBSCRIPTION: _resource,
    FormatterKind.RESOURCE_TYPE: _text,
    FormatterKind.LOCATION: _text,
    FormatterKind.THRESHOLDS: _threshold,
    FormatterKind.TIMELINE: _timeline,
    FormatterKind.COMPOSITE_BAR: _composite,
}
