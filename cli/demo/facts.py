"""Collects what is there at the end: live groups, record sets, resolvers' answers, event rows, deliveries."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cli.demo.resolver import Answer, ask, ask_ptr
from cli.demo.stage import Stage
from cli.demo.world import FORWARD_ZONE, SPOKES, ZONES
from core.names import absolute_name

Question = tuple[str, str, str]
"""Network, record type, and what was asked: a name, or an address for PTR."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record set as the zone has it; `owner` is the group that its mark names."""

    type: str
    fqdn: str
    values: tuple[str, ...]
    ttl: int
    owner: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the checks look at. `live` is address by lower-case resource id, empty for none."""

    live: Mapping[str, str]
    records: tuple[Record, ...]
    answers: Mapping[Question, Answer]
    rows: tuple[Mapping[str, Any], ...]
    deliveries: tuple[Mapping[str, Any], ...]
    rows_dropped: int = 0


def collect(stage: Stage, names: Iterable[str]) -> Facts:
    """Look at everything once. `names` are asked besides those of live groups; so is every address ever used."""
    live = {group["id"].lower(): str((group["properties"].get("ipAddress") or {}).get("ip") or "")
            for group in stage.azure.groups(SPOKES)}  # fmt: skip
    asked = dict.fromkeys([*names, *(f"{id_.rpartition('/')[2]}.{FORWARD_ZONE}" for id_ in live)])
    addresses = dict.fromkeys([*stage.addresses, *(ip for ip in live.values() if ip)])
    answers: dict[Question, Answer] = {}
    for network, resolver in stage.resolvers.items():
        answers |= {(network, "A", name): ask(resolver, name, "A") for name in asked}
        answers |= {(network, "PTR", ip): ask_ptr(resolver, ip) for ip in addresses}
    return Facts(
        live=live,
        records=tuple(record for zone in ZONES for record in _records(stage, zone)),
        answers=answers,
        rows=tuple(_row(row) for row in stage.rows()),
        deliveries=tuple(stage.azure.control("GET", "eventgrid/deliveries")["value"]),
        rows_dropped=int(stage.azure.control("GET", "logs")["rows_dropped"]),
    )


def _records(stage: Stage, zone: str) -> Iterable[Record]:
    for raw in stage.azure.records(zone):
        kind, properties = raw["type"].rpartition("/")[2], raw["properties"]
        if kind == "SOA":
            continue
        values = [*(item["ipv4Address"] for item in properties.get("aRecords", ())),
                  *(item["ptrdname"].rstrip(".").lower() for item in properties.get("ptrRecords", ()))]  # fmt: skip
        owner = (properties.get("metadata") or {}).get("container-group-id", "")
        yield Record(kind, absolute_name(raw["name"], zone), tuple(sorted(values)), properties["ttl"], owner.lower())


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Read the dynamic columns, which come as JSON text."""
    dynamic = ("DriftKinds", "Changes", "Details")
    return {name: json.loads(value) if name in dynamic and isinstance(value, str) and value else value
            for name, value in row.items()}  # fmt: skip
