"""The types that a workbook's state is made of. See workbooks.resolve, which hands them out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbooks.model import QueryType

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from kql.engine import ResultTable
    from workbooks.model import Item, Option, Parameter, TimeRange, Workbook
    from workbooks.resolve_scope import Declaration, Declarations
    from workbooks.substitute import Scope
    from workbooks.substitute_format import Value


@dataclass(frozen=True, slots=True)
class Request:
    """A query to run: its finished text, who answers it, over which time and of which resources.

    `time` None leaves the range to the query itself.
    """

    query: str
    query_type: QueryType = QueryType.LOGS
    time: TimeRange | None = None
    resources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a state is worked out from.

    `chosen` is what the reader chose, by declaration key (`{"Zone": ("a", "b"), "TimeRange": ("1d",)}`; see
    substitute_time.to_text for ranges). `answers` are the tables of requests that were run, or what went wrong as text.
    `resources` are the ids that pickers offer, and `now` ends relative times.
    """

    now: datetime
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    answers: Mapping[Request, ResultTable | str] = field(default_factory=dict)
    resources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ParameterState:
    """Where a declared name stands.

    `value` None is unset. `options` are what it offers (choices) and `times` (time ranges). `waits_for` names the
    parameters without which its options cannot be asked for; `request` is outstanding. `problem` is to be shown.
    """

    declaration: Declaration
    value: Value | None = None
    options: tuple[Option, ...] = ()
    times: tuple[TimeRange, ...] = ()
    waits_for: tuple[str, ...] = ()
    request: Request | None = None
    problem: str = ""

    @property
    def parameter(self) -> Parameter | None:
        """The parameter as it is declared, where it is one."""
        return self.declaration.parameter


@dataclass(frozen=True, slots=True)
class ItemState:
    """Where an item stands. `scope` is what it sees, for its texts.

    For query and metrics items: `request` is what to run, or None while it `waits_for` parameters, is hidden, or has a
    `problem`. `time` is its range.
    """

    item: Item
    visible: bool
    scope: Scope
    request: Request | None = None
    waits_for: tuple[str, ...] = ()
    time: TimeRange | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """A workbook's state: items by path, parameters by cell, and the requests whose answers parameters need first.

    `cycles` are parameters that wait for one another, and so for ever.
    """

    workbook: Workbook
    items: Mapping[str, ItemState]
    parameters: Mapping[str, ParameterState]
    needed: tuple[Request, ...]
    declarations: Declarations
    cycles: tuple[tuple[str, ...], ...] = ()

    def parameter(self, path: str) -> ParameterState:
        """Give the state of the parameter that is declared at this path. Raises KeyError."""
        return self.parameters[path]
