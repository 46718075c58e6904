"""`drift local-azure up`: serve until stopped."""

from __future__ import annotations

import json
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, TextIO

from local_azure.persistence import StateFileError
from local_azure.server import LocalAzure, PortInUse

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

EX_OK, EX_CANNOT_LISTEN, EX_BAD_STATE = 0, 69, 65


def announcement(azure: LocalAzure) -> dict[str, Any]:
    """Where everything is, as the one line of JSON that `up` prints."""
    return {
        "arm": azure.arm,
        "ca": str(azure.ca),
        "identity_endpoint": azure.identity_endpoint,
        "identity_header": azure.identity_header,
        "ingestion": azure.ingestion,
        "query": azure.query,
        "eventgrid": azure.eventgrid,
        "dns": azure.dns,
        "environment": azure.environment(),
    }


def serve(
    port: int = 0,
    data: Path | None = None,
    seed: int = 0,
    *,
    out: TextIO | None = None,
    **settings: Any,
) -> int:
    """Start a local Azure, print one JSON line when it is ready, serve until SIGINT or SIGTERM.

    Returns an exit code: 0 stopped, 65 the state file in `data` is no good, 69 the port is taken.
    Must run in the main thread, because only that may handle signals.
    """
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    previous = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with LocalAzure.start(port=port, data=data, seed=seed, **settings) as azure:
            (out or sys.stdout).write(json.dumps(announcement(azure)) + "\n")
            (out or sys.stdout).flush()
            stop.wait()
    except PortInUse as error:
        sys.stderr.write(f"local-azure: {error}\n")
        return EX_CANNOT_LISTEN
    except StateFileError as error:
        sys.stderr.write(f"local-azure: {error}\n")
        return EX_BAD_STATE
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return EX_OK
