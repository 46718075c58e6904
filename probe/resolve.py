"""Asks very many questions at once: bounded concurrency, a timeout for each message, one deadline for all.

UDP first, TCP when the answer is cut. What gets no answer, or one that nobody can read, is sent again. Within a
set of servers the next one is tried, also after SERVFAIL and REFUSED, as the system's resolver does. A server that does
not understand EDNS is asked again without.
"""

import asyncio
import contextlib
import resource
import secrets
import struct
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.errors import InputError
from core.probe_settings import ResolverAddress
from probe.answer import Answer, Failure, Question
from probe.resolvers import ResolverSet
from probe.udp import ask_udp, unreachable
from probe.wire import encode_query, question_wire, read_answer

_MOVE_ON: Final = frozenset({"SERVFAIL", "REFUSED", "NOTIMP"})
_NO_EDNS: Final = frozenset({"FORMERR", "NOTIMP", "BADVERS"})
_LENGTH = struct.Struct("!H")


@dataclass(frozen=True, slots=True)
class Patience:
    """How many questions at once, how long for one message, how often each server, and how long for everything."""

    concurrency: int = 500
    timeout_seconds: float = 2.0
    attempts: int = 3
    deadline_seconds: float = 120.0


class Asker:
    """Asks one set of servers until a deadline (`ends`, of the running loop's clock)."""

    def __init__(self, resolvers: ResolverSet, patience: Patience, ends: float) -> None:
        self._servers = resolvers.servers
        self._patience = patience
        self._ends = ends

    async def ask_all(self, questions: Sequence[Question]) -> tuple[Answer, ...]:
        """Give the answers in the questions' order; what the deadline leaves no time for is `not_asked`."""
        answers: dict[int, Answer] = {}
        queue = iter(enumerate(questions))

        async def work() -> None:
            for index, question in queue:
                answers[index] = await self.ask(question)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._patience.concurrency, socket_limit(), len(questions))):
                group.create_task(work())
        return tuple(answers[index] for index in range(len(questions)))

    async def ask(self, question: Question) -> Answer:
        """Ask one question; never raises for anything that a server or the network does."""
        try:
            asked = question_wire(question)
        except InputError as error:
            return Answer(question, str(self._servers[0]), Failure.NOT_ASKED, detail=str(error))
        return await _Inquiry(question, asked, self._patience, self._ends).run(self._servers)


def socket_limit() -> int:
    """Say how many sockets this process may use: half of its open files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(soft // 2, 1) if soft != resource.RLIM_INFINITY else sys.maxsize


class _Inquiry:
    """One question on its way: counts what was sent and ignored."""

    def __init__(
        self,
        question: Question,
        asked: bytes,
        patience: Patience,
        ends: float,
    ) -> None:
        self._question, self._asked, self._patience = question, asked, patience
        self._loop = asyncio.get_running_loop()
        self._began, self._ends = self._loop.time(), ends
        self._sent = self._ignored = 0

    async def run(self, servers: tuple[ResolverAddress, ...]) -> Answer:
        found: Answer | None = None
        for server, is_last in self._order(servers):
            if self._seconds_left() <= 0:
                break
            answer = self._stamped(await self._once(server), server)
            if answer.failure is None and (is_last or answer.rcode not in _MOVE_ON):
                return answer
            if found is None or found.failure is not None:
                found = answer  # a server's word, even SERVFAIL, says more than another server's silence
        nothing = Answer(self._question, resolver=str(servers[0]), failure=Failure.NOT_ASKED)
        return found or replace(nothing, detail="the run's deadline was over")

    def _order(self, servers: tuple[ResolverAddress, ...]) -> Iterator[tuple[ResolverAddress, bool]]:
        """Give each server its attempts, in rounds; True where no other server is left that could say more."""
        for _ in range(self._patience.attempts):
            for server in servers:
                yield server, server is servers[-1]

    async def _once(self, server: ResolverAddress) -> Answer:
        answer = await self._udp(server, edns=True)
        if answer.failure is None and answer.rcode in _NO_EDNS:
            answer = await self._udp(server, edns=False)
        return await self._tcp(server) if answer.truncated else answer

    async def _udp(self, server: ResolverAddress, *, edns: bool) -> Answer:
        self._sent += 1
        answer, ignored = await ask_udp(server, self._question, self._asked, self._wait(), edns=edns)
        self._ignored += ignored
        return answer or self._silence()

    async def _tcp(self, server: ResolverAddress) -> Answer:
        """Ask again by TCP after an answer that was cut; without TCP there is no answer."""
        self._sent += 1
        try:
            async with asyncio.timeout(self._wait()):
                return await self._talk(server)
        except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
            reason = unreachable(self._question, error).detail if isinstance(error, OSError) else "connection closed"
            detail = f"cut by UDP, and by TCP: {'timeout' if isinstance(error, TimeoutError) else reason}"
            return Answer(self._question, failure=Failure.TRUNCATED, detail=detail, transport="tcp")

    async def _talk(self, server: ResolverAddress) -> Answer:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        try:
            message_id = secrets.randbits(16)
            query = encode_query(message_id, self._asked)
            writer.write(_LENGTH.pack(len(query)) + query)
            await writer.drain()
            while True:
                wire = await reader.readexactly(_LENGTH.unpack(await reader.readexactly(2))[0])
                answer = read_answer(wire, message_id, self._question, self._asked)
                if isinstance(answer, Answer):
                    if answer.truncated:
                        answer = replace(answer, failure=Failure.TRUNCATED, rcode="", detail="cut by TCP, too")
                    return replace(answer, transport="tcp")
                self._ignored += 1
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _silence(self) -> Answer:
        detail = f"{self._ignored} messages ignored: another question" if self._ignored else ""
        return Answer(self._question, failure=Failure.TIMEOUT, detail=detail)

    def _stamped(self, answer: Answer, server: ResolverAddress) -> Answer:
        return replace(
            answer,
            resolver=str(server),
            duration_ms=(self._loop.time() - self._began) * 1000,
            attempts=self._sent,
            ignored=self._ignored,
        )

    def _seconds_left(self) -> float:
        return self._ends - self._loop.time()

    def _wait(self) -> float:
        return max(min(self._patience.timeout_seconds, self._seconds_left()), 0.001)
