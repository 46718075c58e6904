import pytest

from kql import catalog, tables
from kql.engine import Place
from kql.gate import Parser, ParserFailedError, ParserMissingError, Schema, Text, shipped_schema

pytestmark = pytest.mark.tools

SCHEMA = Schema(
    {"T": (("TimeGenerated", "datetime"), ("Id", "string"), ("N", "long"), ("J", "dynamic"), ("_x", "int"))},
    {"Newest": ("lookback:timespan=1d, top:long=10", "T\n| where TimeGenerated > ago(lookback)\n| take top")},
)


@pytest.fixture(scope="module")
def parser(require_tool):
    require_tool("node", "install nodejs")
    try:
        return Parser(SCHEMA)
    except ParserMissingError as error:
        require_tool("node_modules/@kusto/language-service-next", str(error))


def check(parser, *texts):
    return parser.check([text if isinstance(text, Text) else Text("x", text) for text in texts])


def test_the_answer_has_columns_with_their_types(parser):
    (found,) = check(parser, "T | summarize Ids=make_set(Id), p=percentile(N, 50), count() by bin(TimeGenerated, 1h)")
    assert found.columns == (
        ("TimeGenerated", "datetime"),
        ("Ids", "dynamic"),
        ("p", "long"),
        ("count_", "long"),
    )
    assert not found.diagnostics


def test_an_error_has_its_code_and_place_in_characters(parser):
    (found,) = check(parser, "// 😀\nT\n| where Id == '😀' and Idd == 1")
    assert [(one.code, one.place) for one in found.errors] == [("KS142", Place(3, 22, "Idd"))]
    assert "Idd" in found.errors[0].message
    assert str(found.errors[0]).startswith("line 3, column 22: KS142 ")


REFUSED = [
    "T | smmarize count()",
    "T | where Zz == 1",
    "U | take 1",
    "T | extend x = nosuch(N)",
    "T | where N has 'a' and",
    "Newest(1d, 2, 3)",
    "let last = 1d; T | where TimeGenerated > ago(last)",
    ".show tables",
]


def test_what_a_workspace_would_refuse_is_an_error(parser):
    assert [text for text, found in zip(REFUSED, check(parser, *REFUSED), strict=True) if not found.errors] == []


def test_declared_parameters_can_be_used_and_shift_no_place(parser):
    good, bad = check(
        parser,
        Text("f", "T | where Id == who | take top", "who:string='', top:long=3"),
        Text("f", "T | where Idd == who", "who:string=''"),
    )
    assert not good.diagnostics
    assert good.names("variable") == {"who", "top"}
    assert bad.errors[0].place == Place(1, 10, "Idd")


def test_a_bad_declaration_has_no_place_in_the_text(parser):
    (found,) = check(parser, Text("f", "T", "last:timespan=1d"))
    assert found.errors[0].place is None
    assert str(found.errors[0]).startswith("in its parameters: ")


def test_what_a_text_uses_is_told_by_kind(parser):
    (found,) = check(parser, "Newest(2d)\n| union T | summarize n=count() by Id | evaluate narrow()")
    assert found.names("function") == {"Newest"}
    assert found.names("table") == {"T"}
    assert found.names("operator") == {"union", "summarize", "evaluate"}
    assert found.names("plugin") == {"narrow"}
    assert found.names("builtin") == {"count"}
    assert "Id" in found.names("column")
    (union,) = [use for use in found.uses if use.name == "union"]
    assert union.place == Place(2, 2, "union")


def test_many_texts_get_their_own_answers_in_order(parser):
    found = parser.check([Text(str(number), f"print a{number}=1") for number in range(50)])
    assert [(one.name, one.columns) for one in found] == [(str(n), ((f"a{n}", "long"),)) for n in range(50)]
    assert parser.check([]) == []


def test_a_text_without_a_table_has_no_columns(parser):
    assert [one.columns for one in check(parser, "let x = 5;", "")] == [None, None]


def test_a_parser_that_breaks_is_told(require_tool, tmp_path, monkeypatch):
    require_tool("node")
    broken = tmp_path / "parse.js"
    broken.write_text("throw new Error('no parser today')")
    monkeypatch.setattr("kql.gate.parser._PROGRAM", broken)
    with pytest.raises(ParserFailedError, match="ended with code 1: Error: no parser today"):
        Parser(SCHEMA).check([Text("x", "T")])


def test_a_machine_without_node_or_the_package_is_told_what_to_do(tmp_path, monkeypatch):
    with pytest.raises(ParserMissingError, match="needs Node 18 or newer, which is not here: install nodejs"):
        Parser(SCHEMA, node=str(tmp_path / "none"))
    monkeypatch.setattr("kql.gate.parser._ROOT", tmp_path)
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\n")
    node.chmod(0o755)
    with pytest.raises(ParserMissingError, match="run `make setup-node`"):
        Parser(SCHEMA, node=str(node))


def test_the_shipped_schema_has_our_tables_and_functions_and_nothing_of_the_local_engine():
    schema = shipped_schema()
    assert set(schema.tables) == {table.name for table in tables.TABLES}
    assert set(schema.functions) == set(catalog.functions())
