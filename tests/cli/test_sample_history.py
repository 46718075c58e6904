"""`drift sample-history`: what it writes and says, and what it refuses."""

import json

import pytest

from cli.main import run
from core.errors import EXIT_BAD_CONTRACT
from kql.data import open_data
from kql.duckdb_engine import DuckDbEngine
from local_azure.history.shape import DEFAULT_END

SMALL = ["--days", "3", "--events", "300"]


def sample_history(*arguments):
    return run(["sample-history", *map(str, arguments)])


def test_a_database_is_written_and_told_of(tmp_path, capsys):
    assert sample_history("--out", tmp_path / "h.duckdb", *SMALL) == 0
    out = capsys.readouterr().out
    assert "2026-11-19 00:00 to 2026-11-22 00:00 UTC, seed 7" in out
    assert "AppTraces" in out


def test_json_says_the_same_to_a_program(tmp_path, capsys):
    assert sample_history("--out", tmp_path / "h.parquet", *SMALL, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    engine = DuckDbEngine(open_data(tmp_path / "h.parquet"))
    stored = engine.query("AciDnsEvents_CL | count", now=DEFAULT_END.replace(year=2027)).rows
    assert stored == ((found["rows"]["AciDnsEvents_CL"],),)


def test_the_truth_is_written_beside_it(tmp_path):
    assert sample_history("--out", tmp_path / "h.duckdb", *SMALL, "--truth", tmp_path / "truth.json") == 0
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert {each["kind"] for each in truth["incidents"]} >= {"reverse_zone_unlinked", "throttling_storm"}


def test_as_deployed_everything_scheduled_runs_as_often_as_the_deployment_lets_it(tmp_path):
    assert sample_history("--out", tmp_path / "h.duckdb", "--days", "1", "--groups", "6", "--as-deployed") == 0
    engine = DuckDbEngine(open_data(tmp_path / "h.duckdb"))
    found = engine.query(
        "AciDnsEvents() | where EventType in ('canary', 'audit_completed') | summarize Rows = count() by Component",
        now=DEFAULT_END.replace(year=2027),
    )
    rows = dict(found.rows)
    assert 20 <= rows["audit"] <= 24  # some fall into an incident
    assert 240 <= rows["reconciler"] <= 288


def test_an_end_without_a_zone_is_utc(tmp_path, capsys):
    assert sample_history("--out", tmp_path / "h.duckdb", *SMALL, "--end", "2026-03-01", "--json") == 0
    assert json.loads(capsys.readouterr().out)["end"] == "2026-03-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out", "h.txt"], "must end in .duckdb or .parquet"),
        (["--out", "nowhere/h.duckdb"], "there is no folder"),
        (["--out", "h.duckdb", "--end", "yesterday"], "is no instant"),
        (["--out", "h.duckdb", "--groups", "2"], "6 container groups or more"),
        (["--out", "h.duckdb", "--days", "0"], "1 to 730 days"),
        (["--out", "h.duckdb", "--events", "5"], "300 events or more"),
        (["--out", "h.duckdb", "--events", "500", "--groups", "9"], "give one of them"),
        (["--out", "h.duckdb", "--events", "500", "--as-deployed"], "give --groups instead"),
    ],
)
def test_what_makes_no_history_is_refused_and_nothing_is_written(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert sample_history(*arguments) == EXIT_BAD_CONTRACT
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.md").write_text("keep")
    assert sample_history("--out", tmp_path / "mine", *SMALL) == EXIT_BAD_CONTRACT
    assert "not empty" in capsys.readouterr().err
    assert (tmp_path / "mine" / "notes.md").read_text() == "keep"
