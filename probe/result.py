"""What a probe run gives back, as values: a result for each target and resolver, and the run's summary."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from probe.crosscheck import CrossCheck
from probe.target import BadTarget, Target, Vantage
from probe.verdict import Judgement, Verdict


@dataclass(frozen=True, slots=True)
class TargetResult:
    """One target at one resolver.

    `verdict` is `first`'s, or `flapping` when the second look, `confirmation`, said something else; that is None when
    nothing was wrong, when confirming is off, or when the run's deadline left no time for it. `cause` says what is
    wrong, `fix` what to do, each in one line; both are empty when the verdict is ok. `also` repairs the other
    direction where both are wrong.
    """

    target: Target
    resolver: str
    verdict: Verdict
    cause: str
    fix: str
    first: Judgement
    also: str = ""
    confirmation: Judgement | None = None
    confirmed_after_seconds: float = 0.0
    cross_check: CrossCheck | None = None

    @property
    def is_ok(self) -> bool:
        """Tell whether the target is right; `flapping` is not."""
        return self.verdict is Verdict.OK

    @property
    def last(self) -> Judgement:
        """Give the latest look."""
        return self.confirmation or self.first

    @property
    def duration_ms(self) -> float:
        """Give the time of the slower of the first look's questions."""
        return max(finding.answer.duration_ms for finding in self.first.findings)

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        found: dict[str, Any] = {
            "target": self.target.to_json(),
            "resolver": self.resolver,
            "verdict": self.verdict.value,
            "cause": self.cause,
            "fix": self.fix,
            "also": self.also,
            "answers": _looks(self.first),
            "confirmation": _looks(self.confirmation) if self.confirmation else None,
            "confirmed_after_seconds": round(self.confirmed_after_seconds, 3),
            "cross_check": self.cross_check.to_json() if self.cross_check else None,
        }
        return {name: value for name, value in found.items() if value not in (None, "", 0.0)}


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in numbers. `queries` and `ignored` count messages; percentiles are of the first look's questions, ms."""

    targets: int = 0
    results: int = 0
    verdicts: Mapping[str, int] = field(default_factory=dict)
    bad_targets: int = 0
    queries: int = 0
    retries: int = 0
    ignored: int = 0
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0
    duration_seconds: float = 0.0
    deadline_reached: bool = False
    arm_calls: int = 0

    @property
    def failed(self) -> int:
        """Count the results that are not ok."""
        return self.results - self.verdicts.get(Verdict.OK.value, 0)

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return {
            "targets": self.targets,
            "results": self.results,
            "failed": self.failed,
            "verdicts": dict(self.verdicts),
            "bad_targets": self.bad_targets,
            "queries": self.queries,
            "retries": self.retries,
            "ignored": self.ignored,
            "percentiles_ms": {"p50": self.p50_ms, "p95": self.p95_ms, "p99": self.p99_ms},
            "duration_seconds": round(self.duration_seconds, 3),
            "deadline_reached": self.deadline_reached,
            "arm_calls": self.arm_calls,
        }


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """One run: its results in the targets' order, what could not be asked for, and the numbers.

    `remarks` are what could not be read for the cross-check, and why; the results stand without it.
    """

    run_id: str
    results: tuple[TargetResult, ...]
    bad_targets: tuple[BadTarget, ...]
    summary: Summary
    vantage: Vantage
    resolvers: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def failing(self) -> tuple[TargetResult, ...]:
        """Give the results that are not ok."""
        return tuple(result for result in self.results if not result.is_ok)

    @property
    def is_ok(self) -> bool:
        """Tell whether everything was asked for and everything is right."""
        return not self.failing and not self.bad_targets

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return {
            "run_id": self.run_id,
            "vantage": self.vantage.to_json(),
            "resolvers": list(self.resolvers),
            "summary": self.summary.to_json(),
            "results": [result.to_json() for result in self.results],
            "bad_targets": [bad.to_json() for bad in self.bad_targets],
            "remarks": list(self.remarks),
        }


def count_verdicts(results: tuple[TargetResult, ...]) -> dict[str, int]:
    """Count by verdict, in the verdicts' own order."""
    counted = Counter(result.verdict for result in results)
    return {verdict.value: counted[verdict] for verdict in Verdict if counted[verdict]}


def percentile(ordered: list[float], share: float) -> float:
    """Give the nearest-rank percentile of values in order, 0.0 when there are none."""
    return round(ordered[max(math.ceil(share * len(ordered)) - 1, 0)], 3) if ordered else 0.0


def _looks(judgement: Judgement) -> dict[str, Any]:
    return {
        finding.direction.value: {"verdict": finding.verdict.value, **finding.answer.to_json()}
        for finding in judgement.findings
    }
