"""Takes settings out of a YAML mapping, one by one, and says everything that is wrong with them at once."""

from __future__ import annotations

import difflib
import math
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from alerts.yaml_source import Path, Source

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
_WORDS = {str: "text", int: "a whole number", bool: "true or false", dict: "a mapping", list: "a list"}


class Fields:
    """The settings of one mapping in a document. Each method takes one; `done` complains about what is left.

    `defaults` stand for the settings that the mapping does not have.
    """

    def __init__(self, source: Source, path: Path = (), defaults: Mapping[str, Any] | None = None) -> None:
        self.source = source
        self.path = path
        value: Any = source.value
        for part in path:
            value = value[part]
        self.is_mapping = isinstance(value, dict)
        self._left: dict[str, Any] = {**(defaults or {}), **value} if self.is_mapping else {}
        self._known: list[str] = []
        if not self.is_mapping:
            source.complain(path, "must be a mapping (setting: value)")

    def complain(self, key: str, message: str) -> None:
        """Note that one setting is wrong."""
        self.source.complain((*self.path, key) if key else self.path, message)

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def names(self) -> list[str]:
        """Give the settings that nobody has taken yet."""
        return list(self._left)

    def know(self, names: Iterable[str]) -> None:
        """Count these as settings that there are, for what `done` says."""
        self._known += names

    def take(self, key: str, *, required: bool = False) -> Any:
        """Take a setting as it is written; None when it is not."""
        self._known.append(key)
        value = self._left.pop(key, None)
        if value is None and required and self.is_mapping:
            self.complain(key, "is missing")
        return value

    def typed(self, key: str, kind: type[T], default: T, *, required: bool = False) -> T:
        """Take a setting of one type; a wrong one is noted and the default given."""
        value = self.take(key, required=required)
        if value is None:
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.complain(key, f"must be {_WORDS[kind]}, not {value!r}")
            return default
        return value

    def text(self, key: str, *, required: bool = False) -> str:
        """Take a text; surrounding blanks are dropped, and an empty one that is required is noted."""
        value = self.take(key, required=required)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.complain(key, f"must be text, not {value!r}")
            return ""
        if required and not value.strip():
            self.complain(key, "is empty")
        return value.strip()

    def number(self, key: str, default: float = 0.0, *, required: bool = False) -> float:
        """Take a number."""
        value = self.take(key, required=required)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.complain(key, f"must be a number, not {value!r}")
            return default
        if not math.isfinite(value):
            self.complain(key, "must be a finite number")
            return default
        return float(value)

    def choice(self, key: str, options: type[E], default: E, *, required: bool = False) -> E:
        """Take one of an enumeration's values."""
        value = self.take(key, required=required)
        if value is None:
            return default
        found = next((option for option in options if option.value == value), None)
        if found is None:
            self.complain(key, f"must be one of {', '.join(options)}, not {value!r}")
        return found or default

    def read(self, key: str, reader: Callable[[str], T], default: T, *, required: bool = False) -> T:
        """Take a text and read it; the reader raises ValueError with what is wrong."""
        value = self.take(key, required=required)
        return default if value is None else self.as_read(key, value, reader, default)

    def as_read(self, key: str, value: Any, reader: Callable[[str], T], default: T) -> T:
        """Read a setting's value; what the reader cannot read is noted and the default given."""
        try:
            return reader(str(value))
        except ValueError as error:
            self.complain(key, str(error))
            return default

    def texts(self, key: str) -> Mapping[str, str]:
        """Take a mapping of text to text; numbers and booleans are written as YAML has them."""
        found: dict[str, str] = {}
        for name, value in self.typed(key, dict, {}).items():
            if isinstance(value, dict | list) or value is None:
                self.source.complain((*self.path, key, name), f"must be text, not {value!r}")
            else:
                found[str(name)] = str(value).lower() if isinstance(value, bool) else str(value)
        return found

    def list_of(self, key: str, *, required: bool = False) -> list[tuple[Path, Any]]:
        """Take a list: each item with its path."""
        items = self.typed(key, list, [], required=required)
        return [((*self.path, key, index), item) for index, item in enumerate(items)]

    def done(self) -> None:
        """Complain about every setting that nobody took."""
        for key in self._left:
            self.complain(key, f"is not known{did_you_mean(key, self._known)}")


def did_you_mean(word: str, known: Collection[str]) -> str:
    """Give `; did you mean 'x'?` where a known word is close, or which ones there are."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(sorted(set(known)))}"
