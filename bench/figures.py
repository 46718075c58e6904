"""What repeated measurements came to, and how they are shown."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figures:
    """Median, smallest and largest of some measurements in milliseconds. The spread is the machine's noise."""

    median: float
    smallest: float
    largest: float
    runs: int

    @staticmethod
    def of(milliseconds: Iterable[float]) -> "Figures":
        """Sum up; needs one measurement at least."""
        values = sorted(milliseconds)
        return Figures(statistics.median(values), values[0], values[-1], len(values))

    def to_json(self) -> dict[str, Any]:
        """Give the figures as JSON values."""
        spread = {"min": round(self.smallest, 1), "max": round(self.largest, 1)}
        return {"median_ms": round(self.median, 1), **spread, "runs": self.runs}


def table(rows: Sequence[tuple[str, Figures, str]]) -> str:
    """Lay rows out: what, its figures, a remark."""
    width = max(len(name) for name in ("milliseconds", *(name for name, _, _ in rows)))
    lines = [f"{'milliseconds':{width}}  {'median':>8} {'min':>8} {'max':>8} {'runs':>5}"]
    for name, figures, remark in rows:
        numbers = f"{figures.median:8,.0f} {figures.smallest:8,.0f} {figures.largest:8,.0f} {figures.runs:5}"
        lines.append(f"{name:{width}}  {numbers}  {remark}".rstrip())
    return "\n".join(lines)


def goal(met: bool, text: str) -> str:
    """Word a goal and whether it was reached."""
    return f"goal {text}: {'met' if met else 'MISSED'}"
