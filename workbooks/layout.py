"""A workbook laid out: its items in reading order, the groups around each, what each depends on, and what is loaded.

Worked out once for a workbook; a page then asks here what belongs where.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from workbooks.model import GroupItem, walk
from workbooks.resolve_scope import Declarations, declarations
from workbooks.substitute import references

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from workbooks.model import Item, Workbook
    from workbooks.resolve import State


@dataclass(frozen=True, slots=True)
class Layout:
    """`items` holds groups too. By an item's path: the `groups` around it, outermost first, and the `names` it needs.

    Those are the parameters for whose values it may be drawn differently, its groups' conditions among them.
    """

    workbook: Workbook
    declared: Declarations
    items: tuple[Item, ...]
    groups: Mapping[str, tuple[GroupItem, ...]]
    names: Mapping[str, frozenset[str]]

    def find(self, anchor: str) -> Item | None:
        """Give the item in the place of this id."""
        return next((item for item in self.items if anchor_of(item.path) == anchor), None)


def anchor_of(path: str) -> str:
    """Give the id of an item's place on the page: the same for the same workbook."""
    return f"i-{blake2b(path.encode(), digest_size=6).hexdigest()}"


def layout_of(workbook: Workbook) -> Layout:
    """Lay a workbook out."""
    items = tuple(walk(workbook.items))
    groups = dict(_groups(workbook.items, ()))
    names = {}
    for item in items:
        conditions = {one.parameter.strip("{}") for each in (*groups[item.path], item) for one in each.conditions}
        names[item.path] = frozenset(conditions | _named(item))
    return Layout(workbook, declarations(workbook), items, groups, names)


def _groups(items: tuple[Item, ...], around: tuple[GroupItem, ...]) -> Iterator[tuple[str, tuple[GroupItem, ...]]]:
    for item in items:
        yield item.path, around
        if isinstance(item, GroupItem):
            yield from _groups(item.items, (*around, item))


def _named(item: Item) -> set[str]:
    content = item.raw.get("content")
    if isinstance(item, GroupItem):
        return {each.name for each in references(item.title)}
    texts = list(_texts(content))
    named = {each.name for text in texts for each in references(text)}
    # A name may also stand alone: `timeContextFromParameter`, `parameterName`, the parameter of a tab.
    return named | set(texts)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def is_loaded(group: GroupItem, opened: frozenset[str]) -> bool:
    """Say whether a group's items are asked for. `opened` are the ids of the places that the reader opened.

    A group that loads at a click waits for it, and so does one that is folded and loads when it is seen.
    """
    if anchor_of(group.path) in opened or group.load == "always":
        return True
    return group.load == "lazy" and (not group.expandable or group.expanded)


def loaded(layout: Layout, opened: frozenset[str]) -> tuple[Item, ...]:
    """Give the items that are drawn: not those inside a group that is not loaded, but the group itself."""
    return tuple(item for item in layout.items if all(is_loaded(group, opened) for group in layout.groups[item.path]))


def pending_names(state: State, layout: Layout) -> frozenset[str]:
    """Give the names whose value may still change when the outstanding answers come."""
    pending = {
        each.declaration.name for each in state.parameters.values() if each.request is not None or each.waits_for
    }
    while True:
        # What a selection or a tab starts with may name a parameter.
        further = {
            each.name
            for each in state.declarations.all
            if each.kind != "parameter" and each.name not in pending and layout.names[each.owner.path] & pending
        }
        if not further or not pending:
            return frozenset(pending)
        pending |= further
