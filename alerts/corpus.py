"""Finds the rules, their queries, tests and runbooks on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from alerts import parse
from alerts.fields import did_you_mean
from alerts.yaml_source import RuleError, SourceError
from kql import catalog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alerts.model import Rule

ROOT: Final = Path(__file__).parent
RULES: Final = ROOT / "rules"
TESTS: Final = ROOT / "tests"
RUNBOOKS: Final = ROOT.parent / "docs" / "runbooks"


def read_rule(path: Path) -> Rule:
    """Read one rule's file. Raises SourceError, or RuleError when the file cannot be read."""
    return parse.rule(read_text(path), shown(path))


def read_rules(folder: Path = RULES) -> dict[str, Rule]:
    """Read every rule of a folder, by name. Raises SourceError with the reasons of all files."""
    reasons: list[str] = []
    rules: dict[str, Rule] = {}
    for path in rule_files(folder):
        try:
            rule = read_rule(path)
        except SourceError as error:
            reasons += error.reasons
            continue
        if rule.name in rules:
            reasons.append(f"{rule.place('name')}: there is a rule {rule.name!r} in {rules[rule.name].file} already")
        rules[rule.name] = rule
    if reasons:
        raise SourceError(reasons)
    return rules


def rule_files(folder: Path = RULES) -> list[Path]:
    """Give the rule files of a folder, in order of their names."""
    return sorted(folder.glob("*.yaml"))


def case_files(folder: Path = TESTS) -> list[Path]:
    """Give the test files of a folder, in order of their names."""
    return sorted(folder.glob("*.yaml"))


def chosen(rules: dict[str, Rule], names: Iterable[str]) -> list[Rule]:
    """Give the rules of these names, or all. Raises RuleError for a name that there is not."""
    names = list(names)
    for name in names:
        if name not in rules:
            raise RuleError(f"no alert rule {name!r}{did_you_mean(name, rules)}")
    return [rules[name] for name in names] if names else list(rules.values())


def query_text(rule: Rule) -> str:
    """Give the KQL of a rule, with its parameters bound. Raises CatalogError."""
    if rule.kql:
        return rule.kql
    known = catalog.queries()
    if rule.query not in known:
        raise catalog.CatalogError(f"no query {rule.query!r} in kql/queries{did_you_mean(rule.query, known)}")
    entry = known[rule.query]
    return catalog.bind(entry, rule.parameters)


def read_text(path: Path) -> str:
    """Read a text file. Raises RuleError."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleError(f"{shown(path)} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def shown(path: Path) -> str:
    """Write a path as a person would: relative to where they stand, when it is below."""
    full = path.resolve()
    return str(full.relative_to(Path.cwd())) if full.is_relative_to(Path.cwd()) else str(path)
