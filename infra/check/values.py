"""What is known of a value before anything is deployed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Type = Literal["string", "int", "bool", "object", "array", "null", "any"]


@dataclass(frozen=True, slots=True)
class Known:
    """A constant."""

    value: str | int | bool | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that the deployment decides. `origin` says where it comes from, e.g. `writer.outputs.principalId`."""

    type: Type = "any"
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A property's value and the line that it stands on."""

    value: Value
    line: int


@dataclass(frozen=True, slots=True)
class Obj:
    """An object; an `open` one may have further properties."""

    entries: dict[str, Entry] = field(default_factory=dict)
    open: bool = False

    def get(self, *path: str) -> Value | None:
        """Follow property names; None where one is absent. Any outcome of a choice that has the property will do."""
        found: Value = self
        for name in path:
            matching = [each for each in alternatives(found) if isinstance(each, Obj) and name in each.entries]
            if not matching:
                return None
            found = matching[0].entries[name].value
        return found


@dataclass(frozen=True, slots=True)
class Arr:
    """An array. An `open` one has any number of items, each like one of those given."""

    items: tuple[Value, ...] = ()
    open: bool = False


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of several values; which one, the deployment decides."""

    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class ResourceValue:
    """A resource symbol: its type, and its scope's declaration where it has one."""

    symbol: str
    type: str
    parent: str = ""


@dataclass(frozen=True, slots=True)
class ModuleValue:
    """A module symbol: the outputs that it has, as far as they are known."""

    symbol: str
    outputs: dict[str, Value]


Value = Known | Unknown | Obj | Arr | OneOf | ResourceValue | ModuleValue
_MOST_ALTERNATIVES = 12


def one_of(values: list[Value]) -> Value:
    """Give the value of a choice; equal outcomes are one."""
    flat: list[Value] = []
    for value in values:
        flat += [each for each in alternatives(value) if each not in flat]
    if len(flat) > _MOST_ALTERNATIVES:
        return Unknown(type_of(flat[0]))
    return flat[0] if len(flat) == 1 else OneOf(tuple(flat))


def alternatives(value: Value) -> tuple[Value, ...]:
    """List what a value may turn out to be."""
    return value.values if isinstance(value, OneOf) else (value,)


def type_of(value: Value) -> Type:  # noqa: PLR0911 - one for each type
    """Tell the type as far as it is known."""
    match value:
        case Known(bool()):
            return "bool"
        case Known(int()):
            return "int"
        case Known(str()):
            return "string"
        case Known(None):
            return "null"
        case Unknown():
            return value.type
        case Arr():
            return "array"
        case OneOf():
            kinds = {type_of(each) for each in value.values} - {"null"}
            return kinds.pop() if len(kinds) == 1 else "any"
        case _:
            return "object"


def texts(value: Value | None) -> list[str]:
    """List the strings that a value may be."""
    found = alternatives(value) if value is not None else ()
    return [each.value for each in found if isinstance(each, Known) and isinstance(each.value, str)]


def flags(value: Value | None) -> list[bool]:
    """List the booleans that a value may be."""
    found = alternatives(value) if value is not None else ()
    return [each.value for each in found if isinstance(each, Known) and isinstance(each.value, bool)]


def plain(value: Value) -> object:
    """Give a value that is known throughout as JSON. Raises ValueError for one that the deployment decides."""
    match value:
        case Known():
            return value.value
        case Obj(open=False):
            return {key: plain(entry.value) for key, entry in value.entries.items()}
        case Arr(open=False):
            return [plain(item) for item in value.items]
        case _:
            raise ValueError(f"not known before the deployment: {value!r:.200}")


def from_json(value: object, line: int = 1) -> Value:
    """Give a JSON document as a known value."""
    if isinstance(value, dict):
        return Obj({str(key): Entry(from_json(each, line), line) for key, each in value.items()})
    if isinstance(value, list):
        return Arr(tuple(from_json(each, line) for each in value))
    if isinstance(value, float):
        return Known(int(value)) if value.is_integer() else Unknown("any", "a fraction")
    return Known(value) if isinstance(value, str | int | bool) or value is None else Unknown()
