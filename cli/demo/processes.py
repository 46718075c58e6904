"""The demo's two processes, the local Azure and the functions host: started clean, never left behind.

Each gets a session of its own, so that Ctrl-C reaches only the demo, which then stops them in order; and an environment
built from nothing, so that no setting of the person at the keyboard changes what is played.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from cli.demo.azure import DemoError

ROOT: Final = Path(__file__).resolve().parent.parent.parent
START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 3.0
_LOG_LINES: Final = 15


class Children:
    """Processes that live as long as the `with` block; the last started is the first stopped."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all, even while another Ctrl-C or SIGTERM comes in: it begins this stop again, and leaves none out."""
        while self._running:
            with contextlib.suppress(KeyboardInterrupt, SystemExit):
                stop(self._running[-1][1])
                self._running.pop()

    def start(self, name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> dict[str, Any]:
        """Start `python -m …` and give the JSON line that it prints when it is ready."""
        log = self._logs / f"{name}.log"
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                env={**base_environment(), **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
                cwd=ROOT,
            )
        self._running.append((name, process))
        line = _first_line(process, name, log)
        try:
            ready = json.loads(line)
        except ValueError as error:
            raise DemoError(f"{name} printed {line[:200]!r} where one JSON line was expected") from error
        if not isinstance(ready, dict):
            raise DemoError(f"{name} printed {line[:200]!r} where a JSON object was expected")
        return ready

    def check(self) -> None:
        """Raise DemoError when one of them has ended."""
        for name, process in self._running:
            if process.poll() is not None:
                raise DemoError(f"{name} ended with code {process.returncode}:\n{tail(self._logs / f'{name}.log')}")


def base_environment() -> dict[str, str]:
    """Give what a Python process of ours needs, and nothing else of ours."""
    kept = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Ask a process to end, wait, and end its group by force when it does not."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout:
        process.stdout.close()


def tail(log: Path) -> str:
    """Give the last lines of a log, for an error message."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-_LOG_LINES:])


def _first_line(process: "subprocess.Popen[bytes]", name: str, log: Path) -> str:
    """Read one line, for a bounded time; raises DemoError that shows the log's end."""
    assert process.stdout is not None  # noqa: S101 - opened with PIPE
    ends = time.monotonic() + START_SECONDS
    line = b""
    while not line.endswith(b"\n"):
        left = ends - time.monotonic()
        ready, _, _ = select.select([process.stdout], [], [], max(left, 0))
        if not ready:
            raise DemoError(f"waited {START_SECONDS:g} s for {name} to be ready:\n{tail(log)}")
        chunk = os.read(process.stdout.fileno(), 65536)
        if not chunk:
            raise DemoError(f"{name} ended with code {process.wait()} before it was ready:\n{tail(log)}")
        line += chunk
    return line.decode("utf-8", "replace").splitlines()[0]
