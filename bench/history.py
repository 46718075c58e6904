"""How long ten million events take to load from Parquet, and to the first figure; and how much memory.

    .venv/bin/drift sample-history --events 10000000 --out history.parquet
    .venv/bin/python -m bench.history history.parquet [--all-columns] [--markdown]

Measured in a process of its own, as a notebook's kernel does it (starting Python not, imports counted): the load with
the columns that the first notebook loads (history.LEAN; with --all-columns every column), its first figure (events a
day by component, as Plotly JSON), then the drifts and their figure. Seconds are those that pass, and beside them those
that the process had a processor: on a machine that does nothing else the first lie between the second and half of
them. Memory is the process's peak. Goals: 20 s to the first figure, 4 GB. Exit code 1: one was missed.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from bench.figures import goal

SECONDS_GOAL: Final = 20.0
MEMORY_GOAL_MB: Final = 4096


def measure(path: Path, *, all_columns: bool) -> dict[str, float]:
    """Load and draw, in this process."""
    began = time.perf_counter()
    steps: dict[str, float] = {}

    def done(step: str) -> None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        steps[step] = time.perf_counter() - began
        steps[f"{step}, processor"] = used.ru_utime + used.ru_stime

    from notebooks import figures, history  # noqa: PLC0415 - part of what an analyst waits for

    done("imports")
    events = history.load_events(path, columns=None if all_columns else history.LEAN)
    done("load")
    days = events["TimeGenerated"].dt.floor("D")
    a_day = events.groupby([days, events["Component"]], observed=True).size().unstack(fill_value=0)
    figures.stacked(a_day, "", of="Events a day, by component", y="events").to_json()
    done("first figure")
    first_peak = _peak_mb()
    rows = len(events)
    told = history.load_events(path, components=history.OBSERVERS)
    drifts = history.drift_episodes(told)
    figures.bands(history.anomaly_bands(history.drift_rate(drifts)), "", of="Drifts a day").to_json()
    done("drifts and their figure")
    return {**steps, "rows": rows, "drifts": len(drifts), "first peak MB": first_peak, "peak MB": _peak_mb()}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(arguments: list[str]) -> int:
    """Measure in a process of its own, and print."""
    paths = [argument for argument in arguments if not argument.startswith("--")]
    if len(paths) != 1 or not Path(paths[0]).exists():
        sys.stderr.write(f"{__doc__}\n")
        return 64
    if "--here" in arguments:
        print(json.dumps(measure(Path(paths[0]), all_columns="--all-columns" in arguments)))
        return 0
    command = [sys.executable, "-m", "bench.history", *arguments, "--here"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return _show(found, markdown="--markdown" in arguments)


def _show(found: dict[str, float], *, markdown: bool) -> int:
    steps = ("imports", "load", "first figure", "drifts and their figure")
    if markdown:
        print("| until | seconds | on a processor |\n|---|---|---|")
        print("\n".join(f"| {step} | {found[step]:.1f} | {found[f'{step}, processor']:.1f} |" for step in steps))
    else:
        print(
            "\n".join(
                f"{found[step]:6.1f} s ({found[f'{step}, processor']:.1f} s on a processor)  {step}" for step in steps
            )
        )
    print(f"{found['rows']:,.0f} events, {found['drifts']:,.0f} drifts")
    print(f"peak {found['first peak MB']:,.0f} MB at the first figure, {found['peak MB']:,.0f} MB in all")
    fast, small = found["first figure"] <= SECONDS_GOAL, found["peak MB"] <= MEMORY_GOAL_MB
    print(goal(fast, f"{SECONDS_GOAL:g} s to the first figure"))
    print(goal(small, f"{MEMORY_GOAL_MB:,} MB"))
    return 0 if fast and small else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
