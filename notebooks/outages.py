"""What clients saw: outages of a name in a network, from the probe's looks. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

COLUMNS: Final = ("Name", "Network", "Zone", "Start", "Until", "Ending", "Verdicts", "Looks", "LastedSeconds")
RIGHT, WRONG, UNKNOWN = "right again", "still wrong", "not asked any more"
_TARGET: Final = ("Name", "ContainerGroupId", "Vantage")
"""What is looked at, from where. Two groups may claim one name: then one of them is right about it, and one is not."""
_TIME: Final = "datetime64[us, UTC]"
_KINDS: Final = {
    "Start": _TIME, "Until": _TIME, "Looks": "int64", "LastedSeconds": "float64",
}  # fmt: skip


def looks(events: pd.DataFrame) -> pd.DataFrame:
    """Give the probe's looks at names: their rows with Name (the FQDN, lower), Network, and Verdict (`ok` if right).

    All three are categories: a fleet's names are few, its looks are many.
    """
    rows = events[events["EventType"].isin(["probe_ok", "probe_failed"])]
    verdict: Any = rows["Verdict"].astype("category")
    verdict = verdict if "ok" in verdict.cat.categories else verdict.cat.add_categories(["ok"])
    verdict[rows["EventType"] == "probe_ok"] = "ok"
    return rows.assign(Verdict=verdict, Name=_mapped(rows["Fqdn"], str.lower), Network=_mapped(rows["Vantage"], _last))


def _mapped(column: pd.Series[str], change: Callable[[str], str]) -> pd.Series[Any]:
    """Change the values of a category column, each once; two that become one are one category."""
    known = column.astype("category").cat
    names = pd.Index([change(str(name)) for name in known.categories], dtype="str")
    places, kept = pd.factorize(names)
    codes = np.append(places, -1)[known.codes]
    return pd.Series(pd.Categorical.from_codes(codes, categories=kept), index=column.index)


def _last(resource_id: str) -> str:
    return resource_id.rpartition("/")[2]


def outages(looked: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """Give the stretches in which a network got wrong answers for a name: one row each, ordered by Start.

    Looks at one name for one container group (as `looks` gives them) that went wrong one after the other are one
    outage, from the first of them (Start) to the next right one (Until); its length is known to the pause between two
    looks. Ending is `right again`; or `still wrong`, and then it lasts up to `now`; or `not asked any more`, when the
    network's probe has gone on for more than two pauses without that name: nobody knows how it went on, and it ends
    with its last look. Rows: Name, Network, Zone (the reverse zone), Start, Until, Ending, Verdicts (named once each),
    Looks (how many went wrong), LastedSeconds.
    """
    rows = looked[["TimeGenerated", *_TARGET, "Network", "ReverseZone", "Verdict"]]
    rows = rows if rows["TimeGenerated"].is_monotonic_increasing else rows.sort_values("TimeGenerated", kind="stable")
    key = [rows[name] for name in _TARGET]
    right = rows["Verdict"] == "ok"
    if right.all():
        return pd.DataFrame({name: pd.Series(dtype=_KINDS.get(name, "str")) for name in COLUMNS})
    # A right look ends what was before it, so counting right looks numbers the stretches between them.
    number = right.groupby(key, observed=True).cumsum()
    rows = rows.assign(Number=number, Next=rows.groupby(key, observed=True)["TimeGenerated"].shift(-1))
    wrong = rows[~right]
    texts = {name: wrong[name].astype("str") for name in (*_TARGET, "Network", "Verdict")}
    found = (
        wrong.assign(**texts, Zone=wrong["ReverseZone"].astype("str"))
        .groupby([*_TARGET, "Number"])
        .agg(
            Network=("Network", "first"), Zone=("Zone", "first"), Start=("TimeGenerated", "min"), Next=("Next", "last"),
            Last=("TimeGenerated", "max"), Verdicts=("Verdict", _once), Looks=("Verdict", "size"),
        )
        .reset_index()
    )  # fmt: skip
    found = _ended(found, rows, pd.Timestamp(now))
    found["LastedSeconds"] = (found["Until"] - found["Start"]).dt.total_seconds()
    return found.sort_values(["Start", "Name", "Network"], ignore_index=True)[list(COLUMNS)]


def _once(verdicts: pd.Series[str]) -> str:
    return ", ".join(sorted(set(verdicts)))


def _ended(found: pd.DataFrame, rows: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    """Say how each outage ended, and when: what a right look follows is over, the rest depends on the network."""
    networks = rows["Vantage"]
    pause = (rows["Next"] - rows["TimeGenerated"]).groupby(networks, observed=True).median().fillna(pd.Timedelta(0))
    late = rows["TimeGenerated"].groupby(networks, observed=True).max() - 2 * pause
    late.index = late.index.astype("str")
    over = found["Next"].notna() & (found["Next"] > found["Last"])
    forgotten = ~over & (found["Last"] < found["Vantage"].map(late))
    until = found["Next"].where(over, found["Last"].where(forgotten, now))
    ending = pd.Series(WRONG, index=found.index).mask(over, RIGHT).mask(forgotten, UNKNOWN)
    return found.assign(Until=until.astype(_TIME), Ending=ending)


def explained(outages: pd.DataFrame, drifts: pd.DataFrame, now: datetime) -> pd.Series[bool]:
    """Tell of each outage whether the name's records were wrong in that time: some drift of them overlaps it."""
    records = drifts[drifts["Aspect"] == "records"]
    spans = pd.DataFrame(
        {
            "Name": records["Fqdn"].str.lower(),
            "From": records["Start"].fillna(records["Detected"]),
            "To": records["Repaired"].fillna(pd.Timestamp(now)),
        }
    )
    pairs = outages.reset_index().merge(spans, on="Name")
    at_a_time = pairs[(pairs["From"] <= pairs["Until"]) & (pairs["To"] >= pairs["Start"])]
    return pd.Series(outages.index.isin(at_a_time["index"]), index=outages.index, dtype="bool")
