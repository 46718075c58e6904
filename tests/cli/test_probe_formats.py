"""The probe's result for other programs: JUnit XML and the Prometheus text format, read back by their own parsers."""

from datetime import UTC, datetime
from ipaddress import ip_address
from xml.etree import ElementTree as ET

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cli.probe import exit_code
from cli.probe_formats import junit, prometheus
from cli.probe_wishes import checked_fail_on
from core.records import ZoneRef
from probe.answer import Answer, Failure, Question, Soa
from probe.report import summarise
from probe.result import ProbeReport, TargetResult
from probe.target import BadTarget, Target, Vantage
from probe.verdict import Verdict, judge

ENDED = datetime(2026, 11, 23, 4, 5, 6, tzinfo=UTC)
ANY = checked_fail_on(["any"])
RESOLVER = "168.63.129.16"
HERE = Vantage("/subscriptions/s/vnet", "aci", "host-1")
FORWARD, REVERSE = ZoneRef("s", "rg-dns", "corp.internal"), ZoneRef("s", "rg-dns", "10.in-addr.arpa")


def result(name, ptr, resolver=RESOLVER, cause="", **answer):
    """One target at 10.0.1.4 whose A is right and whose PTR answer is this."""
    target = Target(f"{name}.corp.internal", ip_address("10.0.1.4"), FORWARD, REVERSE)
    a = Answer(Question(target.fqdn, "A"), resolver, rcode="NOERROR", values=("10.0.1.4",), duration_ms=2.0, attempts=1)
    reverse = Answer(Question(target.ptr_name, "PTR"), resolver, attempts=2, duration_ms=8.0, **ptr)
    found = judge(target, a, reverse)
    fix = "" if found.verdict is Verdict.OK else 'do <this> & "that"'
    return TargetResult(target, resolver, found.verdict, cause, fix, found, **answer)


def right(name="web", resolver=RESOLVER):
    return result(name, {"rcode": "NOERROR", "values": (f"{name}.corp.internal",)}, resolver)


def missing(name="api", cause="no PTR"):
    soa = Soa("10.in-addr.arpa", "azureprivatedns.net", "x", 10, 10)
    return result(name, {"rcode": "NXDOMAIN", "soa": soa}, cause=cause)


def not_asked(name="late"):
    return result(name, {"failure": Failure.NOT_ASKED}, cause="the deadline was over")


def report(*results, bad=(), vantage=HERE):
    targets = [each.target for each in results]
    resolvers = tuple(dict.fromkeys(each.resolver for each in results)) or (RESOLVER,)
    summary = summarise(targets, results, bad, 1.5, 0)
    return ProbeReport("run-1", results, tuple(bad), summary, vantage, resolvers)


def suite(*results, fail_on=ANY, **more):
    (found,) = ET.fromstring(junit(report(*results, **more), fail_on, ENDED))  # noqa: S314 - our own text
    return found


def test_junit_has_a_case_for_each_target_and_counts_failures_and_errors():
    bad = BadTarget("targets line 3", "nonsense", "a name and an address are expected")
    found = suite(right(), missing(), not_asked(), bad=[bad])
    counts = {name: found.get(name) for name in ("tests", "failures", "errors", "timestamp", "time", "hostname")}
    assert counts == {
        "tests": "4", "failures": "1", "errors": "2", "timestamp": "2026-11-23T04:05:06", "time": "1.500",
        "hostname": "host-1",
    }  # fmt: skip
    cases = {case.get("name"): [(child.tag, child.get("type"), child.get("message")) for child in case]
             for case in found.iter("testcase")}  # fmt: skip
    assert cases == {
        "web.corp.internal 10.0.1.4": [],
        "api.corp.internal 10.0.1.4": [("failure", "ptr_missing", "no PTR")],
        "late.corp.internal 10.0.1.4": [("error", "not_asked", "the deadline was over")],
        "targets line 3": [("error", "bad_target", bad.reason)],
    }


def test_junit_says_what_to_do_and_what_was_answered():
    (failure,) = suite(missing()).iter("failure")
    assert failure.text.splitlines() == [
        'do <this> & "that"',
        f"A api.corp.internal: 10.0.1.4 (ok, from {RESOLVER})",
        f"PTR 4.1.0.10.in-addr.arpa: NXDOMAIN from 10.in-addr.arpa (ptr_missing, from {RESOLVER})",
    ]


def test_junit_lets_a_verdict_that_does_not_count_pass_and_tell():
    found = suite(missing(), fail_on=checked_fail_on(["a_mismatch"]))
    assert (found.get("failures"), list(found.iter("failure"))) == ("0", [])
    (said,) = found.iter("system-out")
    assert said.text.startswith("ptr_missing does not count")


@pytest.mark.parametrize("text", ["\x00\x1b[31m", "\ud800", "]]>", "\ufffe", "<&\"'>", "ü 日本 😀"])
def test_junit_stays_well_formed_whatever_a_message_holds(text):
    found = suite(missing(cause=text), bad=[BadTarget(text, text, text)])
    assert len(list(found.iter("testcase"))) == 2


def test_junit_tells_resolvers_apart():
    found = suite(right(), right(resolver="10.0.0.4"))
    assert [case.get("name").rpartition(" at ")[2] for case in found.iter("testcase")] == [RESOLVER, "10.0.0.4"]


def families(*results, fail_on=ANY, **more):
    found = report(*results, **more)
    text = prometheus(found, ENDED, success=exit_code(found, fail_on) == 0)
    return {family.name: family for family in text_string_to_metric_families(text)}


def values(family):
    return {tuple(sample.labels.values()): sample.value for sample in family.samples}


def test_prometheus_has_every_verdict_with_its_zero_and_help_and_type():
    found = families(right(), right("jobs"), missing())
    verdicts = values(found["aci_dns_probe_results"])
    assert {verdict for _, verdict in verdicts} == {verdict.value for verdict in Verdict}
    assert {key: value for key, value in verdicts.items() if value} == {
        (RESOLVER, "ok"): 2,
        (RESOLVER, "ptr_missing"): 1,
    }
    assert all((family.type, bool(family.documentation)) == ("gauge", True) for family in found.values())


def test_prometheus_names_units_and_gives_seconds():
    found = families(right(), missing())
    assert values(found["aci_dns_probe_answer_time_seconds"]) == {("0.5",): 0.002, ("0.95",): 0.008, ("0.99",): 0.008}
    assert values(found["aci_dns_probe_duration_seconds"]) == {(): 1.5}
    assert values(found["aci_dns_probe_end_timestamp_seconds"]) == {(): ENDED.timestamp()}
    assert values(found["aci_dns_probe_queries"]) == {(): 6}


@pytest.mark.parametrize(
    ("results", "fail_on", "bad", "success"),
    [
        ((right(),), ANY, (), 1),
        ((right(), missing()), ANY, (), 0),
        ((right(), missing()), checked_fail_on(["never"]), (), 1),
        ((right(),), ANY, (BadTarget("x", "x", "x"),), 0),
        ((), ANY, (), 0),
        ((not_asked(),), ANY, (), 0),
    ],
)
def test_prometheus_success_is_what_the_exit_code_is(results, fail_on, bad, success):
    found = families(*results, fail_on=fail_on, bad=bad)
    assert values(found["aci_dns_probe_success"]) == {(): success}


def test_prometheus_labels_are_escaped_and_do_not_grow_with_targets():
    few = families(right(), vantage=Vantage('a"b\\c\nd', "", ""))
    many = families(*(right(f"g{number}") for number in range(50)))
    assert few["aci_dns_probe_info"].samples[0].labels["vantage"] == 'a"b\\c\nd'
    assert [len(family.samples) for family in few.values()] == [len(family.samples) for family in many.values()]
