"""The fleet's plan: subscriptions, networks, zones, resource groups and the names of the container groups. Pure.

Two hubs, each with its forward zone; spokes with a network and a reverse zone of their own. Five peculiarities, each in
the first spoke that has room for it: a resource group that nobody configured, one whose zone map forgot a part of its
network, one under strict ownership, one that keeps the records of stopped groups, and two groups of one name.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from core.arm_id import ArmId, container_group_id
from core.settings import LogsSettings, Settings
from core.zone_map import ZoneMap
from local_azure.history.seeded import new_id, stream
from probe.target import Vantage

if TYPE_CHECKING:
    from local_azure.history.shape import Shape

HUBS: Final = ("weu", "neu")
TEAMS: Final = ("shop", "pay", "search", "media", "stock", "crm", "ads", "maps", "mail", "data")
ROLES: Final = ("web", "api", "worker", "cache", "gateway", "jobs", "index", "feed")
SUFFIX: Final = "corp.internal"
TWIN: Final = "proxy"
"""The name that two groups of one forward zone have: a conflict as soon as both are alive."""
_BATCH: Final = 2
"""Of three groups of a spoke the last is in the batch resource group."""
OLD_SUBNET: Final = 100
"""The part of its network that the forgetful zone map knows; nothing is there any more."""
UNCONFIGURED: Final = "rg-sandbox"


@dataclass(frozen=True, slots=True)
class Spoke:
    """A spoke network. `number` is the second octet of its addresses."""

    name: str
    hub: str
    number: int
    subscription_id: str

    @property
    def vnet_id(self) -> str:
        """Id of the virtual network."""
        return _vnet(self.subscription_id, f"rg-net-{self.name}", f"vnet-{self.name}")

    @property
    def forward_zone(self) -> str:
        """The zone of the names of its groups: the hub's."""
        return f"aci.{self.hub}.{SUFFIX}"

    @property
    def reverse_zone(self) -> str:
        """The zone of its addresses."""
        return f"{self.number}.10.in-addr.arpa"

    @property
    def zones_resource_group(self) -> str:
        """Where its zones are: with the hub."""
        return f"rg-dns-{self.hub}"


@dataclass(frozen=True, slots=True)
class Place:
    """A container group's name and spoke; `subnet` is the third octet of its addresses."""

    id: ArmId
    spoke: Spoke
    subnet: int

    @property
    def key(self) -> str:
        """The id as it is compared."""
        return str(self.id).lower()


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole plan. `places` are the configured groups, `stray` those of the resource group that is not."""

    spokes: tuple[Spoke, ...]
    places: tuple[Place, ...]
    stray: tuple[Place, ...]
    dns_subscription_id: str
    settings: Settings
    vantages: tuple[Vantage, ...] = field(default=())

    def hub_vnet(self, hub: str) -> str:
        """Give the id of a hub's network."""
        return _vnet(self.dns_subscription_id, f"rg-net-hub-{hub}", f"vnet-hub-{hub}")

    @property
    def zone_groups(self) -> dict[str, str]:
        """Give the resource group of each zone, by its name."""
        found = {zone: spoke.zones_resource_group for spoke in self.spokes
                 for zone in (spoke.forward_zone, spoke.reverse_zone)}  # fmt: skip
        return {**found, self.old_zone: self.spokes[1].zones_resource_group}

    @property
    def old_zone(self) -> str:
        """The reverse zone of a part of a network that is not in use any more."""
        return f"{OLD_SUBNET}.{self.spokes[1].reverse_zone}"


def plan(shape: Shape, seed: int) -> Layout:
    """Lay the fleet out."""
    rng = stream(seed, "layout")
    dns = new_id(rng)
    spokes = tuple(Spoke(f"{_team(n)}-{HUBS[n % 2]}", HUBS[n % 2], 16 + n, new_id(rng)) for n in range(shape.spokes))
    names = list(_names(shape.groups, spokes))
    places = tuple(Place(container_group_id(spoke.subscription_id, rg, name), spoke, subnet)
                   for spoke, rg, name, subnet in names)  # fmt: skip
    stray = (Place(container_group_id(spokes[0].subscription_id, UNCONFIGURED, "try-out"), spokes[0], 9),)
    settings = Settings(ZoneMap.parse(json.dumps(_zone_map(spokes, dns))), LogsSettings())
    vantages = tuple(_vantages(spokes, dns))
    return Layout(spokes, places, stray, dns, settings, vantages)


def _team(number: int) -> str:
    team, again = TEAMS[number % len(TEAMS)], number // len(TEAMS)
    return f"{team}{again + 1}" if again else team


def _names(count: int, spokes: tuple[Spoke, ...]) -> list[tuple[Spoke, str, str, int]]:
    """Give (spoke, resource group, name, subnet) for each group: production first, then the peculiar ones."""
    found: list[tuple[Spoke, str, str, int]] = [
        (spokes[0], f"rg-{spokes[0].name}", TWIN, 1),
        (spokes[2], f"rg-{spokes[2].name}", TWIN, 1),
        (spokes[1], f"rg-{spokes[1].name}-legacy", "ledger", 200),
        (spokes[2], f"rg-{spokes[2].name}-strict", "vault", 1),
        (spokes[3], f"rg-{spokes[3].name}", "report", 1),
    ]
    for number in range(count - len(found)):
        spoke = spokes[number % len(spokes)]
        turn = number // len(spokes)
        name = f"{_team(spoke.number - 16)}-{ROLES[turn % len(ROLES)]}" + (f"-{turn // len(ROLES) + 1:02d}")
        found.append((spoke, f"rg-{spoke.name}" + ("" if turn % 3 < _BATCH else "-batch"), name, 1 + turn // 200))
    return found


def _zone_map(spokes: tuple[Spoke, ...], dns: str) -> dict[str, object]:
    entries: dict[str, dict[str, object]] = {}
    for spoke in spokes:
        entry = {
            "forward_zone": spoke.forward_zone,
            "reverse_zones": [spoke.reverse_zone],
            "zones_resource_group": spoke.zones_resource_group,
            "zones_subscription_id": dns,
        }
        for name in (f"rg-{spoke.name}", f"rg-{spoke.name}-batch"):
            entries[f"{spoke.subscription_id}/{name}"] = dict(entry)
    legacy, strict, kept = spokes[1], spokes[2], spokes[3]
    # Written when the network was one /24: addresses given out since then are in none of its reverse zones.
    key = f"{legacy.subscription_id}/rg-{legacy.name}-legacy"
    old = {
        **entries[f"{legacy.subscription_id}/rg-{legacy.name}"],
        "reverse_zones": [f"{OLD_SUBNET}.{legacy.reverse_zone}"],
    }
    entries[key] = old
    own = entries[f"{strict.subscription_id}/rg-{strict.name}"]
    entries[f"{strict.subscription_id}/rg-{strict.name}-strict"] = {**own, "ownership": "strict"}
    entries[f"{kept.subscription_id}/rg-{kept.name}"]["on_stop"] = "keep"
    return dict(entries)


def _vantages(spokes: tuple[Spoke, ...], dns: str) -> list[Vantage]:
    hubs = [Vantage(_vnet(dns, f"rg-net-hub-{hub}", f"vnet-hub-{hub}"), "snet-functions", f"func-observer-{hub}")
            for hub in HUBS]  # fmt: skip
    return hubs + [Vantage(spoke.vnet_id, "snet-probe", f"probe-{spoke.name}") for spoke in spokes]


def _vnet(subscription: str, group: str, name: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks/{name}"
