"""The benchmarks run and say what they found; how fast is no test's business."""

import json
from pathlib import Path
from typing import Any

import pytest

import bench.audit
import bench.chaos
import bench.histories
import bench.kql
import bench.reconcile
from bench.figures import Figures, goal, table
from local_azure.history.shape import Shape
from local_azure.history.write import write_duckdb


def test_reconcile_is_measured_as_live_and_as_cold_process(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.reconcile.main(["--runs", "1", "--az", "", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"live", "worker", "worker_cpu", "cold"}
    assert all(figures["median_ms"] > 0 and figures["runs"] == 1 for figures in found.values())
    assert found["worker"]["median_ms"] < found["live"]["median_ms"] < found["cold"]["median_ms"]


def test_a_contender_that_leaves_dns_wrong_ends_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.reconcile.Race, "run_cold", lambda *_: {})
    with pytest.raises(RuntimeError, match="cold: DNS is not right after"):
        bench.reconcile.measure(1, None)


def test_an_az_that_is_not_there_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        bench.reconcile.main(["--az", "/nowhere/az"])
    assert ended.value.code == 2
    assert "no program at /nowhere/az" in capsys.readouterr().err


def test_the_ratio_is_shown_only_where_az_was_measured() -> None:
    figures = {name: Figures.of([200.0]) for name in ("live", "worker", "worker_cpu", "cold")}
    assert "az" not in bench.reconcile.show(figures)
    shown = bench.reconcile.show({**figures, "az": Figures.of([6000.0]), "az_cpu": Figures.of([5000.0])})
    assert "30.0 times faster than az" in shown
    assert "goal ≥ 25 times faster than five az commands: met (30.0)" in shown


def test_chaos_counts_what_its_histories_came_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.chaos.main(["--histories", "30", "--processes", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["histories"], found["problems"]) == (30, [])
    assert found["deliveries"] > 30
    assert found["histories_per_second"] > 0


def test_chaos_plays_the_same_histories_in_several_processes(capsys: pytest.CaptureFixture[str]) -> None:
    counted = []
    for processes in ("1", "2"):
        assert bench.chaos.main(["--histories", "20", "--first-seed", "7", "--processes", processes, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        counted.append({name: found[name] for name in ("deliveries", "crashes", "lost_preconditions")})
    assert counted[0] == counted[1]


@pytest.mark.parametrize("broken", ["a promise", "an exception"])
def test_chaos_names_the_seed_that_broke_a_promise(
    broken: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def play(history: Any) -> bench.histories.Report:
        if broken == "an exception":
            raise KeyError("lost")
        return bench.histories.Report(history.report.seed, ["left over: a PTR"])

    monkeypatch.setattr(bench.histories.History, "play", play)
    assert bench.chaos.main(["--histories", "1", "--first-seed", "41", "--processes", "1"]) == 1
    shown = capsys.readouterr().out
    assert "seed 41: KeyError: 'lost'" in shown or "seed 41: left over: a PTR" in shown


def test_figures_are_the_median_and_the_spread() -> None:
    figures = Figures.of([3.0, 1.0, 10.0])
    assert (figures.median, figures.smallest, figures.largest, figures.runs) == (3.0, 1.0, 10.0, 3)
    assert (
        table([("a run", figures, "a remark")]).splitlines()[1] == f"{'a run':12}  {3:8} {1:8} {10:8} {3:5}  a remark"
    )
    assert goal(False, "x") == "goal x: MISSED"


def test_the_audit_is_measured_and_its_goals_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    fleet = ["--groups", "40", "--zones", "4", "--drift", "2", "--runs", "1"]
    assert bench.audit.main([*fleet, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["groups"], found["pages"], found["arm_calls"]) == (40, 11, 13)
    assert found["peak_mib"] > 0
    figures = {name: Figures.of([200.0]) for name in ("audit", "cpu")}
    others = {name: Figures.of([1000.0]) for name in ("octodns", "octodns_cpu")}
    shown = bench.audit.show({**found, **figures, **others})
    assert "goal calls ≤ pages + 2 for each zone (11 + 8): met (13)" in shown
    assert "goal octoDNS ≥ 5 times as long: met (5.0)" in shown


def test_an_audit_of_more_drift_than_groups_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        bench.audit.main(["--groups", "1", "--drift", "2"])
    assert (ended.value.code, "--drift at most --groups" in capsys.readouterr().err) == (2, True)


def test_queries_are_measured_over_a_day_and_over_all(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    write_duckdb(tmp_path / "history.duckdb", Shape.tiny())
    assert bench.kql.main([str(tmp_path / "history.duckdb"), "event-counts", "--json"]) in {0, 1}
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["range"] for each in found] == ["24 hours", "90 days"]
    assert all(each["rows"] > 0 and each["peak_mb"] > 0 for each in found)
