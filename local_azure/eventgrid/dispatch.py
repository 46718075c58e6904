"""Delivers events to subscribers: batches, attempts, waits, dead letters, and what faults do to them.

The unit is a batch, as it is in Azure: it succeeds or fails as a whole and is tried again as a whole. Order is not kept
and an event may arrive twice, because the real one promises neither.
"""

import asyncio
import random
import uuid
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from local_azure.eventgrid import deadletter
from local_azure.eventgrid.delivery import (
    ANSWER_SHOWN,
    AttemptRecord,
    Delivery,
    Options,
    State,
    batches,
    endpoint_url,
    payload,
)
from local_azure.eventgrid.faults import DeliveryFault, DeliveryFaultKind
from local_azure.eventgrid.model import EventSubscription
from local_azure.eventgrid.post import HttpAnswer, NotLocalError, request
from local_azure.eventgrid.schedule import DEAD_LETTER_DELAY, Attempt, Delivered, GiveUp, Reaction, decide

KEPT_DELIVERIES: Final = 100_000
MAX_CONCURRENT: Final = 64


class Deliveries:
    """All deliveries of one Event Grid. Everything runs on the loop; `now` gives the time of records."""

    def __init__(self, options: Options, rng: random.Random, now: Callable[[], datetime]) -> None:
        self.options = options
        self.log: deque[Delivery] = deque(maxlen=KEPT_DELIVERIES)
        self.dead_letters: list[dict[str, Any]] = []
        self._rng = rng
        self._now = now
        self._count = 0
        self._open = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._slots = asyncio.Semaphore(MAX_CONCURRENT)
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready: dict[str, list[Delivery]] = {}
        self._held: list[Delivery] = []

    @property
    def open(self) -> int:
        """How many deliveries are not at their end."""
        return self._open

    def submit(self, subscription: EventSubscription, event: Any, *, raw: bytes | None = None) -> None:
        """Take an event for a subscriber; faults are drawn here, once for each event."""
        struck = self._struck(subscription, event)
        if "drop" in struck:
            dropped = self._new(subscription, event, raw)
            self._end(dropped, "dropped", "Fault")
            return
        for _ in range(2 if "duplicate" in struck else 1):
            delivery = self._new(subscription, event, raw)
            delivery.lose_ack = "lost_ack" in struck
            if "reorder" in struck:
                self._held.append(delivery)
                self._later(struck["reorder"].seconds, lambda held=delivery: self._release([held]))  # type: ignore[misc]  # a default argument binds early
            elif "delay" in struck:
                self._later(struck["delay"].seconds, lambda late=delivery: self._make_ready(late))  # type: ignore[misc]  # same
            else:
                self._make_ready(delivery)

    async def wait_idle(self, timeout: float) -> None:  # noqa: ASYNC109 - a test's bound, with a message that helps
        """Wait until every delivery is at its end. Raises TimeoutError that names those that are not."""
        try:
            async with asyncio.timeout(timeout):
                await self._idle.wait()
        except TimeoutError:
            left = [
                f"{item.subscription.name}: {item.shown()['subject']}" for item in self.log if item.state == "pending"
            ]
            raise TimeoutError(
                f"{self._open} deliveries are pending after {timeout} s: {'; '.join(left[:5])}"
            ) from None

    async def clear(self) -> None:
        """Forget everything, ending what is on its way."""
        tasks = list(self._tasks)
        self.forget()
        await asyncio.gather(*tasks, return_exceptions=True)

    def forget(self) -> None:
        """Forget everything; tasks on their way are told to end and end on the loop's next turns."""
        for task in self._tasks:
            task.cancel()
        self.log.clear()
        self.dead_letters.clear()
        self._ready.clear()
        self._held.clear()
        self._open = 0
        self._idle.set()

    def _struck(self, subscription: EventSubscription, event: Any) -> dict[DeliveryFaultKind, DeliveryFault]:
        described = event if isinstance(event, dict) else {}
        return {rule.kind: rule for rule in self.options.faults if rule.draws(subscription.name, described, self._rng)}

    def _new(self, subscription: EventSubscription, event: Any, raw: bytes | None) -> Delivery:
        self._count += 1
        delivery = Delivery(self._count, subscription, event, self._now(), raw)
        self.log.append(delivery)
        self._open += 1
        self._idle.clear()
        return delivery

    def _end(self, delivery: Delivery, state: State, reason: str = "") -> None:
        delivery.state, delivery.reason = state, reason
        self._open -= 1
        if self._open == 0:
            self._idle.set()

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        async def wait() -> None:
            await asyncio.sleep(seconds * self.options.time_scale)
            action()

        self._spawn(wait())

    def _release(self, deliveries: list[Delivery]) -> None:
        """Let reordered events go that are still held back."""
        for delivery in deliveries:
            if delivery in self._held:
                self._held.remove(delivery)
                self._make_ready(delivery)

    def _make_ready(self, delivery: Delivery) -> None:
        """Queue for the next batch, which leaves on the loop's next turn: Event Grid never waits to fill one."""
        waiting = self._ready.setdefault(delivery.subscription.id, [])
        waiting.append(delivery)
        if len(waiting) == 1:
            asyncio.get_running_loop().call_soon(self._flush, delivery.subscription.id)

    def _flush(self, subscription_id: str) -> None:
        for batch in batches(self._ready.pop(subscription_id, [])):
            self._spawn(self._run(batch))

    async def _run(self, batch: list[Delivery]) -> None:
        """Try until delivered or given up."""
        subscription = batch[0].subscription
        while True:
            if subscription.state == "Deleting":
                return self._end_all(batch, "dropped", "SubscriptionDeleted")
            reaction = await self._attempt(batch)
            if reaction is None:
                return self._end_all(batch, "undeliverable", "NotOnThisMachine")
            number, age = len(batch[0].attempts), batch[0].age_seconds
            definition = subscription.definition
            decision = decide(definition.destination.kind, definition.retry, Attempt(number, age, reaction), self._rng)
            if isinstance(decision, Delivered):
                self._end_all(batch, "delivered")
                first = batch[0]
                return self._release(
                    [it for it in self._held if it.subscription is subscription and it.number < first.number]
                )
            if isinstance(decision, GiveUp):
                return await self._give_up(batch, decision.reason, reaction.outcome)
            await asyncio.sleep(decision.wait_seconds * self.options.time_scale)
            for delivery in batch:
                delivery.age_seconds += decision.wait_seconds

    def _end_all(self, batch: list[Delivery], state: State, reason: str = "") -> None:
        for delivery in batch:
            self._end(delivery, state, reason)

    async def _attempt(self, batch: list[Delivery]) -> Reaction | None:
        """Post the batch once and record how it went; None when the endpoint is not on this machine."""
        subscription = batch[0].subscription
        url = endpoint_url(subscription, self.options)
        started, clock = self._now(), asyncio.get_running_loop().time()
        answer = HttpAnswer(0)
        try:
            async with self._slots:
                body, headers = payload(batch)
                answer = await request("POST", url, headers, body, self.options.response_timeout)
            reaction = Reaction(answer.status)
        except NotLocalError:
            return None
        except TimeoutError:
            reaction = Reaction(error="TimedOut")
        except OSError:
            reaction = Reaction(error="SocketError")
        if reaction.succeeded and any(delivery.lose_ack for delivery in batch):
            reaction = Reaction(error="TimedOut")
        seconds = asyncio.get_running_loop().time() - clock
        text = answer.body[:ANSWER_SHOWN].decode("utf-8", "replace")
        for delivery in batch:
            delivery.lose_ack = False
            delivery.age_seconds += seconds
            delivery.attempts.append(AttemptRecord(started, seconds, reaction.status, reaction.outcome, text))
        return reaction

    async def _give_up(self, batch: list[Delivery], reason: str, outcome: str) -> None:
        """Write dead letters after their delay, or drop where there is no place for them."""
        definition = batch[0].subscription.definition
        if definition.dead_letters is None or self.options.dead_letter_directory is None:
            return self._end_all(batch, "dropped", reason)
        await asyncio.sleep(DEAD_LETTER_DELAY * self.options.time_scale)
        letters = [
            deadletter.DeadLetter(
                reason, len(delivery.attempts), outcome, delivery.published_at, delivery.attempts[-1].started_at
            ).laid_on(delivery.event)
            for delivery in batch
        ]
        name = str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
        path = deadletter.blob_path(
            self.options.dead_letter_directory, definition.dead_letters, batch[0].subscription.name, self._now(), name
        )
        await asyncio.to_thread(deadletter.write, path, letters)
        self.dead_letters.extend(letters)
        return self._end_all(batch, "dead_lettered", reason)
