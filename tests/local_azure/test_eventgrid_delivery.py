"""Deliveries to a real endpoint on loopback. One second of Azure is a tenth of a millisecond here."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local_azure import eventgrid
from local_azure.eventgrid.broker import EventGrid
from local_azure.eventgrid.faults import parse_faults
from local_azure.eventgrid.model import EventSubscription, define
from local_azure.world import ArmEvent, World, WorldSettings

SCOPE = "/subscriptions/s"
GROUP = f"{SCOPE}/resourceGroups/rg/providers/Microsoft.ContainerInstance/containerGroups/web"
SCALE = 0.0001


@dataclass
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Endpoint:
    """Answers each request with the next of `statuses`, the last one for ever; None never answers, 0 closes."""

    statuses: list[int | None] = field(default_factory=lambda: [200])
    answer: Callable[[Request], bytes] = lambda _request: b""
    requests: list[Request] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
        request = Request(method, target, headers, await reader.readexactly(int(headers["content-length"])))
        self.requests.append(request)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status is None:
            await reader.read()
        elif status:
            body = self.answer(request)
            writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()
        writer.close()

    @property
    def ids(self) -> list[str]:
        return [event["id"] for request in self.requests for event in request.json]


@asynccontextmanager
async def listening(endpoint: Endpoint) -> AsyncIterator[Endpoint]:
    server = await asyncio.start_server(endpoint.serve, "127.0.0.1", 0)
    endpoint.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield endpoint
    finally:
        server.close()
        await server.wait_closed()


def subscribe(grid: EventGrid, endpoint: Endpoint, name: str = "mysub", **wanted: Any) -> EventSubscription:
    batch = wanted.pop("batch", {})
    properties = {
        "destination": {
            "endpointType": "WebHook",
            "properties": {"endpointUrl": f"{endpoint.url}/hook?code=key", **batch},
        },
        **wanted,
    }
    made = EventSubscription(
        id=f"{SCOPE}/providers/Microsoft.EventGrid/eventSubscriptions/{name}",
        name=name,
        type="Microsoft.EventGrid/eventSubscriptions",
        topic=SCOPE,
        source=SCOPE,
        topic_type="Microsoft.Resources.Subscriptions",
        wanted=properties,
        definition=define(properties, "Microsoft.Resources.Subscriptions"),
        state="Succeeded",
    )
    grid.subscriptions[made.id.lower()] = made
    return made


def happen(world: World, subject: str = GROUP, operation: str = "write") -> None:
    name = f"Microsoft.ContainerInstance/containerGroups/{operation}"
    kind = {"write": "Write", "delete": "Delete"}.get(operation, "Action")
    world.events.emit(
        ArmEvent(subject, name, kind, "Success", "PUT", "https://localhost/x", "corr", "client", world.now(), "s", {})  # type: ignore[arg-type]
    )


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event to wait on
            await asyncio.sleep(0.001)


def run(endpoint: Endpoint, test: Callable[[World, EventGrid], Awaitable[None]], **settings: Any) -> None:
    async def main() -> None:
        world = World(WorldSettings(time_scale=SCALE, **settings), seed=1)
        grid = eventgrid.attach(world)
        await eventgrid.start(world)
        async with listening(endpoint):
            try:
                await test(world, grid)
            finally:
                await eventgrid.stop(world)

    asyncio.run(main())


def test_an_event_arrives_as_an_array_of_one_with_event_grids_headers() -> None:
    endpoint = Endpoint()

    async def test(world: World, grid: EventGrid) -> None:
        subscribe(grid, endpoint)
        happen(world)
        await eventgrid.wait_idle(world, 5)

    run(endpoint, test)
    request = endpoint.requests[0]
    assert (request.method, request.target) == ("POST", "/hook?code=key")
    assert {key: value for key, value in request.headers.items() if key.startswith("aeg-")} == {
        "aeg-event-type": "Notification",
        "aeg-subscription-name": "MYSUB",
        "aeg-delivery-count": "0",
        "aeg-data-version": "2",
        "aeg-metadata-version": "1",
    }
    [event] = request.json
    assert event["subject"].lower() == GROUP.lower()
    assert event["topic"] == SCOPE


def test_cloud_events_travel_as_an_object() -> None:
    endpoint = Endpoint()

    async def test(world: World, grid: EventGrid) -> None:
        subscribe(grid, endpoint, eventDeliverySchema="CloudEventSchemaV1_0")
        happen(world)
        await eventgrid.wait_idle(world, 5)

    run(endpoint, test)
    assert endpoint.requests[0].json["specversion"] == "1.0"
    assert endpoint.requests[0].headers["content-type"].startswith("application/cloudevents+json")


def test_who_filters_or_lies_elsewhere_hears_nothing() -> None:
    endpoint = Endpoint()

    async def test(world: World, grid: EventGrid) -> None:
        subscribe(grid, endpoint, filter={"includedEventTypes": ["Microsoft.Resources.ResourceDeleteSuccess"]})
        subscribe(grid, endpoint, "other").source = "/subscriptions/s/resourcegroups/r"
        happen(world)
        happen(world, operation="delete")
        await eventgrid.wait_idle(world, 5)

    run(endpoint, test)
    assert [request.json[0]["eventType"] for request in endpoint.requests] == [
        "Microsoft.Resources.ResourceDeleteSuccess"
    ]


def test_a_failure_is_tried_again_with_the_same_event_and_a_higher_count() -> None:
    endpoint = Endpoint([500, 0, 404, 202])

    async def test(world: World, grid: EventGrid) -> None:
        subscribe(grid, endpoint)
        happen(world)
        await eventgrid.wait_idle(world, 5)
        [delivery] = [item.shown() for item in grid.deliveries.log]
        assert delivery["state"] == "delivered"
        assert [attempt["outcome"] for attempt in delivery["attempts"]] == [
            *("GenericError", "SocketError", "NotFound", "Delivered"),
        ]
        assert grid.deliveries.log[0].age_seconds > 10 + 30 + 60

    run(endpoint, test)
    assert [request.headers["aeg-delivery-count"] for request in endpoint.requests] == ["0", "1", "2", "3"]
    assert len(set(endpoint.ids)) == 1


def test_no_answer_in_time_is_a_failure() -> None:
    endpoint = Endpoint([None, 200])

    async def test(world: World, grid: EventGrid) -> None:
        grid.options.response_timeout = 0.05
        subscribe(grid, endpoint)
        happen(world)
        await eventgrid.wait_idle(world, 5)
        assert [attempt.outcome for attempt in grid.deliveries.log[0].attempts] == ["TimedOut", "Delivered"]

    run(endpoint, test)


@pytest.mark.parametrize(
    ("status", "attempts", "reason"),
    [(400, 1, "UndeliverableDueToHttpBadRequest"), (500, 3, "MaxDeliveryAttemptsExceeded")],
)
def test_what_cannot_be_delivered_becomes_a_dead_letter_file(
    status: int, attempts: int, reason: str, tmp_path: Path
) -> None:
    endpoint = Endpoint([status])
    letters = {"endpointType": "StorageBlob", "properties": {"blobContainerName": "dead"}}

    async def test(world: World, grid: EventGrid) -> None:
        subscribe(grid, endpoint, retryPolicy={"maxDeliveryAttempts": 3}, deadLetterDestination=letters)
        happen(world)
        await eventgrid.wait_idle(world, 5)
        assert grid.deliveries.log[0].state == "dead_lettered"

    run(endpoint, test, data_dir=tmp_path)
    [path] = tmp_path.rglob("*.json")
    assert path.relative_to(tmp_path / "dead-letters").parts[:2] == ("dead", "MYSUB")
    [letter] = json.loads(path.read_text())
    assert (letter["deadLetterReason"], letter["deliveryAttempts"]) == (reason, attempts)
    assert letter["lastDeliveryOutcome"] == {400: "BadRequest", 500: "GenericError"}[status]
    assert letter["publishTime"] <= letter["lastDeliveryAttemptTime"]


def test_without_a_dead_letter_destination_it_is_dropped() -> None:
    endpoint = Endpoint([403])

    async def test(world: World, grid: EventGrid) -> None:
        subscribe(grid, endpoint)
        happen(world)
        await eventgrid.wait_idle(world, 5)
        assert (grid.deliveries.log[0].state, grid.deliveries.dead_letters) == ("dropped", [])

    run(endpoint, test)


@pytest.mark.parametrize(
    ("kind", "requests", "same_event"),
    [("duplicate", 2, True), ("lost_ack", 2, True), ("delay", 1, True), ("drop", 0, True)],
)
def test_a_fault_does_what_it_says(kind: str, requests: int, same_event: bool) -> None:
    endpoint = Endpoint()

    async def test(world: World, grid: EventGrid) -> None:
        subscribe(grid, endpoint)
        grid.options.faults = parse_faults([{"kind": kind, "times": 1}])
        happen(world)
        await eventgrid.wait_idle(world, 5)
        assert grid.options.faults[0].fired == 1

    run(endpoint, test)
    assert len(endpoint.requests) == requests
    assert len(set(endpoint.ids)) == min(requests, 1)


def test_a_reordered_event_arrives_after_the_one_that_came_later() -> None:
    endpoint = Endpoint()

    async def test(world: World, grid: EventGrid) -> None:
        subscribe(grid, endpoint)
        grid.options.faults = parse_faults([{"kind": "reorder", "times": 1, "seconds": 86400}])
        happen(world, operation="write")
        happen(world, operation="delete")
        await eventgrid.wait_idle(world, 5)

    run(endpoint, test)
    assert [request.json[0]["data"]["operationName"].rsplit("/", 1)[1] for request in endpoint.requests] == [
        "delete",
        "write",
    ]


def test_a_reordered_event_that_nothing_overtakes_arrives_all_the_same() -> None:
    endpoint = Endpoint()

    async def test(world: World, grid: EventGrid) -> None:
        subscribe(grid, endpoint)
        grid.options.faults = parse_faults([{"kind": "reorder"}])
        happen(world)
        await eventgrid.wait_idle(world, 5)

    run(endpoint, test)
    assert len(endpoint.requests) == 1


def test_a_batch_holds_what_is_ready_and_fails_as_a_whole() -> None:
    endpoint = Endpoint([500, 200])

    async def test(world: World, grid: EventGrid) -> None:
        subscribe(grid, endpoint, batch={"maxEventsPerBatch": 3})
        for _ in range(3):
            happen(world)
        await eventgrid.wait_idle(world, 5)

    run(endpoint, test)
    assert [len(request.json) for request in endpoint.requests] == [3, 3]


def test_batches_end_at_the_wanted_number_and_size() -> None:
    endpoint = Endpoint()

    async def test(world: World, grid: EventGrid) -> None:
        subscribe(grid, endpoint, batch={"maxEventsPerBatch": 10, "preferredBatchSizeInKilobytes": 2})
        for _ in range(5):
            happen(world, subject=GROUP + "x" * 400)
        await eventgrid.wait_idle(world, 5)

    run(endpoint, test)
    assert sum(len(request.json) for request in endpoint.requests) == 5
    assert len(endpoint.requests) > 2


def test_a_deleted_subscription_gets_no_further_attempts() -> None:
    endpoint = Endpoint([500])

    async def test(world: World, grid: EventGrid) -> None:
        subscription = subscribe(grid, endpoint)
        grid.options.time_scale = 0.01  # the second attempt is 0.1 s away
        happen(world)
        await until(lambda: bool(endpoint.requests))
        subscription.state = "Deleting"
        await eventgrid.wait_idle(world, 5)
        assert grid.deliveries.log[0].reason == "SubscriptionDeleted"

    run(endpoint, test)
    assert len(endpoint.requests) == 1


def test_nothing_is_sent_off_this_machine() -> None:
    endpoint = Endpoint()

    async def test(world: World, grid: EventGrid) -> None:
        endpoint.url = "https://hooks.example.org"
        subscribe(grid, endpoint)
        happen(world)
        await eventgrid.wait_idle(world, 5)
        assert (grid.deliveries.log[0].state, grid.deliveries.log[0].attempts) == ("undeliverable", [])

    run(endpoint, test)


@pytest.mark.parametrize(
    "event", [5, "text", [], {}, {"subject": None}, {"subject": "a\r\nx: y", "dataVersion": "a\r\nb: c"}, None]
)
def test_any_json_can_be_published_past_the_filters(event: Any) -> None:
    endpoint = Endpoint()

    async def test(world: World, grid: EventGrid) -> None:
        subscribe(grid, endpoint, filter={"subjectBeginsWith": "/never"})
        assert grid.publish_raw(event, "my*") == 1
        await eventgrid.wait_idle(world, 5)
        assert grid.deliveries.log[0].state == "delivered"

    run(endpoint, test)
    [sent] = endpoint.requests[0].json
    assert sent == ({**event, "topic": SCOPE} if isinstance(event, dict) else event)
    assert endpoint.requests[0].headers["aeg-data-version"] == ""


def test_text_that_is_no_json_is_sent_as_it_is() -> None:
    endpoint = Endpoint()

    async def test(world: World, grid: EventGrid) -> None:
        subscribe(grid, endpoint)
        grid.publish_raw(None, "*", b"{not json")
        await eventgrid.wait_idle(world, 5)

    run(endpoint, test)
    assert endpoint.requests[0].body == b"{not json"


def test_waiting_for_idle_names_what_is_pending() -> None:
    endpoint = Endpoint([500])

    async def test(world: World, grid: EventGrid) -> None:
        grid.options.time_scale = 1
        subscribe(grid, endpoint)
        happen(world)
        with pytest.raises(TimeoutError, match=r"1 deliveries are pending after 0.05 s: mysub: /subscriptions/s/"):
            await eventgrid.wait_idle(world, 0.05)

    run(endpoint, test)


def test_a_reset_forgets_everything() -> None:
    endpoint = Endpoint([500])

    async def test(world: World, grid: EventGrid) -> None:
        subscribe(grid, endpoint)
        happen(world)
        world.reset()
        await eventgrid.wait_idle(world, 1)
        assert (grid.subscriptions, list(grid.deliveries.log), list(grid.emitted)) == ({}, [], [])

    run(endpoint, test)


def test_the_same_seed_gives_the_same_ids_and_arms_etags_do_not_depend_on_them() -> None:
    def ids() -> tuple[list[str], str]:
        endpoint = Endpoint()
        etag: list[str] = []

        async def test(world: World, grid: EventGrid) -> None:
            subscribe(grid, endpoint)
            happen(world)
            etag.append(world.new_uuid())
            await eventgrid.wait_idle(world, 5)

        run(endpoint, test)
        return endpoint.ids, etag[0]

    first = ids()
    assert first == ids()
    assert first[1] == World(seed=1).new_uuid()


def test_a_function_is_reached_through_its_apps_host_and_one_without_a_host_is_tried_again() -> None:
    endpoint = Endpoint([202])
    resource = f"{SCOPE}/resourceGroups/rg/providers/Microsoft.Web/sites/Drift-App/functions/reconcile"

    async def test(world: World, grid: EventGrid) -> None:
        subscription = subscribe(grid, endpoint)
        wanted = {"destination": {"endpointType": "AzureFunction", "properties": {"resourceId": resource}}}
        subscription.definition = define(wanted, "Microsoft.Resources.Subscriptions")
        happen(world)
        await until(lambda: bool(grid.deliveries.log[0].attempts))
        grid.options.function_hosts = {"drift-app": {"url": endpoint.url, "code": "a&b"}}
        await eventgrid.wait_idle(world, 5)
        assert grid.deliveries.log[0].attempts[0].outcome == "SocketError"

    run(endpoint, test)
    assert endpoint.requests[0].target == "/runtime/webhooks/EventGrid?functionName=reconcile&code=a%26b"
