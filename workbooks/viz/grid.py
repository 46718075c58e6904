"""A result as a table: formatted cells, captions, order, a filter box, pages, and rows in a tree."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from workbooks.viz.cells import Cell, draw
from workbooks.viz.columns import Column, columns_of, sort_key, sorted_column, sorted_rows
from workbooks.viz.html import Attribute, Html, join, tag, void
from workbooks.viz.thresholds import as_text
from workbooks.viz.tree import Node, tree_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kql.engine import ResultTable
    from workbooks.model import Export, GridSettings
    from workbooks.viz.context import RenderContext, Row

PAGE: Final = 50
"""Rows that are shown at once; the rest is a page further."""
MOST_ROWS: Final = 10_000
"""Azure's limit for rowLimit."""
_WIDTH: Final = re.compile(r"\d{1,4}(\.\d{1,2})?(px|ch|em|rem|%|fr)")


@dataclass(frozen=True, slots=True)
class Grid:
    """What one grid is drawn from."""

    name: str
    columns: tuple[Column, ...]
    exports: tuple[Export, ...]
    context: RenderContext

    @property
    def visible(self) -> list[Column]:
        """The columns that are shown."""
        return [column for column in self.columns if not column.is_hidden]

    def row(self, values: Sequence[Any]) -> Row:
        """Give a row by column name."""
        return {column.name: values[column.index] for column in self.columns}


def grid(
    table: ResultTable, settings: GridSettings, context: RenderContext, *, name: str, exports: tuple[Export, ...] = ()
) -> Html:
    """Draw a result as a table. `name` is what a screen reader calls it; a click on a row sets the `exports`."""
    exports = exports if context.export_url is not None else ()
    drawn = Grid(name, tuple(columns_of(table, settings)), exports, context)
    limit = min(settings.row_limit or MOST_ROWS, MOST_ROWS)
    ordered = sorted_rows(table, settings.sort_by)
    rows = ordered[:limit]
    nodes = tree_of(rows, drawn.columns, settings.hierarchy) if settings.hierarchy else [Node(row) for row in rows]
    body = join(_rows(drawn, nodes, 1, shown=True))
    attributes: dict[str, Attribute] = {
        "class": "grid",
        "data-page": PAGE,
        # A row that can be chosen is one of a grid: a table's rows are not chosen.
        "role": "treegrid" if settings.hierarchy else "grid" if exports else None,
    }
    order = sorting(drawn.columns, settings)
    head = tag("thead", tag("tr", [_head(column, order) for column in drawn.visible]))
    caption = tag("caption", name, {"class": "visually-hidden"})
    whole = tag("table", [caption, head, tag("tbody", body)], attributes)
    region: dict[str, Attribute] = {"class": "grid-scroll", "tabindex": "0", "role": "region", "aria-label": name}
    return join([_filter(settings, name), tag("div", whole, region), _cut(len(ordered), len(rows), table.truncated_at)])


def _filter(settings: GridSettings, name: str) -> Html:
    if not settings.filter:
        return Html()
    box = {
        "type": "search",
        "class": "grid-filter",
        "placeholder": "Filter rows",
        "aria-label": f"Filter rows of {name}",
    }
    return void("input", box)


def _cut(total: int, shown: int, truncated_at: int | None) -> Html:
    if truncated_at is not None:
        return tag("p", f"The result was cut at {truncated_at:,} rows.", {"class": "note warning"})
    return tag("p", f"First {shown:,} of {total:,} rows.", {"class": "note"}) if shown < total else Html()


def sorting(columns: Sequence[Column], settings: GridSettings) -> dict[str, str]:
    """Give the column that the rows are sorted by first, and how, as a header says it."""
    known = {column.name for column in columns}
    first = next((sort for sort in settings.sort_by if sorted_column(sort) in known), None)
    return {sorted_column(first): "ascending" if first.ascending else "descending"} if first else {}


def _head(column: Column, order: Mapping[str, str]) -> Html:
    button = tag("button", column.caption, {"type": "button", "class": "sort"})
    width = column.formatter.width if _WIDTH.fullmatch(column.formatter.width) else None
    attributes: dict[str, Attribute] = {"scope": "col", "aria-sort": order.get(column.name, "none"),
                                        "title": column.comment or None, "class": _class(column),
                                        "data-width": width}  # fmt: skip
    return tag("th", button, attributes)


def _class(column: Column) -> str | None:
    return "number" if column.is_number else None


def _rows(drawn: Grid, nodes: Sequence[Node], level: int, *, shown: bool) -> list[str]:
    found: list[str] = []
    for node in nodes:
        found.append(_group(drawn, node, level, shown) if node.row is None else _row(drawn, node, level, shown))
        found += _rows(drawn, node.children, level + 1, shown=shown and node.is_open)
    return found


def _row(drawn: Grid, node: Node, level: int, shown: bool) -> Html:
    row = drawn.row(node.row or ())
    cells = [
        _cell(drawn, column, row, twist=_twist(node) if not index else Html())
        for index, column in enumerate(drawn.visible)
    ]
    attributes = {**_tree_attributes(node, level, shown), **selection(drawn.exports, row, drawn.context)}
    if "aria-current" in attributes:
        attributes["aria-selected"] = str(attributes.pop("aria-current"))
    return tag("tr", cells, attributes)


def _group(drawn: Grid, node: Node, level: int, shown: bool) -> Html:
    label = tag(
        "th", [_twist(node), f"{node.label} ({node.count:,})"], {"scope": "rowgroup", "colspan": len(drawn.visible)}
    )
    return tag("tr", label, {"class": "group-row", **_tree_attributes(node, level, shown)})


def _twist(node: Node) -> Html:
    if not node.children:
        return Html()
    said = {
        "type": "button",
        "class": "twist",
        "aria-expanded": str(node.is_open).lower(),
        "aria-label": "expand or collapse",
    }
    return tag("button", "", said)


def _tree_attributes(node: Node, level: int, shown: bool) -> dict[str, str | int | bool]:
    if level == 1 and not node.children and node.row is not None:
        return {}
    attributes: dict[str, str | int | bool] = {"aria-level": level, "data-level": level, "hidden": not shown}
    if node.children:
        attributes["aria-expanded"] = str(node.is_open).lower()
    return attributes


def _cell(drawn: Grid, column: Column, row: Row, twist: Html) -> Html:
    value = row[column.name]
    html = draw(Cell(value, column.name, row, column.formatter, column.scale, drawn.context))
    kind, figure, words = sort_key(value)
    key = "" if value is None else words if kind else f"{figure:.6f}"
    return tag("td", [twist, html], {"class": _class(column), "data-sort": key})


def selection(exports: Sequence[Export], row: Mapping[str, Any], context: RenderContext) -> dict[str, str | int | bool]:
    """Say what choosing a row sets, by key. Nothing on a page that cannot be changed.

    The values come back in the address, as anybody can write one: the server never trusts them.
    """
    if not exports or context.export_url is None:
        return {}
    values = {context.key(one.parameter): exported(one, row) for one in exports}
    is_chosen = all(value in context.chosen.get(key, ()) for key, value in values.items())
    found: dict[str, str | int | bool] = {
        "tabindex": "0",
        "data-export": json.dumps(values, ensure_ascii=False),
        "aria-current": str(is_chosen).lower(),
    }
    return {**found, "data-multiple": True} if any(one.multiple for one in exports) else found


def exported(export: Export, row: Mapping[str, Any]) -> str:
    """Give what a selected row sets a parameter to: one cell as text, or the whole row as JSON."""
    if not export.column:
        return json.dumps(dict(row), ensure_ascii=False, default=as_text)
    value = row.get(export.column)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=as_text)
    return as_text(value)
