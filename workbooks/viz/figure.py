"""Series as a Plotly figure: traces, axes, colours and units, as JSON.

The theme's colours are filled in by the browser (`--hue-blue`, …), so a figure is the same for light and dark.
"""

from __future__ import annotations

import math
from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

from workbooks.viz.columns import NUMERIC
from workbooks.viz.numbers import best_unit
from workbooks.viz.palettes import HUES, color_class
from workbooks.viz.series import Series, bin_of, next_bin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbooks.model import ChartSettings

Json = dict[str, Any]
BARS: Final = frozenset({"barchart", "columnchart", "categoricalbar", "unstackedbar"})
_LINES: Final = frozenset({"timechart", "linechart", "areachart"})
_STACKED: Final = (BARS | {"areachart"}) - {"unstackedbar"}
_FILLED: Final = 0.9
"""The part of its bin that a bar fills."""
_FEW: Final = 6
"""So high at most is a chart of counts whose axis says every whole number."""
_SUFFIXES: Final[Mapping[int, str]] = {1: "%", 2: "B", 31: "/s", 32: "/min"}
"""Unit number -> what follows a number on the axis; durations are drawn in the unit that suits them."""


def figure_of(
    found: Sequence[Series], kind: str, x_type: str, settings: ChartSettings, grain: int | None = None
) -> Json:
    """Give the figure of some series. `x_type` is the column type of x, `grain` the usual bin of its range in ms."""
    factor, suffix = _unit(found, settings)
    scaled = [Series(one.name, one.xs, [None if y is None else y * factor for y in one.ys]) for one in found]
    period = bin_of((x for one in found for x in one.xs), grain) if kind in BARS and x_type == "datetime" else None
    hues = hues_of([one.name for one in found], settings)
    traces = [_trace(one, kind, settings, hues[: index + 1]) for index, one in enumerate(scaled)]
    if period:
        traces = _in_bins(traces, period, side_by_side=kind == "unstackedbar")
    layout = _layout(kind, x_type, settings)
    layout["yaxis"] |= _y_axis(settings, factor, suffix, scaled, stacked=kind in _STACKED)
    if settings.threshold is not None:
        layout["shapes"] = [_threshold(settings.threshold * factor)]
    figure: Json = finite({"data": traces, "layout": layout})
    return figure


def finite(value: Any) -> Any:
    """Give a figure without numbers that JSON does not know: they are nothing."""
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def hues_of(names: Sequence[str], settings: ChartSettings) -> list[str]:
    """Give the colour of each series: its own, else the next that no series of this chart has as its own."""
    given = {one.series: color_class(one.color).removeprefix("c-") for one in settings.series if one.color}
    taken = {given.get(name) for name in names}
    free = cycle([hue for hue in HUES if hue not in taken] or HUES)
    return [given.get(name) or next(free) for name in names]


def caption_of(name: str, settings: ChartSettings) -> str:
    """Give what a series is called."""
    return next((one.label for one in settings.series if one.series == name and one.label), name)


def pie_of(found: Sequence[Series], settings: ChartSettings) -> Json:
    """Give the figure of a pie: a part for each series, its total."""
    values = [one.total for one in found]
    hues = hues_of([one.name for one in found], settings)
    trace = {"type": "pie", "hole": 0.6, "labels": [caption_of(one.name, settings) for one in found], "values": values,
             "sort": False, "marker": {"colors": [f"--hue-{hue}" for hue in hues]},
             "textinfo": "value"}  # fmt: skip
    layout = {"showlegend": settings.show_legend, "annotations": [
        {"text": f"{sum(values):,.0f}", "showarrow": False, "font": {"size": 20}}]}  # fmt: skip
    figure: Json = finite({"data": [trace], "layout": layout})
    return figure


def _trace(series: Series, kind: str, settings: ChartSettings, hues: Sequence[str]) -> Json:
    """Give one series as a trace. `hues` are the colours of those before it and, last, its own."""
    hue = f"--hue-{hues[-1]}"
    again = hues[-1] in hues[:-1]  # then a second sign tells series of one colour apart
    trace: Json = {"name": caption_of(series.name, settings), "x": series.xs, "y": series.ys}
    if kind in BARS:
        return {**trace, "type": "bar", "marker": {"color": hue, **({"pattern": {"shape": "/"}} if again else {})}}
    if kind == "scatterchart":
        symbol = "diamond" if again else "circle"
        return {**trace, "type": "scatter", "mode": "markers", "marker": {"color": hue, "size": 7, "symbol": symbol}}
    # One point makes no line, so it is marked.
    marked = settings.show_data_points or len(series.xs) == 1
    line = {**trace, "type": "scatter", "mode": "lines+markers" if marked else "lines", "connectgaps": False,
            "line": {"color": hue, "width": 2, **({"dash": "dot"} if again else {})}}  # fmt: skip
    return (
        {**line, "fill": "tozeroy" if len(hues) == 1 else "tonexty", "stackgroup": "one"}
        if kind == "areachart"
        else line
    )


def _in_bins(traces: Sequence[Json], period: int, *, side_by_side: bool) -> list[Json]:
    """Have bars fill the bins that begin at their x, but for a gap; Plotly makes them as wide as bins are apart."""
    width = period * _FILLED / (len(traces) if side_by_side else 1)
    start = period * (1 - _FILLED) / 2
    placed = [
        {**trace, "width": width, "offset": start + (width * index if side_by_side else 0)}
        for index, trace in enumerate(traces)
    ]
    # Plotly says no times on the axis that are nearer to one another than bars are: one that is none tells it of bins.
    after = next_bin((x for trace in traces for x in trace["x"]), period)
    if after is None:
        return placed
    empty = {"x": [*placed[0]["x"], after], "y": [*placed[0]["y"], None]}
    return [{**placed[0], **empty}, *placed[1:]]


def _layout(kind: str, x_type: str, settings: ChartSettings) -> Json:
    # A title without words takes room all the same.
    x, y = ({"title": {"text": axis.label}} if axis.label else {} for axis in (settings.x, settings.y))
    kind_of_x = {"datetime": "date"}.get(x_type, "linear" if x_type in NUMERIC else "category")
    return {"xaxis": {**x, "type": kind_of_x}, "yaxis": {**y, "rangemode": "tozero"},
            "showlegend": settings.show_legend, "barmode": "group" if kind == "unstackedbar" else "stack",
            "hovermode": "x unified" if kind in _LINES else "closest"}  # fmt: skip


def _y_axis(settings: ChartSettings, factor: float, suffix: str, found: Sequence[Series], *, stacked: bool) -> Json:
    axis: Json = {"ticksuffix": suffix}
    if suffix:
        axis["hoverformat"] = ",.4~r"
    lowest, highest = settings.y.minimum, settings.y.maximum
    if lowest is not None or highest is not None:
        axis["range"] = [None if end is None else end * factor for end in (lowest, highest)]
    elif not suffix and _are_few(found, stacked=stacked):
        axis["dtick"] = 1
    return axis


def _are_few(found: Sequence[Series], *, stacked: bool) -> bool:
    """Tell whether these are small whole numbers: between two of them the axis has nothing to say."""
    heights: dict[Any, float] = {}
    for one in found:
        for x, y in zip(one.xs, one.ys, strict=True):
            if y is not None and (y < 0 or not float(y).is_integer()):
                return False
            heights[x] = (y or 0.0) + heights.get(x, 0.0) if stacked else max(y or 0.0, heights.get(x, 0.0))
    return 0 < max(heights.values(), default=0.0) <= _FEW


def _unit(found: Sequence[Series], settings: ChartSettings) -> tuple[float, str]:
    """Give what values are multiplied by, and what follows them on the axis."""
    unit = settings.y.number_format.unit if settings.y.number_format else 0
    highest = max((abs(y) for one in found for y in one.ys if y is not None), default=0.0)
    best = best_unit(unit, highest)
    return (best[0], f" {best[1]}") if best else (1.0, _SUFFIXES.get(unit, ""))


def _threshold(level: float) -> Json:
    line = {"color": "--hue-red", "dash": "dash", "width": 1}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": level, "y1": level, "line": line}
