"""The workbooks that a dashboard shows, and where their pages are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from workbooks import parse
from workbooks.layout import Layout, layout_of

if TYPE_CHECKING:
    from collections.abc import Iterable

SHIPPED: Final = Path(__file__).resolve().parent.parent
ORDER: Final = ("fleet", "container-group", "reverse-dns", "pipeline")
"""The order of the shipped ones; others follow by name."""
_TITLES: Final = {"reverse-dns": "Reverse DNS and links"}
OPENED: Final = ".open"
"""The key of an address under which the groups stand that were unfolded; no parameter begins with a dot."""
Chosen = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Shelf:
    """Workbooks by name, in the order in which they are shown."""

    books: Mapping[str, Layout] = field(default_factory=dict)

    def find(self, template: str) -> str | None:
        """Give the name of the workbook that a link's template id means: its last part, in any case."""
        wanted = template.rstrip("/").rsplit("/", 1)[-1].removesuffix(".workbook").lower()
        return next((name for name in self.books if name.lower() == wanted), None)

    def url(self, template: str, parameters: Chosen) -> str | None:
        """Give the address of the page that a link leads to, None for a workbook that is not here."""
        name = self.find(template)
        return None if name is None else page_url(name, parameters)


def shipped() -> list[Path]:
    """Give the files of the workbooks that ship, in their order."""
    files = {path.name.removesuffix(".workbook"): path for path in SHIPPED.glob("*.workbook")}
    first = [files[name] for name in ORDER if name in files]
    return first + [path for name, path in sorted(files.items()) if name not in ORDER]


def load(paths: Iterable[Path]) -> Shelf:
    """Read workbooks. Raises workbooks.parse.WorkbookError for a file that holds none."""
    books: dict[str, Layout] = {}
    for path in paths:
        for parsed in parse.load(path):
            name = _free(parsed.workbook.name or path.stem, books)
            books[name] = layout_of(parsed.workbook)
    return Shelf(books)


def _free(name: str, taken: Mapping[str, object]) -> str:
    wanted, number = name.replace("/", "-"), 2
    while wanted in taken:
        wanted, number = f"{name}-{number}", number + 1
    return wanted


def title_of(name: str) -> str:
    """Give a workbook's name as a heading: `container-group` is "Container group"."""
    words = name.replace("-", " ").replace("_", " ").strip()
    return _TITLES.get(name) or words[:1].upper() + words[1:]


def page_url(name: str, chosen: Chosen, suffix: str = "") -> str:
    """Give a page's address with what is chosen on it."""
    asked = urlencode({key: list(values) for key, values in chosen.items()}, doseq=True)
    return f"/w/{quote(name, safe='')}{suffix}" + (f"?{asked}" if asked else "")
