"""Works out a workbook's state: parameters, what is visible, what is asked, and what waits for what.

Pure: queries are not run here. `resolve` says which answers it needs next (`needed`); whoever can ask runs those, side
by side if it can, and resolves again with their answers, until nothing is needed. A query that several parts ask is one
Request.
"""

from __future__ import annotations

from workbooks.model import GroupItem, Item, Workbook
from workbooks.resolve_parameters import ParameterResolver
from workbooks.resolve_requests import item_state
from workbooks.resolve_scope import Declaration, Declarations, declarations
from workbooks.resolve_state import Inputs, ItemState, ParameterState, Request, State
from workbooks.visibility import is_visible

__all__ = ["Declaration", "Declarations", "Inputs", "ItemState", "ParameterState", "Request", "State", "resolve"]


def resolve(workbook: Workbook, inputs: Inputs, known: Declarations | None = None) -> State:
    """Work out the state. `known` are the workbook's declarations, where the caller has kept them."""
    found = known or declarations(workbook)
    resolver = ParameterResolver(inputs, found)
    items: dict[str, ItemState] = {}
    _add_items(workbook.items, resolver, items, shown=True)
    parameters = {each.cell: resolver.state(each) for each in found.all}
    needed = dict.fromkeys(state.request for state in parameters.values() if state.request is not None)
    return State(workbook, items, parameters, tuple(needed), found, tuple(resolver.cycles))


def _add_items(
    items: tuple[Item, ...], resolver: ParameterResolver, found: dict[str, ItemState], *, shown: bool
) -> None:
    for item in items:
        scope = resolver.scope(item.path)
        visible = shown and is_visible(item.conditions, scope)
        found[item.path] = item_state(item, resolver.fixed(scope), visible=visible)
        if isinstance(item, GroupItem):
            _add_items(item.items, resolver, found, shown=visible)
