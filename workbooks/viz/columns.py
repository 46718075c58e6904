"""Which formatter draws a grid's column, what the column is called, and the scale of its numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from workbooks.model import Formatter, FormatterKind
from workbooks.viz.cells import PLAIN, Scale
from workbooks.viz.numbers import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kql.engine import ResultTable
    from workbooks.model import GridSettings, Sort

NUMERIC: Final = frozenset({"int", "long", "real", "decimal", "timespan"})
_GENERATED: Final = re.compile(r"^\$gen_[a-z_]+_(?P<name>.+)_\d+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Column:
    """One column as it is drawn: its place in the result, name, Kusto type, caption, comment, formatter and scale."""

    index: int
    name: str
    type: str
    caption: str
    comment: str
    formatter: Formatter
    scale: Scale

    @property
    def is_hidden(self) -> bool:
        """Whether it is there for other columns only."""
        return self.formatter.kind is FormatterKind.HIDDEN

    @property
    def is_number(self) -> bool:
        """Whether its values line up on the right."""
        return self.type in NUMERIC and self.formatter.kind in {FormatterKind.AUTO, FormatterKind.RIGHT_ALIGNED}


def columns_of(table: ResultTable, settings: GridSettings) -> list[Column]:
    """Give every column of a result, hidden ones too, in the result's order."""
    labels = {name: (label, comment) for name, label, comment in settings.labels}
    found = []
    for index, column in enumerate(table.columns):
        caption, comment = labels.get(column.name, ("", ""))
        formatter = formatter_for(column.name, settings.formatters)
        scale = scale_of(row[index] for row in table.rows)
        found.append(Column(index, column.name, column.type, caption or column.name, comment, formatter, scale))
    return found


def formatter_for(column: str, formatters: Sequence[Formatter]) -> Formatter:
    """Give the formatter of a column: one that names it exactly, else the first whose pattern matches all of it."""
    exact = next((one for one in formatters if one.column == column), None)
    if exact is not None:
        return exact
    return next((one for one in formatters if _matches(one.column, column)), PLAIN)


def _matches(pattern: str, name: str) -> bool:
    try:
        return bool(pattern) and re.fullmatch(pattern, name, re.IGNORECASE) is not None
    except re.error:
        return False


def scale_of(values: Iterable[Any]) -> Scale:
    """Give the lowest and highest number among values."""
    numbers = [found for value in values if (found := number(value)) is not None]
    return Scale(min(numbers), max(numbers)) if numbers else Scale()


def sorted_rows(table: ResultTable, order: Sequence[Sort]) -> list[tuple[Any, ...]]:
    """Give the rows in a grid's own order, empty values last; a column that is not there sorts nothing."""
    rows = list(table.rows)
    places = {column.name: index for index, column in enumerate(table.columns)}
    for sort in reversed(order):
        place = places.get(sorted_column(sort))
        if place is None:
            continue
        filled = [row for row in rows if row[place] is not None and row[place] != ""]
        empty = [row for row in rows if row[place] is None or row[place] == ""]
        rows = sorted(filled, key=lambda row: sort_key(row[place]), reverse=not sort.ascending) + empty
    return rows


def sorted_column(sort: Sort) -> str:
    """Give the name of the column that a sort is about."""
    match = _GENERATED.match(sort.column)
    return match["name"] if match else sort.column


def sort_key(value: Any) -> tuple[int, float, str]:
    """Give a key that orders numbers and times before texts, and texts without case."""
    if hasattr(value, "timestamp"):
        return 0, float(value.timestamp()), ""
    found = None if isinstance(value, str) else number(value)
    return (1, 0.0, str(value).casefold()) if found is None else (0, found, "")
