"""Everything that talks to Azure, put together from the settings. Building opens nothing; each part opens when used."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cloud.arm import Arm
from cloud.container_groups import ContainerGroups
from cloud.credentials import managed_identity
from cloud.event_grid import EventGridTopic
from cloud.logs_ingestion import LogsIngestion
from cloud.networks import Networks
from cloud.private_dns import PrivateDns
from cloud.sink import LogLinesSink, LogsSink
from core.run_context import RunContext, Sink
from core.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential


@dataclass(frozen=True, slots=True)
class Services:
    """One process's doors: share them between invocations, they hold the connections and the token cache."""

    credential: "TokenCredential"
    arm: Arm
    container_groups: ContainerGroups
    private_dns: PrivateDns
    sink: Sink

    def close(self) -> None:
        """Close the connections."""
        self.arm.close()


def build(settings: Settings, *, credential: "TokenCredential | None" = None, sink: Sink | None = None) -> Services:
    """Put the doors together; without a credential the managed identity that the settings name is used."""
    identity = credential or managed_identity(settings.client_id)
    arm = Arm(identity, endpoint=settings.arm_endpoint, ca_bundle=settings.ca_bundle)
    return Services(
        credential=identity,
        arm=arm,
        container_groups=ContainerGroups(arm),
        private_dns=PrivateDns(arm),
        sink=sink or _sink(settings, identity),
    )


def run_context(
    services: Services,
    settings: Settings,
    invocation_id: str,
    attempt: int = 1,
    *,
    deadline_seconds: float | None = None,
) -> RunContext:
    """Give one invocation its surroundings: its own call count and deadline, the process's connections.

    `deadline_seconds` bounds its ARM calls, waits included; one reconcile's deadline if nothing else is said.
    """
    ends = time.monotonic() + (deadline_seconds or settings.reconcile_deadline_seconds)
    arm = services.arm.fork(deadline=lambda: ends - time.monotonic())
    return RunContext(
        settings=settings,
        calls=arm,
        container_groups=ContainerGroups(arm),
        private_dns=PrivateDns(arm),
        sink=services.sink,
        arm_token=arm.token,
        now=lambda: datetime.now(UTC),
        invocation_id=invocation_id,
        attempt=attempt,
        networks=Networks(arm),
        topic=_topic(services, settings),
    )


def _topic(services: Services, settings: Settings) -> EventGridTopic | None:
    endpoint = settings.audit.topic_endpoint
    return EventGridTopic(services.credential, endpoint, ca_bundle=settings.ca_bundle) if endpoint else None


def _sink(settings: Settings, credential: "TokenCredential") -> Sink:
    if settings.logs.ingestion_endpoint is None:
        return LogLinesSink()
    return LogsSink(LogsIngestion(credential, settings.logs, ca_bundle=settings.ca_bundle))
