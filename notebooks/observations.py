"""What events say of container groups and zones: wrong or right, and since when that is known. Pure.

The words and rules are those of kql/functions/AciDnsObservations.kql and AciDnsDriftEpisodes.kql; tests hold the two
together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from notebooks.frames import parsed, time_of

if TYPE_CHECKING:
    from typing import Any

RIGHT: Final = ("reconcile_updated", "reconcile_no_op", "reconcile_deleted", "no_change")
WRONG: Final = ("first_seen", "drift_detected")
ZONE_KINDS: Final = frozenset({"zone_unlinked", "zone_shadowed"})
_ROOMS: Final = ("reconciler", "tracker", "audit")
_CUT: Final = 100
"""An audit names this many of what it looked at, and no more: then it covers all."""


def observations(events: pd.DataFrame) -> pd.DataFrame:
    """Give what the reconciler, the tracker and the audit say: the events' rows with Subject, Time, At and Says."""
    rows = events[events["Component"].isin(_ROOMS) & (events["EventType"] != "canary")].copy()
    for name in rows.select_dtypes("category").columns:
        rows[name] = rows[name].astype("str")
    group, zone = rows["ContainerGroupId"], rows["ReverseZone"].where(rows["ReverseZone"] != "", rows["ForwardZone"])
    kind = rows["EventType"]
    subject = group.where(group != "", zone.where(kind == "drift_detected", ""))
    rows["Subject"] = subject.where(kind != "audit_completed", "audit").str.lower()
    rows["Time"] = time_of(rows)
    rows["Says"] = np.select([kind.isin(RIGHT), kind.isin(WRONG)], ["right", "wrong"], "")
    took = pd.to_timedelta(rows["DurationMs"].fillna(0).astype("int64"), unit="ms")
    rows["Began"] = (rows["Time"] - took).astype("datetime64[us, UTC]")
    rows["At"] = rows["Began"].where(rows["Says"] == "wrong", rows["Time"])
    return rows[rows["Subject"] != ""].reset_index(drop=True)


def sightings(seen: pd.DataFrame) -> pd.DataFrame:
    """Give what says wrong, once for each Aspect (records, zones) that it speaks of, with its Kinds (a list) there."""
    wrong = seen[seen["Says"] == "wrong"]
    told: list[list[str]] = [list(kinds) if kinds else ["unspecified"] for kinds in parsed(wrong["DriftKinds"])]
    new = (wrong["EventType"] == "first_seen").to_numpy()
    kinds = [["a_missing"] if is_new else each for each, is_new in zip(told, new, strict=True)]
    both = [
        wrong.assign(Aspect=aspect, Kinds=pd.Series(_of_aspect(kinds, is_zone), index=wrong.index, dtype="object"))
        for aspect, is_zone in (("records", False), ("zones", True))
    ]
    found = pd.concat(both, ignore_index=True)
    return found[found["Kinds"].map(bool)].reset_index(drop=True) if len(found) else found


def _of_aspect(told: list[list[str]], is_zone: bool) -> list[list[str]]:
    return [[kind for kind in each if (kind in ZONE_KINDS) == is_zone] for each in told]


def audits(seen: pd.DataFrame) -> pd.DataFrame:
    """Give the audits that read everything: Run, Began, Ended, Scope (text) and what they Cover (a set of texts)."""
    runs = seen[(seen["Subject"] == "audit") & seen["ErrorCode"].isin(["", "repair_refused"])]
    scopes = [(details or {}).get("scope") or {} for details in parsed(runs["Details"])]
    return pd.DataFrame(
        {
            "Run": runs["CorrelationId"].to_numpy(),
            "Began": runs["Began"].array,
            "Ended": runs["Time"].array,
            "Scope": [str(scope).lower() for scope in scopes],
            "Cover": [_covered(scope) for scope in scopes],
        }
    ).sort_values("Began", kind="stable", ignore_index=True)


def _covered(scope: dict[str, Any]) -> frozenset[str]:
    groups, zones = scope.get("resource_groups") or [], scope.get("zones") or []
    found = {f"group:{each}".lower() for each in groups} | {f"zone:{each}".lower() for each in zones}
    return frozenset(
        found | ({"group:*"} if len(groups) >= _CUT else set()) | ({"zone:*"} if len(zones) >= _CUT else set())
    )


def cover_of(rows: pd.DataFrame) -> pd.Series[str]:
    """Give what an audit has in its scope when it looks at a sighting's subject."""
    group = "group:" + rows["SubscriptionId"] + "/" + rows["ResourceGroup"]
    return group.where(rows["ContainerGroupId"] != "", "zone:" + rows["Subject"]).str.lower()


def proofs(seen: pd.DataFrame, wrong: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Give everything that proves a subject right in an aspect: Subject, Aspect, At, EventType, Component."""
    columns = ["Subject", "Aspect", "At", "EventType", "Component"]
    told = seen[(seen["Says"] == "right") & seen["Subject"].isin(wrong["Subject"])].assign(Aspect="records")[columns]
    audited = _by_audits(wrong.assign(Cover=cover_of(wrong)), runs)
    return pd.concat([told, audited[columns]], ignore_index=True)


def _by_audits(wrong: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Give what audits prove: the first that began after a sighting and covers it, unless it reports it again."""
    covers = runs.explode("Cover")[["Cover", "Began", "Ended", "Run"]].rename(columns={"Began": "RunBegan"})
    asked = wrong[["Subject", "Aspect", "Time", "Cover"]]
    # The lists are cut at a hundred: such a run covers every group, or every zone.
    everything = asked.assign(Cover=asked["Cover"].str.split(":").str[0] + ":*")
    found = pd.concat([_next_run(asked, covers), _next_run(everything, covers)])
    found = found.sort_values("RunBegan").drop_duplicates(["Subject", "Aspect", "Time"])
    reported = wrong[wrong["Component"] == "audit"][["CorrelationId", "Subject", "Aspect"]].drop_duplicates()
    told = found.merge(
        reported, left_on=["Run", "Subject", "Aspect"], right_on=["CorrelationId", "Subject", "Aspect"], how="left"
    )
    return told[told["CorrelationId"].isna()].assign(
        At=lambda rows: rows["Ended"], EventType="audit_completed", Component="audit"
    )


def _next_run(asked: pd.DataFrame, covers: pd.DataFrame) -> pd.DataFrame:
    covers = covers.assign(Cover=covers["Cover"].astype("str")).sort_values("RunBegan")
    found = pd.merge_asof(
        asked.assign(Cover=asked["Cover"].astype("str")).sort_values("Time"), covers, left_on="Time",
        right_on="RunBegan", by="Cover", direction="forward", allow_exact_matches=False,
    )  # fmt: skip
    return found[found["RunBegan"].notna()]
