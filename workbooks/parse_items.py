"""Reads a workbook's items."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from workbooks.model import (
    ITEM_KINDS,
    Condition,
    GroupItem,
    Item,
    ItemStyle,
    Link,
    LinksItem,
    ParametersItem,
    Severity,
    TextItem,
    UnknownItem,
)
from workbooks.parse_formatters import LINK_CONTEXTS
from workbooks.parse_parameters import parameter
from workbooks.parse_queries import metrics_item, query_item
from workbooks.parse_reader import Reader, as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Literal

MAX_DEPTH: Final = 40
"""Groups in groups; deeper ones are a mistake, and would exhaust whoever walks them."""
_WIDTH: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%?\s*")
_KIND_NUMBERS: Final = {name: number for number, name in ITEM_KINDS.items()}
_LOADS: Final[Mapping[str, Literal["always", "lazy", "explicit"]]] = {
    "": "lazy",
    "lazy": "lazy",
    "always": "always",
    "explicit": "explicit",
}


def items(of: Reader, key: str, depth: int = 0) -> tuple[Item, ...]:
    """Read a list of items. Null ones are told and left out."""
    return tuple(_item(each, depth) for each in of.children(key))


def _item(of: Reader, depth: int) -> Item:
    of.ignore("showPin", "comments", "isSelectedByDefault", "filter", "customHeight")
    number = _kind_of(of)
    common: dict[str, Any] = {
        "path": of.path,
        "name": of.text("name"),
        "conditions": _conditions(of),
        "width_percent": _width(of),
        "style": item_style(of.child("styleSettings")),
        "raw": of.value,
    }
    read = _READERS.get(number)
    content = _content(of, number)
    if read is None or content is None or (number == 12 and depth >= MAX_DEPTH):  # noqa: PLR2004 - a group's number
        kind = ITEM_KINDS.get(number, f"type {of.value.get('type')!r}"[:60])
        why = "nested too deeply" if read and content else "has no content" if read else "is not known here"
        of.tell("unknown-item", f"this item ({kind}) {why}; it is shown as a badge", severity=Severity.ERROR)
        of.ignore("content")
        found: Item = UnknownItem(kind=kind, **common)
    else:
        found = read(content, common, depth)
        content.done()
    of.done()
    return found


def _kind_of(of: Reader) -> int:
    """Read the type; a number in a text, and the type's name, count as well."""
    value = of.raw("type")
    if isinstance(value, str):
        word = value.strip().lower()
        return int(word) if word.isascii() and word.isdigit() and len(word) < 4 else _KIND_NUMBERS.get(word, -1)  # noqa: PLR2004
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def _content(of: Reader, number: int) -> Reader | None:
    """Read the content; an older form is a text: the markdown of a text item, the query of a query item."""
    raw = of.raw("content")
    key = {1: "json", 3: "query"}.get(number)
    if key and isinstance(raw, str) and not (number == 3 and raw.lstrip().startswith("{")):  # noqa: PLR2004 - a query's number
        of.tell("converted", "the content is a text, as older workbooks write it", at="content", severity=Severity.INFO)
        return Reader({key: raw}, of.at("content"), of.findings)
    return of.child("content")


def _conditions(of: Reader) -> tuple[Condition, ...]:
    found = []
    for key in ("conditionalVisibility", "conditionalVisibilities"):
        for each in of.children(key):
            found.extend(_condition(each))
    return tuple(dict.fromkeys(found))


def _condition(of: Reader) -> list[Condition]:
    name, comparison = of.text("parameterName"), of.text("comparison", "isEqualTo")
    value = as_text(of.raw("value"))
    of.done()
    if comparison not in {"isEqualTo", "isNotEqualTo"}:
        message = f"the comparison {comparison!r} is not known; the item is shown whatever the parameter says"
        of.tell("unknown-comparison", message, at="comparison", severity=Severity.ERROR)
        return []
    return [Condition(of.path, name, comparison == "isEqualTo", value or None)] if name else []


def _width(of: Reader) -> float:
    text = as_text(of.raw("customWidth"))
    if not text:
        return 100.0
    number = _WIDTH.fullmatch(text)
    width = float(number[1]) if number else 0.0
    if not 0 < width <= 100:  # noqa: PLR2004 - percent
        of.tell("out-of-range", f"a width goes from 1 to 100 percent, not {text[:20]!r}", at="customWidth")
        return 100.0
    return width


def item_style(of: Reader | None) -> ItemStyle:
    """Read the box around an item."""
    if of is None:
        return ItemStyle()
    of.ignore("progressStyle", "spanSize")
    found = ItemStyle(of.text("margin"), of.text("padding"), of.text("maxWidth"), of.flag("showBorder"))
    of.done()
    return found


def _text(content: Reader, common: dict[str, Any], _depth: int) -> Item:
    content.ignore("version")
    return TextItem(markdown=content.text("json"), tone=content.text("style"), **common)


def _parameters(content: Reader, common: dict[str, Any], _depth: int) -> Item:
    content.ignore("version", "queryType", "resourceType", "crossComponentResources", "timeContext")
    content.ignore("timeContextFromParameter")
    return ParametersItem(
        parameters=tuple(parameter(each) for each in content.children("parameters")),
        layout=content.text("style", "pills"),
        title=content.text("title"),
        run_when_hidden=not content.flag("doNotRunWhenHidden"),
        **common,
    )


def _links(content: Reader, common: dict[str, Any], _depth: int) -> Item:
    content.ignore("version")
    return LinksItem(
        links=tuple(_link(each) for each in content.children("links")),
        layout=content.text("style", "bullets"),
        tab_style=content.text("tabStyle", "normal"),
        **common,
    )


def _link(of: Reader) -> Link:
    style = of.text("style", "link")
    found = Link(
        path=of.path,
        id=of.text("id"),
        target=of.text("linkTarget"),
        value=of.text("cellValue"),
        sub_target=of.text("subTarget"),
        label=of.text("linkLabel"),
        pre_text=of.text("preText"),
        post_text=of.text("postText"),
        style=style,
        icon=of.text("icon"),
        primary=style == "primary",
        context_blade=of.flag("linkIsContextBlade"),
        tab_width=of.text("tabWidth"),
        context={key: of.mapping(key) for key in LINK_CONTEXTS if key in of},
    )
    of.ignore(*LINK_CONTEXTS)
    of.done()
    return found


def _group(content: Reader, common: dict[str, Any], depth: int) -> Item:
    content.ignore("version")
    template = content.text("loadFromTemplateId")
    if content.text("groupType", "editable") not in {"editable", "template"}:
        content.tell("unknown-group-type", "a group is editable or template; it is read as editable", at="groupType")
    load = content.text("loadType", "lazy")
    if load not in _LOADS:
        content.tell("unknown-load-type", f"a group loads always, lazy or explicit, not {load!r}", at="loadType")
    if template and not content.value.get("items"):
        message = f"the template {template!r} is loaded by the portal alone; the group is shown as a badge"
        content.tell("template-group", message, at="loadFromTemplateId", severity=Severity.ERROR)
    return GroupItem(
        title=content.text("title"),
        items=items(content, "items", depth + 1),
        load=_LOADS.get(load, "lazy"),
        load_button=content.text("loadButtonText", "Show more"),
        expandable=content.flag("expandable"),
        expanded=content.flag("expanded"),
        export_parameters=content.flag("exportParameters"),
        template=template,
        **common,
    )


def _legacy_parameters(content: Reader, common: dict[str, Any], depth: int) -> Item:
    content.tell("legacy-parameters", "a legacy parameters item is read as a new one", severity=Severity.INFO)
    return _parameters(content, common, depth)


_READERS: Final[Mapping[int, Callable[[Reader, dict[str, Any], int], Item]]] = {
    1: _text,
    3: query_item,
    8: _legacy_parameters,
    9: _parameters,
    10: metrics_item,
    11: _links,
    12: _group,
}
