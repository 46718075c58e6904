"""Event Grid itself: takes ARM's events, finds who subscribed, hands them to the deliveries."""

import random
import tempfile
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from local_azure.eventgrid.delivery import Options
from local_azure.eventgrid.dispatch import Deliveries
from local_azure.eventgrid.envelope import Particulars, resource_event, to_cloud_event, with_topic
from local_azure.eventgrid.model import CLOUD_EVENT_SCHEMA, EventSubscription, SystemTopic, define

if TYPE_CHECKING:
    from local_azure.world import ArmEvent, World

KEPT_EVENTS: Final = 10_000


class EventGrid:
    """The event sink of a World. `emitted` has the newest ARM events, delivered or not.

    Ids and jitter come from a generator of its own: what Event Grid draws must not shift ARM's etags.
    """

    def __init__(self, world: "World") -> None:
        self._world = world
        self.subscriptions: dict[str, EventSubscription] = {}
        self.topics: dict[str, SystemTopic] = {}
        self.operations: dict[str, dict[str, Any]] = {}
        self.pending_validations: dict[str, EventSubscription] = {}
        self.emitted: deque[ArmEvent] = deque(maxlen=KEPT_EVENTS)
        self.rng = random.Random(f"{world.seed}/eventgrid")  # noqa: S311 - a seed, not a secret
        self.options = Options(time_scale=world.settings.time_scale)
        self.deliveries = Deliveries(self.options, self.rng, world.now)
        self._existing: set[str] = set()
        self._own_directory: tempfile.TemporaryDirectory[str] | None = None

    def start(self) -> None:
        """Make a place for dead letters where none was set."""
        if self.options.dead_letter_directory is not None:
            return
        if self._world.settings.data_dir is not None:
            self.options.dead_letter_directory = Path(self._world.settings.data_dir) / "dead-letters"
            return
        self._own_directory = tempfile.TemporaryDirectory(prefix="local-azure-dead-letters-")
        self.options.dead_letter_directory = Path(self._own_directory.name)

    async def stop(self) -> None:
        """End all deliveries; dead letters are kept only where a directory was given."""
        await self.deliveries.clear()
        if self._own_directory is not None:
            self._own_directory.cleanup()
            self._own_directory, self.options.dead_letter_directory = None, None

    def reset(self) -> None:
        """Forget subscriptions, deliveries and faults; function hosts and the directory stay."""
        for store in (self.subscriptions, self.topics, self.operations, self.pending_validations):
            store.clear()
        self.emitted.clear()
        self._existing.clear()
        self.deliveries.forget()
        self.options.faults = []
        self.rng.seed(f"{self._world.seed}/eventgrid")

    def save(self) -> dict[str, Any]:
        """Give what outlives the process as JSON; deliveries on their way do not."""
        names = ("id", "name", "type", "topic", "source", "topic_type", "wanted", "state")
        return {
            "subscriptions": [{name: getattr(item, name) for name in names} for item in self.subscriptions.values()],
            "topics": [asdict(topic) for topic in self.topics.values()],
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take back what `save` gave."""
        for item in saved["subscriptions"]:
            definition = define(item["wanted"], item["topic_type"])
            self.subscriptions[item["id"].lower()] = EventSubscription(**item, definition=definition)
        for item in saved["topics"]:
            self.topics[item["id"].lower()] = SystemTopic(**item)

    def new_id(self) -> str:
        """Make a seeded GUID."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def emit(self, event: "ArmEvent") -> None:
        """Take an ended operation from ARM."""
        self.emitted.append(event)
        self.publish(resource_event(event, self._particulars(event)))

    def publish(self, event: Mapping[str, Any]) -> int:
        """Deliver an event in Event Grid schema to everybody who hears of its subject; give their number."""
        found = [
            subscription
            for subscription in self.subscriptions.values()
            if subscription.hears(str(event.get("subject", "")))
            and subscription.state in ("Succeeded", "Updating")
            and subscription.definition.filter.matches(with_topic(event, subscription.topic))
        ]
        for subscription in found:
            self.deliveries.submit(subscription, _as_wanted(subscription, with_topic(event, subscription.topic)))
        return len(found)

    def publish_raw(self, event: Any, subscriptions: str, raw: bytes | None = None) -> int:
        """Deliver anything to the subscriptions of that name (a glob), past filters and scopes; give their number."""
        found = list(self._named(subscriptions))
        for subscription in found:
            topped = (
                with_topic(event, subscription.topic) if isinstance(event, dict) and "topic" not in event else event
            )
            self.deliveries.submit(subscription, _as_wanted(subscription, topped), raw=raw)
        return len(found)

    def _named(self, glob: str) -> Iterator[EventSubscription]:
        for subscription in self.subscriptions.values():
            if fnmatchcase(subscription.name.lower(), glob.lower()):
                yield subscription

    def _particulars(self, event: "ArmEvent") -> Particulars:
        """Choose an event's id and spelling, and say whether its resource was there before."""
        key = event.resource_id.lower()
        existed = event.kind != "Write" or event.method == "PATCH" or key in self._existing
        if event.outcome == "Success":
            (self._existing.discard if event.kind == "Delete" else self._existing.add)(key)
        lowercase = self.rng.random() < self.options.lowercase_resource_groups
        return Particulars(self.new_id(), self._world.settings.tenant_id, lowercase, existed)


def _as_wanted(subscription: EventSubscription, event: Any) -> Any:
    """Give the event in the subscription's schema; what is no object stays as it is."""
    if subscription.definition.schema == CLOUD_EVENT_SCHEMA and isinstance(event, dict):
        return to_cloud_event(event)
    return event
