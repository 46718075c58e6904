"""The servers as processes: started when they answer, gone without a trace afterwards, whoever runs them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import dns.rcode
import pytest

from local_azure.peers.authoritative import Knot, Nsd
from local_azure.peers.bind import Bind, primary
from local_azure.peers.gateway import Gateway
from local_azure.peers.process import Endpoint, Launch, PeerError, Server, find_program
from local_azure.peers.situations import Vantage
from local_azure.peers.unbound import Unbound
from local_azure.peers.zone_files import azure_zone

NOBODY = 65534
PACKAGES = {"named": "bind9", "knotd": "knot", "nsd": "nsd", "unbound": "unbound"}


@pytest.fixture
def needs(require_tool: Callable[..., Path]) -> Callable[[str], None]:
    def check(program: str) -> None:
        if find_program(program) is None:
            require_tool(program, f"apt-get install {PACKAGES[program]}")

    return check


def started(kind: Any, stack: ExitStack) -> tuple[Any, list[Server]]:
    """Start a peer and what it needs; give it and its servers."""
    needed = [stack.enter_context(Bind())] if kind is Unbound else []
    peer = stack.enter_context(kind(*needed))
    return peer, [peer.server] if kind is Bind else list(peer.servers.values())


def is_running(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def group_of(pid: int) -> list[int]:
    """List the running processes of a process group."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and is_running(int(entry.name)):
            try:
                if os.getpgid(int(entry.name)) == pid:
                    found.append(int(entry.name))
            except ProcessLookupError:
                continue
    return found


def eventually(is_true: Callable[[], bool]) -> bool:
    """Wait for what the kernel does in its own time, such as ending a process that was killed."""
    deadline = time.monotonic() + 5
    while not is_true() and time.monotonic() < deadline:
        time.sleep(0.005)
    return is_true()


def rcode(endpoint: Endpoint) -> str:
    query = dns.message.make_query("web.corp.internal", "A")
    return dns.rcode.to_text(dns.query.udp(query, endpoint.host, 3, endpoint.port).rcode())


@pytest.mark.tools
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
@pytest.mark.parametrize("kind", [Bind, Knot, Nsd, Unbound])
def test_a_server_leaves_no_process_no_directory_and_no_port(needs: Callable[[str], None], kind: Any) -> None:
    needs(kind.program)
    with ExitStack() as stack:
        peer, servers = started(kind, stack)
        assert rcode(peer.endpoint(Vantage.LINKED)) == "NOERROR"
        pids, ports = [server.pid for server in servers], [server.port for server in servers]
        directories = [Path(f"/proc/{pid}/cwd").resolve() for pid in pids]
        assert all(group_of(pid) for pid in pids)
    assert eventually(lambda: not any(group_of(pid) for pid in pids))
    assert not any(directory.name.startswith("dns-peer-") and directory.exists() for directory in directories)
    for port in ports:
        with socket.socket(type=socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", port))


@pytest.mark.tools
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="not root: every other test shows that it works")
@pytest.mark.parametrize("kind", [Bind, Knot, Nsd, Unbound])
def test_a_server_needs_no_root(
    needs: Callable[[str], None], require_tool: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, kind: Any
) -> None:
    needs(kind.program)
    setpriv = str(require_tool("setpriv", "apt-get install util-linux"))
    begin = Server.begin

    def begin_as_nobody(self: Server) -> Server:
        plan = self._plan

        def unprivileged(directory: Path, port: int) -> Launch:
            launch = plan(directory, port)
            os.chown(directory, NOBODY, NOBODY)
            identity = (f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--")
            return replace(
                launch, program=setpriv, arguments=(*identity, str(find_program(launch.program)), *launch.arguments)
            )

        self._plan = unprivileged
        try:
            return begin(self)
        finally:
            self._plan = plan

    monkeypatch.setattr(Server, "begin", begin_as_nobody)
    with ExitStack() as stack:
        peer, servers = started(kind, stack)
        assert rcode(peer.endpoint(Vantage.LINKED)) == "NOERROR"
        assert {Path(f"/proc/{server.pid}").stat().st_uid for server in servers} == {NOBODY}


@pytest.mark.tools
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_a_server_ends_when_the_process_that_started_it_is_killed(
    needs: Callable[[str], None], require_tool: Callable[..., Path], project_root: Path, tmp_path: Path
) -> None:
    needs("named")
    require_tool("setpriv", "apt-get install util-linux")
    script = (
        "from local_azure.peers.bind import Bind\n"
        "import sys\n"
        "with Bind() as bind:\n"
        "    print(bind.server.pid, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}  # what is killed cleans nothing up
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=project_root,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.send_signal(signal.SIGKILL)
        parent.wait(5)
    assert eventually(lambda: not is_running(pid))


@pytest.mark.tools
def test_a_plain_bind_serves_any_zones_to_everybody(needs: Callable[[str], None]) -> None:
    needs("named")
    with primary({"corp.internal": azure_zone("corp.internal")}) as server:
        assert rcode(Endpoint("127.0.0.1", server.port)) == "NOERROR"


def test_a_server_that_cannot_start_says_why_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    plan = Launch("sh", ("-c", "echo no such view >&2; exit 1"), {}, (Endpoint("127.0.0.1", 1),))
    with pytest.raises(PeerError, match=r"^sh ended: no such view$"), Server(lambda _directory, _port: plan):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_what_a_server_has_started_ends_with_it() -> None:
    plan = Launch("sh", ("-c", "sleep 600 & trap 'exit 0' TERM; wait"), {}, ())
    with Server(lambda _directory, _port: plan) as server:
        pid = server.pid
        assert eventually(lambda: len(group_of(pid)) == 2)
    assert eventually(lambda: not group_of(pid))


def test_a_server_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    plan = Launch("no-such-server", (), {}, ())
    with pytest.raises(PeerError, match="no-such-server is not installed"), Server(lambda _directory, _port: plan):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_gateway_passes_udp_and_tcp_from_the_address_of_the_vantage() -> None:
    seen: list[str] = []
    with socket.socket(type=socket.SOCK_DGRAM) as server, socket.create_server(("127.0.0.1", 0)) as stream:
        server.bind(stream.getsockname())
        server.settimeout(2)
        stream.settimeout(2)
        route = Endpoint("127.0.0.1", stream.getsockname()[1], "127.0.1.9")
        with Gateway({Vantage.LINKED: route}) as gateway, socket.socket(type=socket.SOCK_DGRAM) as client:
            door = gateway.endpoint(Vantage.LINKED)
            client.settimeout(2)
            client.sendto(b"asked", (door.host, door.port))
            data, address = server.recvfrom(100)
            seen.append(address[0])
            server.sendto(data + b" and answered", address)
            assert client.recv(100) == b"asked and answered"
            with socket.create_connection((door.host, door.port), timeout=2) as near:
                near.sendall(b"asked")
                far, address = stream.accept()
                seen.append(address[0])
                with far:
                    far.sendall(far.recv(100) + b" by TCP")
                assert near.recv(100) == b"asked by TCP"
    assert seen == ["127.0.1.9"] * 2
