"""Rows in a tree: grouped by columns, or each under the row that is its parent."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbooks.viz.thresholds import as_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbooks.model import HierarchySettings
    from workbooks.viz.columns import Column

Values = tuple[Any, ...]


@dataclass(slots=True)
class Node:
    """A row, or a group of rows (`row` None) with its label; `count` is the rows below."""

    row: Values | None
    label: str = ""
    children: list[Node] = field(default_factory=list)
    is_open: bool = False

    @property
    def count(self) -> int:
        """How many rows are below."""
        return sum(child.count + (child.row is not None) for child in self.children)


def tree_of(rows: Sequence[Values], columns: Sequence[Column], how: HierarchySettings) -> list[Node]:
    """Arrange rows as the settings say; columns that are not there arrange nothing."""
    places = {column.name: column.index for column in columns}
    if how.tree == 0 and how.id_column in places and how.parent_column in places:
        found = _by_parent(rows, places[how.id_column], places[how.parent_column])
    else:
        found = _by_columns(rows, [places[name] for name in how.group_by if name in places])
    for node in found:
        node.is_open = how.expand_top_level
    return found


def _by_columns(rows: Sequence[Values], places: Sequence[int]) -> list[Node]:
    if not places:
        return [Node(row) for row in rows]
    groups: dict[str, list[Values]] = defaultdict(list)
    for row in rows:
        groups[as_text(row[places[0]])].append(row)
    return [Node(None, label or "(empty)", _by_columns(members, places[1:])) for label, members in groups.items()]


def _by_parent(rows: Sequence[Values], own: int, parent: int) -> list[Node]:
    """Put each row under its parent; who has none, or is its own ancestor, stands at the top."""
    nodes = [Node(row) for row in rows]
    by_id = {as_text(node.row[own]): node for node in nodes if node.row is not None}
    top: list[Node] = []
    for node in nodes:
        above = by_id.get(as_text(node.row[parent])) if node.row is not None else None
        if above is None or _is_below(above, node):
            top.append(node)
        else:
            above.children.append(node)
    return top


def _is_below(node: Node, ancestor: Node) -> bool:
    """Tell whether `node` is `ancestor` or somewhere below it."""
    waiting = [ancestor]
    while waiting:
        here = waiting.pop()
        if here is node:
            return True
        waiting.extend(here.children)
    return False
