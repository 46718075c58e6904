"""One query by UDP: a connected socket of its own, so a source port of its own, chosen by the kernel.

Connected, because the kernel then drops what comes from elsewhere, and tells at once of a closed port or no route.
A few sockets shared by all queries, told apart by their ids, take 3.3 s of CPU time for 20,000 queries, a socket each
3.8 s: too little to leave 16 bits instead of 32 for a forger to guess, and late answers to be told from new ones.
"""

import asyncio
import errno
import secrets
import socket
from typing import Final

from core.probe_settings import ResolverAddress
from probe.answer import Answer, Failure, Question
from probe.wire import Ignored, encode_query, read_answer

_MAX_DATAGRAM: Final = 65535
_READS_PER_TURN: Final = 16
_OUR_OWN_LIMITS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

Heard = tuple[Answer | None, int]


async def ask_udp(
    server: ResolverAddress, question: Question, asked: bytes, timeout_seconds: float, *, edns: bool
) -> Heard:
    """Send once and wait: the answer, None after the timeout, and how many messages were ignored meanwhile."""
    exchange = _Exchange(question, asked)
    try:
        exchange.begin(server, edns=edns)
        return await exchange.wait(timeout_seconds), exchange.ignored
    except OSError as error:
        return unreachable(question, error), exchange.ignored
    finally:
        exchange.end()


class _Exchange:
    def __init__(self, question: Question, asked: bytes) -> None:
        self._loop = asyncio.get_running_loop()
        self._question, self._asked = question, asked
        self._id = secrets.randbits(16)
        self._done: asyncio.Future[Answer | None] = self._loop.create_future()
        self._socket: socket.socket | None = None
        self.ignored = 0

    def begin(self, server: ResolverAddress, *, edns: bool) -> None:
        """Open, connect, send; raises OSError."""
        self._socket = socket.socket(socket.AF_INET6 if server.is_ipv6 else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.connect(socket_address(server))
        self._socket.send(encode_query(self._id, self._asked, edns=edns))
        self._loop.add_reader(self._socket.fileno(), self._readable, self._socket)

    async def wait(self, timeout_seconds: float) -> Answer | None:
        timer = self._loop.call_later(timeout_seconds, self._finish, None)
        try:
            return await self._done
        finally:
            timer.cancel()

    def end(self) -> None:
        if self._socket is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    def _readable(self, opened: socket.socket) -> None:
        for _ in range(_READS_PER_TURN):
            try:
                wire = opened.recv(_MAX_DATAGRAM)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:  # an ICMP message: the port is closed, or there is no way to the host
                self._finish(unreachable(self._question, error))
                return
            answer = read_answer(wire, self._id, self._question, self._asked)
            if isinstance(answer, Answer):
                self._finish(answer)
                return
            self.ignored += isinstance(answer, Ignored)

    def _finish(self, answer: Answer | None) -> None:
        if not self._done.done():
            self._done.set_result(answer)


def socket_address(server: ResolverAddress) -> tuple[str, int] | tuple[str, int, int, int]:
    """Give the address as sockets take it; raises OSError for an unknown interface after the `%`."""
    if not server.is_ipv6:
        return server.host, server.port
    host, _, scope = server.host.partition("%")
    if not scope:
        return host, server.port, 0, 0
    return host, server.port, 0, int(scope) if scope.isdigit() else socket.if_nametoindex(scope)


def unreachable(question: Question, error: OSError) -> Answer:
    """Say that the server cannot be reached, and why; a lack of sockets here is not the server's fault."""
    failure = Failure.NOT_ASKED if error.errno in _OUR_OWN_LIMITS else Failure.UNREACHABLE
    return Answer(question, failure=failure, detail=error.strerror or str(error) or type(error).__name__)
