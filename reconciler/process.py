"""Starts the worker: its environment is built from nothing, its output streamed, its time bounded.

The token crosses on a pipe whose reading end the worker inherits; it is in no argument, no variable and no file. At the
deadline the whole process group is killed, so that nothing the worker started goes on writing DNS.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from reconciler.contract import WorkerResult

SCRIPT: Final = Path(__file__).with_name("worker.sh")
APP_ROOT: Final = Path(__file__).resolve().parent.parent
MAX_LINE_BYTES: Final = 1_000_000
_DRAIN_SECONDS: Final = 2.0

LogLine = Callable[[str, str], None]
"""Takes a stream's name (stdout or stderr) and one line, as it comes."""


@dataclass(frozen=True, slots=True)
class WorkerExit:
    """How a run ended. `code` is negative when a signal ended it; `result` is None when there was no result line."""

    code: int
    timed_out: bool
    result: WorkerResult | None
    last_error_line: str
    duration_ms: int


def worker_environment(contract: Mapping[str, str], token_fd: int, ca_bundle: str | None) -> dict[str, str]:
    """Build the worker's whole environment. Nothing is inherited: not the identity's endpoint, not one path."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHON_BIN": sys.executable,
        "PYTHONPATH": os.pathsep.join(dict.fromkeys([str(APP_ROOT), *_import_paths()])),
        "PYTHONUNBUFFERED": "1",
        "TOKEN_FD": str(token_fd),
        **contract,
    }
    if ca_bundle:
        environment["REQUESTS_CA_BUNDLE"] = ca_bundle
    return environment


def _import_paths() -> list[str]:
    """List where this process finds its libraries; in Azure they lie beside the app, not in the interpreter."""
    return [entry for entry in sys.path if entry.startswith("/") and Path(entry).is_dir()]


def run_worker(
    contract: Mapping[str, str], token: str, deadline_seconds: float, log: LogLine, ca_bundle: str | None = None
) -> WorkerExit:
    """Run the worker once and wait for its end, at most `deadline_seconds`."""
    began = time.monotonic()
    process = _start(contract, token, ca_bundle)
    with process:
        readers = [_Reader(process.stdout, "stdout", log), _Reader(process.stderr, "stderr", log)]
        timed_out = _wait(process, began + deadline_seconds)
        for reader in readers:
            reader.join(_DRAIN_SECONDS)
    out, err = readers
    return WorkerExit(
        code=process.returncode,
        timed_out=timed_out,
        result=WorkerResult.from_line(out.last),
        last_error_line=err.last,
        duration_ms=round((time.monotonic() - began) * 1000),
    )


def _start(contract: Mapping[str, str], token: str, ca_bundle: str | None) -> subprocess.Popen[bytes]:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb", buffering=0) as pipe:
        try:
            process = subprocess.Popen(
                ["/bin/bash", str(SCRIPT)],
                env=worker_environment(contract, reading, ca_bundle),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(reading,),
                start_new_session=True,
                cwd="/",
            )
        finally:
            os.close(reading)
        # A worker that is gone already is found out by its exit code.
        with contextlib.suppress(BrokenPipeError):
            pipe.write(token.encode("ascii"))
    return process


def _wait(process: subprocess.Popen[bytes], ends: float) -> bool:
    """Wait for the worker, then kill its process group; tell whether the deadline came first.

    The group is killed after a normal end too: a child that outlived the worker would hold the pipes, and could still
    write. The worker is not reaped before that, so its number cannot have been given to another group.
    """
    waiter = threading.Thread(target=_await_exit, args=(process.pid,), daemon=True, name="worker-exit")
    waiter.start()
    waiter.join(max(ends - time.monotonic(), 0.01))
    timed_out = waiter.is_alive()
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says EPERM of a group of zombies
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return timed_out


def _await_exit(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


class _Reader(threading.Thread):
    """Passes one stream on, line by line as it comes, and remembers the last line."""

    def __init__(self, stream: IO[bytes] | None, name: str, log: LogLine) -> None:
        super().__init__(daemon=True, name=f"worker-{name}")
        assert stream is not None  # noqa: S101 - opened with PIPE
        self.stream, self.stream_name, self.log, self.last = stream, name, log, ""
        self.start()

    def run(self) -> None:
        try:
            while line := self.stream.readline(MAX_LINE_BYTES):
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                if text:
                    self.last = text
                    self.log(self.stream_name, text)
        except ValueError:
            return  # the stream was closed while something that outlived the worker still held its other end
