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
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = "/usr/bin/chromium"
CUT = "2026-10-28 02:40"
"""In the middle of an outage of the default history: drifts are open, and somebody looks."""
PAGES = {
    "fleet": "TimeRange=7d",
    "container-group": "TimeRange=7d",
    "reverse-dns": "TimeRange=7d",
    "pipeline": "TimeRange=7d&CanaryEvery=1h&AuditEvery=6h&ProbeEvery=1h",
}
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


def main() -> None:
    """Write the pictures."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, serving(history(Path(folder))) as base, sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for theme in ("light", "dark"):
            page = browser.new_page(viewport={"width": 1440, "height": 1000}, color_scheme=theme)
            for name, chosen in PAGES.items():
                page.goto(f"{base}/w/{name}?{chosen}")
                page.wait_for_selector("body[data-filled]", timeout=120_000)
                page.wait_for_timeout(1500)
                path = target / f"{name}-{theme}.png"
                page.screenshot(path=path)
                print(path)
        browser.close()


if __name__ == "__main__":
    main()
