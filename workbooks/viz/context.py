"""What drawing needs beside settings and results: the parameters' texts, where links lead, and badges to collect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from workbooks.viz.html import Html, tag

PORTAL: Final = "https://portal.azure.com"


def _as_written(template: str) -> str:
    return template


Values = Mapping[str, tuple[str, ...]]
"""Values of parameters by name, as an address holds them."""


def _nowhere(_target: str, _parameters: Values) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Badge:
    """Something that is not drawn, or not as in the portal: where in the workbook, and what."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class RenderContext:
    """One item on a page. `text` substitutes parameters in a text; `local` is the time zone of times that are not UTC.

    `workbook_url(template, parameters)` gives the address of another workbook, None where it cannot be opened here, and
    `values()` the parameters that the item sees, to hand over.
    `export_url(choices)` gives this page's with something chosen; None on a page that cannot be changed. Choices are by
    key: `key(name)` gives the one of a parameter that this item sets. `chosen` holds those of the page, `time` is the
    item's range (first and last instant), None where its query decides.
    """

    text: Callable[[str], str] = _as_written
    local: tzinfo = UTC
    workbook_url: Callable[[str, Values], str | None] = _nowhere
    values: Callable[[], Values] = dict
    export_url: Callable[[Mapping[str, str]], str] | None = None
    key: Callable[[str], str] = _as_written
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    time: tuple[datetime, datetime] | None = None
    portal: str = PORTAL
    badges: list[Badge] = field(default_factory=list)

    def badge(self, path: str, message: str) -> None:
        """Note that something is not drawn: the item's badges say so once, below it."""
        found = Badge(path, message)
        if found not in self.badges:
            self.badges.append(found)


def badge(found: Badge) -> Html:
    """Give a badge: honest, small, with the JSON path for who wants to look."""
    return tag("span", [f"not rendered: {found.message} ", tag("code", found.path)], {"class": "badge", "role": "note"})


Row = Mapping[str, Any]
"""A result's row by column name."""
