import pytest

from kql import catalog, tables
from kql.engine import Place
from kql.gate import Parser, ParserFailedError, ParserMissingError, Schema, Text, shipped_schema

pytestmark = pytest.mark.tools

SCHEMA = Schema(
    {"T": (("TimeGenerated", "datetime"), ("Id", "string"), ("N", "long"), ("J", "dynamic"), ("_x", "int"))},
    {"Newest": ("lookback:timespan=1d, top:long=10", "T\n| where TimeGenerated > ago(lookback)\n| take top")},
)


ASKED = []  # every text of this module: the parser takes 1.5 s to start, so it is asked once


def asked(kql, parameters=""):
    ASKED.append(Text(f"text {len(ASKED)}", kql, parameters))
    return ASKED[-1]


@pytest.fixture(scope="module")
def parser(require_tool):
    require_tool("node", "install nodejs")
    try:
        return Parser(SCHEMA)
    except ParserMissingError as error:
        require_tool("node_modules/@kusto/language-service-next", str(error))


@pytest.fixture(scope="module")
def said(parser):
    """Give `said(text)`: the diagnosis of a text that was `asked`."""
    diagnoses = dict(zip([text.name for text in ASKED], parser.check(ASKED), strict=True))
    return lambda text: diagnoses[text.name]


TYPED = asked("T | summarize Ids=make_set(Id), p=percentile(N, 50), count() by bin(TimeGenerated, 1h)")


def test_the_answer_has_columns_with_their_types(said):
    assert said(TYPED).columns == (
        ("TimeGenerated", "datetime"),
        ("Ids", "dynamic"),
        ("p", "long"),
        ("count_", "long"),
    )
    assert not said(TYPED).diagnostics


UNKNOWN = asked("// 😀\nT\n| where Id == '😀' and Idd == 1")


def test_an_error_has_its_code_and_place_in_characters(said):
    found = said(UNKNOWN)
    assert [(one.code, one.place) for one in found.errors] == [("KS142", Place(3, 22, "Idd"))]
    assert "Idd" in found.errors[0].message
    assert str(found.errors[0]).startswith("line 3, column 22: KS142 ")


REFUSED = [
    asked("T | smmarize count()"),
    asked("T | where Zz == 1"),
    asked("U | take 1"),
    asked("T | extend x = nosuch(N)"),
    asked("T | where N has 'a' and"),
    asked("Newest(1d, 2, 3)"),
    asked("let last = 1d; T | where TimeGenerated > ago(last)"),
    asked(".show tables"),
]


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text.kql)
def test_what_a_workspace_would_refuse_is_an_error(said, text):
    assert said(text).errors


GOOD = asked("T | where Id == who | take top", "who:string='', top:long=3")
BAD = asked("T | where Idd == who", "who:string=''")


def test_declared_parameters_can_be_used_and_shift_no_place(said):
    assert not said(GOOD).diagnostics
    assert said(GOOD).names("variable") == {"who", "top"}
    assert said(BAD).errors[0].place == Place(1, 10, "Idd")


UNDECLARABLE = asked("T", "last:timespan=1d")


def test_a_bad_declaration_has_no_place_in_the_text(said):
    (error, *_) = said(UNDECLARABLE).errors
    assert error.place is None
    assert str(error).startswith("in its parameters: ")


USING = asked("Newest(2d)\n| union T | summarize n=count() by Id | evaluate narrow()")


def test_what_a_text_uses_is_told_by_kind(said):
    found = said(USING)
    assert found.names("function") == {"Newest"}
    assert found.names("table") == {"T"}
    assert found.names("operator") == {"union", "summarize", "evaluate"}
    assert found.names("plugin") == {"narrow"}
    assert found.names("builtin") == {"count"}
    assert "Id" in found.names("column")
    (union,) = [use for use in found.uses if use.name == "union"]
    assert union.place == Place(2, 2, "union")


NUMBERED = [asked(f"print a{number}=1") for number in range(50)]


def test_many_texts_get_their_own_answers_in_order(said):
    assert [said(text).name for text in NUMBERED] == [text.name for text in NUMBERED]
    assert [said(text).columns for text in NUMBERED] == [((f"a{number}", "long"),) for number in range(50)]


def test_no_text_needs_no_process(parser, monkeypatch):
    monkeypatch.setattr("kql.gate.parser._PROGRAM", "there is none")
    assert parser.check([]) == []


@pytest.mark.parametrize("text", [asked("let x = 5;"), asked("")], ids=lambda text: text.kql or "empty")
def test_a_text_without_a_table_has_no_columns(said, text):
    assert said(text).columns is None


@pytest.mark.tools
@pytest.mark.usefixtures("require_parser")
def test_a_parser_that_breaks_is_told(tmp_path, monkeypatch):
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
