"""How long a page of the dashboard takes in a real browser: until something is seen, and until every item is filled.

    .venv/bin/drift sample-history --events 10000000 --out /tmp/history.duckdb
    .venv/bin/python -m bench.dashboard /tmp/history.duckdb [WORKBOOK ...] [--json]

Each workbook is opened for the last 24 hours in a dashboard that was started just before: on a machine where none ran
yet (`first`: nothing is kept of earlier translations), and started once more (`filled`); and then for 12 hours (`warm`:
other rows, so no kept answer is used). `cpu` is the dashboard's processor time of the filled page, on all cores: other
work on the machine adds little to it. `start` is how long the first dashboard took to say its address.
Goals: first paint 1 s, filled 3 s. Exit code 1: missed. Needs chromium.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

ROOT: Final = Path(__file__).resolve().parent.parent
BOOKS: Final = ("fleet", "container-group", "reverse-dns", "pipeline")
PAINT_GOAL, FILLED_GOAL = 1.0, 3.0
FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
_PAINT: Final = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
_FILLED: Final = "performance.getEntriesByName('filled').at(-1).startTime"


@dataclass(frozen=True, slots=True)
class Measure:
    """One workbook: seconds from the navigation on, as the browser measures them."""

    workbook: str
    start: float
    paint: float
    first: float
    filled: float
    cpu: float
    warm: float

    @property
    def is_met(self) -> bool:
        """Tell whether the goals are reached."""
        return self.paint <= PAINT_GOAL and max(self.first, self.filled) <= FILLED_GOAL


@contextmanager
def serving(data: Path, caches: str) -> Iterator[tuple[str, int]]:
    """Run a dashboard that keeps translations in `caches`; give its address and its process id."""
    command = [sys.executable, "-m", "cli", "dashboard", "--data", str(data), "--port", "0"]
    environment = {**os.environ, "XDG_CACHE_HOME": caches}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        found = re.search(r"http://\S+", process.stdout.readline() if process.stdout else "")
        if not found:
            raise SystemExit(f"{data}: the dashboard did not start")
        yield found[0].rstrip("/"), process.pid
    finally:
        process.terminate()
        process.wait(20)


def cpu_seconds(pid: int) -> float:
    """Give the processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def opened(browser: Browser, url: str) -> tuple[float, float]:
    """Open a page in a browser that knows nothing yet; give the seconds until it is painted, and until it is filled."""
    page: Page = browser.new_page(viewport={"width": 1440, "height": 1000})
    try:
        page.goto(url)
        page.wait_for_selector("body[data-filled]", timeout=300_000)
        return page.evaluate(_PAINT) / 1000, page.evaluate(_FILLED) / 1000
    finally:
        page.close()


def measure(browser: Browser, data: Path, workbook: str) -> Measure:
    """Measure one workbook."""
    with tempfile.TemporaryDirectory() as caches:
        began = time.perf_counter()
        with serving(data, caches) as (address, _):
            start = time.perf_counter() - began
            _, first = opened(browser, f"{address}/w/{workbook}?TimeRange=1d")
        with serving(data, caches) as (address, pid):
            before = cpu_seconds(pid)
            paint, filled = opened(browser, f"{address}/w/{workbook}?TimeRange=1d")
            time.sleep(0.2)  # the last answers' clean-up belongs to the page
            cpu = cpu_seconds(pid) - before
            _, warm = opened(browser, f"{address}/w/{workbook}?TimeRange=12h")
    return Measure(workbook, start, paint, first, filled, cpu, warm)


def show(found: list[Measure]) -> str:
    """Lay the figures out."""
    names = "".join(f"{name:>8}" for name in ("start", "paint", "first", "filled", "cpu", "warm"))
    lines = [f"{'seconds':18}{names}  goals {PAINT_GOAL:g} and {FILLED_GOAL:g}"]
    for one in found:
        numbers = " ".join(f"{each:7.2f}" for each in (one.start, one.paint, one.first, one.filled, one.cpu, one.warm))
        lines.append(f"{one.workbook:18} {numbers}  {'met' if one.is_met else 'MISSED'}")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Measure, print, and say by the exit code whether the goals are met."""
    names = [one for one in arguments if not one.startswith("--")]
    if not names or not Path(names[0]).exists():
        sys.stderr.write(f"{__doc__}\n")
        return 64
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.stderr.write("chromium is needed: apt-get install chromium\n")
        return 64
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=chromium, args=FLAGS)
        found = [measure(browser, Path(names[0]), name) for name in names[1:] or BOOKS]
        browser.close()
    print(json.dumps([asdict(one) for one in found]) if "--json" in arguments else show(found))
    return 0 if all(one.is_met for one in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
