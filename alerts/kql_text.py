"""What a query's text says, without strings and comments: its operators, calls, and the functions it reaches. Pure."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HIDDEN: Final = re.compile(
    r"//[^\n]*"
    r"|```.*?```"
    r"|[hH]?@'(?:[^']|'')*'|[hH]?@\"(?:[^\"]|\"\")*\""
    r"|[hH]?'(?:[^'\\\n]|\\.)*'|[hH]?\"(?:[^\"\\\n]|\\.)*\"",
    re.DOTALL,
)
_OPERATOR: Final = re.compile(r"\|\s*([a-z][a-z-]*)")
_FIRST: Final = re.compile(r"(?:^|[;(])\s*(search|union|print|range|find)\b")
_CALL: Final = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
_WORD: Final = re.compile(r"[A-Za-z_]\w*")
_AGO: Final = re.compile(r"\bago\s*\(\s*([^()]*?)\s*\)")
_TIMESPAN: Final = re.compile(r"(\d+(?:\.\d+)?)(d|h|m|s|ms)|time\((\d+(?:\.\d+)?)(d|h|m|s|ms)\)|\d+")
_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds"}


def bare(text: str) -> str:
    """Give the text with every comment and every string's content blanked; lines and columns stay."""
    return _HIDDEN.sub(lambda found: re.sub(r"[^\n]", " ", found.group(0)), text)


def operators(text: str) -> frozenset[str]:
    """Name the operators that a text uses, those at its beginning included."""
    plain = bare(text)
    return frozenset(_OPERATOR.findall(plain)) | frozenset(_FIRST.findall(plain))


def calls(text: str) -> frozenset[str]:
    """Name what a text calls, or looks as if it did: `name(`."""
    return frozenset(_CALL.findall(bare(text)))


def words(text: str) -> frozenset[str]:
    """Give every identifier of a text."""
    return frozenset(_WORD.findall(bare(text)))


def reached(text: str, functions: Mapping[str, str]) -> list[str]:
    """Name the functions (name -> body) that a text calls, and those that they call, in order of names."""
    found: set[str] = set()
    waiting = [text]
    while waiting:
        new = (calls(waiting.pop()) & functions.keys()) - found
        found |= new
        waiting += [functions[name] for name in new]
    return sorted(found)


def look_backs(text: str) -> Iterator[timedelta | str]:
    """Give what each ago() of a text looks back: a length of time, or the text of what is no literal."""
    for argument in _AGO.findall(bare(text)):
        found = _TIMESPAN.fullmatch(argument)
        if not found:
            yield argument
        elif found[2] or found[4]:
            yield timedelta(**{_UNITS[found[2] or found[4]]: float(found[1] or found[3])})
        else:
            yield timedelta(days=int(argument))


def counts_only(text: str) -> bool:
    """Tell whether a text ends in `count` or in `summarize` without `by`, so that its answer is always one row."""
    last = bare(text).rstrip("; \n\t").rpartition("|")[2].split()
    return last[:1] == ["count"] or (last[:1] == ["summarize"] and "by" not in last)
