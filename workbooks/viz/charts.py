"""A result as a Plotly figure: which column is x, which are y, which one splits; then traces and layout as JSON.

The figure is plain JSON: the browser's Plotly draws it, the theme's colours are filled in there (`--hue-blue`, …), so a
figure is the same for light and dark.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from workbooks.viz.columns import NUMERIC
from workbooks.viz.numbers import number
from workbooks.viz.palettes import HUES, color_class

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kql.engine import ResultTable
    from workbooks.model import ChartSettings

Json = dict[str, Any]
MOST_SERIES: Final = 100
MOST_POINTS: Final = 10_000
"""Azure's limits of one chart."""
OTHER: Final = "Other"
_LINES: Final = frozenset({"timechart", "linechart", "areachart"})
_SAID: Final = 6
"""Series that are put into words."""
KINDS: Final = frozenset(
    {"timechart", "linechart", "areachart", "barchart", "unstackedbar", "categoricalbar", "piechart", "scatterchart",
     "columnchart"}
)  # fmt: skip
OVER_TIME: Final = frozenset({"timechart", "linechart", "areachart", "barchart", "unstackedbar", "scatterchart"})
"""Those whose x axis may be time, so that a range can be dragged over them."""
_UNIT_SUFFIX: Final[Mapping[int, str]] = {1: "%", 23: " ms", 24: " s", 25: " min", 26: " h", 27: " d", 2: "B"}


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure, what had to be left out of it (sentences), and the figure in words."""

    figure: Json
    notes: tuple[str, ...] = ()
    said: str = ""


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
    found = series_of(table, axes)
    notes = []
    shown = _most(found, settings.other_group_after or MOST_SERIES)
    if len(found) > MOST_SERIES:
        notes.append(f"{len(found):,} series: the largest {MOST_SERIES} are drawn, the rest is {OTHER}.")
    points = sum(len(one.xs) for one in shown)
    if points > MOST_POINTS:
        share = MOST_POINTS // max(len(shown), 1)
        shown = [Series(one.name, one.xs[:share], one.ys[:share]) for one in shown]
        notes.append(f"{points:,} points: the first {MOST_POINTS:,} are drawn.")
    traces = [_trace(one, kind, settings, index) for index, one in enumerate(shown)]
    layout = _layout(table, axes, kind, settings)
    if time is not None and layout["xaxis"]["type"] == "date" and points:
        layout["xaxis"]["range"] = _span([x for one in shown for x in one.xs], time)
    return Chart({"data": traces, "layout": layout}, tuple(notes), _said(shown))


def _span(xs: list[Any], time: tuple[datetime, datetime]) -> list[str]:
    """Give the whole range that was asked for; a first bin begins before it."""
    start, end = (_plain(moment) for moment in time)
    known = [x for x in xs if isinstance(x, str) and x]
    return [min([start, *known]), max([end, *known])]


def _said(found: list[Series]) -> str:
    """Say in a sentence what is drawn, for who cannot see it."""
    named = [f"{one.name} {one.total:,.6g} in total" for one in found[:_SAID]]
    more = f", and {len(found) - _SAID} more" if len(found) > _SAID else ""
    return f"{len(found)} series: {', '.join(named)}{more}."


def series_of(table: ResultTable, axes: Axes) -> list[Series]:
    """Split the rows into series, each in the order of x for times and numbers."""
    places = {column.name: index for index, column in enumerate(table.columns)}
    found: dict[str, Series] = {}
    for row in table.rows:
        label = "" if not axes.split else str(row[places[axes.split]] if row[places[axes.split]] is not None else "")
        for y in axes.ys:
            name = label if axes.split and len(axes.ys) == 1 else f"{label} {y}".strip()
            series = found.setdefault(name or "(empty)", Series(name or "(empty)"))
            series.xs.append(_plain(row[places[axes.x]]))
            series.ys.append(number(row[places[y]]))
    return [_ordered(series) for series in found.values()]


def _ordered(series: Series) -> Series:
    if all(isinstance(x, int | float) for x in series.xs) or _are_times(series.xs):
        pairs = sorted(zip(series.xs, series.ys, strict=True), key=lambda pair: pair[0])
        return Series(series.name, [x for x, _ in pairs], [y for _, y in pairs])
    return series


def _are_times(xs: list[Any]) -> bool:
    return bool(xs) and all(isinstance(x, str) and x.endswith("Z") and "T" in x for x in xs)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return value.total_seconds()
    return (
        value if isinstance(value, int | float) and not isinstance(value, bool) else "" if value is None else str(value)
    )


def _most(found: list[Series], most: int) -> list[Series]:
    """Keep the largest series; what is left is added up, x by x, into one that is called Other."""
    if len(found) <= most:
        return found
    ranked = sorted(found, key=lambda one: -one.total)
    sums: dict[Any, float] = {}
    for one in ranked[most:]:
        for x, y in zip(one.xs, one.ys, strict=True):
            sums[x] = sums.get(x, 0.0) + (y or 0.0)
    return [*ranked[:most], _ordered(Series(OTHER, list(sums), list(sums.values())))]


def hue_of(name: str, index: int, settings: ChartSettings) -> str:
    """Give the colour of a series as the theme calls it."""
    given = next((one.color for one in settings.series if one.series == name), "")
    return f"--hue-{color_class(given).removeprefix('c-') or HUES[index % len(HUES)]}"


def _caption(name: str, settings: ChartSettings) -> str:
    return next((one.label for one in settings.series if one.series == name and one.label), name)


def _trace(series: Series, kind: str, settings: ChartSettings, index: int) -> Json:
    hue = hue_of(series.name, index, settings)
    trace: Json = {"name": _caption(series.name, settings), "x": series.xs, "y": series.ys}
    if kind in {"barchart", "columnchart", "categoricalbar", "unstackedbar"}:
        return {**trace, "type": "bar", "marker": {"color": hue}}
    if kind == "scatterchart":
        return {**trace, "type": "scatter", "mode": "markers", "marker": {"color": hue, "size": 7}}
    # One point makes no line, so it is marked.
    marked = settings.show_data_points or len(series.xs) == 1
    line = {**trace, "type": "scatter", "mode": "lines+markers" if marked else "lines", "connectgaps": False,
            "line": {"color": hue, "width": 2}}  # fmt: skip
    return {**line, "fill": "tozeroy" if not index else "tonexty", "stackgroup": "one"} if kind == "areachart" else line


def _layout(table: ResultTable, axes: Axes, kind: str, settings: ChartSettings) -> Json:
    types = {column.name: column.type for column in table.columns}
    x: Json = {"type": {"datetime": "date"}.get(types[axes.x], "linear" if types[axes.x] in NUMERIC else "category"),
               "title": {"text": settings.x.label}}  # fmt: skip
    y: Json = {"title": {"text": settings.y.label}, "rangemode": "tozero", "ticksuffix": _suffix(settings)}
    if settings.y.minimum is not None or settings.y.maximum is not None:
        y["range"] = [settings.y.minimum, settings.y.maximum]
    layout: Json = {"xaxis": x, "yaxis": y, "showlegend": settings.show_legend,
                    "barmode": "group" if kind == "unstackedbar" else "stack", "hovermode": "closest"}  # fmt: skip
    if kind in _LINES:
        layout["hovermode"] = "x unified"
    if settings.threshold is not None:
        level = {"y0": settings.threshold, "y1": settings.threshold}
        line = {"color": "--hue-red", "dash": "dash", "width": 1}
        layout["shapes"] = [{"type": "line", "xref": "paper", "x0": 0, "x1": 1, **level, "line": line}]
    return layout


def _suffix(settings: ChartSettings) -> str:
    unit = settings.y.number_format.unit if settings.y.number_format else 0
    return _UNIT_SUFFIX.get(unit, "")


def _pie(table: ResultTable, axes: Axes, settings: ChartSettings) -> Chart:
    """Add up the values by label: a pie knows no time."""
    places = {column.name: index for index, column in enumerate(table.columns)}
    by = axes.split or axes.x
    sums: dict[str, float] = {}
    for row in table.rows:
        label = str(row[places[by]] if row[places[by]] is not None else "(empty)")
        sums[label] = sums.get(label, 0.0) + (number(row[places[axes.ys[0]]]) or 0.0)
    found = [Series(label, [label], [value]) for label, value in sums.items()]
    shown = _most(found, settings.other_group_after or MOST_SERIES)
    values = [one.total for one in shown]
    trace = {"type": "pie", "hole": 0.6, "labels": [_caption(one.name, settings) for one in shown], "values": values,
             "sort": False, "marker": {"colors": [hue_of(one.name, i, settings) for i, one in enumerate(shown)]},
             "textinfo": "value"}  # fmt: skip
    layout = {"showlegend": settings.show_legend, "annotations": [
        {"text": f"{sum(values):,.0f}", "showarrow": False, "font": {"size": 20}}]}  # fmt: skip
    parts = ", ".join(f"{one.name} {one.total:,.6g}" for one in shown[:_SAID])
    return Chart({"data": [trace], "layout": layout}, said=f"{len(shown)} parts: {parts}.")
