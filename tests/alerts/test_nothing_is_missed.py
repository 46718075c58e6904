"""Whatever can be found wrong, by whom ever, fires a rule when it lasts, and pages for one cause once."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from alerts import corpus
from alerts.cases import NOW, Case
from alerts.measure import measure, query_span
from alerts.model import Rule
from alerts.rows import Arrival, completed, stamp
from alerts.side_by_side import SideBySide, fill, places
from core.events import DriftKind
from kql import tables
from kql.duckdb_engine import DuckDbEngine, connect, plan_plainly
from probe.verdict import Verdict

RULES = corpus.read_rules()
GROUP = {"SubscriptionId": "s-1", "ResourceGroup": "rg-one", "ContainerGroup": "web", "Fqdn": "web.aci.corp.internal",
         "ForwardZone": "aci.corp.internal", "ReverseZone": "1.10.in-addr.arpa"}  # fmt: skip
ZONE = "1.10.in-addr.arpa"
SCOPE = {"resource_groups": ["s-1/rg-one"], "zones": ["aci.corp.internal", ZONE]}
OF_ZONES = {DriftKind.ZONE_UNLINKED, DriftKind.ZONE_SHADOWED}
EXPECTED_OF_DRIFT = {
    DriftKind.A_MISMATCH: {"drift-not-repaired"},
    DriftKind.PTR_MISSING: {"drift-not-repaired"},
    DriftKind.PTR_MISMATCH: {"drift-not-repaired"},
    DriftKind.PTR_STALE: {"orphaned-records"},
    DriftKind.A_ORPHANED: {"orphaned-records"},
    DriftKind.OWNER_CONFLICT: {"name-conflict"},
    DriftKind.REVERSE_ZONE_MISSING: {"configuration-error"},
    DriftKind.ZONE_UNLINKED: {"zone-links-incomplete"},
    DriftKind.ZONE_SHADOWED: {"zone-links-incomplete"},
}
EXPECTED_OF_VERDICT = {
    Verdict.FORWARD_ZONE_UNLINKED: {"forward-zone-unlinked"},
    Verdict.FORWARD_ZONE_SHADOWED: {"forward-zone-unlinked"},
    Verdict.REVERSE_ZONE_UNLINKED: {"reverse-zone-unlinked"},
    Verdict.REVERSE_ZONE_SHADOWED: {"reverse-zone-unlinked"},
    Verdict.PLATFORM_DEFAULT: {"reverse-zone-unlinked"},
    Verdict.REVERSE_ZONE_MISSING: {"configuration-error"},
    Verdict.NOT_ASKED: set(),  # the run had no time for it: it says nothing of DNS
}
EXPECTED_OF_FAILURE = {
    "forbidden": {"permission-denied"},
    "bad_configuration": {"configuration-error"},
    "zone_missing": {"configuration-error"},
    "reverse_zone_missing": {"configuration-error"},
    "name_conflict": {"name-conflict"},
    "not_owned": {"name-conflict"},
    "throttled": {"reconcile-failed", "throttling"},
    **{code: {"reconcile-failed"} for code in (
        "unavailable", "deadline_exceeded", "precondition_lost", "conflict", "not_found", "cloud_error", "unexpected",
        "worker_failed", "a_code_of_tomorrow",
    )},
}  # fmt: skip


def arrivals(every, kind, row: Callable[[int], dict] | None = None, **values):
    """Give an event at each of some times, for six hours up to now; `row(number)` are values of its own."""
    found = []
    for number in range(360 // every):
        time = NOW - timedelta(minutes=360 - every * number - 3)
        columns = {"TimeGenerated": stamp(time), "EventType": kind, **values, **(row(number) if row else {})}
        found.append(Arrival(tables.EVENTS, completed(columns, f"{kind} {number} {sorted(values)}"), time, time))
    return found


def audited(kind, **values):
    """Give what an audit every hour finds, and its heartbeat."""

    def run(number):
        return {"CorrelationId": f"audit-{number}"}

    beats = arrivals(60, "audit_completed", run, Component="audit", Details={"scope": SCOPE})
    return [*arrivals(60, kind, run, Component="audit", **values), *beats]


def drift(kind):
    name = ZONE if kind in OF_ZONES or kind is DriftKind.REVERSE_ZONE_MISSING else "web.aci.corp.internal"
    where = {"ReverseZone": ZONE} if name == ZONE else {**GROUP, "LiveIp": "10.1.0.4"}
    details = {"groups": 1, "findings": [{"kind": kind.value, "name": name, "message": "is wrong"}]}
    return audited("drift_detected", DriftKinds=[kind.value], Details=details, **where)


def looked(verdict):
    where = {**GROUP, "ReverseZone": ""} if verdict is Verdict.REVERSE_ZONE_MISSING else GROUP
    is_reverse = verdict.value.startswith(("ptr_", "reverse_", "platform_"))
    answers = {"answers": {"forward": {"verdict": "ok" if is_reverse else verdict.value}}}
    said = {"Verdict": verdict.value, "ErrorCode": verdict.value, "Details": answers, "Vantage": "/vnet-a"}
    return arrivals(
        10, "probe_failed", lambda number: {"CorrelationId": f"p-{number}"}, Component="probe", **where, **said
    )


def failed(code):
    return arrivals(
        5, "reconcile_failed", lambda number: {"SourceEventId": f"e-{number // 6}"},
        Component="reconciler", ErrorCode=code, ErrorMessage="x", DurationMs=10, **GROUP,
    )  # fmt: skip


FAULTS = {
    **{f"drift {kind}": (drift(kind), EXPECTED_OF_DRIFT[kind]) for kind in DriftKind},
    "drift first_seen": (audited("first_seen", **GROUP), {"drift-not-repaired"}),
    **{f"verdict {verdict}": (looked(verdict), EXPECTED_OF_VERDICT.get(verdict, {"probe-failing"}))
       for verdict in Verdict if verdict is not Verdict.OK},
    **{f"failure {code}": (failed(code), rules) for code, rules in EXPECTED_OF_FAILURE.items()},
    "track_failed": (arrivals(5, "track_failed", Component="tracker", ErrorCode="x", **GROUP), {"observer-failing"}),
    "probe broken off": (
        arrivals(10, "probe_completed", lambda number: {"CorrelationId": f"p-{number}"}, Component="probe",
                 Vantage="/vnet-a", ErrorCode="unexpected"), {"observer-failing"}),
    "audit forbidden": (
        arrivals(60, "audit_completed", lambda number: {"CorrelationId": f"a-{number}"}, Component="audit",
                 ErrorCode="forbidden"), {"audit-incomplete"}),
    "never audited": (
        [*arrivals(60, "audit_completed", Component="audit", Details={"scope": SCOPE}),
         *arrivals(60, "reconcile_no_op", Component="reconciler", **{**GROUP, "ResourceGroup": "rg-two"})],
        {"resource-group-unaudited"}),
}  # fmt: skip
OF_THE_WHOLE = {"heartbeat-missing", "slo-burn-fast", "slo-burn-medium", "slo-burn-slow"}
"""These fire beside others: of what is not in these rows, and of how much fails."""


@pytest.fixture(scope="module")
def firing():
    """Give, for each fault, the rules whose condition it meets after six hours."""
    cases = [(Case(name, "", (), tuple(rows), (), timedelta(), 0), [NOW]) for name, (rows, _) in FAULTS.items()]
    with connect() as connection:
        plan_plainly(connection)
        found = places(cases)
        fill(connection, found)
        together = SideBySide(DuckDbEngine(connection), found)
        met: dict[str, set[str]] = {name: set() for name in FAULTS}
        for rule in (rule for name, rule in RULES.items() if name not in OF_THE_WHOLE):
            for place in found:
                if fires(rule, together.of(place)):
                    met[place.case.name].add(rule.name)
    return met


def fires(rule: Rule, engine) -> bool:
    (table,) = engine.query_each(corpus.query_text(rule), [(NOW, query_span(rule, NOW))])
    return any(one.met for one in measure(rule, table, NOW))


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_found_wrong_and_lasts_fires_the_rule_of_its_cause_alone(firing, fault):
    assert firing[fault] == FAULTS[fault][1]
