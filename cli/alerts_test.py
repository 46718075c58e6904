"""`drift alerts test`: runs unit tests of rules and shows what failed."""

import time
from pathlib import Path
from typing import Any

from alerts import corpus
from alerts.diff import failure
from alerts.run_cases import CaseResult, run_files
from alerts.yaml_source import RuleError
from cli import console
from cli.words import counted
from core.errors import EXIT_DONE, EXIT_FAILURE


def run_tests(files: list[Path], names: list[str], *, json: bool) -> int:
    """Run the tests of these files, or all; with names only those of these rules. 1 when one fails."""
    began = time.monotonic()
    paths = list(_expanded(files)) if files else corpus.case_files()
    results = list(run_files(paths, names))
    if not results:
        where = ", ".join(corpus.shown(path) for path in paths) or corpus.shown(corpus.TESTS)
        raise RuleError(f"no unit test{f' of {chr(44).join(names)}' if names else ''} in {where}")
    failed = [result for result in results if result.mismatches]
    if json:
        console.show_json([_as_json(result) for result in results])
    else:
        for result in failed:
            console.show_text("\n".join(failure(result)) + "\n\n")
        passed = len(results) - len(failed)
        rules = len({result.case.rule for result in results})
        evaluations = sum(result.evaluations for result in results)
        took = time.monotonic() - began
        console.show(
            f"{counted(passed, 'test')} passed, {len(failed)} failed: {counted(rules, 'rule')}, "
            f"{evaluations:,} evaluations, {took:.1f} s"
        )
    return EXIT_FAILURE if failed else EXIT_DONE


def _expanded(files: list[Path]) -> list[Path]:
    """Give the files, and those in the folders, in the order given."""
    return [file for path in files for file in (corpus.case_files(path) if path.is_dir() else [path])]


def _as_json(result: CaseResult) -> dict[str, Any]:
    return {
        "file": result.file,
        "line": result.case.line,
        "test": result.case.name,
        "rule": result.case.rule,
        "covers": list(result.case.covers),
        "evaluations": result.evaluations,
        "passed": not result.mismatches,
        "failure": "\n".join(failure(result)) if result.mismatches else "",
    }
