"""Links, tabs, toolbars: what a links item leads to, as anchors that work without a script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from workbooks.viz import icons
from workbooks.viz.html import Html, join, safe_url, tag
from workbooks.viz.targets import portal_url, workbook_link

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbooks.model import Link, LinksItem
    from workbooks.viz.context import RenderContext

KNOWN: Final = frozenset({"parameter", "url", "resource", "workbooktemplate", "step", "", "resourceoverview"})
_ADDRESSES: Final = frozenset({"", "url", "resource", "resourceoverview"})
"""The targets whose value is an address."""
LAYOUTS: Final = frozenset({"tabs", "paragraph", "nav", "list", "toolbar", "bullets"})


def links(
    item: LinksItem, context: RenderContext, *, is_set: Callable[[str, str], bool], step: Callable[[str], str | None]
) -> Html:
    """Draw a links item. `is_set(parameter, value)` tells the chosen tab; `step(name)` gives an item's anchor."""
    if item.is_tabs:
        return _tabs(item, context, is_set, step)
    drawn = [_with_texts(link, _one(link, context, step), context) for link in item.links]
    if item.layout in {"bullets", "list", "nav"}:
        entries = tag("ul", [tag("li", one) for one in drawn], {"class": f"links {item.layout}"})
        return tag("nav", entries, {"aria-label": item.name or "Links"}) if item.layout == "nav" else entries
    return tag("p" if item.layout == "paragraph" else "div", join(drawn, " "), {"class": f"links {item.layout}"})


def _chosen(link: Link, context: RenderContext) -> str | None:
    """Give the address of this page with the link's parameter set."""
    return context.export_url({context.key(link.value): context.text(link.sub_target)}) if context.export_url else None


def _tabs(
    item: LinksItem,
    context: RenderContext,
    is_set: Callable[[str, str], bool],
    step: Callable[[str], str | None],
) -> Html:
    """Draw tabs as links of this page: the chosen one is a parameter, so a tab can be shared and gone back from."""
    chosen = next((link for link in item.links if is_set(link.value, context.text(link.sub_target))), None)
    drawn = []
    for link in item.links:
        if link.target.lower() != "parameter":
            drawn.append(tag("li", _one(link, context, step)))
            continue
        url = _chosen(link, context)
        attributes: dict[str, Any] = {"class": "tab", "href": url, "aria-current": "page" if link is chosen else None}
        label = context.text(link.label) or context.text(link.sub_target)
        drawn.append(tag("li", tag("a" if url else "span", label, attributes)))
    return tag("nav", tag("ul", drawn), {"class": "tabs", "aria-label": item.name or "Tabs"})


def _with_texts(link: Link, drawn: Html, context: RenderContext) -> Html:
    before, after = context.text(link.pre_text), context.text(link.post_text)
    return join([before, " " if before else "", drawn, " " if after else "", after])


def _one(link: Link, context: RenderContext, step: Callable[[str], str | None]) -> Html:
    label = context.text(link.label) or context.text(link.value)
    url, problem = _target(link, context, step)
    if problem and _is_of_data(link, context):
        return tag("a", label, {"role": "link", "aria-disabled": "true", "title": problem})
    if problem:
        context.badge(f"{link.path}.linkTarget", problem)
    if not url:
        return tag("span", label)
    drawn = [icons.icon(link.icon, label=""), " ", label] if icons.is_known(link.icon) and link.icon else [label]
    classes = "button primary" if link.primary else "button" if link.style in {"primary", "secondary"} else None
    outside = {"rel": "noopener noreferrer", "target": "_blank"} if "://" in url else {}
    return tag("a", drawn, {"href": url, "class": classes, **outside})


def _is_of_data(link: Link, context: RenderContext) -> bool:
    """Tell whether what a link leads to is a parameter's value: then a bad address is no fault of the workbook."""
    return link.target.lower() in _ADDRESSES and context.text(link.value) != link.value


def _target(link: Link, context: RenderContext, step: Callable[[str], str | None]) -> tuple[str, str]:
    """Give (address, ""), or ("", why there is none)."""
    kind, value = link.target.lower(), context.text(link.value)
    if kind == "parameter":
        if context.export_url is None:
            return "", ""
        url = _chosen(link, context)
    elif kind in {"url", ""}:
        url = safe_url(value)
    elif kind in {"resource", "resourceoverview"}:
        url = portal_url(value, context) or None
    elif kind == "step":
        anchor = step(link.value)
        url = f"#{anchor}" if anchor else None
    elif kind == "workbooktemplate":
        template, passed = workbook_link(link.context.get("workbookContext") or {}, {}, context)
        if context.export_url is None:
            return "", ""
        url, value = context.workbook_url(template, passed), f"{template}, which is not here"
    else:
        return "", f"a link to {link.target}"
    return (url, "") if url else ("", f"a link to {link.target or 'nothing'}: {value[:80] or '(empty)'}")
