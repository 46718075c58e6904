"""Azure Resource Manager: one pipeline, one connection pool, and the SDKs' clients on top of them, made when needed.

The pipeline is ours instead of the SDKs' default for four reasons: requests are counted, waits are bounded by a
deadline, nothing registers resource providers behind our back (the default does, by POST), clients share connections.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from azure.core.pipeline.policies import (
    ContentDecodePolicy,
    CustomHookPolicy,
    HeadersPolicy,
    RequestIdPolicy,
    UserAgentPolicy,
)
from azure.core.rest import HttpRequest
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy

from cloud.arm_pipeline import CallCounter, Patience, PatientRetry, Response, must_be_page
from cloud.errors import guard
from core.arm_id import ArmId
from core.endpoints import PUBLIC_ARM
from core.errors import ConfigurationError
from core.events import TOOL_VERSION

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.core.pipeline.transport import HttpTransport
    from azure.mgmt.containerinstance import ContainerInstanceManagementClient
    from azure.mgmt.privatedns import PrivateDnsManagementClient

USER_AGENT: Final = f"aci-dns-truth/{TOOL_VERSION}"


@dataclass(frozen=True, slots=True)
class _Wire:
    """What views of one Arm share: whom we are, where we go, and the open connections."""

    credential: "TokenCredential"
    endpoint: str
    transport: "HttpTransport[Any, Any]"

    @property
    def scope(self) -> str:
        return self.endpoint + "/.default"


class Arm:
    """The way to Azure Resource Manager.

    `endpoint` is without a trailing slash; tokens are asked for `{endpoint}/.default`. `deadline` gives the seconds
    left, from any clock: no wait and no timeout goes past it. `lean` is for a process of one thread that makes a few
    calls and ends (cloud/lean_transport.py). `calls`, `reads` and `writes` count requests as they go over the wire,
    retries included.
    """

    def __init__(  # noqa: PLR0913 - all but the credential have a default
        self,
        credential: "TokenCredential",
        *,
        endpoint: str = PUBLIC_ARM,
        ca_bundle: str | None = None,
        deadline: Callable[[], float] | None = None,
        patience: Patience | None = None,
        lean: bool = False,
    ) -> None:
        wire = _Wire(credential, endpoint.rstrip("/"), _transport(ca_bundle, lean=lean))
        self._begin(wire, replace(patience or Patience(), seconds_left=deadline))

    def _begin(self, wire: _Wire, patience: Patience) -> None:
        self._wire = wire
        self._patience = patience
        self._counter = CallCounter()
        self._container_instances: dict[str, ContainerInstanceManagementClient] = {}
        self._private_dns: dict[str, PrivateDnsManagementClient] = {}

    def fork(self, deadline: Callable[[], float] | None = None) -> "Arm":
        """Give a view for one piece of work: its own counts and deadline, the same connections and credential."""
        view = Arm.__new__(Arm)
        view._begin(self._wire, replace(self._patience, seconds_left=deadline))  # noqa: SLF001 - its own kind
        return view

    @property
    def calls(self) -> int:
        """Requests sent so far."""
        return self.reads + self.writes

    @property
    def reads(self) -> int:
        """GET and HEAD requests sent so far."""
        return self._counter.reads

    @property
    def writes(self) -> int:
        """All other requests sent so far."""
        return self._counter.writes

    @property
    def pages(self) -> int:
        """Pages of lists that were answered so far."""
        return self._counter.pages

    def on_page(self, response: Response) -> None:
        """Check a page of a list and count it: the `raw_response_hook` of every list."""
        must_be_page(response)
        self._counter.count_page()

    def token(self) -> str:
        """Get an access token for Azure Resource Manager; raises ForbiddenError or UnavailableError."""
        with guard("token for Azure Resource Manager"):
            return self._wire.credential.get_token(self._wire.scope).token

    def container_instances(self, subscription_id: str) -> "ContainerInstanceManagementClient":
        """Give the SDK's client for a subscription's container groups."""
        client = self._container_instances.get(subscription_id)
        if client is None:
            from azure.mgmt.containerinstance import ContainerInstanceManagementClient  # noqa: PLC0415 - 25 ms, if used

            client = ContainerInstanceManagementClient(**self._client_options(subscription_id))
            self._container_instances[subscription_id] = client
        return client

    def private_dns(self, subscription_id: str) -> "PrivateDnsManagementClient":
        """Give the SDK's client for a subscription's private zones."""
        client = self._private_dns.get(subscription_id)
        if client is None:
            from azure.mgmt.privatedns import PrivateDnsManagementClient  # noqa: PLC0415 - 25 ms, if used

            client = PrivateDnsManagementClient(**self._client_options(subscription_id))
            self._private_dns[subscription_id] = client
        return client

    def get(self, resource: ArmId, api_version: str) -> Any:
        """Read a resource that no SDK of ours knows: its JSON. Raises what the SDKs raise; `guard` makes it ours."""
        return self._json(self._plain_client(), f"{self._wire.endpoint}{resource}", {"api-version": api_version})

    def list(self, path: str, api_version: str, **query: str) -> Iterator[dict[str, Any]]:
        """Read a list, all pages, as JSON objects; raises as `get` does, and ValueError for what is no page.

        The SDKs make objects of every property of every item, which takes ten times as long as all else in an audit of
        thousands. A next page elsewhere than at our endpoint is refused: the token goes with the request.
        """
        client, url = self._plain_client(), f"{self._wire.endpoint}{path}"
        params: dict[str, str] = {"api-version": api_version, **query}
        while url:
            body = self._json(client, url, params)
            items = body.get("value") if isinstance(body, dict) else None
            if not isinstance(items, list):
                raise ValueError("a page of a list has no 'value'")  # noqa: TRY004 - what is read is wrong, not the caller
            self._counter.count_page()
            yield from items
            url, params = body.get("nextLink") or "", {}
            if url and not url.startswith(f"{self._wire.endpoint}/"):
                raise ValueError("the next page of a list is at another place")

    def _plain_client(self) -> Any:
        from azure.mgmt.core import ARMPipelineClient  # noqa: PLC0415 - as for the clients above

        policies = self._client_options("")["policies"]
        return ARMPipelineClient(base_url=self._wire.endpoint, policies=policies, transport=self._wire.transport)

    @staticmethod
    def _json(client: Any, url: str, params: dict[str, str]) -> Any:
        response = client.send_request(HttpRequest("GET", url, params=params))
        response.raise_for_status()
        return response.json()

    def close(self) -> None:
        """Close the connections, of every view."""
        self._wire.transport.close()

    def _client_options(self, subscription_id: str) -> dict[str, Any]:
        return {
            "credential": self._wire.credential,
            "subscription_id": subscription_id,
            "base_url": self._wire.endpoint,
            "credential_scopes": [self._wire.scope],
            "transport": self._wire.transport,
            "policies": [
                RequestIdPolicy(),
                HeadersPolicy(),
                UserAgentPolicy(user_agent=USER_AGENT),
                CustomHookPolicy(),  # before decoding, so that hooks run after it
                ContentDecodePolicy(),
                PatientRetry(self._patience),
                ARMChallengeAuthenticationPolicy(self._wire.credential, self._wire.scope),
                self._counter,
            ],
        }


def _transport(ca_bundle: str | None, *, lean: bool) -> "HttpTransport[Any, Any]":
    if ca_bundle and not Path(ca_bundle).exists():
        raise ConfigurationError(f"REQUESTS_CA_BUNDLE names a file that does not exist: {ca_bundle}")
    if lean:
        from cloud.lean_transport import LeanTransport  # noqa: PLC0415 - the worker's alone

        return LeanTransport(ca_bundle)
    from azure.core.pipeline.transport import RequestsTransport  # noqa: PLC0415 - its `requests` is the dearest import

    usual: HttpTransport[Any, Any] = RequestsTransport(connection_verify=ca_bundle or True)
    return usual
