"""Series as a Plotly figure: traces, axes, colours and units, as JSON.

The theme's colours are filled in by the browser (`--hue-blue`, …), so a figure is the same for light and dark.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from workbooks.viz.columns import NUMERIC
from workbooks.viz.numbers import best_unit
from workbooks.viz.palettes import HUES, color_class
from workbooks.viz.series import Series, bin_of

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


def figure_of(found: Sequence[Series], kind: str, x_type: str, settings: ChartSettings) -> Json:
    """Give the figure of some series. `x_type` is the column type of x."""
    factor, suffix = _unit(found, settings)
    scaled = [Series(one.name, one.xs, [None if y is None else y * factor for y in one.ys]) for one in found]
    period = bin_of(x for one in found for x in one.xs) if kind in BARS and x_type == "datetime" else None
    traces = [_trace(one, kind, settings, index) for index, one in enumerate(scaled)]
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


def hue_of(name: str, index: int, settings: ChartSettings) -> str:
    """Give the colour of a series as the theme calls it."""
    given = next((one.color for one in settings.series if one.series == name), "")
    return f"--hue-{color_class(given).removeprefix('c-') or HUES[index % len(HUES)]}"


def caption_of(name: str, settings: ChartSettings) -> str:
    """Give what a series is called."""
    return next((one.label for one in settings.series if one.series == name and one.label), name)


def pie_of(found: Sequence[Series], settings: ChartSettings) -> Json:
    """Give the figure of a pie: a part for each series, its total."""
    values = [one.total for one in found]
    trace = {"type": "pie", "hole": 0.6, "labels": [caption_of(one.name, settings) for one in found], "values": values,
             "sort": False, "marker": {"colors": [hue_of(one.name, i, settings) for i, one in enumerate(found)]},
             "textinfo": "value"}  # fmt: skip
    layout = {"showlegend": settings.show_legend, "annotations": [
        {"text": f"{sum(values):,.0f}", "showarrow": False, "font": {"size": 20}}]}  # fmt: skip
    figure: Json = finite({"data": [trace], "layout": layout})
    return figure


def _trace(series: Series, kind: str, settings: ChartSettings, index: int) -> Json:
    hue = hue_of(series.name, index, settings)
    # When the hues begin again, a second sign tells series of one colour apart.
    again = index >= len(HUES)
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
    return {**line, "fill": "tozeroy" if not index else "tonexty", "stackgroup": "one"} if kind == "areachart" else line


def _in_bins(traces: Sequence[Json], period: int, *, side_by_side: bool) -> list[Json]:
    """Have bars fill the bins that begin at their x, but for a gap; Plotly would make them as wide as bins are apart."""
    width = period * _FILLED / (len(traces) if side_by_side else 1)
    start = period * (1 - _FILLED) / 2
    return [
        {**trace, "width": width, "offset": start + (width * index if side_by_side else 0)}
        for index, trace in enumerate(traces)
    ]


def _layout(kind: str, x_type: str, settings: ChartSettings) -> Json:
    x: Json = {"type": {"datetime": "date"}.get(x_type, "linear" if x_type in NUMERIC else "category"),
               "title": {"text": settings.x.label}}  # fmt: skip
    return {"xaxis": x, "yaxis": {"title": {"text": settings.y.label}, "rangemode": "tozero"},
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
