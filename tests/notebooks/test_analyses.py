"""The helpers: against what really happened, against what scipy and plain counting say, and on nothing."""

import itertools
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from notebooks import history, source

DAY = pd.Timedelta("1D")
START = pd.Timestamp("2026-01-01", tz="UTC")


def drift(at, *, subject="a", lasted=60.0, is_open=False, by="drift_detected", cause="deployed", kinds="a_mismatch"):
    """Give a drift that began at once; `at` in days from START, `lasted` in seconds."""
    detected = START + at * DAY
    return {
        "Subject": subject, "Aspect": "records", "ContainerGroupId": subject, "ContainerGroup": subject,
        "ForwardZone": "z", "Kinds": kinds, "Cause": cause, "OpenedBy": by, "DetectedBy": "tracker",
        "Start": detected,
        "Detected": detected, "IsOpen": is_open,
        "Repaired": pd.NaT if is_open else detected + pd.Timedelta(seconds=lasted),
        "WrongForSeconds": lasted,
    }  # fmt: skip


def drifts_of(*rows):
    frame = pd.DataFrame(rows)
    return frame.astype(dict.fromkeys(("Start", "Detected", "Repaired"), "datetime64[us, UTC]"))


def test_the_repair_curve_is_that_of_kaplan_and_meier():
    # 1, 2, 2+, 4, 5+: (4/5), (4/5)(3/4), (3/5)(1/2); + is still open.
    lasted = [(1, False), (2, False), (2, True), (4, False), (5, True)]
    rows = drifts_of(
        *(drift(number, lasted=seconds, is_open=is_open) for number, (seconds, is_open) in enumerate(lasted))
    )
    curve = history.repair_curve(rows)
    assert curve["Seconds"].tolist() == [0, 1, 2, 4]
    assert curve["StillWrong"].tolist() == pytest.approx([1, 0.8, 0.6, 0.3])
    assert curve["AtRisk"].tolist() == [5, 5, 4, 2]
    assert ((curve["Low"] <= curve["StillWrong"]) & (curve["StillWrong"] <= curve["High"])).all()
    assert history.survival_at(curve)["Seconds"].tolist() == [4]
    assert history.survival_at(curve, 0.1)["Seconds"].isna().all()


def test_leaving_open_drifts_out_would_make_repair_look_faster():
    rows = drifts_of(
        *(drift(n, lasted=10 + n) for n in range(5)), *(drift(n, lasted=9999, is_open=True) for n in range(5))
    )
    whole = history.survival_at(history.repair_curve(rows))["Seconds"].iloc[0]
    closed = history.survival_at(history.repair_curve(rows[~rows["IsOpen"]]))["Seconds"].iloc[0]
    assert closed < whole


def test_two_paces_of_repair_are_told_apart_and_one_is_not():
    slow = [drift(n, lasted=1000 + n, subject="slow") for n in range(20)]
    fast = [drift(n, lasted=10 + n, subject="fast") for n in range(20)]
    same = [drift(n, lasted=10 + n, subject="same") for n in range(20)]
    assert history.compare_repair(drifts_of(*slow, *fast), "Subject") < 0.001
    assert history.compare_repair(drifts_of(*same, *fast), "Subject") > 0.9
    assert np.isnan(history.compare_repair(drifts_of(*slow), "Subject"))


def test_a_burst_ends_where_nothing_follows_in_time():
    minute = 1 / 1440
    rows = drifts_of(
        *(drift(at, subject=name) for at, name in ((0, "a"), (5 * minute, "b"), (14 * minute, "c"), (1, "a")))
    )
    found = history.bursts(rows)
    assert found[["Drifts", "Subjects"]].to_numpy().tolist() == [[3, 3], [1, 1]]
    assert found["End"].iloc[0] - found["Start"].iloc[0] == pd.Timedelta("14min")


def test_what_drifts_together_is_counted_by_bursts():
    rows = drifts_of(*(drift(day, subject=name) for day, names in enumerate(["ab", "ab", "c", "c"]) for name in names))
    (pair,) = history.co_occurrence(rows).to_dict("records")
    assert (pair["First"], pair["Second"], pair["Together"]) == ("a", "b", 2)
    assert pair["Lift"] == pytest.approx(2 * 4 / (2 * 2))


def test_the_platforms_maintenance_is_the_largest_burst(season, drifts):
    (incident,) = (each for each in season.truth.incidents if each.kind == "platform_maintenance")
    moved = history.bursts(drifts[drifts["Cause"] == "moved without an event"]).iloc[0]
    # The audit that finds it comes up to one pause later.
    assert pd.Timestamp(incident.since) <= moved["Start"] <= pd.Timestamp(incident.until) + pd.Timedelta("12h")
    assert moved["Drifts"] == history.bursts(drifts[drifts["OpenedBy"] != "first_seen"])["Drifts"].max()


def test_every_bucket_is_there_and_every_drift_is_counted_once(drifts):
    rate = history.drift_rate(drifts)
    assert (rate["TimeGenerated"].diff().dropna() == DAY).all()
    assert rate["Drifts"].sum() == (drifts["OpenedBy"] != "first_seen").sum()
    assert history.drift_rate(drifts, new_groups=True)["Drifts"].sum() == len(drifts)


def test_the_usual_is_no_anomaly_and_a_spike_is():
    rng = np.random.default_rng(1)
    counts = rng.poisson(4 + 3 * (np.arange(90) % 7 == 3))
    rate = pd.DataFrame({"TimeGenerated": pd.date_range(START, periods=90, freq="D"), "Drifts": counts})
    assert history.anomaly_bands(rate)["IsAnomaly"].sum() <= 1
    rate.loc[50, "Drifts"] = 40
    assert history.anomaly_bands(rate)["IsAnomaly"].to_numpy().nonzero()[0].tolist() == [50]


@pytest.mark.parametrize("day", [1, 45, 87, 89])
def test_a_bad_day_near_either_end_does_not_make_itself_usual(day):
    found = 0
    for seed in range(20):
        counts = np.random.default_rng(seed).poisson(1.5, 90)
        counts[day] = 12
        rate = pd.DataFrame({"TimeGenerated": pd.date_range(START, periods=90, freq="D"), "Drifts": counts})
        found += history.anomaly_bands(rate)["IsAnomaly"].to_numpy().nonzero()[0].tolist() == [day]
    # With a rhythm that may change it was 3 to 7 of 20 near the ends.
    assert found >= 16


@pytest.mark.parametrize("days", [0, 1, 5, 14, 15])
def test_bands_are_given_for_any_length(days):
    rate = pd.DataFrame({"TimeGenerated": pd.date_range(START, periods=days, freq="D"), "Drifts": [1] * days})
    found = history.anomaly_bands(rate)
    assert len(found) == days
    assert not found["IsAnomaly"].any()


def test_a_change_is_seen_and_none_is_not():
    rng = np.random.default_rng(2)
    times = [day + rng.random() for day in range(60) for _ in range(rng.poisson(6 if day < 30 else 2))]
    rows = drifts_of(*map(drift, times))
    (found,) = history.before_after(rows, START + 30 * DAY, start=START, end=START + 60 * DAY).to_dict("records")
    assert found["Verdict"] == "fewer"
    assert found["Low"] < 2 / 6 < found["High"] < 1
    assert found["Before"] + found["After"] == len(times)
    (same,) = history.before_after(rows, START + 15 * DAY, start=START, end=START + 30 * DAY).to_dict("records")
    assert same["Verdict"] == "no clear change"


def test_one_burst_is_no_change():
    # Thirty drifts of one deleted zone after the change, one a day otherwise: a plain Poisson test would call it worse.
    steady = [drift(day + 0.5, subject=f"s{day}") for day in range(60)]
    burst = [drift(45.2, subject=f"b{number}") for number in range(30)]
    (found,) = history.before_after(
        drifts_of(*steady, *burst), START + 30 * DAY, start=START, end=START + 60 * DAY
    ).to_dict("records")
    assert found["Verdict"] == "no clear change"
    assert found["Dispersion"] > 5
    assert (found["BurstsBefore"], found["BurstsAfter"]) == (30, 31)


def test_intervals_hold_what_they_promise():
    rng = np.random.default_rng(3)
    holds = 0
    for _ in range(60):
        times = [day + rng.random() for day in range(40) for _ in range(rng.poisson(3))]
        (found,) = history.before_after(
            drifts_of(*map(drift, times)), START + 20 * DAY, start=START, end=START + 40 * DAY
        ).to_dict("records")
        holds += found["Low"] <= 1 <= found["High"]
    assert holds >= 54


@pytest.mark.parametrize(("days", "verdict"), [(3, "too little to tell"), (20, "fewer")])
def test_a_side_without_drifts_is_compared_exactly_or_not_at_all(days, verdict):
    rows = drifts_of(*(drift(day + part) for day in range(days) for part in (0.1, 0.5, 0.9)))
    found = history.before_after(rows, START + days * DAY, start=START, end=START + 2 * days * DAY)
    assert found["Verdict"].iloc[0].startswith(verdict)


def test_a_moment_outside_the_history_is_refused(drifts):
    with pytest.raises(source.HistoryError, match="does not lie within the history"):
        history.before_after(drifts, START - 400 * DAY)


def test_deployments_are_the_true_ones(season, events):
    found = history.deploys(events)
    true = [(each.group, each.at) for each in season.truth.changes if each.kind in {"deploy", "update", "create"}]
    told = {(row.Subject, row.Time.floor("D")) for row in found.itertuples()}
    there = {(group, pd.Timestamp(at).floor("D")) for group, at in true}
    assert len(there & told) / len(there) > 0.9
    assert len(told - there) / len(told) < 0.1


def test_days_with_deployments_have_more_drifts(events, drifts):
    first, last = events["TimeGenerated"].min(), events["TimeGenerated"].max()
    (row,) = history.deploy_day_effect(drifts, history.deploys(events), first, last).to_dict("records")
    assert row["Low"] > 1
    assert (
        row["OnDeployDays"] + row["OnOtherDays"]
        == ((drifts["OpenedBy"] != "first_seen") & (drifts["ContainerGroupId"] != "")).sum()
    )
    assert row["Ratio"] == pytest.approx(
        (row["OnDeployDays"] / row["DeployDays"]) / (row["OnOtherDays"] / row["OtherDays"])
    )


def test_the_addresses_of_a_group_are_the_true_ones(season, events):
    group = max(season.truth.changes, key=lambda change: change.kind == "move").group
    told = history.ip_timeline(events, group.upper())
    live = told[told["What"] == "container group"]
    true = {each.new_ip for each in season.truth.changes if each.group == group and each.new_ip}
    assert set(live["Ip"]) - {""} <= true
    assert len(set(live["Ip"]) & true) >= 0.8 * len(true)
    for _, rows in told.groupby("What"):
        assert rows["Until"].iloc[:-1].tolist() == rows["From"].iloc[1:].tolist()
        assert rows["IsLast"].tolist() == [False] * (len(rows) - 1) + [True]
        assert all(one != two for one, two in itertools.pairwise(rows["Ip"]))


def test_what_an_audit_finds_right_again_is_named_from_then_on(events, drifts):
    mine = drifts[(drifts["ContainerGroupId"] != "") & ~drifts["IsOpen"]].tail(1)
    drift, moment = mine.iloc[0], mine["Repaired"].iloc[0] + pd.Timedelta("1s")
    told = mine.assign(RepairEventType="audit_completed", Repaired=moment, LiveIp="10.99.0.1")
    found = history.ip_timeline(events, drift["ContainerGroupId"], drifts=told)
    named = found[(found["What"] == "A record") & (found["Ip"] == "10.99.0.1")]
    assert named["From"].tolist() == [moment]
    assert "10.99.0.1" not in set(history.ip_timeline(events, drift["ContainerGroupId"])["Ip"])


def test_an_incident_is_told_in_order_and_whole(season, events, drifts):
    worst = drifts[drifts["ContainerGroupId"] != ""].sort_values("WrongForSeconds").iloc[-1]
    start, end = worst["Detected"] - pd.Timedelta("2h"), worst["LastSeen"] + pd.Timedelta("2h")
    told = history.incident_timeline(events, group=worst["ContainerGroup"], start=start, end=end)
    assert told["Time"].is_monotonic_increasing
    assert told["Time"].between(start, end).all()
    assert "drift_detected" in set(told["EventType"])
    assert (told["Story"] != "").all()
    asked = history.query("group-timeline", source=season.path, group=worst["ContainerGroup"])
    asked = asked[asked["Time"].between(start, end) & (asked["Component"] != "probe")]
    assert len(told[told["Component"] != "probe"]) == len(asked)
    quiet = history.incident_timeline(events, group=worst["ContainerGroup"], start=start, end=end, probes=False)
    assert "probe" not in set(quiet["Component"])


def test_a_zones_incident_names_its_groups(events):
    told = history.incident_timeline(events, zone="AClearlyUnknown.zone")
    assert len(told) == 0
    zone = events[events["ForwardZone"] != ""]["ForwardZone"].iloc[0]
    assert len(set(history.incident_timeline(events, zone=zone)["ContainerGroup"])) > 1
    with pytest.raises(ValueError, match="group= or zone="):
        history.incident_timeline(events)


def test_the_size_of_events_is_that_of_the_shipped_query(events, tmp_path, season):
    # An export has each fact once, so both count the same rows.
    from notebooks import exporting  # noqa: PLC0415 - here alone

    out = tmp_path / "events.parquet"
    exporting.export(season.path, out, None)
    costs = history.query("costs", source=out)
    assert int(costs["Rows"].sum()) == len(events)
    assert history.bytes_of_events(events).sum() == pytest.approx(int(costs["EstimatedBytes"].sum()), rel=1e-6)


def test_money_follows_the_data():
    times = pd.to_datetime(["2026-01-01", "2026-01-10"], utc=True)
    costs = pd.DataFrame({
        "TimeGenerated": times, "Component": ["probe", "audit"], "EventType": ["probe_ok", "audit_completed"],
        "Rows": [3, 1], "EstimatedBytes": [3_000_000_000, 1_000_000_000], "ArmCalls": [0, 5],
    })  # fmt: skip
    found = history.cost_of_events(costs, 2.0, free_gb_a_month=2.0)
    assert found["GbAMonth"].tolist() == pytest.approx([9, 3])
    assert found["CostAMonth"].sum() == pytest.approx((12 - 2) * 2)
    assert found["Share"].tolist() == pytest.approx([0.75, 0.25])
    with pytest.raises(ValueError, match="negative"):
        history.cost_of_events(costs, -1)


def test_everything_answers_to_nothing(nothing):
    none = history.load_events(nothing)
    drifts = history.drift_episodes(none)
    assert len(history.repair_curve(drifts)) == len(history.survival_at(history.repair_curve(drifts))) == 0
    assert np.isnan(history.compare_repair(drifts, "Cause"))
    assert len(history.drift_rate(drifts)) == len(history.anomaly_bands(history.drift_rate(drifts))) == 0
    assert len(history.bursts(drifts)) == len(history.co_occurrence(drifts)) == len(history.deploys(none)) == 0
    assert len(history.ip_timeline(none, "x")) == len(history.incident_timeline(none, group="x")) == 0
    effect = history.deploy_day_effect(drifts, history.deploys(none), START, START + timedelta(days=1))
    assert effect["Ratio"].isna().all()
    assert history.bytes_of_events(none).sum() == 0
    assert len(history.cost_of_events(history.query("costs", source=nothing), 1.0)) == 0
