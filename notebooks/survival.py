"""How long drifts last, with those that last still: Kaplan-Meier curves and the log-rank test (statsmodels). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

if TYPE_CHECKING:
    from datetime import datetime

COLUMNS: Final = ("Group", "Seconds", "StillWrong", "Low", "High", "AtRisk", "Repaired")
_SINCE: Final = ("Detected", "Start")


def durations(episodes: pd.DataFrame, since: str = "Detected", now: datetime | None = None) -> pd.DataFrame:
    """Give each drift's Seconds from `since` (Detected, or Start where it is known) to its end, and whether it IsOver.

    A drift that is open is not left out: it has lasted as long as it has, up to `now` (None: as WrongForSeconds has
    it). To leave the open ones out would make repair look faster the worse it is.
    """
    if since not in _SINCE:
        raise ValueError(f"since is {since!r}; it must be one of {', '.join(_SINCE)}")
    rows = episodes[episodes[since].notna()]
    begin = rows["Start"].fillna(rows["Detected"])
    moment = pd.Timestamp(now) if now else begin + pd.to_timedelta(rows["WrongForSeconds"], unit="s")
    until = rows["Repaired"].fillna(moment)
    seconds = (until - rows[since]).dt.total_seconds().clip(lower=0.001)
    return rows.assign(Seconds=seconds, IsOver=~rows["IsOpen"].astype(bool))


def repair_curve(
    episodes: pd.DataFrame, by: str | None = None, *, since: str = "Detected", now: datetime | None = None
) -> pd.DataFrame:
    """Give the share of drifts that is still wrong after so long: Kaplan-Meier, open drifts censored.

    Columns: Group (a value of the column `by`, or `all`), Seconds, StillWrong (0 to 1), Low and High (95 % pointwise,
    log-log), AtRisk (how many had lasted so long), Repaired (how many ended then). Each group begins with the row (0,
    1).
    """
    rows = durations(episodes, since, now)
    groups = rows.groupby(rows[by].astype("str"), sort=True) if by else [("all", rows)]
    parts = [_curve(str(name), part) for name, part in groups if len(part)]
    if not parts:
        kinds = {"Group": "str", "AtRisk": "int64", "Repaired": "int64"}
        return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, "float64")) for name in COLUMNS})
    return pd.concat(parts, ignore_index=True)


def _curve(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    start = pd.DataFrame([(name, 0.0, 1.0, 1.0, 1.0, len(rows), 0)], columns=list(COLUMNS))
    if not rows["IsOver"].any():
        return start
    fitted = SurvfuncRight(rows["Seconds"].to_numpy(), rows["IsOver"].to_numpy().astype(int))
    share, error = np.asarray(fitted.surv_prob), np.asarray(fitted.surv_prob_se)
    low, high = _interval(share, error)
    steps = pd.DataFrame({
        "Group": name, "Seconds": fitted.surv_times, "StillWrong": share, "Low": low, "High": high,
        "AtRisk": np.asarray(fitted.n_risk).astype("int64"), "Repaired": np.asarray(fitted.n_events).astype("int64"),
    })  # fmt: skip
    return pd.concat([start, steps], ignore_index=True)


def _interval(share: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the log-log interval, which stays between 0 and 1; where everything is repaired it is the point itself."""
    inside = (share > 0) & (share < 1)
    safe = np.where(inside, share, 0.5)
    spread = np.exp(1.96 * np.where(inside, error, 0) / (safe * np.abs(np.log(safe))))
    return np.where(inside, safe**spread, share), np.where(inside, safe ** (1 / spread), share)


def survival_at(curve: pd.DataFrame, share: float = 0.5) -> pd.DataFrame:
    """Give after how many Seconds only `share` of each Group's drifts is still wrong; null where it never came to that.

    With `share` 0.5 this is the median time to repair, open drifts counted in; with 0.1 the 90th percentile.
    """
    if curve.empty:
        return pd.DataFrame({"Group": pd.Series(dtype="str"), "Seconds": pd.Series(dtype="float64")})
    reached = curve[curve["StillWrong"] <= share + 1e-12].groupby("Group")["Seconds"].min()
    return reached.reindex(curve["Group"].unique()).rename_axis("Group").reset_index()


def compare_repair(episodes: pd.DataFrame, by: str, *, since: str = "Detected", now: datetime | None = None) -> float:
    """Give the p-value of the log-rank test that drifts last equally long in every group of the column `by`.

    NaN where there are not two groups, or nothing ended.
    """
    rows = durations(episodes, since, now)
    groups = rows[by].astype("str").to_numpy()
    if len(set(groups)) < 2 or not rows["IsOver"].any():  # noqa: PLR2004 - it takes two to compare
        return float("nan")
    _, p_value = survdiff(rows["Seconds"].to_numpy(), rows["IsOver"].to_numpy().astype(int), groups)
    return float(p_value)
