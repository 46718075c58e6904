"""A result as a table: formatted cells, captions, order, a filter box, pages, and rows in a tree."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from workbooks.viz.cells import Cell, draw
from workbooks.viz.columns import Column, columns_of, sort_key, sorted_rows
from workbooks.viz.html import Attribute, Html, join, tag, void
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
    drawn = Grid(name, tuple(columns_of(table, settings)), exports, context)
    limit = min(settings.row_limit or MOST_ROWS, MOST_ROWS)
    ordered = sorted_rows(table, settings.sort_by)
    rows = ordered[:limit]
    nodes = tree_of(rows, drawn.columns, settings.hierarchy) if settings.hierarchy else [Node(row) for row in rows]
    body = join(_rows(drawn, nodes, 1, shown=True))
    attributes: dict[str, Attribute] = {
        "class": "grid",
        "data-page": PAGE,
        "data-selectable": bool(exports),
        "aria-rowcount": len(rows),
    }
    head = tag("thead", tag("tr", [_head(column) for column in drawn.visible]))
    role: dict[str, Attribute] = {"role": "treegrid"} if settings.hierarchy else {}
    caption = tag("caption", name, {"class": "visually-hidden"})
    whole = tag("table", [caption, head, tag("tbody", body)], {**attributes, **role})
    return join([_filter(settings, name), tag("div", whole, {"class": "grid-scroll", "tabindex": "0"}),
                 _cut(len(ordered), len(rows), table.truncated_at)])  # fmt: skip


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


def _head(column: Column) -> Html:
    button = tag("button", column.caption, {"type": "button", "class": "sort"})
    attributes = {"scope": "col", "aria-sort": "none", "title": column.comment or None, "class": _class(column)}
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
    attributes = {**_tree_attributes(node, level, shown), **selection(drawn.exports, row)}
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


def selection(exports: Sequence[Export], row: Mapping[str, Any]) -> dict[str, str | bool]:
    """Say what a click on the row sets; the server reads the value again from the result, never from the page."""
    if not exports:
        return {}
    values = {one.parameter: exported(one, row) for one in exports}
    return {"tabindex": "0", "class": "selectable", "data-export": json.dumps(values, ensure_ascii=False)}


def exported(export: Export, row: Mapping[str, Any]) -> str:
    """Give what a selected row sets a parameter to: one cell as text, or the whole row as JSON."""
    if not export.column:
        return json.dumps(dict(row), ensure_ascii=False, default=str)
    value = row.get(export.column)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return "" if value is None else value.isoformat() if hasattr(value, "isoformat") else str(value)
