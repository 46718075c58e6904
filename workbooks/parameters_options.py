"""The options of a parameter: from JSON in the workbook, from a query's answer, or from the resources at hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from workbooks.model import Option, ParameterKind
from workbooks.parse_reader import as_text, decode
from workbooks.substitute_format import RESOURCE_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kql.engine import ResultTable
    from workbooks.model import Parameter

MAX_OPTIONS: Final = 1000
"""The portal offers no more in a dropdown."""
ROLES: Final = ("value", "label", "selected", "group")


class OptionsError(ValueError):
    """Options that cannot be read; the message says why."""


def from_json(text: str) -> tuple[Option, ...]:
    """Read options from JSON: a list of texts, or of objects with value (or id), label, selected and group.

    Raises OptionsError.
    """
    if not text.strip():
        return ()
    try:
        root = decode(text)
    except ValueError as error:
        raise OptionsError(f"its JSON cannot be read: {error}") from error
    members = root if isinstance(root, list) else [root]
    found = (_from_member(member) for member in members)
    return tuple(option for option in found if option)[:MAX_OPTIONS]


def from_json_query(text: str) -> tuple[Option, ...]:
    """Read options from a query of type JSON: `{"version": "1.0.0", "content": "[…]"}`. Raises OptionsError."""
    try:
        root = decode(text)
    except ValueError as error:
        raise OptionsError(f"its JSON query cannot be read: {error}") from error
    if not isinstance(root, dict) or "content" not in root:
        return from_json(text)
    if root.get("transformers"):
        raise OptionsError("a JSON query's transformers are not run here")
    content = root["content"]
    return from_json(content if isinstance(content, str) else json.dumps(content))


def _from_member(member: Any) -> Option | None:
    text = as_text(member)
    if text is not None:
        return Option(text, text) if text else None
    if not isinstance(member, dict):
        return None
    lowered = {str(key).lower(): value for key, value in member.items()}
    rest = [value for key, value in lowered.items() if key not in ROLES]
    value = as_text(lowered["value"] if "value" in lowered else rest[0] if rest else None)
    if value is None:
        return None
    return Option(
        value,
        as_text(lowered.get("label")) or value,
        selected=_is_true(lowered.get("selected")),
        group=as_text(lowered.get("group")) or "",
    )


def from_table(table: ResultTable, kind: ParameterKind) -> tuple[Option, ...]:
    """Read options from a query's answer.

    Columns called value, label, selected and group are those, whatever their place; what is missing of value and label
    is taken from the first columns that are left. A resource without a label is called by its name.
    """
    places = {column.name.lower(): index for index, column in enumerate(table.columns)}
    roles = {role: places[role] for role in ROLES if role in places}
    rest = [index for index in range(len(table.columns)) if index not in roles.values()]
    for role in ("value", "label"):
        if role not in roles and rest and not (role == "label" and "value" in places):
            roles[role] = rest.pop(0)
    found: dict[str, Option] = {}
    for row in table.rows:
        cells = {role: row[index] for role, index in roles.items()}
        value = _cell(cells.get("value"))
        if value and value not in found:
            label = _cell(cells.get("label")) or _name_of(value, kind)
            found[value] = Option(value, label, _is_true(cells.get("selected")), _cell(cells.get("group")))
        if len(found) >= MAX_OPTIONS:
            break
    return tuple(found.values())


def first_cell(table: ResultTable) -> str:
    """Give a text parameter's value: the first cell of the first row."""
    return _cell(table.rows[0][0]) if table.rows and table.columns else ""


def from_resources(parameter: Parameter, resources: Iterable[str]) -> tuple[Option, ...]:
    """Give what a picker offers of the resources at hand."""
    ids = tuple(dict.fromkeys(resources))
    types = {one: _type_of(one) for one in ids}
    if parameter.kind is ParameterKind.RESOURCE:
        wanted = parameter.settings.resource_types
        values = tuple(one for one in ids if not wanted or types[one] in wanted)
    elif parameter.kind is ParameterKind.SUBSCRIPTION:
        values = tuple(dict.fromkeys("/".join(one.split("/")[:3]) for one in ids if one.count("/") >= 2))  # noqa: PLR2004 - /subscriptions/id
    elif parameter.kind is ParameterKind.RESOURCE_TYPE:
        values = tuple(dict.fromkeys(filter(None, types.values())))
    else:
        values = ()
    return tuple(Option(value, _name_of(value, parameter.kind)) for value in values)


def _type_of(resource_id: str) -> str:
    tail = resource_id.lower().partition("/providers/")[2].split("/")
    return "/".join([*tail[:1], *tail[1::2]])


def _name_of(value: str, kind: ParameterKind) -> str:
    return value.rstrip("/").rsplit("/", 1)[-1] if kind in RESOURCE_KINDS else value


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = as_text(value)
    if text is not None:
        return text
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _is_true(value: Any) -> bool:
    return (as_text(value) or "").strip().lower() in {"true", "1"}
