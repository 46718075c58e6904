"""Who declares a parameter, and who sees it: what stands further down, unless it is in a group that keeps it in.

A parameters item declares; so do a selection's export, a time brush and tabs, for what follows them. Where a name is
declared twice, the nearest declaration above that has a value wins. A global parameter is one cell for the whole
workbook: whatever sets its name anywhere sets it, and it is seen everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workbooks.model import (
    Condition,
    Export,
    GroupItem,
    Item,
    Link,
    LinksItem,
    MetricsItem,
    Parameter,
    ParametersItem,
    QueryItem,
    TimeBrush,
    Workbook,
    walk,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["parameter", "export", "tab", "brush"]
Seen = dict[str, tuple["Declaration", ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Declaration:
    """One place that gives a name a value.

    `key` names the cell that a reader's choice is kept under (an address's parameter): the name itself, or `name~2`
    for the second cell of that name. `owner` is the item that it stands in; one of the last four is set, by `kind`.
    """

    name: str
    key: str
    path: str
    kind: Kind
    owner: Item
    parameter: Parameter | None = None
    export: Export | None = None
    links: tuple[Link, ...] = ()
    brush: TimeBrush | None = None

    @property
    def cell(self) -> str:
        """Where a state keeps it: its path, and its name where several can stand on one path."""
        return self.path if self.kind == "parameter" else f"{self.path}#{self.name}"


@dataclass(frozen=True, slots=True)
class Declarations:
    """Every declaration in reading order; by item or parameter path, what is seen there by name, nearest last.

    `setters` are, by key, what else sets a global parameter; `parents` is the path of the group around each
    item, and `conditions` are the item's own.
    """

    all: tuple[Declaration, ...]
    seen: Mapping[str, Mapping[str, tuple[Declaration, ...]]]
    setters: Mapping[str, tuple[Declaration, ...]]
    parents: Mapping[str, str]
    conditions: Mapping[str, tuple[Condition, ...]]

    def at(self, path: str, name: str) -> tuple[Declaration, ...]:
        """Give the declarations of a name that the item or parameter at a path sees, nearest last."""
        return self.seen.get(path, {}).get(name, ())


def declarations(workbook: Workbook) -> Declarations:
    """Find every declaration of a workbook, and who sees it."""
    finder = _Finder(workbook)
    finder.walk(workbook.items, dict(finder.globals), "")
    conditions = {item.path: item.conditions for item in walk(workbook.items)}
    setters = {key: tuple(each) for key, each in finder.setters.items()}
    return Declarations(tuple(finder.all), finder.seen, setters, finder.parents, conditions)


class _Finder:
    def __init__(self, workbook: Workbook) -> None:
        self.all: list[Declaration] = []
        self.seen: dict[str, Seen] = {}
        self.setters: dict[str, list[Declaration]] = {}
        self.parents: dict[str, str] = {}
        self.counts: dict[str, int] = {}
        self.globals: Seen = {}
        self.global_paths: dict[str, Declaration] = {}
        for item in walk(workbook.items):
            for parameter in item.parameters if isinstance(item, ParametersItem) else ():
                if parameter.is_global and parameter.name and parameter.name not in self.globals:
                    self._add_global(parameter, item)

    def _add_global(self, parameter: Parameter, item: Item) -> None:
        made = Declaration(parameter.name, parameter.name, parameter.path, "parameter", item, parameter)
        self.counts[parameter.name] = 1
        self.globals[parameter.name] = (made,)
        self.global_paths[parameter.path] = made

    def walk(self, items: tuple[Item, ...], seen: Seen, parent: str) -> Seen:
        for item in items:
            self.parents[item.path] = parent
            self.seen[item.path] = dict(seen)
            if isinstance(item, GroupItem):
                inside = self.walk(item.items, dict(seen), item.path)
                seen = inside if item.export_parameters else seen
            else:
                self._declare(item, seen)
        return seen

    def _declare(self, item: Item, seen: Seen) -> None:
        if isinstance(item, ParametersItem):
            for parameter in item.parameters:
                self.seen[parameter.path] = dict(seen)
                self._add(seen, item, parameter.name, parameter.path, "parameter", parameter=parameter)
        if isinstance(item, LinksItem):
            names = dict.fromkeys(link.value for link in item.links if link.target == "parameter" and link.value)
            for name in names:
                links = tuple(link for link in item.links if link.target == "parameter" and link.value == name)
                self._add(seen, item, name, item.path, "tab", links=links)
        if isinstance(item, QueryItem | MetricsItem):
            for export in item.exports:
                self._add(seen, item, export.parameter, export.path, "export", export=export)
            if item.brush:
                self._add(seen, item, item.brush.parameter, item.path, "brush", brush=item.brush)

    def _add(  # noqa: PLR0913 - one for each thing a declaration can hold
        self,
        seen: Seen,
        owner: Item,
        name: str,
        path: str,
        kind: Kind,
        *,
        parameter: Parameter | None = None,
        export: Export | None = None,
        links: tuple[Link, ...] = (),
        brush: TimeBrush | None = None,
    ) -> None:
        if not name:
            return
        known = self.global_paths.get(path)
        if known:
            self.all.append(known)
            return
        sets_global = name in self.globals
        self.counts[name] = self.counts.get(name, 0) + (0 if sets_global else 1)
        key = name if sets_global or self.counts[name] == 1 else f"{name}~{self.counts[name]}"
        made = Declaration(name, key, path, kind, owner, parameter, export, links, brush)
        self.all.append(made)
        if sets_global:
            self.setters.setdefault(name, []).append(made)
        else:
            seen[name] = (*seen.get(name, ()), made)
