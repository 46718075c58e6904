"""The functions host as a process, with a small function app written for the purpose."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from local_azure import eventgrid
from local_azure.server import LocalAzure

ROOT = Path(__file__).parents[2]
APP = """
import json, os, pathlib, time
import azure.functions as func
app = func.FunctionApp()
OUT = pathlib.Path(__file__).with_name("calls.jsonl")

def note(**what):
    with OUT.open("a") as file:
        file.write(json.dumps(what) + "\\n")

@app.function_name("seen")
@app.event_grid_trigger(arg_name="event")
def on_event(event: func.EventGridEvent, context: func.Context):
    print("a line on stdout")
    if (event.get_json() or {}).get("boom"):
        raise ValueError("boom asked for")
    note(kind=type(event).__name__, id=event.id, subject=event.subject, name=context.function_name,
         invocation=context.invocation_id, local=context.thread_local_storage.invocation_id,
         retries=context.retry_context.retry_count, parent=context.trace_context.trace_parent,
         directory=context.function_directory, code=os.environ.get("FUNCTIONS_HOST_CODE"), argv=__import__("sys").argv)

@app.event_grid_trigger(arg_name="context")
async def asynchronous(context: func.EventGridEvent):
    note(kind="async", id=context.id)

@app.event_grid_trigger(arg_name="event")
def slow(event: func.EventGridEvent):
    time.sleep((event.get_json() or {}).get("seconds", 0.3))
    note(kind="slow", id=event.id)

@app.timer_trigger(arg_name="timer", schedule="0 */5 * * * *")
def tick(timer: func.TimerRequest):
    note(kind=type(timer).__name__, past_due=timer.past_due)
"""
EVENT = {
    "id": "e1",
    "topic": "/subscriptions/s",
    "subject": "/subscriptions/s/resourceGroups/rg",
    "eventType": "Microsoft.Resources.ResourceWriteSuccess",
    "eventTime": "2026-04-01T12:00:01.1234560Z",
    "data": {},
    "dataVersion": "2",
    "metadataVersion": "1",
}
CLOUD = {
    "specversion": "1.0",
    "id": "c1",
    "source": "/s",
    "type": "t",
    "time": "2026-04-01T12:00:01Z",
    "subject": "x",
    "data": {},
}


@dataclass
class Host:
    process: subprocess.Popen[str]
    url: str
    code: str
    app: Path
    logged: list[str] = field(default_factory=list)

    def post(
        self, body: Any, *, kind: str = "Notification", function: str = "seen", code: str | None = None
    ) -> requests.Response:
        return requests.post(
            f"{self.url}/runtime/webhooks/EventGrid",
            params={"functionName": function, "code": self.code if code is None else code},
            data=body if isinstance(body, bytes) else json.dumps(body),
            headers={"aeg-event-type": kind},
            timeout=10,
        )

    def calls(self) -> list[dict[str, Any]]:
        path = self.app / "calls.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [json.loads(line) for line in lines]


def start(app: Path, *arguments: str, code: str = "") -> Host:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **({"FUNCTIONS_HOST_CODE": code} if code else {})}
    command = [sys.executable, "-m", "local_azure.functions_host", "--app", str(app), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stdout
    assert process.stderr
    line = process.stdout.readline()
    ready = json.loads(line) if line else {"url": "", "code": ""}
    host = Host(process, ready["url"], ready["code"], app)
    if line:  # a host that did not start is asked for its stderr instead
        stderr = process.stderr
        threading.Thread(target=lambda: host.logged.extend(stderr), daemon=True).start()
    return host


def stop(host: Host) -> int:
    host.process.send_signal(signal.SIGTERM)
    code = host.process.wait(10)
    for stream in (host.process.stdout, host.process.stderr):
        assert stream
        stream.close()
    return code


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    app = tmp_path_factory.mktemp("app")
    (app / "function_app.py").write_text(APP)
    host = start(app, code="the-key")
    yield host
    assert stop(host) == 0


@pytest.fixture
def host(running: Host) -> Host:
    running.calls()
    return running


def test_each_event_of_an_array_is_one_invocation(host: Host) -> None:
    assert host.post([EVENT, {**EVENT, "id": "e2"}]).status_code == 202
    calls = host.calls()
    assert sorted(call["id"] for call in calls) == ["e1", "e2"]
    assert {call["kind"] for call in calls} == {"EventGridEvent"}
    assert len({call["invocation"] for call in calls}) == 2


def test_an_object_is_one_cloud_event(host: Host) -> None:
    assert host.post(CLOUD).status_code == 202
    [call] = host.calls()
    assert (call["kind"], call["id"], call["subject"]) == ("CloudEvent", "c1", "x")


def test_a_function_that_asks_for_it_gets_its_context(host: Host) -> None:
    host.post([EVENT])
    [call] = host.calls()
    assert (call["name"], call["directory"], call["retries"]) == ("seen", str(host.app), 0)
    assert call["local"] == call["invocation"]
    assert call["parent"].startswith("00-")


def test_the_key_reaches_neither_the_apps_environment_nor_its_arguments(host: Host) -> None:
    host.post([EVENT])
    [call] = host.calls()
    assert host.code == "the-key"
    assert call["code"] is None
    assert "the-key" not in call["argv"]


def test_one_failing_event_fails_the_whole_payload_with_the_exceptions_text(host: Host) -> None:
    answer = host.post([EVENT, {**EVENT, "data": {"boom": True}}])
    assert answer.status_code == 500
    assert "Functions.seen" in answer.text
    assert "ValueError: boom asked for" in answer.text
    assert len(host.calls()) == 1


@pytest.mark.parametrize("body", [[5], [None], ["x"], [[]], 5, b"{not json", b""], ids=str)
def test_what_is_no_event_is_a_failed_invocation_and_never_the_end_of_the_host(host: Host, body: Any) -> None:
    assert host.post(body).status_code == 500
    assert host.post([EVENT]).status_code == 202


def test_the_validation_code_is_echoed(host: Host) -> None:
    answer = host.post([{"data": {"validationCode": "512d38b6"}}], kind="SubscriptionValidation")
    assert (answer.status_code, answer.json()) == (200, {"validationResponse": "512d38b6"})


def test_cloud_events_handshake_is_answered(host: Host) -> None:
    url = f"{host.url}/runtime/webhooks/EventGrid?functionName=seen&code={host.code}"
    answer = requests.options(url, headers={"WebHook-Request-Origin": "eventgrid.azure.net"}, timeout=10)
    assert (answer.status_code, answer.headers["WebHook-Allowed-Origin"]) == (200, "eventgrid.azure.net")


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"kind": "Unsubscribe"}, 202),
        ({"kind": "notification"}, 202),
        ({"kind": "Something"}, 400),
        ({"kind": ""}, 400),
        ({"function": "nobody"}, 404),
        ({"function": "tick"}, 404),
        ({"function": "SEEN"}, 202),
        ({"code": "wrong"}, 401),
        ({"code": ""}, 401),
        ({"code": "é"}, 401),
        ({"kind": "SubscriptionValidation"}, 500),
    ],
    ids=str,
)
def test_other_requests_get_the_hosts_answers(host: Host, options: dict[str, str], status: int) -> None:
    assert host.post([EVENT], **options).status_code == status  # type: ignore[arg-type]


def test_an_async_function_whose_event_is_called_context_is_not_given_the_hosts(host: Host) -> None:
    assert host.post([EVENT], function="asynchronous").status_code == 202
    assert host.calls() == [{"kind": "async", "id": "e1"}]


def test_a_timer_runs_by_hand(host: Host) -> None:
    url = f"{host.url}/admin/functions/tick"
    assert requests.post(url, timeout=10).status_code == 401
    assert requests.post(f"{url}?wait=1", headers={"x-functions-key": host.code}, timeout=10).status_code == 202
    assert host.calls() == [{"kind": "TimerRequest", "past_due": False}]
    nobody = requests.post(f"{host.url}/admin/functions/nobody?code={host.code}", timeout=10)
    assert nobody.status_code == 404


def test_an_event_can_be_handed_in_by_hand(host: Host) -> None:
    body = json.dumps({"input": json.dumps(EVENT)})
    url = f"{host.url}/admin/functions/seen?wait=1&code={host.code}"
    assert requests.post(url, data=body, timeout=10).status_code == 202
    assert [call["id"] for call in host.calls()] == ["e1"]
    assert requests.post(url, data="[", timeout=10).status_code == 400


def test_the_log_reads_like_the_real_hosts_and_stdout_stays_the_ready_line(host: Host) -> None:
    host.post([{**EVENT, "data": {"boom": True}}])
    host.post([EVENT])
    assert host.post([EVENT], function="slow").status_code == 202  # gives the reader of stderr its time
    text = "".join(host.logged)
    assert "Executing 'Functions.seen' (Reason='EventGrid trigger fired at " in text
    assert "Executed 'Functions.seen' (Succeeded, Id=" in text
    assert "Executed 'Functions.seen' (Failed, Id=" in text
    assert "ValueError: boom asked for" in text
    assert "a line on stdout" in text


def test_functions_on_their_way_end_before_the_host_does(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text(APP)
    host = start(tmp_path)
    url = f"{host.url}/admin/functions/slow?code={host.code}"
    assert requests.post(url, data=json.dumps({"input": EVENT}), timeout=10).status_code == 202
    assert stop(host) == 0
    assert host.calls() == [{"kind": "slow", "id": "e1"}]


def test_a_function_that_hangs_does_not_keep_the_host(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text(APP)
    host = start(tmp_path, "--grace", "0.1")
    url = f"{host.url}/admin/functions/slow?code={host.code}"
    assert requests.post(url, data=json.dumps({"input": {**EVENT, "data": {"seconds": 50}}}), timeout=10).ok
    assert stop(host) == 0
    assert host.calls() == []


@pytest.mark.parametrize(
    ("text", "arguments", "code", "message"),
    [
        pytest.param(None, [], 1, "does not exist: --app must name the folder", id="no app"),
        pytest.param("import nothing_like_it", [], 1, "ModuleNotFoundError: No module named", id="import error"),
        pytest.param("x = 1", [], 1, "has 0 function apps at its top level", id="no FunctionApp"),
        pytest.param(APP, ["--port", "taken"], 69, "choose another --port", id="port taken"),
    ],
)
def test_a_host_that_cannot_start_says_why(  # noqa: PLR0917 - one column of the table each
    tmp_path: Path, running: Host, text: str | None, arguments: list[str], code: int, message: str
) -> None:
    if text:
        (tmp_path / "function_app.py").write_text(text)
    arguments = [running.url.rsplit(":", 1)[1] if item == "taken" else item for item in arguments]
    process = start(tmp_path, *arguments).process
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (code, "")
    assert message in err


def test_event_grid_delivers_to_the_host_as_a_function_and_as_a_web_hook(host: Host) -> None:
    scope = "/subscriptions/00000000-0000-0000-0000-000000000001"
    function = f"{scope}/resourceGroups/rg/providers/Microsoft.Web/sites/app/functions/seen"
    hook = f"{host.url}/runtime/webhooks/EventGrid?functionName=seen&code={host.code}"
    destinations = {
        "as-function": {"endpointType": "AzureFunction", "properties": {"resourceId": function}},
        "as-hook": {"endpointType": "WebHook", "properties": {"endpointUrl": hook}},
    }
    nothing_else = {
        "filter": {"subjectBeginsWith": "/nobody"}
    }  # the second subscription's own creation is an event too
    with LocalAzure.start(seed=1, parts=("local_azure.eventgrid",)) as azure, requests.Session() as session:
        session.trust_env, session.verify = False, str(azure.ca)
        session.headers["Authorization"] = "Bearer local"
        hosts = {"functionHosts": {"app": {"url": host.url, "code": host.code}}}
        assert session.post(f"{azure.arm}/_local/eventgrid", json=hosts, timeout=10).status_code == 200
        for name, destination in destinations.items():
            url = f"{azure.arm}{scope}/providers/Microsoft.EventGrid/eventSubscriptions/{name}?api-version=2022-06-15"
            assert (
                session.put(
                    url, json={"properties": {"destination": destination, **nothing_else}}, timeout=10
                ).status_code
                == 201
            )
            await_state(session, url)
        published = session.post(f"{azure.arm}/_local/eventgrid/publish", json={"events": [EVENT]}, timeout=10)
        assert published.json() == {"deliveries": 2}
        azure.wait(eventgrid.wait_idle(azure.world, 5))
    assert [call["id"] for call in host.calls()] == ["e1", "e1"]


def await_state(session: requests.Session, url: str) -> None:
    state: Callable[[], str] = lambda: session.get(url, timeout=10).json()["properties"]["provisioningState"]  # noqa: E731 - a name for what is asked again
    assert any(state() == "Succeeded" for _ in range(500))
