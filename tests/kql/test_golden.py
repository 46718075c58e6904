"""Every shipped function and query answers what pandas computes from a history's rows by its header's prose."""

import json
import re
from datetime import timedelta

import pyarrow as pa
import pytest

from bench.expected import FUNCTIONS, QUERIES, Snapshot
from kql import catalog
from kql.duckdb_engine import DuckDbEngine, connect
from local_azure.history.history import History
from local_azure.history.shape import DEFAULT_END, Shape
from local_azure.history.write import insert

SHAPE = Shape(groups=12, probe_minutes=720, audit_minutes=720, canary_minutes=720, deploys=0.6)
"""Ninety days of a small fleet that is probed seldom: everything occurs, and each query takes a moment."""
MOMENTS = {
    "90 days, all of them": (timedelta(0), timedelta(days=90)),
    "7 days that end in the middle of things": (timedelta(days=40, hours=3), timedelta(days=7)),
    "24 hours while a zone is not linked": (timedelta(days=33, hours=17), timedelta(hours=24)),
}
WITHOUT_QUERY = {
    "AciDnsEvents", "AciDnsObservations", "AciDnsProbeLatest", "AciDnsReconcileCauses", "AciDnsReconciles",
    "AciDnsVerdicts",
}  # fmt: skip
OTHERWISE = (
    ("drift-history", {"bucket": "1d"}),
    ("time-to-repair", {"per": "group"}),
    ("time-to-repair", {"per": "resource_group"}),
    ("time-to-repair", {"per": "all"}),
    ("flapping", {"changes": "1"}),
    ("slo", {"within": "30s", "objective": "0.5", "bucket": "1d"}),
    ("slo", {"objective": "1"}),
    ("slo-burn", {"within": "10s", "objective": "0.9", "minimum": "3"}),
    ("dead-letters", {"maxAttempts": "5", "timeToLive": "2d"}),
    ("heartbeats", {"probeEvery": "12h", "auditEvery": "12h", "canaryEvery": "1d", "allowedMisses": "1"}),
    ("components", {"recent": "1d"}),
    ("reconcile-latency", {"bucket": "1d"}),
    ("reconcile-outcomes", {"bucket": "7d"}),
    ("throttling", {"bucket": "1d"}),
    ("ingestion", {"bucket": "1d"}),
    ("runtime-health", {"bucket": "1d", "app": "FUNC-WRITER"}),
    ("recent-events", {"eventType": "reconcile_failed", "group": "PROXY"}),
    ("group-runtime", {"group": "SHOP-web-01"}),
    ("group-timeline", {"group": "shop-web-01"}),
    ("group-timeline", {"group": "proxy.aci.weu.corp.internal"}),
)


@pytest.fixture(scope="module")
def raw():
    parts = {}
    for day in History(SHAPE):
        for name, table in day.items():
            parts.setdefault(name, []).append(table)
    return {name: pa.concat_tables(tables) for name, tables in parts.items()}


@pytest.fixture(scope="module")
def engine(raw):
    connection = connect()
    for name, table in raw.items():
        insert(connection, name, table)
    yield DuckDbEngine(connection)
    connection.close()


@pytest.fixture(scope="module")
def snapshots(raw, engine):
    verdicts = {row["Verdict"]: row for row in engine.query("AciDnsVerdicts()", now=DEFAULT_END)}
    found = {}
    for name, (before, span) in MOMENTS.items():
        now = DEFAULT_END - before
        found[name] = Snapshot(raw, now, now - span, {"verdicts": verdicts})
    return found


def asked(engine, snapshot, kql):
    return engine.query(kql, now=snapshot.now, timespan=snapshot.now - snapshot.start)


def same(got, wanted, *, but=()):
    """Compare as bags of rows; the order is looked at where a query promises one."""
    names = [column.name for column in got.columns if column.name not in but]
    rows = [tuple(canonical(row[name]) for name in names) for row in got]
    expected = [tuple(canonical(row[name]) for name in names) for row in wanted]
    missing = sorted(set(map(repr, expected)) - set(map(repr, rows)))
    surplus = sorted(set(map(repr, rows)) - set(map(repr, expected)))
    assert (surplus[:2], missing[:2]) == ([], []), f"columns: {names}"
    assert len(rows) == len(expected)


def canonical(value):
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return round(float(value), 4)
    return json.dumps(value, sort_keys=True) if isinstance(value, list | dict) else value


def python_name(parameter):
    return re.sub(r"([A-Z])", r"_\1", parameter).lower()


def python_values(entry, values):
    kinds = {parameter.name: parameter.type for parameter in entry.parameters}
    return {python_name(name): python_value(text, kinds[name]) for name, text in values.items()}


def python_value(text, kind):
    if kind == "timespan":
        number, unit = int(text[:-1]), text[-1]
        return number * {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1),
                         "d": timedelta(days=1)}[unit]  # fmt: skip
    return {"long": int, "real": float}.get(kind, str)(text)


# What the expectation leaves out: a sentence that the query writes itself is no result to compute.
LEFT_OUT = {"AciDnsUnlinkedZones": {"Fix"}, "unlinked-zones": {"Fix"}}


def test_every_function_and_query_has_an_expectation():
    assert set(FUNCTIONS) == set(catalog.functions())
    assert set(QUERIES) == set(catalog.queries())


def test_every_function_is_asked_by_itself_or_through_a_query():
    called = {name for entry in catalog.queries().values() for name in re.findall(r"\bAciDns\w+", entry.body)}
    assert set(FUNCTIONS) - called <= WITHOUT_QUERY


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("name", sorted(WITHOUT_QUERY))
def test_a_function_answers_what_its_header_says(name, moment, engine, snapshots):
    snapshot = snapshots[moment]
    same(asked(engine, snapshot, f"{name}()"), FUNCTIONS[name](snapshot))


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("name", sorted(QUERIES))
def test_a_query_answers_what_its_header_says_in_its_order(name, moment, engine, snapshots):
    snapshot, query = snapshots[moment], QUERIES[name]
    got = asked(engine, snapshot, catalog.bind(catalog.queries()[name], {}))
    same(got, query.rows(snapshot), but=LEFT_OUT.get(name, ()))
    assert query.is_sorted(list(got))


@pytest.mark.parametrize(("name", "values"), OTHERWISE)
def test_a_query_answers_what_its_parameters_say(name, values, engine, snapshots):
    snapshot, entry = snapshots["90 days, all of them"], catalog.queries()[name]
    got = asked(engine, snapshot, catalog.bind(entry, values))
    wanted = QUERIES[name].rows(snapshot, **python_values(entry, values))
    same(got, wanted, but=LEFT_OUT.get(name, ()))


def test_the_history_gives_every_query_something_to_answer(snapshots):
    """An expectation of no rows proves little; only a timeline needs to be told whose."""
    moments = snapshots.values()
    assert [name for name, query in QUERIES.items() if not any(map(query.rows, moments))] == ["group-timeline"]
