"""What the platform writes beside our events: requests and exceptions of the function apps, and containers' events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from local_azure.history.arrival import ROLE_OF, Arrived, stamp

if TYPE_CHECKING:
    import random

    from local_azure.history.layout import Place

REQUESTS: Final = "AppRequests"
EXCEPTIONS: Final = "AppExceptions"
RULE_ERRORS: Final = "DCRLogErrors"
CONTAINER_EVENTS: Final = "ContainerEvent_CL"
CONTAINER_LOGS: Final = "ContainerInstanceLog_CL"
TABLES: Final = (REQUESTS, EXCEPTIONS, RULE_ERRORS, CONTAINER_EVENTS, CONTAINER_LOGS)
_STARTING: Final = (("Pulling", "pulling image"), ("Pulled", "Successfully pulled image"),
                    ("Created", "Created container"), ("Started", "Started container"))  # fmt: skip


@dataclass
class Runtime:
    """Rows of the standard tables, on their way."""

    rng: random.Random
    rows: dict[str, list[Arrived]] = field(default_factory=lambda: {name: [] for name in TABLES})

    def request(self, name: str, invocation: str, span: tuple[datetime, datetime], *, ok: bool, role: str = "") -> None:
        """Note one invocation of a function; a failed one left an exception. `span` is when it began and ended."""
        began, ended = span
        common = {
            "TimeGenerated": stamp(began),
            "OperationId": invocation.replace("-", ""),
            "OperationName": name,
            "AppRoleName": role or ROLE_OF.get(name, "func-observer"),
            "ItemCount": 1,
            "Properties": {"InvocationId": invocation},
        }
        took = max((ended - began).total_seconds() * 1000 + self.rng.uniform(1, 9), 1)
        request = {"Id": invocation[:8] + invocation[9:13], "Name": name, "Success": ok,
                   "ResultCode": "0" if ok else "500", "DurationMs": round(took, 3)}  # fmt: skip
        self._put(REQUESTS, {**common, **request}, ended)
        if not ok:
            told = {"ExceptionType": "Microsoft.Azure.WebJobs.Host.FunctionInvocationException",
                    "OuterMessage": f"Exception while executing function: Functions.{name}",
                    "SeverityLevel": 3}  # fmt: skip
            self._put(EXCEPTIONS, {**common, **told, "TimeGenerated": stamp(ended)}, ended)

    def refused(self, at: datetime) -> None:
        """Note that the data collection rule could not take rows."""
        row = {"TimeGenerated": stamp(at), "InputStreamId": "Custom-AciDnsEvents", "OperationName": "Ingestion",
               "Message": "The request was throttled: the ingestion volume rate limit was exceeded."}  # fmt: skip
        self._put(RULE_ERRORS, row, at)

    def container(self, place: Place, kind: str, at: datetime) -> None:
        """Note what a container group's own log says when something was done to it."""
        steps = _STARTING if kind in {"create", "deploy", "restart", "start"} else ()
        if kind in {"deploy", "restart", "stop", "delete"}:
            steps = (("Killing", "Killing container"), *steps)
        for number, (reason, message) in enumerate(steps):
            when = at + timedelta(seconds=4 * number + self.rng.random())
            event = {"Reason_s": reason, "Message": f"{message} {place.id.name}", "Count_d": 1.0}
            self._put(CONTAINER_EVENTS, {**self._who(place, when), **event}, when)
        if steps and steps[-1][0] == "Started":
            when = at + timedelta(seconds=20 + self.rng.random())
            line = {"Message": "listening on 0.0.0.0:8080", "Source_s": "LoggingAgent", "ContainerImage_s": "app:1"}
            self._put(CONTAINER_LOGS, {**self._who(place, when), **line}, when)

    def due(self, until: datetime) -> dict[str, list[Arrived]]:
        """Give the rows taken in before `until`, by table."""
        found = {}
        for name, rows in self.rows.items():
            found[name] = sorted((each for each in rows if each.received < until), key=lambda each: each.received)
            rows[:] = [each for each in rows if each.received >= until]
        return found

    @staticmethod
    def _who(place: Place, at: datetime) -> dict[str, Any]:
        return {"TimeGenerated": stamp(at), "ContainerGroup_s": place.id.name, "ContainerName_s": place.id.name,
                "Location_s": "westeurope", "OSType_s": "Linux", "ResourceGroup": place.id.resource_group,
                "SubscriptionId": place.id.subscription_id, "_ResourceId": place.key}  # fmt: skip

    def _put(self, table: str, row: dict[str, Any], at: datetime) -> None:
        received = at + timedelta(milliseconds=self.rng.randint(500, 30_000))
        self.rows[table].append(Arrived(received, received + timedelta(seconds=self.rng.randint(5, 90)), row))
