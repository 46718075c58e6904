"""The syntax tree of a Bicep file: declarations, and expressions with the line that they stand on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Scalar = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Node:
    """Any expression."""

    line: int

    def children(self) -> Iterator[Node]:
        """Give the expressions directly below."""
        return iter(())

    def walk(self) -> Iterator[Node]:
        """Give this expression and every one below."""
        yield self
        for child in self.children():
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Constant(Node):
    """A literal number, boolean, null, or a string without interpolation."""

    value: Scalar


@dataclass(frozen=True, slots=True)
class Text(Node):
    """A string with interpolations."""

    parts: tuple[str | Node, ...]

    def children(self) -> Iterator[Node]:
        """Give the interpolated expressions."""
        return (part for part in self.parts if isinstance(part, Node))


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A symbol."""

    name: str


@dataclass(frozen=True, slots=True)
class Member(Node):
    """`target.name`, or `target.?name` when `safe`."""

    target: Node
    name: str
    safe: bool = False

    def children(self) -> Iterator[Node]:
        """Give the target."""
        yield self.target


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`target[index]`."""

    target: Node
    index: Node

    def children(self) -> Iterator[Node]:
        """Give the target and the index."""
        yield self.target
        yield self.index


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A call of a function, or of a symbol's method when there is a `target`."""

    function: str
    arguments: tuple[Node, ...]
    target: Node | None = None

    def children(self) -> Iterator[Node]:
        """Give the target and the arguments."""
        if self.target is not None:
            yield self.target
        yield from self.arguments


@dataclass(frozen=True, slots=True)
class Property:
    """`key: value` of an object."""

    key: str | Text
    value: Node
    line: int


@dataclass(frozen=True, slots=True)
class ObjectNode(Node):
    """`{ … }`."""

    properties: tuple[Property, ...]

    def children(self) -> Iterator[Node]:
        """Give keys that are computed, and values."""
        for each in self.properties:
            if isinstance(each.key, Text):
                yield each.key
            yield each.value

    def get(self, key: str) -> Node | None:
        """Give the value of a literal key."""
        return next((each.value for each in self.properties if each.key == key), None)


@dataclass(frozen=True, slots=True)
class ArrayNode(Node):
    """`[ … ]`."""

    items: tuple[Node, ...]

    def children(self) -> Iterator[Node]:
        """Give the items."""
        return iter(self.items)


@dataclass(frozen=True, slots=True)
class Loop(Node):
    """`[for item in over: body]` or with `(item, index)`."""

    item: str
    index: str
    over: Node
    body: Node

    def children(self) -> Iterator[Node]:
        """Give what is looped over, and the body."""
        yield self.over
        yield self.body


@dataclass(frozen=True, slots=True)
class Choice(Node):
    """`test ? then : otherwise`; of a conditional resource or loop body, `otherwise` is None."""

    test: Node
    then: Node
    otherwise: Node | None

    def children(self) -> Iterator[Node]:
        """Give the test and both outcomes."""
        yield self.test
        yield self.then
        if self.otherwise is not None:
            yield self.otherwise


@dataclass(frozen=True, slots=True)
class Operation(Node):
    """An operator and its operands."""

    operator: str
    operands: tuple[Node, ...]

    def children(self) -> Iterator[Node]:
        """Give the operands."""
        return iter(self.operands)


@dataclass(frozen=True, slots=True)
class Lambda(Node):
    """`parameters => body`."""

    parameters: tuple[str, ...]
    body: Node

    def children(self) -> Iterator[Node]:
        """Give the body."""
        yield self.body


Kind = Literal["param", "var", "resource", "module", "output"]


@dataclass(frozen=True, slots=True)
class Declaration:
    """One statement that names something.

    `type` is a parameter's or output's type as written, a resource's `Type@version`, or a module's path. `value` is a
    parameter's default, and may be absent. A resource's condition and loop are part of its value (`Choice`, `Loop`).
    """

    kind: Kind
    name: str
    line: int
    type: str = ""
    value: Node | None = None
    existing: bool = False
    decorators: tuple[Call, ...] = ()

    def decorator(self, name: str) -> Call | None:
        """Find a decorator by its name."""
        return next((call for call in self.decorators if call.function == name), None)

    @property
    def resource_type(self) -> str:
        """A resource's type without its version."""
        return self.type.partition("@")[0]

    @property
    def api_version(self) -> str:
        """A resource's version."""
        return self.type.partition("@")[2]


@dataclass(frozen=True, slots=True)
class Document:
    """One Bicep file. `path` is relative to the project's root."""

    path: Path
    declarations: tuple[Declaration, ...]
    target_scope: str = "resourceGroup"
    target_scope_line: int = 1
    by_name: dict[str, Declaration] = field(default_factory=dict)

    def of(self, *kinds: Kind) -> Iterator[Declaration]:
        """Give the declarations of these kinds, in order."""
        return (each for each in self.declarations if each.kind in kinds)
