"""Random histories: whatever is delivered in whatever order, DNS ends right, and nothing foreign is touched."""

import os

import pytest

import reconciler.converge
from bench.histories import History
from reconciler.changes import Plan

HISTORIES = int(os.environ.get("HISTORIES", "1500"))
SLICES = 5


@pytest.mark.parametrize("part", range(SLICES))
def test_every_history_converges(part: int) -> None:
    for seed in range(part, HISTORIES, SLICES):
        report = History(seed).play()
        assert not report.problems, f"history {seed}: {report.problems}"


def test_the_histories_are_hard_enough_to_break_promises() -> None:
    """They contain crashes, lost preconditions, and the one leftover that is documented."""
    reports = [History(seed).play() for seed in range(400)]
    assert sum(report.crashes for report in reports) > 50
    assert sum(report.lost_preconditions for report in reports) > 100


BREAKS = {
    "the address record set is written first": lambda plan: Plan(plan.changes[::-1], plan.problems, plan.notes),
    "old PTRs are not cleaned": lambda plan: Plan(
        tuple(change for change in plan.changes if change.after or change.record_set.type == "A"), plan.problems
    ),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_a_broken_plan_is_found(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = reconciler.converge.make_plan
    monkeypatch.setattr(reconciler.converge, "make_plan", lambda *values: BREAKS[broken](right(*values)))
    assert any(History(seed).play().problems for seed in range(1500))


def _true(*_: object) -> bool:
    return True


def _nothing(*_: object) -> None:
    return None


@pytest.mark.parametrize(("method", "instead"), [("_still", _true), ("_stands", _true), ("_take_back", _nothing)])
def test_a_broken_loop_is_found(method: str, instead: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the read before the writes, the late read after them, or the taking back, some history ends wrong."""
    monkeypatch.setattr(reconciler.converge.Converger, method, instead)
    assert any(History(seed).play().problems for seed in range(3000))
