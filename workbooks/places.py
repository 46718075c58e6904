"""The places of a workbook's items: empty for a page that is filled later, or filled for one that stands still."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbooks.layout import anchor_of, is_loaded
from workbooks.model import GroupItem, LinksItem, ParametersItem, QueryItem, TextItem
from workbooks.viz.html import Html, join, tag

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbooks.fragments import Fragment
    from workbooks.model import Item, Workbook

_BARE = (TextItem, ParametersItem, LinksItem, GroupItem)


def is_boxes(item: Item) -> bool:
    """Tell whether an item is nothing but boxes: one more around them would say nothing."""
    return isinstance(item, QueryItem) and item.visualization == "tiles" and not item.title


def is_bare(item: Item) -> bool:
    """Tell whether an item stands on the page without a box of its own."""
    if is_boxes(item):
        return True
    if isinstance(item, GroupItem):
        return not item.style.show_border and not item.expandable
    return isinstance(item, _BARE) and not item.style.show_border


def shell(workbook: Workbook, opened: frozenset[str] = frozenset()) -> Html:
    """Give the places of all items, empty, as the workbook lays them out."""
    return join([_place(item, None, opened) for item in workbook.items])


def filled(workbook: Workbook, fragments: Mapping[str, Fragment], opened: frozenset[str]) -> Html:
    """Give the places of the items that are shown, filled. `fragments` are by their anchors."""
    return join([_place(item, fragments, opened) for item in workbook.items if _is_shown(item, fragments)])


def _is_shown(item: Item, fragments: Mapping[str, Fragment]) -> bool:
    found = fragments.get(anchor_of(item.path))
    if found is None or not found.shown:
        return False
    return (
        not isinstance(item, GroupItem) or bool(item.template) or any(_is_shown(one, fragments) for one in item.items)
    )


def _place(item: Item, fragments: Mapping[str, Fragment] | None, opened: frozenset[str]) -> Html:
    share = min(max(round(item.width_percent or 100), 1), 100)
    anchor = anchor_of(item.path)
    attributes: dict[str, Any] = {
        "id": anchor,
        "class": f"item w-{share}" + (" bare" if is_bare(item) else "") + (" boxes" if is_boxes(item) else ""),
        "data-path": item.path,
        "data-item": not isinstance(item, GroupItem),
        "data-group": isinstance(item, GroupItem),
        "hidden": bool(item.conditions) and fragments is None,
    }
    if isinstance(item, GroupItem):
        inside = _group(item, fragments, opened)
    else:
        inside = fragments[anchor].html if fragments is not None else placeholder(item)
    return tag("section", tag("div", inside, {"class": "panel"}), attributes)


def placeholder(item: Item) -> Html:
    """Give what stands in an item's place until it is drawn."""
    return tag("div", None, {"class": "skeleton"}) if isinstance(item, QueryItem) else Html()


def _group(item: GroupItem, fragments: Mapping[str, Fragment] | None, opened: frozenset[str]) -> Html:
    """Lay a group out. Its title comes with its fragment; folded ones and those that load at a click say so."""
    anchor, is_open = anchor_of(item.path), is_loaded(item, opened)
    if fragments is None:
        places = [_place(one, None, opened) for one in item.items]
    else:
        places = [_place(one, fragments, opened) for one in item.items if _is_shown(one, fragments)]
    inside = tag("div", places, {"class": "items", "hidden": item.load == "explicit" and not is_open})
    if item.load == "explicit" and not is_open:
        button = tag("button", item.load_button, {"type": "button", "class": "button", "data-load": anchor})
        inside = join([button, inside])
    title = fragments[anchor].html if fragments is not None else Html()
    if not item.expandable:
        return join([tag("h2", title, {"class": "group-title", "data-title": True}), inside])
    said = item.title if "{" not in item.title else ""  # what it says is known when its fragment comes
    title = title or (tag("span", said or item.name or "More") if fragments is None else tag("span", item.name))
    summary = tag("summary", title, {"data-title": True})
    is_unfolded = item.expanded or anchor in opened
    waits = anchor if not is_open and item.load != "explicit" else None
    return tag("details", [summary, inside], {"class": "group", "open": is_unfolded, "data-load-open": waits})
