"""Takes pictures of figures of rendered notebooks, for the docs: `python -m notebooks.pictures` (needs chromium)."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = Path(__file__).resolve().parent.parent
PICTURES: Final = {
    "notebook-drift-history.png": ("01-drift-history", "drifts a day is the mean"),
    "notebook-time-to-repair.png": ("02-time-to-repair", "is right again after"),
    "notebook-incident.png": ("03-incident-timeline", " wrong for "),
}
"""Each picture: the page, and words of the title of the figure."""


def take(pages: Path, out: Path) -> list[Path]:
    """Take every picture. Raises LookupError for a figure that is not there, FileNotFoundError for a page."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only who takes pictures has a browser

    taken = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        for name, (notebook, words) in PICTURES.items():
            source = pages / f"{notebook}.html"
            page.goto(source.resolve(strict=True).as_uri())
            figure = page.locator(".plotly-graph-div", has_text=words).first
            if not figure.count():
                raise LookupError(f"{source} has no figure whose title has: {words}")
            figure.scroll_into_view_if_needed()
            taken.append(out / name)
            figure.screenshot(path=str(taken[-1]))
        browser.close()
    return taken


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the pictures from the pages that `make notebooks-html` made."""
    parser = argparse.ArgumentParser(prog="notebooks.pictures", description=__doc__)
    parser.add_argument("--pages", type=Path, default=ROOT / "build" / "notebooks")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    given = parser.parse_args(arguments)
    try:
        for path in take(given.pages, given.out):
            sys.stdout.write(f"{path}\n")
    except (LookupError, FileNotFoundError) as error:
        sys.stderr.write(f"error: {error}\n  what to do: make notebooks-html\n")
        return 64
    return 0


if __name__ == "__main__":
    sys.exit(main())
