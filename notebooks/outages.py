"""What clients saw: outages of a name in a network, from the probe's looks. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

if TYPE_CHECKING:
    from datetime import datetime

COLUMNS: Final = ("Name", "Network", "Zone", "Start", "Until", "Ending", "Verdicts", "Looks", "LastedSeconds")
RIGHT, WRONG, UNKNOWN = "right again", "still wrong", "not asked any more"
_TIME: Final = "datetime64[us, UTC]"
_KINDS: Final = {
    "Start": _TIME, "Until": _TIME, "Looks": "int64", "LastedSeconds": "float64",
}  # fmt: skip


def looks(events: pd.DataFrame) -> pd.DataFrame:
    """Give the probe's looks at names: their rows with Name (the FQDN, lower), Network, and Verdict (`ok` if right)."""
    rows = events[events["EventType"].isin(["probe_ok", "probe_failed"])]
    verdict = rows["Verdict"].astype("str").where(rows["EventType"] != "probe_ok", "ok")
    return rows.assign(Verdict=verdict, Name=_mapped(rows["Fqdn"], str.lower), Network=_mapped(rows["Vantage"], _last))


def _mapped(column: pd.Series[str], change: object) -> pd.Series[str]:
    # By category: a fleet's names are few, its looks are many.
    known = {text: change(str(text)) for text in column.unique()}  # type: ignore[operator]  # str -> str
    return column.astype("object").map(known).astype("str")


def _last(resource_id: str) -> str:
    return resource_id.rpartition("/")[2]


def outages(looked: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """Give the stretches in which a network got wrong answers for a name: one row each, ordered by Start.

    Looks (as `looks` gives them) that went wrong one after the other are one outage, from the first of them (Start) to
    the next right one (Until); its length is known to the pause between two looks. Ending is `right again`; or `still
    wrong`, and then it lasts up to `now`; or `not asked any more`, when the network's probe has gone on for more than
    two pauses without that name: nobody knows how it went on, and it ends with its last look. Rows: Name, Network,
    Zone (the reverse zone), Start, Until, Ending, Verdicts (named once each), Looks (how many went wrong),
    LastedSeconds.
    """
    rows = looked.sort_values(["TimeGenerated", "EventId"])
    rows = rows.assign(Vantage=rows["Vantage"].astype("str"), Zone=rows["ReverseZone"].astype("str"))
    key = [rows["Name"], rows["Vantage"]]
    right = rows["Verdict"] == "ok"
    # A right look ends what was before it, so counting right looks numbers the stretches between them.
    rows = rows.assign(Number=right.groupby(key).cumsum(), Next=rows.groupby(key)["TimeGenerated"].shift(-1))
    if right.all():
        return pd.DataFrame({name: pd.Series(dtype=_KINDS.get(name, "str")) for name in COLUMNS})
    found = (
        rows[~right]
        .groupby(["Name", "Vantage", "Number"])
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
    networks = rows.groupby("Vantage")
    pause = (rows["Next"] - rows["TimeGenerated"]).groupby(rows["Vantage"]).median().fillna(pd.Timedelta(0))
    late = networks["TimeGenerated"].max() - 2 * pause
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
