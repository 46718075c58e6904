"""Reads a Bicep file into its syntax tree.

The two borrowed parsers check the syntax (syntax.py), but their trees cannot be used: tree-sitter-bicep binds
`a ?? b.c` and `x => x.y` the wrong way round, and pycep keeps no lines below a declaration (docs/decisions/0013).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from infra.check.expressions import Expressions
from infra.check.lexer import BicepSyntaxError, tokens
from infra.check.nodes import Call, Choice, Constant, Declaration, Document, Kind, Loop, Node, ObjectNode

if TYPE_CHECKING:
    from pathlib import Path

_KINDS: Final[dict[str, Kind]] = {
    "param": "param",
    "var": "var",
    "resource": "resource",
    "module": "module",
    "output": "output",
}


@lru_cache(maxsize=256)
def parse(path: Path, text: str) -> Document:
    """Read one file; raises BicepSyntaxError with the line."""
    return _File(path, text).document()


class _File(Expressions):
    """The statements of a file."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__(tokens(text))
        self.path = path
        self.scope, self.scope_line = "resourceGroup", 1
        self.declarations: list[Declaration] = []

    def document(self) -> Document:
        """Read all statements."""
        self.skip_newlines()
        while self.peek().kind != "end":
            self._statement()
            self.skip_newlines()
        names = {each.name: each for each in self.declarations if each.kind != "output"}
        return Document(self.path, tuple(self.declarations), self.scope, self.scope_line, names)

    def _statement(self) -> None:
        decorators = self._decorators()
        token = self.take("name")
        if token.value == "targetScope":
            self.take_mark("=")
            self.scope, self.scope_line = self._plain_text(), token.line
        elif token.value == "metadata":
            self.take("name")
            self.take_mark("=")
            self.expression()
        elif token.value in _KINDS:
            self.declarations.append(self._declaration(_KINDS[token.value], token.line, decorators))
        else:
            raise BicepSyntaxError(token.line, f"a declaration is expected, not {token.value!a}")
        if self.peek().kind not in {"newline", "end"}:
            raise BicepSyntaxError(self.peek().line, f"the end of the line is expected, not {self.peek().value!a}")

    def _decorators(self) -> tuple[Call, ...]:
        found: list[Call] = []
        while self.peek().value == "@":
            line = self.next().line
            call = self.expression()
            if not isinstance(call, Call):
                raise BicepSyntaxError(line, "a decorator is a call")
            found.append(call)
            self.skip_newlines()
        return tuple(found)

    def _declaration(self, kind: Kind, line: int, decorators: tuple[Call, ...]) -> Declaration:
        name = self.take("name").value
        kind_of_value = self._type(kind)
        existing = self.accept_name("existing") if kind == "resource" else False
        value = None
        if kind != "param" or self.peek().value == "=":
            self.take_mark("=")
            value = self._resource_body() if kind in {"resource", "module"} else self.expression()
        return Declaration(kind, name, line, kind_of_value, value, existing, decorators)

    def _resource_body(self) -> Node:
        node = self.body()
        inner = node.body if isinstance(node, Loop) else node
        inner = inner.then if isinstance(inner, Choice) else inner
        if not isinstance(inner, ObjectNode):
            raise BicepSyntaxError(node.line, "the body of a resource or module is an object")
        return node

    def _type(self, kind: Kind) -> str:
        """Read a type: the quoted text of a resource or module, or words such as `string[]` and `'a' | 'b'`."""
        if kind == "var":
            return ""
        if kind in {"resource", "module"}:
            return self._plain_text()
        parts: list[str] = []
        while self.peek().kind not in {"newline", "end"} and self.peek().value != "=":
            token = self.next()
            parts.append(repr(token.parts[0]) if token.kind == "text" else token.value)
        if not parts:
            raise BicepSyntaxError(self.peek().line, "a type is missing")
        return "".join(parts)

    def _plain_text(self) -> str:
        node = self.expression()
        if isinstance(node, Constant) and isinstance(node.value, str):
            return node.value
        raise BicepSyntaxError(node.line, "a string without interpolation is expected")
