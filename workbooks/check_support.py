"""What this project's renderer does not draw of an item: each is a badge on the page and a line of the check."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from workbooks.model import (
    Finding,
    GroupItem,
    Item,
    MetricsItem,
    QueryItem,
    QueryType,
    Severity,
    UnknownItem,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

Supported = Callable[[Item], "Iterable[Finding]"]
"""Gives what a renderer does not draw of one item (not of those inside a group): nothing where it draws all of it."""

_ANSWERED = {QueryType.LOGS, QueryType.JSON}


def supported(item: Item) -> list[Finding]:
    """Tell what no answer can be got for here, whatever draws it."""
    if isinstance(item, UnknownItem):
        return [_not(item, f"the item ({item.kind})")]
    if isinstance(item, MetricsItem):
        return [_not(item, "platform metrics")]
    if isinstance(item, GroupItem) and item.template and not item.items:
        return [_not(item, f"the portal's template {item.template}")]
    if isinstance(item, QueryItem) and item.query_type not in _ANSWERED:
        kind = item.query_type.name.lower().replace("_", " ")
        return [_not(item, f"a query of type {kind}")]
    return []


def _not(item: Item, what: str) -> Finding:
    return Finding(item.path, "not-rendered", what, Severity.INFO)
