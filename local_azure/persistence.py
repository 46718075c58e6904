"""The state file: the world as JSON, written whole and atomically, read at start."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from local_azure.arm import addresses, container_lifecycle, private_dns_links
from local_azure.world import (
    ContainerGroup,
    PrivateZone,
    RecordSet,
    RecordSets,
    ResourceGroup,
    Subnet,
    VirtualNetwork,
    VirtualNetworkLink,
    World,
)

FORMAT = 1
# Many changes in a row are one write.
DEBOUNCE_SECONDS = 0.25
T = TypeVar("T")


class StateFileError(RuntimeError):
    """The state file cannot be read, or is not one of ours."""


def dump(world: World) -> dict[str, Any]:
    """Give the world as JSON values."""
    zones = [
        {
            **{key: getattr(zone, key) for key in ("id", "name", "etag", "tags", "location", "internal_id")},
            "record_sets": [asdict(record_set) for record_set in zone.record_sets.values()],
            "links": [{**asdict(link), "linked_at": link.linked_at.isoformat()} for link in zone.links.values()],
        }
        for zone in world.zones.values()
    ]
    vnets = [
        {**asdict(vnet), "subnets": [_subnet(item) for item in vnet.subnets.values()]} for vnet in world.vnets.values()
    ]
    groups = [
        {**asdict(group), "started_at": group.started_at and group.started_at.isoformat()}
        for group in world.groups.values()
    ]
    return {
        "format": FORMAT,
        "resource_groups": [asdict(group) for group in world.resource_groups.values()],
        "virtual_networks": vnets,
        "zones": zones,
        "container_groups": groups,
        "parts": {name: save() for name, (save, _) in world.extra_state.items()},
    }


def _subnet(subnet: Subnet) -> dict[str, Any]:
    # Leases follow from the container groups.
    return {key: value for key, value in asdict(subnet).items() if key not in ("leases", "low_mark")}


def load(world: World, state: dict[str, Any]) -> None:
    """Fill a fresh world. Raises KeyError, TypeError or ValueError for what dump did not write."""
    if state["format"] != FORMAT:
        raise ValueError(f"format {state['format']!r} is not {FORMAT}")
    for item in state["resource_groups"]:
        world.resource_groups[item["id"].lower()] = _make(ResourceGroup, item)
    for item in state["virtual_networks"]:
        subnets = {sub["name"].lower(): _make(Subnet, sub) for sub in item["subnets"]}
        world.vnets[item["id"].lower()] = _make(VirtualNetwork, {**item, "subnets": subnets})
    for item in state["zones"]:
        zone = world.zones[item["id"].lower()] = _zone(item)
        for link in zone.links.values():
            if link.state != "Completed":
                private_dns_links.propagate(world, zone, link)
    for item in state["container_groups"]:
        started = item["started_at"] and datetime.fromisoformat(item["started_at"])
        _restore(world, _make(ContainerGroup, {**item, "started_at": started}))
    for name, (_, restore) in world.extra_state.items():
        if name in state["parts"]:
            restore(state["parts"][name])
    world.vnets_changed()


def _make(kind: type[T], values: dict[str, Any]) -> T:
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]  # only dataclasses come here
    return kind(**{key: value for key, value in values.items() if key in names})


def _zone(item: dict[str, Any]) -> PrivateZone:
    zone = _make(PrivateZone, {**item, "record_sets": RecordSets(), "links": {}})
    for values in item["record_sets"]:
        record_set = _make(RecordSet, values)
        zone.record_sets[(record_set.type, record_set.name.lower())] = record_set
    for values in item["links"]:
        link = _make(VirtualNetworkLink, {**values, "linked_at": datetime.fromisoformat(values["linked_at"])})
        zone.links[link.name.lower()] = link
    return zone


def _restore(world: World, group: ContainerGroup) -> None:
    world.groups[group.id.lower()] = group
    subnet = addresses.find_subnet(world, group.subnet_id) if group.subnet_id else None
    if subnet and group.ip:
        subnet.leases[group.ip] = group.id
    container_lifecycle.settle(world, group)


class StateFile:
    """Keeps `settings.data_dir`/state.json equal to the world; does nothing when there is no such directory."""

    def __init__(self, world: World) -> None:
        self._world = world
        directory = world.settings.data_dir
        self.path: Path | None = None if directory is None else Path(directory) / "state.json"
        self._pending: asyncio.TimerHandle | None = None

    def load(self) -> None:
        """Read the file if it is there, and follow the world from now on. Raises StateFileError."""
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.exists():
                load(self._world, json.loads(self.path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StateFileError(
                f"{self.path}: not a state file of this local Azure ({error!r}); move it away or choose another --data"
            ) from error
        self._world.on_change.append(self._changed)

    def _changed(self) -> None:
        if self._pending is None:
            self._pending = asyncio.get_running_loop().call_later(DEBOUNCE_SECONDS, self.write)

    def write(self) -> None:
        """Write now: a reader sees the old file or the new one, never a half."""
        self._pending = None
        if self.path is None:
            return
        temporary = self.path.with_suffix(".json.new")
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(dump(self._world), file, separators=(",", ":"))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path)

    def close(self) -> None:
        """Write what is pending."""
        if self._pending is not None:
            self._pending.cancel()
            self.write()
