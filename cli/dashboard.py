"""`drift dashboard`: serves the workbooks to a browser on this machine."""

import contextlib
import socket
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from cli import console
from cli.query_source import BadRequestError
from core.errors import EXIT_DONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp

    from workbooks.dashboard.source import Feed

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: where rows are, where to listen, which workbooks (none: those that ship)."""

    data: Path | None
    workspace: str | None
    host: str
    port: int
    open: bool
    workbooks: tuple[Path, ...]


def dashboard(wish: Wish) -> int:
    """Serve until Ctrl-C. Raises what cannot be opened: data, workbooks, the port."""
    from cli.workbook_source import open_feed
    from workbooks.dashboard import shelf
    from workbooks.dashboard.app import Dashboard

    books = shelf.load(wish.workbooks or shelf.shipped())
    with listening(wish.host, wish.port) as sock, open_feed(wish.data, wish.workspace, lasting=True) as feed:
        port = sock.getsockname()[1]
        shown = Dashboard(books, feed, hosts_of(wish.host, port))
        url = f"http://{_in_url(wish.host)}:{port}/"
        announce(wish, url, feed)
        if wish.open:
            webbrowser.open(url)
        serve(shown.app(), sock)
    return EXIT_DONE


@contextlib.contextmanager
def listening(host: str, port: int) -> "Iterator[socket.socket]":
    """Listen, so that a port that is taken is said before anything is opened. Raises BadRequestError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(128)
    except OSError as error:
        sock.close()
        raise BadRequestError(f"cannot listen on {host}:{port}: {error.strerror}; choose another --port") from error
    try:
        yield sock
    finally:
        sock.close()


def hosts_of(host: str, port: int) -> frozenset[str]:
    """Give the names under which a browser may ask: this machine's, and the one that was named."""
    names = {_in_url(name) for name in (*LOOPBACK, host)}
    return frozenset({f"{name}:{port}".lower() for name in names})


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def announce(wish: Wish, url: str, feed: "Feed") -> None:
    """Say where the dashboard is; and loudly, when others can reach it."""
    if wish.host not in LOOPBACK:
        console.say(
            f"Warning: {wish.host} can be reached by others; there is no sign-in, and everybody sees these rows."
        )
    console.show_text(f"The dashboard is at {url}  (Ctrl-C ends it)\n")
    with feed.use() as source:
        if source.note:
            console.show_text(source.note[0].upper() + source.note[1:] + ".\n")
    console.flush()


def serve(app: "ASGIApp", sock: socket.socket) -> None:
    """Serve until a signal says to end."""
    settings: dict[str, Any] = {"log_level": "warning", "access_log": False, "server_header": False}
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", timeout_graceful_shutdown=2, **settings))
    with contextlib.suppress(KeyboardInterrupt):
        server.run([sock])
