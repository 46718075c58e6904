"""A scripted Azure on loopback, over real HTTPS: answers are queued by the test, requests are kept."""

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme


@dataclass
class Answer:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    fault: str = ""


@dataclass
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Scripted:
    """Answers in the order queued; the last one is repeated. A callable decides by the request."""

    def __init__(self, url: str, ca: str) -> None:
        self.url, self.ca = url, ca
        self.answers: list[Answer | Callable[[Seen], Answer]] = []
        self.seen: list[Seen] = []

    def reply(self, status: int = 200, body: Any = None, *, fault: str = "", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append(Answer(status, body, named, fault))

    def decide(self, chooser: Callable[[Seen], Answer]) -> None:
        self.answers.append(chooser)

    def next(self, seen: Seen) -> Answer:
        self.seen.append(seen)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(seen) if callable(answer) else answer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    scripted: Scripted
    open: set[socket.socket]

    def setup(self) -> None:
        self.request.do_handshake()  # here, in the connection's own thread: a client that refuses us ends only this
        super().setup()
        self.open.add(self.request)

    def finish(self) -> None:
        self.open.discard(self.request)
        super().finish()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self.scripted.next(Seen(self.command, self.path, dict(self.headers.items()), body))
        if answer.fault == "reset":
            self.close_connection = True
            self.connection.shutdown(2)
            return
        raw = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        raw = b"" if answer.body is None else raw
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - http.server's names

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    ca = trustme.CA()
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return ca, path


@pytest.fixture
def scripted(authority: tuple[trustme.CA, Path]) -> Iterator[Scripted]:
    ca, path = authority
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    handler = type("Handler", (_Handler,), {"open": set()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = False  # joined at the end, so that no socket outlives its test
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    script = Scripted(f"https://127.0.0.1:{server.server_address[1]}", str(path))
    handler.scripted = script  # type: ignore[attr-defined]
    server.handle_error = lambda *_: None  # type: ignore[method-assign,assignment]
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    yield script
    server.shutdown()
    for connection in list(handler.open):  # type: ignore[attr-defined]
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)  # clients keep theirs open
    server.server_close()
    thread.join()
