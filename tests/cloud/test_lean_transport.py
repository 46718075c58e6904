"""The worker's transport: what it sends, what it makes of an answer, and which failure is which."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.rest import HttpRequest

from cloud import lean_transport
from cloud.arm import Arm
from cloud.container_groups import ContainerGroups
from cloud.credentials import FixedTokenCredential
from cloud.lean_transport import LeanTransport
from cloud.private_dns import PrivateDns
from core.arm_id import container_group_id
from core.errors import PreconditionFailedError, UnavailableError
from core.live import LiveState
from core.records import RecordSet, ZoneRef

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
ZONE = ZoneRef(SUBSCRIPTION, "rg-dns", "corp.internal")


@pytest.fixture
def transport(scripted: Any) -> Iterator[LeanTransport]:
    with LeanTransport(scripted.ca) as made:
        yield made


@pytest.fixture
def arm(scripted: Any) -> Iterator[Arm]:
    made = Arm(FixedTokenCredential("token", 4102444800), endpoint=scripted.url, ca_bundle=scripted.ca, lean=True)
    yield made
    made.close()


def connections(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give a list that grows by each connection's host from now on."""
    made: list[str] = []
    right = lean_transport.http.client.HTTPSConnection.connect

    def connect(self: Any) -> None:
        made.append(self.host)
        right(self)

    monkeypatch.setattr(lean_transport.http.client.HTTPSConnection, "connect", connect)
    return made


def test_method_path_query_headers_and_body_arrive_as_given(scripted: Any, transport: LeanTransport) -> None:
    scripted.reply(201, {"ok": True}, ETag="e1")
    request = HttpRequest("PUT", scripted.url + "/a/b?x=1&y=%20", json={"ttl": 60}, headers={"If-Match": '"e0"'})
    answer = transport.send(request)
    (seen,) = scripted.seen
    assert (seen.method, seen.path, seen.body) == ("PUT", "/a/b?x=1&y=%20", b'{"ttl": 60}')
    assert seen.headers["If-Match"] == '"e0"'
    assert (answer.status_code, answer.json(), answer.headers["etag"]) == (201, {"ok": True}, "e1")
    assert answer.request is request


def test_a_body_of_text_is_sent_as_utf_8(scripted: Any, transport: LeanTransport) -> None:
    scripted.reply(204)
    transport.send(HttpRequest("PUT", scripted.url, content="Zürich → 東京"))
    assert scripted.seen[0].body.decode() == "Zürich → 東京"


def test_an_error_status_is_an_answer_until_it_is_asked_to_raise(scripted: Any, transport: LeanTransport) -> None:
    scripted.reply(404, {"code": "NotFound", "message": "no such record"})
    answer = transport.send(HttpRequest("GET", scripted.url))
    with pytest.raises(HttpResponseError, match="no such record"):
        answer.raise_for_status()


def test_text_is_read_in_the_encoding_that_the_answer_declares(scripted: Any, transport: LeanTransport) -> None:
    scripted.reply(200, "h\xe9".encode("latin-1"), Content_Type="text/plain; charset=ISO-8859-1")
    assert transport.send(HttpRequest("GET", scripted.url)).text() == "hé"


def test_one_connection_serves_all_requests(
    scripted: Any, transport: LeanTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = connections(monkeypatch)
    scripted.reply(204)
    for _ in range(3):
        transport.send(HttpRequest("DELETE", scripted.url))
    assert made == ["127.0.0.1"]


@pytest.mark.parametrize("why", ["it rested", "the server said close", "its last request failed"])
def test_a_connection_is_made_anew(
    why: str, scripted: Any, transport: LeanTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = connections(monkeypatch)
    if why == "it rested":
        monkeypatch.setattr(lean_transport, "IDLE_SECONDS", 0.0)
    scripted.reply(
        200, {}, fault="reset" if "failed" in why else "", **({"Connection": "close"} if "close" in why else {})
    )
    scripted.reply(200, {})
    try:
        transport.send(HttpRequest("GET", scripted.url))
    except ServiceResponseError:
        assert "failed" in why
    assert transport.send(HttpRequest("GET", scripted.url)).status_code == 200
    assert len(made) == 2


def test_a_certificate_of_an_authority_that_is_not_trusted_is_refused(scripted: Any) -> None:
    with LeanTransport() as transport, pytest.raises(ServiceRequestError, match="CERTIFICATE_VERIFY_FAILED"):
        transport.send(HttpRequest("GET", scripted.url))
    assert scripted.seen == []


def test_nobody_listening_is_a_request_that_was_not_sent() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{unused.getsockname()[1]}"
    with LeanTransport() as transport, pytest.raises(ServiceRequestError, match="no connection"):
        transport.send(HttpRequest("GET", url))


def test_plain_http_is_not_spoken() -> None:
    with LeanTransport() as transport, pytest.raises(ServiceRequestError, match="only https"):
        transport.send(HttpRequest("GET", "http://127.0.0.1:1/"))


def test_a_connection_reset_is_a_failure_of_the_answer(scripted: Any, transport: LeanTransport) -> None:
    scripted.reply(200, {}, fault="reset")
    with pytest.raises(ServiceResponseError):
        transport.send(HttpRequest("GET", scripted.url))


def test_an_answer_cut_short_is_a_failure_of_the_answer(scripted: Any, transport: LeanTransport) -> None:
    scripted.reply(200, b"{", Content_Length="100", Connection="close")
    with pytest.raises(ServiceResponseError):
        transport.send(HttpRequest("GET", scripted.url), read_timeout=0.5)


def test_a_server_that_never_answers_is_given_up_after_the_read_timeout(scripted: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, LeanTransport() as transport:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ServiceRequestError, match="in time"):
            transport.send(HttpRequest("GET", url), connection_timeout=0.05)


def test_an_answer_that_does_not_come_is_given_up_after_the_read_timeout(
    scripted: Any, transport: LeanTransport
) -> None:
    scripted.reply(204)
    transport.send(HttpRequest("GET", scripted.url))
    given_up = threading.Event()

    def slow(_: Any) -> Any:
        given_up.wait(2)
        return scripted.answers[0]

    scripted.answers.insert(0, slow)
    with pytest.raises(ServiceResponseTimeoutError):
        transport.send(HttpRequest("GET", scripted.url), read_timeout=0.05)
    given_up.set()


def test_both_sdks_work_over_it(scripted: Any, arm: Arm) -> None:
    """The older one (container instances) sends azure-core's older kind of request."""
    group = container_group_id(SUBSCRIPTION, "rg-apps", "web")
    scripted.reply(404, {"error": {"code": "ResourceNotFound", "message": "m"}})
    assert ContainerGroups(arm).get(group).state is LiveState.ABSENT
    scripted.answers.clear()
    scripted.reply(412, {"code": "PreconditionFailed", "message": "modified"})
    with pytest.raises(PreconditionFailedError, match="modified"):
        PrivateDns(arm).put(RecordSet(ZONE, "A", "web", 60, ("10.0.0.4",), etag="e1"))
    put = scripted.seen[-1]
    assert (put.method, put.headers["If-Match"]) == ("PUT", '"e1"')
    assert b'"ipv4Address": "10.0.0.4"' in put.body
    assert (arm.reads, arm.writes) == (1, 1)


def test_an_authority_that_is_not_trusted_is_said_to_be_unavailable(scripted: Any) -> None:
    arm = Arm(FixedTokenCredential("t", 4102444800), endpoint=scripted.url, lean=True, deadline=lambda: 0.05)
    with pytest.raises(UnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
        PrivateDns(arm).get(ZONE, "A", "web")
    arm.close()
