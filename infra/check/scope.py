"""What names stand for while a file is evaluated, and to whom problems are reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from infra.check.nodes import Document
    from infra.check.values import Value

Report = Callable[[int, str, str], None]
"""Takes a line, a code and a message."""


@dataclass(slots=True)
class Scope:
    """What names stand for in one instance of a file. `locals` are loop variables and parameters of lambdas."""

    document: Document
    folder: Path
    parameters: dict[str, Value]
    report: Report
    modules: dict[str, Value] = field(default_factory=dict)
    locals: dict[str, Value] = field(default_factory=dict)
    variables: dict[str, Value] = field(default_factory=dict)
    evaluating: list[str] = field(default_factory=list)

    def inside(self, names: dict[str, Value]) -> Scope:
        """Give the scope within a loop or lambda; what is shared stays shared."""
        return Scope(
            self.document,
            self.folder,
            self.parameters,
            self.report,
            self.modules,
            {**self.locals, **names},
            self.variables,
            self.evaluating,
        )
