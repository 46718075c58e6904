"""The server's life: start, stop, the state file, `up`, and the control endpoints."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from local_azure.faults import Fault, FaultRule
from local_azure.server import LocalAzure, PortInUse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UP = (
    "import sys, json; from pathlib import Path; from local_azure.up import serve; "
    "sys.exit(serve(int(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2] else None, parts=()))"
)


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


def test_it_starts_and_stops_in_a_moment() -> None:
    began = time.monotonic()
    with LocalAzure.start(parts=()):
        pass
    assert time.monotonic() - began < 2


def test_two_run_side_by_side() -> None:
    with LocalAzure.start(parts=()) as one, LocalAzure.start(parts=()) as two:
        assert one.arm != two.arm
        assert requests.get(f"{two.arm}/_local/state", verify=str(two.ca), timeout=5).status_code == 200


def test_a_request_that_is_never_answered_does_not_delay_the_stop() -> None:
    with LocalAzure.start(parts=()) as azure:
        azure.call(lambda: azure.world.faults.add(FaultRule(Fault("timeout"))))
        tls = ssl.create_default_context(cafile=str(azure.ca))
        with (
            socket.create_connection(("127.0.0.1", azure.port)) as plain,
            tls.wrap_socket(plain, server_hostname="localhost") as client,
        ):
            client.sendall(b"GET /subscriptions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\n\r\n")
            while not azure.world.requests.total:
                time.sleep(0.005)
            began = time.monotonic()
            azure.stop()
            assert time.monotonic() - began < 0.8


def test_answers_are_not_held_back_by_the_network_stack(arm: Any) -> None:
    """Without TCP_NODELAY each would take 40 ms."""
    began = time.monotonic()
    for _ in range(40):
        arm("GET", "/subscriptions")
    assert time.monotonic() - began < 1.2


def test_a_taken_port_is_said_clearly(busy_port: int) -> None:
    with pytest.raises(PortInUse, match=f"cannot listen on 127.0.0.1:{busy_port}"):
        LocalAzure.start(port=busy_port, parts=())


def test_the_same_seed_gives_the_same_etags(arm: Any, azure: LocalAzure) -> None:
    found = []
    for _ in range(2):
        azure.call(azure.world.reset)
        found.append(arm("GET", arm.zone()).json()["etag"])
    assert found[0] == found[1]


def test_state_survives_a_restart_with_addresses_etags_and_links(tmp_path: Path, arm: Any, azure: LocalAzure) -> None:
    """The first process is another one than `azure`: it has the directory."""
    with LocalAzure.start(data=tmp_path, parts=(), provisioning_seconds=0.01) as first:
        client = type(arm)(first.arm, arm.session)
        arm.session.verify = str(first.ca)
        subnet, zone = client.vnet(), client.zone()
        link = {"location": "global", "properties": {"virtualNetwork": {"id": subnet.rpartition("/subnets/")[0]}}}
        client.finished(client("PUT", f"{zone}/virtualNetworkLinks/hub", link))
        client("PUT", f"{zone}/A/web", {"properties": {"ttl": 60, "metadata": {"k": "v"}}})
        group = client.group("web", subnet)
        before = [client("GET", path).json() for path in (f"{zone}/A/web", f"{zone}/virtualNetworkLinks/hub", group)]
        client("POST", f"{group}/restart")
        state = client.session.get(f"{first.arm}/_local/state", timeout=5).json()
    assert json.loads((tmp_path / "state.json").read_text())["zones"] == state["zones"]
    with LocalAzure.start(data=tmp_path, parts=()) as second:
        client = type(arm)(second.arm, arm.session)
        arm.session.verify = str(second.ca)
        after = [client("GET", path).json() for path in (f"{zone}/A/web", f"{zone}/virtualNetworkLinks/hub", group)]
        assert after[:2] == before[:2]
        assert after[2]["properties"]["provisioningState"] == "Succeeded"
        assert after[2]["properties"]["ipAddress"] == before[2]["properties"]["ipAddress"]
        assert client.ip(client.group("next", subnet)) == "10.0.0.5"


def test_changes_reach_the_file_while_it_runs(tmp_path: Path, arm: Any) -> None:
    with LocalAzure.start(data=tmp_path, parts=()) as azure:
        arm.session.verify = str(azure.ca)
        type(arm)(azure.arm, arm.session).zone()
        deadline = time.monotonic() + 5
        while not (tmp_path / "state.json").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert json.loads((tmp_path / "state.json").read_text())["zones"][0]["name"] == "corp.internal"


def up(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", UP, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_up_prints_one_line_serves_and_stops_cleanly(number: signal.Signals) -> None:
    with up("0", "") as process:
        assert process.stdout
        assert process.stderr
        line = json.loads(process.stdout.readline())
        assert {"arm", "ca", "identity_endpoint", "identity_header", "ingestion", "query", "eventgrid", "dns"} <= set(
            line
        )
        state = requests.get(f"{line['arm']}/_local/state", verify=line["ca"], timeout=5)
        assert state.status_code == 200
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "", "")
    assert not os.path.exists(line["ca"])  # noqa: PTH110  # a path from JSON


def test_up_on_a_taken_port_fails_with_a_reason(busy_port: int) -> None:
    with up(str(busy_port), "") as process:
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (69, "")
    assert f"cannot listen on 127.0.0.1:{busy_port}" in err


def test_up_with_a_broken_state_file_fails_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"format": 99}')
    with up("0", str(tmp_path)) as process:
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (65, "")
    assert "not a state file of this local Azure" in err
    assert "Traceback" not in err


def test_reset_empties_everything(arm: Any, azure: LocalAzure) -> None:
    arm.group("web", arm.vnet())
    arm.zone()
    arm.session.post(f"{arm.base}/_local/faults", json={"kind": "reset", "times": 1}, timeout=5)
    assert arm.session.post(f"{arm.base}/_local/reset", timeout=5).status_code == 204
    state = arm.session.get(f"{arm.base}/_local/state", timeout=5).json()
    assert [state[key] for key in ("zones", "container_groups", "virtual_networks", "resource_groups")] == [[]] * 4
    assert arm("GET", "/subscriptions").status_code == 200


def test_a_reset_cancels_what_is_under_way(arm: Any, azure: LocalAzure) -> None:
    azure.world.settings.provisioning_seconds = 0.05
    arm("PUT", "Microsoft.ContainerInstance/containerGroups/web", arm.group_body())
    azure.call(azure.world.reset)
    time.sleep(0.1)
    assert azure.call(lambda: list(azure.world.events)) == []  # type: ignore[call-overload]


def test_requests_are_counted_by_operation(arm: Any, azure: LocalAzure) -> None:
    zone = arm.zone()
    mark = azure.world.requests.total
    arm("GET", f"{zone}/A/web", User_Agent="me", x_ms_client_request_id="id")
    arm("GET", f"{zone}/ALL")
    (first, second) = azure.call(lambda: azure.world.requests.since(mark))
    assert (first.operation, first.status, first.user_agent, first.client_request_id) == (
        "privateDns.recordSet.GET",
        404,
        "me",
        "id",
    )
    assert second.operation == "privateDns.recordSet.LIST"
    url = f"{arm.base}/_local/requests"
    body = arm.session.get(url, timeout=5).json()
    assert body["counts"]["privateDns.recordSet.LIST"] == 1
    narrowed = arm.session.get(f"{url}?since={mark}&operation=privateDns.recordSet.GET", timeout=5).json()
    assert (len(narrowed["requests"]), narrowed["counts"]) == (1, {"privateDns.recordSet.GET": 1})
    assert arm.session.get(f"{url}?since=x", timeout=5).status_code == 400
    arm.session.delete(url, timeout=5)
    assert arm.session.get(url, timeout=5).json()["total"] == 0


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"provisioning_second": 1}, "provisioning_second: cannot be set; these can:"),
        ({"data_dir": "/data"}, "data_dir: cannot be set"),
        ({"provisioning_seconds": -1}, "provisioning_seconds: -1 is not a number of at least 0"),
        ({"provisioning_seconds": True}, "provisioning_seconds: True has the wrong type"),
        ({"throttling": 1}, "throttling: 1 has the wrong type"),
        ({"stopped_address": "gone"}, "stopped_address: 'gone' is not one of"),
        ({"location": 5}, "location: 5 has the wrong type"),
        ([], "the body must be an object"),
    ],
)
def test_bad_settings_are_refused_and_change_nothing(arm: Any, sent: Any, says: str) -> None:
    url = f"{arm.base}/_local/settings"
    before = arm.session.get(url, timeout=5).json()
    answer = arm.session.patch(url, json=sent, timeout=5)
    assert answer.status_code == 400
    assert says in answer.json()["error"]["message"]
    assert arm.session.get(url, timeout=5).json() == before


def test_settings_can_change_while_it_runs(arm: Any) -> None:
    url = f"{arm.base}/_local/settings"
    changed = arm.session.patch(url, json={"new_ip_on_restart": True, "provisioning_seconds": 1}, timeout=5).json()
    assert (changed["new_ip_on_restart"], changed["provisioning_seconds"]) == (True, 1)
