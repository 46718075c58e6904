"""Cuts a Bicep file into tokens. A string is one token; its interpolations are cut where they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN: Final = re.compile(
    r"(?P<blank>[ \t]+|//[^\n]*|/\*.*?\*/|\#[a-z][^\n]*)"
    r"|(?P<newline>\r?\n)"
    r"|(?P<number>[0-9]+)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<mark>=>|\.\.\.|\.\?|\[\?|\?\?|::|==|!=|=~|!~|<=|>=|&&|\|\||[-+*/%!<>=?:.,@|(){}\[\]])",
    re.DOTALL,
)
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", "$": "$"}
_UNICODE: Final = re.compile(r"u\{([0-9A-Fa-f]{1,6})\}")


class BicepSyntaxError(ValueError):
    """The text is not Bicep; `line` says where."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is number, name, mark, newline, text or end. A text has `parts`: strings, and tokens of expressions."""

    kind: str
    value: str
    line: int
    parts: tuple[str | tuple[Token, ...], ...] = ()


def tokens(text: str) -> list[Token]:
    """Cut a whole file; the last token is of kind `end`. Raises BicepSyntaxError."""
    cutter = _Cutter(text)
    found = list(cutter.cut(until=""))
    return [*found, Token("end", "", cutter.line)]


class _Cutter:
    """Walks through the text, counting lines."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1

    def cut(self, until: str) -> Iterator[Token]:
        """Give tokens up to the end, or up to a closing mark that is not ours when `until` names it."""
        depth, begun = 0, self.line
        while self.at < len(self.text):
            if self.text[self.at] == "'":
                yield self._string()
                continue
            match = _TOKEN.match(self.text, self.at)
            if match is None:
                raise BicepSyntaxError(self.line, f"unexpected character {self.text[self.at]!a}")
            value, kind = match[0], str(match.lastgroup)
            if until and value in "{}":
                depth += 1 if value == "{" else -1
                if depth < 0:
                    self.at += 1
                    return
            self.at = match.end()
            if kind != "blank":
                yield Token(kind, value, self.line)
            self.line += value.count("\n")
        if until:
            raise BicepSyntaxError(begun, "an interpolation is not closed")

    def _string(self) -> Token:
        line = self.line
        if self.text.startswith("'''", self.at):
            return self._long_string(line)
        self.at += 1
        parts: list[str | tuple[Token, ...]] = [""]
        while True:
            character = self.text[self.at : self.at + 1]
            if character in {"", "\n"}:
                raise BicepSyntaxError(line, "a string is not closed")
            if character == "'":
                self.at += 1
                return Token("text", "", line, tuple(parts))
            if self.text.startswith("${", self.at):
                self.at += 2
                parts += [tuple(self.cut(until="}")), ""]
                continue
            taken = self._escape() if character == "\\" else character
            parts[-1] = f"{parts[-1]}{taken}"
            self.at += 1 if character != "\\" else 0

    def _long_string(self, line: int) -> Token:
        end = self.text.find("'''", self.at + 3)
        if end < 0:
            raise BicepSyntaxError(line, "a string of several lines is not closed")
        content = self.text[self.at + 3 : end]
        self.line += content.count("\n")
        self.at = end + 3
        return Token("text", "", line, (content.removeprefix("\n"),))

    def _escape(self) -> str:
        following = self.text[self.at + 1 : self.at + 2]
        unicode = _UNICODE.match(self.text, self.at + 1)
        if unicode:
            self.at = unicode.end()
            return chr(int(unicode[1], 16))
        if following not in _ESCAPES:
            raise BicepSyntaxError(self.line, f"unknown escape \\{following}")
        self.at += 2
        return _ESCAPES[following]
