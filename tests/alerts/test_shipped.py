"""The rules that ship: lint is clean, and they are built. That their unit tests pass is in test_rule_mutations."""

import pytest

from alerts import build, corpus, facts, lint
from alerts.evaluate import ensure_supported
from alerts.findings import Level
from alerts.lint import Facts
from kql.gate import Parser

RULES = corpus.read_rules()


@pytest.fixture(scope="module")
def parser(require_parser):
    return Parser()


def findings(parser):
    rules = list(RULES.values())
    covered = facts.tests(corpus.case_files())
    assert covered.reasons == ()
    known = Facts(facts.answers(rules, parser), facts.runbooks(rules, corpus.RUNBOOKS), covered.covered)
    return [str(finding) for finding in lint.lint(rules, known) if finding.level is not Level.NOTE]


def test_lint_is_clean():
    assert findings(None) == []


@pytest.mark.tools
def test_lint_is_clean_with_microsofts_parser(parser):
    assert findings(parser) == []


def test_every_rule_is_one_that_azure_evaluates():
    for rule in RULES.values():
        ensure_supported(rule)


def test_the_built_bodies_are_those_of_the_rules(project_root):
    wanted = build.files(RULES.values())
    assert build.differences(wanted, project_root / "infra" / "generated" / "alerts") == []


@pytest.mark.tools
@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("summarize", "sumarize", "Query operator expected"),
        ("ErrorCode", "ErrorKode", "ErrorKode"),
        ("AciDnsEvents()", "AciDnsEvent()", "AciDnsEvent"),
    ],
)
def test_microsofts_parser_finds_a_slip_in_a_rules_query(parser, tmp_path, before, after, says):
    text = corpus.read_text(corpus.RULES / "reconcile-failed.yaml")
    (tmp_path / "reconcile-failed.yaml").write_text(text.replace(before, after, 1))
    rule = corpus.read_rule(tmp_path / "reconcile-failed.yaml")
    answer = facts.answers([rule], parser)[rule.name]
    assert says in " ".join(answer.errors)
