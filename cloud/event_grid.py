"""Publishes to a custom Event Grid topic: one POST, with the identity's own token (role EventGrid Data Sender).

Written on azure-core's pipeline: Microsoft's library for it would be one more dependency for a single request.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from azure.core import PipelineClient
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RequestIdPolicy, UserAgentPolicy
from azure.core.rest import HttpRequest

from cloud.arm_pipeline import Patience, PatientRetry
from cloud.errors import guard
from core.events import TOOL_VERSION

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

SCOPE: Final = "https://eventgrid.azure.net/.default"
API_VERSION: Final = "2018-01-01"
EVENTS_PER_REQUEST: Final = 100
"""Far below the limit of 1 MB: one of our events has less than 2 kB, its subject at most 2,048 characters."""


class EventGridTopic:
    """One custom topic. `endpoint` is the topic's URL as Azure gives it, `https://…/api/events`.

    Opens nothing before the first event. A request that is repeated may be delivered twice, as every event may.
    """

    def __init__(
        self,
        credential: "TokenCredential",
        endpoint: str,
        *,
        ca_bundle: str | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._credential = credential
        self._endpoint = endpoint
        self._ca_bundle = ca_bundle
        self._patience = patience or Patience(attempts=3, longest_wait_seconds=10.0)

    def publish(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Send events in the Event Grid schema, in requests of at most 100; raises CloudError at the first refusal."""
        tls: dict[str, Any] = {"connection_verify": self._ca_bundle} if self._ca_bundle else {}
        policies = [
            RequestIdPolicy(),
            UserAgentPolicy(user_agent=f"aci-dns-truth/{TOOL_VERSION}"),
            PatientRetry(self._patience),
            BearerTokenCredentialPolicy(self._credential, SCOPE),
        ]
        with PipelineClient[Any, Any](self._endpoint, policies=policies, **tls) as client:
            for batch in _batches(events):
                request = HttpRequest("POST", self._endpoint, params={"api-version": API_VERSION}, json=batch)
                with guard(f"event_grid.publish of {len(batch)} events"):
                    client.send_request(request).raise_for_status()


def _batches(events: Sequence[Mapping[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(events), EVENTS_PER_REQUEST):
        yield [dict(event) for event in events[start : start + EVENTS_PER_REQUEST]]
