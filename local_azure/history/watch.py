"""Watches over the truth: after each change and each run, is DNS right for the groups that it concerned."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.arm_id import same_id
from core.errors import ToolkitError
from core.events import EventType
from core.live import LiveState
from core.names import reverse_name
from core.placement import Placement
from local_azure.history.truth import Truth, Wrong
from local_azure.history.world import Counter, Dns, Groups, World
from tracker.compare import Comparison, Seen, compare
from tracker.look import Ports, Snapshot, look

if TYPE_CHECKING:
    from datetime import datetime

    from core.names import Address
    from local_azure.history.layout import Layout, Place


def _calm(operation: str, name: str) -> None:
    """Nothing is out of order for the one who knows the truth."""


@dataclass
class Watch:
    """`dirty` are the groups for which DNS is not right now, by key; `touched` those to look at in the bulk of rows."""

    world: World
    layout: Layout
    truth: Truth
    dirty: dict[str, Wrong] = field(default_factory=dict)
    at_address: dict[str, Place] = field(default_factory=dict)
    placements: dict[str, Placement] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    suspects: dict[str, set[Address]] = field(default_factory=dict)
    """Addresses whose PTRs may still name a group although its record set does not say so."""

    def __post_init__(self) -> None:
        self._counter = Counter()
        self._groups = Groups(self.world, self._counter, _calm)
        self._dns = Dns(self.world, self._counter, _calm)
        for place in self.layout.places:
            config = self.layout.settings.zone_map.config_for(place.id)
            if config is not None:
                self.placements[place.key] = Placement(place.id, config)
                self.places[place.key] = place

    def moved(self, place: Place, old: Address | None, new: Address | None) -> None:
        """Note that a group has another address now."""
        if old is not None and self.at_address.get(str(old)) is place:
            del self.at_address[str(old)]
        if new is not None:
            self.at_address[str(new)] = place
        self.touched.add(place.key)

    def compare(self, key: str) -> tuple[Seen, Comparison]:
        """Look at a group with the tracker's own eyes."""
        placement = self.placements[key]
        group = self.world.group(placement.group_id)
        ports = Ports(Snapshot(self._dns), self._groups)
        seen = look(group, placement, ports, sorted(self.suspects.get(key, ()), key=str))
        return seen, compare(seen)

    def look(self, place: Place, at: datetime, by: str) -> None:
        """Look at a group, and at the one that has its former address: its PTR may just have been taken or given."""
        for key in dict.fromkeys([place.key, *self._neighbours(place)]):
            self._look(key, at, by)

    def _neighbours(self, place: Place) -> list[str]:
        placement = self.placements.get(place.key)
        wrong = self.dirty.get(place.key)
        if placement is None:
            return []
        found = self.world.sets.get(placement.config.forward_zone, {}).get(("A", placement.record_name))
        addresses = [str(address) for address in (found.known_addresses if found else ())]
        return [self.at_address[text].key for text in addresses if text in self.at_address] if wrong or found else []

    def _look(self, key: str, at: datetime, by: str) -> None:
        if key not in self.placements:
            return
        self.touched.add(key)
        kinds = self._kinds(key)
        open_one = self.dirty.get(key)
        if kinds and open_one is None:
            self.dirty[key] = wrong = Wrong(key, at, by, kinds)
            self.truth.wrongs.append(wrong)
        elif kinds and open_one is not None:
            open_one.kinds = tuple(dict.fromkeys((*open_one.kinds, *kinds)))
        elif open_one is not None:
            open_one.until, open_one.repaired_by = at, by
            del self.dirty[key]

    def _kinds(self, key: str) -> tuple[str, ...]:
        try:
            _, comparison = self.compare(key)
        except ToolkitError as error:
            return (error.code,)
        if comparison.verdict is EventType.FIRST_SEEN:
            return ("a_missing",)
        return tuple(kind.value for kind in comparison.kinds)

    def ptr_is_right(self, key: str) -> bool:
        """Tell whether the PTR of a group's address names it."""
        placement = self.placements[key]
        address = self.world.group(placement.group_id).address
        place = placement.ptr_place(address) if address else None
        found = self.world.sets.get(place.zone.name, {}).get(("PTR", place.name)) if place else None
        return bool(found and found.names(placement.fqdn) and address and reverse_name(address) == found.fqdn)

    def is_running(self, key: str) -> bool:
        """Tell whether a group has an address that should resolve."""
        live = self.world.live.get(key)
        return live is not None and live.state is LiveState.RUNNING

    def owns(self, key: str, owner: str | None) -> bool:
        """Tell whether an owner mark names this group."""
        return owner is not None and same_id(owner, str(self.placements[key].group_id))
