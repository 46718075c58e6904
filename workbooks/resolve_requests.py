"""What an item asks, over which time, and what it waits for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from workbooks.model import LinksItem, MetricsItem, QueryItem, QueryType, TimeRange
from workbooks.resolve_state import ItemState, Request
from workbooks.substitute import REFERENCE, SubstitutionError, references

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbooks.model import Item, Parameter
    from workbooks.substitute import Scope

_KQL: Final = frozenset({QueryType.LOGS, QueryType.RESOURCE_GRAPH, QueryType.DATA_EXPLORER, QueryType.ALERTS})
_SPECIAL: Final = re.compile(r"value::\w+")


class _Waiting(Exception):  # noqa: N818 - says that something is missing, not that something failed
    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(dict.fromkeys(names))


def item_state(item: Item, scope: Scope, *, visible: bool) -> ItemState:
    """Work out where an item stands that is shown or not."""
    if not isinstance(item, QueryItem | MetricsItem):
        waits = _needed_by_links(item, scope) if isinstance(item, LinksItem) else ()
        return ItemState(item, visible, scope, waits_for=waits)
    try:
        time = time_of(item.time, item.time_parameter, scope)
        if isinstance(item, MetricsItem):
            return ItemState(item, visible, scope, time=time)
        request = _request(item.query, item.query_type, time, item.resources, scope)
        return ItemState(item, visible, scope, request if visible else None, time=time)
    except _Waiting as waiting:
        return ItemState(item, visible, scope, waits_for=waiting.names)
    except SubstitutionError as error:
        return ItemState(item, visible, scope, problem=str(error))


def _needed_by_links(item: LinksItem, scope: Scope) -> tuple[str, ...]:
    texts = (link.value for link in item.links if link.target != "parameter")
    return tuple(dict.fromkeys(name for text in texts for name in unset_names(text, scope)))


def parameter_request(parameter: Parameter, scope: Scope) -> tuple[Request | None, tuple[str, ...], str]:
    """Work out what a parameter's query asks: the request, or what it waits for, or what is wrong."""
    try:
        time = time_of(parameter.time, parameter.time_parameter, scope)
        kind = QueryType(parameter.query_type) if parameter.query_type in set(QueryType) else QueryType.OTHER
        return _request(parameter.query, kind, time, parameter.resources, scope), (), ""
    except _Waiting as waiting:
        return None, waiting.names, ""
    except SubstitutionError as error:
        return None, (), str(error)


def unset_names(text: str, scope: Scope) -> tuple[str, ...]:
    """Give the declared parameters that stand in a text and have no value."""
    found = (reference.name for reference in references(text))
    return tuple(dict.fromkeys(name for name in found if name in scope and scope.get(name) is None))


def time_of(own: TimeRange | None, parameter: str, scope: Scope) -> TimeRange | None:
    """Give the range of a part: its time range parameter's, else its own; None leaves it to the query."""
    name = parameter.strip().strip("{}")
    if name and name in scope:
        value = scope.get(name)
        if value is None:
            raise _Waiting([name])
        if value.time is not None:
            return value.time
    return own if own and (own.duration_ms or own.start) else None


def _request(
    template: str, kind: QueryType, time: TimeRange | None, resources: tuple[str, ...], scope: Scope
) -> Request | None:
    waits = [name for text in (template, *resources) for name in unset_names(text, scope)]
    if waits:
        raise _Waiting(waits)
    query = scope.kql(template) if kind in _KQL else scope.text(template)
    if not query.strip():
        return None
    return Request(query, kind, time, tuple(each for text in resources for each in _expanded(text, scope)))


def _expanded(resource: str, scope: Scope) -> tuple[str, ...]:
    """Give the ids that stand behind a resource: a parameter may hold several."""
    if _SPECIAL.fullmatch(resource):
        return ()
    match = REFERENCE.fullmatch(resource)
    value = scope.get(match[1]) if match else None
    return value.values if value else (scope.text(resource),)
