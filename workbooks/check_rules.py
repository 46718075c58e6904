"""Rules about a workbook as a file: names, sizes, portability. Capital ids are those of the gallery's own linter."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from workbooks.check_samples import log_queries
from workbooks.model import Finding, LinksItem, ParametersItem, QueryItem, QueryType, Severity, Workbook, walk
from workbooks.parse_reader import step
from workbooks.substitute import REFERENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

VISUALIZATIONS: Final = frozenset(
    {
        *("", "table", "tiles", "card", "graph", "map", "stat", "text", "textvisualization"),
        *("linechart", "timechart", "areachart", "barchart", "categoricalbar", "unstackedbar", "piechart"),
        *(
            "scatterchart",
            "columnchart",
            "stackedareachart",
            "unstackedarea",
            "stackedbar",
            "bar",
            "area",
            "line",
            "pie",
        ),
    }
)
_RESOURCE_ID: Final = re.compile(r"/subscriptions/[0-9a-z]{8}(?:-[0-9a-z]{4}){3}-[0-9a-z]{12}", re.IGNORECASE)
_DEFAULT_NAME: Final = re.compile(r"(text|query|links?|group|metrics?|parameters) - \d+", re.IGNORECASE)
_LARGE, _TOO_LARGE = 100_000, 500_000
_MANY_STEPS, _TOO_MANY_STEPS = 30, 100
_LOG_QUERIES, _ARG_QUERIES, _LONG_QUERY = 40, 15, 3000


def check_rules(workbook: Workbook) -> list[Finding]:
    """Tell what breaks the rules."""
    rules = (_names, _ids, _portable, _sizes, _queries, _labels, _links, _globals, _visualizations)
    return [finding for rule in rules for finding in rule(workbook)]


def _names(workbook: Workbook) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for item in walk(workbook.items):
        if not item.name.strip():
            yield Finding(item.path, "NAME000", "the item has no name", Severity.INFO)
        elif item.name in first:
            # Names are the keys of translations, which are looked up beside one another; elsewhere they only confuse.
            siblings = _parent(item.path) == _parent(first[item.name])
            message = f"the name {item.name!r} is also that of {first[item.name]}"
            yield Finding(item.path, "duplicate-name", message, Severity.ERROR if siblings else Severity.WARNING)
        elif _DEFAULT_NAME.match(item.name):
            yield Finding(item.path, "NAME001", f"{item.name!r} is the portal's default name", Severity.INFO)
        first.setdefault(item.name, item.path)


def _parent(path: str) -> str:
    return path.rpartition(".items[")[0]


def _ids(workbook: Workbook) -> Iterator[Finding]:
    parameters = [p for item in walk(workbook.items) if isinstance(item, ParametersItem) for p in item.parameters]
    links = [link for item in walk(workbook.items) if isinstance(item, LinksItem) for link in item.links]
    yield from _twice(((each.id, each.path) for each in parameters), "duplicate-parameter-id", "parameter")
    yield from _twice(((each.id, each.path) for each in links), "duplicate-link-id", "link")


def _twice(ids: Iterable[tuple[str, str]], code: str, what: str) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for one, path in ids:
        if one and one in first:
            yield Finding(path, code, f"the {what} id {one!r} is also that of {first[one]}", Severity.ERROR)
        first.setdefault(one, path)


def _portable(workbook: Workbook) -> Iterator[Finding]:
    if "fromTemplateId" in workbook.raw:
        message = "fromTemplateId ties the workbook to where it was made; remove it"
        yield Finding("$.fromTemplateId", "from-template-id", message, Severity.ERROR)
    base = "$" if not workbook.items else workbook.items[0].path.partition(".items")[0]
    for path, text in _texts(workbook.raw, base):
        found = _RESOURCE_ID.search(text)
        if found:
            message = f"a resource id of one subscription is written here: {found.group()}; use a parameter"
            yield Finding(path, "RES000", message, Severity.ERROR)
        elif text.lower().startswith("/subscriptions/") and not REFERENCE.search(text):
            yield Finding(
                path, "RES000", f"a resource id is written here: {text[:80]}; use a parameter", Severity.ERROR
            )


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from _texts(member, step(path, key))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _texts(member, step(path, index))


def _sizes(workbook: Workbook) -> Iterator[Finding]:
    size = len(json.dumps(workbook.raw, indent=2, ensure_ascii=False))
    if size > _TOO_LARGE:
        yield Finding(
            "$", "SIZE001", f"{size} characters of JSON are more than {_TOO_LARGE}: slow to load", Severity.ERROR
        )
    elif size > _LARGE:
        yield Finding("$", "SIZE000", f"{size} characters of JSON are more than {_LARGE}: slow to load")
    steps = sum(1 for _ in walk(workbook.items))
    if steps > _TOO_MANY_STEPS:
        yield Finding("$", "SIZE002", f"{steps} items are more than {_TOO_MANY_STEPS}: hard to edit")
    elif steps > _MANY_STEPS:
        yield Finding("$", "GROUPS000", f"{steps} items are more than {_MANY_STEPS}: consider groups", Severity.INFO)


def _queries(workbook: Workbook) -> Iterator[Finding]:
    queries = log_queries(workbook)
    if len(queries) > _LOG_QUERIES:
        yield Finding("$", "KQL001", f"{len(queries)} log queries are more than {_LOG_QUERIES}: they may be throttled")
    graph = sum(
        isinstance(item, QueryItem) and item.query_type is QueryType.RESOURCE_GRAPH for item in walk(workbook.items)
    )
    if graph > _ARG_QUERIES:
        yield Finding(
            "$", "ARG001", f"{graph} Resource Graph queries are more than {_ARG_QUERIES}: they may be throttled"
        )
    for path, query in queries.items():
        if len(query) > _LONG_QUERY:
            yield Finding(path, "KQL002", f"the query has {len(query)} characters, more than {_LONG_QUERY}")
        if "print " in query and "isfuzzy" not in query:
            yield Finding(path, "KQL003", "the query prints a value; a criteria or JSON parameter asks nobody")
        if "datatable" in query and "where" not in query:
            yield Finding(path, "KQL004", "the query is a datatable; a JSON query asks nobody")
        if REFERENCE.fullmatch(query.strip()):
            yield Finding(path, "KQL005", "the query is nothing but a parameter; nobody can read it here")


def _labels(workbook: Workbook) -> Iterator[Finding]:
    for item in walk(workbook.items):
        for parameter in item.parameters if isinstance(item, ParametersItem) else ():
            if not parameter.label and not parameter.hidden_when_locked:
                message = f"{parameter.name} has no label; readers see its name"
                yield Finding(parameter.path, "PARAM001", message, Severity.INFO)
            if parameter.criteria and parameter.value:
                yield Finding(
                    parameter.path, "PARAM002", f"{parameter.name} is computed; its saved value has no effect"
                )


def _links(workbook: Workbook) -> Iterator[Finding]:
    names = {item.name for item in walk(workbook.items)}
    for item in walk(workbook.items):
        if not isinstance(item, LinksItem):
            continue
        for link in item.links:
            if link.target == "step" and link.value not in names and not REFERENCE.search(link.value):
                message = f"the link scrolls to the item {link.value!r}, which there is not"
                yield Finding(link.path, "no-step", message, Severity.ERROR)
        if item.is_tabs:
            tabs = ((f"{link.value}={link.sub_target}", link.path) for link in item.links if link.target == "parameter")
            yield from _twice(tabs, "duplicate-tab", "tab")


def _globals(workbook: Workbook) -> Iterator[Finding]:
    declared = [p for item in walk(workbook.items) if isinstance(item, ParametersItem) for p in item.parameters]
    shared = {each.name: each.path for each in reversed(declared) if each.is_global}
    for each in declared:
        if each.name in shared and shared[each.name] != each.path:
            message = f"{each.name} is global at {shared[each.name]}; declared again it cannot be edited here"
            yield Finding(each.path, "global-redeclared", message)


def _visualizations(workbook: Workbook) -> Iterator[Finding]:
    for item in walk(workbook.items):
        if isinstance(item, QueryItem) and item.visualization not in VISUALIZATIONS:
            message = f"the visualization {item.visualization!r} is not known"
            yield Finding(f"{item.path}.content.visualization", "unknown-visualization", message, Severity.ERROR)
