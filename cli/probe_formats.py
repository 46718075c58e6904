"""A probe's result for other programs: JUnit XML, and the Prometheus text format 0.0.4. Pure."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final
from xml.etree import ElementTree as ET

from core.events import TOOL_VERSION
from probe.result import ProbeReport, TargetResult
from probe.target import BadTarget
from probe.verdict import Verdict

SUITE: Final = "drift probe"
PREFIX: Final = "aci_dns_probe"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: ProbeReport, fail_on: frozenset[Verdict], ended: datetime) -> str:
    """Give a test suite with a case for each target and resolver; a target that cannot be asked for is an error.

    A verdict that does not count (`fail_on`) is a case that passed, and says so in its output.
    """
    counted = [result for result in report.failing if result.verdict in fail_on]
    asked = [result for result in counted if not _was_not_asked(result)]
    suite = ET.Element(
        "testsuite",
        name=SUITE,
        tests=str(len(report.results) + len(report.bad_targets)),
        failures=str(len(asked)),
        errors=str(len(counted) - len(asked) + len(report.bad_targets)),
        skipped="0",
        time=f"{report.summary.duration_seconds:.3f}",
        timestamp=ended.replace(tzinfo=None).isoformat(timespec="seconds"),
        hostname=_text(report.vantage.host),
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in (("vantage", report.vantage.vnet_id), ("resolvers", ",".join(report.resolvers)),
                        ("run_id", report.run_id), ("version", TOOL_VERSION)):  # fmt: skip
        ET.SubElement(properties, "property", name=name, value=_text(value))
    for result in report.results:
        _case(suite, result, report, counts=result.verdict in fail_on)
    for bad in report.bad_targets:
        _bad_case(suite, bad)
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _was_not_asked(result: TargetResult) -> bool:
    return result.verdict is Verdict.NOT_ASKED


def _case(suite: ET.Element, result: TargetResult, report: ProbeReport, *, counts: bool) -> None:
    target = result.target
    at = f" at {result.resolver}" if len(report.resolvers) > 1 else ""
    case = ET.SubElement(
        suite,
        "testcase",
        classname=_text(target.forward.name),
        name=_text(f"{target.fqdn} {target.address}{at}"),
        time=f"{result.duration_ms / 1000:.3f}",
    )
    if result.is_ok:
        return
    text = _text("\n".join(_lines(result)))
    if not counts:
        ET.SubElement(case, "system-out").text = f"{result.verdict.value} does not count (--fail-on)\n{text}"
        return
    kind = "error" if _was_not_asked(result) else "failure"
    ET.SubElement(case, kind, type=result.verdict.value, message=_text(result.cause)).text = text


def _lines(result: TargetResult) -> Iterable[str]:
    yield from (fix for fix in (result.fix, result.also) if fix)
    for finding in result.last.findings:
        answer = finding.answer
        yield f"{answer.question}: {answer.says()} ({finding.verdict.value}, from {answer.resolver or result.resolver})"


def _bad_case(suite: ET.Element, bad: BadTarget) -> None:
    case = ET.SubElement(suite, "testcase", classname="targets", name=_text(bad.where), time="0.000")
    ET.SubElement(case, "error", type="bad_target", message=_text(bad.reason)).text = _text(bad.text)


def _text(text: str) -> str:
    """Replace what XML 1.0 cannot carry."""
    return _NOT_XML.sub("\ufffd", text)


def prometheus(report: ProbeReport, ended: datetime, *, success: bool) -> str:
    """Give the run as gauges, for a textfile collector or a push gateway; `success`: the exit code is 0.

    Labels are bounded: resolvers are the options', verdicts an enumeration. No target is a label: --json has them.
    Every verdict is there, with 0 where it did not occur, so that a rule never waits for a series to appear.
    """
    summary = report.summary
    times = {"0.5": summary.p50_ms, "0.95": summary.p95_ms, "0.99": summary.p99_ms}
    place = {"vantage": report.vantage.vnet_id, "subnet": report.vantage.subnet, "host": report.vantage.host}
    lines = [
        *_metric("info", "Where and by which version was probed; the value is always 1.",
                 [({**place, "version": TOOL_VERSION}, 1)]),
        *_metric("success", "1 if everything could be asked and nothing that counts is wrong, else 0.",
                 [({}, int(success))]),
        *_metric("results", "Targets of the last run by resolver and verdict.", list(_by_verdict(report))),
        *_metric("bad_targets", "Targets, or sources of targets, that could not be asked for in the last run.",
                 [({}, summary.bad_targets)]),
        *_metric("queries", "DNS messages sent in the last run, repeated ones included.", [({}, summary.queries)]),
        *_metric("retries", "DNS messages of the last run that were sent again.", [({}, summary.retries)]),
        *_metric("ignored_messages", "Messages received in the last run that answered nothing that was asked.",
                 [({}, summary.ignored)]),
        *_metric("answer_time_seconds", "Time from question to answer in the last run, by quantile.",
                 [({"quantile": share}, value / 1000) for share, value in times.items()]),
        *_metric("duration_seconds", "How long the last run took.", [({}, summary.duration_seconds)]),
        *_metric("deadline_reached", "1 if the deadline of the last run left targets unasked, else 0.",
                 [({}, int(summary.deadline_reached))]),
        *_metric("end_timestamp_seconds", "When the last run ended, in seconds since the epoch.",
                 [({}, round(ended.timestamp(), 3))]),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _by_verdict(report: ProbeReport) -> Iterable[tuple[Mapping[str, str], float]]:
    for resolver in report.resolvers:
        mine = [result.verdict for result in report.results if result.resolver == resolver]
        for verdict in Verdict:
            yield {"resolver": resolver, "verdict": verdict.value}, mine.count(verdict)


def _metric(name: str, help_: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> Iterable[str]:
    full = f"{PREFIX}_{name}"
    yield f"# HELP {full} {help_}"
    yield f"# TYPE {full} gauge"
    for labels, value in samples:
        shown = ",".join(f'{label}="{_label(text)}"' for label, text in labels.items())
        yield f"{full}{{{shown}}} {value:.15g}" if shown else f"{full} {value:.15g}"


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
