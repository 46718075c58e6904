"""Recorded Azure traffic gets the same answers here. The recordings are not part of the project."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from local_azure.server import LocalAzure

SHARED = Path(__file__).parents[3] / "shared"
REPLAY = SHARED / "tools" / "replay-recording"
CASSETTES = sorted(
    cassette for suite in ("privatedns", "container") for cassette in (SHARED / "recordings" / suite).glob("*.yaml")
)


@pytest.mark.skipif(not REPLAY.exists() or not CASSETTES, reason="the recordings are not here")
def test_every_recorded_request_gets_the_recorded_answer(azure: LocalAzure) -> None:
    command = [sys.executable, str(REPLAY), "--base", azure.arm, "--ca", str(azure.ca)]
    command += ["--reset", f"{azure.arm}/_local/reset", *map(str, CASSETTES)]
    # The environment's own CA bundle would win over --ca.
    environment = {"REQUESTS_CA_BUNDLE": str(azure.ca)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.splitlines()[-1].split()
    assert int(last[0]) == int(last[2]) > 0
