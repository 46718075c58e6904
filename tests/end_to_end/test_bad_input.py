"""Malformed and foreign events: a clear outcome, and no call, no process, no change.

Whatever the event is, the function is handed it; so each is given to reconciler and tracker, in both schemas.
"""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import pytest

from bench.spoke import Spoke
from core.events import Event
from reconciler import run
from tracker.run import track

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
BASE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-one/providers"
GROUPS = f"{BASE}/Microsoft.ContainerInstance/containerGroups"
WRITE = "Microsoft.Resources.ResourceWriteSuccess"
FOREIGN, BAD = "foreign_event", "bad_input"

SUBJECTS: Mapping[str, tuple[object, str]] = {
    "no subject": ("", BAD),
    "null": (None, BAD),
    "a number": (42, BAD),
    "a list": ([f"{GROUPS}/web"], BAD),
    "an object": ({"id": f"{GROUPS}/web"}, BAD),
    "true": (True, BAD),
    "a virtual machine": (f"{BASE}/Microsoft.Compute/virtualMachines/web", FOREIGN),
    "a record set": (f"{BASE}/Microsoft.Network/networkInterfaces/web", FOREIGN),
    "a child resource": (f"{GROUPS}/web/containers/app", FOREIGN),
    "a deployment": (f"{BASE}/Microsoft.Resources/deployments/web", FOREIGN),
    "a resource group": (f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-one", BAD),
    "a subscription": (f"/subscriptions/{SUBSCRIPTION}", BAD),
    "words": ("web", BAD),
    "dots": (f"{GROUPS}/../../Microsoft.Compute/virtualMachines/x", BAD),
    "two dots as the name": (f"{GROUPS}/..", BAD),
    "two dots as the resource group": (f"{GROUPS}/web".replace("rg-one", ".."), BAD),
    "a single quote": (f"{GROUPS}/web'", BAD),
    "a double quote": (f'{GROUPS}/we"b', BAD),
    "a command": (f"{GROUPS}/$(touch /tmp/x)", BAD),
    "a command without spaces": (f"{GROUPS}/$(id)", BAD),
    "backticks": (f"{GROUPS}/`id`", BAD),
    "a semicolon": (f"{GROUPS}/web;id", BAD),
    "a newline": (f"{GROUPS}/web\n", BAD),
    "a newline within": (f"{GROUPS}/we\nb", BAD),
    "a carriage return": (f"{GROUPS}/web\r", BAD),
    "NUL": (f"{GROUPS}/web\x00", BAD),
    "an umlaut": (f"{GROUPS}/wäb", BAD),
    "a full-width letter": (f"{GROUPS}/\uff57eb", BAD),
    "an Arabic digit": (f"{GROUPS}/web\u0661", BAD),
    "right-to-left": (f"{GROUPS}/\u202ebew", BAD),
    "a lone surrogate": (f"{GROUPS}/web\ud800", BAD),
    "percent encoding": (f"{GROUPS}/web%2e%2e", BAD),
    "a query": (f"{GROUPS}/web?api-version=1", BAD),
    "an empty name": (f"{GROUPS}/", BAD),
    "two slashes": (f"{GROUPS}//web", BAD),
    "a trailing hyphen": (f"{GROUPS}/web-", BAD),
    "an underscore": (f"{GROUPS}/we_b", BAD),
    "a dot in the name": (f"{GROUPS}/web.evil", BAD),
    "64 characters": (f"{GROUPS}/{'w' * 64}", BAD),
    "2,000 characters": (f"{GROUPS}/{'w' * 2000}", BAD),
    "a long resource group": (f"{GROUPS}/web".replace("rg-one", "r" * 91), BAD),
    "a megabyte": (f"{GROUPS}/{'w' * 1_000_000}", BAD),
}

BODIES: Mapping[str, tuple[object, str]] = {
    "null": (None, BAD),
    "a list": ([{"subject": f"{GROUPS}/web"}], BAD),
    "a number": (7, BAD),
    "a text": ("event", BAD),
    "true": (True, BAD),
    "nothing in it": ({}, BAD),
    "no type": ({"id": "1", "subject": f"{GROUPS}/web"}, BAD),
    "a type that is a list": ({"eventType": [WRITE], "type": [WRITE], "subject": f"{GROUPS}/web"}, BAD),
    "deeply nested": ({"subject": f"{GROUPS}/w eb", "eventType": WRITE, "data": {"a": [{}] * 1000}}, BAD),
}

TYPES = (
    "Microsoft.Storage.BlobCreated",
    "Microsoft.EventGrid.SubscriptionValidationEvent",
    "Microsoft.Resources.ResourceWrite",
    f"{WRITE}\n",
    f"x{WRITE}",
    "$(id)",
    "w" * 3000,
)


def no_process(*_arguments: object) -> NoReturn:
    pytest.fail("a worker was started for an event that is none of ours")


def in_schema(schema: str, subject: object, kind: object = WRITE) -> dict[str, Any]:
    """Make an event of that subject, in the Event Grid schema or in CloudEvents 1.0."""
    common: dict[str, Any] = {"id": "e-1", "data": {"operationName": "x"}}
    if subject is not None:
        common["subject"] = subject
    if schema == "cloud":
        return {**common, "specversion": "1.0", "type": kind, "time": "2026-11-22T10:00:00Z", "source": "/x"}
    return {**common, "eventType": kind, "eventTime": "2026-11-22T10:00:00Z", "topic": "/x"}


Refused = Callable[[object], Event]


@pytest.fixture
def refused(near: Spoke, caplog: pytest.LogCaptureFixture) -> Refused:
    """Give `refused(raw)`: the reconciler's row for it, all else being checked."""
    near.fleet.create("rg-one", "web", near.vnet)
    near.reconcile("rg-one", "web")
    before, total, rows = near.record_sets(), near.requests_total(), len(near.sink.events)
    caplog.set_level(logging.INFO)
    caplog.clear()

    def check(raw: object) -> Event:
        assert track(raw, near.context()) == []
        event = run.reconcile(raw, near.context(), no_process)
        assert near.sink.events[rows:] == [event]
        assert near.requests_total() == total
        assert near.record_sets() == before
        assert event.type.value == "reconcile_skipped"
        assert event.values["ErrorMessage"]
        row = event.to_row()
        assert len(str(row)) < 10_000
        for text in (str(row), *(record.getMessage() for record in caplog.records)):
            assert text.isprintable()
            assert text.isascii()
        return event

    return check


@pytest.mark.parametrize("schema", ["grid", "cloud"])
@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_bad_subject_is_skipped_and_has_no_effect(refused: Refused, subject: str, schema: str) -> None:
    text, code = SUBJECTS[subject]
    assert refused(in_schema(schema, text)).values["ErrorCode"] == code


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_is_no_event_is_skipped_and_has_no_effect(refused: Refused, body: str) -> None:
    raw, code = BODIES[body]
    assert refused(raw).values["ErrorCode"] == code


@pytest.mark.parametrize("schema", ["grid", "cloud"])
@pytest.mark.parametrize("kind", TYPES)
def test_an_event_of_another_type_is_skipped_and_has_no_effect(refused: Refused, kind: str, schema: str) -> None:
    assert refused(in_schema(schema, f"{GROUPS}/web", kind)).values["ErrorCode"] == FOREIGN


@pytest.mark.parametrize("schema", ["grid", "cloud"])
def test_an_event_of_an_unconfigured_resource_group_is_skipped_and_no_failure(refused: Refused, schema: str) -> None:
    event = refused(in_schema(schema, f"{GROUPS}/web".replace("rg-one", "rg-three")))
    assert event.values["ErrorCode"] == "not_configured"
    assert "rg-three" in event.values["ErrorMessage"]
    assert event.values["ResourceGroup"] == "rg-three"


@pytest.mark.parametrize("size", [100_000, 5_000_000])
def test_a_huge_body_about_a_container_group_is_answered_from_its_subject_alone(near: Spoke, size: int) -> None:
    near.fleet.create("rg-one", "web", near.vnet)
    raw = {**near.event(near.fleet.id("rg-one", "web")), "data": {"claims": "x" * size}, "more": ["y" * size]}
    event = near.deliver(raw).events[0]
    assert event.type.value == "reconcile_updated"
    assert len(str(event.to_row())) < 10_000


@pytest.mark.parametrize("time", ["yesterday", "", None, 7, "2026-13-45T99:99:99Z", "9" * 5000])
def test_an_event_whose_time_cannot_be_read_is_answered_all_the_same(near: Spoke, time: object) -> None:
    near.fleet.create("rg-one", "web", near.vnet)
    raw = near.event(near.fleet.id("rg-one", "web"), eventTime=time)
    event = near.deliver(raw).events[0]
    assert (event.type.value, event.values.get("LagMs")) == ("reconcile_updated", None)


@pytest.mark.parametrize("text", ["\ud800", "a\nb", "\x00", "x" * 100_000, "`$(id)`", 7, None, ["a"]])
def test_an_event_whose_ids_are_odd_is_answered_all_the_same(near: Spoke, text: object) -> None:
    near.fleet.create("rg-one", "web", near.vnet)
    raw = near.event(near.fleet.id("rg-one", "web"), id=text, data={"correlationId": text, "operationName": text})
    event = near.deliver(raw).events[0]
    row = json.dumps(event.to_row(), ensure_ascii=False)
    assert event.type.value == "reconcile_updated"
    assert row.isprintable()
    assert len(row) < 10_000
    assert [found.type.value for found in track(raw, near.context())] == ["no_change"]
