"""Asks for targets and judges the answers; what is wrong is asked for once more after the resolver has forgotten it.

A negative answer stays in resolvers' memory for its negative TTL. Until that is over a repaired record looks broken, so
no failure counts before a second look. One wait serves all failing targets: the longest that one of them needs.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.probe_settings import ProbeSettings
from probe.answer import Answer, Question
from probe.resolve import Asker, Patience
from probe.resolvers import ResolverSet
from probe.target import Target
from probe.verdict import Judgement, Verdict, judge

UNKNOWN_MEMORY_SECONDS: Final = 1.0
"""How long to wait where the answer does not say: BIND remembers a SERVFAIL for one second."""

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Looks:
    """A target's first look and, when that was wrong and there was time, the second, so many seconds later."""

    first: Judgement
    second: Judgement | None = None
    seconds: float = 0.0

    @property
    def verdict(self) -> Verdict:
        """Give the first look's verdict, or `flapping` when the second one's differs."""
        if self.second is None or self.second.verdict is self.first.verdict:
            return self.first.verdict
        return Verdict.FLAPPING


async def look_at_all(
    targets: Sequence[Target], resolvers: Sequence[ResolverSet], settings: ProbeSettings, sleep: Sleep
) -> list[list[Looks]]:
    """Look at every target through every resolver set, the sets side by side; one list for each set."""
    ends = asyncio.get_running_loop().time() + settings.deadline_seconds
    patience = Patience(
        concurrency=max(settings.concurrency // max(len(resolvers), 1), 1),
        timeout_seconds=settings.timeout_seconds,
        attempts=settings.attempts,
        deadline_seconds=settings.deadline_seconds,
    )
    askers = [Asker(resolver, patience, ends) for resolver in resolvers]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_look_and_confirm(targets, each, settings, ends, sleep)) for each in askers]
    return [task.result() for task in tasks]


async def _look_and_confirm(
    targets: Sequence[Target], asker: Asker, settings: ProbeSettings, ends: float, sleep: Sleep
) -> list[Looks]:
    found = [Looks(judgement) for judgement in await look(targets, asker)]
    doubtful = [index for index, each in enumerate(found) if each.verdict not in {Verdict.OK, Verdict.NOT_ASKED}]
    seconds = seconds_to_wait((found[index].first for index in doubtful), settings.confirm_seconds)
    if not doubtful or not settings.confirm_seconds or asyncio.get_running_loop().time() + seconds >= ends:
        return found
    await sleep(seconds)
    again = await look([targets[index] for index in doubtful], asker)
    for index, second in zip(doubtful, again, strict=True):
        if second.verdict is not Verdict.NOT_ASKED:
            found[index] = replace(found[index], second=second, seconds=seconds)
    return found


async def look(targets: Sequence[Target], asker: Asker) -> list[Judgement]:
    """Ask for every target's address and, where one is expected, its PTR, all at once; judge."""
    questions = [question for target in targets for question in questions_of(target)]
    answers = iter(await asker.ask_all(questions))
    return list(_judged(targets, answers))


def questions_of(target: Target) -> tuple[Question, ...]:
    """Give the one or two questions of a target, the forward one first."""
    forward = Question(target.fqdn, target.address_type)
    return (forward, Question(target.ptr_name, "PTR")) if target.expects_ptr else (forward,)


def seconds_to_wait(failing: Iterator[Judgement], at_most: float) -> float:
    """Say after how long every wrong answer has been forgotten, as far as that is within bounds."""
    waits = [
        UNKNOWN_MEMORY_SECONDS if memory is None else float(memory)
        for judgement in failing
        for finding in judgement.findings
        if not finding.is_ok
        for memory in [finding.answer.memory_seconds]
    ]
    return min(max(waits, default=0.0), at_most)


def _judged(targets: Sequence[Target], answers: Iterator[Answer]) -> Iterator[Judgement]:
    for target in targets:
        forward = next(answers)
        yield judge(target, forward, next(answers) if target.expects_ptr else None)
