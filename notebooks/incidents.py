"""One incident, as a post-mortem tells it: whom it was about and when, and a summary in sentences. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd

from notebooks.telling import span

if TYPE_CHECKING:
    from collections.abc import Iterator

_MARGIN: Final = pd.Timedelta("2h")
_EXACT: Final = 3600
"""Seconds of an incident below which its times are told to the second."""
_MOST: Final = 0.6
"""The part of the time that is worth a question when one wait took it."""


@dataclass(frozen=True, slots=True)
class Incident:
    """What is looked at: `drifts` are those of the group or zone that overlap [start, end], longest first."""

    what: str
    group: str
    zone: str
    start: pd.Timestamp
    end: pd.Timestamp
    drifts: pd.DataFrame
    others: pd.DataFrame

    @property
    def worst(self) -> pd.Series | None:
        """The drift that lasted longest, or None."""
        return self.drifts.iloc[0] if len(self.drifts) else None


def choose(  # noqa: PLR0913 - whom, and when
    drifts: pd.DataFrame,
    first: pd.Timestamp,
    now: pd.Timestamp,
    *,
    group: str = "",
    zone: str = "",
    start: str = "",
    end: str = "",
) -> Incident | None:
    """Say which incident is meant: of `group` (name, FQDN or id) or `zone`, or else of the longest drift of a group.

    Without `start` and `end` (text, UTC) it begins some time before the longest drift of whom is meant and ends some
    time after it; where there was none, it is the whole history from `first` to `now`. None when nobody is named, and
    no group drifted.
    """
    known = drifts[drifts["OpenedBy"] != "first_seen"].sort_values("WrongForSeconds", ascending=False)
    of = _of_group(known, group) if group else _of_zone(known, zone) if zone else known[known["ContainerGroupId"] != ""]
    if not (group or zone):
        if of.empty:
            return None
        worst = of.iloc[0]
        return choose(drifts, first, now, group=worst["ContainerGroupId"], start=start, end=end)
    begin = pd.Timestamp(start, tz="UTC") if start else _before(of, first)
    until = pd.Timestamp(end, tz="UTC") if end else _after(of, now)
    mine = of[_overlaps(of, begin, until)]
    others = known[_overlaps(known, begin, until) & ~known.index.isin(of.index)]
    named = str(of.iloc[0]["ContainerGroup"]) if group and len(of) else group.rpartition("/")[2]
    return Incident(named if group else zone, group, "" if group else zone, begin, until, mine, others)


def _of_group(drifts: pd.DataFrame, group: str) -> pd.DataFrame:
    return _named(drifts, ["ContainerGroupId", "ContainerGroup", "Fqdn"], group.strip().lower())


def _of_zone(drifts: pd.DataFrame, zone: str) -> pd.DataFrame:
    return _named(drifts, ["ForwardZone", "ReverseZone", "Subject"], zone.strip().rstrip(".").lower())


def _named(drifts: pd.DataFrame, columns: list[str], name: str) -> pd.DataFrame:
    return drifts[pd.concat([drifts[column].str.lower() == name for column in columns], axis=1).any(axis=1)]


def _began(drifts: pd.DataFrame) -> pd.Series[pd.Timestamp]:
    return drifts["Start"].fillna(drifts["Detected"])


def _overlaps(drifts: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> pd.Series[bool]:
    return (_began(drifts) <= end) & (drifts["Repaired"].isna() | (drifts["Repaired"] >= start))


def _around(worst: pd.Series) -> pd.Timedelta:
    return max(_MARGIN, pd.Timedelta(seconds=float(worst["WrongForSeconds"])) / 4)


def _before(of: pd.DataFrame, first: pd.Timestamp) -> pd.Timestamp:
    return max(_began(of).iloc[0] - _around(of.iloc[0]), first) if len(of) else first


def _after(of: pd.DataFrame, now: pd.Timestamp) -> pd.Timestamp:
    if of.empty or of.iloc[0]["IsOpen"]:
        return now
    repaired: pd.Timestamp = of.iloc[0]["Repaired"]
    return min(repaired + _around(of.iloc[0]), now)


def spans(incident: Incident) -> pd.DataFrame:
    """Give the times when it was wrong, From and Until, within those of the incident."""
    begun, over = _began(incident.drifts), incident.drifts["Repaired"].fillna(incident.end)
    return pd.DataFrame({
        "From": begun.where(begun > incident.start, incident.start),
        "Until": over.where(over < incident.end, incident.end),
    })  # fmt: skip


def headline(incident: Incident | None) -> str:
    """Say in one line what happened to whom, and how long."""
    if incident is None:
        return "No container group drifted in this time"
    worst = incident.worst
    if worst is None:
        return f"{incident.what} was not seen to be wrong in this time"
    how = "has been wrong for" if worst["IsOpen"] else "was wrong for"
    return f"{incident.what} {how} {_bound(worst)}{span(worst['WrongForSeconds'])}: {worst['Cause']}"


def _bound(worst: pd.Series) -> str:
    """Say what a duration is whose beginning nobody saw: from the last time that it was right, or from the finding."""
    if pd.isna(worst["Start"]):
        return "at least "
    return "" if worst["StartKnown"] else "at most "


def summary(incident: Incident, outages: pd.DataFrame, failures: pd.DataFrame) -> str:
    """Tell the incident in Markdown, a line for each question that a post-mortem answers.

    `outages` are those of the names it is about (notebooks/outages.py), `failures` the toolkit's own in that time:
    rows with Component, ErrorCode and Times.
    """
    worst = incident.worst
    if worst is None:
        begin, end = _at(incident.start), _at(incident.end)
        return f"Nothing says that {incident.what} was wrong between {begin} and {end} UTC."
    told = {
        "What was wrong": _what(worst),
        "How long": _how_long(worst),
        "What led to it": ("" if worst["StartKnown"] else "no event told of it; what was found: ")
        + f"{worst['Cause']}.",
        "Who noticed, who repaired": _who(worst),
        "What clients got": _clients(outages),
        "Was it alone": _others(incident),
        "What else failed": _failures(failures),
        "To ask in the review": _question(worst, failures),
    }
    return "\n".join(f"- **{name}**: {text}" for name, text in told.items() if text)


def _what(worst: pd.Series) -> str:
    kinds, old, live = set(str(worst["Kinds"]).split(",")), worst["OldIp"], worst["LiveIp"]
    named = ", ".join(f"`{kind}`" for kind in sorted(kinds))
    if worst["Aspect"] == "zones":
        said = "a network did not see the zone, so lookups failed there whatever the records said"
    elif "a_orphaned" in kinds:
        said = f"DNS named {old or 'an address'}, and the container group was gone"
    elif "a_mismatch" in kinds:
        said = f"DNS named {old or 'nothing'}, the group had {live or 'no address'}: clients went to the wrong place"
    elif "owner_conflict" in kinds:
        said = f"the name belongs to another live container group, so DNS named {old or 'nothing'} and not {live}"
    elif "a_missing" in kinds:
        said = f"the group ran at {live}, and DNS had no address for it"
    else:
        said = "the address was right; what else belongs to it was not"
    return f"{said} ({named})."


def _how_long(worst: pd.Series) -> str:
    start = worst["Start"]
    since = worst["Detected"] if pd.isna(start) else start
    sure = "" if worst["StartKnown"] else " or before" if pd.isna(start) else " at the earliest"
    exact = float(worst["WrongForSeconds"]) < _EXACT
    until = "until now" if worst["IsOpen"] else f"to {_at(worst['Repaired'], exact)}"
    return f"{_bound(worst)}**{span(worst['WrongForSeconds'])}**, from {_at(since, exact)}{sure} {until} (UTC)."


def _at(moment: pd.Timestamp, exact: bool = False) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if exact else f"{moment:%Y-%m-%d %H:%M}"


def _who(worst: pd.Series) -> str:
    late = worst["TimeToDetectSeconds"]
    noticed = f"the {worst['DetectedBy']} noticed" + ("" if pd.isna(late) else f" after {span(late)}")
    if worst["IsOpen"]:
        return f"{noticed}; nobody has repaired it yet."
    by = str(worst["RepairedBy"])
    done = "the reconciler put it right" if by == "reconciler" else f"the {by} found it right again"
    return f"{noticed}; {done} {span(worst['TimeToRepairSeconds'])} later."


def _clients(outages: pd.DataFrame) -> str:
    if outages.empty:
        return "the probe saw no wrong answer, or did not ask."
    longest = outages.sort_values("LastedSeconds", ascending=False).drop_duplicates("Network")
    rows = longest[["Network", "Verdicts", "LastedSeconds"]].itertuples(index=False, name=None)
    told = [f"`{verdicts}` in {network} for {span(lasted)}" for network, verdicts, lasted in rows]
    more = f", and in {len(told) - 4} more networks" if len(told) > 4 else ""  # noqa: PLR2004 - as many as are named
    return "; ".join(told[:4]) + more + "."


def _others(incident: Incident) -> str:
    others = incident.others
    if others.empty:
        return "yes: nobody else drifted in these hours."
    same = others[others["Cause"] == incident.drifts.iloc[0]["Cause"]]
    drifts = f"{len(others)} other drift{'s' if len(others) > 1 else ''}"
    subjects = others["Subject"].nunique()
    return f"no: {drifts} in these hours, of {subjects} groups or zones; {len(same)} with the same cause."


def _failures(failures: pd.DataFrame) -> str:
    rows = failures[["Component", "ErrorCode", "Times"]].itertuples(index=False, name=None)
    return "; ".join(f"the {component} {times} times with `{code}`" for component, code, times in rows)


def _question(worst: pd.Series, failures: pd.DataFrame) -> str:
    return " ".join(_questions(worst, failures))


def _questions(worst: pd.Series, failures: pd.DataFrame) -> Iterator[str]:
    whole, late, open_for = (float(worst[f"{name}Seconds"]) for name in ("WrongFor", "TimeToDetect", "TimeToRepair"))
    if whole and late / whole >= _MOST:
        yield f"{late / whole:.0%} of the time passed before anybody noticed: would it have been worth looking sooner?"
    elif whole and open_for / whole >= _MOST:
        yield f"It was known for {span(open_for)} and not right: who was told, and what did they wait for?"
    if worst["IsOpen"]:
        yield "It is not over: `drift reconcile` says what would put it right."
    if len(failures):
        yield "Did the failures above delay the repair?"
