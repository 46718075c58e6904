"""The two services besides Azure Resource Manager: without a token nothing is done, without telemetry everything is."""

import functools
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from bench.spoke import FORWARD, Delivered, Spoke, in_process
from cloud.arm_pipeline import Patience
from cloud.credentials import managed_identity
from cloud.logs_ingestion import LogsIngestion
from cloud.sink import LOGGER_NAME, LogsSink
from core.events import FALLBACK_MARKER
from core.settings import LogsSettings
from local_azure.faults import Fault
from local_azure.server import LocalAzure
from reconciler import run
from reconciler.report import ReconcileFailedError

EVENTS = {"create": "Write", "change": "Action", "delete": "Delete"}
scenarios = pytest.mark.parametrize("scenario", EVENTS)


def act(spoke: Spoke, scenario: str) -> dict[str, object]:
    """Do what the scenario says to rg-one/web; gives the event of it."""
    spoke.fleet.create("rg-one", "web", spoke.vnet)
    if scenario != "create":
        spoke.reconcile("rg-one", "web")
    if scenario == "change":
        spoke.fleet.restart("rg-one", "web")
    if scenario == "delete":
        spoke.fleet.delete("rg-one", "web")
    return spoke.event(spoke.fleet.id("rg-one", "web"), EVENTS[scenario])


def is_right(spoke: Spoke, scenario: str) -> bool:
    if scenario == "delete":
        return not spoke.fleet.records()
    address = spoke.fleet.address("rg-one", "web")
    reverse = ".".join(reversed(address.split(".")))
    name = f"web.{FORWARD}"
    return spoke.fleet.records() == {f"A {name}": (address,), f"PTR {reverse}.in-addr.arpa": (name,)}


@pytest.fixture
def identity(near: Spoke, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Give `identity()`: from now on the token comes from the local Azure's identity endpoint, cached by nobody."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", near.azure.identity_endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", near.azure.identity_header)

    def switch() -> None:
        near.reopen()
        near.credential = managed_identity(None)

    return switch


@scenarios
@pytest.mark.parametrize(
    "fault", [Fault("error", 500), Fault("error", 503), Fault("reset")], ids=["500", "503", "reset"]
)
def test_without_a_token_the_attempt_fails_and_redelivery_makes_dns_right(
    near: Spoke, identity: Callable[[], None], monkeypatch: pytest.MonkeyPatch, *, scenario: str, fault: Fault
) -> None:
    raw = act(near, scenario)
    before = near.record_sets()
    identity()
    near.fault(fault, "token.GET")
    delivered = Delivered()
    with monkeypatch.context() as patch:
        patch.setattr("time.sleep", lambda _: None)  # azure-identity's own retries take five seconds
        assert not near.attempt(raw, delivered)
    (event,) = delivered.events
    assert (event.type.value, event.values["ErrorCode"]) == ("reconcile_failed", "unavailable")
    assert event.values["ErrorMessage"].startswith("token for Azure Resource Manager: ")
    assert (delivered.requests, near.record_sets()) == ([[]], before)
    near.clear_faults()
    identity()  # MSAL answers an error from its memory for a minute; Event Grid delivers again after that, too
    assert near.attempt(raw, delivered)
    assert is_right(near, scenario)


@pytest.fixture(scope="module")
def with_logs() -> Iterator[LocalAzure]:
    """Give a local Azure with log ingestion."""
    with LocalAzure.start(parts=("local_azure.logs",), seed=7, provisioning_seconds=0.0) as running:
        yield running


@pytest.fixture
def logged(with_logs: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Spoke, LogsSink]]:
    """Give a spoke whose events are uploaded, by a client that does not wait long, and their sink."""
    monkeypatch.setattr("cloud.logs_ingestion.Patience", functools.partial(Patience, first_wait_seconds=0.001))
    monkeypatch.setenv("IDENTITY_ENDPOINT", with_logs.identity_endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", with_logs.identity_header)
    spoke = Spoke.lay_out(with_logs)
    spoke.worker = in_process
    settings = LogsSettings(with_logs.ingestion, with_logs.world.settings.dcr_immutable_id)
    sink = LogsSink(LogsIngestion(managed_identity(None), settings, ca_bundle=str(with_logs.ca)))
    yield spoke, sink
    spoke.close()


INGESTION_FAULTS = {
    "403": Fault("error", 403),
    "413": Fault("error", 413),
    "429": Fault("throttle", retry_after=0),
    "outage (503)": Fault("error", 503, retry_after=0),
    "outage (reset)": Fault("reset"),
}


@scenarios
@pytest.mark.parametrize("fault", INGESTION_FAULTS)
def test_an_event_that_is_not_taken_is_a_log_line_and_dns_is_right(
    logged: tuple[Spoke, LogsSink], caplog: pytest.LogCaptureFixture, scenario: str, fault: str
) -> None:
    spoke, sink = logged
    raw = act(spoke, scenario)
    spoke.fault(INGESTION_FAULTS[fault], "ingestion")
    caplog.set_level(logging.INFO, LOGGER_NAME)
    event = run.reconcile(raw, replace(spoke.context(), sink=sink), in_process)
    assert is_right(spoke, scenario)
    lines = [record.getMessage() for record in caplog.records if record.name == LOGGER_NAME]
    assert [json.loads(line.removeprefix(FALLBACK_MARKER)) for line in lines] == [event.to_row()]
    assert (sink.uploaded, sink.fell_back) == (0, 1)


def test_a_throttled_upload_is_repeated_and_leaves_no_line(
    logged: tuple[Spoke, LogsSink], caplog: pytest.LogCaptureFixture
) -> None:
    spoke, sink = logged
    raw = act(spoke, "create")
    spoke.fault(Fault("throttle", retry_after=0), "ingestion", times=2)
    event = run.reconcile(raw, replace(spoke.context(), sink=sink), in_process)
    assert (sink.uploaded, sink.fell_back) == (1, 0)
    rows = spoke.azure.call(lambda: list(spoke.azure.world.logs.engine.query("AciDnsEvents_CL")))
    assert [row["EventId"] for row in rows] == [event.to_row()["EventId"]]
    assert not [record for record in caplog.records if record.name == LOGGER_NAME]


def test_a_failed_attempt_that_cannot_be_uploaded_is_a_log_line_too(
    logged: tuple[Spoke, LogsSink], caplog: pytest.LogCaptureFixture
) -> None:
    spoke, sink = logged
    raw = act(spoke, "create")
    spoke.fault(Fault("reset"), "ingestion")
    spoke.fault(Fault("error", 403), "privateDns.recordSet.PUT")
    with pytest.raises(ReconcileFailedError):
        run.reconcile(raw, replace(spoke.context(), sink=sink), in_process)
    (line,) = [record for record in caplog.records if record.name == LOGGER_NAME]
    row = json.loads(line.getMessage().removeprefix(FALLBACK_MARKER))
    assert (row["EventType"], row["ErrorCode"], line.levelname) == ("reconcile_failed", "forbidden", "ERROR")
