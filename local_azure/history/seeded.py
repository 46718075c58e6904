"""Chance that repeats: one stream of numbers for each purpose, all from one seed."""

from __future__ import annotations

import random
import uuid


def stream(seed: int, purpose: str) -> random.Random:
    """Give the stream for a purpose; a draw more in one leaves the others as they were."""
    return random.Random(f"{seed}/{purpose}")  # noqa: S311 - repeatable on purpose, nothing here is secret


def new_id(rng: random.Random) -> str:
    """Draw a GUID."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))
