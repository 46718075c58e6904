"""Is it getting better: the rate of drifts, what was unusual (STL), and before against after with an interval. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.rates import test_poisson_2indep
from statsmodels.tsa.seasonal import STL

from notebooks.source import HistoryError

if TYPE_CHECKING:
    from datetime import datetime

_SMALLEST: Final = 7
"""Days on each side below which before and after are not compared: one week has one of each weekday."""
_CLEAR: Final = 0.05


def drift_rate(
    episodes: pd.DataFrame,
    bucket: str = "1D",
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    new_groups: bool = False,
) -> pd.DataFrame:
    """Count the drifts detected in each bucket (TimeGenerated: its start), buckets without any included.

    From `start` to `end` (None: the first and last Detected). New container groups (opened by first_seen) are not
    drifts of anything that was right before, and counted only with `new_groups`. Columns: TimeGenerated, Drifts.
    """
    rows = episodes if new_groups else episodes[episodes["OpenedBy"] != "first_seen"]
    times = rows["Detected"]
    first, last = (pd.Timestamp(each) if each is not None else None for each in (start, end))
    first, last = (times.min() if first is None else first), (times.max() if last is None else last)
    if pd.isna(first) or pd.isna(last):
        return pd.DataFrame(
            {"TimeGenerated": pd.Series(dtype="datetime64[us, UTC]"), "Drifts": pd.Series(dtype="int64")}
        )
    buckets = pd.date_range(first.floor(bucket), last, freq=bucket, tz="UTC").as_unit("us")
    counted = times[times.between(first, last)].dt.floor(bucket).value_counts().reindex(buckets, fill_value=0)
    found: pd.DataFrame = counted.rename_axis("TimeGenerated").rename("Drifts").reset_index()
    return found.astype({"Drifts": "int64"})


def anomaly_bands(rate: pd.DataFrame, *, period: int = 7, value: str = "Drifts", width: float = 3.0) -> pd.DataFrame:
    """Say what is usual for each bucket, and which buckets are not: `rate` with Expected, Low, High, IsAnomaly.

    Counts are made comparable by Anscombe's square root, and decomposed into a trend and a rhythm of `period` buckets
    by a robust STL (statsmodels), which single outliers do not bend. What is left has a robust spread (MAD); a bucket
    further than `width` of them above what is expected is an anomaly. With fewer than two periods the median stands
    for both. The band is never narrower than what chance alone does to a count (Poisson), so a quiet fleet has no
    false alarms.
    """
    counts = rate[value].to_numpy(dtype="float64")
    if not len(counts):
        return rate.assign(Expected=counts, Low=counts, High=counts, IsAnomaly=np.array([], dtype=bool))
    root = 2 * np.sqrt(counts + 0.375)
    if len(counts) >= 2 * period + 1:
        # A rhythm that stays the same, and a level that changes over weeks: what may change faster is bent by a single
        # bad day near either end, which then looks usual.
        same, weeks = 10 * (len(counts) // period) + 1, 3 * period + (3 * period + 1) % 2
        parts = STL(root, period=period, robust=True, seasonal=same, seasonal_deg=0, trend=weeks).fit()
        usual = np.asarray(parts.trend + parts.seasonal)
    else:
        usual = np.full_like(root, np.median(root))
    spread = max(1.4826 * float(np.median(np.abs(root - usual))), 1.0)
    low, expected, high = (_count(usual + by) for by in (-width * spread, 0.0, width * spread))
    found: pd.DataFrame = rate.assign(Expected=expected, Low=low, High=high, IsAnomaly=counts > np.maximum(high, 1))
    return found


def _count(root: np.ndarray) -> np.ndarray:
    counts: np.ndarray = np.maximum(np.square(np.maximum(root, 0) / 2) - 0.375, 0)
    return counts


def before_after(
    episodes: pd.DataFrame,
    when: datetime,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    within: str = "10min",
) -> pd.DataFrame:
    """Compare the rate of drifts before and after a moment: with a 95 % interval, and not fooled by bursts.

    Drifts come in bursts: one deleted zone makes dozens. So the daily counts are compared by a quasi-Poisson model,
    whose spread is as wide as the days' own; and Bursts (drifts within `within` of the one before count once) are given
    beside. One row: Before, After (drifts), DaysBefore, DaysAfter, RateBefore, RateAfter (a day), BurstsBefore,
    BurstsAfter, Ratio, Low, High, PValue, Dispersion (1: as chance alone; more: bursts), Verdict (fewer, more, no clear
    change, too little to tell).
    """
    rows = episodes[episodes["OpenedBy"] != "first_seen"].sort_values("Detected")
    moment = pd.Timestamp(when)
    first = pd.Timestamp(start) if start else rows["Detected"].min()
    last = pd.Timestamp(end) if end else rows["Detected"].max()
    if pd.isna(first) or not first < moment < last:
        raise HistoryError(f"{moment} does not lie within the history ({first} to {last}): there is nothing to compare")
    rows = rows[rows["Detected"].between(first, last)]
    starts = rows["Detected"][~(rows["Detected"].diff() <= pd.Timedelta(within))]
    before, after = _daily(rows["Detected"], first, moment), _daily(rows["Detected"], moment, last)
    row = {
        "Before": int(before.sum()), "After": int(after.sum()),
        "DaysBefore": (moment - first) / pd.Timedelta("1D"), "DaysAfter": (last - moment) / pd.Timedelta("1D"),
        "BurstsBefore": int((starts < moment).sum()), "BurstsAfter": int((starts >= moment).sum()),
    }  # fmt: skip
    row["RateBefore"], row["RateAfter"] = row["Before"] / row["DaysBefore"], row["After"] / row["DaysAfter"]
    row.update(_tested(before, after, row["DaysBefore"], row["DaysAfter"]))
    row["Verdict"] = _verdict(row)
    return pd.DataFrame([row])


def _daily(times: pd.Series[pd.Timestamp], start: pd.Timestamp, end: pd.Timestamp) -> np.ndarray:
    """Count by days of 24 hours from `start` on; what is left at the end belongs to the last."""
    days = max(int((end - start) / pd.Timedelta("1D")), 1)
    inside = times[(times >= start) & (times < end)]
    number = np.minimum(((inside - start) / pd.Timedelta("1D")).to_numpy().astype(int), days - 1)
    return np.bincount(number, minlength=days)


def _tested(before: np.ndarray, after: np.ndarray, days_before: float, days_after: float) -> dict[str, float]:
    degrees = len(before) + len(after) - 2
    pearson = sum(float(np.square(each - each.mean()).sum() / each.mean()) for each in (before, after) if each.any())
    dispersion = max(pearson / degrees, 1.0) if degrees > 0 else 1.0
    first, second = int(before.sum()), int(after.sum())
    if not first or not second:
        # No ratio of nothing; the exact test, on counts thinned by the dispersion, still tells chance from change.
        counts = (round(second / dispersion), days_after, round(first / dispersion), days_before)
        p_value = float(test_poisson_2indep(*counts, method="exact-cond").pvalue) if counts[0] + counts[2] else 1.0
        ratio = 0.0 if first else float("nan")
        return {"Ratio": ratio, "Low": float("nan"), "High": float("nan"), "PValue": p_value, "Dispersion": dispersion}
    logarithm = np.log((second / days_after) / (first / days_before))
    error = np.sqrt(dispersion * (1 / first + 1 / second))
    reach = stats.t.ppf(1 - _CLEAR / 2, max(degrees, 1)) * error
    p_value = float(2 * stats.t.sf(abs(logarithm) / error, max(degrees, 1)))
    ratio, low, high = (float(np.exp(each)) for each in (logarithm, logarithm - reach, logarithm + reach))
    return {"Ratio": ratio, "Low": low, "High": high, "PValue": p_value, "Dispersion": dispersion}


def _verdict(row: dict[str, float]) -> str:
    if min(row["DaysBefore"], row["DaysAfter"]) < _SMALLEST:
        return "too little to tell: less than a week on one side"
    if row["PValue"] >= _CLEAR:
        return "no clear change"
    return "fewer" if row["RateAfter"] < row["RateBefore"] else "more"
