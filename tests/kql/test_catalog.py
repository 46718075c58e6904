"""The catalog: headers are read or refused with the reason, and parameters are bound as single literals."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kql import catalog
from kql.duckdb_engine import DuckDbEngine, connect
from kql.literals import literal

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HEADER = "// f: what\n//\n// Parameters: {parameters}\n// Columns: {columns}\n// Tables: AciDnsEvents_CL\n"


def entry(parameters="none", columns="A:string", body="print 1", kind="query"):
    return catalog.parse("f", HEADER.format(parameters=parameters, columns=columns) + body, kind)


@pytest.fixture(scope="module")
def engine():
    with connect() as connection:
        yield DuckDbEngine(connection)


SHIPPED = {**catalog.functions(), **catalog.queries()}


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_every_shipped_text_runs_with_its_defaults_and_gives_the_columns_and_types_of_its_header(engine, name):
    shipped = SHIPPED[name]
    result = engine.query(catalog.bind(shipped, {}), now=NOW)
    assert tuple((column.name, column.type) for column in result.columns) == shipped.columns


def test_a_query_and_a_function_of_a_query_have_the_same_columns_where_the_query_only_orders():
    pairs = {"current-state": "AciDnsGroups", "open-drifts": "AciDnsOpenDrifts", "slo-burn": "AciDnsSloBurn"}
    for query, function in pairs.items():
        assert catalog.queries()[query].columns == catalog.functions()[function].columns


def test_the_event_function_has_the_columns_of_the_schema():
    assert dict(catalog.functions()["AciDnsEvents"].columns)["DriftKinds"] == "dynamic"


def test_a_header_is_read_into_summary_prose_parameters_columns_tables_and_the_line_of_the_body():
    text = (
        "// f: what it answers\n//\n// Prose: first.\n//   indented: more\n//\n"
        "// Parameters: lookback:timespan=1d, name:string='a, b',\n//   top:long=10\n"
        "// Columns: A:string,\n//   B:dynamic\n// Tables: AciDnsEvents_CL, AppTraces\n\n\nprint 1\n"
    )
    read = catalog.parse("f", text)
    assert (read.summary, read.prose) == ("what it answers", "Prose: first.\n  indented: more")
    assert [(p.name, p.type, p.default) for p in read.parameters] == [
        ("lookback", "timespan", "1d"),
        ("name", "string", "a, b"),
        ("top", "long", "10"),
    ]
    assert (read.columns, read.tables) == ((("A", "string"), ("B", "dynamic")), ("AciDnsEvents_CL", "AppTraces"))
    assert (read.body, text.splitlines()[read.body_line - 1]) == ("print 1", "print 1")
    assert read.column_names == ("A", "B")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("T | count", "first line must be '// f: "),
        ("", "first line must be '// f: "),
        ("// g: other\n// Parameters: none\nT", "first line must be '// f: "),
        ("// f: what\nT", "needs a line '// Parameters: …' with the parameters, or 'none'"),
        ("// f: what\n// Parameters: none\nT", "needs a line '// Columns: …'"),
        ("// f: what\n// Parameters: none\n// Columns: A:string\nT", "needs a line '// Tables: …'"),
        (HEADER.format(parameters="none", columns="A"), "column 'A' must be 'Name:type'"),
        (HEADER.format(parameters="none", columns="A:text"), "column 'A:text' must be 'Name:type'"),
        (HEADER.format(parameters="none", columns="A:boolean"), "column 'A:boolean' must be"),
        (HEADER.format(parameters="n:long", columns="A:long"), "parameter 'n:long' must be 'name:type=default'"),
        (HEADER.format(parameters="n:dynamic=1", columns="A:long"), "parameter 'n:dynamic=1' must be"),
        (HEADER.format(parameters="n:long=x", columns="A:long"), "the default of 'n:long=x': 'x' is not a long"),
        (HEADER.format(parameters="s:string=x", columns="A:long"), "the default of 's:string=x' must be quoted"),
    ],
)
def test_a_file_whose_comment_block_lacks_something_is_refused_with_what_it_lacks(text, says):
    with pytest.raises(catalog.CatalogError, match=f"^f.kql: .*{says}"):
        catalog.parse("f", text)


def test_a_functions_parameters_become_its_definition():
    function = entry('lookback:timespan=1d, s:string="it\'s"', body="T | where x > ago(lookback)\n", kind="function")
    assert function.signature == r"lookback:timespan=1d, s:string='it\'s'"
    assert function.definition == f"function f({function.signature}) {{\nT | where x > ago(lookback)\n}}"


def test_a_query_is_bound_by_let_statements_on_one_line_in_front_of_it():
    bound = catalog.bind(entry("n:long=3, s:string='x'", body="print n\n| extend s"), {"s": "it's"})
    assert bound == r"let n = long(3); let s = 'it\'s';" + "\nprint n\n| extend s"


def test_a_query_without_parameters_is_its_body():
    assert catalog.bind(entry(body="print 1"), {}) == "print 1"


def test_a_function_is_called_by_position_with_every_parameter():
    function = entry("lookback:timespan=1d, n:long=3", kind="function")
    assert catalog.bind(function, {"n": "5"}) == "f(time(1.00:00:00.000000), long(5))"


def test_every_unknown_parameter_and_every_bad_value_is_told_at_once():
    with pytest.raises(catalog.CatalogError) as caught:
        catalog.bind(entry("n:long=3, since:datetime=2026-01-01"), {"m": "1", "n": "many", "since": "soon"})
    assert str(caught.value) == (
        "query f: no parameter 'm'; it has n, since; n: 'many' is not a long: give a whole number, for example 10; "
        "since: 'soon' is not a datetime: give an ISO 8601 time, for example 2026-03-01T12:00:00Z"
    )


def test_a_parameter_given_to_a_text_without_any_is_refused():
    with pytest.raises(catalog.CatalogError, match="no parameter 'm'; it has none"):
        catalog.bind(entry(), {"m": "1"})


@pytest.mark.parametrize("give", [catalog.query, catalog.call])
def test_a_name_that_does_not_exist_lists_those_that_do(give):
    with pytest.raises(catalog.CatalogError, match=r"recent-events|AciDnsEvents"):
        give("nope")


VALUES = [
    ("long", " -7 ", -7),
    ("long", 2**63 - 1, 2**63 - 1),
    ("int", "+5", 5),
    ("real", "1e3", 1000.0),
    ("real", ".5", 0.5),
    ("real", 3, 3.0),
    ("bool", "TRUE", True),
    ("bool", False, False),
    ("string", "", ""),
    (
        "string",
        "a'b\"c\\d\n\te|; let x = 1 // ä \N{GRINNING FACE}",
        "a'b\"c\\d\n\te|; let x = 1 // ä \N{GRINNING FACE}",
    ),
    ("datetime", "2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
    ("datetime", "2026-03-01T02:00:00.25+02:00", datetime(2026, 3, 1, 0, 0, 0, 250000, tzinfo=UTC)),
    ("datetime", NOW, NOW),
    ("timespan", "90s", timedelta(seconds=90)),
    ("timespan", "1.5h", timedelta(minutes=90)),
    ("timespan", "250ms", timedelta(milliseconds=250)),
    ("timespan", "2.03:04:05.5", timedelta(days=2, hours=3, minutes=4, seconds=5.5)),
    ("timespan", "00:05", timedelta(minutes=5)),
    ("timespan", timedelta(days=400, microseconds=1), timedelta(days=400, microseconds=1)),
]


@pytest.mark.parametrize(("kind", "given_", "meant"), VALUES, ids=lambda value: repr(value)[:30])
def test_a_value_of_any_type_reaches_the_query_as_itself(engine, kind, given_, meant):
    assert engine.query(f"let x = {literal(kind, given_)}; print x = x", now=NOW).values("x") == [meant]


BAD = [
    ("long", "1.5"),
    ("long", "1; drop"),
    ("long", str(2**63)),
    ("long", -(2**63)),
    ("long", True),
    ("int", str(2**31)),
    ("real", "nan"),
    ("real", "1e999"),
    ("real", "1,5"),
    ("bool", "yes"),
    ("string", "a\0b"),
    ("string", "\ud800"),
    ("string", 5),
    ("datetime", "yesterday"),
    ("datetime", 5),
    ("timespan", "-5m"),
    ("timespan", "5 minutes"),
    ("timespan", "25:00"),
    ("timespan", "00:61"),
    ("timespan", "9" * 10 + "d"),
    ("timespan", 5),
]


@pytest.mark.parametrize(("kind", "value"), BAD, ids=repr)
def test_a_value_that_is_not_of_the_type_is_refused_with_an_example(kind, value):
    with pytest.raises(ValueError, match=f"is not a {kind}: give "):
        literal(kind, value)


@given(st.text())
def test_whatever_is_typed_for_a_string_stays_one_string(engine, text):
    try:
        quoted = literal("string", text)
    except ValueError:
        return
    assert engine.query(f"print x = {quoted}", now=NOW).values("x") == [text]


@given(st.sampled_from(["long", "int", "real", "bool", "datetime", "timespan"]), st.text())
def test_whatever_is_typed_for_another_type_has_no_room_for_a_second_expression(kind, text):
    try:
        written = literal(kind, text)
    except ValueError:
        return
    assert not set(written) & set(";|'\"/\\\n,")
