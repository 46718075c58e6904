"""kill -9 of the worker and its process group, before and after every call that it makes.

Between two calls is before the second one. A call that the worker does not live to see answered is one that is done:
what it wrote stands, and only redelivery finishes the work.
"""

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bench.spoke import FORWARD, REVERSE, Delivered, Spoke, in_process
from local_azure.faults import AbortConnection, Fault
from reconciler import process

WORKER_CALLS: Mapping[str, tuple[str, ...]] = {
    "create": ("GET A", "GET PTR new", "GET group", "PUT PTR new", "PUT A"),
    "change": ("GET A", "GET PTR new", "GET PTR old", "GET group", "PUT PTR new", "DELETE PTR old", "PUT A"),
    "delete": ("GET A", "GET PTR old", "GET group", "DELETE PTR old", "DELETE A"),
}
EVENTS = {"create": "Write", "change": "Action", "delete": "Delete"}
WRAPPER_CALLS = 1
NAME = f"web.{FORWARD}"


class Killer:
    """Kills the worker that was started last, from the server's side of one of its calls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pids: list[int] = []
        start = process._start

        def started(*arguments: Any) -> Any:
            worker = start(*arguments)
            self.pids.append(worker.pid)
            return worker

        monkeypatch.setattr(process, "_start", started)

    def before_the_call(self, _detail: Mapping[str, Any]) -> None:
        self.kill()
        raise AbortConnection

    def after_the_call(self, _detail: Mapping[str, Any]) -> None:
        """Kill before the request is handled: it is handled all the same, and nobody hears the answer."""
        self.kill()

    def kill(self) -> None:
        os.killpg(self.pids[-1], signal.SIGKILL)


@pytest.fixture
def killer(monkeypatch: pytest.MonkeyPatch) -> Killer:
    return Killer(monkeypatch)


def prepare(spoke: Spoke, scenario: str) -> tuple[dict[str, Any], dict[str, tuple[str, ...]], Mapping[str, Any]]:
    """Give the event to come, the records that must be there after it, and the foreign ones as they are."""
    fleet = spoke.fleet
    fleet.put_record(FORWARD, "A", "printer", "10.0.0.200")
    fleet.put_record(REVERSE, "PTR", "200.0", "printer.corp.internal")
    foreign = spoke.record_sets()
    address = fleet.create("rg-one", "web", spoke.vnet)
    if scenario != "create":
        spoke.reconcile("rg-one", "web")
    if scenario == "change":
        address = fleet.restart("rg-one", "web")
    if scenario == "delete":
        fleet.delete("rg-one", "web")
    expected = {name: values for name, values in fleet.records().items() if name in foreign}
    if scenario != "delete":
        expected |= {f"A {NAME}": (address,), f"PTR {'.'.join(reversed(address.split('.')))}.in-addr.arpa": (NAME,)}
    return spoke.event(fleet.id("rg-one", "web"), EVENTS[scenario]), expected, foreign


def every_call() -> list[Any]:
    return [
        pytest.param(scenario, index, id=f"{scenario}, {name}")
        for scenario, names in WORKER_CALLS.items()
        for index, name in enumerate(names)
    ]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("scenario", "index"), every_call())
def test_a_worker_killed_at_any_call_leaves_what_redelivery_makes_right(
    near: Spoke, killer: Killer, *, scenario: str, index: int, moment: str
) -> None:
    raw, expected, foreign = prepare(near, scenario)
    near.worker = process.run_worker
    strike = killer.before_the_call if moment == "before" else killer.after_the_call
    near.fault(Fault("callback", callback=strike), skip=WRAPPER_CALLS + index, times=1)
    delivered = Delivered()
    assert not near.attempt(raw, delivered)
    (failure,) = delivered.events
    assert (failure.type.value, failure.values["ErrorCode"]) == ("reconcile_failed", "worker_killed")
    (made,) = delivered.requests
    methods = [name.split(" ")[0] for name in WORKER_CALLS[scenario][: index + 1]]
    assert [record.method for record in made[WRAPPER_CALLS:]] == methods
    assert not Path(f"/proc/{killer.pids[-1]}").exists()

    near.worker = in_process
    assert near.attempt(raw, delivered)
    assert near.fleet.records() == expected
    assert {name: found for name, found in near.record_sets().items() if name in foreign} == foreign
