"""Generated files are what their source would give now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra import build
from infra.check.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def check_generated(root: Path) -> Iterator[Finding]:
    """Find generated files that are missing or differ from their source."""
    for artefact in build.stale(root):
        what = f"differs from what {artefact.source} gives: run `drift infra build`"
        yield Finding(artefact.path, 1, "not-generated", what)
