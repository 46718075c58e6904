"""Finds out what lint has to know about the rules: their queries' answers, their runbooks, what their tests cover."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from alerts import corpus
from alerts.cases import NOW
from alerts.lint_query import Answer
from alerts.measure import query_span
from alerts.run_cases import read_file
from alerts.yaml_source import RuleError, SourceError
from kql import catalog
from kql.duckdb_engine import DuckDbEngine, connect, plan_plainly
from kql.engine import QueryError, ResultTable
from kql.gate import Diagnosis, Parser, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from alerts.cases import Coverage
    from alerts.model import Rule

NO_TESTS: Final[frozenset[Coverage]] = frozenset()


@dataclass(frozen=True, slots=True)
class TestFacts:
    """What the unit tests cover, by rule's name, and what is wrong with their files."""

    covered: Mapping[str, frozenset[Coverage]] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()


def answers(rules: Sequence[Rule], parser: Parser | None) -> dict[str, Answer]:
    """Find out about every rule's query: on a database without rows, and from Microsoft's parser where there is one."""
    texts: dict[str, str] = {}
    errors: dict[str, str] = {}
    for rule in rules:
        try:
            texts[rule.name] = corpus.query_text(rule)
        except catalog.CatalogError as error:
            errors[rule.name] = str(error)
    diagnoses = {found.name: found for found in _diagnoses(texts, parser)}
    functions = {name: entry.body for name, entry in catalog.functions().items()}
    connection = connect()
    plan_plainly(connection)  # without rows planning is all that a query costs
    try:
        engine = DuckDbEngine(connection)
        return {
            rule.name: _answer(rule, texts[rule.name], engine, diagnoses.get(rule.name), functions)
            if rule.name in texts
            else Answer(NOW, text_error=errors[rule.name])
            for rule in rules
        }
    finally:
        connection.close()


def _diagnoses(texts: Mapping[str, str], parser: Parser | None) -> list[Diagnosis]:
    return parser.check([Text(name, text) for name, text in texts.items()]) if parser else []


def _answer(
    rule: Rule, text: str, engine: DuckDbEngine, diagnosis: Diagnosis | None, functions: Mapping[str, str]
) -> Answer:
    errors = [str(found) for found in diagnosis.errors] if diagnosis else []
    table: ResultTable | None = None
    try:
        table = engine.query(text, timespan=query_span(rule, NOW), now=NOW)
    except QueryError as error:
        errors = errors or [str(error)]
    columns = {column.name: str(column.type) for column in table.columns} if table is not None else None
    if diagnosis and diagnosis.columns is not None and not diagnosis.errors:
        columns = dict(diagnosis.columns)
    return Answer(NOW, text, "", tuple(errors), columns, table, functions)


def runbooks(rules: Sequence[Rule], folder: Path) -> dict[str, str | None]:
    """Read each rule's runbook, None where there is none."""
    return {rule.name: _runbook(folder, rule.runbook) for rule in rules}


def _runbook(folder: Path, name: str) -> str | None:
    path = folder / name
    inside = path.resolve().is_relative_to(folder.resolve())
    return path.read_text(encoding="utf-8") if inside and path.is_file() else None


def tests(paths: Sequence[Path]) -> TestFacts:
    """Read what the unit tests cover."""
    covered: dict[str, frozenset[Coverage]] = {}
    reasons: list[str] = []
    for path in paths:
        try:
            found, _ = read_file(path)
        except SourceError as error:
            reasons += error.reasons
            continue
        except RuleError as error:
            reasons.append(f"{corpus.shown(path)}:1: {error}")
            continue
        for case in found.cases:
            covered[case.rule] = covered.get(case.rule, NO_TESTS) | set(case.covers)
    return TestFacts(covered, tuple(dict.fromkeys(reasons)))
