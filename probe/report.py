"""Turns a run into events, and into its numbers. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.errors import ToolkitError
from core.events import Component, Event, EventType
from core.probe_settings import Emit, ProbeSettings
from probe.answer import Answer, Failure
from probe.result import ProbeReport, Summary, TargetResult, count_verdicts, percentile
from probe.target import BadTarget, Target, Vantage
from probe.verdict import Finding, Judgement

MAX_MESSAGE = 4000


@dataclass(frozen=True, slots=True)
class Occasion:
    """One run: its id, from where, the attempt, and when it ended (UTC)."""

    run_id: str
    vantage: Vantage
    attempt: int
    now: datetime

    def event(self, kind: EventType, values: dict[str, Any]) -> Event:
        """Build an event of the probe with what every one of them carries; empty values are left out."""
        common = {"CorrelationId": self.run_id, "Vantage": self.vantage.vnet_id, "Attempt": self.attempt}
        given = {name: value for name, value in {**common, **values}.items() if value not in (None, "", {})}
        return Event(Component.PROBE, kind, self.now, self.run_id, given)


def summarise(
    targets: Sequence[Target],
    results: tuple[TargetResult, ...],
    bad: Sequence[BadTarget],
    duration_seconds: float,
    arm_calls: int,
) -> Summary:
    """Count a run. Percentiles are of the questions that were answered; queries and retries of all looks."""
    answers = [answer for result in results for answer in _answers(result)]
    times = sorted(a.duration_ms for r in results for f in r.first.findings if (a := f.answer).failure is None)
    return Summary(
        targets=len(targets),
        results=len(results),
        verdicts=count_verdicts(results),
        bad_targets=len(bad),
        queries=sum(answer.attempts for answer in answers),
        retries=sum(max(answer.attempts - 1, 0) for answer in answers),
        ignored=sum(answer.ignored for answer in answers),
        p50_ms=percentile(times, 0.50),
        p95_ms=percentile(times, 0.95),
        p99_ms=percentile(times, 0.99),
        duration_seconds=duration_seconds,
        deadline_reached=any(answer.failure is Failure.NOT_ASKED for answer in answers),
        arm_calls=arm_calls,
    )


def events_of(occasion: Occasion, report: ProbeReport, settings: ProbeSettings) -> Iterator[Event]:
    """Give the rows of a run: the targets', as many as are asked for, and `probe_completed` last."""
    for result in report.results:
        if not result.is_ok or settings.emit is Emit.ALL:
            yield target_event(occasion, result)
    yield completed(occasion, report, settings)


def target_event(occasion: Occasion, result: TargetResult) -> Event:
    """Say what became of one target."""
    target, kind = result.target, EventType.PROBE_OK if result.is_ok else EventType.PROBE_FAILED
    deciding = result.last.deciding
    reverse = result.last.reverse
    values: dict[str, Any] = {
        **_group_values(target),
        "Fqdn": target.fqdn,
        "ForwardZone": target.forward.name,
        "ReverseZone": target.reverse.name if target.reverse else "",
        "NewIp": str(target.address),
        "LiveIp": str(target.address) if target.group else "",
        "PtrName": target.ptr_name if target.expects_ptr else "",
        "PtrTarget": ",".join(reverse.answer.values) if reverse else "",
        "Verdict": result.verdict.value,
        "Rcode": deciding.answer.rcode,
        "Resolver": deciding.answer.resolver or result.resolver,
        "DurationMs": round(result.duration_ms),
        "Details": _details(occasion, result),
    }
    if not result.is_ok:
        values["ErrorCode"] = result.verdict.value
        values["ErrorMessage"] = f"{result.cause}; {result.fix}"[:MAX_MESSAGE]
    return occasion.event(kind, values)


def completed(occasion: Occasion, report: ProbeReport, settings: ProbeSettings) -> Event:
    """Say how the run went; it is emitted after every run, so its absence is an outage of the probe itself."""
    summary = report.summary
    details = {
        **summary.to_json(),
        "source": settings.source.value,
        "resolvers": list(report.resolvers),
        **_place(occasion.vantage),
        "bad": [str(bad) for bad in report.bad_targets[:20]],
        "remarks": list(report.remarks[:20]),
    }
    values: dict[str, Any] = {
        "Resolver": ",".join(report.resolvers),
        "DurationMs": round(summary.duration_seconds * 1000),
        "ArmCalls": summary.arm_calls,
        "Details": details,
    }
    if report.bad_targets:
        values["ErrorCode"] = "bad_targets"
        values["ErrorMessage"] = "; ".join(str(bad) for bad in report.bad_targets[:5])[:MAX_MESSAGE]
    return occasion.event(EventType.PROBE_COMPLETED, values)


def broken_off(occasion: Occasion, error: Exception, duration_seconds: float, arm_calls: int) -> Event:
    """Say that the run itself failed: it is completed all the same, with what it failed of."""
    values = {
        "DurationMs": round(duration_seconds * 1000),
        "ArmCalls": arm_calls,
        "ErrorCode": error.code if isinstance(error, ToolkitError) else "unexpected",
        "ErrorMessage": (str(error) or type(error).__name__)[:MAX_MESSAGE],
        "Details": {**Summary().to_json(), **_place(occasion.vantage)},
    }
    return occasion.event(EventType.PROBE_COMPLETED, values)


def _group_values(target: Target) -> dict[str, str]:
    if target.group is None:
        return {}
    return {
        "SubscriptionId": target.group.subscription_id,
        "ResourceGroup": target.group.resource_group,
        "ContainerGroup": target.group.name,
        "ContainerGroupId": str(target.group),
    }


def _details(occasion: Occasion, result: TargetResult) -> dict[str, Any]:
    """Give little for a target that is right: there may be thousands of them in every run."""
    details: dict[str, Any] = {"source": result.target.source.value, **_place(occasion.vantage)}
    if result.is_ok:
        return details
    details |= {"cause": result.cause, "fix": result.fix, "answers": _answers_json(result.first)}
    if result.also:
        details["also"] = result.also
    if result.confirmation is not None:
        details["confirmation"] = _answers_json(result.confirmation)
        details["confirmed_after_seconds"] = round(result.confirmed_after_seconds, 1)
    if result.cross_check is not None:
        details["cross_check"] = result.cross_check.to_json()
    return details


def _answers_json(judgement: Judgement) -> dict[str, Any]:
    return {finding.direction.value: _finding_json(finding) for finding in judgement.findings}


def _finding_json(finding: Finding) -> dict[str, Any]:
    return {"verdict": finding.verdict.value, **finding.answer.to_json()}


def _place(vantage: Vantage) -> dict[str, str]:
    return {name: value for name, value in (("subnet", vantage.subnet), ("host", vantage.host)) if value}


def _answers(result: TargetResult) -> Iterator[Answer]:
    for judgement in (result.first, result.confirmation):
        if judgement is not None:
            yield from (finding.answer for finding in judgement.findings)
