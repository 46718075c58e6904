"""Reads expressions, by precedence, out of a list of tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from infra.check.cursor import Cursor
from infra.check.lexer import BicepSyntaxError, Token
from infra.check.nodes import (
    ArrayNode,
    Call,
    Choice,
    Constant,
    Index,
    Lambda,
    Loop,
    Member,
    Name,
    Node,
    ObjectNode,
    Operation,
    Property,
    Text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEVELS: Final[tuple[frozenset[str], ...]] = (
    frozenset({"??"}),
    frozenset({"||"}),
    frozenset({"&&"}),
    frozenset({"==", "!=", "=~", "!~"}),
    frozenset({"<", "<=", ">", ">="}),
    frozenset({"+", "-"}),
    frozenset({"*", "/", "%"}),
)
_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}


class Expressions(Cursor):
    """The grammar of expressions."""

    def body(self) -> Node:
        """Read the value of a resource, module or loop: an object, `if (…) {…}` or `[for …]`."""
        line = self.peek().line
        if not self.accept_name("if"):
            return self.expression()
        self.take_mark("(")
        test = self._inside()
        self.take_mark(")")
        return Choice(line, test, self.expression(), None)

    def expression(self) -> Node:
        """Read one expression."""
        arrow = self._lambda()
        if arrow is not None:
            return arrow
        test = self._level(0)
        if not self._continues("?"):
            return test
        self.take_mark("?")
        self.skip_newlines()
        then = self.expression()
        self.skip_newlines()
        self.take_mark(":")
        self.skip_newlines()
        return Choice(test.line, test, then, self.expression())

    def _continues(self, mark: str) -> bool:
        """Tell whether a mark comes next, be it on a following line; newlines before it are taken."""
        ahead = 0
        while self.peek(ahead).kind == "newline":
            ahead += 1
        token = self.peek(ahead)
        if token.kind != "mark" or token.value != mark:
            return False
        self.skip_newlines()
        return True

    def _lambda(self) -> Lambda | None:
        line = self.peek().line
        if self.peek().kind == "name" and self.peek(1).value == "=>":
            names: tuple[str, ...] = (self.next().value,)
        elif self.peek().value == "(" and (length := self._parameter_list()):
            self.next()
            taken = [self.next() for _ in range(length)]
            names = tuple(token.value for token in taken if token.kind == "name")
            self.take_mark(")")
        else:
            return None
        self.take_mark("=>")
        self.skip_newlines()
        return Lambda(line, names, self.expression())

    def _parameter_list(self) -> int:
        """Give the number of tokens of `a, b` where `(a, b) =>` comes next, else 0."""
        ahead = 1
        while self.peek(ahead).kind == "name" or self.peek(ahead).value == ",":
            ahead += 1
        closes = self.peek(ahead).value == ")" and self.peek(ahead + 1).value == "=>"
        return ahead - 1 if closes else 0

    def _level(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        left = self._level(level + 1)
        while self.peek().kind == "mark" and self.peek().value in _LEVELS[level]:
            operator = self.next().value
            self.skip_newlines()
            left = Operation(left.line, operator, (left, self._level(level + 1)))
        return left

    def _unary(self) -> Node:
        token = self.accept("!", "-")
        return self._postfix() if token is None else Operation(token.line, token.value, (self._unary(),))

    def _postfix(self) -> Node:
        node = self._primary()
        while True:
            mark = self.accept(".", ".?", "::", "[", "[?", "!")
            if mark is None:
                return node
            if mark.value in {".", ".?", "::"}:
                node = self._member(node, mark)
            elif mark.value in {"[", "[?"}:
                node = Index(mark.line, node, self._inside())
                self.take_mark("]")

    def _member(self, target: Node, mark: Token) -> Node:
        name = self.take("name").value
        if self.accept("("):
            return Call(mark.line, name, self._arguments(), target)
        return Member(mark.line, target, name, mark.value == ".?")

    def _primary(self) -> Node:
        token = self.next()
        if token.kind == "number":
            return Constant(token.line, int(token.value))
        if token.kind == "text":
            return self._text(token)
        if token.kind == "name":
            return self._word(token)
        brackets = {"(": self._grouped, "[": self._array, "{": self._object}
        if token.kind == "mark" and token.value in brackets:
            return brackets[token.value](token.line)
        raise BicepSyntaxError(token.line, f"an expression is expected, not {token.value or token.kind!a}")

    def _grouped(self, _line: int) -> Node:
        inner = self._inside()
        self.take_mark(")")
        return inner

    def _word(self, token: Token) -> Node:
        if token.value in _WORDS:
            return Constant(token.line, _WORDS[token.value])
        return Call(token.line, token.value, self._arguments()) if self.accept("(") else Name(token.line, token.value)

    def _inside(self) -> Node:
        """Read an expression between brackets, where lines may be broken."""
        self.skip_newlines()
        inner = self.expression()
        self.skip_newlines()
        return inner

    def _arguments(self) -> tuple[Node, ...]:
        found: list[Node] = []
        self.skip_newlines()
        while not self.accept(")"):
            found.append(self._inside())
            if not self.accept(","):
                self.take_mark(")")
                break
            self.skip_newlines()
        return tuple(found)

    def _text(self, token: Token) -> Node:
        if len(token.parts) == 1:
            return Constant(token.line, str(token.parts[0]))
        parts = (part if isinstance(part, str) else self._interpolated(part, token.line) for part in token.parts)
        return Text(token.line, tuple(part for part in parts if part != ""))

    def _interpolated(self, tokens: Sequence[Token], line: int) -> Node:
        within = Expressions([*tokens, Token("end", "", line)])
        inner = within._inside()
        within.take("end")
        return inner

    def _array(self, line: int) -> Node:
        self.skip_newlines()
        if self.accept_name("for"):
            return self._loop(line)
        items: list[Node] = []
        while not self.accept("]"):
            items.append(self.expression())
            self._separator("]")
        return ArrayNode(line, tuple(items))

    def _loop(self, line: int) -> Node:
        index = ""
        if self.accept("("):
            item = self.take("name").value
            self.take_mark(",")
            index = self.take("name").value
            self.take_mark(")")
        else:
            item = self.take("name").value
        if not self.accept_name("in"):
            raise BicepSyntaxError(self.peek().line, "'in' is expected")
        over = self.expression()
        self.take_mark(":")
        self.skip_newlines()
        body = self.body()
        self.skip_newlines()
        self.take_mark("]")
        return Loop(line, item, index, over, body)

    def _object(self, line: int) -> Node:
        properties: list[Property] = []
        self.skip_newlines()
        while not self.accept("}"):
            properties.append(self._property())
            self._separator("}")
        return ObjectNode(line, tuple(properties))

    def _property(self) -> Property:
        token = self.next()
        key: str | Text
        if token.kind == "text":
            node = self._text(token)
            key = node if isinstance(node, Text) else str(node.value)  # type: ignore[attr-defined]
        elif token.kind == "name":
            key = token.value
        else:
            raise BicepSyntaxError(token.line, f"a property is expected, not {token.value or token.kind!a}")
        self.take_mark(":")
        self.skip_newlines()
        return Property(key, self.body(), token.line)

    def _separator(self, closing: str) -> None:
        """Take what parts two items: newlines or a comma, unless the list ends."""
        token = self.peek()
        if token.value == closing and token.kind == "mark":
            return
        if token.kind != "newline" and token.value != ",":
            found = token.value or token.kind
            raise BicepSyntaxError(token.line, f"a new line or {closing!a} is expected, not {found!a}")
        self.skip_newlines()
        self.accept(",")
        self.skip_newlines()
