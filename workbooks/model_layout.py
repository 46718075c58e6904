"""The types of a workbook's links, tabs and groups. See workbooks.model, which hands them out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from workbooks.model_items import Item

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link or tab. For a tab (`target` "parameter") it sets the parameter `value` to `sub_target`.

    `target` is the workbook's word (parameter, Url, Resource, WorkbookTemplate, ArmAction, step, …); `value` its
    address, parameter or step. `context` holds what a target needs beyond (armActionContext, workbookContext, …).
    """

    path: str
    id: str = ""
    target: str = ""
    value: str = ""
    sub_target: str = ""
    label: str = ""
    pre_text: str = ""
    post_text: str = ""
    style: str = "link"
    icon: str = ""
    primary: bool = False
    context_blade: bool = False
    tab_width: str = ""
    context: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinksItem(Item):
    """Links or tabs. `layout` is tabs, paragraph, nav, list, toolbar or bullets."""

    links: tuple[Link, ...] = ()
    layout: str = "bullets"
    tab_style: str = "normal"

    @property
    def is_tabs(self) -> bool:
        """Whether one of the links is always chosen, at first the first one."""
        return self.layout == "tabs"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupItem(Item):
    """Items in a box with a scope of their own: its parameters are seen outside only with `export_parameters`.

    `template` is the id of a template that is loaded in place of `items`; only the portal has those.
    """

    title: str = ""
    items: tuple[Item, ...] = ()
    load: Literal["always", "lazy", "explicit"] = "lazy"
    load_button: str = "Show more"
    expandable: bool = False
    expanded: bool = False
    export_parameters: bool = False
    template: str = ""


ITEM_KINDS: Final[Mapping[int, str]] = {
    1: "text",
    2: "users",
    3: "query",
    8: "legacy parameters",
    9: "parameters",
    10: "metrics",
    11: "links",
    12: "group",
    13: "view repeater",
    14: "data repeater",
    15: "data source",
    16: "visualization",
}
"""What an item's type number is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownItem(Item):
    """An item that is shown as a badge: `kind` is its name in ITEM_KINDS, or the type as it is written."""

    kind: str = ""
