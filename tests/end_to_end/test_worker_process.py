"""Faults, races and many workers at once, each worker a process of its own as in Azure."""

import random
import threading
from collections.abc import Callable

import pytest

from bench.spoke import FORWARD, Delivered, Spoke, in_process
from core.events import Event
from core.run_context import RunContext
from local_azure.faults import Fault
from local_azure.world import ContainerGroup
from reconciler import run
from reconciler.process import run_worker
from reconciler.report import ReconcileFailedError

NAME = f"web.{FORWARD}"
REPETITIONS = 4


def ptr(address: str) -> str:
    return f"PTR {'.'.join(reversed(address.split('.')))}.in-addr.arpa"


@pytest.fixture
def moved(near: Spoke) -> str:
    """Give the new address of rg-one/web, which its records do not know yet; workers are processes from now on."""
    near.fleet.create("rg-one", "web", near.vnet)
    near.reconcile("rg-one", "web")
    address = near.fleet.restart("rg-one", "web")
    near.sink.events.clear()
    near.worker = run_worker
    return address


@pytest.mark.parametrize(
    ("fault", "where", "times", "cause"),
    [
        (Fault("throttle", retry_after=0), {"method": "PUT", "type": "A"}, REPETITIONS, "throttled"),
        (Fault("error", 503, retry_after=0), {"method": "DELETE"}, REPETITIONS, "unavailable"),
        (Fault("error", 500, retry_after=0), {"method": "GET", "type": "PTR"}, REPETITIONS, "unavailable"),
        (Fault("error", 409), {"method": "PUT", "type": "PTR"}, 1, "conflict"),
        (Fault("error", 403), {"method": "PUT", "type": "A"}, 1, "forbidden"),
        (Fault("lost_response"), {"method": "PUT", "type": "PTR"}, 1, None),
        (Fault("lost_response"), {"method": "PUT", "type": "A"}, 1, None),
        (Fault("reset"), {"method": "DELETE"}, 1, None),
        (Fault("slow", delay_seconds=0.2), {"method": "PUT"}, 2, None),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else None,
)
def test_a_fault_in_the_process_ends_as_it_does_in_this_one(
    near: Spoke, moved: str, *, fault: Fault, where: dict[str, str], times: int, cause: str | None
) -> None:
    near.fault(fault, where={**where, "zone": "*"}, times=times)
    delivered = near.deliver(near.event(near.fleet.id("rg-one", "web"), "Action"))
    assert [event.values.get("ErrorCode") for event in delivered.events] == ([cause] if cause else []) + [None]
    assert [event.values["ArmCalls"] for event in delivered.events] == [len(made) for made in delivered.requests]
    assert near.fleet.records() == {f"A {NAME}": (moved,), ptr(moved): (NAME,)}


def test_an_azure_that_does_not_answer_is_given_up_before_the_deadline(near: Spoke, moved: str) -> None:
    near.fault(Fault("timeout"), where={"method": "PUT"})
    delivered, raw = Delivered(), near.event(near.fleet.id("rg-one", "web"), "Action")
    assert not near.attempt(raw, delivered, reconcile_deadline_seconds=2.0)
    (event,) = delivered.events
    # The worker's own, earlier end: it tells what it could not do, instead of being killed.
    assert event.values["ErrorCode"] in {"unavailable", "deadline_exceeded"}
    assert event.values["Details"]["exit_code"] == 75
    near.clear_faults()
    assert near.attempt(raw, delivered)
    assert near.fleet.records() == {f"A {NAME}": (moved,), ptr(moved): (NAME,)}


def at_once(spoke: Spoke, raws: list[dict[str, object]]) -> list[Event | ReconcileFailedError]:
    """Deliver events at the same time, each in an invocation of its own; gives how each ended."""
    ended: list[Event | ReconcileFailedError] = []
    gate = threading.Barrier(len(raws))

    def invoke(raw: dict[str, object], context: RunContext) -> None:
        gate.wait()
        try:
            ended.append(run.reconcile(raw, context, spoke.worker))
        except ReconcileFailedError as failure:
            ended.append(failure)

    threads = [threading.Thread(target=invoke, args=(raw, spoke.context())) for raw in raws]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ended


@pytest.mark.parametrize(("how", "many"), [("process", 4), ("this process", 12)])
def test_many_workers_for_one_group_agree(near: Spoke, moved: str, how: str, many: int) -> None:
    near.worker = run_worker if how == "process" else in_process
    raw = near.event(near.fleet.id("rg-one", "web"), "Action")
    ended = at_once(near, [raw] * many)
    assert len(ended) == many
    near.deliver(raw)
    assert near.fleet.records() == {f"A {NAME}": (moved,), ptr(moved): (NAME,)}
    # Every write has its etag's permission, so each change was made once; whoever came second found nothing to do.
    outcomes = [event.type.value for event in near.sink.events]
    assert set(outcomes) <= {"reconcile_updated", "reconcile_no_op", "reconcile_failed"}
    lost = {str(event.values.get("ErrorCode")) for event in near.sink.events if event.type.value == "reconcile_failed"}
    assert lost <= {"precondition_lost"}


def swap(web: ContainerGroup, api: ContainerGroup, addresses: tuple[str, str]) -> None:
    web.ip, api.ip = addresses


@pytest.mark.parametrize("how", ["process", "this process"])
def test_groups_that_swap_addresses_end_with_each_its_own(near: Spoke, how: str) -> None:
    first = near.fleet.create("rg-one", "web", near.vnet)
    second = near.fleet.create("rg-one", "api", near.vnet)
    for name in ("web", "api"):
        near.reconcile("rg-one", name)
    groups = near.azure.world.groups
    web, api = (groups[str(near.fleet.id("rg-one", name)).lower()] for name in ("web", "api"))
    near.worker = run_worker if how == "process" else in_process
    for round_ in range(1 if how == "process" else 4):
        addresses = (second, first) if round_ % 2 == 0 else (first, second)
        near.azure.call(lambda pair=addresses: swap(web, api, pair))  # type: ignore[misc]  # bound early
        raws = [near.event(near.fleet.id("rg-one", name), "Action") for name in ("web", "api")]
        at_once(near, raws * 2)
        for raw in raws:
            near.deliver(raw)
        other = f"api.{FORWARD}"
        assert near.fleet.records() == {
            f"A {NAME}": (addresses[0],),
            f"A {other}": (addresses[1],),
            ptr(addresses[0]): (NAME,),
            ptr(addresses[1]): (other,),
        }


def test_workers_for_many_groups_do_not_get_in_each_others_way(near: Spoke) -> None:
    names = [f"web-{number}" for number in range(8)]
    addresses = {name: near.fleet.create("rg-one", name, near.vnet) for name in names}
    ended = at_once(near, [near.event(near.fleet.id("rg-one", name)) for name in names])
    assert [event.type.value for event in ended if isinstance(event, Event)] == ["reconcile_updated"] * len(names)
    expected = {f"A {name}.{FORWARD}": (address,) for name, address in addresses.items()}
    expected |= {ptr(address): (f"{name}.{FORWARD}",) for name, address in addresses.items()}
    assert near.fleet.records() == expected


STORM = (
    Fault("throttle", retry_after=0),
    Fault("error", 500),
    Fault("error", 409),
    Fault("error", 412),
    Fault("reset"),
    Fault("lost_response"),
)


@pytest.mark.parametrize("seed", range(3))
def test_many_groups_in_a_storm_of_faults_all_end_right(near: Spoke, impatient: Callable[[], None], seed: int) -> None:
    """A third of all calls fail in some way; each event is delivered until it is done."""
    impatient()
    near.fleet.put_record(FORWARD, "A", "printer", "10.0.0.200")
    foreign = near.record_sets()
    names = [f"web-{number}" for number in range(5)]
    for name in names:
        near.fleet.create("rg-one", name, near.vnet)
    storm(near, names, "Write", seed)
    addresses = {name: near.fleet.restart("rg-one", name) for name in names[1:]}
    near.fleet.delete("rg-one", names[0])
    storm(near, names, "Action", seed)
    expected = {f"A {name}.{FORWARD}": (address,) for name, address in addresses.items()}
    expected |= {ptr(address): (f"{name}.{FORWARD}",) for name, address in addresses.items()}
    assert near.fleet.records() == {**expected, f"A printer.{FORWARD}": ("10.0.0.200",)}
    assert {key: found for key, found in near.record_sets().items() if key in foreign} == foreign


def storm(spoke: Spoke, names: list[str], kind: str, seed: int) -> None:
    """Deliver an event of each group, all at once, again and again until every one has succeeded."""
    for fault in random.Random(seed).sample(STORM, len(STORM)):  # noqa: S311 - a seed, not a secret
        spoke.fault(fault, probability=0.06)
    raws = [spoke.event(spoke.fleet.id("rg-one", name), kind) for name in names]
    done: set[str] = set()
    for _ in range(40):
        waiting = [raw for raw in raws if raw["id"] not in done]
        if not waiting:
            break
        ended = at_once(spoke, waiting)
        done |= {str(event.values["SourceEventId"]) for event in ended if isinstance(event, Event)}
    spoke.clear_faults()
    assert len(done) == len(names)
