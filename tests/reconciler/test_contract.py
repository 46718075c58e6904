"""The worker's environment and its result line: inverse pairs, and every malformed variable refused."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from core.arm_id import container_group_id
from core.errors import InputError
from core.live import LiveGroup, LiveState
from core.names import ReverseZone, parse_address
from core.zone_map import DnsConfig, OnStop, Ownership
from reconciler.contract import Contract, WorkerResult
from reconciler.process import SCRIPT, worker_environment

WEB = container_group_id("sub-1", "rg.one_(x)", "Web-1")
CONFIG = DnsConfig(
    "rg.one_(x)",
    None,
    "corp.internal",
    (ReverseZone.parse("1.10.in-addr.arpa"), ReverseZone.parse("0.0.d.f.ip6.arpa")),
    "rg-dns",
    "sub-2",
    300,
    Ownership.STRICT,
    OnStop.KEEP,
)


def contract(**changes: Any) -> Contract:
    values: dict[str, Any] = {
        "live": LiveGroup(WEB, LiveState.RUNNING, parse_address("10.1.0.4")),
        "config": CONFIG,
        "arm_endpoint": "https://localhost:8443",
        "deadline_seconds": 12.5,
        "attempts": 3,
        "dry_run": True,
    }
    return Contract(**{**values, **changes})


@pytest.mark.parametrize(
    "live",
    [
        LiveGroup(WEB, LiveState.RUNNING, parse_address("10.1.0.4")),
        LiveGroup(WEB, LiveState.RUNNING, parse_address("fd00::4")),
        LiveGroup(WEB, LiveState.ABSENT),
        LiveGroup(WEB, LiveState.STOPPED),
        LiveGroup(WEB, LiveState.NO_PRIVATE_IP),
    ],
    ids=lambda live: f"{live.state}-{live.address}",
)
def test_a_contract_survives_its_environment(live: LiveGroup) -> None:
    assert Contract.from_environment(contract(live=live).to_environment()) == contract(live=live)


@pytest.mark.parametrize("name", sorted(contract().to_environment()))
def test_every_variable_is_needed(name: str) -> None:
    environment = contract().to_environment()
    del environment[name]
    with pytest.raises(InputError, match=name):
        Contract.from_environment(environment)


def test_a_state_without_its_address_is_refused() -> None:
    environment = {**contract().to_environment(), "LIVE_IP": ""}
    with pytest.raises(InputError, match="disagree"):
        Contract.from_environment(environment)


def test_a_result_survives_its_line() -> None:
    result = WorkerResult("reconcile_updated", live_ip="10.1.0.4", old_ips=("10.1.0.3",), arm_calls=7, notes=("ä",))
    assert WorkerResult.from_line(result.to_line()) == result


@pytest.mark.parametrize("line", ["", "Traceback", "[]", "{}", '{"outcome": 3}', "null"])
def test_what_is_no_result_is_none(line: str) -> None:
    assert WorkerResult.from_line(line) is None


BAD = [
    ("SUBSCRIPTION_ID", "sub 1"),
    ("RESOURCE_GROUP", "rg/../x"),
    ("CONTAINER_GROUP", "web;id"),
    ("CONTAINER_GROUP", "web\nid"),
    ("CONTAINER_GROUP", "$(id)"),
    ("CONTAINER_GROUP", "-web"),
    ("CONTAINER_GROUP", "wéb"),
    ("LIVE_STATE", "gone"),
    ("LIVE_IP", "10.1.0.4; id"),
    ("FORWARD_ZONE", "corp"),
    ("FORWARD_ZONE", "corp.internal'"),
    ("REVERSE_ZONES", "1.10.in-addr.arpa,,"),
    ("REVERSE_ZONES", "0/25.0.0.10.in-addr.arpa"),
    ("ZONES_SUBSCRIPTION_ID", ""),
    ("ZONES_RESOURCE_GROUP", "rg dns"),
    ("TTL_SECONDS", "0"),
    ("TTL_SECONDS", "60s"),
    ("OWNERSHIP", "steal"),
    ("ON_STOP", "maybe"),
    ("ARM_ENDPOINT", "http://localhost"),
    ("ARM_ENDPOINT", "https://localhost/?x"),
    ("DEADLINE_SECONDS", "-1"),
    ("ATTEMPTS", "0"),
    ("DRY_RUN", "yes"),
    ("TOKEN_FD", "x"),
    ("TOKEN_FD", "987"),
    ("PYTHON_BIN", "python3"),
    ("PYTHON_BIN", "/nonexistent/python"),
    ("PYTHONPATH", ""),
]


def run_script(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # the script ends before Python starts
        ["/bin/bash", str(SCRIPT)], env=environment, capture_output=True, text=True, check=False, timeout=20
    )


def complete() -> dict[str, str]:
    return worker_environment(contract().to_environment(), 0, None)


@pytest.mark.parametrize(("name", "value"), BAD, ids=[f"{name}={value!a}" for name, value in BAD])
def test_the_script_refuses_a_malformed_variable(name: str, value: str, tmp_path: Path) -> None:
    ended = run_script({**complete(), name: value})
    assert (ended.returncode, ended.stdout) == (64, "")
    assert ended.stderr.startswith("worker.sh: "), ended.stderr
    assert name in ended.stderr


@pytest.mark.parametrize("name", sorted(set(complete()) - {"PATH", "LANG", "PYTHONUNBUFFERED"}))
def test_the_script_refuses_a_missing_variable(name: str) -> None:
    environment = complete()
    del environment[name]
    ended = run_script(environment)
    assert (ended.returncode, ended.stderr) == (64, f"worker.sh: {name} is not set\n")
