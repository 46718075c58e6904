"""The little of KQL's lexical grammar that decides whether a value may stand somewhere: strings, comments, literals.

The lexers of the workspace and of the local engine differ in details (what ends a comment, which string forms there
are). Where they do, this one is strict: a value that only one of them would keep together is not let in at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

_UNIT: Final = (
    r"(?:d|days?|h|hrs?|hours?|m|min|minutes?|s|sec|seconds?|ms|millis|milliseconds?|micros?|microseconds?|ticks?)"
)
_TOKEN: Final = re.compile(
    rf"""
      (?P<comment>//[^\r\n]*)
    | (?P<fence>```.*?```|~~~.*?~~~)
    | (?P<string>[hH]?@'(?:[^'\r\n]|'')*' | [hH]?@"(?:[^"\r\n]|"")*"
               | [hH]?'(?:[^'\\\r\n]|\\[^\r\n])*' | [hH]?"(?:[^"\\\r\n]|\\[^\r\n])*")
    | (?P<literal>\bdatetime\(\s*[0-9][0-9TZ:.+\- ]*\) | \b(?:true|false)\b
                | (?<!\w)(?:(?<!\.)|(?<=\.\.))
                  (?:0[xX][0-9a-fA-F]+|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+|{_UNIT})?)(?!\w))
    | (?P<name>[^\W\d]\w*|\d\w*)
    | (?P<space>\s+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_OPENED: Final = re.compile(r"[hH]?(@?['\"]|```|~~~)")
_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Characters that end a line for one lexer and not for another, or that no string may hold."""


class Mode(Enum):
    """What kind of text a place in a query is."""

    CODE = "between the query's words"
    SINGLE = "in '…'"
    DOUBLE = 'in "…"'
    VERBATIM_SINGLE = "in @'…'"
    VERBATIM_DOUBLE = 'in @"…"'
    FENCE = "in a multi-line string"
    COMMENT = "in a comment"


_OPENERS: Final = {
    "'": Mode.SINGLE,
    '"': Mode.DOUBLE,
    "@'": Mode.VERBATIM_SINGLE,
    '@"': Mode.VERBATIM_DOUBLE,
    "```": Mode.FENCE,
    "~~~": Mode.FENCE,
}


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its kind (comment, fence, string, literal, name, space, other) and where it stands."""

    kind: str
    start: int
    end: int
    text: str


def tokens(text: str) -> list[Token]:
    """Cut a query into tokens; they cover it without gaps."""
    return [Token(str(m.lastgroup), m.start(), m.end(), m.group()) for m in _TOKEN.finditer(text)]


def mode_at_end(text: str) -> Mode:
    """Say what text would be that follows this beginning of a query."""
    position = 0
    while position < len(text):
        opened = _OPENED.match(text, position)
        token = _TOKEN.match(text, position)
        if token is None:  # pragma: no cover - the last alternative takes any character
            return Mode.CODE
        if token.lastgroup == "comment" and token.end() == len(text):
            return Mode.COMMENT
        if opened and token.lastgroup not in {"string", "fence"} and _stays_open(opened[1], text[opened.end() :]):
            return _OPENERS[opened[1]]
        position = token.end()
    return Mode.CODE


def _stays_open(opener: str, rest: str) -> bool:
    """Say whether a string that began before `rest` goes on to its end; a line break ends all but fences."""
    return len(opener) > 2 or not re.search(r"[\r\n]", rest)  # noqa: PLR2004 - a fence has three characters


def forbidden(value: str) -> str:
    """Give the first character of a value that may stand nowhere in a query, or ""."""
    found = _FORBIDDEN.search(value)
    return found.group() if found else ""


def escaped(value: str, quote: str) -> str:
    """Write a value as it stands between `quote`s of a plain string."""
    text = value.replace("\\", "\\\\").replace(quote, "\\" + quote)
    return text.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")


def is_operands(inside: list[Token]) -> bool:
    """Say whether tokens are nothing, one literal, or literals with commas between; a number may have a sign."""
    words = [token for token in inside if token.kind != "space"]
    expects = True
    for index, token in enumerate(words):
        signed = token.text in {"+", "-"} and index + 1 < len(words) and words[index + 1].text[:1].isdigit()
        if expects and signed and token.end == words[index + 1].start:
            continue
        if expects != (token.kind in {"string", "literal"}) or not (expects or token.text == ","):
            return False
        expects = not expects
    return not words or not expects
