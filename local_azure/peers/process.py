"""Starting a DNS server as a child process: a directory of its own, a port of its own, no trace afterwards."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import dns.exception
import dns.message
import dns.query

START_SECONDS: Final = 15.0
STOP_SECONDS: Final = 5.0
_TRIES: Final = 3
_LOG_TAIL: Final = 2000
_PROGRAM_PATH: Final = f"{os.defpath}:/usr/local/sbin:/usr/sbin:/sbin"


class PeerError(RuntimeError):
    """A server that is not there, or does not start: which one, and the end of what it said."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a vantage asks. `source` is the address to ask from, where the server tells vantages apart by it."""

    host: str
    port: int
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Launch:
    """How one server is started: its program and arguments, and the files that it reads, by name."""

    program: str
    arguments: tuple[str, ...]
    files: Mapping[str, str]
    answers_at: tuple[Endpoint, ...]


def find_program(name: str) -> Path | None:
    """Find a server's program: Debian puts them in /usr/sbin, which a user's PATH may leave out."""
    found = shutil.which(name) or shutil.which(name, path=_PROGRAM_PATH)
    return Path(found) if found else None


def free_port(host: str = "127.0.0.1") -> int:
    """Give a port that is free for UDP and TCP at this moment."""
    for _ in range(64):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind((host, 0))
            port: int = tcp.getsockname()[1]
            with suppress(OSError):
                udp.bind((host, port))
                return port
    raise PeerError(f"no port of {host} is free for both UDP and TCP")


class Server:
    """A running server. A port that is taken between being chosen and being bound costs another try.

    `plan(directory, port)` says how to start it there.
    """

    def __init__(self, plan: Callable[[Path, int], Launch]) -> None:
        self._plan = plan
        self._process: subprocess.Popen[bytes] | None = None
        self._directory = tempfile.TemporaryDirectory(prefix="dns-peer-")
        self.port = 0

    @property
    def pid(self) -> int:
        """Give the process id; 0 before the start and after the stop."""
        return self._process.pid if self._process else 0

    def begin(self) -> Self:
        """Start the process, and do not wait for it: several can come up at the same time."""
        self.port = free_port()
        root = Path(self._directory.name)
        launch = self._launch = self._plan(root, self.port)
        program = find_program(launch.program)
        if program is None:
            raise PeerError(f"{launch.program} is not installed")
        for name, text in launch.files.items():
            (root / name).write_text(text, encoding="utf-8")
        # Should this process be killed, the kernel ends the server: nobody else would.
        guard = shutil.which("setpriv")
        command = [*([guard, "--pdeathsig", "TERM", "--"] if guard else []), str(program), *launch.arguments]
        with (root / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=root, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        return self

    def wait(self) -> None:
        """Wait until it answers everywhere. Raises PeerError with the end of its log."""
        deadline = time.monotonic() + START_SECONDS
        for attempt in range(_TRIES):
            if self._answers(deadline):
                return
            reason = f"{self._launch.program} {'ended' if self._has_ended() else 'does not answer'}: {self._log()}"
            self._end()
            if attempt == _TRIES - 1 or time.monotonic() >= deadline:
                raise PeerError(reason)
            self.begin()

    def stop(self) -> None:
        """Stop it and remove its directory. Safe to call twice."""
        self._end()
        self._directory.cleanup()

    def __enter__(self) -> Self:
        try:
            self.begin().wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answers(self, deadline: float) -> bool:
        waiting = list(self._launch.answers_at)
        while waiting and time.monotonic() < deadline and not self._has_ended():
            waiting = [endpoint for endpoint in waiting if not _is_answered(endpoint)]
        return not waiting

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _log(self) -> str:
        text = (Path(self._directory.name) / "log").read_text(encoding="utf-8", errors="replace")
        return text[-_LOG_TAIL:].strip() or "it said nothing"

    def _end(self) -> None:
        """End the process and whatever it has started: they share a process group of their own."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _is_answered(endpoint: Endpoint) -> bool:
    """Tell whether anything answers there, be it REFUSED; waits a little when nothing does."""
    query = dns.message.make_query("ready.invalid.", "A")
    query.flags = 0  # no recursion: a forwarder would ask its own server, which may be on its way still
    try:
        dns.query.udp(query, endpoint.host, 0.1, endpoint.port, source=endpoint.source)
    except (OSError, dns.exception.DNSException):
        time.sleep(0.01)
        return False
    return True
