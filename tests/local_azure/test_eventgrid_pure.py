"""Event Grid's decisions: filters, schedule, envelopes, definitions. No loop, no sockets."""

import json
import random
from datetime import UTC, datetime

import pytest

from local_azure.eventgrid.deadletter import DeadLetter
from local_azure.eventgrid.envelope import (
    RESOURCE_EVENT_TYPES,
    Particulars,
    resource_event,
    timestamp,
    to_cloud_event,
    with_topic,
)
from local_azure.eventgrid.faults import DeliveryFaultError, parse_faults
from local_azure.eventgrid.filter import FilterError, parse_filter
from local_azure.eventgrid.model import InvalidSubscriptionError, define
from local_azure.eventgrid.schedule import (
    LAST_WAIT,
    Attempt,
    Delivered,
    GiveUp,
    Reaction,
    Retry,
    RetryPolicy,
    decide,
    wait_after,
)
from local_azure.world import ArmEvent


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - the same draws each time, no secret


GROUP = "/subscriptions/s/resourceGroups/rg-app/providers/Microsoft.ContainerInstance/containerGroups/web"
EVENT = {
    "id": "1",
    "topic": "/subscriptions/s",
    "subject": GROUP,
    "eventType": "Microsoft.Resources.ResourceWriteSuccess",
    "data": {
        "operationName": "Microsoft.ContainerInstance/containerGroups/write",
        "count": 5,
        "flag": True,
        "nothing": None,
        "nested": {"name": "Deep"},
        "tags": ["alpha", "beta"],
    },
}


def advanced(operator: str, key: str = "data.operationName", **values: object) -> dict[str, object]:
    return {"advancedFilters": [{"operatorType": operator, "key": key, **values}]}


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        ({}, True),
        ({"includedEventTypes": ["microsoft.resources.resourcewritesuccess"]}, True),
        ({"includedEventTypes": ["Microsoft.Resources.ResourceDeleteSuccess"]}, False),
        ({"includedEventTypes": ["All"]}, True),
        ({"subjectBeginsWith": "/SUBSCRIPTIONS/s/resourcegroups/RG-APP"}, True),
        ({"subjectBeginsWith": "/SUBSCRIPTIONS/s", "isSubjectCaseSensitive": True}, False),
        ({"subjectBeginsWith": "/subscriptions/s", "isSubjectCaseSensitive": True}, True),
        ({"subjectEndsWith": "/WEB"}, True),
        ({"subjectEndsWith": "/other"}, False),
        (advanced("StringIn", values=["x", "microsoft.containerinstance/containergroups/WRITE"]), True),
        (advanced("StringIn", values=["microsoft.containerinstance/containergroups"]), False),
        (advanced("StringNotIn", values=["x"]), True),
        (advanced("StringNotIn", values=["Microsoft.ContainerInstance/containerGroups/write"]), False),
        (advanced("StringContains", values=["CONTAINERGROUPS"]), True),
        (advanced("StringNotContains", values=["containergroups", "x"]), False),
        (advanced("StringNotContains", values=["x"]), True),
        (advanced("StringBeginsWith", values=["microsoft.containerinstance"]), True),
        (advanced("StringNotBeginsWith", values=["microsoft.network"]), True),
        (advanced("StringNotBeginsWith", values=["microsoft.containerinstance"]), False),
        (advanced("StringEndsWith", values=["/write", "/delete"]), True),
        (advanced("StringNotEndsWith", values=["/write"]), False),
        (advanced("StringIn", key="DATA.operationName", values=["x"]), False),
        (advanced("StringContains", key="Subject", values=["rg-app"]), True),
        (advanced("StringIn", key="data.nested.name", values=["deep"]), True),
        (advanced("NumberIn", key="data.count", values=[4, 5]), True),
        (advanced("NumberNotIn", key="data.count", values=[4, 5]), False),
        (advanced("NumberNotIn", key="data.missing", values=[4]), True),
        (advanced("NumberLessThan", key="data.count", value=5), False),
        (advanced("NumberLessThanOrEquals", key="data.count", value=5), True),
        (advanced("NumberGreaterThan", key="data.count", value=4.5), True),
        (advanced("NumberGreaterThanOrEquals", key="data.count", value=6), False),
        (advanced("NumberInRange", key="data.count", values=[[0, 1], [5, 9]]), True),
        (advanced("NumberNotInRange", key="data.count", values=[[5, 9]]), False),
        (advanced("NumberIn", key="data.flag", values=[1]), False),
        (advanced("BoolEquals", key="data.flag", value=True), True),
        (advanced("BoolEquals", key="data.flag", value=False), False),
        (advanced("BoolEquals", key="data.count", value=True), False),
        (advanced("IsNullOrUndefined", key="data.nothing"), True),
        (advanced("IsNullOrUndefined", key="data.missing"), True),
        (advanced("IsNullOrUndefined", key="data.count"), False),
        (advanced("IsNotNull", key="data.count"), True),
        (advanced("IsNotNull", key="data.nothing"), False),
        (advanced("StringIn", key="data.missing", values=["x"]), False),
        (advanced("StringNotIn", key="data.missing", values=["x"]), True),
        (advanced("StringIn", key="data.tags", values=["alpha"]), False),
        ({**advanced("StringIn", key="data.tags", values=["ALPHA"]), "enableAdvancedFilteringOnArrays": True}, True),
        ({**advanced("StringNotIn", key="data.tags", values=["beta"]), "enableAdvancedFilteringOnArrays": True}, False),
    ],
    ids=json.dumps,
)
def test_a_filter_lets_pass_what_it_should(wanted: dict[str, object], matches: bool) -> None:
    assert parse_filter(wanted, RESOURCE_EVENT_TYPES).matches(EVENT) is matches


def test_every_condition_must_hold() -> None:
    wanted = {
        "advancedFilters": [
            advanced("IsNotNull")["advancedFilters"][0],
            advanced("StringIn", values=["x"])["advancedFilters"][0],
        ]
    }  # type: ignore[index]
    assert not parse_filter(wanted, RESOURCE_EVENT_TYPES).matches(EVENT)


def test_without_types_the_topics_own_ones_pass() -> None:
    chosen = parse_filter({}, RESOURCE_EVENT_TYPES)
    assert not chosen.matches({**EVENT, "eventType": "Contoso.Something"})


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (advanced("StringLike", values=["x"]), "filter.advancedFilters[0].operatorType: 'StringLike' is not one of"),
        (advanced("StringIn", key="", values=["x"]), "filter.advancedFilters[0].key: the name of a field"),
        (advanced("StringIn", values=[]), "filter.advancedFilters[0].values: a list with at least one text"),
        (advanced("StringIn", values=[1]), "filter.advancedFilters[0].values[0]: a text"),
        (advanced("StringIn", values=["x" * 513]), "at most 512 characters"),
        (advanced("StringIn", values=["x"] * 26), "26 values, at most 25"),
        (advanced("NumberIn", values=["5"]), "filter.advancedFilters[0].values[0]: a number"),
        (advanced("NumberLessThan", value=True), "filter.advancedFilters[0].value: a number"),
        (advanced("NumberInRange", values=[5]), "a range [from, to]"),
        (advanced("BoolEquals", value="true"), "true or false"),
        ({"advancedFilters": [1]}, "filter.advancedFilters[0]: an object"),
        ({"advancedFilters": {}, "subjectBeginsWith": 1}, "filter.subjectBeginsWith: a text"),
        ({"advancedFilters": [advanced("IsNotNull")["advancedFilters"]] * 26}, "at most 25 is needed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_filter_says_where_and_what(wanted: dict[str, object], message: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(wanted, RESOURCE_EVENT_TYPES)
    assert message in str(caught.value)


POLICY = RetryPolicy()


@pytest.mark.parametrize("status", [200, 201, 202, 203, 204])
def test_200_to_204_is_delivered(status: int) -> None:
    assert decide("WebHook", POLICY, Attempt(1, 0, Reaction(status)), seeded(0)) == Delivered()


@pytest.mark.parametrize("status", [205, 206, 301, 302, 404, 408, 409, 429, 500, 503])
def test_anything_else_is_tried_again(status: int) -> None:
    assert isinstance(decide("WebHook", POLICY, Attempt(1, 0, Reaction(status)), seeded(0)), Retry)


@pytest.mark.parametrize(
    ("kind", "status", "again"),
    [
        ("WebHook", 400, False),
        ("WebHook", 401, False),
        ("WebHook", 403, False),
        ("WebHook", 413, False),
        ("AzureFunction", 400, False),
        ("AzureFunction", 401, True),
        ("AzureFunction", 403, False),
        ("AzureFunction", 404, True),
        ("AzureFunction", 413, False),
    ],
)
def test_some_codes_are_final_and_which_depends_on_the_endpoint(kind: str, status: int, again: bool) -> None:
    decision = decide(kind, POLICY, Attempt(1, 0, Reaction(status)), seeded(0))  # type: ignore[arg-type]
    assert isinstance(decision, Retry) is again
    if not again:
        assert isinstance(decision, GiveUp)
        assert decision.reason.startswith("UndeliverableDueToHttp")


@pytest.mark.parametrize(
    ("attempts", "wait"),
    [
        (1, 10),
        (2, 30),
        (3, 60),
        (4, 300),
        (5, 600),
        (6, 1800),
        (7, 3600),
        (8, 10800),
        (9, 21600),
        (10, LAST_WAIT),
        (25, LAST_WAIT),
    ],
)
def test_waits_follow_the_schedule_with_a_little_jitter(attempts: int, wait: float) -> None:
    waits = {wait_after(attempts, Reaction(500), seeded(seed)) for seed in range(20)}
    assert all(wait <= found <= wait * 1.1 for found in waits)
    assert len(waits) > 1


@pytest.mark.parametrize(
    ("reaction", "least"), [(Reaction(408), 120), (Reaction(503), 30), (Reaction(error="TimedOut"), 10)]
)
def test_some_reactions_have_a_minimum_wait(reaction: Reaction, least: float) -> None:
    assert least <= wait_after(1, reaction, seeded(0)) <= least * 1.1


@pytest.mark.parametrize(
    ("policy", "attempt", "reason"),
    [
        (RetryPolicy(max_delivery_attempts=3), Attempt(3, 0, Reaction(500)), "MaxDeliveryAttemptsExceeded"),
        (RetryPolicy(time_to_live_minutes=1), Attempt(2, 45, Reaction(500)), "TimeToLiveExceeded"),
        (RetryPolicy(), Attempt(11, 23 * 3600, Reaction(error="SocketError")), "TimeToLiveExceeded"),
    ],
)
def test_attempts_and_age_have_an_end(policy: RetryPolicy, attempt: Attempt, reason: str) -> None:
    assert decide("AzureFunction", policy, attempt, seeded(0)) == GiveUp(reason)


ENDED = ArmEvent(
    GROUP,
    "Microsoft.ContainerInstance/containerGroups/write",
    "Write",
    "Success",
    "PUT",
    f"https://localhost{GROUP}?api-version=2023-05-01",
    "correlation",
    "client",
    datetime(2026, 4, 1, 12, 0, 1, 123456, UTC),
    "s",
    {"oid": "0000-1111", "exp": 5},
)


def test_an_event_in_event_grid_schema_has_what_the_documentation_shows() -> None:
    event = with_topic(resource_event(ENDED, Particulars("id-1", "tenant", existed=False)), "/subscriptions/s")
    data = event.pop("data")
    assert event == {
        "topic": "/subscriptions/s",
        "subject": GROUP,
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "id": "id-1",
        "eventTime": "2026-04-01T12:00:01.1234560Z",
        "dataVersion": "2",
        "metadataVersion": "1",
    }
    assert set(data) == {
        *("authorization", "claims", "correlationId", "resourceProvider", "resourceUri", "operationName"),
        *("status", "subscriptionId", "tenantId"),
    }
    assert data["claims"] == {"oid": "0000-1111", "exp": "5"}
    assert (data["status"], data["resourceProvider"]) == ("Succeeded", "Microsoft.ContainerInstance")
    assert data["authorization"]["action"] == ENDED.operation_name


def test_an_existing_resource_brings_the_request_and_no_event_brings_an_address() -> None:
    event = resource_event(ENDED, Particulars("id-1", "tenant", existed=True))
    assert event["data"]["httpRequest"] == {
        "clientRequestId": "client",
        "clientIpAddress": "127.0.0.1",
        "method": "PUT",
        "url": ENDED.url,
    }


def test_resource_groups_may_be_spelled_in_lower_case() -> None:
    event = resource_event(ENDED, Particulars("id-1", "tenant", lowercase_resource_groups=True))
    assert event["subject"] == event["data"]["resourceUri"] == GROUP.replace("resourceGroups", "resourcegroups")


def test_a_cloud_event_renames_four_properties_and_keeps_the_data() -> None:
    event = with_topic(resource_event(ENDED, Particulars("id-1", "tenant")), "/subscriptions/s")
    cloud = to_cloud_event(event)
    assert set(cloud) == {"id", "source", "subject", "type", "time", "data", "specversion"}
    assert (cloud["source"], cloud["type"], cloud["specversion"]) == ("/subscriptions/s", event["eventType"], "1.0")
    assert cloud["data"] == event["data"]


def test_a_dead_letter_carries_why_and_when_in_the_spelling_of_its_schema() -> None:
    letter = DeadLetter("MaxDeliveryAttemptsExceeded", 3, "GenericError", ENDED.time, ENDED.time)
    expected = {
        "deadLetterReason": "MaxDeliveryAttemptsExceeded",
        "deliveryAttempts": 3,
        "lastDeliveryOutcome": "GenericError",
        "publishTime": timestamp(ENDED.time),
        "lastDeliveryAttemptTime": timestamp(ENDED.time),
    }
    assert letter.laid_on({"id": "1"}) == {"id": "1", **expected}
    assert letter.laid_on({"specversion": "1.0"}) == {
        "specversion": "1.0",
        **{k.lower(): v for k, v in expected.items()},
    }


HOOK = {"endpointType": "WebHook", "properties": {"endpointUrl": "http://127.0.0.1/x?code=k"}}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({}, "destination.endpointType: None is not WebHook or AzureFunction"),
        ({"destination": {"endpointType": "EventHub"}}, "destination.endpointType: 'EventHub'"),
        (
            {"destination": {"endpointType": "WebHook", "properties": {"endpointUrl": "ftp://x"}}},
            "an absolute http(s) URL",
        ),
        (
            {"destination": {"endpointType": "AzureFunction", "properties": {"resourceId": "/x"}}},
            "/sites/APP/functions/FUNCTION",
        ),
        ({"destination": HOOK, "retryPolicy": {"maxDeliveryAttempts": 31}}, "from 1 to 30"),
        ({"destination": HOOK, "retryPolicy": {"eventTimeToLiveInMinutes": 0}}, "from 1 to 1440"),
        ({"destination": HOOK, "eventDeliverySchema": "Custom"}, "eventDeliverySchema: 'Custom'"),
        ({"destination": HOOK, "filter": advanced("Nope")}, "operatorType: 'Nope'"),
        ({"destination": HOOK, "deadLetterDestination": {"endpointType": "StorageBlob"}}, "blobContainerName"),
        (
            {
                "destination": HOOK,
                "deadLetterDestination": {"endpointType": "StorageBlob", "properties": {"blobContainerName": "../up"}},
            },
            "no valid container name",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_definition_says_where_and_what(wanted: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidSubscriptionError) as caught:
        define(wanted, "Microsoft.Resources.ResourceGroups")
    assert message in str(caught.value)


def test_bad_fault_rules_are_reported_all_at_once() -> None:
    with pytest.raises(DeliveryFaultError) as caught:
        parse_faults([{"kind": "melt", "probability": 2, "times": -1}, {"kind": "drop", "colour": "red"}, 5])
    for place in ("faults[0].kind", "faults[0].probability", "faults[0].times", "faults[1].colour", "faults[2]"):
        assert place in str(caught.value)


def test_a_fault_strikes_after_so_many_and_so_often() -> None:
    rule = parse_faults([{"kind": "drop", "skip": 1, "times": 2, "subject": "*/CONTAINERGROUPS/*"}])[0]
    draws = [rule.draws("sub", EVENT, seeded(0)) for _ in range(5)]
    assert draws == [False, True, True, False, False]
    assert not rule.draws("sub", {"subject": "/else"}, seeded(0))


def test_a_probable_fault_is_the_same_for_the_same_seed() -> None:
    def draws() -> list[bool]:
        rule, rng = parse_faults([{"kind": "duplicate", "probability": 0.5}])[0], seeded(7)
        return [rule.draws("sub", EVENT, rng) for _ in range(50)]

    assert draws() == draws()
    assert 10 < sum(draws()) < 40
