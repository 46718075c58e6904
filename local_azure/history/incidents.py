"""Incidents."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local_azure.history.play import Play


def plan(play: Play) -> None:
    """Put the incidents on the clock."""
