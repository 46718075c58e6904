"""The workspace engine over the real SDK and HTTPS, asked of a local Azure: it must be the local engine's equal."""

from datetime import UTC, datetime, timedelta

import pytest

from cloud.credentials import FixedTokenCredential
from cloud.logs_query import WorkspaceQuery
from core import events
from kql import catalog, tables
from kql.duckdb_engine import plan_plainly
from kql.engine import Place, QueryError
from kql.workspace_engine import WorkspaceEngine
from local_azure.faults import Fault, FaultRule
from local_azure.server import LocalAzure

TOKEN = FixedTokenCredential("local", 4102444800)
DYNAMIC = {"DriftKinds": ["ptr_stale"], "Changes": [{"op": "put"}], "Details": {"scope": "rg", "groups": 3}}
ENTRIES = [*catalog.functions().values(), *catalog.queries().values()]


def rows(now):
    """Give a row of every type and component in the last day, with every column filled."""
    components = [component.value for component in events.Component]
    for number, event_type in enumerate(events.EventType):
        stamp = (now - timedelta(hours=number, seconds=1)).strftime("%Y-%m-%dT%H:%M:%S.%f")
        filled = {column.name: f"{column.name}-1" for column in events.COLUMNS if column.type == "string"}
        numbers = {column.name: number for column in events.COLUMNS if column.type in {"int", "long"}}
        yield {
            **filled,
            **numbers,
            **DYNAMIC,
            "TimeGenerated": stamp,
            "EventTime": stamp,
            "EventId": f"e{number}",
            "EventType": event_type.value,
            "Component": components[number % 4],
        }


@pytest.fixture(scope="module")
def azure():
    with LocalAzure.start(seed=7, parts=("local_azure.logs",)) as running:
        now = datetime.now(UTC)
        with running.world.logs._cursor() as cursor:
            plan_plainly(cursor)
            tables.append(cursor, tables.EVENTS, rows(now), received=now - timedelta(seconds=1))
        yield running


@pytest.fixture(scope="module")
def workspace(azure):
    settings = azure.world.settings
    query = WorkspaceQuery(TOKEN, f"{azure.query}/v1", settings.workspace_id, ca_bundle=str(azure.ca))
    yield query
    query.close()


@pytest.fixture
def engine(workspace):
    return WorkspaceEngine(workspace)


def fail(azure, kind, times=1, **fault):
    azure.call(lambda: azure.world.faults.add(FaultRule(Fault(kind, **fault), "query", times=times)))


@pytest.fixture
def answered(azure, monkeypatch):
    """Give what the local engine behind the workspace answers from now on, before it goes over the wire."""
    answers = []
    engine = azure.world.logs.engine
    query = engine.query
    monkeypatch.setattr(
        engine, "query", lambda *args, **options: answers.append(query(*args, **options)) or answers[-1]
    )
    return answers


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_what_ships_is_the_same_in_a_workspace_and_on_this_machine(entry, answered, engine):
    there = engine.query(catalog.bind(entry, {}))
    (here,) = answered
    assert there.columns == here.columns
    assert [(column.name, column.type) for column in there.columns] == list(entry.columns)
    assert repr(there.rows) == repr(here.rows)


def test_every_type_comes_back_as_the_local_engine_gives_it(azure, engine):
    kql = (
        "print a=datetime(2015-12-31T23:59:59.9), b=false, c=guid(74be27de-1e4e-49d9-b579-fe0b331d3642), d=int(1), "
        "e=long(9007199254740993), f=real(nan), g='s', h=-10s, i=bool(null), j=dynamic({'a':[1,null]}), "
        "k=datetime(null), l=real(null), m=long(null), n=timespan(null), o=decimal(1.5), p=guid(null), q=1d+1ms"
    )
    there, here = engine.query(kql), azure.world.logs.engine.query(kql)
    assert there.columns == here.columns
    assert repr(there.rows) == repr(here.rows)


def test_a_string_is_never_null_on_either_engine(azure, engine):
    kql = "print x=1 | join kind=leftouter (datatable(x:long, s:string)[2, 'b']) on x | project s"
    assert engine.query(kql).rows == azure.world.logs.engine.query(kql).rows == (("",),)


def test_a_time_span_chooses_the_rows(engine):
    now = datetime.now(UTC)
    assert engine.query("AciDnsEvents | count").rows == ((len(events.EventType),),)
    assert engine.query("AciDnsEvents | count", timespan=timedelta(hours=2, minutes=30)).rows == ((3,),)
    span = (now - timedelta(hours=4, minutes=30), now - timedelta(hours=2, minutes=30))
    assert engine.query("AciDnsEvents | count", timespan=span).rows == ((2,),)


def test_another_now_is_refused(engine):
    with pytest.raises(QueryError, match="now\\(\\) is the real time") as caught:
        engine.query("print now()", now=datetime(2026, 1, 1, tzinfo=UTC))
    assert caught.value.kind == "unsupported"


@pytest.mark.parametrize(
    ("kql", "kind", "code", "place"),
    [
        ("AciDnsEvents\n| where where", "syntax", "SYN0002", Place(2, 0, "|")),
        ("AciDnsEvents | where Zz == 1", "semantic", "SEM0100", None),
        ("AciDnsEvents | make-series count() on TimeGenerated step 1h", "unsupported", "LocalEngineUnsupported", None),
    ],
)
def test_a_fault_of_the_query_has_its_kind_and_place(kql, kind, code, place, engine):
    with pytest.raises(QueryError) as caught:
        engine.query(kql)
    assert (caught.value.kind, caught.value.code) == (kind, code)
    assert place is None or caught.value.place == place


@pytest.mark.parametrize(("status", "kind"), [(504, "timeout"), (403, "service"), (404, "service")])
def test_a_fault_of_the_service_has_its_kind(status, kind, azure, engine):
    fail(azure, "error", status=status)
    with pytest.raises(QueryError) as caught:
        engine.query("print 1")
    assert caught.value.kind == kind


def test_a_throttled_query_is_asked_again(azure, engine):
    fail(azure, "error", status=429, retry_after=0)
    assert engine.query("print a=1").rows == ((1,),)


def test_a_partial_answer_raises_or_is_marked(azure, workspace):
    fail(azure, "partial", times=2, message="a node went away")
    with pytest.raises(QueryError, match="answered only in part: PartialError: a node went away") as caught:
        WorkspaceEngine(workspace).query("print a=1")
    assert caught.value.kind == "partial"
    table = WorkspaceEngine(workspace, on_partial="mark").query("print a=1")
    assert (table.rows, table.partial) == (((1,),), "PartialError: a node went away")


def test_many_queries_give_their_answers_or_errors_in_order(engine):
    found = engine.query_many([(f"print a={n}", None) for n in range(9)] + [("nonsense |", timedelta(hours=1))])
    assert [table.rows for table in found[:9]] == [((n,),) for n in range(9)]
    assert isinstance(found[9], QueryError)


def test_chunks_together_are_the_whole(engine):
    end = datetime.now(UTC)
    start = end - timedelta(days=1)
    seen = []
    found = [*engine.query_chunks("AciDnsEvents;", start, end, chunk=timedelta(hours=5), progress=seen.append)]
    whole = engine.query("AciDnsEvents | sort by TimeGenerated asc", timespan=(start, end))
    assert sorted(row for chunk in found for row in chunk.table.values("EventId")) == sorted(whole.values("EventId"))
    assert [chunk.start for chunk in found] == [start + timedelta(hours=5 * n) for n in range(5)]
    assert found[-1].end == end
    assert (seen[-1].share, seen[-1].rows) == (1.0, len(whole))


def test_a_chunk_that_is_too_large_is_asked_again_in_halves(engine):
    end = datetime.now(UTC)
    found = [*engine.query_chunks("set truncationmaxrecords=2; AciDnsEvents", end - timedelta(hours=8), end)]
    assert sorted(row for chunk in found for row in chunk.table.values("EventId")) == [f"e{n}" for n in range(8)]
    assert max(len(chunk.table) for chunk in found) == 2
