"""What lint finds: a stable code, how bad it is, where, and what to do. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alerts.model import Rule


class Level(StrEnum):
    """An error fails in Azure or never works; a warning is almost surely not meant; a note is good to know."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that lint found. `place` is `file:line`; `rule` is empty when it is about no single rule."""

    code: str
    level: Level
    place: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.level}: {self.code}: {self.message}"


def error(rule: Rule, setting: str, code: str, message: str) -> Finding:
    """Make an error about a rule's setting."""
    return Finding(code, Level.ERROR, rule.place(setting), rule.name, message)


def warning(rule: Rule, setting: str, code: str, message: str) -> Finding:
    """Make a warning about a rule's setting."""
    return Finding(code, Level.WARNING, rule.place(setting), rule.name, message)


def note(rule: Rule, setting: str, code: str, message: str) -> Finding:
    """Make a note about a rule's setting."""
    return Finding(code, Level.NOTE, rule.place(setting), rule.name, message)
