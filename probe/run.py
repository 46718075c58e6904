"""The probe's recipe: whom to ask for, ask, confirm, judge, cross-check, report.

A failing target is a result, not an exception. What raises is what makes the run as a whole impossible, and that too is
reported as `probe_completed` first.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from socket import gethostname
from typing import Final

from core.events import Event
from core.probe_settings import ProbeSettings
from core.run_context import RunContext
from probe.advice import Advice, advise, flapping
from probe.crosscheck import cross_check
from probe.facts import FactReader
from probe.look import Looks, Sleep, look_at_all
from probe.report import Occasion, broken_off, events_of, summarise
from probe.resolvers import ResolverSet, resolver_sets
from probe.result import ProbeReport, Summary, TargetResult
from probe.target import Target, Vantage
from probe.targets import Found, find_targets
from probe.verdict import Verdict

logger = logging.getLogger("aci_dns.probe")
EVENTS_PER_UPLOAD: Final = 2000
"""Rows handed to the sink at once: each upload has its own time limit."""


@dataclass(frozen=True, slots=True)
class ProbeOptions:
    """How one run probes. `run_id` tells runs apart; without one each run makes its own. `host` names this machine."""

    settings: ProbeSettings
    run_id: str = ""
    host: str = ""

    @property
    def vantage(self) -> Vantage:
        """Give the place from which it is asked."""
        return Vantage(self.settings.vantage, self.settings.subnet, self.host or gethostname())


@dataclass
class _Run:
    context: RunContext
    settings: ProbeSettings
    vantage: Vantage
    run_id: str
    began: float
    calls_before: int

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def arm_calls(self) -> int:
        return self.context.calls.calls - self.calls_before

    def occasion(self) -> Occasion:
        return Occasion(self.run_id, self.vantage, self.context.attempt, self.context.now())


def probe(
    context: RunContext,
    options: ProbeOptions,
    *,
    read_file: Callable[[str], str] = lambda path: Path(path).read_text(encoding="utf-8"),
    sleep: Sleep = asyncio.sleep,
) -> ProbeReport:
    """Probe once, emit the events, and give the report. Not to be called on a running event loop.

    `read_file` gives /etc/resolv.conf; `sleep` waits before the second look. Raises ConfigurationError and what is
    unexpected; a resolver that does not answer and zones that cannot be read are in the report.
    """
    run_id = options.run_id or str(uuid.uuid4())
    run = _Run(context, options.settings, options.vantage, run_id, time.monotonic(), context.calls.calls)
    try:
        report = _probe(run, resolver_sets(run.settings.resolvers, read_file), sleep)
    except Exception as error:
        _emit(context, [broken_off(run.occasion(), error, run.seconds, run.arm_calls)])
        raise
    _emit(context, list(events_of(run.occasion(), report, run.settings)))
    _log(report)
    return report


def _probe(run: _Run, resolvers: Sequence[ResolverSet], sleep: Sleep) -> ProbeReport:
    found = find_targets(run.context, run.settings)
    looking = look_at_all(found.targets, resolvers, run.settings, sleep)
    try:
        looks = asyncio.run(looking)
    finally:
        looking.close()  # a signal may come before the loop runs it, and what was never awaited warns at exit
    results = [
        _result(target, resolver, each, run.vantage)
        for resolver, of_resolver in zip(resolvers, looks, strict=True)
        for target, each in zip(found.targets, of_resolver, strict=True)
    ]
    if run.settings.cross_check:
        results = _cross_checked(run, results, found)
    return ProbeReport(
        run_id=run.run_id,
        results=tuple(results),
        bad_targets=tuple(found.bad),
        summary=_summary(run, results, found),
        vantage=run.vantage,
        resolvers=tuple(map(str, resolvers)),
        remarks=tuple(dict.fromkeys(found.remarks)),
    )


def _result(target: Target, resolver: ResolverSet, looks: Looks, vantage: Vantage) -> TargetResult:
    last = looks.second or looks.first
    if looks.verdict is Verdict.OK:
        advice = Advice("", "")
    elif looks.verdict is Verdict.FLAPPING:
        advice = flapping(looks.first, last, looks.seconds)
    else:
        advice = advise(target, last, vantage)
    return TargetResult(
        target=target,
        resolver=str(resolver),
        verdict=looks.verdict,
        cause=advice.cause,
        fix=advice.fix,
        first=looks.first,
        also=advice.also,
        confirmation=looks.second,
        confirmed_after_seconds=looks.seconds,
    )


def _cross_checked(run: _Run, results: list[TargetResult], found: Found) -> list[TargetResult]:
    """Compare the failing targets with Azure; where nothing fails nothing is read."""
    failing = [result.target for result in results if not result.is_ok]
    if not failing:
        return results
    reader = FactReader(run.context, found.remarks)
    facts = reader.for_targets(failing, run.vantage)
    return [
        result
        if result.is_ok
        else replace(result, cross_check=cross_check(result.target, result.last, run.vantage, facts))
        for result in results
    ]


def _summary(run: _Run, results: list[TargetResult], found: Found) -> Summary:
    return summarise(found.targets, tuple(results), found.bad, run.seconds, run.arm_calls)


def _emit(context: RunContext, events: Sequence[Event]) -> None:
    for start in range(0, len(events), EVENTS_PER_UPLOAD):
        context.sink.emit(events[start : start + EVENTS_PER_UPLOAD])


def _log(report: ProbeReport) -> None:
    summary = report.summary
    logger.info(
        "run %s: %d targets, %d of %d failed, %d bad, %.1f s",
        report.run_id, summary.targets, summary.failed, summary.results, summary.bad_targets, summary.duration_seconds,
    )  # fmt: skip
    for result in report.failing[:100]:
        logger.warning("%s %s at %s: %s; %s", result.verdict.value, result.target.fqdn, result.resolver,
                       result.cause, result.fix)  # fmt: skip
    for bad in report.bad_targets[:100]:
        logger.warning("bad target: %s", bad)
