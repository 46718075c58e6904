"""Every fault at every call to Azure Resource Manager of a creation, a change of address and a deletion.

After redelivery DNS is exactly right, nothing foreign was touched, and every failed attempt is an event with its cause.
The worker's main runs in this process here; test_faults_of_the_process.py has the same with a worker of its own.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from bench.spoke import FORWARD, REVERSE, Delivered, Spoke, in_process
from local_azure.faults import Fault
from local_azure.server import LocalAzure

CALLS: Mapping[str, tuple[str, ...]] = {
    "create": ("GET group", "GET A", "GET PTR new", "GET group again", "PUT PTR new", "PUT A"),
    "change": (
        *("GET group", "GET A", "GET PTR new", "GET PTR old", "GET group again"),
        *("PUT PTR new", "DELETE PTR old", "PUT A"),
    ),
    "delete": ("GET group", "GET A", "GET PTR old", "GET group again", "DELETE PTR old", "DELETE A"),
}
EVENTS = {"create": "Write", "change": "Action", "delete": "Delete"}
SECONDS_TO_TIMEOUT = 0.25

FAULTS: Mapping[str, Fault] = {
    "429": Fault("throttle", retry_after=0),
    "500": Fault("error", 500),
    "503": Fault("error", 503, retry_after=0),
    "409": Fault("error", 409),
    "412": Fault("error", 412),
    "reset": Fault("reset"),
    "timeout": Fault("timeout"),
    "slow": Fault("slow", delay_seconds=0.02),
    "lost response": Fault("lost_response"),
}
CAUSES: Mapping[str, set[str]] = {
    "429": {"throttled"},
    "500": {"unavailable"},
    "503": {"unavailable"},
    "409": {"conflict"},
    "412": {"precondition_failed", "precondition_lost"},
    "reset": {"unavailable"},
    "timeout": {"unavailable"},
    "lost response": {"unavailable"},
}
TWICE = 2
"""How often one call is tried here: so many strikes end the attempt, and leave it what it needs to clean up."""
STRIKES = {"once": 1, "twice": TWICE, "until redelivery": None}
STRUCK_TWICE = ("500", "409", "412", "lost response")
"""Of the others each ends an attempt in the same way as a 500."""


@dataclass
class Stage:
    """The spoke just before an event is delivered, and what DNS must say after it."""

    spoke: Spoke
    restore: Callable[[], None]
    raw: dict[str, Any]
    expected: dict[str, tuple[str, ...]]
    ours: set[str]
    foreign: Mapping[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        assert self.spoke.fleet.records() == self.expected
        now = self.spoke.record_sets()
        assert {name: found for name, found in now.items() if name not in self.ours} == self.foreign


def set_the_stage(spoke: Spoke, scenario: str) -> Stage:
    """Lay out a live neighbour, records made by hand, and one group that was created, moved or deleted."""
    fleet = spoke.fleet
    fleet.put_record(FORWARD, "A", "printer", "10.0.0.200")
    fleet.put_record(REVERSE, "PTR", "200.0", "printer.corp.internal")
    neighbour = fleet.create("rg-one", "neighbour", spoke.vnet)
    spoke.reconcile("rg-one", "neighbour")
    others = fleet.records()
    old = new = fleet.create("rg-one", "web", spoke.vnet)
    if scenario != "create":
        spoke.reconcile("rg-one", "web")
    if scenario == "change":
        new = fleet.restart("rg-one", "web")
    if scenario == "delete":
        fleet.delete("rg-one", "web")
    name = f"web.{FORWARD}"
    expected = others if scenario == "delete" else {**others, f"A {name}": (new,), ptr(new): (name,)}
    assert old != neighbour
    ours = {f"A {name}", ptr(old), ptr(new)}
    foreign = {key: found for key, found in spoke.record_sets().items() if key not in ours}
    raw = spoke.event(fleet.id("rg-one", "web"), EVENTS[scenario])
    return Stage(spoke, spoke.save(), raw, expected, ours, foreign)


def ptr(address: str) -> str:
    return f"PTR {'.'.join(reversed(address.split('.')))}.in-addr.arpa"


@pytest.fixture(scope="module")
def stages(azure: LocalAzure) -> Iterator[dict[str, Stage]]:
    """Give the three stages; they share one local Azure, and each run puts its own back first."""
    built = {}
    for scenario in CALLS:
        spoke = Spoke.lay_out(azure)
        spoke.worker = in_process
        built[scenario] = set_the_stage(spoke, scenario)
    yield built
    for stage in built.values():
        stage.spoke.close()


@pytest.fixture
def stage(stages: dict[str, Stage], request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Give the stage of the test's scenario, as it was built."""
    chosen = stages[request.getfixturevalue("scenario")]
    chosen.restore()
    chosen.spoke.sink.events.clear()
    chosen.spoke.reopen()
    yield chosen
    chosen.spoke.clear_faults()


def every_call() -> list[Any]:
    return [
        pytest.param(scenario, index, id=f"{scenario}, {name}")
        for scenario, names in CALLS.items()
        for index, name in enumerate(names)
    ]


def every_fault() -> list[Any]:
    return [
        pytest.param(fault, strikes, id=f"{fault} {strikes}")
        for fault in FAULTS
        for strikes in STRIKES
        if strikes == "once"
        or (strikes == "twice" and fault in STRUCK_TWICE)
        or (strikes == "until redelivery" and fault != "slow")
    ]


def fails_at_once(call: str, fault: str) -> bool:
    """Say whether one strike already ends the attempt: nobody repeats a conflict, and a read has no precondition."""
    return fault == "409" or (fault == "412" and call.startswith("GET"))


@pytest.mark.parametrize("scenario", CALLS)
def test_without_a_fault_an_event_takes_exactly_these_calls(stage: Stage, scenario: str) -> None:
    delivered = stage.spoke.deliver(stage.raw)
    (made,) = delivered.requests
    assert [record.method for record in made] == [name.split(" ")[0] for name in CALLS[scenario]]
    assert delivered.outcome == ("reconcile_deleted" if scenario == "delete" else "reconcile_updated")
    stage.check()


@pytest.mark.parametrize(("fault", "strikes"), every_fault())
@pytest.mark.parametrize(("scenario", "index"), every_call())
def test_after_redelivery_dns_is_right_and_nothing_foreign_was_touched(
    stage: Stage, impatient: Callable[..., None], *, scenario: str, index: int, fault: str, strikes: str
) -> None:
    impatient(**({"read_seconds": SECONDS_TO_TIMEOUT} if fault == "timeout" else {}))
    spoke, delivered = stage.spoke, Delivered()
    before = spoke.requests_total()
    rule = spoke.fault(FAULTS[fault], skip=index, times=STRIKES[strikes])
    done = spoke.attempt(stage.raw, delivered)
    assert rule.fired
    if strikes == "once":
        assert done is not fails_at_once(CALLS[scenario][index], fault)
    if strikes == "until redelivery":
        # Only what was done loses its answer: a deletion that finds nothing left to do is told so, and ends well.
        assert not done or (scenario, fault) == ("delete", "lost response")
        spoke.clear_faults()
    while not done:
        assert len(delivered.events) <= TWICE
        done = spoke.attempt(stage.raw, delivered)
    stage.check()
    *failures, success = delivered.events
    assert success.type.value in {"reconcile_updated", "reconcile_deleted", "reconcile_no_op"}
    for event in failures:
        assert event.type.value == "reconcile_failed"
        assert event.values["ErrorCode"] in CAUSES[fault]
        assert event.values["ErrorMessage"]
    # One row an attempt, and the repetitions within an attempt show in its number of calls.
    assert len(delivered.events) == len(delivered.requests)
    told = sum(event.values["ArmCalls"] for event in delivered.events)
    eventually(lambda: len(spoke.requests_since(before)) == told)
    if strikes == "until redelivery":
        assert spoke.deliver(stage.raw).outcome == "reconcile_no_op"


def eventually(holds: Callable[[], bool]) -> None:
    """Wait a moment: the server notes a request that it never answered when it sees that the client has gone."""
    for _ in range(200):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("never came true")
