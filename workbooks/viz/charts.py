"""A result as a chart: its series, no more of them than can be drawn, as a figure and in words.

The figure is plain JSON, which the browser's Plotly draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from workbooks.substitute_time import grain_ms
from workbooks.viz.figure import Json, figure_of, pie_of
from workbooks.viz.numbers import number
from workbooks.viz.series import Axes, Series, axes_of, most_of, plain, series_of

if TYPE_CHECKING:
    from datetime import datetime

    from kql.engine import ResultTable
    from workbooks.model import ChartSettings

MOST_SERIES: Final = 100
MOST_POINTS: Final = 10_000
"""Azure's limits of one chart."""
_SAID: Final = 6
"""Series that are put into words."""
KINDS: Final = frozenset(
    {"timechart", "linechart", "areachart", "barchart", "unstackedbar", "categoricalbar", "piechart", "scatterchart",
     "columnchart"}
)  # fmt: skip
OVER_TIME: Final = frozenset({"timechart", "linechart", "areachart", "barchart", "unstackedbar", "scatterchart"})
"""Those whose x axis may be time, so that a range can be dragged over them."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure, what had to be left out of it (sentences), and the figure in words."""

    figure: Json
    notes: tuple[str, ...] = ()
    said: str = ""


def chart(
    table: ResultTable, kind: str, settings: ChartSettings, time: tuple[datetime, datetime] | None = None
) -> Chart | None:
    """Give the figure of a result, or None when it has no columns that could be drawn.

    `time` is the range that was asked for: a chart over time shows all of it, also where nothing is.
    """
    axes = axes_of(table, settings)
    if axes is None:
        return None
    if kind == "piechart":
        return _pie(table, axes, settings)
    found = series_of(table, axes, [one.series for one in settings.series])
    notes = []
    shown = most_of(found, settings.other_group_after or MOST_SERIES)
    if len(found) > MOST_SERIES:
        notes.append(f"{len(found):,} series: the largest {MOST_SERIES} are drawn, the rest is Other.")
    points = sum(len(one.xs) for one in shown)
    if points > MOST_POINTS:
        share = MOST_POINTS // max(len(shown), 1)
        shown = [Series(one.name, one.xs[:share], one.ys[:share]) for one in shown]
        notes.append(f"{points:,} points: the first {MOST_POINTS:,} are drawn.")
    types = {column.name: column.type for column in table.columns}
    grain = grain_ms((time[1] - time[0]).total_seconds() * 1000) if time else None
    figure = figure_of(shown, kind, types[axes.x], settings, grain)
    if time is not None and figure["layout"]["xaxis"]["type"] == "date" and points:
        figure["layout"]["xaxis"]["range"] = _span([x for one in shown for x in one.xs], time)
    return Chart(figure, tuple(notes), _said(shown))


def _span(xs: list[Any], time: tuple[datetime, datetime]) -> list[str]:
    """Give the whole range that was asked for; a first bin begins before it."""
    start, end = (plain(moment) for moment in time)
    known = [x for x in xs if isinstance(x, str) and x]
    return [min([start, *known]), max([end, *known])]


def _said(found: list[Series]) -> str:
    """Say in a sentence what is drawn, for who cannot see it."""
    named = [f"{one.name} {one.total:,.6g} in total" for one in found[:_SAID]]
    more = f", and {len(found) - _SAID} more" if len(found) > _SAID else ""
    return f"{len(found)} series: {', '.join(named)}{more}."


def _pie(table: ResultTable, axes: Axes, settings: ChartSettings) -> Chart:
    """Add up the values by label: a pie knows no time."""
    places = {column.name: index for index, column in enumerate(table.columns)}
    by = axes.split or axes.x
    sums: dict[str, float] = {}
    for row in table.rows:
        label = str(row[places[by]] if row[places[by]] is not None else "(empty)")
        sums[label] = sums.get(label, 0.0) + (number(row[places[axes.ys[0]]]) or 0.0)
    found = [Series(label, [label], [value]) for label, value in sums.items()]
    shown = most_of(found, settings.other_group_after or MOST_SERIES)
    parts = ", ".join(f"{one.name} {one.total:,.6g}" for one in shown[:_SAID])
    return Chart(pie_of(shown, settings), said=f"{len(shown)} parts: {parts}.")
