"""Break what ships, and the gates tell which files and lines: a column that is gone, an operator that is misspelt."""

import re
from dataclasses import replace

import pytest

from core.events import FUNCTION, TABLE
from kql import catalog
from kql.gate import Parser, Text, shipped_schema
from kql.gate.check import check

pytestmark = [pytest.mark.tools, pytest.mark.usefixtures("require_parser")]
OPERATOR = re.compile(r"\| (project|summarize|where|extend|sort)\b")


def without(column):
    """Give the shipped schema less a column of the event table, which the function that ships names a second time."""
    schema = shipped_schema()
    kept = tuple(one for one in schema.tables[TABLE] if one[0] != column)
    parameters, body = schema.functions[FUNCTION]
    lines = [line for line in body.splitlines() if line.split()[0].rstrip(",") != column]
    functions = {**schema.functions, FUNCTION: (parameters, "\n".join(lines))}
    return replace(schema, tables={**schema.tables, TABLE: kept}, functions=functions)


@pytest.mark.parametrize(("column", "name"), [("ErrorCode", "AciDnsFailures"), ("DriftKinds", "AciDnsObservations")])
def test_a_column_that_is_gone_is_told_of_what_reads_it_at_its_line(column, name):
    text = Text(name, catalog.functions()[name].body)
    (found,) = Parser(without(column)).check([text])
    told = [error for error in found.errors if f"'{column}'" in error.message]
    lines = text.kql.splitlines()
    assert told
    assert all(column in lines[error.place.line - 1] for error in told)


def test_an_operator_that_is_misspelt_is_told_of_every_file_at_its_line(tmp_path):
    wanted = {}
    for name, entry in catalog.queries().items():
        text = (catalog.ROOT / "queries" / f"{entry.name}.kql").read_text()
        found = next(iter(OPERATOR.finditer(text)), None)
        if found:
            path = tmp_path / f"{name}.kql"
            path.write_text(f"{text[: found.start(1)]}{found[1][1:]}{text[found.end(1) :]}")
            wanted[path] = text.count("\n", 0, found.start()) + 1
    report = check([*wanted], require_parser=True)
    told = {(one.path, one.line) for one in report.findings if one.code.startswith("KS")}
    assert len(wanted) >= 25
    assert set(wanted.items()) - told == set()
