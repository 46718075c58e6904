"""What breaks a rule that ships is told by the check whose business it is: parser, lint, or the built bodies.

That a flipped comparison fails a unit test of its rule as well is in test_rule_mutations, of every rule.
"""

from dataclasses import replace

import pytest

from alerts import build, corpus, facts
from alerts.cases import Coverage
from alerts.findings import Level
from alerts.lint import Facts, lint
from alerts.model import Operator
from core.events import FUNCTION, TABLE
from kql.gate import Parser, Text, shipped_schema

RULES = corpus.read_rules()
FLIPPED = {Operator.GREATER_THAN: Operator.LESS_THAN, Operator.GREATER_THAN_OR_EQUAL: Operator.LESS_THAN_OR_EQUAL}


@pytest.fixture
def make_parser(require_parser):
    """Give `make(without=column)`: Microsoft's parser on our schema, less one column of the event table."""

    def make(without: str = "") -> Parser:
        schema = shipped_schema()
        kept = tuple(column for column in schema.tables[TABLE] if column[0] != without)
        parameters, body = schema.functions[FUNCTION]
        # The function that ships has each column a second time, from log lines: one that is gone is gone from both.
        lines = [line for line in body.splitlines() if line.split()[0].rstrip(",") != without]
        functions = {**schema.functions, FUNCTION: (parameters, "\n".join(lines))}
        return Parser(replace(schema, tables={**schema.tables, TABLE: kept}, functions=functions))

    return make


@pytest.fixture(scope="module")
def known() -> Facts:
    """Give what lint knows of the rules that ship, without Microsoft's parser."""
    rules = list(RULES.values())
    covered = facts.tests(corpus.case_files()).covered
    return Facts(facts.answers(rules, None), facts.runbooks(rules, corpus.RUNBOOKS), covered)


def codes(rules, known):
    return [(finding.rule, finding.code) for finding in lint(rules, known) if finding.level is not Level.NOTE]


@pytest.mark.tools
@pytest.mark.parametrize(
    ("column", "rule"),
    [("ErrorCode", "reconcile-failed"), ("CorrelationId", "audit-findings-growing")],
)
def test_a_column_that_is_gone_is_told_of_a_rule_that_uses_it(make_parser, column, rule):
    texts = [Text(rule, RULES[rule].kql)]
    assert any(column in str(error) for found in make_parser(column).check(texts) for error in found.errors)


@pytest.mark.tools
def test_a_misspelt_operator_is_told_of_every_rule(make_parser):
    texts = [Text(name, rule.kql.replace("| project", "| projetc", 1).replace("| summarize", "| sumarize", 1))
             for name, rule in RULES.items()]  # fmt: skip
    assert [text.name for text in texts if text.kql == RULES[text.name].kql] == []
    assert [found.name for found in make_parser().check(texts) if not found.errors] == []


@pytest.mark.parametrize("name", RULES)
def test_a_runbook_that_is_dropped_is_told_of_its_rule_alone(known, name):
    dropped = replace(known, runbooks={**known.runbooks, name: None})
    assert codes(list(RULES.values()), dropped) == [(name, "runbook/missing")]


@pytest.mark.parametrize("name", RULES)
def test_tests_that_are_dropped_are_told_of_their_rule_alone(known, name):
    dropped = replace(known, covered={key: value for key, value in known.covered.items() if key != name})
    assert codes(list(RULES.values()), dropped) == [(name, "tests/missing")]
    bare = replace(known, covered={**known.covered, name: known.covered[name] - {Coverage.MISSING}})
    assert codes(list(RULES.values()), bare) == [(name, "tests/coverage")]


@pytest.mark.parametrize("name", RULES)
def test_a_comparison_that_is_flipped_differs_from_what_is_built(tmp_path, name):
    rule = RULES[name]
    for file, content in build.files(RULES.values()).items():
        (tmp_path / file).write_text(content)
    flipped = {**RULES, name: replace(rule, operator=FLIPPED[rule.operator])}
    assert len(build.differences(build.files(flipped.values()), tmp_path)) == 1
