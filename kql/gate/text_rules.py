"""Rules that need no parser and no engine: names, sizes, what must not stand in a text. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from core.arm_id import GUID
from kql import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kql.gate.sources import Finding, Source

MAX_BYTES: Final = 64 * 1024
"""All properties of an alert rule together; a longer text could not be the query of one."""
MAX_COLUMNS: Final = 500
"""Columns of a Log Analytics table, and so of what can be kept of a result."""
_FUNCTION: Final = re.compile(r"AciDns([A-Z][a-z0-9]*)+")
_QUERY: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_GUID: Final = re.compile(rf"\b{GUID}\b")
_RESOURCE: Final = re.compile(r"/(?:subscriptions|resourceGroups)/[\w{-]+", re.IGNORECASE)
_WORKSPACE: Final = re.compile(r"\b(?:workspace|app|resource|adx|cluster|database)\s*\(\s*['\"]", re.IGNORECASE)
_NARROWS: Final = re.compile(r"\bTimeGenerated\s*(?:[<>]=?|!?between\b)")
_LITERAL: Final = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|//[^\n]*")
_COUNT: Final = re.compile(r"\|\s*count\s*;?\s*\Z")
_ANY_ROWS: Final = re.compile(r"\|\s*(take|limit|sample)\b")


def check(source: Source) -> Iterator[Finding]:
    """Give what these rules find in one file."""
    for rule in _RULES:
        yield from rule(source)


def bare(kql: str) -> str:
    """Blank out strings and comments, keeping every position."""
    return _LITERAL.sub(lambda match: " " * len(match.group(0)), kql)


def _name(source: Source) -> Iterator[Finding]:
    entry = source.entry
    if entry.kind == "function":
        if not _FUNCTION.fullmatch(entry.name):
            message = f"a function's name begins with AciDns, so that it meets no other of the workspace: {entry.name}"
            yield source.at_field("Parameters", "KQL003", message)
        if entry.name in {table.name for table in tables.TABLES}:
            yield source.at_field("Parameters", "KQL003", f"{entry.name} is a table's name")
    elif not _QUERY.fullmatch(entry.name):
        yield source.at_field("Parameters", "KQL003", f"a query's name is lower-case words with hyphens: {entry.name}")


def _size(source: Source) -> Iterator[Finding]:
    size = len(source.entry.body.encode())
    if size > MAX_BYTES:
        yield source.at(None, "KQL004", f"{size:,} bytes; an alert rule holds {MAX_BYTES:,} in all its properties")
    if len(source.entry.columns) > MAX_COLUMNS:
        message = f"{len(source.entry.columns)} columns; a table has at most {MAX_COLUMNS}"
        yield source.at_field("Columns", "KQL004", message)


def _ids(source: Source) -> Iterator[Finding]:
    for pattern, what in ((_GUID, "an id"), (_RESOURCE, "a resource id"), (_WORKSPACE, "one workspace or resource")):
        for found in pattern.finditer(source.entry.body):
            message = f"{what} is written into the text ({found.group(0)}); make it a parameter"
            yield source.at_offset(found.start(), "KQL005", message)


def _parameters(source: Source) -> Iterator[Finding]:
    text = bare(source.entry.body)
    for parameter in source.entry.parameters:
        if not re.search(rf"(?<![\w.]){re.escape(parameter.name)}(?!\w)", text):
            yield source.at_field("Parameters", "KQL006", f"parameter {parameter.name} is not used")


def _time_range(source: Source) -> Iterator[Finding]:
    if re.search(r"TimeGenerated|time range", source.entry.prose, re.IGNORECASE):
        return
    for found in _NARROWS.finditer(bare(source.entry.body)):
        message = "chooses rows by TimeGenerated, which is the caller's time range; say why in the comment block"
        yield source.at_offset(found.start(), "KQL007", message)


def _counted(source: Source) -> Iterator[Finding]:
    found = _COUNT.search(bare(source.entry.body))
    if found:
        message = "ends with `count`: an alert would count that one row; use `summarize Name = count()`"
        yield source.at_offset(found.start(), "KQL008", message)


def _any_rows(source: Source) -> Iterator[Finding]:
    for found in _ANY_ROWS.finditer(bare(source.entry.body)):
        yield source.at_offset(found.start(), "KQL009", f"`{found.group(1)}` gives any rows; use `top … by …`")


_RULES: Final[tuple[Callable[[Source], Iterator[Finding]], ...]] = (
    _name,
    _size,
    _ids,
    _parameters,
    _time_range,
    _counted,
    _any_rows,
)
