"""The look of the notebooks' figures: Plotly, one template, a title that says the finding; `show` displays.

Colours are those of Okabe and Ito, which people with any colour vision tell apart.
"""

from __future__ import annotations

import json
from typing import Any, Final

import plotly.graph_objects as go
import plotly.io as pio

BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442",
)  # fmt: skip
GREY: Final = "#999999"
COLOURS: Final = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, GREY)
_WIDTH: Final = 980
_LEGEND: Final = 75
"""Letters that fit above a figure; a longer legend stands beside it."""
_AXIS: Final = {"gridcolor": "#E8E8E8", "linecolor": "#BBBBBB", "automargin": True, "title": {"standoff": 8}}
_LOOK: Final = go.layout.Template(
    layout={
        "colorway": COLOURS,
        "font": {"family": "Inter, Segoe UI, Helvetica, Arial, sans-serif", "size": 13, "color": "#222222"},
        "title": {
            "x": 0, "xanchor": "left", "xref": "container", "y": 1, "yref": "container", "yanchor": "top",
            "pad": {"t": 12, "l": 6}, "font": {"size": 18}, "subtitle": {"font": {"size": 13, "color": "#555555"}},
        },
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "margin": {"l": 70, "r": 30, "t": 98, "b": 50},
        "xaxis": _AXIS,
        "yaxis": {**_AXIS, "zeroline": False},
        "legend": {"orientation": "h", "y": 1.01, "yanchor": "bottom", "x": 0},
        "hoverlabel": {"align": "left"},
    }
)  # fmt: skip


def show(figure: go.Figure) -> None:
    """Display a figure where it can be used (Jupyter), and in an HTML export, which needs no network."""
    from IPython.display import display  # noqa: PLC0415 - only where figures are shown

    first = not getattr(show, "has_library", False)
    show.has_library = True  # type: ignore[attr-defined]  # once in a notebook
    html = pio.to_html(figure, full_html=False, include_plotlyjs=first, config={"displaylogo": False})
    bundle = {"application/vnd.plotly.v1+json": json.loads(figure.to_json()), "text/html": html}
    display(bundle, raw=True)  # type: ignore[no-untyped-call]  # IPython ships no types


def titled(  # noqa: PLR0913 - each is a text or a size of its own
    figure: go.Figure, title: str, *, of: str = "", x: str = "", y: str = "", height: int = 420
) -> go.Figure:
    """Give a figure the common look: a title that says what is found, `of` what is drawn, axes with their units.

    Where nothing is found, what is drawn is the title.
    """
    named = [trace.name for trace in figure.data if trace.name and trace.showlegend is not False]
    if len("".join(named)) > _LEGEND:
        figure.update_layout(legend={"orientation": "v", "x": 1.01, "xanchor": "left", "y": 1, "yanchor": "top"})
    heading: dict[str, Any] = {"text": title, "subtitle": {"text": of}} if title and of else {"text": title or of}
    return figure.update_layout(
        template=_LOOK, title=heading, width=_WIDTH, height=height, xaxis_title=x or None, yaxis_title=y or None
    )


def nothing(title: str, why: str) -> go.Figure:
    """Give the figure of what cannot be drawn: a sentence that says why."""
    figure = titled(go.Figure(), title, height=160)
    figure.update_xaxes(visible=False).update_yaxes(visible=False)
    return figure.add_annotation(text=why, showarrow=False, font={"size": 14, "color": "#666666"})
