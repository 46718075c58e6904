"""Puts parameter values into texts and queries.

Into a text goes what the parameter says. A query is different: workbooks substitute text, so whoever chooses a value
(with an address, a cell of a grid, a name in an event) could write the query. Therefore a value is

- put in as it is only where its text is the author's own (an option that the workbook lists, a default, a tab), or is
  made by us (times);
- otherwise written so that it stays inside the string that it stands in, whatever that is quoted with;
- outside of strings let in only if it is literals: one, or several with commas between.

Whatever was put in, the finished query is read once more: every value that is not the author's must lie inside one
string, or be whole literals of its own. If not, the query is not run. docs/decisions/0012 says why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from workbooks.substitute_format import UnknownSpecifierError, Value, formatted
from workbooks.substitute_lexer import Mode, Token, escaped, forbidden, is_operands, mode_at_end, tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

NAME: Final = r"[_a-zA-Z\xA0-\uFFFF][_a-zA-Z0-9\xA0-\uFFFF]*"
_SPECIFIER: Final = r"[_a-zA-Z0-9\xA0-\uFFFF\-$@.\[\]*?()<>=,:'\"]*"
REFERENCE: Final = re.compile(rf"\{{({NAME})(?::({_SPECIFIER}))?\}}")
UNSET: Final = "<unset>"
"""What a text shows for a parameter that has no value yet, as in the portal."""
MAX_QUERY: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Reference:
    """One `{name:specifier}` in a text, from `start` to `end`."""

    name: str
    specifier: str
    start: int
    end: int


def references(template: str) -> tuple[Reference, ...]:
    """Give everything in a text that is written as a parameter, declared or not."""
    return tuple(Reference(m[1], m[2] or "", m.start(), m.end()) for m in REFERENCE.finditer(template))


class SubstitutionError(ValueError):
    """A value that cannot be put into a query.

    `kind`: `unset` waits for a value, `unsafe` would let the value change the query, `specifier` does not exist.
    """

    def __init__(self, kind: Literal["unset", "unsafe", "specifier"], name: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.name = name


@dataclass(frozen=True, slots=True)
class Scope:
    """What an item sees: every declared name with its value, or None while it has none. `now` ends relative times."""

    values: Mapping[str, Value | None]
    now: datetime

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def get(self, name: str) -> Value | None:
        """Give a parameter's value; None when it has none or is not declared here."""
        return self.values.get(name)

    def text(self, template: str, escape: Callable[[str], str] = str) -> str:
        """Give a text with its values. See `substitute_text`."""
        return substitute_text(template, self, escape)

    def kql(self, template: str) -> str:
        """Give a query with its values. See `substitute_kql`."""
        return substitute_kql(template, self)


def substitute_text(template: str, scope: Scope, escape: Callable[[str], str] = str) -> str:
    """Put values into a text for people. What is not declared stays as it is.

    `escape` is applied to what is not the author's own, so that a caller can keep it from being markup.
    """

    def put(match: re.Match[str]) -> str:
        if match[1] not in scope:
            return match[0]
        value = scope.get(match[1])
        if value is None:
            return escape(UNSET)
        try:
            text = formatted(value, match[2] or "", scope.now, kql=False)
        except UnknownSpecifierError:
            return match[0]
        return text if value.trusted or value.time is not None else escape(text)

    return REFERENCE.sub(put, template)


@dataclass(slots=True)
class _Building:
    """A query as far as it is written, and where foreign values stand in it."""

    text: str = ""
    holes: list[tuple[Reference, int, int, Mode]] = field(default_factory=list)


def substitute_kql(template: str, scope: Scope) -> str:
    """Put values into a query. What is not declared stays as it is. Raises SubstitutionError."""
    building, position = _Building(), 0
    for reference in references(template):
        if reference.name not in scope:
            continue
        building.text += template[position : reference.start]
        position = reference.end
        value = scope.get(reference.name)
        if value is None:
            raise SubstitutionError("unset", reference.name, f"waits for a value of {reference.name}")
        try:
            text = formatted(value, reference.specifier, scope.now, kql=True)
        except UnknownSpecifierError as error:
            raise SubstitutionError("specifier", reference.name, f"{{{reference.name}}}: {error}") from error
        if not (value.trusted or value.time is not None):
            text = _foreign(building, reference, text)
        building.text += text
        if len(building.text) > MAX_QUERY:
            raise SubstitutionError("unsafe", reference.name, f"the query is longer than {MAX_QUERY} characters")
    building.text += template[position:]
    _verify(building)
    return building.text


def _foreign(building: _Building, reference: Reference, text: str) -> str:
    """Write a value that is not the author's for the place where it comes to stand."""
    bad = forbidden(text)
    if bad:
        raise _unsafe(reference, f"it holds the character U+{ord(bad):04X}, which no query may hold")
    mode = mode_at_end(building.text)
    if mode in {Mode.SINGLE, Mode.DOUBLE}:
        before = building.text
        if (len(before) - len(before.rstrip("\\"))) % 2:
            raise _unsafe(reference, "a backslash stands right before it")
        text = escaped(text, "'" if mode is Mode.SINGLE else '"')
    elif mode in {Mode.VERBATIM_SINGLE, Mode.VERBATIM_DOUBLE}:
        if re.search(r"[\r\n]", text):
            raise _unsafe(reference, f"it has more than one line, and stands {mode.value}")
        quote = "'" if mode is Mode.VERBATIM_SINGLE else '"'
        text = text.replace(quote, quote * 2)
    elif mode is Mode.COMMENT:
        text = re.sub(r"[\r\n]+", " ", text)
    elif mode is Mode.FENCE:
        raise _unsafe(reference, f"it stands {mode.value}, where nothing can be escaped")
    start = len(building.text)
    building.holes.append((reference, start, start + len(text), mode))
    return text


def _verify(building: _Building) -> None:
    """Read the finished query: every foreign value must lie inside one string or comment, or be literals."""
    if not building.holes:
        return
    read = tokens(building.text)
    for reference, start, end, mode in building.holes:
        around = [token for token in read if token.start < end and token.end > start]
        if mode is Mode.CODE:
            _verify_code(reference, around, read, start, end)
        elif start == end:
            continue
        elif len(around) != 1 or not _encloses(around[0], mode, start, end):
            raise _unsafe(reference, f"it does not stay {mode.value}")


def _encloses(token: Token, mode: Mode, start: int, end: int) -> bool:
    if mode is Mode.COMMENT:
        return token.kind == "comment" and token.start < start
    return token.kind == "string" and token.start < start and end < token.end


def _verify_code(reference: Reference, inside: list[Token], read: list[Token], start: int, end: int) -> None:
    edges = {token.start for token in read} | {token.end for token in read}
    whole = {start, end} <= edges and all(start <= token.start and token.end <= end for token in inside)
    if not whole or not is_operands(inside) or _touches(read, start, end):
        message = (
            "outside of quotes only a number, a timespan, true, false, a datetime or quoted texts may stand; "
            "put quotes around it in the workbook, or list its options there"
        )
        raise _unsafe(reference, message)


def _touches(read: list[Token], start: int, end: int) -> bool:
    """Say whether a name, literal or string stands right beside the value, so that it may become a part of it."""
    word = {"name", "literal", "string", "fence"}
    return any(token.kind in word for token in read if token.end == start or (token.start == end and start != end))


def _unsafe(reference: Reference, why: str) -> SubstitutionError:
    return SubstitutionError(
        "unsafe", reference.name, f"the value of {reference.name} is not put into the query: {why}"
    )
