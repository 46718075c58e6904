"""Reads JSON that was written by hand and by many versions of the portal: takes much, and says exactly what it took.

A Reader walks one object. Each property is asked for by its type; a value of a neighbouring type is converted and told,
one of a wrong type is told and left at its default, and one that nobody asked for is told by `done`.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from workbooks.model import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PLAIN_KEY: Final = re.compile(r"[A-Za-z_$][\w$-]*\Z")
MAX_DIGITS: Final = 400


class Duplicated(dict[str, Any]):
    """An object in which a key stood twice; the last one counts, as in the portal."""

    duplicates: tuple[str, ...] = ()


def object_of(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object that remembers which keys stood in it twice (json's object_pairs_hook)."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    doubled = Duplicated(found)
    doubled.duplicates = tuple(sorted({name for name in names if names.count(name) > 1}))
    return doubled


def decode(text: str) -> Any:
    """Give a JSON text's value. Raises ValueError (also for nesting that is too deep)."""
    try:
        return json.loads(text, strict=False, object_pairs_hook=object_of, parse_constant=lambda _: None)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def step(path: str, key: str | int) -> str:
    """Give the JSON path one step further down."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if _PLAIN_KEY.match(key) else f"{path}[{json.dumps(key)}]"


def as_text(value: Any) -> str | None:
    """Give a scalar as the text that it would be substituted as; None for null, an object or a list."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if -(10**MAX_DIGITS) < value < 10**MAX_DIGITS else None
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)  # noqa: PLR2004 - exact so far
    return value if isinstance(value, str) else None


@dataclass(slots=True)
class Reader:
    """One JSON object at `path`; what there is to tell goes to `findings`."""

    value: dict[str, Any]
    path: str
    findings: list[Finding]
    _read: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        if isinstance(self.value, Duplicated):
            for key in self.value.duplicates:
                self.tell("duplicate-key", f"stands twice; the last one counts: {key!r}", at=key)

    def __contains__(self, key: str) -> bool:
        return self.value.get(key) is not None

    def at(self, key: str | int) -> str:
        """Give the path of a property."""
        return step(self.path, key)

    def tell(self, code: str, message: str, *, at: str = "", severity: Severity = Severity.WARNING) -> None:
        """Add a finding about this object, or about its property `at`."""
        self.findings.append(Finding(self.at(at) if at else self.path, code, message, severity))

    def raw(self, key: str) -> Any:
        """Take a property as it is."""
        self._read.add(key)
        return self.value.get(key)

    def ignore(self, *keys: str) -> None:
        """Take properties that are understood and change nothing here."""
        self._read.update(keys)

    def text(self, key: str, default: str = "") -> str:
        """Take a text; a number or a boolean is converted."""
        value = self.raw(key)
        if value is None:
            return default
        text = as_text(value)
        if text is None:
            self._wrong(key, "a text", value)
            return default
        if not isinstance(value, str):
            self.tell("converted", f"a text was expected, {text} is one now", at=key, severity=Severity.INFO)
        return text

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Take a boolean; 0, 1, "true" and "false" are converted."""
        value = self.raw(key)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        words = {"true": True, "1": True, "false": False, "0": False, "": default}
        word = (as_text(value) or "?").strip().lower() if value != "" else ""
        if word in words:
            self.tell("converted", f"true or false was expected, not {value!r}", at=key, severity=Severity.INFO)
            return words[word]
        self._wrong(key, "true or false", value)
        return default

    def number(self, key: str) -> float | None:
        """Take a number, or None where there is none; a text that is one is converted."""
        value = self.raw(key)
        if value is None or value == "":
            return None
        if not isinstance(value, bool):
            try:
                number = float(value)
            except (TypeError, ValueError, OverflowError):
                number = math.nan
            if math.isfinite(number):
                if isinstance(value, str):
                    self.tell(
                        "converted", f"a number was expected, not a text: {value!r}", at=key, severity=Severity.INFO
                    )
                return number
        self._wrong(key, "a number", value)
        return None

    def integer(self, key: str, default: int = 0) -> int:
        """Take a whole number."""
        number = self.number(key)
        return default if number is None else int(number)

    def texts(self, key: str) -> tuple[str, ...]:
        """Take a list of texts; a single one counts as a list of one, null and empty ones are left out."""
        value = self.raw(key)
        if value is None:
            return ()
        members = value if isinstance(value, list) else [value]
        found = []
        for index, member in enumerate(members):
            text = as_text(member)
            if text:
                found.append(text)
            elif text is None and member is not None:
                self._wrong(key, "a text", member, index if isinstance(value, list) else None)
        return tuple(found)

    def child(self, key: str) -> Reader | None:
        """Take an object; also one that stands in a text."""
        value = self._unpacked(key)
        if value is None or isinstance(value, dict):
            return None if value is None else Reader(value, self.at(key), self.findings)
        if value not in ("", []):
            self._wrong(key, "an object", value)
        return None

    def children(self, key: str) -> Iterator[Reader]:
        """Take a list of objects; a single one counts as a list of one, anything else in it is told and left out."""
        value = self._unpacked(key)
        if value is None or value == "":
            return
        if isinstance(value, dict):
            yield Reader(value, self.at(key), self.findings)
            return
        if not isinstance(value, list):
            self._wrong(key, "a list", value)
            return
        for index, member in enumerate(value):
            if isinstance(member, dict):
                yield Reader(member, step(self.at(key), index), self.findings)
            else:
                self._wrong(key, "an object", member, index)

    def mapping(self, key: str) -> dict[str, Any]:
        """Take an object whose inside is somebody else's matter."""
        child = self.child(key)
        return child.value if child else {}

    def done(self) -> None:
        """Tell every property that nobody asked for."""
        for key in self.value:
            if key not in self._read:
                self.tell("unknown-property", f"the property {key!r} is not understood and has no effect here", at=key)

    def _unpacked(self, key: str) -> Any:
        value = self.raw(key)
        if not isinstance(value, str) or value.strip()[:1] not in {"{", "["}:
            return value
        try:
            unpacked = decode(value)
        except ValueError:
            return value
        self.tell("converted", "JSON stands in a text and was read from there", at=key, severity=Severity.INFO)
        return unpacked

    def _wrong(self, key: str, wanted: str, value: Any, index: int | None = None) -> None:
        shown = {dict: "an object", list: "a list", type(None): "null"}.get(type(value)) or repr(value)[:40]
        path = self.at(key) if index is None else step(self.at(key), index)
        self.findings.append(Finding(path, "wrong-type", f"{wanted} was expected, not {shown}; it has no effect here"))
