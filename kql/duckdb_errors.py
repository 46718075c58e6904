"""Turns the complaints of the translator and of DuckDB into QueryErrors, with Kusto's code and the place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import duckdb
from duckdb_kql import KqlError, KqlSchemaError, KqlSyntaxError, KqlUnsupportedError

from kql.engine import Place, QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNKNOWN_COLUMN: Final = re.compile(
    r'Referenced column "([^"]+)" not found|does not have a column named "([^"]+)"'
    r'|Alias with name "+([^"]+)"+ exists, but'
    r'|Column "([^"]+)" referenced that exists in the SELECT clause'
)
_UNKNOWN_TABLE: Final = re.compile(r"Table with name (\S+) does not exist")
# Operators of Kusto that the translator's grammar takes for a syntax error (or that it refuses anyway).
_NOT_PARSED: Final = re.compile(
    r"\|\s*(as|consume|facet|find|fork|make-series|mv-apply|parse-kv|partition|project-by-names|project-keep"
    r"|project-reorder|reduce|sample|sample-distinct|scan|search|serialize|top-hitters|top-nested)(?![\w-])"
)
_QUOTED: Final = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|//[^\n]*")
_OPERATOR: Final = re.compile(r"\|\s*([a-z][a-z-]*)")
_IDENTIFIER: Final = re.compile(r"(?<![\w.$-])([A-Za-z_]\w*)(?!\w)(\s*(?:=(?![=~])|:|\())?")
_TOKEN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|\S")


def from_translator(error: KqlError, query: str, *, known: Iterable[str]) -> QueryError:
    """Say what the translator refused."""
    if isinstance(error, KqlSyntaxError):
        return _syntax(error, query)
    if isinstance(error, KqlSchemaError) and ("unknown table" in str(error) or "matched no table" in str(error)):
        return unresolved(str(error.name), query, known=known)
    if isinstance(error, KqlUnsupportedError):
        place = error.span
        construct = error.construct.removeprefix("function:")
        what = f"the function {construct}()" if construct != error.construct else construct
        return QueryError(
            "unsupported",
            f"the local engine does not run {what}" + (f" ({error.hint})" if error.hint else ""),
            place=Place(place.line, place.column, construct) if place else None,
        )
    return QueryError("unsupported", f"the local engine does not run this query: {error}")


def from_duckdb(error: duckdb.Error, query: str) -> QueryError:
    """Say what DuckDB found wrong with the translated query."""
    text = str(error)
    table = _UNKNOWN_TABLE.search(text)
    if table:
        return unresolved(table.group(1).strip('"'), query)
    column = _UNKNOWN_COLUMN.search(text)
    if column:
        return unresolved(next(name for name in column.groups() if name), query)
    first = text.strip().splitlines()[0]
    if isinstance(error, duckdb.OutOfMemoryException):
        return QueryError("service", f"the local engine ran out of memory: {first}; ask for less at a time")
    return QueryError("unsupported", f"the local engine (DuckDB) could not run the translated query: {first}")


def miscased(query: str, known: Iterable[str]) -> QueryError | None:
    """Find a name that differs from a known one only in case: Kusto does not resolve it, DuckDB silently would.

    A name that the query itself defines (`name =`, `name:type`) or calls is left alone, and so is an operator's.
    """
    exact = set(known)
    by_fold = {name.casefold(): name for name in exact}
    bare = _OPERATOR.sub("|", _without_literals(query))  # `| count` is no column Count
    uses = [(match.group(1), match.group(2)) for match in _IDENTIFIER.finditer(bare)]
    defined = {name for name, follows in uses if follows}
    for name, _ in uses:
        if name not in exact and name not in defined and name.casefold() in by_fold:
            return unresolved(name, query, known=[by_fold[name.casefold()]])
    return None


def unresolved(name: str, query: str, *, known: Iterable[str] = ()) -> QueryError:
    """Say, as Kusto does, that a name is neither a table, a column nor an expression."""
    place, operator = _locate(name, query)
    message = f"'{operator}' operator: Failed to resolve table or column or scalar expression named '{name}'"
    if operator:
        message = f"'{operator}' operator: Failed to resolve column or scalar expression named '{name}'"
    near = [other for other in known if other.lower() == name.lower()]
    if near:
        message += f" (names are case-sensitive: did you mean {near[0]}?)"
    return QueryError("semantic", message, code="SEM0100", place=place)


def _syntax(error: KqlSyntaxError, query: str) -> QueryError:
    first = error.diagnostics[0]
    line, column = first.span.line, first.span.column
    if first.message.startswith("token recognition error"):
        return QueryError("syntax", "I could not parse that, sorry.", code="SYN0001", place=Place(line, column))
    lines = query.splitlines() or [""]
    rest = lines[line - 1][column:] if line <= len(lines) else ""
    found = _TOKEN.match(rest)
    token = found.group(0) if found else ""
    following = _NOT_PARSED.match(rest)
    if following:
        place = Place(line, column + following.start(1), following.group(1))
        return QueryError("unsupported", f"the local engine does not know the operator {place.token}", place=place)
    message = f"Query could not be parsed at '{token}' on line [{line},{column}]"
    return QueryError("syntax", message, code="SYN0002", place=Place(line, column, token))


def _locate(name: str, query: str) -> tuple[Place | None, str]:
    """Find where a name stands in a query, outside strings and comments, and in which operator."""
    bare = _without_literals(query)
    found = re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", bare)
    if found is None:
        return None, ""
    before = bare[: found.start()]
    operators = _OPERATOR.findall(before)
    place = Place(before.count("\n") + 1, found.start() - (before.rfind("\n") + 1), name)
    return place, operators[-1] if operators else ""


def _without_literals(query: str) -> str:
    return _QUOTED.sub(lambda match: " " * len(match.group(0)), query)
