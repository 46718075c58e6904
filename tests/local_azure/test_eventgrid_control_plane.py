"""Event subscriptions through ARM, from the definition to the delivery, over HTTPS."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from local_azure import eventgrid
from local_azure.server import LocalAzure

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg"
VERSION = "api-version=2022-06-15"
SHARED = Path(__file__).parents[3] / "shared"
CASSETTES = sorted((SHARED / "recordings" / "eventgrid").glob("*.yaml"))
REPLAY = SHARED / "tools" / "replay-recording"


class Hook:
    """A web hook on loopback; `answer` makes status and JSON of a request."""

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, str], Any]] = []
        self.answer: Callable[[str, Any], tuple[int, Any]] = self.agree
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"null")
                headers = {name.lower(): value for name, value in self.headers.items()}
                hook.received.append((self.command, headers, body))
                status, answer = hook.answer(headers.get("aeg-event-type", ""), body)
                out = json.dumps(answer).encode()
                self.send_response(status)
                if self.command == "OPTIONS":
                    self.send_header("WebHook-Allowed-Origin", "eventgrid.azure.net")
                self.send_header("content-length", str(len(out)))
                self.end_headers()
                self.wfile.write(out)

            do_OPTIONS = do_POST  # noqa: N815 - the base class looks for this name

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook?code=secret"

    @staticmethod
    def agree(kind: str, body: Any) -> tuple[int, Any]:
        if kind == "SubscriptionValidation":
            return 200, {"validationResponse": body[0]["data"]["validationCode"]}
        return 200, {}

    @property
    def events(self) -> list[Any]:
        return [
            event
            for _, headers, body in self.received
            if headers.get("aeg-event-type") == "Notification"
            for event in body
        ]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(scope="module")
def running() -> Iterator[LocalAzure]:
    parts = ("local_azure.eventgrid",)
    with LocalAzure.start(seed=3, parts=parts, provisioning_seconds=0.01, time_scale=0.001) as azure:
        yield azure


@pytest.fixture
def azure(running: LocalAzure) -> LocalAzure:
    running.call(running.world.reset)
    return running


@pytest.fixture
def hook() -> Iterator[Hook]:
    hook = Hook()
    yield hook
    hook.close()


@pytest.fixture
def arm(azure: LocalAzure) -> Iterator[Callable[..., requests.Response]]:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(azure.ca)
        session.headers["Authorization"] = "Bearer local"

        def call(method: str, path: str, body: Any = None, version: str = VERSION) -> requests.Response:
            url = f"{azure.arm}{path}" + (
                "" if path.startswith("/_local") else f"{'&' if '?' in path else '?'}{version}"
            )
            return session.request(method, url, json=body, timeout=10)

        yield call


Arm = Callable[..., requests.Response]


def settled(arm: Arm, azure: LocalAzure, answer: requests.Response) -> dict[str, Any]:
    url = answer.headers["Azure-AsyncOperation"].removeprefix(azure.arm)
    for _ in range(500):
        body: dict[str, Any] = arm("GET", url.split("?")[0]).json()
        if body["status"] != "InProgress":
            return body
    raise AssertionError("the operation did not end")


def wanted(url: str, **properties: Any) -> dict[str, Any]:
    return {
        "properties": {"destination": {"endpointType": "WebHook", "properties": {"endpointUrl": url}}, **properties}
    }


def path(name: str = "mysub", scope: str = SUBSCRIPTION) -> str:
    return f"{scope}/providers/Microsoft.EventGrid/eventSubscriptions/{name}"


def wait_idle(azure: LocalAzure) -> None:
    azure.wait(eventgrid.wait_idle(azure.world, 5))


def make_group(arm: Arm, name: str = "web", resource_group: str = "rg") -> str:
    target = (
        f"{SUBSCRIPTION}/resourceGroups/{resource_group}/providers/Microsoft.ContainerInstance/containerGroups/{name}"
    )
    container = {"image": "i", "resources": {"requests": {"cpu": 1.0, "memoryInGB": 1.0}}}
    body = {
        "location": "westeurope",
        "properties": {"osType": "Linux", "containers": [{"name": "c", "properties": container}]},
    }
    assert arm("PUT", target, body, "api-version=2023-05-01").status_code == 201
    await_running(arm, target)
    return target


def await_running(arm: Arm, target: str) -> None:
    for _ in range(500):
        if arm("GET", target, None, "api-version=2023-05-01").json()["properties"]["provisioningState"] == "Succeeded":
            return
    raise AssertionError("the group did not start")


def test_a_container_groups_life_reaches_the_subscriber(azure: LocalAzure, arm: Arm, hook: Hook) -> None:
    only_groups = {
        "advancedFilters": [
            {"operatorType": "StringContains", "key": "data.operationName", "values": ["containerGroups/"]}
        ]
    }
    answer = arm("PUT", path(), wanted(hook.url, filter=only_groups))
    assert answer.status_code == 201
    assert settled(arm, azure, answer)["status"] == "Succeeded"
    target = make_group(arm)
    assert arm("POST", f"{target}/restart", None, "api-version=2023-05-01").status_code == 204
    await_running(arm, target)
    assert arm("DELETE", target, None, "api-version=2023-05-01").status_code == 200
    wait_idle(azure)
    seen = sorted(
        event["data"]["operationName"].removeprefix("Microsoft.ContainerInstance/containerGroups/")
        for event in hook.events
    )
    assert seen == ["delete", "restart/action", "write"]
    assert {event["subject"].lower() for event in hook.events} == {target.lower()}
    assert {event["topic"] for event in hook.events} == {SUBSCRIPTION}


def test_a_resource_groups_subscription_hears_of_its_own_group_only(azure: LocalAzure, arm: Arm, hook: Hook) -> None:
    settled(arm, azure, arm("PUT", path(scope=GROUP), wanted(hook.url)))
    make_group(arm, resource_group="rg2")
    mine = make_group(arm)
    wait_idle(azure)
    assert {event["subject"].lower() for event in hook.events} == {mine.lower()}
    assert {event["topic"] for event in hook.events} == {GROUP}


def test_a_system_topic_hears_of_its_source(azure: LocalAzure, arm: Arm, hook: Hook) -> None:
    topic = f"{GROUP}/providers/Microsoft.EventGrid/systemTopics/topic1"
    body = {"location": "global", "properties": {"source": GROUP, "topicType": "Microsoft.Resources.ResourceGroups"}}
    assert arm("PUT", topic, body).status_code == 200
    answer = arm("PUT", f"{topic}/eventSubscriptions/mysub", wanted(hook.url))
    assert settled(arm, azure, answer)["status"] == "Succeeded"
    make_group(arm)
    wait_idle(azure)
    assert {event["topic"] for event in hook.events} == {topic}
    assert arm("DELETE", topic).status_code == 202
    assert arm("GET", f"{topic}/eventSubscriptions/mysub").status_code == 404


def test_the_key_in_the_url_is_shown_by_get_full_url_only(azure: LocalAzure, arm: Arm, hook: Hook) -> None:
    settled(arm, azure, arm("PUT", path(), wanted(hook.url)))
    make_group(arm)
    wait_idle(azure)
    shown = [arm("GET", path()), arm("GET", "/_local/eventgrid/deliveries"), arm("GET", "/_local/eventgrid")]
    assert all("secret" not in answer.text for answer in shown)
    assert arm("POST", f"{path()}/getFullUrl").json() == {"endpointUrl": hook.url}


def test_the_handshake_asks_for_the_code_before_any_event(azure: LocalAzure, arm: Arm, hook: Hook) -> None:
    settled(arm, azure, arm("PUT", path(), wanted(hook.url)))
    [(_, headers, [event])] = hook.received
    assert headers["aeg-event-type"] == "SubscriptionValidation"
    assert event["eventType"] == "Microsoft.EventGrid.SubscriptionValidationEvent"


def test_a_web_hook_that_refuses_gets_no_subscription(azure: LocalAzure, arm: Arm, hook: Hook) -> None:
    hook.answer = lambda _kind, _body: (404, {})
    ended = settled(arm, azure, arm("PUT", path(), wanted(hook.url)))
    assert (ended["status"], ended["error"]["code"]) == ("Failed", "Url validation")
    assert "secret" not in ended["error"]["message"]
    assert arm("GET", path()).status_code == 404


def test_a_web_hook_that_does_not_echo_can_be_validated_by_hand(azure: LocalAzure, arm: Arm, hook: Hook) -> None:
    hook.answer = lambda _kind, _body: (200, {})
    settled(arm, azure, arm("PUT", path(), wanted(hook.url)))
    assert arm("GET", path()).json()["properties"]["provisioningState"] == "AwaitingManualAction"
    make_group(arm, "early")
    url = hook.received[0][2][0]["data"]["validationUrl"].removeprefix(azure.arm)
    assert arm("GET", url).status_code == 200
    assert arm("GET", url).status_code == 404
    assert arm("GET", path()).json()["properties"]["provisioningState"] == "Succeeded"
    late = make_group(arm, "late")
    wait_idle(azure)
    assert {event["subject"].lower() for event in hook.events} == {late.lower()}


def test_cloud_events_shake_hands_by_options(azure: LocalAzure, arm: Arm, hook: Hook) -> None:
    body = wanted(hook.url, eventDeliverySchema="CloudEventSchemaV1_0")
    assert settled(arm, azure, arm("PUT", path(), body))["status"] == "Succeeded"
    assert (hook.received[0][0], hook.received[0][1]["webhook-request-origin"]) == ("OPTIONS", "eventgrid.azure.net")


def test_a_patch_changes_what_it_names_and_keeps_the_rest(azure: LocalAzure, arm: Arm, hook: Hook) -> None:
    settled(arm, azure, arm("PUT", path(), wanted(hook.url, labels=["a"], filter={"subjectBeginsWith": "/x"})))
    answer = arm("PATCH", path(), {"filter": {"subjectBeginsWith": ""}, "retryPolicy": {"maxDeliveryAttempts": 2}})
    assert (answer.status_code, answer.json()["properties"]["provisioningState"]) == (201, "Updating")
    settled(arm, azure, answer)
    properties = arm("GET", path()).json()["properties"]
    assert (properties["labels"], properties["retryPolicy"]["maxDeliveryAttempts"]) == (["a"], 2)
    make_group(arm)
    wait_idle(azure)
    assert hook.events


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "code"),
    [
        ("PUT", path("a"), wanted("http://127.0.0.1:9/x"), 400, "InvalidRequest"),
        ("PUT", path(), {"properties": {}}, 400, "InvalidRequest"),
        ("PUT", path(), wanted("nowhere"), 400, "InvalidRequest"),
        ("PATCH", path(), {"labels": []}, 404, "ResourceNotFound"),
        ("GET", path(), None, 404, "ResourceNotFound"),
        ("POST", f"{path()}/getFullUrl", None, 404, "ResourceNotFound"),
        ("GET", f"{path().rsplit('/', 1)[0]}?$filter=colour", None, 400, "InvalidRequest"),
        ("PUT", f"{GROUP}/providers/Microsoft.EventGrid/systemTopics/top", {"properties": {}}, 400, "InvalidRequest"),
        (
            "PUT",
            f"{GROUP}/providers/Microsoft.EventGrid/systemTopics/top/eventSubscriptions/mysub",
            wanted("http://h"),
            404,
            "ResourceNotFound",
        ),
    ],
)
def test_what_cannot_be_is_refused(  # noqa: PLR0917 - one column of the table each
    arm: Arm, method: str, target: str, body: Any, status: int, code: str
) -> None:
    answer = arm(method, target, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_deleting_what_is_not_there_is_no_error(arm: Arm) -> None:
    assert arm("DELETE", path()).status_code == 204


def test_lists_filter_by_name_and_end_at_top(azure: LocalAzure, arm: Arm, hook: Hook) -> None:
    for name in ("sub-one", "sub-two"):
        settled(arm, azure, arm("PUT", path(name), wanted(hook.url)))
    base = path().rsplit("/", 1)[0]
    for query, names in (
        ("", 2),
        ("?$top=1", 1),
        ("?$filter=name eq 'SUB-two'", 1),
        ("?$filter=contains(name, 'sub')", 2),
    ):
        assert len(arm("GET", base + query).json()["value"]) == names, query


def test_faults_and_publishing_are_set_over_http(azure: LocalAzure, arm: Arm, hook: Hook) -> None:
    settled(arm, azure, arm("PUT", path(), wanted(hook.url)))
    answer = arm("POST", "/_local/eventgrid", {"faults": [{"kind": "duplicate", "times": 1}], "timeScale": 0.002})
    assert (answer.status_code, answer.json()["timeScale"]) == (200, 0.002)
    published = arm("POST", "/_local/eventgrid/publish", {"events": [{"id": "x"}, {"id": "y"}]})
    assert published.json() == {"deliveries": 2}
    wait_idle(azure)
    assert sorted(event["id"] for event in hook.events) == ["x", "x", "y"]
    shown = arm("GET", "/_local/eventgrid/deliveries?eventId=x").json()
    assert (shown["open"], [item["state"] for item in shown["value"]]) == (0, ["delivered", "delivered"])
    arm("POST", "/_local/eventgrid", {"timeScale": 0.001})


@pytest.mark.parametrize(
    ("target", "body", "message"),
    [
        ("/_local/eventgrid", {"fault": []}, "fault: unknown; known are"),
        ("/_local/eventgrid", {"timeScale": -1}, "timeScale: a number from 0"),
        ("/_local/eventgrid", {"functionHosts": {"*": {"url": "https://example.org"}}}, "an http URL on this machine"),
        ("/_local/eventgrid", [1], "a JSON object is needed"),
        ("/_local/eventgrid/publish", {"events": 5}, "events: a list"),
        ("/_local/eventgrid/publish", {"events": [5], "filtered": True}, "must be objects"),
    ],
)
def test_bad_local_settings_say_what_is_wrong(arm: Arm, target: str, body: Any, message: str) -> None:
    answer = arm("POST", target, body)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


def test_subscriptions_outlive_the_process(tmp_path: Path, hook: Hook) -> None:
    def start() -> LocalAzure:
        return LocalAzure.start(data=tmp_path, parts=("local_azure.eventgrid",), time_scale=0.001)

    body = wanted(hook.url, filter={"subjectEndsWith": "web"})
    options: dict[str, Any] = {"headers": {"Authorization": "Bearer local"}, "timeout": 10}
    with start() as azure, requests.Session() as session:
        session.trust_env = False
        assert (
            session.put(f"{azure.arm}{path()}?{VERSION}", json=body, verify=str(azure.ca), **options).status_code == 201
        )
        target = f"{azure.arm}{path()}?{VERSION}"
        while (
            session.get(target, verify=str(azure.ca), **options).json()["properties"]["provisioningState"]
            != "Succeeded"
        ):
            pass
    with start() as azure, requests.Session() as session:
        session.trust_env = False
        shown = session.get(f"{azure.arm}{path()}?{VERSION}", verify=str(azure.ca), **options).json()
        assert shown["properties"]["filter"]["subjectEndsWith"] == "web"
        assert shown["properties"]["provisioningState"] == "Succeeded"


@pytest.mark.skipif(not REPLAY.exists() or not CASSETTES, reason="the recordings are not here")
def test_the_recordings_get_the_recorded_answers_but_for_what_else_was_in_that_account(azure: LocalAzure) -> None:
    command = [
        sys.executable,
        str(REPLAY),
        "--base",
        azure.arm,
        "--ca",
        str(azure.ca),
        "--reset",
        f"{azure.arm}/_local/reset",
    ]
    command += [*map(str, CASSETTES), "--only", "Microsoft.EventGrid"]
    environment = {"REQUESTS_CA_BUNDLE": str(azure.ca)}  # the environment's own bundle would win over --ca
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, env=environment, check=False)
    different = {line.split(":")[0].rsplit("/", 1)[0] for line in done.stdout.splitlines()[:-1]}
    # Three lists of system topics and one of subscriptions begin with a resource that the recording did not make.
    assert len(different) <= 4, done.stdout + done.stderr
    assert all("systemTopics: " in line or "topicTypes/" in line for line in done.stdout.splitlines()[:-1]), done.stdout
    assert done.stdout.splitlines()[-1] == "39 of 43 match"
