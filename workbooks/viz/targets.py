"""Where a cell's link leads: an Azure resource's page, a URL, another workbook, or the details of the cell."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from workbooks.viz.html import absolute_url
from workbooks.viz.thresholds import as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbooks.model import Formatter
    from workbooks.viz.context import RenderContext, Row, Values

DETAILS: Final = frozenset({"celldetails", "genericdetails"})
_RESOURCE: Final = frozenset({"resource", "resourceoverview"})
KNOWN: Final = frozenset({"", "url", "workbooktemplate", *_RESOURCE, *DETAILS})


@dataclass(frozen=True, slots=True)
class Target:
    """`url` to follow, or `details` to show in a dialog (text); `problem` says why there is neither."""

    url: str = ""
    details: str = ""
    problem: str = ""


def target_of(formatter: Formatter, value: Any, row: Row, context: RenderContext) -> Target | None:
    """Give where a cell leads, or None for a cell that is no link."""
    kind = formatter.link_target.lower()
    if not kind:
        return None
    linked = row.get(formatter.link_column, value) if formatter.link_column else value
    if kind == "url":
        url = absolute_url(as_text(linked)) if linked else None
        return Target(url=url) if url else None
    if kind in _RESOURCE:
        return Target(url=portal_url(as_text(linked), context)) if linked else None
    if kind in DETAILS:
        return Target(details=details(dict(row) if kind == "genericdetails" else linked))
    if kind == "workbooktemplate":
        return _workbook(formatter, row, context)
    return Target(problem=f"a link to {formatter.link_target}")


def portal_url(resource_id: str, context: RenderContext) -> str:
    """Give the portal's page of a resource, "" when it is no resource id."""
    if not resource_id.lower().startswith(("/subscriptions/", "/providers/", "/tenants/")):
        return ""
    return f"{context.portal}/#resource{quote(resource_id, safe='/')}"


def details(value: Any) -> str:
    """Give what a details dialog shows: structures as indented JSON, all else as text."""
    if isinstance(value, str):
        try:
            parsed = json.loads(value)
        except ValueError:
            return value
        value = parsed if isinstance(parsed, dict | list) else value
    if isinstance(value, dict | list):
        return json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return as_text(value)


def _workbook(formatter: Formatter, row: Row, context: RenderContext) -> Target:
    template, parameters = workbook_link(formatter.link_context.get("workbookContext") or {}, row, context)
    url = context.workbook_url(template, parameters)
    if url or context.export_url is None:
        return Target(url=url or "")
    return Target(problem=f"a link to the workbook {template or '(none named)'}, which is not here")


def workbook_link(asked: Mapping[str, Any], row: Row, context: RenderContext) -> tuple[str, Values]:
    """Give the workbook that a link means, and the parameters that it hands over: those that it names, or all.

    Named ones are static texts, parameters, or cells of the row.
    """
    template = context.text(str(asked.get("templateId") or ""))
    if asked.get("templateIdSource") == "column":
        template = as_text(row.get(template, ""))
    known = context.values()
    listed = asked.get("templateParameters")
    named = [given for given in (listed if isinstance(listed, list) else ()) if isinstance(given, dict)]
    if not named and not asked.get("passSpecificParams"):
        return template, known
    found: dict[str, tuple[str, ...]] = {}
    for given in named:
        name, source, value = str(given.get("name", "")), str(given.get("source", "")), str(given.get("value", ""))
        if source == "column":
            found[name] = (as_text(row.get(value, "")),)
        elif source == "parameter":
            found |= {name: known[value]} if value in known else {}
        else:
            found[name] = (context.text(value),)
    return template, found
