"""The person at the other end of the demo: does things to the local Azure by its REST API, and looks at the outcome.

No SDK here: this is what happens *to* the toolkit, so it must not share code with it.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import requests

from cli.demo.world import CONTAINER_API, DNS_API, Group, zone_id
from core.errors import ToolkitError

T = TypeVar("T")
POLL_SECONDS: Final = 0.05
REQUEST_SECONDS: Final = 20.0
_BAD: Final = 400


class DemoError(ToolkitError):
    """The demo could not go on: what was tried, or waited for, and what came instead."""

    code = "demo_failed"


def wait_for(what: str, look: Callable[[], T | None], seconds: float) -> T:
    """Look until there is something; raises DemoError that says what was waited for."""
    ends = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None:
            return found
        if time.monotonic() > ends:
            raise DemoError(f"waited {seconds:g} s for this, and it did not happen: {what}")
        time.sleep(POLL_SECONDS)


class Azure:
    """The local Azure. `base` is its https URL, `ca` the path of its CA's certificate. Threads may share it."""

    def __init__(self, base: str, ca: str, workspace_id: str) -> None:
        self._base = base
        self._workspace_id = workspace_id
        self._session = requests.Session()
        self._session.trust_env = False  # REQUESTS_CA_BUNDLE would win over `verify`, and a proxy over loopback
        self._session.verify = ca
        self._session.headers["Authorization"] = "Bearer somebody"
        self._session.mount("https://", requests.adapters.HTTPAdapter(pool_connections=4, pool_maxsize=16))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def call(self, method: str, path: str, api_version: str = "", body: Any = None) -> requests.Response:
        """Send one request; raises DemoError for any answer of 400 and above."""
        query = {"api-version": api_version} if api_version else {}
        try:
            answer = self._session.request(method, self._base + path, params=query, json=body, timeout=REQUEST_SECONDS)
        except requests.RequestException as error:
            raise DemoError(f"{method} {path}: the local Azure does not answer: {error}") from error
        if answer.status_code >= _BAD:
            raise DemoError(f"{method} {path}: {answer.status_code}: {answer.text[:500]}")
        return answer

    def do(self, method: str, path: str, api_version: str, body: Any = None) -> None:
        """Send a request and wait until the operation that it starts has ended well."""
        answer = self.call(method, path, api_version, body)
        operation = answer.headers.get("Azure-AsyncOperation")
        if not operation:
            return
        where = operation.removeprefix(self._base)

        def ended() -> str | None:
            status = str(self.call("GET", where).json().get("status"))
            return None if status in ("InProgress", "Pending", "Running") else status

        status = wait_for(f"the end of {method} {path}", ended, REQUEST_SECONDS)
        if status != "Succeeded":
            raise DemoError(f"{method} {path}: the operation ended as {status}")

    def get(self, path: str, api_version: str) -> Any:
        """Read a resource."""
        return self.call("GET", path, api_version).json()

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Use what the local Azure has and Azure has not, below `/_local/`."""
        answer = self.call(method, f"/_local/{path}", body=body)
        return answer.json() if answer.content else None

    def create(self, group: Group) -> None:
        """Create a container group, or create it again."""
        self.do("PUT", group.id, CONTAINER_API, group.body())

    def delete(self, group: Group) -> None:
        """Delete a container group."""
        self.do("DELETE", group.id, CONTAINER_API)

    def restart(self, group: Group) -> None:
        """Restart a container group."""
        self.do("POST", f"{group.id}/restart", CONTAINER_API)

    def address(self, group: Group) -> str:
        """Give the live address of a container group, empty when it has none."""
        found = self.get(group.id, CONTAINER_API)["properties"].get("ipAddress") or {}
        return str(found.get("ip") or "")

    def groups(self, subscription: str) -> list[dict[str, Any]]:
        """List a subscription's container groups."""
        path = f"/subscriptions/{subscription}/providers/Microsoft.ContainerInstance/containerGroups"
        found: list[dict[str, Any]] = self.get(path, CONTAINER_API)["value"]
        return found

    def records(self, zone: str) -> list[dict[str, Any]]:
        """List the record sets of a zone, page by page."""
        page = self.get(f"{zone_id(zone)}/ALL", DNS_API)
        found: list[dict[str, Any]] = list(page["value"])
        while link := page.get("nextLink"):
            page = self.call("GET", str(link).removeprefix(self._base)).json()
            found += page["value"]
        return found

    def query(self, kql: str) -> list[dict[str, Any]]:
        """Ask the event table."""
        path = f"/v1/workspaces/{self._workspace_id}/query"
        table = self.call("POST", path, body={"query": kql}).json()["tables"][0]
        names = [column["name"] for column in table["columns"]]
        return [dict(zip(names, row, strict=True)) for row in table["rows"]]

    def open_deliveries(self) -> int:
        """Count the deliveries that are not at their end."""
        return int(self.control("GET", "eventgrid")["open"])

    def requests_since(self, total: int) -> Mapping[str, Any]:
        """Give the ARM requests made after `total` of them: total, counts by operation, the newest ones."""
        found: dict[str, Any] = self.control("GET", f"requests?since={total}")
        return found
