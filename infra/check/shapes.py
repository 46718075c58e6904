"""The shape of a resource's body, taken from the models of the azure-mgmt libraries."""

from __future__ import annotations

import enum
import importlib
import inspect
import re
import sys
import typing
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

_SCALARS: Final = {"str": "string", "int": "int", "float": "number", "bool": "bool", "iso-8601": "string"}
_ALL_OPERATIONS: Final = {"create", "update"}


@dataclass(slots=True)
class Shape:
    """What a value must be like.

    `kind` is object, array, map, enum, string, int, number, bool or any. `of` is what an array or map holds; `subtypes`
    are the shapes that the value of `discriminator` chooses from.
    """

    kind: str
    name: str = ""
    properties: dict[str, Field] = field(default_factory=dict)
    of: Shape | None = None
    values: tuple[str, ...] = ()
    discriminator: str = ""
    subtypes: dict[str, Shape] = field(default_factory=dict)


@dataclass(slots=True)
class Field:
    """A property of an object."""

    shape: Shape
    required: bool = False
    read_only: bool = False


ANY: Final = Shape("any")


def shape_of(module: str, name: str) -> Shape:
    """Give the shape of a model, e.g. ("azure.mgmt.web.models", "Site"). Raises LookupError when there is none."""
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise LookupError(f"{module}.{name} is not installed") from error
    return _of_class(found)


@cache
def _of_class(model: Any) -> Shape:
    shape = Shape("object", str(model.__name__))
    _PENDING[model] = shape
    if hasattr(model, "_attribute_map"):
        _fill_from_msrest(shape, model)
    else:
        _fill_from_typespec(shape, model)
    return shape


_PENDING: Final[dict[type, Shape]] = {}


def _class_shape(model: type) -> Shape:
    """Give the shape of a class met inside another one; a model that holds itself is found in the making."""
    if issubclass(model, enum.Enum):
        return Shape("enum", model.__name__, values=tuple(str(each.value) for each in model))
    if model in _PENDING:
        return _PENDING[model]
    return _of_class(typing.cast("typing.Hashable", model)) if _is_model(model) else ANY


def _is_model(model: type) -> bool:
    return hasattr(model, "_attribute_map") or hasattr(model, "_is_model") or hasattr(model, "_attr_to_rest_field")


# Libraries generated from Swagger: `_attribute_map` gives each attribute's place in the JSON document and its type.


def _fill_from_msrest(shape: Shape, model: Any) -> None:
    names = vars(sys.modules[model.__module__])
    validation = getattr(model, "_validation", {})
    for attribute, described in model._attribute_map.items():  # noqa: SLF001 - the generated models' only description
        rules = validation.get(attribute, {})
        path = [part.replace("\\.", ".") for part in re.split(r"(?<!\\)\.", described["key"])]
        owner = shape
        for part in path[:-1]:
            owner = owner.properties.setdefault(part, Field(Shape("object"))).shape
        read_only = bool(rules.get("readonly"))
        required = bool(rules.get("required")) and not read_only
        shape_of_value = _enumeration(model, attribute, described["type"]) or _of_text(described["type"], names)
        owner.properties[path[-1]] = Field(shape_of_value, required, read_only)
    _require_parents(shape)
    for attribute, subtypes in vars(model).get("_subtype_map", {}).items():
        shape.discriminator = model._attribute_map[attribute]["key"]  # noqa: SLF001 - same
        shape.subtypes = {value: _class_shape(names[name]) for value, name in subtypes.items()}


def _enumeration(model: Any, attribute: str, text: str) -> Shape | None:
    """Find the enumeration of a text: the map says only `str`, the constructor's annotation says which values."""
    parameter = inspect.signature(model.__init__).parameters.get(attribute) if text == "str" else None
    name = re.search(r"_models\.(\w+)", str(parameter.annotation)) if parameter is not None else None
    found = getattr(sys.modules[model.__module__.rsplit(".", 1)[0]], name[1], None) if name else None
    return _class_shape(found) if inspect.isclass(found) and issubclass(found, enum.Enum) else None


def _require_parents(shape: Shape) -> None:
    """Flattened properties: where one of them is required, so is the object around it."""
    for each in shape.properties.values():
        if each.shape.kind == "object" and not each.shape.name:
            _require_parents(each.shape)
            each.required = each.required or any(inner.required for inner in each.shape.properties.values())
            each.read_only = all(inner.read_only for inner in each.shape.properties.values())


def _of_text(text: str, names: dict[str, Any]) -> Shape:
    for pattern, kind in ((r"\[(.*)\]", "array"), (r"\{(.*)\}", "map")):
        inner = re.fullmatch(pattern, text)
        if inner:
            return Shape(kind, of=_of_text(inner[1], names))
    if text in _SCALARS:
        return Shape(_SCALARS[text])
    found = names.get(text) or vars(sys.modules[names["__package__"]]).get(text)
    return _class_shape(found) if inspect.isclass(found) else ANY


# Libraries generated from TypeSpec: `_attr_to_rest_field` gives the names, annotations the types.


def _fill_from_typespec(shape: Shape, model: Any) -> None:
    model()  # fills _attr_to_rest_field
    hints = _annotations(model)
    for attribute, rest in model._attr_to_rest_field.items():  # noqa: SLF001 - the generated models' only description
        hint, home = hints.get(attribute, (Any, model))
        visibility = set(rest._visibility or _ALL_OPERATIONS)  # noqa: SLF001 - same
        read_only = not visibility & _ALL_OPERATIONS
        required = not read_only and not _may_be_none(hint)
        shape.properties[rest._rest_name] = Field(_of_hint(hint, home), required, read_only)  # noqa: SLF001 - same
        if rest._is_discriminator:  # noqa: SLF001 - same
            shape.discriminator = rest._rest_name  # noqa: SLF001 - same
    subtypes = vars(model).get("__mapping__") or getattr(model, "__mapping__", {})
    shape.subtypes = {str(value): _class_shape(each) for value, each in subtypes.items() if each is not model}


def _annotations(model: Any) -> dict[str, tuple[Any, type]]:
    found: dict[str, tuple[Any, type]] = {}
    for owner in reversed(model.__mro__):
        if owner.__module__.startswith("azure."):
            found.update({name: (hint, owner) for name, hint in vars(owner).get("__annotations__", {}).items()})
    return found


def _resolved(hint: Any, home: type) -> Any:
    if isinstance(hint, typing.ForwardRef):
        hint = hint.__forward_arg__
    if not isinstance(hint, str):
        return hint
    package = sys.modules[home.__module__.rsplit(".", 1)[0]]
    names = {**vars(sys.modules[home.__module__]), **vars(typing), "_models": package, "_types": None}
    try:
        return eval(hint, names)  # noqa: S307 - an annotation of an installed library
    except (NameError, AttributeError, TypeError):
        return Any


def _may_be_none(hint: Any) -> bool:
    return "Optional" in str(hint) or "None" in str(hint) or hint is Any


def _of_hint(hint: Any, home: type) -> Shape:
    hint = _resolved(hint, home)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Union:
        shapes = [_of_hint(each, home) for each in arguments if each is not type(None)]
        return next((each for each in shapes if each.kind == "enum"), shapes[0])
    if origin is list:
        return Shape("array", of=_of_hint(arguments[0], home))
    if origin is dict:
        return Shape("map", of=_of_hint(arguments[1], home))
    if origin is typing.Literal:
        return Shape("enum", values=tuple(str(getattr(each, "value", each)) for each in arguments))
    if not inspect.isclass(hint):
        return ANY
    return Shape(_SCALARS[hint.__name__]) if hint.__name__ in _SCALARS else _class_shape(hint)
