import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events import (
    COLUMN_NAMES,
    COLUMNS,
    Component,
    DriftKind,
    Event,
    EventType,
    Severity,
    severity_of,
    stream_declaration,
)

NOW = datetime(2026, 3, 4, 5, 6, 7, 891234, tzinfo=UTC)
GROUP = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerInstance/containerGroups/web"


def event(kind=EventType.RECONCILE_UPDATED, attempt="one", component=Component.RECONCILER, **values):
    return Event(component, kind, NOW, attempt, {"SourceEventId": "source", "ContainerGroupId": GROUP, **values})


def identity(made):
    return made.to_row()["EventId"]


def test_a_row_has_the_columns_in_order_and_no_nulls():
    row = event(LiveIp="10.0.0.4", OldIp=None, Details=None, ArmCalls=0, DriftKinds=[]).to_row()
    assert list(row) == [column.name for column in COLUMNS if column.name in row]
    assert None not in row.values()
    assert (row["TimeGenerated"], row["EventTime"]) == ("2026-03-04T05:06:07.891Z", "2026-03-04T05:06:07.891Z")
    assert (row["ArmCalls"], row["DriftKinds"], "OldIp" in row) == (0, [], False)
    assert (row["Component"], row["EventType"], row["Severity"]) == ("reconciler", "reconcile_updated", "Information")
    assert json.loads(json.dumps(row)) == row


def test_times_are_written_in_utc():
    made = Event(Component.PROBE, EventType.PROBE_OK, NOW.astimezone(timezone(timedelta(hours=5))), "one")
    assert made.to_row()["TimeGenerated"] == "2026-03-04T05:06:07.891Z"


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        Event(Component.PROBE, EventType.PROBE_OK, NOW.replace(tzinfo=None), "one")


def test_a_column_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"not columns of AciDnsEvents_CL: LiveIP, oops$"):
        event(LiveIP="x", oops=1)


@pytest.mark.parametrize("name", sorted(COLUMN_NAMES))
def test_a_null_is_the_same_as_nothing_in_any_column(name):
    assert event(**{name: None}).to_row() == event(**{name: None}).to_row()
    if name not in ("SourceEventId", "ContainerGroupId"):
        assert event(**{name: None}).to_row() == event().to_row()


def test_the_same_fact_has_the_same_id_however_often_it_is_delivered():
    assert identity(event(attempt="one")) == identity(event(attempt="two"))
    assert identity(event(DurationMs=5, ArmCalls=3)) == identity(event(DurationMs=9, ArmCalls=4))
    assert identity(event()) == identity(event(ContainerGroupId=GROUP.upper()))


@pytest.mark.parametrize(
    "other",
    [
        event(EventType.RECONCILE_NO_OP),
        event(component=Component.TRACKER),
        event(SourceEventId="other"),
        event(ContainerGroupId=GROUP + "2"),
        event(LiveIp="10.0.0.4"),
        event(NewIp="10.0.0.4"),
        event(ErrorCode="x"),
        event(DriftKinds=[DriftKind.A_MISMATCH]),
    ],
)
def test_another_fact_has_another_id(other):
    assert identity(other) != identity(event())


@pytest.mark.parametrize("kind", [EventType.RECONCILE_FAILED, EventType.RECONCILE_DEFERRED, EventType.TRACK_FAILED])
def test_each_failed_attempt_is_a_fact_of_its_own(kind):
    assert identity(event(kind, "one")) != identity(event(kind, "two"))
    assert identity(event(kind, "one")) == identity(event(kind, "one"))


def test_scheduled_work_is_told_apart_by_its_run():
    assert identity(event(attempt="one", SourceEventId=None)) != identity(event(attempt="two", SourceEventId=None))
    assert identity(event(attempt="one", SourceEventId="")) == identity(event(attempt="one", SourceEventId=None))


@given(st.dictionaries(st.sampled_from(sorted(COLUMN_NAMES)), st.none() | st.text(max_size=5), max_size=8))
def test_text_in_any_column_makes_a_row(values):
    row = Event(Component.AUDIT, EventType.DRIFT_DETECTED, NOW, "one", values).to_row()
    assert len(row["EventId"]) == 32
    assert row.keys() <= COLUMN_NAMES


@pytest.mark.parametrize("kind", EventType)
def test_every_event_type_has_a_severity(kind):
    loud = {"reconcile_failed": "Error", "track_failed": "Error", "probe_failed": "Error",
            "drift_detected": "Warning", "reconcile_deferred": "Warning"}  # fmt: skip
    assert severity_of(kind) == Severity(loud.get(kind.value, "Information"))


def test_the_stream_has_every_column_once_with_names_and_types_that_azure_takes():
    columns = stream_declaration()["columns"]
    assert [column["name"] for column in columns] == [column.name for column in COLUMNS]
    assert len(COLUMN_NAMES) == len(COLUMNS)
    reserved = {"_ResourceId", "id", "_SubscriptionId", "TenantId", "Type", "UniqueId", "Title"}
    for column in COLUMNS:
        assert column.name not in reserved
        assert column.name.isalnum()
        assert column.name[0].isalpha()
        assert len(column.name) <= 45
        assert column.description.endswith(".")
    assert {column["type"] for column in columns} <= {"string", "int", "long", "real", "boolean", "dynamic", "datetime"}


@pytest.mark.parametrize(("code", "severity"), [(None, "Information"), ("forbidden", "Error")])
def test_a_heartbeat_of_a_run_that_could_not_be_made_is_an_error(code: str | None, severity: str) -> None:
    values = {"ErrorCode": code} if code else {}
    event = Event(Component.PROBE, EventType.PROBE_COMPLETED, datetime(2026, 11, 23, tzinfo=UTC), "run", values)
    assert event.to_row()["Severity"] == severity
