"""Values in texts and queries: every specifier, and no value that can change what a query does."""

from datetime import UTC, datetime
from typing import Any

import pytest
from antlr4 import InputStream
from duckdb_kql._antlr.KqlLexer import KqlLexer
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kql.duckdb_engine import DuckDbEngine, connect
from workbooks.model import ParameterKind, TimeRange
from workbooks.substitute import UNSET, Scope, SubstitutionError, Value, references
from workbooks.substitute_lexer import Mode, mode_at_end, tokens
from workbooks.substitute_time import from_text, grain, iso_duration, label, to_text

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = Value(time=TimeRange(86_400_000), kind=ParameterKind.TIME_RANGE)
FIXED = Value(
    time=TimeRange(3_600_000, end=datetime(2026, 1, 2, tzinfo=UTC)),
    kind=ParameterKind.TIME_RANGE,
)
GROUP_ID = "/subscriptions/s-1/resourceGroups/rg-a/providers/Microsoft.ContainerInstance/containerGroups/web"
RESOURCE = Value(values=(GROUP_ID,), labels=("web!",), kind=ParameterKind.RESOURCE)


def scope(**values: Value | None) -> Scope:
    return Scope(values, NOW)


def foreign(*values: str, **more: Any) -> Value:
    return Value(values=values, **more)


def kql(template: str, *values: str, **more: Any) -> str:
    return scope(p=foreign(*values, **more)).kql(template)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("T | where TimeGenerated {r}", "T | where TimeGenerated > ago(1d)"),
        ("T | where TimeGenerated {r:query}", "T | where TimeGenerated > ago(1d)"),
        ("T | where TimeGenerated {r:value}", "T | where TimeGenerated > ago(1d)"),
        ("{r:start}", "datetime(2026-11-22T12:00:00.000Z)"),
        ("{r:end}", "datetime(2026-11-23T12:00:00.000Z)"),
        ("{r:grain}", "30m"),
        ("'{r:startISO}'", "'2026-11-22T12:00:00.000Z'"),
        ("'{r:durationISO}'", "'P1D'"),
        ("{r:seconds}", "86400"),
        ("'{r:Label}'", "'Last 24 hours'"),
        ("{f}", "between (datetime(2026-01-01T23:00:00.000Z) .. datetime(2026-01-02T00:00:00.000Z))"),
    ],
)
def test_a_time_range_in_a_query(template: str, expected: str) -> None:
    assert scope(r=DAY, f=FIXED).kql(template) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{r}", "Last 24 hours"),
        ("{r:label}", "Last 24 hours"),
        ("{r:query}", "> ago(1d)"),
        ("{f}", "2026-01-01 23:00 to 2026-01-02 00:00 UTC"),
        ("{res}", GROUP_ID),
        ("{res:label}", "web!"),
        ("{res:name} in {res:resourceGroup}", "web in rg-a"),
        ("{res:subid} {res:id}", "s-1 s-1"),
        ("{res:resourcetype}", "microsoft.containerinstance/containergroups"),
        ("{text:escapejson}", 'a\\"b\\nc'),
        ("{text:base64}", "YSJiCmM="),
        ("{json:$.series} {json:$.deep[1].x} {json:$['x-y']} {json:$.none}.", "Failures 7 3 ."),
        ("{text:$.a}.", "."),
        ("{toml:tomltojson}", '{\n  "name": "Sam"\n}'),
        ("{many} {many:label}", "'a','b' A, B"),
        ("{all} {all:label}", "'*' All"),
        ("{unset}", UNSET),
        ("{nobody} {nobody:label} {not a name}", "{nobody} {nobody:label} {not a name}"),
        ("{text:sparkle}", "{text:sparkle}"),
    ],
)
def test_a_value_in_a_text(template: str, expected: str) -> None:
    values = scope(
        r=DAY,
        f=FIXED,
        res=RESOURCE,
        text=foreign('a"b\nc'),
        json=foreign('{"series": "Failures", "deep": [0, {"x": 7}], "x-y": 3}'),
        toml=foreign('name = "Sam"'),
        many=Value(values=("a", "b"), labels=("A", "B"), multiple=True),
        all=Value(values=("a", "b"), multiple=True, all_text="*"),
        unset=None,
    )
    assert values.text(template) == expected


def test_only_what_is_not_the_authors_is_escaped_in_a_text() -> None:
    values = scope(own=Value(values=("<b>",), trusted=True), other=foreign("<i>"), unset=None)
    assert values.text("{own}{other}{unset}", lambda text: text.replace("<", "&lt;")) == "<b>&lt;i>&lt;unset>"


@pytest.mark.parametrize(
    ("template", "value", "expected"),
    [
        ("x == '{p}'", "it's", r"x == 'it\'s'"),
        ('x == "{p}"', 'say "hi" it\'s', r'x == "say \"hi\" it' + "'s\""),
        ("x == '{p}'", "a\\", r"x == 'a\\'"),
        ("x == @'{p}'", "a'b\\", "x == @'a''b\\'"),
        ('x == @"{p}"', 'a"b', 'x == @"a""b"'),
        ("x == '{p}'", "a\r\nb\tc", r"x == 'a\r\nb\tc'"),
        ("x > {p}", "5", "x > 5"),
        ("x > {p}", "-1.5", "x > -1.5"),
        ("x > ago({p})", "36h", "x > ago(36h)"),
        ("x == {p}", "true", "x == true"),
        ("x > {p}", "datetime(2026-01-01T00:00:00Z)", "x > datetime(2026-01-01T00:00:00Z)"),
        ("x in ({p})", "'a', \"b\"", "x in ('a', \"b\")"),
        ("between (1 .. {p})", "9", "between (1 .. 9)"),
        ("between (1..{p})", "9", "between (1..9)"),
        ("dynamic([{p}])", "", "dynamic([])"),
        ("T // {p}\n| take 1", "x\n| take 9", "T // x | take 9\n| take 1"),
        ("x == 'a' and y == '{p}'", "b", "x == 'a' and y == 'b'"),
        (r"x == 'a\'{p}'", "b'", r"x == 'a\'b\''"),
    ],
)
def test_a_foreign_value_is_written_for_its_place(template: str, value: str, expected: str) -> None:
    assert kql(template, value) == expected


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("x > {p}", "5 or true"),
        ("x > {p}", "5; .drop table T"),
        ("x > {p}", "y"),
        ("x > {p}", "5 // comment"),
        ("x > {p}", "(5)"),
        ("x > {p}", "'open"),
        ("x > {p}", "--5"),
        ("x > {p}", "1 2"),
        ("x > {p}", "1,"),
        ("x > {p}", "datetime(2026) or now()"),
        ("T{p}", "5"),
        ("x > 5{p}", "7"),
        ("x > 5.{p}", "7"),
        ("x == 'a'{p}", "'b'"),
        ("{p} | take 1", "AciDnsEvents_CL"),
        ("x == ```{p}```", "a"),
        ("x == @'{p}'", "a\nb"),
        ("x == '\\{p}'", "'a"),
        ("x == '\\{p}'", "n"),
        ("x == '{p}", "a"),
        ("x == '{p}'", "a\u2028b"),
        ("x == '{p}'", "a\x00b"),
        ("x == '{p}'", "\ud800"),
    ],
)
def test_a_foreign_value_that_could_change_the_query_is_refused(template: str, value: str) -> None:
    with pytest.raises(SubstitutionError, match="the value of p is not put into the query") as refused:
        kql(template, value)
    assert (refused.value.kind, refused.value.name) == ("unsafe", "p")


@pytest.mark.parametrize("value", ["Table | take 5", "x' or '1'=='1", "ago(1d)", "a, b"])
def test_the_authors_own_text_is_put_in_as_it_is(value: str) -> None:
    assert scope(p=Value(values=(value,), trusted=True)).kql("a {p} b '{p}'") == f"a {value} b '{value}'"


def test_many_foreign_values_are_quoted_each() -> None:
    assert kql("x in ({p})", "a", "b'c", "d\\", multiple=True) == r"x in ('a','b\'c','d\\')"
    assert kql("parse_json('[{p}]')", 'a"b', multiple=True, quote='"') == r"""parse_json('["a\\"b"]')"""
    assert kql("x matches regex '{p}'", "a", "b", multiple=True, quote="", delimiter="|") == "x matches regex 'a|b'"
    with pytest.raises(SubstitutionError):
        kql("x in ({p})", "a", "b) or (true", multiple=True, quote="")


def test_all_is_what_the_author_says_for_it() -> None:
    everything = Value(values=("a", "b"), multiple=True, all_text="*", trusted=True)
    nothing = Value(values=("a", "b"), multiple=True, all_text="[]", trusted=True)
    assert scope(p=everything).kql("'*' in ({p})") == "'*' in ('*')"
    assert scope(p=nothing).kql("dynamic([{p}])") == "dynamic([[]])"


def test_a_query_waits_for_what_is_unset_and_names_what_it_does_not_know() -> None:
    with pytest.raises(SubstitutionError, match="waits for a value of p") as unset:
        scope(p=None).kql("x == '{p}'")
    with pytest.raises(SubstitutionError, match="sparkle") as unknown:
        scope(p=DAY).kql("{p:sparkle}")
    assert (unset.value.kind, unknown.value.kind) == ("unset", "specifier")
    assert scope().kql("let f = (x:int) {x}; '{q}'") == "let f = (x:int) {x}; '{q}'"


TEMPLATES = [
    "T | where a == '{p}' | take 5",
    "T | where a == \"{p}\" and b == '{p}'",
    "T | where a == @'{p}' or b has @\"{p}\"",
    "T | where a > {p} | project b",
    "T | where a in ({p}) // why {p}\n| take 5",
    "T | where a in ({p}, {q}) and b == '{q}{p}'",
    "print dynamic([{p}]), '{p}', \"x{p}y\"",
    "T | summarize ['{p}'] = count() by b",
    "T | where a == h'{p}' | where b == 'it\\'s {p}'",
]
NASTY = st.lists(
    st.sampled_from(
        [
            *("'", '"', "\\", "@", "//", "\n", "\r", "|", ";", ")", "(", "]", "```", "~~~", "{p}", "{q}", "h'", " "),
            *("5", "1d", "-", "+", "take 9", "\u2028", "\x85", "\t", "a", ",", "true", "/*", "datetime(", "..", "."),
            *("é", "'a'", '"b"', "0x1F", "\u00a0"),
        ]
    ),
    max_size=8,
).map("".join)
ANYTHING = st.one_of(NASTY, st.text(max_size=12))


def oracle(query: str) -> list[int] | None:
    """Give the token types that Microsoft's grammar sees, or None where its lexer complains."""
    lexer = KqlLexer(InputStream(query))
    lexer.removeErrorListeners()
    return [token.type for token in lexer.getAllTokens()]


def skeleton(query: str) -> list[Any]:
    """Give the tokens of a query with every literal operand, and lists of them, as one."""
    kinds: list[Any] = []
    for token in tokens(query):
        if token.kind in {"space", "comment"}:
            continue
        operand = token.kind in {"string", "literal"}
        kinds.append("value" if operand else token.text)
    return kinds


@given(template=st.sampled_from(TEMPLATES[:3] + TEMPLATES[7:]), p=ANYTHING, q=ANYTHING)
@settings(max_examples=300, deadline=None)
@example(template=TEMPLATES[0], p="\\'", q="")
def test_no_value_in_quotes_changes_the_tokens_of_a_query(template: str, p: str, q: str) -> None:
    try:
        query = scope(p=foreign(p), q=foreign(q)).kql(template)
    except SubstitutionError:
        return
    harmless = scope(p=foreign("x"), q=foreign("x")).kql(template)
    assert skeleton(query) == skeleton(harmless)
    assert oracle(query) == oracle(harmless)


@given(template=st.sampled_from(TEMPLATES), p=st.lists(ANYTHING, max_size=3), q=ANYTHING)
@settings(max_examples=300, deadline=None)
def test_no_list_of_values_adds_more_than_values_to_a_query(template: str, p: list[str], q: str) -> None:
    try:
        query = scope(p=foreign(*p, multiple=True), q=foreign(q)).kql(template)
    except SubstitutionError:
        return

    def operators(text: str) -> list[Any]:
        return [kind for kind in skeleton(text) if kind not in {"value", ",", "-", "+"}]

    assert operators(query) == operators(scope(p=foreign("1"), q=foreign("1")).kql(template))


@pytest.fixture(scope="module")
def engine() -> DuckDbEngine:
    return DuckDbEngine(connect())


@given(p=ANYTHING)
@settings(max_examples=60, deadline=None)
@example(p="\\n'; print 1 //")
def test_a_query_sees_exactly_the_value_that_was_given(engine: DuckDbEngine, p: str) -> None:
    for quote in ("'{p}'", '"{p}"', "@'{p}'"):
        try:
            query = kql(f"print x = {quote}", p)
        except SubstitutionError:
            continue
        assert engine.query(query).rows == ((p,),)


@pytest.mark.parametrize(
    ("beginning", "mode"),
    [
        ("T | where a == ", Mode.CODE),
        ("T | where a == 'b", Mode.SINGLE),
        ("T | where a == 'b\\'", Mode.SINGLE),
        ("T | where a == 'b' and \"", Mode.DOUBLE),
        ("T | where a == @'b\\", Mode.VERBATIM_SINGLE),
        ("T | where a == h@\"b''", Mode.VERBATIM_DOUBLE),
        ("T // it's", Mode.COMMENT),
        ("T // it's\n| where '", Mode.SINGLE),
        ("T | where 'http://x", Mode.SINGLE),
        ("T | where ```a\n'b", Mode.FENCE),
        ("T | where 'unterminated\n| take ", Mode.CODE),
    ],
)
def test_the_place_after_a_beginning_is_recognised(beginning: str, mode: Mode) -> None:
    assert mode_at_end(beginning) is mode


def test_references_are_found_with_their_specifiers() -> None:
    found = [(r.name, r.specifier) for r in references("{a} {b:label} {c:$.x[0]} { d } {1e} {_f}")]
    assert found == [("a", ""), ("b", "label"), ("c", "$.x[0]"), ("_f", "")]


@pytest.mark.parametrize(
    ("milliseconds", "text", "bin_"),
    [
        (300_000, "Last 5 minutes", "1m"),
        (3_600_000, "Last hour", "5m"),
        (43_200_000, "Last 12 hours", "15m"),
        (86_400_000, "Last 24 hours", "30m"),
        (172_800_000, "Last 48 hours", "1h"),
        (604_800_000, "Last 7 days", "6h"),
        (2_592_000_000, "Last 30 days", "1d"),
    ],
)
def test_a_range_is_said_and_binned_as_people_do(milliseconds: int, text: str, bin_: str) -> None:
    assert (label(TimeRange(milliseconds), NOW), grain(TimeRange(milliseconds))) == (text, bin_)


@pytest.mark.parametrize(("milliseconds", "text"), [(0, "PT0S"), (90_061_000, "P1DT1H1M1S"), (500, "PT0.5S")])
def test_a_duration_in_iso_8601(milliseconds: int, text: str) -> None:
    assert iso_duration(milliseconds) == text


@pytest.mark.parametrize("text", ["1d", "90m", "7d", "2026-01-01T00:00:00.000Z/2026-01-02T12:00:00.000Z"])
def test_a_range_survives_an_address(text: str) -> None:
    found = from_text(text)
    assert found
    assert to_text(found) == text


@pytest.mark.parametrize(
    "text", ["", "0d", "-1d", "1y", "9" * 15 + "d", "2026-01-01/2026", "2026-01-01T00:00:00/2026-01-02T00:00:00", "x/y"]
)
def test_what_is_no_range_is_not_read(text: str) -> None:
    assert from_text(text) is None
