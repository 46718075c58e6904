"""Reads the comment block that a .kql file begins with (kql/catalog.py says what it looks like). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, get_args

from core import events
from kql.engine import KqlType
from kql.literals import SCALAR_TYPES, ScalarType, literal

_BLOCK: Final = re.compile(r"\A(?:[ \t]*//[^\n]*(?:\n|\Z))+")
_FIELDS: Final = ("Parameters", "Columns", "Tables")
_PARAMETER: Final = re.compile(r"([A-Za-z_]\w*)\s*:\s*(\w+)\s*=\s*(.+)")
_COLUMN: Final = re.compile(r"([A-Za-z_]\w*)\s*:\s*(\w+)")
_COMMA: Final = re.compile(r",(?=(?:[^'\"]|'[^']*'|\"[^\"]*\")*$)")
_OF_THE_EVENT_TABLE: Final = f"those of {events.TABLE}"
_MAX_NAME: Final = 45


class CatalogError(ValueError):
    """A .kql file that is not written as the catalog needs it, that does not exist, or a bad value for a parameter."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter. `default` is the value as a person would type it: a string's without its quotes."""

    name: str
    type: ScalarType
    default: str

    def __str__(self) -> str:
        shown = literal("string", self.default) if self.type == "string" else self.default
        return f"{self.name}:{self.type}={shown}"


@dataclass(frozen=True, slots=True)
class Header:
    """What the comment block says, and the body below it with the line on which it begins, from 1."""

    summary: str
    prose: str
    parameters: tuple[Parameter, ...]
    columns: tuple[tuple[str, str], ...]
    tables: tuple[str, ...]
    body: str
    body_line: int


def read(name: str, text: str) -> Header:
    """Read one file's text; raises CatalogError with what its comment block lacks."""
    block = _BLOCK.match(text)
    lines = [line.strip() for line in block.group(0).splitlines()] if block else [""]
    opening = f"// {name}: "
    if block is None or not lines[0].startswith(opening):
        raise CatalogError(f"{name}.kql: the first line must be '{opening}<what it answers>'")
    prose, fields = _split(lines[1:])
    body = text[block.end() :]
    return Header(
        summary=lines[0].removeprefix(opening),
        prose=prose,
        parameters=_parameters(name, _field(name, fields, "Parameters")),
        columns=_columns(name, _field(name, fields, "Columns")),
        tables=tuple(_items(_field(name, fields, "Tables"))),
        body=body.strip(),
        body_line=text[: block.end()].count("\n") + 1 + (len(body) - len(body.lstrip())),
    )


def _split(lines: list[str]) -> tuple[str, dict[str, str]]:
    """Split the lines after the first into prose and fields; an indented line goes on with the field above it."""
    prose: list[str] = []
    fields: dict[str, str] = {}
    current = ""
    for line in lines:
        text = line.removeprefix("//")
        label, colon, rest = text.strip().partition(":")
        if colon and label in _FIELDS:
            current = label
            fields[current] = rest.strip()
        elif current and text.startswith("  ") and text.strip():
            fields[current] += " " + text.strip()
        else:
            current = ""
            prose.append(text.removeprefix(" "))
    return "\n".join(prose).strip(), fields


def _field(name: str, fields: dict[str, str], label: str) -> str:
    if not fields.get(label):
        say = {
            "Parameters": " with the parameters, or 'none'",
            "Columns": " with 'Name:type, …'",
            "Tables": " it reads",
        }
        raise CatalogError(f"{name}.kql: the comment block needs a line '// {label}: …'{say[label]}")
    return fields[label]


def _items(text: str) -> list[str]:
    return [] if text == "none" else [item.strip() for item in _COMMA.split(text) if item.strip()]


def _parameters(name: str, text: str) -> tuple[Parameter, ...]:
    found = []
    for item in _items(text):
        match = _PARAMETER.fullmatch(item)
        if match is None or match.group(2) not in SCALAR_TYPES:
            raise CatalogError(
                f"{name}.kql: parameter {item!a} must be 'name:type=default' with a type of {', '.join(SCALAR_TYPES)}"
            )
        kind: ScalarType = match.group(2)  # type: ignore[assignment]  # one of SCALAR_TYPES, as checked above
        found.append(Parameter(match.group(1), kind, _default(name, item, kind, match.group(3).strip())))
    return tuple(found)


def _default(name: str, item: str, kind: ScalarType, text: str) -> str:
    if kind == "string":
        quoted = re.fullmatch(r"'([^'\\]*)'|\"([^\"\\]*)\"", text)
        if quoted is None:
            raise CatalogError(
                f"{name}.kql: the default of {item!a} must be quoted, without a quote or backslash in it"
            )
        return quoted.group(1) if quoted.group(1) is not None else quoted.group(2)
    try:
        literal(kind, text)
    except ValueError as error:
        raise CatalogError(f"{name}.kql: the default of {item!a}: {error}") from None
    return text


def _columns(name: str, text: str) -> tuple[tuple[str, str], ...]:
    if text == _OF_THE_EVENT_TABLE:
        return tuple((column.name, "bool" if column.type == "boolean" else column.type) for column in events.COLUMNS)
    found = []
    for item in _items(text):
        match = _COLUMN.fullmatch(item)
        if match is None or match.group(2) not in get_args(KqlType) or len(match.group(1)) > _MAX_NAME:
            raise CatalogError(f"{name}.kql: column {item!a} must be 'Name:type' with a type of Kusto's")
        found.append((match.group(1), match.group(2)))
    return tuple(found)
