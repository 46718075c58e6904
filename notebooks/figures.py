"""The figures of the notebooks: Plotly, one look, and a sentence instead of empty axes. Pure; `show` displays.

Colours are those of Okabe and Ito, which people with any colour vision tell apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio

if TYPE_CHECKING:
    from collections.abc import Sequence

BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442",
)  # fmt: skip
GREY: Final = "#999999"
COLOURS: Final = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, GREY)
_WIDTH: Final = 980
_MOST: Final = 40
"""Bars and rows of a heat map that can still be read; the rest is left out, and the title says so."""
_LEGEND: Final = 75
"""Letters that fit above a figure; a longer legend stands beside it."""
_LOOK: Final = go.layout.Template(
    layout={
        "colorway": COLOURS,
        "font": {"family": "Inter, Segoe UI, Helvetica, Arial, sans-serif", "size": 13, "color": "#222222"},
        "title": {"x": 0, "xanchor": "left", "font": {"size": 17}},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "margin": {"l": 70, "r": 30, "t": 80, "b": 55},
        "xaxis": {"gridcolor": "#E8E8E8", "linecolor": "#BBBBBB", "automargin": True},
        "yaxis": {"gridcolor": "#E8E8E8", "linecolor": "#BBBBBB", "automargin": True, "zeroline": False},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "hoverlabel": {"align": "left"},
    }
)


def show(figure: go.Figure) -> None:
    """Display a figure where it can be used (Jupyter), and in an HTML export, which needs no network."""
    from IPython.display import display  # noqa: PLC0415 - only where figures are shown

    first = not getattr(show, "has_library", False)
    show.has_library = True  # type: ignore[attr-defined]  # once in a notebook
    html = pio.to_html(figure, full_html=False, include_plotlyjs=first, config={"displaylogo": False})
    bundle = {"application/vnd.plotly.v1+json": figure.to_plotly_json(), "text/html": html}
    bundle["application/vnd.plotly.v1+json"] = _json(figure)
    display(bundle, raw=True)  # type: ignore[no-untyped-call]  # IPython ships no types


def _json(figure: go.Figure) -> Any:
    import json  # noqa: PLC0415 - same

    return json.loads(figure.to_json())


def titled(figure: go.Figure, title: str, *, x: str = "", y: str = "", height: int = 420) -> go.Figure:
    """Give a figure the common look, a title that says what is seen, and its axes' names with units."""
    named = [trace.name for trace in figure.data if trace.name and trace.showlegend is not False]
    if len("".join(named)) > _LEGEND:
        figure.update_layout(legend={"orientation": "v", "x": 1.01, "xanchor": "left", "y": 1, "yanchor": "top"})
    return figure.update_layout(
        template=_LOOK, title=title, width=_WIDTH, height=height, xaxis_title=x or None, yaxis_title=y or None
    )


def nothing(title: str, why: str) -> go.Figure:
    """Give the figure of what cannot be drawn: a sentence that says why."""
    figure = titled(go.Figure(), title, height=160)
    figure.update_xaxes(visible=False).update_yaxes(visible=False)
    return figure.add_annotation(text=why, showarrow=False, font={"size": 14, "color": "#666666"})


def stacked(table: pd.DataFrame, title: str, *, y: str, height: int = 420, x: str = "") -> go.Figure:
    """Draw columns on top of one another over a time index: what is largest comes first."""
    if table.empty or not np.nansum(table.to_numpy(dtype="float64")):
        return nothing(title, "There is nothing to count in this time.")
    table = _fewer(table)
    order = table.columns
    figure = go.Figure([go.Bar(x=table.index, y=table[name], name=str(name)) for name in order])
    return titled(figure.update_layout(barmode="stack", bargap=0.05), title, x=x, y=y, height=height)


def _fewer(table: pd.DataFrame) -> pd.DataFrame:
    """Put the largest columns first, and what is beyond the colours that can be told apart together as `others`."""
    order = table.sum().sort_values(ascending=False).index
    kept = table[order[: len(COLOURS) - 1]] if len(order) > len(COLOURS) else table[order]
    return kept if len(kept.columns) == len(order) else kept.assign(others=table[order[len(COLOURS) - 1 :]].sum(axis=1))


def bands(rate: pd.DataFrame, title: str, *, y: str = "drifts a day") -> go.Figure:
    """Draw counts, what is usual (a band), and mark what is not."""
    if rate.empty:
        return nothing(title, "No drift was detected in this time.")
    times = rate["TimeGenerated"]
    odd = rate[rate["IsAnomaly"]]
    line = {"width": 0}
    figure = go.Figure([
        go.Scatter(x=times, y=rate["High"], line=line, showlegend=False, hoverinfo="skip", mode="lines"),
        go.Scatter(
            x=times, y=rate["Low"], line=line, fill="tonexty", fillcolor="rgba(86,180,233,0.25)", name="usual",
            mode="lines", hoverinfo="skip",
        ),
        go.Scatter(x=times, y=rate["Drifts"], name="drifts", mode="lines+markers", line={"color": BLUE}),
        go.Scatter(
            x=odd["TimeGenerated"], y=odd["Drifts"], name="unusually many", mode="markers",
            marker={"color": RED, "size": 12, "symbol": "diamond"},
        ),
    ])  # fmt: skip
    return titled(figure, title, y=y)


def bars(table: pd.DataFrame, title: str, *, x: str, height: int | None = None) -> go.Figure:
    """Draw lying bars, one for each row, stacked by column; the longest is on top."""
    rows = table.loc[table.sum(axis=1).sort_values(ascending=False).index]
    if rows.empty or not rows.to_numpy().sum():
        return nothing(title, "There is nothing to count in this time.")
    cut = f" (the first {_MOST} of {len(rows)})" if len(rows) > _MOST else ""
    rows = rows.head(_MOST)[::-1]
    rows = _fewer(rows)
    order = rows.columns
    figure = go.Figure([go.Bar(y=rows.index, x=rows[name], name=str(name), orientation="h") for name in order])
    figure.update_layout(barmode="stack", showlegend=len(order) > 1)
    return titled(figure, title + cut, x=x, height=height or 170 + 24 * len(rows))


def heat(table: pd.DataFrame, title: str, *, of: str, percent: bool = False, worst_low: bool = False) -> go.Figure:
    """Draw a table as a heat map with its numbers in it."""
    if table.empty or table.isna().to_numpy().all():
        return nothing(title, "There is nothing to show in this time.")
    cut = f" (the first {_MOST} of {len(table)})" if len(table) > _MOST else ""
    rows = table.head(_MOST)[::-1].astype("float64")
    rows = rows if percent else rows.where(rows != 0)
    form = "%{z:.1%}" if percent else "%{z:.3~s}"
    scale = [[0, RED], [0.5, "#F7E9C3"], [1, "#DCEFE7"]] if worst_low else [[0, "#F5F8FB"], [1, BLUE]]
    figure = go.Figure(
        go.Heatmap(
            z=rows.to_numpy(dtype="float64"), x=[str(name) for name in rows.columns],
            y=[str(name) for name in rows.index],
            texttemplate=form, colorscale=scale, colorbar={"title": of, "tickformat": ".0%" if percent else None},
            zmin=min(0.9, float(np.nanmin(rows))) if percent else None, zmax=1 if percent else None,
            hoverongaps=False, xgap=2, ygap=2,
        )
    )  # fmt: skip
    figure.update_xaxes(side="bottom", tickangle=-25, showgrid=False).update_yaxes(showgrid=False)
    return titled(figure, title + cut, height=210 + 28 * len(rows))


def curves(curve: pd.DataFrame, title: str) -> go.Figure:
    """Draw repair curves: the share that is still wrong after so long, on a logarithmic axis of time."""
    if curve.empty:
        return nothing(title, "No drift was detected in this time, so none was repaired.")
    figure = go.Figure()
    for number, (name, rows) in enumerate(curve.groupby("Group", sort=False)):
        colour = COLOURS[number % len(COLOURS)]
        seconds = rows["Seconds"].clip(lower=0.5)
        step = {"mode": "lines", "legendgroup": str(name)}
        figure.add_scatter(
            x=pd.concat([seconds, seconds[::-1]]), y=pd.concat([rows["High"], rows["Low"][::-1]]), fill="toself",
            opacity=0.15,
            line={"width": 0, "shape": "hv"}, fillcolor=colour, showlegend=False, hoverinfo="skip", **step,
        )  # fmt: skip
        label = f"{name} ({int(rows['AtRisk'].iloc[0])})"
        figure.add_scatter(x=seconds, y=rows["StillWrong"], name=label, line={"color": colour, "shape": "hv"}, **step)
    titled(figure, title, x="time since it was detected", y="still wrong", height=460)
    figure.update_xaxes(type="log", tickvals=[1, 10, 60, 600, 3600, 21600, 86400, 604800])
    figure.update_xaxes(ticktext=["1 s", "10 s", "1 min", "10 min", "1 h", "6 h", "1 day", "1 week"])
    return figure.update_yaxes(tickformat=".0%", range=[0, 1.02])


def lines(table: pd.DataFrame, title: str, *, y: str, log: bool = False, dashes: Sequence[str] = ()) -> go.Figure:
    """Draw columns as lines over a time index; those named in `dashes` are dashed."""
    if table.empty or table.isna().to_numpy().all():
        return nothing(title, "There is nothing to show in this time.")
    figure = go.Figure()
    for name in table.columns:
        dash = {"dash": "dash", "color": GREY} if name in dashes else {}
        figure.add_scatter(
            x=table.index, y=table[name], name=str(name), mode="lines+markers" if not dash else "lines", line=dash
        )
    titled(figure, title, y=y)
    return figure.update_yaxes(type="log" if log else "linear")


def stretches(timeline: pd.DataFrame, marks: pd.DataFrame, title: str) -> go.Figure:
    """Draw which address the group had and which DNS named, and what was said when (Time, Severity, Story)."""
    if timeline.empty and marks.empty:
        return nothing(title, "No event speaks of this container group in this time.")
    figure = go.Figure()
    ips = [ip for ip in dict.fromkeys(timeline["Ip"]) if ip]
    for ip in [*ips, ""]:
        rows = timeline[timeline["Ip"] == ip]
        if len(rows):
            colour = COLOURS[ips.index(ip) % len(COLOURS)] if ip else "#DDDDDD"
            figure.add_bar(
                y=rows["What"], base=rows["From"], orientation="h",
                x=(rows["Until"] - rows["From"]).dt.total_seconds() * 1000,
                name=ip or "none", marker={"color": colour}, text=[ip] * len(rows), textposition="inside",
                hovertext=[
                    f"{ip or 'none'}<br>{start:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S}"
                    for start, end in zip(rows["From"], rows["Until"], strict=True)
                ],
                hoverinfo="text",
            )  # fmt: skip
    for severity, colour in (("Information", GREEN), ("Warning", ORANGE), ("Error", RED)):
        rows = marks[marks["Severity"].astype("str") == severity]
        if len(rows):
            figure.add_scatter(
                x=rows["Time"], y=rows["Component"].astype("str"), mode="markers", name=severity,
                marker={"color": colour, "size": 9, "line": {"width": 1, "color": "white"}},
                hovertext=rows["Story"], hoverinfo="x+text",
            )  # fmt: skip
    figure.update_layout(barmode="overlay", bargap=0.35)
    titled(figure, title, height=440)
    order = ["probe", "audit", "tracker", "reconciler", "A record", "container group"]
    figure.update_yaxes(categoryorder="array", categoryarray=order)
    return figure.update_xaxes(type="date")


def compared(table: pd.DataFrame, title: str, *, x: str) -> go.Figure:
    """Draw estimates with their intervals: rows with Name, Value, Low, High; 1 is no difference."""
    rows = table[table["Value"].notna()]
    if rows.empty:
        return nothing(title, "There are too few drifts to compare.")
    figure = go.Figure(
        go.Scatter(
            x=rows["Value"], y=rows["Name"], mode="markers", marker={"size": 12, "color": BLUE},
            error_x={"array": rows["High"] - rows["Value"], "arrayminus": rows["Value"] - rows["Low"], "color": BLUE},
        )
    )  # fmt: skip
    figure.add_vline(x=1, line_dash="dash", line_color=GREY)
    # A shape on a logarithmic axis takes the value, an annotation its logarithm.
    figure.add_annotation(x=0, y=1, yref="paper", yanchor="bottom", text="no difference", showarrow=False)
    titled(figure, title, x=x, height=200 + 40 * len(rows))
    return figure.update_xaxes(type="log")
