"""Replaying rules over history: episodes, lengths, noise, and what could not be evaluated."""

from datetime import timedelta

import pytest

from alerts import backtest, history
from alerts.model import Dimension
from core import events
from kql import tables
from kql.duckdb_engine import DuckDbEngine, connect
from kql.engine import QueryError

FAILED = {"EventType": "reconcile_failed", "Component": "reconciler"}
HOUR = timedelta(hours=1)
STATE = "AciDnsEvents() | where EventType == 'reconcile_failed' | project ContainerGroup"


@pytest.fixture
def rule(make_rule):
    return make_rule(
        kql=STATE, dimensions=(Dimension("ContainerGroup"),), override_query_time_range=timedelta(minutes=30)
    )


def minutes(span):
    return None if span is None else span / timedelta(minutes=1)


def test_episodes_have_their_series_their_instants_and_their_lengths(rule, with_rows, at):
    rows = [(-181, {**FAILED, "ContainerGroup": "web"}), (-176, {**FAILED, "ContainerGroup": "web"})]
    rows += [(-61, {**FAILED, "ContainerGroup": "web"}), (-6, {**FAILED, "ContainerGroup": "api"})]
    engine = with_rows(*((offset, 0, columns) for offset, columns in rows))
    (found,) = backtest.run([rule], engine, at - 4 * HOUR, at)
    shown = [
        (one.dimensions[0][1], minutes(one.fired_at - at), minutes(one.lasted(at)), one.resolved_at is None)
        for one in found.episodes
    ]
    assert shown == [("web", -180, 45, False), ("web", -60, 40, False), ("api", -5, 5, True)]
    assert (found.evaluations, found.fired, found.open) == (49, 3, 1)
    assert (minutes(found.longest), minutes(found.mean_time_to_resolve)) == (45, 42.5)
    assert found.by_dimensions() == [((("ContainerGroup", "web"),), 2), ((("ContainerGroup", "api"),), 1)]
    assert found.per_week == pytest.approx(3 * 42)


def test_a_stateless_rules_alerts_have_no_length(make_rule, with_rows, at):
    rule = make_rule(auto_mitigate=False, mute_actions_duration=timedelta(minutes=15), kql=STATE)
    engine = with_rows(*((-minute, 0, FAILED) for minute in range(1, 30, 4)))
    (found,) = backtest.run([rule], engine, at - HOUR, at)
    assert (found.fired, found.muted, found.open, found.longest, found.mean_time_to_resolve) == (2, 4, 0, None, None)


def test_the_noisiest_rule_comes_first_and_a_disabled_one_is_replayed_too(make_rule, rule, with_rows, at):
    engine = with_rows((-20, 0, {**FAILED, "ContainerGroup": "web"}))
    quiet = make_rule(name="quiet", kql="AciDnsEvents() | where false")
    off = make_rule(name="off", kql=STATE, enabled=False, override_query_time_range=HOUR)
    found = backtest.run([quiet, rule, off], engine, at - HOUR, at)
    assert [(one.rule.name, one.fired) for one in found] == [("off", 1), ("sample", 1), ("quiet", 0)]
    assert found[2].longest is None


def test_a_query_that_fails_is_counted_and_the_reason_kept(make_rule, with_rows, at):
    (found,) = backtest.run([make_rule(kql="Nowhere")], with_rows(), at - HOUR, at)
    assert (found.evaluations, found.failed, "Nowhere" in found.error, found.fired) == (13, 13, True, 0)


def test_progress_ends_with_the_whole(rule, with_rows, at):
    told = []
    backtest.run([rule], with_rows(), at - 30 * HOUR, at, progress=lambda name, share: told.append((name, share)))
    assert told == [("sample", 288 / 361), ("sample", 1.0)]


def test_the_tables_that_a_rule_reads_are_those_of_its_functions_too(make_rule):
    found = history.tables_of([make_rule(kql="AciDnsEvents() | where Fqdn != 'AppRequests'")])
    assert [table.name for table in found] == [events.TABLE, "AppTraces"]


class Chunks:
    """A workspace with some rows of the event table, and without Application Insights."""

    def __init__(self, engine):
        self.engine = engine
        self.asked = []

    def query_chunks(self, kql, start, end):
        self.asked.append((start, end))
        if kql.startswith("AppTraces"):
            raise QueryError("semantic", "'AppTraces' is not known")
        yield _Chunk(self.engine.query(kql, timespan=(start, end)))


class _Chunk:
    def __init__(self, table):
        self.table = table


def test_rows_of_a_workspace_are_seen_from_when_they_were_received(with_rows, at):
    source = Chunks(with_rows((-30, 10, {**FAILED, "DriftKinds": ["a_mismatch"], "Attempt": 2})))
    connection, missing = connect(), []
    wanted = [tables.EVENTS, tables.TRACES]
    assert history.load(source, wanted, at - HOUR, at, connection, missing.append) == 1
    assert missing == ["AppTraces: 'AppTraces' is not known"]
    assert source.asked[0] == (at - timedelta(hours=49), at)
    engine = DuckDbEngine(connection)
    text = "AciDnsEvents() | project DriftKinds, Attempt, Age = now() - EventTime"
    seen = [len(engine.query(text, now=at - timedelta(minutes=minute))) for minute in (21, 19)]
    assert (seen, engine.query(text, now=at).rows) == ([0, 1], ((["a_mismatch"], 2, timedelta(minutes=30)),))
    connection.close()
