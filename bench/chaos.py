"""Plays many random histories (bench/histories.py) and says whether every one ended as promised.

    python -m bench.chaos [--histories 100000] [--first-seed 0] [--processes N] [--json]

Exit code 0 when no promise was broken, 1 otherwise. Any seed that broke one can be played again by itself:
`--histories 1 --first-seed SEED`.
"""

import argparse
import dataclasses
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from bench.histories import History, Report

HISTORIES: Final = 100_000
BLOCK: Final = 250
"""Seeds that a process plays before it reports: a second or so."""
SHOWN_PROBLEMS: Final = 20


@dataclass
class Totals:
    """What many histories came to. `problems` names the seed and the promise that was broken."""

    histories: int = 0
    deliveries: int = 0
    crashes: int = 0
    lost_preconditions: int = 0
    crash_leftovers: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, report: Report) -> None:
        """Count one history."""
        self.histories += 1
        self.deliveries += report.runs
        self.crashes += report.crashes
        self.lost_preconditions += report.lost_preconditions
        self.crash_leftovers += report.crash_orphans
        self.problems += [f"seed {report.seed}: {problem}" for problem in report.problems]

    def merge(self, other: "Totals") -> None:
        """Count what another process counted."""
        for item in dataclasses.fields(self):
            setattr(self, item.name, getattr(self, item.name) + getattr(other, item.name))


def play(seeds: Iterable[int]) -> Totals:
    """Play histories one after another. One that raises has broken a promise, and does not end the others."""
    totals = Totals()
    for seed in seeds:
        try:
            report = History(seed).play()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other seeds are still worth playing
            report = Report(seed, [f"{type(error).__name__}: {error}"])
        totals.add(report)
    return totals


def play_all(first: int, count: int, processes: int) -> Iterator[Totals]:
    """Play `count` histories from seed `first` on; gives each block's totals as it is done."""
    blocks = [range(seed, min(seed + BLOCK, first + count)) for seed in range(first, first + count, BLOCK)]
    if processes == 1:
        yield from map(play, blocks)
        return
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(play, blocks)


def show(totals: Totals, seconds: float, processes: int) -> None:
    """Print the figures for a reader."""
    rate = totals.histories / seconds
    print(f"{totals.histories:,} random histories in {seconds:,.0f} s: {rate:,.0f} a second in {processes} processes")
    print(f"  deliveries (worker runs)              {totals.deliveries:>10,}")
    print(f"  workers killed between two calls      {totals.crashes:>10,}")
    print(f"  rounds lost to a concurrent worker    {totals.lost_preconditions:>10,}")
    print(f"  left by a kill, for the audit to find {totals.crash_leftovers:>10,}")
    print(f"  broken promises                       {len(totals.problems):>10,}")
    for problem in totals.problems[:SHOWN_PROBLEMS]:
        print(f"    {problem}")
    if len(totals.problems) > SHOWN_PROBLEMS:
        print(f"    and {len(totals.problems) - SHOWN_PROBLEMS:,} more")


def main(arguments: list[str] | None = None) -> int:
    """Play, print, and give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description="Play random histories.")
    parser.add_argument("--histories", type=_positive, default=HISTORIES)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--processes", type=_positive, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout instead")
    asked = parser.parse_args(arguments)
    began, totals = time.monotonic(), Totals()
    for block in play_all(asked.first_seed, asked.histories, asked.processes):
        totals.merge(block)
        if sys.stderr.isatty():
            print(f"\r{totals.histories:,} of {asked.histories:,}", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print("\r" + " " * 40, end="\r", file=sys.stderr, flush=True)
    seconds = time.monotonic() - began
    if asked.json:
        rate = round(totals.histories / seconds, 1)
        facts = {**dataclasses.asdict(totals), "seconds": round(seconds, 1), "histories_per_second": rate}
        print(json.dumps({**facts, "processes": asked.processes}, indent=2))
    else:
        show(totals, seconds, asked.processes)
    return 1 if totals.problems else 0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())
