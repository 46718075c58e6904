"""Is the final state what it must be? Facts in, a list of checks out, each with what was expected and found. Pure.

What must be is computed from the groups that are alive: each of them has its name and its address's name, in every
network, and nothing else is in the zones. The loser of a name conflict has neither, and a loud row says why.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.demo.facts import Facts
from cli.demo.stage import is_about
from cli.demo.told import Expected
from cli.demo.world import FORWARD_ZONE, NETWORKS, REVERSE_ZONES, TTL_SECONDS, Group
from core.events import Component, EventType
from core.names import is_within, parse_address, reverse_name


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold."""

    name: str
    ok: bool
    expected: str
    found: str

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return {"name": self.name, "ok": self.ok, "expected": self.expected, "found": self.found}


def judge(facts: Facts, expected: Sequence[Expected], losers: Iterable[Group]) -> list[Check]:
    """Give every check. `expected` are the rows that the acts must have left, `losers` the groups without a name."""
    lost = {group.id.lower() for group in losers}
    right = {id_: ip for id_, ip in facts.live.items() if id_ not in lost}
    return [
        *_answers(facts, right),
        *_gone(facts, right),
        *_zones(facts, right),
        *_losers(facts, lost),
        *_rows(facts, expected),
        *_failures(facts, lost),
        *_probes(facts, expected),
        *_deliveries(facts, lost),
    ]


def fqdn_of(group_id: str) -> str:
    """Give the name that a group must have."""
    return f"{group_id.rpartition('/')[2].lower()}.{FORWARD_ZONE}"


def _equal(name: str, expected: object, found: object) -> Check:
    return Check(name, expected == found, _text(expected), _text(found))


def _text(value: object) -> str:
    if isinstance(value, (set, frozenset, tuple, list)):
        return ", ".join(sorted(map(str, value))) or "nothing"
    return str(value) or "nothing"


def _answers(facts: Facts, right: Mapping[str, str]) -> Iterator[Check]:
    """Check that every live group resolves in both directions, in every network."""
    for id_, ip in sorted(right.items()):
        fqdn = fqdn_of(id_)
        for network in (network.name for network in NETWORKS):
            a, ptr = facts.answers.get((network, "A", fqdn)), facts.answers.get((network, "PTR", ip))
            yield _equal(f"{network}: A {fqdn}", (ip,), a.values if a else "not asked")
            yield _equal(f"{network}: PTR {ip}", (fqdn,), ptr.values if ptr else "not asked")


def _gone(facts: Facts, right: Mapping[str, str]) -> Iterator[Check]:
    """Check that what is not alive is NXDOMAIN, said by our own zone: a zone that is not linked says it too."""
    names, addresses = {fqdn_of(id_) for id_ in right}, set(right.values())
    for (network, kind, asked), answer in facts.answers.items():
        if asked in names or asked in addresses:
            continue
        where = reverse_name(parse_address(asked)) if kind == "PTR" else asked
        zone = next((zone for zone in (FORWARD_ZONE, *REVERSE_ZONES) if is_within(where, zone)), "no zone of ours")
        yield _equal(
            f"{network}: {kind} {asked} is gone", f"NXDOMAIN from {zone}", f"{answer.rcode} from {answer.authority}"
        )


def _zones(facts: Facts, right: Mapping[str, str]) -> Iterator[Check]:
    """Check that the zones hold the record sets of the live groups, marked as theirs, and nothing else."""
    expected = {("A", fqdn_of(id_), ip, TTL_SECONDS, id_) for id_, ip in right.items()}
    expected |= {
        ("PTR", reverse_name(parse_address(ip)), fqdn_of(id_), TTL_SECONDS, id_) for id_, ip in right.items() if ip
    }
    found = {(item.type, item.fqdn, ",".join(item.values), item.ttl, item.owner) for item in facts.records}
    for zone in (FORWARD_ZONE, *REVERSE_ZONES):
        yield _equal(
            f"zone {zone} holds the live groups' record sets and no other",
            {_shown(item) for item in expected if is_within(item[1], zone)},
            {_shown(item) for item in found if is_within(item[1], zone)},
        )


def _shown(item: tuple[str, str, str, int, str]) -> str:
    kind, name, value, ttl, owner = item
    return f"{kind} {name} {value} TTL {ttl} of {'/'.join(owner.split('/')[4:9:4]) or 'nobody'}"


def _losers(facts: Facts, lost: Iterable[str]) -> Iterator[Check]:
    """Check that a loser is alive, and that its last word in the table says why it has no name."""
    for id_ in sorted(lost):
        rows = [row for row in facts.rows if str(row.get("ContainerGroupId") or "").lower() == id_]
        last: Mapping[str, Any] = next((row for row in reversed(rows) if row["Component"] == "reconciler"), {})
        yield _equal(f"{'/'.join(id_.split('/')[4:9:4])} is alive, and says why it has no name", "name_conflict",
                     str(last.get("ErrorCode")) if facts.live.get(id_) else "it is not alive")  # fmt: skip


def _rows(facts: Facts, expected: Sequence[Expected]) -> Iterator[Check]:
    """Check that each act has left its rows in the event table."""
    wanted: dict[Expected, int] = {}
    for item in expected:
        wanted[item] = wanted.get(item, 0) + 1
    for item, count in wanted.items():
        found = [row for row in facts.rows if is_about(row, item.group.id, item.type)]
        if item.kind is not None:
            found = [row for row in found if item.kind.value in (row.get("DriftKinds") or ())]
        if item.error_code:
            found = [row for row in found if row.get("ErrorCode") == item.error_code]
        what = " ".join(filter(None, (item.type.value, item.kind.value if item.kind else "", item.error_code)))
        name = f"{item.group.network.resource_group}/{item.group.name}"
        yield Check(f"event table: {what} of {name}", len(found) >= count, f"at least {count}", str(len(found)))


def _failures(facts: Facts, lost: Iterable[str]) -> Iterator[Check]:
    """Check that nothing else failed, and that no row was dropped on its way."""
    kinds = {EventType.RECONCILE_FAILED.value, EventType.TRACK_FAILED.value}
    failed = {
        f"{row['EventType']} {row.get('ContainerGroup')}: {row.get('ErrorCode')} {row.get('ErrorMessage')}"
        for row in facts.rows
        if row["EventType"] in kinds and str(row.get("ContainerGroupId") or "").lower() not in set(lost)
    }
    yield _equal("event table: no failure but the conflict", set(), failed)
    yield _equal("event table: rows dropped by ingestion", 0, facts.rows_dropped)


def _probes(facts: Facts, expected: Sequence[Expected]) -> Iterator[Check]:
    """Check that the probe failed only where it had to, and that each of its runs came to its end."""
    kind, completed = EventType.PROBE_FAILED.value, EventType.PROBE_COMPLETED.value
    wanted = {(item.group.id.lower(), item.error_code) for item in expected if item.type is EventType.PROBE_FAILED}
    failed = {
        (str(row.get("ContainerGroupId") or "").lower(), str(row.get("ErrorCode")))
        for row in facts.rows
        if row["EventType"] == kind
    }
    others = {f"{verdict} {fqdn_of(id_)}" for id_, verdict in failed - wanted}
    yield _equal("event table: no probe failed but those of the acts", set(), others)
    probed = [row for row in facts.rows if row["Component"] == Component.PROBE.value]
    ended = [row["CorrelationId"] for row in probed if row["EventType"] == completed and not row.get("ErrorCode")]
    runs = {row["CorrelationId"] for row in probed}
    yield _equal("event table: each run of the probe ended with probe_completed", sorted(runs), sorted(ended))


def _deliveries(facts: Facts, lost: Iterable[str]) -> Iterator[Check]:
    """Check that every event was delivered, and that only the loser's ended as a dead letter."""
    ended = {
        f"{item['subscription']}: {item['subject']} {item['state']} {item['reason']}"
        for item in facts.deliveries
        if item["state"] != "delivered" and str(item["subject"]).lower() not in set(lost)
    }
    yield _equal("Event Grid: every event was delivered", set(), ended)
    letters = {str(item["subject"]).lower() for item in facts.deliveries if item["state"] == "dead_lettered"}
    yield _equal("Event Grid: dead letters are the conflict's", set(lost), letters)
