"""Which expectation belongs to which function and query of kql/."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import total_ordering
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from bench.expected import coverage, drifts, facts, groups, observations, pipeline, probes, reconciles, trouble

if TYPE_CHECKING:
    from bench.expected.snapshot import Row, Snapshot

Expectation = Callable[..., "list[Row]"]


def _verdicts(seen: Snapshot) -> list[Row]:
    return list(probes.verdicts(seen).values())


FUNCTIONS: Final[dict[str, Expectation]] = {
    "AciDnsAuditCoverage": coverage.audit_coverage,
    "AciDnsComponents": pipeline.components,
    "AciDnsConflicts": trouble.conflicts,
    "AciDnsCosts": pipeline.costs,
    "AciDnsDeadLetters": reconciles.dead_letters,
    "AciDnsDriftEpisodes": drifts.episodes,
    "AciDnsDriftHistory": drifts.drift_history,
    "AciDnsEvents": facts.events_once,
    "AciDnsFailures": reconciles.failures,
    "AciDnsFlapping": trouble.flapping,
    "AciDnsGroupRuntime": pipeline.group_runtime,
    "AciDnsGroups": groups.groups,
    "AciDnsHeartbeats": pipeline.heartbeats,
    "AciDnsIngestion": pipeline.ingestion,
    "AciDnsObservations": observations.observations,
    "AciDnsOpenDrifts": drifts.open_drifts,
    "AciDnsOrphans": trouble.orphans,
    "AciDnsProbeFailures": probes.probe_failures,
    "AciDnsProbeLatest": probes.latest,
    "AciDnsProbeMatrix": probes.probe_matrix,
    "AciDnsReconcileCauses": groups.reconcile_causes,
    "AciDnsReconcileLatency": reconciles.reconcile_latency,
    "AciDnsReconcileOutcomes": reconciles.reconcile_outcomes,
    "AciDnsReconciles": reconciles.reconciles,
    "AciDnsRuntimeHealth": pipeline.runtime_health,
    "AciDnsSlo": groups.slo,
    "AciDnsSloBurn": groups.slo_burn,
    "AciDnsThrottling": reconciles.throttling,
    "AciDnsTimeToRepair": drifts.time_to_repair,
    "AciDnsUnlinkedZones": probes.unlinked_zones,
    "AciDnsVerdicts": _verdicts,
}


@dataclass(frozen=True, slots=True)
class Query:
    """What a query answers: the rows of `rows`, sorted by `order`: names of columns, `-` before those that descend.

    `ranks` gives the values of a column by which its texts are sorted.
    """

    rows: Expectation
    order: tuple[str, ...]
    ranks: tuple[str, ...] = ()

    def is_sorted(self, rows: list[Row]) -> bool:
        """Tell whether rows are in the query's order; absent values come first, or last in descending order."""
        keys = [[_Key(self._value(name, row), descends=name.startswith("-")) for name in self.order] for row in rows]
        return all(before <= after for before, after in pairwise(keys))

    def _value(self, name: str, row: Row) -> Any:
        value = row[name.removeprefix("-")]
        return (
            (self.ranks.index(value) if value in self.ranks else len(self.ranks))
            if self.ranks and name == self.order[0]
            else value
        )


@total_ordering
@dataclass(frozen=True, slots=True)
class _Key:
    value: Any
    descends: bool

    def __lt__(self, other: _Key) -> bool:
        mine, theirs = (self.value is not None, self.value), (other.value is not None, other.value)
        if mine[0] and theirs[0]:
            return bool(mine[1] > theirs[1] if self.descends else mine[1] < theirs[1])
        return mine[0] > theirs[0] if self.descends else mine[0] < theirs[0]


QUERIES: Final[dict[str, Query]] = {
    "audit-coverage": Query(coverage.audit_coverage, ("ScopeKind", "Scope")),
    "components": Query(pipeline.components, ("Component",)),
    "conflicts": Query(trouble.conflicts, ("-IsOpen", "First")),
    "costs": Query(pipeline.costs, ("TimeGenerated", "-EstimatedBytes")),
    "current-state": Query(groups.groups, ("State", "Since"), ("failed", "drift", "pending", "deferred", "unknown")),
    "dead-letters": Query(reconciles.dead_letters, ("State", "-LastAttempt")),
    "drift-episodes": Query(drifts.episodes, ("-Detected",)),
    "drift-history": Query(drifts.drift_history, ("TimeGenerated",)),
    "event-counts": Query(facts.event_counts, ("Component", "EventType")),
    "failures": Query(reconciles.failures, ("-IsOpen", "-LastSeen")),
    "flapping": Query(trouble.flapping, ("-Changes",)),
    "group-runtime": Query(pipeline.group_runtime, ("-TimeGenerated",)),
    "group-timeline": Query(facts.group_timeline, ("Time", "EventId")),
    "heartbeats": Query(pipeline.heartbeats, ("-Overdue",)),
    "ingestion": Query(pipeline.ingestion, ("TimeGenerated",)),
    "open-drifts": Query(drifts.open_drifts, ("Detected",)),
    "open-failures": Query(facts.open_failures, ("-Since",)),
    "orphans": Query(trouble.orphans, ("Detected",)),
    "probe-failures": Query(probes.probe_failures, ("Since",)),
    "probe-matrix": Query(probes.probe_matrix, ("-Wrong",)),
    "recent-events": Query(facts.recent_events, ("-TimeGenerated",)),
    "reconcile-latency": Query(reconciles.reconcile_latency, ("TimeGenerated",)),
    "reconcile-outcomes": Query(reconciles.reconcile_outcomes, ("TimeGenerated", "Outcome")),
    "runtime-health": Query(pipeline.runtime_health, ("TimeGenerated", "Function")),
    "slo": Query(groups.slo, ("TimeGenerated",)),
    "slo-burn": Query(groups.slo_burn, ("LongWindow",)),
    "throttling": Query(reconciles.throttling, ("TimeGenerated", "Component")),
    "time-to-repair": Query(drifts.time_to_repair, ("Scope",)),
    "unlinked-zones": Query(probes.unlinked_zones, ("-Names",)),
}
