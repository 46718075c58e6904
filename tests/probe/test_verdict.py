"""The verdict's table: what each answer means, read from the bytes that a server would send."""

import pytest

from probe.answer import Answer, Failure, Question
from probe.verdict import Verdict, judge, judge_forward, judge_reverse

WEB = "web.corp.internal."
PTR = "4.0.1.10.in-addr.arpa."
REVERSE = "1.10.in-addr.arpa."
BIND_EMPTY = "10.IN-ADDR.ARPA. . 0 28800 7200 604800 86400"
UNBOUND_EMPTY = "localhost. nobody.invalid. 1 3600 1200 604800 10800"
AS112 = "prisoner.iana.org. hostmaster.root-servers.org. 1 604800 60 604800 604800"

FORWARD = {
    "right": ({"answer": [(WEB, "A", "10.1.0.4")]}, "ok"),
    "right, through a forwarder (no AA)": ({"answer": [(WEB, "A", "10.1.0.4")], "flags": "QR RD RA"}, "ok"),
    "right, another case": ({"answer": [("WEB.Corp.INTERNAL.", "A", "10.1.0.4")]}, "ok"),
    "right at the end of an alias": (
        {"answer": [(WEB, "CNAME", "b.corp.internal."), ("b.corp.internal.", "A", "10.1.0.4")]}, "ok"),
    "the chain in another order": (
        {"answer": [("b.corp.internal.", "A", "10.1.0.4"), (WEB, "CNAME", "b.corp.internal.")]}, "ok"),
    "another address": ({"answer": [(WEB, "A", "10.1.0.5")]}, "a_mismatch"),
    "ours and another": ({"answer": [(WEB, "A", "10.1.0.4", "10.1.0.5")]}, "a_mismatch"),
    "the right address of another name": ({"answer": [("other.corp.internal.", "A", "10.1.0.4")]}, "nodata"),
    "an alias that leads elsewhere": (
        {"answer": [(WEB, "CNAME", "b.corp.internal."), ("b.corp.internal.", "A", "10.9.9.9")]}, "a_mismatch"),
    "an alias of a name that does not exist": (
        {"rcode": "NXDOMAIN", "answer": [(WEB, "CNAME", "b.corp.internal.")], "authority": [("corp.internal.",)]},
        "a_mismatch"),
    "an alias of itself": ({"answer": [(WEB, "CNAME", WEB)]}, "a_mismatch"),
    "missing": ({"rcode": "NXDOMAIN", "authority": [("corp.internal.",)], "flags": "QR AA RD RA"}, "a_missing"),
    "missing, the SOA in another case": ({"rcode": "NXDOMAIN", "authority": [("CORP.Internal.",)]}, "a_missing"),
    "another zone: shorter": ({"rcode": "NXDOMAIN", "authority": [("internal.",)]}, "forward_zone_unlinked"),
    "another zone: the root": (
        {"rcode": "NXDOMAIN", "authority": [(".", "a.root-servers.net. nstld.verisign-grs.com. 1 2 3 4 86400")]},
        "forward_zone_unlinked"),
    "another zone: foreign": ({"rcode": "NXDOMAIN", "authority": [("example.com.",)]}, "forward_zone_unlinked"),
    "no SOA": ({"rcode": "NXDOMAIN"}, "forward_zone_unlinked"),
    "a longer zone": ({"rcode": "NXDOMAIN", "authority": [(WEB,)]}, "forward_zone_shadowed"),
    "a longer zone whose apex has no A": ({"authority": [(WEB,)]}, "forward_zone_shadowed"),
    "a longer zone that does not hold the name": (
        {"rcode": "NXDOMAIN", "authority": [("a.corp.internal.",)]}, "forward_zone_unlinked"),
    "the name without an A": ({"authority": [("corp.internal.",)]}, "nodata"),
    "nothing, and no SOA": ({}, "nodata"),
    "nothing, from a shorter zone": ({"authority": [("internal.",)]}, "forward_zone_unlinked"),
    "a referral": ({"authority": [("NS", "internal.", "ns.internal.")]}, "lame"),
    "nothing, from one that neither knows nor resolves": ({"flags": "QR RD"}, "lame"),
    "nothing, from an authoritative server": ({"flags": "QR AA RD"}, "nodata"),
    "SERVFAIL": ({"rcode": "SERVFAIL"}, "servfail"),
    "REFUSED": ({"rcode": "REFUSED"}, "refused"),
    "NOTAUTH": ({"rcode": "NOTAUTH"}, "bad_rcode"),
    "SERVFAIL with the right record": ({"rcode": "SERVFAIL", "answer": [(WEB, "A", "10.1.0.4")]}, "servfail"),
    "NXDOMAIN with the right record": ({"rcode": "NXDOMAIN", "answer": [(WEB, "A", "10.1.0.4")]}, "malformed"),
}  # fmt: skip

REVERSED = {
    "right": ({"answer": [(PTR, "PTR", WEB)]}, "ok"),
    "right, another case": ({"answer": [(PTR, "PTR", "WEB.corp.INTERNAL.")]}, "ok"),
    "right among others": ({"answer": [(PTR, "PTR", "a.corp.internal.", WEB, "vm.internal.cloudapp.net.")]}, "ok"),
    "another name": ({"answer": [(PTR, "PTR", "old.corp.internal.")]}, "ptr_mismatch"),
    "a name that begins like ours": ({"answer": [(PTR, "PTR", "web.corp.internal.evil.com.")]}, "ptr_mismatch"),
    "the platform's default name": ({"answer": [(PTR, "PTR", "vm.abc.internal.cloudapp.net.")]}, "platform_default"),
    "the platform's and another": (
        {"answer": [(PTR, "PTR", "vm.internal.cloudapp.net.", "x.corp.internal.")]}, "ptr_mismatch"),
    "a name that ends like the platform's": (
        {"answer": [(PTR, "PTR", "vm.notinternal.cloudapp.net.")]}, "ptr_mismatch"),
    "missing": ({"rcode": "NXDOMAIN", "authority": [(REVERSE,)], "flags": "QR AA RD RA"}, "ptr_missing"),
    "missing, through a forwarder": ({"rcode": "NXDOMAIN", "authority": [(REVERSE,)]}, "ptr_missing"),
    "a longer zone": ({"rcode": "NXDOMAIN", "authority": [("0.1.10.in-addr.arpa.",)]}, "reverse_zone_shadowed"),
    "a zone of the address itself": ({"authority": [(PTR,)]}, "reverse_zone_shadowed"),
    "a longer zone of other addresses": (
        {"rcode": "NXDOMAIN", "authority": [("9.1.10.in-addr.arpa.",)]}, "reverse_zone_unlinked"),
    "a shorter zone": ({"rcode": "NXDOMAIN", "authority": [("10.in-addr.arpa.",)]}, "reverse_zone_unlinked"),
    "BIND's empty zone": (
        {"rcode": "NXDOMAIN", "authority": [("10.IN-ADDR.ARPA.", BIND_EMPTY, 86400)]}, "reverse_zone_unlinked"),
    "Unbound's own": (
        {"rcode": "NXDOMAIN", "authority": [("10.in-addr.arpa.", UNBOUND_EMPTY, 10800)], "flags": "QR AA RD RA"},
        "reverse_zone_unlinked"),
    "AS112": ({"rcode": "NXDOMAIN", "authority": [("10.in-addr.arpa.", AS112, 60)]}, "reverse_zone_unlinked"),
    "in-addr.arpa": ({"rcode": "NXDOMAIN", "authority": [("in-addr.arpa.",)]}, "reverse_zone_unlinked"),
    "the root": ({"rcode": "NXDOMAIN", "authority": [(".",)]}, "reverse_zone_unlinked"),
    "no SOA": ({"rcode": "NXDOMAIN"}, "reverse_zone_unlinked"),
    "the name without a PTR": ({"authority": [(REVERSE,)]}, "nodata"),
    "nothing at all": ({}, "nodata"),
    "an alias that leads nowhere": (
        {"rcode": "NXDOMAIN", "answer": [(PTR, "CNAME", "4.0-25.0.1.10.in-addr.arpa.")]}, "ptr_mismatch"),
    "an alias of the right PTR": (
        {"answer": [(PTR, "CNAME", "4.x.arpa."), ("4.x.arpa.", "PTR", WEB)]}, "ok"),
    "SERVFAIL": ({"rcode": "SERVFAIL"}, "servfail"),
    "REFUSED": ({"rcode": "REFUSED"}, "refused"),
    "a referral": ({"authority": [("NS", "arpa.", "a.ns.arpa.")]}, "lame"),
}  # fmt: skip


@pytest.mark.parametrize(("response", "verdict"), FORWARD.values(), ids=FORWARD)
def test_an_address_answer_means(response, verdict, make_answer, make_target):
    answer = make_answer(Question("web.corp.internal", "A"), **response)
    assert judge_forward(make_target(), answer) == verdict


@pytest.mark.parametrize(("response", "verdict"), REVERSED.values(), ids=REVERSED)
def test_a_ptr_answer_means(response, verdict, make_answer, make_target):
    answer = make_answer(Question("4.0.1.10.in-addr.arpa", "PTR"), **response)
    assert judge_reverse(make_target(), answer) == verdict


@pytest.mark.parametrize("rdata", [BIND_EMPTY, UNBOUND_EMPTY, AS112])
def test_an_empty_zone_of_the_configured_zones_own_name_is_still_not_it(rdata, make_answer, make_target):
    """10.in-addr.arpa is what people configure, and what every resolver has an empty zone for."""
    answer = make_answer(
        Question("4.0.1.10.in-addr.arpa", "PTR"), "NXDOMAIN", authority=[("10.in-addr.arpa.", rdata, 60)]
    )
    assert judge_reverse(make_target(reverse="10.in-addr.arpa"), answer) == "reverse_zone_unlinked"


def test_the_default_soa_of_old_zones_is_azures_too(make_answer, make_target):
    old = "azureprivatedns.net. azuredns-hostmaster.microsoft.com. 1 3600 300 2419200 300"
    answer = make_answer(Question("4.0.1.10.in-addr.arpa", "PTR"), "NXDOMAIN", authority=[(REVERSE, old, 300)])
    assert judge_reverse(make_target(), answer) == "ptr_missing"
    assert answer.memory_seconds == 300


@pytest.mark.parametrize(
    ("failure", "verdict"),
    [
        (Failure.TIMEOUT, "timeout"),
        (Failure.UNREACHABLE, "unreachable"),
        (Failure.MALFORMED, "malformed"),
        (Failure.TRUNCATED, "truncated"),
        (Failure.NOT_ASKED, "not_asked"),
    ],
)
def test_no_answer_is_its_own_verdict(failure, verdict, make_target):
    target = make_target()
    answer = Answer(Question("x", "A"), failure=failure)
    assert judge_forward(target, answer) == judge_reverse(target, answer) == verdict


def test_every_failure_has_a_verdict():
    assert {failure.value for failure in Failure} <= {verdict.value for verdict in Verdict}


def test_without_a_zone_for_the_address_the_zone_is_what_is_missing(make_answer, make_target):
    target, question = make_target(reverse=None), Question("4.0.1.10.in-addr.arpa", "PTR")
    assert judge_reverse(target, make_answer(question, "NXDOMAIN")) == "reverse_zone_missing"
    assert judge_reverse(target, make_answer(question, answer=[(PTR, "PTR", WEB)])) == "ok"


def test_other_addresses_of_a_hand_made_record_set_are_allowed(make_answer, make_target):
    question = Question("web.corp.internal", "A")
    target = make_target(also=(make_target(address="10.1.0.5").address,))
    assert judge_forward(target, make_answer(question, answer=[(WEB, "A", "10.1.0.4", "10.1.0.5")])) == "ok"
    assert judge_forward(target, make_answer(question, answer=[(WEB, "A", "10.1.0.5")])) == "a_mismatch"
    assert judge_forward(target, make_answer(question, answer=[(WEB, "A", "10.1.0.4", "10.1.0.6")])) == "a_mismatch"


def test_ipv6_is_judged_alike(make_answer, make_target):
    target = make_target(address="fd00::1:4", reverse="0.0.d.f.ip6.arpa")
    name = target.ptr_name
    aaaa = make_answer(Question("web.corp.internal", "AAAA"), answer=[(WEB, "AAAA", "FD00:0:0::1:4")])
    assert (target.address_type, judge_forward(target, aaaa)) == ("AAAA", "ok")
    assert judge_reverse(target, make_answer(Question(name, "PTR"), answer=[(name + ".", "PTR", WEB)])) == "ok"
    missing = make_answer(Question(name, "PTR"), "NXDOMAIN", authority=[("0.0.d.f.ip6.arpa.",)])
    assert judge_reverse(target, missing) == "ptr_missing"
    foreign = make_answer(Question(name, "PTR"), "NXDOMAIN", authority=[("d.f.ip6.arpa.", "d.f.ip6.arpa. . 0 1 2 3 4")])
    assert judge_reverse(target, foreign) == "reverse_zone_unlinked"


def test_the_forward_verdict_goes_first_and_the_reverse_finding_stays(make_answer, make_target):
    forward = make_answer(Question("web.corp.internal", "A"), "NXDOMAIN", authority=[("corp.internal.",)])
    reverse = make_answer(Question("4.0.1.10.in-addr.arpa", "PTR"), "NXDOMAIN")
    both = judge(make_target(), forward, reverse)
    assert (both.verdict, [finding.verdict for finding in both.findings]) == (
        "a_missing",
        ["a_missing", "reverse_zone_unlinked"],
    )


def test_without_an_expected_ptr_the_address_alone_decides(make_answer, make_target):
    forward = make_answer(Question("web.corp.internal", "A"), answer=[(WEB, "A", "10.1.0.4")])
    assert judge(make_target(reverse=None, expects_ptr=False), forward, None).verdict == "ok"
