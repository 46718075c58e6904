"""What an act works with: the local Azure, the resolvers, the event table, and the waiting for what must come."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import requests

from cli.demo.azure import Azure, DemoError, wait_for
from cli.demo.processes import ROOT, base_environment
from cli.demo.resolver import Answer, ask, ask_ptr
from cli.demo.world import NETWORKS, Group
from cli.reconcile import event_for
from core.arm_id import parse_container_group
from core.events import EventType

DNS_SECONDS: Final = 40.0
"""How long DNS may take to be right after a change: a second or two, on a machine that is busy otherwise much more."""
SETTLE_SECONDS: Final = 60.0
COMMAND_SECONDS: Final = 60.0
ROW_POLL_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Look:
    """What one resolver says of a group: its A record, and the PTR of the address it should have (or had)."""

    a: Answer
    ptr: Answer

    def is_right(self, fqdn: str, ip: str) -> bool:
        """Tell whether both directions are as they should be; an empty address means that neither should exist."""
        if not ip:
            return self.a.rcode == self.ptr.rcode == "NXDOMAIN"
        return self.a.values == (ip,) and self.ptr.values == (fqdn,)


@dataclass
class Stage:
    """The running world. `resolvers` are `host:port` by network name; `check` raises when a process has died.

    `functions` is where the functions host is: its `url`, and its `code`.
    """

    azure: Azure
    resolvers: Mapping[str, str]
    environment: Mapping[str, str]
    functions: Mapping[str, str]
    check: Callable[[], None]
    report: Callable[[str], None] = lambda _: None
    addresses: dict[str, None] = field(default_factory=dict)
    """Every address that a group ever had here, in order."""
    waits: list[datetime] = field(default_factory=list)
    """Instants at which nobody comes for a while: there the clock of the alert rules runs ahead (cli/demo/alarm.py)."""

    def wait_for_nobody(self) -> None:
        """Let the alert rules' clock run ahead from here, as if nobody came to repair."""
        self.waits.append(datetime.now(UTC))

    def address(self, group: Group) -> str:
        """Give a group's live address, and remember that it was used."""
        ip = self.azure.address(group)
        if not ip:
            raise DemoError(f"{group.id} has no address although its operation has ended")
        self.addresses[ip] = None
        return ip

    def look(self, fqdn: str, ip: str, network: str = NETWORKS[0].name) -> Look:
        """Ask one resolver for a name and for an address."""
        resolver = self.resolvers[network]
        return Look(ask(resolver, fqdn, "A"), ask_ptr(resolver, ip))

    def until_right(self, group: Group, ip: str, *, gone: Iterable[str] = ()) -> Look:
        """Wait until every network resolves name and address, and no PTR is left at the addresses that are `gone`.

        Gives what the hub's resolver says then.
        """
        self.report(f"until {group.fqdn} is {ip} everywhere")
        for network in self.resolvers:
            self.until(
                f"{group.fqdn} is {ip}, and {ip} is {group.fqdn}, in {network}",
                lambda network=network: self.look(group.fqdn, ip, network).is_right(group.fqdn, ip),  # type: ignore[misc]  # a default argument binds early
            )
        for address in gone:
            self.until_no_ptr(address)
        return self.look(group.fqdn, ip)

    def until_gone(self, group: Group, ip: str) -> Look:
        """Wait until no network knows name or address; give what the hub's resolver says then."""
        self.report(f"until {group.fqdn} is gone everywhere")
        for network in self.resolvers:
            self.until(
                f"{group.fqdn} and {ip} are NXDOMAIN in {network}",
                lambda network=network: self.look(group.fqdn, ip, network).is_right(group.fqdn, ""),  # type: ignore[misc]  # same
            )
        return self.look(group.fqdn, ip)

    def until_no_ptr(self, ip: str) -> None:
        """Wait until an address has no name."""
        resolver = next(iter(self.resolvers.values()))
        self.until(f"{ip} has no PTR", lambda: ask_ptr(resolver, ip).rcode == "NXDOMAIN")

    def until_row(self, group: Group, kind: EventType, since: datetime) -> Mapping[str, Any]:
        """Wait until the event table has a row of this type for the group, later than `since`; give it."""
        self.report(f"for {kind.value} of {group.name} in the event table")

        def look() -> Mapping[str, Any] | None:
            self.check()
            found = [row for row in self.rows(since) if is_about(row, group.id, kind)]
            if not found:
                time.sleep(ROW_POLL_SECONDS)
            return found[-1] if found else None

        return wait_for(f"{kind.value} of {group.id} in the event table", look, DNS_SECONDS)

    def rows(self, since: datetime | None = None) -> list[dict[str, Any]]:
        """Give the rows of the event table, oldest first."""
        after = f"| where EventTime >= datetime({since.astimezone(UTC).isoformat()}) " if since else ""
        return self.azure.query(f"AciDnsEvents() {after}| sort by EventTime asc")

    @contextmanager
    def faults(self, *faults: dict[str, Any]) -> Iterator[None]:
        """Let Event Grid do this to deliveries for a while."""
        self.azure.control("POST", "eventgrid", {"faults": list(faults)})
        try:
            yield
        finally:
            self.azure.control("POST", "eventgrid", {"faults": []})

    def deliveries(self) -> Callable[[], list[dict[str, Any]]]:
        """Give a look at the deliveries that begin from now on."""

        def every() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = self.azure.control("GET", "eventgrid/deliveries")["value"]
            return found

        last = max((int(item["number"]) for item in every()), default=0)
        return lambda: [item for item in every() if int(item["number"]) > last]

    def publish(self, group: Group, subscription: str) -> None:
        """Publish "look at this group again" to one subscriber, as the audit will."""
        event = event_for(parse_container_group(group.id), datetime.now(UTC))
        self.azure.control("POST", "eventgrid/publish", {"events": [event], "subscriptions": subscription})

    def run_function(self, name: str) -> None:
        """Run a function now, as its schedule would, and wait for its end."""
        self.report(f"for the function {name}")
        url = f"{self.functions['url']}/admin/functions/{name}?wait=1"
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(url, headers={"x-functions-key": self.functions["code"]}, timeout=COMMAND_SECONDS)
        if answer.status_code != requests.codes.accepted:
            raise DemoError(f"the function {name} failed: {answer.status_code} {answer.text[:1000]}")

    def settle(self) -> None:
        """Wait until every delivery is at its end."""
        self.report("until every event is delivered")

        def quiet() -> bool | None:
            self.check()
            return self.azure.open_deliveries() == 0 or None

        wait_for("every event is delivered or given up", quiet, SETTLE_SECONDS)

    def drift(self, *arguments: str) -> str:
        """Run the `drift` command as a person would, with this world's environment; give its stdout."""
        self.report(f"for drift {arguments[0]}")
        environment = {**base_environment(), **self.environment}
        command = [sys.executable, "-m", "cli", *arguments]
        try:
            done = subprocess.run(
                command, env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=COMMAND_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise DemoError(f"waited {COMMAND_SECONDS:g} s for drift {' '.join(arguments)}") from error
        if done.returncode != 0:
            raise DemoError(f"drift {' '.join(arguments)} ended with {done.returncode}: {done.stderr[-1000:]}")
        return done.stdout

    def until(self, what: str, holds: Callable[[], bool]) -> None:
        """Wait until something holds."""

        def look() -> bool | None:
            self.check()
            return holds() or None

        wait_for(what, look, DNS_SECONDS)


def is_about(row: Mapping[str, Any], group_id: str, kind: EventType) -> bool:
    """Tell whether a row is of this type and about this group."""
    return row["EventType"] == kind.value and str(row.get("ContainerGroupId") or "").lower() == group_id.lower()
