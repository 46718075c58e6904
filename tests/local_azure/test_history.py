"""Histories: that they repeat, that the rows are the rooms' own, and that everything occurs in them."""

import json
from datetime import datetime, timedelta

import pyarrow as pa
import pytest

from core import events
from core.events import EventType
from core.live import LiveGroup, LiveState
from core.names import parse_address
from kql import tables
from kql.data import open_data
from kql.duckdb_engine import DuckDbEngine
from local_azure.history.columns import storage_table
from local_azure.history.history import History
from local_azure.history.layout import plan
from local_azure.history.resolver import Resolver
from local_azure.history.seeded import stream
from local_azure.history.shape import DEFAULT_END, Shape
from local_azure.history.world import World
from local_azure.history.write import write_duckdb, write_parquet
from probe.crosscheck import AZURE_RESOLVER
from probe.report import Occasion, target_event
from probe.result import TargetResult
from probe.targets import targets_of_groups
from probe.verdict import Verdict

EVENTS = events.TABLE
SHORT = Shape(days=20, probe_minutes=120)


def played(shape, seed=7):
    history = History(shape, seed)
    found = {}
    for day in history:
        for name, table in day.items():
            found.setdefault(name, []).append(table)
    return {name: pa.concat_tables(parts) for name, parts in found.items()}, history.truth


@pytest.fixture(scope="module")
def history():
    return played(SHORT)


@pytest.fixture(scope="module")
def rows(history):
    return history[0][EVENTS].to_pylist()


@pytest.fixture(scope="module")
def truth(history):
    return history[1]


def incident(truth, kind):
    return next(each for each in truth.incidents if each.kind == kind)


def naive(time):
    return time.replace(tzinfo=None)


class TestTheSameHistory:
    def test_the_same_shape_and_seed_give_the_same_rows_byte_for_byte(self):
        first, second = played(Shape.tiny()), played(Shape.tiny())
        assert first[0].keys() == second[0].keys()
        assert all(first[0][name].equals(second[0][name]) for name in first[0])
        assert first[1].to_json() == second[1].to_json()

    def test_another_seed_gives_another_fleet(self):
        assert played(Shape.tiny(), 7)[0][EVENTS]["EventId"] != played(Shape.tiny(), 8)[0][EVENTS]["EventId"]

    def test_a_history_ends_where_it_is_told_to(self):
        end = datetime.fromisoformat("2026-03-01T06:00:00Z")
        times = played(Shape.tiny(end))[0][EVENTS]["EventTime"].to_pylist()
        assert naive(end - timedelta(days=3)) - timedelta(minutes=5) <= min(times)
        assert max(times) <= naive(end) + timedelta(minutes=5)


class TestEverythingOccurs:
    def test_the_smallest_history_has_every_type_of_event(self):
        small = played(Shape.tiny())[0][EVENTS]
        assert set(small["EventType"].to_pylist()) == {kind.value for kind in EventType}
        assert small.num_rows < 500

    def test_every_kind_of_drift_occurs(self, rows):
        kinds = {kind for row in rows if row["DriftKinds"] for kind in json.loads(row["DriftKinds"])}
        assert kinds == {kind.value for kind in events.DriftKind}

    def test_every_verdict_occurs(self, rows):
        assert {row["Verdict"] for row in rows} - {""} == {verdict.value for verdict in Verdict}

    def test_every_code_that_an_event_can_carry_occurs(self, history, rows):
        lines = [json.loads(line.split(" ", 1)[1]) for line in fallback_lines(history)]
        codes = {row["ErrorCode"] for row in rows} | {line.get("ErrorCode", "") for line in lines}
        wanted = {
            "bad_input", "foreign_event", "not_configured", "not_ready", "name_conflict", "not_owned", "zone_missing",
            "reverse_zone_missing", "throttled", "unavailable", "forbidden", "conflict", "not_found", "cloud_error",
            "precondition_lost", "deadline_exceeded", "worker_killed", "worker_failed", "failure", "unexpected",
            "bad_configuration", "bad_targets", "empty_inventory", "repair_refused",
        }  # fmt: skip
        assert wanted <= codes

    def test_what_happens_beside_the_events_occurs_as_well(self, history):
        assert set(history[0]) == {
            EVENTS, "AppTraces", "AppRequests", "AppExceptions", "DCRLogErrors", "ContainerEvent_CL",
            "ContainerInstanceLog_CL",
        }  # fmt: skip

    def test_deliveries_are_given_up_when_they_fail_for_longer_than_a_day(self, truth):
        assert {letter.reason for letter in truth.dead_letters} == {"TimeToLiveExceeded"}


class TestHowRowsArrive:
    def test_some_rows_are_sent_twice_and_keep_their_id(self, rows):
        assert 0 < len(rows) - len({row["EventId"] for row in rows}) < 0.02 * len(rows)

    def test_a_row_sent_days_late_gets_the_time_at_which_it_was_received(self, rows):
        late = [row for row in rows if row["TimeGenerated"] != row["EventTime"]]
        assert late
        assert all(row["TimeGenerated"] == row["_TimeReceived"] for row in late)
        assert all(row["_TimeReceived"] - row["EventTime"] > timedelta(days=2) for row in late)

    def test_rows_refused_by_the_ingestion_are_log_lines(self, history, truth):
        outage = incident(truth, "ingestion_outage")
        lines = [json.loads(line.split(" ", 1)[1]) for line in fallback_lines(history)]
        told = [line for line in lines if outage.since <= datetime.fromisoformat(line["EventTime"]) < outage.until]
        kept = {row["EventId"] for row in history[0][EVENTS].to_pylist()}
        assert told
        assert len([line for line in told if line["EventId"] in kept]) < 0.3 * len(told)

    def test_no_row_is_seen_before_it_was_received(self, rows):
        assert all(row["_IngestedAt"] >= row["_TimeReceived"] for row in rows)


class TestTheRowsAreTheRooms:
    def test_rows_of_right_targets_are_those_that_the_probe_writes(self, rows):
        """The columnar way and the probe's own code give the same row, its id included."""
        layout = plan(SHORT, 7)
        vantages = {vantage.vnet_id: vantage for vantage in layout.vantages}
        checked = 0
        for row in [row for row in rows if row["EventType"] == "probe_ok"][::97]:
            vantage = vantages[row["Vantage"]]
            again = retold(layout, row, vantage)
            assert without_measures(storage_row(again)) == without_measures(row)
            checked += 1
        assert checked > 20

    def test_an_event_id_is_that_of_its_row(self, rows):
        """For rows of scheduled work the run's id is the attempt (an audit's findings add what they found)."""
        scheduled = [row for row in rows if row["EventType"] in {"probe_ok", "probe_failed", "audit_completed"}]
        for row in scheduled[::53]:
            assert events.event_id(row | {"DriftKinds": []}, row["CorrelationId"]) == row["EventId"]

    def test_a_column_that_no_room_fills_stays_empty(self, rows):
        skipped = next(row for row in rows if row["EventType"] == "reconcile_skipped")
        assert (skipped["Fqdn"], skipped["NewIp"], skipped["DriftKinds"], skipped["Changes"]) == ("", "", None, None)


class TestTheTruth:
    def test_what_was_wrong_and_repaired_is_right_at_the_end_of_it(self, truth):
        ended = [wrong for wrong in truth.wrongs if wrong.until]
        assert len(ended) > 20
        assert all(wrong.until >= wrong.since for wrong in ended)

    def test_an_unlinked_reverse_zone_fails_probes_there_and_nowhere_else(self, rows, truth):
        unlinked = incident(truth, "reverse_zone_unlinked")
        failed = [row for row in rows if row["Verdict"] == "reverse_zone_unlinked"]
        during = [row for row in failed if naive(unlinked.since) <= row["EventTime"] <= naive(unlinked.until)]
        assert during
        assert {row["Vantage"] for row in during} == {unlinked.scope.split(" in ")[1]}

    def test_an_address_that_was_given_up_is_soon_another_groups(self, truth):
        owners = {}
        for change in truth.changes:
            if change.new_ip:
                owners.setdefault(change.new_ip, set()).add(change.group)
        assert any(len(groups) > 1 for groups in owners.values())

    def test_the_tracker_told_of_most_of_what_was_wrong(self, rows, truth):
        told = {row["ContainerGroupId"].lower() for row in rows if row["EventType"] == "drift_detected"}
        wrong = {each.group for each in truth.wrongs}
        assert len(wrong - told) < 0.2 * len(wrong)


class TestFiles:
    def test_a_database_holds_what_the_engine_needs(self, tmp_path):
        path = tmp_path / "history.duckdb"
        counted, _ = write_duckdb(path, Shape.tiny())
        engine = DuckDbEngine(open_data(path))
        found = engine.query(f"{EVENTS} | count", now=DEFAULT_END + timedelta(days=4))
        assert found.rows == ((counted[EVENTS],),)

    def test_parquet_and_the_database_give_the_same_facts(self, tmp_path):
        write_duckdb(tmp_path / "history.duckdb", Shape.tiny())
        write_parquet(tmp_path / "history", Shape.tiny())
        asked = "AciDnsEvents() | summarize count() by EventType | sort by EventType asc"
        answers = [
            DuckDbEngine(open_data(path)).query(asked, now=DEFAULT_END + timedelta(days=4)).rows
            for path in (tmp_path / "history.duckdb", tmp_path / "history")
        ]
        assert answers[0] == answers[1]

    def test_a_failure_leaves_nothing_half_written(self, tmp_path):
        def stop(part, rows):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_duckdb(tmp_path / "history.duckdb", Shape.tiny(), progress=stop)
        assert list(tmp_path.iterdir()) == []


class TestSizes:
    @pytest.mark.parametrize("wanted", [3_000, 30_000])
    def test_a_history_has_about_as_many_events_as_asked_for(self, wanted):
        counted = played(Shape.of_events(wanted, days=9))[0][EVENTS].num_rows
        assert 0.6 * wanted < counted < 1.6 * wanted

    @pytest.mark.parametrize("wrong", [{"days": 0}, {"groups": 2}, {"end": datetime(2026, 1, 1)}])  # noqa: DTZ001
    def test_a_shape_that_makes_no_sense_is_refused(self, wrong):
        with pytest.raises(ValueError, match="history"):
            Shape(**wrong)


def fallback_lines(history):
    traces = history[0][tables.TRACES.name]["Message"].to_pylist()
    return [line for line in traces if line.startswith(events.FALLBACK_MARKER)]


def retold(layout, row, vantage):
    place = next(place for place in layout.places if str(place.id) == row["ContainerGroupId"])
    group = LiveGroup(place.id, LiveState.RUNNING, parse_address(row["LiveIp"]))
    (target,) = targets_of_groups([group], layout.settings.zone_map)
    first = Resolver(World.of(layout), stream(1, "test")).right(target)
    result = TargetResult(target, AZURE_RESOLVER, first.verdict, "", "", first)
    time = datetime.fromisoformat(f"{row['EventTime'].isoformat()}+00:00")
    return target_event(Occasion(row["CorrelationId"], vantage, 1, time), result)


def storage_row(event):
    return storage_table([event.to_row()]).to_pylist()[0]


def without_measures(row):
    drawn = {"DurationMs", tables.RECEIVED, tables.VISIBLE, tables.REPEATS, "TimeGenerated"}
    return {name: value for name, value in row.items() if name not in drawn}
