"""A place in a list of tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.check.lexer import BicepSyntaxError, Token

if TYPE_CHECKING:
    from collections.abc import Sequence


class Cursor:
    """A place in a list of tokens."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def peek(self, ahead: int = 0) -> Token:
        """Look at a token without taking it."""
        return self._tokens[min(self._at + ahead, len(self._tokens) - 1)]

    def next(self) -> Token:
        """Take a token."""
        token = self.peek()
        self._at += 1
        return token

    def take(self, kind: str) -> Token:
        """Take a token of a kind; raises BicepSyntaxError for any other."""
        token = self.next()
        if token.kind != kind:
            raise BicepSyntaxError(token.line, f"a {kind} is expected, not {token.value or token.kind!a}")
        return token

    def take_mark(self, mark: str) -> Token:
        """Take a punctuation mark; raises BicepSyntaxError for anything else."""
        token = self.next()
        if token.kind != "mark" or token.value != mark:
            raise BicepSyntaxError(token.line, f"{mark!a} is expected, not {token.value or token.kind!a}")
        return token

    def accept(self, *marks: str) -> Token | None:
        """Take one of these marks if it comes next."""
        return self.next() if self.peek().kind == "mark" and self.peek().value in marks else None

    def accept_name(self, word: str) -> bool:
        """Take a word if it comes next."""
        if self.peek().kind == "name" and self.peek().value == word:
            self._at += 1
            return True
        return False

    def skip_newlines(self) -> None:
        """Go on to the next token that is no newline."""
        while self.peek().kind == "newline":
            self._at += 1
