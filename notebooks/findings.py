"""What a figure shows, as the sentence that stands above it; empty where there is nothing to say. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from notebooks.survival import survival_at
from notebooks.telling import number, span

if TYPE_CHECKING:
    from collections.abc import Mapping

_CLEAR: Final = 0.05


def most(counts: pd.Series[Any], sentence: str) -> str:
    """Fill a sentence with the largest of some counts: {name}, {count}, {share}, and the {total} of all."""
    known = counts.dropna().astype("float64")
    total = float(known.sum())
    if not total:
        return ""
    count = float(known.max())
    told = {"name": known.idxmax(), "count": number(round(count)), "total": number(round(total))}
    return sentence.format(share=f"{count / total:.0%}", **told)


def half(counts: pd.Series[Any], things: str, of: str) -> str:
    """Say how few of the things have half of it: `5 of 23 container groups have half of the 141 drifts`."""
    known = counts[counts > 0].astype("float64").sort_values(ascending=False)
    if known.empty:
        return ""
    total = float(known.sum())
    few = int((known.cumsum() < total / 2).sum()) + 1
    verb = "has" if few == 1 else "have"
    return f"{few} of {len(known)} {things} {verb} half of the {number(round(total))} {of}"


def unusual(rate: pd.DataFrame) -> str:
    """Say how many days were unusual, and which the most (rows as anomaly_bands gives them)."""
    if rate.empty:
        return ""
    odd = rate[rate["IsAnomaly"]]
    mean = f"{rate['Drifts'].mean():.1f} drifts a day"
    if odd.empty:
        return f"No day was unusual: {mean} on average"
    worst = odd.sort_values("Drifts", kind="stable").iloc[-1]
    days = "1 day was" if len(odd) == 1 else f"{len(odd)} days were"
    return (
        f"{days} unusual; the worst, {worst['TimeGenerated']:%d %B}, had {worst['Drifts']} drifts; {mean} is the mean"
    )


def medians(curve: pd.DataFrame, sentence: str) -> str:
    """Say after how long half is over in each group of a repair curve; `{times}` in the sentence is `4.1 h (audit)`."""
    rows = survival_at(curve, 0.5).itertuples(index=False, name=None)
    told = [f"{'never' if pd.isna(seconds) else span(seconds)} ({group})" for group, seconds in rows]
    return sentence.format(times=", ".join(told)) if told else ""


def difference(p_value: float) -> str:
    """Say what a test's p-value means: `a clear difference (p < 0.001)`."""
    if pd.isna(p_value):
        return "nothing to compare"
    clear = "a clear difference" if p_value < _CLEAR else "no clear difference"
    return f"{clear} (p {number(p_value)})" if p_value < 0.001 else f"{clear} (p = {number(p_value)})"  # noqa: PLR2004 - as written


def effect(row: Mapping[str, Any]) -> str:
    """Say what a row of deploy_day_effect means."""
    if pd.isna(row["Ratio"]):
        return "There are too few drifts to say what deployments do"
    clear = "" if row["PValue"] < _CLEAR else " (which may be chance)"
    return f"On the day of a deployment a group drifts {number(row['Ratio'])} times as often as on others{clear}"


def change(row: Mapping[str, Any]) -> str:
    """Say what a row of before_after means."""
    verdict = str(row["Verdict"])
    if verdict.startswith("too little"):
        return f"{verdict[:1].upper()}{verdict[1:]}"
    rates = f"{row['RateBefore']:.2f} drifts a day before, {row['RateAfter']:.2f} after"
    return f"{verdict[:1].upper()}{verdict[1:]}: {rates}"
