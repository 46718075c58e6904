"""The Bicep parser: what it reads, and where it says that a text is wrong."""

from pathlib import Path

import pytest

from infra.check.lexer import BicepSyntaxError
from infra.check.nodes import (
    ArrayNode,
    Call,
    Choice,
    Constant,
    Index,
    Lambda,
    Loop,
    Member,
    Name,
    Node,
    ObjectNode,
    Operation,
    Text,
)
from infra.check.parser import parse
from infra.check.syntax import check_syntax

HERE = Path("x.bicep")


def read(expression: str) -> Node:
    value = parse(HERE, f"var it = {expression}\n").by_name["it"].value
    assert value is not None
    return value


A, B, C = Name(1, "a"), Name(1, "b"), Name(1, "c")
EXPRESSIONS: dict[str, Node] = {
    "1": Constant(1, 1),
    "true": Constant(1, value=True),
    "null": Constant(1, None),
    "'it\\'s \\u{41} \\${x}'": Constant(1, "it's A ${x}"),
    "'a${b}c'": Text(1, ("a", B, "c")),
    "'${a}${b}'": Text(1, (A, B)),
    "'${a ? 'x${b}' : '}'}'": Text(1, (Choice(1, A, Text(1, ("x", B)), Constant(1, "}")),)),
    "a.b.?c": Member(1, Member(1, A, "b"), "c", safe=True),
    "a[b].c": Member(1, Index(1, A, B), "c"),
    "a ?? b.c": Operation(1, "??", (A, Member(1, B, "c"))),
    "!a && b || c": Operation(1, "||", (Operation(1, "&&", (Operation(1, "!", (A,)), B)), C)),
    "a == b ? 1 : -2": Choice(1, Operation(1, "==", (A, B)), Constant(1, 1), Operation(1, "-", (Constant(1, 2),))),
    "1 + 2 * 3": Operation(1, "+", (Constant(1, 1), Operation(1, "*", (Constant(1, 2), Constant(1, 3))))),
    "(a || b) && c": Operation(1, "&&", (Operation(1, "||", (A, B)), C)),
    "map(a, b => b.c)": Call(1, "map", (A, Lambda(1, ("b",), Member(1, B, "c")))),
    "reduce(a, 0, (b, c) => b)": Call(1, "reduce", (A, Constant(1, 0), Lambda(1, ("b", "c"), B))),
    "a.listKeys()": Call(1, "listKeys", (), A),
    "[a, b]": ArrayNode(1, (A, B)),
    "[for (a, b) in c: a]": Loop(1, "a", "b", C, A),
    "{}": ObjectNode(1, ()),
}


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_an_expression_is_read_by_bicep_s_precedence(text: str) -> None:
    assert read(text) == EXPRESSIONS[text]


def test_lines_count_through_comments_strings_and_brackets() -> None:
    text = "// one\nvar a = '''\ntwo\n'''\n/* four\nfive */\nvar b = [\n  1\n  c\n]\n"
    document = parse(HERE, text)
    items = document.by_name["b"].value
    assert isinstance(items, ArrayNode)
    assert (document.by_name["a"].line, document.by_name["b"].line, items.items[1].line) == (2, 7, 9)


def test_a_declaration_keeps_its_type_condition_and_decorators() -> None:
    text = "@secure()\nparam p string[] = []\nresource r 'A/b@2020-01-01' existing = if (p) {\n  name: 'x'\n}\n"
    document = parse(HERE, text)
    parameter, resource = document.declarations
    assert (parameter.type, [each.function for each in parameter.decorators]) == ("string[]", ["secure"])
    assert (resource.resource_type, resource.api_version, resource.existing) == ("A/b", "2020-01-01", True)
    assert isinstance(resource.value, Choice)


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("var a = 'x\n", 1, "not closed"),
        ("var a = '''x\n", 1, "not closed"),
        ("var a = '${b\n", 1, "not closed"),
        ("var a = 1 2\n", 1, "end of the line"),
        ("\nvar a = {\n  b 1\n}\n", 3, "':'"),
        ("var a = [\n  1 2\n]\n", 2, "new line"),
        ("var a = '\\q'\n", 1, "escape"),
        ("vra a = 1\n", 1, "declaration"),
        ("var a = ?\n", 1, "expression"),
        ("param a =\n", 1, "type"),
        ("var a = b ~ c\n", 1, "character"),
        ("module m './${a}.bicep' = {}\n", 1, "interpolation"),
    ],
)
def test_what_is_no_bicep_is_refused_with_its_line(text: str, line: int, word: str) -> None:
    with pytest.raises(BicepSyntaxError, match=word) as refused:
        parse(HERE, text)
    assert refused.value.line == line


@pytest.mark.parametrize(
    "file", sorted(Path(__file__).resolve().parents[2].glob("infra/**/*.bicep")), ids=lambda p: p.name
)
def test_both_borrowed_parsers_take_every_file(file: Path) -> None:
    assert check_syntax(file, file.read_text(encoding="utf-8")) == []


def test_each_borrowed_parser_speaks_for_itself() -> None:
    found = [each.message.partition(":")[0] for each in check_syntax(HERE, "var a = {\n  b: 1\n  ...c\n}\n")]
    assert set(found) == {"tree-sitter-bicep", "pycep"}
