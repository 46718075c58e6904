"""Loading from a workspace: the real SDK over HTTPS against a local Azure, with everything that happens on the way."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from cli.main import run
from core.errors import EXIT_DONE
from kql import tables
from kql.engine import QueryError
from local_azure.faults import Fault, FaultRule
from local_azure.server import LocalAzure
from notebooks import fetching, history
from notebooks.chunk_store import ChunkStore

DAYS = 4
A_DAY = 60


def rows(now):
    """Give rows of the last days, sixty a day; the first of each day is there twice, and one lies on midnight.

    Days are asked one by one, both ends included: what lies between two of them comes with both.
    """
    midnight = (now - timedelta(hours=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    between = round((now - midnight) / timedelta(days=1) * A_DAY)
    for number in range(DAYS * A_DAY):
        moment = midnight if number == between else now - timedelta(days=number / A_DAY, seconds=5)
        stamp = moment.strftime("%Y-%m-%dT%H:%M:%S.%f")
        row = {
            "TimeGenerated": stamp, "EventTime": stamp, "EventId": f"e{number}", "Component": "probe",
            "Severity": "Information", "EventType": "probe_ok", "Fqdn": f"n{number % 7}.corp.internal",
            "DurationMs": number, "Details": {"n": number},
        }  # fmt: skip
        yield row
        if number % A_DAY == 0:
            yield row


@pytest.fixture(scope="module")
def azure():
    with LocalAzure.start(seed=7, parts=("local_azure.logs",)) as running:
        now = datetime.now(UTC)
        with running.world.logs._cursor() as cursor:
            tables.append(cursor, tables.EVENTS, rows(now), received=now - timedelta(seconds=1))
        yield running


@pytest.fixture
def workspace(azure, monkeypatch, tmp_path):
    """Give the workspace's name; the environment is a product process's, the cache a test's own."""
    for name, value in azure.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    azure.call(azure.world.faults.clear)
    yield f"workspace:{azure.world.settings.workspace_id}"
    azure.call(azure.world.faults.clear)


@pytest.fixture
def shallow(monkeypatch):
    """Let pieces be given up early: halving a day down to a minute takes a dozen requests."""
    monkeypatch.setattr("kql.chunks.SHORTEST", timedelta(minutes=25))


def fail(azure, kind, times=1, skip=0, **fault):
    azure.call(lambda: azure.world.faults.add(FaultRule(Fault(kind, **fault), "query", times=times, skip=skip)))


def queries(azure):
    return azure.call(lambda: azure.world.requests.total)


def load(workspace, **options):
    return history.load_events(workspace, "5d", progress=False, **options)


def test_every_fact_comes_once_with_its_types(workspace, nothing):
    found = load(workspace)
    assert sorted(found["EventId"]) == sorted(f"e{number}" for number in range(DAYS * A_DAY))
    assert [str(kind) for kind in found.dtypes] == [str(kind) for kind in history.load_events(nothing).dtypes]
    assert history.parsed(found["Details"]).map(lambda value: value["n"]).tolist() == found["DurationMs"].tolist()
    assert found.attrs["source"] == workspace
    assert found.attrs["missing"] == ()


def test_a_second_load_asks_only_for_what_is_new(azure, workspace):
    first = load(workspace)
    before = queries(azure)
    second = load(workspace, columns=["Fqdn"])
    assert queries(azure) - before <= 2  # a token, and the seconds since
    assert sorted(second["EventId"]) == sorted(first["EventId"])
    load(workspace, refresh=True)
    assert queries(azure) - before >= 5


def test_a_throttle_a_timeout_and_a_partial_answer_on_the_way_change_nothing(azure, workspace):
    fail(azure, "throttle", retry_after=0)
    fail(azure, "error", status=504, skip=1)
    fail(azure, "partial", skip=2, message="a node went away")
    assert len(load(workspace)) == DAYS * A_DAY


@pytest.mark.parametrize(("limit", "span", "rows"), [(20, "5d", DAYS * A_DAY), (2, "1d", A_DAY)])
def test_answers_that_are_cut_are_asked_in_pieces(limit, span, rows, workspace, monkeypatch):
    # A row limit of the API stands for half a million rows: hours have fewer than 20, but more than two.
    monkeypatch.setattr(fetching, "QUERY", f"set truncationmaxrecords={limit}; AciDnsEvents()")
    found = history.load_events(workspace, span, progress=False)
    assert len(found) == found["EventId"].nunique() == rows


def test_what_cannot_be_had_is_named_and_the_rest_kept(azure, workspace, shallow, tmp_path):
    fail(azure, "partial", times=None, skip=2, message="a node went away")
    with pytest.raises(history.IncompleteHistoryError, match=r"UTC: .*a node went away") as caught:
        history.load_events(workspace, "2d", progress=False, cache=tmp_path / "kept")
    assert caught.value.missing
    assert all(each.end > each.start for each in caught.value.missing)
    azure.call(azure.world.faults.clear)
    before = queries(azure)
    assert len(load(workspace, cache=tmp_path / "kept")) == DAYS * A_DAY
    assert queries(azure) - before < 45


def test_a_partial_history_can_be_wanted(azure, workspace, shallow):
    kept = len(history.load_events(workspace, "1d", progress=False))
    fail(azure, "partial", times=None, message="a node went away")
    with pytest.warns(UserWarning, match="the history is not whole; missing are"):
        found = history.load_events(workspace, "3d", progress=False, allow_partial=True)
    assert 0 < kept <= len(found) < 3 * A_DAY
    assert found.attrs["missing"]
    assert "a node went away" in history.what_is_missing(found)


def test_a_refusal_is_an_error_at_once(azure, workspace):
    fail(azure, "error", times=20, status=403)
    before = queries(azure)
    with pytest.raises(QueryError, match="403"):
        load(workspace)
    assert queries(azure) - before <= 8


def test_progress_is_told(workspace):
    told = []
    history.load_events(workspace, "3d", progress=told.append)
    assert told[-1].share == pytest.approx(1.0)
    assert [each.share for each in told] == sorted(each.share for each in told)


def test_a_bar_is_shown_on_stderr_and_cleared(workspace, capsys):
    history.load_events(workspace, "3d")
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "loading" in shown.err


def test_a_query_of_a_workspace_is_answered_there(workspace):
    found = history.query("event-counts", source=workspace, timespan="10d")
    assert int(found["Events"].sum()) == DAYS * A_DAY
    assert found.attrs["partial"] is None


def test_a_partial_answer_of_a_query_warns(azure, workspace):
    fail(azure, "partial", message="a node went away")
    with pytest.warns(UserWarning, match="event-counts: the answer is not whole: .*a node went away"):
        history.query("event-counts", source=workspace, timespan="10d")


def test_the_export_of_a_workspace_goes_on_where_it_broke(azure, workspace, shallow, tmp_path, capsys):
    out = tmp_path / "events.parquet"
    arguments = [
        "export",
        "--workspace",
        workspace.removeprefix("workspace:"),
        "--last",
        "2d",
        "--out",
        str(out),
        "--json",
    ]
    fail(azure, "partial", times=None, skip=2, message="a node went away")
    assert run(arguments) != EXIT_DONE
    assert "run it again to go on from there" in capsys.readouterr().out
    assert not out.exists()
    azure.call(azure.world.faults.clear)
    assert run(arguments) == EXIT_DONE
    assert json.loads(capsys.readouterr().out)["rows"] == 2 * A_DAY
    assert [path.name for path in tmp_path.iterdir()] == ["events.parquet"]


def test_half_a_file_in_the_cache_does_not_count(workspace, tmp_path):
    load(workspace, cache=tmp_path)
    (folder,) = tmp_path.iterdir()
    victim = ChunkStore(folder).kept()[0].path
    victim.write_bytes(victim.read_bytes()[:100])
    (folder / "notes.parquet").write_bytes(b"not ours")
    assert len(load(workspace, cache=tmp_path)) == DAYS * A_DAY


def test_a_cache_that_is_a_file_is_said(workspace, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(history.HistoryError, match="must be a folder"):
        load(workspace, cache=tmp_path / "file")
