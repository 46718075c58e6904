"""Drift episodes: the rows of AciDnsDriftEpisodes(), and what really happened."""

from datetime import timedelta

import pandas as pd
import pytest

from notebooks import episodes, history, observations

SECOND = pd.Timedelta("1s")


def like_kql(frame, columns):
    return frame[columns].sort_values(["Subject", "Aspect", "Detected"], ignore_index=True)


@pytest.mark.parametrize(
    ("span", "back"), [(None, timedelta(0)), ("20d", timedelta(days=30)), ("1d", timedelta(days=51, hours=5))]
)
def test_every_row_is_that_of_the_shipped_function(span, back, season, events):
    now = events.attrs["now"] - back
    loaded = history.load_events(season.path, span, now=now)
    asked = history.query("AciDnsDriftEpisodes", source=season.path, timespan=span, now=now)
    mine = history.drift_episodes(loaded)
    assert len(mine) == len(asked)
    columns = [name for name in episodes.COLUMNS if name != "Cause"]
    for name in columns:
        here, there = like_kql(mine, columns)[name], like_kql(asked, columns)[name]
        if name.endswith("Seconds"):
            pd.testing.assert_series_equal(here, there, atol=1e-3, rtol=0)
        else:
            assert [None if pd.isna(x) else x for x in here] == [None if pd.isna(x) else x for x in there], name


def wrong_at(wrongs, subject, moment):
    """Give what was really wrong with a group at about a moment."""
    rows = wrongs[(wrongs["group"] == subject) & (wrongs["since"] <= moment + SECOND)]
    return rows[rows["until"].isna() | (rows["until"] >= moment - SECOND)]


def test_what_lasted_longer_than_the_audits_pause_was_found(season, drifts):
    end = drifts["LastSeen"].max()
    lasted = season.wrongs["until"].fillna(end) - season.wrongs["since"]
    long = season.wrongs[lasted > pd.Timedelta("13h")]
    assert len(long) > 3
    for row in long.itertuples():
        same = drifts[(drifts["Subject"] == row.group) & (drifts["Repaired"].fillna(end) >= row.since)]
        assert len(same[same["Detected"] <= (row.until if pd.notna(row.until) else end)]), row


def test_starts_and_repairs_are_the_true_ones(season, drifts):
    starts, ends = [], []
    known = drifts[(drifts["ContainerGroupId"] != "") & (drifts["Aspect"] == "records") & drifts["StartKnown"]]
    for row in known.itertuples():
        for true in wrong_at(season.wrongs, row.Subject, row.Detected).tail(1).itertuples():
            starts.append(abs(row.Start - true.since))
            if not row.IsOpen and pd.notna(true.until):
                ends.append(abs(row.Repaired - true.until))
    assert len(starts) > 30
    assert pd.Series(starts).quantile(0.9) <= SECOND
    assert pd.Series(ends).quantile(0.9) <= 3 * SECOND


def test_causes_are_the_true_ones(season, drifts):
    true_of = {
        episodes.SILENT: {"move"},
        "A record edited by hand": {"edit_address"},
        "PTR record edited by hand": {"edit_pointer"},
        "A record deleted by hand": {"delete_address"},
        "PTR record deleted by hand": {"delete_pointer"},
        "stopped": {"stop"},
        "restarted": {"running"},
        episodes.NEW: {"running"},
    }
    right = asked = 0
    for row in drifts[drifts["Cause"].isin(list(true_of))].itertuples():
        true = set(wrong_at(season.wrongs, row.Subject, row.Detected)["cause"])
        asked += bool(true)
        right += bool(true & true_of[row.Cause])
    assert asked > 20
    assert right / asked >= 0.8  # an event that was lost makes a deployment look like a silent move


def test_a_look_at_one_moment_knows_nothing_later(season):
    early = history.load_events(season.path, now=pd.Timestamp("2026-10-01", tz="UTC").to_pydatetime())
    found = history.drift_episodes(early)
    assert found["LastSeen"].max() <= pd.Timestamp("2026-10-01", tz="UTC")
    assert (found["WrongForSeconds"].dropna() >= 0).all()


def test_no_events_and_no_drifts_have_the_columns(nothing, events):
    for rows in (history.load_events(nothing), events[events["Component"] == "probe"]):
        found = history.drift_episodes(rows)
        assert (len(found), tuple(found.columns)) == (0, episodes.COLUMNS)


def test_columns_that_were_not_loaded_are_named(season):
    lean = history.load_events(season.path, "1d", columns=["Component"])
    with pytest.raises(ValueError, match="needs the columns EventType"):
        history.drift_episodes(lean)


def test_events_are_left_as_they_were(events):
    before = events.copy()
    history.drift_episodes(events)
    pd.testing.assert_frame_equal(events, before)


def test_an_audit_that_is_cut_at_a_hundred_names_covers_all():
    scope = {"resource_groups": [f"s/rg-{number}" for number in range(100)], "zones": ["z"]}
    covered = observations._covered(scope)
    assert "group:*" in covered
    assert "zone:*" not in covered
