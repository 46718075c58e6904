"""The figures of the notebooks: each draws one kind of table, or says in a sentence why it cannot. Pure.

Every function takes the finding as its title, and `of`: what is drawn, in a smaller line below it. What a figure is of
comes first where there is no finding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from notebooks.look import BLUE, COLOURS, GREEN, GREY, ORANGE, RED, nothing, show, titled

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "bands", "bars", "compared", "curves", "heat", "lines", "nothing", "show", "stacked", "stretches", "titled",
]  # fmt: skip
_MOST: Final = 40
"""Bars and rows of a heat map that can still be read; the rest is left out, and the title says so."""
_FEW: Final = 10
"""Counts up to here are written one by one on their axis: there is no half of a drift."""
_TIMES: Final = {
    0.1: "0.1 s", 1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 21600: "6 h", 86400: "1 day",
    604800: "1 week", 2592000: "1 month",
}  # fmt: skip
_RATIOS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
_WRONG: Final = "rgba(213,94,0,0.13)"


def stacked(table: pd.DataFrame, title: str, *, of: str, y: str, height: int = 420) -> go.Figure:
    """Draw columns on top of one another over a time index: what is largest comes first."""
    if table.empty or not np.nansum(table.to_numpy(dtype="float64")):
        return nothing(of, "There is nothing to count in this time.")
    table = _fewer(table)
    figure = go.Figure([go.Bar(x=table.index, y=table[name], name=str(name)) for name in table.columns])
    figure.update_layout(barmode="stack", bargap=0.05, legend_traceorder="normal")
    return titled(figure, title, of=of, y=y, height=height)


def _fewer(table: pd.DataFrame) -> pd.DataFrame:
    """Put the largest columns first, and what is beyond the colours that can be told apart together as `others`."""
    order = table.sum().sort_values(ascending=False, kind="stable").index
    if len(order) <= len(COLOURS):
        return table[order]
    kept, rest = order[: len(COLOURS) - 1], order[len(COLOURS) - 1 :]
    return table[kept].assign(others=table[rest].sum(axis=1))


def bands(rate: pd.DataFrame, title: str, *, of: str, y: str = "drifts a day") -> go.Figure:
    """Draw counts, what is usual (a band), and mark what is not."""
    if rate.empty:
        return nothing(of, "No drift was detected in this time.")
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
            x=odd["TimeGenerated"], y=odd["Drifts"], name="unusually many", mode="markers+text",
            marker={"color": RED, "size": 12, "symbol": "diamond"}, textposition="top center",
            text=[f"{time:%d %b}" for time in odd["TimeGenerated"]],
        ),
    ])  # fmt: skip
    return titled(figure, title, of=of, y=y).update_yaxes(rangemode="tozero")


def bars(table: pd.DataFrame, title: str, *, of: str, x: str, most: int = _MOST) -> go.Figure:
    """Draw lying bars, one for each row, stacked by column; the longest is on top."""
    rows = table.loc[table.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    if rows.empty or not rows.to_numpy().sum():
        return nothing(of, "There is nothing to count in this time.")
    cut = f" (the first {most} of {len(rows)})" if len(rows) > most else ""
    rows = _fewer(rows.head(most)[::-1])
    figure = go.Figure([go.Bar(y=rows.index, x=rows[name], name=str(name), orientation="h") for name in rows.columns])
    figure.update_layout(barmode="stack", showlegend=len(rows.columns) > 1, bargap=0.25, legend_traceorder="normal")
    few = rows.sum(axis=1)
    if few.max() <= _FEW and (few % 1 == 0).all():
        figure.update_xaxes(dtick=1)
    return titled(figure, title, of=of + cut, x=x, height=190 + 24 * len(rows))


def heat(table: pd.DataFrame, title: str, *, of: str, percent: bool = False) -> go.Figure:
    """Draw a table as a heat map with its numbers in it; with `percent` shares, of which low ones are red."""
    if table.empty or table.isna().to_numpy().all():
        return nothing(of, "There is nothing to show in this time.")
    cut = f" (the first {_MOST} of {len(table)})" if len(table) > _MOST else ""
    rows = table.head(_MOST)[::-1].astype("float64")
    rows = rows if percent else rows.where(rows != 0)
    scale = [[0, RED], [0.5, "#F7E9C3"], [1, "#DCEFE7"]] if percent else [[0, "#EAF2F8"], [1, BLUE]]
    figure = go.Figure(
        go.Heatmap(
            z=rows.to_numpy(dtype="float64"), x=[str(name) for name in rows.columns],
            y=[str(name) for name in rows.index], texttemplate="%{z:.1%}" if percent else "%{z:.3~s}",
            colorscale=scale, showscale=False, hoverongaps=False, xgap=2, ygap=2,
            zmin=min(0.9, float(np.nanmin(rows))) if percent else None, zmax=1 if percent else None,
        )
    )  # fmt: skip
    figure.update_xaxes(side="bottom", tickangle=-25, showgrid=False).update_yaxes(showgrid=False)
    return titled(figure, title, of=of + cut, height=220 + 28 * len(rows))


def curves(curve: pd.DataFrame, title: str, *, of: str, x: str, y: str) -> go.Figure:
    """Draw repair curves: the share that is left after so long, on a logarithmic axis of time, with its band."""
    if curve.empty:
        return nothing(of, "No drift was detected in this time.")
    figure = go.Figure()
    for number, (name, rows) in enumerate(curve.groupby("Group", sort=False)):
        colour = COLOURS[number % len(COLOURS)]
        seconds = rows["Seconds"].clip(lower=0.5)
        step = {"mode": "lines", "legendgroup": str(name)}
        figure.add_scatter(
            x=pd.concat([seconds, seconds[::-1]]), y=pd.concat([rows["High"], rows["Low"][::-1]]), fill="toself",
            opacity=0.15, line={"width": 0, "shape": "hv"}, fillcolor=colour, showlegend=False, hoverinfo="skip",
            **step,
        )  # fmt: skip
        label = f"{name} ({int(rows['AtRisk'].iloc[0])})"
        figure.add_scatter(x=seconds, y=rows["StillWrong"], name=label, line={"color": colour, "shape": "hv"}, **step)
    figure.add_hline(y=0.5, line={"dash": "dot", "color": GREY, "width": 1})
    titled(figure, title, of=of, x=x, y=y, height=460)
    figure.update_xaxes(type="log", tickvals=list(_TIMES), ticktext=list(_TIMES.values()))
    return figure.update_yaxes(tickformat=".0%", range=[0, 1.02])


def lines(  # noqa: PLR0913 - each is a choice of its own
    table: pd.DataFrame, title: str, *, of: str, y: str, seconds: bool = False, dashes: Sequence[str] = ()
) -> go.Figure:
    """Draw columns as lines over a time index, from 0 up, or `seconds` on a logarithmic axis; `dashes` are dashed."""
    if table.empty or table.isna().to_numpy().all():
        return nothing(of, "There is nothing to show in this time.")
    figure = go.Figure()
    for name in table.columns:
        dash = {"dash": "dash", "color": GREY} if name in dashes else {}
        mode = "lines" if dash else "lines+markers"
        figure.add_scatter(x=table.index, y=table[name], name=str(name), mode=mode, line=dash, marker={"size": 5})
    titled(figure, title, of=of, y=y)
    if seconds:
        return figure.update_yaxes(type="log", tickvals=list(_TIMES), ticktext=list(_TIMES.values()))
    return figure.update_yaxes(rangemode="tozero")


def stretches(timeline: pd.DataFrame, marks: pd.DataFrame, wrong: pd.DataFrame, title: str, *, of: str) -> go.Figure:
    """Draw which address the group had and which DNS named, and what was said when (Time, Severity, Story).

    The times when DNS was `wrong` (From, Until) are shaded.
    """
    if timeline.empty and marks.empty:
        return nothing(of, "No event speaks of this in this time.")
    figure = go.Figure()
    ips = [ip for ip in dict.fromkeys(timeline["Ip"]) if ip]
    for ip in [*ips, ""]:
        rows = timeline[timeline["Ip"] == ip]
        if len(rows):
            _stretch(figure, rows, ip, COLOURS[ips.index(ip) % len(COLOURS)] if ip else "#DDDDDD")
    for severity, colour in (("Information", GREEN), ("Warning", ORANGE), ("Error", RED)):
        rows = marks[marks["Severity"].astype("str") == severity]
        if len(rows):
            figure.add_scatter(
                x=rows["Time"], y=rows["Component"].astype("str"), mode="markers", name=severity,
                marker={"color": colour, "size": 9, "line": {"width": 1, "color": "white"}},
                hovertext=rows["Story"], hoverinfo="x+text",
            )  # fmt: skip
    for start, end in zip(wrong["From"], wrong["Until"], strict=True):
        figure.add_vrect(x0=start, x1=end, fillcolor=_WRONG, line_width=0, layer="below")
    figure.update_layout(barmode="overlay", bargap=0.35)
    titled(figure, title, of=of, height=440)
    order = ["probe", "audit", "tracker", "reconciler", "A record", "container group"]
    figure.update_yaxes(categoryorder="array", categoryarray=order)
    return figure.update_xaxes(type="date")


def _stretch(figure: go.Figure, rows: pd.DataFrame, ip: str, colour: str) -> None:
    told = [
        f"{ip or 'none'}<br>{start:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S}"
        for start, end in zip(rows["From"], rows["Until"], strict=True)
    ]
    figure.add_bar(
        y=rows["What"], base=rows["From"], x=(rows["Until"] - rows["From"]).dt.total_seconds() * 1000,
        orientation="h", name=ip or "none", marker={"color": colour}, text=[ip] * len(rows), textposition="inside",
        insidetextanchor="start", textangle=0, hovertext=told, hoverinfo="text",
    )  # fmt: skip


def compared(table: pd.DataFrame, title: str, *, of: str, x: str) -> go.Figure:
    """Draw estimates with their intervals: rows with Name, Value, Low, High; 1 is no difference."""
    rows = table[table["Value"].notna()][::-1]
    if rows.empty:
        return nothing(of, "There are too few drifts to compare.")
    figure = go.Figure(
        go.Scatter(
            x=rows["Value"], y=rows["Name"], mode="markers", marker={"size": 12, "color": BLUE},
            error_x={
                "array": rows["High"] - rows["Value"], "arrayminus": rows["Value"] - rows["Low"], "color": BLUE,
                "thickness": 2,
            },
        )
    )  # fmt: skip
    figure.add_vline(x=1, line_dash="dash", line_color=GREY)
    # A shape on a logarithmic axis takes the value, an annotation its logarithm.
    figure.add_annotation(x=0, y=1, yref="paper", yanchor="bottom", text="no difference", showarrow=False)
    titled(figure, title, of=of, x=x, height=240 + 40 * len(rows))
    reach = np.log10([*rows["Low"], *rows["High"], 1.0])
    figure.update_yaxes(range=[-0.6, len(rows) - 0.4])
    return figure.update_xaxes(type="log", tickvals=_RATIOS, range=[reach.min() - 0.15, reach.max() + 0.15])
