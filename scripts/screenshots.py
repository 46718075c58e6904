"""Take the docs' pictures: each workbook in the dashboard, light and dark, on a sample history cut at an incident.

python scripts/screenshots.py [FOLDER]        writes NAME-light.png and NAME-dark.png; needs chromium
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = "/usr/bin/chromium"
CUT = "2026-10-28 02:40"
"""In the middle of an outage of the default history: drifts are open, and somebody looks."""
PAGES = {
    "fleet": "/w/fleet?TimeRange=7d",
    "fleet-reconciler": "/w/fleet?TimeRange=7d&Tab=reconciler",
    "container-group": "",
    "reverse-dns": "/w/reverse-dns?TimeRange=7d",
    "pipeline": "/w/pipeline?TimeRange=7d&CanaryEvery=1h&AuditEvery=6h&ProbeEvery=1h",
}
"""The container group's page is the one that the fleet's first open drift leads to."""
WIDTH, HIGHEST = 1440, 1100
MOST_BYTES = 300_000
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def history(folder: Path) -> Path:
    """Make the sample history, and leave out what came after the cut."""
    path = folder / "history.duckdb"
    command = [sys.executable, "-m", "cli", "sample-history", "--out", str(path), "--days", "90", "--groups", "40"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    with duckdb.connect(str(path)) as connection:
        tables = connection.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'storage'").fetchall()
        for (table,) in tables:
            connection.execute(f"DELETE FROM storage.{table} WHERE TimeGenerated > TIMESTAMP '{CUT}'")  # noqa: S608 - ours
    return path


@contextmanager
def serving(data: Path) -> Iterator[str]:
    """Run the dashboard on a free port; give its address."""
    command = [sys.executable, "-m", "cli", "dashboard", "--data", str(data), "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        found = re.search(r"http://\S+", process.stdout.readline() if process.stdout else "")
        if not found:
            raise SystemExit("the dashboard did not start")
        yield found[0].rstrip("/")
    finally:
        process.terminate()
        process.wait(20)


def filled(page: Page, address: str) -> None:
    """Go to a page, and wait until all of it is drawn and its charts stand still."""
    page.goto(address)
    page.wait_for_selector("body[data-filled]", timeout=120_000)
    page.wait_for_timeout(1500)


def take(page: Page, path: Path) -> None:
    """Take a picture of the page, as high as it is and no higher than can be taken in."""
    high = page.evaluate("document.querySelector('main').getBoundingClientRect().bottom + scrollY")
    page.screenshot(path=path, clip={"x": 0, "y": 0, "width": WIDTH, "height": min(high, HIGHEST)}, full_page=True)
    if path.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{path} has {path.stat().st_size:,} bytes, more than {MOST_BYTES:,}")
    print(path)


def main() -> None:
    """Write the pictures."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, serving(history(Path(folder))) as base, sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for theme in ("light", "dark"):
            page = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme=theme)
            filled(page, base + PAGES["fleet"])
            group = page.locator("main td a[href^='/w/container-group?Group=%2F']").first.get_attribute("href") or ""
            for name, address in PAGES.items():
                filled(page, base + (address or group))
                take(page, target / f"{name}-{theme}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
