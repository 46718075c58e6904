"""One reconcile (event in → DNS changed) beside the same steps scripted with the az CLI, on the local Azure.

    python -m bench.reconcile [--runs 9] [--az PATH] [--json]          AZ_CLI=PATH does the same as --az

The job: a container group's address has changed, so its A record, the new PTR and the old PTR must. After each run the
records are checked. All contenders are processes of their own, take turns on the same machine, and go over HTTPS:

- **az**: five commands, one after another, as a script would call them: container show, record-set a show, ptr
  add-record, ptr remove-record, a update. They look at no owner, no etag and no concurrent change. az is configured,
  signed in, and has run each command once before the first measured run.
- **live**: the function app's long-lived process, warm, is handed the event; it reads the group, starts
  `/bin/bash reconciler/worker.sh` and reports. This is what an event costs in Azure. Its **worker** is shown by itself
  too, as whole process: the time from its start to its end, and its CPU time.
- **cold**: a process is started for the event and ends after it: Python, all imports, a token, the worker.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from bench import az as azure_cli
from bench.figures import Figures, goal, table
from bench.spoke import FORWARD, REVERSE, ZONE_MAP, Spoke
from core.names import relative_name, reverse_name
from local_azure.server import LocalAzure

ROOT: Final = Path(__file__).resolve().parent.parent
GROUP: Final = "rg-one"
LIVE, COLD, AZ = "live", "cold", "az"
WORKER, WORKER_CPU, AZ_CPU = "worker", "worker_cpu", "az_cpu"
TIMES_AZ: Final = 25
WORKER_CPU_MS: Final = 250


class FunctionProcess:
    """A running `bench.function_process`."""

    def __init__(self, azure: LocalAzure) -> None:
        # Without a workspace: rows are uploaded before an invocation ends, and the az script writes none.
        environment = {name: value for name, value in azure.environment().items() if not name.startswith("LOGS_")}
        environment["DNS_ZONE_MAP"] = json.dumps(ZONE_MAP)
        environment["PATH"] = os.environ.get("PATH", "/usr/bin:/bin")
        environment["PYTHONPATH"] = str(ROOT)
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by close()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.function_process"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def ask(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Hand an event over and wait for its answer."""
        assert self._process.stdin is not None  # noqa: S101 - opened with PIPE
        assert self._process.stdout is not None  # noqa: S101 - opened with PIPE
        self._process.stdin.write(json.dumps(event) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            raise RuntimeError(f"the function process ended: {self._errors.read()[-2000:]}")
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        """Let it end."""
        self._process.communicate()
        self._errors.close()


@dataclass
class Race:
    """The contenders on one spoke. `lap` moves a group and lets one of them put DNS right, measured and checked."""

    spoke: Spoke
    live: FunctionProcess
    az: azure_cli.Az | None
    taken: dict[str, list[float]]

    def lap(self, contender: str, run: Callable[[str, str], Mapping[str, float]]) -> None:
        """Let a contender run once; `run` gets the old and the new address and gives further figures by name."""
        old = self.spoke.fleet.address(GROUP, contender)
        new = self.spoke.fleet.move(GROUP, contender)
        began = time.perf_counter()
        more = run(old, new)
        figures = {contender: (time.perf_counter() - began) * 1000, **more}
        self.check(contender, old, new)
        for name, value in figures.items():
            self.taken.setdefault(name, []).append(value)

    def check(self, name: str, old: str, new: str) -> None:
        """Raise unless DNS is right."""
        records = self.spoke.fleet.records("A", "PTR")
        expected = {f"A {name}.{FORWARD}": (new,), f"PTR {_ptr(new)}.{REVERSE}": (f"{name}.{FORWARD}",)}
        wrong = [key for key, values in expected.items() if records.get(key) != values]
        if wrong or f"PTR {_ptr(old)}.{REVERSE}" in records:
            raise RuntimeError(f"{name}: DNS is not right after {old} → {new}: {records}")

    def run_live(self, _old: str, _new: str) -> Mapping[str, float]:
        """Hand the event to the living process."""
        found = _expect_updated(self.live.ask(self.event(LIVE)))
        return {WORKER: found["worker_ms"], WORKER_CPU: found["worker_cpu_ms"]}

    def run_cold(self, _old: str, _new: str) -> Mapping[str, float]:
        """Start a process for the event."""
        process = FunctionProcess(self.spoke.azure)
        found = process.ask(self.event(COLD))
        process.close()
        _expect_updated(found)
        return {}

    def run_az(self, old: str, _new: str) -> Mapping[str, float]:
        """Do what a script would: nothing but the live state is known to it beforehand."""
        assert self.az is not None  # noqa: S101 - laps of az need one
        az, before = self.az, self.az.cost.cpu_seconds
        dns, sets = ("network", "private-dns", "record-set"), ("-g", "rg-dns")
        forward, reverse = (*sets, "-z", FORWARD, "-n", AZ), (*sets, "-z", REVERSE, "-n")
        live = az("container", "show", "-g", GROUP, "-n", AZ, "--query", "ipAddress.ip", "-o", "tsv").strip()
        stale = az(*dns, "a", "show", *forward, "--query", "aRecords[0].ipv4Address", "-o", "tsv").strip()
        if stale != old:
            raise RuntimeError(f"az read {stale!r} where {old!r} was expected")
        az(*dns, "ptr", "add-record", *reverse, _ptr(live), "-d", f"{AZ}.{FORWARD}")
        az(*dns, "ptr", "remove-record", *reverse, _ptr(stale), "-d", f"{AZ}.{FORWARD}")
        az(*dns, "a", "update", *forward, "--set", f"aRecords[0].ipv4Address={live}")
        return {AZ_CPU: (az.cost.cpu_seconds - before) * 1000}

    def event(self, name: str) -> dict[str, Any]:
        """Make the event that Event Grid would deliver for a container group."""
        return self.spoke.event(self.spoke.fleet.id(GROUP, name))


def _ptr(address: str) -> str:
    return relative_name(reverse_name(ip_address(address)), REVERSE)


def _expect_updated(found: dict[str, Any]) -> dict[str, Any]:
    if found["outcome"] != "reconcile_updated":
        raise RuntimeError(f"the reconcile ended in {found}")
    return found


@contextmanager
def _race(program: Path | None) -> Iterator[Race]:
    with (
        LocalAzure.start(parts=(), provisioning_seconds=0.0) as azure,
        tempfile.TemporaryDirectory(prefix="bench-az-") as folder,
    ):
        spoke = Spoke.lay_out(azure)
        az = azure_cli.Az(program, azure, Path(folder)) if program else None
        if az:
            az.sign_in()
        live = FunctionProcess(azure)
        try:
            for name in (LIVE, COLD, *([AZ] if az else [])):
                spoke.fleet.create(GROUP, name, spoke.vnet)
                spoke.reconcile(GROUP, name)
            yield Race(spoke, live, az, {})
        finally:
            live.close()
            spoke.close()


def measure(runs: int, program: Path | None) -> dict[str, Figures]:
    """Run every contender once unmeasured, then `runs` times in turns; gives the figures by name."""
    with _race(program) as race:
        for number in range(runs + 1):
            race.lap(LIVE, race.run_live)
            race.lap(COLD, race.run_cold)
            if race.az:
                race.lap(AZ, race.run_az)
            if number == 0:
                race.taken.clear()
    return {name: Figures.of(values) for name, values in race.taken.items()}


def show(found: Mapping[str, Figures]) -> str:
    """Lay the figures out for a reader."""
    rows = [
        ("live: event in → DNS changed", found[LIVE], _ratio(found, LIVE)),
        ("  its worker, whole process", found[WORKER], _ratio(found, WORKER)),
        ("  its worker, CPU time", found[WORKER_CPU], ""),
        ("cold: process started for the event", found[COLD], _ratio(found, COLD)),
    ]
    goals = [goal(found[WORKER_CPU].median <= WORKER_CPU_MS, f"worker's CPU time ≤ {WORKER_CPU_MS} ms")]
    if AZ in found:
        rows += [("five az commands", found[AZ], ""), ("  their CPU time", found[AZ_CPU], "")]
        times = found[AZ].median / found[LIVE].median
        goals.append(goal(times >= TIMES_AZ, f"≥ {TIMES_AZ} times faster than five az commands") + f" ({times:.1f})")
    return "\n".join([table(rows), *goals])


def _ratio(found: Mapping[str, Figures], name: str) -> str:
    return f"{found[AZ].median / found[name].median:.1f} times faster than az" if AZ in found else ""


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; give the exit code (2 when the az that was named is not there)."""
    parser = argparse.ArgumentParser(prog="python -m bench.reconcile", description="Measure one reconcile.")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--az", default=os.environ.get("AZ_CLI"), help="azure-cli's program; without it no comparison")
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout instead")
    asked = parser.parse_args(arguments)
    program = shutil.which(asked.az) if asked.az else None
    if asked.runs < 1 or (asked.az and not program):
        parser.error(f"no program at {asked.az}" if asked.runs > 0 else "--runs must be 1 or more")
    found = measure(asked.runs, Path(program) if program else None)
    if asked.json:
        print(json.dumps({name: figures.to_json() for name, figures in found.items()}, indent=2))
    else:
        print(show(found))
        print(f"azure-cli {azure_cli.version(Path(program))}" if program else "no az: set AZ_CLI or --az to compare")
    return 0


if __name__ == "__main__":
    sys.exit(main())
