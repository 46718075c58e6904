"""A result as series: which column is x, which are y, which one splits; each series in the order of its x."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from workbooks.viz.columns import NUMERIC
from workbooks.viz.numbers import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kql.engine import ResultTable
    from workbooks.model import ChartSettings

OTHER: Final = "Other"
_MINUTE: Final = 60_000
_BINS: Final = tuple(_MINUTE * n for n in (1440, 720, 480, 360, 240, 180, 120, 60, 30, 20, 15, 10, 5, 2, 1))
"""Widths in which rows are put into bins, in milliseconds, the widest first."""


@dataclass(frozen=True, slots=True)
class Axes:
    """The columns of a chart: x, the ys, and the one that splits into series ("" for none)."""

    x: str
    ys: tuple[str, ...]
    split: str = ""


@dataclass(slots=True)
class Series:
    """One line, area or set of bars."""

    name: str
    xs: list[Any] = field(default_factory=list)
    ys: list[float | None] = field(default_factory=list)

    @property
    def total(self) -> float:
        """The sum of its values."""
        return sum(value for value in self.ys if value is not None)


def axes_of(table: ResultTable, settings: ChartSettings) -> Axes | None:
    """Choose the columns: those of the settings, else a time as x, numbers as y, a text as the split."""
    kinds = {column.name: column.type for column in table.columns}
    times = [name for name, kind in kinds.items() if kind == "datetime"]
    texts = [name for name, kind in kinds.items() if kind in {"string", "guid", "bool", "dynamic"}]
    numbers = [name for name, kind in kinds.items() if kind in NUMERIC]
    x = settings.x_axis if settings.x_axis in kinds else next(iter([*times, *texts, *numbers]), "")
    wanted = tuple(name for name in settings.y_axis if name in kinds)
    ys = wanted or tuple(name for name in numbers if name != x)
    split = settings.group if settings.group in kinds else next((name for name in texts if name not in {x, *ys}), "")
    return Axes(x, ys, split) if x and ys else None


def series_of(table: ResultTable, axes: Axes, named: Sequence[str] = ()) -> list[Series]:
    """Split the rows into series, each in the order of x for times and numbers.

    Series that a text makes stand in the order of `named`, then of their names: rows come in any order, and a colour
    that changes from one refresh to the next says nothing.
    """
    places = {column.name: index for index, column in enumerate(table.columns)}
    found: dict[str, Series] = {}
    for row in table.rows:
        label = "" if not axes.split else str(row[places[axes.split]] if row[places[axes.split]] is not None else "")
        for y in axes.ys:
            name = label if axes.split and len(axes.ys) == 1 else f"{label} {y}".strip()
            series = found.setdefault(name or "(empty)", Series(name or "(empty)"))
            series.xs.append(plain(row[places[axes.x]]))
            series.ys.append(number(row[places[y]]))
    order = {name: place for place, name in reversed(list(enumerate(named)))}
    split = sorted(found, key=lambda name: (order.get(name, len(order)), name.casefold(), name))
    return [_ordered(found[name]) for name in (split if axes.split else found)]


def _ordered(series: Series) -> Series:
    if all(isinstance(x, int | float) for x in series.xs) or _are_times(series.xs):
        pairs = sorted(zip(series.xs, series.ys, strict=True), key=lambda pair: pair[0])
        return Series(series.name, [x for x, _ in pairs], [y for _, y in pairs])
    return series


def _are_times(xs: list[Any]) -> bool:
    return bool(xs) and all(isinstance(x, str) and x.endswith("Z") and "T" in x for x in xs)


def plain(value: Any) -> Any:
    """Give a cell as JSON can hold it: times in ISO, durations in seconds, numbers, all else as text."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return "" if value is None else str(value)


def most_of(found: list[Series], most: int) -> list[Series]:
    """Keep the largest series, in their order; what is left is added up, x by x, into one that is called Other."""
    if len(found) <= most:
        return found
    kept = {id(one) for one in sorted(found, key=lambda one: -one.total)[:most]}
    sums: dict[Any, float] = {}
    for one in found:
        for x, y in zip(one.xs, one.ys, strict=True) if id(one) not in kept else ():
            sums[x] = sums.get(x, 0.0) + (y or 0.0)
    return [*(one for one in found if id(one) in kept), _ordered(Series(OTHER, list(sums), list(sums.values())))]


def bin_of(xs: Iterable[Any], usual: int | None = None) -> int | None:
    """Give the width of the bins that times stand in, in milliseconds: the widest one that all of them begin.

    None where they stand in no bins. Of one time alone nothing could be told: its bin is the `usual` one of the range.
    """
    moments = sorted({_milliseconds(x) for x in xs if isinstance(x, str) and x})
    if not moments or any(moment % _MINUTE for moment in moments):
        return None
    if len(moments) == 1 and usual and not moments[0] % usual:
        return usual
    nearest = min((after - before for before, after in pairwise(moments)), default=_BINS[0])
    return next((width for width in _BINS if width <= nearest and not any(one % width for one in moments)), None)


def next_bin(xs: Iterable[Any], width: int) -> str | None:
    """Give the bin after the first one; None where two bins of the chart stand side by side already."""
    moments = sorted({_milliseconds(x) for x in xs if isinstance(x, str) and x})
    if any(after - before == width for before, after in pairwise(moments)):
        return None
    try:
        after = datetime.fromtimestamp((moments[0] + width) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None  # it would be after the last year that there is
    return str(plain(after))


def _milliseconds(iso: str) -> int:
    try:
        return round(datetime.fromisoformat(iso).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 1
