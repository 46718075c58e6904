"""Icons of thresholds and formatters, as inline SVG: a shape each, so that colour is never the only sign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbooks.viz.html import Html, tag

if TYPE_CHECKING:
    from collections.abc import Mapping

_CIRCLE: Final = '<circle cx="8" cy="8" r="7"/>'
_DISC: Final = "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1z"

# name -> (hue, path data drawn on a 16 by 16 field, what it says)
_SHAPES: Final[Mapping[str, tuple[str, str, str]]] = {
    "success": ("green", f"{_DISC} M4.5 8.2l2.4 2.4 4.6-5", "success"),
    "failed": ("red", f"{_DISC} M5.4 5.4l5.2 5.2m0-5.2l-5.2 5.2", "failed"),
    "critical": ("red", "M8 1l7 7-7 7-7-7z M8 4.6v4.2m0 1.8v.6", "critical"),
    "warning": ("orange", "M8 1.6L15 14H1z M8 6v4m0 1.6v.6", "warning"),
    "info": ("blue", f"{_DISC} M8 7.2v4.2m0-7v.7", "information"),
    "question": ("blue", f"{_DISC} M6 6.2a2 2 0 1 1 2.6 1.9c-.4.2-.6.5-.6 1m0 2v.6", "not known"),
    "pending": ("blue", f"{_DISC} M8 4.4V8l2.4 1.6", "pending"),
    "cancelled": ("gray", f"{_DISC} M3.6 12.4l8.8-8.8", "cancelled"),
    "stopped": ("gray", "M2.5 2.5h11v11h-11z", "stopped"),
    "up": ("gray", "M8 13V3.4M4 7.2L8 3l4 4.2", "up"),
    "down": ("gray", "M8 3v9.6M4 8.8L8 13l4-4.2", "down"),
    "left": ("gray", "M13 8H3.4M7.2 4L3 8l4.2 4", "left"),
    "right": ("gray", "M3 8h9.6M8.8 4L13 8l-4.2 4", "right"),
    "trendup": ("red", "M1.5 12.5l4.4-4.6 2.6 2.6 6-6.6M10.6 3.9h3.9v3.9", "rising"),
    "trenddown": ("green", "M1.5 3.5l4.4 4.6 2.6-2.6 6 6.6M10.6 12.1h3.9V8.2", "falling"),
    "more": ("gray", "M3 8h.6M7.8 8h.6M12.4 8h.6", "more"),
    "resource": ("blue", "M8 1.4l6 3.3v6.6l-6 3.3-6-3.3V4.7z M2 4.7l6 3.3 6-3.3M8 8v6.6", ""),
    "link": ("blue", "M9 3h4v4m0-4L7.4 8.6M11.4 9.4V13H3V4.6h3.6", ""),
    "chevron": ("gray", "M5.5 3l5 5-5 5", ""),
}

_SAME: Final[Mapping[str, str]] = {
    "error": "failed", "fired": "critical", "resolved": "success", "available": "success", "unavailable": "failed",
    "degraded": "warning", "unknown": "question", "sev0": "critical", "sev1": "failed", "sev2": "warning",
    "sev3": "info", "sev4": "info", "disabled": "stopped", "completed": "success", "inprogress": "pending",
    "running": "success", "1": "success", "2": "warning", "3": "failed", "4": "critical", "persistent": "critical",
    "uninitialized": "pending", "normal": "success", "alert": "critical", "green": "success", "red": "failed",
}  # fmt: skip
"""Icon names that look like another one; the text beside the icon says what it is."""


def is_known(name: str) -> bool:
    """Tell whether there is an icon of that name, or none is wanted (`Blank`)."""
    key = name.lower()
    return key in _SHAPES or key in _SAME or key in {"blank", ""}


def icon(name: str, *, label: str | None = None) -> Html:
    """Give the icon. `label` is what a screen reader says, by default what the icon means; "" where text says it."""
    key = name.lower()
    if key in {"blank", ""}:
        return Html()
    hue, path, meaning = _SHAPES.get(_SAME.get(key, key), _SHAPES["question"])
    said = (key if key in _SAME else meaning) if label is None else label
    attributes = {"class": f"icon i-{hue}", "viewBox": "0 0 16 16", "focusable": "false"}
    hidden = {"aria-hidden": "true"} if not said else {"role": "img", "aria-label": said}
    return tag("svg", tag("path", None, {"d": path}), {**attributes, **hidden})
