"""What this renderer does not draw, or not as the portal does, read from its own tables: the page shows it as badges.

`drift workbook check` lists the same findings, so what it says and what the page shows cannot differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbooks.model import (
    Finding,
    FormatterKind,
    GroupItem,
    LinksItem,
    ParameterKind,
    ParametersItem,
    QueryItem,
    Severity,
)
from workbooks.viz import charts, icons, links, numbers, palettes, targets, thresholds, tiles
from workbooks.viz.visual import DRAWN, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from workbooks.model import ColorSettings, Formatter, Item, NumberFormat, Threshold

SELECTABLE: Final = frozenset({"", "table", "grid", "tiles", "graph", *charts.KINDS})
"""The visualizations in which something can be chosen."""


def not_drawn(item: Item) -> list[Finding]:
    """Give what of an item is not drawn; nothing inside a group but the group itself."""
    found = list(_style(item))
    if isinstance(item, QueryItem):
        found += _query(item)
    elif isinstance(item, LinksItem):
        found += _links(item)
    elif isinstance(item, ParametersItem):
        found += [
            _not(one.path, "a parameter of an unknown type") for one in item.parameters if not _is_known(one.kind)
        ]
    elif isinstance(item, GroupItem) and item.template and item.items:
        found.append(_not(item.path, f"the template {item.template} (its own items are shown)"))
    return list(dict.fromkeys(found))


def _is_known(kind: ParameterKind) -> bool:
    return kind is not ParameterKind.UNKNOWN


def _not(path: str, what: str) -> Finding:
    return Finding(path, "not-rendered", what, Severity.INFO)


def _style(item: Item) -> Iterator[Finding]:
    given = [name for name in ("margin", "padding", "max_width") if getattr(item.style, name)]
    if given:
        yield _not(f"{item.path}.styleSettings", f"{' and '.join(given).replace('_', ' ')} of the box")


def _query(item: QueryItem) -> Iterator[Finding]:
    kind, content = kind_of(item, item.query), f"{item.path}.content"
    if kind not in DRAWN or (kind == "graph" and not item.visuals.graph.honeycomb):
        yield _not(f"{content}.visualization", f"the {kind}: it is shown as a table")
        kind = "table"
    if item.exports and kind not in SELECTABLE:
        yield _not(f"{content}.exportedParameters", f"a selection in a {kind}")
    if item.brush and kind not in charts.OVER_TIME:
        yield _not(f"{content}.timeBrushParameterName", f"a time brush in a {kind}")
    yield from _visual(item, kind)


def _visual(item: QueryItem, kind: str) -> Iterator[Finding]:
    """Look at the settings that the item's visualization uses; the others mean nothing."""
    visuals = item.visuals
    if kind in charts.KINDS:
        yield from _chart(item)
    elif kind == "tiles":
        yield from _formatters(visuals.tiles.places)
    elif kind == "graph":
        yield from _formatters(visuals.graph.places)
        yield from _colors(visuals.graph.colors)
    elif kind == "stat":
        yield from _colors(visuals.stat.colors)
        yield from _number(f"{visuals.stat.path}.numberFormatSettings", visuals.stat.number_format)
    elif kind in {"card", "text"}:
        if visuals.text.style not in tiles.TEXT_STYLES:
            yield _not(f"{item.path}.content.textSettings.style", f"the text style {visuals.text.style}")
    else:
        yield from _formatters(visuals.grid.formatters)


def _chart(item: QueryItem) -> Iterator[Finding]:
    settings = item.visuals.chart
    for index, one in enumerate(settings.series):
        if one.color and not palettes.color_class(one.color):
            yield _not(f"{settings.path}.seriesLabelSettings[{index}].color", f"the colour {one.color}")
    yield from _number(f"{settings.path}.ySettings.numberFormatSettings", settings.y.number_format)
    if settings.sort:
        yield _not(f"{settings.path}.sort", "the order of a chart's values: they stand as the query gives them")


def _formatters(places: Iterable[Formatter]) -> Iterator[Finding]:
    for place in places:
        if place.kind is FormatterKind.UNKNOWN:
            yield _not(f"{place.path}.formatter", f"formatter {place.kind_id}: the value is shown as it is")
        if place.link_target.lower() not in targets.KNOWN:
            yield _not(f"{place.path}.formatOptions.linkTarget", f"a link to {place.link_target}")
        if not palettes.is_known(place.palette) and not palettes.color_class(place.palette):
            yield _not(f"{place.path}.formatOptions.palette", f"the palette {place.palette}")
        if place.date_format and place.date_format.name and place.date_format.name not in numbers.KNOWN_DATES:
            yield _not(f"{place.path}.dateFormat.formatName", f"the date format {place.date_format.name}")
        yield from _number(f"{place.path}.numberFormat", place.number_format)
        if place.kind is FormatterKind.THRESHOLDS:
            yield from _thresholds(place.thresholds, as_icons=place.thresholds_as == "icons")


def _number(path: str, how: NumberFormat | None) -> Iterator[Finding]:
    if how is not None and how.unit not in numbers.KNOWN_UNITS:
        yield _not(f"{path}.unit", f"unit {how.unit}: the number is shown without one")


def _thresholds(grid: Iterable[Threshold], *, as_icons: bool) -> Iterator[Finding]:
    for one in grid:
        if one.operator.strip().lower() not in thresholds.OPERATORS:
            yield _not(f"{one.path}.operator", f"the comparison {one.operator}: it never holds")
        known = icons.is_known(one.representation) if as_icons else bool(palettes.color_class(one.representation))
        if one.representation and not known:
            yield _not(f"{one.path}.representation", f"the {'icon' if as_icons else 'colour'} {one.representation}")


def _colors(colors: ColorSettings) -> Iterator[Finding]:
    yield from _thresholds(colors.thresholds, as_icons=False)
    if not palettes.is_known(colors.palette):
        yield _not(f"{colors.path}.heatmapPalette", f"the palette {colors.palette}")


def _links(item: LinksItem) -> Iterator[Finding]:
    if item.layout not in links.LAYOUTS:
        yield _not(f"{item.path}.content.style", f"the style {item.layout}: the links stand side by side")
    for link in item.links:
        if link.target.lower() not in links.KNOWN:
            yield _not(f"{link.path}.linkTarget", f"a link to {link.target}")
        if link.icon and not icons.is_known(link.icon):
            yield _not(f"{link.path}.icon", f"the icon {link.icon}")
