"""What comes together: drifts of several groups at a time, and drifts and deployments. Pure."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

import pandas as pd
from statsmodels.stats.rates import confint_poisson_2indep, test_poisson_2indep

from notebooks.frames import parsed, time_of
from notebooks.source import HistoryError

if TYPE_CHECKING:
    from collections.abc import Iterable

_LARGE: Final = 60
"""Groups of a burst whose pairs are counted: a zone that is deleted hits all at once, and its pairs say nothing
more."""
DEPLOY: Final = "microsoft.containerinstance/containergroups/write"


def bursts(episodes: pd.DataFrame, within: str = "10min") -> pd.DataFrame:
    """Put drifts together that were detected close to one another, and give one row for each such burst.

    A drift belongs to the burst of the one before it when it was detected at most `within` later. Rows, largest first:
    Start, End (the first and last Detected), Drifts, Subjects (how many groups or zones), Causes, Kinds, ForwardZones.
    One cause behind many drifts, such as a deleted zone or maintenance of the platform, is one burst.
    """
    rows = episodes.sort_values("Detected")
    numbers = (rows["Detected"].diff() > pd.Timedelta(within)).cumsum().rename("Burst")
    found = rows.groupby(numbers).agg(
        Start=("Detected", "min"),
        End=("Detected", "max"),
        Drifts=("Subject", "size"),
        Subjects=("Subject", "nunique"),
        Causes=("Cause", _named),
        Kinds=("Kinds", _kinds),
        ForwardZones=("ForwardZone", _named),
    )
    return found.sort_values(["Subjects", "Drifts", "Start"], ascending=[False, False, True], ignore_index=True)


def _named(values: Iterable[str]) -> str:
    return ", ".join(sorted({str(each) for each in values if each}))


def _kinds(values: Iterable[str]) -> str:
    return ", ".join(sorted({kind for each in values for kind in str(each).split(",") if kind}))


def co_occurrence(episodes: pd.DataFrame, by: str = "ContainerGroup", within: str = "10min") -> pd.DataFrame:
    """Say which two drift together more often than chance: pairs of values of the column `by`, most surprising first.

    Counted are bursts (see there). Rows: First, Second, Together (bursts with both), OfFirst, OfSecond (bursts with
    each), Lift: how many times more often they are together than if they were independent. With `by` "Kinds" each
    kind counts. Pairs of one burst only tell little: look at Together first.
    """
    rows = episodes.sort_values("Detected")
    numbers = (rows["Detected"].diff() > pd.Timedelta(within)).cumsum()
    values = (
        rows[by].astype("str").str.split(",") if by == "Kinds" else rows[by].astype("str").map(lambda value: [value])
    )
    members = values.explode().groupby(numbers.reindex(values.explode().index)).unique()
    sets = [sorted({value for value in each if value}) for each in members]
    alone: dict[str, int] = {}
    both: dict[tuple[str, str], int] = {}
    for each in sets:
        for value in each:
            alone[value] = alone.get(value, 0) + 1
        for pair in combinations(each if len(each) <= _LARGE else [], 2):
            both[pair] = both.get(pair, 0) + 1
    found = [
        (first, second, count, alone[first], alone[second], count * len(sets) / (alone[first] * alone[second]))
        for (first, second), count in both.items()
    ]
    names = ["First", "Second", "Together", "OfFirst", "OfSecond", "Lift"]
    frame = pd.DataFrame(found, columns=names).astype({"Together": "int64", "Lift": "float64"})
    return frame.sort_values(["Together", "Lift"], ascending=False, ignore_index=True)


def deploys(events: pd.DataFrame) -> pd.DataFrame:
    """Give the deployments that events tell of: Time (the first event's), Subject, ContainerGroup, SourceEventId.

    A deployment is an Event Grid event of a write of the container group, as the tracker names it in Details.cause; or
    one for which the reconciler found the group between two states (reconcile_deferred, not_ready): of those the
    tracker says nothing. To count only what the tracker saw would leave out many after which DNS was right at once.
    """
    source, component = events["SourceEventId"].astype("str"), events["Component"]
    asked = events[(component == "tracker") & (source != "")]
    causes = pd.Series([_cause(details) for details in parsed(asked["Details"])], index=asked.index, dtype="str")
    between = events[
        (events["EventType"] == "reconcile_deferred") & (events["ErrorCode"] == "not_ready") & (source != "")
    ]
    between = between[~between["SourceEventId"].astype("str").isin(set(asked["SourceEventId"].astype("str")))]
    rows = pd.concat([asked[causes == DEPLOY], between])
    found = pd.DataFrame({
        "Time": time_of(rows), "Subject": rows["ContainerGroupId"].astype("str").str.lower(),
        "ContainerGroup": rows["ContainerGroup"].astype("str"), "SourceEventId": rows["SourceEventId"].astype("str"),
    })  # fmt: skip
    return found.sort_values("Time").drop_duplicates(["SourceEventId", "Subject"], ignore_index=True)


def _cause(details: object) -> str:
    return str(details.get("cause") or "").lower() if isinstance(details, dict) else ""


def deploy_day_effect(
    episodes: pd.DataFrame, deployed: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp, *, caused: bool = True
) -> pd.DataFrame:
    """Compare how often groups drift on days on which they were deployed, and on other days: one row.

    The unit is one container group on one day (UTC) between `start` and `end`; groups are those of the drifts and the
    deployments. Counted are drifts of groups, new groups apart; with `caused` False only those that no deployment led
    to, which tells whether deployments have more effect than the drift that every move of an address is.
    Columns: DeployDays, OtherDays (group-days), OnDeployDays, OnOtherDays (drifts), Ratio of the two rates, Low and
    High (95 %, score interval for two Poisson rates), PValue. Null where there is nothing to compare.
    """
    if end <= start:
        raise HistoryError("the range in which deployments and drifts are compared ends before it begins")
    drifts = episodes[(episodes["ContainerGroupId"] != "") & (episodes["OpenedBy"] != "first_seen")]
    drifts = drifts if caused else drifts[drifts["Cause"] != "deployed"]
    drifts = drifts[drifts["Detected"].between(start, end)]
    deployed = deployed[deployed["Time"].between(start, end)]
    days = set(zip(deployed["Subject"], deployed["Time"].dt.floor("D"), strict=True))
    groups = {*drifts["Subject"], *deployed["Subject"]}
    on = sum(each in days for each in zip(drifts["Subject"], drifts["Detected"].dt.floor("D"), strict=True))
    other_days = len(groups) * ((end - start) / pd.Timedelta("1D")) - len(days)
    return pd.DataFrame([_compared(on, len(days), len(drifts) - on, other_days)])


def _compared(on: int, on_days: float, off: int, off_days: float) -> dict[str, float | int]:
    row = {"DeployDays": on_days, "OtherDays": off_days, "OnDeployDays": on, "OnOtherDays": off}
    nothing = dict.fromkeys(("Ratio", "Low", "High", "PValue"), float("nan"))
    if not on + off or on_days <= 0 or off_days <= 0:
        return {**row, **nothing}
    if not on or not off:
        p_value = test_poisson_2indep(on, on_days, off, off_days, method="exact-cond").pvalue
        return {**row, **nothing, "PValue": float(p_value)}
    low, high = confint_poisson_2indep(on, on_days, off, off_days, method="score", compare="ratio")
    p_value = test_poisson_2indep(on, on_days, off, off_days, method="score").pvalue
    ratio = (on / on_days) / (off / off_days)
    return {**row, "Ratio": ratio, "Low": float(low), "High": float(high), "PValue": float(p_value)}
