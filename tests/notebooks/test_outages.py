"""Outages as clients saw them, and an incident as a post-mortem tells it."""

import pandas as pd
import pytest

from notebooks import incidents, outages, telling

START = pd.Timestamp("2026-11-01", tz="UTC")
NOW = START + pd.Timedelta("12h")
NO_FAILURES = pd.DataFrame(columns=["Component", "ErrorCode", "Times"])
NETWORK = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Network/virtualNetworks/"


def looked(**by_name):
    """Give looks of one network's probe; each name has a letter an hour: r(ight), w(rong), m(issing), or a dot."""
    verdicts = {"r": "ok", "w": "a_mismatch", "m": "a_missing"}
    rows = [
        (START + pd.Timedelta(hours=hour), f"{name}{hour}", name, verdicts[letter])
        for name, letters in by_name.items()
        for hour, letter in enumerate(letters)
        if letter != "."
    ]
    frame = pd.DataFrame(rows, columns=["TimeGenerated", "EventId", "Name", "Verdict"])
    return frame.assign(Network="hub", Vantage=NETWORK + "hub", ReverseZone="1.10.in-addr.arpa", ContainerGroupId="/g")


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        ("rrrrrrrrrrrr", []),
        ("rrwwrrrrrrrr", [(2, 4, 2, outages.RIGHT)]),
        ("wrrwmrrrrrrr", [(0, 1, 1, outages.RIGHT), (3, 5, 2, outages.RIGHT)]),
        ("rrrrrrrrrrww", [(10, 12, 2, outages.WRONG)]),
        ("rrww........", [(2, 3, 2, outages.UNKNOWN)]),
    ],
    ids=["never wrong", "once", "twice", "still", "not asked any more"],
)
def test_an_outage_goes_from_the_first_wrong_look_to_the_next_right_one(letters, expected):
    found = outages.outages(looked(api=letters, other="r" * 12), NOW)
    hours = [
        ((row.Start - START).seconds // 3600, (row.Until - START) / pd.Timedelta("1h")) for row in found.itertuples()
    ]
    assert [(*times, row.Looks, row.Ending) for times, row in zip(hours, found.itertuples(), strict=True)] == expected


def test_names_and_networks_have_outages_of_their_own():
    both = looked(api="rwwr", web="wwrr")
    spoke = both.assign(Network="spoke", Vantage=NETWORK + "spoke", EventId=both["EventId"] + "s")
    found = outages.outages(pd.concat([both, spoke]), NOW)
    assert found.groupby(["Name", "Network"]).size().tolist() == [1, 1, 1, 1]
    assert outages.outages(looked(api="rmwr"), NOW)["Verdicts"].tolist() == ["a_mismatch, a_missing"]


def test_a_name_that_two_groups_claim_is_right_for_one_and_wrong_for_the_other():
    one, other = looked(api="rrrr"), looked(api="wwww").assign(ContainerGroupId="/h")
    both = pd.concat([one, other]).sort_values("TimeGenerated", kind="stable")
    (found,) = outages.outages(both, NOW).to_dict("records")
    assert (found["Looks"], found["Ending"]) == (4, outages.WRONG)


def test_outages_of_a_season_are_those_that_a_loop_finds(events):
    looks = outages.looks(events)
    found = outages.outages(looks, events.attrs["now"])
    expected = 0
    for _, rows in looks.groupby(["Name", "ContainerGroupId", "Vantage"], observed=True):
        before = "ok"
        for verdict in rows["Verdict"]:
            expected += verdict != "ok" and before == "ok"
            before = verdict
    assert len(found) == expected > 20
    assert found["Looks"].sum() == (looks["Verdict"] != "ok").sum()
    assert (found["LastedSeconds"] >= 0).all()


def test_an_outage_is_explained_when_the_records_were_wrong_at_that_time(events, drifts):
    found = outages.outages(outages.looks(events), events.attrs["now"])
    known = outages.explained(found, drifts, events.attrs["now"])
    assert known.index.equals(found.index)
    assert known[found["Verdicts"] == "a_mismatch"].mean() > 0.8
    assert not known[found["Verdicts"].isin(["timeout", "servfail", "forward_zone_unlinked"])].all()
    assert not outages.explained(found, drifts.head(0), events.attrs["now"]).any()


def test_without_a_name_the_longest_drift_of_a_group_is_the_incident(drifts, events):
    first, now = events["TimeGenerated"].min(), pd.Timestamp(events.attrs["now"])
    incident = incidents.choose(drifts, first, now)
    of_groups = drifts[(drifts["ContainerGroupId"] != "") & (drifts["OpenedBy"] != "first_seen")]
    assert incident.worst["WrongForSeconds"] == of_groups["WrongForSeconds"].max()
    assert incident.start < incident.worst["Detected"] <= incident.end <= now
    assert incident.what in incidents.headline(incident)
    told = incidents.summary(incident, outages.outages(looked(api="rr"), NOW), NO_FAILURES)
    assert telling.span(incident.worst["WrongForSeconds"]) in told
    assert [line.split("**")[1] for line in told.splitlines()][:3] == ["What was wrong", "How long", "What led to it"]
    assert set(incident.drifts["Subject"]) == {incident.worst["Subject"]}
    assert incident.worst["Subject"] not in set(incident.others["Subject"])


@pytest.mark.parametrize("spell", ["ContainerGroup", "Fqdn", "ContainerGroupId"])
def test_a_group_is_known_by_its_name_its_fqdn_and_its_id_in_any_case(spell, drifts, events):
    first, now = events["TimeGenerated"].min(), pd.Timestamp(events.attrs["now"])
    drift = drifts[(drifts["Fqdn"] != "") & (drifts["OpenedBy"] != "first_seen")].iloc[0]
    incident = incidents.choose(drifts, first, now, group=drift[spell].upper())
    assert incident.what == drift["ContainerGroup"]
    assert drift["Subject"] in set(incident.drifts["Subject"])


def test_a_time_that_is_named_is_the_time_that_is_looked_at(drifts, events):
    first, now = events["TimeGenerated"].min(), pd.Timestamp(events.attrs["now"])
    incident = incidents.choose(drifts, first, now, zone="16.10.IN-ADDR.arpa.", start="2026-10-18", end="2026-10-20")
    assert (f"{incident.start:%m-%d}", f"{incident.end:%m-%d}") == ("10-18", "10-20")
    assert (incident.zone, incident.group) == ("16.10.IN-ADDR.arpa.", "")
    shaded = incidents.spans(incident)
    assert (shaded["From"] >= incident.start).all()
    assert (shaded["Until"] <= incident.end).all()


def test_who_never_drifted_is_said_not_to_have(drifts, events):
    first, now = events["TimeGenerated"].min(), pd.Timestamp(events.attrs["now"])
    quiet = incidents.choose(drifts, first, now, group="nobody")
    assert (quiet.start, quiet.end) == (first, now)
    assert incidents.headline(quiet) == "nobody was not seen to be wrong in this time"
    assert "Nothing says that nobody was wrong" in incidents.summary(quiet, pd.DataFrame(), NO_FAILURES)
    assert incidents.choose(drifts.head(0), first, now) is None
    assert "No container group drifted" in incidents.headline(None)


WORST = {
    "WrongForSeconds": 7200.0, "TimeToDetectSeconds": 100.0, "TimeToRepairSeconds": 7100.0, "IsOpen": False,
    "Start": START, "StartKnown": True, "Detected": START + pd.Timedelta("100s"),
    "Repaired": START + pd.Timedelta("2h"), "Kinds": "a_mismatch,ptr_stale", "Aspect": "records",
    "OldIp": "10.0.0.4", "LiveIp": "10.0.0.5", "Cause": "deployed", "DetectedBy": "tracker",
    "RepairedBy": "reconciler", "Subject": "/x", "ContainerGroup": "web", "OpenedBy": "drift_detected",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, "DNS named 10.0.0.4, the group had 10.0.0.5: clients went to the wrong place (`a_mismatch`, `ptr_stale`)"),
        ({}, "**2.0 h**, from 2026-11-01 00:00 to 2026-11-01 02:00 (UTC)"),
        ({}, "the tracker noticed after 100.0 s; the reconciler put it right 118.3 min later"),
        ({}, "It was known for 118.3 min and not right: who was told"),
        ({}, "**What led to it**: deployed."),
        ({"StartKnown": False}, "no event told of it; what was found: deployed."),
        ({"StartKnown": False}, "at most **2.0 h**, from 2026-11-01 00:00 at the earliest"),
        ({"StartKnown": False, "Start": pd.NaT}, "at least **2.0 h**, from 2026-11-01 00:01 or before"),
        ({"WrongForSeconds": 12.0}, "from 2026-11-01 00:00:00 to"),
        ({"TimeToDetectSeconds": 7000.0}, "97% of the time passed before anybody noticed"),
        ({"IsOpen": True, "Repaired": pd.NaT}, "nobody has repaired it yet"),
        ({"IsOpen": True, "Repaired": pd.NaT}, "`drift reconcile` says what would put it right"),
        ({"Kinds": "a_orphaned"}, "DNS named 10.0.0.4, and the container group was gone"),
        ({"Kinds": "a_missing"}, "the group ran at 10.0.0.5, and DNS had no address for it"),
        ({"Kinds": "owner_conflict"}, "the name belongs to another live container group, so DNS named 10.0.0.4"),
        ({"Kinds": "ptr_missing"}, "the address was right; what else belongs to it was not (`ptr_missing`)"),
        ({"Aspect": "zones"}, "a network did not see the zone"),
        ({"RepairedBy": "audit"}, "the audit found it right again"),
    ],
)
def test_a_post_mortem_answers_its_questions(changed, told):
    drift = pd.DataFrame([{**WORST, **changed}])
    end = START + pd.Timedelta("3h")
    incident = incidents.Incident("web", "web", "", START, end, drift, drift.head(0))
    text = incidents.summary(incident, outages.outages(looked(api="rr"), NOW), NO_FAILURES)
    assert told in text
    assert "yes: nobody else drifted" in text
    assert "saw no wrong answer" in text


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, "web was wrong for 2.0 h: deployed"),
        ({"StartKnown": False}, "web was wrong for at most 2.0 h: deployed"),
        ({"StartKnown": False, "Start": pd.NaT}, "web was wrong for at least 2.0 h: deployed"),
        ({"IsOpen": True, "Repaired": pd.NaT}, "web has been wrong for 2.0 h: deployed"),
    ],
)
def test_a_headline_promises_no_more_than_is_known(changed, told):
    drift = pd.DataFrame([{**WORST, **changed}])
    incident = incidents.Incident("web", "web", "", START, START + pd.Timedelta("3h"), drift, drift.head(0))
    assert incidents.headline(incident) == told


def test_a_post_mortem_names_clients_others_and_failures():
    drift = pd.DataFrame([WORST])
    others = pd.DataFrame([{**WORST, "Subject": "/y"}, {**WORST, "Subject": "/z", "Cause": "stopped"}])
    failures = pd.DataFrame([("reconciler", "throttled", 3)], columns=["Component", "ErrorCode", "Times"])
    incident = incidents.Incident("web", "web", "", START, NOW, drift, others)
    text = incidents.summary(incident, outages.outages(looked(web="rwwrrr"), NOW), failures)
    assert "`a_mismatch` in hub for 2.0 h" in text
    assert "no: 2 other drifts in these hours, of 2 groups or zones; 1 with the same cause" in text
    assert "the reconciler 3 times with `throttled`" in text
    assert "Did the failures above delay the repair?" in text
