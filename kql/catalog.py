"""The KQL that ships: workspace functions and queries, one file each, with a comment block that says what they answer.

A file begins with `//` lines. The first is `// Name: what it answers`; `// Parameters:` and `// Columns:` follow. A
function's parameters are written as Log Analytics takes them (`last:timespan=1d, top:long=10`), or `none`. The same
text is deployed as a saved search, run locally, and tested.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent
_HEADER: Final = re.compile(r"(?:\s*//[^\n]*(?:\n|$))+")
_PARAMETERS: Final = re.compile(r"^// Parameters:\s*(.*?)\s*$", re.MULTILINE)


class CatalogError(ValueError):
    """A .kql file that is not written as the catalog needs it, or that does not exist."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file. `name` is the file's, `summary` its first line, `body` the KQL below the comment block."""

    name: str
    summary: str
    parameters: str
    body: str

    @property
    def definition(self) -> str:
        """The function as Kusto defines it: `function Name(parameters) { body }`."""
        return f"function {self.name}({self.parameters}) {{\n{self.body}\n}}"


@cache
def functions() -> dict[str, Entry]:
    """Give every workspace function, by name."""
    return _read("functions")


@cache
def queries() -> dict[str, Entry]:
    """Give every query, by name."""
    return _read("queries")


def query(name: str) -> str:
    """Give the text of a query. Raises CatalogError when there is none of that name."""
    known = queries()
    if name not in known:
        raise CatalogError(f"no query {name!r} in kql/queries; there are {', '.join(sorted(known))}")
    return known[name].body


def parse(name: str, text: str) -> Entry:
    """Read one file's text. Raises CatalogError when its comment block is not what it must be."""
    header = _HEADER.match(text)
    first = header.group(0).strip().splitlines()[0] if header else ""
    opening = f"// {name}: "
    if header is None or not first.startswith(opening):
        raise CatalogError(f"{name}.kql: the first line must be '{opening}<what it answers>'")
    parameters = _PARAMETERS.search(header.group(0))
    if parameters is None:
        raise CatalogError(f"{name}.kql: the comment block needs a line '// Parameters: none' or with the parameters")
    stated = "" if parameters.group(1) == "none" else parameters.group(1)
    return Entry(name, first.removeprefix(opening), stated, text[header.end() :].strip())


def _read(folder: str) -> dict[str, Entry]:
    files = sorted((ROOT / folder).glob("*.kql"))
    return {file.stem: parse(file.stem, file.read_text(encoding="utf-8")) for file in files}
