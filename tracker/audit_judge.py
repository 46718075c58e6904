"""Judges a fleet by the rules for one group: look, compare, confirm. A zone's faults are told once, as the zone's."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from core.arm_id import ArmId
from core.errors import ToolkitError
from core.events import DriftKind, EventType
from core.live import LiveGroup, LiveState
from core.placement import Placement
from tracker.audit_inventory import Inventory, Place, place_of
from tracker.compare import Comparison, Finding, Seen, compare
from tracker.look import Ports, look
from tracker.repair import is_repairable

OF_ZONES: Final = frozenset({DriftKind.ZONE_UNLINKED, DriftKind.ZONE_SHADOWED})
NO_VERDICT: Final = "no_verdict"
CHANGED: Final = "it changed while the audit was reading"
ReadOne = Callable[[ArmId], LiveGroup | None]


@dataclass(frozen=True, slots=True)
class Judged:
    """One group that is not as it should be. `findings` are its own; `confirmed`: the group was read once more."""

    seen: Seen
    comparison: Comparison
    findings: tuple[Finding, ...]
    confirmed: bool = False

    @property
    def is_repairable(self) -> bool:
        """Tell whether an event about the group would put something right."""
        first = self.comparison.verdict is EventType.FIRST_SEEN
        return first or any(is_repairable(self.seen, finding) for finding in self.findings)


@dataclass(slots=True)
class ZoneFinding:
    """One thing that is wrong with a zone, how many groups it concerns, and whether it is a forward zone."""

    finding: Finding
    is_forward: bool
    groups: int = 0


@dataclass(slots=True)
class FleetVerdict:
    """What came of all groups: those that are wrong, the zones that are, and how many of each verdict."""

    wrong: list[Judged] = field(default_factory=list)
    zones: dict[Finding, ZoneFinding] = field(default_factory=dict)
    verdicts: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[ArmId, ToolkitError]] = field(default_factory=list)
    suspicious: list[str] = field(default_factory=list)

    @property
    def kinds(self) -> Counter[DriftKind]:
        """Count the findings by kind: those of groups, and each of a zone once."""
        own = (finding.kind for judged in self.wrong for finding in judged.findings)
        return Counter([*own, *(each.finding.kind for each in self.zones.values())])


def judge(inventory: Inventory, confirm: ReadOne) -> FleetVerdict:
    """Judge every group. `confirm` reads one group once more, or gives None when enough were read.

    A group of which something could not be listed gets no verdict.
    """
    fleet = FleetVerdict(suspicious=list(doubts(inventory)))
    doubtful: list[tuple[LiveGroup, Placement]] = []
    for group, placement in inventory.placements():
        judged = _judge_one(inventory, fleet, group, placement)
        if judged is None:
            continue
        if _needs_confirmation(inventory, judged):
            doubtful.append((group, placement))
        else:
            _count(fleet, judged)
    for group, placement in sorted(doubtful, key=lambda pair: pair[0].state is LiveState.NOT_READY):
        again = confirm(group.id)
        judged = _confirmed(inventory, fleet, group, placement, again)
        if judged is not None:
            _count(fleet, judged)
    return fleet


def _judge_one(
    inventory: Inventory, fleet: FleetVerdict, group: LiveGroup, placement: Placement, *, confirmed: bool = False
) -> Judged | None:
    ports = Ports(inventory.records, inventory.groups, inventory.zones)
    try:
        seen = look(group, placement, ports, inventory.records.suspects(placement))
    except ToolkitError as error:
        fleet.failures.append((group.id, error))
        fleet.verdicts[NO_VERDICT] += 1
        return None
    comparison = compare(seen)
    own = tuple(finding for finding in comparison.findings if not _is_of_zone(seen, finding))
    return Judged(seen, comparison, own, confirmed)


def _needs_confirmation(inventory: Inventory, judged: Judged) -> bool:
    """Tell whether to read the group again: no list says that it is stopped, and it may have changed since."""
    if judged.findings or judged.comparison.verdict is EventType.FIRST_SEEN:
        return True
    group, placement = judged.seen.group, judged.seen.placement
    if group.state is not LiveState.NOT_READY:
        return False
    zone = placement.forward_zone
    types = placement.address_types(None)
    try:
        return any(inventory.records.get(zone, kind, placement.record_name) for kind in types)
    except ToolkitError:
        return False


def _confirmed(
    inventory: Inventory, fleet: FleetVerdict, group: LiveGroup, placement: Placement, again: LiveGroup | None
) -> Judged | None:
    if again is None or again.is_as(group):
        return _judge_one(inventory, fleet, group, placement, confirmed=again is not None)
    if again.state in {LiveState.RUNNING, LiveState.ABSENT}:
        fleet.verdicts[NO_VERDICT] += 1  # a verdict would join an old address with a new record set
        return None
    return _judge_one(inventory, fleet, again, placement, confirmed=True)


def _count(fleet: FleetVerdict, judged: Judged) -> None:
    for finding in judged.comparison.findings:
        if _is_of_zone(judged.seen, finding):
            forward = finding.name == judged.seen.placement.config.forward_zone
            fleet.zones.setdefault(finding, ZoneFinding(finding, forward)).groups += 1
    verdict = judged.comparison.verdict
    if verdict is EventType.DRIFT_DETECTED and not judged.findings:
        verdict = EventType.NO_CHANGE
    fleet.verdicts[verdict.value if verdict else NO_VERDICT] += 1
    if judged.findings or verdict is EventType.FIRST_SEEN:
        fleet.wrong.append(judged)


def _is_of_zone(seen: Seen, finding: Finding) -> bool:
    """Tell what is wrong with a zone from what is wrong with one group in it."""
    missing = finding.kind is DriftKind.REVERSE_ZONE_MISSING and finding.name in seen.missing_zones
    return missing or finding.kind in OF_ZONES


def doubts(inventory: Inventory) -> Iterator[str]:
    """Say what was read and is hard to believe: record sets of groups where the list has no group at all."""
    marked: Counter[Place] = Counter()
    for group, count in inventory.unlisted_owners().items():
        marked[place_of(group)] += count
    filled = {place_of(group.id) for group in inventory.groups.listed.values()}
    for place, failed in inventory.groups.places.items():
        if failed is None and place not in filled and marked[place]:
            sets = f"{marked[place]} record set{'s'[: marked[place] != 1]}"
            yield f"resource group {'/'.join(place)} holds no container group, and {sets} belong to groups in it"
    places = inventory.groups.places
    if places and not filled and None in places.values():
        yield "no container group is listed in any configured resource group: is the zone map about the right ones?"
