"""Answers what shipped functions a query calls one after the other, each once, before the query itself.

Written into the query where they are called, as Log Analytics does it, functions of functions make one statement of
100 kB, which takes DuckDB longer to plan than to run over a day's rows. As temporary tables each is translated once in
a process, planned by itself, and computed once however often it is called.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from core import events
from kql import catalog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kql.translation import Translated

_INLINE: Final = frozenset({events.FUNCTION, "AciDnsVerdicts"})
"""The view of the events must not be copied, and a list of constants need not be."""
_PREFIX: Final = "_ResultOf"
_NAMED: Final = re.compile(rf'"{_PREFIX}(\w+)"')


@dataclass(frozen=True, slots=True)
class Step:
    """A function to answer before the query: `table` is what its rows go by, `sql` and `given` make them."""

    function: str
    table: str
    sql: str
    given: Mapping[str, object]


@cache
def stepped() -> tuple[str, ...]:
    """Name the shipped functions that are answered by themselves: those without parameters."""
    return tuple(name for name, entry in catalog.functions().items() if not entry.parameters and name not in _INLINE)


def definitions() -> dict[str, str]:
    """Give what the translator is told of these functions: that they read a table of ours."""
    return {name: f"function {name}() {{ {_PREFIX}{name} }}" for name in stepped()}


def schema() -> dict[str, list[str]]:
    """Give the columns of those tables."""
    shipped = catalog.functions()
    return {f"{_PREFIX}{name}": list(shipped[name].column_names) for name in stepped()}


def before(sql: str, translate: Callable[[str], Translated]) -> list[Step]:
    """Give the steps that a translated query needs, each after those that it needs itself."""
    found: dict[str, Step] = {}

    def add(text: str) -> None:
        for name in sorted(set(_NAMED.findall(text)) - found.keys()):
            inner, given = translate(catalog.functions()[name].body)
            add(inner)
            found[name] = Step(name, f"{_PREFIX}{name}", inner, given)

    add(sql)
    return list(found.values())


def reads(sql: str, steps: list[Step]) -> str:
    """Give all the SQL of a query and its steps, for who looks which tables they name."""
    return "\n".join([sql, *(step.sql for step in steps)])
