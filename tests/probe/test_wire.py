"""The wire reader: nothing that arrives raises, nothing foreign is believed, and no broken message is ever `ok`."""

import dns.message
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from probe.advice import advise
from probe.answer import Answer, Failure, Question
from probe.target import Vantage
from probe.verdict import Verdict, judge
from probe.wire import EDNS_PAYLOAD, Ignored, encode_query, question_wire, read_answer

ID = 4711
FORWARD = Question("web.corp.internal", "A")
REVERSE = Question("4.0.1.10.in-addr.arpa", "PTR")
RIGHT = {
    FORWARD: [("web.corp.internal.", "A", "10.1.0.4")],
    REVERSE: [(f"{REVERSE.name}.", "PTR", "web.corp.internal.")],
}
WRONG = [
    {"rcode": "NXDOMAIN", "authority": [("corp.internal.",)]},
    {"rcode": "NXDOMAIN", "authority": [("10.IN-ADDR.ARPA.", "10.IN-ADDR.ARPA. . 0 1 2 3 4", 60)]},
    {"rcode": "NXDOMAIN"},
    {},
    {"authority": [("NS", "internal.", "ns.internal.")]},
    {"rcode": "SERVFAIL"},
    {"rcode": "REFUSED"},
    {"answer": [("elsewhere.example.", "A", "192.0.2.55"), ("elsewhere.example.", "PTR", "no.example.")]},
    {"answer": [("web.corp.internal.", "CNAME", "a.example."), ("a.example.", "A", "192.0.2.99")]},
]


def read(wire: bytes, question: Question) -> Answer | Ignored:
    return read_answer(wire, ID, question, question_wire(question))


def verdict_of(wire: bytes, question: Question, target) -> Verdict | None:
    """Judge one direction with the other one right, and put the verdict into words; None for what is ignored."""
    found = read(wire, question)
    if isinstance(found, Ignored):
        return None
    found.to_json(), found.says(), found.memory_seconds
    other = Answer(REVERSE if question is FORWARD else FORWARD, rcode="NOERROR", values=("web.corp.internal",))
    if question is FORWARD:
        judgement = judge(target, found, other)
    else:
        judgement = judge(target, Answer(FORWARD, rcode="NOERROR", values=("10.1.0.4",)), found)
    advice = advise(target, judgement, Vantage())
    assert (judgement.verdict is Verdict.OK) == (not advice.cause)
    return judgement.verdict


@pytest.fixture(scope="module")
def wrong_wires(make_response):
    return {
        question: [make_response(question, **response).to_wire() for response in WRONG]
        for question in (FORWARD, REVERSE)
    }


@given(wire=st.binary(max_size=700), question=st.sampled_from([FORWARD, REVERSE]))
def test_arbitrary_bytes_raise_nothing_and_are_never_ok(wire, question, make_target):
    assert verdict_of(wire, question, make_target()) is not Verdict.OK


@given(
    rest=st.binary(max_size=400),
    flags=st.integers(0, 0xFFFF),
    counts=st.tuples(*[st.integers(0, 3)] * 3),
    question=st.sampled_from([FORWARD, REVERSE]),
)
def test_arbitrary_bytes_after_our_id_and_question_raise_nothing_and_are_never_ok(
    rest, flags, counts, question, make_target
):
    header = b"".join(number.to_bytes(2, "big") for number in (ID, flags | 0x8000, 1, *counts))
    assert verdict_of(header + question_wire(question) + rest, question, make_target()) is not Verdict.OK


@st.composite
def mutations(draw):
    """Draw what is done to a message: bytes set, then a cut, an insertion, or nothing more."""
    sets = draw(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=6))
    cut = draw(st.none() | st.integers(0, 200))
    inserted = draw(st.tuples(st.integers(0, 200), st.binary(max_size=20)))
    return sets, cut, inserted


def mutate(wire: bytes, mutation) -> bytes:
    sets, cut, (place, more) = mutation
    changed = bytearray(wire)
    for at, value in sets:
        if at < len(changed):
            changed[at] = value
    changed[place:place] = more
    return bytes(changed[:cut])


@given(data=st.data(), mutation=mutations(), question=st.sampled_from([FORWARD, REVERSE]))
def test_mutated_wrong_answers_raise_nothing_and_never_become_ok(data, mutation, question, wrong_wires, make_target):
    wire = mutate(data.draw(st.sampled_from(wrong_wires[question])), mutation)
    assert verdict_of(wire, question, make_target()) is not Verdict.OK


@given(mutation=mutations(), question=st.sampled_from([FORWARD, REVERSE]))
def test_a_mutated_right_answer_is_ok_only_if_it_still_says_what_is_right(
    mutation, question, make_response, make_target
):
    wire = mutate(make_response(question, answer=RIGHT[question]).to_wire(), mutation)
    if verdict_of(wire, question, make_target()) is Verdict.OK:
        message = dns.message.from_wire(wire)
        assert (message.id, message.rcode()) == (ID, 0)
        assert RIGHT[question][0][2] in {rdata.to_text().lower() for rrset in message.answer for rdata in rrset}


@pytest.mark.parametrize("question", [FORWARD, REVERSE])
def test_every_cut_of_a_right_answer_is_not_ok(question, make_response, make_target):
    wire = make_response(question, answer=RIGHT[question]).to_wire()
    assert verdict_of(wire, question, make_target()) is Verdict.OK
    assert Verdict.OK not in {verdict_of(wire[:end], question, make_target()) for end in range(len(wire))}


def changed(wire: bytes, at: int, value: bytes) -> bytes:
    return wire[:at] + value + wire[at + len(value) :]


FOREIGN = {
    "another id": (lambda wire: changed(wire, 0, b"\0\1"), "another id"),
    "a query": (lambda wire: changed(wire, 2, b"\1"), "not a response to a query"),
    "another opcode": (lambda wire: changed(wire, 2, b"\xa8"), "not a response to a query"),
    "another name": (lambda wire: wire.replace(b"\3web", b"\3wob"), "another question"),
    "another type": (lambda wire: changed(wire, 12 + len(question_wire(FORWARD)) - 4, b"\0\x1c"), "another question"),
    "another class": (lambda wire: changed(wire, 12 + len(question_wire(FORWARD)) - 2, b"\0\3"), "another question"),
    "no question, no error": (lambda wire: wire[:4] + b"\0\0" * 4, "another question"),
    "shorter than a header": (lambda wire: wire[:11], "another id"),
    "empty": (lambda wire: wire[:0], "another id"),
}


@pytest.mark.parametrize(("alter", "reason"), FOREIGN.values(), ids=FOREIGN)
def test_what_answers_something_else_is_ignored(alter, reason, make_response):
    wire = make_response(FORWARD, answer=RIGHT[FORWARD]).to_wire()
    assert read(alter(wire), FORWARD) == Ignored(reason)


@pytest.mark.parametrize(("rcode", "number"), [("FORMERR", 1), ("SERVFAIL", 2), ("NOTIMP", 4), ("REFUSED", 5)])
def test_an_error_without_the_question_is_an_answer(rcode, number):
    found = read(ID.to_bytes(2, "big") + b"\x80" + bytes([0x80 | number]) + b"\0" * 8, FORWARD)
    assert isinstance(found, Answer)
    assert (found.rcode, found.detail) == (rcode, "without the question")


def test_what_cannot_be_read_is_malformed_and_says_how(make_response):
    wire = make_response(FORWARD, answer=RIGHT[FORWARD]).to_wire()
    found = read(wire[:-2], FORWARD)
    assert isinstance(found, Answer)
    assert (found.failure, found.rcode) == (Failure.MALFORMED, "")
    assert found.detail


def test_records_of_another_class_are_not_believed(make_response):
    wire = make_response(FORWARD, answer=RIGHT[FORWARD]).to_wire()
    found = read(changed(wire, wire.rindex(b"\0\1\0\1") + 2, b"\0\4"), FORWARD)
    assert isinstance(found, Answer)
    assert (found.values, found.failure) == ((), None)


def test_a_cut_message_is_told_by_its_flag_and_not_read(make_response):
    wire = make_response(FORWARD, flags="QR TC RA").to_wire()[:-1] + b"\xff\xff\xff"
    found = read(wire, FORWARD)
    assert isinstance(found, Answer)
    assert (found.truncated, found.failure, found.values) == (True, None, ())


def test_an_answer_is_taken_apart(make_answer):
    found = make_answer(REVERSE, "NXDOMAIN", authority=[("1.10.IN-addr.arpa.",)], flags="QR AA RD RA")
    assert found.soa is not None
    assert (found.soa.owner, found.soa.primary) == ("1.10.in-addr.arpa", "azureprivatedns.net")
    assert (found.authoritative, found.recursion_available, found.memory_seconds) == (True, True, 10)
    assert found.says() == "NXDOMAIN from 1.10.in-addr.arpa"
    assert found.to_json() == {
        "question": "PTR 4.0.1.10.in-addr.arpa", "rcode": "NXDOMAIN", "flags": "aa ra", "transport": "udp",
        "soa": {"owner": "1.10.in-addr.arpa", "primary": "azureprivatedns.net", "minimum": 10, "ttl": 10,
                "contact": "azureprivatedns-host.microsoft.com"},
    }  # fmt: skip


def test_a_chain_of_aliases_is_followed_so_far_and_no_further(make_answer):
    chain = [(f"n{i}.corp.internal.", "CNAME", f"n{i + 1}.corp.internal.") for i in range(40)]
    found = make_answer(Question("n0.corp.internal", "A"), answer=[*chain, ("n40.corp.internal.", "A", "10.1.0.4")])
    assert (len(found.aliases), found.values) == (16, ())


def test_a_query_is_one_that_servers_understand():
    asked = question_wire(FORWARD)
    query = dns.message.from_wire(encode_query(ID, asked))
    assert (query.id, query.question[0].to_text(), query.edns, query.payload) == (
        ID, "web.corp.internal. IN A", 0, EDNS_PAYLOAD,
    )  # fmt: skip
    assert dns.message.from_wire(encode_query(ID, asked, edns=False)).edns == -1


@pytest.mark.parametrize("name", ["a" * 64 + ".corp", ".".join(["a" * 60] * 5), "a..b"])
def test_a_name_that_dns_cannot_carry_is_refused(name):
    with pytest.raises(InputError, match="not a name that can be asked for"):
        question_wire(Question(name, "A"))
