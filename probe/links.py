"""The link audit: every virtual network that must see a zone, and whether it does. Pure; `audit.py` reads.

| state                | what is wrong                                                                            |
|----------------------|------------------------------------------------------------------------------------------|
| linked               | nothing                                                                                  |
| not_linked           | names, or addresses, of this zone are NXDOMAIN in that network                           |
| zone_missing         | the zone does not exist where the zone map says                                          |
| wrong_zone           | another zone of the same name, in another resource group, is linked instead              |
| in_progress          | the link is not complete: it answers in a minute or a few                                |
| linked_twice         | two links of the zone lead to the network, or a second zone of its name is linked too    |
| overlapping          | a longer zone is linked too and hides a part of this one                                 |
| registration_enabled | on a reverse zone: Azure does not support it, and such a link may never complete         |
| unknown              | the zone or its links could not be read                                                  |
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.names import is_within
from core.records import ZoneRef
from probe import commands
from probe.target import network_name
from probe.zones import AzureFacts, Zone, is_reverse_zone, same_place


class LinkState(StrEnum):
    """How one virtual network and one zone stand to each other."""

    LINKED = "linked"
    NOT_LINKED = "not_linked"
    ZONE_MISSING = "zone_missing"
    WRONG_ZONE = "wrong_zone"
    IN_PROGRESS = "in_progress"
    LINKED_TWICE = "linked_twice"
    OVERLAPPING = "overlapping"
    REGISTRATION_ENABLED = "registration_enabled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A virtual network (its id) must see a zone."""

    vnet_id: str
    zone: ZoneRef


@dataclass(frozen=True, slots=True)
class LinkProblem:
    """One thing that is wrong, in a sentence, and the command that repairs it."""

    state: LinkState
    message: str
    fix: str

    def to_json(self) -> dict[str, str]:
        """Give it as JSON values."""
        return {"state": self.state.value, "message": self.message, "fix": self.fix}


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One network and one zone, the names of the links between them, and what is wrong."""

    vnet_id: str
    zone: ZoneRef
    links: tuple[str, ...] = ()
    problems: tuple[LinkProblem, ...] = ()

    @property
    def state(self) -> LinkState:
        """Give the first problem's state, or linked."""
        return self.problems[0].state if self.problems else LinkState.LINKED

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return {
            "vnet_id": self.vnet_id,
            "zone": self.zone.name,
            "zones_resource_group": self.zone.resource_group,
            "zones_subscription_id": self.zone.subscription_id,
            "state": self.state.value,
            "links": list(self.links),
            "problems": [problem.to_json() for problem in self.problems],
        }


@dataclass(frozen=True, slots=True)
class LinkReport:
    """All rows, by network, then by zone. `remarks` say what could not be read, and so was not audited."""

    rows: tuple[LinkRow, ...] = ()
    remarks: tuple[str, ...] = ()
    arm_calls: int = 0

    @property
    def failing(self) -> tuple[LinkRow, ...]:
        """Give the rows with a problem."""
        return tuple(row for row in self.rows if row.problems)

    @property
    def is_ok(self) -> bool:
        """Tell whether there was something to audit, all of it could be, and nothing is wrong."""
        return bool(self.rows) and not self.failing and not self.remarks

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        counts = {state.value: sum(row.state is state for row in self.rows) for state in LinkState}
        return {
            "rows": [row.to_json() for row in self.rows],
            "states": {state: count for state, count in counts.items() if count},
            "remarks": list(self.remarks),
            "arm_calls": self.arm_calls,
        }


def audit_links(required: Iterable[Requirement], facts: AzureFacts, remarks: tuple[str, ...] = ()) -> LinkReport:
    """Audit each requirement once. `facts.zones` must hold every zone of the subscriptions, with their links."""
    wanted: dict[tuple[str, str, str], Requirement] = {}
    for each in required:
        wanted.setdefault((each.vnet_id.lower(), each.zone.name, each.zone.resource_group.lower()), each)
    return LinkReport(tuple(_row(wanted[key], facts) for key in sorted(wanted)), remarks)


def _row(required: Requirement, facts: AzureFacts) -> LinkRow:
    zone = facts.zone(required.zone)
    if (zone is None and not facts.is_missing(required.zone)) or (zone and not zone.links_known):
        message = "the zone or its links could not be read; see the remarks"
        unknown = LinkProblem(LinkState.UNKNOWN, message, commands.list_links(required.zone))
        return LinkRow(required.vnet_id, required.zone, (), (unknown,))
    if zone is None:
        place = f"resource group {required.zone.resource_group or '(not said)'}"
        problem = LinkProblem(
            LinkState.ZONE_MISSING,
            f"the zone {required.zone.name} does not exist in {place}",
            commands.create_zone(required.zone),
        )
        return LinkRow(required.vnet_id, required.zone, (), (problem,))
    here = zone.links_to(required.vnet_id)
    found = _linked(required, zone, facts) if here else _unlinked(required, zone, facts)
    return LinkRow(required.vnet_id, zone.ref, tuple(link.name for link in here), tuple(found))


def _unlinked(required: Requirement, zone: Zone, facts: AzureFacts) -> Iterator[LinkProblem]:
    namesake = _linked_namesake(required, zone, facts)
    if namesake is not None:
        message = (
            f"the zone {zone.ref.name} of resource group {namesake.ref.resource_group} is linked instead of the one "
            f"of {zone.ref.resource_group}; a network can be linked to one zone of a name"
        )
        link = namesake.links_to(required.vnet_id)[0].name
        yield LinkProblem(LinkState.WRONG_ZONE, message, commands.delete_link(namesake.ref, link))
        return
    what = "addresses" if is_reverse_zone(zone.ref.name) else "names"
    message = f"{what} of {zone.ref.name} do not exist for {network_name(required.vnet_id)}"
    yield LinkProblem(LinkState.NOT_LINKED, message, commands.create_link(zone.ref, required.vnet_id))


def _linked(required: Requirement, zone: Zone, facts: AzureFacts) -> Iterator[LinkProblem]:
    here = zone.links_to(required.vnet_id)
    if not any(link.is_complete for link in here):
        message = f"the link {here[0].name} is {here[0].state or 'in no known state'}, not Completed"
        yield LinkProblem(LinkState.IN_PROGRESS, message, commands.await_link(zone.ref, here[0].name))
    if len(here) > 1:
        names = ", ".join(link.name for link in here)
        message = f"the links {names} lead to the same network"
        yield LinkProblem(LinkState.LINKED_TWICE, message, commands.delete_link(zone.ref, here[-1].name))
    namesake = _linked_namesake(required, zone, facts)
    if namesake is not None:
        message = f"the zone of the same name in resource group {namesake.ref.resource_group} is linked too"
        other = namesake.links_to(required.vnet_id)[0].name
        yield LinkProblem(LinkState.LINKED_TWICE, message, commands.delete_link(namesake.ref, other))
    for longer in facts.zones:
        nested = longer.links_to(required.vnet_id)
        if nested and longer.ref.name != zone.ref.name and is_within(longer.ref.name, zone.ref.name):
            message = f"{longer.ref.name} is linked too: what it lacks does not exist, even if {zone.ref.name} has it"
            fix = commands.delete_link(longer.ref, nested[0].name)
            yield LinkProblem(LinkState.OVERLAPPING, message, fix)
    for link in here if is_reverse_zone(zone.ref.name) else ():
        if link.registration_enabled:
            message = f"the link {link.name} has registration enabled, which reverse zones do not support"
            fix = commands.update_link(zone.ref, link.name)
            yield LinkProblem(LinkState.REGISTRATION_ENABLED, message, fix)


def _linked_namesake(required: Requirement, zone: Zone, facts: AzureFacts) -> Zone | None:
    others = (other for other in facts.namesakes(zone.ref.name) if not same_place(other.ref, zone.ref))
    return next((other for other in others if other.links_to(required.vnet_id)), None)
