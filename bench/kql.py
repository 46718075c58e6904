"""How long each shipped query takes on ten million events over ninety days, and how much memory.

    .venv/bin/drift sample-history --events 10000000 --out /tmp/history.duckdb
    .venv/bin/python -m bench.kql /tmp/history.duckdb [QUERY ...] [--json]

Each query, and each function that no query answers as it is, is asked for the last 24 hours and for all 90 days, each
in a process of its own: `cold` is the first answer in it (with the KQL's translation, for nothing is kept from before;
starting Python and opening the file are not counted), `warm` the one after. Memory is the process's peak. Goals: 1 s,
5 s, 2 GB. Exit code 1: missed.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kql import catalog
from kql.data import open_data
from kql.duckdb_engine import DuckDbEngine

if TYPE_CHECKING:
    from datetime import datetime

    from duckdb import DuckDBPyConnection

RANGES: Final = {"24 hours": (timedelta(hours=24), 1.0), "90 days": (timedelta(days=90), 5.0)}
"""What is asked for, and the seconds that are allowed."""
MEMORY_GOAL_MB: Final = 2048
_GIVEN: Final = {"group-timeline": {"group": "shop-web-01"}, "group-runtime": {"group": "shop-web-01"}}
_THEN: Final = {
    "recent-events": "| take 1000",  # all facts there are, sorted, is not what anybody looks at
    "AciDnsEvents": "| summarize count() by Component, EventType, bin(TimeGenerated, 1h)",
}
_FUNCTIONS: Final = (
    "AciDnsEvents", "AciDnsObservations", "AciDnsProbeLatest", "AciDnsReconcileCauses", "AciDnsReconciles",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measure:
    """One query over one range: seconds, the process's peak in MB, and how many rows came.

    `cpu` is the processor time of the first answer, on all cores together: other work on the machine adds little to it.
    """

    name: str
    range: str
    cold: float
    cpu: float
    warm: float
    peak_mb: float
    rows: int

    @property
    def ratio(self) -> float:
        """Give how often the first answer fits into the time allowed: 1 and more is the goal."""
        return RANGES[self.range][1] / self.cold

    @property
    def is_met(self) -> bool:
        """Tell whether the goals are reached, by the first answer already."""
        return self.ratio >= 1 and self.peak_mb <= MEMORY_GOAL_MB


def measure(path: Path, name: str, label: str) -> Measure:
    """Ask, and ask once more, in this process."""
    connection = open_data(path)
    engine, now = DuckDbEngine(connection), _end_of(connection)
    text, taken, rows = text_of(name), [], 0
    for _ in range(2):
        began, worked = time.perf_counter(), time.process_time()
        rows = len(engine.query(text, now=now, timespan=RANGES[label][0]))
        taken.append((time.perf_counter() - began, time.process_time() - worked))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measure(name, label, *taken[0], taken[1][0], peak, rows)


def text_of(name: str) -> str:
    """Give the KQL of a query, or of a call of a function, and what the answer of millions of rows is narrowed by."""
    queries = catalog.queries()
    text = catalog.bind(queries[name], _GIVEN.get(name, {})) if name in queries else f"{name}()"
    return f"{text}\n{_THEN.get(name, '')}"


def _end_of(connection: DuckDBPyConnection) -> datetime:
    found = connection.execute("SELECT max(_IngestedAt) FROM storage.events").fetchone()
    if found is None or found[0] is None:
        raise SystemExit("the file has no events")
    latest: datetime = found[0]
    return latest.replace(tzinfo=UTC)


def in_a_process(path: Path, name: str, label: str) -> Measure:
    """Measure in a process of its own."""
    command = [sys.executable, "-m", "bench.kql", str(path), "--one", name, label]
    with tempfile.TemporaryDirectory() as caches:
        environment = {**os.environ, "XDG_CACHE_HOME": caches}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise SystemExit(f"{name} over {label} failed:\n{done.stderr[-2000:]}")
    return Measure(**json.loads(done.stdout.splitlines()[-1]))


def line_of(found: Measure) -> str:
    """Give a row of the table in the docs."""
    mark = "" if found.is_met else " **missed**"
    return (
        f"| `{found.name}` | {found.range} | {found.cold:.2f} | {found.cpu:.2f} | {found.warm:.2f} "
        f"| {found.peak_mb:,.0f} | {found.rows:,} | {found.ratio:.1f}{mark} |"
    )


def main(arguments: list[str]) -> int:
    """Measure everything, or what is named."""
    path = Path(arguments[0])
    if arguments[1:2] == ["--one"]:
        print(json.dumps(asdict(measure(path, arguments[2], arguments[3]))))
        return 0
    as_json = "--json" in arguments
    names = [name for name in arguments[1:] if name != "--json"] or [*catalog.queries(), *_FUNCTIONS]
    if not as_json:
        print("| query | range | cold, s | its CPU, s | warm, s | peak MB | rows | allowed / cold |")
        print("|---|---|---|---|---|---|---|---|")
    missed = 0
    for name in names:
        for label in RANGES:
            found = in_a_process(path, name, label)
            missed += not found.is_met
            print(json.dumps(asdict(found)) if as_json else line_of(found), flush=True)
    if not as_json:
        print(f"\n{missed} of {len(names) * len(RANGES)} missed a goal")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
