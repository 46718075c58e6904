"""Reads single settings out of a mapping. Every check notes its reason and goes on: one run reports them all."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, TypeVar

from core.errors import Reason

Choice = TypeVar("Choice", bound=StrEnum)
ReadFile = Callable[[str], str]
_URL = re.compile(r"https://[A-Za-z0-9.\-\[\]:]+(?:/[A-Za-z0-9._~/\-]*)?", re.ASCII)
_YES: Final = frozenset({"1", "true", "yes", "on"})
_NO: Final = frozenset({"0", "false", "no", "off"})


class EnvironmentReader:
    """Gives values, or harmless stand-ins after noting in `reasons` why there is none."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.reasons: list[Reason] = []

    def reject(self, name: str, message: str) -> None:
        """Note a reason."""
        self.reasons.append(Reason(name, message))

    def text(self, name: str) -> str:
        """Read a text, blanks around it dropped; empty when it is not set."""
        return self.environment.get(name, "").strip()

    def text_or_file(self, name: str, file_name: str, read_file: ReadFile) -> tuple[str, str] | None:
        """Read a text from a variable or from the file that another names: the text and its source; None on a reason.

        The text is empty when neither is set.
        """
        text, path = self.environment.get(name, ""), self.environment.get(file_name, "")
        if text.strip() and path:
            self.reject(file_name, f"{name} is set too; set one of the two")
            return None
        if not path:
            return text, name
        try:
            return read_file(path), f"{file_name} ({path})"
        except (OSError, UnicodeDecodeError) as error:
            self.reject(file_name, f"cannot be read: {error}")
            return None

    def url(self, name: str) -> str | None:
        """Read an https URL, without its trailing slash."""
        return self.matching(name, _URL, "an https URL")

    def matching(self, name: str, pattern: re.Pattern[str], what: str) -> str | None:
        """Read a text that the whole of the pattern must match; `what` says in words what is expected."""
        text = self.text(name)
        if text and not pattern.fullmatch(text):
            self.reject(name, f"{what} is expected, not {text[:100]!a}")
            return None
        return text.rstrip("/") or None

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """Read a number between two others."""
        text = self.text(name)
        if not text:
            return default
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            self.reject(name, f"a number between {low:g} and {high:g} is expected, not {text[:50]!a}")
            return default
        return value

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """Read a whole number between two others."""
        value = self.number(name, default, low, high)
        if value != int(value):
            self.reject(name, f"a whole number is expected, not {value:g}")
        return int(value)

    def flag(self, name: str, default: bool) -> bool:
        """Read yes or no."""
        text = self.text(name).lower()
        if text and text not in _YES | _NO:
            self.reject(name, f"yes or no is expected, not {text[:50]!a}")
        return text in _YES if text in _YES | _NO else default

    def choice(self, name: str, kind: type[Choice], default: Choice) -> Choice:
        """Read one of an enumeration's values."""
        text = self.text(name).lower()
        try:
            return kind(text) if text else default
        except ValueError:
            self.reject(name, f"one of {', '.join(kind)} is expected, not {text[:50]!a}")
            return default

    def items(self, name: str) -> list[str]:
        """Read a list: items between commas, semicolons or blanks."""
        return [item for item in re.split(r"[,;\s]+", self.text(name)) if item]
