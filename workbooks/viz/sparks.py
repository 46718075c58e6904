"""Small charts in a cell, as SVG: a line, bars or an area over the values of an array."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Literal

from workbooks.viz.html import Html, tag
from workbooks.viz.numbers import number

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH: Final = 120.0
HEIGHT: Final = 24.0
MAX_POINTS: Final = 500
Shape = Literal["line", "bars", "area"]


def values_of(cell: Any) -> list[float | None]:
    """Give the numbers of an array cell, or of a text that is a JSON array; what is no number is a gap."""
    if isinstance(cell, str):
        try:
            cell = json.loads(cell)
        except ValueError:
            return []
    return [number(value) for value in cell] if isinstance(cell, list) else []


def spark(cell: Any, shape: Shape, css_class: str = "", *, name: str = "") -> Html:
    """Draw an array cell; nothing for one without numbers. `name` says what it shows to a screen reader."""
    values = _thinned(values_of(cell))
    present = [value for value in values if value is not None]
    if not present:
        return Html()
    low, high = min(0.0, *present), max(*present, 0.0)
    points = [
        (_across(index, len(values), shape), None if value is None else _down(value, low, high))
        for index, value in enumerate(values)
    ]
    drawn = _bars(points, _down(0.0, low, high)) if shape == "bars" else _curve(points, shape, _down(0.0, low, high))
    said = f"{name}: {len(present)} values, last {present[-1]:g}, lowest {min(present):g}, highest {max(present):g}"
    box = {"class": f"spark {css_class}".strip(), "viewBox": f"0 0 {WIDTH:g} {HEIGHT:g}", "role": "img"}
    return tag("svg", drawn, {**box, "preserveAspectRatio": "none", "aria-label": said.lstrip(": ")})


def _thinned(values: Sequence[float | None]) -> list[float | None]:
    """Keep the highest of each stretch where there are more points than can be seen."""
    if len(values) <= MAX_POINTS:
        return list(values)
    width = -(-len(values) // MAX_POINTS)
    stretches = [values[start : start + width] for start in range(0, len(values), width)]
    return [max((v for v in stretch if v is not None), default=None) for stretch in stretches]


def _across(index: int, count: int, shape: Shape) -> float:
    if shape == "bars":
        return (index + 0.5) * WIDTH / count
    return WIDTH / 2 if count == 1 else 1 + index * (WIDTH - 2) / (count - 1)


def _down(value: float, low: float, high: float) -> float:
    span = high - low or 1.0
    return 1.5 + (HEIGHT - 3) * (1 - (value - low) / span)


def _curve(points: Sequence[tuple[float, float | None]], shape: Shape, base: float) -> list[str]:
    parts: list[str] = []
    for stretch in _stretches(points):
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in stretch)
        if shape == "area":
            (first, _), (last, _) = stretch[0], stretch[-1]
            parts.append(tag("polygon", None, {"points": f"{first:.1f},{base:.1f} {line} {last:.1f},{base:.1f}"}))
        single = len(stretch) == 1
        dot = {"cx": f"{stretch[0][0]:.1f}", "cy": f"{stretch[0][1]:.1f}", "r": "1.5"}
        parts.append(tag("circle", None, dot) if single else tag("polyline", None, {"points": line}))
    return parts


def _bars(points: Sequence[tuple[float, float | None]], base: float) -> list[str]:
    width = max(WIDTH / len(points) - 1, 0.5)
    return [
        tag("rect", None, {"x": f"{x - width / 2:.1f}", "y": f"{min(y, base):.1f}", "width": f"{width:.1f}",
                           "height": f"{max(abs(base - y), 0.5):.1f}"})
        for x, y in points if y is not None
    ]  # fmt: skip


def _stretches(points: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """Split where values are missing: a gap is not drawn over."""
    found: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if y is None:
            found.append([])
        else:
            found[-1].append((x, y))
    return [stretch for stretch in found if stretch]
