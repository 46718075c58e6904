"""The worker as a process: what it is given, what it inherits, how its time is bounded, how its output comes."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local_azure.faults import Fault, FaultRule
from reconciler import process
from reconciler.process import WorkerExit, run_worker

TOKEN = "a-very-secret-token"
NOTHING: dict[str, str] = {}


@dataclass
class Lines:
    """The lines a run logged, with the time of each."""

    seen: list[tuple[str, str, float]] = field(default_factory=list)

    def __call__(self, stream: str, line: str) -> None:
        self.seen.append((stream, line, time.monotonic()))

    def of(self, stream: str) -> list[str]:
        return [line for name, line, _ in self.seen if name == stream]


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put another script in the worker's place."""

    def write(text: str) -> None:
        path = tmp_path / "worker.sh"
        path.write_text(text)
        monkeypatch.setattr(process, "SCRIPT", path)

    return write


@pytest.fixture
def lines() -> Lines:
    return Lines()


def run(lines: Lines, seconds: float = 10.0) -> WorkerExit:
    return run_worker(NOTHING, TOKEN, seconds, lines)


def test_the_token_arrives_on_its_descriptor_and_nowhere_else(script: Callable[[str], None], lines: Lines) -> None:
    script('env; cat "/proc/$$/cmdline" | tr "\\0" " "; echo; read -r -d "" token <&"$TOKEN_FD"; echo "token=$token"')
    assert run(lines).code == 0
    (received,) = [line for line in lines.of("stdout") if TOKEN in line]
    assert received == f"token={TOKEN}"


def test_nothing_is_inherited(script: Callable[[str], None], lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "inherited-secret")
    monkeypatch.setenv("IDENTITY_HEADER", "inherited-header")
    script("env; ls -l /proc/self/fd | wc -l; readlink /proc/self/cwd")
    run(lines)
    names = {line.split("=")[0] for line in lines.of("stdout") if "=" in line}
    assert names == {
        "PATH", "LANG", "PYTHON_BIN", "PYTHONPATH", "PYTHONUNBUFFERED", "TOKEN_FD", "PWD", "SHLVL", "_",
    }  # fmt: skip


def test_output_is_passed_on_as_it_comes(script: Callable[[str], None], lines: Lines) -> None:
    script("echo first; echo aside >&2; sleep 0.4; echo last")
    run(lines)
    stamps = {line: stamp for _, line, stamp in lines.seen}
    assert lines.of("stderr") == ["aside"]
    assert stamps["last"] - stamps["first"] > 0.3


def test_a_line_without_end_and_bytes_that_are_no_text_are_taken(script: Callable[[str], None], lines: Lines) -> None:
    script("head -c 3000000 /dev/zero | tr '\\0' x; printf '\\n\\xff\\xfe end'")
    assert run(lines).code == 0
    assert lines.of("stdout")[-1] == "\ufffd\ufffd end"


def test_at_the_deadline_the_whole_process_group_is_killed(
    script: Callable[[str], None], lines: Lines, tmp_path: Path
) -> None:
    mark = tmp_path / "still-alive"
    script(f"echo $$; (sleep 1.2; touch {mark}) & sleep 30")
    began = time.monotonic()
    ended = run(lines, seconds=0.5)
    assert ended.timed_out
    assert ended.code == -signal.SIGKILL
    assert time.monotonic() - began < 1.1
    time.sleep(1.0)
    assert not mark.exists(), "a child of the worker outlived the deadline"


def test_a_child_that_outlives_the_worker_is_killed_with_it(
    script: Callable[[str], None], lines: Lines, tmp_path: Path
) -> None:
    mark = tmp_path / "still-alive"
    script(f"(sleep 0.6; touch {mark}) & echo done")
    began = time.monotonic()
    assert run(lines).code == 0
    assert time.monotonic() - began < 0.5, "the end of the worker is not held up by a child that holds its pipes"
    time.sleep(0.8)
    assert not mark.exists()


def test_the_last_stdout_line_is_the_result(script: Callable[[str], None], lines: Lines) -> None:
    script("""echo noise; echo '{"outcome":"reconcile_no_op","arm_calls":2}'""")
    ended = run(lines)
    assert ended.result is not None
    assert (ended.result.outcome, ended.result.arm_calls) == ("reconcile_no_op", 2)


def test_a_worker_that_does_not_read_its_token_is_no_error(script: Callable[[str], None], lines: Lines) -> None:
    script("exit 3")
    assert run_worker(NOTHING, "x" * 60_000, 10, lines).code == 3


def test_no_descriptor_is_left_open(script: Callable[[str], None], lines: Lines) -> None:
    script("exit 0")
    run(lines)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        run(lines)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.fixture
def held_worker(bench: Any) -> dict[str, Any]:
    """Hold the real worker at its first call to ARM, and look at it through /proc."""
    bench.fleet.create("rg-one", "web", bench.vnet)
    found: dict[str, Any] = {}

    def look(_: object) -> None:
        pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        for pid in pids:
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                parent = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            if b"reconciler.worker_main" in command and parent == os.getpid():
                found["argv"] = [part.decode() for part in command if part]
                found["environment"] = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")

    rule = FaultRule(Fault("callback", callback=look), operation="privateDns.recordSet.GET", times=1)
    bench.azure.call(lambda: bench.azure.world.faults.add(rule))
    bench.reconcile("rg-one", "web")
    return found


def test_the_real_worker_holds_no_secret_and_nothing_inherited(held_worker: dict[str, Any]) -> None:
    names = {entry.split("=")[0] for entry in held_worker["environment"] if entry}
    assert held_worker["argv"] == [sys.executable, "-P", "-S", "-m", "reconciler.worker_main"]
    assert names == {
        "PATH", "LANG", "LC_ALL", "PWD", "SHLVL", "PYTHON_BIN", "PYTHONPATH", "PYTHONUNBUFFERED", "TOKEN_FD",
        "REQUESTS_CA_BUNDLE", "SUBSCRIPTION_ID", "RESOURCE_GROUP", "CONTAINER_GROUP", "LIVE_STATE", "LIVE_IP",
        "FORWARD_ZONE", "REVERSE_ZONES", "ZONES_SUBSCRIPTION_ID", "ZONES_RESOURCE_GROUP", "TTL_SECONDS", "OWNERSHIP",
        "ON_STOP", "ARM_ENDPOINT", "DEADLINE_SECONDS", "ATTEMPTS", "DRY_RUN",
    }  # fmt: skip
    assert "test-token" not in "".join(held_worker["argv"] + held_worker["environment"])


def test_the_worker_imports_neither_identity_nor_monitor_libraries_nor_requests(project_root: Path) -> None:
    clients = "azure.mgmt.containerinstance, azure.mgmt.privatedns, cloud.lean_transport"
    code = f"import sys, json, reconciler.worker, {clients}; print(json.dumps([name for name in sys.modules]))"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=project_root, timeout=30
    )
    loaded = set(json.loads(ended.stdout))
    assert not {"azure.identity", "azure.monitor", "msal", "requests", "urllib3"} & loaded


def test_runs_in_parallel_do_not_mix_their_output(script: Callable[[str], None]) -> None:
    script('read -r -d "" token <&"$TOKEN_FD"; sleep 0.1; echo "$token"')
    collected = [Lines() for _ in range(8)]
    threads = [
        threading.Thread(target=run_worker, args=(NOTHING, f"token-{number}", 10.0, lines))
        for number, lines in enumerate(collected)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [lines.of("stdout") for lines in collected] == [[f"token-{number}"] for number in range(8)]
