"""The KQL that ships: workspace functions and queries, one file each, with a comment block that says what they answer.

    // Name: what it answers (one line)
    //
    // prose: what every column and rule means
    //
    // Parameters: lookback:timespan=1d, top:long=10     (or: none; each has a default)
    // Columns: Name:type, Name:type,
    //   Name:type                                       (may go on over indented lines; or: those of AciDnsEvents_CL)
    // Tables: AciDnsEvents_CL, AppTraces                (what it reads in the end)

The same text is deployed as a saved search, run locally, and tested. A function's parameters are Log Analytics' own; a
query's are `let` statements in front of it (`bind`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from kql import header
from kql.header import CatalogError, Parameter
from kql.literals import ScalarType, Value, literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CatalogError", "Entry", "Parameter", "ScalarType", "bind", "call", "functions", "parse", "queries", "query"]

ROOT: Final = Path(__file__).parent
Kind = Literal["function", "query"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One file.

    `name` is the file's, `summary` its first line, `prose` the comment block's middle, `columns` (name, Kusto type) in
    order, `tables` the base tables that it reads in the end, `body` the KQL below the comment block, which begins on
    line `body_line` of the file (counted from 1).
    """

    kind: Kind
    name: str
    summary: str
    prose: str
    parameters: tuple[Parameter, ...]
    columns: tuple[tuple[str, str], ...]
    tables: tuple[str, ...]
    body: str
    body_line: int

    @property
    def signature(self) -> str:
        """The parameters as Log Analytics takes them: `lookback:timespan=1d, top:long=10`, empty without any."""
        return ", ".join(str(parameter) for parameter in self.parameters)

    @property
    def definition(self) -> str:
        """The function as Kusto defines it: `function Name(parameters) { body }`."""
        return f"function {self.name}({self.signature}) {{\n{self.body}\n}}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns of the answer, in order."""
        return tuple(name for name, _ in self.columns)


@cache
def functions() -> dict[str, Entry]:
    """Give every workspace function, by name."""
    return _read("functions", "function")


@cache
def queries() -> dict[str, Entry]:
    """Give every query, by name."""
    return _read("queries", "query")


def query(name: str, **values: Value) -> str:
    """Give the text of a query, ready to run. Raises CatalogError for an unknown query or parameter or a bad value."""
    return bind(_known(queries(), name, "query", "kql/queries"), values)


def call(name: str, **values: Value) -> str:
    """Give the text that calls a workspace function. Raises CatalogError as `query` does."""
    return bind(_known(functions(), name, "function", "kql/functions"), values)


def bind(entry: Entry, values: Mapping[str, Value]) -> str:
    """Give the text that runs a query or a function with these parameters, and the others at their defaults.

    A value is what a person typed, or a Python value. Raises CatalogError, which says every parameter that is unknown
    and every value that is not of its parameter's type.
    """
    literals, wrong = {}, _unknown(entry, values)
    for parameter in entry.parameters:
        try:
            literals[parameter.name] = literal(parameter.type, values.get(parameter.name, parameter.default))
        except ValueError as error:
            wrong.append(f"{parameter.name}: {error}")
    if wrong:
        raise CatalogError(f"{entry.kind} {entry.name}: {'; '.join(wrong)}")
    if entry.kind == "function":
        # By position: the local engine knows no named arguments.
        return f"{entry.name}({', '.join(literals.values())})"
    # On one line, so that an error's line is known to be one more than in the body.
    given = " ".join(f"let {name} = {text};" for name, text in literals.items())
    return f"{given}\n{entry.body}" if given else entry.body


def parse(name: str, text: str, kind: Kind = "query") -> Entry:
    """Read one file's text. Raises CatalogError when its comment block is not what it must be."""
    read = header.read(name, text)
    return Entry(
        kind, name, read.summary, read.prose, read.parameters, read.columns, read.tables, read.body, read.body_line
    )


def _unknown(entry: Entry, values: Mapping[str, Value]) -> list[str]:
    names = [parameter.name for parameter in entry.parameters]
    has = f"it has {', '.join(names)}" if names else "it has none"
    return [f"no parameter {str(name)[:80]!a}; {has}" for name in values if name not in names]


def _known(entries: Mapping[str, Entry], name: str, kind: str, folder: str) -> Entry:
    if name not in entries:
        raise CatalogError(f"no {kind} {name!r} in {folder}; there are {', '.join(sorted(entries))}")
    return entries[name]


def _read(folder: str, kind: Kind) -> dict[str, Entry]:
    files = sorted((ROOT / folder).glob("*.kql"))
    return {file.stem: parse(file.stem, file.read_text(encoding="utf-8"), kind) for file in files}
