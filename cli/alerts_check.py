"""`drift alerts check`: lints the rules and shows what was found."""

from dataclasses import asdict, dataclass
from pathlib import Path

from alerts import corpus, facts
from alerts.findings import Finding, Level
from alerts.lint import Facts, lint, unreadable
from alerts.yaml_source import RuleError, SourceError
from cli import console
from cli.words import counted
from core.errors import EXIT_DONE, EXIT_FAILURE
from kql.gate import Parser, ParserMissingError


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the rules, their tests and their runbooks lie."""

    rules: Path
    tests: Path
    runbooks: Path

    @staticmethod
    def of(rules: Path | None, tests: Path | None, runbooks: Path | None) -> "Folders":
        """Take the shipped folders for those that are not given."""
        return Folders(rules or corpus.RULES, tests or corpus.TESTS, runbooks or corpus.RUNBOOKS)


def check(folders: Folders, *, require_parser: bool, json: bool) -> int:
    """Lint every rule of a folder. 1 when there is an error or a warning."""
    try:
        parser: Parser | None = Parser()
    except ParserMissingError as error:
        if require_parser:
            raise
        parser = None
        console.say(f"not checked with Microsoft's parser: {error}")
    found, count = findings(folders, parser)
    if json:
        console.show_json([asdict(finding) for finding in found])
    else:
        for finding in found:
            console.show_text(f"{finding}\n")
        totals = ", ".join(counted(sum(one.level is level for one in found), level.value) for level in Level)
        console.show(f"{counted(count, 'rule')} checked: {totals}")
    return EXIT_FAILURE if any(finding.level is not Level.NOTE for finding in found) else EXIT_DONE


def findings(folders: Folders, parser: Parser | None) -> tuple[list[Finding], int]:
    """Give what lint finds, and how many rules there are. What cannot be read is a finding."""
    files = corpus.rule_files(folders.rules)
    if not files:
        raise RuleError(f"no rule (*.yaml) in {folders.rules}")
    broken: list[Finding] = []
    rules = {}
    for path in files:
        try:
            rule = corpus.read_rule(path)
        except SourceError as error:
            broken += unreadable(error.reasons, "rule/yaml")
        else:
            rules[rule.name] = rule
    tested = facts.tests(corpus.case_files(folders.tests))
    known = Facts(
        facts.answers(list(rules.values()), parser),
        facts.runbooks(list(rules.values()), folders.runbooks),
        tested.covered,
    )
    seen = {(one.place, one.message) for one in broken}
    broken += [one for one in unreadable(tested.reasons, "tests/yaml") if (one.place, one.message) not in seen]
    return [*broken, *lint(list(rules.values()), known)], len(files)
