"""The files that are checked, and what is found in them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kql import catalog
from kql.header import CatalogError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from kql.catalog import Entry, Kind
    from kql.engine import Place


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A defect of a file. `line` and `column` count from 1, as editors do; `code` stays what it is (docs/kql.md)."""

    path: Path
    line: int
    column: int
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.code} {self.message}"


@dataclass(frozen=True, slots=True)
class Source:
    """One file that could be read as the catalog needs it."""

    path: Path
    text: str
    entry: Entry

    def at_field(self, label: str, code: str, message: str) -> Finding:
        """Find something wrong with a line of the comment block: `Columns`, `Parameters`, `Tables`."""
        lines = self.text.splitlines()
        line = next((number for number, line in enumerate(lines, 1) if line.startswith(f"// {label}:")), 1)
        return Finding(self.path, line, 1, code, message)

    def at(self, place: Place | None, code: str, message: str) -> Finding:
        """Find something wrong in the body; with no place, in all of it."""
        if place is None:
            return Finding(self.path, self.entry.body_line, 1, code, message)
        return Finding(self.path, self.entry.body_line + place.line - 1, place.column + 1, code, message)

    def at_offset(self, offset: int, code: str, message: str) -> Finding:
        """Find something wrong at a character of the body."""
        before = self.entry.body[:offset]
        column = offset - (before.rfind("\n") + 1) + 1
        return Finding(self.path, self.entry.body_line + before.count("\n"), column, code, message)


def shipped() -> list[Path]:
    """Give the files of the corpus."""
    return [*sorted((catalog.ROOT / "functions").glob("*.kql")), *sorted((catalog.ROOT / "queries").glob("*.kql"))]


def read(paths: Iterable[Path]) -> tuple[list[Source], list[Finding]]:
    """Read files, and give what is wrong with those that cannot be. Raises OSError where there is no such file."""
    sources: list[Source] = []
    findings: list[Finding] = []
    for path in paths:
        kind: Kind = "function" if path.resolve().parent.name == "functions" else "query"
        try:
            text = path.read_text(encoding="utf-8")
            sources.append(Source(path, text, catalog.parse(path.stem, text, kind)))
        except UnicodeDecodeError as error:
            findings.append(Finding(path, 1, 1, "KQL001", f"is not UTF-8: {error.reason}"))
        except CatalogError as error:
            findings.append(Finding(path, 1, 1, "KQL001", str(error).removeprefix(f"{path.name}: ")))
    names = Counter((source.entry.kind, source.entry.name.casefold()) for source in sources)
    findings += [
        Finding(source.path, 1, 1, "KQL002", f"another file is a {source.entry.kind} of this name")
        for source in sources
        if names[source.entry.kind, source.entry.name.casefold()] > 1
    ]
    return sources, findings
